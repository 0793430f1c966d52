"""Linked orders of one account: placed as one intent, followed to their end.

    native:   intents of all journaled -> one request -> each order journals its own answer, or is UNKNOWN on its own
    emulated: intents journaled -> one order after the other -> a guard cancels what the other's end makes void

Where the venue links them, it cancels by itself; when one order ends here, the others are asked for. Where this program
does, a guard looks after the group while the program runs (`planar.orders.group_steps` says what it does), and each
reconciliation, the first one of a process included, takes up what has none.
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Awaitable, Callable, Mapping

import msgspec

import planar.runtime as runtime
from planar.adapters.base import Adapter, OrderRequest
from planar.adapters.linked import LinkedRequest
from planar.errors import InvalidOrder, OrderUnknown, Outcome, PlanarError
from planar.models import Amount, Order, OrderState
from planar.models.groups import Contingency, Member, Role
from planar.orders import points
from planar.orders.cancelling import Canceller
from planar.orders.events import NotSent
from planar.orders.funds import Funds
from planar.orders.group_guard import Guard
from planar.orders.group_handle import OrderGroup
from planar.orders.group_steps import Leg, leg_of
from planar.orders.handle import OrderHandle
from planar.orders.intents import intent_of
from planar.orders.limits import OrderLimits
from planar.orders.machine import FINAL
from planar.orders.store import OrderStore
from planar.orders.submission import Submitter
from planar.orders.tasks import Tasks
from planar.transport.account_log import account_log
from planar.transport.alarms import Alarms
from planar.transport.writes import concerning

log = account_log("planar.orders")

NO_ORDER = (OrderState.REJECTED, OrderState.NEVER_ACCEPTED)
PARTNER_PAUSES_S = (0.0, 0.3, 1.0, 3.0)
"""When the partners of an order that ended are asked for, at a venue that links them; afterwards reconciliations do it."""


class GroupKit(msgspec.Struct, frozen=True):
    """What groups need of the rest of the order path.

    Attributes:
        ready_within: waits until new orders may be sent; gives back what is left of the deadline.
        keep_time: something is open from now on.
        gate: the account's limits, if it has any.
        next_id: makes the next client id of the journal.
        handle: makes the handle of an order.
        refresh: asks the venue for an order of the journal.
        listening: whether a stream of all own orders is live.
    """

    adapter: Adapter
    store: OrderStore
    tasks: Tasks
    submitter: Submitter
    canceller: Canceller
    alarms: Alarms
    account: str
    timeout_ms: int
    ready_within: Callable[[int | None], Awaitable[int]]
    keep_time: Callable[[], None]
    gate: Callable[[], OrderLimits | None]
    funds: Funds
    next_id: Callable[[], str]
    handle: Callable[[str], OrderHandle]
    refresh: Callable[[str], Awaitable[Order]]
    listening: Callable[[], bool]


class _Together:
    """One request of linked orders: sent when the first of them asks for its answer."""

    def __init__(self, kit: GroupKit, linked: LinkedRequest) -> None:
        self._kit = kit
        self._linked = linked
        self._task: asyncio.Task[list[Order]] | None = None

    async def send(self, request: OrderRequest, timeout_ms: int) -> Order:
        """The answer about one of them."""
        names = [leg.client_id for leg in self._linked.legs]
        if self._task is None:
            work = self._kit.adapter.submit_linked(
                self._linked, timeout_ms=timeout_ms, on_send=lambda: self._kit.submitter.journal_sending(*names)
            )
            self._task = runtime.spawn(work, name=f"orders: list {names[0]}")
        try:
            answers = await asyncio.shield(self._task)
        except PlanarError as error:
            raise copy.copy(error) from error
        return answers[names.index(request.client_id)]


class Groups:
    """The linked orders of one account.

    Attributes:
        fit: (symbol, amount) -> the amount rounded down to what the market takes; set by whoever knows the markets.
        closing: emulated groups that are to end.
        changes: group -> what is set when any of its orders changes.
    """

    def __init__(self, kit: GroupKit) -> None:
        self.fit: Callable[[str, Amount], Amount] = lambda symbol, amount: amount
        self._kit = kit
        self._store = kit.store
        self._keeper = Guard(kit, self)
        self.changes: dict[str, asyncio.Event] = {}
        self.closing: set[str] = set()
        kit.store.listeners.append(self._changed)

    # -- what is known ---------------------------------------------------------------------------------------------
    def named(self, name: str) -> str | None:
        """The group of an order that is named by group, client id, intent id or the venue's id; None without one."""
        client_id = self._store.named(name)
        member = None if client_id is None else self.member(client_id)
        return None if member is None else member.group

    def unfinished(self) -> list[str]:
        """Groups that are not done, oldest first."""
        return [group for group in self._store.groups if not self.is_done(group)]

    def member(self, client_id: str) -> Member | None:
        """An order's place in its group, if it has one."""
        intent = self._store.facts(client_id).intent
        return None if intent is None else intent.member

    def first(self, group: str) -> Member:
        """That of the group's first order."""
        member = self.member(next(iter(self._store.groups[group])))
        assert member is not None
        return member

    def contingency(self, group: str) -> Contingency:
        """`oco` or `bracket`."""
        return self.first(group).contingency

    def is_emulated(self, group: str) -> bool:
        """This program links its orders."""
        return self.first(group).emulated

    def is_guarded(self, group: str) -> bool:
        """This program looks after it now."""
        return self._kit.tasks.running(f"guard {group}")

    def ending(self, group: str) -> str:
        """How an emulated group ended; "" while it has not."""
        return self._store.ended_groups.get(group, "")

    def is_done(self, group: str) -> bool:
        """Nothing more will happen to it."""
        if self.is_emulated(group):
            return group in self._store.ended_groups
        return all(self._store.state(name) in FINAL for name in self._store.groups[group])

    def latest(self, group: str) -> dict[Role, str]:
        """Of each role the order that was sent last."""
        found: dict[Role, str] = {}
        for client_id in self._store.groups[group]:
            member = self.member(client_id)
            if member is not None:
                found[member.role] = client_id
        return found

    def handles(self, group: str) -> Mapping[Role, OrderHandle]:
        """The orders by what they are."""
        return {role: self._kit.handle(client_id) for role, client_id in self.latest(group).items()}

    def legs(self, group: str) -> dict[Role, Leg]:
        """What of each role's order matters to the next step."""
        return {role: leg_of(self._store.facts(name)) for role, name in self.latest(group).items()}

    async def changed_within(self, group: str, seconds: float) -> bool:
        """Wait so long for the next change of any of its orders, or for its end; whether it came."""
        try:
            async with asyncio.timeout(seconds):
                await self.changes.setdefault(group, asyncio.Event()).wait()
        except TimeoutError:
            return False
        return True

    async def look_at(self, group: str) -> None:
        """Ask the venue for those of its orders that stand."""
        for leg in self.legs(group).values():
            if leg.live:
                await self.look(leg.client_id)

    # -- placing ---------------------------------------------------------------------------------------------------
    def known(self, intent_id: str) -> OrderGroup | None:
        """The group that was placed under this name, unless it is certain that none of its orders ever was.

        Raises:
            InvalidOrder: (NOT_SENT) an order that is linked with none was placed under it.
        """
        client_id = self._store.by_intent(intent_id) if intent_id else None
        member = None if client_id is None else self.member(client_id)
        if client_id is not None and member is None and self._store.state(client_id) not in NO_ORDER:
            raise InvalidOrder(
                f"intent_id {intent_id!r} names the single order {client_id}",
                exchange=self._kit.adapter.id,
                outcome=Outcome.NOT_SENT,
                hint="give these orders a name of their own",
            )
        if member is None or all(self._store.state(name) in NO_ORDER for name in self._store.groups[member.group]):
            return None
        return OrderGroup(self, member.group)

    async def place(self, linked: LinkedRequest, *, intent_id: str = "", timeout_ms: int | None = None) -> OrderGroup:
        """Send linked orders, as one intent, at most once. The account's limits hold for each of them.

        Args:
            intent_id: the user's name for the wish; asked again with an equal one, the same group is returned, unless it
                is certain that none of its orders ever was.

        Raises:
            OrderUnknown: the venue may have them; its `order` is the group.
            PlanarError: otherwise; none of them stands.
        """
        points.reached(points.CREATE_CALLED)
        timeout_ms = await self._kit.ready_within(timeout_ms)
        gate = self._kit.gate()
        sights = [await gate.look(leg) for leg in linked.legs] if gate is not None else []
        known = self.known(intent_id)
        if known is not None:
            return known
        for leg, sight in zip(linked.legs, sights, strict=False):
            if gate is not None:
                gate.admit(leg, sight)
        # nothing else runs until the orders are in the journal
        for leg in linked.legs:
            self._kit.funds.admit(leg)
        taken = self.take_in(linked, intent_id)
        points.reached(points.INTENT_JOURNALED)
        self._kit.keep_time()
        with concerning(",".join(leg.client_id for leg in taken.legs), intent_id):
            return await self.send(taken, timeout_ms)

    def take_in(self, linked: LinkedRequest, intent_id: str) -> LinkedRequest:
        """Journal the orders of a group, all or none; the same with their ids. Of an emulated bracket the entry alone.

        Raises:
            JournalError: nothing was journaled.
        """
        legs: list[OrderRequest] = []
        for leg in linked.legs:
            client_id = self._kit.next_id()
            assert leg.member is not None
            member = msgspec.structs.replace(leg.member, group=legs[0].client_id if legs else client_id)
            legs.append(msgspec.structs.replace(leg, client_id=client_id, member=member))
        self._store.record(*(intent_of(leg, leg.client_id, intent_id) for leg in legs))
        return LinkedRequest(linked.contingency, tuple(legs))

    async def send(self, linked: LinkedRequest, timeout_ms: int) -> OrderGroup:
        """Send the orders of a group that is in the journal.

        Raises:
            OrderUnknown: the venue may have them; its `order` is the group.
            PlanarError: otherwise; none of them stands.
        """
        group = OrderGroup(self, linked.legs[0].client_id)
        work = self._send_emulated(linked, timeout_ms) if group.emulated else self._send_native(linked, timeout_ms)
        try:
            await asyncio.shield(self._kit.tasks.start(f"group {group.id}", work))
        except OrderUnknown as error:
            error.order, error.client_id = group, group.id
            raise
        return group

    async def _send_native(self, linked: LinkedRequest, timeout_ms: int) -> None:
        together = _Together(self._kit, linked)
        tasks = [
            self._kit.tasks.start(f"submit {leg.client_id}", self._kit.submitter.submit(leg, timeout_ms, together.send))
            for leg in linked.legs
        ]
        results = await asyncio.gather(*tasks, return_exceptions=True)
        errors = [result for result in results if isinstance(result, BaseException)]
        for error in sorted(errors, key=lambda one: not isinstance(one, OrderUnknown)):
            raise error

    async def _send_emulated(self, linked: LinkedRequest, timeout_ms: int) -> None:
        group, started = linked.legs[0].client_id, runtime.monotonic()
        for leg in linked.legs:
            left_ms = max(1, timeout_ms - int((runtime.monotonic() - started) * 1000))
            try:
                await self.submit(leg, left_ms)
            except OrderUnknown:
                self._void(linked, "nobody knows yet whether the order before it exists; the guard sends it anew then")
                self._guard(group)
                raise
            except PlanarError as error:
                self._void(linked, f"another order of its group failed: {error.message}")
                self.closing.add(group)
                left_s = max(0.1, timeout_ms / 1000 - (runtime.monotonic() - started))
                await asyncio.wait({self._guard(group)}, timeout=left_s)
                raise
        self._guard(group)

    def _void(self, linked: LinkedRequest, reason: str) -> None:
        """Orders that were to follow are not sent now."""
        for leg in linked.legs:
            if self._store.state(leg.client_id) is OrderState.PENDING:
                self._store.keep(NotSent(client_id=leg.client_id, wall_ms=runtime.wall_ms(), reason=reason))

    async def submit(self, request: OrderRequest, timeout_ms: int) -> None:
        """Send one order of a group, which is in the journal."""
        work = self._kit.submitter.submit(request, timeout_ms)
        await asyncio.shield(self._kit.tasks.start(f"submit {request.client_id}", work))

    # -- following -------------------------------------------------------------------------------------------------
    def resume(self) -> None:
        """Take up every emulated group that nobody looks after."""
        for group in list(self._store.groups):
            if self.is_emulated(group) and not self.is_done(group) and not self._kit.tasks.running(f"group {group}"):
                self._guard(group)

    def _changed(self, client_id: str) -> None:
        member = self.member(client_id)
        if member is None:
            return
        event = self.changes.pop(member.group, None)
        if event is not None:
            event.set()
        leg = leg_of(self._store.facts(client_id))
        if not member.emulated and (leg.ended or leg.traded) and not leg.refused and not leg.never:
            name = f"partners {member.group}"
            if not self._kit.tasks.running(name):
                self._kit.tasks.start(name, self._ask_partners(member.group))

    async def _ask_partners(self, group: str) -> None:
        """The venue has ended the others, or started them: ask, until it shows that."""
        for pause_s in PARTNER_PAUSES_S:
            await runtime.sleep(pause_s)
            if self.is_done(group):
                return
            await self.look_at(group)

    async def look(self, client_id: str) -> None:
        """Ask the venue for an order; no answer changes nothing."""
        try:
            await self._kit.refresh(client_id)
        except PlanarError as error:
            log.info("order %s of a group could not be looked up: %s", client_id, error)

    def _guard(self, group: str) -> asyncio.Task[None]:
        name = f"guard {group}"
        running = self._kit.tasks.of("guard").get(group)
        return running if running is not None else self._kit.tasks.start(name, self._keeper.watch(group))
