"""Orders that ended long ago are read from the journal again, and are what they were."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from journal_kit import KINDS, filled_journal

from planar.errors import JournalError
from planar.models import Amount
from planar.orders import shelf
from planar.orders.events import FillSeen
from planar.orders.journal_check import check_journal
from planar.orders.store import OrderStore

ORDERS = 20 * KINDS


@pytest.fixture
def stores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[OrderStore, OrderStore]:
    """The same journal twice: with all facts in memory, and with few."""
    journal = filled_journal(tmp_path / "j.db", ORDERS)
    all_kept = OrderStore(journal)
    all_kept.replay()
    monkeypatch.setattr(shelf, "ENDED_KEPT", 5)
    few_kept = OrderStore(journal)
    few_kept.replay()
    return all_kept, few_kept


def test_they_are_what_they_were_and_memory_is_bounded(stores: tuple[OrderStore, OrderStore]) -> None:
    all_kept, few_kept = stores
    assert len(all_kept._shelf._facts) == ORDERS
    assert len(few_kept._shelf._facts) <= len(few_kept.unfinished()) + 11
    assert few_kept.unfinished() == all_kept.unfinished()
    assert len(few_kept.unfinished()) == ORDERS * 2 // KINDS
    for name in all_kept.names():
        assert few_kept.facts(name) == all_kept.facts(name)
        assert few_kept.find("BTC/USDT", f"v{name}") == all_kept.find("BTC/USDT", f"v{name}")
        assert few_kept.by_intent(f"wish {name}") == name
    assert list(few_kept.names()) == list(all_kept.names())
    assert list(few_kept.newest()) == list(reversed(list(all_kept.names())))


def test_a_late_event_of_one_of_them_is_merged_with_all_that_was(stores: tuple[OrderStore, OrderStore]) -> None:
    few_kept = stores[1]
    oldest = next(few_kept.names())
    assert oldest not in few_kept._shelf._facts
    few_kept.record(FillSeen(oldest, 9, trade_id="late", price=Amount(1), amount=Amount(1)))
    assert [fill.trade_id for fill in few_kept.facts(oldest).fills] == ["late", f"t{oldest}1", f"t{oldest}2"]
    few_kept.journal.close()
    assert check_journal(few_kept.journal.path).faults == ()


def test_one_whose_rows_were_damaged_meanwhile_is_not_made_up(stores: tuple[OrderStore, OrderStore]) -> None:
    few_kept = stores[1]
    oldest = next(few_kept.names())
    other = sqlite3.connect(few_kept.journal.path)
    other.execute("UPDATE events SET body = replace(body, '0.3', '9.3') WHERE seq = 1")
    other.commit()
    other.close()
    with pytest.raises(JournalError, match="row 1 .* is damaged"):
        few_kept.facts(oldest)
    few_kept.journal.close()
