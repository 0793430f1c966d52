"""What of a replaced order traded while the request was on its way is taken off the order that came in its place.

A replacement is of what had not traded when it was asked for. What trades between that and the cancel would be bought or
sold a second time: the replacement is made smaller by it, in place where the venue has that, else it is canceled.
"""

from __future__ import annotations

import asyncio

import msgspec

import planar.runtime as runtime
from planar.adapters.base import Adapter, OrderRef
from planar.errors import PlanarError
from planar.models import Amount, OrderState
from planar.orders.amending import Amender
from planar.orders.cancelling import Canceller
from planar.orders.handle import OrderHandle
from planar.orders.store import OrderStore
from planar.orders.tasks import Tasks
from planar.transport.account_log import account_log
from planar.transport.alarms import Alarms

log = account_log("planar.orders")

TRIES = 8
PAUSE_S = 0.2
TIMEOUT_MS = 10_000
"""Of each request."""


class Trimmer:
    """Trims the replacements of one account."""

    def __init__(
        self,
        adapter: Adapter,
        store: OrderStore,
        tasks: Tasks,
        amender: Amender,
        canceller: Canceller,
        alarms: Alarms,
        account: str,
    ) -> None:
        self._adapter = adapter
        self._store = store
        self._tasks = tasks
        self._amender = amender
        self._canceller = canceller
        self._alarms = alarms
        self._account = account

    async def trim(self, replaced: str, assumed: Amount, handle: OrderHandle, within_s: float) -> None:
        """Take off the replacement what traded of the other order; it goes on when the caller's time is over.

        Args:
            replaced: client id of the order that was replaced.
            assumed: what of it had traded when the replacement's amount was found.
        """
        new = str(handle.client_order_id)
        task = self._tasks.start(f"trim {new}", self._insist(replaced, assumed, new))
        await asyncio.wait({task}, timeout=within_s)

    async def _insist(self, replaced: str, assumed: Amount, new: str) -> None:
        """Until it is done; what cannot be done is an alarm."""
        pause_s = PAUSE_S
        for attempt in range(1, TRIES + 1):
            try:
                await self._trim(replaced, assumed, new)
                return
            except PlanarError as error:
                log.warning("what order %s traded could not be taken off %s: %s", replaced, new, error)
                if attempt == TRIES:
                    self._report(replaced, new, error)
                    return
            await runtime.sleep(pause_s)
            pause_s *= 2

    async def _trim(self, replaced: str, assumed: Amount, new: str) -> None:
        facts = self._store.facts(replaced)
        assert facts.intent is not None
        ref = OrderRef(facts.intent.symbol, order_id=facts.order_id, client_id=replaced)
        old = await self._adapter.query_order(ref, {}, timeout_ms=TIMEOUT_MS)
        if old is not None:
            self._store.observe_quietly(old, "query")
        too_much = Amount(self._store.facts(replaced).filled - assumed)
        order = self._store.order(new)
        if too_much <= 0 or order.state is not OrderState.OPEN or order.amount is None:
            return
        left = Amount(order.amount - too_much)
        if self._adapter.profile.amend is None or left <= (order.filled or 0):
            ref = OrderRef(order.symbol, order_id=order.id, client_id=new)
            await self._canceller.cancel(ref, params={}, timeout_ms=TIMEOUT_MS)
            return
        terms = msgspec.structs.replace(self._store.facts(new).terms, amount=left)
        await self._amender.amend(new, terms, params={}, intent_id="", timeout_ms=TIMEOUT_MS)

    def _report(self, replaced: str, new: str, error: PlanarError) -> None:
        self._alarms.report(
            "order_overfilled",
            "error",
            self._adapter.id,
            f"order {new} came in the place of {replaced}, and may fill by more than was wished: what traded meanwhile "
            f"could not be taken off: {error.message}",
            account=self._account,
            of=new,
            since_ms=runtime.wall_ms(),
            data={"client_id": new, "replaced": replaced},
        )
