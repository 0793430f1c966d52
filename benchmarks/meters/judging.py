"""What came out of a run, from what the exchange and the processes wrote down."""

from __future__ import annotations

import argparse
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import msgspec

from benchmarks.meters.venue import CALL_COUNTER, COUNTERS, PAIRS, TRADING_COUNTER, WEIGHT
from planar.transport.meters import RESERVE

UNDER_WAY_S = 0.25
"""What had left before the ban was known still arrives."""
WEIGHT_METER = "REQUEST_WEIGHT 1S"
SCENES = ("kill", "redis", "stop_redis", "start_redis", "slow_redis", "full_redis", "ban")
UNEVEN = ("stop_redis", "slow_redis", "full_redis")
"""Where not all is to be used: without its Redis each process keeps to its share, and over a slow way the edges of a
window of a second are wide."""


class Result(msgspec.Struct, kw_only=True):
    """What came out.

    Attributes:
        used: part of what others than cancels may use that was used, over all windows.
        least: the same of the worst window.
        cancel_p99_ms: what 99 % of the cancels waited at most for their budget, where nothing was banned.
        banned: requests that arrived during a ban; None where there was none.
        counters: of a Kraken, part of what could fall off each counter that did fall, for more cannot be used.
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
    counters: dict[str, float] = {}


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
    arrived = [(at, meter, amount) for at, meter, amount in charges(directory) if began <= at < ended]
    counters: dict[str, float] = {}
    if options.exchange == "kraken":
        falls = {CALL_COUNTER: COUNTERS.calls_decay, TRADING_COUNTER: COUNTERS.orders_decay * len(PAIRS)}
        for name, decay_per_s in falls.items():
            charged = [(at, amount) for at, meter, amount in charges(directory) if meter == name and at < ended]
            counters[name] = _fallen(charged, decay_per_s, between)
        used = list(counters.values())
    else:
        arrived = [one for one in arrived if one[1] == WEIGHT_METER]
        used = _windows([(at, amount) for at, _, amount in arrived], between, ban)
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
        scene=" ".join(word for word in SCENES if getattr(options, word)) or "plain",
        windows=options.windows if counters else len(used),
        violations=violations,
        used=statistics.mean(used),
        least=min(used),
        requests_per_s=len(arrived) / (ended - began),
        cancels=len(waits),
        cancel_p99_ms=sorted(waits)[int(len(waits) * 0.99)] if waits else float("inf"),
        killed=killed,
        errors=dict(errors),
        banned=sum(ban[0] <= at < ban[1] for at, _, _ in arrived) if ban is not None else None,
        counters=counters,
    )


def _fallen(charged: list[tuple[float, float]], decay_per_s: float, between: tuple[float, float]) -> float:
    """Part of what can fall off a counter between two moments that did: it fell unless it stood at nothing."""
    began, ended = between
    level, before, fallen = 0.0, 0.0, 0.0
    for at, amount in [*charged, (ended, 0.0)]:
        since = min(max(before, began), at)
        level = max(0.0, level - decay_per_s * (since - before))
        fell = min(level, decay_per_s * (at - since))
        fallen += fell if at > began else 0.0
        level, before = level - fell + amount, at
    return fallen / (decay_per_s * (ended - began))


def _windows(
    arrived: list[tuple[float, float]], between: tuple[float, float], ban: tuple[float, float] | None
) -> list[float]:
    """Part of each whole window that was used of what others than cancels may use; those of a ban are not to be."""
    began, ended = between
    windows: dict[int, float] = defaultdict(float)
    for at, amount in arrived:
        windows[int(at)] += amount
    free = [
        second
        for second in range(int(began) + 1, int(ended))
        if ban is None or not ban[0] - 1 - UNDER_WAY_S < second < ban[1]
    ]
    return [windows[second] / (WEIGHT * (1 - RESERVE)) for second in free]


def charges(directory: Path) -> Iterator[tuple[float, str, float]]:
    """What the exchange has counted: when, on which meter, how much."""
    for line in (directory / "charges.log").read_text().splitlines():
        at, _, rest = line.partition(" ")
        meter, _, amount = rest.rpartition(" ")
        yield int(at) / 1e9, meter, float(amount)


def good(result: Result, options: argparse.Namespace) -> bool:
    """Whether it is as it must be."""
    if result.violations or not result.cancels or result.banned or (options.ban and result.banned is None):
        return False
    return any(getattr(options, word) for word in UNEVEN) or (result.used >= 0.97 and result.cancel_p99_ms <= 20)
