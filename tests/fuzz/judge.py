"""What must hold after every case, whatever was answered."""

from __future__ import annotations

import json
import re
import traceback
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

import orjson
from tests.fuzz.calls import WRITE_PATHS, WRITES, Bench, order_request
from tests.fuzz.wire import Request

from planar.adapters.profile import load_profile
from planar.errors import Outcome, PlanarError
from planar.models import AccountBalance, Fill, Order
from planar.transport.budget import OVER, Budget
from planar.transport.clock import FIRST_MS, LAST_MS, VenueClock
from planar.transport.pool import MeterPool
from planar.transport.stops import LONGEST_STOP_S

NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?", re.ASCII)
MORE = 100.0
"""What a case can cost on a meter besides what an answer claims."""


class Violation(Exception):
    """A promise was broken."""


class Exchanged:
    """The requests of one case, and what they were answered with."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.bodies: list[tuple[Request, int, bytes]] = []


def judge(bench: Bench, name: str, said: Exchanged, result: Any, error: BaseException | None) -> None:
    """The end of a call.

    Raises:
        Violation: it broke a promise.
    """
    writes = [one for one in said.requests if one.name in WRITE_PATHS[bench.venue]]
    if len(writes) > 1:
        raise Violation(f"{len(writes)} WRITEs were sent")
    if writes and name not in WRITES:
        raise Violation(f"a read sent {writes[0].name}")
    if error is None:
        _true(bench, name, said, result, writes)
    elif not isinstance(error, PlanarError):
        raise Violation(f"{type(error).__name__} came out:\n{_lines(error)}")
    elif error.outcome is None:
        raise Violation(f"{type(error).__name__} says no outcome: {error.message}")
    elif writes:
        _outcome(bench, said, error, writes[0])


def _outcome(bench: Bench, said: Exchanged, error: PlanarError, write: Request) -> None:
    if error.outcome is Outcome.NOT_SENT:
        raise Violation(f"NOT_SENT, but it was: {type(error).__name__}: {error.message}")
    if error.retryable and error.outcome is not Outcome.REFUSED:
        raise Violation(f"retryable, though nobody knows: {error!r}")
    if error.outcome is Outcome.REFUSED:
        status, body = next((status, body) for request, status, body in said.bodies if request is write)
        if status >= 500 or not own_word(bench.venue, body):
            raise Violation(f"REFUSED without the venue's own word: HTTP {status} {body[:200]!r}: {error!r}")


def own_word(venue: str, body: bytes) -> bool:
    """Whether a body has the form in which the venue refuses."""
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError:
        return False
    if not isinstance(said, dict) or not said:
        return False
    if venue == "binance":
        code = said.get("code")
        code = code[0] if isinstance(code, list) and code else code
        text = str(said.get("msg") or body.decode("utf-8", "replace"))
        given = isinstance(code, str | int) and not isinstance(code, bool) and code != ""
        return given or any(part in text for part, _ in load_profile(venue).texts)
    if venue == "kraken":
        errors = said.get("error")
        first = errors[0] if isinstance(errors, list) and errors else errors
        return isinstance(first, str) and first.startswith("E")
    return True


def _true(bench: Bench, name: str, said: Exchanged, result: Any, writes: Sequence[Request]) -> None:
    """What decides money was answered, or asked for; nothing was made up."""
    if name in WRITES and not writes:
        raise Violation("it succeeded, and nothing was sent")
    if isinstance(result, list | tuple):
        rows = list(result)
    else:
        rows = [result]
    if not any(isinstance(row, Order | Fill | AccountBalance) for row in rows):
        return
    known, texts = _told(said)
    request = order_request(name.split()[-1], bench)
    if name in WRITES:
        known |= {
            abs(Decimal(value)) for value in (request.amount, request.price, request.stop_price) if value is not None
        }
    for row in rows[:3]:
        if isinstance(row, Order):
            if row.id is not None and not any(row.id in text for text in texts):
                raise Violation(f"the id {row.id!r} was never told")
            _derived(row.filled, known, "filled", row)
            _derived(row.amount, known, "amount", row)
        elif isinstance(row, Fill):
            _derived(row.price, known, "price", row)
            _derived(row.amount, known, "amount", row)
        elif isinstance(row, AccountBalance):
            for code, one in list(row.balances.items())[:3]:
                for what in ("free", "used", "total"):
                    _derived(getattr(one, what), known, f"{what} {code}", one)


def _told(said: Exchanged) -> tuple[set[Decimal], list[str]]:
    numbers: set[Decimal] = set()
    texts: list[str] = []

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            for inner in value.values():
                walk(inner)
        elif isinstance(value, list):
            for inner in value:
                walk(inner)
        elif isinstance(value, str | int | float) and not isinstance(value, bool):
            texts.append(str(value))
            words = [str(value), *NUMBER.findall(value[:200])] if isinstance(value, str) else [str(value)]
            for word in words:  # Kraken tells an order in words too: "buy 0.01 XBTUSDT @ limit 20000"
                try:
                    number = Decimal(word)
                except InvalidOperation:
                    continue
                if number.is_finite() and -400 < number.adjusted() < 400:
                    numbers.add(abs(number))

    for _, _, body in said.bodies:
        texts.append(body.decode("utf-8", "replace"))
        try:
            walk(orjson.loads(body))
        except orjson.JSONDecodeError:
            try:
                walk(json.loads(body))
            except (ValueError, RecursionError):
                continue
    return numbers, texts


def _derived(value: Any, known: set[Decimal], what: str, row: Any) -> None:
    """The number was told, or is the sum or the difference of two that were."""
    if value is None:
        return
    number = abs(Decimal(value))
    near = max(number, Decimal("1e-8")) * Decimal("1e-9")
    if any(abs(one - number) <= near for one in known):
        return
    few = sorted(known)[:60]
    if any(abs(one - two - number) <= near or abs(one + two - number) <= near for one in few for two in few):
        return
    raise Violation(f"{what} = {value} was never told: {row}"[:600])


def judge_state(bench: Bench) -> None:
    """What is left of a case: nothing that would harm the next call.

    Raises:
        Violation: something would.
    """
    wiring = bench.adapter.exchange.planar
    budget = wiring.budget
    if not budget.stopped_s() <= LONGEST_STOP_S:
        raise Violation(f"everything is stopped for {budget.stopped_s()} s")
    for meter, (used, limit) in budget.usage().items():
        if not 0 <= used <= OVER * limit + MORE:
            raise Violation(f"the meter {meter} counts {used} of {limit}")
    signed_ms = wiring.monitor.clock.wall_ms()
    if not FIRST_MS <= signed_ms < LAST_MS:
        raise Violation(f"requests are signed with the time {signed_ms}")
    connector: Any = wiring.session.connector
    if connector._acquired:
        raise Violation(f"{len(connector._acquired)} connections were not given back")
    if budget._turnstile._lanes:
        raise Violation("somebody still waits for the budget")


def reset(bench: Bench) -> None:
    """Forget what the case taught, so that the next begins as if it were the first."""
    wiring = bench.adapter.exchange.planar
    wiring.budget = Budget(MeterPool(), bench.venue, "local", "fuzz", wiring.profile.meters)
    wiring.monitor.clock = VenueClock()
    wiring.monitor.hosts.clear()
    wiring.monitor.retries._buckets.clear()


def _lines(error: BaseException) -> str:
    return "".join(traceback.format_exception(error)[-14:])
