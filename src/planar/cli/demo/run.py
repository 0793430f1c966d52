"""The demo: sets the stage, streams and trades beside each other, closes everything, compares the two sides."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from rich.console import Console
from rich.live import Live

import planar.runtime as runtime
from planar.cli import output
from planar.cli.board import Row, running, started
from planar.cli.demo import sides
from planar.cli.demo.picture import MARKS, Picture
from planar.cli.demo.quotes import Board
from planar.cli.demo.script import Entry, Script
from planar.cli.demo.stage import VENUES, stage
from planar.cli.demo.summary import Comparison, Result, compare, judge
from planar.models import Model, Trade

SYMBOLS = ("BTC/USDT", "ETH/USDT", "SOL/USDT", "BNB/USDT", "XRP/USDT", "DOGE/USDT", "ADA/USDT", "LTC/USDT")
"""The markets that are shown; the script trades the first six."""
FRAME_S = 0.125
LINE_S = 2.0


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
        async with set_.exchanges() as exchanges:
            board = Board(exchanges, SYMBOLS)
            start = {name: await sides.before(set_, exchange) for name, exchange in exchanges.items()}
            title = f"Planar demo: local {' and '.join(VENUES)}, offline, seed {seed}"
            show = _Show(console, board, title, seconds, live)
            async with running(board.jobs(show.item)):
                await board.first_books()
                script = Script(set_, exchanges, board.quotes, show.entry)
                await _play(script, show, seconds)
                streams = board.numbers()
            if console is not None:
                console.print("Asking both exchanges for executions and balances, within their limits ...")
            end = {
                name: await sides.told(exchange, script.traded(name), start[name])
                for name, exchange in exchanges.items()
            }
        compared: dict[str, Comparison] = {}
        for name in exchanges:
            client = sides.client_side(set_.journals, name, start[name], end[name])
            ledger = await sides.ledger_side(set_, name, start[name])
            compared[name] = compare(client, ledger, ledger_sound=await sides.is_sound(set_, name))
        return judge(compared, seconds=seconds, seed=seed, **streams)


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


class _Show:
    """Where the demo is seen: a live picture, lines, or nowhere."""

    def __init__(self, console: Console | None, board: Board, title: str, seconds: float, live: bool) -> None:
        self.period_s = FRAME_S if live else LINE_S
        self._console = console
        self._board = board
        self._log: deque[Entry] = deque(maxlen=100)
        self._picture = Picture(board, self._log, title, seconds)
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
        quotes = next(iter(self._board.quotes.values()))
        bid, ask = quotes.best("sell"), quotes.best("buy")
        assert bid is not None
        assert ask is not None
        step = quotes.price_step
        best = f"{output.number(bid.bid, step)} ({bid.exchange}) / {output.number(ask.ask, step)} ({ask.exchange})"
        spread = f"{output.bps(quotes.spread_pct)} bp"
        return f"{quotes.symbol} best of both {best}, {spread}; {self._board.live}, {self._board.updates_per_s:.0f} updates/s"
