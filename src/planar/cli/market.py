"""`planar exchanges | markets | ticker | book | trades | ohlcv`: what exchanges list and how their markets stand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from rich.table import Table
from rich.text import Text

from planar.cli import output
from planar.cli.exits import UsageError
from planar.cli.options import HERE, Count, Json, Target
from planar.cli.session import opened, run
from planar.errors import BadRequest

if TYPE_CHECKING:
    from planar.models import Candle, Market, OrderBook, Ticker, Trade

MarketType = Literal["spot", "swap", "future", "option"]
DEPTH_BAR = 18
"""Width of the longest bar of a book, at most."""


def exchanges(search: str | None = None, /, *, can: str | None = None, json: Json = False) -> int:
    """List the exchanges that Planar can open.

    Args:
        search: part of an id.
        can: only those that have all of these, by comma: methods, and kinds of orders after a colon, such as
            watchOrders,createOrder:postOnly. What nobody knows does not count.
    """
    from planar.adapters.exchange_ids import known_ids, streaming_ids
    from planar.config.suggest import did_you_mean
    from planar.exchange.described import has_all, parsed
    from planar.venue.wire import known_wires

    streaming, local = set(streaming_ids()), known_wires()
    try:
        wanted = None if can is None else parsed(can)
    except BadRequest as error:
        raise UsageError(error.message, hint=error.hint) from error
    rows = [
        {"id": one, "streams": one in streaming, "local_venue": one in local}
        for one in known_ids()
        if (search is None or search.lower() in one) and (wanted is None or has_all(one, wanted))
    ]

    def render() -> Table:
        cells = [[str(row["id"]), *("yes" if row[key] else "" for key in ("streams", "local_venue"))] for row in rows]
        near = did_you_mean(search, known_ids()) if search and not rows else None
        title = f"{len(rows)} exchanges" + (f"; {near}" if near else "")
        return output.table(("exchange", "streams", "local venue"), cells, title=title)

    return output.show(rows, render, json=json)


def markets(
    search: str | None = None,
    /,
    *,
    type: MarketType | None = None,
    quote: str | None = None,
    target: Target = HERE,
    json: Json = False,
) -> int:
    """List the markets of an exchange with their steps, least order and fees.

    Args:
        search: part of a symbol.
        type: only markets of this type.
        quote: only markets with this quote currency.
    """

    async def ask() -> list[Market]:
        async with opened(target) as exchange:
            found = [exchange.markets[symbol] for symbol in exchange.symbols]
        return [
            market
            for market in found
            if (search is None or search.upper() in market.symbol)
            and type in (None, market.type)
            and (quote is None or quote.upper() == (market.quote or "").upper())
        ]

    found = run(ask())
    return output.show(found, lambda: _markets_table(found), json=json)


def ticker(symbol: str, /, *symbols: str, target: Target = HERE, json: Json = False) -> int:
    """Show best bid and ask, last price and 24 hours of one or several markets.

    Args:
        symbol: market, such as BTC/USDT, BTCUSDT or BTC-USDT.
        symbols: further markets.
    """

    async def ask() -> list[tuple[Market, Ticker]]:
        async with opened(target) as exchange:
            wanted = [exchange.market(one) for one in (symbol, *symbols)]
            if len(wanted) == 1 or exchange.has.get("fetch_tickers") is not True:
                return [(market, await exchange.fetch_ticker(market.symbol)) for market in wanted]
            found = await exchange.fetch_tickers([market.symbol for market in wanted])
            # some exchanges leave a market out of the answer for many that they answer for alone
            return [(one, found.get(one.symbol) or await exchange.fetch_ticker(one.symbol)) for one in wanted]

    found = run(ask())
    return output.show([one for _, one in found], lambda: _tickers_table(found), json=json)


def book(symbol: str, /, *, limit: Count = 10, target: Target = HERE, json: Json = False) -> int:
    """Show the order book of a market.

    Args:
        symbol: market, such as BTC/USDT.
        limit: price levels a side.
    """

    async def ask() -> tuple[Market, OrderBook]:
        async with opened(target) as exchange:
            return exchange.market(symbol), await exchange.fetch_order_book(symbol, limit)

    market, found = run(ask())
    return output.show(found, lambda: _book_table(market, found, limit), json=json)


def trades(symbol: str, /, *, limit: Count = 20, target: Target = HERE, json: Json = False) -> int:
    """Show the newest public trades of a market, newest last.

    Args:
        symbol: market, such as BTC/USDT.
        limit: how many.
    """

    async def ask() -> tuple[Market, list[Trade]]:
        async with opened(target) as exchange:
            return exchange.market(symbol), (await exchange.fetch_trades(symbol, limit=limit))[-limit:]

    market, found = run(ask())
    return output.show(found, lambda: _trades_table(market, found), json=json)


def ohlcv(
    symbol: str, /, *, timeframe: str = "1m", limit: Count = 20, target: Target = HERE, json: Json = False
) -> int:
    """Show the newest candles of a market; the last one may still be forming.

    Args:
        symbol: market, such as BTC/USDT.
        timeframe: length of a candle: 1m, 5m, 1h, 1d, as the exchange offers them.
        limit: how many.
    """

    async def ask() -> tuple[Market, list[Candle]]:
        async with opened(target) as exchange:
            return exchange.market(symbol), (await exchange.fetch_ohlcv(symbol, timeframe, limit=limit))[-limit:]

    market, found = run(ask())
    return output.show(found, lambda: _candles_table(market, timeframe, found), json=json)


def _markets_table(found: list[Market]) -> Table:
    rows: list[list[str]] = []
    for market in found:
        active = {True: "yes", False: "no", None: output.NONE}[market.active]
        steps = (market.precision.price, market.precision.amount, market.limits.cost.min)
        fees = (output.percent(market.taker), output.percent(market.maker))
        rows.append([market.symbol, market.type, active, *map(output.number, steps), *fees])
    columns = ("symbol", "type", "active", ">tick", ">lot", ">least cost", ">taker", ">maker")
    return output.table(columns, rows, title=f"{len(found)} markets", drop=("type", "active"))


def _tickers_table(found: list[tuple[Market, Ticker]]) -> Table:
    rows: list[list[output.Cell]] = []
    for market, one in found:
        prices = (one.bid, one.ask, one.last, one.low, one.high)
        bid, ask, last, low, high = (output.number(value, market.precision.price) for value in prices)
        change = Text(output.NONE)
        if one.percentage is not None:
            change = Text(f"{one.percentage:+.2f} %", style=output.BUY if one.percentage >= 0 else output.SELL)
        volume = output.number(one.base_volume)
        time = output.clock(one.ts_ms)
        rows.append([market.symbol, bid, ask, output.bps(one.spread_pct), last, change, low, high, volume, time])
    columns = (*("market", ">bid", ">ask", ">spread bp", ">last", ">24 h", ">low", ">high", ">volume", ">time UTC"),)
    return output.table(columns, rows, drop=("time UTC", "volume", "low", "high"))


def _book_table(market: Market, found: OrderBook, limit: int) -> Table:
    bids, asks = found.bids[:limit], found.asks[:limit]
    most = max((amount for _, amount in (*bids, *asks)), default=1.0)
    bar = max(4, min(DEPTH_BAR, (output.console().width - 48) // 2))
    rows: list[list[Text]] = []
    for index in range(max(len(bids), len(asks))):
        cells: list[Text] = []
        for levels, style, left in ((bids, output.BUY, True), (asks, output.SELL, False)):
            if index >= len(levels):
                cells += [Text()] * 3
                continue
            price, amount = levels[index]
            row = [
                Text((output.bar_left if left else output.bar)(amount / most, bar), style=style),
                Text(output.number(amount, market.precision.amount)),
                Text(output.number(price, market.precision.price), style=style),
            ]
            cells += row if left else row[::-1]
        rows.append(cells)
    spread = f", spread {output.bps(found.spread_pct)} bp" if found.spread is not None else ""
    return output.table(("", ">amount", ">bid", "ask", "amount", ""), rows, title=f"{market.symbol}{spread}")


def _trades_table(market: Market, found: list[Trade]) -> Table:
    rows: list[list[output.Cell]] = []
    for trade in found:
        style = output.side_style(trade.side)
        price = Text(output.number(trade.price, market.precision.price), style=style)
        amount = output.number(trade.amount, market.precision.amount)
        cost = output.NONE if trade.cost is None else f"{trade.cost:.2f}"
        rows.append([output.clock(trade.ts_ms), Text(trade.side or output.NONE, style=style), price, amount, cost])
    return output.table(("time UTC", "side", ">price", ">amount", ">cost"), rows, title=market.symbol)


def _candles_table(market: Market, timeframe: str, found: list[Candle]) -> Table:
    rows: list[list[output.Cell]] = []
    for candle in found:
        style = output.BUY if candle.close >= candle.open else output.SELL
        prices = (Text(output.number(value, market.precision.price), style=style) for value in candle[1:5])
        rows.append([output.minute(candle.ts_ms), *prices, output.number(candle.volume)])
    columns = ("begins UTC", ">open", ">high", ">low", ">close", ">volume")
    return output.table(columns, rows, title=f"{market.symbol} {timeframe}")
