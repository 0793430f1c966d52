"""Waiting for an order."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from planar.models import Amount, Order, OrderState
from planar.orders.events import Intent, Sending, Unknown
from planar.orders.handle import OrderHandle
from planar.orders.journal import Journal
from planar.orders.store import OrderStore
from planar.orders.view import events_of


async def test_an_answer_that_comes_with_the_end_of_the_time_counts(tmp_path: Path) -> None:
    """The loop was busy: when it looks again, the time is over and the order is known."""
    journal = Journal(tmp_path / "j.db")
    journal.open()
    store = OrderStore(journal)
    wish = Intent("mine", 1, symbol="BTC/USDT", side="buy", type="limit", amount=Amount(1))
    store.record(wish, Sending("mine", 2), Unknown("mine", 3))
    shown = Order(id="17", client_order_id="mine", symbol="BTC/USDT", side="buy", type="limit", state=OrderState.OPEN)
    handle = OrderHandle(cast(Any, SimpleNamespace(store=store)), "mine")
    waiting = asyncio.create_task(handle.resolved(0.02))
    await asyncio.sleep(0)
    asyncio.get_running_loop().call_later(0.025, lambda: store.record(*events_of(shown, "mine", "query")))
    time.sleep(0.05)
    assert (await waiting).state is OrderState.OPEN
    journal.close()
