"""`python -m planar.venue`: a local venue for a parent that reads one line of JSON and then uses it.

The line is a `VenueRecord` with `"ready": true`. A venue that cannot start says why in one line on standard error, and
its exit code is 2.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import msgspec

from planar.errors import PlanarError
from planar.venue.process import VenueOptions, run
from planar.venue.registry import VenueRecord
from planar.venue.wire import known_wires

EXIT_CANNOT_START = 2


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the options and run; the exit code."""
    defaults = VenueOptions(venues=tuple(known_wires()))
    parser = argparse.ArgumentParser(prog="python -m planar.venue", description="Run local exchanges on this machine.")
    parser.add_argument(
        "--venues", default=",".join(defaults.venues), help="exchange ids, or module:function, by comma"
    )
    parser.add_argument("--port", type=int, default=defaults.port, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--seed", type=int, default=defaults.seed, help="decides markets, accounts and their past")
    parser.add_argument("--activity", action="store_true", help="seeded accounts trade on their own")
    parser.add_argument("--shape", default=defaults.shape, help="TOML file that says how the markets behave")
    parser.add_argument("--socket", default=defaults.socket, help="path of the Unix socket")
    parser.add_argument("--die-with-parent", action="store_true", help="end when standard input closes")
    parser.add_argument("--no-registry", action="store_true", help="do not make the venue known on this machine")
    given = parser.parse_args(argv)
    options = VenueOptions(
        venues=tuple(name for name in given.venues.split(",") if name),
        port=given.port,
        seed=given.seed,
        activity=given.activity,
        socket=given.socket,
        die_with_parent=given.die_with_parent,
        registry=not given.no_registry,
        shape=given.shape,
    )
    try:
        run(options, _announce)
    except PlanarError as error:
        sys.stderr.write(f"planar venue: {error.message}" + (f": {error.hint}\n" if error.hint else "\n"))
        return EXIT_CANNOT_START
    return 0


def _announce(record: VenueRecord) -> None:
    line = {"ready": True, **msgspec.structs.asdict(record)}
    sys.stdout.write(msgspec.json.encode(line).decode() + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
