"""What two exchanges in one process weigh after a simulated day of their markets: `python -m benchmarks.venue_day`.

Models, wires and feeds run as in a venue, with somebody subscribed to nothing; time is the seeded loop's, and the day takes
minutes. It is not part of `make bench` for that.
"""

from __future__ import annotations

import argparse
import time

import planar.runtime as runtime
from planar.venue.wire import load_wire


def memory_mb() -> float:
    """What this process holds now."""
    with open("/proc/self/status") as status:
        return int(status.read().split("VmRSS:")[1].split()[0]) / 1024


async def live(hours: float, *, activity: bool) -> None:
    """Let the exchanges live, and tell their weight every simulated hour."""
    wires = [load_wire(name, seed=1, activity=activity) for name in ("binance", "kraken")]
    for wire in wires:
        await wire.start()
    began = time.monotonic()
    print(f"    {0:>5.0f} h {memory_mb():>6.0f} MB", flush=True)
    for hour in range(1, round(hours) + 1):
        await runtime.sleep(3600)
        print(f"    {hour:>5} h {memory_mb():>6.0f} MB   ({time.monotonic() - began:.0f} s)", flush=True)
    for wire in wires:
        await wire.stop()


def main() -> None:
    """Parse the options, run and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.venue_day")
    parser.add_argument("--hours", type=float, default=24)
    parser.add_argument("--activity", action="store_true", help="the seeded accounts trade, two orders a second")
    given = parser.parse_args()
    print("Two local exchanges in one process after a simulated day; target: < 250 MB")
    runtime.simulate(lambda: live(given.hours, activity=given.activity), seed=1)


if __name__ == "__main__":
    main()
