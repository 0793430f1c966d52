"""Frame and clock faults over a whole wire, and the checker asking a running venue's ledger."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import aiohttp
import pytest

from planar.venue.checker import Operation, ask, check
from planar.venue.client import SyncVenueControl
from planar.venue.faults import DropFrame, FaultRule, RefuseMessage, ShiftClock
from planar.venue.server import VenueServer
from planar.venue.wire.binance import BinanceWire, create

API = "http://api.binance.com/api/v3"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[tuple[VenueServer, BinanceWire]]:
    wire = create(1, False)
    server = VenueServer([wire])
    await server.start(unix_path=str(tmp_path / "v.sock"))
    yield server, wire
    await server.stop()


@pytest.fixture
async def session(server: tuple[VenueServer, BinanceWire], tmp_path: Path) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(tmp_path / "v.sock"))) as session:
        yield session


async def order(session: aiohttp.ClientSession, wire: BinanceWire, client_id: str) -> dict[str, object]:
    account = wire.accounts()[0]
    query = (
        f"symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=20000"
        f"&newClientOrderId={client_id}&timestamp={int(time.time() * 1000)}"
    )
    signature = hmac.new(account.secret.encode(), query.encode(), hashlib.sha256).hexdigest()
    url = f"{API}/order?{query}&signature={signature}"
    async with session.post(url, headers={"X-MBX-APIKEY": account.apiKey}) as response:
        return await response.json()


async def test_a_shifted_clock_tells_and_checks_the_same_time(
    server: tuple[VenueServer, BinanceWire], session: aiohttp.ClientSession
) -> None:
    venue, wire = server
    venue.faults.add(FaultRule(id="slow", fault=ShiftClock(skew_ms=-3_000), count=None))
    assert (await order(session, wire, "early"))["code"] == -1021
    async with session.get(f"{API}/time") as response:
        assert (await response.json())["serverTime"] < time.time() * 1000 - 2_500
    venue.faults.clear("slow")
    assert (await order(session, wire, "right"))["status"] == "NEW"


async def test_frames_and_messages_of_a_stream(
    server: tuple[VenueServer, BinanceWire], session: aiohttp.ClientSession
) -> None:
    venue, _ = server
    venue.faults.add(FaultRule(fault=DropFrame(), body='{"result":*,"id":1}'))
    refusal = '{"error":{"code":2,"msg":"Invalid request: invalid stream"},"id":$id}'
    venue.faults.add(FaultRule(fault=RefuseMessage(body=refusal), body='*"SUBSCRIBE"*'))
    async with session.ws_connect("http://stream.binance.com/ws") as socket:
        await socket.send_json({"method": "LIST_SUBSCRIPTIONS", "id": 1})
        await socket.send_json({"method": "SUBSCRIBE", "params": ["btcusdt@trade"], "id": 2})
        assert await socket.receive_json(timeout=3) == json.loads(refusal.replace("$id", "2"))
        await socket.send_json({"method": "LIST_SUBSCRIPTIONS", "id": 3})
        assert await socket.receive_json(timeout=3) == {"result": [], "id": 3}


async def test_the_checker_asks_a_running_venue(
    server: tuple[VenueServer, BinanceWire],
    session: aiohttp.ClientSession,
) -> None:
    venue, wire = server
    assert venue.record is not None
    venue.faults.clear()
    await order(session, wire, "kept")
    await order(session, wire, "forgotten")
    claim = {"state": "open", "filled": Decimal(0), "cost": Decimal(0), "fees": {}}
    history = [
        Operation(kind="create", client_id=name, symbol="BTC/USDT", result="ok", **claim)
        for name in ("kept", "invented")
    ]
    control = SyncVenueControl(venue.record)
    ledger = await asyncio.to_thread(ask, control, wire.accounts()[0].account)
    report = check(history, ledger, seed=7)
    assert {one.client_id: one.problem for one in report.findings} == {"forgotten": "phantom", "invented": "lost"}
    assert report.orders == 2  # those that the accounts were seeded with are from before
