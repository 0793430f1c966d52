"""Kinds of orders on Kraken spot (documentation: Add Order).

CCXT's `triggerPrice` would go out as a field that Kraken does not know, and the order would execute at once; its FOK is a
word that Kraken does not have.
"""

from planar.adapters.kinds import CANCEL_THEN_NEW, KindRow
from planar.models import Amount

_ADD = "Kraken REST API, Add Order"
_PAIR = (
    "two orders at the exchange, of which this program cancels one when the other trades or ends: only while it runs, "
    "with funds for both, and both may trade before the cancel arrives"
)

KINDS = {
    "limit": KindRow(source=_ADD),
    "market": KindRow(source=_ADD),
    "market_cost": KindRow(params={"cost": "{cost}"}, sides=("buy",), why="`viqc`, which only buys have", source=_ADD),
    "post_only": KindRow(params={"postOnly": True}, why="`oflags` `post`", source=_ADD),
    "ioc": KindRow(params={"timeInForce": "IOC"}, source=_ADD),
    "fok": KindRow("refused", "it has GTC, IOC and GTD; `timeinforce` knows no FOK", source=_ADD),
    "gtd": KindRow(
        params={"timeInForce": "GTD", "expiretm": "{end_s}"},
        step=Amount(1000),
        why="`expiretm`, in whole seconds, at most a month ahead",
        source=_ADD,
    ),
    "stop": KindRow(params={"stopLossPrice": "{trigger}"}, at_once=True, why="`stop-loss`", source=_ADD),
    "stop_limit": KindRow(params={"stopLossPrice": "{trigger}"}, at_once=True, why="`stop-loss-limit`", source=_ADD),
    "take_profit": KindRow(params={"takeProfitPrice": "{trigger}"}, at_once=True, why="`take-profit`", source=_ADD),
    "take_profit_limit": KindRow(
        params={"takeProfitPrice": "{trigger}"}, at_once=True, why="`take-profit-limit`", source=_ADD
    ),
    "trailing": KindRow(
        params={"trailingPercent": "{percent}"}, step=Amount("0.01"), why="`trailing-stop`", source=_ADD
    ),
    "trailing_limit": KindRow(
        "refused",
        "the limit of its trailing stops is a distance from the trigger, not a price: leave price out",
        source=_ADD,
    ),
    "trailing_amount": KindRow(
        params={"trailingAmount": "{distance}"}, why="`trailing-stop` with a distance in quote currency", source=_ADD
    ),
    "oco": KindRow("emulated", _PAIR, source=_ADD),
    "bracket": KindRow(
        "emulated",
        f"the exits are sent when the entry has ended with a fill, for what it has filled; they are {_PAIR}",
        source=_ADD,
    ),
    "replace": KindRow("emulated", CANCEL_THEN_NEW, source="Kraken REST API, Amend Order: it changes orders in place"),
}
"""Of spot markets. Its conditional close (`close[...]`) is not used: the order that it makes has no client id."""

ORDER_PARAMS = frozenset({"leverage", "reduce_only", "starttm", "stptype", "trigger"})
"""Parameters of a new order (documentation: Add Order). Left out are those that Planar fills itself (`expiretm`,
`deadline`, `timeinforce`), `userref`, which excludes a client id, `close[...]`, whose order has none, `displayvol`, which
belongs to a type of order of its own, and `oflags`, one of which turns the amount into quote currency."""
