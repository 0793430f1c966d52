"""Shares of the histories of `benchmarks.safety.histories`, the cost of many fills, and fills told by themselves."""

from __future__ import annotations

import logging
import time
from pathlib import Path

import msgspec
import pytest
from benchmarks.safety import histories

from planar.models import Amount, Fee, Fill, OrderState
from planar.orders import early
from planar.orders.early import EarlyFills
from planar.orders.events import Absent, Acked, FillSeen, Intent, Seen, Sending
from planar.orders.journal import Journal
from planar.orders.machine import Facts, merge, state_of
from planar.orders.store import OrderStore

CID = histories.CLIENT_ID


def trade(name: str, amount: str = "0.5", order_id: str | None = "17", symbol: str = "BTC/USDT") -> Fill:
    fees = (Fee(cost=Amount("0.001"), currency="BNB"),)
    return Fill(
        id=name, order_id=order_id, symbol=symbol, side="buy", price=Amount(10), amount=Amount(amount), fees=fees
    )


@pytest.fixture
def store(tmp_path: Path) -> OrderStore:
    journal = Journal(tmp_path / "j.db")
    journal.open()
    store = OrderStore(journal)
    store.record(Intent(CID, 1, symbol="BTC/USDT", side="buy", type="limit", amount=Amount(1)), Sending(CID, 2))
    return store


@pytest.mark.parametrize("race", [None, *histories.RACES])
def test_every_history_ends_as_the_ledger_says(race: str | None) -> None:
    assert histories.run(2_000, 7, race).wrong == ()


def test_the_judge_sees_a_fill_that_is_missing() -> None:
    fill = FillSeen(CID, 1, trade_id="1", amount=Amount(1), price=Amount(2))
    life = histories.History(OrderState.OPEN, (fill,), (fill,))
    assert histories.differs(life, histories.fold(life.events)) is None
    assert histories.differs(life, Facts(CID)) is not None


def test_ten_thousand_fills_of_one_order() -> None:
    facts = Facts(CID)
    began = time.process_time()
    for n in range(10_000):
        facts = merge(facts, FillSeen(CID, n, trade_id=str(n * 7919 % 10_000), price=Amount(3), amount=Amount("0.1")))
        assert facts.filled <= 1_000
    assert time.process_time() - began < 5
    assert (facts.filled, facts.cost, len(facts.fills)) == (Amount(1_000), Amount(3_000), 10_000)


def test_an_execution_goes_above_a_proof_of_absence() -> None:
    facts = merge(Facts(CID), Absent(CID, 1))
    traded = merge(facts, FillSeen(CID, 2, trade_id="1", price=Amount(1), amount=Amount("0.1")))
    assert state_of(traded) is OrderState.OPEN
    assert traded.contradicted


def test_a_fill_that_is_told_before_the_ack_is_applied_with_it(store: OrderStore) -> None:
    store.observe_fill(trade("t1"))
    assert not store.facts(CID).fills
    store.record(Acked(CID, 3, order_id="17"))
    store.observe_fill(trade("t1"))
    order = store.order(CID)
    assert order.filled == Amount("0.5")
    assert [(fee.cost, fee.currency) for fee in order.fees] == [(Amount("0.001"), "BNB")]
    assert sum(isinstance(event, FillSeen) for event in store.journal.events()) == 1


def test_a_fill_after_the_end_is_applied_and_one_too_much_is_said(
    store: OrderStore, caplog: pytest.LogCaptureFixture
) -> None:
    store.record(Acked(CID, 3, order_id="17"), Seen(CID, 4, order_id="17", state="canceled", filled=Amount(0)))
    store.observe_fill(trade("t1"))
    assert store.state(CID) is OrderState.CANCELED
    assert store.order(CID).filled == Amount("0.5")
    with caplog.at_level(logging.ERROR):
        store.observe_fill(trade("t2", "0.75"))
    assert store.order(CID).filled == Amount("1.25")
    assert store.facts(CID).overfilled == Amount("0.25")
    assert "filled beyond its amount, by 0.25" in caplog.text


def test_what_is_not_ours_or_of_another_market_is_left_alone(store: OrderStore) -> None:
    store.record(Acked(CID, 3, order_id="17"))
    store.observe_fill(trade("t1", symbol="ETH/USDT"))
    store.observe_fill(trade("t1", order_id=None))
    assert not store.facts(CID).fills


def test_what_waits_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(early, "KEPT", 2)
    waiting = EarlyFills()
    for name in ("1", "2", "3"):
        waiting.add(trade(name, order_id=name))
        waiting.add(msgspec.structs.replace(trade(name, order_id=name)))
    assert len(waiting) == 2
    assert waiting.take("BTC/USDT", "1") == ()
    assert [fill.id for fill in waiting.take("BTC/USDT", "3")] == ["3"]
    assert len(waiting) == 1
