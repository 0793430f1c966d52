"""The whole exchange in the seeded loop: one seed, the same bytes; and its clocks, without waiting."""

from __future__ import annotations

import hashlib
import itertools

import aiohttp
from kraken_kit import PRIVATE, PUBLIC, SYMBOL, LocalKraken, ask, local_kraken, next_frame

import planar.runtime as runtime
from planar.venue.wire.kraken import Settings

SOCKET = "/simulated/kraken.sock"


async def session(seed: int) -> str:
    """Trade and listen for a few simulated seconds; a digest of what was received."""
    digest = hashlib.sha256()
    async with local_kraken(SOCKET, seed=seed, activity=True) as venue:
        token = await venue.token()
        async with venue.ws(PUBLIC) as market, venue.ws(PRIVATE) as own:
            await ask(market, "subscribe", channel="book", symbol=[SYMBOL])
            await ask(market, "subscribe", 2, channel="ticker", symbol=[SYMBOL])
            await ask(own, "subscribe", channel="executions", token=token)
            await ask(own, "subscribe", 2, channel="balances", token=token)
            digest.update(repr(await venue.order(ordertype="market")).encode())
            for socket, frames in ((market, 40), (own, 12)):
                for _ in range(frames):
                    digest.update(repr(await next_frame(socket)).encode())
        assert venue.exchange.audit() == []
    return digest.hexdigest()


def run(seed: int) -> str:
    return runtime.simulate(lambda: session(seed), seed=seed, start_wall_ms=1_700_000_000_000)


def test_one_seed_gives_the_same_bytes() -> None:
    first = run(5)
    assert run(5) == first
    assert run(6) != first


async def tokens_and_counters() -> None:
    async with local_kraken(SOCKET, settings=Settings(tier="starter", token_s=30)) as venue:
        token = await venue.token()
        async with venue.ws(PRIVATE) as ws:
            assert (await ask(ws, "subscribe", channel="balances", token=token))["success"] is True
            await runtime.sleep(31)
            assert (await ask(ws, "cancel_all", 2, token=token))["success"] is True
        async with venue.ws(PRIVATE) as ws:
            assert (await ask(ws, "cancel_all", 3, token=token))["error"] == "ESession:Invalid session"
        for _ in range(7):
            assert (await venue.private("Ledgers"))["error"] == []
        assert (await venue.private("Ledgers"))["error"] == ["EAPI:Rate limit exceeded"]
        await runtime.sleep(7)
        assert (await venue.private("Ledgers"))["error"] == []


async def idle_connection_ends() -> None:
    async with local_kraken(SOCKET) as venue, venue.ws(PUBLIC) as ws:
        began_s = runtime.monotonic()
        await next_frame(ws)
        assert (await ws.receive()).type is aiohttp.WSMsgType.CLOSE
        assert 59.9 < runtime.monotonic() - began_s < 62


async def heartbeats(venue: LocalKraken) -> None:
    venue.freeze()
    async with venue.ws(PUBLIC) as ws:
        await ask(ws, "subscribe", channel="trade", symbol=[SYMBOL], snapshot=False)
        at: list[float] = []
        for _ in range(5):
            assert await next_frame(ws) == {"channel": "heartbeat"}
            at.append(runtime.monotonic())
        assert all(0.9 < later - earlier < 1.4 for earlier, later in itertools.pairwise(at))


async def beat() -> None:
    async with local_kraken(SOCKET) as venue:
        await heartbeats(venue)


def test_tokens_expire_and_counters_decay() -> None:
    runtime.simulate(tokens_and_counters, seed=2)


def test_an_idle_connection_ends() -> None:
    runtime.simulate(idle_connection_ends, seed=2)


def test_heartbeats_come_every_second() -> None:
    runtime.simulate(beat, seed=2)
