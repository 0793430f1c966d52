"""The conformance report of an exchange: what a trading program needs, in groups, with blockers and a score.

Made from `Exchange.can` and the tables of the exchange's package; with `live` the readable part is really asked for.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final, Literal

import msgspec

from planar.errors import PlanarError
from planar.exchange import Exchange
from planar.exchange.abilities import Ability

GroupName = Literal["basic", "live trading", "derivatives"]
_WORTH: Final = {"native": 1.0, "composed": 0.8, "emulated": 0.5, "unknown": 0.3, "refused": 0.0}


class Need(msgspec.Struct, frozen=True):
    """Something that a program may need of an exchange.

    Attributes:
        what: for people.
        method: of `Exchange`; "" for what the tables of the package tell.
        options: of the method.
        blocker: without it the group cannot be used.
    """

    what: str
    method: str = ""
    options: dict[str, Any] = {}
    blocker: bool = False


NEEDS: Final[dict[GroupName, tuple[Need, ...]]] = {
    "basic": (
        Need("tickers", "fetch_ticker", blocker=True),
        Need("order books", "fetch_order_book", blocker=True),
        Need("candles", "fetch_ohlcv"),
        Need("public trades", "fetch_trades"),
        Need("several tickers", "fetch_tickers"),
        Need("balances", "fetch_balance", blocker=True),
        Need("limit orders", "create_order", {"type": "limit"}, blocker=True),
        Need("market orders", "create_order", {"type": "market"}),
        Need("cancels", "cancel_order", blocker=True),
        Need("one order", "fetch_order"),
        Need("open orders", "fetch_open_orders", blocker=True),
        Need("ended orders", "fetch_closed_orders"),
        Need("own executions", "fetch_my_trades"),
        Need("fees of the account", "fetch_trading_fee"),
    ),
    "live trading": (
        Need("live books", "watch_order_book", blocker=True),
        Need("live trades", "watch_trades"),
        Need("live tickers", "watch_ticker"),
        Need("live own orders", "watch_orders", blocker=True),
        Need("live own executions", "watch_my_trades"),
        Need("live balances", "watch_balance"),
        Need("post-only", "create_order", {"post_only": True}),
        Need("immediate or cancel", "create_order", {"time_in_force": "IOC"}),
        Need("stop orders", "create_order", {"type": "market", "trigger_price": True}),
        Need("orders named by client id"),
        Need("proof that an order never arrived"),
        Need("dead man's switch"),
        Need("its limits are known"),
        Need("its errors are known"),
    ),
    "derivatives": (
        Need("positions", "fetch_positions", blocker=True),
        Need("leverage", "set_leverage", blocker=True),
        Need("margin mode", "set_margin_mode"),
        Need("hedge mode", "set_position_mode"),
        Need("funding rates", "fetch_funding_rate"),
        Need("past funding rates", "fetch_funding_rate_history"),
        Need("funding payments", "fetch_funding_history"),
        Need("leverage tiers", "fetch_market_leverage_tiers"),
        Need("mark prices", "fetch_mark_price"),
        Need("open interest", "fetch_open_interest"),
    ),
}


class Finding(msgspec.Struct, frozen=True):
    """One line of the report.

    Attributes:
        group, what, method: see `Need`.
        how: as `Ability.how`.
        why: the reason, or how it is done.
        blocker: it is missing, and the group cannot be used without it.
        live: what came of asking for it: "ok", the error, or None where nothing was asked.
    """

    group: GroupName
    what: str
    method: str
    how: str
    why: str
    blocker: bool
    live: str | None = None


class Conformance(msgspec.Struct, frozen=True):
    """The whole report.

    Attributes:
        exchange, environment: whose.
        findings: in the order of the groups.
        scores: group -> 0 to 100.
    """

    exchange: str
    environment: str
    findings: tuple[Finding, ...]
    scores: dict[str, int]

    @property
    def blockers(self) -> tuple[Finding, ...]:
        """What keeps a group from being used, or failed when it was asked for."""
        return tuple(one for one in self.findings if one.blocker or one.live not in (None, "ok"))


async def conformance(exchange: Exchange, symbol: str, *, live: bool = False) -> Conformance:
    """Look at everything.

    Args:
        symbol: a spot market, for what depends on one.
        live: also ask the exchange for what can be read.
    """
    findings: list[Finding] = []
    scores: dict[str, int] = {}
    derivative = next((one.symbol for one in exchange.markets.values() if one.contract), None)
    for group, needs in NEEDS.items():
        market = derivative if group == "derivatives" else symbol
        rows = [await _finding(exchange, group, need, market, live=live) for need in needs]
        findings += rows
        scores[group] = round(100 * sum(_WORTH[row.how] for row in rows) / len(rows))
    return Conformance(exchange.id, exchange.environment, tuple(findings), scores)


async def _finding(exchange: Exchange, group: GroupName, need: Need, symbol: str | None, *, live: bool) -> Finding:
    if not need.method:
        found = _TABLES[need.what](exchange)
    elif symbol is None:
        found = Ability("refused", "it lists no derivatives, or futures = false leaves them out")
    elif need.method == "create_order":
        found = exchange.can("create_order", symbol, **need.options)
    else:
        found = exchange.can(need.method)
    missing = need.blocker and found.how == "refused"
    told = None
    if live and symbol is not None and found and need.method in _ASKED:
        told = await _asked(_ASKED[need.method](exchange, symbol))
    return Finding(group, need.what, need.method, found.how, found.why, missing, told)


async def _asked(call: Awaitable[Any]) -> str:
    try:
        await call
    except PlanarError as error:
        return f"{type(error).__name__}: {error.message}"
    return "ok"


_ASKED: Final[dict[str, Callable[[Exchange, str], Awaitable[Any]]]] = {
    "fetch_ticker": lambda one, symbol: one.fetch_ticker(symbol),
    "fetch_tickers": lambda one, symbol: one.fetch_tickers([symbol]),
    "fetch_order_book": lambda one, symbol: one.fetch_order_book(symbol, 5),
    "fetch_ohlcv": lambda one, symbol: one.fetch_ohlcv(symbol, limit=5),
    "fetch_trades": lambda one, symbol: one.fetch_trades(symbol, limit=5),
    "fetch_balance": lambda one, symbol: one.fetch_balance(),
    "fetch_open_orders": lambda one, symbol: one.fetch_open_orders(symbol),
    "fetch_closed_orders": lambda one, symbol: one.fetch_closed_orders(symbol, limit=5),
    "fetch_my_trades": lambda one, symbol: one.fetch_my_trades(symbol, limit=5),
    "fetch_trading_fee": lambda one, symbol: one.fetch_trading_fee(symbol),
    "fetch_positions": lambda one, symbol: one.fetch_positions([symbol]),
    "fetch_funding_rate": lambda one, symbol: one.fetch_funding_rate(symbol),
    "fetch_open_interest": lambda one, symbol: one.fetch_open_interest(symbol),
    "fetch_mark_price": lambda one, symbol: one.fetch_mark_price(symbol),
}


def _by_client_id(exchange: Exchange) -> Ability:
    rule = exchange.profile.client_id
    if rule.query_param is not None:
        return Ability("native", "orders are asked for and canceled by client id")
    if rule.search_param is not None:
        return Ability("composed", "lists are narrowed to one client id")
    return Ability("composed", "lists of orders are looked through")


def _proof(exchange: Exchange) -> Ability:
    rule = exchange.profile.expiry
    if rule.enforced:
        return Ability("native", f"requests die {rule.window_ms / 1000:g} s after their timestamp")
    return Ability(
        "refused", "an order without an answer stays unknown until the exchange shows it, or a person decides"
    )


def _dead_man(exchange: Exchange) -> Ability:
    if exchange.profile.dead_man is not None:
        return Ability("native", "the exchange cancels all orders unless it is told again")
    return Ability("emulated", "a process of this machine watches; it does not survive the machine")


def _limits(exchange: Exchange) -> Ability:
    if exchange.profile.cost_table or exchange.profile.order_meters:
        return Ability("native", "a table of its limits")
    return Ability("composed", "of CCXT's costs: one sliding window")


def _errors(exchange: Exchange) -> Ability:
    if exchange.profile.errors or exchange.profile.texts:
        return Ability("native", f"{len(exchange.profile.errors) + len(exchange.profile.texts)} of its codes and texts")
    return Ability("composed", "of CCXT's classes; what is in doubt counts as unknown")


_TABLES: Final[dict[str, Callable[[Exchange], Ability]]] = {
    "orders named by client id": _by_client_id,
    "proof that an order never arrived": _proof,
    "dead man's switch": _dead_man,
    "its limits are known": _limits,
    "its errors are known": _errors,
}
