"""The venue inside the seeded loop, client and server in one process: virtual time, and the same bytes twice."""

from __future__ import annotations

from email.utils import formatdate

import aiohttp
from toy_wire import API, STREAM, ToyWire

import planar.runtime as runtime
from planar.venue.client import VenueControl
from planar.venue.faults import (
    CloseDoors,
    CutAnswer,
    DelayAnswer,
    DropAnswer,
    FaultRule,
    HangAnswer,
    HangConnection,
    ResetConnection,
)
from planar.venue.server import VenueServer
from planar.venue.wire import LedgerQuery

PATH = "/simulated/venue.sock"
START_MS = 1_700_000_000_000


async def scenario() -> list[object]:
    """A day in the life of a venue; what the client saw."""
    server = VenueServer([ToyWire(seed=3, activity=False)])
    record = await server.start(unix_path=PATH)
    log: list[object] = [record.instance, record.token, record.port, record.ca]
    async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(PATH)) as session, VenueControl(record) as control:
        for fault in (DropAnswer(), CutAnswer(keep_bytes=4), HangAnswer(), DelayAnswer(delay_ms=90_000)):
            await control.add_fault(FaultRule(fault=fault, path="/api/order"))
            log.append(await place(session))
            await control.clear_faults()
        async with session.ws_connect(f"wss://{STREAM}/ws/a") as socket:
            await socket.send_str("ping")
            log += [await socket.receive_str(), await socket.receive_str()]
        log.append(await control.market("freeze"))
        log.append(await control.ledger(LedgerQuery(kind="orders")))
        log.append([(firing.kind, firing.ts_ms) for firing in (await control.faults()).firings])
        log.append(await control.status())
        log.append((await control.requests()).requests)
    await server.stop()
    return log


async def place(session: aiohttp.ClientSession) -> tuple[object, ...]:
    begun = runtime.monotonic()
    try:
        timeout = aiohttp.ClientTimeout(total=600)
        async with session.post(f"https://{API}/api/order", data="x", timeout=timeout) as response:
            return response.status, await response.read(), list(response.headers.items()), runtime.monotonic() - begun
    except (aiohttp.ClientError, TimeoutError) as error:
        return type(error).__name__, round(runtime.monotonic() - begun)


def test_two_runs_of_one_seed_are_the_same() -> None:
    first = runtime.simulate(scenario, seed=11, start_wall_ms=START_MS)
    assert repr(first) == repr(runtime.simulate(scenario, seed=11, start_wall_ms=START_MS))
    assert first[:2] != runtime.simulate(scenario, seed=12, start_wall_ms=START_MS)[:2]


def test_faults_and_time_are_virtual() -> None:
    log = runtime.simulate(scenario, seed=11, start_wall_ms=START_MS)
    assert log[2:4] == [None, None]
    dropped, cut, hung, delayed = log[4:8]
    assert dropped == ("ClientOSError", 0)  # in memory, an aborted connection is a reset one
    assert cut == ("ClientPayloadError", 0)
    assert hung in (("TimeoutError", 600), ("TimeoutError", 601))  # aiohttp rounds long timeouts up to whole seconds
    assert isinstance(delayed, tuple)
    assert delayed[0] == 200
    assert 90 <= delayed[3] < 91
    dates = [formatdate(START_MS / 1000 + 600 + 90 + rounded, usegmt=True) for rounded in (0, 1)]
    assert dict(delayed[2])["Date"] in dates
    assert log[8:10] == ["hello /ws/a", "echo ping"]
    assert log[11] == {"orders": ["x"] * 4}
    witnessed = [(row.kind, row.verdict, row.status, row.sent) for row in log[-1]]
    answers = [("http", "done", 200, sent) for sent in (None, 200, None, 200)]
    assert witnessed == [*answers, ("connect", "done", 101, 101), ("message", "done", None, None)]
    assert [row.duration_us // 1_000_000 for row in log[-1]][3:] == [90, 0, 0]


async def cut_off() -> list[object]:
    """A client that meets every fault of a connection; what it saw, and when."""
    server = VenueServer([ToyWire(seed=3, activity=False)])
    record = await server.start(unix_path=PATH)
    begun = runtime.monotonic()
    log: list[object] = []
    for fault in (ResetConnection(), HangConnection(), CloseDoors(for_ms=30_000)):
        server.faults.add(FaultRule(fault=fault, host=API))
        async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(PATH)) as session:
            log += [await place(session), await place(session)]
    await runtime.sleep(30)
    async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(PATH)) as session:
        log += [(await place(session))[0], runtime.monotonic() - begun]
    async with VenueControl(record) as control:
        log.append([(firing.kind, firing.ts_ms) for firing in (await control.faults()).firings])
    await server.stop()
    return log


def test_faults_of_connections_are_virtual_too() -> None:
    log = runtime.simulate(cut_off, seed=11, start_wall_ms=START_MS)
    assert repr(log) == repr(runtime.simulate(cut_off, seed=11, start_wall_ms=START_MS))
    kinds = [entry[0] for entry in log[:6] if isinstance(entry, tuple)]
    assert kinds[0] == "ClientOSError"
    assert kinds[1:3] == [200, "TimeoutError"]
    assert kinds[3] == 200
    assert kinds[4:] == ["ClientOSError", "UnixClientConnectorError"]
    assert log[6] == 200
    assert isinstance(log[7], float)
    assert 630 <= log[7] < 632
