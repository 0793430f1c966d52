"""The exchange's own limits are kept by all calls together; bursts use them whole, and nobody is banned."""

import asyncio

import planar


async def main() -> None:
    async with planar.open(private_venue=True) as p:
        exchange = await p.exchange("binance", environment="local")
        for symbol in ("BTC/USDT", "ETH/USDT", "SOL/USDT"):
            print(symbol, (await exchange.fetch_ticker(symbol)).last)
        books = await asyncio.gather(*(exchange.fetch_order_book("BTC/USDT", 100) for _ in range(50)))
        print(f"{len(books)} books at once")
        for name, used in exchange.budget().items():
            print(f"{name}: {used}")


asyncio.run(main())
