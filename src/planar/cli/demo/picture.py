"""The demo's picture: quotes, depth, what happens to the orders, the tape. Painted from the board and the script's log.

Everything in it was received over the streams or answered by the venue; nothing is smoothed or guessed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from rich import box
from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from planar.cli import output
from planar.cli.board import Row
from planar.cli.demo.script import Entry
from planar.cli.watch import age
from planar.models import Trade

MARKS = {
    "sent": ("→", "cyan"),
    "open": ("○", "dim"),
    "filled": ("●", "green"),
    "canceled": ("×", "yellow"),
    "accident": ("!", "bold magenta"),
    "resolved": ("✓", "bold green"),
    "refused": ("✗", "red"),
}
"""Kind of an entry -> its mark and the mark's style."""

QUOTES_WIDTH = 57
TAPE_WIDTH = 32
LOW, HIGH = 23, 32
"""Least and most lines of the picture."""


class Picture:
    """Paints frames. Keeps the newest trades for the tape."""

    def __init__(self, rows: Sequence[Row], log: deque[Entry], title: str, seconds: float) -> None:
        self.tape: deque[tuple[Row, Trade]] = deque(maxlen=HIGH)
        self._rows = rows
        self._log = log
        self._title = title
        self._seconds = seconds

    def frame(self, console: Console, elapsed_s: float, unknown: int) -> RenderableType:
        """The picture now, as tall as the terminal allows.

        Args:
            unknown: orders of which it is not known at this moment whether they exist.
        """
        upper = len(self._rows) + 3
        lower = min(HIGH, max(LOW, console.height - 1)) - upper - 2
        return Group(
            self._header(console.width, elapsed_s),
            _beside(self._quotes(upper), self._depth(upper, console.width - QUOTES_WIDTH), QUOTES_WIDTH, right=False),
            _beside(self._orders(lower, unknown), self._trades(lower), TAPE_WIDTH, right=True),
            self._footer(),
        )

    def _header(self, width: int, elapsed_s: float) -> Table:
        elapsed_s = min(elapsed_s, self._seconds)
        time = f"{elapsed_s:.0f} of {self._seconds:.0f} s "
        room = max(8, width - len(self._title) - len(time) - 6)
        grid = Table.grid(expand=True, padding=(0, 1))
        for justify in ("left", "left", "right"):
            grid.add_column(justify=justify, no_wrap=True)
        progress = Text(output.bar(elapsed_s / self._seconds, room).ljust(room), style="cyan on grey15")
        grid.add_row(Text(f" {self._title}", style="bold"), progress, Text(time, style="dim"))
        return grid

    def _quotes(self, height: int) -> Panel:
        table = Table(box=None, expand=True, header_style="dim", padding=(0, 1, 0, 0))
        for name in ("", "bid", "ask", "bp", "age", "upd/s"):
            table.add_column(name, justify="left" if not name else "right", no_wrap=True)
        for row in self._rows:
            step = row.market.precision.price
            live = "green" if row.state == "live" else "yellow"
            table.add_row(
                Text.assemble(("● ", live), (row.symbol, "bold")),
                Text(output.number(row.bid, step), style=output.BUY),
                Text(output.number(row.ask, step), style=output.SELL),
                output.bps(row.spread_pct),
                age(row),
                f"{row.rate.at(row.updates):.0f}",
            )
        return _panel(table, "Quotes", height)

    def _depth(self, height: int, width: int) -> Panel:
        row = self._rows[0]
        levels = (height - 3) // 2
        if row.book is None:
            return _panel(Text("waiting for the book", style="dim"), row.symbol, height)
        step = row.market.precision.price
        bids, asks = row.book.bids[:levels], row.book.asks[:levels][::-1]
        most = max((amount for _, amount in (*bids, *asks)), default=1.0)
        prices = max((len(output.number(price, step)) for price, _ in (*bids, *asks)), default=1)
        room = max(1, width - prices - 6)
        lines = Text(no_wrap=True)
        for side, style in ((asks, output.SELL), (bids, output.BUY)):
            for price, amount in side:
                lines.append(f"{output.number(price, step):>{prices}} ", style)
                lines.append(f"{output.bar(amount / most, room)}\n", style)
            if side is asks:
                lines.append(f"{'':>{prices}} {output.bps(row.spread_pct)} bp\n", "dim")
        return _panel(lines, f"{row.symbol} depth", height)

    def _orders(self, height: int, unknown: int) -> Panel:
        lines = Text(no_wrap=True, overflow="ellipsis")
        for entry in list(self._log)[-(height - 2) :]:
            mark, style = MARKS[entry.kind]
            lines.append(f"{entry.at_s:5.1f} ", "dim").append(f"{mark} ", style)
            lines.append(f"{entry.text}\n", style if entry.kind in ("accident", "resolved") else "")
        title = "Orders" if not unknown else f"Orders, {unknown} of them unknown right now"
        return _panel(lines, title, height, "magenta" if unknown else "dim")

    def _trades(self, height: int) -> Panel:
        lines = Text(no_wrap=True)
        for row, trade in list(self.tape)[-(height - 2) :]:
            price = output.number(trade.price, row.market.precision.price)
            amount = output.number(trade.amount, row.market.precision.amount)
            lines.append(f"{row.market.base:<4} ", "dim").append(
                f"{price:>9} {amount:>10}\n", output.side_style(trade.side)
            )
        return _panel(lines, "Trades", height)

    def _footer(self) -> Text:
        updates = sum(row.updates for row in self._rows)
        rate = sum(row.rate.at(row.updates) for row in self._rows)
        states = [row.state for row in self._rows]
        live = f"{states.count('live')} of {len(states)} markets live"
        return Text(f" {live}, {updates} updates, {rate:.0f}/s", style="dim")


def _panel(content: RenderableType, title: str, height: int, border: str = "dim") -> Panel:
    return Panel(content, title=title, title_align="left", height=height, box=box.ROUNDED, border_style=border)


def _beside(left: RenderableType, other: RenderableType, width: int, *, right: bool) -> Table:
    """Two panels in one line, the left or the right one of a fixed width."""
    grid = Table.grid(expand=True)
    grid.add_column(width=None if right else width, ratio=1 if right else None)
    grid.add_column(width=width if right else None, ratio=None if right else 1)
    grid.add_row(left, other)
    return grid
