"""`python -m benchmarks.meters`: processes of mixed load on one key; the exchange's own count judges.

    --windows 60       windows of a second
    --processes 8      of mixed load
    --kill             one process is killed (kill -9) each second, and another takes its place
    --redis            two groups of processes that share nothing but a Redis
    --stop-redis       in the middle the Redis is stopped
    --ban              in the middle one process is answered 418 with Retry-After
    --json             one final object

Every request arrives 1 to 50 ms late. The exit code is 0 only if no meter was exceeded, at least 97 % of what others than
cancels may use was used, and 99 % of all cancels waited no more than 20 ms for their budget.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import msgspec

from benchmarks.meters.redis_server import Redis
from benchmarks.meters.venue import LOG_VARIABLE, WEIGHT
from benchmarks.meters.worker import Job
from planar.transport.meters import RESERVE
from planar.venue.client import VenueControl
from planar.venue.faults import DelayRequest, FaultRule, RefuseRequest
from planar.venue.registry import VenueRecord

JITTER_MS = (1, 5, 10, 15, 20, 25, 30, 35, 40, 45, 50)
SETTLING_S = 3
"""At the beginning the processes are still starting."""
MEETING_S = 3
"""And those of a Redis meet before they begin."""
BAN_S = 3
UNDER_WAY_S = 0.25
"""What had left before the ban was known still arrives."""
WEIGHT_METER = "REQUEST_WEIGHT 1S"


BAN = FaultRule(
    id="ban", fault=RefuseRequest(status=418, body="I'm a teapot", headers={"Retry-After": str(BAN_S)}), path="/api/*"
)


class Result(msgspec.Struct, kw_only=True):
    """What came out.

    Attributes:
        used: part of what others than cancels may use that was used, over all windows.
        least: the same of the worst window.
        cancel_p99_ms: what 99 % of the cancels waited at most for their budget, where nothing was banned.
        banned: requests that arrived during a ban; None where there was none.
    """

    scene: str
    windows: int
    violations: dict[str, int]
    used: float
    least: float
    requests_per_s: float
    cancels: int
    cancel_p99_ms: float
    killed: int
    errors: dict[str, int]
    banned: int | None = None


def start_venue(directory: Path, seed: int) -> tuple[subprocess.Popen[bytes], VenueRecord]:
    """A venue of this run's own."""
    command = [sys.executable, "-m", "planar.venue", "--venues", "benchmarks.meters.venue:strict", "--seed", str(seed)]
    process = subprocess.Popen(
        [*command, "--socket", str(directory / "venue.sock"), "--no-registry", "--die-with-parent"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, LOG_VARIABLE: str(directory / "charges.log"), "PLANAR_STATE": str(directory)},
    )
    assert process.stdout is not None
    return process, msgspec.json.decode(process.stdout.readline(), type=VenueRecord)


class Crew:
    """The processes of a run."""

    def __init__(self, directory: Path, jobs: list[Job]) -> None:
        self._directory = directory
        self._jobs = jobs
        self._processes = [self._start(job) for job in jobs]
        self.killed = 0

    def _start(self, job: Job) -> subprocess.Popen[bytes]:
        with (self._directory / f"{job.name}.err").open("ab") as stderr:
            return subprocess.Popen(
                [sys.executable, "-m", "benchmarks.meters.worker", msgspec.json.encode(job)], stderr=stderr
            )

    def kill_one(self, rng: random.Random) -> None:
        """End one without a word, and start another in its place."""
        index = rng.randrange(len(self._processes))
        self._processes[index].kill()
        self._processes[index].wait()
        self._processes[index] = self._start(self._jobs[index])
        self.killed += 1

    def end(self) -> None:
        """End all."""
        for process in self._processes:
            process.kill()
            process.wait()


async def play(options: argparse.Namespace, directory: Path) -> Result:
    """One run."""
    venue, record = start_venue(directory, options.seed)
    redis = Redis(directory) if options.redis else None
    rng = random.Random(options.seed)
    try:
        async with VenueControl(record) as control:
            (alice, *_) = [one for one in await control.accounts() if one.exchange == "binance"]
            await control.set_balance(alice.account, "USDT", "100000000")
            settling_s = SETTLING_S + MEETING_S * options.redis
            if options.ban:  # before the others, for the first rule that fits is the one that holds
                from_ms = (settling_s + options.windows // 2) * 1000
                await control.add_fault(msgspec.structs.replace(BAN, from_ms=from_ms))
            for number, delay_ms in enumerate(JITTER_MS):
                rule = FaultRule(
                    fault=DelayRequest(delay_ms=delay_ms),
                    path="/api/*",
                    count=None,
                    probability=1 / (len(JITTER_MS) - number),
                    seed=options.seed + number,
                )
                await control.add_fault(rule)
            crew = Crew(
                directory, jobs(options, directory, record, {"apiKey": alice.apiKey, "secret": alice.secret}, redis)
            )
            await asyncio.sleep(settling_s)
            began = time.time()
            for second in range(options.windows):
                await asyncio.sleep(began + second + 1 - time.time())
                if options.kill:
                    crew.kill_one(rng)
                if options.stop_redis and second == options.windows // 2 and redis is not None:
                    redis.stop()
            ended = time.time()
            crew.end()
            violations = await control.violations()
            hits = [firing.ts_ms / 1000 for firing in (await control.faults()).firings if firing.rule == BAN.id]
        ban = (hits[0] + UNDER_WAY_S, hits[0] + BAN_S) if hits else None
        return judge(options, directory, (began, ended), ban, dict(violations.counts), crew.killed)
    finally:
        assert venue.stdin is not None
        venue.stdin.close()
        venue.wait()
        if redis is not None:
            redis.stop()


def jobs(
    options: argparse.Namespace, directory: Path, record: VenueRecord, credentials: dict[str, str], redis: Redis | None
) -> list[Job]:
    """What each process is to do. Those of a Redis stand in two directories."""
    made: list[Job] = []
    for number in range(options.processes):
        name = f"w{number}"
        shared = {"redis": redis.url} if redis is not None else {"directory": str(directory / "budget")}
        made.append(
            Job(
                name=name,
                instance=record.instance,
                socket=record.socket or "",
                credentials=credentials,
                seconds=options.windows + 2 * SETTLING_S + 60,
                log=str(directory / f"{name}.log"),
                **shared,
            )
        )
    return made


def judge(
    options: argparse.Namespace,
    directory: Path,
    between: tuple[float, float],
    ban: tuple[float, float] | None,
    violations: dict[str, int],
    killed: int,
) -> Result:
    """What the exchange and the processes wrote down between two moments. The windows of a ban are not to be used."""
    began, ended = between
    windows: dict[int, float] = defaultdict(float)
    arrived = [
        (at, amount) for at, meter, amount in charges(directory) if meter == WEIGHT_METER and began <= at < ended
    ]
    for at, amount in arrived:
        windows[int(at)] += amount
    free = [
        second
        for second in range(int(began) + 1, int(ended))
        if ban is None or not ban[0] - 1 - UNDER_WAY_S < second < ban[1]
    ]
    used = [windows[second] / (WEIGHT * (1 - RESERVE)) for second in free]
    waits: list[float] = []
    errors: Counter[str] = Counter()
    for path in sorted(directory.glob("w*.log")):
        for line in path.read_text().splitlines():
            at, *words = line.split(" ")
            if float(at) >= began and words[:1] == ["cancel"] and (ban is None or float(at) < ban[0]):
                waits.append(float(words[1]))
            elif float(at) >= began and words[:1] == ["error"]:
                errors[" ".join(words[1:3])] += 1
    return Result(
        scene=" ".join(word for word in ("kill", "redis", "stop_redis", "ban") if getattr(options, word)) or "plain",
        windows=len(used),
        violations=violations,
        used=statistics.mean(used),
        least=min(used),
        requests_per_s=len(arrived) / (ended - began),
        cancels=len(waits),
        cancel_p99_ms=sorted(waits)[int(len(waits) * 0.99)] if waits else float("inf"),
        killed=killed,
        errors=dict(errors),
        banned=sum(ban[0] <= at < ban[1] for at, _ in arrived) if ban is not None else None,
    )


def charges(directory: Path) -> Iterator[tuple[float, str, float]]:
    """What the exchange has counted: when, on which meter, how much."""
    for line in (directory / "charges.log").read_text().splitlines():
        at, _, rest = line.partition(" ")
        meter, _, amount = rest.rpartition(" ")
        yield int(at) / 1e9, meter, float(amount)


def good(result: Result, options: argparse.Namespace) -> bool:
    """Whether it is as it must be. Without its Redis each process keeps to its share, and is not asked to use all."""
    if result.violations or not result.cancels or result.banned or (options.ban and result.banned is None):
        return False
    return options.stop_redis or (result.used >= 0.97 and result.cancel_p99_ms <= 20)


def main() -> int:
    """Run one scene."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--windows", type=int, default=60)
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    for name in ("--kill", "--redis", "--stop-redis", "--ban", "--json"):
        parser.add_argument(name, action="store_true")
    parser.add_argument("--keep", type=Path, help="directory that is kept")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        directory = options.keep or Path(name)
        directory.mkdir(exist_ok=True)
        result = asyncio.run(play(options, directory))
    if options.json:
        print(msgspec.json.encode(result).decode())
    else:
        print(f"{result.scene}: {result.windows} windows of 1 s, {options.processes} processes, {result.killed} killed")
        print(f"    violations            {sum(result.violations.values()):>9}     {result.violations or ''}")
        print(
            f"    used of limit less reserve {result.used:>8.1%}   target: >= 97 %   (worst window {result.least:.1%})"
        )
        print(f"    cancels' wait, p99    {result.cancel_p99_ms:>9.2f} ms  target: <= 20 ms ({result.cancels} cancels)")
        if result.banned is not None:
            print(f"    requests in the ban   {result.banned:>9}     target: none")
        print(f"    requests              {result.requests_per_s:>9.0f} /s   errors: {result.errors or 'none'}")
    return 0 if good(result, options) else 1


if __name__ == "__main__":
    sys.exit(main())
