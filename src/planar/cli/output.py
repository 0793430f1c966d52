"""What commands print: tables for people, one JSON document for machines, numbers with the digits that they have."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from decimal import ROUND_HALF_EVEN, Context, Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

from rich import box
from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from planar.models import Amount

PIPE_WIDTH = 160
"""Columns where standard output is no terminal and COLUMNS does not say."""
NONE = "-"
_DIGITS = Context(prec=100, rounding=ROUND_HALF_EVEN)  # a number is shown with all that it has
"""Shown where the exchange does not say."""
BUY = "green"
SELL = "red"
BLOCKS = " ▏▎▍▌▋▊▉█"
GAP = 3
"""Columns between the columns of a table."""

Cell = str | Text


class _Console(Console):
    """Leaves it to the command line what happens when the reader of the output has gone."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


@cache
def console() -> Console:
    """Standard output."""
    wide = None if sys.stdout.isatty() or os.environ.get("COLUMNS") else PIPE_WIDTH
    return _Console(highlight=False, width=wide, markup=False)


def is_live() -> bool:
    """Whether standard output is a terminal on which a picture can move."""
    return sys.stdout.isatty() and not console().is_dumb_terminal


def show(value: Any, render: Callable[[], RenderableType], *, json: bool) -> int:
    """Print a result: `value` as JSON, or what `render` makes of it; the exit code 0."""
    if json:
        print_json(value)
    else:
        console().print(render())
    return 0


def print_json(value: Any) -> None:
    """One line of JSON. Models have CCXT's keys; amounts are decimal text."""
    from planar.models import to_json

    sys.stdout.write(to_json(value).decode() + "\n")
    sys.stdout.flush()


def table(
    columns: Sequence[str], rows: Iterable[Sequence[Cell]], *, title: str | None = None, drop: Sequence[str] = ()
) -> Table:
    """A table.

    Args:
        columns: their names; one that begins with `>` holds numbers and is aligned to the right.
        drop: columns that may be left out, the first one first, where the terminal is too narrow for all.
    """
    cells = [list(row) for row in rows]
    names = [name.removeprefix(">") for name in columns]
    widths = [max(map(cell_len, map(str, column))) for column in zip(names, *cells, strict=True)]
    shown = list(range(len(columns)))
    for name in drop:
        if sum(widths[index] + GAP for index in shown) > console().width + GAP:
            shown.remove(names.index(name))
    made = Table(
        box=box.SIMPLE_HEAD, title=title, title_style="bold", title_justify="left", header_style="bold", pad_edge=False
    )
    for index in shown:
        justify = "right" if columns[index].startswith(">") else "left"
        made.add_column(names[index], justify=justify, overflow="fold")
    for row in cells:
        made.add_row(*(row[index] for index in shown))
    return made


def facts(rows: Iterable[tuple[str, str]], title: str | None = None) -> Table:
    """Names and values, without lines."""
    made = Table(
        box=None, show_header=False, title=title, title_style="bold", title_justify="left", padding=(0, 2, 0, 0)
    )
    made.add_column(style="dim", no_wrap=True)
    made.add_column(overflow="fold")
    for name, value in rows:
        made.add_row(name, value)
    return made


def number(value: float | Decimal | None, step: Decimal | None = None) -> str:
    """A number in plain digits; with the decimal places of `step` if it is given and hides nothing."""
    if value is None:
        return NONE
    exact = value if isinstance(value, Decimal) else Decimal(repr(value))
    if step is not None and step and places(step) >= places(exact):
        return f"{exact:.{places(step)}f}"
    return f"{exact.normalize(_DIGITS):f}" if exact else "0"


def places(value: Decimal) -> int:
    """Decimal places that a number needs."""
    exponent = value.normalize(_DIGITS).as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def bps(spread_pct: float | None) -> str:
    """A spread in hundredths of a percent."""
    return NONE if spread_pct is None else f"{spread_pct * 100:.2f}"


def percent(rate: Amount | Decimal | None) -> str:
    """A fraction as percent."""
    return NONE if rate is None else f"{number(rate * 100)} %"


def clock(ts_ms: int | None) -> str:
    """Time of day, UTC."""
    if ts_ms is None:
        return NONE
    seconds, ms = divmod(ts_ms, 1000)
    minutes, second = divmod(seconds, 60)
    return f"{minutes // 60 % 24:02}:{minutes % 60:02}:{second:02}.{ms:03}"


def minute(ts_ms: int | None) -> str:
    """Date and minute, UTC."""
    from planar.models import iso8601

    text = iso8601(ts_ms)
    return NONE if text is None else text[:16].replace("T", " ")


def side_style(side: str | None) -> str:
    """Green buys, red sells."""
    return {"buy": BUY, "sell": SELL}.get(side or "", "")


def bar(part: float, width: int) -> str:
    """A bar that grows to the right: `part` (0 to 1) of `width` characters, in eighths."""
    full, rest = divmod(round(max(0.0, min(1.0, part)) * width * 8), 8)
    return BLOCKS[8] * full + (BLOCKS[rest] if rest else "")


def bar_left(part: float, width: int) -> str:
    """A bar that grows to the left, in halves."""
    full, half = divmod(round(max(0.0, min(1.0, part)) * width * 2), 2)
    return (("▐" if half else "") + BLOCKS[8] * full).rjust(width)
