"""How Binance writes numbers, and its words for the engine's."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from typing import Final

from planar.venue.engine.enums import (
    MarketStatus,
    OrderKind,
    OrderStatus,
    SelfTradeMode,
    Side,
    SystemStatus,
    TimeInForce,
)
from planar.venue.engine.units import quotient, rounded

ZERO: Final = "0.00000000"
ALPHANUMERIC: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
"""Characters of the ids and keys that the exchange makes."""
CLIENT_ID_LENGTH: Final = 22

SIDES: Final = {"BUY": Side.BUY, "SELL": Side.SELL}
TIMES_IN_FORCE: Final = {"GTC": TimeInForce.GTC, "IOC": TimeInForce.IOC, "FOK": TimeInForce.FOK}
SELF_TRADE_MODES: Final = {mode.name: mode for mode in SelfTradeMode}
ORDER_KINDS: Final = {
    "LIMIT": OrderKind.LIMIT,
    "LIMIT_MAKER": OrderKind.LIMIT,
    "MARKET": OrderKind.MARKET,
    "STOP_LOSS": OrderKind.STOP_LOSS,
    "STOP_LOSS_LIMIT": OrderKind.STOP_LOSS_LIMIT,
    "TAKE_PROFIT": OrderKind.TAKE_PROFIT,
    "TAKE_PROFIT_LIMIT": OrderKind.TAKE_PROFIT_LIMIT,
}
"""Order types in the order of `exchangeInfo`. LIMIT_MAKER is a limit order that is post-only."""
STATUSES: Final = {status: status.name for status in OrderStatus}
MARKET_STATUSES: Final = {
    MarketStatus.TRADING: "TRADING",
    MarketStatus.HALTED: "HALT",
    MarketStatus.BREAK: "BREAK",
}
"""What a market that is listed can be in (enums.md, "Symbol status")."""
SYSTEM_STATUSES: Final = {SystemStatus.ONLINE: "normal", SystemStatus.MAINTENANCE: "system_maintenance"}
"""What the wallet's system status says."""


def amount(value: Decimal) -> str:
    """A quantity or price with eight decimals, never in scientific notation."""
    return f"{value:.8f}"


def optional_amount(value: Decimal | None) -> str:
    """As `amount`; zero stands for none."""
    return ZERO if value is None else f"{value:.8f}"


def percent(change: Decimal, base: Decimal) -> str:
    """`change` in percent of `base`, with three decimals."""
    ratio = quotient(change, base, 100) if base else Decimal(0)
    return f"{rounded(ratio, Decimal('0.001'), ROUND_HALF_UP):.3f}"


def ratio8(numerator: Decimal, denominator: Decimal, otherwise: Decimal) -> str:
    """A quotient with eight decimals; `otherwise` where there is nothing to divide by."""
    ratio = quotient(numerator, denominator) if denominator else otherwise
    return f"{rounded(ratio, Decimal('1e-8'), ROUND_HALF_EVEN):.8f}"


def plain(value: Decimal) -> str:
    """Shortest decimal form, as the wallet endpoints write amounts."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
