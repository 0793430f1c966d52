"""Fills whose frames a healthy private stream never brought: each is found by the timed reconciliation, within 30 s.

    python -m benchmarks.safety.missed_fills --exchange binance --drops 1000 --seed 1

Client and venue run in one seeded loop with a virtual clock. Orders rest inside the spread; another account of the venue
trades with them, wholly or in part; the frames that tell of it are dropped, and nothing else is. The venue's ledger says
what was traded. Found is a fill when the journal's order shows it.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import random
import statistics
import tempfile
from decimal import Decimal
from pathlib import Path

import msgspec

import planar.runtime as runtime
from benchmarks.safety.simulated import SYMBOL, simulated, staged
from benchmarks.safety.venue import PLACES
from planar.errors import OrderNotFound
from planar.exchange import Exchange
from planar.orders import Difference, DifferenceKind, OrderHandle
from planar.streams import StreamState
from planar.venue.engine.enums import OrderKind, Side, TimeInForce
from planar.venue.engine.exchange import VirtualExchange
from planar.venue.engine.types import NewOrder, OrderRef
from planar.venue.faults import DropFrame, FaultRule
from planar.venue.server import VenueServer

LIMIT_S = 30.0
WAVE = 10
"""Orders that rest at once."""
FRAMES = {"binance": '*"x":"TRADE"*', "kraken": '*"exec_type":"trade"*'}
"""Frames that tell of a fill."""


class Report(msgspec.Struct, frozen=True):
    """What became of the drops.

    Attributes:
        drops: frames that were dropped.
        found_s: after how many seconds of virtual time each was found, in order of dropping; None: not within 60 s.
        told: fills that a difference was told for.
        wrong: orders whose filled amount is not the ledger's at the end.
        gaps: gaps that the stream itself noticed: none, it is healthy.
    """

    exchange: str
    seed: int
    drops: int
    found_s: tuple[float | None, ...]
    told: int
    wrong: int
    gaps: int

    @property
    def missed(self) -> int:
        """Fills that were not found in time."""
        return sum(one is None or one > LIMIT_S for one in self.found_s)


def missed_fills(directory: Path, exchange: str, drops: int, seed: int) -> Report:
    """Drop the frames of so many fills, and look when each is found."""
    return simulated(directory, seed, lambda: _run(directory, exchange, drops, seed))


async def _run(directory: Path, exchange_id: str, drops: int, seed: int) -> Report:
    # Kraken's stream notices each gap and begins anew, which its limits do not allow for so often
    name = exchange_id if exchange_id == "binance" else PLACES[exchange_id].factory
    async with staged(directory, name, seed) as stage, stage.workspace() as workspace:
        paced = exchange_id == "binance"
        exchange = await workspace.exchange(exchange_id, environment="local", enableRateLimit=paced)
        bench = stage.wire.bench()
        bench.model.frozen = True
        accounts = [one.account for one in stage.wire.accounts()]
        return await _drop(exchange, bench.exchange, stage.server, accounts, drops, seed)


async def _drop(
    exchange: Exchange, engine: VirtualExchange, server: VenueServer, accounts: list[str], drops: int, seed: int
) -> Report:
    rng, told, found = random.Random(seed), [0], list[float | None]()
    handles: list[OrderHandle] = []

    def hear(difference: Difference) -> None:
        told[0] += difference.kind is DifferenceKind.FILL and difference.severity == "warning"

    exchange.on_difference(hear)
    engine.set_balance(accounts[0], "USDT", Decimal(10_000_000))
    engine.set_balance(accounts[1], "BTC", Decimal(100))
    async with exchange.watch_orders() as stream:
        stream.on_update(lambda order: None)
        while stream.state is not StreamState.LIVE:
            await runtime.sleep(0.05)
        traded = Traded(engine, accounts[0])
        silence = FaultRule(fault=DropFrame(), body=FRAMES[exchange.id], count=None, until_ms=100)
        while len(found) < drops:
            price = await _best(exchange)
            wave = [await _rest(exchange, price, rng) for _ in range(WAVE)]
            handles += wave
            searches = [
                search
                for delay_s in sorted(rng.uniform(0, 25) for _ in wave)
                for search in await _trade(engine, accounts[1], wave, traded, delay_s, rng, server, silence)
            ]
            found += [await search for search in searches]
            for handle in wave:
                if handle.is_open:
                    with contextlib.suppress(OrderNotFound):  # the market may have moved over it
                        await exchange.cancel_order(handle.id or "", SYMBOL)
        gaps = len(stream.gaps)
    truth = {order.client_id: order.filled for order in engine.orders(accounts[0], SYMBOL, limit=10 * drops)}
    wrong = sum(truth[handle.client_order_id] != handle.filled for handle in handles)
    return Report(exchange.id, seed, len(found), tuple(found), told[0], wrong, gaps)


class Traded:
    """What the venue's ledger says of the fills of an account."""

    def __init__(self, engine: VirtualExchange, account: str) -> None:
        self._engine = engine
        self._account = account
        self._seen: set[int] = set()
        self.fresh()  # the account has a past

    def fresh(self) -> list[int]:
        """Ids of the orders of the fills since the last call."""
        fills = [one for one in self._engine.fills(self._account, SYMBOL) if one.trade_id not in self._seen]
        self._seen.update(one.trade_id for one in fills)
        return [one.order_id for one in fills]

    def filled(self, order_id: int) -> tuple[str, Decimal]:
        """Client id of an order, and how much of it has traded."""
        order = self._engine.order(self._account, SYMBOL, OrderRef(order_id=order_id))
        return order.client_id, order.filled


async def _best(exchange: Exchange) -> Decimal:
    """A price before all others of the book: nobody but the other account trades there."""
    book = await exchange.fetch_order_book(SYMBOL, 5)
    return Decimal(repr(book.bids[0][0])) + (exchange.market(SYMBOL).precision.price or Decimal("0.01"))


async def _rest(exchange: Exchange, price: Decimal, rng: random.Random) -> OrderHandle:
    amount = Decimal(rng.randint(100, 400)) * Decimal("0.00002")
    return await exchange.create_limit_buy_order(SYMBOL, amount, price)


async def _trade(
    engine: VirtualExchange,
    other: str,
    wave: list[OrderHandle],
    traded: Traded,
    delay_s: float,
    rng: random.Random,
    server: VenueServer,
    silence: FaultRule,
) -> list[asyncio.Task[float | None]]:
    """The other account sells to the orders of the wave; a search for each fill that this makes."""
    await runtime.sleep(delay_s / WAVE)
    lowest = min(Decimal(handle.price or 0) for handle in wave)
    amount = Decimal(rng.randint(50, 400)) * Decimal("0.00002")
    traded.fresh()  # what the market itself traded was not dropped
    server.faults.add(silence)
    engine.submit(
        NewOrder(
            account=other,
            symbol=SYMBOL,
            side=Side.SELL,
            kind=OrderKind.LIMIT,
            tif=TimeInForce.IOC,
            amount=amount,
            price=lowest,
        )
    )
    by_name = {handle.client_order_id: handle for handle in wave}
    searches: list[asyncio.Task[float | None]] = []
    for order_id in traded.fresh():
        name, filled = traded.filled(order_id)
        searches.append(runtime.spawn(_found(by_name[name], filled), name=f"search {name}"))
    return searches


async def _found(handle: OrderHandle, filled: Decimal) -> float | None:
    """Seconds until the journal has what was traded; None: not within twice the limit."""
    dropped_s = runtime.monotonic()
    while (handle.filled or 0) < filled:
        if runtime.monotonic() - dropped_s > 2 * LIMIT_S:
            return None
        await runtime.sleep(0.1)
    return runtime.monotonic() - dropped_s


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--exchange", choices=sorted(FRAMES), default="binance")
    parser.add_argument("--drops", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    logging.disable(logging.ERROR)  # each difference is logged
    with tempfile.TemporaryDirectory() as name:
        report = missed_fills(Path(name), options.exchange, options.drops, options.seed)
    times = [one for one in report.found_s if one is not None]
    print(
        f"{report.exchange}, seed {report.seed}: {report.drops} fill frames dropped, {report.missed} not found within "
        f"{LIMIT_S:.0f} s; found after {statistics.median(times):.1f} s (median), {max(times):.1f} s (longest); "
        f"{report.told} told, {report.wrong} orders differ from the ledger, {report.gaps} gaps"
    )
    raise SystemExit(bool(report.missed or report.wrong))


if __name__ == "__main__":
    main()
