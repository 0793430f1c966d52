"""What an exchange can do: one question, one answer, and the call then does exactly that or is refused before it is sent.

    if exchange.can("create_order", "BTC/USDT", post_only=True): ...
    print(exchange.can("fetch_tickers").how, exchange.can("create_oco").why)

The answers come from CCXT's description of the exchange, the tables of its package, and the settings in use.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, TypeAlias

import msgspec

from planar.adapters.base import OrderRequest
from planar.adapters.feed import Kind, Topic
from planar.adapters.kinds import KindRow, kinds_of
from planar.adapters.polling import PollingFeed
from planar.adapters.profile import Profile
from planar.adapters.unified import METHODS
from planar.config.suggest import did_you_mean
from planar.errors import BadRequest, Outcome
from planar.exchange.order_forms import FORMS
from planar.exchange.order_words import UNIFIED, read_words
from planar.exchange.unwatching import UnwatchingMethods
from planar.exchange.watching import ELSE, OF_ONE
from planar.models import Amount

Way: TypeAlias = Literal["native", "composed", "emulated", "unknown", "refused"]
"""`native`: the exchange does it. `composed`: Planar makes it of what the exchange does. `emulated`: Planar does it, weaker,
and only where the call asks for it. `unknown`: nobody knows; a call is passed on and the exchange decides. `refused`: a call
is refused before anything is sent."""

_TYPES: Final = ("limit", "market", "stop", "stop_limit")
_PRIVATE: Final = frozenset(
    {
        *(
            "fetch_balance",
            "fetch_my_trades",
            "fetch_order",
            "fetch_open_orders",
            "fetch_orders",
            "fetch_closed_orders",
        ),
        *("watch_orders", "watch_my_trades", "watch_balance", "fetch_key_rights", "fetch_order_trades"),
        *("watch_positions", "watch_position", "watch_my_liquidations", "watch_orders_for_symbols"),
        *("watch_my_trades_for_symbols", "watch_my_liquidations_for_symbols", "fetch_partial_balance"),
        *("fetch_canceled_orders", "fetch_canceled_and_closed_orders", "fetch_order_with_client_order_id"),
        *(name for name, row in METHODS.items() if row.private),
    }
)
_WRITES: Final = frozenset(
    {
        *("create_order", "create_orders", "edit_order", "cancel_order", "cancel_orders", "cancel_all_orders"),
        *("create_oco", "create_bracket", "replace_order", "create_order_with_take_profit_and_stop_loss"),
        *("create_reduce_only_order", "close_position", "close_all_positions", "cancel_all_orders_after"),
        *("edit_orders", "edit_limit_order", "edit_limit_buy_order", "edit_limit_sell_order"),
        *("cancel_orders_for_symbols", "cancel_order_with_client_order_id", "cancel_orders_with_client_order_ids"),
        *("edit_order_with_client_order_id", *FORMS),
        *(name for name, row in METHODS.items() if row.write),
    }
)
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
"""Methods that Planar has on every exchange, and how."""
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


class AbilityMethods(UnwatchingMethods):
    """What the exchange can do, asked before it is tried."""

    def can(self, method: str, symbol: str | None = None, **options: Any) -> Ability:
        """Whether a method would be carried out, and how.

        Args:
            method: a method of `Exchange`, in snake_case or as CCXT writes it.
            symbol: a market, where the answer depends on it; orders are else asked about for the first spot market.
            options: of `create_order`: `type`, `side`, and the words that say which kind of order is meant, each with a
                value or True: `post_only=True`, `time_in_force="IOC"`, `trigger_price=True`, `trailing_percent=1`.

        Raises:
            BadRequest: (NOT_SENT) there is no such method or option.
            BadSymbol: there is no such market.
        """
        name = _snake(method)
        if not hasattr(self, name) or name.startswith("_"):
            hint = did_you_mean(name, [one for one in dir(type(self)) if not one.startswith("_")])
            raise BadRequest(f"there is no method {method!r}", exchange=self.id, outcome=Outcome.NOT_SENT, hint=hint)
        if options and name != "create_order":
            raise BadRequest(
                f"{', '.join(options)}: only create_order has options that can be asked about",
                exchange=self.id,
                outcome=Outcome.NOT_SENT,
            )
        barred = self._barred(name)
        return barred if barred is not None else self._ability(name, symbol, options)

    def _barred(self, name: str) -> Ability | None:
        """What the settings say before the exchange is asked for its opinion."""
        if name in _WRITES and self._settings.read_only:
            return Ability("refused", f"[{self.id}] is read_only")
        if name in _PRIVATE or name in _WRITES:
            if self._settings.environment is None:
                return Ability("refused", f"no environment is written in [{self.id}]")
            if not self._authenticated:
                needed = ", ".join(self.required_credentials)
                return Ability("refused", f"it needs credentials: {needed}")
        if name == "withdraw" and not self._settings.withdrawals:
            return Ability("refused", f"[{self.id}] withdrawals is off")
        return None

    def _ability(self, name: str, symbol: str | None, options: Mapping[str, Any]) -> Ability:
        if name in _LINKED or name == "create_order":
            return self._order_ability(name, symbol, options)
        if name in _BY_TABLES:
            return _BY_TABLES[name](self.profile)
        if name == "create_reduce_only_order":
            contract = symbol or next((one.symbol for one in self._markets.values() if one.contract), None)
            if contract is None or not self.market(contract).contract:
                return Ability("refused", "only positions in derivatives can be reduced")
            return self._order_ability("create_order", contract, {})
        if name in FORMS:
            return self._order_ability("create_order", symbol, FORMS[name])
        if name in _AS:
            return self._ability(_AS[name], symbol, options)
        if name in OF_ONE or name.startswith("un_watch_"):
            one = self._ability(OF_ONE.get(name, name.removeprefix("un_")), symbol, options)
            return Ability("composed", "a stream of each market") if one and name in OF_ONE else one
        if name in ("close_position", "close_all_positions"):
            if not any(market.contract for market in self._markets.values()):
                return Ability("refused", "no derivative is listed, so there are no positions")
            held = self._ability("fetch_positions", None, options)
            return Ability("composed", "what is held is asked for, then ordered against") if held else held
        row = METHODS.get(name)
        if row is not None and row.of and symbol is not None and self.market(symbol).type not in row.of:
            return Ability(
                "refused", f"{symbol} is a {self.market(symbol).type} market; it is about {', '.join(row.of)}"
            )
        found = self._adapter.capabilities.can(name)
        if found == "emulated" and name.startswith("watch_"):
            return Ability("composed", "CCXT makes it of a stream of several markets")
        if found == "emulated":
            return Ability("emulated", "CCXT makes it of several requests")
        if found:
            return Ability("native")
        if name in ELSE and self._ability(ELSE[name], symbol, options):
            return Ability("composed", f"of {ELSE[name]}")
        if name.startswith("watch_") and self._polled(name):
            return Ability("composed", "the exchange has no stream of it: it is asked for again and again")
        made = self.how(name)
        if made in ("composed", "not atomic"):
            return Ability(
                "composed", "of other answers" if made == "composed" else "of several requests, one after another"
            )
        if found is None and name in _OURS:
            return Ability("composed", _OURS[name])
        if found is None:
            return Ability("unknown", "neither CCXT nor Planar's tables say")
        return (
            Ability("composed", _OURS[name]) if name in _OURS else Ability("refused", "the exchange does not have it")
        )

    def _polled(self, name: str) -> bool:
        kind = next((one for one in Kind if f"watch_{one}" == name), None)
        return kind is not None and PollingFeed.offers(self._adapter, Topic(kind, ("",)))

    def _order_ability(self, name: str, symbol: str | None, options: Mapping[str, Any]) -> Ability:
        spot = next((one.symbol for one in self._markets.values() if one.spot), next(iter(self._markets), None))
        wanted = symbol if symbol is not None else spot
        if wanted is None:
            return Ability("unknown", "no market is loaded")
        table = self._adapter.order_kinds(self.market(wanted).symbol)
        wish = _wish(options, self.id)
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
        key = UNIFIED.get(_snake(name)) or next((one for one in UNIFIED.values() if one == name), None)
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


def _snake(name: str) -> str:
    """CCXT's `fetchOrderBook` as `fetch_order_book`; what is snake_case stays so."""
    made = "".join(
        f"_{one.lower()}" if one.isupper() else one for one in name.replace("OHLCV", "Ohlcv").replace("OCO", "Oco")
    )
    return made.lstrip("_")
