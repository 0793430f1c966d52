"""A small strategy, from data to orders: an average of candles, an entry with a name of its own, a stop, a clean end.

It decides on each closed minute, so it is given a past to decide on and a few live candles; Ctrl-C ends it as well.
"""

import asyncio
from collections.abc import Sequence
from decimal import Decimal

import planar
from planar.models import Candle

SYMBOL, AMOUNT, WINDOW = "BTC/USDT", "0.001", 20


def signal(candles: Sequence[Candle]) -> str | None:
    """Whether to "buy", when the last close is above the average of the window, or to "sell"; None without enough data."""
    closes = [candle.close for candle in candles[-WINDOW:]]
    if len(closes) < WINDOW:
        return None
    return "buy" if closes[-1] > sum(closes) / WINDOW else "sell"


async def enter(exchange: planar.Exchange, candle: Candle) -> None:
    """Buy, and place a stop 2 % below what was paid. The names make both orders one wish each, whatever dies in between."""
    order = await exchange.create_market_buy_order(SYMBOL, AMOUNT, intent_id=f"entry {candle.ts_ms}")
    await order.settled(10)
    stop = (Decimal(str(order.average)) * Decimal("0.98")).quantize(Decimal("0.01"))
    await exchange.create_stop_market_order(SYMBOL, "sell", AMOUNT, stop, intent_id=f"stop {candle.ts_ms}")
    print(f"bought {order.filled} at {order.average}, stop at {stop}")


async def main() -> None:
    async with planar.open(private_venue=True) as p:
        exchange = await p.exchange("binance", environment="local")
        candles = await exchange.fetch_ohlcv(SYMBOL, "1m", limit=2 * WINDOW)
        wish = signal(candles)
        print(f"{len(candles)} candles, last close {candles[-1].close}: {wish}")
        try:
            if wish == "buy":
                await enter(exchange, candles[-1])
            async with exchange.watch_ohlcv(SYMBOL, "1m") as stream, asyncio.timeout(2):
                async for candle in stream:
                    candles = [*[one for one in candles if one.ts_ms != candle.ts_ms], candle]
                    print(f"{candle.close}: {signal(candles)}")
                    break
        finally:  # an end of any kind, Ctrl-C included, leaves no order behind
            canceled = await exchange.cancel_all_orders(SYMBOL)
            print(f"{len(canceled)} orders canceled, open: {len(await exchange.fetch_open_orders(SYMBOL))}")


if __name__ == "__main__":
    asyncio.run(main())
