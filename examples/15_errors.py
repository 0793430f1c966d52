"""Every error says what is known about the request, whether to try again, and what to do."""

import asyncio

import planar


async def main() -> None:
    async with planar.open(private_venue=True) as p:
        exchange = await p.exchange("binance", environment="local")
        for call in (
            lambda: exchange.fetch_ticker("BTC/UDST"),
            lambda: exchange.create_limit_buy_order("BTC/USDT", "500", 50_000),
            lambda: exchange.cancel_order("1", "BTC/USDT"),
        ):
            try:
                await call()
            except planar.PlanarError as error:
                print(f"{type(error).__name__}: {error.message}")
                print(f"  outcome {error.outcome}, try again: {error.retryable}, remedy: {error.hint}")


asyncio.run(main())
