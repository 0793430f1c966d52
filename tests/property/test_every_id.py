"""Unified methods on ids without tables of their own: refused before anything is sent, or only Planar's errors come out.

A part of the ids; `make matrix` plays all of them.
"""

from __future__ import annotations

import pytest
from tests.matrix.kit import known_ids
from tests.matrix.run import play

PART = known_ids()[::9]


@pytest.mark.parametrize("exchange_id", PART)
def test_nothing_but_errors_of_planar_comes_out(exchange_id: str) -> None:
    column = play(exchange_id)
    assert [(name, cell.wrong) for name, cell in column.items() if cell.wrong] == []
    asked = {name for name, cell in column.items() if cell.how == "request"}
    assert {"fetch_order_book", "fetch_balance", "fetch_open_orders"} & asked, "nothing was asked of it at all"
    for name, cell in column.items():
        if name in asked:
            # what is no answer is never one
            assert {cell.ends["503"], cell.ends["HTML"], cell.ends["truncated"]}.isdisjoint(
                {"list", "dict", "Table", "Rows"}
            ), name
