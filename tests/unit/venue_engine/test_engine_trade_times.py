"""Trades of one time and side are those of one taker, whose prices run one way."""

from __future__ import annotations

from itertools import pairwise

import pytest

from planar.venue.activity import Activity
from planar.venue.engine import world

START_MS = 1_790_000_000_123


@pytest.mark.parametrize("venue", ["one", "two"])
def test_prices_of_one_time_run_one_way(venue: str) -> None:
    now = START_MS
    made = world.build(seed=1, clock=lambda: now, venue=venue)
    activity = Activity(made.exchange)
    for _ in range(300):
        now += 100
        made.model.step(now)
        activity.tick(now, heard=True)
    newest = made.exchange.trades("BTC/USDT", limit=1)[-1].id
    trades = [
        trade
        for first in range(newest - 9_999, newest, 1_000)
        for trade in made.exchange.trades("BTC/USDT", from_id=first, limit=1_000)
    ]
    assert len(trades) == 10_000
    for before, trade in pairwise(trades):
        assert before.ts_ms <= trade.ts_ms
        if (before.ts_ms, before.buyer_is_maker) == (trade.ts_ms, trade.buyer_is_maker):
            assert trade.price <= before.price if trade.buyer_is_maker else trade.price >= before.price
