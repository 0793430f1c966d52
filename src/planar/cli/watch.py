"""`planar watch`: live books, trades and tickers of one or several exchanges, as a table, as lines, or as JSON lines."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter
from rich.console import RenderableType
from rich.text import Text

from planar.cli import exits, output
from planar.cli.exits import UsageError
from planar.cli.options import CONNECTION, Count, EnvironmentName, Json, Target
from planar.cli.session import busy, open_exchange, run

if TYPE_CHECKING:
    from planar.cli.board import Channel, Row
    from planar.errors import PlanarError
    from planar.models import Model
    from planar.workspace import Workspace

PAINT_S = 0.2
LINE_S = 1.0
SLOW_MS = 2_000
_STATE_STYLES = {"live": "green", "connecting": "dim", "stale": "yellow", "resyncing": "yellow", "down": "red"}


def watch(
    symbol: str,
    /,
    *symbols: str,
    channels: str = "book,trades",
    depth: Count = 5,
    seconds: Annotated[float | None, Parameter()] = None,
    exchange: Annotated[str | None, Parameter(name=("--exchange", "-e"), group=CONNECTION)] = None,
    environment: Annotated[EnvironmentName | None, Parameter(group=CONNECTION)] = None,
    json: Json = False,
) -> int:
    """Watch markets live, on one exchange or on several at once. Ctrl-C ends it.

    On a terminal a live table; otherwise a line a second for each market; with --json a line for each update.

    Args:
        symbol: market, such as BTC/USDT.
        symbols: further markets.
        channels: what to watch, by comma: book, trades, ticker.
        depth: price levels a side of each book that --json prints.
        seconds: end after this time. [default: never]
        exchange: CCXT's ids, by comma. [default: the one of planar.toml]
        environment: where calls go. [default: as planar.toml says; without a word there, live]
    """
    chosen = _channels(channels)
    names: list[str | None] = [*exchange.split(",")] if exchange is not None else [None]
    targets = [Target(exchange=name, environment=environment) for name in names]
    return run(_watch(targets, (symbol, *symbols), chosen, depth, seconds, json=json))


def _channels(text: str) -> list[Channel]:
    from planar.cli.board import CHANNELS
    from planar.config.suggest import did_you_mean

    found: list[Channel] = []
    for name in text.split(","):
        known: list[Channel] = [one for one in CHANNELS if one == name]
        if not known:
            hint = did_you_mean(name, CHANNELS) or f"channels are {', '.join(CHANNELS)}"
            raise UsageError(f"there is no channel {name!r}", hint=hint)
        found += known
    return found


async def _watch(
    targets: list[Target],
    symbols: tuple[str, ...],
    channels: list[Channel],
    depth: int,
    seconds: float | None,
    *,
    json: bool,
) -> int:
    import planar
    from planar.cli.board import follow, running

    async with planar.open() as workspace:
        with busy("opening the exchanges"):
            rows, failures = await _rows(workspace, targets, symbols)
        for error in failures:
            exits.tell(error, json=json)
        if not rows:
            return exits.code_of(failures[0])
        jobs = [
            (f"watch {row.exchange} {row.symbol} {channel}", follow(row, exchange, channel, depth, _printer(json)))
            for row, exchange in rows
            for channel in channels
        ]
        async with running(jobs) as tasks:
            await _until(tasks, seconds, _painter([row for row, _ in rows], json=json))
        return _end([row for row, _ in rows], channels, json=json)


async def _rows(
    workspace: Workspace, targets: list[Target], symbols: tuple[str, ...]
) -> tuple[list[tuple[Row, Any]], list[PlanarError]]:
    """A row for each market that could be found, with its exchange; one exchange's error does not stop the others."""
    from planar.cli.board import Row
    from planar.errors import PlanarError

    opened = await asyncio.gather(*(open_exchange(workspace, target) for target in targets), return_exceptions=True)
    rows: list[tuple[Row, Any]] = []
    failures: list[PlanarError] = []
    for found in opened:
        if isinstance(found, BaseException):
            if not isinstance(found, PlanarError):
                raise found
            failures.append(found)
            continue
        for symbol in symbols:
            try:
                rows.append((Row(found.id, found.market(symbol)), found))
            except PlanarError as error:
                failures.append(error)
    return rows, failures


def _printer(json: bool) -> Any:
    """What is done with each update: printed, if it is for a machine."""

    def print_line(row: Row, channel: Channel, item: Model) -> None:
        stream = row.stream(channel)
        head = {"exchange": row.exchange, "symbol": row.symbol, "channel": channel}
        output.print_json({**head, "state": stream.state, "age_ms": stream.age_ms, "data": item})

    def ignore(row: Row, channel: Channel, item: Model) -> None:
        """The table is painted from the rows."""

    return print_line if json else ignore


class _Painter:
    """Shows the rows again and again."""

    period_s = PAINT_S

    def __init__(self, rows: list[Row]) -> None:
        self._rows = rows

    def __enter__(self) -> _Painter:
        return self

    def __exit__(self, *error: object) -> None:
        """Nothing is left to be done."""

    def paint(self) -> None:
        """Show the rows as they are now."""


class _Lines(_Painter):
    """One line for each row."""

    period_s = LINE_S

    def paint(self) -> None:
        for row in self._rows:
            print(_line(row), flush=True)


class _Table(_Painter):
    """A live table."""

    def __init__(self, rows: list[Row]) -> None:
        from rich.live import Live

        super().__init__(rows)
        self._live = Live(console=output.console(), auto_refresh=False)

    def __enter__(self) -> _Painter:
        self._live.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._live.__exit__(None, None, None)

    def paint(self) -> None:
        self._live.update(_picture(self._rows), refresh=True)


def _painter(rows: list[Row], *, json: bool) -> _Painter:
    if json:
        return _Painter(rows)
    return _Table(rows) if output.is_live() else _Lines(rows)


async def _until(tasks: list[asyncio.Task[None]], seconds: float | None, painter: _Painter) -> None:
    """Paint until the time is over or nothing is left to be watched."""
    import planar.runtime as runtime

    ends = None if seconds is None else runtime.monotonic() + seconds
    with painter:
        while True:
            left = painter.period_s if ends is None else min(painter.period_s, ends - runtime.monotonic())
            if left <= 0:
                return
            _, pending = await asyncio.wait(tasks, timeout=left)
            painter.paint()
            if not pending:
                return


def _end(rows: list[Row], channels: list[Channel], *, json: bool) -> int:
    """Tell what failed; the exit code is an error's only if nothing at all could be watched."""
    failed = [error for row in rows for error in row.errors.values()]
    for error in failed:
        exits.tell(error, json=json)
    return exits.code_of(failed[0]) if len(failed) == len(rows) * len(channels) else exits.OK


def _picture(rows: list[Row]) -> RenderableType:
    best = _best(rows)
    cells: list[list[output.Cell]] = []
    for row in rows:
        step = row.market.precision.price
        bid = Text(output.number(row.bid, step), style=f"bold {output.BUY}" if row in best else output.BUY)
        ask = Text(output.number(row.ask, step), style=f"bold {output.SELL}" if row in best.values() else output.SELL)
        last = Text(output.NONE)
        if row.trade is not None:
            last = Text(output.number(row.trade.price, step), style=output.side_style(row.trade.side))
        state = Text(row.state, style=_STATE_STYLES[row.state])
        numbers = (bid, ask, output.bps(row.spread_pct), last, _change(row), age(row))
        cells.append([row.exchange, row.symbol, *numbers, f"{row.rate.at(row.updates):.1f}", state])
    columns = (*("exchange", "market", ">bid", ">ask", ">spread bp", ">last", ">24 h", ">age", ">updates/s", "state"),)
    return output.table(columns, cells, drop=("24 h", "updates/s", "last"))


def _best(rows: list[Row]) -> dict[Row, Row]:
    """Row with the highest bid -> row with the lowest ask, of each market that several exchanges quote."""
    found: dict[Row, Row] = {}
    for symbol in dict.fromkeys(row.symbol for row in rows):
        quoting = [row for row in rows if row.symbol == symbol and row.bid is not None and row.ask is not None]
        if len(quoting) > 1:
            found[max(quoting, key=lambda row: row.bid or 0.0)] = min(quoting, key=lambda row: row.ask or 0.0)
    return found


def _change(row: Row) -> str:
    return output.NONE if row.ticker is None or row.ticker.percentage is None else f"{row.ticker.percentage:+.2f} %"


def age(row: Row) -> Text:
    """How old a row's prices are."""
    if row.age_ms is None:
        return Text(output.NONE)
    text = f"{row.age_ms:.0f} ms" if row.age_ms < 10_000 else f"{row.age_ms / 1000:.0f} s"
    return Text(text, style="yellow" if row.age_ms > SLOW_MS else "")


def _line(row: Row) -> str:
    step = row.market.precision.price
    last = output.number(row.trade.price if row.trade is not None else None, step)
    parts: Iterable[str] = (
        f"{row.exchange} {row.symbol}",
        f"bid {output.number(row.bid, step)}",
        f"ask {output.number(row.ask, step)}",
        f"spread {output.bps(row.spread_pct)} bp",
        f"last {last}",
        f"age {age(row).plain}",
        f"{row.rate.at(row.updates):.1f} updates/s",
        row.state,
    )
    return "  ".join(parts)
