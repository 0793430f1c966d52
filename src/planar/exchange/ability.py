"""Whether a method would be carried out, and how: one function for an exchange that is open and for one that is not.

It stands on CCXT's description of the exchange, the tables of its package, and what is known of its markets; what settings
and credentials forbid is `planar.exchange.abilities`' to say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, Protocol, TypeAlias

import msgspec

from planar.adapters.base import Capabilities, OrderRequest
from planar.adapters.ccxt_describing import snake
from planar.adapters.feed import Kind
from planar.adapters.kinds import KindRow, KindTable, kinds_of
from planar.adapters.polling import is_polled
from planar.adapters.profile import Profile
from planar.adapters.unified import METHODS
from planar.config.suggest import did_you_mean
from planar.errors import BadRequest, Outcome
from planar.exchange.composing import made_of
from planar.exchange.order_forms import FORMS
from planar.exchange.order_words import UNIFIED, read_words
from planar.exchange.watching import ELSE, OF_ONE
from planar.models import Amount

NOTHING: Final[Mapping[str, Any]] = {}

Way: TypeAlias = Literal["native", "composed", "emulated", "unknown", "refused"]
"""`native`: the exchange does it. `composed`: Planar makes it of what the exchange does. `emulated`: Planar does it, weaker,
and only where the call asks for it. `unknown`: nobody knows; a call is passed on and the exchange decides. `refused`: a call
is refused before anything is sent."""

_TYPES: Final = ("limit", "market", "stop", "stop_limit")
_OURS: Final[Mapping[str, str]] = {
    "create_order": "every order goes through the journal",
    "create_orders": "a request for each, several at once",
    "cancel_orders": "a request for each, several at once",
    "cancel_all_orders": "the open orders are asked for and canceled one by one",
    "fetch_order": "asked for, or looked for in the lists",
    "fetch_orders": "of open and ended orders, where it lists them apart",
    "fetch_closed_orders": "of the orders of any state",
    "fetch_last_price": "last, else close, else the middle of bid and ask",
    "fetch_ohlcvs": "one by one",
    "fetch_order_books": "one by one, or at once where the exchange has it",
    "fetch_canceled_orders": "of the orders of any state",
    "fetch_canceled_and_closed_orders": "of the orders of any state",
    "cancel_all_orders_after": "the exchange's countdown, or a process on this machine",
    "cancel_orders_for_symbols": "one by one, or at once where the exchange has it",
    "cancel_orders_with_client_order_ids": "one by one, or at once where the exchange has it",
}
"""Methods that Planar has itself, and how."""
_LISTS: Final = ("fetch_orders", "fetch_closed_orders")
_OF_ANY: Final[Mapping[str, tuple[str, ...]]] = {
    "fetch_order": ("fetch_open_orders", *_LISTS),
    "fetch_orders": ("fetch_closed_orders",),
    "fetch_closed_orders": ("fetch_orders",),
    "fetch_canceled_orders": _LISTS,
    "fetch_canceled_and_closed_orders": _LISTS,
    "fetch_last_price": ("fetch_ticker",),
    "fetch_ohlcvs": ("fetch_ohlcv",),
    "fetch_order_books": ("fetch_order_book",),
    "cancel_orders_for_symbols": ("cancel_order",),
    "cancel_orders_with_client_order_ids": ("cancel_order",),
}
"""Of those: the methods of which any suffices, asked of the exchange's description."""
_LINKED: Final[Mapping[str, str]] = {
    "create_oco": "oco",
    "create_bracket": "bracket",
    "create_order_with_take_profit_and_stop_loss": "bracket",
    "replace_order": "replace",
}
_AS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("edit_orders", "edit_limit_order", "edit_limit_buy_order", "edit_limit_sell_order"), "edit_order"),
    "edit_order_with_client_order_id": "edit_order",
    "cancel_order_with_client_order_id": "cancel_order",
    "fetch_order_with_client_order_id": "fetch_order",
    "fetch_partial_balance": "fetch_balance",
    "fetch_positions_for_symbol": "fetch_positions",
}
"""Method -> the one that does it."""


class Ability(msgspec.Struct, frozen=True):
    """The answer to one question; true where a call will be carried out.

    Attributes:
        how: see `Way`.
        why: the reason, or how it is done.
    """

    how: Way
    why: str = ""

    def __bool__(self) -> bool:
        return self.how in ("native", "composed")


def _edits(profile: Profile) -> Ability:
    if profile.amend is None and profile.replace is None:
        why = (
            "it neither changes an order nor replaces it in one step, as far as is known: cancel it and create another"
        )
        return Ability("refused", why)
    return Ability("native", "in place where it can be" if profile.amend else "replaced by one request")


def _batches(name: str) -> Callable[[Profile], Ability]:
    return lambda profile: Ability("composed", _OURS[name]) if profile.batch is None else Ability("native")


_BY_TABLES: Final[Mapping[str, Callable[[Profile], Ability]]] = {
    "edit_order": _edits,
    "create_orders": _batches("create_orders"),
    "cancel_orders": _batches("cancel_orders"),
    "cancel_all_orders": lambda profile: Ability("composed", _OURS["cancel_all_orders"]),
    "cancel_all_orders_after": lambda profile: (
        Ability("composed", _OURS["cancel_all_orders_after"]) if profile.dead_man is None else Ability("native")
    ),
}
"""Method -> the answer of the exchange's own tables: what CCXT has of these is not what is done."""


class Subject(Protocol):
    """The exchange that is asked about, and perhaps one market of it."""

    @property
    def id(self) -> str: ...
    @property
    def profile(self) -> Profile: ...
    @property
    def capabilities(self) -> Capabilities: ...
    @property
    def market_type(self) -> str | None:
        """Type of the market that is asked about; None if none is named."""
        ...

    def order_kinds(self) -> KindTable | None:
        """Of the market that is asked about, else of the first spot market; None: no market is known."""
        ...

    def contract_kinds(self) -> KindTable | None:
        """Of the market that is asked about, else of the first derivative; None: that is none, or there is none."""
        ...

    def has_contracts(self) -> bool:
        """Whether derivatives are listed."""
        ...


def ability(name: str, of: Subject, options: Mapping[str, Any] = NOTHING) -> Ability:
    """Whether a method, in snake_case, would be carried out, and how.

    Args:
        options: of `create_order`, which say what kind of order is meant.

    Raises:
        BadRequest: (NOT_SENT) there is no such option.
    """
    if name in _LINKED or name == "create_order":
        return _order_ability(name, of.order_kinds(), of, options)
    if name in _BY_TABLES:
        return _BY_TABLES[name](of.profile)
    if name == "create_reduce_only_order":
        table = of.contract_kinds()
        if table is None:
            return Ability("refused", "only positions in derivatives can be reduced")
        return _order_ability("create_order", table, of, NOTHING)
    if name in FORMS:
        return _order_ability("create_order", of.order_kinds(), of, FORMS[name])
    if name in _AS:
        return ability(_AS[name], of)
    if name in OF_ONE or name.startswith("un_watch_"):
        one = ability(OF_ONE.get(name, name.removeprefix("un_")), of)
        return Ability("composed", "a stream of each market") if one and name in OF_ONE else one
    if name in ("close_position", "close_all_positions"):
        if not of.has_contracts():
            return Ability("refused", "no derivative is listed, so there are no positions")
        held = ability("fetch_positions", of)
        return Ability("composed", "what is held is asked for, then ordered against") if held else held
    row = METHODS.get(name)
    if row is not None and row.of and of.market_type is not None and of.market_type not in row.of:
        return Ability("refused", f"it is a {of.market_type} market; the method is about {', '.join(row.of)}")
    return _described(name, of)


def _described(name: str, of: Subject) -> Ability:
    """By what CCXT says of the exchange, and what Planar makes of it."""
    found = of.capabilities.can(name)
    if found == "emulated":
        streams = name.startswith("watch_")
        return Ability(
            "composed", f"CCXT makes it of {'a stream of several markets' if streams else 'several requests'}"
        )
    if found:
        return Ability("native")
    if name in ELSE and ability(ELSE[name], of):
        return Ability("composed", f"of {ELSE[name]}")
    if name.startswith("watch_") and _polled(name, of.capabilities):
        return Ability("composed", "the exchange has no stream of it: it is asked for again and again")
    made = made_of(of.capabilities.can, name)
    if made in ("composed", "not atomic"):
        return Ability(
            "composed", "of other answers" if made == "composed" else "of several requests, one after another"
        )
    if name in _OURS and _stands(name, of.capabilities):
        return Ability("composed", _OURS[name])
    if found is None:
        return Ability("unknown", "neither CCXT nor Planar's tables say")
    return Ability("refused", "the exchange does not have it")


def _stands(name: str, capabilities: Capabilities) -> bool:
    """Whether what Planar makes a method of is there, or nobody knows that it is not."""
    needed = _OF_ANY.get(name, ())
    return not needed or any(capabilities.can(one) is None or made_of(capabilities.can, one) for one in needed)


def _polled(name: str, capabilities: Capabilities) -> bool:
    kind = next((one for one in Kind if f"watch_{one}" == name), None)
    return kind is not None and is_polled(kind, capabilities)


def _order_ability(name: str, table: KindTable | None, of: Subject, options: Mapping[str, Any]) -> Ability:
    if table is None:
        return Ability("unknown", "no market is loaded")
    wish = _wish(options, of.id)
    kinds = (_LINKED[name],) if name in _LINKED else kinds_of(wish)
    rows = [(kind, table.get(kind, KindRow("refused", "it is not known here"))) for kind in kinds]
    for kind, row in rows:
        if wish.side not in row.sides:
            return Ability("refused", f"{kind.replace('_', ' ')}: it is for {row.sides[0]} orders only")
    for how in ("refused", "emulated"):
        for kind, row in rows:
            if row.how == how:
                return Ability(how, f"{kind.replace('_', ' ')}: {row.why}")
    return Ability("native", "; ".join(row.why for _, row in rows if row.why))


def _wish(options: Mapping[str, Any], exchange: str) -> OrderRequest:
    """An order with these options; what is only True stands for any value."""
    given = dict(options)
    kind = given.pop("type", "limit")
    if kind not in _TYPES:
        raise BadRequest(
            f"type is {kind!r}", exchange=exchange, outcome=Outcome.NOT_SENT, hint=f"one of {', '.join(_TYPES)}"
        )
    side, words = given.pop("side", "buy"), dict[str, Any]()
    if side not in ("buy", "sell"):
        raise BadRequest(f"side is {side!r}", exchange=exchange, outcome=Outcome.NOT_SENT, hint='"buy" or "sell"')
    for name, value in given.items():
        key = UNIFIED.get(snake(name)) or next((one for one in UNIFIED.values() if one == name), None)
        if key is None:
            raise BadRequest(
                f"orders have no option {name!r}",
                exchange=exchange,
                outcome=Outcome.NOT_SENT,
                hint=did_you_mean(name, UNIFIED) or f"options are {', '.join(UNIFIED)}",
            )
        number = key not in ("postOnly", "timeInForce")
        words[key] = 1 if number and value is True else value
    read = read_words({name: value for name, value in words.items() if value not in (None, False)}, exchange)
    stopped = kind.startswith("stop") and read.stop_price is None
    return OrderRequest(
        client_id="",
        symbol="",
        side=side,
        type="limit" if kind in ("limit", "stop_limit") else "market",
        stop_price=Amount(1) if stopped else None if read.stop_price is None else Amount(read.stop_price),
        trigger=read.trigger,
        time_in_force=read.time_in_force,
        post_only=bool(read.post_only),
        cost=None if read.cost is None else Amount(read.cost),
        trailing_percent=None if read.trailing_percent is None else Amount(read.trailing_percent),
        trailing_amount=None if read.trailing_amount is None else Amount(read.trailing_amount),
        expire_at_ms=read.expire_at_ms,
    )
