"""The guard of an emulated group: does what `planar.orders.group_steps` says, until the group is done.

One task a group. What it cannot do now it tries again; what it did is in the journal, so that whoever takes the group up
after it, in this process or the next, goes on from there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import planar.runtime as runtime
from planar.adapters.base import OrderRef, OrderRequest
from planar.errors import OrderNotFound, PlanarError
from planar.models import Amount, OrderState
from planar.models.groups import Member, Role
from planar.orders.events import GroupEnded
from planar.orders.group_steps import Step, next_step
from planar.orders.intents import intent_of, named, request_of
from planar.transport.account_log import account_log

if TYPE_CHECKING:
    from planar.orders.groups import GroupKit, Groups

log = account_log("planar.orders")

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 30.0


class Guard:
    """Looks after the emulated groups of one account."""

    def __init__(self, kit: GroupKit, groups: Groups) -> None:
        self._kit = kit
        self._groups = groups
        self._store = kit.store

    async def watch(self, group: str) -> None:
        """Look after one group until it is done."""
        pause_s = look_s = FIRST_PAUSE_S
        while not self._groups.is_done(group):
            step = next_step(
                self._groups.contingency(group), self._groups.legs(group), closing=group in self._groups.closing
            )
            if step.do == "done":
                self._end(group, step)
                return
            if step.do == "wait":
                changed = await self._wait(group, look_s)
                look_s = FIRST_PAUSE_S if changed else min(look_s * 2, self._kit.adapter.profile.resolve_pause_s)
                continue
            try:
                await self._do(group, step)
                pause_s = FIRST_PAUSE_S
            except PlanarError as error:
                log.warning("group %s: could not %s, it is tried again: %s", group, step.do, error)
                await runtime.sleep(max(pause_s, error.retry_after_s or 0.0))
                pause_s = min(pause_s * 2, LONGEST_PAUSE_S)

    async def _wait(self, group: str, pause_s: float) -> bool:
        """Until something changes, which is told, or so long; then, without a stream, what stands is asked for."""
        if await self._groups.changed_within(group, pause_s):
            return True
        if not self._kit.listening():
            await self._groups.look_at(group)
        return False

    async def _do(self, group: str, step: Step) -> None:
        if step.do == "cancel":
            await self._cancel(step.client_id)
            return
        assert step.role is not None
        request = self._request(group, step.role)
        client_id = self._kit.next_id()
        first = self._store.facts(group).intent
        self._store.record(intent_of(request, client_id, "" if first is None else first.intent_id))
        await self._groups.submit(named(request, client_id), self._kit.timeout_ms)

    async def _cancel(self, client_id: str) -> None:
        facts = self._store.facts(client_id)
        assert facts.intent is not None
        ref = OrderRef(facts.intent.symbol, order_id=facts.order_id, client_id=client_id)
        try:
            await self._kit.canceller.cancel(ref, params={}, timeout_ms=self._kit.timeout_ms)
        except OrderNotFound:
            if (await self._kit.refresh(client_id)).state is OrderState.OPEN:
                raise

    def _request(self, group: str, role: Role) -> OrderRequest:
        """The order of a role: as it was wished before, or as the entry of a bracket planned it."""
        latest = self._groups.latest(group)
        if role in latest:
            intent = self._store.facts(latest[role]).intent
            assert intent is not None
            return request_of(intent)
        entry = self._store.order(latest["entry"])
        member = self._groups.first(group)
        plan = next(one for one in member.exits if one.role == role)
        intent = self._store.facts(latest["entry"]).intent
        assert intent is not None
        base = entry.symbol.split("/")[0]
        paid = sum((fee.cost for fee in entry.fees if fee.currency == base), Amount(0)) if intent.side == "buy" else 0
        return OrderRequest(
            client_id="",
            symbol=intent.symbol,
            side="sell" if intent.side == "buy" else "buy",
            type=plan.type,
            amount=self._groups.fit(intent.symbol, Amount((entry.filled or Amount(0)) - paid)),
            price=plan.price,
            stop_price=plan.stop_price,
            trigger="take_profit" if role == "take_profit" else "stop",
            post_only=plan.stop_price is None,
            member=Member(group, "bracket", role, emulated=True),
        )

    def _end(self, group: str, step: Step) -> None:
        self._store.keep(GroupEnded(client_id=group, wall_ms=runtime.wall_ms(), note=step.note))
        self._groups.closing.discard(group)
        event = self._groups.changes.pop(group, None)
        if event is not None:
            event.set()
        if step.alarm:
            self._kit.alarms.report(
                "order_group",
                "error",
                self._kit.adapter.id,
                f"the {self._groups.contingency(group)} {group} ended otherwise than it was meant to: {step.note}",
                account=self._kit.account,
                of=group,
                data={"group": group, "note": step.note},
            )
