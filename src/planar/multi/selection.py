"""Which exchange to use for a market now, and why: by preference, price, fee, spread or latency.

A candidate must be open, list the market, trade it now, have a closed breaker, not be under a ban or pause of its budget,
not have refused an order for its key in the last minute, have no stream of the market that is watched and lost, and answer
a question within `within_ms`. Then the strategy decides; of equals the first of the group is taken:

| by | the best is | asked of each |
|---|---|---|
| order | the first in the order of the group; backups are asked only when it fails | ticker |
| price | the best total after fees for `side` and `amount` | order book, fees |
| fee | the least taker fee | fees, ticker |
| spread | the narrowest, in percent | ticker |
| latency | the least median of the last minutes | ticker |

**Bound.** An open primary that fails is left after at most `ROUNDS * within_ms`: one round for its answer, one for those of
all others, which are asked at the same time. **Hysteresis.** One that failed is used again when no check of it has failed
for `back_after_s`, unless nobody else fits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from math import inf
from typing import Any, Final, Literal, TypeAlias

import msgspec

import planar.runtime as runtime
from planar.errors import (
    AuthenticationError,
    BadRequest,
    ExchangeNotAvailable,
    MarketClosed,
    NotSupported,
    Outcome,
    PlanarError,
    StaleData,
)
from planar.exchange import Exchange
from planar.exchange.answers import Table
from planar.models import Amount
from planar.multi.sides import Side, offer

By: TypeAlias = Literal["order", "price", "fee", "spread", "latency"]
STRATEGIES: Final = ("order", "price", "fee", "spread", "latency")
DEPTH: Final = 100
CLOSED_S: Final = 60.0
"""A market that refused an order as closed, and an exchange that refused one for its key, are looked at again after
this; the market only if it is still listed as active."""
ROUNDS: Final = 2
"""So many answers are waited for, one after the other, until it is decided; each for `within_ms` at most."""


class Candidate(msgspec.Struct, frozen=True):
    """One exchange as it was looked at.

    Attributes:
        exchange: its id.
        fits: it passed all checks.
        score: what the strategy compares; the least is the best. None where it does not fit.
        why: what the score is, or which check it failed.
    """

    exchange: str
    fits: bool
    score: float | None
    why: str


class Choice(msgspec.Struct, frozen=True):
    """What was chosen.

    Attributes:
        exchange: open, to be used.
        why: in a sentence.
        candidates: all that were looked at, in the order of the group.
        changed: another one than the last time.
    """

    exchange: Exchange
    why: str
    candidates: tuple[Candidate, ...]
    changed: bool


class Memory:
    """Who is used, and who failed when: what keeps an exchange that comes and goes from taking the program along. Pure.

    Attributes:
        chosen: who is used; None before the first choice.
    """

    def __init__(self, back_after_s: float) -> None:
        self.chosen: str | None = None
        self._back_after_s = back_after_s
        self._failed_s: dict[str, float] = {}

    def may_return(self, better: Sequence[str], now_s: float) -> bool:
        """Whether one that goes first has been left alone long enough to be looked at again."""
        return any(now_s - self._failed_s.get(name, float("-inf")) >= self._back_after_s / 2 for name in better)

    def settle(self, candidates: Sequence[Candidate], now_s: float) -> Candidate | None:
        """Who is used from now on: the best of those that fit and have not failed lately; None if nobody fits."""
        self._failed_s.update((one.exchange, now_s) for one in candidates if not one.fits)
        fitting = [one for one in candidates if one.fits]
        if not fitting:
            return None
        rested = [one for one in fitting if self._rested(one.exchange, now_s)]
        best = min(rested or fitting, key=lambda one: one.score if one.score is not None else float("inf"))
        self.chosen = best.exchange
        return best

    def _rested(self, name: str, now_s: float) -> bool:
        if self.chosen is None or name == self.chosen:
            return True
        return now_s - self._failed_s.get(name, float("-inf")) >= self._back_after_s


class Selector:
    """Chooses again and again, and remembers who failed when. Made by `Group.selector`."""

    def __init__(
        self,
        opened: Callable[[], Awaitable[Table[Exchange]]],
        ids: Sequence[str],
        symbol: str,
        *,
        by: By,
        side: Side | None,
        amount: Amount | None,
        within_ms: int,
        back_after_s: float,
    ) -> None:
        if by not in STRATEGIES:
            raise BadRequest(
                f"by = {by!r} is no strategy", outcome=Outcome.NOT_SENT, hint=f"one of {', '.join(STRATEGIES)}"
            )
        if by == "price" and (side not in ("buy", "sell") or amount is None or amount <= 0):
            raise BadRequest(
                'by = "price" compares what an order would cost, and needs side and amount',
                outcome=Outcome.NOT_SENT,
                hint='for example side="buy", amount="0.5"',
            )
        _check_times(within_ms, back_after_s)
        self._opened = opened
        self._ids = tuple(ids)
        self._symbol = symbol
        self._by: By = by
        self._side: Side = side or "buy"
        self._amount = amount
        self._within_ms = within_ms
        self._memory = Memory(back_after_s)

    @property
    def bound_ms(self) -> int:
        """An open exchange that fails is left within this, counted from the question."""
        return ROUNDS * self._within_ms

    async def pick(self) -> Choice:
        """The exchange to use now.

        Raises:
            ExchangeNotAvailable: none fits; the message has the reason of each.
        """
        opened = await self._opened()
        looked: dict[str, Candidate] = {
            name: Candidate(name, False, None, f"it cannot be opened: {error.message}")
            for name, error in opened.errors.items()
        }
        waiting = [name for name in self._ids if name in opened]
        if self._by == "order" and waiting:
            chosen = self._memory.chosen
            first = chosen if chosen in waiting else waiting[0]
            looked[first] = await self._look(opened[first])
            settled = looked[first].fits and (
                first == waiting[0] or not self._memory.may_return(waiting[: waiting.index(first)], runtime.monotonic())
            )
            waiting = [] if settled else [name for name in waiting if name != first]
        for candidate in await asyncio.gather(*(self._look(opened[name]) for name in waiting)):
            looked[candidate.exchange] = candidate
        candidates = tuple(looked[name] for name in self._ids if name in looked)
        return self._decided(opened, candidates)

    def _decided(self, opened: Table[Exchange], candidates: tuple[Candidate, ...]) -> Choice:
        before = self._memory.chosen
        best = self._memory.settle(candidates, runtime.monotonic())
        if best is None:
            reasons = "; ".join(f"{one.exchange}: {one.why}" for one in candidates)
            raise ExchangeNotAvailable(
                f"no exchange can be used for {self._symbol}: {reasons}",
                outcome=Outcome.NOT_SENT,
                hint="planar doctor tells more",
            )
        changed = best.exchange != before
        return Choice(opened[best.exchange], self._reason(best, candidates), candidates, changed)

    def _reason(self, best: Candidate, candidates: Sequence[Candidate]) -> str:
        others = [f"{one.exchange}: {one.why}" for one in candidates if one.exchange != best.exchange]
        text = f"{best.exchange}: {best.why}"
        return f"{text} ({'; '.join(others)})" if others else text

    # -- one candidate ---------------------------------------------------------------------------------------------
    async def _look(self, exchange: Exchange) -> Candidate:
        try:
            _check(exchange, self._symbol)
            score, why = await self._score(exchange)
        except PlanarError as error:
            return Candidate(exchange.id, False, None, f"{type(error).__name__}: {error.message}")
        return Candidate(exchange.id, True, score, why)

    async def _score(self, exchange: Exchange) -> tuple[float, str]:
        if self._by == "price":
            return await self._total(exchange)
        ticker = await exchange.fetch_ticker(self._symbol, timeout_ms=self._within_ms)
        if self._by == "order":
            place = self._ids.index(exchange.id)
            return float(place), "it is the first choice" if not place else f"it is choice {place + 1}"
        if self._by == "spread":
            if ticker.spread_pct is None:
                raise NotSupported(f"it tells no spread of {self._symbol}", exchange=exchange.id)
            return ticker.spread_pct, f"its spread is {ticker.spread_pct:.4f} %"
        if self._by == "fee":
            fee = await exchange.fetch_trading_fee(self._symbol, timeout_ms=self._within_ms)
            return float(fee.taker), f"takers pay {fee.taker * 100:f} %{' (its schedule)' if fee.estimated else ''}"
        medians = [host.p50_ms for host in exchange.health.hosts if host.p50_ms is not None]
        if not medians:
            raise NotSupported("how long its answers take is not measured", exchange=exchange.id)
        latency_ms = min(medians)
        return latency_ms, f"it answers in {latency_ms:.0f} ms"

    async def _total(self, exchange: Exchange) -> tuple[float, str]:
        assert self._amount is not None
        market = exchange.market(self._symbol)
        fee, book = await asyncio.gather(
            exchange.fetch_trading_fee(self._symbol, timeout_ms=self._within_ms),
            exchange.fetch_order_book(self._symbol, DEPTH, timeout_ms=self._within_ms),
        )
        made = offer(exchange.id, self._side, book, market, fee.taker)
        amount = made.fitting(self._amount)
        if not amount or amount + (made.step or 0) <= self._amount:
            raise NotSupported(f"its book does not carry {self._amount:f}", exchange=exchange.id)
        each = made.walk(amount).total / amount
        word = "cost" if self._side == "buy" else "bring"
        return float(each if self._side == "buy" else -each), f"{amount:f} would {word} {each:f} each after fees"


def _check_times(within_ms: int, back_after_s: float) -> None:
    """Raises BadRequest: one of them is no time that can be waited for."""
    for name, value, least in (("within_ms", within_ms, 1), ("back_after_s", back_after_s, 0)):
        if not least <= value < inf:
            raise BadRequest(
                f"{name} = {value} is no time to wait", outcome=Outcome.NOT_SENT, hint=f"{least} or more, and finite"
            )


def _check(exchange: Exchange, symbol: str) -> None:
    """What can be said without asking.

    Raises:
        PlanarError: it cannot be used now, and why.
    """
    market = exchange.market(symbol)
    if market.active is False:
        raise NotSupported(f"{market.symbol} does not trade now", exchange=exchange.id)
    closed_s = exchange.closed_for_s(symbol)
    if closed_s is not None and closed_s < CLOSED_S:
        raise MarketClosed(f"{market.symbol} was closed to an order {closed_s:.0f} s ago", exchange=exchange.id)
    refused_s = exchange.key_refused_for_s()
    if refused_s is not None and refused_s < CLOSED_S:
        raise AuthenticationError(f"its key was refused with an order {refused_s:.0f} s ago", exchange=exchange.id)
    for lost in exchange.lost_streams(symbol):
        raise StaleData(lost, exchange=exchange.id)
    watched: Any = exchange.health
    if watched.breaker == "open":
        raise ExchangeNotAvailable("its breaker is open: it failed repeatedly", exchange=exchange.id)
    stopped_s = exchange.stopped_s()
    if stopped_s > 0:
        raise ExchangeNotAvailable(f"it is to be left alone for {stopped_s:.0f} s more", exchange=exchange.id)
