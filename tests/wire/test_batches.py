"""Several orders at once, on both local exchanges, with the venue's ledger as the judge."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from safety_kit import SYMBOL, asked_in, local_of
from test_amending import exchange, hurry, low, person, rows, running, state, workspace  # noqa: F401

import planar
from planar.errors import (
    BadRequest,
    InsufficientFunds,
    InvalidOrder,
    OrderNotFound,
    OrderUnknown,
    Outcome,
    PlanarError,
    RateLimitExceeded,
)
from planar.exchange import Exchange
from planar.models import Amount, OrderState
from planar.orders import OrderHandle
from planar.testing.local_venue import LocalVenue
from planar.venue.faults import DropAnswer, DropRequest, FaultRule, RefuseRequest

CREATES = {
    "binance": {"method": "POST", "path": "/api/v3/order"},
    "kraken": {"method": "POST", "path": "/0/private/AddOrderBatch"},
}


def wishes(price: float, count: int, **more: Any) -> list[dict[str, Any]]:
    return [
        {
            "symbol": SYMBOL,
            "type": "limit",
            "side": "buy",
            "amount": "0.001",
            "price": round(price - number, 1),
            "intent_id": f"grid {number}",
            **more,
        }
        for number in range(count)
    ]


def good(results: list[OrderHandle | PlanarError]) -> list[OrderHandle]:
    for one in results:
        assert isinstance(one, OrderHandle), one
    return [one for one in results if isinstance(one, OrderHandle)]


async def test_each_has_its_own_id_and_its_own_entry(
    exchange: Exchange,  # noqa: F811
    running: LocalVenue,  # noqa: F811
    state: Path,  # noqa: F811
) -> None:
    orders = good(await exchange.create_orders(wishes(await low(exchange), 17)))
    assert len({order.client_order_id for order in orders}) == 17
    assert {order.state for order in orders} == {OrderState.OPEN}
    ledger = {str(row["id"]): row for row in rows(running, exchange)}
    assert [ledger[order.id]["client_id"] for order in orders] == [order.client_order_id for order in orders]
    requests = 17 if exchange.id == "binance" else 2
    asked = Counter(line["path"] for line in await asked_in(state, requests))
    assert asked == ({"order": 17} if exchange.id == "binance" else {"AddOrderBatch": 2})
    again = good(await exchange.create_orders(wishes(await low(exchange), 17)))
    assert [order.id for order in again] == [order.id for order in orders]
    assert len(rows(running, exchange)) == 17
    canceled = await exchange.cancel_orders([*orders[:10], orders[0]])
    assert isinstance(canceled[0], planar.models.Order)
    assert {getattr(order, "state", order) for order in canceled} == {OrderState.CANCELED}
    left = await exchange.cancel_orders([order.id for order in orders[9:]], SYMBOL)
    assert isinstance(left[0], OrderNotFound)
    assert [getattr(order, "state", order) for order in left[1:]] == [OrderState.CANCELED] * 7
    assert not exchange.orders.open


async def test_one_bad_item_never_spoils_the_rest(
    exchange: Exchange,  # noqa: F811
    running: LocalVenue,  # noqa: F811
) -> None:
    price = await low(exchange)
    items = wishes(price, 5)
    items[1]["amount"] = "0.00000001"  # a rule of the market
    items[2]["amount"] = "50"  # more than the account has
    items[3] = {"symbol": SYMBOL, "type": "limit", "size": 1}
    results = await exchange.create_orders(items)
    assert [type(one) for one in results] == [OrderHandle, InvalidOrder, InsufficientFunds, BadRequest, OrderHandle]
    outcomes = [one.outcome for one in results if isinstance(one, PlanarError)]
    assert outcomes == [Outcome.NOT_SENT, Outcome.REFUSED, Outcome.NOT_SENT]
    assert len([row for row in rows(running, exchange) if row["client_id"] in exchange.orders]) == 2
    with pytest.raises(BadRequest, match="several orders have the intent_id grid 0"):
        await exchange.create_orders([items[0], items[0]])


async def test_a_batch_that_is_refused_as_a_whole_is_sent_one_by_one(
    exchange: Exchange,  # noqa: F811
    running: LocalVenue,  # noqa: F811
) -> None:
    """The venue checks some of its rules for all before it places any; here one that is not known beforehand."""
    items = wishes(await low(exchange), 3)
    refusal = (
        RefuseRequest(status=200, body='{"error":["EGeneral:Invalid arguments:volume"]}')
        if exchange.id == "kraken"
        else RefuseRequest(status=400, body='{"code":-1013,"msg":"Filter failure: LOT_SIZE"}')
    )
    running.control.add_fault(FaultRule(fault=refusal, venue=exchange.id, **CREATES[exchange.id]))
    results = await exchange.create_orders(items)
    refused = [one for one in results if isinstance(one, PlanarError)]
    assert len(refused) == (0 if exchange.id == "kraken" else 1)
    assert all(isinstance(one, InvalidOrder) for one in refused)
    assert len(rows(running, exchange)) == 3 - len(refused)


async def test_a_refusal_that_concerns_the_account_is_each_ones_own_error(
    exchange: Exchange,  # noqa: F811
    running: LocalVenue,  # noqa: F811
) -> None:
    """Nothing is sent again then."""
    refusal = (
        RefuseRequest(status=200, body='{"error":["EOrder:Rate limit exceeded"]}')
        if exchange.id == "kraken"
        else RefuseRequest(status=429, body='{"code":-1015,"msg":"Too many new orders."}')
    )
    running.control.add_fault(FaultRule(fault=refusal, count=None, venue=exchange.id, **CREATES[exchange.id]))
    results = await exchange.create_orders(wishes(await low(exchange), 3), timeout_ms=1_000)
    assert [isinstance(one, RateLimitExceeded) for one in results] == [True] * 3
    assert len({id(one) for one in results}) == 3
    assert {one.outcome for one in results if isinstance(one, PlanarError)} <= {Outcome.REFUSED, Outcome.NOT_SENT}
    assert rows(running, exchange) == []


@pytest.mark.parametrize("fault", [DropAnswer(), DropRequest()])
async def test_a_batch_without_an_answer_is_settled_item_by_item(
    exchange: Exchange,  # noqa: F811
    running: LocalVenue,  # noqa: F811
    fault: Any,
) -> None:
    price, placed = await low(exchange), isinstance(fault, DropAnswer)
    await exchange.reconcile()
    if not placed:
        hurry(exchange)
    hit = FaultRule(fault=fault, venue=exchange.id, count=1 if exchange.id == "kraken" else 3, **CREATES[exchange.id])
    running.control.add_fault(hit)
    results = await exchange.create_orders(wishes(price, 3), timeout_ms=4_000 if exchange.id == "binance" else 1_000)
    assert len(rows(running, exchange)) == (3 if placed else 0)
    if placed:
        assert {order.state for order in good(results)} == {OrderState.OPEN}
        return
    for one in results:
        assert isinstance(one, PlanarError)
        if isinstance(one, OrderUnknown):  # Kraken's counter leaves no time for the proof of all three
            assert exchange.id == "kraken"
            assert one.order.state is OrderState.UNKNOWN
        else:
            assert (one.outcome, one.message.count("never accepted")) == (Outcome.REFUSED, 1)
    assert not exchange.orders.open


async def test_a_batch_of_cancels_without_an_answer_ends_all_of_them(
    exchange: Exchange,  # noqa: F811
    running: LocalVenue,  # noqa: F811
) -> None:
    orders = good(await exchange.create_orders(wishes(await low(exchange), 4)))
    path = "/0/private/CancelOrderBatch" if exchange.id == "kraken" else "/api/v3/order"
    method = "POST" if exchange.id == "kraken" else "DELETE"
    running.control.add_fault(FaultRule(fault=DropAnswer(), venue=exchange.id, method=method, path=path))
    canceled = await exchange.cancel_orders(orders)
    assert len(canceled) == 4
    assert not [one for one in canceled if isinstance(one, PlanarError) and not isinstance(one, OrderNotFound)]
    assert {row["status"] for row in rows(running, exchange)} == {"canceled"}
    assert {order.state for order in orders} == {OrderState.CANCELED}


async def test_nothing_is_asked_for_nothing(exchange: Exchange) -> None:  # noqa: F811
    assert await exchange.create_orders([]) == []
    assert await exchange.cancel_orders([]) == []
    with pytest.raises(planar.errors.ArgumentsRequired):
        await exchange.cancel_orders(["17"])


async def test_a_restart_finds_what_became_of_each(
    exchange: Exchange,  # noqa: F811
    running: LocalVenue,  # noqa: F811
) -> None:
    await exchange.reconcile()
    hit = FaultRule(
        fault=DropAnswer(), venue=exchange.id, count=1 if exchange.id == "kraken" else 3, **CREATES[exchange.id]
    )
    running.control.add_fault(hit)
    results = await exchange.create_orders(wishes(await low(exchange), 3), timeout_ms=150)
    names = {one.client_id if isinstance(one, OrderUnknown) else one.client_order_id for one in results}
    assert len(names) == 3
    await exchange.close()
    async with planar.open(local_venue=local_of(running)) as other:
        fresh = await other.exchange(exchange.id, environment="local", account=exchange.account, enableRateLimit=False)
        await fresh.reconcile()
        assert {order.client_order_id for order in fresh.orders.open} == names
        assert {row["client_id"] for row in rows(running, fresh)} == names
        assert all(order.amount == Amount("0.001") for order in fresh.orders)
