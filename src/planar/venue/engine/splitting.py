"""Cuts the bar of a period into bars of shorter periods, and the shortest into trades, so that all sums are exact.

Invented history is made from the top down: a day is decided first, its hours follow from it, and so on to seconds and
single trades, each only when someone asks. Whatever is cut adds up again: first open, highest high, lowest low, last
close, and the sums of trades, amounts and quote amounts of buyers and sellers are those of the whole, to the unit.

That is possible because every bar with trades keeps slack (`MIN_TRADES`, `LOTS_PER_TRADE`, and a quote amount at
least two lots' price range away from what its low and its high would allow); see `trades_of`, which needs it.
"""

from __future__ import annotations

from heapq import heapify, heappush, heapreplace
from itertools import accumulate
from math import isqrt

from planar.venue.engine.bars import Bar, flat
from planar.venue.engine.noise import Stream

MIN_TRADES = 8
"""Fewest trades of a bar that has any: the most that `trades_of` needs to meet all its sums."""
LOTS_PER_TRADE = 4
"""Fewest lots per trade, on each of the two sides."""

_WIDENINGS = 5


def split(parent: Bar, slots: int, draws: Stream, path: list[int] | None = None) -> list[Bar]:
    """Cuts a bar into `slots` consecutive ones that add up to it. Few trades leave some of them without any.

    Args:
        path: the `slots + 1` prices at the borders, from the bar's open to its close, within its low and high;
            None to make one up. Followed if there are trades enough for every slot.
    """
    fewest = MIN_TRADES * LOTS_PER_TRADE
    active = min(slots, parent.trades // MIN_TRADES, parent.buy_lots // fewest, parent.sell_lots // fewest)
    children = [parent] if parent.trades else []
    while active > 1:
        given = path if active == slots else None
        attempt = _cut(parent, _path(parent, active, draws) if given is None else given, draws)
        if attempt is not None:
            children = attempt
            break
        active //= 2
    return _scatter(parent.open, children, slots, draws)


def _scatter(price: int, children: list[Bar], slots: int, draws: Stream) -> list[Bar]:
    """Puts bars into as many of the slots, in order; the others are flat."""
    placed: list[Bar] = []
    left = len(children)
    for slot in range(slots):
        if left and draws.below(slots - slot) < left:
            child = children[len(children) - left]
            left -= 1
            placed.append(child)
            price = child.close
        else:
            placed.append(flat(price))
    return placed


def _shares(total: int, weights: list[int]) -> list[int]:
    """Cuts a whole number in proportion to weights; the parts add up to it."""
    whole = sum(weights)
    marks = [total * mark // whole for mark in accumulate(weights)]
    return [mark - before for mark, before in zip(marks, [0, *marks], strict=False)]


def _cut(parent: Bar, path: list[int], draws: Stream) -> list[Bar] | None:
    """Cuts at the prices of a path into bars with trades in each; None if that many cannot meet the sums."""
    parts = len(path) - 1
    weights = [draws.between(1, 8) for _ in range(parts)]
    trades = [MIN_TRADES + more for more in _shares(parent.trades - MIN_TRADES * parts, weights)]
    spare = LOTS_PER_TRADE * parent.trades
    buys = _with_floor(trades, _shares(parent.buy_lots - spare, weights))
    sells = _with_floor(trades, _shares(parent.sell_lots - spare, weights[::-1]))
    highs, lows = _extremes(parent, path, draws)
    for widening in range(_WIDENINGS + 1):
        bought = _flow(parent.buy_quote, buys, highs, lows)
        sold = _flow(parent.sell_quote, sells, highs, lows)
        last = widening == _WIDENINGS
        if bought.fits(last) and sold.fits(last):
            quotes = zip(bought.shares(), sold.shares(), strict=True)
            return [
                Bar(path[i], highs[i], lows[i], path[i + 1], trades[i], buys[i], buy_quote, sells[i], sell_quote)
                for i, (buy_quote, sell_quote) in enumerate(quotes)
            ]
        final = widening == _WIDENINGS - 1
        if bought.too_high() or sold.too_high():
            highs = [parent.high if final else high + (parent.high - high + 1) // 2 for high in highs]
        if bought.too_low() or sold.too_low():
            lows = [parent.low if final else low - (low - parent.low + 1) // 2 for low in lows]
    return None


def _with_floor(trades: list[int], more: list[int]) -> list[int]:
    return [LOTS_PER_TRADE * count + extra for count, extra in zip(trades, more, strict=True)]


def _path(parent: Bar, parts: int, draws: Stream) -> list[int]:
    """Prices from open to close at the borders of the parts: a random walk, bent to end at the close."""
    walk = [0.0, *accumulate([draws.gauss() for _ in range(parts)])]
    step = (parent.high - parent.low) / (1.6 * parts**0.5)
    path = [parent.open]
    for i in range(1, parts):
        bent = (parent.close - parent.open) * i / parts + step * (walk[i] - walk[parts] * i / parts)
        path.append(min(parent.high, max(parent.low, parent.open + round(bent))))
    path.append(parent.close)
    return path


def _extremes(parent: Bar, path: list[int], draws: Stream) -> tuple[list[int], list[int]]:
    """Highs and lows around a path; one part touches the parent's high, one its low."""
    parts = len(path) - 1
    reach = (parent.high - parent.low) // (2 * isqrt(parts) + 1) + 1
    upper = [max(path[i], path[i + 1]) for i in range(parts)]
    lower = [min(path[i], path[i + 1]) for i in range(parts)]
    highs = [min(parent.high, high + draws.between(0, reach)) for high in upper]
    lows = [max(parent.low, low - draws.between(0, reach)) for low in lower]
    highs[upper.index(max(upper))] = parent.high
    lows[lower.index(min(lower))] = parent.low
    return highs, lows


class _Flow:
    """How a quote amount can be shared out among parts whose amounts and price ranges are given."""

    __slots__ = ("_floors", "_rest", "_room", "_rooms")

    def __init__(self, floors: list[int], rooms: list[int], total: int) -> None:
        self._floors = floors
        self._rooms = rooms
        self._room = sum(rooms)
        self._rest = total - sum(floors)

    def fits(self, last_chance: bool) -> bool:
        """Whether the rest over the floors fits the room, with space at both ends unless it is the last chance."""
        if last_chance or not self._room:
            return 0 <= self._rest <= self._room
        return not (self.too_high() or self.too_low())

    def too_high(self) -> bool:
        """Whether higher highs would help."""
        return self._rest * 10 > self._room * 9

    def too_low(self) -> bool:
        """Whether lower lows would help."""
        return self._rest * 10 < self._room

    def shares(self) -> list[int]:
        """The quote amounts of the parts."""
        if not self._room:
            return self._floors
        more = _shares(self._rest, self._rooms)
        return [floor + extra for floor, extra in zip(self._floors, more, strict=True)]


def _flow(total: int, lots: list[int], highs: list[int], lows: list[int]) -> _Flow:
    floors = [low * n + 2 * (high - low) for n, high, low in zip(lots, highs, lows, strict=True)]
    rooms = [(high - low) * (n - 4) for n, high, low in zip(lots, highs, lows, strict=True)]
    return _Flow(floors, rooms, total)


def trades_of(bar: Bar, draws: Stream) -> list[tuple[int, int, bool]]:
    """Single trades that make up a bar: price, lots, whether the taker bought. First its open, last its close.

    Each side's amount goes to the high and to the low in the one proportion that gives its quote amount, what is
    left over by whole lots being one lot in between.
    """
    pieces = _pieces(bar, bar.buy_lots - 1, bar.buy_quote - bar.open, bought=True)
    pieces += _pieces(bar, bar.sell_lots - 1, bar.sell_quote - bar.close, bought=False)
    pieces = _halve(pieces, bar.trades - 2, draws)
    for i in range(len(pieces) - 1, 0, -1):
        j = draws.below(i + 1)
        pieces[i], pieces[j] = pieces[j], pieces[i]
    return [(bar.open, 1, True), *pieces, (bar.close, 1, False)]


def _pieces(bar: Bar, lots: int, quote: int, *, bought: bool) -> list[tuple[int, int, bool]]:
    spread = bar.high - bar.low
    if not spread:
        return [(bar.low, lots, bought)]
    at_high, rest = divmod(quote - bar.low * lots, spread)
    pieces = [(bar.high, at_high, bought), (bar.low, lots - at_high - (rest > 0), bought)]
    if rest:
        pieces.append((bar.low + rest, 1, bought))
    return pieces


def _halve(pieces: list[tuple[int, int, bool]], count: int, draws: Stream) -> list[tuple[int, int, bool]]:
    """Cuts the largest pieces until there are `count`."""
    queue = [(-lots, price, bought) for price, lots, bought in pieces]
    heapify(queue)
    while len(queue) < count:
        lots, price, bought = queue[0]
        part = draws.between(max(1, -lots // 4), max(1, -lots // 2))
        heapreplace(queue, (lots + part, price, bought))
        heappush(queue, (-part, price, bought))
    return [(price, -lots, bought) for lots, price, bought in queue]
