"""Markets, a ticker, an order book, candles and trades: CCXT's names and argument order, attributes on results."""

import asyncio

import planar


async def main() -> None:
    async with planar.open(private_venue=True) as p:
        exchange = await p.exchange("binance", environment="local")
        markets = await exchange.fetch_markets()
        print(f"{len(markets)} markets, of them with USDT: {sum(one.quote == 'USDT' for one in markets)}")
        market = exchange.market("BTCUSDT")  # or BTC/USDT, BTC-USDT
        print(f"{market.symbol}: price in steps of {market.precision.price}, at least {market.limits.cost.min} a trade")
        ticker = await exchange.fetch_ticker("BTC/USDT")
        print(f"bid {ticker.bid}, ask {ticker.ask}, last {ticker.last}")
        book = await exchange.fetch_order_book("BTC/USDT", 5)
        print(f"best bid {book.best_bid} for {book.bids[0][1]}, spread {book.spread:.2f}")
        for candle in await exchange.fetch_ohlcv("BTC/USDT", "1h", limit=3):
            print(f"{candle.ts_ms}: {candle.open} -> {candle.close}, volume {candle.volume}")
        trades = await exchange.fetch_trades("BTC/USDT", limit=3)
        print("last trades:", [(trade.side, trade.price, trade.amount) for trade in trades])


asyncio.run(main())
