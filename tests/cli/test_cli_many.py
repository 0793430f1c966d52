"""`planar select | route | arbitrage` on both local exchanges."""

from __future__ import annotations

import shutil
import signal
import tempfile
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from cli_kit import Home, Ran, Venue, ended

BOTH = ("--exchange", "binance,kraken", "--environment", "local")


@pytest.fixture(scope="module")
def both() -> Iterator[Venue]:
    home = Home(Path(tempfile.mkdtemp(prefix="pl")))
    venue = Venue(home, venues="binance,kraken")
    yield venue
    assert venue.interrupt().code == 0
    assert home.leftovers() == []
    shutil.rmtree(home.path)


def run(venue: Venue, *args: str) -> Ran:
    return venue.home.run(*args)


def test_selection_says_whom_and_why(both: Venue) -> None:
    ran = run(both, "select", "BTC/USDT", "--by", "spread", *BOTH, "--json")
    assert ran.code == 0, ran
    assert ran.json["exchange"] in ("binance", "kraken")
    assert "spread" in ran.json["why"]
    assert {one["exchange"] for one in ran.json["candidates"]} == {"binance", "kraken"}
    shown = run(both, "select", "BTC/USDT", *BOTH)
    assert "binance for BTC/USDT" in shown.out


def test_a_route_is_previewed_and_never_sent(both: Venue) -> None:
    ran = run(both, "route", "BTC/USDT", "buy", "1.5", "--preview", *BOTH, "--json")
    assert ran.code == 0, ran
    assert Decimal(ran.json["amount"]) == Decimal("1.5")
    assert sum(Decimal(leg["amount"]) for leg in ran.json["legs"]) == Decimal("1.5")
    refused = run(both, "route", "BTC/USDT", "buy", "1.5", *BOTH)
    assert refused.code != 0
    assert "preview" in refused.err
    orders = run(both, "venue", "ledger", "requests", "--path", "*rder", "--venue", "binance", "--json")
    assert orders.json["requests"] == []


def test_what_is_wrong_is_named(both: Venue) -> None:
    unknown = run(both, "select", "BTC/USDT", "--exchange", "binanze", "--environment", "local")
    assert unknown.code != 0
    assert "binance" in unknown.err
    nowhere = run(both, "select", "NO/PAIR", *BOTH)
    assert nowhere.code != 0
    assert "NO/PAIR" in nowhere.err
    negative = run(both, "route", "BTC/USDT", "buy", "-1", "--preview", *BOTH)
    assert negative.code == 2, negative
    nothing = run(both, "arbitrage", "NO/PAIR", *BOTH, "--seconds", "1")
    assert nothing.code not in (0, 2)
    assert "no two exchanges can be compared for NO/PAIR" in nothing.err
    assert run(both, "arbitrage", "BTC/USDT", *BOTH, "--min-profit-pct", "nan").code == 2
    unsaid = run(both, "select", "BTC/USDT", "--by", "price", *BOTH)
    assert (unsaid.code, "--side" in unsaid.err) == (2, True), unsaid


def test_arbitrage_ends_in_time_or_by_ctrl_c_and_counts(both: Venue) -> None:
    ran = run(both, "arbitrage", "BTC/USDT", *BOTH, "--seconds", "0.5")
    assert ran.code == 0, ran
    assert "changes of books looked at" in ran.err
    process = both.home.start("arbitrage", "BTC/USDT", *BOTH)
    assert process.stderr is not None
    while "Ctrl-C ends it" not in process.stderr.readline():
        pass
    process.send_signal(signal.SIGINT)
    assert ended(("arbitrage",), process).code == 130
