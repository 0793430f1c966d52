"""Runs random cases on the seeded loop: pauses, deadlines and stops take no time, and a seed gives the same case again.

A chunk is `CHUNK` cases of one venue, on one loop: within it, cases share the exchange, its markets, its connections. To
see a finding again the chunk is played again from its beginning.
"""

from __future__ import annotations

import asyncio
import gc
import hashlib
import json
import random
import re
import signal
import tempfile
from pathlib import Path
from types import FrameType
from typing import Any

import msgspec
from tests.fuzz import answers
from tests.fuzz.calls import CALLS, HEAVY, VENUES, Bench, exchange_on
from tests.fuzz.judge import Exchanged, Violation, judge, judge_state, reset
from tests.fuzz.wire import Delivery, Request, ScriptedDialer

import planar.runtime as runtime
from planar.adapters.profile import load_profile
from planar.transport.pool import MeterPool

CHUNK = 1_000
"""Cases that one loop plays."""
TURNS = ("binance", "kraken", "binance", "kraken", "okx", "binance", "kraken", "bitstamp")
"""Whose turn it is, chunk after chunk: those with tables more often."""
STUCK_S = 10.0
"""No answer may hold the loop for so long, in real time."""
ANEW = 125
"""After so many cases each call must get the venue's own answer through."""
TRUE = Path(__file__).parent / "true"
MUST_WORK = frozenset(
    {"load_markets", "fetch_ticker", "fetch_order_book", "fetch_trades", "fetch_ohlcv", "fetch_balance", "create limit"}
)
"""Calls that every venue here answers; else nothing would be tried."""
DEFAULT_START_MS = 1_700_000_000_000
KEYS = {"apiKey": "k" * 64, "secret": "c2VjcmV0" * 8, "password": "p", "uid": "u"}
CODES = {
    "okx": ["50011", "50013", "51000", "51008", "51020", "51603", "58001", "50102", "50061"],
    "bitstamp": ["API0005", "API0004", "400.009", "Order not found", "You have only 0 BTC available"],
}


class Stuck(BaseException):
    """A case holds the loop; no error, so that nobody on the way takes it for one."""


def _stuck(number: int, frame: FrameType | None) -> None:
    raise Stuck(f"the loop is held for {STUCK_S} s")


class Finding(msgspec.Struct):
    """A case that broke a promise."""

    chunk: int
    case: int
    venue: str
    call: str
    what: str
    answers: list[str]

    @property
    def kind(self) -> str:
        """The same for findings of one cause."""
        lines = [line for line in self.what.splitlines() if line.strip()]
        return f"{self.venue}/{self.call.split()[0]}/{lines[0].partition(':')[0][:40]}/{lines[-1][:40]}"


class Venue:
    """Answers in the venue's place, randomly or truly."""

    def __init__(self, name: str) -> None:
        self.true: dict[str, list[Any]] = json.loads((TRUE / f"{name}.json").read_text())
        self.codes = list(load_profile(name).errors) or CODES[name]
        self.name = name
        self.rng = random.Random()
        self.said = Exchanged()
        self.wild = False

    @property
    def order_id(self) -> str:
        """Of the order that Kraken's answers are about: they are looked through for it."""
        answers_of = self.true.get("POST /0/private/QueryOrders", [])
        return next(iter(answers_of[0]["result"])) if answers_of else ""

    def begin(self, rng: random.Random, *, wild: bool) -> Exchanged:
        """A new case."""
        self.rng, self.wild, self.said = rng, wild, Exchanged()
        return self.said

    def answer(self, request: Request) -> Delivery:
        """A `Script`."""
        self.said.requests.append(request)
        known = self.true.get(request.name, [])
        if not self.wild:
            delivery = answers.good(known, self.rng)
        else:
            delivery = answers.answer(self.rng, known, self.codes, self.name)
        self.said.bodies.append((request, delivery.status, delivery.body))
        return delivery


def find_times(text: str) -> list[int]:
    """The milliseconds in recorded answers."""
    return [int(digits) for digits in re.findall(r"(?<![0-9])1[678][0-9]{11}(?![0-9])", text)]


async def _call(bench: Bench, name: str) -> tuple[Any, BaseException | None]:
    try:
        return await asyncio.wait_for(CALLS[name](bench), 60.0), None
    except asyncio.CancelledError:
        raise
    except BaseException as error:
        return None, error


def _pick(rng: random.Random) -> str:
    name = rng.choice(list(CALLS))
    return rng.choice(list(CALLS)) if name in HEAVY and rng.random() < 0.8 else name


class Player:
    """Plays the cases of one chunk."""

    def __init__(self, seed: int, chunk: int, count: int) -> None:
        self.seed = seed
        self.chunk = chunk
        self.count = count
        self.name = TURNS[chunk % len(TURNS)]
        self.findings: list[Finding] = []
        self.ends: dict[str, int] = {}
        self.start_ms = max(find_times((TRUE / f"{self.name}.json").read_text()), default=DEFAULT_START_MS)
        self._truths: frozenset[str] = frozenset()

    async def play(self) -> None:
        """All of them."""
        venue = Venue(self.name)
        dialer, pool = ScriptedDialer(venue.answer), MeterPool()
        with tempfile.TemporaryDirectory() as directory:
            keys = {name: KEYS[name] for name in KEYS}
            bench = exchange_on(self.name, dialer, Path(directory), keys, pool)
            bench.order_id = venue.order_id or bench.order_id
            venue.begin(random.Random(0), wild=False)
            await bench.exchange.load_markets()
            self._truths = frozenset(await self._truths_of(bench, venue))
            if not self._truths >= MUST_WORK:
                self._found(
                    0, "none", f"on true answers these do not work: {sorted(MUST_WORK - self._truths)}", venue.said
                )
            for number in range(self.count):
                await self._case(bench, venue, number)
                if number % ANEW == ANEW - 1:
                    await self._anew(bench, venue, number)
            await bench.exchange.close()
            await dialer.close()
            await pool.close()

    async def _case(self, bench: Bench, venue: Venue, number: int) -> None:
        digest = hashlib.sha256(f"{self.seed}/{self.chunk}/{number}".encode()).digest()
        rng = random.Random(digest)
        name = _pick(rng)
        said = venue.begin(rng, wild=True)
        signal.setitimer(signal.ITIMER_REAL, STUCK_S)
        result, error = await _call(bench, name)
        signal.setitimer(signal.ITIMER_REAL, 0)
        end = "ok" if error is None else f"{type(error).__name__}"
        self.ends[end] = self.ends.get(end, 0) + 1
        try:
            judge(bench, name, said, result, error)
            await _settled(bench)
            judge_state(bench)
        except Violation as violation:
            self._found(number, name, str(violation), said)
        venue.begin(rng, wild=False)
        reset(bench)
        if name in HEAVY:
            await runtime.sleep(2.0)  # some ids of CCXT keep their listing for a moment
            reset(bench)
            await bench.exchange.load_markets(reload=True)

    async def _anew(self, bench: Bench, venue: Venue, number: int) -> None:
        """Nothing has been taught that is not so."""
        missing = self._truths - set(await self._truths_of(bench, venue))
        if missing:
            self._found(
                number, ", ".join(sorted(missing)), "the venue's own answer does not get through any more", venue.said
            )

    async def _truths_of(self, bench: Bench, venue: Venue) -> list[str]:
        """The calls that work on true answers."""
        works: list[str] = []
        for name in CALLS:
            venue.begin(random.Random(1), wild=False)
            reset(bench)
            _, error = await _call(bench, name)
            if error is None:
                works.append(name)
        return works

    def _found(self, number: int, name: str, what: str, said: Exchanged) -> None:
        told = [f"{request.name} -> {status} {body[:600]!r}" for request, status, body in said.bodies]
        self.findings.append(Finding(self.chunk, number, self.name, name, what, told))


async def _settled(bench: Bench) -> None:
    """Let what the case has begun in the background come to its end: questions for the time, connections closing."""
    for _ in range(3):
        await asyncio.sleep(0)
    tasks = list(bench.adapter.exchange._tasks())
    if tasks:
        await asyncio.wait(tasks)
        await asyncio.sleep(0)


async def ask(name: str, call: str, delivery: Delivery) -> None:
    """Make one call, each request of which is answered so.

    Raises:
        Violation: a promise was broken.
    """
    venue, answered = Venue(name), False

    def script(request: Request) -> Delivery:
        if not answered:
            return venue.answer(request)
        venue.said.requests.append(request)
        venue.said.bodies.append((request, delivery.status, delivery.body))
        return delivery

    dialer, pool = ScriptedDialer(script), MeterPool()
    with tempfile.TemporaryDirectory() as directory:
        bench = exchange_on(name, dialer, Path(directory), KEYS, pool)
        venue.begin(random.Random(0), wild=False)
        await bench.exchange.load_markets()
        said, answered = venue.begin(random.Random(0), wild=False), True
        result, error = await _call(bench, call)
        try:
            judge(bench, call, said, result, error)
            await _settled(bench)
            judge_state(bench)
        finally:
            await bench.exchange.close()
            await dialer.close()
            await pool.close()


class Played(msgspec.Struct):
    """What a chunk came to."""

    chunk: int
    cases: int
    findings: list[Finding]
    ends: dict[str, int]


def play(seed: int, chunk: int, count: int = CHUNK) -> Played:
    """Play the first `count` cases of a chunk."""
    player = Player(seed, chunk, count)
    before = signal.signal(signal.SIGALRM, _stuck)
    try:
        runtime.simulate(player.play, seed=seed * 1_000_003 + chunk, start_wall_ms=player.start_ms)
    except (Exception, Stuck) as error:  # what the loop's own handler heard, or the player's failure
        what = f"outside of any call: {type(error).__name__}: {error}"
        player.findings.append(Finding(chunk, count - 1, player.name, "the loop", what[:3000], []))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    gc.collect()
    return Played(chunk, count, player.findings, player.ends)


assert set(TURNS) == set(VENUES)
