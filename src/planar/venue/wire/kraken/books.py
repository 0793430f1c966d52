"""The book channel: what its subscribers have, what has changed since, and the checksum over it.

Source: guide "Spot WebSocket checksum (v2)". The checksum is a CRC-32 over the ten best asks and bids, each number with
the pair's decimals but without the point and without leading zeros.
"""

from __future__ import annotations

import operator
import zlib
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any, Final

from planar.venue.engine.exchange import VirtualExchange
from planar.venue.engine.types import Level
from planar.venue.wire.kraken.formats import ZERO, fixed, number, rfc3339
from planar.venue.wire.kraken.names import Pair

DEPTHS: Final = (10, 25, 100, 500, 1000)
_SUMMED: Final = 10


def checksum(pair: Pair, asks: Iterable[tuple[Decimal, Decimal]], bids: Iterable[tuple[Decimal, Decimal]]) -> int:
    """The checksum of a book, its sides best first."""
    parts: list[str] = []
    for side in (asks, bids):
        for price, amount in list(side)[:_SUMMED]:
            for value, places in ((price, pair.price_decimals), (amount, pair.lot_decimals)):
                parts.append(fixed(value, places).replace(".", "").lstrip("0"))
    return zlib.crc32("".join(parts).encode())


class Book:
    """The book of a pair to a depth, as its subscribers know it."""

    def __init__(self, exchange: VirtualExchange, pair: Pair, depth: int) -> None:
        self._exchange = exchange
        self._pair = pair
        self._depth = depth
        self._bids: dict[Decimal, Decimal] = {}
        self._asks: dict[Decimal, Decimal] = {}
        self.changes()

    def snapshot(self) -> dict[str, Any]:
        """The whole of it."""
        return self._row(self._bids.items(), self._asks.items())

    def changes(self) -> dict[str, Any] | None:
        """What has changed since the last time; None if nothing."""
        now = self._exchange.depth(self._pair.symbol, self._depth)
        bids, asks = _side(now.bids), _side(now.asks)
        bid_changes = _changes(self._bids, bids, self._depth, operator.gt)
        ask_changes = _changes(self._asks, asks, self._depth, operator.lt)
        self._bids, self._asks = bids, asks
        if not bid_changes and not ask_changes:
            return None
        return self._row(bid_changes, ask_changes) | {"timestamp": rfc3339(self._exchange.now_ms())}

    def _row(self, bids: Iterable[tuple[Decimal, Decimal]], asks: Iterable[tuple[Decimal, Decimal]]) -> dict[str, Any]:
        pair = self._pair

        def side(levels: Iterable[tuple[Decimal, Decimal]]) -> list[dict[str, Any]]:
            return [
                {"price": number(price, pair.price_decimals), "qty": number(amount, pair.lot_decimals)}
                for price, amount in levels
            ]

        return {
            "symbol": pair.symbol,
            "bids": side(bids),
            "asks": side(asks),
            "checksum": checksum(pair, self._asks.items(), self._bids.items()),
        }


def _side(levels: list[Level]) -> dict[Decimal, Decimal]:
    return {level.price: level.amount for level in levels}


def _changes(
    before: dict[Decimal, Decimal],
    now: dict[Decimal, Decimal],
    depth: int,
    is_better: Callable[[Decimal, Decimal], bool],
) -> list[tuple[Decimal, Decimal]]:
    """New amounts by price. A level that only fell out of the depth is not told: clients cut there themselves."""
    worst = next(reversed(now), None)
    gone = [
        (price, ZERO)
        for price in before
        if price not in now and (worst is None or len(now) < depth or is_better(price, worst))
    ]
    return gone + [(price, amount) for price, amount in now.items() if before.get(price) != amount]
