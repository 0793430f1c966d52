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


class FeeAsset(enum.StrEnum):
    """Which asset of its market an order's commission is taken in. RECEIVED: that which a fill brings in."""

    RECEIVED = "received"
    BASE = "base"
    QUOTE = "quote"


class SelfTradeMode(enum.StrEnum):
    """What expires when an order would trade with another of the same account. NONE lets them trade."""

    NONE = "none"
    EXPIRE_TAKER = "expire_taker"
    EXPIRE_MAKER = "expire_maker"
    EXPIRE_BOTH = "expire_both"


class OrderStatus(enum.StrEnum):
    """State of an accepted order. A refused order has no status: it raises `EngineReject` and leaves no record.

    EXPIRED: ended by its own time in force, without liquidity, or by another order of its list.
    EXPIRED_IN_MATCH: ended by self-trade prevention. PENDING_NEW: waits for another order or for its hour, holds
    nothing. REJECTED: was pending and could not begin.
    """

    PENDING_NEW = "pending_new"
    NEW = "new"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    EXPIRED_IN_MATCH = "expired_in_match"
    REJECTED = "rejected"


OPEN_STATUSES = (OrderStatus.PENDING_NEW, OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED)


class EventKind(enum.StrEnum):
    """Why an `OrderEvent` was sent. REPLACED is an amendment that kept its place in the queue.

    RELEASED: a pending order began to work or to wait for its trigger; REJECTED: it could not.
    """

    NEW = "new"
    TRADE = "trade"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REPLACED = "replaced"
    TRIGGERED = "triggered"
    TRADE_PREVENTION = "trade_prevention"
    RELEASED = "released"
    REJECTED = "rejected"


class Contingency(enum.StrEnum):
    """How the orders of a list hang together.

    OCO: two orders, one of which ends the other. OTO: a working order whose complete fill starts a pending one.
    OTOCO: a working order that starts an OCO.
    """

    OCO = "oco"
    OTO = "oto"
    OTOCO = "otoco"


class ListChange(enum.StrEnum):
    """What happened to an order list. UPDATED: one of its orders got another client id."""

    STARTED = "started"
    UPDATED = "updated"
    DONE = "done"


class MarketStatus(enum.StrEnum):
    """What a symbol takes. Cancels work in all states; nothing is matched in those but TRADING and LIMIT_ONLY.

    HALTED and BREAK take no order: they differ in the exchange's word for them. DELISTED is the end.
    """

    TRADING = "trading"
    HALTED = "halted"
    BREAK = "break"
    POST_ONLY = "post_only"
    LIMIT_ONLY = "limit_only"
    DELISTED = "delisted"


class SystemStatus(enum.StrEnum):
    """State of the whole exchange. In MAINTENANCE its wire answers next to nothing."""

    ONLINE = "online"
    POST_ONLY = "post_only"
    CANCEL_ONLY = "cancel_only"
    MAINTENANCE = "maintenance"


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
    """State of a deposit, a withdrawal or a transfer.

    CREDITED: a deposit that is in the balance and must not be withdrawn yet. FAILED: given up by the exchange,
    CANCELED: by the account; what it had taken has been given back.
    """

    PENDING = "pending"
    CREDITED = "credited"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELED = "canceled"


class Wallet(enum.StrEnum):
    """The purses of an account. Only SPOT trades."""

    SPOT = "spot"
    FUNDING = "funding"
