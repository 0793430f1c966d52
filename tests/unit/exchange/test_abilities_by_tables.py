"""What is done about several orders, changes and countdowns follows from the exchange's tables, not from CCXT's `has`."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.matrix.kit import Recorder, open_bench

ANSWERS = {
    # nothing is known of okx beyond CCXT, which has all of these
    "okx": {
        "edit_order": "refused",
        "create_orders": "composed",
        "cancel_orders": "composed",
        "cancel_all_orders": "composed",
        "cancel_all_orders_after": "composed",
    },
    "binance": {
        "edit_order": "native",
        "create_orders": "composed",
        "cancel_orders": "composed",
        "cancel_all_orders": "composed",
        "cancel_all_orders_after": "composed",
    },
    "kraken": {
        "edit_order": "native",
        "create_orders": "native",
        "cancel_orders": "native",
        "cancel_all_orders": "composed",
        "cancel_all_orders_after": "native",
    },
}


@pytest.mark.parametrize("exchange_id", ANSWERS)
async def test_can_says_what_the_call_then_does(exchange_id: str, tmp_path: Path) -> None:
    bench, dialer = open_bench(exchange_id, Recorder(), tmp_path)
    try:
        found = {name: bench.exchange.can(name).how for name in ANSWERS[exchange_id]}
        assert found == ANSWERS[exchange_id]
        assert bench.exchange.can("edit_limit_order").how == found["edit_order"]
    finally:
        await bench.close()
        await dialer.close()
