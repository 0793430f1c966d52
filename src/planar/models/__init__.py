"""The data that Planar speaks: frozen structs with CCXT's names, exact where money is owned, owed or ordered.

Market data is `float`; what is owned, owed or ordered is `Amount`; times are integers with the unit in the name.
Every model has snake_case attributes, CCXT's keys (`order["clientOrderId"]`), pickle and JSON round trips, and the
exchange's own payload in `info`. `planar.models.from_ccxt` makes them from CCXT's dictionaries.
"""

from planar.models.account import AccountBalance, Balance, Position, PositionSide
from planar.models.amount import Amount, AmountLike
from planar.models.base import Model, RawPayload, Sourced, Timed, iso8601
from planar.models.codec import decode_hook, encode_hook, from_json, to_json
from planar.models.data import Candle, FundingRate, Level, Liquidity, OrderBook, Side, Ticker, Trade
from planar.models.key_rights import KeyRights
from planar.models.market import (
    Currency,
    CurrencyLimits,
    Limits,
    MarginModes,
    Market,
    MinMax,
    Network,
    Precision,
    PrecisionMode,
    PriceBand,
    Suggestion,
)
from planar.models.orders import FINAL_STATES, Fee, Fill, Order, OrderState, OrderStatus, order_state

__all__ = [
    "AccountBalance",
    "Amount",
    "AmountLike",
    "Balance",
    "Candle",
    "Currency",
    "CurrencyLimits",
    "FINAL_STATES",
    "Fee",
    "Fill",
    "FundingRate",
    "KeyRights",
    "Level",
    "Limits",
    "Liquidity",
    "MarginModes",
    "Market",
    "MinMax",
    "Model",
    "Network",
    "Order",
    "OrderBook",
    "OrderState",
    "OrderStatus",
    "Position",
    "PositionSide",
    "Precision",
    "PrecisionMode",
    "PriceBand",
    "RawPayload",
    "Side",
    "Sourced",
    "Suggestion",
    "Ticker",
    "Timed",
    "Trade",
    "decode_hook",
    "encode_hook",
    "from_json",
    "iso8601",
    "order_state",
    "to_json",
]
