"""How a paper order meets the market: pure functions and one memory of what was taken.

Nothing here is better than what the exchange showed: an order that takes gets what stands in its book, level by level, and
what it took is gone until the exchange shows the level changed; an order that rests gets what others traded at its price
or beyond it, after all that stood before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

from planar.models import Amount
from planar.models.data import Side
from planar.models.steps import rounded
from planar.paper.state import ZERO, PaperOrder

STEPLESS = Amount("0.000000000000000001")
"""The step of amounts where a market names none."""

Levels = Sequence[Sequence[float]]
"""[price, amount] levels of one side of a book, the best first."""

BookSide = Literal["bids", "asks"]


class Book(msgspec.Struct, frozen=True):
    """What of an order book an order meets.

    Attributes:
        all_bids, all_asks: behind the last level that is shown there are no others.
    """

    bids: Levels
    asks: Levels
    all_bids: bool = False
    all_asks: bool = False

    def against(self, side: Side) -> Levels:
        """The levels that an order of this side takes from."""
        return self.asks if side == "buy" else self.bids

    def beside(self, side: Side) -> Levels:
        """The levels that it rests among."""
        return self.bids if side == "buy" else self.asks


class Hit(msgspec.Struct, frozen=True):
    """So much at one price; `shown` is what the level held when it was looked at."""

    price: Amount
    amount: Amount
    shown: Amount


class Taken:
    """What paper orders took from the levels of one market.

    The exchange does not know that it was taken and goes on showing it; it is not given twice. Once the exchange shows
    another amount at the price, or none, somebody has changed the level, and what is shown counts again.
    """

    def __init__(self) -> None:
        self._taken: dict[tuple[Side, Amount], tuple[Amount, Amount]] = {}

    def look(self, book: Book) -> None:
        """Forget what is no longer as it was."""
        for side in ("buy", "sell"):
            known = [price for taker, price in self._taken if taker == side]
            if not known:
                continue
            levels = {Amount(level[0]): Amount(level[1]) for level in book.against(side)}
            worst = next(reversed(levels), None)
            for price in known:
                beyond = worst is not None and _beyond(side, price, worst)
                if levels.get(price) != self._taken[side, price][0] and not beyond:
                    del self._taken[side, price]

    def left(self, side: Side, price: Amount, shown: Amount) -> Amount:
        """What of a level is left for an order of this side."""
        seen, taken = self._taken.get((side, price), (shown, ZERO))
        return shown - taken if seen == shown else shown

    def take(self, side: Side, hits: Iterable[Hit]) -> None:
        """These were given to an order of this side."""
        for hit in hits:
            before = hit.shown - self.left(side, hit.price, hit.shown)
            self._taken[side, hit.price] = (hit.shown, before + hit.amount)


def _beyond(side: Side, price: Amount, worst: Amount) -> bool:
    """Whether a price lies deeper in the book than the worst level that was shown."""
    return price > worst if side == "buy" else price < worst


def sweep(
    levels: Levels,
    side: Side,
    taken: Taken,
    *,
    amount: Amount | None = None,
    cost: Amount | None = None,
    limit: Amount | None = None,
    step: Amount | None = None,
) -> list[Hit]:
    """What an order takes from a book, level by level.

    Args:
        levels: of the other side, the best first.
        amount: how much in base currency; or
        cost: how much in quote currency, rounded down to the market's `step` at the last level.
        limit: the worst price that it takes.
    """
    found: list[Hit] = []
    left = cost if amount is None else amount
    assert left is not None
    for level in levels:
        price, shown = Amount(level[0]), Amount(level[1])
        if limit is not None and (price > limit if side == "buy" else price < limit):
            break
        there = taken.left(side, price, shown)
        wanted = left if amount is not None else rounded(left / price, step or STEPLESS, to="down")
        some = min(there, wanted)
        if some > 0:
            found.append(Hit(price, some, shown))
            left = left - (some if amount is not None else some * price)
        if wanted <= there:
            break
    return found


def within(levels: Levels, price: Amount, asks: bool) -> bool:
    """Whether a price lies before the last level that is shown, or at it."""
    worst = levels[-1][0] if levels else None
    return worst is not None and (price <= worst if asks else price >= worst)


def queue_at(book: Book, side: Side, price: Amount) -> Amount | None:
    """How much stands in the book at a price, all of which is taken to stand before an order that comes now; None: the
    book does not show the price."""
    levels = book.beside(side)
    for level in levels:
        if Amount(level[0]) == price:
            return Amount(level[1])
    whole = book.all_bids if side == "buy" else book.all_asks
    return ZERO if whole or within(levels, price, side == "sell") else None


def priority(orders: Iterable[PaperOrder]) -> list[PaperOrder]:
    """Resting orders of one side in the order in which a trade reaches them."""

    def rank(order: PaperOrder) -> tuple[Amount, int]:
        assert order.price is not None
        return (-order.price if order.side == "buy" else order.price, order.number)

    return sorted(orders, key=rank)


def share(orders: Sequence[PaperOrder], price: Amount, amount: Amount) -> list[tuple[PaperOrder, Amount, Amount]]:
    """What a public trade of `amount` at `price` does to resting orders of the side that it hits, in their priority.

    A trade beyond an order's price has consumed all that stood before it. One at its price consumes that first; while
    nobody knows how much that is, the order gets nothing of it. All of them together get no more than was traded.

    Returns:
        (order, how much of it fills, what then stands before it), for those that it changes.
    """
    found: list[tuple[PaperOrder, Amount, Amount]] = []
    given = ZERO
    for order in orders:
        assert order.price is not None
        if order.price == price:
            if order.queue is None:
                continue
            reached = amount - given - order.queue
            queue = max(ZERO, -reached)
        elif (order.price > price) == (order.side == "buy"):
            reached, queue = amount - given, ZERO
        else:
            break  # the price did not come so far, nor to those behind
        fills = max(ZERO, min(order.left, reached))
        if fills > 0 or queue != order.queue:
            found.append((order, fills, queue))
        given = given + fills
    return found


def triggers(order: PaperOrder, price: Amount) -> bool:
    """Whether a trade at `price` sets a waiting order off."""
    assert order.stop_price is not None
    rises = (order.side == "buy") == (order.trigger == "stop")
    return price >= order.stop_price if rises else price <= order.stop_price
