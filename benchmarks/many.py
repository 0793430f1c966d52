"""500 tickers of an exchange that has no request for several: each by itself, inside the budget, with progress.

A local Binance with 500 markets whose limit is 200 of weight a second, of which each ticker takes 2. Floor: what the limit
allows, the first window's share at once. The exchange's own count is the judge.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec

import planar
from benchmarks.safety.__main__ import local
from planar.adapters import binance as adapter
from planar.adapters.base import Capabilities
from planar.transport.meters import MeterSpec
from planar.venue.client import VenueControl
from planar.venue.engine import listing
from planar.venue.registry import VenueRecord
from planar.venue.wire import binance
from planar.venue.wire.binance.limits import Rule

MARKETS = 506
WEIGHT, EACH = 200, 2
MANY = 1_000_000_000


class _Slow(binance.Settings, frozen=True):
    """A small window of a second."""

    @property
    def weight_rule(self) -> Rule:
        return Rule("REQUEST_WEIGHT", "SECOND", 1, WEIGHT)


def wide(seed: int, activity: bool) -> binance.BinanceWire:
    """The exchange, for `planar venue --venues`."""
    model = listing._SYMBOLS["ADA/USDT"]
    for number in range(MARKETS - len(listing._SYMBOLS)):
        listing._ASSETS[f"C{number}"] = listing._ASSETS["ADA"]._replace(name=f"Coin {number}")
        listing._SYMBOLS[f"C{number}/USDT"] = model
    settings = _Slow(requests_per_5m=MANY, connections_per_5m=MANY, warnings_before_ban=MANY)
    return binance.create(seed, activity, settings)


def _known() -> None:
    """What Planar knows of this exchange."""
    meters = (MeterSpec("weight", WEIGHT, 1_000, "fixed", header="X-MBX-USED-WEIGHT-1S"),)
    others = tuple(
        msgspec.structs.replace(spec, limit=float(MANY)) for spec in adapter.PROFILE.meters if spec.name != "weight"
    )
    adapter.PROFILE = msgspec.structs.replace(adapter.PROFILE, meters=(*meters, *others))


async def measure(record: VenueRecord) -> dict[str, Any]:
    """Ask for all tickers one by one; what came, how long it took, what the exchange counted."""
    told: list[tuple[int, int]] = []
    async with planar.open(local_venue=local(record)) as workspace, VenueControl(record) as control:
        exchange = await workspace.exchange("binance", environment="local")
        known = exchange._adapter.capabilities
        without = {**known.methods, "fetch_tickers": False}
        exchange._adapter.capabilities = Capabilities(without, known.timeframes, known.required_credentials)
        wanted = [symbol for symbol in exchange.symbols if symbol.endswith("/USDT")]
        await asyncio.sleep(1.1)  # the window in which the markets were loaded
        began = time.monotonic()
        found = await exchange.fetch_tickers([*wanted, "NO/PAIR"], progress=lambda *at: told.append(at))
        took_s = time.monotonic() - began
        violations = await control.violations(venue="binance")
    assert told == [(number, len(wanted)) for number in range(1, len(wanted) + 1)]
    return {
        "asked": len(wanted) + 1,
        "found": len(found),
        "failed": {name: type(error).__name__ for name, error in found.errors.items()},
        "seconds": took_s,
        "floor": (len(wanted) * EACH / WEIGHT) - 1,
        "violations": len(violations.violations),
    }


def report() -> dict[str, Any]:
    """Measure and print."""
    held = adapter.PROFILE
    _known()
    try:
        with tempfile.TemporaryDirectory() as name:
            os.environ["PLANAR_STATE"], os.environ["PLANAR_CACHE"] = f"{name}/state", f"{name}/cache"
            row = _with_venue(Path(name))
    finally:
        adapter.PROFILE = held
    print(f"\n{row['asked']} tickers one by one, inside a limit of {WEIGHT} of weight a second")
    print(f"    found {row['found']}, failed {row['failed']}, violations by the exchange's count {row['violations']}")
    print(f"    seconds {row['seconds']:.1f}, what the limit allows {row['floor']:.1f}")
    return row


def _with_venue(directory: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "planar.venue", "--venues", "benchmarks.many:wide", "--seed", "1"]
    command += ["--socket", str(directory / "venue.sock"), "--no-registry", "--die-with-parent"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        return asyncio.run(measure(msgspec.json.decode(process.stdout.readline(), type=VenueRecord)))
    finally:
        process.stdin.close()
        process.wait()


if __name__ == "__main__":
    report()
