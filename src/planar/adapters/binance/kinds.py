"""Kinds of orders on Binance spot (documentation: New order, Trailing Stop FAQ, Order lists, Cancel and replace)."""

from planar.adapters.kinds import KindRow
from planar.models import Amount

_NEW = "Binance spot REST API, New order"
_LISTS = "Binance spot REST API, Order lists"
_TRAILING = {"trailingPercent": "{percent}", "stopLossOrTakeProfit": "stopLoss"}
_BASIS_POINT = Amount("0.01")
"""`trailingDelta` counts in these, as a percentage."""

KINDS = {
    "limit": KindRow(source=_NEW),
    "market": KindRow(source=_NEW),
    "market_cost": KindRow(params={"cost": "{cost}"}, why="`quoteOrderQty`", source=_NEW),
    "post_only": KindRow(params={"postOnly": True}, why="`LIMIT_MAKER`", source=_NEW),
    "ioc": KindRow(params={"timeInForce": "IOC"}, source=_NEW),
    "fok": KindRow(params={"timeInForce": "FOK"}, source=_NEW),
    "gtd": KindRow("refused", "spot orders have no end of their own: GTC, IOC and FOK are all there is", source=_NEW),
    "stop": KindRow(params={"stopLossPrice": "{trigger}"}, why="`STOP_LOSS`", source=_NEW),
    "stop_limit": KindRow(params={"stopLossPrice": "{trigger}"}, why="`STOP_LOSS_LIMIT`", source=_NEW),
    "take_profit": KindRow(params={"takeProfitPrice": "{trigger}"}, why="`TAKE_PROFIT`", source=_NEW),
    "take_profit_limit": KindRow(params={"takeProfitPrice": "{trigger}"}, why="`TAKE_PROFIT_LIMIT`", source=_NEW),
    "trailing": KindRow(
        params=_TRAILING, step=_BASIS_POINT, why="`STOP_LOSS` with `trailingDelta`", source="Binance Trailing Stop FAQ"
    ),
    "trailing_limit": KindRow(
        params=_TRAILING,
        step=_BASIS_POINT,
        why="`STOP_LOSS_LIMIT` with `trailingDelta`",
        source="Binance Trailing Stop FAQ",
    ),
    "trailing_amount": KindRow(
        "refused", "a trailing stop follows at a percentage only: give trailing_percent", source=_NEW
    ),
    "oco": KindRow(why="`orderList/oco`", source=_LISTS),
    "bracket": KindRow(why="`orderList/otoco`; the exits begin when the entry is filled whole", source=_LISTS),
    "replace": KindRow(why="`order/cancelReplace` with `STOP_ON_FAILURE`", source="Binance spot, Cancel and replace"),
}
"""Of spot markets. A trigger price that the market has passed is refused with -2010."""

ORDER_PARAMS = frozenset(
    {
        *("icebergQty", "strategyId", "strategyType", "selfTradePreventionMode"),
        *("pegPriceType", "pegOffsetValue", "pegOffsetType"),
        *("isIsolated", "sideEffectType", "autoRepayAtCancel"),
    }
)
"""Parameters of a new order (documentation: New order; of margin: Margin account new order). Left out are those that Planar
fills itself, by its own words: `quoteOrderQty`, `trailingDelta`, `stopPrice`, `recvWindow`, `newOrderRespType`."""
