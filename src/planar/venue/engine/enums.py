"""The closed vocabularies of the engine. The values are the engine's own words; a wire maps them to its venue's."""

from __future__ import annotations

import enum


class Side(enum.StrEnum):
    """Direction of an order, a fill or a book level."""

    BUY = "buy"
    SELL = "sell"


class OrderKind(enum.StrEnum):
    """What the order does once it works; the two words of a stop name its trigger direction (see `NewOrder`)."""

    LIMIT = "limit"
    MARKET = "market"
    STOP_LOSS = "stop_loss"
    STOP_LOSS_LIMIT = "stop_loss_limit"
    TAKE_PROFIT = "take_profit"
    TAKE_PROFIT_LIMIT = "take_profit_limit"


class TimeInForce(enum.StrEnum):
    """How long an order works: until canceled, at once or expire the rest, all at once or expire whole."""

    GTC = "gtc"
    IOC = "ioc"
    FOK = "fok"


class SelfTradeMode(enum.StrEnum):
    """What expires when an order would trade with another of the same account. NONE lets them trade."""

    NONE = "none"
    EXPIRE_TAKER = "expire_taker"
    EXPIRE_MAKER = "expire_maker"
    EXPIRE_BOTH = "expire_both"


class OrderStatus(enum.StrEnum):
    """State of an accepted order. A refused order has no status: it raises `EngineReject` and leaves no record.

    EXPIRED: ended by its own time in force, or without liquidity. EXPIRED_IN_MATCH: ended by self-trade prevention.
    """

    NEW = "new"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    EXPIRED_IN_MATCH = "expired_in_match"


OPEN_STATUSES = (OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED)


class EventKind(enum.StrEnum):
    """Why an `OrderEvent` was sent. REPLACED is an amendment that kept its place in the queue."""

    NEW = "new"
    TRADE = "trade"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REPLACED = "replaced"
    TRIGGERED = "triggered"
    TRADE_PREVENTION = "trade_prevention"


class MarketStatus(enum.StrEnum):
    """Whether a symbol takes orders. Cancels work in both."""

    TRADING = "trading"
    HALTED = "halted"


class Interval(enum.StrEnum):
    """Candle intervals. 3d counts from the epoch, 1w from Monday, 1M is a calendar month; all in UTC."""

    S1 = "1s"
    M1 = "1m"
    M3 = "3m"
    M5 = "5m"
    M15 = "15m"
    M30 = "30m"
    H1 = "1h"
    H2 = "2h"
    H4 = "4h"
    H6 = "6h"
    H8 = "8h"
    H12 = "12h"
    D1 = "1d"
    D3 = "3d"
    W1 = "1w"
    MONTH1 = "1M"


class TransferStatus(enum.StrEnum):
    """State of a deposit or a withdrawal."""

    PENDING = "pending"
    COMPLETED = "completed"
