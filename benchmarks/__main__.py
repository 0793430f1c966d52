"""`make bench`: each figure beside its floor and its peer, from the same run. Never a test: it fails nothing."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from benchmarks import budget, calls, entry, flood, journal, many, reconcile, startup, venue, waits
from benchmarks.safety.__main__ import local, start_venue
from planar.transport.pool import MeterPool


def main() -> None:
    """Run everything."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        os.environ["PLANAR_STATE"], os.environ["PLANAR_CACHE"] = str(directory / "state"), str(directory / "cache")
        reconcile.report(directory)
        for exchange in ("binance", "kraken"):
            process, record = start_venue(directory, exchange, seed=1)
            assert process.stdin is not None
            try:
                if exchange == "binance":
                    waits.report(local(record))
                    flood.report(record, local(record), MeterPool(directory))
                calls.report(local(record), exchange, MeterPool(directory))
                entry.report(record, local(record), MeterPool(directory))
            finally:
                process.stdin.close()
                process.wait()
    many.report()
    startup.report()
    journal.report()
    budget.report()
    venue.report()


if __name__ == "__main__":
    main()
