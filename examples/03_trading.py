"""A market order, a limit order, its state, its cancel. Every order is in the journal before it leaves."""

import asyncio

import planar


async def main() -> None:
    async with planar.open(private_venue=True) as p:
        exchange = await p.exchange("binance", environment="local")
        bought = await exchange.create_market_buy_order("BTC/USDT", "0.001")
        await bought.settled(10)
        print(f"bought {bought.filled} at {bought.average}")

        book = await exchange.fetch_order_book("BTC/USDT", 5)
        price = round(book.asks[0][0] * 1.2, 2)
        order = await exchange.create_limit_sell_order("BTC/USDT", "0.001", price)
        try:
            print("state at the exchange:", await exchange.fetch_order_status(order.id, "BTC/USDT"))
        finally:  # whatever happens meanwhile, no order stays behind
            await exchange.cancel_order(order.id, "BTC/USDT")
        print("state afterwards:", order.state)

        try:
            await exchange.create_limit_sell_order("BTC/USDT", "0.0000001", price)
        except planar.InvalidOrder as error:
            print("refused before it left:", error.message)


asyncio.run(main())
