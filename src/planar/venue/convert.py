"""CSV of trades and book snapshots made into a recording that a local venue plays.

The first line names the columns, in any order: `ts_ms`, `side`, `price`, `amount`. A row of side `buy` or `sell` is a
trade (what the taker did); rows of side `bid` or `ask` with the same time, one after another, are a whole book.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from pathlib import Path
from typing import Final, NamedTuple

from planar.errors import BadRequest
from planar.venue.engine.recorded import Recorded, RecordedBook, RecordedTrade
from planar.venue.engine.specs import SymbolSpec
from planar.venue.recording import Writer

COLUMNS: Final = ("ts_ms", "side", "price", "amount")
_TRADES: Final = ("buy", "sell")
_LEVELS: Final = ("bid", "ask")


class _Row(NamedTuple):
    ts_ms: int
    side: str
    price: Decimal
    amount: Decimal


def convert(source: Path, target: Path, spec: SymbolSpec) -> int:
    """Write a recording of one symbol; how many entries it has. Prices and amounts are rounded to tick and lot.

    Raises:
        BadRequest: the source cannot be read, or a line is wrong; the message names file and line. Or the target
            exists or cannot be written.
    """
    if target.exists():
        raise BadRequest(f"{target} exists", hint="name another file")
    writer = Writer(target, [spec.symbol], None)
    try:
        for entry in _entries(_rows(source, spec), spec.symbol):
            writer.add(entry)
    except BaseException:
        writer.close()
        target.unlink()
        raise
    writer.close()
    return writer.written


def _entries(rows: Iterator[_Row], symbol: str) -> Iterator[Recorded]:
    book: dict[str, dict[Decimal, Decimal]] = {}
    book_ms: int | None = None
    for row in rows:
        if book_ms is not None and (row.side in _TRADES or row.ts_ms != book_ms):
            yield _book(symbol, book_ms, book)
            book, book_ms = {}, None
        if row.side in _LEVELS:
            book_ms = row.ts_ms
            levels = book.setdefault(row.side, {})
            levels[row.price] = levels.get(row.price, Decimal(0)) + row.amount
        elif row.amount:
            side = "buy" if row.side == "buy" else "sell"
            yield RecordedTrade(ts_ms=row.ts_ms, symbol=symbol, side=side, price=row.price, amount=row.amount)
    if book_ms is not None:
        yield _book(symbol, book_ms, book)


def _book(symbol: str, ts_ms: int, book: dict[str, dict[Decimal, Decimal]]) -> RecordedBook:
    bids, asks = (list(book.get(side, {}).items()) for side in _LEVELS)
    return RecordedBook(ts_ms=ts_ms, symbol=symbol, bids=bids, asks=asks, snapshot=True)


def _rows(source: Path, spec: SymbolSpec) -> Iterator[_Row]:
    try:
        with source.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            names = reader.fieldnames or ()
            missing = [name for name in COLUMNS if name not in names]
            if missing:
                raise BadRequest(
                    f"{source}, line 1: no column {', '.join(missing)}", hint=f"columns: {', '.join(COLUMNS)}"
                )
            newest_ms = 0
            for values in reader:
                row = _row(f"{source}, line {reader.line_num}", values, spec, newest_ms)
                newest_ms = row.ts_ms
                yield row
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadRequest(f"{source} cannot be read: {error}", hint="it is to be CSV in UTF-8") from error


def _row(where: str, values: dict[str, str | None], spec: SymbolSpec, newest_ms: int) -> _Row:
    side = (values["side"] or "").lower()
    if side not in _TRADES + _LEVELS:
        raise BadRequest(f"{where}: side = '{values['side']}'", hint=f"one of {', '.join(_TRADES + _LEVELS)}")
    found: list[Decimal] = []
    for name, step in (("ts_ms", Decimal(1)), ("price", spec.tick), ("amount", spec.lot)):
        try:
            value = Decimal(values[name] or "")
            if not value.is_finite() or value < 0:
                raise BadRequest(f"{where}: {name} = {value}", hint="0 or more")
        except InvalidOperation as error:
            raise BadRequest(f"{where}: {name} = '{values[name]}' is no number", hint="such as 60000.1") from error
        found.append((value / step).to_integral_value(ROUND_HALF_EVEN) * step)
    ts_ms = int(found[0])
    if ts_ms < newest_ms:
        raise BadRequest(f"{where}: ts_ms = {ts_ms} is before the line above ({newest_ms})", hint="sort it by time")
    if not found[1]:
        raise BadRequest(f"{where}: price = {values['price']} is less than a tick", hint=f"the tick is {spec.tick}")
    return _Row(ts_ms, side, found[1], found[2])
