"""The budget of Kraken's tables against the venue's own counters: whatever is asked for, the venue refuses nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

import planar.runtime as runtime
from planar.adapters.kraken import PROFILE
from planar.adapters.kraken.meters import KrakenCosts
from planar.transport.budget import Budget, Reservation
from planar.transport.context import CallContext, Priority
from planar.transport.pool import MeterPool
from planar.venue.wire.kraken import Settings, create
from planar.venue.wire.kraken.limits import FIXED, amend_count, cancel_count

PAIRS = ("XBTUSDT", "ETHUSDT")
LATE_S = 1.5
"""How much longer one request may be on its way than another."""

steps = st.lists(
    st.tuples(
        st.sampled_from(["AddOrder", "AddOrder", "CancelOrder", "AmendOrder", "Balance", "Ledgers"]),
        st.sampled_from(PAIRS),
        st.sampled_from([0.0, 0.0, 0.0, 0.0, 0.3, 4.0, 11.0]),  # pause before it
        st.floats(0, LATE_S),  # way to the venue
        st.integers(0, 5),  # which of the newest orders
    ),
    min_size=80,
    max_size=160,
)


class Front:
    """Where the costs come from that are not Kraken's own."""

    def request_costs(self, section: str, method: str, path: str, params: Any, ccxt_cost: float) -> Any:
        return [("private", ccxt_cost / 3)] if ccxt_cost else []

    async def fetch2(self, path: str, api: Any, method: str, params: Any, config: Any) -> Any:
        return {"result": {"txid": [params["txid"]]}}


class Costs(KrakenCosts, Front):
    pass


async def play(asked: list[tuple[str, str, float, float, int]]) -> None:
    desk = create(seed=1, activity=False, settings=Settings(tier="starter")).desk
    calls, orders, key = desk.calls, desk.transactions, desk.keys.accounts()[0].apiKey
    budget = Budget(MeterPool(), "kraken", "local", "key", PROFILE.meters)
    costs, placed = Costs(), list[tuple[str, str]]()
    changed_s: dict[str, float] = {}
    late: list[asyncio.Task[None]] = []

    async def arrive(path: str, pair: str, txid: str, way_s: float, reservation: Reservation) -> None:
        await runtime.sleep(way_s)
        reservation.end()
        age_s = runtime.monotonic() - changed_s.get(txid, -1e9)
        match path:
            case "AddOrder":
                orders.charge(FIXED, "alice", pair)
            case "AmendOrder":
                orders.charge(amend_count(age_s), "alice", pair)
            case "CancelOrder":
                orders.add(cancel_count(age_s), "alice", pair)
            case "Ledgers":
                calls.charge(2, key)
            case _:
                calls.charge(1, key)
        if path in ("AddOrder", "AmendOrder"):
            changed_s[txid] = runtime.monotonic()

    for number, (path, pair, pause_s, way_s, back) in enumerate(asked):
        await runtime.sleep(pause_s)
        txid = f"O{number}"
        if path in ("CancelOrder", "AmendOrder"):
            if not placed:
                continue
            pair, txid = placed[-1 - back % len(placed)]
            if path == "CancelOrder":
                placed.remove((pair, txid))
        params = {"txid": txid, "pair": pair if path == "AddOrder" else None}
        ccxt_cost = {"Balance": 3.0, "Ledgers": 6.0}.get(path, 0.0)
        call = CallContext(path, 1_000_000, Priority.ORDER)
        reservation = await budget.reserve(costs.request_costs("private", "POST", path, params, ccxt_cost), call)
        await reservation.add(costs.unasked_costs(path, params))
        way_s = way_s / 50 if path == "AddOrder" else way_s  # its age counts from its answer, which is waited for
        late.append(runtime.spawn(arrive(path, pair, txid, way_s, reservation), name="request"))
        await costs.fetch2(path, "private", "POST", params)
        if path == "AddOrder":
            await late[-1]
            placed.append((pair, txid))
    await asyncio.gather(*late)


def simulate(scene: Callable[[], Awaitable[None]]) -> None:
    runtime.simulate(scene, seed=1)


@settings(max_examples=25, deadline=None)
@given(steps)
def test_the_venues_counters_are_never_exceeded(asked: list[tuple[str, str, float, float, int]]) -> None:
    simulate(lambda: play(asked))


def test_young_orders_are_dear_to_cancel() -> None:
    """Six cancels of new orders count 48: the next orders wait, though no cancel does."""
    asked = [("AddOrder", PAIRS[0], 0.0, 0.0, 0)] * 8 + [("CancelOrder", PAIRS[0], 0.0, 0.0, 0)] * 8
    simulate(lambda: play([*asked, *asked, *[("AddOrder", PAIRS[0], 0.0, 0.0, 0)] * 60]))


def test_an_old_order_is_cheap_to_cancel() -> None:
    async def scene() -> None:
        costs = Costs()
        await costs.fetch2("AddOrder", "private", "POST", {"pair": PAIRS[0], "txid": "O1", "cl_ord_id": "mine"})
        assert costs.unasked_costs("CancelOrder", {"txid": "O1"}) == [(f"trading/{PAIRS[0]}", 8)]
        await runtime.sleep(12)
        assert costs.unasked_costs("CancelOrder", {"cl_ord_id": "mine"}) == [(f"trading/{PAIRS[0]}", 5)]
        await runtime.sleep(300)
        assert costs.unasked_costs("CancelOrder", {"txid": "O1"}) == [(f"trading/{PAIRS[0]}", 0)]
        assert costs.unasked_costs("Balance", {}) == ()

    simulate(scene)


def test_each_pair_has_a_counter_of_its_own() -> None:
    async def scene() -> None:
        budget = Budget(MeterPool(), "kraken", "local", "key", PROFILE.meters)
        for pair in PAIRS:
            call = CallContext("create_order", 10, Priority.ORDER)
            await budget.reserve([(f"trading/{pair}", 60)], call)
        assert budget.usage()["trading/XBTUSDT"] == (60, 60)

    simulate(scene)
