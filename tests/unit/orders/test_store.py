"""What the store keeps in memory, and what it leaves alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from planar.models import Amount, Order, OrderState
from planar.orders import store as module
from planar.orders.events import Intent, Sending
from planar.orders.journal import Journal
from planar.orders.store import OrderStore


def seen(name: str, order_id: str, state: OrderState = OrderState.FILLED) -> Order:
    return Order(
        id=order_id,
        client_order_id=name,
        symbol="BTC/USDT",
        side="buy",
        type="limit",
        state=state,
        amount=Amount(1),
        price=Amount(5),
        filled=Amount(1) if state is OrderState.FILLED else Amount(0),
    )


@pytest.fixture
def store(tmp_path: Path) -> OrderStore:
    journal = Journal(tmp_path / "j.db")
    journal.open()
    return OrderStore(journal)


def intend(store: OrderStore, name: str, intent_id: str = "") -> None:
    store.record(
        Intent(name, 1, intent_id=intent_id, symbol="BTC/USDT", side="buy", type="limit", amount=Amount(1)),
        Sending(name, 2),
    )


def test_foreign_orders_are_left_alone(store: OrderStore) -> None:
    store.observe(seen("somebody", "1"), "stream")
    assert not store.knows("somebody")
    assert list(store.journal.events()) == []


def test_an_order_is_recognised_by_its_venue_id_when_the_client_id_is_anothers(store: OrderStore) -> None:
    intend(store, "mine", "wish")
    store.observe(seen("mine", "17", OrderState.OPEN), "answer")
    store.observe(seen("the cancel's own id", "17", OrderState.CANCELED), "cancel")
    assert store.state("mine") is OrderState.CANCELED
    assert store.find("BTC/USDT", "17") == store.find("BTC/USDT", "mine") == store.by_intent("wish") == "mine"


def test_the_same_sight_twice_is_journaled_once(store: OrderStore) -> None:
    intend(store, "mine")
    for _ in range(3):
        store.observe(seen("mine", "17", OrderState.OPEN), "stream")
    assert len(list(store.journal.events())) == 3


def test_memory_is_bounded_and_the_state_is_not_lost(store: OrderStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LAST_KEPT", 5)
    intend(store, "open")
    store.observe(seen("open", "999", OrderState.OPEN), "stream")
    for number in range(40):
        intend(store, f"o{number}")
        store.observe(seen(f"o{number}", str(number)), "answer")
    assert len(store._last) <= 11
    assert "open" in store._last
    assert store.order("o0").state is OrderState.FILLED
    assert store.order("o0").filled == 1


def test_a_replayed_journal_gives_the_same_orders(store: OrderStore, tmp_path: Path) -> None:
    for number in range(5):
        intend(store, f"o{number}", f"wish {number}")
        store.observe(seen(f"o{number}", str(number), OrderState.OPEN if number % 2 else OrderState.FILLED), "answer")
    again = OrderStore(store.journal)
    again.replay()
    assert again.unfinished() == store.unfinished() == ["o1", "o3"]
    assert [again.facts(f"o{n}") for n in range(5)] == [store.facts(f"o{n}") for n in range(5)]
    assert again.by_intent("wish 3") == "o3"
