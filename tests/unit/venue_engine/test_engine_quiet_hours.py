"""An exchange starts at any time: in a quiet hour the first trades are too small to become a seeded order's fills."""

from __future__ import annotations

import pytest

from planar.venue.engine.world import build


@pytest.mark.parametrize(
    ("seed", "now_ms"), [(263, 1705051397300), (833, 1724141765785), (861, 1784597116083), (1, 1700000000000)]
)
def test_seeded_orders_find_their_fills(seed: int, now_ms: int) -> None:
    world = build(seed=seed, clock=lambda: now_ms)
    assert world.exchange.audit() == []
    assert world.exchange.orders("alice", "BTC/USDT")
    assert world.exchange.fills("alice", "BTC/USDT")
