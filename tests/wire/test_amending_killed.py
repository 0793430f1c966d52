"""A program that is killed while it changes an order: the next one finds out whether the change took effect."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from safety_kit import SYMBOL, local_of
from test_amending import hurry, person, rows, running, state  # noqa: F401

import planar
from planar.models import Amount, OrderState
from planar.orders import points
from planar.testing.local_venue import LocalVenue

PROGRAM = """
import asyncio, os, signal, sys
import msgspec, planar
from planar.orders import points
from planar.transport.local import LocalVenue

def at(point):
    if point == sys.argv[4]:
        os.kill(os.getpid(), signal.SIGKILL)

async def main():
    local = msgspec.json.decode(sys.argv[1], type=LocalVenue)
    async with planar.open(local_venue=local) as p:
        exchange = await p.exchange(sys.argv[2], environment="local", account=sys.argv[3], enableRateLimit=False)
        price = round((await exchange.fetch_ticker("BTC/USDT")).bid * 0.8, 1)
        order = await exchange.create_limit_buy_order("BTC/USDT", "0.003", price)
        points.observe(at)
        await exchange.edit_order(order, amount="0.001")

asyncio.run(main())
"""
CASES = [("binance", point) for point in points.CHANGES] + [
    ("kraken", points.AMEND_SENDING),
    ("kraken", points.AMEND_ANSWERED),
]


@pytest.mark.parametrize(("name", "point"), CASES)
async def test_a_change_is_neither_lost_nor_made_up(
    name: str,
    point: str,
    running: LocalVenue,  # noqa: F811
    person: str,  # noqa: F811
    state: Path,  # noqa: F811
) -> None:
    local = local_of(running)
    args = [msgspec.json.encode(local).decode(), name, person, point]
    ended = subprocess.run([sys.executable, "-c", PROGRAM, *args], timeout=30, check=False)
    assert ended.returncode == -9
    async with planar.open(local_venue=local) as workspace:
        exchange = await workspace.exchange(name, environment="local", account=person, enableRateLimit=False)
        hurry(exchange)
        await exchange.reconcile()
        (order,) = exchange.orders.open
        (one,) = exchange._orders().store.facts(order.client_order_id).amends
        if one.unsettled:
            # its request may be good for as long as the program that died said
            assert (point, order.amount) == (points.AMEND_SENDING, Amount("0.003"))
        (row,) = rows(running, exchange)
        assert Amount(row["amount"]) == order.amount
        changed = point in (points.AMEND_ANSWERED, points.AMEND_KEPT)
        assert order.amount == Amount("0.001" if changed else "0.003")
        assert (await exchange.cancel_order(order.client_order_id, SYMBOL)).state is OrderState.CANCELED
