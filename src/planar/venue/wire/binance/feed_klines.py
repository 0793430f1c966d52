"""The candle of a kline stream from event to event: the open one again and again, each closed one once as closed."""

from __future__ import annotations

from typing import Final

import msgspec

from planar.venue.engine.enums import Interval
from planar.venue.engine.exchange import VirtualExchange
from planar.venue.engine.types import Candle
from planar.venue.wire.binance.zones import zoned_candles

AT_ONCE: Final = 1000
"""Most candles that one event looks at: the open one and all that have closed since the last event."""


class KlineEvent(msgspec.Struct, frozen=True):
    """A candle to send."""

    candle: Candle
    interval: Interval
    closed: bool
    first_trade_id: int
    last_trade_id: int
    """-1 where the candle has no trade."""


class KlineTracker:
    """One kline stream."""

    def __init__(self, exchange: VirtualExchange, symbol: str, interval: Interval, zone_ms: int) -> None:
        self._exchange = exchange
        self._symbol = symbol
        self._interval = interval
        self._zone_ms = zone_ms
        self._open_ms: int | None = None
        """The candle last sent as open."""

    def due(self, now_ms: int) -> list[KlineEvent]:
        """What to send now, in order of time."""
        newest = self._exchange.trades(self._symbol, limit=1)
        last_id = newest[0].id if newest else -1
        events: list[KlineEvent] = []
        for candle in reversed(self._candles()):
            first_id = last_id - candle.trades + 1
            ids = (first_id, last_id) if candle.trades else (-1, -1)
            events.append(KlineEvent(candle, self._interval, candle.close_ms < now_ms, *ids))
            last_id = first_id - 1
        events.reverse()
        if events:
            latest = events[-1]
            self._open_ms = latest.candle.close_ms + 1 if latest.closed else latest.candle.open_ms
        return events

    def _candles(self) -> list[Candle]:
        """The candles from the one last sent as open; at first only the open one."""
        limit = 1 if self._open_ms is None else AT_ONCE
        if self._zone_ms:
            return zoned_candles(
                self._exchange, self._symbol, self._interval, self._zone_ms, self._open_ms, None, limit
            )
        return self._exchange.candles(self._symbol, self._interval, start_ms=self._open_ms, limit=limit)
