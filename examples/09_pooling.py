"""Connections are kept and shared: take the exchange once, or ask for it again and again: it is the same one."""

import asyncio
import time

import planar


async def main() -> None:
    async with planar.open(private_venue=True) as p:
        began = time.perf_counter()
        await p.exchange("binance", environment="local")
        first_ms = (time.perf_counter() - began) * 1000
        began = time.perf_counter()
        for _ in range(100):
            exchange = await p.exchange("binance", environment="local")
            await exchange.fetch_ticker("BTC/USDT")
        each_ms = (time.perf_counter() - began) * 10
        print(f"opened in {first_ms:.0f} ms; then {each_ms:.1f} ms for each call")
        print("slower than opening:", each_ms > first_ms)


asyncio.run(main())
