"""Decentralised exchanges, as far as CCXT has them: which there are, and what they sign with. Nothing is asked of any."""

import asyncio

import planar


async def main() -> None:
    async with planar.open() as p:
        for name in ("hyperliquid", "dydx", "paradex"):
            exchange = await p.prepare(name, environment="live")
            try:
                positions = exchange.can("fetch_positions")
                print(f"{name}, at {exchange.host}: positions {positions.how} {positions.why}".rstrip())
            finally:
                await exchange.close()


asyncio.run(main())
