"""`python -m benchmarks.meters`: processes of mixed load on one key; the exchange's own count judges.

    --windows 60       windows of a second
    --processes 8      of mixed load
    --kill             one process is killed (kill -9) each second, and another takes its place
    --redis            two groups of processes that share nothing but a Redis
    --stop-redis       in the middle the Redis is stopped
    --start-redis      and comes back empty after a quarter of the windows
    --slow-redis       each message is on its way to the Redis for 50 ms
    --full-redis       in the middle the Redis has no memory left
    --exchange kraken  counters that fall instead of windows
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
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import msgspec

from benchmarks.meters.judging import UNDER_WAY_S, Result, good, judge
from benchmarks.meters.redis_server import Redis, SlowWay
from benchmarks.meters.venue import LOG_VARIABLE
from benchmarks.meters.worker import Job
from planar.venue.client import VenueControl
from planar.venue.faults import DelayRequest, FaultRule, RefuseRequest
from planar.venue.registry import VenueRecord

JITTER_MS = (1, 5, 10, 15, 20, 25, 30, 35, 40, 45, 50)
STARTING_S = 60.0
"""How long the processes may take to begin, on a busy machine."""
SETTLING_S = 3
"""What they do at first is not judged."""
MEETING_S = 3
"""And those of a Redis meet before they begin."""
BAN_S = 3
SLOW_S = 0.05
FACTORIES = {"binance": "strict", "kraken": "strict_kraken"}
BACKFILLS = {"binance": 12, "kraken": 2}
"""Requests for history at a time that each process wants: enough to fill the meters."""
PATHS = {"binance": "/api/*", "kraken": "/0/private/*"}
BAN = FaultRule(
    id="ban", fault=RefuseRequest(status=418, body="I'm a teapot", headers={"Retry-After": str(BAN_S)}), path="/api/*"
)


def start_venue(directory: Path, seed: int, exchange: str) -> tuple[subprocess.Popen[bytes], VenueRecord]:
    """A venue of this run's own."""
    command = [
        sys.executable,
        "-m",
        "planar.venue",
        "--venues",
        f"benchmarks.meters.venue:{FACTORIES[exchange]}",
        "--seed",
        str(seed),
    ]
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

    async def ready(self) -> None:
        """Wait until all have begun."""
        until = time.monotonic() + STARTING_S
        while not all((self._directory / f"{job.name}.log").exists() for job in self._jobs):
            if time.monotonic() > until:
                raise TimeoutError(f"the processes have not begun after {STARTING_S:.0f} s")
            await asyncio.sleep(0.1)

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
    venue, record = start_venue(directory, options.seed, options.exchange)
    redis = Redis(directory) if options.redis else None
    slow = SlowWay(directory, SLOW_S) if options.slow_redis else None
    rng = random.Random(options.seed)
    if slow is not None:
        await slow.open()
    url = None if redis is None else redis.url if slow is None else slow.url
    try:
        async with VenueControl(record) as control:
            (alice, *_) = [one for one in await control.accounts() if one.exchange == options.exchange]
            await control.set_balance(alice.account, "USDT", "100000000")
            crew = Crew(
                directory, jobs(options, directory, record, {"apiKey": alice.apiKey, "secret": alice.secret}, url)
            )
            await crew.ready()
            settling_s = SETTLING_S + MEETING_S * options.redis
            await add_faults(options, control, settling_s)
            await asyncio.sleep(settling_s)
            began = time.time()
            for second in range(options.windows):
                await asyncio.sleep(began + second + 1 - time.time())
                if options.kill:
                    crew.kill_one(rng)
                if redis is not None:
                    change(options, second, redis)
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
        if slow is not None:
            await slow.close()
        if redis is not None:
            redis.stop()


async def add_faults(options: argparse.Namespace, control: VenueControl, settling_s: float) -> None:
    """The ban, and before and after it what makes each request late; the first rule that fits is the one that holds."""
    if options.ban:
        from_ms = int((settling_s + options.windows // 2) * 1000)
        await control.add_fault(msgspec.structs.replace(BAN, from_ms=from_ms))
    for number, delay_ms in enumerate(JITTER_MS):
        rule = FaultRule(
            fault=DelayRequest(delay_ms=delay_ms),
            path=PATHS[options.exchange],
            count=None,
            probability=1 / (len(JITTER_MS) - number),
            seed=options.seed + number,
        )
        await control.add_fault(rule)


def change(options: argparse.Namespace, second: int, redis: Redis) -> None:
    """What befalls the Redis in this second."""
    half = options.windows // 2
    if second == half and options.stop_redis:
        redis.stop()
    if second == half and options.full_redis:
        redis.tell("CONFIG", "SET", "maxmemory", "1")
    if second == half + options.windows // 4 and options.start_redis:
        redis.start()


def jobs(
    options: argparse.Namespace, directory: Path, record: VenueRecord, credentials: dict[str, str], redis: str | None
) -> list[Job]:
    """What each process is to do. Those of a Redis stand in two directories."""
    made: list[Job] = []
    for number in range(options.processes):
        name = f"w{number}"
        shared = {"redis": redis} if redis is not None else {"directory": str(directory / "budget")}
        made.append(
            Job(
                name=name,
                exchange=options.exchange,
                nonces=str(directory / "nonces"),
                instance=record.instance,
                socket=record.socket or "",
                credentials=credentials,
                backfills=BACKFILLS[options.exchange],
                seconds=options.windows + 2 * SETTLING_S + 60,
                log=str(directory / f"{name}.log"),
                **shared,
            )
        )
    return made


def main() -> int:
    """Run one scene."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--windows", type=int, default=60)
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--exchange", choices=FACTORIES, default="binance")
    for name in (
        *("--kill", "--redis", "--stop-redis", "--start-redis", "--slow-redis", "--full-redis", "--ban"),
        "--json",
    ):
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
        crowd = f"{options.processes} processes, {result.killed} killed"
        print(f"{options.exchange}, {result.scene}: {result.windows} windows of 1 s, {crowd}")
        print(f"    violations            {sum(result.violations.values()):>9}     {result.violations or ''}")
        print(
            f"    used of limit less reserve {result.used:>8.1%}   target: >= 97 %   (worst window {result.least:.1%})"
        )
        for name, part in result.counters.items():
            print(f"    used of the {name:<20} {part:.1%}")
        print(f"    cancels' wait, p99    {result.cancel_p99_ms:>9.2f} ms  target: <= 20 ms ({result.cancels} cancels)")
        if result.banned is not None:
            print(f"    requests in the ban   {result.banned:>9}     target: none")
        print(f"    requests              {result.requests_per_s:>9.0f} /s   errors: {result.errors or 'none'}")
    return 0 if good(result, options) else 1


if __name__ == "__main__":
    sys.exit(main())
