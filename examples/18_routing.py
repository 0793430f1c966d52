"""How an order would best be split over several exchanges: a preview. Nothing is sent."""

import asyncio

import planar


async def main() -> None:
    async with planar.open(private_venue=True) as p:
        group = p.group("binance", "kraken", environment="local")
        route = await group.route("BTC/USDT", "buy", "2.5", preview=True)
        for leg in route.legs:
            print(f"{leg.exchange}: {leg.amount} at {leg.average:.2f} on average, fee {leg.fee:.2f}")
        print(f"{route.total:.2f} in total", "" if route.saves is None else f"saves {route.saves:.2f}")


asyncio.run(main())
