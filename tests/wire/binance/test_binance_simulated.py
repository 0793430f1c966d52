"""The whole exchange in the seeded loop: one seed, the same bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import aiohttp
from binance_kit import REST, STREAM, WS_API, LocalBinance, ask, local_binance, next_json

import planar.runtime as runtime
from planar.venue.server import VenueServer
from planar.venue.wire.binance import create
from planar.venue.wire.binance.stream_names import parse

SOCKET = "/simulated/binance.sock"
MINI = {"e", "E", "s", "c", "o", "h", "l", "v", "q"}
TICKER = MINI | {"p", "P", "w", "x", "Q", "b", "B", "a", "A", "O", "C", "F", "L", "n"}
ROLLING = {"e", "E", "s", "p", "P", "o", "h", "l", "c", "w", "v", "q", "O", "C", "F", "L", "n"}
KLINE = {"t", "T", "s", "i", "f", "L", "o", "c", "h", "l", "v", "n", "x", "q", "V", "Q", "B"}


async def session(seed: int) -> tuple[str, int]:
    """Trade and listen for a few simulated seconds; a digest of every byte received, and how many events."""
    wire = create(seed=seed, activity=True)
    server = VenueServer([wire])
    record = await server.start(unix_path=SOCKET)
    digest, count = hashlib.sha256(), 0
    async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(SOCKET)) as http:
        venue = LocalBinance(wire, server, record, http)
        names = "btcusdt@depth@100ms/btcusdt@trade/btcusdt@kline_1s/!ticker@arr"
        async with venue.ws(f"{STREAM}/stream?streams={names}") as stream, venue.ws(WS_API) as api:
            params: dict[str, Any] = venue.api_params(timestamp=runtime.wall_ms())
            await ask(api, "userDataStream.subscribe.signature", params)
            for number in range(4):
                order = {"side": "BUY", "type": "MARKET", "quantity": "0.001"}
                answer = await venue.order(**order, timestamp=runtime.wall_ms())
                digest.update(answer.text.encode() + str(dict(answer.headers)).encode())
                await runtime.sleep(0.3 * number)
                book = await venue.send("GET", f"{REST}/api/v3/depth?symbol=BTCUSDT&limit=20")
                digest.update(book.text.encode())
            for socket, frames in ((stream, 60), (api, 10)):
                for _ in range(frames):
                    digest.update(repr(await next_json(socket)).encode())
                    count += 1
    await server.stop()
    assert wire.world.exchange.audit() == []
    return digest.hexdigest(), count


async def timed_streams(living: LocalBinance) -> None:
    names = [
        "btcusdt@depth5@100ms",
        "btcusdt@depth20",
        "btcusdt@miniTicker",
        "btcusdt@ticker",
        "btcusdt@ticker_1h",
        "btcusdt@avgPrice",
        "btcusdt@kline_1m",
        "btcusdt@kline_1s",
        "btcusdt@kline_1d@+08:00",
        "!miniTicker@arr",
        "!ticker@arr",
        "!ticker_4h@arr",
    ]
    seen: dict[str, Any] = {}
    async with living.ws(f"{STREAM}/stream?streams={'/'.join(names)}") as ws:
        while len(seen) < len(names):
            frame = await next_json(ws)
            seen[frame["stream"]] = frame["data"]
    assert [len(seen[name]["bids"]) for name in names[:2]] == [5, 20]
    assert set(seen[names[0]]) == {"lastUpdateId", "bids", "asks"}
    assert (set(seen[names[2]]), seen[names[2]]["e"]) == (MINI, "24hrMiniTicker")
    assert (set(seen[names[3]]), seen[names[3]]["e"]) == (TICKER, "24hrTicker")
    assert (set(seen[names[4]]), seen[names[4]]["e"]) == (ROLLING, "1hTicker")
    assert (set(seen[names[5]]), seen[names[5]]["e"], seen[names[5]]["i"]) == (
        {"e", "E", "s", "i", "w", "T"},
        "avgPrice",
        "5m",
    )
    kline = seen[names[6]]["k"]
    assert (set(kline), kline["i"], kline["T"] - kline["t"]) == (KLINE, "1m", 59_999)
    assert kline["L"] - kline["f"] + 1 == kline["n"] or kline["n"] == 0
    assert (seen[names[8]]["k"]["t"] + 8 * 3_600_000) % 86_400_000 == 0
    assert all(set(row) == MINI for row in seen["!miniTicker@arr"])
    assert all(set(row) == TICKER for row in seen["!ticker@arr"])
    assert {row["e"] for row in seen["!ticker_4h@arr"]} == {"4hTicker"}


async def closed_candles(living: LocalBinance) -> None:
    events: list[Any] = []
    async with living.ws(f"{STREAM}/ws/btcusdt@kline_1s") as ws:
        while len([e for e in events if e["k"]["x"]]) < 65:
            events.append(await next_json(ws))
    assert all(0 < event["E"] - event["k"]["T"] < 200 for event in events if event["k"]["x"])
    closed = [event["k"] for event in events if event["k"]["x"]]
    assert [k["t"] - closed[0]["t"] for k in closed] == [1000 * n for n in range(65)]
    for k in closed[-10:]:
        own = living.exchange.candles("BTC/USDT", parse("btcusdt@kline_1s").interval, start_ms=k["t"], limit=1)[0]  # type: ignore[union-attr, arg-type]
        assert (Decimal(k["v"]), Decimal(k["c"]), k["n"]) == (own.volume, own.close, own.trades)
        trades = [t for t in living.exchange.trades("BTC/USDT", limit=1000) if k["t"] <= t.ts_ms <= k["T"]]
        if trades:
            assert (k["f"], k["L"]) == (trades[0].id, trades[-1].id)


def simulated(test: Callable[[LocalBinance], Awaitable[None]]) -> None:
    """Run a test in virtual time."""

    async def main() -> None:
        async with local_binance(SOCKET) as venue:
            await test(venue)

    runtime.simulate(main, seed=2)


def test_timed_streams() -> None:
    simulated(timed_streams)


def test_closed_candles_come_once_and_in_order() -> None:
    simulated(closed_candles)


def run(seed: int) -> tuple[str, int]:
    return runtime.simulate(lambda: session(seed), seed=seed, start_wall_ms=1_700_000_000_000)


def test_one_seed_gives_the_same_bytes() -> None:
    first = run(5)
    assert first[1] == 70
    assert run(5) == first
    assert run(6)[0] != first[0]
