"""Balances, own trades and orders; what several accounts of one exchange look like."""

import asyncio

import planar


async def main() -> None:
    async with planar.open(private_venue=True) as p:
        exchange = await p.exchange("binance", environment="local", account="alice")
        balance = await exchange.fetch_balance()
        for code, one in balance.balances.items():
            if one.total:
                print(f"{code}: {one.total}, {one.used} of it in open orders")
        for fill in (await exchange.fetch_my_trades("BTC/USDT"))[-3:]:
            print(f"{fill.side} {fill.amount} at {fill.price}, fees {[str(fee.cost) for fee in fill.fees]}")
        orders = await exchange.fetch_orders("BTC/USDT", limit=5)
        print("orders:", [(order.id, order.side, order.status) for order in orders])

        # another account of the same exchange: [exchanges.binance_bob] in user/secrets.toml
        bob = await p.exchange("binance", environment="local", account="bob")
        print(f"{bob!r} holds {(await bob.fetch_balance())['USDT'].total} USDT")


asyncio.run(main())
