"""What accounts were a little while ago: balances, orders and fills as of then, and a record that stays small."""

from __future__ import annotations

from decimal import Decimal

import pytest

from planar.venue.engine import past
from planar.venue.engine.enums import OrderKind, OrderStatus, Side
from planar.venue.engine.exchange import VirtualExchange
from planar.venue.engine.past import KEPT_MS, Versions
from planar.venue.engine.rejects import EngineReject
from planar.venue.engine.types import NewOrder, Order, OrderRef
from planar.venue.engine.world import build

START_MS = 1_780_000_000_000
SYMBOL = "BTC/USDT"


class World:
    """An exchange whose clock stands until a test moves it."""

    def __init__(self) -> None:
        self.now_ms = START_MS
        self.exchange: VirtualExchange = build(seed=1, clock=lambda: self.now_ms).exchange

    def limit(self, amount: str = "0.01") -> Order:
        return self._submit(OrderKind.LIMIT, amount, Decimal(20_000))

    def market(self, amount: str = "0.01") -> Order:
        return self._submit(OrderKind.MARKET, amount, None)

    def _submit(self, kind: OrderKind, amount: str, price: Decimal | None) -> Order:
        return self.exchange.submit(
            NewOrder(account="alice", symbol=SYMBOL, side=Side.BUY, kind=kind, amount=Decimal(amount), price=price)
        )

    def btc(self) -> Decimal:
        return self.exchange.balances("alice")["BTC"].total


@pytest.fixture
def world() -> World:
    return World()


def test_an_order_of_three_states(world: World) -> None:
    world.now_ms += 100
    order = world.limit()
    ref = OrderRef(order.id)
    world.now_ms += 100
    world.exchange.cancel("alice", SYMBOL, ref)
    world.now_ms += 100
    with past.lagging(150):
        assert world.exchange.order("alice", SYMBOL, ref).status is OrderStatus.NEW
        assert order.id in [one.id for one in world.exchange.open_orders("alice", SYMBOL)]
        with past.present():
            assert world.exchange.order("alice", SYMBOL, ref).status is OrderStatus.CANCELED
    with past.lagging(250):
        with pytest.raises(EngineReject):
            world.exchange.order("alice", SYMBOL, ref)
        assert order.id not in [one.id for one in world.exchange.orders("alice", SYMBOL)]
    assert order.id not in [one.id for one in world.exchange.open_orders("alice", SYMBOL)]


def test_balances_and_fills(world: World) -> None:
    before, fills = world.btc(), len(world.exchange.fills("alice", SYMBOL))
    world.now_ms += 100
    world.market()
    after = world.btc()
    world.now_ms += 100
    with past.lagging(150):
        assert world.btc() == before
        assert len(world.exchange.fills("alice", SYMBOL)) == fills
    with past.lagging(50):
        assert world.btc() == after > before
        assert len(world.exchange.fills("alice", SYMBOL)) > fills


def test_what_was_there_from_the_start_was_always_there(world: World) -> None:
    seeded = world.exchange.open_orders("alice")[0]
    world.now_ms += 10
    world.exchange.cancel("alice", seeded.symbol, OrderRef(seeded.id))
    with past.lagging(KEPT_MS):
        assert seeded in world.exchange.open_orders("alice")
        assert world.exchange.balances("alice")["USDT"].locked > 0


def test_an_asset_that_was_not_held_yet(world: World) -> None:
    assert "DOT" not in world.exchange.balances("alice")
    world.now_ms += 100
    world.exchange.credit("alice", "DOT", Decimal(5), "test")
    world.now_ms += 100
    with past.lagging(150):
        assert "DOT" not in world.exchange.balances("alice")
    assert world.exchange.balances("alice")["DOT"].free == 5


def test_the_record_stays_small(world: World) -> None:
    record = world.exchange._past
    assert record is not None
    world.limit()
    kept = len(record)
    for _ in range(300):
        world.now_ms += KEPT_MS // 10
        world.exchange.cancel("alice", SYMBOL, OrderRef(world.limit().id))
        world.market("0.001")
    assert len(record) <= kept + 11 * 8


def test_versions() -> None:
    versions: Versions[str, int] = Versions(lambda value: value > 0)
    for ts_ms, value in ((0, 1), (10, 2), (30, 0)):
        versions.add(ts_ms, "a", value)
    assert [versions.at("a", ts_ms) for ts_ms in (-1, 0, 9, 10, 29, 30, 99)] == [None, 1, 1, 2, 2, 0, 0]
    assert (versions.changed_after("a", 29), versions.changed_after("a", 30)) == (True, False)
    versions.add(KEPT_MS + 20, "b", 5)
    assert versions.at("a", 15) == 2
    assert versions.at("a", 5) is None
    versions.add(KEPT_MS + 31, "b", 6)
    assert len(versions) == 2
