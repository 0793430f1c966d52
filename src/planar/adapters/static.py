"""What exchanges can do by CCXT's description alone: nothing is opened, nothing is asked.

For questions about all of them at once (`planar exchanges --can`). What depends on credentials, settings or markets is
answered by `Exchange.can`.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any, Final

from planar.adapters import lazy_ccxt
from planar.adapters.ccxt_describing import capabilities_of, snake
from planar.adapters.ccxt_seam import seam_class
from planar.adapters.custom import CustomAdapter
from planar.adapters.kinds import derived_kinds
from planar.adapters.profile import load_profile
from planar.adapters.registry import custom_class
from planar.config.suggest import did_you_mean
from planar.errors import BadRequest, Outcome

_ORDERS: Final = "create_order"
_KINDS: Final = {
    "post_only": "post_only",
    "ioc": "ioc",
    "fok": "fok",
    "gtd": "gtd",
    "stop": "stop",
    "trigger_price": "stop",
    "stop_loss_price": "stop",
    "take_profit": "take_profit",
    "take_profit_price": "take_profit",
    "trailing": "trailing",
    "trailing_percent": "trailing",
    "cost": "market_cost",
    "oco": "oco",
    "bracket": "bracket",
}


def parsed(text: str) -> list[tuple[str, str | None]]:
    """`watchOrders,createOrder:postOnly` as (method, kind of order or None) in snake_case.

    Raises:
        BadRequest: (NOT_SENT) a kind that is none, or of another method.
    """
    found: list[tuple[str, str | None]] = []
    for part in text.split(","):
        method, _, kind = (snake(word.strip()) for word in part.partition(":"))
        if kind and (method != _ORDERS or kind not in _KINDS):
            raise BadRequest(
                f"{part.strip()!r} is no ability",
                outcome=Outcome.NOT_SENT,
                hint=did_you_mean(kind, _KINDS) or f"after createOrder: one of {', '.join(_KINDS)}",
            )
        found.append((method, _KINDS[kind] if kind else None))
    return found


def has_all(exchange: str, wanted: Iterable[tuple[str, str | None]]) -> bool:
    """Whether CCXT, or the exchange's own tables, say for certain that it has all of these on spot markets."""
    custom = custom_class(exchange)
    if custom is not None and issubclass(custom, CustomAdapter):
        own, offered = custom.kinds, custom.offered()
        return all(offered.get(method) if kind is None else kind in own for method, kind in wanted)
    lazy_ccxt.install()
    made: Any = seam_class(exchange)()
    capabilities = capabilities_of(made)
    kinds = load_profile(exchange).kinds
    table = kinds or derived_kinds(partial(made.feature_value_by_type, "spot", None, "createOrder"))
    for method, kind in wanted:
        if kind is not None and (kind not in table or table[kind].how != "native"):
            return False
        if kind is None and not capabilities.can(method):
            return False
    return True
