"""`make bench`: each figure beside its floor and its peer, from the same run. Never a test: it fails nothing."""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
from collections.abc import Callable, Collection, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

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


def on_venues(chosen: Collection[str], directory: Path) -> None:
    """Those that need a local exchange, each with one of its own."""
    pool = MeterPool(directory)
    if "reconcile" in chosen:
        reconcile.report(directory)
    if "waits" in chosen:
        with started(directory, "binance") as record:
            waits.report(local(record))
    if "flood" in chosen:
        with started(directory, "binance") as record:
            flood.report(record, local(record), pool)
    for exchange in ("binance", "kraken"):
        if "calls" in chosen:
            with started(directory, exchange) as record:
                calls.report(local(record), exchange, pool)
        if "entry" in chosen:
            with started(directory, exchange) as record:
                entry.report(record, local(record), pool)


ALONE: Final[dict[str, Callable[[], object]]] = {
    "derivatives": derivatives.report,
    "many": many.report,
    "startup": startup.report,
    "journal": journal.report,
    "budget": budget.report,
    "venue": venue.report,
}
ALL: Final = ("reconcile", "waits", "flood", "calls", "entry", *ALONE)


def main() -> None:
    """Run what is named, or everything."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which of them: {', '.join(ALL)}; default: all")
    names: list[str] = parser.parse_args().names
    if unknown := [name for name in names if name not in ALL]:
        parser.error(f"there is no benchmark {unknown[0]!r}: choose from {', '.join(ALL)}")
    chosen = names or ALL
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        os.environ["PLANAR_STATE"], os.environ["PLANAR_CACHE"] = str(directory / "state"), str(directory / "cache")
        on_venues(chosen, directory)
        for one, report in ALONE.items():
            if one in chosen:
                report()


if __name__ == "__main__":
    main()
