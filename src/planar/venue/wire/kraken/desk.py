"""What the handlers of all doors share: engine, names, keys, limits, orders, journal."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec

import planar.runtime as runtime
from planar.venue import clock
from planar.venue.engine.exchange import VirtualExchange
from planar.venue.wire.kraken import errors, witnessed
from planar.venue.wire.kraken.drafts import Reader
from planar.venue.wire.kraken.ids import Ids
from planar.venue.wire.kraken.journal import Journal
from planar.venue.wire.kraken.keys import ApiKey, KeyRing, Right
from planar.venue.wire.kraken.limits import Counters
from planar.venue.wire.kraken.names import Names
from planar.venue.wire.kraken.params import Params
from planar.venue.wire.kraken.settings import Settings
from planar.venue.wire.kraken.tickets import Register
from planar.venue.wire.kraken.trading import Trading
from planar.venue.witness import Witness

_LONGEST_SWITCH_S = 86_400
_DOLLARS = "USDT"
"""What counts as a dollar where Kraken states values in USD: the local market has no USD."""


class Desk:
    """Shared state of the Kraken wire."""

    def __init__(self, exchange: VirtualExchange, settings: Settings, seed: int) -> None:
        self.exchange = exchange
        self.settings = settings
        self.witness = Witness("kraken", witnessed.FIELDS)
        self.names = Names(exchange.assets, exchange.symbols)
        self.ids = Ids(seed)
        self.keys = KeyRing(exchange.accounts(), seed, settings.token_s)
        limits = settings.limits
        self.calls = Counters(
            limits.calls,
            limits.calls_decay,
            errors.CALL_LIMIT,
            name="call counter",
            scope="key",
            subject=self.keys.name_of,
            witness=self.witness,
        )
        self.transactions = Counters(
            limits.orders,
            limits.orders_decay,
            errors.ORDER_LIMIT,
            name="transaction counter",
            scope="account and market",
            subject="{} {}".format,
            witness=self.witness,
        )
        self.register = Register(exchange, self.ids)
        self.journal = Journal(exchange, self.ids)
        self.trading = Trading(exchange, self.register, self.names, self.ids, self.transactions, limits.open_orders)
        self.cancel_at_ms: dict[str, int] = {}
        """By account: when CancelAllOrdersAfter strikes."""

    def dollars(self, asset: str) -> Decimal:
        """What one unit of an asset is worth in dollars; zero if no market says so."""
        if asset == _DOLLARS:
            return Decimal(1)
        symbol = f"{asset}/{_DOLLARS}"
        known = symbol in self.exchange.symbols
        return (self.exchange.last_price(symbol) if known else None) or Decimal(0)

    def reader(self, account: str) -> Reader:
        """What reads the orders of an account from parameters."""
        return Reader(self.exchange, self.names, account)

    def cancel_all(self, account: str) -> int:
        """Cancel all open orders of an account; how many they were."""
        tickets = self.register.open(account)
        for ticket in tickets:
            self.trading.cancel(ticket)
        return len(tickets)

    def cancel_all_after(self, account: str, timeout_s: int) -> dict[str, int]:
        """Set the dead man's switch of an account, or with 0 take it back; now and when it strikes (0: never)."""
        now_ms = clock.wall_ms()
        if not 0 <= timeout_s <= _LONGEST_SWITCH_S:
            raise errors.invalid("timeout")
        if timeout_s == 0:
            self.cancel_at_ms.pop(account, None)
            return {"currentTime": now_ms, "triggerTime": 0}
        self.cancel_at_ms[account] = runtime.wall_ms() + timeout_s * 1000
        return {"currentTime": now_ms, "triggerTime": now_ms + timeout_s * 1000}

    def tick(self, now_ms: int) -> None:
        """End what is over: orders with a date, and those whose owner fell silent; do what is due of funding."""
        self.exchange.settle()
        self.trading.start(now_ms)
        self.trading.expire(now_ms)
        for account, at_ms in list(self.cancel_at_ms.items()):
            if at_ms <= now_ms:
                del self.cancel_at_ms[account]
                self.cancel_all(account)


class Call:
    """One REST request on its way through a handler."""

    __slots__ = ("account", "key", "params")

    def __init__(self, params: Params, account: str, key: ApiKey | None = None) -> None:
        self.params = params
        self.account = account
        """Empty for public endpoints."""
        self.key = key
        """The key that signed; None where none did."""


class Endpoint(msgspec.Struct, frozen=True):
    """What can be asked over REST.

    Attributes:
        handler: answers with the JSON values of `result`.
        right: what the key must allow; None for public endpoints.
        cost: what it adds to the call counter.
    """

    handler: Callable[[Desk, Call], Any]
    right: Right | None = None
    cost: int = 0
