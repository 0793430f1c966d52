"""Connections that no honest client keeps: thousands of them, readers that do not read, frames without end."""

from __future__ import annotations

import asyncio
import json
import struct

from hostile_kit import BINANCE, KRAKEN_WS, MIB, PATIENCE_S, STREAM, WS_API, Venue, unharmed

MASK = b"\x00\x00\x00\x00"


def frame(opcode: int, data: bytes, *, final: bool = True, length: int | None = None) -> bytes:
    """A client's frame; `length` is what it says, whatever follows."""
    said = len(data) if length is None else length
    head = bytes([(0x80 if final else 0) | opcode])
    if said < 126:
        head += bytes([0x80 | said])
    elif said < 65_536:
        head += bytes([0x80 | 126]) + struct.pack("!H", said)
    else:
        head += bytes([0x80 | 127]) + struct.pack("!Q", said)
    return head + MASK + data


async def flood(writer: asyncio.StreamWriter, data: bytes, times: int) -> None:
    """Write until done, or until the venue has closed the connection."""
    try:
        for _ in range(times):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    writer.close()


SOCKETS = ((STREAM, "/ws"), (WS_API, "/ws-api/v3"), (KRAKEN_WS, "/v2"))


async def test_five_thousand_connections(venue: Venue) -> None:
    """Open at once and all of them served; when they leave, nothing of them stays."""
    async with unharmed(venue, growth_mib=150):
        before = await venue.open_connections()
        opened: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        for _ in range(50):
            opened += await asyncio.gather(*(venue.raw(b"GET /api/v3/ping HTTP/1.1\r\n") for _ in range(100)))
        async with asyncio.timeout(20):
            while await venue.open_connections() < before + 5000:
                await asyncio.sleep(0.05)
        for _, writer in opened[::10]:
            writer.write(b"Host: api.binance.com\r\n\r\n")
        for reader, _ in opened[::10]:
            assert (await asyncio.wait_for(reader.readline(), 10)).startswith(b"HTTP/1.1 200")
        for _, writer in opened:
            writer.close()
        await venue.until_connections(before + 10)


async def test_readers_that_do_not_read(venue: Venue) -> None:
    """They subscribe to everything and stop reading: the venue keeps a bounded queue for each and cuts them off."""
    symbols = ["btcusdt", "ethusdt", "bnbusdt", "solusdt", "xrpusdt", "dogeusdt"]
    streams = "/".join(f"{symbol}@depth@100ms/{symbol}@trade/{symbol}@depth20@100ms" for symbol in symbols)
    subscribe = {
        "method": "subscribe",
        "params": {"channel": "book", "symbol": ["BTC/USDT", "ETH/USDT"], "depth": 1000},
    }
    async with unharmed(venue, growth_mib=80):
        before = await venue.open_connections()
        lazy = [await venue.upgraded(STREAM, f"/stream?streams={streams}") for _ in range(80)]
        for _ in range(20):
            reader, writer = await venue.upgraded(KRAKEN_WS, "/v2")
            writer.write(frame(1, json.dumps(subscribe).encode()))
            lazy.append((reader, writer))
        for reader, _ in lazy:
            reader._transport.pause_reading()  # type: ignore[attr-defined]
        await asyncio.sleep(4)  # what they do not read piles up meanwhile
        for _, writer in lazy:
            writer.transport.abort()
        await venue.until_connections(before + 10)


async def test_frames_without_end(venue: Venue) -> None:
    """One message in fragments that never ends, a frame that says it is huge, floods of pings and of texts."""
    async with unharmed(venue):
        before = await venue.open_connections()
        for host, path in SOCKETS:
            for first, more, times in (
                (frame(1, b"x" * 1000, final=False), frame(0, b"x" * 65_536, final=False), 400),
                (frame(1, b"", length=2**62), b"x" * 65_536, 400),
                (b"", frame(9, b"p" * 100), 3000),
                (b"", frame(1, b"[" * 5000), 500),
                (b"", frame(2, b"\xff" * 1000), 500),
                (b"", frame(3, b"reserved"), 1),
                (b"", frame(1, b"\xff\xfe\xfd"), 1),
                (b"", frame(8, b"\x00"), 1),
            ):
                reader, writer = await venue.upgraded(host, path)
                writer.write(first)
                draining = asyncio.create_task(drain(reader))
                await flood(writer, more, times)
                await asyncio.wait_for(draining, 10)
        await venue.until_connections(before + 2)


async def drain(reader: asyncio.StreamReader) -> None:
    """Read until the venue has closed."""
    try:
        while await reader.read(MIB):
            pass
    except ConnectionError:
        pass


async def test_messages_that_make_no_sense(venue: Venue) -> None:
    """JSON of the wrong shape at every WebSocket: an error in the exchange's words, or the connection is closed."""
    senseless = (
        "",
        "null",
        "[]",
        "{}",
        "1e999",
        '{"id":' + "9" * 4000 + "}",
        '{"id":{},"method":[]}',
        '{"method":"subscribe","params":7,"req_id":"x"}',
        '{"method":"subscribe","params":{"channel":{"a":1},"symbol":5}}',
        '{"id":1,"method":"order.place","params":{"symbol":' + '"' + "Q" * 100_000 + '"}}',
        '{"method":"SUBSCRIBE","params":["' + "z" * 100_000 + '"],"id":3}',
        "\ud7ff" * 10,
    )
    async with unharmed(venue):
        for host, path in SOCKETS:
            url = venue.url(host, path).replace("http", "ws", 1)
            for text in senseless:
                async with venue.session.ws_connect(url) as socket:
                    await socket.send_str(text)
                    await socket.send_str('{"method":"ping","id":9,"req_id":9}')
                    answered = await asyncio.wait_for(until_answered(socket), PATIENCE_S)
                    assert answered, (host, text[:50])


async def until_answered(socket: object) -> bool:
    """True when an answer or the end has come."""
    async for message in socket:  # type: ignore[attr-defined]
        body = json.loads(message.data)
        if not (isinstance(body, dict) and body.get("channel") in ("status", "heartbeat")):
            return True
    return True


async def test_a_client_that_leaves_in_the_middle(venue: Venue) -> None:
    """Five hundred clients leave in every state of a request; nothing stays open."""
    path, headers = venue.binance_order()
    key = headers["X-MBX-APIKEY"]
    request = f"POST {path} HTTP/1.1\r\nHost: {BINANCE}\r\nX-MBX-APIKEY: {key}\r\nContent-Length: 0\r\n\r\n"
    async with unharmed(venue):
        before = await venue.open_connections()
        for cut in range(500):
            _, writer = await venue.raw(request.encode()[: 1 + cut % len(request)])
            writer.transport.abort()
        await venue.until_connections(before + 2)
