"""Compaction keeps what orders came to, whatever dies on the way."""

from __future__ import annotations

import multiprocessing
import os
import signal
from pathlib import Path

import pytest
from journal_kit import DAY_MS, KINDS, filled_journal, opened

from planar.errors import JournalLocked
from planar.models import OrderState
from planar.orders import points
from planar.orders.events import FillSeen
from planar.orders.journal import Journal
from planar.orders.journal_check import check_journal
from planar.orders.journal_compact import COMPACT_POINTS, compact
from planar.orders.machine import FINAL, Facts
from planar.orders.store import OrderStore

ORDERS = 10 * KINDS
HALF_MS = 35 * DAY_MS


def look(path: Path) -> dict[str, tuple[object, ...]]:
    """What each order of a journal comes to, for whoever asks."""
    journal = Journal(path)
    journal.open(read_only=True)
    store = OrderStore(journal)
    store.replay()

    def seen(facts: Facts, state: OrderState) -> tuple[object, ...]:
        wish = facts.intent.intent_id if facts.intent else ""
        by_id = store.find("BTC/USDT", facts.order_id) if facts.order_id else facts.client_id
        return (state, facts.intent, facts.filled, facts.cost, facts.order_ids, store.by_intent(wish), by_id)

    found = {name: seen(store.facts(name), store.state(name)) for name in store.names()}
    journal.close()
    return found


def events(path: Path) -> list[object]:
    journal = Journal(path)
    journal.open(read_only=True)
    found: list[object] = list(journal.events())
    journal.close()
    return found


@pytest.mark.parametrize("keep_fills", [False, True])
def test_every_order_comes_to_the_same_in_fewer_events(tmp_path: Path, keep_fills: bool) -> None:
    path = tmp_path / "j.db"
    filled_journal(path, ORDERS, days_apart=1).close()
    before, all_events = look(path), events(path)
    done = compact(path, HALF_MS, keep_fills=keep_fills)
    assert look(path) == before
    left = events(path)
    assert len(left) == done.rows_after < done.rows_before == len(all_events)
    assert done.orders == 15  # three of seven kinds can be said in fewer events, in the older half
    fills = [event for event in left if isinstance(event, FillSeen)]
    assert len(fills) == (30 if keep_fills else 15)
    assert check_journal(path).faults == ()


def test_younger_and_unfinished_orders_are_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    filled_journal(path, ORDERS, days_apart=1).close()
    before = events(path)
    compact(path, HALF_MS, keep_fills=False)
    states = {name: seen[0] for name, seen in look(path).items()}
    kept = events(path)
    for event in before:
        client_id: str = event.client_id  # type: ignore[attr-defined]
        number = int(client_id[-10:-4])
        if states[client_id] not in FINAL or number > 36:
            assert event in kept


def test_the_next_number_and_later_events_are_what_they_were(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    filled_journal(path, ORDERS).close()
    assert compact(path, HALF_MS, keep_fills=False).orders == 30
    assert compact(path, HALF_MS, keep_fills=False).orders == 0
    journal = opened(path)
    assert journal.next_number() == ORDERS + 1
    store = OrderStore(journal)
    store.replay()
    name = next(name for name in store.names() if store.state(name) is OrderState.FILLED)
    last = FillSeen(name, 9, trade_id=f"t{name}1", price=store.facts(name).cost, amount=store.facts(name).filled)
    store.record(last)
    assert store.state(name) is OrderState.FILLED
    journal.close()
    assert check_journal(path).faults == ()
    assert events(path)[-1] == last


def test_it_refuses_while_a_program_writes(tmp_path: Path) -> None:
    journal = filled_journal(tmp_path / "j.db", KINDS)
    with pytest.raises(JournalLocked):
        compact(tmp_path / "j.db", HALF_MS, keep_fills=False)
    journal.close()


def _compact_and_die(path: Path, where: str) -> None:
    def die(point: str) -> None:
        if point == where:
            os.kill(os.getpid(), signal.SIGKILL)

    points.observe(die)
    compact(path, HALF_MS, keep_fills=False)


@pytest.mark.parametrize("where", COMPACT_POINTS)
def test_whatever_dies_on_the_way_it_is_as_it_was_or_compacted(tmp_path: Path, where: str) -> None:
    path = tmp_path / "j.db"
    filled_journal(path, ORDERS).close()
    before, was = look(path), events(path)
    child = multiprocessing.get_context("spawn").Process(target=_compact_and_die, args=(path, where))
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL
    assert look(path) == before
    assert check_journal(path).faults == ()
    if COMPACT_POINTS.index(where) < 2:
        assert events(path) == was
    else:
        assert len(events(path)) < len(was)
    compact(path, HALF_MS, keep_fills=False)
    assert look(path) == before
