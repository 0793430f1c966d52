"""PLANAR_DEBUG shows requests and answers; keys, signatures and tokens never stand there."""

import asyncio
import os

os.environ.setdefault("PLANAR_DEBUG", "transport")  # usually set in the shell: PLANAR_DEBUG=transport python program.py

import planar


async def main() -> None:
    async with planar.open(private_venue=True) as p:
        exchange = await p.exchange("binance", environment="local")
        balance = await exchange.fetch_balance()
        print("USDT:", balance["USDT"].total)


asyncio.run(main())
