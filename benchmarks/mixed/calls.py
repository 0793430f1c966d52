"""The calls of a run: what each asks for, and what its answer must be to be true.

Carol never trades: her balances, her open order and its state are known exactly. Alice and Bob place and cancel.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

from planar.errors import OrderUnknown
from planar.exchange import Exchange
from planar.models import OrderState
from planar.orders import OrderHandle

SYMBOL = "BTC/USDT"
OTHER = "ETH/USDT"
RICH = {"USDT": Decimal("1000000000"), "BTC": Decimal("100000")}
OPEN_MOST = 30
STREAM_S = 1.0


class Untrue(Exception):
    """An answer that is not so."""


class Side:
    """One exchange of a run, with its three accounts.

    Attributes:
        handles: orders whose end has not been noted yet.
        again: orders whose asker was canceled, by intent; they are asked for again.
        canceled: client ids of which a cancel succeeded.
    """

    def __init__(self, exchange_id: str, carol: Exchange, traders: list[Exchange], bid: float, ask: float) -> None:
        self.id, self.carol, self.traders = exchange_id, carol, traders
        self.bid, self.ask = bid, ask
        self.resting: OrderHandle | None = None
        self.handles: dict[str, tuple[Exchange, OrderHandle]] = {}
        self.again: dict[str, tuple[Exchange, tuple[Any, ...]]] = {}
        self.canceled: set[str] = set()

    def plausible(self, price: float | None) -> None:
        """A price that has not run away from where the market began."""
        if price is None or not self.bid * 0.5 < price < self.ask * 2:
            raise Untrue(f"price {price}, the market began at {self.bid}")


Call = Callable[[Side, random.Random, int, int], Awaitable[None]]


def _true(holds: bool, text: str) -> None:
    if not holds:
        raise Untrue(text)


async def ticker(side: Side, rng: random.Random, timeout_ms: int, number: int) -> None:
    found = await side.carol.fetch_ticker(SYMBOL, timeout_ms=timeout_ms)
    _true(found.symbol == SYMBOL, f"ticker of {found.symbol}")
    side.plausible(found.last)


async def tickers(side: Side, rng: random.Random, timeout_ms: int, number: int) -> None:
    found = await side.carol.fetch_tickers([SYMBOL, OTHER], timeout_ms=timeout_ms)
    _true(set(found) == {SYMBOL, OTHER}, f"tickers of {sorted(found)}")
    side.plausible(found[SYMBOL].last)


async def book(side: Side, rng: random.Random, timeout_ms: int, number: int) -> None:
    found = await side.carol.fetch_order_book(SYMBOL, 10, timeout_ms=timeout_ms)
    side.plausible(found.best_bid)
    side.plausible(found.best_ask)
    _true((found.best_bid or 0) < (found.best_ask or 0), f"book crossed: {found.best_bid} {found.best_ask}")


async def trades(side: Side, rng: random.Random, timeout_ms: int, number: int) -> None:
    for trade in await side.carol.fetch_trades(SYMBOL, limit=20, timeout_ms=timeout_ms):
        side.plausible(trade.price)


async def candles(side: Side, rng: random.Random, timeout_ms: int, number: int) -> None:
    found = await side.carol.fetch_ohlcv(SYMBOL, "1m", limit=20, timeout_ms=timeout_ms)
    times = [candle.ts_ms for candle in found]
    _true(bool(found) and times == sorted(times), f"{len(times)} candles, in no order")


async def clock(side: Side, rng: random.Random, timeout_ms: int, number: int) -> None:
    from planar import runtime

    told = await side.carol.fetch_time(timeout_ms=timeout_ms)
    _true(abs(told - runtime.wall_ms()) < 10_000, f"time {told}")


async def balance(side: Side, rng: random.Random, timeout_ms: int, number: int) -> None:
    found = await side.carol.fetch_balance(timeout_ms=timeout_ms)
    for asset, amount in RICH.items():
        total = found.balances[asset].total if asset in found.balances else None
        _true(total == amount, f"carol has {total} {asset}, not {amount}")


async def open_orders(side: Side, rng: random.Random, timeout_ms: int, number: int) -> None:
    found = await side.carol.fetch_open_orders(SYMBOL, timeout_ms=timeout_ms)
    assert side.resting is not None
    _true([order.id for order in found] == [side.resting.id], f"open orders {[order.id for order in found]}")


async def order(side: Side, rng: random.Random, timeout_ms: int, number: int) -> None:
    assert side.resting is not None
    found = await side.carol.fetch_order(side.resting.client_order_id, SYMBOL, timeout_ms=timeout_ms)
    _true(found.id == side.resting.id and found.state is OrderState.OPEN, f"carol's order is {found.id} {found.state}")


async def create(side: Side, rng: random.Random, timeout_ms: int, number: int) -> None:
    trader = rng.choice(side.traders)
    direction, crossing = rng.choice(["buy", "sell"]), rng.random() < 0.4
    near, far = (side.ask * 1.05, side.bid * 0.8) if direction == "buy" else (side.bid * 0.95, side.ask * 1.2)
    wish = (SYMBOL, direction, str(Decimal(rng.randint(100, 999)) / 100_000), f"{near if crossing else far:.1f}")
    intent = f"call {number}"
    try:
        handle = await trader.create_limit_order(*wish, intent_id=intent, timeout_ms=timeout_ms)
    except OrderUnknown as error:
        side.handles[error.order.client_order_id] = (trader, error.order)
        raise
    except asyncio.CancelledError:
        side.again[intent] = (trader, wish)
        raise
    side.handles[handle.client_order_id] = (trader, handle)
    _true(handle.symbol == SYMBOL and handle.amount == Decimal(wish[2]), f"asked for {wish}, got {handle!r}")


async def cancel(side: Side, rng: random.Random, timeout_ms: int, number: int) -> None:
    names = [name for name, (_, handle) in side.handles.items() if handle.is_open and name not in side.canceled]
    if not names:
        await create(side, rng, timeout_ms, number)
        return
    name = rng.choice(names)
    trader, _ = side.handles[name]
    found = await trader.cancel_order(name, SYMBOL, timeout_ms=timeout_ms)
    _true(found.client_order_id == name, f"canceled {name}, was told of {found.client_order_id}")
    side.canceled.add(name)


async def stream(side: Side, rng: random.Random, timeout_ms: int, number: int) -> None:
    kind = rng.choice(["book", "trades", "ticker", "orders", "balance"])
    trader = side.traders[0]
    opened: Any = {
        "book": lambda: side.carol.watch_order_book(SYMBOL, stale="yield"),
        "trades": lambda: side.carol.watch_trades(SYMBOL),
        "ticker": lambda: side.carol.watch_ticker(SYMBOL, stale="yield"),
        "orders": lambda: trader.watch_orders(SYMBOL),
        "balance": lambda: trader.watch_balance(stale="yield"),
    }[kind]()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(STREAM_S):
            async with opened as items:
                left = 3
                async for item in items:
                    if kind == "book" and item.best_bid is not None:
                        side.plausible(item.best_bid)
                    left -= 1
                    if left == 0:
                        break


CALLS: dict[str, tuple[Call, int]] = {
    "ticker": (ticker, 12),
    "tickers": (tickers, 6),
    "book": (book, 14),
    "trades": (trades, 8),
    "candles": (candles, 6),
    "time": (clock, 4),
    "balance": (balance, 10),
    "open_orders": (open_orders, 8),
    "order": (order, 8),
    "create": (create, 11),
    "cancel": (cancel, 10),
    "stream": (stream, 3),
}
"""What is called how often."""
WRITES = ("create", "cancel")
