"""The merge of order events is commutative and idempotent, and what the venue shows goes above everything else."""

from __future__ import annotations

from pathlib import Path

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from planar.models import Amount, OrderState
from planar.orders.events import (
    Absent,
    Acked,
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
from planar.orders.journal_schema import decode_events, encode_event
from planar.orders.machine import Facts, merge, state_of

CID = "plaaaaaaaa000001bbbb"
times = st.integers(1, 10_000)
amounts = st.decimals("0.001", "2", places=3).map(Amount)

intent = st.just(Intent(CID, 1, intent_id="", symbol="BTC/USDT", side="buy", type="limit", amount=Amount(1)))
events = st.one_of(
    intent,
    st.builds(Sending, st.just(CID), times, expiry_ms=st.none() | times),
    st.builds(NotSent, st.just(CID), times, reason=st.sampled_from(["", "dns"])),
    st.builds(Refused, st.just(CID), times, reason=st.sampled_from(["", "-2010"])),
    st.builds(Unknown, st.just(CID), times, reason=st.sampled_from(["", "timeout"])),
    st.builds(Acked, st.just(CID), times, order_id=st.none() | st.sampled_from(["17", "18"])),
    st.builds(
        Seen,
        st.just(CID),
        times,
        order_id=st.sampled_from([None, "17"]),
        state=st.sampled_from(["open", "filled", "canceled", "expired", "rejected"]),
        filled=st.none() | amounts,
        cost=st.none() | amounts,
        updated_ms=st.none() | times,
    ),
    # a trade id names one execution: its content never differs
    st.integers(1, 5).map(lambda n: FillSeen(CID, n, trade_id=str(n), price=Amount(10), amount=Amount("0.1") * n)),
    st.builds(Absent, st.just(CID), times),
    st.builds(ByHand, st.just(CID), times, status=st.sampled_from(["filled", "rejected"]), reason=st.just("looked")),
)


def fold(history: list[AnyEvent]) -> Facts:
    facts = Facts(CID)
    for event in history:
        facts = merge(facts, event)
    return facts


@given(st.lists(events, max_size=12), st.randoms(use_true_random=False))
def test_any_order_and_any_repetition_give_the_same_facts(history: list[AnyEvent], rng) -> None:
    shuffled = history + rng.sample(history, len(history) // 2)
    rng.shuffle(shuffled)
    assert fold(shuffled) == fold(history)


@given(st.lists(events, max_size=12))
def test_the_venue_goes_above_a_proof_or_a_refusal(history: list[AnyEvent]) -> None:
    facts = fold([*history, Absent(CID, 1), Seen(CID, 2, state="open", order_id="17")])
    assert state_of(facts) not in (OrderState.NEVER_ACCEPTED, OrderState.UNKNOWN, OrderState.PENDING)
    assert facts.contradicted


@given(st.lists(events, max_size=12))
def test_what_is_filled_never_shrinks(history: list[AnyEvent]) -> None:
    facts, filled = Facts(CID), Amount(0)
    for event in history:
        facts = merge(facts, event)
        assert facts.filled >= filled
        filled = facts.filled


@given(events)
def test_events_survive_the_journal(event: AnyEvent) -> None:
    (again,) = decode_events([1], [encode_event(event)], Path("j.db"))
    assert again == event
    assert type(again) is type(event)


def test_sent_and_nothing_more_is_unknown() -> None:
    sent = fold([Intent(CID, 1, symbol="BTC/USDT", side="buy", amount=Amount(1)), Sending(CID, 2, expiry_ms=9)])
    assert state_of(sent) is OrderState.UNKNOWN
    assert state_of(merge(sent, NotSent(CID, 3))) is OrderState.REJECTED
    assert state_of(merge(sent, Acked(CID, 3, order_id="17"))) is OrderState.OPEN
    assert state_of(merge(sent, Absent(CID, 3))) is OrderState.NEVER_ACCEPTED


def test_an_unfinished_intent_is_pending_and_full_fills_are_filled() -> None:
    wished = Intent(CID, 1, symbol="BTC/USDT", side="buy", amount=Amount("0.3"))
    assert state_of(fold([wished])) is OrderState.PENDING
    fills = [FillSeen(CID, n, trade_id=str(n), price=Amount(10), amount=Amount("0.1")) for n in (1, 2, 3)]
    assert state_of(fold([wished, *fills[:2]])) is OrderState.OPEN
    assert state_of(fold([wished, *fills, *fills])) is OrderState.FILLED
    assert fold([wished, *fills, *fills]).filled == Amount("0.3")


def test_facts_are_frozen() -> None:
    assert msgspec.structs.replace(Facts(CID), marks=("open",)) != Facts(CID)
