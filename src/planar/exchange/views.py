"""What one account has: its orders, as its journal and the streams know them, and its balances less what is reserved."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator, Mapping

import msgspec

from planar.errors import JournalError, OrderNotFound, Outcome
from planar.models import AccountBalance, Amount, OrderState
from planar.orders import OrderHandle, OrderManager

OPEN = (OrderState.PENDING, OrderState.OPEN, OrderState.UNKNOWN)


class OrdersView:
    """The orders of this account's journal. Costs no request; orders of other programs are not in it.

    `len(view)` and `for order in view` are all orders that have not ended, oldest first; `view[name]` is one, by the
    client id that Planar gave it, the exchange's id, or the `intent_id` that you gave it.

    Raises (all of it): JournalError, while the journal is not open; `await exchange.reconcile()` opens it.
    """

    def __init__(self, manager: OrderManager, exchange: str) -> None:
        self._manager = manager
        self._exchange = exchange

    @property
    def open(self) -> list[OrderHandle]:
        """Those that stand at the exchange, oldest first."""
        return self._in(OrderState.OPEN)

    @property
    def unknown(self) -> list[OrderHandle]:
        """Those of which nobody knows yet whether the exchange has them; each is being looked into."""
        return self._in(OrderState.UNKNOWN)

    def history(self, limit: int = 100, *, symbol: str | None = None) -> list[OrderHandle]:
        """The last orders in any state, the newest first.

        Args:
            limit: at most so many.
            symbol: of this market only.
        """
        found: list[OrderHandle] = []
        for client_id in self._checked().store.newest():
            handle = OrderHandle(self._manager, client_id)
            if symbol is None or handle.symbol == symbol:
                found.append(handle)
            if len(found) >= limit:
                break
        return found

    async def changes(self) -> AsyncGenerator[OrderHandle]:
        """Each order that changes, from now on; an order that changes twice before it is taken comes once."""
        store, waiting, came = self._checked().store, dict[str, None](), asyncio.Event()

        def note(client_id: str) -> None:
            waiting[client_id] = None
            came.set()

        store.listeners.append(note)
        try:
            while True:
                await came.wait()
                came.clear()
                while waiting:
                    client_id = next(iter(waiting))
                    del waiting[client_id]
                    yield OrderHandle(self._manager, client_id)
        finally:
            store.listeners.remove(note)

    def __iter__(self) -> Iterator[OrderHandle]:
        return iter(self._in(*OPEN))

    def __len__(self) -> int:
        return len(self._in(*OPEN))

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._checked().store.named(name) is not None

    def __getitem__(self, name: str) -> OrderHandle:
        client_id = self._checked().store.named(name)
        if client_id is None:
            raise OrderNotFound(
                f"this journal has no order {name!r}",
                exchange=self._exchange,
                outcome=Outcome.NOT_SENT,
                hint="orders of other programs: fetch_order(id, symbol)",
            )
        return OrderHandle(self._manager, client_id)

    def _in(self, *states: OrderState) -> list[OrderHandle]:
        store = self._checked().store
        return [OrderHandle(self._manager, name) for name in store.unfinished() if store.state(name) in states]

    def _checked(self) -> OrderManager:
        if not self._manager.is_open:
            raise JournalError(
                "the order journal is not open yet",
                exchange=self._exchange,
                outcome=Outcome.NOT_SENT,
                hint="await exchange.reconcile() opens it, and brings it up to what the exchange knows",
            )
        return self._manager


class Holding(msgspec.Struct, frozen=True):
    """What an account has of one currency; None: the exchange does not say.

    Attributes:
        total: all of it.
        free: what the exchange says is not bound by orders.
        used: what is bound by orders, as the exchange says.
        reserved: what orders of this journal may need that the exchange does not count yet: those under way, and those
            of which nobody knows whether it has them.
        available: `free - reserved`, and never less than nothing.
    """

    total: Amount | None
    free: Amount | None
    used: Amount | None
    reserved: Amount
    available: Amount | None


class Portfolio(msgspec.Struct, frozen=True):
    """What an account has.

    A currency that neither the exchange nor an order names is a KeyError, not a zero.

    Attributes:
        holdings: by currency.
        ts_ms: the exchange's time of the balances, if it says one.
    """

    holdings: Mapping[str, Holding]
    ts_ms: int | None = None

    def __getitem__(self, currency: str) -> Holding:
        return self.holdings[currency]


_ZERO = Amount(0)


def portfolio(balance: AccountBalance, reserved: Mapping[str, Amount]) -> Portfolio:
    """Balances and reservations in one."""
    holdings: dict[str, Holding] = {}
    for currency in sorted({*balance.balances, *reserved}):
        one, bound = balance.balances.get(currency), reserved.get(currency, _ZERO)
        total, free, used = (one.total, one.free, one.used) if one is not None else (None, None, None)
        available = None if free is None else max(_ZERO, free - bound)
        holdings[currency] = Holding(total=total, free=free, used=used, reserved=bound, available=available)
    return Portfolio(holdings, balance.ts_ms)
