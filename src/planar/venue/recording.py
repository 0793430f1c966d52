"""Recordings of a market as files: one JSON object a line, compressed with gzip if the name ends in `.gz`.

The first line is the header, then entries follow in order of time:

    {"type": "recording", "version": 1, "venue": "binance", "symbols": ["BTC/USDT"]}
    {"type": "book", "ts_ms": 1760000000000, "symbol": "BTC/USDT", "snapshot": true,
     "bids": [["60000.00", "0.5"]], "asks": [["60000.10", "0.2"]]}
    {"type": "trade", "ts_ms": 1760000000120, "symbol": "BTC/USDT", "side": "buy", "price": "60000.10", "amount": "0.1"}
    {"type": "book", "ts_ms": 1760000000120, "symbol": "BTC/USDT", "asks": [["60000.10", "0.1"]]}

Numbers may be strings or JSON numbers. A level names the whole amount at a price, 0 removes it; `snapshot` replaces the
book. A recording may have trades alone, or books alone. `Recorder` writes what a running exchange does, without the
orders of its users; `read` feeds `engine.player`.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import IO, Any, Final, cast

import msgspec

from planar.errors import BadRequest
from planar.venue.engine.enums import Side
from planar.venue.engine.events import BookChange, Event, TradePrint
from planar.venue.engine.exchange import VirtualExchange
from planar.venue.engine.market import Market
from planar.venue.engine.recorded import Recorded, RecordedBook, RecordedTrade, lots, ticks
from planar.venue.engine.scale import Scale
from planar.venue.engine.specs import SymbolSpec

VERSION: Final = 1
_WHOLE_BOOK: Final = 1_000_000


class Header(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="recording"):
    """The first line.

    Attributes:
        version: of the format.
        venue: where it was recorded; None if it was not recorded by a venue.
        symbols: unified symbols that occur in it.
    """

    version: int
    venue: str | None = None
    symbols: tuple[str, ...]


_ENCODER: Final = msgspec.json.Encoder(decimal_format="string")
_HEADER: Final = msgspec.json.Decoder(Header)
_ENTRY: Final = msgspec.json.Decoder(Recorded)


def read_header(path: Path) -> Header:
    """The header of a recording.

    Raises:
        BadRequest: the file cannot be read, or does not begin as a recording does.
    """
    return next(_lines_of(path))


def read(path: Path, specs: Mapping[str, SymbolSpec]) -> Iterator[Recorded]:
    """The entries of a recording, read as they are asked for.

    Args:
        specs: the markets that it will be played on.

    Raises:
        BadRequest: while reading; a line is not as it has to be. The message names file and line.
    """
    lines = _lines_of(path)
    symbols = cast("Header", next(lines)).symbols
    unknown = [symbol for symbol in symbols if symbol not in specs]
    if not symbols or unknown:
        problem = f"{unknown[0]} is not listed here" if unknown else "it names no symbol"
        raise BadRequest(f"{path}, line 1: {problem}", hint=f"listed: {', '.join(specs)}")
    scales = {symbol: Scale.of(specs[symbol]) for symbol in symbols}
    newest_ms = 0
    for number, entry in enumerate(lines, 2):
        try:
            _check(entry, scales, newest_ms)
        except BadRequest as error:
            raise BadRequest(f"{path}, line {number}: {error.message}", hint=error.hint) from error
        newest_ms = entry.ts_ms
        yield entry


def entries(path: Path) -> Iterator[Recorded]:
    """The entries of a recording as they stand in the file, not checked against any market.

    Raises:
        BadRequest: the file cannot be read, or a line is no entry.
    """
    lines = _lines_of(path)
    next(lines)
    yield from lines


def check(path: Path, specs: Mapping[str, SymbolSpec]) -> int:
    """How many entries a recording has. Raises BadRequest where `read` would."""
    return sum(1 for _ in read(path, specs))


def _check(entry: Recorded, scales: Mapping[str, Scale], newest_ms: int) -> None:
    scale = scales.get(entry.symbol)
    if scale is None:
        raise BadRequest(f"symbol = '{entry.symbol}' is not among those of the header", hint=", ".join(scales))
    if entry.ts_ms < newest_ms:
        raise BadRequest(f"ts_ms = {entry.ts_ms} is before the line above ({newest_ms})", hint="sort it by time")
    rows = [(entry.price, entry.amount)] if isinstance(entry, RecordedTrade) else [*entry.bids, *entry.asks]
    for price, amount in rows:
        ticks(scale, price)
        if not lots(scale, amount) and isinstance(entry, RecordedTrade):
            raise BadRequest(f"amount = {amount} is no trade", hint="leave it out")


def _lines_of(path: Path) -> Iterator[Any]:
    """The header, then the entries."""
    number = 0
    try:
        with _open(path, "rb") as file:
            for line in file:
                number += 1
                if number > 1:
                    yield _ENTRY.decode(line)
                    continue
                header = _HEADER.decode(line)
                if header.version != VERSION:
                    raise BadRequest(f"{path}, line 1: version = {header.version}", hint=f"this is version {VERSION}")
                yield header
    except msgspec.MsgspecError as error:
        raise BadRequest(
            f"{path}, line {max(1, number)}: {error}", hint="docs/venue-market.md shows what a line looks like"
        ) from error
    except UnicodeDecodeError as error:
        raise BadRequest(f"{path}, line {number}: not UTF-8", hint="a recording is JSON, one object a line") from error
    except FileNotFoundError as error:
        raise BadRequest(
            f"there is no recording {path}", hint="see the path; `planar venue record` makes one"
        ) from error
    except (OSError, EOFError) as error:
        where = f"{path}, after line {number}" if number else str(path)
        raise BadRequest(f"{where}: {error}", hint="is the file whole, and is gzip told by the name's end?") from error
    if not number:
        raise BadRequest(f"{path}, line 1: the file is empty", hint="a recording begins with its header")


def _open(path: Path, mode: str) -> IO[bytes]:
    return cast("IO[bytes]", gzip.open(path, mode) if path.suffix == ".gz" else path.open(mode))


class Writer:
    """Writes a recording, header first.

    Attributes:
        written: entries so far.

    Raises:
        BadRequest: the file cannot be made.
    """

    def __init__(self, path: Path, symbols: Sequence[str], venue: str | None) -> None:
        self.written = 0
        try:
            self._file = _open(path, "wb")
        except OSError as error:
            raise BadRequest(f"{path} cannot be written: {error.strerror}", hint="name another file") from error
        self._put(Header(version=VERSION, venue=venue, symbols=tuple(symbols)))

    def add(self, entry: Recorded) -> None:
        """Append an entry."""
        self._put(entry)
        self.written += 1

    def _put(self, line: Header | Recorded) -> None:
        self._file.write(_ENCODER.encode(line) + b"\n")

    def close(self) -> None:
        """Complete the file."""
        self._file.close()


class Recorder:
    """Writes what the market of a running exchange does, from its books of now on, until `close`.

    Attributes:
        path: the file.
        symbols: what is recorded.
    """

    def __init__(self, exchange: VirtualExchange, path: Path, symbols: Sequence[str], venue: str) -> None:
        self.path: Final = path
        self.symbols: Final = tuple(symbols)
        self._exchange = exchange
        self._writer = Writer(path, symbols, venue)
        for symbol in symbols:
            self._writer.add(self._snapshot(symbol))
        self._leave: Callable[[], None] | None = exchange.subscribe(self._on_event)

    @property
    def written(self) -> int:
        """Entries so far."""
        return self._writer.written

    def close(self) -> None:
        """End it; the file is complete then."""
        if self._leave is not None:
            self._leave()
            self._leave = None
            self._writer.close()

    def _snapshot(self, symbol: str) -> RecordedBook:
        market, depth = self._exchange.core.market(symbol), self._exchange.depth(symbol, _WHOLE_BOOK)
        sides = [
            [(level.price, left) for level in levels if (left := level.amount - _of_users(market, is_buy, level.price))]
            for is_buy, levels in ((True, depth.bids), (False, depth.asks))
        ]
        return RecordedBook(ts_ms=self._exchange.now_ms(), symbol=symbol, bids=sides[0], asks=sides[1], snapshot=True)

    def _on_event(self, event: Event) -> None:
        if isinstance(event, TradePrint) and event.trade.symbol in self.symbols:
            trade = event.trade
            self._writer.add(
                RecordedTrade(
                    ts_ms=trade.ts_ms,
                    symbol=trade.symbol,
                    side="sell" if trade.buyer_is_maker else "buy",
                    price=trade.price,
                    amount=trade.amount,
                )
            )
        elif isinstance(event, BookChange) and event.symbol in self.symbols:
            is_buy = event.side is Side.BUY
            market = self._exchange.core.market(event.symbol)
            left = max(event.amount - _of_users(market, is_buy, event.price), event.amount * 0)
            rows = [(event.price, left)]
            self._writer.add(
                RecordedBook(
                    ts_ms=event.ts_ms, symbol=event.symbol, bids=rows if is_buy else [], asks=[] if is_buy else rows
                )
            )


def _of_users(market: Market, is_buy: bool, price: Decimal) -> Decimal:
    """What users show at a price."""
    side = market.book.bids if is_buy else market.book.asks
    scale = market.data.scale
    level = side.levels.get(ticks(scale, price))
    shown = sum(order.shown for order in level.orders.values() if not order.account.is_market) if level else 0
    return scale.amount(shown)
