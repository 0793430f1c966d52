"""Plays a recording into the books of an exchange: its levels rest there and its trades happen, among users' orders.

The market model's account holds one order for each recorded level. A recorded trade is a taker that finds at least the
recorded amount at the recorded price; a user's order that is better, or came earlier, trades first.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any, Final

from planar.errors import PlanarError
from planar.venue.engine.core import Core
from planar.venue.engine.enums import MarketStatus, OrderKind, TimeInForce
from planar.venue.engine.market import Market
from planar.venue.engine.orders import LiveOrder
from planar.venue.engine.recorded import Recorded, RecordedBook, RecordedTrade, lots, ticks

LOG = logging.getLogger("planar.venue")
MOST_AT_ONCE: Final = 2_000
"""Entries played in one step at most, so that clients are served meanwhile."""


class Player:
    """One recording on its way through an exchange.

    Args:
        core: the exchange's.
        entries: in order of time; each is checked as it is reached, and one that is wrong ends the recording.
        symbols: the symbols of the recording.
        speed: how many times as fast as it was; None for as fast as it goes.

    Attributes:
        played: entries so far.
        done: whether there are no more.
        problem: why it ended before its end; None if it did not.
        at_ms: where it is, in the recording's own time; None before the first entry.
    """

    def __init__(
        self, core: Core, entries: Iterator[Recorded], symbols: tuple[str, ...], *, speed: float | None
    ) -> None:
        self.symbols: Final = symbols
        self.speed: Final = speed
        self.played = 0
        self.done = False
        self.problem: str | None = None
        self.at_ms: float | None = None
        self._core = core
        self._entries = entries
        self._next: Recorded | None = None
        self._levels: dict[tuple[str, bool], dict[int, LiveOrder]] = {
            (symbol, is_buy): {} for symbol in symbols for is_buy in (True, False)
        }

    def advance(self, duration_ms: int, now: int) -> None:
        """Plays what is due when so much time has passed at the venue."""
        if self._next is None and not self.done:
            self._read()
        if self.at_ms is not None and self.speed is not None:
            self.at_ms += duration_ms * self.speed
        for _ in range(MOST_AT_ONCE):
            entry = self._next
            if entry is None or self.at_ms is None or (self.speed is not None and entry.ts_ms > self.at_ms):
                return
            self.at_ms = max(self.at_ms, entry.ts_ms)
            self._play(entry, now)
            self.played += 1
            self._read()

    def _read(self) -> None:
        try:
            self._next = next(self._entries, None)
        except PlanarError as error:
            self._next = None
            self.problem = error.message
            LOG.warning("the recording ends before its end: %s", error.message)
        self.done = self._next is None
        if self.at_ms is None and self._next is not None:
            self.at_ms = self._next.ts_ms

    def state(self) -> dict[str, Any]:
        """How far it is, as JSON values."""
        return {
            "symbols": list(self.symbols),
            "speed": self.speed,
            "played": self.played,
            "at_ms": None if self.at_ms is None else int(self.at_ms),
            "done": self.done,
            "problem": self.problem,
        }

    def clear(self, now: int) -> None:
        """Takes all levels out of the books."""
        for levels in self._levels.values():
            for order in levels.values():
                if order.is_open:
                    self._core.matcher.cancel(order, now)
            levels.clear()

    def _play(self, entry: Recorded, now: int) -> None:
        market = self._core.markets[entry.symbol]
        if market.status is not MarketStatus.TRADING:
            return
        if isinstance(entry, RecordedTrade):
            self._trade(market, entry, now)
        else:
            self._book(market, entry, now)

    # -- books --------------------------------------------------------------------------------------------------

    def _book(self, market: Market, entry: RecordedBook, now: int) -> None:
        scale = market.data.scale
        wanted = {
            is_buy: {ticks(scale, price): lots(scale, amount) for price, amount in rows}
            for is_buy, rows in ((True, entry.bids), (False, entry.asks))
        }
        for is_buy, levels in wanted.items():
            if entry.snapshot:
                for price in self._levels[market.symbol, is_buy]:
                    levels.setdefault(price, 0)
        for is_buy, levels in wanted.items():
            for price, amount in levels.items():
                self._set(market, is_buy, price, amount, now)

    def _left(self, market: Market, is_buy: bool, price: int) -> int:
        order = self._levels[market.symbol, is_buy].get(price)
        return order.remaining if order is not None and order.is_open else 0

    def _set(self, market: Market, is_buy: bool, price: int, amount: int, now: int) -> None:
        """Lets the recording's order at a price be so large."""
        levels = self._levels[market.symbol, is_buy]
        order = levels.get(price)
        if order is not None and order.is_open:
            if not amount:
                self._core.matcher.cancel(order, now)
                del levels[price]
            elif amount != order.remaining:
                self._core.matcher.resize(order, amount, now)
            return
        levels.pop(price, None)
        if amount:
            self._drop(market, not is_buy, price, now, also_at=True)
            order = self._order(market, is_buy, price, amount, TimeInForce.GTC)
            self._core.matcher.accept(order, now)
            if order.is_open:
                levels[price] = order

    def _drop(self, market: Market, is_buy: bool, price: int, now: int, *, also_at: bool) -> None:
        """Takes out the levels of a side that are better than a price, or at it too."""
        levels = self._levels[market.symbol, is_buy]
        for other in [p for p in levels if (p > price if is_buy else p < price) or (also_at and p == price)]:
            order = levels.pop(other)
            if order.is_open:
                self._core.matcher.cancel(order, now)

    # -- trades -------------------------------------------------------------------------------------------------

    def _trade(self, market: Market, entry: RecordedTrade, now: int) -> None:
        scale = market.data.scale
        price, amount = ticks(scale, entry.price), lots(scale, entry.amount)
        buys = entry.side == "buy"
        self._drop(market, not buys, price, now, also_at=False)
        before = self._left(market, not buys, price)
        if before < amount:
            self._set(market, not buys, price, amount, now)
        self._core.matcher.accept(self._order(market, buys, price, amount, TimeInForce.IOC), now)
        after = max(0, before - amount)
        if self._left(market, not buys, price) != after:
            self._set(market, not buys, price, after, now)

    def _order(self, market: Market, is_buy: bool, price: int, amount: int, tif: TimeInForce) -> LiveOrder:
        return LiveOrder(
            market=market,
            account=self._core.accounts.market,
            is_buy=is_buy,
            kind=OrderKind.LIMIT,
            tif=tif,
            price=price,
            lots=amount,
        )
