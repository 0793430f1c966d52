"""Deposits, withdrawals, adjustments, and the ledger under them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from planar.venue.engine.enums import TransferStatus
from planar.venue.engine.events import BalanceChange, FundsMoved
from planar.venue.engine.ledger import EXTERNAL, EntryKind, Ledger
from planar.venue.engine.rejects import EngineReject, RejectReason
from planar.venue.engine.types import Balance

D = Decimal


def reason_of(call, *args, **kwargs):
    with pytest.raises(EngineReject) as caught:
        call(*args, **kwargs)
    return caught.value.reason


def test_a_deposit_is_credited_recorded_and_told(desk):
    record = desk.exchange.deposit("ann", "USDT", D("12.5"), network="TRX")
    assert (record.network, record.status, record.completed_ms) == ("TRX", TransferStatus.COMPLETED, desk.now)
    assert record.address == desk.exchange.deposit_address("ann", "USDT", "TRX").address
    assert desk.exchange.deposits("ann") == [record]
    assert desk.balance("ann", "USDT") == (D("1000012.5"), D(0))
    moved, changed = desk.events
    assert moved == FundsMoved("ann", "USDT", D("12.5"), desk.now, deposit=record)
    assert changed == BalanceChange("ann", (Balance("USDT", D("1000012.5"), D(0)),), desk.now)


def test_a_withdrawal_leaves_at_once_with_its_fee_inside(desk):
    record = desk.withdraw("ann", "BTC", 2, client_id="w1")
    assert (record.amount, record.network, record.client_id) == (D(2), "BTC", "w1")
    assert 0 < record.fee < D("0.001")
    assert desk.balance("ann", "BTC") == (D(98), D(0))
    assert desk.exchange.withdrawals("ann") == [record]
    assert desk.events[0].delta == -2


def test_transfers_are_selected_newest_first(desk):
    for amount in (1, 2, 3):
        desk.now += 10
        desk.exchange.deposit("ann", "BTC", D(amount))
    desk.exchange.deposit("ann", "ETH", D(1))
    amounts = [record.amount for record in desk.exchange.deposits("ann", asset="BTC")]
    assert amounts == [3, 2, 1]
    middle = desk.exchange.deposits("ann", start_ms=desk.now - 10, end_ms=desk.now - 1)
    assert [record.amount for record in middle] == [2]


def test_ids_and_addresses_differ(desk):
    ids = {desk.exchange.deposit("ann", "BTC", D(1)).tx_id for _ in range(10)}
    assert len(ids) == 10
    addresses = {desk.exchange.deposit_address(who, "BTC").address for who in ("ann", "ben", "cid")}
    assert len(addresses) == 3
    assert desk.exchange.deposit_address("ann", "XRP").tag


def test_what_is_refused(desk):
    exchange = desk.exchange
    assert reason_of(exchange.deposit, "ann", "NOPE", D(1)) is RejectReason.UNKNOWN_ASSET
    assert reason_of(exchange.deposit, "ann", "BTC", D(1), network="TRX") is RejectReason.UNKNOWN_ASSET
    assert reason_of(exchange.deposit, "ann", "BTC", D(0)) is RejectReason.INVALID_AMOUNT
    assert reason_of(exchange.deposit, "ann", "BTC", D("1e-9")) is RejectReason.INVALID_AMOUNT
    assert reason_of(desk.withdraw, "ann", "BTC", "1e-8") is RejectReason.INVALID_AMOUNT
    assert reason_of(desk.withdraw, "ann", "BTC", 1_000) is RejectReason.INVALID_AMOUNT
    assert reason_of(desk.withdraw, "cid", "ETH", 1) is RejectReason.INSUFFICIENT_BALANCE
    desk.put("ann", "sell", "99", "70000")
    assert reason_of(desk.withdraw, "ann", "BTC", 2) is RejectReason.INSUFFICIENT_BALANCE
    assert reason_of(desk.withdraw, "ann", "BTC", 1, address="0xabc") is RejectReason.INVALID_ADDRESS
    assert reason_of(desk.withdraw, "ann", "XRP", 10) is RejectReason.MISSING_TAG
    assert reason_of(exchange.credit, "ann", "BTC", D(-2), "no") is RejectReason.INSUFFICIENT_BALANCE


def test_set_balance_moves_only_what_is_free(desk):
    desk.put("ann", "buy", "1", "100")
    desk.exchange.set_balance("ann", "USDT", D(5))
    assert desk.balance("ann", "USDT") == (D(5), D(100))
    with pytest.raises(ValueError, match="negative"):
        desk.exchange.set_balance("ann", "USDT", D(-1))


def test_accounts_open_once_and_not_under_a_reserved_name(desk):
    assert desk.exchange.accounts() == ["ann", "ben", "cid"]
    for name in ("ann", "@fees"):
        with pytest.raises(ValueError, match=r"exists|reserved"):
            desk.exchange.add_account(name)


def test_the_ledger_shows_every_movement_as_postings_that_sum_to_zero(desk):
    before = len(desk.exchange.ledger)
    desk.put("ann", "sell", "1", "100")
    desk.put("ben", "buy", "1", "100")
    desk.exchange.deposit("ben", "BTC", D(1))
    trade, deposit = desk.exchange.ledger.entries(from_id=before)
    assert (trade.kind, deposit.kind) == (EntryKind.TRADE, EntryKind.DEPOSIT)
    assert {(p.account, p.asset): p.amount for p in trade.postings} == {
        ("ben", "BTC"): D("0.999"),
        ("ben", "USDT"): D(-100),
        ("ann", "BTC"): D(-1),
        ("ann", "USDT"): D("99.9"),
        ("@fees", "BTC"): D("0.001"),
        ("@fees", "USDT"): D("0.1"),
    }
    assert desk.exchange.ledger.entries(account="ann", from_id=before) == [trade]
    assert desk.exchange.ledger.entries(from_id=before, limit=1) == [trade]
    total = sum(desk.exchange.ledger.balances(account).get("BTC", D(0)) for account in desk.exchange.ledger.accounts())
    assert total == 0


def test_the_audit_finds_what_does_not_agree():
    ledger = Ledger()
    ledger.open("ann")
    ledger.post(1, EntryKind.DEPOSIT, "one", (("ann", "BTC", 5), (EXTERNAL, "BTC", -5)))
    assert ledger.audit() == []
    ledger.post(2, EntryKind.TRADE, "two", (("ann", "BTC", -6), (EXTERNAL, "BTC", 5)))
    assert ledger.audit() == ["entry 1 (two) makes ann BTC negative", "entry 1 (two) leaves -1 BTC"]
    ledger = Ledger()
    ledger.open("ann")["BTC"] = 1
    assert ledger.audit() == ["balance of ann BTC is not the sum of its postings"]
