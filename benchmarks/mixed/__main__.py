"""`python -m benchmarks.mixed`: many calls of every kind, every kind of fault, each end judged.

    --calls 100000   how many
    --seed 7         decides calls, timeouts, who leaves early, and faults
    --venues binance,kraken
    --directory D    where journals, caches and histories go, and stay; a temporary one without it
    --json           the result as one object

The seed, the command that replays the run, progress and the time that is left go to stderr.

The exit code is 0 only if every call ended in its time with a true answer, or with an error that a fault explains, the
ledger agrees about every order, and nothing is left over: no task, no file descriptor, no reservation, no memory.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
import tempfile
from pathlib import Path

import msgspec

from benchmarks.mixed.run import GROWTH_MIB, LONG, OVER_MS, Result, run


def show(result: Result) -> None:
    """The result, for people."""
    print(
        f"\nseed {result.seed}: {result.calls} calls in {result.seconds} s, {result.calls / result.seconds:.0f} a second"
    )
    for ending, calls in sorted(result.endings.items(), key=lambda one: -sum(one[1].values())):
        print(
            f"  {ending:20} {sum(calls.values()):7}  " + ", ".join(f"{name} {count}" for name, count in calls.items())
        )
    print("faults: " + ", ".join(f"{name} {count}" for name, count in result.injected.items()))
    print(f"orders judged by the ledger: {result.orders}")
    print(f"latest end after a deadline: {result.most_over_ms} ms (bound {OVER_MS})")
    bound = f"bound {GROWTH_MIB}, in runs of {LONG} and more"
    print(f"memory of the second half: {result.growth_mib:+} MiB for 10,000 calls ({bound})")
    print(f"the machine kept client or exchange from running for {result.kept_share:.0%} of the time")
    print(f"orders misread from damaged answers that the exchange has on record: {len(result.misread)}")
    for line in result.misread[:10]:
        print(f"  {line}")
    print(f"violations: {len(result.violations)}")
    for line in result.violations[:40]:
        print(f"  {line}")


def replay(calls: int, seed: int, venues: str) -> str:
    """What to call for the same calls and faults; when each of them meets the other follows from the machine."""
    return f"python -m benchmarks.mixed --calls {calls} --seed {seed} --venues {venues}"


def main() -> int:
    """Run; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--venues", default="binance,kraken")
    parser.add_argument("--directory", type=Path)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    logging.basicConfig(level=logging.CRITICAL)
    print(f"seed {given.seed}; to replay: {replay(given.calls, given.seed, given.venues)}", file=sys.stderr)
    with tempfile.TemporaryDirectory() as name:
        directory = given.directory or Path(name)
        directory.mkdir(parents=True, exist_ok=True)
        os.environ["PLANAR_STATE"], os.environ["PLANAR_CACHE"] = str(directory / "state"), str(directory / "cache")
        result = asyncio.run(run(directory, given.venues.split(","), given.calls, given.seed))
    if given.json:
        print(msgspec.json.encode(result).decode())
    else:
        show(result)
    return 1 if result.violations else 0


if __name__ == "__main__":
    sys.exit(main())
