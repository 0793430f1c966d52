"""One process of mixed load: history as fast as the meters allow, account queries, orders and their cancels.

Each request goes through Planar's seam to the exchange. What a cancel waited for its budget is appended to a file, so
that a process that is killed has told it.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec

import planar.adapters.binance as binance
import planar.adapters.kraken as kraken
from benchmarks.meters.venue import PAIRS, scaled, scaled_kraken
from planar.adapters.market_cache import MarketCache
from planar.adapters.opening import OpeningRequest, open_adapter
from planar.config import Secret
from planar.errors import PlanarError
from planar.transport.budget import Budget, Costs, Reservation
from planar.transport.context import CallContext, Priority, calling
from planar.transport.dialer import Dialer
from planar.transport.lanes import NonceLanes
from planar.transport.pool import MeterPool


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What one process does.

    Attributes:
        credentials: of the one key.
        directory: of the files of the meters; None shares through `redis`.
        nonces: directory in which the processes keep the order of a key's requests.
        seconds: how long.
        backfills: requests for history at a time.
        log: file of waits and errors.
    """

    name: str
    instance: str
    socket: str
    credentials: dict[str, str]
    directory: str | None = None
    redis: str | None = None
    exchange: str = "binance"
    nonces: str
    seconds: float = 60
    backfills: int = 12
    pause_s: float = 0.25
    log: str


class Load:
    """The requests of one process."""

    def __init__(self, job: Job, ccxt: Any) -> None:
        self._job = job
        self._ccxt = ccxt
        self._log = open(job.log, "a", buffering=1)  # noqa: SIM115 (as long as the process)
        self._until = time.monotonic() + job.seconds
        self._number = 0

    def note(self, *words: object) -> None:
        """A line of the log."""
        self._log.write(" ".join(map(str, (time.time(), *words))) + "\n")

    async def call(self, name: str, priority: Priority, method: Callable[..., Awaitable[Any]], params: Any) -> Any:
        """One request; None if it failed, which is noted."""
        with calling(CallContext(name, 10_000, priority, journaled=True)):
            try:
                return await method(params)
            except PlanarError as error:
                self.note("error", type(error).__name__, error.outcome.name, error.message[:80].replace("\n", " "))
                return None

    async def backfill(self) -> None:
        """History, always."""
        while time.monotonic() < self._until:
            await self.call(
                "history", Priority.BACKFILL, self._ccxt.public_get_depth, {"symbol": "BTCUSDT", "limit": 500}
            )

    async def account(self) -> None:
        """What is open."""
        while time.monotonic() < self._until:
            await self.call("open", Priority.ACCOUNT, self._ccxt.private_get_openorders, {"symbol": "BTCUSDT"})
            await asyncio.sleep(4 * self._job.pause_s)

    async def trade(self) -> None:
        """An order that rests, and its cancel."""
        while time.monotonic() < self._until:
            self._number += 1
            name = f"{self._job.name}x{os.getpid()}x{self._number}"
            order = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.001"}
            order |= {"price": "20000", "newClientOrderId": name}
            if await self.call("create", Priority.ORDER, self._ccxt.private_post_order, order) is not None:
                await asyncio.sleep(self._job.pause_s)
                cancel = {"symbol": "BTCUSDT", "origClientOrderId": name}
                await self.call("cancel", Priority.CANCEL, self._ccxt.private_delete_order, cancel)

    async def run(self) -> None:
        """All of it."""
        self.note("begin")
        jobs = [self.backfill() for _ in range(self._job.backfills)]
        await asyncio.gather(*jobs, self.account(), self.trade())
        self.note("end")


class KrakenLoad(Load):
    """The same of a Kraken: its counters are those of a key and, for orders, of each pair."""

    async def backfill(self) -> None:
        """See `Load`."""
        while time.monotonic() < self._until:
            await self.call("history", Priority.BACKFILL, self._ccxt.private_post_tradeshistory, {})

    async def account(self) -> None:
        """See `Load`."""
        while time.monotonic() < self._until:
            await self.call("open", Priority.ACCOUNT, self._ccxt.private_post_openorders, {})
            await asyncio.sleep(4 * self._job.pause_s)

    async def trade(self) -> None:
        """See `Load`."""
        await asyncio.gather(*(self._trade(pair) for pair in PAIRS))

    async def _trade(self, pair: str) -> None:
        while time.monotonic() < self._until:
            order = {"pair": pair, "type": "buy", "ordertype": "limit", "volume": "0.1", "price": "100"}
            made = await self.call("create", Priority.ORDER, self._ccxt.private_post_addorder, order)
            if made is not None:
                await asyncio.sleep(self._job.pause_s)
                cancel = {"txid": made["result"]["txid"][0]}
                await self.call("cancel", Priority.CANCEL, self._ccxt.private_post_cancelorder, cancel)


def measure_waits(note: Callable[..., None]) -> None:
    """Note what each cancel waits for its budget."""
    reserve = Budget.reserve

    async def timed(self: Budget, costs: Costs, call: CallContext) -> Reservation:
        began = time.monotonic()
        held = await reserve(self, costs, call)
        if call.priority is Priority.CANCEL:
            note("cancel", f"{(time.monotonic() - began) * 1000:.3f}")
        return held

    Budget.reserve = timed  # type: ignore[method-assign]


async def main(job: Job) -> None:
    """Open the exchange as a workspace does, and run."""
    binance.PROFILE, kraken.PROFILE = scaled(), scaled_kraken()
    request = OpeningRequest(
        exchange=job.exchange,
        environment="local",
        credentials=job.credentials,
        fingerprint="one key",
        timeout_ms=10_000,
        unix_socket=job.socket,
        instance=job.instance,
    )
    directory = Path(job.directory) if job.directory else None
    pool = MeterPool(directory, redis=Secret(job.redis) if job.redis else None)
    dialer = Dialer()
    lanes = NonceLanes(Path(job.nonces))
    adapter = open_adapter(request, dialer, pool, MarketCache(Path(job.log).parent), lanes=lanes)
    load = (KrakenLoad if job.exchange == "kraken" else Load)(job, adapter.exchange)
    measure_waits(load.note)
    try:
        await load.run()
    finally:
        await adapter.close()
        await dialer.close()
        await pool.close()
        lanes.close()


if __name__ == "__main__":
    asyncio.run(main(msgspec.json.decode(sys.argv[1], type=Job)))
