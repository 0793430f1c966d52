"""`python -m benchmarks.arbitrage [PLANTED [FOR_MS]]`: planted opportunities that were found, missed, or made up.

Opportunities are planted in the local exchanges' markets, one after the other in turn over markets, sides and exchanges.
Found is one that `watch_arbitrage` tells while it stands; missed is one that a frame of the exchange showed and nobody told.
What no frame ever showed is counted by itself: an exchange sends its books every so often, and what lasts for less can come
and go between two frames. The judge follows the same books over connections of its own, keeps
what came, and recomputes what is told in fractions: orders on the steps, above the minimums, filled by two recorded books at
the limits that were told, with profit after fees. What no recorded pair of books around that instant carries is false.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import statistics
import sys
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from planar.exchange import Exchange
from planar.models import Amount, OrderBook
from planar.multi import Opportunity
from planar.testing.local_venue import LocalVenue, start_local_venue
from planar.venue.client import VenueControl
from planar.venue.steering.market import PlantOpportunity

SYMBOLS = ("BTC/USDT", "ETH/USDT")
EXCHANGES = ("binance", "kraken")
AROUND_MS = 1_500
"""The two connections do not get a book at the same moment."""
GAP_S = 0.1
LATE_S = 0.5
"""A plant whose frame is still under way is waited for; it counts with its delay."""


@dataclass
class Found:
    """What a run found.

    Attributes:
        delays_ms: from the answer to the planting command until it was told, of each that was found.
        missed: plants that frames showed and that were never told.
        unseen: plants that no frame showed.
        told: opportunities told, of all kinds.
        false: those that no recorded books carry, and why.
    """

    delays_ms: list[float] = field(default_factory=list[float])
    missed: list[str] = field(default_factory=list[str])
    unseen: int = 0
    told: int = 0
    false: list[str] = field(default_factory=list[str])


class Judge:
    """Books of both exchanges as they came over connections of its own."""

    def __init__(self, exchanges: dict[str, Exchange]) -> None:
        self._exchanges = exchanges
        self._books: dict[tuple[str, str], deque[tuple[float, OrderBook]]] = {}
        self._fees: dict[tuple[str, str], Fraction] = {}
        self.tasks: list[asyncio.Task[None]] = []

    async def begin(self) -> None:
        for (name, exchange), symbol in itertools.product(self._exchanges.items(), SYMBOLS):
            self._fees[name, symbol] = Fraction((await exchange.fetch_trading_fee(symbol)).taker)
            books = self._books[name, symbol] = deque(maxlen=400)
            ready = asyncio.Event()
            self.tasks.append(asyncio.create_task(self._follow(exchange, symbol, books, ready)))
            await ready.wait()

    async def _follow(
        self, exchange: Exchange, symbol: str, books: deque[tuple[float, OrderBook]], ready: asyncio.Event
    ) -> None:
        async with exchange.watch_order_book(symbol, 50) as stream:
            async for book in stream:
                books.append((time.time() * 1000, book))
                ready.set()

    def objection(self, one: Opportunity) -> str | None:
        """Why it is false; None if two recorded books carry it."""
        buyer, seller = self._exchanges[one.buy].market(one.symbol), self._exchanges[one.sell].market(one.symbol)
        for market, amount, limit in (
            (buyer, one.buy_amount, one.buy_limit),
            (seller, one.sell_amount, one.sell_limit),
        ):
            step, least, cost = market.precision.amount, market.limits.amount.min, market.limits.cost.min
            if step is not None and Fraction(amount) % Fraction(step):
                return f"{amount} is not on the steps of {step}"
            if (least is not None and amount < least) or (cost is not None and amount * limit < cost):
                return f"{amount} is below the minimum"
        fee_buy, fee_sell = self._fees[one.buy, one.symbol], self._fees[one.sell, one.symbol]
        in_base = self._exchanges[one.buy].fees_in_base
        bought, sold = Fraction(one.buy_amount), Fraction(one.sell_amount)
        if sold > (bought * (1 - fee_buy) if in_base else bought):
            return "more is sold than arrives"
        buys = self._near(one.buy, one)
        costs = [paid for book in buys if (paid := _value(book.asks, bought)) is not None]
        gains = [got for book in self._near(one.sell, one) if (got := _value(book.bids, sold)) is not None]
        if not costs or not gains:
            return "no recorded book is as deep"
        cost, proceeds = Fraction(one.cost), Fraction(one.proceeds)
        paid = {value if in_base else value * (1 + fee_buy) for value in costs}
        got = {value * (1 - fee_sell) for value in gains}
        near = Fraction(1, 10**9)
        if not any(abs(value - cost) <= near * value for value in paid):
            return f"no recorded book sells {one.buy_amount} for {one.cost}"
        if not any(abs(value - proceeds) <= near * value for value in got):
            return f"no recorded book buys {one.sell_amount} for {one.proceeds}"
        return None if proceeds > cost else "it earns nothing"

    def saw(self, name: str, symbol: str, side: str, price: float, since_ms: float) -> bool:
        """Whether a book that came since then showed a planted price as its best."""
        books = [book for at_ms, book in self._books[name, symbol] if at_ms >= since_ms]
        if side == "ask":
            return any(book.best_ask is not None and book.best_ask <= price for book in books)
        return any(book.best_bid is not None and book.best_bid >= price for book in books)

    def _near(self, name: str, one: Opportunity) -> list[OrderBook]:
        return [book for at_ms, book in self._books[name, one.symbol] if abs(at_ms - one.seen_ms) <= AROUND_MS]


def _value(levels: Sequence[tuple[float, float]], amount: Fraction) -> Fraction | None:
    """What `amount` trades for on one side of a book; None if it is not that deep."""
    value, left = Fraction(0), amount
    for price, size in levels:
        taken = min(left, Fraction(Amount(size)))
        value, left = value + taken * Fraction(Amount(price)), left - taken
        if not left:
            return value
    return None


async def run(venue: LocalVenue, planted: int, for_ms: int) -> Found:
    """Plant, look, judge."""
    found = Found()
    async with venue.workspace() as p, venue.workspace() as q, VenueControl(venue.record) as control:
        judge = Judge({name: await q.exchange(name, environment="local") for name in EXCHANGES})
        await judge.begin()
        told: list[tuple[float, Opportunity]] = []
        news = asyncio.Event()
        async with p.group(*EXCHANGES, environment="local").watch_arbitrage(SYMBOLS) as watch:

            async def read() -> None:
                async for one in watch:
                    told.append((time.monotonic(), one))
                    news.set()

            reading = asyncio.create_task(read())
            plans = itertools.cycle(itertools.product(SYMBOLS, EXCHANGES, ("ask", "bid")))
            for symbol, name, side in itertools.islice(plans, planted):
                other = EXCHANGES[1 - EXCHANGES.index(name)]
                pair = (symbol, name, other) if side == "ask" else (symbol, other, name)
                already = len(told)
                command = PlantOpportunity(symbol=symbol, side=side, bps=150, amount="0.4", for_ms=for_ms)
                since_ms = time.time() * 1000
                price = float((await control.command(command, venue=name))[name]["price"])
                began_s = time.monotonic()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(for_ms / 1000 + LATE_S):
                        while not any((one.symbol, one.buy, one.sell) == pair for _, one in told[already:]):
                            news.clear()
                            await news.wait()
                hits = [at_s for at_s, one in told[already:] if (one.symbol, one.buy, one.sell) == pair]
                if hits:
                    found.delays_ms.append(max(0.0, (hits[0] - began_s) * 1000))
                elif not judge.saw(name, symbol, side, price, since_ms):
                    found.unseen += 1
                else:
                    found.missed.append(f"{side} of {symbol} on {name}")
                await asyncio.sleep(max(0.0, for_ms / 1000 - (time.monotonic() - began_s)) + GAP_S)
                for _, one in told[already:]:
                    found.told += 1
                    objection = judge.objection(one)
                    if objection is not None:
                        found.false.append(f"{one}: {objection}")
            reading.cancel()
        for task in judge.tasks:
            task.cancel()
        await asyncio.gather(reading, *judge.tasks, return_exceptions=True)
    return found


def main() -> None:
    """Print the figures."""
    planted, for_ms = (int(word) for word in (*sys.argv[1:], *("1000", "100")[len(sys.argv) - 1 :]))
    with start_local_venue() as venue:
        found = asyncio.run(run(venue, planted, for_ms))
    print(
        f"planted {planted}, each for {for_ms} ms: found {len(found.delays_ms)}, missed {len(found.missed)}, "
        f"in no frame {found.unseen}"
    )
    print(f"told {found.told}, of which no recorded books carry {len(found.false)}")
    if len(found.delays_ms) > 1:
        cuts = statistics.quantiles(found.delays_ms, n=100)
        print(f"found after p50 {cuts[49]:.0f} ms, p99 {cuts[98]:.0f} ms")
    for line in (*found.missed[:5], *found.false[:5]):
        print("   ", line)


if __name__ == "__main__":
    main()
