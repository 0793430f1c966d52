"""`OrderManager`: the only way to send an order.

    place:  check -> READY -> INTENT journaled -> budget, signature -> SENDING journaled -> bytes leave -> answer -> journaled

From the journal on the submission is a task of its own: cancelling the caller does not cancel it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

import planar.runtime as runtime
from planar.adapters.base import Adapter, OrderRef, OrderRequest
from planar.errors import JournalError, PlanarError
from planar.models import Fill, Order, OrderState
from planar.orders import points
from planar.orders.amending import Amender
from planar.orders.amends import Terms
from planar.orders.batches import Batcher, gathered
from planar.orders.cancelling import Canceller
from planar.orders.deciding import Decider
from planar.orders.differences import Policy, Reason, Reconciliation
from planar.orders.funds import Funds
from planar.orders.groups import GroupKit, Groups
from planar.orders.handle import OrderHandle
from planar.orders.ids import ClientIds
from planar.orders.intents import intent_of
from planar.orders.journal import Durability, Journal
from planar.orders.limits import OrderLimits, Sight
from planar.orders.overfills import watch_overfills
from planar.orders.readiness import Readiness
from planar.orders.reconciler import Reconciler
from planar.orders.replacing import Replacer
from planar.orders.resolver import Resolver
from planar.orders.store import OrderStore
from planar.orders.submission import Send, Submitter
from planar.orders.tasks import Tasks
from planar.orders.trimming import Trimmer
from planar.transport.alarms import Alarms
from planar.transport.writes import concerning

NOTHING: Mapping[str, Any] = {}

NO_ORDER = (OrderState.REJECTED, OrderState.NEVER_ACCEPTED)
"""States that prove that nothing of a wish stands or stood in the venue's book."""


class OrderManager:
    """The orders of one account: journal, machines, submission, resolver, reconciliation."""

    def __init__(
        self,
        adapter: Adapter,
        journal_path: Path,
        timeout_ms: int,
        alarms: Alarms | None = None,
        account: str = "",
        policy: Policy = "report",
        durability: Durability = "process",
    ) -> None:
        self._adapter = adapter
        self._timeout_ms = timeout_ms
        self.gate: OrderLimits | None = None
        self._journal = Journal(journal_path, durability)
        self._ids: ClientIds | None = None
        self._tasks = Tasks()
        self.store = OrderStore(self._journal)
        profile = adapter.profile
        self.funds = Funds(adapter.id, self.store, fees_on_top=profile.fees_on_top, settle_ms=profile.expiry.settle_ms)
        self._resolver = Resolver(adapter, self.store, timeout_ms, alarms or Alarms(), account)
        self._canceller = Canceller(adapter, self.store, self._tasks, timeout_ms)
        self.reconciler = Reconciler(
            adapter,
            self.store,
            self._canceller,
            timeout_ms,
            alarms or Alarms(),
            account=account,
            policy=policy,
            submitting=lambda client_id: self._tasks.running(f"submit {client_id}"),
        )
        self.readiness = Readiness(self._pass, lambda: bool(self.store.unfinished()))
        self.submitter = Submitter(
            adapter,
            self.store,
            self._tasks,
            timeout_ms,
            handle=lambda client_id: OrderHandle(self, client_id),
            resolve=self._resolve,
            refresh=self.refresh,
        )
        self.amender = Amender(
            adapter,
            self.store,
            self._tasks,
            timeout_ms,
            alarms or Alarms(),
            account,
            handle=lambda client_id: OrderHandle(self, client_id),
            refresh=self.refresh,
        )
        self.groups = Groups(
            GroupKit(
                adapter=adapter,
                store=self.store,
                tasks=self._tasks,
                submitter=self.submitter,
                canceller=self._canceller,
                alarms=alarms or Alarms(),
                account=account,
                timeout_ms=timeout_ms,
                ready_within=self._ready_within,
                keep_time=lambda: self.readiness.keep_time(),
                gate=lambda: self.gate,
                funds=self.funds,
                next_id=self._next_id,
                handle=lambda client_id: OrderHandle(self, client_id),
                refresh=self.refresh,
                listening=lambda: self.reconciler.listening(),
            )
        )
        self._replacer = Replacer(adapter, self.store, self._canceller, self.submitter.send_alone)
        self.trimmer = Trimmer(
            adapter, self.store, self._tasks, self.amender, self._canceller, alarms or Alarms(), account
        )
        self._batcher = Batcher(adapter, self.store, self.submitter, self._canceller)
        self._decider = Decider(adapter, self.store, timeout_ms)
        self.store.shows_terms = profile.amend is not None
        watch_overfills(self.store, alarms or Alarms(), adapter.id, account)

    @property
    def is_open(self) -> bool:
        """Whether the journal is open, so that `store` holds its orders."""
        return self._ids is not None

    # -- readiness -------------------------------------------------------------------------------------------------
    async def ready(self, limit_s: float | None = None) -> None:
        """Wait until new orders may be sent; see `Readiness.ready`.

        Raises:
            JournalLocked, JournalError: the journal is not to be had.
            PlanarError: the venue could not be asked.
        """
        await self.readiness.ready(limit_s)

    async def _pass(self, reason: Reason, policy: Policy | None) -> tuple[Reconciliation, PlanarError | None]:
        ids = self._open()
        if reason == "start":
            self.amender.end_unsent()
        found, error = await self.reconciler.run(ids, reason, policy)
        self.amender.settle_all()
        for client_id in found.unknown:
            self._resolve(client_id)
        self.groups.resume()
        return found, error

    def _open(self) -> ClientIds:
        if self._ids is None:
            self._journal.open()
            try:
                self.store.replay()
            except JournalError:
                self._journal.close()
                raise
            self._ids = ClientIds(self._adapter.profile.client_id, self._journal.id)
            self._journal.number_beyond(max(map(self._ids.number_of, self.store.names()), default=0))
        return self._ids

    async def preview_reconciliation(self, policy: Policy | None) -> Reconciliation:
        """What a reconciliation would find and do; see `Reconciler.preview`."""
        return await self.reconciler.preview(Journal(self._journal.path), policy)

    # -- placing ---------------------------------------------------------------------------------------------------
    async def place(
        self,
        request: OrderRequest,
        *,
        intent_id: str = "",
        timeout_ms: int | None = None,
        limited: bool = True,
        frees: str | None = None,
    ) -> OrderHandle:
        """Send one order, at most once in its life; `request.client_id` is given here.

        Args:
            request: complete and checked, without a client id.
            intent_id: the user's name for this wish; asked again with an equal one, the same order is returned. If it
                is certain that there is none (not sent, refused, never accepted), the wish is sent anew.
            limited: the account's limits hold for it; False for what closes positions in an emergency.
            frees: client id of the order that it replaces, which gives back what it binds.

        Raises:
            LimitExceeded: a limit of the settings.
            OrderUnknown: the venue may have it. Its `order` can be waited for; nothing is to be sent again.
            PlanarError: otherwise, with outcome NOT_SENT or REFUSED: the order does not exist.
        """
        points.reached(points.CREATE_CALLED)
        timeout_ms = await self._ready_within(timeout_ms)
        sight = await self.gate.look(request) if limited and self.gate is not None else None
        self._replacer.check(request)
        again = bool(intent_id) and self.store.by_intent(intent_id) is not None
        taken = self._take_in(request, intent_id, sight, frees)
        if isinstance(taken, OrderHandle):
            under_way = self._tasks.of("submit").get(taken.client_order_id)
            if under_way is not None:  # whoever asks for the same wish meanwhile is told the same
                await asyncio.shield(under_way)
            return taken
        way = self._replacer.way(again=again) if request.cancels_first else None
        await self._submitted(taken, intent_id, timeout_ms, way)
        return OrderHandle(self, taken.client_id)

    def _next_id(self) -> str:
        assert self._ids is not None
        return self._ids.make(self._journal.next_number())

    async def _ready_within(self, timeout_ms: int | None) -> int:
        """Wait until new orders may be sent; what is left of the deadline, for holding back is part of the call."""
        limit_ms, asked_s = timeout_ms or self._timeout_ms, runtime.monotonic()
        await self.ready(limit_ms / 1000)
        return max(1, limit_ms - int((runtime.monotonic() - asked_s) * 1000))

    def _take_in(
        self, request: OrderRequest, intent_id: str, sight: Sight | None, frees: str | None = None
    ) -> OrderRequest | OrderHandle:
        """Admit and journal an order: the order with its client id, or the one that exists already for this wish."""
        known = self.store.by_intent(intent_id) if intent_id else None
        if known is not None and self.store.state(known) not in NO_ORDER:
            return OrderHandle(self, known)
        if self.gate is not None and sight is not None:
            self.gate.admit(request, sight)
        # nothing else runs until the order is in the journal
        self.funds.admit(request, frees=None if frees is None else self.store.facts(frees))
        client_id = self._next_id()
        self.store.record(intent_of(request, client_id, intent_id))
        points.reached(points.INTENT_JOURNALED)
        self.readiness.keep_time()
        return msgspec.structs.replace(request, client_id=client_id)

    async def _submitted(
        self, request: OrderRequest, intent_id: str, timeout_ms: int, send: Send | None = None
    ) -> None:
        """Send an order that is in the journal. The caller may leave; the order's own task goes on."""
        with concerning(request.client_id, intent_id):
            work = self.submitter.submit(request, timeout_ms, send)
            submission = self._tasks.start(f"submit {request.client_id}", work)
        await asyncio.shield(submission)

    async def place_many(
        self, wishes: Sequence[tuple[OrderRequest, str]], timeout_ms: int | None = None
    ) -> list[OrderHandle | PlanarError]:
        """Send several orders, each with its intent id, each at most once; each order, or why there is none.

        One that may or may not exist is an `OrderUnknown`.

        Raises:
            PlanarError: no new order may be sent; none was.
        """
        points.reached(points.CREATE_CALLED)
        timeout_ms = await self._ready_within(timeout_ms)
        asked_s = runtime.monotonic()
        results: list[OrderHandle | PlanarError | None] = [None] * len(wishes)
        sending: list[tuple[int, OrderRequest]] = []
        for index, (request, intent_id) in enumerate(wishes):
            try:
                taken = self._take_in(request, intent_id, await self.gate.look(request) if self.gate else None)
            except PlanarError as error:
                results[index] = error
                continue
            if isinstance(taken, OrderHandle):
                results[index] = taken
            else:
                sending.append((index, taken))
        ways = self._batcher.ways([request for _, request in sending])

        async def one(index: int, request: OrderRequest, way: Send | None) -> OrderHandle:
            left_ms = max(1, timeout_ms - int((runtime.monotonic() - asked_s) * 1000))
            await self._submitted(request, wishes[index][1], left_ms, way)
            return OrderHandle(self, request.client_id)

        work = [
            lambda index=index, request=request, way=way: one(index, request, way)
            for (index, request), way in zip(sending, ways, strict=True)
        ]
        for (index, _), result in zip(sending, await gathered(work), strict=True):
            results[index] = result
        return [result for result in results if result is not None]

    # -- changing --------------------------------------------------------------------------------------------------
    async def amend(
        self,
        client_id: str,
        request: OrderRequest,
        terms: Terms,
        *,
        params: Mapping[str, Any],
        intent_id: str = "",
        timeout_ms: int | None = None,
    ) -> OrderHandle:
        """Change an order of the journal in place, at most once; see `Amender.amend`.

        Args:
            request: the whole order as it would be, checked.
            intent_id: the user's name for this change; asked again with an equal one, nothing is sent, unless it is
                certain that the change was not carried out.
        """
        timeout_ms = await self._ready_within(timeout_ms)
        sight = await self.gate.look(request) if self.gate is not None else None
        made = self.amender.made(intent_id) if intent_id else None
        if made is not None:
            return made
        facts = self.store.facts(client_id)
        self.amender.check_free(facts)
        if self.gate is not None and sight is not None:
            self.gate.admit(request, sight, facts.filled)
        self.funds.admit(request, filled=facts.filled, frees=facts)
        return await self.amender.amend(client_id, terms, params=params, intent_id=intent_id, timeout_ms=timeout_ms)

    def edited(self, intent_id: str) -> OrderHandle | None:
        """The order that was changed, or came in another's place, under this name; None if that is certain not to be."""
        made = self.amender.made(intent_id)
        known = self.store.by_intent(intent_id)
        if made is None and known is not None and self.store.state(known) not in NO_ORDER:
            return OrderHandle(self, known)
        return made

    # -- cancelling and deciding --------------------------------------------------------------------------------------
    def closed_for_s(self, symbol: str) -> float | None:
        """See `Submitter.closed_for_s`."""
        return self.submitter.closed_for_s(symbol)

    def key_refused_for_s(self) -> float | None:
        """See `Submitter.key_refused_for_s`."""
        return self.submitter.key_refused_for_s()

    async def cancel(
        self, ref: OrderRef, *, params: Mapping[str, Any] = NOTHING, timeout_ms: int | None = None
    ) -> Order:
        """Cancel an order by its id or ours; see `Canceller.cancel`."""
        return await self._canceller.cancel(ref, params=params, timeout_ms=timeout_ms)

    async def cancel_many(self, refs: Sequence[OrderRef], timeout_ms: int | None = None) -> list[Order | PlanarError]:
        """Cancel several orders; see `Batcher.cancel`."""
        return await self._batcher.cancel(refs, timeout_ms or self._timeout_ms)

    async def decide(self, client_id: str, state: OrderState, reason: str) -> Order:
        """A person says what became of an order that the venue does not tell about; see `Decider.decide`."""
        return await self._decider.decide(client_id, state, reason)

    # -- looking ---------------------------------------------------------------------------------------------------
    async def refresh(self, client_id: str) -> Order:
        """Ask the venue for an order of this journal and take in what it shows."""
        facts = self.store.facts(client_id)
        assert facts.intent is not None
        ref = OrderRef(facts.intent.symbol, order_id=facts.order_id, client_id=client_id)
        order = await self._adapter.query_order(ref, {}, timeout_ms=self._timeout_ms)
        if order is not None:
            self.store.observe_quietly(order, "query")
        return self.store.order(client_id)

    def observe(self, order: Order) -> None:
        """Take in an order that a stream or a query of the user brought."""
        if self._ids is not None:
            self.store.observe_quietly(order, "stream")

    def observe_fill(self, fill: Fill) -> None:
        """Take in an execution that a stream or a query of the user brought."""
        if self._ids is not None:
            self.store.observe_fill(fill)

    def _resolve(self, client_id: str) -> None:
        name = f"resolve {client_id}"
        if not self._tasks.running(name):
            self._tasks.start(name, self._resolver.resolve(client_id))

    async def close(self) -> None:
        """Let submissions end, stop looking into unknown orders (the next start does), close the journal."""
        await self.submitter.close()
        await self.amender.close()
        await self._canceller.close()
        await self.readiness.close()
        await self._tasks.end()
        self._journal.close()
