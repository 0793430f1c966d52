"""The part of `VirtualExchange` that anyone may ask: book, trades, candles, statistics, market status."""

from __future__ import annotations

from decimal import Decimal

from planar.venue.engine.bars import D1, M1, flat
from planar.venue.engine.book import BookSide
from planar.venue.engine.core import Core
from planar.venue.engine.enums import Interval, MarketStatus
from planar.venue.engine.events import MarketStatusChange
from planar.venue.engine.market import Market
from planar.venue.engine.types import AggTrade, Candle, Depth, Level, Ticker, Trade
from planar.venue.engine.units import to_decimal

DAY_MS = D1


class PublicData:
    """Public queries over a core. Each raises EngineReject UNKNOWN_SYMBOL."""

    def __init__(self, core: Core) -> None:
        self.core = core

    def status(self, symbol: str) -> MarketStatus:
        """Whether the symbol takes orders."""
        return self.core.market(symbol).status

    def trades_freely(self, symbol: str) -> bool:
        """Whether the symbol takes orders of every kind, the state of the whole exchange considered."""
        return self.core.market(symbol).state is MarketStatus.TRADING

    def set_status(self, symbol: str, status: MarketStatus) -> None:
        """Halts or resumes a symbol. Open orders stay."""
        market = self.core.market(symbol)
        now = self.core.now()
        if market.status is not status:
            market.status = status
            self.core.outbox.add(MarketStatusChange(symbol, status, now))
            self.core.outbox.flush(now)

    def depth(self, symbol: str, limit: int) -> Depth:
        """The best `limit` levels a side."""
        market = self.core.market(symbol)
        bids, asks = _levels(market, market.book.bids, limit), _levels(market, market.book.asks, limit)
        return Depth(symbol, market.update_id, bids, asks)

    def last_price(self, symbol: str) -> Decimal | None:
        """Price of the last trade; None if there never was one."""
        market = self.core.market(symbol)
        return None if market.last is None else to_decimal(market.last * market.tick_units)

    def trades(self, symbol: str, *, from_id: int | None = None, limit: int = 500) -> list[Trade]:
        """Public trades by rising id: from `from_id` on, otherwise the newest."""
        return self.core.market(symbol).data.trades(from_id, limit)

    def agg_trades(
        self,
        symbol: str,
        *,
        from_id: int | None = None,
        start_ms: int | None = None,
        end_ms: int | None = None,
        limit: int = 500,
    ) -> list[AggTrade]:
        """Aggregate trades by rising id; `from_id` is an aggregate id; selection as in `orders`."""
        return self.core.market(symbol).data.agg_trades(from_id, start_ms, end_ms, limit)

    def candles(
        self,
        symbol: str,
        interval: Interval,
        *,
        start_ms: int | None = None,
        end_ms: int | None = None,
        limit: int = 500,
    ) -> list[Candle]:
        """Candles by rising time; the last one may be unfinished.

        With `start_ms` the oldest `limit` whose open time is in the bounds (inclusive), otherwise the newest up to
        `end_ms` or now.
        """
        return self.core.market(symbol).data.candles(interval, start_ms, end_ms, limit, self.core.now())

    def ticker(self, symbol: str, window_ms: int = DAY_MS) -> Ticker:
        """Statistics of the last `window_ms` (whole minutes), the present one included.

        A market that never traded shows zeros, as Binance does.
        """
        market = self.core.market(symbol)
        now = self.core.now()
        start = now - now % M1 + M1 - window_ms
        data = market.data
        bar = data.window(start, now)
        before = data.price_before(start)
        if bar is None:
            bar = flat(market.last or 0)
        newest = data.trades(None, 1)
        next_id = data.next_trade_id
        bids, asks = _levels(market, market.book.bids, 1), _levels(market, market.book.asks, 1)
        scale = data.scale
        return Ticker(
            symbol=symbol,
            open_ms=start,
            close_ms=now,
            open=scale.price(bar.open),
            high=scale.price(bar.high),
            low=scale.price(bar.low),
            last=scale.price(bar.close),
            last_amount=newest[0].amount if newest else scale.amount(0),
            previous_close=scale.price(bar.open if before is None else before),
            volume=scale.amount(bar.buy_lots + bar.sell_lots),
            quote_volume=scale.value(bar.buy_quote + bar.sell_quote),
            trades=bar.trades,
            first_trade_id=next_id - bar.trades if bar.trades else -1,
            last_trade_id=next_id - 1 if bar.trades else -1,
            bid=bids[0] if bids else None,
            ask=asks[0] if asks else None,
        )


def _levels(market: Market, side: BookSide, limit: int) -> list[Level]:
    tick, lot = market.tick_units, market.lot_units
    return [Level(to_decimal(level.price * tick), to_decimal(level.shown * lot)) for level in side.top(limit)]
