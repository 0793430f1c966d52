"""What lies below: CCXT's exchanges and names, what each can do, and the exchange's own endpoints."""

import asyncio

import planar
from planar.adapters.exchange_ids import exchange_ids

FAMILIAR = ("binance", "bybit", "kucoin", "coinbase", "kraken", "okx", "htx")


async def main() -> None:
    known = exchange_ids()
    print(f"{len(known)} exchanges, among them {', '.join(one for one in known if one in FAMILIAR)}")
    async with planar.open(private_venue=True) as p:
        exchange = await p.exchange("binance", environment="local")
        for method, options in (("fetchTicker", {}), ("watchOrders", {}), ("createOrder", {"post_only": True})):
            ability = exchange.can(method, **options)
            print(f"{method} {options or ''}: {ability.how} {ability.why}".replace(" :", ":").rstrip())

        ticker = await exchange.fetch_ticker("BTC/USDT")
        print("CCXT's keys too:", ticker["last"] == ticker.last)
        # an endpoint that has no unified method: signed, counted and guarded as every other call
        answer = await exchange.ccxt.public_get_ticker_bookticker({"symbol": "BTCUSDT"})
        print("the exchange's own words:", sorted(answer))


asyncio.run(main())
