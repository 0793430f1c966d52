"""One object per exchange, environment and account; whoever asks again gets the same one.

Runs on a local Binance and Kraken, offline. With environment="sandbox", or sandbox=True, and keys in user/secrets.toml
the same program speaks to an exchange's testnet; with environment="live" to the exchange.
"""

import asyncio

import planar


async def main() -> None:
    async with planar.open(private_venue=True) as p:
        binance = await p.exchange("binance", environment="local")
        kraken = await p.exchange("kraken", environment="local")
        for exchange in (binance, kraken):
            print(f"{exchange.id}: {exchange.environment}, {len(exchange.symbols)} markets, fed by {exchange.host}")
        again = await p.exchange("binance", environment="local")
        print("the same object:", again is binance)

        # the testnet is an exchange of its own, with keys of its own; prepare() asks it nothing yet
        bybit = await p.prepare("bybit", sandbox=True)
        print(f"{bybit.id}: {bybit.environment}, at {bybit.host}")
        await bybit.close()


asyncio.run(main())
