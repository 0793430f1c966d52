"""The CCXT judge at full speed: unmodified CCXT, by its own pace limits unhindered, through the proxy, against the ledger.

`make judges` runs the same with CCXT's defaults, and other clients besides.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import ccxt
import ccxt.async_support
import ccxt.pro
import pytest

from judges.judge_ccxt import Judge
from judges.kit import Checks, Venue
from planar.cli.venue_clients import client_lines
from planar.venue.client import VenueControl, start_private


class Book:
    """The checks of a judge, kept."""

    def __init__(self, patience_s: float) -> None:
        self.lines: list[dict[str, Any]] = []
        self.checks = Checks(self.lines.append, patience_s=patience_s)

    @property
    def wrong(self) -> list[dict[str, Any]]:
        """The checks that failed."""
        return [line for line in self.lines if line.get("ok") is False]


@pytest.fixture
def book() -> Book:
    return Book(patience_s=5)


@pytest.fixture
def hasty_book() -> Book:
    """For lies, which no patience turns into truth."""
    return Book(patience_s=0.2)


async def _venue(wire: str) -> AsyncIterator[Venue]:
    async with await start_private([wire]) as private, VenueControl(private.record) as control:
        accounts = [
            {"account": a.account, "apiKey": a.apiKey, "secret": a.secret, "more": a.more}
            for a in await control.accounts()
        ]
        record = private.record
        assert record.ca is not None
        venue = Venue(
            {
                "port": record.port,
                "token": record.token,
                "ca": record.ca,
                "accounts": accounts,
                "lines": {name: client_lines(name, record.ca, record) for name in ("ccxt-py", "ccxt-py-sync")},
            }
        )
        venue.freeze()
        yield venue


@pytest.fixture
async def venue(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Venue]:
    """A local Binance in a process of its own; its market stands still."""
    monkeypatch.setenv("PLANAR_STATE", str(tmp_path_factory.mktemp("s")))
    async for one in _venue("binance"):
        yield one


@pytest.fixture
async def liar(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Venue]:
    """A local Binance that lies, and whose ledger does not."""
    monkeypatch.setenv("PLANAR_STATE", str(tmp_path_factory.mktemp("s")))
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent.parent))
    async for one in _venue("judges.liars:create"):
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
