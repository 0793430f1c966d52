"""1,000 open orders are reconciled within Binance's real weights: one list of all markets, not 1,000 questions."""

from __future__ import annotations

import asyncio
from pathlib import Path

import planar
from benchmarks.safety.__main__ import fund, local, start_venue
from planar.exchange import Exchange
from planar.models import Amount
from planar.models.steps import rounded
from planar.transport.local import LocalVenue

ORDERS = 1_000
WIDTH = 8


def report(directory: Path) -> None:
    """Measure and print."""
    process, record = start_venue(directory, "binance", seed=2)
    assert process.stdin is not None
    try:
        asyncio.run(fund(record))
        asyncio.run(_measure(local(record)))
    finally:
        process.stdin.close()
        process.wait()


async def _place(exchange: Exchange) -> None:
    symbols = [symbol for symbol in exchange.symbols if symbol.endswith("/USDT")]
    prices = {symbol: (await exchange.fetch_order_book(symbol, 5)).bids[0][0] for symbol in symbols}
    jobs = iter([symbols[number % len(symbols)] for number in range(ORDERS)])

    async def work() -> None:
        for symbol in jobs:
            market = exchange.market(symbol)
            precision = market.precision
            price = rounded(Amount(prices[symbol]) * Amount("0.9"), precision.price, precision.mode)
            amount = market.amount_for(12, price)
            await exchange.create_limit_buy_order(symbol, amount, price)

    await asyncio.gather(*(work() for _ in range(WIDTH)))


async def _measure(venue: LocalVenue) -> None:
    async with planar.open(local_venue=venue) as workspace:
        await _place(await workspace.exchange("binance", environment="local", enableRateLimit=False))
    # another process begins: journal read, every order compared, the real limits kept
    async with planar.open(local_venue=venue) as workspace:
        exchange = await workspace.exchange("binance", environment="local")
        before = exchange.budget()["weight"][0]
        found = await exchange.reconcile()
        weight = exchange.budget()["weight"][0] - before
        again = await exchange.reconcile()
    print(f"\nReconciliation of {found.open_orders} open orders, local Binance, its real weights")
    for text, one in (("at the start", found), ("on demand", again)):
        print(
            f"    {text:<24}{one.took_ms / 1000:>6.2f} s   {one.queries} questions, {len(one.differences)} differences"
        )
    print(f"    weight of the first     {weight:>6.0f}     of 6000 a minute   target: < 2 s for 1,000 orders")
