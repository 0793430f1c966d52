"""What the handlers of all doors share: engine, markets, keys, limits, user data, and what only this venue remembers.

The engine knows nothing of strategy labels, execution ids and amendments; they are kept here, filled from its events.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import msgspec

import planar.runtime as runtime
from planar.venue.engine.enums import MarketStatus
from planar.venue.engine.events import (
    BalanceChange,
    Event,
    FiltersChange,
    FundsMoved,
    ListEvent,
    MarketStatusChange,
    OrderEvent,
)
from planar.venue.engine.exchange import VirtualExchange
from planar.venue.engine.types import Order
from planar.venue.wire.binance import witnessed
from planar.venue.wire.binance.filters import AVERAGE_MINUTES
from planar.venue.wire.binance.keys import ApiKey, KeyRing, Right
from planar.venue.wire.binance.limits import AddressLimits, Meter, OrderLimits
from planar.venue.wire.binance.listen_keys import ListenKeys
from planar.venue.wire.binance.order_json import NO_STRATEGY
from planar.venue.wire.binance.order_params import Strategy
from planar.venue.wire.binance.params import Params
from planar.venue.wire.binance.settings import Settings
from planar.venue.wire.binance.snapshots import Snapshots
from planar.venue.wire.binance.symbols import SymbolTable
from planar.venue.wire.binance.user_data import UserData, first_fill
from planar.venue.witness import Witness


class Amendment(msgspec.Struct, frozen=True):
    """An amendment that was carried out."""

    execution_id: int
    previous_client_id: str
    client_id: str
    previous_amount: Decimal
    amount: Decimal
    ts_ms: int


class Desk:
    """Shared state of the Binance wire."""

    def __init__(self, exchange: VirtualExchange, settings: Settings, seed: int) -> None:
        self.exchange = exchange
        self.settings = settings
        self.witness = Witness("binance", witnessed.FIELDS)
        self.symbols = SymbolTable(exchange.symbols)
        self.keys = KeyRing(exchange.accounts(), seed)
        self.addresses = AddressLimits(
            settings.weight_rule,
            settings.requests_rule,
            warnings=settings.warnings_before_ban,
            ban_ms=settings.ban_ms,
            witness=self.witness,
        )
        self.sapi_addresses = AddressLimits(
            settings.sapi_weight_rule,
            settings.requests_rule,
            warnings=settings.warnings_before_ban,
            ban_ms=settings.ban_ms,
            witness=self.witness,
            family="SAPI ",
        )
        self.connections = Meter(settings.connections_rule)
        self.witness.watch(self.connections.rows)
        self.orders = OrderLimits(settings.order_rules, self.witness)
        self.users = UserData(self.symbols)
        self.listen_keys = ListenKeys(settings.listen_key_ms)
        self.snapshots = Snapshots(exchange)
        self.started_ms = runtime.wall_ms()
        self.amendments: dict[tuple[str, int], list[Amendment]] = {}
        """By symbol and order id."""
        self._averages: dict[str, tuple[int, Decimal | None]] = {}
        self._strategies: dict[tuple[str, int], Strategy] = {}
        self._announced: dict[tuple[str, str, str], Strategy] = {}
        exchange.subscribe(self._on_event)

    def tick(self, now_ms: int) -> None:
        """Do what is due: movements of money, daily snapshots, the end of listen keys that nobody kept alive."""
        for account, key in self.listen_keys.run_out():
            self.users.expire(account, key)
        self.exchange.settle()
        self.snapshots.tick(now_ms)

    def average_price(self, symbol: str) -> Decimal | None:
        """Average price of the last minutes, weighted by volume; the last price if there was no trade.

        Computed at most once a second for each market.
        """
        second = self.exchange.now_ms() // 1000
        known = self._averages.get(symbol)
        if known is None or known[0] != second:
            window = self.exchange.ticker(symbol, AVERAGE_MINUTES * 60_000)
            price = window.quote_volume / window.volume if window.volume else self.exchange.last_price(symbol)
            known = self._averages[symbol] = (second, price)
        return known[1]

    @contextmanager
    def labelled(self, account: str, symbol: str, client_id: str, strategy: Strategy) -> Generator[None]:
        """An order accepted under this client id in the meantime carries these labels."""
        if strategy != NO_STRATEGY:
            self._announced[account, symbol, client_id] = strategy
        try:
            yield
        finally:
            self._announced.pop((account, symbol, client_id), None)

    def strategy_of(self, order: Order) -> Strategy:
        """The labels of an order."""
        return self._strategies.get((order.symbol, order.id), NO_STRATEGY)

    def _on_event(self, event: Event) -> None:
        if isinstance(event, OrderEvent):
            order = event.order
            announced = self._announced.pop((order.account, order.symbol, order.client_id), None)
            if announced is not None:
                self._strategies[order.symbol, order.id] = announced
            if event.fill is not None and first_fill(event):
                self.orders.first_fill(order.account, event.ts_ms, maker=event.fill.is_maker)
            self.users.on_order(event, self.strategy_of(order))
        elif isinstance(event, ListEvent):
            self.users.on_list(event)
        elif isinstance(event, BalanceChange):
            self.users.on_balances(event)
        elif isinstance(event, FundsMoved):
            self.users.on_funds(event)
        elif isinstance(event, FiltersChange):
            self.symbols.refresh(event.spec)
        elif isinstance(event, MarketStatusChange) and event.status is MarketStatus.DELISTED:
            self.symbols.drop(event.symbol)

    def expire_tokens(self, account: str) -> int:
        """End the listen keys and user data subscriptions of an account before their time; how many they were."""
        return self.users.expire(account) + self.listen_keys.expire(account)


class Call:
    """One request on its way through a handler, whichever door it came by.

    Attributes:
        params: its parameters; those of security are already read.
        address: where it came from.
        key: the key it was made with; None for public endpoints.
    """

    __slots__ = ("address", "key", "params")

    def __init__(self, params: Params, address: str, key: ApiKey | None = None) -> None:
        self.params = params
        self.address = address
        self.key = key

    @property
    def account(self) -> str:
        """Name of the account. Only endpoints with security ask for it."""
        if self.key is None:
            raise RuntimeError("a public endpoint has no account")
        return self.key.account


Handler = Callable[[Desk, Call], Any]
Weight = int | Callable[[Params], int]


class Endpoint(msgspec.Struct, frozen=True):
    """What can be asked, by REST or WebSocket API.

    Attributes:
        handler: answers with JSON values.
        weight: request weight, fixed or from the parameters.
        right: its security type.
        signed: whether it takes timestamp and signature.
        counts_orders: whether its answers carry the account's order counts.
        sapi: whether it belongs to /sapi, which meters apart.
        always: whether it is answered during maintenance too.
    """

    handler: Handler
    weight: Weight = 1
    right: Right = Right.NONE
    signed: bool = False
    counts_orders: bool = False
    sapi: bool = False
    always: bool = False

    def weigh(self, params: Params) -> int:
        """Weight of a request with these parameters."""
        return self.weight if isinstance(self.weight, int) else self.weight(params)
