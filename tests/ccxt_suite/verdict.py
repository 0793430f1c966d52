"""The verdict on one run: what it said against what is committed."""

from __future__ import annotations

import inspect
from asyncio import sslproto
from collections.abc import Sequence

from .expectations import Expected, Failure, Skip
from .output import Complaint, Said, read
from .stage import Outcome, Task

SHOWN = 700
"""Characters of a complaint that are shown."""

ABORTED_TWICE = "'NoneType' object has no attribute '_abort'"
"""What asyncio of early 3.11 raises when a TLS connection that is closed already is aborted, as CCXT's `close` does once
all tests have ended; later ones look first."""


def judge(task: Task, outcome: Outcome, committed: Expected) -> list[str]:
    """What is not as expected; nothing, if all is."""
    said = read(outcome.output)
    if task.only:
        committed = _restricted(committed, task.only)
    return [*_ends(task, outcome, said), *_methods(said, committed), *_complaints(said.complaints, committed.failures)]


def proved(task: Task, outcome: Outcome, taken: Sequence[Skip]) -> list[str]:
    """Which of the skips that were taken away is not needed: a method that does not fail as it says."""
    said = read(outcome.output)
    return [
        f"{skip.where}.{skip.property}: {method} passes without the skip, or fails otherwise"
        for skip in taken
        for method in sorted(skip.methods)
        if not any(c.method == method and skip.says in c.says for c in said.complaints)
    ]


def _restricted(committed: Expected, only: Sequence[str]) -> Expected:
    return Expected(
        done=committed.done & {*only, "loadMarkets"},
        failures=tuple(failure for failure in committed.failures if failure.method in only),
    )


def _ends(task: Task, outcome: Outcome, said: Said) -> list[str]:
    if outcome.hung:
        where = ", ".join(sorted(said.hanging)) or "no method"
        return [f"it hangs, in {where}; the last it said: {outcome.output.strip()[-SHOWN:]}"]
    if said.parts != {"PUBLIC", "PRIVATE"}:
        end = outcome.output.strip()[-SHOWN:] + outcome.errors[-SHOWN:]
        return [f"it did not come to its end: {end}"]
    return []


def _methods(said: Said, committed: Expected) -> list[str]:
    lost = [f"{method} does not pass" for method in sorted(committed.done - said.done)]
    new = [f"{method} passes, and is not in the table" for method in sorted(said.done - committed.done)]
    return lost + new


def _complaints(found: Sequence[Complaint], failures: Sequence[Failure]) -> list[str]:
    found = _without_asyncios(found)
    wrong = [
        f"{complaint.method} {'warns' if complaint.warning else 'fails'}: {complaint.says[:SHOWN]}"
        for complaint in found
        if not any(_meets(complaint, failure) for failure in failures)
    ]
    stopped = [
        f"{failure.method} is expected to fail ({failure.says}), and does not"
        for failure in failures
        if not any(_meets(complaint, failure) for complaint in found)
    ]
    return wrong + stopped


def _without_asyncios(found: Sequence[Complaint]) -> Sequence[Complaint]:
    """Without what the interpreter does wrong after the last test: the fault itself, and the bare mark ahead of it."""
    looks_first = "is not None" in inspect.getsource(sslproto._SSLProtocolTransport.abort)  # pyright: ignore
    if looks_first or not any(ABORTED_TWICE in complaint.says for complaint in found):
        return found
    return [one for one in found if one.method or (one.says and ABORTED_TWICE not in one.says)]


def _meets(complaint: Complaint, failure: Failure) -> bool:
    return (
        complaint.method == failure.method and complaint.warning == failure.warning and failure.says in complaint.says
    )
