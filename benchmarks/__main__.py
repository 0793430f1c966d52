"""`make bench`: each figure beside its floor and its peer, from the same run. Never a test: it fails nothing."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from benchmarks import calls, journal, startup
from benchmarks.safety.__main__ import local, start_venue


def main() -> None:
    """Run everything."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        os.environ["PLANAR_STATE"], os.environ["PLANAR_CACHE"] = str(directory / "state"), str(directory / "cache")
        venue, record = start_venue(directory, seed=1)
        assert venue.stdin is not None
        try:
            calls.report(local(record))
        finally:
            venue.stdin.close()
            venue.wait()
    startup.report()
    journal.report()


if __name__ == "__main__":
    main()
