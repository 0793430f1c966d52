"""Many at once: natively where the exchange has it, else one by one; a result or an error for each."""

import asyncio

import planar


async def main() -> None:
    async with planar.open(private_venue=True) as p:
        exchange = await p.exchange("kraken", environment="local")
        tickers = await exchange.fetch_tickers(["BTC/USDT", "ETH/USDT", "SOL/USDT"])
        print({symbol: ticker.last for symbol, ticker in tickers.items()})
        books = await exchange.fetch_order_books(["BTC/USDT", "ETH/USDT"], 5)
        print(f"books {books.made}: {list(books)}, errors {books.errors}")

        price = round(tickers["BTC/USDT"].bid * 0.8, 1)
        wanted = [
            {"symbol": "BTC/USDT", "type": "limit", "side": "buy", "amount": "0.001", "price": price},
            {"symbol": "BTC/USDT", "type": "limit", "side": "buy", "amount": "0.002", "price": price},
            {"symbol": "BTC/USDT", "type": "limit", "side": "buy", "amount": "0.0000000001", "price": price},
        ]
        placed = []
        try:
            for order in await exchange.create_orders(wanted):
                refused = isinstance(order, planar.PlanarError)
                print("refused:" if refused else "placed:", order)
                placed += [] if refused else [order.id]
        finally:  # these alone: other programs may have orders in this market
            canceled = await exchange.cancel_orders(placed, "BTC/USDT")
            print(f"{len(canceled)} canceled")


asyncio.run(main())
