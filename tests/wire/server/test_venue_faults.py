"""Each kind of fault, seen on the wire by a client, through every door; and which requests a rule hits."""

from __future__ import annotations

import asyncio
import time

import aiohttp
import msgspec
import pytest
from toy_wire import API, STREAM
from venue_kit import Client, Venue, eventually

from planar.errors import BadRequest
from planar.venue.faults import (
    CutAnswer,
    DelayAnswer,
    DelayRequest,
    DropAnswer,
    DropRequest,
    Fault,
    FaultBook,
    FaultRule,
    GarbleAnswer,
    HangAnswer,
    HangRequest,
    RefuseRequest,
    ReplaceAnswer,
    Subject,
)

ORDER = f"{API}/api/order"
FIRST = ["first"]


def inject(venue: Venue, fault: Fault, path: str = "/api/order", count: int | None = 1) -> None:
    venue.server.faults.add(FaultRule(fault=fault, path=path, count=count))


async def place(client: Client, text: str = "first", timeout_s: float | None = None) -> tuple[int, bytes]:
    timeout = aiohttp.ClientTimeout(total=timeout_s)
    async with client.request("POST", ORDER, data=text, timeout=timeout) as response:
        return response.status, await response.read()


async def test_drop_request(client: Client, venue: Venue) -> None:
    inject(venue, DropRequest())
    with pytest.raises((aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)):
        await place(client)
    assert venue.wire.orders == []
    assert (await place(client, "second"))[0] == 200
    assert venue.wire.orders == ["second"]


async def test_drop_answer(client: Client, venue: Venue) -> None:
    inject(venue, DropAnswer())
    with pytest.raises((aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)):
        await place(client)
    assert venue.wire.orders == FIRST
    assert (await place(client, "second"))[0] == 200


async def test_hang_request(client: Client, venue: Venue) -> None:
    inject(venue, HangRequest())
    with pytest.raises(TimeoutError):
        await place(client, timeout_s=0.05)
    await eventually(lambda: venue.status().connections == 0)
    assert venue.wire.orders == []
    assert (await place(client, "second"))[0] == 200


async def test_hang_answer(client: Client, venue: Venue) -> None:
    inject(venue, HangAnswer())
    placing = asyncio.create_task(place(client))
    await eventually(lambda: venue.wire.orders == FIRST)
    assert await asyncio.wait([placing], timeout=0.05) == (set(), {placing})
    placing.cancel()
    await eventually(lambda: venue.status().connections == 0)


async def test_delay_request(client: Client, venue: Venue) -> None:
    inject(venue, DelayRequest(delay_ms=60))
    placing = asyncio.create_task(place(client))
    await eventually(lambda: bool(venue.server.faults.firings()))
    assert venue.wire.orders == []
    assert (await placing)[0] == 200
    assert venue.wire.orders == FIRST


async def test_a_delayed_request_is_handled_though_the_client_left(client: Client, venue: Venue) -> None:
    inject(venue, DelayRequest(delay_ms=200))
    placing = asyncio.create_task(place(client))
    await eventually(lambda: venue.server.faults.firings() != [])
    placing.cancel()
    await asyncio.wait([placing])
    assert venue.wire.orders == []
    await eventually(lambda: venue.wire.orders == FIRST)


async def test_delay_answer(client: Client, venue: Venue) -> None:
    inject(venue, DelayAnswer(delay_ms=60))
    begun = time.monotonic()
    placing = asyncio.create_task(place(client))
    await eventually(lambda: venue.wire.orders == FIRST)
    assert not placing.done()
    assert (await placing)[0] == 200
    assert time.monotonic() - begun >= 0.06


async def test_cut_answer(client: Client, venue: Venue) -> None:
    inject(venue, CutAnswer(keep_bytes=13))
    async with client.request("POST", ORDER, data="first") as response:
        assert response.status == 200
        assert response.headers["Content-Type"] == "application/json; charset=utf-8"
        whole = int(response.headers["Content-Length"])
        assert await response.content.readexactly(13) == b'{"orderId": 1'
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.content.read()
    assert whole > 100
    assert venue.wire.orders == FIRST


async def test_cut_answer_always_lacks_its_last_byte(client: Client, venue: Venue) -> None:
    inject(venue, CutAnswer(keep_bytes=1_000_000))
    with pytest.raises(aiohttp.ClientPayloadError):
        await place(client)


async def test_cut_answer_to_a_client_that_has_left(
    client: Client, venue: Venue, caplog: pytest.LogCaptureFixture
) -> None:
    inject(venue, CutAnswer(keep_bytes=5), path="/api/patient")
    with pytest.raises(TimeoutError):
        async with client.request("GET", f"{API}/api/patient", timeout=aiohttp.ClientTimeout(total=0.05)):
            raise AssertionError("there is no answer")
    await eventually(lambda: venue.wire.witness.counts["done"] == 1)
    await eventually(lambda: venue.wire.witness.requests[-1].duration_us is not None)
    assert (venue.wire.witness.requests[-1].verdict, venue.wire.witness.requests[-1].sent) == ("done", None)
    assert caplog.records == []


@pytest.mark.parametrize(
    ("fault", "status", "body", "content_type"),
    [
        (ReplaceAnswer(status=200, body="<html>busy</html>"), 200, b"<html>busy</html>", "text/html"),
        (ReplaceAnswer(status=200, body=""), 200, b"", "text/html"),
        (ReplaceAnswer(status=503, body="<html>"), 503, b"<html>", "text/html"),
        (
            ReplaceAnswer(status=200, body='{"orderId', headers={"Content-Type": "application/json"}),
            200,
            b'{"orderId',
            "application/json",
        ),
    ],
)
async def test_replace_answer(
    client: Client, venue: Venue, fault: ReplaceAnswer, status: int, body: bytes, content_type: str
) -> None:
    inject(venue, fault)
    async with client.request("POST", ORDER, data="first") as response:
        assert (response.status, await response.read(), response.content_type) == (status, body, content_type)
    assert venue.wire.orders == FIRST


async def test_garble_answer(client: Client, venue: Venue) -> None:
    inject(venue, GarbleAnswer(flips=4))
    async with client.request("POST", ORDER, data="first") as response:
        garbled = await response.read()
        assert (response.status, response.content_type) == (200, "application/json")
    assert venue.wire.orders == FIRST
    venue.wire.orders.clear()
    _, right = await place(client)
    assert sum((a ^ b).bit_count() for a, b in zip(garbled, right, strict=True)) == 4


@pytest.mark.parametrize("status", [429, 418])
@pytest.mark.parametrize("headers", [{"Retry-After": "11"}, {}])
async def test_bans_with_and_without_a_time(client: Client, venue: Venue, status: int, headers: dict[str, str]) -> None:
    text = '{"code":-1003,"msg":"Way too much request weight used; IP banned until 1700000000000."}'
    inject(venue, RefuseRequest(status=status, body=text, headers=headers | {"Content-Type": "application/json"}))
    async with client.request("POST", ORDER, data="first") as response:
        assert (response.status, response.headers.get("Retry-After")) == (status, headers.get("Retry-After"))
        assert (await response.json())["code"] == -1003
    assert venue.wire.orders == []


async def test_refuse_request(client: Client, venue: Venue) -> None:
    inject(venue, RefuseRequest(status=429, body="slow down", headers={"Retry-After": "7"}))
    async with client.request("POST", ORDER, data="first") as response:
        assert (response.status, response.headers["Retry-After"], await response.text()) == (429, "7", "slow down")
    assert venue.wire.orders == []


async def test_request_faults_meet_websocket_upgrades(client: Client, venue: Venue) -> None:
    inject(venue, RefuseRequest(status=503, body="maintenance"), path="/ws/*")
    with pytest.raises(aiohttp.WSServerHandshakeError, match="503"):
        await client.stream(f"{STREAM}/ws/a")
    inject(venue, DropRequest(), path="/ws/*", count=2)  # aiohttp sends a GET again when a kept connection breaks
    with pytest.raises((aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)):
        await client.stream(f"{STREAM}/ws/a")


async def test_answer_faults_do_not_meet_websocket_upgrades(client: Client, venue: Venue) -> None:
    for fault in (DropAnswer(), HangAnswer(), CutAnswer(keep_bytes=1), ReplaceAnswer(status=200, body="")):
        inject(venue, fault, path="/ws/*")
    async with client.stream(f"{STREAM}/ws/a") as socket:
        assert await socket.receive_str() == "hello /ws/a"
    assert [state.seen for state in venue.server.faults.states()] == [0, 0, 0, 0]


async def test_stop_ends_what_hangs(client: Client, venue: Venue) -> None:
    inject(venue, HangAnswer())
    placing = asyncio.create_task(place(client))
    await eventually(lambda: venue.wire.orders == FIRST)
    await venue.server.stop()
    with pytest.raises((aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)):
        await placing


async def test_rules_see_the_account_of_the_key(client: Client, venue: Venue) -> None:
    venue.server.faults.add(FaultRule(fault=RefuseRequest(status=403, body="no"), account="bob", count=None))
    statuses: dict[str, int] = {}
    for key in ("key-of-alice", "key-of-bob", ""):
        async with client.request("GET", f"{API}/api/time", headers={"X-Toy-Key": key}) as response:
            statuses[key] = response.status
    assert statuses == {"key-of-alice": 200, "key-of-bob": 403, "": 200}


def subject(**changes: object) -> Subject:
    fields: dict[str, object] = {
        "venue": "toy",
        "method": "POST",
        "host": API,
        "path": "/api/order",
        "account": "alice",
        "upgrade": False,
    }
    return Subject(**{**fields, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rule", "other"),
    [
        ({"venue": "toy"}, {"venue": "other"}),
        ({"method": "POST"}, {"method": "GET"}),
        ({"host": "api.*"}, {"host": STREAM}),
        ({"path": "/api/ord*"}, {"path": "/api/time"}),
        ({"path": "/api/order"}, {"path": "/api/order/1"}),
        ({"account": "alice"}, {"account": None}),
    ],
)
def test_a_rule_means_what_all_its_conditions_mean(rule: dict[str, str], other: dict[str, str | None]) -> None:
    made = FaultRule(fault=DropRequest(), **rule)  # type: ignore[arg-type]
    assert made.matches(subject())
    assert not made.matches(subject(**other))


@pytest.mark.parametrize(
    ("nth", "count", "hits"), [(1, 1, [1]), (3, 1, [3]), (2, 2, [2, 3]), (1, None, [1, 2, 3, 4, 5]), (4, None, [4, 5])]
)
def test_nth_and_count(nth: int, count: int | None, hits: list[int]) -> None:
    book = FaultBook()
    book.add(FaultRule(fault=DropAnswer(), nth=nth, count=count))
    assert [number for number in range(1, 6) if book.fault_for(subject())] == hits
    assert [(state.seen, state.fired) for state in book.states()] == [(5, len(hits))]


def test_of_two_due_rules_the_first_acts_and_both_count() -> None:
    book = FaultBook()
    book.add(FaultRule(id="a", fault=DropAnswer()))
    book.add(FaultRule(id="b", fault=DropRequest(), count=2))
    assert [type(book.fault_for(subject())) for _ in range(3)] == [DropAnswer, DropRequest, type(None)]
    assert [(firing.number, firing.rule, firing.kind) for firing in book.firings()] == [
        (1, "a", "drop_answer"),
        (2, "b", "drop_request"),
    ]
    assert [state.seen for state in book.states()] == [3, 3]


def test_a_rule_may_wait_for_another() -> None:
    book = FaultBook()
    with pytest.raises(BadRequest, match="after = 'a' names no fault rule"):
        book.add(FaultRule(id="b", fault=DropRequest(), after="a"))
    book.add(FaultRule(id="a", fault=DropAnswer(), nth=2))
    book.add(FaultRule(id="b", fault=DropRequest(), after="a", count=2))
    assert [type(book.fault_for(subject())) for _ in range(5)] == [
        type(None),
        DropAnswer,
        DropRequest,
        DropRequest,
        type(None),
    ]
    book.clear("a")
    book.add(FaultRule(id="a", fault=DropAnswer(), nth=100))
    assert book.fault_for(subject()) is None
    assert [state.seen for state in book.states() if state.rule.id == "b"] == [3]


def test_rules_have_ids_and_can_be_cleared() -> None:
    book = FaultBook()
    assert book.add(FaultRule(fault=DropAnswer())).id == "fault-1"
    book.add(FaultRule(id="mine", fault=DropAnswer()))
    with pytest.raises(BadRequest, match="'mine' already"):
        book.add(FaultRule(id="mine", fault=DropAnswer()))
    with pytest.raises(BadRequest, match="no fault rule 'x'"):
        book.clear("x")
    assert book.clear("mine") == 1
    assert book.clear() == 1
    assert book.empty()


@pytest.mark.parametrize(
    ("json", "problem"),
    [
        ('{"fault": {"kind": "explode"}}', "explode"),
        ('{"fault": {"kind": "delay_answer"}}', "delay_ms"),
        ('{"fault": {"kind": "drop_answer", "delay_ms": 5}}', "delay_ms"),
        ('{"fault": {"kind": "drop_answer"}, "patth": "/x"}', "patth"),
        ('{"fault": {"kind": "drop_answer"}, "nth": 0}', "nth"),
        ('{"fault": {"kind": "drop_answer"}, "count": 0}', "count"),
        ('{"fault": {"kind": "refuse_request", "status": 99, "body": ""}}', "status"),
        (
            '{"fault": {"kind": "refuse_request", "status": 429, "body": "", "headers": {"A": "b\\r\\nC: d"}}}',
            "headers",
        ),
        ("{}", "fault"),
    ],
)
def test_a_wrong_rule_is_refused_with_its_field(json: str, problem: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=problem):
        msgspec.json.decode(json, type=FaultRule)
