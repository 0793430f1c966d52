"""The reconciliation of one account over all of its passes: what they share, and the preview of one.

`planar.orders.readiness` decides when a pass is made, `planar.orders.reconcile` makes it.
"""

from __future__ import annotations

from collections.abc import Callable

import planar.runtime as runtime
from planar.adapters.base import Adapter
from planar.adapters.profile import JOURNAL_ID_LENGTH
from planar.errors import PlanarError
from planar.orders.activity import Activity
from planar.orders.balances import BalanceWatch
from planar.orders.cancelling import Canceller
from planar.orders.differences import Bulletin, Hook, Policy, Reason, Reconciliation
from planar.orders.events import AnyEvent
from planar.orders.ids import ClientIds
from planar.orders.journal import Journal
from planar.orders.reconcile import Kit, Pass
from planar.orders.store import OrderStore
from planar.transport.alarms import Alarms


class ScratchStore(OrderStore):
    """The orders of a journal as they would be; nothing is written."""

    def record(self, *events: AnyEvent) -> None:
        """Take events in."""
        for event in events:
            self._shelf.pin(event.client_id)
        self._take(events)


class Reconciler:
    """Makes the passes of one account.

    Attributes:
        listening: whether a stream of all own orders is live; the exchange that holds the streams sets it.
    """

    def __init__(
        self,
        adapter: Adapter,
        store: OrderStore,
        canceller: Canceller,
        timeout_ms: int,
        alarms: Alarms,
        *,
        account: str,
        policy: Policy,
        submitting: Callable[[str], bool],
    ) -> None:
        self.listening: Callable[[], bool] = lambda: False
        self._adapter = adapter
        self._store = store
        self._canceller = canceller
        self._timeout_ms = timeout_ms
        self._account = account
        self._policy: Policy = policy
        self._submitting = submitting
        self._bulletin = Bulletin(alarms)
        self._kit: Kit | None = None

    def on_difference(self, hook: Hook) -> Callable[[], None]:
        """Call `hook` with each new difference; call what is given back to end it."""
        return self._bulletin.add(hook)

    async def run(
        self, ids: ClientIds, reason: Reason, policy: Policy | None
    ) -> tuple[Reconciliation, PlanarError | None]:
        """One pass: what it found, and why no new order may be sent after it.

        Args:
            policy: None takes that of the configuration.
        """
        if self._kit is None:
            self._kit = self._make_kit(self._store, ids, self._bulletin, self._submitting)
        one = Pass(self._kit, reason, policy or self._policy)
        return await one.run(), one.error

    async def preview(self, journal: Journal, policy: Policy | None) -> Reconciliation:
        """What a pass at the start would find and do. Nothing is written, nothing but questions is sent, nobody is told.

        It works while another process holds the journal.

        Raises:
            JournalError: the journal cannot be read.
            PlanarError: the venue did not tell its open orders.
        """
        store = ScratchStore(journal)
        journal_id = runtime.token(JOURNAL_ID_LENGTH)  # of none
        if journal.path.exists():
            journal.open(read_only=True)
            journal_id = journal.id
        try:
            if journal.path.exists():
                store.replay()
            ids = ClientIds(self._adapter.profile.client_id, journal_id)
            kit = self._make_kit(store, ids, Bulletin(Alarms()), lambda client_id: False)
            kit.sends = False
            one = Pass(kit, "demand", policy or self._policy)
            found = await one.run()
        finally:
            journal.close()
        if one.error is not None:
            raise one.error
        return found

    def _make_kit(
        self, store: OrderStore, ids: ClientIds, bulletin: Bulletin, submitting: Callable[[str], bool]
    ) -> Kit:
        return Kit(
            adapter=self._adapter,
            store=store,
            ids=ids,
            activity=Activity(store),
            balances=BalanceWatch(store),
            bulletin=bulletin,
            timeout_ms=self._timeout_ms,
            account=self._account,
            listening=lambda: self.listening(),
            submitting=submitting,
            canceller=self._canceller,
        )
