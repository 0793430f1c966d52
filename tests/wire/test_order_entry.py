"""Orders over the sockets of the local venues, with every fault that a socket can have; the venue's ledger judges."""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

import planar
from planar.adapters import order_line, order_socket
from planar.adapters.base import OrderRequest
from planar.errors import (
    ConfigError,
    InsufficientFunds,
    JournalError,
    OrderImmediatelyFillable,
    OrderNotFound,
    OrderUnknown,
    Outcome,
    PlanarError,
)
from planar.exchange import Exchange
from planar.models import Amount, OrderState
from planar.orders import points
from planar.transport.context import RequestRecord
from planar.transport.local import LocalVenue
from planar.venue.client import VenueControl, start_private
from planar.venue.faults import (
    CloseSocket,
    CorruptFrame,
    DelayFrame,
    DoubleFrame,
    DropFrame,
    DropMessage,
    Fault,
    FaultRule,
    HalfOpen,
    RefuseMessage,
    RefuseRequest,
    ReorderFrame,
    ReplaceAnswer,
    ReplaceFrame,
    ResetSocket,
    ShiftClock,
    Silence,
    StopReading,
)
from planar.venue.registry import VenueRecord
from planar.venue.steering import ExpireTokens, SetLatency
from planar.venue.wire import LedgerQuery

SYMBOL = "BTC/USDT"
VENUES = ("binance", "kraken")
UNMETERED = [f"benchmarks.safety.venue:unmetered_{name}" for name in VENUES]
"""So many tests of one account would meet the limits of the real ones."""
PATHS = {"binance": "/ws-api/v3", "kraken": "/v2"}
REST = {"binance": "/api/v3/order", "kraken": "/0/private/AddOrder"}
ASKED = {"binance": '*"order.place"*', "kraken": '*"add_order"*'}
ANSWERED = {"binance": '*"transactTime"*', "kraken": '*"method":"add_order"*'}
amounts = (str(Decimal(100 + number) * Decimal("0.00001")) for number in itertools.count())
"""Each test has its own: the amount names the order in the ledger."""


@pytest.fixture(scope="module")
def venue() -> object:
    loop = asyncio.new_event_loop()
    private = loop.run_until_complete(start_private(UNMETERED, seed=5))
    loop.run_until_complete(private.__aenter__())
    yield private.record
    loop.run_until_complete(private.__aexit__(None, None, None))
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()


class Desk:
    """One exchange, the control of its venue, and what was sent."""

    def __init__(self, exchange: Exchange, control: VenueControl) -> None:
        self.exchange = exchange
        self.control = control
        self.writes: list[RequestRecord] = []
        self.far = 0.0
        self.since_ms = time.time_ns() // 1_000_000

    @property
    def seam(self) -> Any:
        return self.exchange._adapter.exchange

    @property
    def socket(self) -> order_socket.OrderSocket | None:
        return self.seam._planar_line._current

    def ways(self) -> list[str]:
        """By which way the WRITEs went, in their order."""
        return [record.method for record in self.writes]

    async def fault(self, fault: Fault, body: str | None = None, **fields: Any) -> None:
        rule = FaultRule(fault=fault, venue=self.exchange.id, path=PATHS[self.exchange.id], body=body, **fields)
        await self.control.add_fault(rule)

    async def buy(self, amount: str, timeout_ms: int = 2_000) -> Any:
        """An order that rests far from the market."""
        return await self.exchange.create_limit_buy_order(SYMBOL, amount, self.far, timeout_ms=timeout_ms)

    async def rows(self, amount: str) -> list[dict[str, Any]]:
        """The ledger's orders of this amount, without those of the account's seeded past."""
        query = LedgerQuery(kind="orders", account="alice", symbol=SYMBOL, since_ms=self.since_ms)
        found = (await self.control.ledger(query, venue=self.exchange.id))["orders"]
        return [row for row in found if Decimal(row["amount"]) == Decimal(amount)]

    async def line_up(self) -> None:
        """Until a socket takes orders."""
        async with asyncio.timeout(5):
            while self.socket is None or not self.socket.usable:
                await asyncio.sleep(0.005)


@pytest.fixture
def entry() -> str:
    """How orders are sent."""
    return "websocket"


@pytest.fixture(params=VENUES)
async def desk(
    request: pytest.FixtureRequest, venue: VenueRecord, entry: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Desk]:
    monkeypatch.setenv("PLANAR_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("PLANAR_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(order_line, "BETWEEN_S", 0.0)
    local = LocalVenue(
        instance=venue.instance, socket=venue.socket, token=venue.token, venues=list(venue.venues), pid=venue.pid
    )
    async with VenueControl(venue) as control, planar.open(local_venue=local) as workspace:
        await control.clear_faults()
        exchange = await workspace.exchange(
            request.param, environment="local", account="alice", order_entry=entry, enableRateLimit=False
        )
        made = Desk(exchange, control)
        workspace.on_request(lambda _, record: made.writes.append(record) if record.effect.value == "write" else None)
        made.far = round(((await exchange.fetch_ticker(SYMBOL)).bid or 0.0) * 0.9, 1)
        yield made
        await control.clear_faults()


async def test_orders_and_cancels_go_over_the_socket_and_agree_with_the_ledger(desk: Desk) -> None:
    amount = next(amounts)
    order = await desk.buy(amount)
    assert order.state is OrderState.OPEN
    (row,) = await desk.rows(amount)
    assert (row["client_id"], row["id"] if isinstance(row["id"], str) else str(row["id"])) == (
        order.client_order_id,
        order.id,
    )
    assert (await desk.exchange.cancel_order(order.id, SYMBOL)).state is OrderState.CANCELED
    bought = await desk.exchange.create_market_buy_order_with_cost(SYMBOL, "50")
    assert (await bought.settled(10)).filled > 0
    other = await desk.buy(next(amounts))
    assert (await desk.exchange.cancel_order(other.client_order_id, SYMBOL)).state is OrderState.CANCELED
    assert desk.ways() == ["WS"] * 5


async def test_the_venues_no_is_a_refusal_of_the_same_class_as_by_rest(desk: Desk) -> None:
    near = round(desk.far * 1.2, 1)
    with pytest.raises(OrderImmediatelyFillable) as taking:
        await desk.exchange.create_post_only_order(SYMBOL, "limit", "buy", next(amounts), near)
    assert taking.value.outcome is Outcome.REFUSED
    with pytest.raises(OrderNotFound) as gone:
        await desk.exchange.cancel_order("123" if desk.exchange.id == "binance" else "OAAAAA-AAAAA-AAAAAA", SYMBOL)
    assert gone.value.outcome is Outcome.REFUSED
    assert desk.ways() == ["WS"] * 2


LOST: dict[str, Fault] = {
    "lost": DropFrame(),
    "half": CorruptFrame(how="cut"),
    "html": ReplaceFrame(body="<html>502</html>"),
    "nothing": ReplaceFrame(body="{}"),
    "a list": ReplaceFrame(body="[]"),
    "nobody's": ReplaceFrame(body='{"id":null,"status":400,"error":{},"success":false}'),
    "reset": ResetSocket(),
    "closed": CloseSocket(code=1001, reason="going away"),
    "closed wrongly": CloseSocket(code=5),
    "late": DelayFrame(delay_ms=600),
    "twice": DoubleFrame(),
    "silence": Silence(),
    "half open": HalfOpen(),
}


async def test_an_answer_that_is_lost_damaged_or_late_loses_and_doubles_nothing(desk: Desk) -> None:
    """The venue has taken each of these orders; each call tells so, or that it is unknown until the venue is asked."""
    await desk.buy(next(amounts))
    for name, fault in LOST.items():
        await desk.line_up()
        before, amount, socket = len(desk.writes), next(amounts), desk.socket
        assert socket is not None
        await desk.fault(fault, ANSWERED[desk.exchange.id])
        try:
            order = await desk.buy(amount, 250)
        except OrderUnknown as error:
            assert error.outcome is Outcome.UNKNOWN
            order = error.order
        found = await order.resolved(5)
        assert found.state is OrderState.OPEN, name
        (row,) = await desk.rows(amount)
        assert str(row["id"]) == found.id, name
        assert desk.ways()[before:] == ["WS"], name
        assert socket.over.is_set() == (name not in ("twice", "nothing")), name  # it owes an answer and is silent


UNHEARD: dict[str, Fault] = {"unheard": DropMessage(), "nothing read": StopReading()}


async def test_a_request_that_is_never_heard_stays_unknown_and_is_not_sent_again(desk: Desk) -> None:
    await desk.buy(next(amounts))
    for name, fault in UNHEARD.items():
        await desk.line_up()
        before, amount = len(desk.writes), next(amounts)
        await desk.fault(fault, ASKED[desk.exchange.id])
        with pytest.raises(OrderUnknown) as unknown:
            await desk.buy(amount, 250)
        assert unknown.value.order.state is OrderState.UNKNOWN, name
        assert desk.ways()[before:] == ["WS"], name
        assert await desk.rows(amount) == [], name


async def test_an_answer_that_is_the_venues_refusal_in_other_words_is_not_believed(desk: Desk) -> None:
    """An error that the tables do not have proves nothing."""
    body = '{"id":$id,"status":500,"error":{"code":-9,"msg":"x"}}'
    body = body if desk.exchange.id == "binance" else '{"req_id":$id,"success":false,"method":"add_order","error":"x"}'
    await desk.buy(next(amounts))
    await desk.fault(RefuseMessage(body=body), ASKED[desk.exchange.id])
    with pytest.raises(OrderUnknown) as unknown:
        await desk.buy(next(amounts), 250)
    assert unknown.value.outcome is Outcome.UNKNOWN


async def test_an_answer_that_cannot_be_read_is_not_waited_for(desk: Desk) -> None:
    await desk.buy(next(amounts))
    await desk.fault(CorruptFrame(how="cut"), ANSWERED[desk.exchange.id])
    async with asyncio.timeout(3):
        order = await desk.buy(next(amounts), 6_000)
    assert order.state is OrderState.OPEN
    assert order.id


async def test_many_at_once_get_their_own_answers_in_any_order(desk: Desk) -> None:
    await desk.buy(next(amounts))
    await desk.fault(ReorderFrame(), ANSWERED[desk.exchange.id], count=10)
    wanted = [next(amounts) for _ in range(20)]
    for amount, order in zip(wanted, await asyncio.gather(*(desk.buy(amount) for amount in wanted)), strict=True):
        (row,) = await desk.rows(amount)
        assert (str(row["id"]), row["client_id"]) == (order.id, order.client_order_id)
    assert desk.ways() == ["WS"] * 21


async def test_without_a_socket_orders_go_by_rest_once_and_come_back_to_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(order_line, "FIRST_S", 0.05)
    await desk.fault(RefuseRequest(status=503, body="down"), count=3)
    amount = next(amounts)
    await desk.buy(amount)
    assert desk.ways() == ["POST"]
    assert len(await desk.rows(amount)) == 1
    await desk.line_up()
    await desk.buy(next(amounts))
    assert desk.ways() == ["POST", "WS"]


async def test_a_socket_that_ends_between_journal_and_wire_sends_the_order_by_rest(desk: Desk) -> None:
    """Nothing of it was written, so there is a second way."""
    await desk.buy(next(amounts))
    socket = desk.socket
    assert socket is not None

    def end(point: str) -> None:
        if point == points.SENDING_JOURNALED:
            socket.over.set()

    points.observe(end)
    try:
        amount = next(amounts)
        order = await desk.buy(amount)
    finally:
        points.observe(None)
    assert order.state is OrderState.OPEN
    assert desk.ways() == ["WS", "POST"]
    assert len(await desk.rows(amount)) == 1


async def test_a_socket_of_which_nothing_is_heard_is_not_trusted(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    await desk.buy(next(amounts))
    monkeypatch.setattr(order_socket, "TRUST_S", 0.0)
    await desk.buy(next(amounts))
    assert desk.ways() == ["WS", "POST"]


async def test_connections_are_replaced_before_they_are_too_old_and_nothing_is_lost(desk: Desk) -> None:
    desk.seam.planar.entry = msgspec.structs.replace(desk.seam.planar.entry, renew_s=0.1)
    seen: dict[int, None] = {}
    wanted = [next(amounts) for _ in range(60)]
    for amount in wanted:
        order = await desk.buy(amount)
        assert order.state is OrderState.OPEN
        seen[id(desk.socket)] = None
        await asyncio.sleep(0.01)
    assert len(seen) > 2
    assert all([len(await desk.rows(amount)) == 1 for amount in wanted])


async def test_a_request_that_is_refused_for_its_time_is_signed_anew(desk: Desk) -> None:
    if desk.exchange.id == "kraken":
        pytest.skip("it has a deadline in the place of a time")
    await desk.control.add_fault(FaultRule(fault=ShiftClock(skew_ms=60_000), count=None))
    await desk.exchange.fetch_ticker(SYMBOL)
    amount = next(amounts)
    order = await desk.buy(amount)
    assert order.state is OrderState.OPEN
    assert len(await desk.rows(amount)) == 1


async def test_a_token_that_the_venue_ended_is_renewed_and_the_order_sent_once(desk: Desk) -> None:
    if desk.exchange.id != "kraken":
        pytest.skip("it signs each request")
    await desk.buy(next(amounts))
    await desk.control.command(ExpireTokens(account="alice"), venue="kraken")
    amount = next(amounts)
    assert (await desk.buy(amount)).state is OrderState.OPEN
    assert len(await desk.rows(amount)) == 1
    assert desk.ways() == ["WS"] * 3
    assert [record.outcome for record in desk.writes] == [Outcome.OK, Outcome.REFUSED, Outcome.OK]


async def test_a_key_that_gets_no_token_sends_orders_by_rest_and_does_not_ask_each_time(desk: Desk) -> None:
    if desk.exchange.id != "kraken":
        pytest.skip("it signs each request")
    refused = '{"error":["EGeneral:Permission denied"]}'
    path = "/0/private/GetWebSocketsToken"
    await desk.control.add_fault(
        FaultRule(id="t", fault=ReplaceAnswer(status=200, body=refused), path=path, count=None)
    )
    for _ in range(3):
        assert (await desk.buy(next(amounts))).state is OrderState.OPEN
    assert desk.ways() == ["POST"] * 3
    (state,) = [state for state in (await desk.control.faults()).rules if state.rule.id == "t"]
    assert state.seen == 1


async def test_a_cancel_without_an_answer_is_asked_again(desk: Desk) -> None:
    order = await desk.buy(next(amounts))
    await desk.fault(DropFrame(), '*"status":"CANCELED"*' if desk.exchange.id == "binance" else '*"cancel_order"*')
    canceled = await desk.exchange.cancel_order(order.id, SYMBOL, timeout_ms=3_000)
    assert canceled.state is OrderState.CANCELED
    assert desk.ways()[:2] == ["WS", "WS"]
    assert desk.ways()[2] != "WS"  # the second time another way


async def test_the_budget_counts_what_goes_over_the_socket(desk: Desk) -> None:
    def used(meter: str) -> float:
        return desk.exchange._adapter.usage()[meter][0]

    before = {name: value for name, (value, _) in desk.exchange._adapter.usage().items()}
    socket = await desk.seam._dial(desk.seam.planar.entry)
    await socket.close()
    if desk.exchange.id == "binance":
        assert used("weight") == before["weight"] + 2  # a connection
    await desk.buy(next(amounts))
    if desk.exchange.id == "binance":
        assert used("orders_10s") >= before["orders_10s"] + 1  # and what the venue's answer says
    else:
        assert used("trading/XBTUSDT") > 0.5


async def test_a_ban_that_the_socket_tells_stops_all_requests(desk: Desk) -> None:
    if desk.exchange.id == "kraken":
        pytest.skip("its counters are the trading engine's")
    await desk.buy(next(amounts))
    body = '{"id":$id,"status":429,"error":{"code":-1003,"msg":"Too many","data":{"serverTime":1,"retryAfter":30001}}}'
    await desk.fault(RefuseMessage(body=body), ASKED["binance"])
    with pytest.raises(PlanarError) as limited:
        await desk.buy(next(amounts))
    assert limited.value.outcome is Outcome.REFUSED
    with pytest.raises(PlanarError) as stopped:
        await desk.exchange.fetch_ticker(SYMBOL, timeout_ms=500)
    assert stopped.value.outcome is Outcome.NOT_SENT
    assert stopped.value.retry_after_s is not None
    assert 25 < stopped.value.retry_after_s <= 30


async def test_a_host_that_the_environment_does_not_have_is_never_reached(desk: Desk) -> None:
    urls = desk.seam.urls["api"]["ws"]
    if desk.exchange.id == "binance":
        urls["ws-api"]["spot"] = "wss://example.com/ws-api/v3"
    else:
        urls["privateV2"] = "wss://example.com/v2"
    await desk.buy(next(amounts))
    assert desk.ways() == ["POST"]


async def test_closing_while_an_answer_is_under_way_leaves_the_order_to_the_next_start(desk: Desk) -> None:
    await desk.buy(next(amounts))
    amount = next(amounts)
    await desk.fault(DropFrame(), ANSWERED[desk.exchange.id])
    task = asyncio.create_task(desk.buy(amount, 300))
    await asyncio.sleep(0.05)
    await desk.exchange.close()
    with pytest.raises(OrderUnknown):
        await task
    assert len(await desk.rows(amount)) == 1


async def test_neither_keys_nor_signatures_nor_tokens_are_told(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    await desk.buy(next(amounts))
    await desk.fault(CorruptFrame(how="cut"), ANSWERED[desk.exchange.id])
    try:
        order = await desk.buy(next(amounts), 250)
    except OrderUnknown as error:
        order = error.order
        assert desk.seam.apiKey not in str(error)
    await order.resolved(5)
    token = desk.seam.__dict__.get("_planar_token")
    secrets = [desk.seam.apiKey, desk.seam.secret, *([token._held[0]] if token is not None else [])]
    for secret in secrets:
        assert secret not in caplog.text
    assert "signature" not in caplog.text


async def test_an_exchange_without_a_socket_for_orders_cannot_be_asked_for_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLANAR_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("PLANAR_CACHE", str(tmp_path / "cache"))
    async with planar.open() as workspace:
        with pytest.raises(ConfigError, match="order_entry") as refused:
            await workspace.prepare("bitstamp", order_entry="websocket")
        assert refused.value.hint is not None
        assert "bitstamp" in refused.value.hint
        await (await workspace.prepare("bitstamp", order_entry="auto")).close()


async def test_funds_that_lack_are_the_venues_no(desk: Desk) -> None:
    with pytest.raises(InsufficientFunds) as poor:
        await desk.exchange.create_limit_buy_order(SYMBOL, "80", desk.far)
    assert poor.value.outcome in (Outcome.REFUSED, Outcome.NOT_SENT)


@pytest.mark.parametrize("entry", ["rest"])
async def test_by_rest_nothing_is_dialed(desk: Desk) -> None:
    await asyncio.gather(*(desk.buy(next(amounts)) for _ in range(5)))
    assert desk.ways() == ["POST"] * 5
    assert "_planar_line" not in desk.seam.__dict__


@pytest.mark.parametrize("entry", ["auto"])
async def test_of_itself_only_what_would_wait_behind_another_goes_over_the_socket(desk: Desk) -> None:
    await desk.control.command(SetLatency(latency_ms=20), venue=desk.exchange.id)
    try:
        await desk.buy(next(amounts))
        await asyncio.gather(*(desk.buy(next(amounts)) for _ in range(5)))
        assert desk.ways() == ["POST"] * 6  # and a socket is being opened, where requests queue
        if desk.exchange.id == "binance":
            assert "_planar_line" not in desk.seam.__dict__
            return
        await desk.line_up()
        async with asyncio.timeout(5):
            while desk.seam._planar_token._held is None:
                await asyncio.sleep(0.005)
        desk.writes.clear()
        wanted = [next(amounts) for _ in range(10)]
        await asyncio.gather(*(desk.buy(amount) for amount in wanted))
        assert desk.ways().count("POST") <= 2
        assert desk.ways().count("WS") >= 8
        for amount in wanted:
            assert len(await desk.rows(amount)) == 1
        desk.writes.clear()
        await desk.buy(next(amounts))
        assert desk.ways() == ["POST"]
    finally:
        await desk.control.command(SetLatency(latency_ms=0), venue=desk.exchange.id)


async def test_nothing_is_written_before_the_journal_has_it(desk: Desk) -> None:
    await desk.buy(next(amounts))
    amount, price = Amount(next(amounts)), Amount(str(desk.far))
    request = OrderRequest(
        client_id="plnotjournaled", symbol=SYMBOL, side="buy", type="limit", amount=amount, price=price
    )

    async def full() -> None:
        await asyncio.sleep(0.05)
        assert await desk.rows(str(amount)) == []
        raise JournalError("the disk is full")

    with pytest.raises(JournalError) as unwritten:
        await desk.exchange._adapter.submit(request, timeout_ms=2_000, on_send=full)
    assert unwritten.value.outcome is Outcome.NOT_SENT
    assert await desk.rows(str(amount)) == []
    assert desk.ways() == ["WS"]


async def test_when_the_venue_says_that_it_shuts_down_there_is_a_new_connection(desk: Desk) -> None:
    if desk.exchange.id == "kraken":
        pytest.skip("it closes without a word")
    await desk.buy(next(amounts))
    before = desk.socket
    assert before is not None
    told = '{"event":{"e":"serverShutdown","E":1}}'
    await desk.fault(ReplaceFrame(body=told), ANSWERED["binance"])
    with pytest.raises(OrderUnknown) as lost:
        await desk.buy(next(amounts), 250)
    await lost.value.order.resolved(5)
    assert before.over.is_set()
    await desk.line_up()
    assert desk.socket is not before
    await desk.buy(next(amounts))
    assert desk.ways() == ["WS"] * 3
