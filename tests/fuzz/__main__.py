"""`python -m tests.fuzz`: random answers and frames, a million of them; see `tests.fuzz.run` and `tests.fuzz.frames`.

    --cases 1000000   how many, in chunks
    --seed 1          decides all of them
    --seconds S       end after so many seconds, whatever is left
    --chunk C         only this chunk of the seed: how a finding is seen again
    --processes N     at once; as many as there are processors without it

Each finding is printed once per kind, with the command that shows it again. The exit code is 0 if there is none.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator

from tests.fuzz.chunks import played
from tests.fuzz.run import CHUNK, Finding

SHOWN = 12
"""Kinds of findings that are printed whole."""
EVERY_S = 10.0
"""How often progress is told."""


def jobs(given: argparse.Namespace) -> Iterator[tuple[int, int, int]]:
    """The chunks that are to be played."""
    if given.chunk is not None:
        yield given.seed, given.chunk, min(given.cases, CHUNK)
        return
    for chunk in range(-(-given.cases // CHUNK)):
        yield given.seed, chunk, min(CHUNK, given.cases - chunk * CHUNK)


def show(finding: Finding, seed: int, chunk: int) -> None:
    """One finding, and how to see it again."""
    print(f"\n{finding.venue} {finding.call} (case {finding.case}): {finding.what}")
    for line in finding.answers[:6]:
        print(f"    {line}")
    print(f'    again: make fuzz ARGS="--seed {seed} --chunk {chunk} --cases {finding.case + 1}"')


def main() -> int:
    """Run; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--chunk", type=int)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    given = parser.parse_args()
    began = told = time.monotonic()
    cases, found, ends = 0, Counter[str](), Counter[str]()
    print(f"seed {given.seed}: {given.cases} cases, {given.processes} processes", flush=True)
    todo = list(jobs(given))
    with multiprocessing.get_context("spawn").Pool(given.processes, maxtasksperchild=40) as pool:
        for job, one in zip(todo, pool.imap(played, todo), strict=True):
            cases += one.cases
            ends.update(one.ends)
            for finding in one.findings:
                found[finding.kind] += 1
                if found[finding.kind] == 1 and len(found) <= SHOWN:
                    show(finding, given.seed, job[1])
            now = time.monotonic()
            if now - told >= EVERY_S:
                told = now
                print(f"  {cases} cases, {cases / (now - began):.0f} a second, {found.total()} findings", flush=True)
            if now - began > given.seconds:
                print(f"  ended after {now - began:.0f} s, as asked")
                pool.terminate()
                break
    seconds = time.monotonic() - began
    print(f"\n{cases} cases in {seconds:.0f} s, {cases / seconds:.0f} a second (seed {given.seed})")
    print("ends: " + ", ".join(f"{name} {count}" for name, count in ends.most_common()))
    print(f"findings: {found.total()} of {len(found)} kinds")
    for kind, count in found.most_common(40):
        print(f"  {count:6} {kind}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
