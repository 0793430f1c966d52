"""`python -m benchmarks.arbitrage [PLANTED [FOR_MS [WILD_S]]]`: planted opportunities that were found, missed, or made up.

Opportunities are planted in the local exchanges' markets, one after the other in turn over markets, sides and exchanges,
each for a time drawn from `FOR_MS` upward. The exchanges' engines record every change of their books, to the millisecond:
from when to when each plant stood, and what anybody could have traded at any instant. Found is one that `watch_arbitrage`
tells while it stands, late one that it tells afterwards, missed one that it never tells. What is told is recomputed in
fractions: orders on the steps, above the minimums, with profit after fees, which books of that instant carry: none cheaper
to buy from, none dearer to sell to, at any state of the last `AROUND_MS`. What none carries is false. Afterwards, for
`WILD_S`, nothing is planted, and the markets move wildly and apart: what is told then is judged likewise.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from planar import runtime
from planar.exchange import Exchange
from planar.multi import ArbitrageWatch, Opportunity
from planar.testing.local_venue import LocalVenue, start_local_venue
from planar.venue.client import VenueControl
from planar.venue.engine.recorded import RecordedBook
from planar.venue.recording import entries
from planar.venue.steering.market import PlantOpportunity, ShapeMarket
from planar.venue.steering.recordings import StartRecording, StopRecording

SYMBOLS = ("BTC/USDT", "ETH/USDT")
EXCHANGES = ("binance", "kraken")
AROUND_MS = 250
"""Binance's books come every 100 ms, and frames take their time: so old is what a client can know at the most."""
GAP_S = 0.15
LATE_S = 0.4
NEAR = Fraction(1, 10**9)

Key = tuple[str, str]
"""Exchange and market."""


class Plant(msgspec.Struct, frozen=True):
    """One opportunity: where it was planted, at which price, and the pair of exchanges that it opens."""

    key: Key
    side: str
    price: Fraction
    for_ms: int
    pair: tuple[str, str, str]
    since_ms: int


class Found(msgspec.Struct):
    """What a run found.

    Attributes:
        delays_ms: from when the exchange had it in its book until it was told, of each that was found.
        stood_ms: for how long each plant stood, by the exchange's record.
        late: plants that were told when they were gone.
        missed: plants that were never told.
        told: opportunities told, of all kinds.
        wild: how many of them in wild markets with nothing planted.
        false: those that no recorded books carry, and why.
    """

    delays_ms: list[float] = []
    stood_ms: list[float] = []
    late: list[str] = []
    missed: list[str] = []
    told: int = 0
    wild: int = 0
    false: list[str] = []


class Record:
    """The books of one market as the engine had them."""

    def __init__(self, rows: Sequence[RecordedBook]) -> None:
        self._rows = rows
        self._at = 0
        self._sides: tuple[dict[Fraction, Fraction], dict[Fraction, Fraction]] = {}, {}

    def states(self, from_ms: int, to_ms: int) -> Iterator[tuple[list[tuple[Fraction, Fraction]], ...]]:
        """(bids, asks) of each state that was the case in a time, best first. Times are asked for in order."""
        while self._at < len(self._rows) and self._rows[self._at].ts_ms <= from_ms:
            _apply(self._sides, self._rows[self._at])
            self._at += 1
        sides = dict(self._sides[0]), dict(self._sides[1])
        yield _sorted(sides)
        for row in itertools.islice(self._rows, self._at, None):
            if row.ts_ms > to_ms:
                return
            _apply(sides, row)
            yield _sorted(sides)

    def stood(self, plant: Plant) -> tuple[int, int] | None:
        """From when to when the level of a plant was in the book."""
        begun: int | None = None
        for row in self._rows:
            if row.ts_ms < plant.since_ms - 5:
                continue
            for price, amount in row.bids if plant.side == "bid" else row.asks:
                if Fraction(price) == plant.price:
                    if begun is None and amount:
                        begun = row.ts_ms
                    elif begun is not None and not amount:
                        return begun, row.ts_ms
        return None


def _apply(sides: tuple[dict[Fraction, Fraction], dict[Fraction, Fraction]], row: RecordedBook) -> None:
    for side, levels in zip(sides, (row.bids, row.asks), strict=True):
        if row.snapshot:
            side.clear()
        for price, amount in levels:
            if amount:
                side[Fraction(price)] = Fraction(amount)
            else:
                side.pop(Fraction(price), None)


def _sorted(
    sides: tuple[dict[Fraction, Fraction], dict[Fraction, Fraction]],
) -> tuple[list[tuple[Fraction, Fraction]], ...]:
    return sorted(sides[0].items(), reverse=True), sorted(sides[1].items())


def _value(levels: Sequence[tuple[Fraction, Fraction]], amount: Fraction) -> Fraction | None:
    """What `amount` trades for on one side of a book; None if it is not that deep."""
    value, left = Fraction(0), amount
    for price, size in levels:
        taken = min(left, size)
        value, left = value + taken * price, left - taken
        if not left:
            return value
    return None


class Judge:
    """Recomputes what was told from the records."""

    def __init__(self, exchanges: dict[str, Exchange], fees: dict[Key, Fraction], records: dict[Key, Record]) -> None:
        self._exchanges, self._fees, self._records = exchanges, fees, records

    def objection(self, one: Opportunity) -> str | None:
        """Why it is false; None if the books of its instant carry it. To be asked in order of time."""
        buyer, seller = self._exchanges[one.buy].market(one.symbol), self._exchanges[one.sell].market(one.symbol)
        legs = (buyer, one.buy_amount, one.buy_limit), (seller, one.sell_amount, one.sell_limit)
        for market, amount, limit in legs:
            step, least, cost = market.precision.amount, market.limits.amount.min, market.limits.cost.min
            if step is not None and Fraction(amount) % Fraction(step):
                return f"{amount} is not on the steps of {step}"
            if (least is not None and amount < least) or (cost is not None and amount * limit < cost):
                return f"{amount} is below the minimum"
        fee_buy, fee_sell = self._fees[one.buy, one.symbol], self._fees[one.sell, one.symbol]
        in_base = self._exchanges[one.buy].fees_in_base
        bought, sold = Fraction(one.buy_amount), Fraction(one.sell_amount)
        cost, proceeds = Fraction(one.cost), Fraction(one.proceeds)
        if sold > (bought * (1 - fee_buy) if in_base else bought):
            return "more is sold than arrives"
        if proceeds <= cost:
            return "it earns nothing"
        around = one.seen_ms - AROUND_MS, one.seen_ms + 5
        paid = [_value(asks, bought) for _, asks in self._records[one.buy, one.symbol].states(*around)]
        got = [_value(bids, sold) for bids, _ in self._records[one.sell, one.symbol].states(*around)]
        on_top = Fraction(1) if in_base else 1 + fee_buy
        if not any(value is not None and value * on_top <= cost * (1 + NEAR) for value in paid):
            return f"no book of {one.buy} sold {one.buy_amount} for {one.cost}"
        if not any(value is not None and value * (1 - fee_sell) >= proceeds * (1 - NEAR) for value in got):
            return f"no book of {one.sell} bought {one.sell_amount} for {one.proceeds}"
        return None


async def run(venue: LocalVenue, planted: int, for_ms: int, *, wild_s: float = 0.0, seed: int = 1) -> Found:
    """Plant, look, judge."""
    with TemporaryDirectory() as directory:
        files = {name: Path(directory) / f"{name}.ndjson" for name in EXCHANGES}
        async with venue.workspace() as p, VenueControl(venue.record) as control:
            group = p.group(*EXCHANGES, environment="local")
            exchanges = dict(await group.exchanges())
            fees = {
                (name, symbol): Fraction((await exchange.fetch_trading_fee(symbol)).taker)
                for (name, exchange), symbol in itertools.product(exchanges.items(), SYMBOLS)
            }
            for name, path in files.items():
                await control.command(StartRecording(path=str(path), symbols=SYMBOLS), venue=name)
            async with group.watch_arbitrage(SYMBOLS) as watch:
                plants, told, wild = await _told(watch, control, planted, for_ms, wild_s, random.Random(seed))
            for name in files:
                await control.command(StopRecording(), venue=name)
            rows = {
                name: [row for row in entries(path) if isinstance(row, RecordedBook)] for name, path in files.items()
            }
        records = {
            (name, symbol): Record([row for row in rows[name] if row.symbol == symbol])
            for name, symbol in itertools.product(EXCHANGES, SYMBOLS)
        }
        found = _judged(plants, told, records, Judge(exchanges, fees, records))
        found.wild = wild
        return found


async def _told(
    watch: ArbitrageWatch, control: VenueControl, planted: int, for_ms: int, wild_s: float, rng: random.Random
) -> tuple[list[Plant], list[Opportunity], int]:
    """All plants, everything that was told, and how much of it in wild markets afterwards."""
    told: list[Opportunity] = []
    news = asyncio.Event()

    async def read() -> None:
        async for one in watch:
            told.append(one)
            news.set()

    reading = asyncio.create_task(read())
    plants = await _planted(told, news, control, planted, for_ms, rng)
    already = len(told)
    if wild_s:
        for name, volatility in zip(EXCHANGES, (3.0, 1.0), strict=True):
            await control.command(ShapeMarket(volatility=volatility, trade_rate=20), venue=name)
        await asyncio.sleep(wild_s)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    return plants, told, len(told) - already


async def _planted(
    told: Sequence[Opportunity],
    news: asyncio.Event,
    control: VenueControl,
    planted: int,
    for_ms: int,
    rng: random.Random,
) -> list[Plant]:
    """Plant them, one after the other, each until it is told and its time is over."""
    plants: list[Plant] = []
    plans = itertools.cycle(itertools.product(SYMBOLS, EXCHANGES, ("ask", "bid")))
    for symbol, name, side in itertools.islice(plans, planted):
        other = EXCHANGES[1 - EXCHANGES.index(name)]
        pair = (symbol, name, other) if side == "ask" else (symbol, other, name)
        lasts_ms = rng.randint(for_ms, 2 * for_ms)
        already, since_ms, began_s = len(told), runtime.wall_ms(), time.monotonic()
        command = PlantOpportunity(symbol=symbol, side=side, bps=150, amount="0.4", for_ms=lasts_ms)
        price = Fraction((await control.command(command, venue=name))[name]["price"])
        plants.append(Plant((name, symbol), side, price, lasts_ms, pair, since_ms))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(lasts_ms / 1000 + LATE_S):
                while not any((one.symbol, one.buy, one.sell) == pair for one in told[already:]):
                    news.clear()
                    await news.wait()
        # plants come at any moment of the exchanges' own beat
        pause_s = GAP_S + rng.random() / 10
        await asyncio.sleep(max(0.0, lasts_ms / 1000 - (time.monotonic() - began_s)) + pause_s)
        _progress(len(plants), planted)
    return plants


def _progress(done: int, planted: int) -> None:
    if sys.stderr.isatty() or done % 100 == 0:
        print(f"\r{done}/{planted} planted ", end="" if sys.stderr.isatty() else "\n", file=sys.stderr, flush=True)


def _judged(plants: list[Plant], told: list[Opportunity], records: dict[Key, Record], judge: Judge) -> Found:
    found = Found(told=len(told))
    for plant in plants:
        what = f"{plant.side} of {plant.key[1]} on {plant.key[0]} for {plant.for_ms} ms"
        stood = records[plant.key].stood(plant)
        if stood is None:
            found.missed.append(f"{what}: not in the exchange's record")
            continue
        begun, ended = stood
        found.stood_ms.append(ended - begun)
        seen = [
            one.seen_ms
            for one in told
            if (one.symbol, one.buy, one.sell) == plant.pair and one.seen_ms >= plant.since_ms
        ]
        if seen and seen[0] <= ended:
            found.delays_ms.append(max(0, seen[0] - begun))  # two clocks, each in whole milliseconds
        elif seen and seen[0] <= ended + LATE_S * 1000:
            found.late.append(f"{what}: told {seen[0] - ended} ms after its end")
        else:
            found.missed.append(what)
    for one in sorted(told, key=lambda one: one.seen_ms):
        objection = judge.objection(one)
        if objection is not None:
            found.false.append(f"{one}: {objection}")
    return found


def main() -> None:
    """Print the figures."""
    planted, for_ms, wild_s = (int(word) for word in (*sys.argv[1:], *("1000", "50", "60")[len(sys.argv) - 1 :]))
    with start_local_venue() as venue:
        found = asyncio.run(run(venue, planted, for_ms, wild_s=wild_s))
    stood = (
        f"{min(found.stood_ms):.0f} to {max(found.stood_ms):.0f} by the exchanges' records"
        if found.stood_ms
        else "none"
    )
    print(
        f"planted {planted}, each for {for_ms} to {2 * for_ms} ms ({stood}): "
        f"found {len(found.delays_ms)}, late {len(found.late)}, missed {len(found.missed)}"
    )
    print(
        f"told {found.told}, {found.wild} of them in {wild_s} s of wild markets with nothing planted; "
        f"no recorded books carry {len(found.false)}"
    )
    if len(found.delays_ms) > 1:
        cuts = statistics.quantiles(found.delays_ms, n=100)
        print(f"found after p50 {cuts[49]:.0f} ms, p99 {cuts[98]:.0f} ms")
    for line in (*found.missed[:5], *found.late[:5], *found.false[:5]):
        print("   ", line)


if __name__ == "__main__":
    main()
