"""Random journals against random venues: one pass makes them agree, a second finds nothing new, and a question that was
not answered proves nothing."""

from __future__ import annotations

import asyncio
import random
import tempfile
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from planar.adapters.base import OrderRef
from planar.adapters.profile import ClientIdRule, ExpiryRule, Profile
from planar.errors import ExchangeNotAvailable, OrderNotFound, PlanarError
from planar.models import AccountBalance, Amount, Balance, Fill, Order, OrderState
from planar.orders.cancelling import Canceller
from planar.orders.differences import Difference, DifferenceKind, Policy, Reconciliation
from planar.orders.events import Acked, AnyEvent, FillSeen, Intent, Seen, Sending
from planar.orders.ids import ClientIds
from planar.orders.journal import Journal
from planar.orders.reconciler import Reconciler
from planar.orders.store import OrderStore
from planar.orders.tasks import Tasks
from planar.transport.alarms import Alarms

SYMBOLS = ("BTC/USDT", "ETH/USDT")
PRICE = Amount(100)
ONE = Amount(1)
PARTS = ("fetch_open_orders", "query_order", "fetch_orders", "fetch_my_trades", "fetch_balance")


class Case(msgspec.Struct, frozen=True):
    """One order: what the journal holds of it, and what the venue has.

    Attributes:
        journal: "foreign" and "lost" are not in it, the latter with its id.
        venue: its state there; "none": it has none of that name.
        heard, filled: tenths that the journal knows as filled, and that are.
    """

    symbol: str
    journal: str
    venue: str
    heard: int
    filled: int


cases = st.builds(
    Case,
    st.sampled_from(SYMBOLS),
    st.sampled_from(["foreign", "lost", "pending", "sent", "acked", "open"]),
    st.sampled_from(["none", "open", "filled", "canceled"]),
    st.integers(0, 9),
    st.integers(0, 9),
)
worlds = st.lists(cases, max_size=12)


class Model:
    """A venue that is a list of orders, with the adapter's methods."""

    def __init__(self, broken: set[str], seed: int = 0) -> None:
        self.id = "model"
        self.profile = Profile(id="model", client_id=ClientIdRule(query_param="id"), expiry=ExpiryRule(settle_ms=1_000))
        self.orders: dict[str, Order] = {}
        self.canceled: list[str] = []
        self.broken = broken
        self._random = random.Random(seed)

    def _list(self, name: str, rows: list[Any]) -> list[Any]:
        if name in self.broken:
            raise ExchangeNotAvailable("down")
        return self._random.sample(rows, len(rows))

    async def fetch_open_orders(self, symbol: str | None, params: Any, *, timeout_ms: int) -> list[Order]:
        rows = [one for one in self.orders.values() if one.is_open and symbol in (None, one.symbol)]
        return self._list("fetch_open_orders", rows)

    async def fetch_orders(
        self, symbol: str, since_ms: int | None, limit: int | None, params: Any, *, timeout_ms: int
    ) -> list[Order]:
        return self._list("fetch_orders", [one for one in self.orders.values() if one.symbol == symbol])

    async def query_order(self, ref: OrderRef, params: Any, *, timeout_ms: int) -> Order | None:
        self._list("query_order", [])
        return next((one for one in self.orders.values() if ref.client_id == one.client_order_id), None)

    async def fetch_my_trades(
        self, symbol: str, since_ms: int | None, limit: int | None, params: Any, *, timeout_ms: int
    ) -> list[Fill]:
        rows = [fill for one in self.orders.values() if one.symbol == symbol for fill in fills_of(one)]
        return self._list("fetch_my_trades", rows)

    async def fetch_balance(self, params: Any, *, timeout_ms: int) -> AccountBalance:
        self._list("fetch_balance", [])
        return AccountBalance(balances={"USDT": Balance(free=ONE, used=Amount(0), total=ONE)})

    async def cancel(self, ref: OrderRef, params: Any, *, timeout_ms: int) -> Order:
        order = self.orders.get(ref.client_id or "")
        if order is None or not order.is_open:
            raise OrderNotFound("unknown order")
        self.canceled.append(ref.client_id or "")
        ended = msgspec.structs.replace(order, state=OrderState.CANCELED, status="canceled")
        self.orders[ref.client_id or ""] = ended
        return ended


def fills_of(order: Order) -> list[Fill]:
    count = int((order.filled or Amount(0)) * 10)
    return [
        Fill(
            id=f"{order.id}-{number}",
            order_id=order.id,
            symbol=order.symbol,
            side="buy",
            price=PRICE,
            amount=Amount("0.1"),
            ts_ms=1_000,
        )
        for number in range(count)
    ]


class World:
    """A journal and a venue made of cases."""

    def __init__(self, made: list[Case], directory: Path, broken: set[str] = frozenset(), seed: int = 0) -> None:  # type: ignore[assignment]
        self.venue = Model(set(broken), seed)
        self.journal = Journal(directory / "journal.db")
        self.journal.open()
        self.ids = ClientIds(self.venue.profile.client_id, self.journal.id)
        self.cases = {self._name(number, one): one for number, one in enumerate(made)}
        for number, (client_id, one) in enumerate(self.cases.items()):
            history = events_of(client_id, number, one)
            if history:
                self.journal.append(*history)
            order = order_of(client_id, number, one)
            if order is not None:
                self.venue.orders[client_id] = order
        self.store = OrderStore(self.journal)
        self.store.replay()
        adapter: Any = self.venue
        self.reconciler = Reconciler(
            adapter,
            self.store,
            Canceller(adapter, self.store, Tasks(), 1_000),
            1_000,
            Alarms(),
            account="",
            policy="report",
            submitting=lambda client_id: False,
        )
        self.told: list[Difference] = []
        self.reconciler.on_difference(self.told.append)

    def _name(self, number: int, one: Case) -> str:
        return f"other{number}" if one.journal == "foreign" else self.ids.make(number + 1)

    async def run(
        self, reason: Any = "start", policy: Policy | None = None
    ) -> tuple[Reconciliation, PlanarError | None]:
        return await self.reconciler.run(self.ids, reason, policy)

    def kinds(self, found: Reconciliation, kind: DifferenceKind) -> set[str]:
        return {one.client_id or "" for one in found.differences if one.kind is kind}


def order_of(client_id: str, number: int, one: Case) -> Order | None:
    if one.venue == "none" or one.journal == "pending":
        return None
    filled = 10 if one.venue == "filled" else max(one.filled, one.heard if one.journal == "open" else 0)
    return Order(
        id=str(number),
        client_order_id=client_id,
        symbol=one.symbol,
        side="buy",
        type="limit",
        state=OrderState(one.venue),
        amount=ONE,
        price=PRICE,
        filled=Amount(filled) / 10 if filled else Amount(0),
        ts_ms=1_000,
    )


def events_of(client_id: str, number: int, one: Case) -> list[AnyEvent]:
    if one.journal in ("foreign", "lost"):
        return []
    found: list[AnyEvent] = [Intent(client_id, 1, symbol=one.symbol, side="buy", type="limit", amount=ONE, price=PRICE)]
    if one.journal == "pending":
        return found
    found.append(Sending(client_id, 2, expiry_ms=3))
    if one.journal in ("acked", "open"):
        found.append(Acked(client_id, 3, order_id=str(number)))
    if one.journal == "open":
        found.append(Seen(client_id, 4, order_id=str(number), state="open", filled=Amount(one.heard) / 10))
        if one.heard:
            found.append(
                FillSeen(client_id, 5, trade_id=f"{number}-0", order_id=str(number), price=PRICE, amount=Amount("0.1"))
            )
    return found


@given(worlds, st.integers(0, 9))
@settings(max_examples=80)
def test_one_pass_makes_them_agree_and_a_second_finds_nothing_new(made: list[Case], seed: int) -> None:
    async def play() -> None:
        with tempfile.TemporaryDirectory() as name:
            world = World(made, Path(name), seed=seed)
            found, error = await world.run()
            assert error is None
            assert found.failed == ()
            for client_id, one in world.cases.items():
                at_venue = world.venue.orders.get(client_id)
                if one.journal in ("foreign", "lost"):
                    assert not world.store.knows(client_id)
                elif one.journal == "pending":
                    assert client_id in found.not_sent
                elif at_venue is None:
                    expected = OrderState.UNKNOWN if one.journal == "sent" else OrderState.OPEN
                    assert world.store.state(client_id) is expected
                    assert (client_id in found.unknown) == (one.journal == "sent")
                else:
                    assert world.store.state(client_id) is at_venue.state
                    assert world.store.order(client_id).filled == at_venue.filled
                    assert sum((one.amount for one in world.store.facts(client_id).fills), Amount(0)) == at_venue.filled
            ghosts = {
                name for name, one in world.cases.items() if one.journal in ("acked", "open") and one.venue == "none"
            }
            assert world.kinds(found, DifferenceKind.GHOST) == ghosts
            assert found.foreign == sum(one.journal == "foreign" and one.venue == "open" for one in made)
            written, told = world.journal.last_seq, len(world.told)
            again, _ = await world.run("demand")
            assert world.journal.last_seq == written
            assert len(world.told) == told
            assert {one.key for one in again.differences} <= {one.key for one in found.differences}
            assert {one.kind for one in again.differences} <= {DifferenceKind.GHOST, DifferenceKind.ORPHAN}
            world.journal.close()

    asyncio.run(play())


@given(worlds, st.sets(st.sampled_from(PARTS), min_size=1))
@settings(max_examples=80)
def test_a_question_that_was_not_answered_proves_nothing(made: list[Case], broken: set[str]) -> None:
    async def play() -> None:
        with tempfile.TemporaryDirectory() as name:
            world = World(made, Path(name), broken)
            before = {client_id: world.store.state(client_id) for client_id in world.store.names()}
            found, error = await world.run()
            if "fetch_open_orders" in broken:
                assert error is not None
                assert [part.part for part in found.failed] == ["open orders"]
            for client_id in before:
                now, at_venue = world.store.state(client_id), world.venue.orders.get(client_id)
                proven = at_venue is not None and now is at_venue.state
                assert now is before[client_id] or proven or client_id in found.not_sent
                assert now is not OrderState.NEVER_ACCEPTED
            failed = {part.of for part in found.failed if part.part == "orders"}
            assert not failed & world.kinds(found, DifferenceKind.GHOST)
            if "query_order" in broken:
                assert not world.kinds(found, DifferenceKind.GHOST)
                assert not failed or error is not None
            world.venue.broken.clear()
            healed, error = await world.run("demand")
            assert error is None
            assert healed.failed == ()
            for client_id, at_venue in world.venue.orders.items():
                if world.store.knows(client_id):
                    assert world.store.state(client_id) is at_venue.state
            world.journal.close()

    asyncio.run(play())


@given(worlds, st.sampled_from(["report", "adopt", "cancel"]))
@settings(max_examples=80)
def test_policies_touch_orphans_alone(made: list[Case], policy: Policy) -> None:
    async def play() -> None:
        with tempfile.TemporaryDirectory() as name:
            world = World(made, Path(name))
            lost = {
                client_id for client_id, one in world.cases.items() if one.journal == "lost" and one.venue == "open"
            }
            found, _ = await world.run(policy=policy)
            open_orphans = {
                name for name in world.kinds(found, DifferenceKind.ORPHAN) if world.cases[name].venue == "open"
            }
            assert open_orphans == lost
            assert set(world.venue.canceled) == (lost if policy == "cancel" else set())
            assert {name for name in lost if world.store.knows(name)} == (set() if policy == "report" else lost)
            for client_id in lost if policy != "report" else ():
                expected = OrderState.CANCELED if policy == "cancel" else OrderState.OPEN
                assert world.store.state(client_id) is expected
            world.journal.close()

    asyncio.run(play())


@given(worlds)
@settings(max_examples=30)
def test_the_order_in_which_the_venue_lists_makes_no_difference(made: list[Case]) -> None:
    async def play(seed: int) -> list[tuple[str, ...]]:
        with tempfile.TemporaryDirectory() as name:
            world = World(made, Path(name), seed=seed)
            found, _ = await world.run()
            world.journal.close()
            # the ids of two journals differ: what stands behind them is the case
            names = {client_id: str(number) for number, client_id in enumerate(world.cases)}
            return [(one.kind, names.get(one.client_id or "", ""), one.journal, one.venue) for one in found.differences]

    first, second = asyncio.run(play(1)), asyncio.run(play(2))
    assert sorted(first) == sorted(second)
    if len({one.symbol for one in made}) <= 1:
        assert [one[0] for one in first] == [one[0] for one in second]


def test_an_order_of_a_moment_ago_is_no_ghost_yet() -> None:
    """The venue's answers may lag: that they do not show it proves nothing."""

    async def play() -> None:
        with tempfile.TemporaryDirectory() as name:
            world = World([Case(SYMBOLS[0], "acked", "none", 0, 0)], Path(name))
            (client_id,) = world.cases
            world.store.record(Seen(client_id, 6, order_id="0", state="open", filled=Amount("0.1")))
            await world.run()  # from here on events are timed
            world.store.record(Seen(client_id, 7, order_id="0", state="open", filled=Amount("0.2")))
            found, _ = await world.run("demand")
            assert found.differences == ()
            await asyncio.sleep(1.05)
            found, _ = await world.run("demand")
            assert [one.kind for one in found.differences] == [DifferenceKind.GHOST]
            assert world.store.state(client_id) is OrderState.OPEN
            world.journal.close()

    asyncio.run(play())
