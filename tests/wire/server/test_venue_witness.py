"""What the venue puts on record of every request, connection and message, whichever door it came through."""

from __future__ import annotations

import asyncio

import aiohttp
import msgspec
import pytest
from toy_wire import API, STREAM
from venue_kit import DOORS, Client, Venue, eventually

from planar.errors import BadRequest
from planar.venue.client import SyncVenueControl, VenueControl
from planar.venue.faults import (
    CloseSocket,
    CutAnswer,
    DelayAnswer,
    DropAnswer,
    DropMessage,
    DropRequest,
    Fault,
    FaultRule,
    HangRequest,
    RefuseRequest,
    ReplaceAnswer,
)
from planar.venue.wire import LedgerQuery
from planar.venue.witness import REQUESTS_KEPT, MeterRow, Passage, RequestRow, Witness, note_fault
from planar.venue.witness.redaction import MASK, TEXT_MAX, names_of, shown, value_of

KEY = {"X-Toy-Key": "key-of-alice"}


async def ended(venue: Venue, number: int = 1) -> RequestRow:
    """The row of this id, when it is over."""
    rows = venue.wire.witness.requests
    await eventually(lambda: len(rows) >= number and rows[number - 1].duration_us is not None)
    return rows[number - 1]


async def test_a_request_through_each_door(client: Client, venue: Venue, request: pytest.FixtureRequest) -> None:
    url = f"{API}/api/time?symbol=BTC&b=1"
    async with client.request("GET", url, headers=KEY) as answer:
        assert answer.status == 200
    row = await ended(venue)
    door = request.node.callspec.params["client"].split("-")
    assert row.door == ("unix" if door[0] == "unix" else "tls" if door[1] == "tls" else "http")
    assert (row.id, row.venue, row.kind, row.host, row.method, row.path) == (1, "toy", "http", API, "GET", "/api/time")
    assert (row.account, row.symbol, row.parameters) == ("alice", "BTC", ("symbol", "b"))
    assert (row.verdict, row.status, row.sent, row.faults, row.connection) == ("done", 200, 200, (), None)
    assert abs(row.ts_ms - venue.status().now_ms) < 5_000
    assert row.duration_us is not None
    assert row.duration_us >= 0


@pytest.fixture
async def plain(venue: Venue) -> aiohttp.ClientSession:
    client = DOORS["unix-plain-url"](venue)
    async with client.session as session:
        yield session


@pytest.mark.parametrize(
    ("fault", "verdict", "status", "sent", "orders"),
    [
        (DropRequest(), "unheard", None, None, 0),
        (RefuseRequest(status=503, body="x"), "unheard", None, 503, 0),
        (DropAnswer(), "done", 200, None, 1),
        (ReplaceAnswer(status=502, body="<html>"), "done", 200, 502, 1),
        (CutAnswer(keep_bytes=3), "done", 200, 200, 1),
        (DelayAnswer(delay_ms=30), "done", 200, 200, 1),
    ],
)
async def test_a_request_that_a_fault_hit(
    venue: Venue,
    plain: aiohttp.ClientSession,
    fault: Fault,
    verdict: str,
    status: int | None,
    sent: int | None,
    orders: int,
) -> None:
    """The verdict is the exchange's; what the client was sent stands beside it."""
    venue.server.faults.add(FaultRule(id="rule", fault=fault, path="/api/order"))
    try:
        async with plain.post(f"http://{API}/api/order", data="x") as answer:
            await answer.read()
    except aiohttp.ClientError:
        assert sent is None or isinstance(fault, CutAnswer)
    row = await ended(venue)
    assert (row.verdict, row.status, row.sent, len(venue.wire.orders)) == (verdict, status, sent, orders)
    assert row.faults == (f"rule ({type(fault).__struct_config__.tag})",)
    if isinstance(fault, DelayAnswer):
        assert row.duration_us is not None
        assert row.duration_us >= 30_000


async def test_what_is_under_way_and_what_breaks(venue: Venue, plain: aiohttp.ClientSession) -> None:
    witness = venue.wire.witness
    venue.server.faults.add(FaultRule(fault=HangRequest(), path="/api/time"))
    with pytest.raises(TimeoutError):
        await plain.get(f"http://{API}/api/time", timeout=aiohttp.ClientTimeout(total=0.05))
    row = await ended(venue)
    assert (row.verdict, row.sent) == ("unheard", None)
    async with plain.get(f"http://{API}/api/crash") as answer:
        assert answer.status == 500
    assert ((await ended(venue, 2)).verdict, witness.counts["failed"]) == ("failed", 1)
    assert (witness.counts["http"], witness.counts["unheard"], witness.counts["pending"]) == (2, 1, 0)


async def test_connections_and_messages(venue: Venue, plain: aiohttp.ClientSession) -> None:
    rules = [
        FaultRule(id="deaf", fault=DropMessage(), body="lost"),
        FaultRule(id="end", fault=CloseSocket(code=4001), body="echo end"),
    ]
    for rule in rules:
        venue.server.faults.add(rule)
    async with plain.ws_connect(f"http://{STREAM}/ws/a?token=sesame") as socket:
        assert await socket.receive_str() == "hello /ws/a"
        rows = venue.wire.witness.requests
        assert (rows[0].kind, rows[0].verdict, rows[0].status, rows[0].closed_ms) == ("connect", "done", 101, None)
        for text in ("lost", "heard", "end"):
            await socket.send_str(text)
        assert await socket.receive_str() == "echo heard"
        closing = await socket.receive()
        assert (closing.type, closing.data) == (aiohttp.WSMsgType.CLOSE, 4001)
    await eventually(lambda: rows[0].closed_ms is not None)
    connection, lost, heard, end = rows
    assert (connection.close_code, connection.frames, connection.messages) == (4001, 2, 3)
    assert connection.path == "/ws/a"
    assert [row.kind for row in (lost, heard, end)] == ["message"] * 3
    assert [row.connection for row in (lost, heard, end)] == [connection.id] * 3
    assert [row.verdict for row in (lost, heard, end)] == ["unheard", "done", "done"]
    assert (lost.faults, heard.faults) == (("deaf (drop_message)",), ())
    # the frame was sent by the task that read the message
    assert (connection.faults or end.faults) == ("end (close_socket)",)


async def test_questions(venue: Venue, plain: aiohttp.ClientSession) -> None:
    for path in ("/api/time", "/api/orders", "/api/time", "/api/order"):
        async with plain.get(f"http://{API}{path}", headers=KEY if path == "/api/order" else {}):
            pass
    await ended(venue, 4)
    async with VenueControl(venue.record) as control:
        everything = await control.requests()
        assert [row.id for row in everything.requests] == [1, 2, 3, 4]
        assert (everything.counts, everything.oldest_id) == ({"http": 4, "done": 4}, 1)
        ids = {
            "path": [row.id for row in (await control.requests(path="/api/order*")).requests],
            "account": [row.id for row in (await control.requests(account="alice")).requests],
            "verdict": [row.id for row in (await control.requests(verdict="refused")).requests],
            "newest": [row.id for row in (await control.requests(limit=2)).requests],
            "after": [row.id for row in (await control.requests(since_id=1, limit=2)).requests],
            "later": [row.id for row in (await control.requests(since_ms=everything.requests[-1].ts_ms + 1)).requests],
        }
        assert ids == {"path": [2, 4], "account": [4], "verdict": [], "newest": [3, 4], "after": [2, 3], "later": []}
        assert (await control.violations()).violations == []
        assert await control.meters() == []
        raw = await control.ledger(LedgerQuery(kind="requests", limit=1))
        assert raw["requests"][0]["id"] == 4
        for query, part in (
            (LedgerQuery(kind="meters", account="alice"), "account = 'alice' does not restrict meters"),
            (LedgerQuery(kind="orders", path="/x"), "path = '/x' does not restrict orders"),
            (LedgerQuery(kind="requests", account="zoe"), "no account 'zoe'"),
        ):
            with pytest.raises(BadRequest, match=part):
                await control.ledger(query)

    def ask() -> None:
        sync = SyncVenueControl(venue.record)
        assert sync.requests(limit=1).requests[0].id == 4
        assert sync.violations(since_id=0).counts == {}
        assert sync.meters() == []
        assert sync.commands(limit=3).count == 0

    await asyncio.to_thread(ask)


async def test_nothing_secret_is_kept(venue: Venue, plain: aiohttp.ClientSession) -> None:
    secret = "Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4"
    urls = (
        f"http://{API}/api/time?signature={secret}&token={secret}&{secret}=1",
        f"http://{API}/{secret}?symbol={secret}{secret}",
        f"http://{API}/api/{'x' * 180}/{secret}",
    )
    for url in urls:
        async with plain.get(url, headers={"X-Toy-Key": secret}):
            pass
    async with plain.ws_connect(f"http://{STREAM}/ws/{secret}") as socket:
        await socket.send_str(secret)
        await socket.receive_str()
    await ended(venue, 4)
    witness = venue.wire.witness
    witness.commanded({"action": "set_rights", "key": secret, "rights": ["read", {"token": secret}]})
    assert witness.commands[0].command == {"action": "set_rights", "key": MASK, "rights": ["read", {"token": MASK}]}
    text = msgspec.json.encode([list(witness.requests), list(witness.commands)]).decode()
    assert secret[:20] not in text
    assert MASK in text


def test_redaction() -> None:
    assert shown("/api/v3/order") == "/api/v3/order"
    assert shown("/ws/btcusdt@kline_1m@+08:00/!miniTicker@arr") == "/ws/btcusdt@kline_1m@+08:00/!miniTicker@arr"
    assert shown("/ws/" + "a1" * 32) == "/ws/***"
    assert (
        shown("/0/private/CancelAllOrdersAfter/OAAAAA-BBBB1-CCCC22")
        == "/0/private/CancelAllOrdersAfter/OAAAAA-BBBB1-CCCC22"
    )
    assert shown("/0/CGiyzuJ5Lqo2yg==/a") == "/0/***/a"
    cut = shown("/a" * 60 + "/" + "b" * 500)
    assert len(cut) <= TEXT_MAX + len(MASK)
    assert "b" not in cut
    assert names_of({"symbol": "x", "a" * 40: "y", "batch[0]": "z"}) == ("symbol", MASK, "batch[0]")
    assert names_of([]) == ()
    assert len(names_of([f"n{number}" for number in range(5000)])) < 200
    values = ("BTC/USDT", 12, "", None, True, 1.5, "x" * 65, "a\nb", ["a"])
    assert [value_of(value) for value in values] == ["BTC/USDT", "12", *[None] * 7]


def begin(witness: Witness) -> Passage:
    return witness.begin("http", door="unix", host=API, method="GET", path="/x")


async def test_memory_is_bounded_and_counts_are_exact() -> None:
    witness = Witness("toy", {})
    for _ in range(REQUESTS_KEPT + 5):
        begin(witness).settle("done", 200)
    assert (len(witness.requests), witness.requests[0].id) == (REQUESTS_KEPT, 6)
    assert (witness.counts["http"], witness.counts["done"]) == (REQUESTS_KEPT + 5, REQUESTS_KEPT + 5)
    row = begin(witness).row
    for number in range(100):
        note_fault(f"rule-{number}", "drop_frame")
        witness.charged("meter", number)
    assert (len(row.faults), len(row.charges)) == (20, 20)


async def test_verdicts_of_one_request() -> None:
    """The first refusal counts, and no later word makes it an acceptance; each request is counted once."""
    witness = Witness("toy", {})
    passage = begin(witness)
    witness.answered()
    witness.refused("EOrder:Unknown order", code="7", status=400)
    witness.refused("EOrder:Another")
    witness.answered(200)
    passage.heard(200)
    row = passage.row
    assert (row.verdict, row.error, row.code) == ("refused", "EOrder:Unknown order", "7")
    assert {name: number for name, number in witness.counts.items() if number} == {"http": 1, "refused": 1}


async def test_violations_name_the_request_and_the_meter() -> None:
    witness = Witness("toy", {})
    passage = begin(witness)
    witness.by("alice")
    meter = MeterRow(id="calls alice", meter="calls", scope="account", subject="alice", used=3, limit=2, ts_ms=1)
    witness.exceeded(meter, "429", until_ms=9)
    (violation,) = witness.violations
    assert (violation.id, violation.over, violation.followed, violation.until_ms) == (1, 1, "429", 9)
    assert (violation.request, violation.account, violation.meter) == (passage.row.id, "alice", meter)
    assert witness.violation_counts == {"calls": 1}
    witness.watch(lambda: [meter])
    assert witness.meters() == [meter]
