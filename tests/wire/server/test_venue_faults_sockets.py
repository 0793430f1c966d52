"""Each fault of a WebSocket frame or message, and of the clock, seen on the wire; and rules chosen by chance or time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from email.utils import parsedate_to_datetime

import aiohttp
import msgspec
import pytest
from toy_wire import API, STREAM
from venue_kit import DOORS, Client, Venue

from planar.venue.faults import (
    CloseSocket,
    CorruptFrame,
    DelayFrame,
    DoubleFrame,
    DropFrame,
    DropMessage,
    Fault,
    FaultBook,
    FaultRule,
    HalfOpen,
    RefuseMessage,
    RefuseRequest,
    ReorderFrame,
    ReplaceFrame,
    ResetSocket,
    ShiftClock,
    Silence,
    SlowSocket,
    StopReading,
    Subject,
)

SUBJECT = Subject(venue="toy", method="GET", host=API, path="/api/time", account=None, upgrade=False)


@pytest.fixture(params=["resolver-tls", "unix-plain-url"])
async def client(request: pytest.FixtureRequest, venue: Venue) -> AsyncIterator[Client]:
    made = DOORS[request.param](venue)
    async with made.session:
        yield made


def inject(venue: Venue, fault: Fault, body: str | None = "echo 1", count: int | None = 1) -> None:
    venue.server.faults.add(FaultRule(fault=fault, path="/ws/*", body=body, count=count))


async def talk(client: Client, *texts: str) -> aiohttp.ClientWebSocketResponse:
    socket = await client.stream(f"{STREAM}/ws/a")
    assert await socket.receive_str() == "hello /ws/a"
    for text in texts:
        await socket.send_str(text)
    return socket


@pytest.mark.parametrize(
    ("fault", "frames"),
    [
        (DropFrame(), ["echo 2", "echo 3"]),
        (DoubleFrame(), ["echo 1", "echo 1", "echo 2", "echo 3"]),
        (ReorderFrame(), ["echo 2", "echo 1", "echo 3"]),
        (CorruptFrame(), ["ech", "echo 2", "echo 3"]),
        (ReplaceFrame(body="crossed"), ["crossed", "echo 2", "echo 3"]),
        (DelayFrame(delay_ms=40), ["echo 2", "echo 3", "echo 1"]),
    ],
)
async def test_frames(client: Client, venue: Venue, fault: Fault, frames: list[str]) -> None:
    inject(venue, fault)
    async with await talk(client, "1", "2", "3") as socket:
        assert [await socket.receive_str(timeout=3) for _ in frames] == frames
    assert [firing.subject.part for firing in venue.server.faults.firings()] == ["frame"]


async def test_a_flipped_frame_differs_in_one_bit(client: Client, venue: Venue) -> None:
    inject(venue, CorruptFrame(how="flip"))
    async with await talk(client, "1") as socket:
        got = (await socket.receive_str(timeout=3)).encode()
    assert sum((a ^ b).bit_count() for a, b in zip(got, b"echo 1", strict=True)) == 1


async def test_silence_still_answers_pings(client: Client, venue: Venue) -> None:
    inject(venue, Silence(for_ms=100))
    async with await talk(client, "1", "2") as plain:
        with pytest.raises(TimeoutError):
            await plain.receive(timeout=0.05)
        await plain.send_str("still")
        await asyncio.sleep(0.1)
        await plain.send_str("after")
        assert await plain.receive_str(timeout=3) == "echo after"
    venue.server.faults.clear()
    inject(venue, Silence())
    async with client.session.ws_connect(
        f"{client.scheme.replace('http', 'ws')}://{STREAM}/ws/a", autoping=False, **client.options
    ) as socket:  # type: ignore[arg-type]
        assert await socket.receive_str() == "hello /ws/a"
        await socket.send_str("1")
        await socket.ping(b"there?")
        assert (await socket.receive(timeout=3)).type is aiohttp.WSMsgType.PONG


async def test_half_open(client: Client, venue: Venue) -> None:
    inject(venue, HalfOpen())
    socket = await client.session.ws_connect(
        f"{client.scheme.replace('http', 'ws')}://{STREAM}/ws/a", autoping=False, **client.options
    )  # type: ignore[arg-type]
    assert await socket.receive_str() == "hello /ws/a"
    await socket.send_str("1")
    await socket.ping(b"there?")
    with pytest.raises(TimeoutError):
        await socket.receive(timeout=0.05)
    assert not socket.closed
    assert venue.status().connections == 1
    await venue.server.stop()
    await socket.receive(timeout=3)
    assert socket.close_code == 1006


async def test_a_socket_that_is_not_read(client: Client, venue: Venue) -> None:
    inject(venue, StopReading(), body="1")
    url = f"{client.scheme.replace('http', 'ws')}://{STREAM}/ws/a"
    quick = aiohttp.ClientWSTimeout(ws_close=0.05)  # type: ignore[call-arg]
    async with client.session.ws_connect(url, timeout=quick, **client.options) as socket:  # type: ignore[arg-type]
        assert await socket.receive_str() == "hello /ws/a"
        await socket.send_str("1")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                while True:  # what is sent backs up, in the venue's system first, then here
                    await socket.send_str("x" * 1_000_000)
        await venue.wire.sockets[0].send_str("still told")
        assert await socket.receive_str(timeout=3) == "still told"
    assert [firing.kind for firing in venue.server.faults.firings()] == ["stop_reading"]


async def test_slow_socket(client: Client, venue: Venue) -> None:
    inject(venue, SlowSocket(bytes_per_s=100))
    begun = time.monotonic()
    async with await talk(client, "1", "2") as socket:
        assert [await socket.receive_str(timeout=3) for _ in range(2)] == ["echo 1", "echo 2"]
    assert time.monotonic() - begun >= 0.12


@pytest.mark.parametrize("code", [1000, 1001, 1006, 1008, 1011, 1012, 1013, 1015, 3000, 4999])
async def test_close_codes(client: Client, venue: Venue, code: int) -> None:
    inject(venue, CloseSocket(code=code, reason="why"))
    legal = code not in (1006, 1015)
    async with await talk(client, "1") as socket:
        message = await socket.receive(timeout=3)
        if legal:
            assert (message.type, message.data, message.extra) == (aiohttp.WSMsgType.CLOSE, code, "why")
        else:
            assert message.type in (aiohttp.WSMsgType.ERROR, aiohttp.WSMsgType.CLOSE)


async def test_reset_socket(client: Client, venue: Venue) -> None:
    inject(venue, ResetSocket())
    async with await talk(client, "1") as socket:
        await socket.receive(timeout=3)
        assert socket.close_code == 1006


async def test_messages_dropped_and_refused(client: Client, venue: Venue) -> None:
    inject(venue, DropMessage(), "1")
    inject(venue, RefuseMessage(body='{"error":"no","id":$id}'), '*"SUBSCRIBE"*')
    async with await talk(client, "1", '{"method":"SUBSCRIBE","id": 7}', "2") as socket:
        assert await socket.receive_str(timeout=3) == '{"error":"no","id":7}'
        assert await socket.receive_str(timeout=3) == "echo 2"


async def test_the_account_of_a_connection_may_come_late(client: Client, venue: Venue) -> None:
    venue.server.faults.add(FaultRule(fault=DropFrame(), account="alice", count=None))
    async with await talk(client, "1") as socket:
        assert await socket.receive_str(timeout=3) == "echo 1"
        venue.wire.sockets[0].account = "alice"  # type: ignore[attr-defined]
        await socket.send_str("2")
        with pytest.raises(TimeoutError):
            await socket.receive(timeout=0.05)


async def test_dates_are_told_by_the_shifted_clock(client: Client, venue: Venue) -> None:
    venue.server.faults.add(FaultRule(fault=ShiftClock(skew_ms=-3_600_000), path="/api/*", count=None))
    async with client.request("GET", f"{API}/api/time") as response:
        told_s = parsedate_to_datetime(response.headers["Date"]).timestamp()
    assert -3_700 < told_s - time.time() < -3_500


async def test_the_clock_is_shifted_where_the_rule_holds(client: Client, venue: Venue) -> None:
    venue.server.faults.add(FaultRule(fault=ShiftClock(skew_ms=-3_000), query="*skewed*", count=None))
    venue.server.faults.add(FaultRule(fault=ShiftClock(drift_ppm=500_000), query="*drifting*", count=None))

    async def off(query: str) -> float:
        async with client.request("GET", f"{API}/api/time?{query}") as response:
            return (await response.json())["now_ms"] - time.time() * 1000

    assert abs(await off("right")) < 500
    assert -3_500 < await off("skewed") < -2_500
    first = await off("drifting")
    await asyncio.sleep(0.1)
    assert await off("drifting") >= first + 30


async def test_rules_by_query_body_and_time(client: Client, venue: Venue) -> None:
    refusal = RefuseRequest(status=418, body="banned")
    venue.server.faults.add(FaultRule(fault=refusal, body="*BTC*", count=None))
    venue.server.faults.add(FaultRule(fault=refusal, query="a=?", from_ms=100, until_ms=200, count=None))

    async def status(query: str, body: str) -> int:
        async with client.request("POST", f"{API}/api/order?{query}", data=body) as response:
            return response.status

    assert [await status("a=1", "ETH"), await status("", "symbol=BTC")] == [200, 418]
    await asyncio.sleep(0.12)
    assert await status("a=1", "ETH") == 418
    await asyncio.sleep(0.12)
    assert await status("a=1", "ETH") == 200


def test_chance_is_replayed_by_its_seed() -> None:
    def hits(seed: int, count: int | None = None) -> list[int]:
        book = FaultBook()
        rule = FaultRule(fault=RefuseRequest(status=500, body=""), probability=0.3, seed=seed, count=count)
        book.add(rule)
        return [number for number in range(1_000) if book.fault_for(SUBJECT)]

    assert hits(1) == hits(1) != hits(2)
    assert 250 < len(hits(1)) < 350
    assert hits(1, 5) == hits(1)[:5]


@pytest.mark.parametrize("wrong", ['"probability": 0', '"probability": 1.5', '"from_ms": -1'])
def test_a_wrong_condition_is_refused(wrong: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(f'{{"fault": {{"kind": "drop_frame"}}, {wrong}}}', type=FaultRule)
