"""`planar exchanges --can` and `Exchange.can` give one answer, for each method on each id."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.matrix.kit import Recorder, known_ids, open_bench

from planar.exchange import Exchange
from planar.exchange.ability import ability
from planar.exchange.described import described

BY_SETTINGS = "withdraw"  # refused until the user allows it
WORDS = (
    "fetch",
    "watch",
    "un",
    "create",
    "cancel",
    "edit",
    "replace",
    "close",
    "set",
    "add",
    "reduce",
    "transfer",
    "borrow",
)
METHODS = [
    name for name in dir(Exchange) if name.partition("_")[0] in (*WORDS, "repay", "withdraw") and name != BY_SETTINGS
]


@pytest.mark.parametrize("exchange_id", known_ids())
async def test_what_is_described_is_what_the_open_exchange_says(exchange_id: str, tmp_path: Path) -> None:
    known = described(exchange_id)
    bench, dialer = open_bench(exchange_id, Recorder(), tmp_path)
    try:
        exchange = bench.exchange
        listed = {
            symbol: market for symbol, market in exchange.markets.items() if known.capabilities.can(market.type or "")
        }
        exchange._markets = listed or exchange.markets  # pyright: ignore[reportPrivateUsage]
        found = {name: exchange.can(name) for name in METHODS}
        assert {name: ability(name, known) for name in found} == found
    finally:
        await bench.close()
        await dialer.close()
