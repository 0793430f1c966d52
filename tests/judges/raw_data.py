"""Market data in Binance's own words: what REST answers against itself, what the streams say against REST."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal
from typing import Any

from judges.kit import Checks, Venue, exact
from judges.market import (
    MINUTE_MS,
    Mirror,
    bar_of,
    bar_of_bars,
    bars,
    check_bars,
    check_ladder,
    check_prints,
    ladder,
    prints,
    streamed_prints,
)

Ask = Callable[..., Awaitable[Any]]
"""Asks for market data: `ask("depth", symbol="BTCUSDT", limit=5)`. Names are those of REST, after /api/v3/."""

MARKET = "BTCUSDT"
MARKETS = 20
LIVE_S = 3.0
COME_S = 20.0
BOOK_LEVELS = 1000
"""More than the local books have."""
POLL_S = 0.25
STREAMS = ("trade", "aggTrade", "depth@100ms", "depth20@100ms", "bookTicker", "kline_1m", "miniTicker", "ticker")


async def judge_rest(checks: Checks, ask: Ask) -> None:
    """The answers of REST agree with each other; the market stands still."""
    info = await ask("exchangeInfo")
    checks.same("exchangeInfo: markets", len(info["symbols"]), MARKETS)
    checks.true("exchangeInfo: all trade", all(market["status"] == "TRADING" for market in info["symbols"]))
    server_ms = (await ask("time"))["serverTime"]
    checks.true("time: this machine's", abs(server_ms - time.time() * 1000) < 2000, server_ms)
    checks.same("ping", await ask("ping"), {})
    book = await _judge_book(checks, ask)
    await _judge_trades(checks, ask)
    await _judge_candles(checks, ask)
    last = exact((await ask("trades", symbol=MARKET, limit=1))[0]["price"])
    checks.same("ticker/price", exact((await ask("ticker/price", symbol=MARKET))["price"]), last)
    day = await ask("ticker/24hr", symbol=MARKET)
    checks.same("ticker/24hr: last price", exact(day["lastPrice"]), last)
    checks.same(
        "ticker/24hr: best of the book",
        (exact(day["bidPrice"]), exact(day["askPrice"])),
        (book.bids[0][0], book.asks[0][0]),
    )
    checks.same("ticker/24hr: change", exact(day["priceChange"]), exact(day["lastPrice"]) - exact(day["openPrice"]))
    checks.same("ticker/24hr: count", day["count"], day["lastId"] - day["firstId"] + 1)
    checks.same("ticker/24hr: all markets", len(await ask("ticker/24hr")), MARKETS)
    average = exact((await ask("avgPrice", symbol=MARKET))["price"])
    checks.true("avgPrice: within the day", exact(day["lowPrice"]) <= average <= exact(day["highPrice"]), average)


async def _judge_book(checks: Checks, ask: Ask) -> Any:
    book = ladder(await ask("depth", symbol=MARKET, limit=BOOK_LEVELS))
    checks.true("depth: all of it", len(book.bids) < BOOK_LEVELS > len(book.asks))
    check_ladder(checks, "depth", book)
    checks.same("depth: five levels", ladder(await ask("depth", symbol=MARKET, limit=5)), book.top(5))
    best = await ask("ticker/bookTicker", symbol=MARKET)
    said = tuple(exact(best[name]) for name in ("bidPrice", "bidQty", "askPrice", "askQty"))
    checks.same("ticker/bookTicker", said, (*book.bids[0], *book.asks[0]))
    return book


async def _judge_trades(checks: Checks, ask: Ask) -> None:
    rows = await ask("trades", symbol=MARKET, limit=1000)
    found = prints(rows)
    check_prints(checks, "trades", found)
    checks.true("trades: quoteQty", all(exact(r["quoteQty"]) == exact(r["price"]) * exact(r["qty"]) for r in rows))
    older = prints(await ask("historicalTrades", symbol=MARKET, limit=500, fromId=found[0].id - 400))
    check_prints(checks, "historicalTrades", older)
    checks.same("historicalTrades: where both overlap", older[400:], found[:100])
    by_id = {one.id: one for one in found}
    for row in (await ask("aggTrades", symbol=MARKET, limit=100))[-50:]:
        parts = [by_id[number] for number in range(row["f"], row["l"] + 1)]
        said = (exact(row["q"]), {exact(row["p"])}, {row["m"]})
        made = (sum((p.amount for p in parts), Decimal(0)), {p.price for p in parts}, {p.buyer_is_maker for p in parts})
        checks.same("aggTrades: made of its trades", said, made)


async def _judge_candles(checks: Checks, ask: Ask) -> None:
    minutes = bars(await ask("klines", symbol=MARKET, interval="1m", limit=1000))
    check_bars(checks, "klines 1m", minutes, MINUTE_MS)
    found = prints(await ask("trades", symbol=MARKET, limit=1000))
    whole = [bar for bar in minutes[-6:-1] if bar.open_ms > found[0].ts_ms]
    checks.true("klines 1m: some can be made again", len(whole) > 0)
    for bar in whole:
        checks.same("klines 1m: made of its trades", bar, bar_of(found, bar.open_ms))
    for interval, count in (("5m", 5), ("15m", 15), ("1h", 60)):
        length_ms = count * MINUTE_MS
        longer = bars(await ask("klines", symbol=MARKET, interval=interval, limit=10))
        check_bars(checks, f"klines {interval}", longer, length_ms)
        for bar in longer[-4:-1]:
            parts = [one for one in minutes if bar.open_ms <= one.open_ms < bar.open_ms + length_ms]
            checks.same(f"klines {interval}: made of minutes", bar, bar_of_bars(parts))


class Heard:
    """What a client's streams delivered, by stream name without the market."""

    def __init__(self) -> None:
        self.events: dict[str, list[dict[str, Any]]] = defaultdict(list)

    def take(self, name: str, event: dict[str, Any]) -> None:
        """An event of a stream such as `btcusdt@trade`."""
        self.events[name.partition("@")[2]].append(event)


async def judge_streams(checks: Checks, venue: Venue, ask: Ask, heard: Heard) -> None:
    """The streams of STREAMS, heard while the market lives, agree with REST when it stands still again."""
    await until(lambda: all(heard.events[name] for name in STREAMS if name != "kline_1m"))
    mirror = Mirror(heard.events["depth@100ms"])
    mirror.start(ladder(await ask("depth", symbol=MARKET, limit=BOOK_LEVELS)))
    same, compared, ends = 0, 0, time.monotonic() + LIVE_S
    while time.monotonic() < ends:
        shown = ladder(await ask("depth", symbol=MARKET, limit=BOOK_LEVELS))
        await until(lambda shown=shown: heard.events["depth@100ms"][-1]["u"] >= shown.update_id)
        kept = mirror.ladder()
        if kept.update_id == shown.update_id:
            compared += 1
            same += kept == shown
        await asyncio.sleep(POLL_S)
    checks.true("books compared at the same update id while the market lives", compared > 0, compared)
    checks.same("books that were equal", same, compared)
    venue.freeze()
    await _judge_standing(checks, ask, heard, mirror)


async def _judge_standing(checks: Checks, ask: Ask, heard: Heard, mirror: Mirror) -> None:
    book = ladder(await ask("depth", symbol=MARKET, limit=BOOK_LEVELS))
    checks.same("depth: the book at its last update id", await settled(checks, mirror.ladder, book), book)
    checks.same("depth: gaps", mirror.gaps, [])
    newest = prints(await ask("trades", symbol=MARKET, limit=1000))
    streamed = streamed_prints(heard.events["trade"])
    await until(lambda: int(heard.events["trade"][-1]["t"]) >= newest[-1].id)
    streamed = streamed_prints(heard.events["trade"])
    check_prints(checks, "trade", streamed)
    checks.same("trade: the same as REST", streamed, newest[-len(streamed) :])
    aggregates = {row["a"]: row for row in await ask("aggTrades", symbol=MARKET, limit=1000)}
    names = ("a", "p", "q", "f", "l", "T", "m", "M")
    for event in heard.events["aggTrade"]:
        row = aggregates[event["a"]]
        checks.same("aggTrade: the same as REST", [event[n] for n in names], [row[n] for n in names])
    last = heard.events["depth20@100ms"]
    checks.same(
        "depth20: the top of the book", await settled(checks, lambda: ladder(last[-1]), book.top(20)), book.top(20)
    )
    best = heard.events["bookTicker"]
    top = (*book.bids[0], *book.asks[0])
    checks.same("bookTicker", await settled(checks, lambda: tuple(exact(best[-1][n]) for n in "bBaA"), top), top)
    await _judge_tickers(checks, ask, heard)


async def _judge_tickers(checks: Checks, ask: Ask, heard: Heard) -> None:
    names = ("t", "o", "h", "l", "c", "v", "T", "q", "n")

    async def candle() -> list[Any]:
        row = (await ask("klines", symbol=MARKET, interval="1m", limit=1))[0]
        return [row[0], *row[1:6], row[6], row[7], row[8]]

    said, expected = await agreed(checks, lambda: [heard.events["kline_1m"][-1]["k"][n] for n in names], candle)
    checks.same("kline_1m: the same as REST", said, expected)
    mini = {"o": "openPrice", "h": "highPrice", "l": "lowPrice", "c": "lastPrice", "v": "volume", "q": "quoteVolume"}
    full = {**mini, "p": "priceChange", "P": "priceChangePercent", "w": "weightedAvgPrice", "x": "prevClosePrice"}
    full |= {"Q": "lastQty", "b": "bidPrice", "B": "bidQty", "a": "askPrice", "A": "askQty"}
    full |= {"F": "firstId", "L": "lastId", "n": "count"}
    for stream, fields in (("miniTicker", mini), ("ticker", full)):

        async def day(fields: Mapping[str, str] = fields) -> list[Any]:
            row = await ask("ticker/24hr", symbol=MARKET)
            return [row[name] for name in fields.values()]

        said, expected = await agreed(checks, lambda s=stream, f=fields: [heard.events[s][-1][n] for n in f], day)
        checks.same(f"{stream}: the same as REST", said, expected)


async def agreed(checks: Checks, look: Callable[[], Any], ask: Callable[[], Awaitable[Any]]) -> Any:
    """What is seen and what is answered, when they agree or when the time is over: a minute may turn in between."""

    async def both() -> tuple[Any, Any]:
        expected = await ask()
        return _look(look), expected

    return await matched(checks, both)


async def matched(checks: Checks, both: Callable[[], Awaitable[tuple[Any, Any]]]) -> tuple[Any, Any]:
    """What is said and what is expected, when they agree or when the time is over."""
    ends = time.monotonic() + checks.patience_s
    while True:
        said, expected = await both()
        if said == expected or time.monotonic() > ends:
            return said, expected
        await asyncio.sleep(POLL_S)


async def until(condition: Callable[[], bool], seconds: float = COME_S) -> None:
    """Wait until it holds, or TimeoutError."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


async def settled(checks: Checks, look: Callable[[], Any], expected: Any) -> Any:
    """What is seen when it is what is expected, or when the time is over."""
    ends = time.monotonic() + checks.patience_s
    while (seen := _look(look)) != expected and time.monotonic() < ends:
        await asyncio.sleep(0.02)
    return seen


def _look(look: Callable[[], Any]) -> Any:
    try:
        return look()
    except LookupError:  # nothing has come yet
        return None


def event_of(message: Mapping[str, Any]) -> tuple[str, dict[str, Any]] | None:
    """Name and event in a message of a combined stream; None for an answer to a request."""
    return (message["stream"], message["data"]) if "stream" in message else None
