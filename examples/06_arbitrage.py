"""What could be bought on one exchange and sold on another: live books, walked on both sides, after fees."""

import asyncio

import planar


async def main() -> None:
    async with planar.open(private_venue=True) as p:
        group = p.group("binance", "kraken", environment="local")
        prices = await group.each(lambda one: one.fetch_ticker("BTC/USDT"))
        for name, ticker in prices.items():
            print(f"{name}: bid {ticker.bid}, ask {ticker.ask}")
        for name, error in prices.errors.items():
            print(f"{name} did not answer: {error}")

        async with group.watch_arbitrage(["BTC/USDT", "ETH/USDT"]) as found:
            try:
                async with asyncio.timeout(2):
                    async for one in found:
                        print(f"buy {one.buy_amount} {one.symbol} on {one.buy}, sell on {one.sell}: {one.profit:.4f}")
            except TimeoutError:
                print(f"{found.looked} changes of books looked at")


asyncio.run(main())
