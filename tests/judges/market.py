"""Public market data in one form, and what must hold of it whoever shows it.

The ledger does not speak of public data, so it judges itself: candles are made again from trades, books again from
their changes, and everything that two doors show must be the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any, NamedTuple

from judges.kit import Checks, exact

MINUTE_MS = 60_000


class Print(NamedTuple):
    """A public trade."""

    id: int
    ts_ms: int
    price: Decimal
    amount: Decimal
    buyer_is_maker: bool


class Bar(NamedTuple):
    """A candle."""

    open_ms: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal


class Ladder(NamedTuple):
    """A book, best first, as of an update id."""

    update_id: int
    bids: tuple[tuple[Decimal, Decimal], ...]
    asks: tuple[tuple[Decimal, Decimal], ...]

    def top(self, levels: int) -> Ladder:
        """The best levels alone."""
        return Ladder(self.update_id, self.bids[:levels], self.asks[:levels])


def prints(rows: Iterable[Mapping[str, Any]]) -> list[Print]:
    """Trades as REST answers `trades`."""
    return [
        Print(int(row["id"]), row["time"], exact(row["price"]), exact(row["qty"]), row["isBuyerMaker"]) for row in rows
    ]


def streamed_prints(events: Iterable[Mapping[str, Any]]) -> list[Print]:
    """Trades of the stream `@trade`."""
    return [Print(int(e["t"]), e["T"], exact(e["p"]), exact(e["q"]), e["m"]) for e in events]


def bars(rows: Iterable[Sequence[Any]]) -> list[Bar]:
    """Candles as REST answers `klines`."""
    return [Bar(int(row[0]), *(exact(value) for value in row[1:6])) for row in rows]


def ladder(answer: Mapping[str, Any]) -> Ladder:
    """A book as REST answers `depth`."""
    return Ladder(int(answer["lastUpdateId"]), _side(answer["bids"]), _side(answer["asks"]))


def _side(levels: Iterable[Sequence[Any]]) -> tuple[tuple[Decimal, Decimal], ...]:
    return tuple((exact(level[0]), exact(level[1])) for level in levels)


def check_prints(checks: Checks, what: str, found: Sequence[Print]) -> None:
    """Trades have neither gaps nor doubles, and are in the order of time."""
    checks.true(f"{what}: there are trades", len(found) > 0)
    checks.same(f"{what}: ids without a gap", [b.id - a.id for a, b in pairwise(found) if b.id - a.id != 1], [])
    checks.true(f"{what}: in the order of time", all(a.ts_ms <= b.ts_ms for a, b in pairwise(found)))


def check_ladder(checks: Checks, what: str, book: Ladder) -> None:
    """A book is sorted, has no empty level, and is not crossed."""
    bids, asks = [price for price, _ in book.bids], [price for price, _ in book.asks]
    checks.true(f"{what}: both sides", len(bids) > 0 and len(asks) > 0)
    checks.true(f"{what}: bids fall", all(a > b for a, b in pairwise(bids)), bids)
    checks.true(f"{what}: asks rise", all(a < b for a, b in pairwise(asks)), asks)
    checks.true(f"{what}: not crossed", bids[0] < asks[0], (bids[0], asks[0]))
    checks.true(f"{what}: amounts are above zero", all(amount > 0 for _, amount in (*book.bids, *book.asks)))


def bar_of(found: Sequence[Print], open_ms: int, length_ms: int = MINUTE_MS) -> Bar:
    """The candle that these trades make; without any, it stands at the price of the last one before."""
    inside = [one for one in found if open_ms <= one.ts_ms < open_ms + length_ms]
    prices = [one.price for one in inside] or [next(one.price for one in reversed(found) if one.ts_ms < open_ms)]
    volume = sum((one.amount for one in inside), Decimal(0))
    return Bar(open_ms, prices[0], max(prices), min(prices), prices[-1], volume)


def bar_of_bars(found: Sequence[Bar]) -> Bar:
    """The longer candle that these candles make."""
    highs, lows = [one.high for one in found], [one.low for one in found]
    volume = sum((one.volume for one in found), Decimal(0))
    return Bar(found[0].open_ms, found[0].open, max(highs), min(lows), found[-1].close, volume)


def check_bars(checks: Checks, what: str, found: Sequence[Bar], length_ms: int) -> None:
    """Candles follow each other, and their prices are in order."""
    checks.true(f"{what}: there are candles", len(found) > 0)
    checks.same(
        f"{what}: each {length_ms} ms",
        [b.open_ms for a, b in pairwise(found) if b.open_ms - a.open_ms != length_ms],
        [],
    )
    checks.true(
        f"{what}: low, open, close, high in order",
        all(b.low <= min(b.open, b.close) <= max(b.open, b.close) <= b.high for b in found),
    )


class Mirror:
    """A book kept from a snapshot and the stream `@depth`, as the exchange says one should (web-socket-streams.md).

    Attributes:
        gaps: events that do not begin right after the one before.
    """

    def __init__(self, events: Sequence[Mapping[str, Any]]) -> None:
        self._events = events
        self._read = 0
        self._last_id: int | None = None
        self._bids: dict[Decimal, Decimal] = {}
        self._asks: dict[Decimal, Decimal] = {}
        self.gaps: list[tuple[int, int]] = []

    def start(self, book: Ladder) -> None:
        """Begin with a snapshot that is not older than the first event."""
        self._bids, self._asks, self._last_id = dict(book.bids), dict(book.asks), book.update_id

    def ladder(self) -> Ladder:
        """The book after all events so far."""
        assert self._last_id is not None
        while self._read < len(self._events):
            self._apply(self._events[self._read])
            self._read += 1
        bids = tuple(sorted(((p, a) for p, a in self._bids.items() if a), reverse=True))
        asks = tuple(sorted((p, a) for p, a in self._asks.items() if a))
        return Ladder(self._last_id, bids, asks)

    def _apply(self, event: Mapping[str, Any]) -> None:
        assert self._last_id is not None
        if event["u"] <= self._last_id:
            return
        if event["U"] > self._last_id + 1:
            self.gaps.append((self._last_id, event["U"]))
        for side, changes in ((self._bids, event["b"]), (self._asks, event["a"])):
            side.update(_side(changes))
        self._last_id = event["u"]
