"""A local Binance and Kraken for the tests of safety, and another process that trades on them."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from planar.testing.local_venue import LocalVenue as Running
from planar.transport.local import LocalVenue

SYMBOL = "BTC/USDT"

TRADER = """
import asyncio, json, sys, time
import msgspec, planar
from planar.transport.local import LocalVenue

async def main():
    local = msgspec.json.decode(sys.argv[1], type=LocalVenue)
    async with planar.open(local_venue=local) as p:
        exchange = await p.exchange(sys.argv[2], environment="local")
        price = round((await exchange.fetch_ticker("BTC/USDT")).bid * 0.9, 1)
        if sys.argv[3] == "journal":
            await exchange.create_order("BTC/USDT", "limit", "buy", "0.001", price)
            print("ready", flush=True)
            await asyncio.sleep(600)
        async with exchange.dead_man(float(sys.argv[4])) as switch:
            for _ in range(3):
                await exchange.create_order("BTC/USDT", "limit", "buy", "0.001", price)
            print("ready", switch.scope, flush=True)
            if sys.argv[3] == "stall":
                time.sleep(600)
            if sys.argv[3] == "end":
                return
            await asyncio.sleep(600)

asyncio.run(main())
"""


def local_of(running: Running) -> LocalVenue:
    record = running.record
    return LocalVenue(
        instance=record.instance, socket=record.socket, token=record.token, venues=list(record.venues), pid=record.pid
    )


@contextmanager
def trader(running: Running, exchange: str, what: str, timeout_s: float = 5) -> Iterator[subprocess.Popen[str]]:
    """A program that trades in a process of its own; ready when this begins."""
    local = msgspec.json.encode(local_of(running)).decode()
    process = subprocess.Popen(
        [sys.executable, "-c", TRADER, local, exchange, what, str(timeout_s)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline().startswith("ready")
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.wait(10)
        process.stdout.close()


def watchdogs(state: Path) -> list[int]:
    """Linux: the watchdogs that were started with this state directory."""
    found: list[int] = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command = (entry / "cmdline").read_bytes()
            environ = (entry / "environ").read_bytes()
        except OSError:  # it has just ended, or is somebody else's
            continue
        if b"planar.orders.watchdog" in command and f"PLANAR_STATE={state}".encode() in environ.split(b"\0"):
            found.append(int(entry.name))
    return found


async def until(condition, within_s: float = 10.0) -> None:
    """For what other processes do."""
    async with asyncio.timeout(within_s):
        while not await condition():
            await asyncio.sleep(0.05)


async def asked_in(state: Path, least: int, **words: object) -> list[dict[str, object]]:
    """The requests in the trail with these words, as soon as there are so many: a thread writes it."""
    async with asyncio.timeout(5):
        while True:
            lines = [line for line in audit_lines(state) if line["event"] == "asked"]
            found = [line for line in lines if all(line.get(name) == word for name, word in words.items())]
            if len(found) >= least:
                return found
            await asyncio.sleep(0.01)


def audit_lines(state: Path) -> list[dict[str, object]]:
    found = sorted((state / "audit").rglob("*.jsonl"))
    return [json.loads(line) for path in found for line in path.read_text().splitlines()]
