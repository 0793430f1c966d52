"""OCO pairs, brackets and replacements on both local exchanges: linked by the exchange, or by this program where asked."""

from __future__ import annotations

import asyncio
import itertools
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from safety_kit import SYMBOL, local_of, until

import planar
from planar.errors import (
    InsufficientFunds,
    InvalidOrder,
    NotSupported,
    OrderNotFound,
    OrderUnknown,
    Outcome,
    PlanarError,
)
from planar.exchange import Exchange
from planar.models import Amount, OrderState
from planar.orders import OrderGroup
from planar.orders.journal_check import check_journal
from planar.testing.local_venue import LocalVenue, start_local_venue
from planar.transport.alarms import Alarm
from planar.venue.steering.accounts import CreateAccount
from planar.venue.steering.balances import SetBalance
from planar.venue.steering.clockwork import Freeze, Step
from planar.venue.steering.market import ShockMarket
from planar.venue.wire import LedgerQuery

VENUES = ("binance", "kraken")
PATHS = {"binance": "/api/v3/order", "kraken": "/0/private/CancelOrder"}
NUMBERS = itertools.count(1)
OPEN, FILLED, CANCELED = OrderState.OPEN, OrderState.FILLED, OrderState.CANCELED

DYING = """
import asyncio, os, sys
import msgspec, planar
from planar.orders import points
from planar.transport.local import LocalVenue

def die(point):
    if point == sys.argv[4]:
        os._exit(9)

async def main():
    local = msgspec.json.decode(sys.argv[1], type=LocalVenue)
    async with planar.open(local_venue=local) as p:
        exchange = await p.exchange(sys.argv[2], environment="local", account=sys.argv[3], enable_rate_limit=False)
        points.observe(die)
        arguments = msgspec.json.decode(sys.argv[6])
        await getattr(exchange, sys.argv[5])(*arguments[0], **arguments[1])

asyncio.run(main())
"""


@pytest.fixture(scope="module")
def running() -> Iterator[LocalVenue]:
    with start_local_venue(VENUES, seed=19) as venue:
        for name in VENUES:
            venue.command(Freeze(), venue=name)
        yield venue


class Desk:
    """One test's account on both exchanges, whose counters nobody else uses up."""

    def __init__(self, running: LocalVenue, account: str) -> None:
        self.running = running
        self.account = account
        for exchange in VENUES:
            running.command(CreateAccount(account=account, funds={"BTC": "5", "USDT": "500000"}), venue=exchange)

    async def open(self, workspace: planar.Workspace, exchange: str) -> Exchange:
        return await workspace.exchange(exchange, environment="local", account=self.account, enable_rate_limit=False)

    def rows(self, exchange: str, **query: Any) -> list[dict[str, Any]]:
        asked = LedgerQuery(kind="orders", account=self.account, **query)
        return self.running.control.ledger(asked, venue=exchange)["orders"]

    def standing(self, exchange: str) -> list[dict[str, Any]]:
        return [row for row in self.rows(exchange) if row["status"] in ("new", "pending_new")]

    def shock(self, exchange: str, percent: float) -> None:
        self.running.command(ShockMarket(symbol=SYMBOL, percent=percent), venue=exchange)
        self.running.command(Step(ms=2_000), venue=exchange)

    async def died(self, exchange: str, point: str, method: str, *args: Any, **words: Any) -> None:
        """A program that is killed when it reaches a point for the first time."""
        local = msgspec.json.encode(local_of(self.running)).decode()
        arguments = msgspec.json.encode([args, words]).decode()
        command = [sys.executable, "-c", DYING, local, exchange, self.account, point, method, arguments]
        process = await asyncio.to_thread(subprocess.run, command, timeout=60, check=False)
        assert process.returncode == 9


@pytest.fixture(autouse=True)
def desk(running: LocalVenue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setenv("PLANAR_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("PLANAR_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    running.faults.clear()
    return Desk(running, f"user{next(NUMBERS)}")


@pytest.fixture
async def workspace(running: LocalVenue) -> AsyncIterator[planar.Workspace]:
    async with planar.open(local_venue=local_of(running)) as opened:
        yield opened


@pytest.fixture(params=VENUES)
async def exchange(request: pytest.FixtureRequest, workspace: planar.Workspace, desk: Desk) -> Exchange:
    return await desk.open(workspace, request.param)


@pytest.fixture
async def kraken(workspace: planar.Workspace, desk: Desk) -> Exchange:
    return await desk.open(workspace, "kraken")


@pytest.fixture
async def binance(workspace: planar.Workspace, desk: Desk) -> Exchange:
    return await desk.open(workspace, "binance")


async def prices(exchange: Exchange) -> tuple[float, float, float]:
    """(a tenth below, the best ask, a tenth above)."""
    ask = (await exchange.fetch_order_book(SYMBOL, 5)).best_ask or 0.0
    return round(ask * 0.9, 1), round(ask, 1), round(ask * 1.1, 1)


def states(group: OrderGroup) -> dict[str, OrderState]:
    return {role: leg.snapshot.state for role, leg in group.legs.items()}


# -- pairs -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("side", ["sell", "buy"])
async def test_a_pair_arrives_as_asked_and_ends_together(side: str, exchange: Exchange, desk: Desk) -> None:
    low, _, high = await prices(exchange)
    take, stop = (high, low) if side == "sell" else (low, high)
    limit = round(stop * (0.99 if side == "sell" else 1.01), 1)
    words = {"take_profit": take, "stop_loss": stop, "stop_limit": limit, "emulate": True}
    group = await exchange.create_oco(SYMBOL, side, "0.003", **words, intent_id="way out")
    with pytest.raises(NotSupported, match="linked with others"):
        await exchange.edit_order(group.legs["take_profit"], amount="0.002")
    assert states(group) == {"take_profit": OPEN, "stop_loss": OPEN}
    assert group.emulated == (exchange.id == "kraken")
    assert ("only while it runs" in group.note) == group.emulated
    assert group.guarded == group.emulated
    arrived = {}
    for role, leg in group.legs.items():
        (arrived[role],) = desk.rows(exchange.id, client_id=leg.client_order_id)
    shown = {role: (row["kind"], row["side"], Amount(row["amount"])) for role, row in arrived.items()}
    assert shown == {
        "take_profit": ("limit", side, Amount("0.003")),
        "stop_loss": ("stop_loss_limit", side, Amount("0.003")),
    }
    assert arrived["take_profit"]["post_only"]
    assert [Amount(arrived["stop_loss"][name]) for name in ("stop_price", "price")] == [Amount(stop), Amount(limit)]
    assert Amount(arrived["take_profit"]["price"]) == Amount(take)
    assert (arrived["stop_loss"]["list_id"] == arrived["take_profit"]["list_id"] is not None) != group.emulated
    # the same wish is the same pair
    again = await exchange.create_oco(SYMBOL, side, "0.003", **words, intent_id="way out")
    assert again.id == group.id
    assert exchange.order_group("way out").id == group.id
    assert [one.id for one in exchange.order_groups()] == [group.id]
    assert group.take_profit is not None
    await exchange.cancel_order(group.take_profit.id, SYMBOL)
    await group.settled(10)
    assert states(group) == {"take_profit": CANCELED, "stop_loss": CANCELED}
    assert exchange.order_groups() == []
    assert not group.both_filled


async def test_one_exit_that_trades_ends_the_other(exchange: Exchange, desk: Desk) -> None:
    low, now, _ = await prices(exchange)
    group = await exchange.create_oco(
        SYMBOL, "sell", "0.003", take_profit=round(now * 1.01, 1), stop_loss=low, emulate=True
    )
    desk.shock(exchange.id, 3)
    await group.settled(15)
    assert group.take_profit is not None
    assert group.stop_loss is not None
    assert group.take_profit.state is FILLED
    assert group.stop_loss.state in (CANCELED, OrderState.EXPIRED)
    assert not group.stop_loss.filled
    assert not group.both_filled


async def test_without_being_asked_for_nothing_is_emulated(kraken: Exchange, desk: Desk) -> None:
    low, now, high = await prices(kraken)
    count = len(desk.rows("kraken"))
    calls = (
        kraken.create_oco(SYMBOL, "sell", "0.003", take_profit=high, stop_loss=low),
        kraken.create_bracket(SYMBOL, "buy", "0.003", now, take_profit=high, stop_loss=low),
        kraken.replace_order("O", SYMBOL, "limit", "buy", "0.003", low),
    )
    for call in calls:
        with pytest.raises(NotSupported, match="not offered") as caught:
            await call
        assert caught.value.outcome is Outcome.NOT_SENT
        assert "emulate=True" in str(caught.value.hint)
    assert len(desk.rows("kraken")) == count


async def test_exits_on_the_wrong_sides_are_refused(exchange: Exchange) -> None:
    low, now, high = await prices(exchange)
    for side, take, stop in (("sell", low, high), ("buy", high, low)):
        with pytest.raises((InvalidOrder, planar.errors.OrderImmediatelyFillable)) as caught:
            await exchange.create_oco(SYMBOL, side, "0.003", take_profit=take, stop_loss=stop, emulate=True)
        assert caught.value.outcome is Outcome.NOT_SENT
    with pytest.raises(InvalidOrder, match="not between"):
        await exchange.create_bracket(
            SYMBOL, "buy", "0.003", low, take_profit=high, stop_loss=round(now * 0.99, 1), emulate=True
        )


async def test_a_dry_run_of_a_pair_sends_nothing(exchange: Exchange, desk: Desk) -> None:
    low, _, high = await prices(exchange)
    count = len(desk.rows(exchange.id))
    words: dict[str, Any] = {"take_profit": high, "stop_loss": low, "emulate": True, "dry_run": True}
    found: Any = await exchange.create_oco(SYMBOL, "sell", "0.003", **words)
    assert [leg.member.role for leg in found.orders] == ["stop_loss", "take_profit"]
    assert (found.request is None) == found.emulated == (exchange.id == "kraken")
    assert len(found.previews) == 2
    assert not found.sent
    assert len(desk.rows(exchange.id)) == count


async def test_a_lost_answer_leaves_every_order_of_the_list_unknown_until_it_is_looked_up(
    binance: Exchange, desk: Desk
) -> None:
    await binance.reconcile()
    low, _, high = await prices(binance)
    desk.running.faults.add("drop_answer", {"method": "POST", "path": "/api/v3/orderList/oco"})
    for path in ("order", "openOrders", "allOrders"):
        desk.running.faults.add(
            "refuse_request", {"method": "GET", "path": f"/api/v3/{path}", "count": None}, status=503, body="down"
        )
    with pytest.raises(OrderUnknown) as caught:
        await binance.create_oco(
            SYMBOL, "sell", "0.003", take_profit=high, stop_loss=low, timeout_ms=700, intent_id="x"
        )
    group = caught.value.order
    assert isinstance(group, OrderGroup)
    assert set(states(group).values()) == {OrderState.UNKNOWN}
    desk.running.faults.clear()
    await group.resolved(10)
    assert set(states(group).values()) == {OPEN}
    # asked again under its name, it is the same pair
    again = await binance.create_oco(SYMBOL, "sell", "0.003", take_profit=high, stop_loss=low, intent_id="x")
    assert again.id == group.id
    assert len(desk.standing("binance")) == 2


async def test_a_refused_list_leaves_nothing(binance: Exchange, desk: Desk) -> None:
    low, _, high = await prices(binance)
    with pytest.raises(InsufficientFunds) as caught:
        await binance.create_oco(SYMBOL, "sell", "40", take_profit=high, stop_loss=low)
    assert caught.value.outcome is Outcome.REFUSED
    assert binance.order_groups() == []
    assert not desk.standing("binance")


async def test_an_emulated_pair_of_which_one_is_refused_is_taken_back(kraken: Exchange, desk: Desk) -> None:
    low, _, high = await prices(kraken)
    desk.running.command(SetBalance(account=desk.account, asset="BTC", free="0.004"), venue="kraken")
    with pytest.raises(InsufficientFunds):
        await kraken.create_oco(SYMBOL, "sell", "0.003", take_profit=high, stop_loss=low, emulate=True)
    assert not desk.standing("kraken")
    assert kraken.order_groups() == []


@pytest.mark.parametrize("nth", [1, 2])
async def test_a_lost_answer_within_an_emulated_pair_is_looked_into_before_anything_else_is_sent(
    nth: int, kraken: Exchange, desk: Desk
) -> None:
    low, _, high = await prices(kraken)
    await kraken.reconcile()
    desk.running.faults.add("drop_answer", {"path": "/0/private/AddOrder", "nth": nth})
    desk.running.faults.add("refuse_request", {"path": "/0/private/*Orders", "count": None}, status=503, body="down")
    words: dict[str, Any] = {"take_profit": high, "stop_loss": low, "emulate": True, "intent_id": "pair"}
    with pytest.raises(OrderUnknown) as caught:
        await kraken.create_oco(SYMBOL, "sell", "0.003", **words, timeout_ms=700)
    group = caught.value.order
    assert len(desk.standing("kraken")) == nth
    desk.running.faults.clear()
    await until(lambda: asyncio.sleep(0, states(group) == {"stop_loss": OPEN, "take_profit": OPEN}))
    assert len(desk.rows("kraken")) == 2
    assert (await kraken.create_oco(SYMBOL, "sell", "0.003", **words)).id == group.id
    assert group.stop_loss is not None
    await kraken.cancel_order(group.stop_loss.id, SYMBOL)
    await group.settled(10)


async def test_both_exits_that_traded_are_told_as_they_are(
    kraken: Exchange, desk: Desk, workspace: planar.Workspace
) -> None:
    told: list[Alarm] = []

    class Sink:
        async def send(self, alarm: Alarm) -> None:
            told.append(alarm)

        async def close(self) -> None:
            pass

    workspace.alarms.add(Sink())
    _, now, _ = await prices(kraken)
    group = await kraken.create_oco(
        SYMBOL, "sell", "0.003", take_profit=round(now * 1.01, 1), stop_loss=round(now * 0.99, 1), emulate=True
    )
    # no cancel gets through, while the market goes up and comes down
    desk.running.faults.add("refuse_request", {"path": PATHS["kraken"], "count": None}, status=503, body="down")
    desk.shock("kraken", 3)
    desk.shock("kraken", -6)
    desk.running.faults.clear()
    await group.settled(20)
    assert group.both_filled
    assert "both exits traded" in group.note
    await until(lambda: asyncio.sleep(0, any(alarm.kind == "order_group" for alarm in told)))


# -- dying -------------------------------------------------------------------------------------------------------------
async def test_a_restart_resumes_an_emulated_pair(desk: Desk) -> None:
    async with planar.open(local_venue=local_of(desk.running)) as first:
        kraken = await desk.open(first, "kraken")
        low, now, _ = await prices(kraken)
        group = await kraken.create_oco(
            SYMBOL, "sell", "0.003", take_profit=round(now * 1.01, 1), stop_loss=low, emulate=True, intent_id="pair"
        )
        stop_id = group.stop_loss.id if group.stop_loss is not None else ""
    desk.shock("kraken", 3)  # nobody looks after it
    assert [row["status"] for row in desk.rows("kraken", order_id=stop_id)] == ["new"]
    async with planar.open(local_venue=local_of(desk.running)) as second:
        kraken = await desk.open(second, "kraken")
        await kraken.reconcile()
        group = kraken.order_group("pair")
        await group.settled(15)
        assert states(group) == {"take_profit": FILLED, "stop_loss": CANCELED}
    async with planar.open(local_venue=local_of(desk.running)) as third:
        kraken = await desk.open(third, "kraken")
        await kraken.reconcile()
        assert kraken.order_groups() == []
        assert "take_profit traded" in kraken.order_group("pair").note


async def test_what_dies_between_two_orders_of_an_emulated_pair_goes_on_with_the_second(desk: Desk) -> None:
    async with planar.open(local_venue=local_of(desk.running)) as first:
        low, _, high = await prices(await desk.open(first, "kraken"))
    words = {"take_profit": high, "stop_loss": low, "emulate": True, "intent_id": "pair"}
    await desk.died("kraken", "answer.journaled", "create_oco", SYMBOL, "sell", "0.003", **words)
    assert [row["kind"] for row in desk.standing("kraken")] == ["stop_loss"]
    async with planar.open(local_venue=local_of(desk.running)) as second:
        kraken = await desk.open(second, "kraken")
        await kraken.reconcile()
        group = kraken.order_group("pair")
        await until(lambda: asyncio.sleep(0, states(group).get("take_profit") is OPEN))
        assert group.guarded
        assert [row["kind"] for row in desk.standing("kraken")] == ["stop_loss", "limit"]
        assert group.stop_loss is not None
        await kraken.cancel_order(group.stop_loss.id, SYMBOL)
        await group.settled(10)


@pytest.mark.parametrize("point", ["intent.journaled", "answer.read", "answer.journaled"])
@pytest.mark.parametrize("name", VENUES)
async def test_a_pair_is_neither_lost_nor_doubled_wherever_the_program_dies(name: str, point: str, desk: Desk) -> None:
    async with planar.open(local_venue=local_of(desk.running)) as first:
        low, _, high = await prices(await desk.open(first, name))
    words: dict[str, Any] = {"take_profit": high, "stop_loss": low, "emulate": True, "intent_id": "pair"}
    await desk.died(name, point, "create_oco", SYMBOL, "sell", "0.003", **words)
    async with planar.open(local_venue=local_of(desk.running)) as second:
        exchange = await desk.open(second, name)
        group = await exchange.create_oco(SYMBOL, "sell", "0.003", **words)
        await until(lambda: asyncio.sleep(0, states(group) == {"stop_loss": OPEN, "take_profit": OPEN}))
        mine = {leg.client_order_id for leg in group.legs.values()}
        assert {row["client_id"] for row in desk.standing(name)} == mine
        assert len(desk.rows(name)) == 2
        assert group.stop_loss is not None
        await exchange.cancel_order(group.stop_loss.id, SYMBOL)
        await group.settled(10)


# -- brackets ----------------------------------------------------------------------------------------------------------
async def test_the_fill_of_an_entry_starts_its_exits(exchange: Exchange, desk: Desk) -> None:
    low, now, high = await prices(exchange)
    entry = round(now * 1.005, 1)
    group = await exchange.create_bracket(
        SYMBOL, "buy", "0.003", entry, take_profit=high, stop_loss=low, emulate=True, intent_id="in and out"
    )
    await until(lambda: asyncio.sleep(0, states(group).get("take_profit") is OPEN and group.entry.state is FILLED))
    assert states(group) == {"entry": FILLED, "stop_loss": OPEN, "take_profit": OPEN}
    for role, kind in (("stop_loss", "stop_loss"), ("take_profit", "limit")):
        (row,) = desk.rows(exchange.id, client_id=group.legs[role].client_order_id)
        assert (row["kind"], row["side"], Amount(row["amount"])) == (kind, "sell", Amount("0.003"))
        assert row["status"] == "new"
    again = await exchange.create_bracket(
        SYMBOL, "buy", "0.003", entry, take_profit=high, stop_loss=low, emulate=True, intent_id="in and out"
    )
    assert again.id == group.id
    assert group.stop_loss is not None
    await exchange.cancel_order(group.stop_loss.id, SYMBOL)
    await group.settled(15)


async def test_an_entry_that_is_canceled_starts_nothing(exchange: Exchange, desk: Desk) -> None:
    low, now, high = await prices(exchange)
    entry = round(now * 0.95, 1)
    group = await exchange.create_bracket(
        SYMBOL, "buy", "0.003", entry, take_profit=high, stop_loss=low, emulate=True, post_only=True
    )
    assert group.entry is not None
    await exchange.cancel_order(group.entry.id, SYMBOL)
    await group.settled(15)
    assert group.entry.state is CANCELED
    assert not desk.standing(exchange.id)


async def test_an_entry_at_the_market(exchange: Exchange, desk: Desk) -> None:
    low, _, high = await prices(exchange)
    call = exchange.create_bracket(SYMBOL, "buy", "0.003", take_profit=high, stop_loss=low, emulate=True)
    if exchange.id == "binance":  # which takes limit orders only
        with pytest.raises(NotSupported, match="cannot be a market order"):
            await call
        return
    group = await call
    await until(lambda: asyncio.sleep(0, states(group).get("take_profit") is OPEN))
    assert group.stop_loss is not None
    await exchange.cancel_order(group.stop_loss.id, SYMBOL)
    await group.settled(15)


# -- replacing ---------------------------------------------------------------------------------------------------------
async def test_an_order_is_replaced_by_one_of_any_kind(exchange: Exchange, desk: Desk) -> None:
    low, _, high = await prices(exchange)
    old = await exchange.create_order(SYMBOL, "limit", "sell", "0.002", high)
    new = await exchange.replace_order(old.id, SYMBOL, "market", "sell", "0.003", emulate=True, trigger_price=low)
    assert new.state is OPEN
    assert (await old.settled(5)).state is CANCELED
    (row,) = desk.rows(exchange.id, client_id=new.client_order_id)
    assert (row["kind"], Amount(row["stop_price"])) == ("stop_loss", Amount(low))
    await exchange.cancel_order(new.id, SYMBOL)
    # what has ended cannot be replaced
    with pytest.raises(PlanarError) as caught:
        await exchange.replace_order(old.id, SYMBOL, "limit", "sell", "0.003", high, emulate=True)
    assert caught.value.outcome in (Outcome.NOT_SENT, Outcome.REFUSED)


async def test_no_new_order_leaves_while_the_cancel_of_the_old_one_is_not_proven(kraken: Exchange, desk: Desk) -> None:
    low, _, _ = await prices(kraken)
    old = await kraken.create_order(SYMBOL, "limit", "buy", "0.002", low)
    desk.running.faults.add("drop_answer", {"path": PATHS["kraken"], "count": None})
    with pytest.raises(PlanarError) as caught:
        await kraken.replace_order(
            old.id, SYMBOL, "limit", "buy", "0.003", low, emulate=True, timeout_ms=1_200, intent_id="r"
        )
    assert caught.value.outcome is Outcome.NOT_SENT
    assert "the new order was not sent" in caught.value.message
    assert not desk.standing("kraken")
    desk.running.faults.clear()
    # the same wish goes on from where it was: the old order is canceled by now
    new = await kraken.replace_order(old.id, SYMBOL, "limit", "buy", "0.003", low, emulate=True, intent_id="r")
    assert new.state is OPEN
    assert len(desk.standing("kraken")) == 1
    await kraken.cancel_order(new.id, SYMBOL)


async def test_a_cancel_that_is_confirmed_and_does_nothing_is_no_proof(kraken: Exchange, desk: Desk) -> None:
    low, _, _ = await prices(kraken)
    old = await kraken.create_order(SYMBOL, "limit", "buy", "0.002", low)
    yes = '{"error":[],"result":{"count":1}}'
    desk.running.faults.add("refuse_request", {"path": PATHS["kraken"], "count": None}, status=200, body=yes)
    with pytest.raises(PlanarError, match="is open, not canceled; the new order was not sent") as caught:
        await kraken.replace_order(old.id, SYMBOL, "limit", "buy", "0.003", low, emulate=True, timeout_ms=2_000)
    assert caught.value.outcome is Outcome.NOT_SENT
    assert [row["id"] for row in desk.standing("kraken")] == [old.id]


async def test_an_unknown_order_is_not_replaced(exchange: Exchange, desk: Desk) -> None:
    await exchange.reconcile()
    low, _, _ = await prices(exchange)
    place = {"binance": "/api/v3/order", "kraken": "/0/private/AddOrder"}[exchange.id]
    desk.running.faults.add("drop_answer", {"method": "POST", "path": place})
    desk.running.faults.add("refuse_request", {"path": "*rders", "count": None}, status=503, body="down")
    desk.running.faults.add("refuse_request", {"method": "GET", "path": place, "count": None}, status=503, body="down")
    with pytest.raises(OrderUnknown) as caught:
        await exchange.create_order(SYMBOL, "limit", "buy", "0.002", low, timeout_ms=600)
    name = caught.value.client_id or ""
    with pytest.raises(InvalidOrder, match="nobody knows yet") as refused:
        await exchange.replace_order(name, SYMBOL, "limit", "buy", "0.003", low, emulate=True)
    assert refused.value.outcome is Outcome.NOT_SENT
    desk.running.faults.clear()
    order = await caught.value.order.resolved(15)
    assert order.state is OPEN
    await exchange.cancel_order(order.id, SYMBOL)


async def test_what_dies_between_the_halves_neither_doubles_nor_forgets(desk: Desk, tmp_path: Path) -> None:
    async with planar.open(local_venue=local_of(desk.running)) as first:
        kraken = await desk.open(first, "kraken")
        low, _, _ = await prices(kraken)
        old = (await kraken.create_order(SYMBOL, "limit", "buy", "0.002", low)).snapshot
    words = {"emulate": True, "intent_id": "better"}
    wish = (old.id, SYMBOL, "limit", "buy", "0.003", round(low * 1.01, 1))
    await desk.died("kraken", "replaced.canceled", "replace_order", *wish, **words)
    assert [row["status"] for row in desk.rows("kraken", order_id=old.id)] == ["canceled"]
    assert not desk.standing("kraken")
    async with planar.open(local_venue=local_of(desk.running)) as second:
        kraken = await desk.open(second, "kraken")
        found = await kraken.reconcile()
        assert len(found.not_sent) == 1  # it is told, and certain
        for _ in range(2):
            new = await kraken.replace_order(*wish, **words)
        assert [row["client_id"] for row in desk.standing("kraken")] == [new.client_order_id]
        await kraken.cancel_order(new.id, SYMBOL)
    for path in (tmp_path / "state" / "journal").rglob("*.db"):
        assert check_journal(path).faults == ()


async def test_linked_orders_have_names_of_their_own(exchange: Exchange) -> None:
    with pytest.raises(planar.errors.JournalError, match="not open"):
        exchange.order_groups()
    await exchange.reconcile()
    with pytest.raises(OrderNotFound, match="no linked orders"):
        exchange.order_group("nothing")
    low, _, high = await prices(exchange)
    order = await exchange.create_order(SYMBOL, "limit", "buy", "0.002", low, intent_id="one")
    with pytest.raises(InvalidOrder, match="names the single order") as caught:
        await exchange.create_oco(
            SYMBOL, "sell", "0.003", take_profit=high, stop_loss=low, emulate=True, intent_id="one"
        )
    assert caught.value.outcome is Outcome.NOT_SENT
    await exchange.cancel_order(order.id, SYMBOL)


async def test_what_the_account_does_not_have_is_refused_before_anything_is_sent(
    exchange: Exchange, desk: Desk
) -> None:
    low, _, high = await prices(exchange)
    await exchange.reconcile()
    await exchange.fetch_balance()
    with pytest.raises(InsufficientFunds) as caught:
        await exchange.create_oco(SYMBOL, "sell", "40", take_profit=high, stop_loss=low, emulate=True)
    assert caught.value.outcome is Outcome.NOT_SENT
    assert desk.rows(exchange.id) == []
