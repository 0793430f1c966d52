"""Histories of orders, told in any order, twice, late or only at the next look: the journal's end equals the ledger's.

    python -m benchmarks.safety.histories --cases 100000 --seed 1

A small ledger trades an order to its end: partly filled and canceled, filled while a cancel is on its way, filled before
the answer comes, changed in place while it fills, expired, refused, never taken. What it tells is duplicated, shuffled, and
some of it dropped; what was dropped comes with a later query of the order and its executions. `merge` has to come to the
ledger's state, and to its amount, cost, executions and terms exactly.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Iterable
from functools import reduce

import msgspec

from benchmarks.safety.changes import life
from planar.models import Amount, OrderState
from planar.orders.amends import Terms
from planar.orders.events import Absent, Acked, AnyEvent, FillSeen, Intent, NotSent, Refused, Seen, Sending, Unknown
from planar.orders.machine import Facts, merge, state_of

CLIENT_ID = "plaaaaaaaa000001bbbb"
ORDER_ID = "17"
ENDS = ("open", "filled", "canceled", "expired", "refused", "not_sent", "absent")
RACES = ("partial fill then cancel", "cancel against fill", "fill before ack", "changed while it fills")
ZERO = Amount(0)


class History(msgspec.Struct, frozen=True):
    """What happened to one order by the ledger, and all that was told of it."""

    state: OrderState
    fills: tuple[FillSeen, ...]
    events: tuple[AnyEvent, ...]
    terms: Terms | None = None

    @property
    def filled(self) -> Amount:
        """Base amount."""
        return sum((fill.amount for fill in self.fills), ZERO)

    @property
    def cost(self) -> Amount:
        """Quote amount."""
        return sum((fill.amount * fill.price for fill in self.fills), ZERO)


class Report(msgspec.Struct, frozen=True):
    """How many histories there were, the seeds of those that came to another end, and the seconds it took."""

    cases: int
    wrong: tuple[str, ...]
    took_s: float


def history(rng: random.Random, race: str | None = None) -> History:
    """One order's life at the ledger."""
    if race == "changed while it fills":
        changed = life(rng, CLIENT_ID, ORDER_ID)
        return History(changed.state, tuple(changed.fills), tuple(changed.events), changed.terms)
    parts = [Amount(rng.randint(1, 999)) / 1000 for _ in range(rng.randint(1, 6))]
    wished, now = sum(parts, ZERO), 10
    intent = Intent(CLIENT_ID, 1, symbol="BTC/USDT", side="buy", type="limit", amount=wished, price=Amount(50_000))
    events: list[AnyEvent] = [intent, Sending(CLIENT_ID, 2, expiry_ms=1_000)]
    end = rng.choice(ENDS)
    if race is not None:
        end = {"partial fill then cancel": "canceled", "cancel against fill": rng.choice(("canceled", "filled"))}.get(
            race, rng.choice(("open", "filled"))
        )
    if end in ("refused", "not_sent", "absent"):
        said = {"refused": Refused(CLIENT_ID, 3, reason="no"), "not_sent": NotSent(CLIENT_ID, 3)}.get(end)
        ended: list[AnyEvent] = [said] if said is not None else [Unknown(CLIENT_ID, 3), Absent(CLIENT_ID, 9)]
        state = OrderState.NEVER_ACCEPTED if end == "absent" else OrderState.REJECTED
        return History(state, (), (*events, *ended))
    lost = rng.random() < 0.3
    events.append(Unknown(CLIENT_ID, 3) if lost else Acked(CLIENT_ID, 3, order_id=ORDER_ID))
    least = 1 if race == "partial fill then cancel" and len(parts) > 1 else 0
    traded = parts if end == "filled" else parts[: rng.randint(least, len(parts) - 1)]
    fills: list[FillSeen] = []
    filled, cost = ZERO, ZERO
    for number, amount in enumerate(traded):
        price, now = Amount(rng.randint(4_900_000, 5_000_000)) / 100, now + 1
        trade = f"t{rng.randint(1, 9)}{number}"
        fill = FillSeen(CLIENT_ID, now, trade_id=trade, order_id=ORDER_ID, price=price, amount=amount, ts_ms=now)
        filled, cost = filled + amount, cost + amount * price
        fills.append(fill)
        events += [fill, _seen("open" if filled < wished else "filled", filled, cost, now)]
    if race == "cancel against fill" or rng.random() < 0.3:
        events.append(Sending(CLIENT_ID, now, action="cancel"))
        events.append(
            Acked(CLIENT_ID, now, action="cancel") if end == "canceled" else Refused(CLIENT_ID, now, action="cancel")
        )
    events.append(_seen(end, filled, cost, now + 1))
    return History(OrderState(end), tuple(fills), tuple(events))


def _seen(state: str, filled: Amount, cost: Amount, now: int) -> Seen:
    return Seen(CLIENT_ID, now, order_id=ORDER_ID, state=state, filled=filled, cost=cost, updated_ms=now)


def told(history: History, rng: random.Random) -> list[AnyEvent]:
    """The history as it may arrive: some of it twice, some only with a query at the end, in any order."""
    kept = [event for event in history.events if not isinstance(event, Seen | FillSeen) or rng.random() < 0.8]
    kept += rng.sample(kept, rng.randint(0, len(kept)))
    rng.shuffle(kept)
    sights = [event for event in history.events if isinstance(event, Seen)]
    return [*kept, *sights[-1:], *rng.sample(history.fills, len(history.fills))]


def fold(events: Iterable[AnyEvent]) -> Facts:
    """The facts of one order."""
    return reduce(merge, events, Facts(CLIENT_ID))


def differs(history: History, facts: Facts) -> str | None:
    """How the facts differ from the ledger; None if they do not."""
    for what, mine, theirs in (
        ("state", state_of(facts), history.state),
        ("filled", facts.filled, history.filled),
        ("cost", facts.cost, history.cost),
        ("sum of fills", sum((fill.amount for fill in facts.fills), ZERO), history.filled),
        ("fills", facts.fills, tuple(sorted(history.fills, key=lambda fill: fill.trade_id))),
        ("overfilled", facts.overfilled, ZERO),
        ("terms", facts.terms, history.terms or facts.terms),
    ):
        if mine != theirs:
            return f"{what}: {mine} and not {theirs}"
    return None


def run(cases: int, seed: int, race: str | None = None) -> Report:
    """So many histories; a wrong one is named by the seed that makes it again."""
    began, wrong = time.perf_counter(), list[str]()
    for case in range(cases):
        rng = random.Random(f"{seed}/{race}/{case}")
        life = history(rng, race)
        arrived = told(life, rng)
        facts = fold(arrived)
        found = differs(life, facts)
        if found is None and fold([*arrived, *reversed(arrived)]) != facts:
            found = "told again, it came to another end"
        if found is not None:
            wrong.append(f"seed {seed}, race {race}, case {case}: {found}")
    return Report(cases, tuple(wrong), time.perf_counter() - began)


def main() -> int:
    """All histories, then each race."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.safety.histories")
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--races", type=int, default=10_000, help="histories of each race")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    wrong = 0
    for race, cases in ((None, options.cases), *((race, options.races) for race in RACES)):
        report = run(cases, options.seed, race)
        rate = report.cases / report.took_s if report.took_s else 0.0
        print(f"{race or 'any history'}: {report.cases} cases, {len(report.wrong)} wrong, {rate:,.0f} cases/s")
        for line in report.wrong[:10]:
            print(f"  {line}")
        wrong += len(report.wrong)
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
