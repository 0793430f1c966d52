"""`make bench`: each figure beside its floor and its peer, from the same run. Never a test: it fails nothing."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import budget, calls, derivatives, entry, flood, journal, many, reconcile, startup, venue, waits
from benchmarks.safety.__main__ import fund, local, start_venue
from planar.transport.pool import MeterPool
from planar.venue.registry import VenueRecord


@contextmanager
def started(directory: Path, exchange: str) -> Generator[VenueRecord]:
    """An exchange of one measurement's own: nobody has used its limits, and its accounts can pay for all orders."""
    process, record = start_venue(directory, exchange, seed=1)
    assert process.stdin is not None
    try:
        asyncio.run(fund(record))
        yield record
    finally:
        process.stdin.close()
        process.wait()


def main() -> None:
    """Run everything."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        os.environ["PLANAR_STATE"], os.environ["PLANAR_CACHE"] = str(directory / "state"), str(directory / "cache")
        reconcile.report(directory)
        for exchange in ("binance", "kraken"):
            if exchange == "binance":
                with started(directory, exchange) as record:
                    waits.report(local(record))
                with started(directory, exchange) as record:
                    flood.report(record, local(record), MeterPool(directory))
            with started(directory, exchange) as record:
                calls.report(local(record), exchange, MeterPool(directory))
            with started(directory, exchange) as record:
                entry.report(record, local(record), MeterPool(directory))
        derivatives.report()
    many.report()
    startup.report()
    journal.report()
    budget.report()
    venue.report()


if __name__ == "__main__":
    main()
