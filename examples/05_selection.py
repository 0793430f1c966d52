"""Which exchange to use: the first that works, or the best; a primary with backups, and the reason."""

import asyncio

import planar


async def main() -> None:
    async with planar.open(private_venue=True) as p:
        group = p.group("binance", "kraken", environment="local")  # the primary first
        choice = await group.selector("BTC/USDT").pick()
        print(f"use {choice.exchange.id}: {choice.why}")
        cheapest = await group.selector("BTC/USDT", by="price", side="buy", amount="0.5").pick()
        print(f"to buy 0.5: {cheapest.exchange.id}: {cheapest.why}")
        try:
            await group.selector("NO/PAIR").pick()
        except planar.PlanarError as error:
            print("nowhere:", error.message)


asyncio.run(main())
