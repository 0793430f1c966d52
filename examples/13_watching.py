"""Live data: one connection for all who listen, the latest value at any time, and an age that tells the truth."""

import asyncio

import planar


async def main() -> None:
    async with planar.open(private_venue=True) as p:
        exchange = await p.exchange("binance", environment="local")
        watcher = exchange.watch_ohlcv("BTC/USDT", "1m")
        async with watcher as candles:  # starts here, stops at the end of the block
            candle = await anext(aiter(candles))
            print(f"candle of {candle.ts_ms}: {candle.close}")
            print("state:", watcher.state)
            print("latest close:", watcher.latest.close)  # at any time, without iterating
            price = await exchange.fetch_last_price("BTC/USDT")
            print(f"last price {price.price}, from {price.source}")
        async with exchange.watch_order_book("BTC/USDT") as books:
            count = 0
            async for book in books:
                print(f"{book.best_bid} / {book.best_ask}, {book.age_ms:.0f} ms old")
                count += 1
                if count == 3:
                    break


asyncio.run(main())
