"""The format in which the markets of one exchange lie on disk: a header with the columns, then every market as its own
piece of bytes, so that one can be decoded without the others.

    magic | CRC-32 of the rest | length of the header | header | markets | their `info` | currencies

The header, the markets and the currencies are MessagePack, which gives back every float and integer as it was; `info`
is the JSON of the venue. Whatever is wrong with a file is a `ValueError` when it is opened, not later.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Mapping
from itertools import accumulate
from typing import Any, cast

import msgspec

from planar.adapters.ccxt_markets import Captured, CcxtTables, LazyDict, RawInfo
from planar.adapters.symbols import Listing

_MAGIC = b"planar markets 1\n"
_PREFIX = struct.Struct("<II")  # CRC-32, length of the header


class MarketsKey(msgspec.Struct, frozen=True, order=True):
    """What decides which markets CCXT gives.

    Attributes:
        exchange: CCXT's id.
        version: CCXT's version, since it decides how a market is read.
        environment: where they were fetched.
        signed: they were fetched with credentials, with which some venues tell more. Never a credential itself.
        options: name and JSON text of CCXT's options that select market types.
    """

    exchange: str
    version: str
    environment: str
    signed: bool = False
    options: tuple[tuple[str, str], ...] = ()


class Header(msgspec.Struct):
    """What is decoded when a file is opened.

    Attributes:
        fetched_ms: when the markets were fetched, UTC milliseconds.
        precision_mode: CCXT's `precisionMode`.
        listing: the columns.
        currencies: the codes of the currencies, in their order.
        currency_ids: the venue's id of a currency -> its code.
        learned: options that came with the markets.
        market_maps: further options, whose values are markets: name -> key -> row.
        market_ends, info_ends, currency_ends: where each piece ends in its section.
    """

    key: MarketsKey
    fetched_ms: int
    precision_mode: int
    listing: Listing
    currencies: list[str]
    currency_ids: dict[str, str]
    learned: dict[str, Any]
    market_maps: dict[str, dict[str, int]]
    common_currencies: dict[str, str]
    market_ends: list[int]
    info_ends: list[int]
    currency_ends: list[int]


class _Section:
    """Pieces of bytes one after the other."""

    def __init__(self, blob: memoryview, ends: list[int]) -> None:
        self._blob = blob
        self._ends = ends

    def __getitem__(self, index: int) -> memoryview:
        return self._blob[self._ends[index - 1] if index else 0 : self._ends[index]]


class MarketFile:
    """An opened file.

    Raises:
        ValueError: the bytes are not, or no longer, what `encode` made.
    """

    def __init__(self, data: bytes) -> None:
        start = len(_MAGIC) + _PREFIX.size
        if not data.startswith(_MAGIC):
            raise ValueError("it is no file of markets, or one of another version of Planar")
        if len(data) < start:
            raise ValueError(f"it ends after {len(data)} bytes")
        crc, header_length = _PREFIX.unpack_from(data, len(_MAGIC))
        view = memoryview(data)
        if zlib.crc32(view[start:]) != crc:
            raise ValueError("its checksum is wrong")
        try:
            self.header = msgspec.msgpack.decode(view[start : start + header_length], type=Header)
        except msgspec.MsgspecError as error:
            raise ValueError(f"its header is wrong: {error}") from error
        sections: list[_Section] = []
        at = start + header_length
        for ends in (self.header.market_ends, self.header.info_ends, self.header.currency_ends):
            length = ends[-1] if ends else 0
            sections.append(_Section(view[at : at + length], ends))
            at += length
        self._markets, self._infos, self._currencies = sections

    def tables(self) -> CcxtTables:
        """The tables for CCXT's instances; nothing is decoded before it is asked for."""
        header, listing = self.header, self.header.listing
        row_of = {symbol: row for row, symbol in enumerate(listing.symbols[: listing.listed])}
        markets = LazyDict(row_of, lambda symbol: self._market(row_of[symbol]))

        def market(row: int) -> dict[str, Any]:
            return markets[listing.symbols[row]] if row < listing.listed else self._market(row)

        def mapped(rows: Mapping[str, int]) -> LazyDict:
            return LazyDict(rows, lambda key: market(rows[key]))

        by_id = listing.by_id
        code_row = {code: row for row, code in enumerate(header.currencies)}
        currencies = LazyDict(code_row, lambda code: msgspec.msgpack.decode(self._currencies[code_row[code]]))
        return CcxtTables(
            markets=markets,
            markets_by_id=LazyDict(by_id, lambda market_id: [market(row) for row in by_id[market_id]]),
            symbols=sorted(row_of),
            ids=sorted(by_id),
            currencies=currencies,
            currencies_by_id=LazyDict(header.currency_ids, lambda i: currencies[header.currency_ids[i]]),
            codes=sorted(code_row),
            learned={**header.learned, **{name: mapped(rows) for name, rows in header.market_maps.items()}},
            common_currencies=header.common_currencies,
        )

    def _market(self, row: int) -> dict[str, Any]:
        market = msgspec.msgpack.decode(self._markets[row])
        info = self._infos[row]
        if info:
            market["info"] = RawInfo(info) if info[0] == ord("{") else msgspec.json.decode(info)
        return market


def encode(captured: Captured, key: MarketsKey, fetched_ms: int) -> bytes:
    """The bytes of a file.

    Raises:
        ValueError: something in the tables would not come back as it is.
    """
    markets = [_packed(row["symbol"], {k: v for k, v in row.items() if k != "info"}) for row in captured.rows]
    infos = [_info(row) for row in captured.rows]
    tables = captured.tables
    currencies = [_packed(code, currency) for code, currency in tables.currencies.items()]
    maps = {name: rows for name, value in tables.learned.items() if (rows := _rows_of(value, captured)) is not None}
    learned = {name: value for name, value in tables.learned.items() if name not in maps}
    _packed("options", learned)
    header = msgspec.msgpack.encode(
        Header(
            key=key,
            fetched_ms=fetched_ms,
            precision_mode=captured.precision_mode,
            listing=captured.listing,
            currencies=list(tables.currencies),
            currency_ids={i: _code_of(currency, tables) for i, currency in tables.currencies_by_id.items()},
            learned=learned,
            market_maps=maps,
            common_currencies=tables.common_currencies,
            market_ends=_ends(markets),
            info_ends=_ends(infos),
            currency_ends=_ends(currencies),
        )
    )
    rest = b"".join([header, *markets, *infos, *currencies])
    return _MAGIC + _PREFIX.pack(zlib.crc32(rest), len(header)) + rest


def _ends(pieces: Iterable[bytes]) -> list[int]:
    return list(accumulate(len(piece) for piece in pieces))


def _packed(name: str, value: Any) -> bytes:
    try:
        packed = msgspec.msgpack.encode(value)
        same = msgspec.msgpack.decode(packed) == value
    except (TypeError, ValueError, OverflowError, msgspec.MsgspecError) as error:
        raise ValueError(f"{name} cannot be kept: {error}") from error
    if not same:
        raise ValueError(f"{name} cannot be kept: it holds a value that would come back as another")
    return packed


def _info(row: Mapping[str, Any]) -> bytes:
    """The JSON of a market's `info`; nothing where it has none."""
    if "info" not in row:
        return b""
    try:
        text = msgspec.json.encode(row["info"])
        same = msgspec.json.decode(text) == row["info"]
    except (TypeError, ValueError, OverflowError, msgspec.MsgspecError) as error:
        raise ValueError(f"the info of {row['symbol']} cannot be kept: {error}") from error
    if not same:
        raise ValueError(
            f"the info of {row['symbol']} cannot be kept: it holds a value that would come back as another"
        )
    return text


def _code_of(currency: Mapping[str, Any], tables: CcxtTables) -> str:
    code = currency["code"]
    if code not in tables.currencies:
        raise ValueError(f"the currency {code} cannot be kept: it is known by its id only")
    return code


def _rows_of(value: Any, captured: Captured) -> dict[str, int] | None:
    """Key -> row, if the value is a dict of markets."""
    if not isinstance(value, dict):
        return None
    rows: dict[str, int] = {}
    for key, market in cast("dict[str, Any]", value).items():
        if not isinstance(market, dict):
            return None
        members = cast("dict[str, Any]", market)
        found: Any = members.get("id")
        by_symbol = [
            row
            for row in captured.listing.by_id.get(found, ())
            if captured.listing.symbols[row] == members.get("symbol")
        ]
        if not by_symbol:
            return None
        rows[key] = by_symbol[0]
    return rows
