"""`python -m tests.ccxt_suite`: CCXT's own live suite, unmodified, against the local exchanges.

    --exchange binance --mode sync     which of the six runs; all of them without
    --only fetchTrades                 restricted to these methods
    --prove-skips                      take each skip away and see the failure that it stands for
    --json                             one final object on standard output

A run that is not as expected beside another is carried out once more, alone: the suite waits by the clock, and so does
its machine. The exit code is 0 only if every method passes or fails as the committed tables say.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from . import expectations, proofs, stage, verdict, wheel
from .expectations import EXCHANGES, MODES, Expected
from .output import read
from .stage import Task

PARALLEL = 2


class Result(NamedTuple):
    """The verdict on one run.

    Attributes:
        done: methods that passed.
        complaints: failures and warnings, expected or not.
        wrong: what is not as expected.
    """

    name: str
    done: int
    complaints: int
    seconds: float
    wrong: list[str]

    def json(self) -> dict[str, Any]:
        """For --json."""
        return {**self._asdict(), "seconds": round(self.seconds, 1), "as_expected": not self.wrong}


def main() -> int:
    """Run the suite; the exit code."""
    signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGINT))
    parser = argparse.ArgumentParser(prog="python -m tests.ccxt_suite", description=__doc__.splitlines()[0])
    parser.add_argument("--exchange", choices=EXCHANGES, help="one exchange; default: all")
    parser.add_argument("--mode", choices=MODES, help="one mode; default: all")
    parser.add_argument("--only", default="", help="methods, by comma")
    parser.add_argument("--prove-skips", action="store_true", help="see that no skip is unused")
    parser.add_argument("--json", action="store_true", help="one final object on standard output")
    given = parser.parse_args()
    exchanges = [given.exchange] if given.exchange else list(EXCHANGES)
    modes = [given.mode] if given.mode else list(MODES)
    only = tuple(name for name in given.only.split(",") if name)
    with tempfile.TemporaryDirectory(prefix="pls") as directory:
        os.environ["PLANAR_STATE"] = directory
        home = Path(directory)
        try:
            copies = [wheel.copy(home / f"suite{number}" / "python") for number in range(PARALLEL)]
        except wheel.SuiteError as error:
            parser.exit(2, f"{parser.prog}: {error}\n")
        progress(f"ccxt {copies[0].version}: {copies[0].files} files are as they were shipped")
        plan = proofs.plan if given.prove_skips else whole
        runs = [step for exchange in exchanges for mode in modes for step in plan(exchange, mode, only)]
        results = asyncio.run(carry_out(runs, copies))
        again = [step for step, result in zip(runs, results, strict=True) if result.wrong]
        if 0 < len(again) < len(runs):
            show(results, as_json=False)
            progress("\nonce more, alone:")
            alone = {result.name: result for result in asyncio.run(carry_out(again, copies[:1]))}
            results = [alone.get(result.name, result) for result in results]
        results.append(suite_itself(copies))
    show(results, as_json=given.json)
    return 1 if any(result.wrong for result in results) else 0


def whole(exchange: str, mode: expectations.Mode, only: Sequence[str]) -> list[proofs.Step]:
    """The one step of a run with all its skips."""
    committed, skips = expectations.expected(exchange, mode), expectations.skips()
    content = expectations.suite_skips(exchange, skips.filled[exchange], skips.of(exchange, mode))
    task = Task(exchange, mode, content, tuple(only))
    return [proofs.Step(f"{exchange} {mode}", task, lambda outcome: verdict.judge(task, outcome, committed))]


async def carry_out(steps: Sequence[proofs.Step], copies: Sequence[wheel.Copy]) -> list[Result]:
    """Run the steps, as many at a time as there are copies."""
    free: asyncio.Queue[wheel.Copy] = asyncio.Queue()
    for copied in copies:
        free.put_nowait(copied)

    async def one(step: proofs.Step) -> Result:
        copied = await free.get()
        progress(f"{step.name} begins")
        outcome = await stage.run(step.task, copied)
        free.put_nowait(copied)
        said, wrong = read(outcome.output), step.judge(outcome)
        progress(f"{step.name} {'is not as expected' if wrong else 'is as expected'} ({outcome.seconds:.0f} s)")
        return Result(step.name, len(said.done), len(said.complaints), outcome.seconds, wrong)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(step)) for step in steps]
    return [task.result() for task in tasks]


def suite_itself(copies: Sequence[wheel.Copy]) -> Result:
    """That the suite is still what was shipped, and that the lines on which skips and expectations rest stand in it."""
    began = time.monotonic()
    wrong = [f"{name} was changed while the suite ran" for copied in copies for name in wheel.changed(copied)]
    tables: list[Expected] = [expectations.expected(exchange, mode) for exchange in EXCHANGES for mode in MODES]
    reasons = [skip.reason for skip in expectations.skips().skip]
    reasons += [failure.reason for table in tables for failure in table.failures]
    for reason in dict.fromkeys(reasons):
        if reason.line not in (copies[0].root / "ccxt" / reason.file).read_text():
            wrong.append(f"a reason rests on a line that is not in {reason.file}: {reason.line}")
    return Result("the suite itself", 0, 0, time.monotonic() - began, wrong)


def progress(text: str) -> None:
    """A line while it runs."""
    print(text, file=sys.stderr, flush=True)


def show(results: Sequence[Result], *, as_json: bool) -> None:
    """The verdict."""
    for result in results:
        for text in result.wrong:
            progress(f"\n{result.name}: {text}")
    right = not any(result.wrong for result in results)
    if as_json:
        print(json.dumps({"as_expected": right, "runs": [result.json() for result in results]}))
        return
    width = max(len(result.name) for result in results)
    print(f"\n{'run':{width}}  {'done':>5}  {'complaints':>10}  {'unexpected':>10}  {'seconds':>7}")
    for r in results:
        print(f"{r.name:{width}}  {r.done:5}  {r.complaints:10}  {len(r.wrong):10}  {r.seconds:7.1f}")
    print("\n" + ("All as expected." if right else "Not as expected."))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
