"""The CCXT judge at full speed: unmodified CCXT, by its own pace limits unhindered, through the proxy, against the ledger.

`make venue-clients` runs the same with CCXT's defaults, and other clients besides.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import ccxt
import ccxt.async_support
import ccxt.pro
import pytest
from judge_kit import Book, judged_venue

from judges.judge_ccxt import Judge
from judges.kit import Venue


@pytest.fixture
def book() -> Book:
    return Book(patience_s=5)


@pytest.fixture
def hasty_book() -> Book:
    """For lies, which no patience turns into truth."""
    return Book(patience_s=0.2)


@pytest.fixture
async def venue(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Venue]:
    """A local Binance in a process of its own; its market stands still."""
    monkeypatch.setenv("PLANAR_STATE", str(tmp_path_factory.mktemp("s")))
    async with judged_venue("binance") as one:
        yield one


@pytest.fixture
async def liar(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Venue]:
    """A local Binance that lies, and whose ledger does not."""
    monkeypatch.setenv("PLANAR_STATE", str(tmp_path_factory.mktemp("s")))
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent.parent))
    async with judged_venue("judges.liars:create") as one:
        yield one


MODULES = pytest.mark.parametrize("module", [ccxt, ccxt.async_support], ids=["synchronous", "asynchronous"])


@MODULES
async def test_orders_by_rest(venue: Venue, book: Book, module: Any) -> None:
    await Judge(book.checks, venue, paced=False).orders(module)
    assert book.wrong == []
    assert len(book.lines) > 250


@MODULES
async def test_data_by_rest(venue: Venue, book: Book, module: Any) -> None:
    await Judge(book.checks, venue, paced=False).data(module)
    assert book.wrong == []
    assert len(book.lines) > 50


async def test_private_streams(venue: Venue, book: Book) -> None:
    await Judge(book.checks, venue, paced=False).private()
    assert book.wrong == []


async def test_public_streams(venue: Venue, book: Book) -> None:
    await Judge(book.checks, venue, paced=False).public()
    assert book.wrong == []


async def test_ed25519(venue: Venue, book: Book) -> None:
    await Judge(book.checks, venue, paced=False).ed25519()
    assert book.wrong == []


async def test_lies_about_orders_are_noticed(liar: Venue, hasty_book: Book) -> None:
    await Judge(hasty_book.checks, liar, paced=False).orders(ccxt.async_support)
    assert {
        "alice: fills",
        "alice: balances",
        "alice: one of all orders",
        "alice: none lost, none doubled",
    } <= {line["check"] for line in hasty_book.wrong}


async def test_lies_of_the_private_streams_are_noticed(liar: Venue, hasty_book: Book) -> None:
    with hasty_book.checks.part("private streams"):
        await Judge(hasty_book.checks, liar, paced=False).private()
    assert {"watch_my_trades: every fill once"} <= {line["check"] for line in hasty_book.wrong}


async def test_lies_about_the_market_are_noticed(liar: Venue, hasty_book: Book) -> None:
    await Judge(hasty_book.checks, liar, paced=False).public()
    wrong = {line["check"] for line in hasty_book.wrong}
    assert {"books that were equal", "BTC/USDT: ticker", "BTC/USDT 1m: the last candle"} <= wrong
