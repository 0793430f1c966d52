"""The markets of the exchanges on disk, with an age; shared by all accounts that use one `MarketCache`.

`load` answers from memory, else from the file, else it has the instance fetch them and writes the file. What it answers
with is put into the CCXT instance (`ccxt_markets.install`), so that CCXT itself asks for nothing.

A file that cannot be read or written is a warning in the log and costs a request. With `PLANAR_OFFLINE=1` nothing is
ever fetched: the file serves whatever its age, and an error says clearly when there is none.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import re
from collections.abc import Awaitable, Callable
from functools import cached_property
from pathlib import Path

import msgspec

from planar import runtime
from planar.adapters.ccxt_markets import (
    Captured,
    CcxtMarkets,
    CcxtTables,
    MarketTable,
    capture,
    has_credentials,
    install,
)
from planar.adapters.market_file import MarketFile, MarketsKey, encode
from planar.adapters.symbols import Listing, SymbolResolver
from planar.errors import BadResponse, ExchangeNotAvailable, Outcome

MAX_AGE_MS = 24 * 60 * 60 * 1000
"""Markets older than this are fetched again."""

KEY_OPTIONS = ("defaultType", "defaultSubType", "fetchMarkets")
"""The options of CCXT that select which markets are fetched. No other option enters a key, so no secret can."""

_log = logging.getLogger(__name__)


def markets_key(exchange: CcxtMarkets, version: str, environment: str) -> MarketsKey:
    """The key of an instance's markets. Ask before its first `load_markets`: CCXT changes its options there.

    Args:
        version: CCXT's version (`exchange_ids.ccxt_version()`).
    """
    chosen = {name: exchange.options[name] for name in KEY_OPTIONS if name in exchange.options}
    chosen["fetchCurrencies"] = bool(exchange.has.get("fetchCurrencies"))
    encoder = msgspec.json.Encoder(order="sorted")
    options = tuple((name, encoder.encode(value).decode()) for name, value in sorted(chosen.items()))
    return MarketsKey(exchange.id, version, environment, has_credentials(exchange), options)


def file_name(key: MarketsKey) -> str:
    """The name of a key's file: readable, and different for different keys."""
    digest = hashlib.sha256(msgspec.json.encode(key)).hexdigest()[:12]
    return re.sub(r"[^a-z0-9_.-]", "_", f"{key.exchange}-{key.environment}-{digest}.markets".lower())


class MarketSet:
    """The markets of one exchange and environment as they were fetched once.

    Attributes:
        key: what they are the markets of.
        fetched_ms: when they were fetched, UTC milliseconds.
        tables: for CCXT's instances; shared by all of them.
        table: the markets as models, by unified symbol.
    """

    def __init__(
        self, key: MarketsKey, fetched_ms: int, tables: CcxtTables, listing: Listing, precision_mode: int
    ) -> None:
        self.key = key
        self.fetched_ms = fetched_ms
        self.tables = tables
        self.listing = listing
        self.table = MarketTable(key.exchange, tables.markets, precision_mode)

    @classmethod
    def of_file(cls, file: MarketFile) -> MarketSet:
        """From an opened file."""
        header = file.header
        return cls(header.key, header.fetched_ms, file.tables(), header.listing, header.precision_mode)

    @classmethod
    def of_capture(cls, key: MarketsKey, fetched_ms: int, captured: Captured) -> MarketSet:
        """From an instance's own dicts."""
        return cls(key, fetched_ms, captured.tables, captured.listing, captured.precision_mode)

    @property
    def age_ms(self) -> int:
        """Milliseconds since the markets were fetched."""
        return runtime.wall_ms() - self.fetched_ms

    @cached_property
    def symbols(self) -> SymbolResolver:
        """Finds a market by what a user writes."""
        return SymbolResolver(self.key.exchange, self.listing)


class MarketCache:
    """Markets in memory and on disk. One for all exchanges of a workspace; belongs to its event loop.

    Args:
        directory: where the files lie; made when the first one is written.
        max_age_ms: markets older than this are fetched again; 0 fetches each time.
        offline: never fetch, use files of any age (`planar.config.flag("PLANAR_OFFLINE")`).
    """

    def __init__(self, directory: Path, *, max_age_ms: int = MAX_AGE_MS, offline: bool = False) -> None:
        self._directory = directory
        self._max_age_ms = max_age_ms
        self._offline = offline
        self._held: dict[MarketsKey, MarketSet] = {}
        self._locks: dict[MarketsKey, asyncio.Lock] = {}

    async def load(
        self,
        key: MarketsKey,
        exchange: CcxtMarkets,
        fetch: Callable[[Callable[[CcxtMarkets], MarketSet]], Awaitable[MarketSet]],
        *,
        reload: bool = False,
    ) -> MarketSet:
        """The markets of `key`, put into `exchange`.

        Many callers at once make one request; when the one that makes it is canceled, the next one makes it.

        Args:
            fetch: loads the markets from the venue, gives the instance that has them to its argument, which captures
                and writes them, in whatever thread, and returns what that returns; called only if it is needed.
            reload: fetch even if the markets are not old.

        Raises:
            ExchangeNotAvailable: offline, and there is no usable file.
            BadResponse: the venue answered without a single market.
        """
        async with self._locks.setdefault(key, asyncio.Lock()):
            markets = None if reload and not self._offline else self._known(key)
            if markets is None:
                if self._offline:
                    markets = self._offline_twin(key)
                else:
                    markets = await fetch(lambda loaded: self._keep(key, loaded))
            self._held[key] = markets
        install(markets.tables, exchange)
        return markets

    def read(self, key: MarketsKey) -> MarketSet | None:
        """What the file of `key` holds, whatever its age; None, with a warning if need be, where it is of no use."""
        path = self._directory / file_name(key)
        try:
            file = MarketFile(path.read_bytes())
            if file.header.key != key:
                raise ValueError("it is the file of other markets")
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            _log.warning("cached markets in %s cannot be used: %s", path, error)
            return None
        return MarketSet.of_file(file)

    def _known(self, key: MarketsKey) -> MarketSet | None:
        """From memory or the file, if not too old."""
        held = self._held.get(key)
        if held is not None and self._is_fresh(held):
            return held
        markets = self.read(key)
        return markets if markets is not None and self._is_fresh(markets) else None

    def _is_fresh(self, markets: MarketSet) -> bool:
        # a time to come is a clock that was set back: nothing is known about the age
        return self._offline or 0 <= markets.age_ms < self._max_age_ms

    def _keep(self, key: MarketsKey, exchange: CcxtMarkets) -> MarketSet:
        """What an instance has just fetched, written to the file."""
        if not exchange.markets:
            raise BadResponse("the answer holds not a single market", exchange=key.exchange)
        captured, now_ms = capture(exchange), runtime.wall_ms()
        try:
            data = encode(captured, key, now_ms)
            markets = MarketSet.of_file(MarketFile(data))
        except ValueError as error:
            _log.warning("the markets of %s are not cached: %s", key.exchange, error)
            return MarketSet.of_capture(key, now_ms, captured)
        path = self._directory / file_name(key)
        try:
            _write(path, data)
        except OSError as error:
            _log.warning("the markets of %s are not cached: %s", key.exchange, error)
        return markets

    def _offline_twin(self, key: MarketsKey) -> MarketSet:
        """The same markets fetched without credentials, or with them, where there is nothing else."""
        twin = self.read(msgspec.structs.replace(key, signed=not key.signed))
        if twin is not None:
            return twin
        raise ExchangeNotAvailable(
            f"PLANAR_OFFLINE is set, and {self._directory} holds no usable markets of {key.exchange} "
            f"({key.environment}) for CCXT {key.version}",
            exchange=key.exchange,
            outcome=Outcome.NOT_SENT,
            retryable=False,
            hint="unset PLANAR_OFFLINE once, so that they can be fetched and kept",
        )


def _write(path: Path, data: bytes) -> None:
    """Replace a file as a whole: a reader sees the old one or the new one. Not synced: the checksum finds what a
    power failure leaves."""
    path.parent.mkdir(parents=True, exist_ok=True)
    written = path.with_name(f".{path.name}.{runtime.token(8)}")
    try:
        written.write_bytes(data)
        os.replace(written, path)
    except OSError:
        written.unlink(missing_ok=True)
        raise
