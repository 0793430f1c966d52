"""CCXT's private streams of Kraken against the ledger.

The channel `executions` tells of an order what has changed; CCXT hands each row on by itself where the row does not
name the market, so that rows are merged here, as the channel's documentation says.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

from judges.ccxt_life import SYMBOL
from judges.ccxt_words import Client
from judges.kit import Checks, Venue, exact, now_ms
from judges.kraken_words import Merged, expected_order, streamed_booking, streamed_fill, streamed_order
from judges.raw_data import POLL_S, matched, settled

START_S = 60.0
PATIENCE = 30
WAIT_S = 2.0


async def patiently(ask: Callable[[], Awaitable[Any]]) -> Any:
    """A full counter of transactions empties itself (guide "Spot trading limits"): wait, and ask again."""
    for _ in range(PATIENCE):
        try:
            return await ask()
        except Exception as error:
            if "EOrder:Rate limit exceeded" not in str(error):
                raise
        await asyncio.sleep(WAIT_S)
    return await ask()


class KrakenStreams:
    """Orders, fills and balances as they are told, from `start` to `judge`."""

    def __init__(self, checks: Checks, venue: Venue, client: Client) -> None:
        self._checks, self._venue, self._client = checks, venue, client
        self._since_ms = 0

    async def start(self) -> None:
        """Listen; ready when a first order has been heard of by all."""
        client = self._client
        await client.do("load_markets")
        self._orders = client.pump("watch_orders")
        self._fills = client.pump("watch_my_trades")
        self._balance = client.pump("watch_balance")
        self._pumps = (self._orders, self._fills, self._balance)
        ends = time.monotonic() + START_S
        while not all(pump.yielded or pump.error for pump in self._pumps) and time.monotonic() < ends:
            await patiently(lambda: client.do("create_order", SYMBOL, "market", "buy", 0.001))
            await asyncio.sleep(POLL_S)
        self._since_ms = now_ms()

    async def judge(self) -> None:
        """Compare, and stop listening."""
        checks, account = self._checks, self._client.account
        rows = [row for row in self._venue.orders(account, symbol=SYMBOL) if row["created_ms"] >= self._since_ms]
        states = {str(row["id"]): expected_order(row) for row in rows}
        statuses = {order_id: row["status"] for order_id, row in states.items()}
        told = await settled(checks, lambda: {i: o["status"] for i, o in self._told_orders(statuses).items()}, statuses)
        checks.same("watch_orders: every order and how it ended", told, statuses)
        for order_id, said in self._told_orders(statuses).items():
            checks.rows("watch_orders: the last state of an order", said, states[order_id])
        booked = self._venue.fills(account, symbol=SYMBOL, since_ms=self._since_ms)
        expected = [streamed_booking(row) for row in booked]
        checks.same("watch_my_trades: every fill once", await settled(checks, self._told_fills, expected), expected)
        held = self._venue.balances(account)
        for asset in ("BTC", "USDT"):
            total = Decimal(held[asset]["free"]) + Decimal(held[asset]["locked"])

            async def kept(asset: str = asset, total: Decimal = total) -> tuple[Decimal, Decimal]:
                # one update for each asset: what watch_balance yields may be one update behind what CCXT keeps
                return exact((await self._client.kept("balance"))["spot"][asset]["total"]), total

            said, _ = await matched(checks, kept)
            checks.same(f"watch_balance: {asset}", said, total)
        for pump in self._pumps:
            await pump.stop()
        checks.same("errors of the private streams", [p.error for p in self._pumps if p.error], [])

    def _told_orders(self, wanted: Any) -> dict[str, Any]:
        merged = Merged()
        for orders in self._orders.yielded:
            for order in orders:
                merged.take(order["info"])
        return {order_id: streamed_order(row) for order_id, row in merged.orders.items() if order_id in wanted}

    def _told_fills(self) -> list[Any]:
        rows = [streamed_fill(row) for rows in self._fills.yielded for row in rows]
        return [row for row in rows if row["ts_ms"] >= self._since_ms]
