"""Planted opportunities: each is found while it lasts, and each that is told was carried by books that were recorded."""

from __future__ import annotations

from benchmarks.arbitrage import run

from planar.testing.local_venue import start_local_venue


async def test_planted_opportunities_are_found_and_none_is_made_up() -> None:
    with start_local_venue() as venue:
        found = await run(venue, planted=8, for_ms=250)
    assert found.false == []
    assert found.missed == []
    assert found.unseen == 0
    assert found.told >= len(found.delays_ms) == 8
