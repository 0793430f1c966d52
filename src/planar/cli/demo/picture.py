"""The demo's picture: quotes of all exchanges, their books as one, what happens to the orders, the tape.

Everything in it was received over the streams or answered by an exchange; nothing is smoothed or guessed.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from rich import box
from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from planar.cli import output
from planar.cli.board import Row
from planar.cli.demo.quotes import Board, Quotes
from planar.cli.demo.script import Entry
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

RIGHT_WIDTH: Final = 36
ROOMY: Final = 96
"""From this width on there is room for ages and rates."""
LOW, HIGH = 25, 34
"""Least and most lines of the picture."""
LEVELS: Final = 3


class Picture:
    """Paints frames. Keeps the newest trades for the tape."""

    def __init__(self, board: Board, log: deque[Entry], title: str, seconds: float) -> None:
        self.tape: deque[tuple[Row, Trade]] = deque(maxlen=HIGH)
        self._board = board
        self._log = log
        self._title = title
        self._seconds = seconds

    def frame(self, console: Console, elapsed_s: float, unknown: int) -> RenderableType:
        """The picture now, as tall as the terminal allows.

        Args:
            unknown: orders of which it is not known at this moment whether they exist.
        """
        upper = len(self._board.quotes) + 3
        lower = min(HIGH, max(LOW, console.height - 1)) - upper - 2
        book = 2 * LEVELS + 3
        right = Group(self._depth(book), self._trades(max(3, lower - book)))
        grid = Table.grid(expand=True)
        grid.add_column(ratio=1)
        grid.add_column(width=RIGHT_WIDTH)
        grid.add_row(self._orders(lower, unknown), right)
        return Group(self._header(console.width, elapsed_s), self._quotes(upper, console.width), grid, self._footer())

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

    def _quotes(self, height: int, width: int) -> Panel:
        """Each exchange's best bid and ask, then the best of all."""
        table = Table(box=None, expand=True, header_style="dim", padding=(0, 1, 0, 0))
        names = list(next(iter(self._board.quotes.values())).rows)
        prices = [text for name in (*names, "best") for text in (f"{name} bid", "ask")]
        roomy = width >= ROOMY
        for name in ("", *prices, "bp", *(["age", "upd/s"] if roomy else [])):
            table.add_column(name, justify="left" if not name else "right", no_wrap=True)
        for quotes in self._board.quotes.values():
            table.add_row(*_quote(quotes), *(_freshness(quotes) if roomy else []))
        return _panel(table, "Quotes", height)

    def _depth(self, height: int) -> Panel:
        """The books of the first symbol as one; the letter says whose level it is."""
        quotes = next(iter(self._board.quotes.values()))
        bids, asks = quotes.levels("buy", LEVELS), quotes.levels("sell", LEVELS)[::-1]
        if not bids or not asks:
            return _panel(Text("waiting for the books", style="dim"), quotes.symbol, height)
        step = quotes.price_step
        most = max(amount for _, amount, _ in (*bids, *asks))
        prices = max(len(output.number(price, step)) for price, _, _ in (*bids, *asks))
        room = max(1, RIGHT_WIDTH - prices - 8)
        lines = Text(no_wrap=True)
        for side, style in ((asks, output.SELL), (bids, output.BUY)):
            for price, amount, name in side:
                lines.append(f"{output.number(price, step):>{prices}} ", style).append(f"{name[0]} ", "dim")
                lines.append(f"{output.bar(amount / most, room)}\n", style)
            if side is asks:
                lines.append(f"{'':>{prices}} {output.bps(quotes.spread_pct)} bp\n", "dim")
        return _panel(lines, f"{quotes.symbol}, books as one", height)

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
            lines.append(f"{row.exchange[0]} {row.market.base:<4} ", "dim").append(
                f"{price:>10} {amount:>10}\n", output.side_style(trade.side)
            )
        return _panel(lines, "Trades", height)

    def _footer(self) -> Text:
        updates = sum(row.updates for row in self._board.rows)
        return Text(f" {self._board.live}, {updates} updates, {self._board.updates_per_s:.0f}/s", style="dim")


def _quote(quotes: Quotes) -> list[output.Cell]:
    live = "green" if all(row.state == "live" for row in quotes.rows.values()) else "yellow"
    bid, ask = quotes.best("sell"), quotes.best("buy")
    cells: list[output.Cell] = [Text.assemble(("● ", live), (quotes.symbol, "bold"))]
    for row in quotes.rows.values():
        step = row.market.precision.price
        cells.append(Text(output.number(row.bid, step), style=f"bold {output.BUY}" if row is bid else "dim"))
        cells.append(Text(output.number(row.ask, step), style=f"bold {output.SELL}" if row is ask else "dim"))
    cells.append(_best(bid, None if bid is None else bid.bid, output.BUY))
    cells.append(_best(ask, None if ask is None else ask.ask, output.SELL))
    return [*cells, output.bps(quotes.spread_pct)]


def _best(row: Row | None, price: float | None, style: str) -> Text:
    if row is None:
        return Text(output.NONE, style="dim")
    return Text.assemble((output.number(price, row.market.precision.price), style), (f" {row.exchange[0]}", "dim"))


def _freshness(quotes: Quotes) -> list[output.Cell]:
    ages = [row.age_ms for row in quotes.rows.values()]
    known = [age for age in ages if age is not None]
    oldest = output.NONE if len(known) < len(ages) else f"{max(known):.0f} ms"
    return [oldest, f"{sum(row.rate.at(row.updates) for row in quotes.rows.values()):.0f}"]


def _panel(content: RenderableType, title: str, height: int, border: str = "dim") -> Panel:
    return Panel(content, title=title, title_align="left", height=height, box=box.ROUNDED, border_style=border)
