"""A small exchange without a past or a model: what happens on it is only what the test does."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from planar.venue.engine import addresses, listing
from planar.venue.engine.enums import OrderKind, SelfTradeMode, Side, TimeInForce
from planar.venue.engine.exchange import VirtualExchange
from planar.venue.engine.noise import Stream
from planar.venue.engine.types import NewOrder, OrderRef
from planar.venue.engine.withdrawals import WithdrawalRequest

BTC = "BTC/USDT"
START_MS = 1_760_000_000_000


class Desk:
    """Short words for a test: orders of amounts and prices as text, on BTC/USDT unless said otherwise."""

    def __init__(self, **changes):
        specs = [msgspec.structs.replace(spec, **changes) for spec in listing.symbols()]
        self.now = START_MS
        self.exchange = VirtualExchange(specs, listing.assets(), seed=1, clock=lambda: self.now)
        self.events = []
        self.exchange.subscribe(self.events.append)
        for account in ("ann", "ben", "cid"):
            self.exchange.add_account(account)
            for asset, amount in (("USDT", 1_000_000), ("BTC", 100)):
                self.exchange.credit(account, asset, Decimal(amount), "test")
        self.events.clear()

    def new(self, account, side, amount=None, price=None, **more):
        more.setdefault("symbol", BTC)
        more.setdefault("kind", OrderKind.LIMIT if price else OrderKind.MARKET)
        for field in ("stop_price", "quote_amount", "iceberg_amount"):
            if field in more:
                more[field] = Decimal(more[field])
        return NewOrder(
            account=account,
            side=Side(side),
            amount=None if amount is None else Decimal(amount),
            price=None if price is None else Decimal(price),
            **more,
        )

    def put(self, account, side, amount=None, price=None, **more):
        return self.exchange.submit(self.new(account, side, amount, price, **more))

    def get(self, order):
        return self.exchange.order(order.account, order.symbol, OrderRef(order.id))

    def cancel(self, order, **more):
        return self.exchange.cancel(order.account, order.symbol, OrderRef(order.id), **more)

    def withdraw(self, account, asset, amount, *, address=None, **more):
        """A withdrawal to an address outside, unless one is given."""
        network = more.get("network") or self.exchange.assets[asset].networks[0].network
        address = address or addresses.address(network, Stream("outside"))
        request = WithdrawalRequest(asset=asset, amount=Decimal(amount), address=address, **more)
        return self.exchange.withdraw(account, request)

    def book(self, symbol=BTC, limit=10):
        depth = self.exchange.depth(symbol, limit)
        return (
            [(level.price, level.amount) for level in depth.bids],
            [(level.price, level.amount) for level in depth.asks],
        )

    def balance(self, account, asset):
        balance = self.exchange.balances(account)[asset]
        return balance.free, balance.locked

    def fills(self, order):
        return self.exchange.fills(order.account, order.symbol, order_id=order.id)


class Words:
    """The enums, at hand."""

    FOK, IOC, GTC = TimeInForce.FOK, TimeInForce.IOC, TimeInForce.GTC
    kinds = OrderKind
    modes = SelfTradeMode


@pytest.fixture
def make_desk():
    made = []

    def make(**changes):
        made.append(Desk(**changes))
        return made[-1]

    yield make
    for desk in made:
        assert desk.exchange.audit() == []


@pytest.fixture
def desk(make_desk):
    return make_desk()
