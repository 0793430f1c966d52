"""Random answers and frames: no exception but ours, no outcome that is not known, nothing made up. `make fuzz` is the
long run of the same."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fuzz.answers import deliver
from tests.fuzz.calls import CALLS, VENUES, Bench
from tests.fuzz.frames import play_frames
from tests.fuzz.judge import Exchanged, Violation, judge
from tests.fuzz.run import TURNS, ask, play
from tests.fuzz.wire import Request

import planar.runtime as runtime
from planar.errors import InvalidOrder, NetworkError, Outcome
from planar.models import Amount, Order, OrderState

SEED = int(os.environ.get("PLANAR_FUZZ_SEED", "1"))
ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("chunk", range(len(TURNS)))
def test_random_answers(chunk: int) -> None:
    found = play(SEED, chunk, 500)
    assert found.findings == []
    assert found.ends["ok"] > 10
    assert found.ends["BadResponse"] > 10


def test_what_was_refused_for_its_time_and_cannot_be_sent_again_was_sent() -> None:
    """In this chunk the one that was to be sent again found no room in the budget, and called itself not sent."""
    assert play(21, 245, 870).findings == []


@pytest.mark.parametrize("number", [0, 1])
def test_random_frames(number: int) -> None:
    found = play_frames(SEED, number, 80)
    assert found.findings == []
    assert found.ends["ok"] > 50


statuses = st.sampled_from([200, 200, 400, 429, 418, 503]) | st.integers(100, 599)
texts = st.text(max_size=20) | st.sampled_from(["-1", "1e999", "nan", "\u00b2", "Wed, 21 Oct 2015 07:28:00 GMT"])
names = st.sampled_from(["Retry-After", "X-MBX-USED-WEIGHT-1M", "x-mbx-order-count-10s", "Content-Type", "Date"])
bodies = st.binary(max_size=60) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(
    venue=st.sampled_from(VENUES),
    call=st.sampled_from(sorted(CALLS)),
    status=statuses,
    headers=st.dictionaries(names, texts, max_size=3),
    body=bodies,
)
def test_any_status_headers_and_body(venue: str, call: str, status: int, headers: dict[str, str], body: Any) -> None:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [
        f"{name}: {text}".replace("\r", " ").replace("\n", " ").encode("utf-8", "replace")
        for name, text in headers.items()
    ]
    delivery = deliver(random.Random(1), status, lines, raw)
    runtime.simulate(lambda: ask(venue, call, delivery))


ORDER = Request("POST", "/api/v3/order", "")
GOOD = b'{"orderId": 17, "executedQty": "0"}'


@pytest.mark.parametrize(
    ("body", "result", "error", "what"),
    [
        (GOOD, None, NetworkError("lost", outcome=Outcome.NOT_SENT), "NOT_SENT, but it was"),
        (GOOD, None, InvalidOrder("no", outcome=Outcome.REFUSED), "without the venue's own word"),
        (GOOD, None, NetworkError("lost", outcome=Outcome.UNKNOWN), "retryable"),
        (GOOD, None, NetworkError("lost", outcome=Outcome.UNKNOWN, retryable=False), None),
        (GOOD, None, ValueError("int"), "ValueError came out"),
        (
            GOOD,
            Order(id="18", symbol="BTC/USDT", side="buy", state=OrderState.OPEN, filled=Amount(0)),
            None,
            "was never told",
        ),
        (
            GOOD,
            Order(id="17", symbol="BTC/USDT", side="buy", state=OrderState.OPEN, filled=Amount(3)),
            None,
            "was never told",
        ),
        (GOOD, Order(id="17", symbol="BTC/USDT", side="buy", state=OrderState.OPEN, filled=Amount(0)), None, None),
        (b'{"code": -2010, "msg": "no"}', None, InvalidOrder("no", outcome=Outcome.REFUSED), None),
    ],
)
def test_the_judge_sees_what_is_wrong(body: bytes, result: Any, error: Exception | None, what: str | None) -> None:
    said, bench = Exchanged(), Bench("binance", cast(Any, None), cast(Any, None), "17")
    said.requests.append(ORDER)
    said.bodies.append((ORDER, 400, body))
    try:
        judge(bench, "create limit", said, result, error)
    except Violation as violation:
        assert what is not None, violation
        assert what in str(violation)
    else:
        assert what is None


def test_a_seed_gives_the_same_again() -> None:
    assert play(SEED, 3, 60) == play(SEED, 3, 60)
    assert play(SEED, 3, 60).ends != play(SEED + 1, 3, 60).ends


def test_the_command_tells_its_rate_and_ends_well() -> None:
    command = [sys.executable, "-m", "tests.fuzz", "--cases", "40", "--seed", str(SEED), "--processes", "1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "40 cases in" in done.stdout
    assert f"seed {SEED}" in done.stdout
