"""planar.toml and secrets.toml: what is read, what wins, and what is wrong with them."""

import asyncio
import os
import tempfile
from pathlib import Path

import planar

CONFIG = """
[binance]
leveraged = "from"          # who may borrow on margin: longs
sandbox = true              # the exchange's testnet
timeout = 30000             # milliseconds for one call

[bybit]
futures = true              # linear derivatives are the default
testnet = true

[kucoin]
futures = false             # spot alone
environment = "paper"       # real market data, simulated orders
"""
SECRETS = """
[exchanges.binance_sandbox]
apiKey = "testnet_api_key"
secret = "testnet_secret_key"
"""


async def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        (directory / "planar.toml").write_text(CONFIG)
        (directory / "secrets.toml").write_text(SECRETS)
        (directory / "secrets.toml").chmod(0o600)
        async with planar.open(directory / "planar.toml", directory / "secrets.toml") as p:
            for exchange_id in ("binance", "bybit", "kucoin"):
                settings = p.settings.exchange(exchange_id)
                futures = {True: "futures", False: "no futures", None: "the exchange's own market type"}[
                    settings.futures
                ]
                print(f"{exchange_id}: {settings.environment}, {settings.timeout_ms} ms, {futures}")
            print([(one.exchange, one.environment) for one in p.accounts()])

        (directory / "planar.toml").write_text("[binance]\ntimout = 30000\n")
        try:
            planar.open(directory / "planar.toml", directory / "secrets.toml")
        except planar.errors.ConfigError as error:
            print(str(error).replace(name, "user").replace(os.sep, "/"))


asyncio.run(main())
