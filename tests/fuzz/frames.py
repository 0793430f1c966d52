"""Random and damaged frames into the streams: a local venue and its client on the seeded loop, and somebody between them.

Every frame of the venue may be damaged, replaced, doubled, cut, sent as binary, or followed by bytes that are no
WebSocket. Nothing but Planar's errors may come out of a stream, and once the frames are true again every stream is live
again, unless it was refused for good in the venue's own words.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from tests.fuzz import answers
from tests.fuzz.run import Finding, Played

import planar.runtime as runtime
from planar.errors import PlanarError
from planar.models import Amount
from planar.streams import StreamRules, StreamState

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "wire"))

VENUES = ("binance", "kraken")
SYMBOL = "BTC/USDT"
DAMAGED = 0.15
"""The part of all frames that is damaged."""
RULES = StreamRules(backoff_s=0.05, backoff_max_s=1.0, connect_s=10.0)
BACK_S = 120.0
"""After so long with true frames everything is live again."""
ORDER_EVERY = 20
"""Damaged frames between two orders, which make frames of the account."""


class Player:
    """Plays the frames of one chunk."""

    def __init__(self, seed: int, number: int, count: int) -> None:
        self.count = count
        self.name = VENUES[number % len(VENUES)]
        self.rng = random.Random(f"{seed}/frames/{number}")
        self.number = number
        self.damaged = 0
        self.last: list[str] = []
        self.findings: list[Finding] = []
        self.ends: dict[str, int] = {}

    async def play(self) -> None:
        """All of them."""
        from streams_kit import create, kraken, local_client

        wire: Any = create(self.number, False)
        if self.name == "kraken":
            wire = kraken.create(seed=self.number, activity=False)
        with tempfile.TemporaryDirectory() as directory:
            async with local_client(wire, Path(directory), Path("/simulated"), None, pacing=False) as local:
                await self._scene(local)

    async def _scene(self, local: Any) -> None:
        hub = local.new_hub(RULES)
        last = await local.adapter.fetch_ticker(SYMBOL, {}, timeout_ms=5_000)
        price = Amount(round((last.last or 0.0) * 0.9))
        async with AsyncExitStack() as stack:
            streams: dict[str, Any] = {}
            opened = {
                "order book": hub.order_book(SYMBOL, 5),
                "trades": hub.trades(SYMBOL),
                "ticker": hub.ticker(SYMBOL),
                "candles": hub.ohlcv(SYMBOL, "1m"),
                "orders": hub.orders(),
                "fills": hub.my_trades(),
                "balance": hub.balance(),
            }
            for name, stream in opened.items():
                streams[name] = await stack.enter_async_context(stream)
            readers = [runtime.spawn(self._read(name, stream), name=f"read {name}") for name, stream in streams.items()]
            await self._live(streams, "before anything was damaged")
            local.meddler.alter = self._alter
            ordered = 0
            while self.damaged < self.count:
                if self.damaged // ORDER_EVERY > ordered:
                    ordered += 1
                    await self._order(local, ordered, price)
                await runtime.sleep(0.2)
            local.meddler.alter = lambda url, frame: [frame]
            await self._live(streams, "after true frames came again")
            for reader in readers:
                reader.cancel()
            for reader in readers:
                try:
                    await reader
                except asyncio.CancelledError:
                    pass
                except Exception as error:
                    self._found(reader.get_name(), f"{type(error).__name__} came out: {error!r}")

    async def _order(self, local: Any, number: int, price: Amount) -> None:
        try:
            await local.buy(f"plframes{number}", "0.01", None if number % 2 else str(price))
        except PlanarError as error:
            self._count(f"order: {type(error).__name__}")

    async def _read(self, name: str, stream: AsyncIterator[Any]) -> None:
        while True:
            try:
                await anext(stream)
            except StopAsyncIteration:
                return
            except PlanarError as error:
                self._count(type(error).__name__)
                await runtime.sleep(0.05)
            else:
                self._count("ok")

    async def _live(self, streams: dict[str, Any], when: str) -> None:
        until_s = runtime.monotonic() + BACK_S
        while runtime.monotonic() < until_s:
            if all(one.state is StreamState.LIVE or one._pump.ended for one in streams.values()):
                break
            await runtime.sleep(0.5)
        for name, one in streams.items():
            error = one._pump.error
            if one._pump.ended and " failed: " in str(error):
                self._found(name, f"it has ended {when}: {error!r}")
            elif one._pump.ended:
                self._found(name, f"it has ended for good {when}: {error!r}")
            elif one.state is not StreamState.LIVE:
                self._found(name, f"it is {one.state} {when}: {error!r}")

    def _alter(self, url: str, frame: str) -> list[str | bytes]:
        rng = self.rng
        if self.damaged >= self.count or rng.random() >= DAMAGED:
            return [frame]
        self.damaged += 1
        drawn = rng.random()
        made: list[str | bytes]
        if drawn < 0.72:
            made = [answers.damaged(rng, json.loads(frame)).decode("utf-8", "replace")]
        elif drawn < 0.82:
            made = [answers.dumps(rng, answers.random_json(rng, 0)).decode("utf-8", "replace"), frame]
        elif drawn < 0.87:
            made = [rng.randbytes(rng.choice((0, 1, 50))), frame]
        elif drawn < 0.90:
            made = [frame, frame]
        elif drawn < 0.94:
            made = [frame[: rng.randrange(len(frame))]]
        elif drawn < 0.97:
            made = []
        else:
            made = [Raw(rng.randbytes(rng.choice((1, 2, 10, 300))))]
        self.last = [repr(one)[:400] for one in made] + self.last[:7]
        return made

    def _count(self, end: str) -> None:
        self.ends[end] = self.ends.get(end, 0) + 1

    def _found(self, name: str, what: str) -> None:
        self.findings.append(Finding(self.number, self.damaged, self.name, f"watch {name}", what, self.last))


class Raw(bytes):
    """Bytes that go past the WebSocket protocol, straight to the connection."""


def play_frames(seed: int, number: int, count: int) -> Played:
    """Play chunk `number` of the frames of a seed, `count` damaged ones."""
    player = Player(seed, number, count)
    try:
        runtime.simulate(player.play, seed=seed * 1_000_003 + number)
    except Exception as error:  # what the loop's own handler heard, or the player's failure
        player._found("the loop", f"outside of any stream: {type(error).__name__}: {error}"[:3000])
    return Played(number, count, player.findings, player.ends)
