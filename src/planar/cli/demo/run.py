"""The demo: sets the stage, streams and trades beside each other, closes everything, compares the two sides."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from rich.console import Console
from rich.live import Live

import planar.runtime as runtime
from planar.cli.board import Channel, Row, follow, running
from planar.cli.demo import sides
from planar.cli.demo.picture import MARKS, Picture
from planar.cli.demo.script import Entry, Script
from planar.cli.demo.stage import VENUE, Stage, stage
from planar.cli.demo.summary import Result, judge
from planar.exchange import Exchange
from planar.models import Model, Trade
from planar.venue.wire import LedgerQuery

SYMBOLS = ("BTC/USDT", "ETH/USDT", "SOL/USDT", "BNB/USDT", "XRP/USDT", "DOGE/USDT")
CHANNELS: tuple[Channel, ...] = ("book", "trades")
DEPTH = 10
FRAME_S = 0.125
LINE_S = 2.0
FIRST_BOOKS_S = 15.0

Show = Callable[[str], None]


async def run(seconds: float, seed: int, console: Console | None, *, live: bool) -> Result:
    """Play the demo.

    Args:
        console: where to show it; None shows nothing.
        live: as a picture; else as lines.

    Raises:
        PlanarError: the venue could not be started, or a step failed as it must not.
    """
    async with stage(seed) as set_:
        async with set_.exchange() as exchange:
            rows = {symbol: Row(exchange.id, exchange.market(symbol)) for symbol in SYMBOLS}
            start = await sides.before(set_, exchange)
            show = _Show(console, live=live)
            script = Script(set_, exchange, rows, show.entry)
            picture = Picture(list(rows.values()), script.log, f"Planar demo, a local {VENUE}, offline, seed {seed}", seconds)
            jobs = [
                (f"demo: {symbol} {channel}", follow(row, exchange, channel, DEPTH, _taker(picture)))
                for symbol, row in rows.items()
                for channel in CHANNELS
            ]
            async with running([*jobs, ("demo: own orders", _follow_orders(exchange))]):
                await _first_books(rows)
                script.begin()
                await _play(script, picture, show, list(rows.values()), seconds)
            end = await sides.told(exchange, SYMBOLS, start)
            live_count = sum(row.state == "live" for row in rows.values())
        client = sides.client_side(set_.journals, start, end)
        ledger = await sides.ledger_side(set_, start)
        sound = await set_.control.ledger(LedgerQuery(kind="check"))
        return judge(
            client,
            ledger,
            ledger_sound=sound["ok"],
            seconds=seconds,
            seed=seed,
            updates=sum(row.updates for row in rows.values()),
            updates_dropped=sum(row.dropped for row in rows.values()),
            markets_live=live_count,
        )
