"""`Group`: several exchanges at once. The same call on all of them, concurrently, with a result or an error for each.

Made by `Workspace.group`; the exchanges are opened when the group is first used, and belong to the workspace.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

import planar.runtime as runtime
from planar.errors import BadRequest, NotSupported, Outcome, PlanarError
from planar.exchange import Exchange
from planar.exchange.answers import Table
from planar.exchange.listing import ranked_fees
from planar.models import Amount, AmountLike, Market
from planar.models.money import TradingFee
from planar.multi.arbitrage import Opportunity, opportunities
from planar.multi.matching import Matched, matched
from planar.multi.routing import Route, route
from planar.multi.scanner import ArbitrageWatch
from planar.multi.selection import By, Selector
from planar.multi.sides import Offer, Side, offer
from planar.orders.preview import Preview

T = TypeVar("T")
DEPTH = 100
"""Levels a side that routing and arbitrage look at."""


class Opener(Protocol):
    """What a group needs of a workspace."""

    async def exchange(self, name: str | None = None, *, account: str = "", **options: Any) -> Exchange: ...


class Group:
    """Several exchanges, by their ids in the order in which they were named: the first is the primary one."""

    def __init__(self, opener: Opener, ids: Sequence[str], options: Mapping[str, Any]) -> None:
        self._opener = opener
        self._options = dict(options)
        self.ids: tuple[str, ...] = tuple(ids)

    def __repr__(self) -> str:
        return f"<Group {', '.join(self.ids)}>"

    async def exchanges(self) -> Table[Exchange]:
        """The open exchanges by id; why others could not be opened stands in `errors`.

        Raises:
            PlanarError: none could be; the error of the first, whose note has those of the others.
        """
        found, errors = await gathered(self.ids, lambda one: self._opener.exchange(one, **self._options))
        if not found:
            raise together(errors)
        return Table(found, errors=errors)

    async def each(self, call: Callable[[Exchange], Awaitable[T]]) -> Table[T]:
        """`call(exchange)` on all of them at once: `await group.each(lambda one: one.fetch_ticker("BTC/USDT"))`.

        One that fails, or cannot be opened, stands in `errors` and keeps nobody from his answer.

        Raises:
            PlanarError: all failed; the error of the first, whose note has those of the others.
        """
        opened = await self.exchanges()
        found, errors = await gathered(tuple(opened), lambda one: call(opened[one]))
        errors = {name: error for name in self.ids if (error := opened.errors.get(name) or errors.get(name))}
        if not found:
            raise together(errors)
        return Table(found, errors=errors)

    async def cross_match(
        self, *, base: str | None = None, quote: str | None = None, type: str = "spot", least: int | None = None
    ) -> dict[str, Matched]:
        """Markets that several of the exchanges list and trade, by unified symbol.

        Args:
            base, quote, type: only these.
            least: on how many exchanges at least; None: on all that are open.
        """
        opened = await self.exchanges()
        listed = {name: one.markets for name, one in opened.items()}
        return matched(listed, base=base, quote=quote, type=type, least=len(opened) if least is None else least)

    async def compare_fees(self, symbol: str, *, maker: bool = False) -> Table[TradingFee]:
        """What trading a market costs on each, the lowest fee first; who cannot tell stands in `errors`.

        A fee is that of the account where the exchange tells it, else its schedule, marked `estimated`.

        Args:
            maker: sorted by what a maker pays, and not a taker.

        Raises:
            PlanarError: nobody can tell.
        """
        fees = await self.each(lambda one: one.fetch_trading_fee(symbol))
        return Table(dict(ranked_fees(fees, maker=maker)), errors=fees.errors)

    def selector(
        self,
        symbol: str,
        *,
        by: By = "order",
        side: Side | None = None,
        amount: AmountLike | None = None,
        within_ms: int = 1_000,
        back_after_s: float = 10.0,
    ) -> Selector:
        """Whoever is to be used for `symbol` now, asked again and again; see `planar.multi.selection`."""
        return Selector(
            self.exchanges,
            self.ids,
            symbol,
            by=by,
            side=side,
            amount=None if amount is None else _amount(amount),
            within_ms=within_ms,
            back_after_s=back_after_s,
        )

    # -- books of all ----------------------------------------------------------------------------------------------
    async def offers(
        self, symbol: str, side: Side, *, depth: int = DEPTH, balances: bool = False, fees_as_taken: bool = False
    ) -> tuple[list[Offer], dict[str, str]]:
        """What each exchange offers for one side of a market now, and why others offer nothing.

        Args:
            balances: no more than the account can pay for; needs keys.
            fees_as_taken: fees of a buy that an exchange takes out of what is bought lessen that; else all fees count in
                quote currency.

        Raises:
            PlanarError: none can be asked.
        """
        opened = await self.exchanges()
        found, errors = await gathered(
            tuple(opened), lambda one: _offer(opened[one], symbol, side, depth, balances, fees_as_taken)
        )
        errors = {**opened.errors, **errors}
        if not found:
            raise together(errors)
        return list(found.values()), {name: str(error) for name, error in errors.items()}

    async def route(
        self, symbol: str, side: Side, amount: AmountLike, *, preview: bool, balances: bool = False, depth: int = DEPTH
    ) -> Route:
        """How an order would be split best over the exchanges' books, after fees, steps and minimums; nothing is sent.

        A fee that an exchange takes in base currency is counted at its worth.

        Args:
            preview: must be True: routes are not carried out yet.
            balances: no more goes anywhere than is free there.

        Raises:
            NotSupported: without `preview`.
        """
        if not preview:
            raise NotSupported(
                "routes are not carried out yet",
                outcome=Outcome.NOT_SENT,
                hint="ask with preview=True; send the legs yourself",
            )
        wanted = _amount(amount)
        if wanted <= 0 or side not in ("buy", "sell"):
            raise BadRequest(
                f"a route of {amount!r} to {side!r} makes no sense",
                outcome=Outcome.NOT_SENT,
                hint='side is "buy" or "sell", amount is more than 0',
            )
        offers, left_out = await self.offers(symbol, side, depth=depth, balances=balances)
        return route(offers, wanted, left_out)

    # -- arbitrage -------------------------------------------------------------------------------------------------
    async def find_arbitrage(
        self, symbols: Sequence[str], *, max_age_ms: float = 2_000.0, balances: bool = False, depth: int = DEPTH
    ) -> list[Opportunity]:
        """What the books, asked for now, would let one earn, the most profitable first; empty if nothing.

        Books of different exchanges arrive one after the other: `watch_arbitrage` has them live.
        """
        found: list[Opportunity] = []
        for symbol in symbols:
            buys, sells = await asyncio.gather(
                self.offers(symbol, "buy", depth=depth, balances=balances, fees_as_taken=True),
                self.offers(symbol, "sell", depth=depth, balances=balances, fees_as_taken=True),
            )
            bought, sold = ({one.exchange: one for one in side[0]} for side in (buys, sells))
            found += opportunities(symbol, bought, sold, runtime.wall_ms(), max_age_ms)
        return sorted(found, key=lambda one: one.profit, reverse=True)

    def watch_arbitrage(
        self,
        symbols: Sequence[str],
        *,
        max_age_ms: float = 2_000.0,
        min_profit_pct: float = 0.0,
        balances: bool = False,
    ) -> ArbitrageWatch:
        """Opportunities on live books, as they appear and change; see `planar.multi.scanner`."""
        return ArbitrageWatch(
            self.exchanges, tuple(symbols), max_age_ms=max_age_ms, min_profit_pct=min_profit_pct, balances=balances
        )

    async def preview_arbitrage(self, found: Opportunity) -> tuple[Preview, Preview]:
        """Both legs as limit orders at the worst level that each needs; nothing is sent: (buy, sell)."""
        opened = await self.exchanges()
        legs = (
            (found.buy, "buy", found.buy_amount, found.buy_limit),
            (found.sell, "sell", found.sell_amount, found.sell_limit),
        )
        bought, sold = await asyncio.gather(
            *(
                opened[one].preview_order(found.symbol, "limit", side, amount, price)
                for one, side, amount, price in legs
            )
        )
        return bought, sold


def _amount(value: AmountLike) -> Amount:
    """Raises BadRequest: it is no number."""
    try:
        return Amount(value)
    except (TypeError, ValueError) as error:
        raise BadRequest(
            f"amount = {value!r} is no amount: {error}",
            outcome=Outcome.NOT_SENT,
            hint='for example amount="0.5", in base currency',
        ) from error


async def _offer(exchange: Exchange, symbol: str, side: Side, depth: int, balances: bool, fees_as_taken: bool) -> Offer:
    """One exchange's side of a market."""
    market = tradable(exchange, symbol)
    fee, book = await asyncio.gather(
        exchange.fetch_trading_fee(market.symbol), exchange.fetch_order_book(market.symbol, depth)
    )
    free = await spendable(exchange, market, side) if balances else None
    in_base = fees_as_taken and exchange.fees_in_base
    return offer(exchange.id, side, book, market, fee.taker, fee_in_base=in_base, free=free)


def tradable(exchange: Exchange, symbol: str) -> Market:
    """The market, if it is a spot market that trades now.

    Raises:
        BadSymbol: it is not listed.
        NotSupported: it does not trade now, or is a derivative, whose contracts differ between exchanges.
    """
    market = exchange.market(symbol)
    if market.active is False:
        raise NotSupported(f"{market.symbol} does not trade now", exchange=exchange.id, outcome=Outcome.NOT_SENT)
    if not market.spot:
        raise NotSupported(
            f"{market.symbol} is a {market.type}: only spot markets are compared between exchanges",
            exchange=exchange.id,
            outcome=Outcome.NOT_SENT,
        )
    return market


async def spendable(exchange: Exchange, market: Market, side: Side) -> Amount:
    """What the account has free of the currency that an order spends."""
    balance = await exchange.fetch_balance()
    held = balance.balances.get(market.quote if side == "buy" else market.base)
    return (held.free if held is not None else None) or Amount(0)


async def gathered(
    names: Sequence[str], call: Callable[[str], Awaitable[T]]
) -> tuple[dict[str, T], dict[str, PlanarError]]:
    """`call(name)` for all at once: (results, errors). Who leaves takes all of them along."""
    tasks = {name: runtime.spawn(_awaited(call(name)), name=f"group: {name}") for name in names}
    try:
        await asyncio.gather(*tasks.values(), return_exceptions=True)
    finally:
        for task in tasks.values():
            task.cancel()
    found: dict[str, T] = {}
    errors: dict[str, PlanarError] = {}
    for name, task in tasks.items():
        result = task.result()
        if isinstance(result, PlanarError):
            errors[name] = result
        else:
            found[name] = result
    return found, errors


async def _awaited(call: Awaitable[T]) -> T | PlanarError:
    """An error is a result here: a task that failed before it was waited for would be reported as forgotten."""
    try:
        return await call
    except PlanarError as error:
        return error


def together(errors: Mapping[str, PlanarError]) -> PlanarError:
    """The first of several errors, which tells of the others too."""
    first, *others = errors.values()
    for error in others:
        first.add_note(f"and {error}")
    return first
