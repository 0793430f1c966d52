"""Kraken's frames as Planar reads them: books proved by checksums, rows of executions merged in any company."""

from __future__ import annotations

import zlib
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planar.adapters.kraken.book import Book, read_frame
from planar.adapters.kraken.executions import Executions, order_kind
from planar.adapters.kraken.sockets import book_depth
from planar.errors import BadRequest
from planar.models import OrderState
from planar.models import from_ccxt as convert

AT = "2026-01-02T03:04:05.678000Z"


def frame(kind: str, bids: list[str], asks: list[str], checksum: int) -> str:
    def side(levels: list[str]) -> str:
        return ",".join('{{"price":{},"qty":{}}}'.format(*level.split()) for level in levels)

    row = f'"symbol":"BTC/USD","bids":[{side(bids)}],"asks":[{side(asks)}],"checksum":{checksum},"timestamp":"{AT}"'
    return f'{{"channel":"book","type":"{kind}","data":[{{{row}}}]}}'


def crc(text: str) -> int:
    return zlib.crc32(text.encode())


def test_a_book_is_what_the_digits_on_the_wire_say() -> None:
    """Trailing zeros count, which a float has lost."""
    book = Book("BTC/USD", 10)
    text = frame(
        "snapshot",
        ["45283.5 0.10000000"],
        ["45285.2 0.00100000", "0.5 0.00000010"],
        crc("51045285210000045283510000000"),
    )
    (row,) = read_frame(text).data
    assert book.apply("snapshot", row)
    assert book.state["asks"] == [[0.5, 1e-07], [45285.2, 0.001]]
    assert book.state["timestamp"] == 1767323045678
    update = frame(
        "update", ["45283.5 0.00000000", "45283.4 1.00000000"], ["0.5 0.00000000"], crc("452852100000452834100000000")
    )
    assert book.apply("update", read_frame(update).data[0])
    assert (book.state["bids"], book.state["asks"]) == ([[45283.4, 1.0]], [[45285.2, 0.001]])
    assert not book.apply("update", read_frame(frame("update", ["45283.3 2.00000000"], [], 1)).data[0])
    assert not book.synced


def test_a_level_beyond_the_depth_is_forgotten() -> None:
    book = Book("BTC/USD", 2)
    asks = ["3 1", "1 1", "2 1"]
    assert book.apply("snapshot", read_frame(frame("snapshot", [], asks, crc("1121"))).data[0])
    assert book.state["asks"] == [[1.0, 1.0], [2.0, 1.0]]
    assert book.apply("update", read_frame(frame("update", [], ["1 0"], crc("21"))).data[0])
    assert book.state["asks"] == [[2.0, 1.0]]


@pytest.mark.parametrize(("limit", "depth"), [(None, 10), (5, 10), (10, 10), (11, 25), (1000, 1000)])
def test_depths(limit: int | None, depth: int) -> None:
    assert book_depth(limit) == depth


def test_a_depth_that_kraken_does_not_have() -> None:
    with pytest.raises(BadRequest, match="1001"):
        book_depth(1001)


# -- executions ----------------------------------------------------------------------------------------------------
def life(fills: list[str], end: str) -> list[dict[str, Any]]:
    """The rows of an order of 1.0 at 100 as Kraken sends them."""
    about: dict[str, Any] = {"order_id": "O1", "timestamp": AT}
    first = {"symbol": "BTC/USD", "side": "buy", "order_type": "limit", "order_qty": 1.0, "limit_price": 100.0}
    rows: list[dict[str, Any]] = [
        {
            **about,
            **first,
            "cl_ord_id": "mine",
            "exec_type": "pending_new",
            "order_status": "pending_new",
            "cum_cost": 0.0,
        },
        {**about, "exec_type": "new", "order_status": "new"},
    ]
    for number, amount in enumerate(fills):
        trade = {
            "exec_id": f"T{number}",
            "symbol": "BTC/USD",
            "side": "buy",
            "last_qty": float(amount),
            "last_price": 100.0,
        }
        trade |= {
            "cost": float(Decimal(amount) * 100),
            "liquidity_ind": "t",
            "fees": [{"asset": "USD", "qty": float(amount)}],
        }
        rows.append({**about, **trade, "exec_type": "trade", "order_status": "partially_filled"})
    rows.append({**about, "exec_type": end, "order_status": end})
    return rows


def play(rows: list[dict[str, Any]]) -> tuple[list[Any], list[Any]]:
    reader = Executions()
    taken = [reader.take(row, snapshot=False) for row in rows]
    orders = [convert.order(order) for order, _ in taken if order is not None]
    return orders, [convert.fill(fill) for _, fill in taken if fill is not None]


amounts = st.lists(st.integers(1, 20).map(lambda n: str(Decimal(n) / 100)), max_size=5)


@given(amounts, st.sampled_from(["canceled", "expired"]), st.data())
def test_an_order_is_the_sum_of_its_rows_however_often_they_come(
    fills: list[str], end: str, data: st.DataObject
) -> None:
    rows = life(fills, end)
    orders, told = play([row for row in rows for _ in range(data.draw(st.integers(1, 3)))])
    total = sum((Decimal(amount) for amount in fills), Decimal(0))
    assert [fill.amount for fill in told] == [Decimal(amount) for amount in fills]
    assert (orders[-1].state.value, orders[-1].filled, orders[-1].client_order_id) == (end, total, "mine")
    assert orders[-1].cost == total * 100
    assert sum(fee.cost for fee in orders[-1].fees) == total
    assert [order.filled for order in orders] == sorted(order.filled for order in orders)
    assert orders[0].state is OrderState.OPEN
    again, _ = play(rows)
    assert [(order.state, order.filled) for order in again] == [(order.state, order.filled) for order in orders]


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("limit", "limit"),
        ("iceberg", "limit"),
        ("stop-loss-limit", "limit"),
        ("market", "market"),
        ("trailing-stop", "market"),
    ],
)
def test_kinds(word: str, kind: str) -> None:
    assert order_kind(word) == kind


def test_a_full_trade_is_no_proof_that_the_order_is_done() -> None:
    orders, _ = play(life(["1"], "filled"))
    assert [(order.state, order.filled) for order in orders] == [
        (OrderState.OPEN, 0),
        (OrderState.OPEN, 1),
        (OrderState.FILLED, 1),
    ]


def test_fees_of_executions_that_were_not_seen_are_not_made_up() -> None:
    rows = life(["0.25", "0.25"], "canceled")
    rows[3] |= {"cum_qty": 0.75}  # one in between is missing
    orders, _ = play(rows)
    assert (orders[-1].filled, orders[-1].fees) == (Decimal("0.75"), ())


def test_a_row_of_an_order_that_nobody_knows_is_asked_about() -> None:
    reader = Executions()
    row = {"order_id": "O9", "exec_type": "canceled", "order_status": "canceled", "timestamp": AT}
    assert reader.take(row, snapshot=False) == (None, None)
    assert reader.unknown(row)
    answer = {"id": "O9", "symbol": "BTC/USD", "side": "sell", "type": "limit", "status": "canceled", "info": {}}
    answer |= {"amount": "1", "price": "5", "filled": "0.5", "cost": "2.5"}
    assert reader.correct(answer) == answer
    assert reader.correct(answer) is None
