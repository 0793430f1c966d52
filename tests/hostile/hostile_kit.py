"""What the tests of hostile clients share: local exchanges in a process of their own, an honest client beside the attack,
and the process's memory.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import ssl
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp

from planar.venue.client import VenueControl
from planar.venue.registry import VenueRecord
from planar.venue.wire import LedgerQuery, VenueAccount

BINANCE, KRAKEN = "api.binance.com", "api.kraken.com"
STREAM = "stream.binance.com:9443"
WS_API = "ws-api.binance.com:443"
KRAKEN_WS = "ws.kraken.com"
MIB = 1024 * 1024
PATIENCE_S = 3.0
"""How long an honest client may wait for an answer while others attack."""


class Venue:
    """Local Binance and Kraken in another process."""

    def __init__(self, record: VenueRecord, control: VenueControl, session: aiohttp.ClientSession) -> None:
        assert record.port is not None
        assert record.ca is not None
        self.record = record
        self.control = control
        self.session = session
        self.port = record.port
        self.tls = ssl.create_default_context(cafile=record.ca)
        self.accounts: dict[str, VenueAccount] = {}

    def rss_bytes(self) -> int:
        """Memory that the process holds now."""
        pages = int(Path(f"/proc/{self.record.pid}/statm").read_text().split()[1])
        return pages * 4096

    def url(self, host: str, path: str) -> str:
        """The same URL at the venue's own door, which keeps the path as it is."""
        return f"http://127.0.0.1:{self.port}/{host.partition(':')[0]}{path}"

    async def ask(self, method: str, host: str, path: str, **options: Any) -> tuple[int, str]:
        """Status and text of an answer."""
        async with self.session.request(method, self.url(host, path), **options) as answer:
            return answer.status, await answer.text()

    async def raw(self, *parts: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection that has said `parts`."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=2**20)
        for part in parts:
            writer.write(part)
        return reader, writer

    async def upgraded(self, host: str, path: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A WebSocket whose frames are up to the test."""
        head = (
            f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        reader, writer = await self.raw(head.encode())
        answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE_S)
        assert answer.startswith(b"HTTP/1.1 101 "), answer
        return reader, writer

    async def open_connections(self) -> int:
        return (await self.control.status()).connections

    async def until_connections(self, at_most: int) -> None:
        """Wait until the venue has let go of the others."""
        async with asyncio.timeout(20):
            while await self.open_connections() > at_most:
                await asyncio.sleep(0.02)

    def binance_order(self) -> tuple[str, dict[str, str]]:
        """Path and headers of a signed order that rests far from the market."""
        account = self.accounts["binance"]
        order = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.001"}
        query = urlencode({**order, "price": "20000", "timestamp": int(time.time() * 1000)})
        signature = hmac.new(account.secret.encode(), query.encode(), hashlib.sha256).hexdigest()
        return f"/api/v3/order/test?{query}&signature={signature}", {"X-MBX-APIKEY": account.apiKey}


class Neighbour:
    """An honest client: asks, orders and listens all the time, and wants every answer to be right and soon.

    Attributes:
        slowest_s: the longest that it waited for an answer.
        answers, frames: how many it got.
    """

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self.slowest_s = 0.0
        self.answers = 0
        self.frames = 0

    async def live(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._ask())
            group.create_task(self._listen())

    async def _ask(self) -> None:
        while True:
            path, headers = self._venue.binance_order()
            await self._one("POST", BINANCE, path, "{}", headers)
            await self._one("GET", BINANCE, "/api/v3/depth?symbol=BTCUSDT&limit=5", '"bids":[[', {})
            await self._one("GET", KRAKEN, "/0/public/Depth?pair=XBTUSDT&count=5", '{"error":[],"result":', {})
            await asyncio.sleep(0.05)

    async def _one(self, method: str, host: str, path: str, expected: str, headers: dict[str, str]) -> None:
        began = time.monotonic()
        status, text = await self._venue.ask(method, host, path, headers=headers)
        self.slowest_s = max(self.slowest_s, time.monotonic() - began)
        assert (status, expected in text) == (200, True), (status, text[:200])
        self.answers += 1

    async def _listen(self) -> None:
        url = self._venue.url(STREAM, "/ws/btcusdt@bookTicker").replace("http", "ws", 1)
        async with self._venue.session.ws_connect(url) as socket:
            async for frame in socket:
                assert json.loads(frame.data)["s"] == "BTCUSDT"
                self.frames += 1


@asynccontextmanager
async def unharmed(venue: Venue, *, growth_mib: int = 40) -> AsyncGenerator[Neighbour]:
    """While the block attacks, an honest client is served; afterwards memory is bounded and the ledgers are sound."""
    neighbour = Neighbour(venue)
    before = venue.rss_bytes()
    living = asyncio.create_task(neighbour.live())
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not (neighbour.answers >= 3 and neighbour.frames):
                await asyncio.sleep(0.01)
        yield neighbour
        answers, frames = neighbour.answers, neighbour.frames
        async with asyncio.timeout(PATIENCE_S):
            while not (neighbour.answers >= answers + 3 and neighbour.frames > frames):
                if living.done():
                    break
                await asyncio.sleep(0.01)
    finally:
        living.cancel()
        await asyncio.wait([living])
    if not living.cancelled():
        living.result()
    assert neighbour.slowest_s < PATIENCE_S
    grown = (venue.rss_bytes() - before) / MIB
    assert grown < growth_mib, f"the venue's memory grew by {grown:.0f} MiB"
    for name in venue.record.venues:
        assert (await venue.control.ledger(LedgerQuery(kind="check"), venue=name))["ok"]
