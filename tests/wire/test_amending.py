"""Orders that are changed, on both local exchanges, with the venue's ledger as the judge."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from safety_kit import SYMBOL, asked_in, local_of

import planar
from planar.errors import (
    InsufficientFunds,
    InvalidOrder,
    LimitExceeded,
    NoChange,
    NotSupported,
    OrderNotFound,
    OrderUnknown,
    Outcome,
    PlanarError,
)
from planar.exchange import Exchange
from planar.models import Amount, OrderState
from planar.orders.editing import EditPreview
from planar.orders.events import Amending
from planar.testing.local_venue import LocalVenue, start_local_venue
from planar.transport.context import CallContext, Priority, calling
from planar.venue.faults import (
    DelayRequest,
    DropAnswer,
    DropRequest,
    FaultRule,
    RefuseRequest,
    ReplaceAnswer,
    StaleRead,
)
from planar.venue.steering.accounts import CreateAccount
from planar.venue.wire import LedgerQuery

VENUES = ("binance", "kraken")
AMENDS = {
    "binance": {"method": "PUT", "path": "/api/v3/order/amend/keepPriority"},
    "kraken": {"method": "POST", "path": "/0/private/AmendOrder"},
}
QUERIES = {
    "binance": {"method": "GET", "path": "/api/v3/order"},
    "kraken": {"method": "POST", "path": "/0/private/QueryOrders"},
}


@pytest.fixture(scope="module")
def running() -> Iterator[LocalVenue]:
    with start_local_venue(VENUES, seed=11) as venue:
        yield venue


@pytest.fixture(autouse=True)
def state(running: LocalVenue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PLANAR_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("PLANAR_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    running.faults.clear()
    running.control.market("resume")
    return tmp_path / "state"


@pytest.fixture
async def workspace(running: LocalVenue) -> AsyncIterator[planar.Workspace]:
    async with planar.open(local_venue=local_of(running)) as opened:
        yield opened


@pytest.fixture
def person(running: LocalVenue) -> str:
    """An account of the test's own at each exchange: Kraken's counters of an account are soon full."""
    name = f"p{len(running.control.accounts())}"
    for exchange in VENUES:
        running.control.command(CreateAccount(account=name, funds={"USDT": "10000", "BTC": "1"}), venue=exchange)
    return name


@pytest.fixture(params=VENUES)
async def exchange(request: pytest.FixtureRequest, workspace: planar.Workspace, person: str) -> Exchange:
    return await workspace.exchange(
        request.param, environment="local", account=person, timeout=4_000, enableRateLimit=False, order_entry="rest"
    )


@pytest.fixture
async def binance(workspace: planar.Workspace, person: str) -> Exchange:
    return await workspace.exchange("binance", environment="local", account=person, timeout=4_000, order_entry="rest")


def rows(running: LocalVenue, exchange: Exchange) -> list[dict[str, Any]]:
    """The account's orders in the ledger, oldest first."""
    found = running.control.ledger(LedgerQuery(kind="orders", account=exchange.account), venue=exchange.id)
    return found["orders"]


def row_of(running: LocalVenue, exchange: Exchange, order_id: str) -> dict[str, Any]:
    return next(row for row in rows(running, exchange) if str(row["id"]) == order_id)


async def best(exchange: Exchange, running: LocalVenue) -> Amount:
    """A price above all bids of a market that stands still: an order to buy there is the first that trades."""
    running.control.market("freeze", venue=exchange.id)
    book = await exchange.fetch_order_book(SYMBOL)
    assert book.best_bid is not None
    assert book.best_ask is not None
    price = Amount(str(round(book.best_bid + 0.1, 1)))
    assert price < book.best_ask
    return price


async def sell_to_it(exchange: Exchange, workspace: planar.Workspace, amount: str, price: Amount) -> None:
    """Somebody else sells into the order."""
    other = await workspace.exchange(exchange.id, environment="local", account="bob", enableRateLimit=False)
    sold = await other.create_limit_sell_order(SYMBOL, amount, price, {"timeInForce": "IOC"})
    assert (await sold.settled(5)).filled == Amount(amount)


async def low(exchange: Exchange, share: float = 0.8) -> float:
    bid = (await exchange.fetch_order_book(SYMBOL)).best_bid
    assert bid is not None
    return round(bid * share, 1)


async def test_less_of_an_order_in_place(exchange: Exchange, running: LocalVenue, state: Path) -> None:
    order = await exchange.create_limit_buy_order(SYMBOL, "0.002", await low(exchange))
    order_id, client_id = order.id, order.client_order_id
    same = await exchange.edit_order(order, amount="0.001", intent_id="less")
    assert (same.id, same.client_order_id) == (order_id, client_id)
    assert (same.state, same.amount, order.amount) == (OrderState.OPEN, Amount("0.001"), Amount("0.001"))
    shown = await exchange.fetch_order(order_id, SYMBOL)
    assert (shown.amount, shown.client_order_id) == (Amount("0.001"), client_id)
    again = await exchange.edit_order(order, amount="0.001", intent_id="less")
    assert again.client_order_id == client_id
    assert [line["intent_id"] for line in await asked_in(state, 1, call="edit_order")] == ["less"]
    (entry,) = [row for row in rows(running, exchange) if row.get("client_id") == client_id]
    assert Amount(entry["amount"]) == Amount("0.001")


async def test_a_price_and_more_of_it(exchange: Exchange, running: LocalVenue) -> None:
    """Kraken changes it in place; on Binance another order comes in its place."""
    low_price = await low(exchange)
    order = await exchange.create_limit_buy_order(SYMBOL, "0.002", low_price)
    old_id = order.id
    changed = await exchange.edit_order(order.id, SYMBOL, "limit", "buy", "0.003", low_price + 10)
    assert (changed.state, changed.amount, changed.price) == (
        OrderState.OPEN,
        Amount("0.003"),
        Amount(str(low_price + 10)),
    )
    assert (changed.id == old_id) is (exchange.id == "kraken")
    if exchange.id == "binance":
        assert (await order.settled(5)).state is OrderState.CANCELED
    assert [
        str(row["id"])
        for row in rows(running, exchange)
        if row["client_id"] in exchange.orders and exchange.orders[row["client_id"]].is_open
    ] == [changed.id]
    shown = await exchange.fetch_order(changed.id, SYMBOL)
    assert (shown.amount, shown.price) == (changed.amount, changed.price)


async def test_what_traded_already_counts(exchange: Exchange, running: LocalVenue, workspace: planar.Workspace) -> None:
    price = await best(exchange, running)
    order = await exchange.create_limit_buy_order(SYMBOL, "0.01", price)
    await sell_to_it(exchange, workspace, "0.004", price)
    with pytest.raises(InvalidOrder, match="not above the 0.004") as caught:
        await exchange.fetch_order(order.id, SYMBOL)
        await exchange.edit_order(order, amount="0.004")
    assert caught.value.outcome is Outcome.NOT_SENT
    assert order.amount == Amount("0.01")
    changed = await exchange.edit_order(order, amount="0.008", price=price - 5)
    total = Amount(0)
    if exchange.id == "kraken":
        assert (changed.id, changed.amount, changed.filled) == (order.id, Amount("0.008"), Amount("0.004"))
    else:
        assert (changed.amount, changed.filled) == (Amount("0.004"), Amount(0))
        assert ((await order.settled(5)).state, order.filled) == (OrderState.CANCELED, Amount("0.004"))
        total = order.filled
    await exchange.edit_order(changed, price=price)
    newest = exchange.orders.open[-1]
    await sell_to_it(exchange, workspace, "0.004", price)
    done = await newest.settled(5)
    assert done.state is OrderState.FILLED
    assert total + done.filled == Amount("0.008")
    for fill in await exchange.fetch_my_trades(SYMBOL):
        exchange._observe_fill(fill)
        exchange._observe_fill(fill)
    assert total + newest.filled == Amount("0.008")


async def test_what_is_refused_before_anything_is_sent(exchange: Exchange, running: LocalVenue) -> None:
    low_price = await low(exchange)
    order = await exchange.create_limit_buy_order(SYMBOL, "0.002", low_price)
    made = len(rows(running, exchange))
    with pytest.raises(NoChange):
        await exchange.edit_order(order, amount="0.002", price=low_price)
    with pytest.raises(NotSupported, match="side is buy"):
        await exchange.edit_order(order.id, SYMBOL, "limit", "sell", "0.002", low_price + 1)
    with pytest.raises(InvalidOrder, match="lot size|decimals"):
        await exchange.edit_order(order, amount="0.00100000001")
    with pytest.raises(InvalidOrder, match="tick size"):
        await exchange.edit_order(order, price=f"{low_price}0001")
    with pytest.raises(InvalidOrder, match="below the least"):
        await exchange.edit_order(order, amount="0.00001")
    await exchange.fetch_balance()
    exchange._orders().funds._freed_s = float("-inf")
    with pytest.raises(InsufficientFunds, match="needs") as caught:
        await exchange.edit_order(order, amount="100")
    assert caught.value.outcome is Outcome.NOT_SENT
    assert order.amount == Amount("0.002")
    assert len(rows(running, exchange)) == made
    await exchange.cancel_order(order.id, SYMBOL)
    with pytest.raises(OrderNotFound, match="does not stand any more: it is canceled"):
        await exchange.edit_order(order, amount="0.001")


async def test_the_limits_hold_for_changes_too(workspace: planar.Workspace, person: str) -> None:
    limits = {"max_order_value": "200 USDT", "max_orders_per_minute": 3}
    kraken = await workspace.exchange(
        "kraken", environment="local", account=person, limits=limits, enableRateLimit=False
    )
    price = await low(kraken)
    order = await kraken.create_limit_buy_order(SYMBOL, "0.002", price)
    with pytest.raises(LimitExceeded, match="max_order_value"):
        await kraken.edit_order(order, amount="0.02")
    await kraken.edit_order(order, amount="0.001")
    await kraken.edit_order(order, amount="0.002")
    with pytest.raises(LimitExceeded, match="max_orders_per_minute"):
        await kraken.edit_order(order, amount="0.001")
    await kraken.cancel_order(order.id, SYMBOL)


async def test_a_preview_says_how(exchange: Exchange, running: LocalVenue) -> None:
    low_price = await low(exchange)
    order = await exchange.create_limit_buy_order(SYMBOL, "0.002", low_price)
    less = await exchange.preview_edit(order, amount="0.001")
    assert isinstance(less, EditPreview)
    assert (less.how, less.keeps_place, less.before.amount, less.order.amount, less.sent) == (
        "in_place",
        True,
        Amount("0.002"),
        Amount("0.001"),
        False,
    )
    assert less.request is not None
    assert "mend" in less.request.path
    more = await exchange.edit_order(order, price=low_price - 1, dry_run=True)
    assert isinstance(more, EditPreview)
    assert more.how == ("in_place" if exchange.id == "kraken" else "replace")
    assert more.keeps_place is (None if exchange.id == "kraken" else False)
    assert (await exchange.fetch_order(order.id, SYMBOL)).amount == Amount("0.002")


def hurry(exchange: Exchange) -> None:
    """Requests expire soon, and the venue's answers are taken for fresh soon after."""
    profile = exchange._adapter.profile
    rule = msgspec.structs.replace(profile.expiry, window_ms=400, settle_ms=100)
    exchange._adapter.profile = msgspec.structs.replace(profile, expiry=rule)


@pytest.mark.parametrize("fault", [DropAnswer(), DropRequest()])
async def test_a_change_without_an_answer_is_settled_by_the_evidence(
    exchange: Exchange, running: LocalVenue, fault: Any
) -> None:
    order = await exchange.create_limit_buy_order(SYMBOL, "0.003", await low(exchange))
    if not isinstance(fault, DropAnswer):
        hurry(exchange)
    running.control.add_fault(FaultRule(fault=fault, venue=exchange.id, **AMENDS[exchange.id]))
    if isinstance(fault, DropAnswer):
        await exchange.edit_order(order, amount="0.001", timeout_ms=3_000)
    else:
        with pytest.raises(PlanarError) as caught:
            await exchange.edit_order(order, amount="0.001", timeout_ms=3_000)
        assert caught.value.outcome is Outcome.REFUSED
        assert "shows the order as it was" in caught.value.message
    (entry,) = [row for row in rows(running, exchange) if row.get("client_id") == order.client_order_id]
    assert Amount(entry["amount"]) == order.amount
    assert order.amount == Amount("0.001" if isinstance(fault, DropAnswer) else "0.003")
    assert order.state is OrderState.OPEN


async def test_while_nobody_knows_nothing_is_guessed_and_a_restart_finds_out(
    exchange: Exchange, running: LocalVenue, workspace: planar.Workspace, state: Path
) -> None:
    order = await exchange.create_limit_buy_order(SYMBOL, "0.003", await low(exchange))
    name = order.client_order_id
    amend = running.control.add_fault(FaultRule(fault=DropAnswer(), venue=exchange.id, **AMENDS[exchange.id]))
    down = FaultRule(
        fault=RefuseRequest(status=503, body="down"),
        count=None,
        after=amend.id,
        venue=exchange.id,
        **QUERIES[exchange.id],
    )
    rule = running.control.add_fault(down)
    with pytest.raises(OrderUnknown) as caught:
        await exchange.edit_order(order, amount="0.001", timeout_ms=400, intent_id="doubtful")
    assert caught.value.client_id == name
    with pytest.raises(OrderUnknown, match="was changed"):
        await order.resolved(0.05)
    facts = exchange._orders().store.facts(name)
    assert (order.state, order.amount, facts.most) == (OrderState.OPEN, Amount("0.003"), Amount("0.003"))
    same = await exchange.edit_order(
        order, amount="0.001", intent_id="doubtful"
    )  # a name that is known: nothing is sent
    assert same.client_order_id == name
    with pytest.raises(InvalidOrder, match="nobody knows yet whether the last change"):
        await exchange.edit_order(order, amount="0.002")
    assert len(await asked_in(state, 1, call="edit_order")) == 1
    await exchange.close()
    running.faults.clear(rule.id)
    async with planar.open(local_venue=local_of(running)) as other:
        fresh = await other.exchange(exchange.id, environment="local", account=exchange.account, enableRateLimit=False)
        await fresh.reconcile()
        found = fresh.orders[name]
        await found.resolved(5)
        assert (found.state, found.amount) == (OrderState.OPEN, Amount("0.001"))
        (entry,) = [row for row in rows(running, fresh) if row.get("client_id") == name]
        assert Amount(entry["amount"]) == Amount("0.001")
        await fresh.cancel_order(name, SYMBOL)


async def test_somebody_else_changes_it(exchange: Exchange, running: LocalVenue) -> None:
    """The venue's own page, another program: what it shows is what there is."""
    order = await exchange.create_limit_buy_order(SYMBOL, "0.003", await low(exchange))
    change = {"id": order.id, "clientOrderId": order.client_order_id, "symbol": SYMBOL, "amount": "0.002"}
    with calling(CallContext("elsewhere", 3_000, Priority.ORDER, journaled=True)):
        await exchange.ccxt.amend_in_place({**change, "price": None, "triggerPrice": None, "params": {}})
    assert order.amount == Amount("0.003")
    await exchange.fetch_order(order.id, SYMBOL)
    assert order.amount == Amount("0.002")
    assert (await exchange.edit_order(order, amount="0.001")).amount == Amount("0.001")


async def test_what_trades_while_it_is_replaced_is_taken_off(
    binance: Exchange, running: LocalVenue, workspace: planar.Workspace
) -> None:
    price = await best(binance, running)
    order = await binance.create_limit_buy_order(SYMBOL, "0.01", price)
    await sell_to_it(binance, workspace, "0.002", price)
    slow = FaultRule(fault=DelayRequest(delay_ms=600), venue="binance", method="POST", path="*/cancelReplace")
    running.control.add_fault(slow)
    editing = asyncio.ensure_future(binance.edit_order(order, price=price - 5))
    await asyncio.sleep(0.25)
    await sell_to_it(binance, workspace, "0.003", price)
    new = await editing
    assert (await order.settled(5)).filled == Amount("0.005")
    assert (new.state, new.amount) == (OrderState.OPEN, Amount("0.005"))


async def test_nothing_is_replaced_if_it_traded_meanwhile(
    binance: Exchange, running: LocalVenue, workspace: planar.Workspace
) -> None:
    price = await best(binance, running)
    order = await binance.create_limit_buy_order(SYMBOL, "0.01", price)
    slow = FaultRule(fault=DelayRequest(delay_ms=600), venue="binance", method="POST", path="*/cancelReplace")
    running.control.add_fault(slow)
    editing = asyncio.ensure_future(binance.edit_order(order, price=price - 5))
    await asyncio.sleep(0.25)
    await sell_to_it(binance, workspace, "0.003", price)
    with pytest.raises(PlanarError) as caught:
        await editing
    assert caught.value.outcome is Outcome.REFUSED
    assert (await binance.fetch_order(order.id, SYMBOL)).state is OrderState.OPEN
    assert order.filled == Amount("0.003")


async def test_a_ghost_is_ended_by_a_person_and_lives_if_it_is_shown_again(
    binance: Exchange, running: LocalVenue
) -> None:
    order = await binance.create_limit_buy_order(SYMBOL, "0.003", await low(binance))
    name = order.client_order_id
    hurry(binance)
    await asyncio.sleep(0.15)
    with pytest.raises(InvalidOrder, match="the venue shows it, open"):
        await binance.decide_order(name, "canceled", "not on the website")
    unknown = ReplaceAnswer(status=400, body='{"code":-2013,"msg":"Order does not exist."}')
    for fault, path in ((unknown, "order"), (ReplaceAnswer(status=200, body="[]"), "openOrders")):
        running.control.add_fault(FaultRule(fault=fault, count=None, method="GET", path=f"/api/v3/{path}"))
    for state, why, text in (
        ("never_accepted", "seen", "never_accepted is no end"),
        ("canceled", " ", "needs a reason"),
    ):
        with pytest.raises(InvalidOrder, match=text):
            await binance.decide_order(name, state, why)
    assert order.state is OrderState.OPEN
    assert (await binance.decide_order(name, "canceled", "not on the website")).state is OrderState.CANCELED
    assert not binance.orders.open
    running.faults.clear()
    await binance.fetch_open_orders(SYMBOL)
    assert order.state is OrderState.OPEN
    assert await binance.cancel_order(name, SYMBOL)
    assert order.state is OrderState.CANCELED


async def test_a_change_that_was_wished_and_never_sent_is_ended_at_the_start(
    exchange: Exchange, running: LocalVenue
) -> None:
    order = await exchange.create_limit_buy_order(SYMBOL, "0.003", await low(exchange))
    name, store = order.client_order_id, exchange._orders().store
    store.record(Amending(client_id=name, wall_ms=1, number=1, amount=Amount("0.001"), price=order.price))
    await exchange.close()
    async with planar.open(local_venue=local_of(running)) as other:
        fresh = await other.exchange(exchange.id, environment="local", account=exchange.account, enableRateLimit=False)
        await fresh.reconcile()
        (one,) = fresh._orders().store.facts(name).amends
        assert one.marks == ("not_sent",)
        assert (await fresh.edit_order(name, SYMBOL, amount="0.002")).amount == Amount("0.002")
        await fresh.cancel_order(name, SYMBOL)


async def test_a_waiting_order_is_changed_too(exchange: Exchange, running: LocalVenue) -> None:
    """Its trigger price in place on Kraken; on Binance another order comes in its place."""
    low_price = await low(exchange)
    order = await exchange.create_stop_limit_order(SYMBOL, "sell", "0.002", low_price - 5, low_price)
    changed = await exchange.edit_order(order, params={"triggerPrice": low_price - 1})
    assert (changed.state, changed.trigger_price, changed.price) == (
        OrderState.OPEN,
        Amount(str(round(low_price - 1, 1))),
        Amount(str(round(low_price - 5, 1))),
    )
    assert (changed.client_order_id == order.client_order_id) is (exchange.id == "kraken")
    assert (await exchange.fetch_order(changed.id, SYMBOL)).trigger_price == changed.trigger_price
    with pytest.raises(NotSupported, match="only amount, price and trigger price"):
        await exchange.edit_order(changed, params={"timeInForce": "IOC"})
    await exchange.cancel_order(changed.id, SYMBOL)


async def test_an_answer_that_is_too_old_proves_nothing(binance: Exchange, running: LocalVenue) -> None:
    """The exchange's queries lag, by less than they may: one look at the order after the expiry would be wrong."""
    order = await binance.create_limit_buy_order(SYMBOL, "0.003", await low(binance))
    await asyncio.sleep(0.6)
    hurry(binance)
    running.control.add_fault(FaultRule(fault=StaleRead(lag_ms=580), count=None, venue="binance", **QUERIES["binance"]))
    running.control.add_fault(FaultRule(fault=DropAnswer(), venue="binance", **AMENDS["binance"]))
    await binance.edit_order(order, amount="0.001", timeout_ms=3_000)
    (entry,) = [row for row in rows(running, binance) if row.get("client_id") == order.client_order_id]
    assert (Amount(entry["amount"]), order.amount) == (Amount("0.001"), Amount("0.001"))


async def test_a_restart_proves_that_nothing_came_of_a_change(exchange: Exchange, running: LocalVenue) -> None:
    order = await exchange.create_limit_buy_order(SYMBOL, "0.003", await low(exchange))
    name = order.client_order_id
    hurry(exchange)
    running.control.add_fault(FaultRule(fault=DropRequest(), venue=exchange.id, **AMENDS[exchange.id]))
    with pytest.raises(OrderUnknown):
        await exchange.edit_order(order, amount="0.001", timeout_ms=150)
    await exchange.close()
    async with planar.open(local_venue=local_of(running)) as other:
        fresh = await other.exchange(exchange.id, environment="local", account=exchange.account, enableRateLimit=False)
        hurry(fresh)
        await fresh.reconcile()
        await fresh.orders[name].resolved(5)
        (one,) = fresh._orders().store.facts(name).amends
        assert "absent" in one.marks
        assert fresh.orders[name].amount == Amount("0.003")
        await fresh.cancel_order(name, SYMBOL)


@pytest.mark.parametrize("name", VENUES)
async def test_over_a_socket_it_is_the_same(
    name: str, workspace: planar.Workspace, person: str, running: LocalVenue
) -> None:
    exchange = await workspace.exchange(
        name, environment="local", account=person, enableRateLimit=False, order_entry="websocket"
    )
    order = await exchange.create_limit_buy_order(SYMBOL, "0.003", await low(exchange))
    order_id = order.id
    less = await exchange.edit_order(order, amount="0.001")
    assert (less.id, less.amount) == (order_id, Amount("0.001"))
    cheaper = await exchange.edit_order(less, price=less.price - 5)
    assert (cheaper.id == order_id) is (name == "kraken")
    assert row_of(running, exchange, cheaper.id)["amount"] == "0.001"
    assert [order.id for order in exchange.orders.open] == [cheaper.id]
