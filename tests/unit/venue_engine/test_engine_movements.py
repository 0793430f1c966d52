"""Money on its way: statuses, confirmations, failure, addresses, wallets, sub-accounts; nothing is made or lost."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from planar.venue.engine import addresses, listing
from planar.venue.engine.enums import TransferStatus, Wallet
from planar.venue.engine.exchange import VirtualExchange
from planar.venue.engine.funds import Pace
from planar.venue.engine.ledger import EXTERNAL, FEES, PENDING
from planar.venue.engine.movements import SavedAddress
from planar.venue.engine.noise import Stream
from planar.venue.engine.rejects import EngineReject, RejectReason
from planar.venue.engine.withdrawals import WithdrawalRequest

D = Decimal
SPOT, FUNDING = Wallet.SPOT, Wallet.FUNDING


def reason_of(call, *args, **kwargs):
    with pytest.raises(EngineReject) as caught:
        call(*args, **kwargs)
    return caught.value.reason


def after(desk, ms):
    desk.now += ms
    desk.exchange.settle()


def pending(desk, asset):
    return desk.exchange.ledger.balances(PENDING).get(asset, D(0))


def test_a_deposit_is_confirmed_credited_and_then_free_to_leave(desk):
    exchange = desk.exchange
    record = exchange.deposit("cid", "ETH", D(2), network="ETH", settle_ms=7_000, unlock_ms=5_000)
    assert (record.status, record.needed, record.completed_ms) == (TransferStatus.PENDING, 6, None)
    assert desk.events == []
    assert "ETH" not in exchange.balances("cid")
    assert pending(desk, "ETH") == 2
    seen = []
    for _ in range(6):
        seen.append(record.confirmations(desk.now))
        after(desk, 1_000)
    assert seen == [0, 1, 2, 3, 4, 5]
    assert record.confirmations(desk.now) == 6
    after(desk, 999)
    assert exchange.deposits("cid")[0].status is TransferStatus.PENDING
    after(desk, 1)
    credited = exchange.deposits("cid")[0]
    assert (credited.status, credited.completed_ms) == (TransferStatus.CREDITED, desk.now)
    assert [type(event).__name__ for event in desk.events] == ["FundsMoved", "BalanceChange"]
    assert pending(desk, "ETH") == 0
    assert reason_of(desk.withdraw, "cid", "ETH", 1) is RejectReason.FUNDS_NOT_READY
    after(desk, 5_000)
    assert exchange.deposits("cid")[0].status is TransferStatus.COMPLETED
    assert desk.withdraw("cid", "ETH", 1).status is TransferStatus.COMPLETED


def test_a_deposit_that_fails_leaves_nothing_behind(desk):
    record = desk.exchange.deposit("cid", "ETH", D(1), settle_ms=None)
    after(desk, 10**9)
    assert desk.exchange.deposits("cid")[0].status is TransferStatus.PENDING
    assert record.confirmations(desk.now) == 0
    assert desk.exchange.ledger.balances(EXTERNAL)["ETH"] == -1
    failed = desk.exchange.decide(record.id, TransferStatus.FAILED)
    assert (failed.status, failed.completed_ms) == (TransferStatus.FAILED, None)
    assert desk.exchange.ledger.balances(EXTERNAL)["ETH"] == 0
    assert "ETH" not in desk.exchange.balances("cid")
    assert reason_of(desk.exchange.decide, record.id, TransferStatus.COMPLETED) is RejectReason.UNKNOWN_MOVEMENT


def test_a_withdrawal_on_its_way_holds_the_money_and_arrives_with_a_transaction(desk):
    desk.exchange.funds.pace = Pace(withdraw_ms=4_000)
    record = desk.withdraw("ann", "BTC", 2)
    assert (record.status, record.tx_id, record.is_sent(desk.now)) == (TransferStatus.PENDING, None, False)
    assert desk.balance("ann", "BTC") == (98, 0)
    assert (pending(desk, "BTC"), desk.exchange.withdrawing("ann")) == (2, {"BTC": 2})
    after(desk, 2_000)
    assert record.is_sent(desk.now)
    after(desk, 2_000)
    done = desk.exchange.withdrawals("ann")[0]
    assert (done.status, done.completed_ms) == (TransferStatus.COMPLETED, desk.now)
    assert done.tx_id is not None
    assert desk.exchange.ledger.balances(FEES)["BTC"] == done.fee > 0
    assert (pending(desk, "BTC"), desk.exchange.withdrawing("ann")) == (0, {})


@pytest.mark.parametrize("outcome", [TransferStatus.FAILED, TransferStatus.CANCELED])
def test_a_withdrawal_that_does_not_arrive_comes_back_whole(desk, outcome):
    desk.exchange.funds.pace = Pace(withdraw_ms=4_000)
    record = desk.withdraw("ann", "BTC", 2)
    if outcome is TransferStatus.CANCELED:
        assert desk.exchange.cancel_withdrawal("ann", record.id)
    else:
        desk.exchange.decide(record.id, outcome)
    assert desk.exchange.withdrawals("ann")[0].status is outcome
    assert desk.balance("ann", "BTC") == (100, 0)
    after(desk, 10_000)
    assert desk.exchange.withdrawals("ann")[0].status is outcome
    deltas = [event.delta for event in desk.events if hasattr(event, "delta")]
    assert deltas == [-2, 2]


def test_a_withdrawal_is_called_back_in_time_or_not_at_all(desk):
    desk.exchange.funds.pace = Pace(withdraw_ms=4_000)
    record = desk.withdraw("ann", "BTC", 2)
    after(desk, 2_000)
    assert not desk.exchange.cancel_withdrawal("ann", record.id)
    after(desk, 2_000)
    assert not desk.exchange.cancel_withdrawal("ann", record.id)
    assert reason_of(desk.exchange.cancel_withdrawal, "ben", record.id) is RejectReason.UNKNOWN_MOVEMENT


def test_a_withdrawal_to_an_address_of_this_exchange_is_a_deposit_there(desk):
    where = desk.exchange.deposit_address("ben", "BTC", "BTC")
    sent = desk.withdraw("ann", "BTC", 3, address=where.address, network="BTC")
    [got] = desk.exchange.deposits("ben", asset="BTC")
    assert (got.amount, got.tx_id, got.status) == (3 - sent.fee, sent.tx_id, TransferStatus.COMPLETED)


def test_only_allowed_addresses_where_the_account_says_so(desk):
    exchange = desk.exchange
    good, bad = (addresses.address("BTC", Stream(name)) for name in ("good", "bad"))
    saved = [
        SavedAddress(name="mine", asset="BTC", network="BTC", address=good),
        SavedAddress(name="old", asset="BTC", network="BTC", address=bad, allowed=False),
    ]
    exchange.save_addresses("ann", saved, allowed_only=True)
    assert desk.withdraw("ann", "BTC", 1, address=good).address == good
    assert reason_of(desk.withdraw, "ann", "BTC", 1, address=bad) is RejectReason.ADDRESS_NOT_ALLOWED
    assert reason_of(desk.withdraw, "ann", "BTC", 1) is RejectReason.ADDRESS_NOT_ALLOWED
    exchange.save_addresses("ann", saved, allowed_only=False)
    assert desk.withdraw("ann", "BTC", 1, address=bad).address == bad
    with pytest.raises(ValueError, match="same name"):
        exchange.save_addresses("ann", [saved[0], saved[0]], allowed_only=False)


def test_wallets_and_sub_accounts(desk):
    exchange = desk.exchange
    exchange.add_account("ann-2", master="ann")
    assert exchange.sub_accounts("ann") == ["ann-2"]
    with pytest.raises(ValueError, match="sub-account itself"):
        exchange.add_account("ann-3", master="ann-2")
    exchange.transfer(("ann", SPOT), ("ann", FUNDING), "BTC", D(3))
    assert exchange.funding("ann")["BTC"].free == 3
    assert desk.balance("ann", "BTC") == (97, 0)
    exchange.transfer(("ann", FUNDING), ("ann-2", SPOT), "BTC", D(1), client_id="c1")
    assert desk.balance("ann-2", "BTC") == (1, 0)
    assert [row.amount for row in exchange.transfers(["ann-2"])] == [1]
    assert desk.withdraw("ann", "BTC", 2, wallet=FUNDING).wallet is FUNDING
    refused = [
        (("ann", SPOT), ("ben", SPOT), RejectReason.NOT_RELATED),
        (("ann", SPOT), ("ann", SPOT), RejectReason.NOT_RELATED),
        (("ann", FUNDING), ("ann", SPOT), RejectReason.INSUFFICIENT_BALANCE),
    ]
    for source, target, reason in refused:
        assert reason_of(exchange.transfer, source, target, "BTC", D(1)) is reason


def test_a_transfer_that_takes_time_arrives_or_returns(desk):
    exchange = desk.exchange
    exchange.funds.pace = Pace(transfer_ms=1_000)
    exchange.transfer(("ann", SPOT), ("ann", FUNDING), "BTC", D(3))
    assert (pending(desk, "BTC"), exchange.funding("ann")) == (3, {})
    after(desk, 1_000)
    assert exchange.funding("ann")["BTC"].free == 3
    exchange.funds.pace = Pace(transfer_ms=None)
    record = exchange.transfer(("ann", FUNDING), ("ann", SPOT), "BTC", D(3))
    assert exchange.decide(record.id, TransferStatus.FAILED).status is TransferStatus.FAILED
    assert exchange.funding("ann")["BTC"].free == 3


def test_the_audit_misses_money_that_is_on_its_way(desk):
    desk.exchange.funds.pace = Pace(withdraw_ms=None)
    desk.withdraw("ann", "BTC", 2)
    assert desk.exchange.audit() == []
    row = desk.exchange.profile("ann").withdrawals.pop()
    assert desk.exchange.audit() == ["@pending BTC: 200000000 units are not the 0 that are on their way"]
    desk.exchange.profile("ann").withdrawals.append(row)


AMOUNTS = st.integers(1, 3_000_000_000).map(lambda units: D(units).scaleb(-8))
TIMES = st.sampled_from([0, 1, 500, 2_000, None])
ASSETS = ("BTC", "ETH", "XRP")


class Movements(RuleBasedStateMachine):
    """Random deposits, withdrawals, transfers and decisions: the ledger always balances, nobody is ever overdrawn."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1_760_000_000_000
        self.exchange = VirtualExchange(listing.symbols(), listing.assets(), seed=1, clock=lambda: self.now)
        self.exchange.add_account("ann")
        self.exchange.add_account("sub", master="ann")
        self.exchange.add_account("ben")

    @rule(
        account=st.sampled_from(["ann", "sub", "ben"]),
        asset=st.sampled_from(ASSETS),
        amount=AMOUNTS,
        settle_ms=TIMES,
        unlock_ms=st.sampled_from([0, 700]),
    )
    def deposit(self, account, asset, amount, settle_ms, unlock_ms) -> None:
        self.exchange.deposit(account, asset, amount, settle_ms=settle_ms, unlock_ms=unlock_ms)

    @rule(
        account=st.sampled_from(["ann", "sub", "ben"]),
        asset=st.sampled_from(ASSETS),
        amount=AMOUNTS,
        pace=TIMES,
        wallet=st.sampled_from(Wallet),
        inside=st.booleans(),
    )
    def withdraw(self, account, asset, amount, pace, wallet, inside) -> None:
        self.exchange.funds.pace = Pace(withdraw_ms=pace)
        network = self.exchange.assets[asset].networks[0].network
        where = self.exchange.deposit_address("ben", asset)
        request = WithdrawalRequest(
            asset=asset,
            amount=amount,
            address=where.address if inside else addresses.address(network, Stream("outside")),
            tag=where.tag,
            wallet=wallet,
        )
        self._try(self.exchange.withdraw, account, request)

    @rule(
        ends=st.permutations([("ann", SPOT), ("ann", FUNDING), ("sub", SPOT), ("ben", SPOT)]),
        asset=st.sampled_from(ASSETS),
        amount=AMOUNTS,
        pace=TIMES,
    )
    def transfer(self, ends, asset, amount, pace) -> None:
        self.exchange.funds.pace = Pace(transfer_ms=pace)
        self._try(self.exchange.transfer, ends[0], ends[1], asset, amount)

    @rule(ms=st.sampled_from([0, 1, 400, 3_000]))
    def wait(self, ms) -> None:
        self.now += ms
        self.exchange.settle()

    def _pending(self):
        exchange = self.exchange
        rows = [
            row
            for name in exchange.accounts()
            for row in [*exchange.deposits(name), *exchange.withdrawals(name), *exchange.transfers([name])]
        ]
        return [row for row in rows if row.status is TransferStatus.PENDING]

    @precondition(lambda self: self._pending())
    @rule(which=st.integers(0, 1_000), outcome=st.sampled_from([TransferStatus.COMPLETED, TransferStatus.FAILED]))
    def decide(self, which, outcome) -> None:
        rows = self._pending()
        self.exchange.decide(rows[which % len(rows)].id, outcome)

    @staticmethod
    def _try(call, *args) -> None:
        try:
            call(*args)
        except EngineReject as reject:
            assert reject.reason in (
                RejectReason.INSUFFICIENT_BALANCE,
                RejectReason.INVALID_AMOUNT,
                RejectReason.FUNDS_NOT_READY,
                RejectReason.NOT_RELATED,
            )

    @invariant()
    def nothing_is_made_or_lost(self) -> None:
        assert self.exchange.audit() == []
        ledger = self.exchange.ledger
        for asset in ASSETS:
            assert sum(ledger.balances(name).get(asset, D(0)) for name in ledger.accounts()) == 0
        for name in self.exchange.accounts():
            unready = self.exchange.profile(name).unready
            held = [row for row in self.exchange.deposits(name) if row.status is TransferStatus.CREDITED]
            for asset in ASSETS:
                assert unready.get(asset, 0) == int(sum(row.amount for row in held if row.asset == asset) * 10**8)


Movements.TestCase.settings = settings(
    max_examples=60, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestMovements = Movements.TestCase


@given(st.lists(st.sampled_from([0, 1, 2_500, 4_000]), max_size=6))
@settings(max_examples=20, deadline=None)
def test_the_order_of_settlement_follows_from_the_times_alone(waits):
    """What is due is done in the order of its time, however the clock is read in between."""

    def run(steps: list[int]) -> list[str]:
        now = [1_760_000_000_000]
        exchange = VirtualExchange(listing.symbols(), listing.assets(), seed=1, clock=lambda: now[0])
        exchange.add_account("ann")
        for ms in (3_000, 1_000, 2_000):
            exchange.deposit("ann", "BTC", D(ms), settle_ms=ms)
        for step in [*steps, 10_000]:
            now[0] += step
            exchange.settle()
        return [entry.reference for entry in exchange.ledger.entries()]

    assert run(waits) == run([])


def test_one_seed_makes_the_same_records():
    def run() -> bytes:
        now = [1_760_000_000_000]
        exchange = VirtualExchange(listing.symbols(), listing.assets(), seed=5, clock=lambda: now[0])
        exchange.add_account("ann")
        exchange.funds.pace = Pace(withdraw_ms=1_000)
        where = exchange.deposit_address("ann", "BTC").address
        exchange.deposit("ann", "BTC", D(2))
        exchange.withdraw("ann", WithdrawalRequest(asset="BTC", amount=D(1), address=where))
        now[0] += 2_000
        exchange.settle()
        return msgspec.json.encode([exchange.deposits("ann"), exchange.withdrawals("ann"), exchange.ledger.entries()])

    assert run() == run()
