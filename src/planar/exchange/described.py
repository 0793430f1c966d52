"""What exchanges can do by CCXT's description and Planar's tables alone: nothing is opened, nothing is asked.

For questions about all of them at once (`planar exchanges --can`). The answers are those of `Exchange.can` with credentials
and without limits of the settings; which markets are listed is CCXT's word.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any, Final

import msgspec

from planar.adapters import lazy_ccxt
from planar.adapters.base import Capabilities
from planar.adapters.ccxt_describing import capabilities_of, snake
from planar.adapters.ccxt_seam import seam_class
from planar.adapters.custom import CustomAdapter
from planar.adapters.exchange_ids import known_ids
from planar.adapters.kinds import KindTable, derived_kinds
from planar.adapters.profile import Profile
from planar.adapters.registry import custom_class
from planar.adapters.subtypes import profile_of
from planar.config.suggest import did_you_mean
from planar.errors import BadRequest, Outcome
from planar.exchange.ability import ability

_ORDERS: Final = "create_order"
_ORDERS_OF_CCXT: Final = "createOrder"
_CONTRACTS: Final = (("swap", "linear"), ("future", "linear"), ("option", None))
"""Derivatives in CCXT's words, the most usual first."""
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
        BadRequest: (NOT_SENT) a method that CCXT has not; a kind that is none, or of another method.
    """
    lazy_ccxt.install()
    made: Any = seam_class(known_ids()[0])()
    known = [snake(name) for name in made.has]
    found: list[tuple[str, str | None]] = []
    for part in text.split(","):
        method, _, kind = (snake(word.strip()) for word in part.partition(":"))
        if method not in known:
            raise BadRequest(
                f"there is no method {part.partition(':')[0].strip()!r}",
                outcome=Outcome.NOT_SENT,
                hint=did_you_mean(method, known) or "such as watchOrders, fetchOHLCV, createOrder:postOnly",
            )
        if kind and (method != _ORDERS or kind not in _KINDS):
            raise BadRequest(
                f"{part.strip()!r} is no ability",
                outcome=Outcome.NOT_SENT,
                hint=did_you_mean(kind, _KINDS) or f"after createOrder: one of {', '.join(_KINDS)}",
            )
        found.append((method, _KINDS[kind] if kind else None))
    return found


class Described(msgspec.Struct, frozen=True):
    """An exchange as it is described; see `planar.exchange.ability.Subject`.

    Attributes:
        spot: kinds of orders in its spot markets, or in those that it has.
        contract: those in its derivatives; None: it has none, or nobody knows.
    """

    id: str
    profile: Profile
    capabilities: Capabilities
    spot: KindTable
    contract: KindTable | None = None
    market_type: str | None = None

    def order_kinds(self) -> KindTable | None:
        """See `Subject`."""
        return self.spot

    def contract_kinds(self) -> KindTable | None:
        """See `Subject`."""
        return self.contract

    def has_contracts(self) -> bool:
        """See `Subject`."""
        return self.contract is not None


def described(exchange: str) -> Described:
    """What is known of an exchange without opening it."""
    custom = custom_class(exchange)
    if custom is not None and issubclass(custom, CustomAdapter):
        capabilities = Capabilities(custom.offered(), custom.timeframes, custom.required_credentials)
        return Described(exchange, Profile(id=exchange), capabilities, custom.kind_table())
    lazy_ccxt.install()
    made: Any = seam_class(exchange)()
    profile, capabilities = profile_of(exchange), capabilities_of(made)

    def kinds(market_type: str, sub_type: str | None) -> KindTable:
        return derived_kinds(partial(made.feature_value_by_type, market_type, sub_type, _ORDERS_OF_CCXT))

    contract = next((kinds(*one) for one in _CONTRACTS if capabilities.can(one[0])), None)
    spot = (profile.kinds or kinds("spot", None)) if capabilities.can("spot") or contract is None else contract
    return Described(exchange, profile, capabilities, spot, contract)


def has_all(exchange: str, wanted: Iterable[tuple[str, str | None]]) -> bool:
    """Whether an exchange would carry out all of these: methods, and kinds of orders that it has itself."""
    known = described(exchange)
    for method, kind in wanted:
        if kind is None and not ability(method, known):
            return False
        if kind is not None and (kind not in known.spot or known.spot[kind].how != "native"):
            return False
    return True
