"""Whether the balances changed by what the fills of this journal explain, and by nothing else.

Two sights of the balances are compared with what the fills between them amount to. They are judged only when nothing
happened to any order for a while and each execution is known with its fee: until then the difference is carried on. It
is told when it is found twice, the same both times.
"""

from __future__ import annotations

from collections.abc import Iterable

import planar.runtime as runtime
from planar.models import AccountBalance, Amount
from planar.orders.machine import FINAL, Facts, state_of
from planar.orders.store import OrderStore

ZERO = Amount(0)
DUST = Amount("0.00000001")
ROUNDING = Amount("0.00001")
"""Part of what was moved that an exchange's own rounding may make of it."""

Sums = dict[str, Amount]


class BalanceWatch:
    """The balances of one account."""

    def __init__(self, store: OrderStore) -> None:
        self._store = store
        self._totals: Sums | None = None
        self._since_ms = 0
        self._explained: Sums = {}
        self._moved: Sums = {}
        self._suspected: Sums = {}
        self._effects: dict[str, Sums] = {}

    def compare(self, seen: AccountBalance, touched: Iterable[str], *, quiet: bool) -> list[tuple[str, Amount, Amount]]:
        """What the fills do not explain: (currency, change that was seen, change that was expected).

        Args:
            touched: orders to which something happened since the last comparison.
            quiet: nothing happened to any order shortly before the balances were asked for.
        """
        totals = {code: one.total for code, one in seen.balances.items() if one.total is not None}
        sure = quiet
        for client_id in touched:
            sure = self._count(client_id) and sure
        if not sure:
            return []
        if self._totals is None:
            self._begin(totals)
            return []
        found: list[tuple[str, Amount, Amount]] = []
        unexplained: Sums = {}
        for code in sorted({*totals, *self._totals}):
            change = Amount(totals.get(code, ZERO) - self._totals.get(code, ZERO))
            expected = self._explained.get(code, ZERO)
            allowed = max(DUST, self._moved.get(code, ZERO) * ROUNDING)
            if abs(change - expected) > allowed:
                found.append((code, change, expected))
                unexplained[code] = Amount(change - expected)
        if unexplained != self._suspected:
            self._suspected = unexplained  # a fill that nobody has heard of yet looks the same
            found = []
            if unexplained:
                return found
        self._begin(totals)
        return found

    def _begin(self, totals: Sums) -> None:
        if self._totals is None:
            for client_id in self._store.unfinished():
                effect = effect_of(self._store.facts(client_id))
                if effect is not None:
                    self._effects[client_id] = effect
        self._totals, self._suspected = totals, {}
        self._since_ms = runtime.wall_ms()
        self._explained, self._moved = {}, {}
        for client_id in [name for name in self._effects if state_of(self._store.facts(name)) in FINAL]:
            del self._effects[client_id]

    def _count(self, client_id: str) -> bool:
        """Count what is new of an order's effect; False if it is not known exactly."""
        facts = self._store.facts(client_id)
        effect = effect_of(facts)
        if effect is None:
            return False
        known = self._effects.get(client_id)
        if known is None:
            if facts.intent is None or facts.intent.wall_ms < self._since_ms:
                self._totals = None  # nobody can say how much of it was in the balances already
            known = {}
        for code, amount in effect.items():
            delta = amount - known.get(code, ZERO)
            self._explained[code] = Amount(self._explained.get(code, ZERO) + delta)
            self._moved[code] = Amount(self._moved.get(code, ZERO) + abs(delta))
        self._effects[client_id] = effect
        return True


def effect_of(facts: Facts) -> Sums | None:
    """What the fills of an order did to the balances by currency; None if they are not known exactly."""
    intent = facts.intent
    if intent is None or ":" in intent.symbol:
        return None  # a derivative moves its margin, not its base
    base, _, quote = intent.symbol.partition("/")
    sign = 1 if intent.side == "buy" else -1
    if sum((fill.amount for fill in facts.fills), ZERO) != facts.filled:
        return None
    sums: Sums = {}
    for fill in facts.fills:
        if not fill.all_fees:
            return None
        moves = [(base, fill.amount * sign), (quote, -fill.amount * fill.price * sign)]
        for fee in fill.all_fees:
            if fee.currency is None:
                return None
            moves.append((fee.currency, -fee.cost))
        for code, amount in moves:
            sums[code] = Amount(sums.get(code, ZERO) + amount)
    return sums
