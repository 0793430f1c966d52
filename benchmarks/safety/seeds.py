"""The whole order path under the seeded loop: each seed's life is lived twice, and both logs are the same to the byte.

    python -m benchmarks.safety.seeds --seeds 1000             each twice, in processes that hash differently
    python -m benchmarks.safety.seeds --replay 17              the log of one seed, to read

A life (`benchmarks.safety.life`) is wrong if an order is lost, doubled, or in another state than in the ledger. Each one
runs in a process of its own, forked from a warm one. The two runs of a seed have different seeds for Python's own hashes:
an order that came from walking a set would show.
"""

from __future__ import annotations

import argparse
import hashlib
import logging
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from benchmarks.safety import life

HASH_SEEDS = ("1", "2")
COMMAND = "python -m benchmarks.safety.seeds"


class Outcome(msgspec.Struct, frozen=True):
    """What became of one life.

    Attributes:
        digest: of its log.
        wrong: what is wrong at its end; an exception, if one ended it.
    """

    seed: int
    digest: str
    wrong: tuple[str, ...]


def lived(seed: int) -> tuple[str, Outcome]:
    """One life, in this process: its log, and what became of it."""
    with tempfile.TemporaryDirectory() as name:
        try:
            log, wrong = life.live(Path(name), seed)
        except Exception as error:
            log, wrong = "", [f"{type(error).__name__}: {error}", *getattr(error, "__notes__", ())]
    # the path of the directory is chance, and stands in no line of the log
    return log, Outcome(seed, hashlib.sha256(log.encode()).hexdigest(), tuple(wrong))


def in_fork(seed: int) -> Outcome:
    """One life in a fork of this process."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            with os.fdopen(writing, "wb") as out:
                out.write(msgspec.json.encode(lived(seed)[1]))
            os._exit(0)
        except BaseException as error:
            print(f"seed {seed}: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
            os._exit(1)
    os.close(writing)
    with os.fdopen(reading, "rb") as source:
        told = source.read()
    _, status = os.waitpid(child, 0)
    if status:
        return Outcome(seed, "", (f"the process ended with status {status}",))
    return msgspec.json.decode(told, type=Outcome)


def work(first: int, count: int) -> None:
    """Live these seeds, and print a line for each."""
    lived(first)  # warm: everything is imported, and every table is made
    for seed in range(first, first + count):
        sys.stdout.buffer.write(msgspec.json.encode(in_fork(seed)) + b"\n")
        sys.stdout.buffer.flush()


def outcomes(first: int, count: int, hash_seed: str) -> subprocess.Popen[bytes]:
    """A process that lives these seeds."""
    command = [sys.executable, "-m", "benchmarks.safety.seeds", "--work", str(first), str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, env={**os.environ, "PYTHONHASHSEED": hash_seed})


def pairs(first: int, count: int) -> Iterator[tuple[Outcome, Outcome]]:
    """Both outcomes of each seed."""
    workers = [outcomes(first, count, hash_seed) for hash_seed in HASH_SEEDS]
    for _ in range(count):
        lines = []
        for worker in workers:
            assert worker.stdout is not None
            line = worker.stdout.readline()
            if not line:
                raise SystemExit(f"a worker ended with {worker.wait()}; see above")
            lines.append(msgspec.json.decode(line, type=Outcome))
        yield lines[0], lines[1]
    for worker in workers:
        worker.wait()


def faults_of(one: Outcome, other: Outcome) -> list[str]:
    """What is wrong with a seed."""
    found = list(dict.fromkeys((*one.wrong, *other.wrong)))
    if one.digest != other.digest:
        how = " and ".join(f"PYTHONHASHSEED={hash_seed} {COMMAND} --replay {one.seed}" for hash_seed in HASH_SEEDS)
        found.append(f"its two logs differ: compare {how}")
    return found


def run(first: int, count: int) -> int:
    """Live all seeds twice; how many are wrong."""
    began = told = time.monotonic()
    bad = 0
    for done, (one, other) in enumerate(pairs(first, count), 1):
        if found := faults_of(one, other):
            bad += 1
            for text in found:
                print(f"seed {one.seed}: {text}")
            print(f"  replay: {COMMAND} --replay {one.seed}", flush=True)
        if time.monotonic() - told > 30:
            told = time.monotonic()
            left_s = (told - began) / done * (count - done)
            print(
                f"seeds: {done}/{count}, {left_s // 60:.0f} min {left_s % 60:.0f} s left", file=sys.stderr, flush=True
            )
    print(f"seeds {first} to {first + count - 1}, each lived twice: {bad} wrong; {time.monotonic() - began:.0f} s")
    return bad


def main() -> int:
    """Run what was asked for; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=1_000)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--replay", type=int, metavar="SEED", help="live one seed and print its log")
    parser.add_argument("--work", type=int, nargs=2, metavar=("FIRST", "COUNT"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    logging.basicConfig(level=logging.CRITICAL)
    if given.work is not None:
        work(*given.work)
        return 0
    if given.replay is not None:
        log, outcome = lived(given.replay)
        print(log, end="")
        for text in outcome.wrong:
            print(f"wrong: {text}")
        return 1 if outcome.wrong else 0
    return 1 if run(given.first, given.seeds) else 0


if __name__ == "__main__":
    sys.exit(main())
