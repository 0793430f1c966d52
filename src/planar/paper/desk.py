"""`PaperDesk`: a paper account at work. It holds the account's file, brings the market to it and tells what happens.

    public trades (`Tape`) --+
    order books (live, REST) +--> PaperAccount --> PaperStore (committed) --> listeners (streams of own orders)
    orders, cancels ---------+

Who asks anything of the account simulates it, unless another process does already: then the file is read.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine, Generator, Mapping
from pathlib import Path
from typing import Any

import planar.runtime as runtime
from planar.adapters.base import Adapter, OrderRef, OrderRequest
from planar.errors import JournalError, JournalLocked, PlanarError
from planar.models import AccountBalance, Amount, Fill, Order, Trade
from planar.paper.account import PaperAccount
from planar.paper.books import book_now
from planar.paper.matching import Book
from planar.paper.state import PaperOrder, Summary, Terms
from planar.paper.store import PaperStore
from planar.paper.tape import Tape
from planar.paper.view import balance_of, fill_of, order_of
from planar.streams.hub import StreamHub

log = logging.getLogger("planar.paper")

TICK_S = 1.0
"""How often ends of orders are looked for, and queues kept."""
LOCK_S = 3.0
"""How long a process waits for one that looks into the account."""
LOCK_PAUSE_S = 0.1
CALL_MS = 10_000
ALL = 2**31

Own = Order | Fill | AccountBalance
Listener = Callable[[Own], None]


class PaperDesk:
    """One account, its file and its market data.

    Args:
        data: the adapter below: market data only.
        path: of the account's file.
        start: what a new account holds.
        terms: what decides how orders of a market execute.
    """

    def __init__(self, data: Adapter, path: Path, start: Mapping[str, Amount], terms: Callable[[str], Terms]) -> None:
        self.hub: StreamHub | None = None
        self.listeners: list[Listener] = []
        self._data = data
        self._store = PaperStore(path)
        self._start = start
        self._terms = terms
        self._account: PaperAccount | None = None
        self._tapes: dict[str, Tape] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._holding: asyncio.Task[None] | None = None

    # -- the account ---------------------------------------------------------------------------------------------------
    async def hold(self, patience_s: float = LOCK_S) -> None:
        """Become the one who simulates the account.

        Args:
            patience_s: how long to wait for another process, which may only look into it.

        Raises:
            JournalLocked: another process does.
            JournalError: the file cannot be used.
        """
        due_s = runtime.monotonic() + patience_s
        while self._account is None or self._holding is not None:
            if self._holding is None:
                self._holding = runtime.spawn(self._hold(), name=f"paper {self._data.id}: open")
                self._holding.add_done_callback(self._held)
            try:
                await asyncio.shield(self._holding)
            except JournalLocked:
                if runtime.monotonic() >= due_s:
                    raise
                await runtime.sleep(LOCK_PAUSE_S)

    def _held(self, task: asyncio.Task[None]) -> None:
        self._holding = None
        if not task.cancelled():
            task.exception()  # whoever asked has it; read here for the case that all of them left

    async def _hold(self) -> None:
        self._store.open_to_write(self._start, self._data.venue_ms())
        self._account = PaperAccount(self._store.summary(), self._store.standing())
        self._spawn("tick", self._ticks())
        for order in self._account.standing:
            try:
                self._terms(order.symbol)
                await self.follow(order.symbol)
            except PlanarError as error:
                log.warning("paper %s: order %s cannot go on: %s", self._data.id, order.id, error.message)
                continue
            if order.status == "triggered":
                self._spawn(f"enter {order.id}", self._enter(order))

    @contextlib.contextmanager
    def _reading(self) -> Generator[PaperStore | None]:
        """The file, to be read: one's own, or that of the process that simulates; None if there is no account yet."""
        if self._account is not None:
            yield self._store
            return
        store = PaperStore(self._store.path)
        try:
            yield store if store.open_to_read() else None
        finally:
            store.close()

    async def look(self) -> None:
        """Before something is read: simulate, if nobody else does."""
        with contextlib.suppress(JournalLocked):  # then what the other one keeps is read
            await self.hold(0)
        if self._account is not None:
            self._tick()

    # -- reading ---------------------------------------------------------------------------------------------------
    def balance(self) -> AccountBalance:
        """The balances as they are."""
        if self._account is not None:
            summary = self._account.summary
        else:
            with self._reading() as store:
                summary = store.summary() if store is not None else Summary(0, {}, {})
        return balance_of(summary, self._data.venue_ms())

    def open_orders(self, symbol: str | None) -> list[Order]:
        """Orders that have not ended, the oldest first."""
        with self._reading() as store:
            if self._account is not None:
                standing = self._account.standing
            else:
                standing = store.standing() if store is not None else []
        return [order_of(order) for order in standing if symbol is None or order.symbol == symbol]

    def orders(self, symbol: str, since_ms: int | None, limit: int | None) -> list[Order]:
        """Orders in any state, the oldest first."""
        with self._reading() as store:
            found = store.orders(symbol, since_ms or 0, _most(limit)) if store is not None else []
        return [order_of(order) for order in found]

    def fills(self, symbol: str, since_ms: int | None, limit: int | None) -> list[Fill]:
        """Executions, the oldest first."""
        with self._reading() as store:
            found = store.fills(symbol, since_ms or 0, _most(limit)) if store is not None else []
        return [fill_of(fill) for fill in found]

    def order(self, ref: OrderRef) -> Order | None:
        """One order by either id."""
        with self._reading() as store:
            found = store.order(ref.order_id, ref.client_id) if store is not None else None
            fills = tuple(store.fills_of(found.id)) if store is not None and found is not None else ()
        return None if found is None else order_of(found, fills)

    # -- changing ------------------------------------------------------------------------------------------------------
    def place(self, request: OrderRequest, book: Book) -> Order:
        """An order arrives now.

        Raises:
            PlanarError: with the outcome REFUSED: there is no such order.
        """
        account, terms = self._ours, self._terms(request.symbol)
        placed = account.place(request, terms, book, self._data.venue_ms())
        self._commit()
        log.info("paper %s: %s %s is %s", self._data.id, placed.id, _words(placed), placed.status)
        self._tend(request.symbol)
        with self._reading() as store:
            assert store is not None
            return order_of(placed, tuple(store.fills_of(placed.id)))

    def cancel(self, order: PaperOrder) -> Order:
        """Take back what has not traded of an order that stands."""
        ended = self._ours.cancel(order.id, self._terms(order.symbol), self._data.venue_ms())
        self._commit()
        log.info("paper %s: %s %s is canceled", self._data.id, ended.id, _words(ended))
        self._tend(order.symbol)
        return order_of(ended)

    def standing(self, ref: OrderRef) -> PaperOrder | None:
        """An order that has not ended, by either id."""
        for order in self._ours.standing:
            if order.id == ref.order_id or (ref.order_id is None and order.client_id == ref.client_id):
                return order
        return None

    def all_standing(self, symbol: str) -> list[PaperOrder]:
        """The orders of a market that have not ended."""
        return [order for order in self._ours.standing if order.symbol == symbol]

    @property
    def _ours(self) -> PaperAccount:
        assert self._account is not None
        return self._account

    def _commit(self) -> None:
        """Keep what has changed, then tell it.

        Raises:
            JournalError: nothing was kept, and nothing has changed.
        """
        changes = self._ours.changes()
        try:
            self._store.commit(changes)
        except JournalError:
            self._account = PaperAccount(self._store.summary(), self._store.standing())
            for tape in self._tapes.values():
                tape.catch_up()
            raise
        for fill in changes.fills:
            words = f"{fill.side} {fill.amount} {fill.symbol} at {fill.price}, {fill.role}"
            log.info("paper %s: %s of %s: %s", self._data.id, fill.id, fill.order_id, words)
        if not self.listeners or not (changes.orders or changes.fills):
            return
        told: list[Own] = [*map(fill_of, changes.fills), *map(order_of, changes.orders)]
        told.append(balance_of(changes.summary, self._data.venue_ms()))
        for listener in tuple(self.listeners):
            for one in told:
                listener(one)

    # -- the market ----------------------------------------------------------------------------------------------------
    async def follow(self, symbol: str) -> None:
        """Take in the trades of a market from now on.

        Raises:
            NotSupported: the exchange tells no trades.
        """
        if symbol in self._tapes:
            return
        assert self.hub is not None
        tape = self._tapes[symbol] = Tape(symbol, self._data, self.hub, self)
        try:
            await tape.start()
        except BaseException:
            self._tapes.pop(symbol, None)
            raise

    def _stands_in(self, symbol: str) -> bool:
        return any(order.symbol == symbol for order in self._ours.standing)

    def _tend(self, symbol: str) -> None:
        """Follow the trades of a market in which something stands; leave those in which nothing does any more."""
        if (symbol in self._tapes) != self._stands_in(symbol):
            self._spawn(f"tend {symbol}", self._follow_or_leave(symbol))

    async def _follow_or_leave(self, symbol: str) -> None:
        if self._stands_in(symbol):
            await self.follow(symbol)
        elif (tape := self._tapes.pop(symbol, None)) is not None:
            await tape.stop()

    async def book(self, order: OrderRequest | PaperOrder, timeout_ms: int) -> Book:
        """The book that an order meets now; see `book_now`."""
        return await book_now(self._data, self.hub, order, timeout_ms=timeout_ms)

    def taken_ms(self, symbol: str) -> int | None:
        """See `tape.Reader`: what was before the oldest order that stands concerns none."""
        account = self._ours
        since = [order.since_ms for order in account.standing if order.symbol == symbol]
        return max(account.seen_ms(symbol), min(since)) if since else None

    def trade(self, trade: Trade) -> None:
        """See `tape.Reader`."""
        account = self._account
        if account is None or trade.symbol not in self._tapes:
            return
        triggered = account.trade(trade, self._terms(trade.symbol))
        if triggered or account.has_news:
            self._commit_quietly()
            self._tend(trade.symbol)
        for order in triggered:
            log.info("paper %s: %s %s is triggered at %s", self._data.id, order.id, _words(order), trade.price)
            self._spawn(f"enter {order.id}", self._enter(order))

    async def _enter(self, order: PaperOrder) -> None:
        """A triggered order goes to the market, as soon as there is a book for it."""
        while True:
            try:
                book = await self.book(order, CALL_MS)
            except PlanarError as error:
                log.warning("paper %s: %s waits for a book: %s", self._data.id, order.id, error.message)
            else:
                now = next((one for one in self._ours.standing if one.id == order.id), None)
                if now is not None and now.status == "triggered":
                    self._ours.enter(order.id, self._terms(order.symbol), book, self._data.venue_ms())
                    self._commit_quietly()
                    self._tend(order.symbol)
                return
            await runtime.sleep(TICK_S)

    # -- time ----------------------------------------------------------------------------------------------------------
    async def _ticks(self) -> None:
        while True:
            await runtime.sleep(TICK_S)
            self._tick()

    def _tick(self) -> None:
        """End what has run out, and keep how far the queues have come."""
        account = self._ours
        due = dict.fromkeys(order.symbol for order in account.standing if order.expire_ms is not None)
        for symbol in due:
            account.expire(self._terms(symbol), self._data.venue_ms())
            self._tend(symbol)
        if account.touched:
            self._commit_quietly()

    def _commit_quietly(self) -> None:
        """The same where nobody waits for it: what is not kept is taken in anew."""
        try:
            self._commit()
        except JournalError as error:
            log.error("paper %s: %s", self._data.id, error)

    def _spawn(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        task = self._tasks[name] = runtime.spawn(work, name=f"paper {self._data.id}: {name}")
        task.add_done_callback(lambda done: self._tasks.pop(name) if self._tasks.get(name) is done else None)

    async def close(self) -> None:
        """Keep everything, stop everything, give the account back."""
        if self._account is not None and self._account.touched:
            self._commit_quietly()
        tasks = list(self._tasks.values())
        if self._holding is not None:
            tasks.append(self._holding)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        for tape in list(self._tapes.values()):
            await tape.stop()
        self._tapes.clear()
        self._account = None
        self._store.close()


def _most(limit: int | None) -> int:
    return ALL if limit is None else limit


def _words(order: PaperOrder) -> str:
    size = f"for {order.cost}" if order.cost is not None else f"{order.amount}"
    price = f" at {order.price}" if order.price is not None else ""
    return f"({order.side} {size} {order.symbol}{price})"
