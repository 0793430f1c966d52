"""Steps: a task with the verdict on it. The proof of the skips is such steps: each takes skips away and must see them.

Of the checks of one method only one is taken away at a time, since the first that fails hides the others; and those of
`loadMarkets` alone, since the run ends with it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from . import expectations, verdict
from .expectations import Mode, Skip
from .stage import Outcome, Task


class Step(NamedTuple):
    """A task, and what says what is wrong with its outcome."""

    name: str
    task: Task
    judge: Callable[[Outcome], list[str]]


def plan(exchange: str, mode: Mode, only: Sequence[str]) -> list[Step]:
    """The steps that prove the skips of one exchange and mode; `only` restricts them to skips of these methods."""
    skips = expectations.skips()
    mine = skips.of(exchange, mode)
    left = [skip for skip in mine if not only or skip.methods & {*only}]
    steps: list[Step] = []
    while left:
        taken = _apart(left)
        left = [skip for skip in left if skip not in taken]
        steps.append(_step(f"{exchange} {mode} proof {len(steps) + 1}", exchange, mode, mine, taken))
    return steps


def _apart(skips: Sequence[Skip]) -> list[Skip]:
    """As many as there are that hide no other."""
    if "loadMarkets" in skips[0].methods:
        return [skips[0]]
    taken: list[Skip] = []
    for skip in skips:
        if not skip.methods & {"loadMarkets"}.union(*(other.methods for other in taken)):
            taken.append(skip)
    return taken


def _step(name: str, exchange: str, mode: Mode, mine: Sequence[Skip], taken: Sequence[Skip]) -> Step:
    content = expectations.suite_skips(exchange, (), [skip for skip in mine if skip not in taken])
    methods = sorted({method for skip in taken for method in skip.methods})
    task = Task(exchange, mode, content, tuple(methods))
    return Step(name, task, lambda outcome: verdict.proved(task, outcome, taken))
