"""The demo: sets the stage, streams and trades beside each other, closes everything, compares the two sides."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from rich.console import Console
from rich.live import Live

import planar.runtime as runtime
from planar.cli import output
from planar.cli.board import Channel, Row, follow, running, started
from planar.cli.demo import sides
from planar.cli.demo.picture import MARKS, Picture
from planar.cli.demo.script import Entry, Script
from planar.cli.demo.stage import VENUE, stage
from planar.cli.demo.summary import Result, judge
from planar.exchange import Exchange
from planar.models import Model, Trade
from planar.venue.wire import LedgerQuery

SYMBOLS = ("BTC/USDT", "ETH/USDT", "SOL/USDT", "BNB/USDT", "XRP/USDT", "DOGE/USDT", "ADA/USDT", "LTC/USDT")
"""The markets that are shown; the script trades the first six."""
CHANNELS: tuple[Channel, ...] = ("book", "trades")
DEPTH = 10
FRAME_S = 0.125
LINE_S = 2.0
FIRST_BOOKS_S = 15.0


async def run(seconds: float, seed: int, console: Console | None, *, live: bool) -> Result:
    """Play the demo.

    Args:
        console: where to show it; None shows nothing.
        live: as a picture; else as lines.

    Raises:
        PlanarError: the venue could not be started, or a step failed as it must not.
    """
    # the script itself tells what happens to the orders whose answers it swallows
    logging.getLogger("planar.orders").setLevel(logging.ERROR)
    async with stage(seed) as set_:
        async with set_.exchange() as exchange:
            market_data = _MarketData(exchange)
            start = await sides.before(set_, exchange)
            show = _Show(
                console, market_data.rows, f"Planar demo, a local {VENUE}, offline, seed {seed}", seconds, live
            )
            async with running(market_data.jobs(show.item)):
                await market_data.first_books()
                script = Script(set_, exchange, market_data.by_symbol, show.entry)
                await _play(script, show, seconds)
                streams = market_data.numbers()
            end = await sides.told(exchange, SYMBOLS, start)
        client = sides.client_side(set_.journals, start, end)
        ledger = await sides.ledger_side(set_, start)
        audit = await set_.control.ledger(LedgerQuery(kind="check"))
        return judge(client, ledger, ledger_sound=audit["ok"], seconds=seconds, seed=seed, **streams)


async def _play(script: Script, show: _Show, seconds: float) -> None:
    """Play the steps and paint, until the time is over and every order has ended."""
    playing = started(script.play(seconds), "demo: script")
    try:
        with show:
            while not playing.done() or script.elapsed_s < seconds:
                show.paint(script.elapsed_s, script.unknown)
                if not playing.done():
                    await asyncio.wait([playing], timeout=show.period_s)
                elif playing.exception() is not None:
                    break
                else:
                    await runtime.sleep(min(show.period_s, max(0.0, seconds - script.elapsed_s)))
            show.paint(script.elapsed_s, script.unknown)
    finally:
        playing.cancel()
        await asyncio.wait([playing])
    playing.result()


class _MarketData:
    """The streams of the demo.

    Attributes:
        rows: one for each market.
        by_symbol: the same.
    """

    def __init__(self, exchange: Exchange) -> None:
        self.rows = [Row(exchange.id, exchange.market(symbol)) for symbol in SYMBOLS]
        self.by_symbol = {row.symbol: row for row in self.rows}
        self._exchange = exchange
        self._changed = asyncio.Event()

    def jobs(self, on_item: Callable[[Row, Model], None]) -> list[Any]:
        """What brings them, named."""

        def take(row: Row, channel: Channel, item: Model) -> None:
            self._changed.set()
            on_item(row, item)

        followed = [
            (f"demo: {row.symbol} {channel}", follow(row, self._exchange, channel, DEPTH, take))
            for row in self.rows
            for channel in CHANNELS
        ]
        return [*followed, ("demo: own orders", self._follow_orders())]

    async def _follow_orders(self) -> None:
        """The account's own stream keeps the order journal up to date; nobody else needs its rows."""
        async with self._exchange.watch_orders() as orders:
            async for _ in orders:
                pass

    async def first_books(self) -> None:
        """Wait until every market has a book.

        Raises:
            PlanarError: a stream has failed.
            TimeoutError: they do not come.
        """
        async with asyncio.timeout(FIRST_BOOKS_S):
            while any(row.book is None for row in self.rows):
                for error in (error for row in self.rows for error in row.errors.values()):
                    raise error
                self._changed.clear()
                await self._changed.wait()

    def numbers(self) -> dict[str, int]:
        """For the summary, while the streams are open."""
        return {
            "updates": sum(row.updates for row in self.rows),
            "updates_dropped": sum(row.dropped for row in self.rows),
            "markets_live": sum(row.state == "live" for row in self.rows),
        }


class _Show:
    """Where the demo is seen: a live picture, lines, or nowhere."""

    def __init__(self, console: Console | None, rows: list[Row], title: str, seconds: float, live: bool) -> None:
        self.period_s = FRAME_S if live else LINE_S
        self._console = console
        self._rows = rows
        self._log: deque[Entry] = deque(maxlen=100)
        self._picture = Picture(rows, self._log, title, seconds)
        self._live = Live(console=console, auto_refresh=False) if live and console is not None else None
        if console is not None and not live:
            console.print(title)

    def __enter__(self) -> _Show:
        self._screen().__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._screen().__exit__(*error)

    def _screen(self) -> AbstractContextManager[Any]:
        return self._live if self._live is not None else nullcontext()

    def item(self, row: Row, item: Model) -> None:
        """An update has come."""
        if isinstance(item, Trade):
            self._picture.tape.append((row, item))

    def entry(self, entry: Entry) -> None:
        """Something has happened to an order."""
        self._log.append(entry)
        if self._console is not None and self._live is None:
            self._console.print(f"{entry.at_s:5.1f} {MARKS[entry.kind][0]} {entry.text}")

    def paint(self, elapsed_s: float, unknown: int) -> None:
        """Show how things stand now."""
        if self._live is not None and self._console is not None:
            self._live.update(self._picture.frame(self._console, elapsed_s, unknown), refresh=True)
        elif self._console is not None:
            self._console.print(f"{elapsed_s:5.1f}   {self._line()}")

    def _line(self) -> str:
        first = self._rows[0]
        step = first.market.precision.price
        quotes = f"{first.symbol} {output.number(first.bid, step)} / {output.number(first.ask, step)}"
        rate = sum(row.rate.at(row.updates) for row in self._rows)
        live = sum(row.state == "live" for row in self._rows)
        return f"{quotes}, {output.bps(first.spread_pct)} bp; {live} of {len(self._rows)} markets live, {rate:.0f} updates/s"
