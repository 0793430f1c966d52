"""Changes of orders: the merge is commutative and idempotent, and ends as the ledger says, whatever was lost on the way."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from benchmarks.safety import changes
from hypothesis import given
from hypothesis import strategies as st

from planar.models import Amount, Fill, Order, OrderState
from planar.orders.amends import Terms, sight_of
from planar.orders.events import (
    Absent,
    Acked,
    Amended,
    Amending,
    AnyEvent,
    ByHand,
    FillSeen,
    Intent,
    NotSent,
    Refused,
    Seen,
    Sending,
    Unknown,
)
from planar.orders.journal import Journal
from planar.orders.journal_compact import fold as compacted
from planar.orders.journal_schema import decode_events, encode_event
from planar.orders.machine import FINAL, Facts, merge, state_of
from planar.orders.reconciler import ScratchStore

CID = "plaaaaaaaa000001bbbb"
WISH = Intent(CID, 1, symbol="BTC/USDT", side="buy", type="limit", amount=Amount(10), price=Amount(100))
times = st.integers(1, 10_000)
numbers = st.integers(1, 3)


def wish(number: int) -> Amending:
    """A number names one change: its content never differs."""
    return Amending(CID, number, number=number, amount=Amount(10 - number), price=Amount(100 + number))


events = st.one_of(
    st.just(WISH),
    numbers.map(wish),
    *(
        st.builds(kind, st.just(CID), times, action=st.just("amend"), number=numbers)
        for kind in (Sending, NotSent, Refused, Unknown, Acked, Absent)
    ),
    st.builds(Amended, st.just(CID), times, number=numbers),
    st.builds(
        Amended,
        st.just(CID),
        times,
        number=st.just(0),
        after=st.integers(0, 3),
        amount=st.sampled_from([Amount(4), Amount(20)]),
        price=st.sampled_from([Amount(90), Amount(110)]),
        at_ms=times,
    ),
    st.builds(Seen, st.just(CID), times, state=st.sampled_from(["open", "filled", "canceled"]), back=st.integers(0, 2)),
    st.integers(1, 6).map(lambda n: FillSeen(CID, n, trade_id=str(n), price=Amount(100), amount=Amount(n))),
    st.builds(ByHand, st.just(CID), times, status=st.sampled_from(["filled", "canceled"]), gone=st.integers(1, 2)),
)


def fold(history: list[AnyEvent]) -> Facts:
    facts = Facts(CID)
    for event in history:
        facts = merge(facts, event)
    return facts


@given(st.lists(events, max_size=14), st.randoms(use_true_random=False))
def test_any_order_and_any_repetition_give_the_same_facts(history: list[AnyEvent], rng: Random) -> None:
    shuffled = history + rng.sample(history, len(history) // 2)
    rng.shuffle(shuffled)
    facts = fold(shuffled)
    assert facts == fold(history)
    state_of(facts)
    assert facts.overfilled >= 0


@given(events)
def test_events_survive_the_journal(event: AnyEvent) -> None:
    (again,) = decode_events([1], [encode_event(event)], Path("j.db"))
    assert again == event
    assert type(again) is type(event)


@given(st.randoms(use_true_random=False))
def test_every_life_ends_as_the_ledger_says(rng: Random) -> None:
    life = changes.life(rng, CID, "17")
    history = life.events + rng.sample(life.events, len(life.events) // 2)
    rng.shuffle(history)
    facts = fold(history)
    assert facts.terms == life.terms
    assert (facts.filled, facts.overfilled, facts.unsettled) == (life.filled, Amount(0), ())
    assert state_of(facts) is life.state
    rows = list(enumerate(life.events, 1))
    kept = [event for _, event in compacted(rows, keep_fills=False)]
    assert (fold(kept).terms, fold(kept).filled, state_of(fold(kept))) == (life.terms, life.filled, life.state)
    if life.state in FINAL and len(life.events) > 12:
        assert len(kept) < len(life.events)


@given(st.randoms(use_true_random=False), st.integers(1, 20))
def test_while_nobody_knows_the_order_is_not_taken_for_filled(rng: Random, amount: int) -> None:
    facts = fold([WISH, Amending(CID, 2, number=1, amount=Amount(amount), price=Amount(100))])
    facts = merge(facts, Sending(CID, 2, action="amend", number=1))
    facts = merge(facts, FillSeen(CID, 3, trade_id="1", price=Amount(100), amount=Amount(rng.randint(1, 20))))
    most = max(Amount(10), Amount(amount))
    assert facts.most == most
    assert (state_of(facts) is OrderState.FILLED) is (facts.filled >= most)
    assert facts.overfilled == max(Amount(0), facts.filled - most)


def shown(amount: int | None, price: int | None = 100, **more: object) -> Order:
    numbers = {"amount": amount, "price": price}
    made = {name: None if value is None else Amount(value) for name, value in numbers.items()}
    return Order(id="17", symbol="BTC/USDT", side="buy", type="limit", state=OrderState.OPEN, **made, **more)


def sight(facts: Facts, order: Order) -> Amended | None:
    assert facts.intent is not None
    return sight_of(facts.intent, facts.amends, facts.foreign, order, 9)


def test_what_a_sight_proves_and_what_it_does_not() -> None:
    wished = fold([WISH, wish(1), Sending(CID, 2, action="amend", number=1)])
    assert sight(wished, shown(10)) is None
    assert sight(wished, shown(None)) is None
    proof = sight(wished, shown(9, 101))
    assert proof is not None
    assert (proof.number, proof.amount) == (1, Amount(9))
    done = merge(wished, proof)
    assert done.terms == Terms(Amount(9), Amount(101))
    assert sight(done, shown(10, 100)) is None  # an old answer
    other = sight(done, shown(3, 101))
    assert other is not None
    assert (other.number, other.after) == (0, 1)
    assert merge(done, other).terms.amount == Amount(3)
    later = fold([WISH, wish(1), proof, other, wish(2), Acked(CID, 9, action="amend", number=2)])
    assert later.terms == Terms(Amount(8), Amount(102))
    stop = Intent(CID, 1, symbol="BTC/USDT", side="buy", type="market", amount=Amount(10), stop_price=Amount(120))
    assert sight(fold([stop]), shown(3)) is None


def test_an_order_that_is_gone_is_back_when_it_is_shown() -> None:
    opened: list[AnyEvent] = [WISH, Acked(CID, 2, order_id="17"), Seen(CID, 3, state="open", order_id="17")]
    gone = fold([*opened, ByHand(CID, 4, status="canceled", reason="website", evidence="not known", gone=1)])
    assert (state_of(gone), gone.contradicted) == (OrderState.CANCELED, False)
    assert state_of(merge(gone, Seen(CID, 3, state="open", order_id="17"))) is OrderState.CANCELED
    back = merge(gone, Seen(CID, 5, state="open", order_id="17", back=1))
    assert (state_of(back), back.contradicted) == (OrderState.OPEN, True)
    assert state_of(merge(back, ByHand(CID, 6, status="expired", evidence="again", gone=2))) is OrderState.EXPIRED


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Journal]:
    opened = Journal(tmp_path_factory.mktemp("journal") / "j.db")
    opened.open()
    yield opened
    opened.close()


@given(st.randoms(use_true_random=False), st.integers(0, 4), st.integers(0, 4))
def test_a_late_fill_of_a_replaced_order_counts_once_for_that_order(
    journal: Journal, rng: Random, early: int, late: int
) -> None:
    """Two orders, two ids at the venue; fills are told by id, twice, before and after anything else."""
    store = ScratchStore(journal)
    new_id = "plaaaaaaaa000002bbbb"
    old: list[AnyEvent] = [
        WISH,
        Sending(CID, 2),
        Acked(CID, 3, order_id="17"),
        Seen(CID, 4, order_id="17", state="canceled", filled=Amount(early + late)),
    ]
    new: list[AnyEvent] = [
        Intent(new_id, 5, symbol="BTC/USDT", side="buy", type="limit", amount=Amount(10 - early), replaces="17"),
        Sending(new_id, 6),
        Acked(new_id, 7, order_id="18"),
    ]
    steps: list[AnyEvent | Fill] = [*old, *new]
    for number in range(early + late):
        fill = Fill(id=f"o{number}", order_id="17", symbol="BTC/USDT", side="buy", price=Amount(1), amount=Amount(1))
        steps += [fill, fill]
    fill = Fill(id="n1", order_id="18", symbol="BTC/USDT", side="buy", price=Amount(1), amount=Amount(1))
    steps += [fill, fill]
    rng.shuffle(steps)
    for step in steps:
        if isinstance(step, Fill):
            store.observe_fill(step)
        else:
            store.record(step)
    assert (store.facts(CID).filled, store.facts(new_id).filled) == (Amount(early + late), Amount(1))
    assert len(store.facts(CID).fills) == early + late
    assert store.state(CID) is OrderState.CANCELED


def test_less_than_had_traded_already_ends_as_the_venue_says() -> None:
    """It traded while the change was on its way: the venue canceled the rest."""
    traded = fold([WISH, FillSeen(CID, 2, trade_id="1", price=Amount(100), amount=Amount(8))])
    reduced = merge(
        merge(traded, Amending(CID, 3, number=1, amount=Amount(5))), Acked(CID, 4, action="amend", number=1)
    )
    assert (state_of(reduced), reduced.overfilled) == (OrderState.FILLED, Amount(0))
    assert state_of(merge(reduced, Seen(CID, 5, state="canceled", filled=Amount(8)))) is OrderState.CANCELED
