"""Market data from CCXT's dictionaries; the table of what is strict stands in `planar.models.from_ccxt`."""

from __future__ import annotations

from math import inf, isfinite
from typing import Any, cast

import msgspec

from planar.errors import BadResponse
from planar.models.data import Candle, FundingRate, Level, Liquidity, OrderBook, Side, Ticker, Trade
from planar.models.from_ccxt.reader import Reader

SIDES: dict[str, Side] = {"buy": "buy", "sell": "sell"}
LIQUIDITY: dict[str, Liquidity] = {"taker": "taker", "maker": "maker"}


def ticker(data: object, *, exchange: str | None = None, received_ns: int | None = None) -> Ticker:
    """A ticker.

    Raises:
        BadResponse: no symbol, or a text that is no number where one is due.
    """
    r = Reader(data, "ticker", exchange)
    number, nonce = r.number, r.get("nonce")
    return Ticker(
        symbol=r.identity("symbol"),
        ts_ms=r.time_ms("timestamp"),
        bid=number("bid"),
        bid_volume=number("bidVolume"),
        ask=number("ask"),
        ask_volume=number("askVolume"),
        last=number("last"),
        open=number("open"),
        high=number("high"),
        low=number("low"),
        close=number("close"),
        previous_close=number("previousClose"),
        change=number("change"),
        percentage=number("percentage"),
        average=number("average"),
        vwap=number("vwap"),
        base_volume=number("baseVolume"),
        quote_volume=number("quoteVolume"),
        index_price=number("indexPrice"),
        mark_price=number("markPrice"),
        nonce=nonce if type(nonce) is int else None,
        received_ns=received_ns,
        raw=r.get("info"),
    )


def order_book(data: object, *, exchange: str | None = None, received_ns: int | None = None) -> OrderBook:
    """A copy of an order book. A crossed one passes, and says so: `OrderBook.crossed`.

    Raises:
        BadResponse: no symbol, no levels, or levels that are not positive or not in order.
    """
    r = Reader(data, "order book", exchange)
    nonce, ts_ms = r.get("nonce"), r.time_ms("timestamp")
    bids, asks = _levels(r, "bids", falling=True), _levels(r, "asks", falling=False)
    if not bids and not asks and nonce is None and ts_ms is None:
        raise r.bad("bids", bids, "has no levels, nor have the asks, and the answer has no time and no sequence number")
    return OrderBook(
        symbol=r.identity("symbol"),
        bids=bids,
        asks=asks,
        ts_ms=ts_ms,
        nonce=nonce if type(nonce) is int else None,
        received_ns=received_ns,
        raw=r.get("info"),
    )


def trade(data: object, *, exchange: str | None = None, received_ns: int | None = None) -> Trade:
    """A trade of the market.

    Raises:
        BadResponse: no symbol, or a price or an amount that is missing or not above zero.
    """
    r = Reader(data, "trade", exchange)
    return Trade(
        id=r.text("id"),
        symbol=r.identity("symbol"),
        side=r.known("side", SIDES),
        price=r.positive("price"),
        amount=r.positive("amount"),
        cost=r.number("cost"),
        ts_ms=r.time_ms("timestamp"),
        type=r.text("type"),
        taker_or_maker=r.known("takerOrMaker", LIQUIDITY),
        received_ns=received_ns,
        raw=r.get("info"),
    )


def candles(rows: object, *, exchange: str | None = None) -> list[Candle]:
    """Candles from CCXT's rows `[ms, open, high, low, close, volume]`; those that a reader made of bytes are no rows.

    Raises:
        BadResponse: not such rows, or a value that is not finite.
    """
    if isinstance(rows, list) and rows and type(cast("list[Any]", rows)[0]) is Candle:
        return cast("list[Candle]", rows)
    try:
        made = msgspec.convert(rows, list[Candle], strict=False)
    except msgspec.ValidationError as error:
        raise _bad_candles(f"no rows of [ms, open, high, low, close, volume]: {error}", exchange) from error
    sums = [c.open + c.high + c.low + c.close + (c.volume or 0.0) for c in made]
    if not isfinite(sum(sums)):
        for index, one in enumerate(sums):
            if not isfinite(one):
                raise _bad_candles(f"row {index} has a value that is not finite: {made[index]}", exchange)
    return made


def funding_rate(data: object, *, exchange: str | None = None, received_ns: int | None = None) -> FundingRate:
    """A funding rate.

    Raises:
        BadResponse: no symbol, or a text that is no number where one is due.
    """
    r = Reader(data, "funding rate", exchange)
    return FundingRate(
        symbol=r.identity("symbol"),
        funding_rate=r.number("fundingRate"),
        funding_ts_ms=r.time_ms("fundingTimestamp"),
        mark_price=r.number("markPrice"),
        index_price=r.number("indexPrice"),
        interest_rate=r.number("interestRate"),
        estimated_settle_price=r.number("estimatedSettlePrice"),
        ts_ms=r.time_ms("timestamp"),
        next_funding_rate=r.number("nextFundingRate"),
        next_funding_ts_ms=r.time_ms("nextFundingTimestamp"),
        previous_funding_rate=r.number("previousFundingRate"),
        previous_funding_ts_ms=r.time_ms("previousFundingTimestamp"),
        interval=r.text("interval"),
        received_ns=received_ns,
        raw=r.get("info"),
    )


def _levels(r: Reader, key: str, *, falling: bool) -> tuple[Level, ...]:
    rows: Any = r.get(key)
    levels: list[Level] = []
    low, high = 0.0, inf
    try:
        for row in rows:
            price, amount = float(row[0]), float(row[1])
            if not (low < price < high and 0.0 < amount < inf):  # also False for NaN
                raise r.bad(key, row, "has a level that is not positive, or out of order")
            if falling:
                high = price
            else:
                low = price
            levels.append((price, amount))
    except (TypeError, ValueError, LookupError, OverflowError):
        raise r.bad(key, rows, "has no [price, amount] levels") from None
    return tuple(levels)


def _bad_candles(why: str, exchange: str | None) -> BadResponse:
    return BadResponse(f"candles: {why}", exchange=exchange, hint="ask again, or for another range of time")
