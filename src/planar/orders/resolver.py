"""How an UNKNOWN order ends: on the venue's evidence, or on proof that it was never accepted. Never on a counter.

Proof needs a venue whose matching engine refuses a request after its expiry (a fact of its package). Then, in order:
1. the venue's own clock has passed the request's expiry by `settle_ms`;
2. the client id, the open orders, the orders of any state since the intent, all pages, do not show it, and the account's
   trades belong to other orders;
3. step 2 again, `settle_ms` later.
A query that fails proves nothing; the next round begins again. Nor do answers prove anything that lack an order of this
journal which the venue acknowledged before: they are older than what they should show. Without such a venue the order
stays UNKNOWN until evidence comes or a person decides.

What the proof assumes is that the venue's answers lag by no more than `settle_ms`, unless they show something younger
than the expiry, which its evidence then says. So an order that was proven absent is asked for a few times more; whoever
shows it after all (query, stream, reconciliation) brings it back, and an alarm tells.
"""

from __future__ import annotations

import asyncio

import msgspec

import planar.runtime as runtime
from planar.adapters.base import Adapter, OrderRef
from planar.errors import NotSupported, PlanarError
from planar.models import Order, OrderState
from planar.orders.events import Absent, Intent
from planar.orders.store import OrderStore
from planar.orders.sweeps import Sweeps
from planar.transport.account_log import account_log
from planar.transport.alarms import Alarms

log = account_log("planar.orders")

FIRST_PAUSE_S = 0.1
ALARM_S = 8.0
"""So long after an order became unknown somebody is told; leaves room for sinks within ten seconds."""
LATER_S = (10.0, 30.0, 120.0, 600.0)
"""Pauses after which an order that was proven absent is asked for again."""
SLOWER, MUCH_SLOWER = 1.6, 10.0
"""How much longer each pause is than the one before; the second where each round searches lists, which costs more."""
MARGIN_MS = 60_000
QUERY_MS = 15_000
"""How long a query may wait at the least: for the budget too, which orders and cancels may have used up."""


class _Sight(msgspec.Struct, frozen=True):
    """What a search found.

    Attributes:
        order: the order.
        newest_ms: the venue's time of the youngest thing that the answers showed.
        lacks: an order that they should have shown and did not.
    """

    order: Order | None = None
    newest_ms: int = 0
    lacks: str | None = None


class Resolver:
    """Ends UNKNOWN orders; one task per order."""

    def __init__(self, adapter: Adapter, store: OrderStore, timeout_ms: int, alarms: Alarms, account: str) -> None:
        self._adapter = adapter
        self._alarms = alarms
        self._account = account
        self._store = store
        self._timeout_ms = max(timeout_ms, QUERY_MS)
        self._sweeps = Sweeps(adapter, self._timeout_ms)
        # whether an order can be asked for by client id; else that means to search the lists, which a sweep does anyway
        self._named = adapter.profile.client_id.query_param is not None
        store.on_contradiction = self._contradicted

    async def resolve(self, client_id: str) -> None:
        """Work until the order is no longer UNKNOWN; for ever, if the venue never tells."""
        # not by the rounds: one may hang
        alarm = asyncio.get_running_loop().call_later(ALARM_S, self._alarm, client_id)
        try:
            await self._rounds(client_id)
        finally:
            alarm.cancel()
        await self._look_later(client_id)

    async def _rounds(self, client_id: str) -> None:
        pause_s = FIRST_PAUSE_S
        while self._store.state(client_id) is OrderState.UNKNOWN:
            try:
                if await self.step(client_id):
                    return
            except PlanarError as error:
                log.info("order %s is still unknown; a query failed: %s", client_id, error)
                pause_s = max(pause_s, error.retry_after_s or 0.0)
            await runtime.sleep(pause_s * runtime.current().random.uniform(0.8, 1.2))
            pause_s = min(pause_s * (SLOWER if self._named else MUCH_SLOWER), self._adapter.profile.resolve_pause_s)

    async def _look_later(self, client_id: str) -> None:
        """Ask a few times more for an order that was proven absent; what shows it is taken in by the store."""
        for pause_s in LATER_S:
            if self._store.state(client_id) is not OrderState.NEVER_ACCEPTED:
                return
            await runtime.sleep(pause_s)
            intent = self._store.facts(client_id).intent
            assert intent is not None
            try:
                order = await self._query(intent)
            except PlanarError as error:
                log.info("order %s, proven absent, could not be asked for again: %s", client_id, error)
                continue
            if order is not None:
                self._store.observe_quietly(order, "query")

    def _contradicted(self, client_id: str) -> None:
        """An order that was given up stands at the venue after all."""
        facts = self._store.facts(client_id)
        self._alarms.report(
            "order_contradicted",
            "error",
            self._adapter.id,
            f"order {client_id} was given up, and yet the venue shows it: {self._store.state(client_id).value}, "
            f"filled {facts.filled}",
            account=self._account,
            of=client_id,
            since_ms=runtime.wall_ms(),
            data={"client_id": client_id, "order_id": facts.order_id, "marks": list(facts.marks)},
        )

    def _alarm(self, client_id: str) -> None:
        """Somebody should know; what is known already goes on being looked into."""
        if self._store.state(client_id) is not OrderState.UNKNOWN:
            return
        intent = self._store.facts(client_id).intent
        assert intent is not None
        self._alarms.report(
            "order_unknown",
            "error",
            self._adapter.id,
            f"order {client_id} ({intent.side} {intent.symbol}) is unknown since {ALARM_S:.0f} s; it is being looked into",
            account=self._account,
            of=client_id,
            since_ms=intent.wall_ms,
            data={"client_id": client_id, "symbol": intent.symbol, "side": intent.side},
        )

    async def step(self, client_id: str) -> bool:
        """One round: ask for the order; past the expiry, try the proof. True if the order is no longer UNKNOWN."""
        facts = self._store.facts(client_id)
        intent, expiry_ms = facts.intent, facts.expiry_ms
        assert intent is not None
        if not self._named and expiry_ms is not None and await self._expired(expiry_ms):
            return await self._prove_absent(intent, expiry_ms)  # whose lists would show it
        order = await (self._query(intent) if self._named else self._listed(intent, expiry_ms))
        if order is not None:
            self._store.observe(order, "query")
            return True
        if self._named and expiry_ms is not None and await self._expired(expiry_ms):
            return await self._prove_absent(intent, expiry_ms)
        return False

    async def _listed(self, intent: Intent, expiry_ms: int | None) -> Order | None:
        """The order in lists that all who look for one share."""
        sweep = await self._sweeps.sweep(intent.symbol, self._since_ms(intent, expiry_ms), trades=False)
        return sweep.named(intent.client_id)

    def _since_ms(self, intent: Intent, expiry_ms: int | None) -> int:
        """The venue's time of the request, less a margin: a clock that was set since must not hide the order."""
        window_ms = self._adapter.profile.expiry.window_ms
        sent_ms = intent.wall_ms if expiry_ms is None else min(intent.wall_ms, expiry_ms - window_ms)
        return sent_ms - MARGIN_MS

    async def _query(self, intent: Intent) -> Order | None:
        ref = OrderRef(intent.symbol, client_id=intent.client_id)
        return await self._adapter.query_order(ref, {}, timeout_ms=self._timeout_ms)

    async def _expired(self, expiry_ms: int) -> bool:
        """Whether the venue's clock says that the request can no longer be accepted, nor be on its way to its books."""
        rule = self._adapter.profile.expiry
        if not rule.enforced:
            return False
        try:
            venue_ms = await self._adapter.fetch_time(timeout_ms=self._timeout_ms)
        except NotSupported:
            return False
        return venue_ms >= expiry_ms + rule.settle_ms

    async def _prove_absent(self, intent: Intent, expiry_ms: int) -> bool:
        settle_ms, newest_ms = self._adapter.profile.expiry.settle_ms, 0
        for number in (1, 2):
            sight = await self._search(intent, expiry_ms)
            if sight.order is not None:
                self._store.observe(sight.order, "search")
                return True
            if sight.lacks is not None:
                log.info("the venue's answers do not show order %s yet; they prove nothing", sight.lacks)
                return False
            newest_ms = max(newest_ms, sight.newest_ms)
            if number == 1:
                await runtime.sleep(settle_ms / 1000)
        evidence = f"not found by id, among open and past orders nor in trades, twice, {settle_ms} ms apart, "
        evidence += f"after its expiry at {expiry_ms}"
        if newest_ms > expiry_ms:
            evidence += f"; the answers showed what happened at {newest_ms}"
        self._store.record(Absent(client_id=intent.client_id, wall_ms=runtime.wall_ms(), evidence=evidence))
        return True

    async def _search(self, intent: Intent, expiry_ms: int) -> _Sight:
        """The order wherever the venue may show it; without one, every query was answered and none shows it."""
        due = self._acknowledged(intent)
        if self._named:
            found = await self._query(intent)
            if found is not None:
                return _Sight(found)
        sweep = await self._sweeps.sweep(intent.symbol, self._since_ms(intent, expiry_ms), trades=True)
        named = {order.client_order_id for order in sweep.orders.values()}
        lacks = next((told for told, ours in due if told not in sweep.orders and ours not in named), None)
        return _Sight(sweep.named(intent.client_id), sweep.newest_ms, lacks)

    def _acknowledged(self, intent: Intent) -> list[tuple[str, str]]:
        """Orders of this market that the venue acknowledged after the wish: what it shows must show them, by the id that
        it told or, if that was not read rightly, by ours."""
        found: list[tuple[str, str]] = []
        for client_id in self._store.newest():
            facts = self._store.facts(client_id)
            if facts.intent is None or facts.intent.wall_ms < intent.wall_ms:
                break
            if facts.intent.symbol != intent.symbol or facts.intent.waits:
                continue  # stop orders have ids of their own at some venues, until they trigger
            if "acked" in facts.marks and len(facts.order_ids) == 1:
                found.append((facts.order_ids[0], client_id))
        return found
