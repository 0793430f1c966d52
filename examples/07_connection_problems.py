"""Questions are asked again by themselves while their time lasts; orders never are: an unknown one is looked into.

The local exchange fails here on purpose, twice.
"""

import asyncio

import planar
from planar.testing.local_venue import start_local_venue


async def main() -> None:
    with start_local_venue(["binance"]) as venue:
        async with venue.workspace() as p:
            exchange = await p.exchange("binance", environment="local", timeout="2s")
            venue.faults.add("reset_connection", {"path": "*/ticker*"})
            ticker = await exchange.fetch_ticker("BTC/USDT")
            print("asked again after the connection broke:", ticker.last is not None)

            venue.faults.add("drop_answer", {"path": "*/order", "method": "POST"})
            try:
                order = await exchange.create_limit_buy_order("BTC/USDT", "0.001", round(ticker.bid * 0.8, 2))
            except planar.OrderUnknown as error:  # it could not be found out before the call's deadline
                order = error.order
                await order.resolved(30)
            print("its answer was lost, it was not sent again, and it is", order.state)
            await exchange.cancel_order(order.client_order_id, "BTC/USDT")


asyncio.run(main())
