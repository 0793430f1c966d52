"""Reconciliation against the local Binance: the gate before new orders, orphans by policy, fills, balances, a locked
journal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest

import planar
from planar.errors import JournalLocked, Outcome, PlanarError, RequestTimeout
from planar.exchange import Exchange
from planar.models import OrderState
from planar.orders import Difference, DifferenceKind
from planar.orders.journal import Journal
from planar.streams import StreamState
from planar.transport.local import LocalVenue
from planar.venue.engine.types import OrderRef
from planar.venue.faults import DelayAnswer, FaultRule, RefuseRequest
from planar.venue.server import VenueServer
from planar.venue.wire import Wire, load_wire
from planar.workspace import Workspace

SYMBOL = "BTC/USDT"
FAR = 20_000


class Scene:
    """A local Binance in this loop, and workspaces on it."""

    def __init__(self, server: VenueServer, wire: Wire, venue: LocalVenue) -> None:
        self.server = server
        self.wire = wire
        self.venue = venue
        self.engine = wire.bench().exchange
        self.account = wire.accounts()[0].account
        self._open: list[Workspace] = []

    async def exchange(self, **options: object) -> Exchange:
        workspace = await planar.open(local_venue=self.venue).__aenter__()
        self._open.append(workspace)
        return await workspace.exchange("binance", environment="local", **{"timeout": 3_000, **options})

    async def close(self) -> None:
        """Close the workspaces that are open: their journals are free again."""
        while self._open:
            await self._open.pop().close()

    def fail(self, path: str, **rule: object) -> None:
        fault = RefuseRequest(status=503, body="down")
        self.server.faults.add(FaultRule(fault=fault, method="GET", path=f"/api/v3/{path}", **rule))  # type: ignore[arg-type]

    def status(self, order_id: str) -> str:
        return self.engine.order(self.account, SYMBOL, OrderRef(order_id=int(order_id))).status.value


@pytest.fixture
async def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Scene]:
    monkeypatch.setenv("PLANAR_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("PLANAR_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    wire = load_wire("binance", seed=1, activity=False)
    wire.bench().model.frozen = True
    server = VenueServer([wire])
    record = await server.start(unix_path=str(tmp_path / "venue.sock"))
    venue = LocalVenue(
        instance=record.instance, socket=record.socket, token=record.token, venues=list(record.venues), pid=record.pid
    )
    made = Scene(server, wire, venue)
    yield made
    await made.close()
    await server.stop()


async def lose_an_order(scene: Scene) -> tuple[str, str]:
    """An open order that the journal does not hold, since an older copy of it was restored: (client id, order id)."""
    exchange = await scene.exchange()
    await exchange.create_limit_buy_order(SYMBOL, "0.001", FAR)
    path = exchange._orders()._journal.path
    await scene.close()
    copy = path.read_bytes()
    exchange = await scene.exchange()
    order = await exchange.create_limit_buy_order(SYMBOL, "0.001", FAR + 1)
    await scene.close()
    path.write_bytes(copy)
    return order.client_order_id, order.id


async def test_an_order_is_held_back_until_the_venue_answers_and_then_goes(scene: Scene) -> None:
    exchange = await scene.exchange()
    scene.fail("openOrders", count=2)
    placing = asyncio.ensure_future(exchange.create_limit_buy_order(SYMBOL, "0.001", FAR))
    while exchange.readiness.held == 0:
        await asyncio.sleep(0)
    state = exchange.readiness
    assert (state.ready, state.waits_for, state.held) == (False, "the start", 1)
    assert (await placing).state is OrderState.OPEN
    assert exchange.readiness.ready
    assert exchange.readiness.last is not None


async def test_it_is_held_back_no_longer_than_its_deadline_and_cancels_go_at_once(scene: Scene) -> None:
    exchange = await scene.exchange()
    order = await exchange.create_limit_buy_order(SYMBOL, "0.001", FAR)
    scene.server.faults.add(
        FaultRule(fault=DelayAnswer(delay_ms=5_000), method="GET", path="/api/v3/openOrders", count=None)
    )
    exchange._orders().readiness.hold("the stream was lost")
    placing = asyncio.ensure_future(exchange.create_limit_buy_order(SYMBOL, "0.001", FAR, timeout_ms=300))
    await asyncio.sleep(0.05)
    assert (await exchange.cancel_order(order.id, SYMBOL)).state is OrderState.CANCELED
    with pytest.raises(RequestTimeout) as caught:
        await placing
    assert caught.value.outcome is Outcome.NOT_SENT
    assert "the stream was lost" in caught.value.message
    assert exchange.readiness.held == 0


async def test_a_reconnect_of_the_private_stream_holds_orders_until_a_pass(scene: Scene) -> None:
    exchange = await scene.exchange()
    await exchange.reconcile()
    async with exchange.watch_orders() as orders:
        orders.on_update(lambda order: None)
        while orders.state is not StreamState.LIVE:
            await asyncio.sleep(0.01)
        pump = orders._pump
        assert pump is not None
        pump.feed.fail(RequestTimeout("cut"))
        while orders.state is StreamState.LIVE:
            await asyncio.sleep(0)
        while orders.state is not StreamState.LIVE:
            await asyncio.sleep(0)
        assert not exchange.readiness.ready
        assert "orders was lost (cut)" in exchange.readiness.waits_for
        assert (await exchange.create_limit_buy_order(SYMBOL, "0.001", FAR)).state is OrderState.OPEN
        last = exchange.readiness.last
        assert last is not None
        assert last.reason == "reconnect"


@pytest.mark.parametrize(("policy", "expected"), [("report", "new"), ("adopt", "new"), ("cancel", "canceled")])
async def test_orphans_by_policy(scene: Scene, policy: str, expected: str) -> None:
    name, order_id = await lose_an_order(scene)
    exchange = await scene.exchange(reconcile=policy)
    told: list[Difference] = []
    exchange.on_difference(told.append)
    preview = await exchange.reconcile(dry_run=True)
    assert (preview.orphans, scene.status(order_id)) == ((name,), "new")
    found = await exchange.reconcile()
    assert found.orphans == (name,)
    orphans = [one for one in told if one.kind is DifferenceKind.ORPHAN]
    assert [(one.client_id, one.order_id, one.severity) for one in orphans] == [(name, order_id, "error")]
    assert orphans[0].action == {"report": "none", "adopt": "adopted", "cancel": "canceled"}[policy]
    assert scene.status(order_id) == expected
    again = await exchange.reconcile()
    assert again.orphans == ((name,) if policy == "report" else ())
    assert [one for one in told if one.kind is DifferenceKind.ORPHAN] == orphans


async def test_what_ended_while_nobody_looked_is_found_with_its_fills(scene: Scene) -> None:
    exchange = await scene.exchange()
    order = await exchange.create_limit_buy_order(SYMBOL, "0.001", FAR)
    await scene.close()
    scene.engine.cancel(scene.account, SYMBOL, OrderRef(order_id=int(order.id)))
    exchange = await scene.exchange()
    found = await exchange.reconcile()
    assert found.settled == (order.client_order_id,)
    assert [(one.kind, one.severity, one.action) for one in found.differences] == [
        (DifferenceKind.STATE, "info", "applied")
    ]
    assert found.reason == "start"


async def test_a_part_that_was_not_answered_is_named(scene: Scene) -> None:
    exchange = await scene.exchange()
    await exchange.create_limit_buy_order(SYMBOL, "0.001", FAR)
    scene.fail("account", count=None)
    scene.fail("allOrders", count=None)
    found = await exchange.reconcile()
    assert [(part.part, part.of) for part in found.failed] == [("history", SYMBOL), ("balances", "")]
    assert found.differences == ()
    scene.fail("openOrders", count=None)
    with pytest.raises(PlanarError):
        await exchange.reconcile()
    assert exchange.readiness.error
    scene.server.faults.clear()
    assert (await exchange.reconcile()).failed == ()
    assert exchange.readiness.error == ""


async def test_foreign_orders_are_counted_and_never_touched(scene: Scene) -> None:
    exchange = await scene.exchange(reconcile="cancel")
    before = [order.id for order in scene.engine.open_orders(scene.account)]
    assert before
    found = await exchange.reconcile()
    assert found.foreign == len(before)
    assert [order.id for order in scene.engine.open_orders(scene.account)] == before


async def test_a_balance_that_no_fill_explains_is_told_and_one_that_fills_explain_is_not(
    scene: Scene,
) -> None:
    exchange = await scene.exchange()
    await exchange.reconcile()
    bought = await exchange.create_market_buy_order(SYMBOL, "0.002")
    await bought.settled(5)
    await exchange.reconcile()
    await asyncio.sleep(1.1)  # Binance's answers may lag by a second
    for _ in range(2):
        assert (await exchange.reconcile()).differences == ()
    scene.engine.credit(scene.account, "ETH", Decimal(3), "deposit")
    assert (await exchange.reconcile()).differences == ()  # it may be a fill that nobody has heard of yet
    found = await exchange.reconcile()
    assert [(one.kind, one.currency, Decimal(one.venue)) for one in found.differences] == [
        (DifferenceKind.BALANCE, "ETH", 3)
    ]
    assert (await exchange.reconcile()).differences == ()


async def test_a_journal_that_another_process_holds_is_compared_without_writing(scene: Scene) -> None:
    holder = await scene.exchange()
    order = await holder.create_limit_buy_order(SYMBOL, "0.001", FAR)
    journal: Journal = holder._orders()._journal
    written = journal.last_seq
    other = await scene.exchange()
    with pytest.raises(JournalLocked):
        await other.reconcile()
    scene.engine.cancel(scene.account, SYMBOL, OrderRef(order_id=int(order.id)))
    found = await other.reconcile(dry_run=True)
    assert [one.kind for one in found.differences] == [DifferenceKind.STATE]
    assert journal.last_seq == written


async def test_passes_never_run_at_once_and_those_who_wait_share_one(scene: Scene) -> None:
    exchange = await scene.exchange()
    running, most, passes = 0, 0, 0
    reconciler = exchange._orders().reconciler
    original = reconciler.run

    async def counted(*args: object) -> object:
        nonlocal running, most, passes
        running, passes = running + 1, passes + 1
        most = max(most, running)
        try:
            return await original(*args)  # type: ignore[arg-type]
        finally:
            running -= 1

    exchange._orders().reconciler.run = counted  # type: ignore[method-assign, assignment]
    await asyncio.gather(*(exchange.reconcile() for _ in range(20)), exchange._orders().ready())
    assert most == 1
    assert passes <= 2
