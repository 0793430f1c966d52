"""What CCXT shows of markets by REST and by streams, on any exchange: against itself; the market stands still at the end."""

from __future__ import annotations

import asyncio
import time
from decimal import Decimal
from typing import Any

from judges.ccxt_life import SYMBOL
from judges.ccxt_words import Client, unified_bars, unified_prints
from judges.kit import Checks, Venue, exact
from judges.market import MINUTE_MS, Ladder, bar_of_bars, check_bars, check_ladder
from judges.raw_data import MARKETS, POLL_S, matched, settled, until

LEVELS = 10
START_S = 20.0
STEP_MS = 5_000
OTHERS = ["ETH/USDT", "SOL/USDT"]
STEPS = 40


def levels(said: Any) -> Ladder:
    """The best levels of a book as CCXT shows it, without an update id, which not every exchange has."""
    sides = (tuple((exact(row[0]), exact(row[1])) for row in said[side][:LEVELS]) for side in ("bids", "asks"))
    return Ladder(0, *sides)


class Basics:
    """The questions to one client."""

    def __init__(self, checks: Checks, venue: Venue, client: Client) -> None:
        self._checks, self._venue, self._client = checks, venue, client
        self._do = client.do

    async def rest(self) -> None:
        """Markets, book, ticker, trades, candles."""
        checks = self._checks
        markets = await self._do("load_markets")
        checks.same("markets", len(markets), MARKETS)
        checks.true("markets: spot, and open", all(m["spot"] and m["active"] for m in markets.values()))
        checks.true("time", abs(await self._do("fetch_time") - time.time() * 1000) < 2000)
        checks.same("status", (await self._do("fetch_status"))["status"], "ok")
        book = await self._book()
        check_ladder(checks, "order book", book)
        ticker = await self._do("fetch_ticker", SYMBOL)
        best = (exact(ticker["bid"]), exact(ticker["ask"]))
        checks.same("ticker: best of the book", best, (book.bids[0][0], book.asks[0][0]))
        l2_book = levels(await self._do("fetch_l2_order_book", SYMBOL, LEVELS))
        checks.same("L2 order book", l2_book, book)
        asked = await self._do("fetch_markets")
        checks.same("markets: the same asked again", sorted(one["symbol"] for one in asked), sorted(markets))
        checks.same("tickers", set(await self._do("fetch_tickers")), set(markets))
        known = {market[side] for market in markets.values() for side in ("base", "quote")}
        checks.same("currencies: of all markets", known - set(await self._do("fetch_currencies")), set())
        trades = await self._trades()
        checks.true("trades: in the order of time", trades == sorted(trades, key=lambda one: one[0]))
        checks.same("ticker: last", exact(ticker["last"]), trades[-1][1])
        await self.candles()

    async def candles(self) -> None:
        """Minutes follow each other, and longer candles are made of them."""
        minutes = unified_bars(await self._do("fetch_ohlcv", SYMBOL, "1m", None, 500))
        check_bars(self._checks, "1m", minutes, MINUTE_MS)
        for frame, count in (("5m", 5), ("15m", 15), ("1h", 60)):
            length_ms = count * MINUTE_MS
            bars = unified_bars(await self._do("fetch_ohlcv", SYMBOL, frame, None, 10))
            check_bars(self._checks, frame, bars, length_ms)
            for bar in bars[-4:-1]:
                parts = [one for one in minutes if bar.open_ms <= one.open_ms < bar.open_ms + length_ms]
                if len(parts) == count:
                    self._checks.same(f"{frame}: made of minutes", bar, bar_of_bars(parts))

    async def streams(self) -> None:
        """Book, trades, ticker and candles as they are told, compared when the market stands still again."""
        checks = self._checks
        await self._do("load_markets")
        self._venue.resume()
        book = self._client.pump("watch_order_book", SYMBOL)
        trades = self._client.pump("watch_trades", SYMBOL)
        ticker = self._client.pump("watch_ticker", SYMBOL)
        bars = self._client.pump("watch_ohlcv", SYMBOL, "1m")
        others = [
            self._client.pump("watch_order_book_for_symbols", OTHERS),
            self._client.pump("watch_tickers", OTHERS),
            self._client.pump("watch_bids_asks", OTHERS),
        ]
        pumps = (book, trades, ticker, bars, *others)
        try:
            first = (book, ticker, *others)
            await until(lambda: all(pump.yielded or pump.error for pump in first), seconds=START_S)
            self._venue.freeze()
            for _ in range(STEPS):  # until there was a trade
                if trades.yielded and bars.yielded:
                    break
                self._venue.step(STEP_MS)
                await asyncio.sleep(POLL_S)
            shown = await self._book()
            checks.same("watch_order_book", await settled(checks, lambda: levels(book.last), shown), shown)
            said = (await self._trades())[-1]
            told = await settled(checks, lambda: _key(trades.last[-1]), said)
            checks.same("watch_trades: the newest", told, said)
            last = exact((await self._do("fetch_ticker", SYMBOL))["last"])
            told = await settled(checks, lambda: exact(ticker.last["last"]), last)
            checks.same("watch_ticker: last", told, last)
            for symbol in OTHERS:
                shown = levels(await self._do("fetch_order_book", symbol, LEVELS))
                kept = await matched(checks, lambda s=symbol, shown=shown: self._kept(s, shown))
                checks.same(f"watch_order_book_for_symbols: {symbol}", *kept)
            bar = unified_bars(await self._do("fetch_ohlcv", SYMBOL, "1m"))[-1]
            told = await settled(checks, lambda: unified_bars(bars.last)[-1].close, bar.close)
            checks.same("watch_ohlcv: close", told, bar.close)
            checks.same("errors of the streams", [pump.error for pump in pumps if pump.error], [])
        finally:
            self._venue.freeze()
            for pump in pumps:
                await pump.stop()

    async def _kept(self, symbol: str, expected: Ladder) -> tuple[Ladder, Ladder]:
        """The book that CCXT keeps, and what it should be."""
        return levels((await self._client.kept("orderbooks"))[symbol]), expected

    async def _book(self) -> Ladder:
        return levels(await self._do("fetch_order_book", SYMBOL, LEVELS))

    async def _trades(self) -> list[tuple[int, Decimal, Decimal]]:
        rows = unified_prints(await self._do("fetch_trades", SYMBOL, None, 500))
        return [(one.ts_ms, one.price, one.amount) for one in rows]


def _key(trade: Any) -> tuple[int, Decimal, Decimal]:
    return trade["timestamp"], exact(trade["price"]), exact(trade["amount"])
