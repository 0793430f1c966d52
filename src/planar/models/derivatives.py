"""Data of derivatives and options: open interest, leverage, liquidations, greeks, payments of funding.

They come from the adapters (`planar.adapters.unified`) and go to the user. What describes a market is `float`; what an
account pays, receives or may borrow is `Amount`. None: the exchange does not say. Keys as in CCXT's structures.
"""

from __future__ import annotations

from typing import ClassVar

from planar.models.amount import Amount
from planar.models.base import RawPayload, Sourced, Timed


class FundingRateRecord(Timed, frozen=True, kw_only=True, gc=False):
    """A funding rate of the past, as a fraction."""

    symbol: str
    funding_rate: float
    ts_ms: int | None = None
    received_ns: int | None = None
    raw: RawPayload = None


class FundingPayment(Timed, frozen=True, kw_only=True, gc=False):
    """What this account was paid, or paid (negative), for holding a perpetual."""

    id: str | None = None
    symbol: str
    code: str | None = None
    amount: Amount
    rate: float | None = None
    type: str | None = None
    ts_ms: int | None = None
    received_ns: int | None = None
    raw: RawPayload = None


class OpenInterest(Timed, frozen=True, kw_only=True, gc=False):
    """How much of a contract is open in the whole market."""

    symbol: str
    open_interest_amount: float | None = None
    """In base currency or contracts, as the exchange counts."""
    open_interest_value: float | None = None
    """In quote currency."""
    base_volume: float | None = None
    quote_volume: float | None = None
    ts_ms: int | None = None
    received_ns: int | None = None
    raw: RawPayload = None


class LongShortRatio(Timed, frozen=True, kw_only=True, gc=False):
    """Long against short accounts or positions of a market."""

    symbol: str | None = None
    timeframe: str | None = None
    long_short_ratio: float | None = None
    ts_ms: int | None = None
    received_ns: int | None = None
    raw: RawPayload = None


class Liquidation(Timed, frozen=True, kw_only=True, gc=False):
    """A position that the exchange closed by force."""

    symbol: str
    side: str | None = None
    price: float | None = None
    contracts: float | None = None
    contract_size: float | None = None
    base_value: float | None = None
    quote_value: float | None = None
    ts_ms: int | None = None
    received_ns: int | None = None
    raw: RawPayload = None


class Greeks(Timed, frozen=True, kw_only=True, gc=False):
    """How the price of an option moves with what it depends on."""

    _shown: ClassVar[tuple[str, ...]] = ("symbol", "delta", "gamma", "theta", "vega", "mark_price")

    symbol: str
    delta: float | None = None
    gamma: float | None = None
    theta: float | None = None
    vega: float | None = None
    rho: float | None = None
    vanna: float | None = None
    volga: float | None = None
    charm: float | None = None
    bid_size: float | None = None
    ask_size: float | None = None
    bid_implied_volatility: float | None = None
    ask_implied_volatility: float | None = None
    mark_implied_volatility: float | None = None
    bid_price: float | None = None
    ask_price: float | None = None
    mark_price: float | None = None
    last_price: float | None = None
    underlying_price: float | None = None
    ts_ms: int | None = None
    received_ns: int | None = None
    raw: RawPayload = None


class OptionQuote(Timed, frozen=True, kw_only=True, gc=False):
    """An option with its prices."""

    _shown: ClassVar[tuple[str, ...]] = ("symbol", "bid_price", "ask_price", "mark_price", "implied_volatility")

    symbol: str
    currency: str | None = None
    implied_volatility: float | None = None
    open_interest: float | None = None
    bid_price: float | None = None
    ask_price: float | None = None
    mid_price: float | None = None
    mark_price: float | None = None
    last_price: float | None = None
    underlying_price: float | None = None
    change: float | None = None
    percentage: float | None = None
    base_volume: float | None = None
    quote_volume: float | None = None
    ts_ms: int | None = None
    received_ns: int | None = None
    raw: RawPayload = None


class LeverageTier(Sourced, frozen=True, kw_only=True, gc=False):
    """Up to which notional how much leverage is allowed."""

    tier: float | None = None
    symbol: str | None = None
    currency: str | None = None
    min_notional: Amount | None = None
    max_notional: Amount | None = None
    maintenance_margin_rate: Amount | None = None
    max_leverage: Amount | None = None
    raw: RawPayload = None


class Leverage(Sourced, frozen=True, kw_only=True, gc=False):
    """The leverage that this account has set for a market."""

    symbol: str
    margin_mode: str | None = None
    long_leverage: Amount | None = None
    short_leverage: Amount | None = None
    raw: RawPayload = None


class MarginMode(Sourced, frozen=True, kw_only=True, gc=False):
    """Whether positions in a market share the account's margin (`cross`) or have their own (`isolated`)."""

    symbol: str
    margin_mode: str | None = None
    raw: RawPayload = None


class PositionMode(Sourced, frozen=True, kw_only=True, gc=False):
    """Whether a long and a short of one market can stand side by side."""

    hedged: bool | None = None
    raw: RawPayload = None


class MarginModification(Timed, frozen=True, kw_only=True, gc=False):
    """A change of the margin of a position."""

    symbol: str | None = None
    type: str | None = None
    """`add`, `reduce` or `set`."""
    margin_mode: str | None = None
    amount: Amount | None = None
    total: Amount | None = None
    code: str | None = None
    status: str | None = None
    ts_ms: int | None = None
    received_ns: int | None = None
    raw: RawPayload = None


class AutoDeleverage(Timed, frozen=True, kw_only=True, gc=False):
    """How near a position is to being closed against another's liquidation."""

    symbol: str
    rank: float | None = None
    rating: str | None = None
    percentage: float | None = None
    ts_ms: int | None = None
    received_ns: int | None = None
    raw: RawPayload = None
