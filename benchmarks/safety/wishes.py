"""What a trading program wants: a list of wishes, each of which must become exactly one order at the venue.

The program writes what it believes into a file of its own, one line per belief, so that a judge can compare it with the
venue's ledger after the program was killed.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

SYMBOL = "BTC/USDT"


class Wish(msgspec.Struct, frozen=True):
    """One order that is wanted. Its amount names it: no two wishes of a run have the same."""

    number: int
    side: str
    amount: str
    price: str
    then_cancel: bool


def wish(number: int, seed: int, bid: float, ask: float, resting: float = 0.5) -> Wish:
    """Wish `number` of a run; a part of them rests far away, of which nearly all are canceled, the others trade."""
    rng = random.Random(f"{seed}/{number}")
    side = rng.choice(["buy", "sell"])
    crossing = rng.random() >= resting
    near, far = (ask * 1.01, bid * 0.9) if side == "buy" else (bid * 0.99, ask * 1.1)
    price = near if crossing else far
    return Wish(number, side, str(Decimal(100 + number) * Decimal("0.00001")), f"{price:.2f}", rng.random() < 0.96)


class Diary:
    """Lines of a program that may die at any moment: each is on its way to the disk before the next thing happens."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, **line: Any) -> None:
        """Add one line."""
        with self._path.open("ab") as file:
            file.write(msgspec.json.encode(line) + b"\n")
            file.flush()

    def lines(self) -> list[dict[str, Any]]:
        """All whole lines."""
        if not self._path.exists():
            return []
        return [msgspec.json.decode(line) for line in self._path.read_bytes().split(b"\n")[:-1]]


_STATES = {
    "new": "open",
    "partially_filled": "open",
    "filled": "filled",
    "canceled": "canceled",
    "expired": "expired",
    "expired_in_match": "expired",
    "rejected": "rejected",
}
"""The ledger's words, in Planar's."""


class Verdict(msgspec.Struct):
    """What the ledger says about a run.

    Attributes:
        wishes: orders that were wanted.
        orders: orders of the run at the venue.
        lost: orders that the program holds for real, and that the venue does not have.
        doubled: orders beyond the first of a wish.
        unknown: wishes of which the program does not know in the end whether there is an order.
        misreported: wishes whose order differs between program and venue (state, filled).
        strangers: orders of the run at the venue that the program does not know of.
    """

    wishes: int = 0
    orders: int = 0
    lost: int = 0
    doubled: int = 0
    unknown: int = 0
    misreported: int = 0
    strangers: int = 0

    def bad(self) -> int:
        """How many things went wrong."""
        return self.lost + self.doubled + self.unknown + self.misreported + self.strangers


class Belief(msgspec.Struct, frozen=True):
    """What the program believes of a wish in the end.

    Attributes:
        amount: names the wish.
        order_id: the venue's id, or None.
        state: "filled", "canceled", "open", ... or None if it does not know.
        filled: base amount, or None.
    """

    amount: str
    order_id: str | None
    state: str | None
    filled: str | None


def judge(beliefs: Iterable[Belief], ledger_orders: Iterable[dict[str, Any]]) -> Verdict:
    """Compare beliefs with the ledger. Orders belong to a wish by their amount."""
    held = list(beliefs)
    verdict = Verdict(wishes=len(held))
    wanted = {Decimal(belief.amount): belief for belief in held}
    per_wish: Counter[Decimal] = Counter()
    known_ids = {belief.order_id for belief in held}
    at_venue: dict[Decimal, dict[str, Any]] = {}
    for order in ledger_orders:
        amount = Decimal(order["amount"])
        if amount not in wanted:
            continue
        verdict.orders += 1
        per_wish[amount] += 1
        at_venue[amount] = order
        if str(order["id"]) not in known_ids:
            verdict.strangers += 1
    for amount, belief in wanted.items():
        count = per_wish[amount]
        verdict.doubled += max(0, count - 1)
        if belief.state is None:
            verdict.unknown += 1
        elif count == 0:
            # "it failed", and there is none: known, if not what was wished
            verdict.lost += belief.state != "rejected"
        elif count == 1 and (
            belief.state != _STATES[at_venue[amount]["status"]]
            or Decimal(belief.filled or 0) != Decimal(at_venue[amount]["filled"])
        ):
            verdict.misreported += 1
    return verdict


def crash_self() -> None:
    """End this process as a power failure would."""
    os.kill(os.getpid(), 9)
