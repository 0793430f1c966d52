"""CCXT's live suite as a judge is itself judged: a true answer passes, one broken answer of each exchange does not.

Each run is restricted to one method; `make venue-ccxt-suite` runs it whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ccxt_suite import expectations, stage, verdict, wheel
from ccxt_suite.output import Complaint, read
from ccxt_suite.stage import Outcome, Task
from planar.venue.faults import FaultRule, ReplaceAnswer

JSON = {"Content-Type": "application/json"}
CROSSED = {
    "binance": '{"lastUpdateId":1,"bids":[["2","1"]],"asks":[["1","1"]]}',
    "kraken": '{"error":[],"result":{"XBTUSDT":{"asks":[["1","1",1]],"bids":[["2","1",1]]}}}',
}
"""Books in which the best bid is above the best ask."""
PATHS = {"binance": "/api/v3/depth", "kraken": "/0/public/Depth"}


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[wheel.Copy]:
    """The suite as it was shipped."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLANAR_STATE", str(tmp_path_factory.mktemp("s")))
        yield wheel.copy(tmp_path_factory.mktemp("suite") / "python")


def task(exchange: str, *faults: FaultRule, only: tuple[str, ...] = ("fetchOrderBook",)) -> Task:
    skips = expectations.skips()
    content = expectations.suite_skips(exchange, skips.filled[exchange], skips.of(exchange, "sync"))
    return Task(exchange, "sync", content, only, faults=faults)


async def judged(wanted: Task, copied: wheel.Copy) -> list[str]:
    outcome = await stage.run(wanted, copied)
    return verdict.judge(wanted, outcome, expectations.expected(wanted.exchange, wanted.mode))


@pytest.mark.slow
@pytest.mark.parametrize("exchange", expectations.EXCHANGES)
async def test_a_broken_answer_fails_the_run(exchange: str, copied: wheel.Copy) -> None:
    broken = FaultRule(
        venue=exchange,
        path=PATHS[exchange],
        fault=ReplaceAnswer(status=200, body=CROSSED[exchange], headers=JSON),
    )
    said = await judged(task(exchange, broken), copied)
    assert said[0] == "fetchOrderBook does not pass"
    assert "should be < than asks[0][0]" in said[1]


@pytest.mark.slow
async def test_the_same_answer_unbroken_passes(copied: wheel.Copy) -> None:
    assert await judged(task("binance"), copied) == []


SAID = """\
[INFO] TESTING           binance fetchTicker ([])
[INFO] TESTING DONE      binance fetchTicker
[INFO] TESTING           binance fetchTrades ([])
[INFO] TESTING FAILED    binance fetchTrades
[TEST_FAILURE] binance fetchTrades [] [AssertionError] Traceback (most recent call last):
  File "x.py", line 1, in x
    assert False
AssertionError: it is wrong <<< {"a":1}

[TEST_WARNING] TIMEOUT_CAUSE verdict=SLOW_TEST url=wss://x
[TEST_FAILURE] binance PUBLIC_TESTS Failed methods : fetchTrades
[INFO] END PUBLIC_TESTS binance
[INFO] TESTING           binance fetchOrders ([])
"""


def test_what_the_suite_says_is_read() -> None:
    said = read(SAID)
    assert said.done == {"fetchTicker"}
    assert said.complaints == (Complaint("fetchTrades", False, 'AssertionError: it is wrong <<< {"a":1}'),)
    assert (said.hanging, said.parts) == ({"fetchOrders"}, {"PUBLIC"})


def outcome(text: str, *, hung: bool = False) -> Outcome:
    return Outcome(text, "", 1.0, hung)


def test_verdicts() -> None:
    wanted = Task("binance", "sync", {})
    reason = expectations.Reason(file="x", line="y", why="z")
    failure = expectations.Failure(method="fetchTrades", says="it is wrong", reason=reason)
    table = expectations.Expected(done=frozenset({"fetchTicker"}), failures=(failure,))
    whole = SAID + "[INFO] END PRIVATE_TESTS binance\n"
    assert verdict.judge(wanted, outcome(whole), table) == []
    assert "did not come to its end" in verdict.judge(wanted, outcome(SAID), table)[0]
    [hanging] = verdict.judge(wanted, outcome(whole, hung=True), table)
    assert hanging.startswith("it hangs, in fetchOrders; the last it said: ")
    assert hanging.endswith("[INFO] END PRIVATE_TESTS binance")
    mended = whole.replace("[TEST_FAILURE] binance fetchTrades", "[INFO]")
    assert verdict.judge(wanted, outcome(mended), table) == [
        "fetchTrades is expected to fail (it is wrong), and does not"
    ]
    lost = whole.replace("TESTING DONE      binance fetchTicker", "TESTING DONE      binance fetchStatus")
    assert verdict.judge(wanted, outcome(lost), table) == [
        "fetchTicker does not pass",
        "fetchStatus passes, and is not in the table",
    ]
    other = verdict.judge(wanted, outcome(whole.replace("it is wrong", "it is late")), table)
    assert other[0].startswith("fetchTrades fails: AssertionError: it is late")


def test_a_skip_that_is_not_needed_is_found() -> None:
    [skip, *_] = expectations.skips().of("binance", "sync")
    wanted = Task("binance", "sync", {})
    assert verdict.proved(wanted, outcome(SAID), [skip]) == [
        "orderBook.timestamp: fetchOrderBook passes without the skip, or fails otherwise"
    ]


def test_a_changed_file_is_found(copied: wheel.Copy, tmp_path: Path) -> None:
    assert wheel.changed(copied) == []
    path = copied.root / "ccxt" / "test" / "tests_init.py"
    shipped = path.read_bytes()
    path.write_bytes(shipped + b"\n")
    assert wheel.changed(copied) == ["ccxt/test/tests_init.py"]
    path.write_bytes(shipped)
