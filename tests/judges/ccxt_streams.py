"""CCXT's streams: the public ones against REST, the private ones against the ledger."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Container, Mapping
from decimal import Decimal
from typing import Any

from judges.ccxt_data import RAW_TRADES
from judges.ccxt_life import SYMBOL
from judges.ccxt_pump import Pump
from judges.ccxt_words import (
    Client,
    expected_order,
    unified_bars,
    unified_fill,
    unified_ladder,
    unified_order,
    unified_prints,
)
from judges.kit import Checks, Venue, exact, now_ms
from judges.market import Bar, Ladder, check_ladder, check_prints
from judges.raw_data import BOOK_LEVELS, POLL_S, agreed, settled, until
from judges.words import ledger_fill, ledger_order

START_S = 20.0
STEP_MS = 5_000
OTHERS = ["ETH/USDT", "SOL/USDT"]
FRAMES = [["ETH/USDT", "1m"], ["SOL/USDT", "5m"]]
BEST = ("bid", "bidVolume", "ask", "askVolume")
DAY = ("open", "high", "low", "last", "close", "baseVolume", "quoteVolume")


class PublicStreams:
    """Every public stream, listened to while the market lives, compared when it stands still."""

    def __init__(self, checks: Checks, venue: Venue, client: Client, live_s: float) -> None:
        """`live_s`: for how long books are compared while the market lives."""
        self._checks, self._venue, self._client = checks, venue, client
        self._live_s = live_s
        self._do = client.do

    async def run(self) -> None:
        """All of them."""
        await self._do("load_markets")
        self._venue.resume()
        pumps = {
            "book": self._client.pump("watch_order_book", SYMBOL),
            "books": self._client.pump("watch_order_book_for_symbols", OTHERS),
            "trades": self._client.pump("watch_trades", SYMBOL),
            "trades of several": self._client.pump("watch_trades_for_symbols", OTHERS),
            "ticker": self._client.pump("watch_ticker", SYMBOL),
            "tickers": self._client.pump("watch_tickers", OTHERS),
            "all tickers": self._client.pump("watch_tickers"),
            "bids and asks": self._client.pump("watch_bids_asks", [SYMBOL, *OTHERS]),
            "candles": self._client.pump("watch_ohlcv", SYMBOL, "1m"),
            "candles of several": self._client.pump("watch_ohlcv_for_symbols", FRAMES),
        }
        try:
            await until(lambda: all(pump.yielded or pump.error for pump in pumps.values()), seconds=START_S)
            await self._while_it_lives()
            self._venue.freeze()
            async with asyncio.timeout(START_S):
                while not all(_rows(pumps).values()):  # the quieter markets do not trade every second
                    self._venue.step(STEP_MS)
                    await asyncio.sleep(POLL_S)
            await self._standing(pumps)
            await self._unwatch()
        finally:
            self._venue.freeze()
            for pump in pumps.values():
                await pump.stop()
        for name, pump in pumps.items():
            self._checks.same(f"{name}: error", pump.error, None)

    def _kept(self, symbol: str) -> Ladder:
        """The book that CCXT keeps."""
        return unified_ladder(self._client.exchange.orderbooks[symbol])

    async def _rest(self, symbol: str) -> Ladder:
        return unified_ladder(await self._do("fetch_order_book", symbol, BOOK_LEVELS))

    async def _while_it_lives(self) -> None:
        """Books equal REST's at the same update id, again and again."""
        compared, same, ends = 0, 0, time.monotonic() + self._live_s
        while time.monotonic() < ends:
            for symbol in (SYMBOL, *OTHERS):
                shown = await self._rest(symbol)
                await until(lambda s=symbol, shown=shown: self._kept(s).update_id >= shown.update_id)
                kept = self._kept(symbol)
                if kept.update_id == shown.update_id:
                    compared += 1
                    same += kept == shown
            await asyncio.sleep(POLL_S)
        self._checks.true("books compared at the same update id while the market lives", compared > 0, compared)
        self._checks.same("books that were equal", same, compared)

    async def _standing(self, pumps: dict[str, Pump]) -> None:
        checks = self._checks
        for symbol in (SYMBOL, *OTHERS):
            book = await self._rest(symbol)
            kept = await settled(self._checks, lambda s=symbol: self._kept(s), book)
            checks.same(f"{symbol}: the book at its last update id", kept, book)
            check_ladder(checks, f"{symbol}: the book", kept)
        for symbol, rows in _rows(pumps).items():
            await self._trades(symbol, rows)
        await self._tickers()
        for symbol, frame in ([SYMBOL, "1m"], *FRAMES):

            async def last(symbol: str = symbol, frame: str = frame) -> Bar:
                return unified_bars(await self._do("fetch_ohlcv", symbol, frame))[-1]

            said, expected = await agreed(self._checks, lambda s=symbol, f=frame: self._candle(s, f), last)
            checks.same(f"{symbol} {frame}: the last candle", said, expected)

    def _candle(self, symbol: str, frame: str) -> Bar:
        return unified_bars(self._client.exchange.ohlcvs[symbol][frame])[-1]

    async def _trades(self, symbol: str, rows: list[Any]) -> None:
        newest = unified_prints(await self._do("fetch_trades", symbol, None, 1000, RAW_TRADES))
        streamed = unified_prints(rows)
        check_prints(self._checks, f"{symbol}: trades", streamed)
        first = next(index for index, one in enumerate(newest) if one.id == streamed[0].id)
        self._checks.same(f"{symbol}: trades, the same as REST", streamed, newest[first : first + len(streamed)])

    async def _tickers(self) -> None:
        exchange = self._client.exchange
        for symbol in (SYMBOL, *OTHERS):

            async def day(symbol: str = symbol) -> list[Decimal]:
                ticker = await self._do("fetch_ticker", symbol)
                return [exact(ticker[name]) for name in DAY]

            said, expected = await agreed(
                self._checks, lambda s=symbol: [exact(exchange.tickers[s][name]) for name in DAY], day
            )
            self._checks.same(f"{symbol}: ticker", said, expected)
            rest = (await self._do("fetch_bids_asks", [symbol]))[symbol]
            expected = [exact(rest[name]) for name in BEST]
            said = await settled(
                self._checks, lambda s=symbol: [exact(exchange.bidsasks[s][name]) for name in BEST], expected
            )
            self._checks.same(f"{symbol}: bid and ask", said, expected)

    async def _unwatch(self) -> None:
        """What is unwatched says nothing more, and can be watched again."""
        for method, *args in (
            ("un_watch_order_book", SYMBOL),
            ("un_watch_order_book_for_symbols", OTHERS),
            ("un_watch_trades", SYMBOL),
            ("un_watch_trades_for_symbols", OTHERS),
            ("un_watch_ticker", SYMBOL),
            ("un_watch_tickers", OTHERS),
            ("un_watch_bids_asks", [SYMBOL, *OTHERS]),
            ("un_watch_ohlcv", SYMBOL, "1m"),
            ("un_watch_ohlcv_for_symbols", FRAMES),
        ):
            async with asyncio.timeout(10):
                await self._do(method, *args)
            self._checks.true(method, True)
        self._checks.same(
            "books after un_watch", {s for s in self._client.exchange.orderbooks if s in (SYMBOL, *OTHERS)}, set()
        )
        self._venue.resume()
        async with asyncio.timeout(10):
            book = unified_ladder(await self._do("watch_order_book", SYMBOL))
        check_ladder(self._checks, "watched again", book)


def _rows(pumps: Mapping[str, Pump]) -> dict[str, list[Any]]:
    """The trades that were told of, by market."""
    rows = [row for name in ("trades", "trades of several") for rows in pumps[name].yielded for row in rows]
    return {symbol: [row for row in rows if row["symbol"] == symbol] for symbol in (SYMBOL, *OTHERS)}


class PrivateStreams:
    """Orders, fills and balances as they are told, from `start` to `judge`."""

    def __init__(self, checks: Checks, venue: Venue, client: Client, without: tuple[str, ...] = ()) -> None:
        """`without`: fields of orders that this CCXT makes up."""
        self._checks, self._venue, self._client = checks, venue, client
        self._without = without
        self._since_ms = 0

    async def start(self) -> None:
        """Listen; ready when a first order has been heard of by all."""
        client = self._client
        await client.do("load_markets")
        self._orders = client.pump("watch_orders")
        self._of_market = client.pump("watch_orders", SYMBOL)
        self._fills = client.pump("watch_my_trades")
        self._balance = client.pump("watch_balance")
        self._pumps = (self._orders, self._of_market, self._fills, self._balance)
        ends = time.monotonic() + START_S
        while not all(pump.yielded or pump.error for pump in self._pumps) and time.monotonic() < ends:
            await client.do("create_order", SYMBOL, "market", "buy", 0.001)
            await asyncio.sleep(POLL_S)
        self._since_ms = now_ms()

    async def judge(self) -> None:
        """Compare, and stop listening."""
        checks, account = self._checks, self._client.account
        rows = [row for row in self._venue.orders(account, symbol=SYMBOL) if row["updated_ms"] >= self._since_ms]
        states = {str(row["id"]): expected_order(ledger_order(row)) for row in rows}
        for name, pump in (("watch_orders", self._orders), ("watch_orders of a market", self._of_market)):
            await settled(self._checks, lambda p=pump: sorted(_last(p, states)), sorted(states))
            heard = _last(pump, states)
            checks.same(f"{name}: orders told of", sorted(heard), sorted(states))
            for order_id, said in heard.items():
                shown = {key: value for key, value in unified_order(said).items() if key not in self._without}
                checks.rows(f"{name}: the last state of an order", shown, states[order_id])
        expected = [ledger_fill(row) for row in self._venue.fills(account, symbol=SYMBOL, since_ms=self._since_ms)]
        told = await settled(self._checks, self._told, expected)
        checks.same("watch_my_trades: every fill once", told, expected)
        held = self._venue.balances(account)
        for asset in ("BTC", "USDT"):
            free, locked = (Decimal(held[asset][name]) for name in ("free", "locked"))
            said = await settled(self._checks, lambda a=asset: _money(self._balance.last[a]), (free, locked))
            checks.same(f"watch_balance: {asset}", said, (free, locked))
        for pump in self._pumps:
            await pump.stop()
        checks.same("errors of the private streams", [p.error for p in self._pumps if p.error], [])

    def _told(self) -> list[Any]:
        rows = [unified_fill(row) for rows in self._fills.yielded for row in rows]
        return [row for row in rows if row["ts_ms"] >= self._since_ms]


def _last(pump: Pump, wanted: Container[str]) -> dict[str, Any]:
    """The last state that was told of each order that is wanted."""
    return {order["id"]: order for orders in pump.yielded for order in orders if order["id"] in wanted}


def _money(row: Any) -> tuple[Decimal, Decimal]:
    return exact(row["free"]), exact(row["used"])
