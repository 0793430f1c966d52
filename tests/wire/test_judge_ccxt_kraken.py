"""The CCXT judge on Kraken at full speed: unmodified CCXT through the proxy, against the ledger.

`make venue-clients` runs the same, and other clients besides.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import ccxt
import ccxt.async_support
import pytest
from judge_kit import Book, judged_venue

from judges.judge_ccxt_kraken import Judge
from judges.kit import Venue

WIRE = "judges.wires:kraken"
LIAR = "judges.kraken_liars:create"


@pytest.fixture
def book() -> Book:
    return Book(patience_s=5)


@pytest.fixture
async def venue(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Venue]:
    """A local Kraken in a process of its own, or one that lies; its market stands still."""
    monkeypatch.setenv("PLANAR_STATE", str(tmp_path_factory.mktemp("s")))
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent.parent))
    async with judged_venue(getattr(request, "param", WIRE)) as one:
        yield one


@pytest.mark.parametrize("module", [ccxt, ccxt.async_support], ids=["synchronous", "asynchronous"])
async def test_orders_and_data_by_rest(venue: Venue, book: Book, module: Any) -> None:
    judge = Judge(book.checks, venue)
    await judge.data(module)
    await judge.orders(module)
    assert book.wrong == []
    assert len(book.lines) > 250


async def test_private_streams(venue: Venue, book: Book) -> None:
    await Judge(book.checks, venue).private()
    assert book.wrong == []
    assert len(book.lines) > 250


async def test_public_streams(venue: Venue, book: Book) -> None:
    await Judge(book.checks, venue).public()
    assert book.wrong == []


@pytest.mark.parametrize("venue", [LIAR], indirect=True)
async def test_lies_about_orders_are_noticed(venue: Venue) -> None:
    book = Book(patience_s=0.2)
    await Judge(book.checks, venue).orders(ccxt.async_support)
    assert {"alice: fills", "alice: one of all orders"} <= {line["check"] for line in book.wrong}


@pytest.mark.parametrize("venue", [LIAR], indirect=True)
async def test_lies_of_the_private_streams_are_noticed(venue: Venue) -> None:
    book = Book(patience_s=0.2)
    with book.checks.part("private streams"):
        await Judge(book.checks, venue).private()
    assert {"watch_my_trades: every fill once"} <= {line["check"] for line in book.wrong}
