"""Planted opportunities: each is found while it stands, and each that is told was carried by the exchanges' own books."""

from __future__ import annotations

from benchmarks.arbitrage import run

from planar.testing.local_venue import start_local_venue


async def test_planted_opportunities_are_found_and_none_is_made_up() -> None:
    with start_local_venue() as venue:
        found = await run(venue, planted=8, for_ms=60)
    assert found.false == []
    assert found.missed == []
    # a busy machine may tell it late, and never later than it can know
    assert len(found.delays_ms) + len(found.late) == 8
    assert min(found.stood_ms) >= 59
    assert found.told >= 8
