"""One pass of reconciliation: journal and venue are brought to agree, over the union of what both of them know.

1. (Start only.) An intent that was never followed by SENDING was not sent.
2. Open orders of all markets, in one request. What they prove is taken in: states, fills, orphans.
3. Orders that the journal has open and the list has not: in the history of their market, where there are many, then one
   by one by their ids. An order is never taken for gone because a list lacks it.
4. The executions of orders of which some are missing.
5. The balances, against what the fills explain.
6. Orphans, by the policy.

Evidence is taken in whenever it comes, for it is true however late. What would follow from the lack of evidence is not
concluded while an order is younger than the venue's answers may lag (`ExpiryRule.settle_ms`), nor from a question that
was not answered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import islice

import msgspec

import planar.runtime as runtime
from planar.adapters.base import Adapter, OrderRef
from planar.errors import PlanarError
from planar.models import AccountBalance, Amount, Fill, Order, OrderState
from planar.orders.activity import Activity
from planar.orders.balances import BalanceWatch
from planar.orders.cancelling import Canceller
from planar.orders.differences import Bulletin, Policy, Reason, Reconciliation
from planar.orders.events import Intent, NotSent
from planar.orders.findings import Findings
from planar.orders.ids import ClientIds
from planar.orders.machine import FINAL
from planar.orders.store import OrderStore
from planar.orders.venue_side import VenueSide
from planar.orders.view import fill_event
from planar.transport.context import Priority, at_most

BY_HISTORY = 5
"""More orders of one market than so many are looked for in its history before they are asked for one by one."""
HISTORY_MARKETS = 20
"""Markets whose history one pass looks through."""
RECENT = 200
"""So many of the journal's last orders name the markets whose history is looked through."""
MARGIN_MS = 60_000
"""How far clocks may be apart."""
TRADE_TRIES = 3
"""How often a market is asked for executions of an order that it does not show."""


class Kit(msgspec.Struct):
    """What all passes of one account share.

    Attributes:
        listening: whether a stream of all own orders is live, which should have told what a pass finds.
        submitting: whether an order is on its way at this moment: its own task learns what became of it.
        sends: False: nothing is sent to the venue but questions, whatever the policy.
        mark_s: when the last pass whose parts all were answered began, monotonic seconds.
        mark_ms: the same by the system's clock.
    """

    adapter: Adapter
    store: OrderStore
    ids: ClientIds
    activity: Activity
    balances: BalanceWatch
    bulletin: Bulletin
    timeout_ms: int
    account: str
    listening: Callable[[], bool]
    submitting: Callable[[str], bool]
    canceller: Canceller
    sends: bool = True
    mark_s: float = 0.0
    mark_ms: int = 0
    tries: dict[str, int] = {}


class Pass:
    """One pass. `run` it once."""

    def __init__(self, kit: Kit, reason: Reason, policy: Policy) -> None:
        self._kit = kit
        self._store = kit.store
        self._reason: Reason = reason
        self._policy: Policy = policy
        self._venue = VenueSide(kit.adapter, kit.timeout_ms)
        self._settle_ms = kit.adapter.profile.expiry.settle_ms
        # what a stream should have told is worth a warning; what nobody could have heard of is not
        heard = kit.listening() and reason in ("timer", "demand")
        self._found = Findings(kit.adapter.id, kit.account, "warning" if heard else "info")
        self._patient = heard and reason == "timer"
        self._orphans: dict[str, Order] = {}
        self._unknown: list[str] = []
        self._not_sent: list[str] = []
        self._short: dict[str, None] = {}
        self._foreign = 0
        self._left_out: tuple[str, ...] = ()

    @property
    def error(self) -> PlanarError | None:
        """Why no new order may be sent after this pass; None: it may."""
        return self._venue.error

    async def run(self) -> Reconciliation:
        """Ask, compare, take in, tell."""
        began_s, began_ms = runtime.monotonic(), runtime.wall_ms()
        with at_most(Priority.BACKFILL if self._reason == "timer" else Priority.ACCOUNT):
            if self._reason == "start":
                self._end_unsent()
            await self._orders()
            if self._venue.error is None and self._reason != "reconnect":  # orders wait: what they need comes first
                await self._trades()
                await self._balances(began_s)
            await self._treat_orphans()
        complete = not self._venue.failed and self._reason != "reconnect"
        if complete:
            self._kit.mark_s, self._kit.mark_ms = began_s, began_ms
            self._kit.activity.forget(began_s - 60)
        differences = self._found.sorted()
        self._kit.bulletin.tell(differences, complete=complete)
        return Reconciliation(
            reason=self._reason,
            differences=differences,
            not_sent=tuple(self._not_sent),
            settled=self._found.settled,
            unknown=tuple(self._unknown),
            orphans=tuple(sorted(self._orphans)),
            foreign=self._foreign,
            failed=tuple(self._venue.failed),
            left_out=self._left_out,
            open_orders=len(self._watched()),
            queries=self._venue.queries,
            began_ms=began_ms,
            took_ms=(runtime.monotonic() - began_s) * 1000,
        )

    # -- orders ----------------------------------------------------------------------------------------------------
    def _end_unsent(self) -> None:
        for client_id in self._store.unfinished():
            if self._store.state(client_id) is OrderState.PENDING:
                reason = "the process ended before sending"
                self._store.keep(NotSent(client_id=client_id, wall_ms=runtime.wall_ms(), reason=reason))
                self._not_sent.append(client_id)

    def _watched(self) -> list[str]:
        """Orders that may stand at the venue, and whose answer nobody waits for."""
        return [
            name
            for name in self._store.unfinished()
            if self._store.state(name) is not OrderState.PENDING and not self._kit.submitting(name)
        ]

    def _symbol(self, client_id: str) -> str:
        intent = self._store.facts(client_id).intent
        return intent.symbol if intent is not None else ""

    def _young(self, client_id: str) -> bool:
        return self._kit.activity.age_ms(client_id) < self._settle_ms

    async def _orders(self) -> None:
        watched = self._watched()
        empty = self._reason == "start" and next(self._store.newest(), None) is None
        listed = await self._venue.open_orders(sorted({self._symbol(name) for name in watched}))
        if self._venue.error is not None:
            return
        rows = sorted(listed or (), key=lambda order: (order.symbol, order.client_order_id or "", order.id or ""))
        if self._patient and self._differs(watched, rows):
            await runtime.sleep(self._settle_ms / 1000)  # the stream may be about to say it
        doubtful = self._take_listed(rows)
        if empty:
            self._look_for_another_journal(rows)
        shown = {self._store.client_id_of(order) for order in rows}
        missing = [name for name in watched if name not in shown and self._store.state(name) not in FINAL]
        counts: dict[str, int] = {}
        for client_id in missing:
            counts[self._symbol(client_id)] = counts.get(self._symbol(client_id), 0) + 1
        many = sorted(symbol for symbol, count in counts.items() if count > BY_HISTORY)
        if self._reason in ("start", "demand"):  # an order that waits is not to wait for more than is needed
            await self._take_histories(self._history_markets(), self._history_since())
        elif many:
            since_ms = min(self._asked_ms(client_id) for client_id in missing) - MARGIN_MS
            await self._take_histories(many, since_ms)
        left = [name for name in missing if self._store.state(name) not in FINAL]
        if self._reason == "timer":  # unknown orders are being asked for already, at the pace that the limits allow
            self._unknown += [name for name in left if self._store.state(name) is OrderState.UNKNOWN]
            left = [name for name in left if name not in self._unknown]
        await self._ask_one_by_one([*doubtful, *left])

    def _asked_ms(self, client_id: str) -> int:
        intent = self._store.facts(client_id).intent
        return intent.wall_ms if intent is not None else runtime.wall_ms()

    def _differs(self, watched: Sequence[str], rows: Sequence[Order]) -> bool:
        """Whether a list says anything that the journal does not."""
        shown: set[str | None] = set()
        for order in rows:
            client_id = self._store.client_id_of(order)
            shown.add(client_id)
            if client_id is not None and not self._kit.submitting(client_id):
                known = self._store.order(client_id)
                if known.state is not order.state or (order.filled or 0) != (known.filled or 0):
                    return True
        return any(name not in shown and self._store.state(name) is OrderState.OPEN for name in watched)

    def _take_listed(self, rows: Sequence[Order]) -> list[str]:
        """Take in what a list of open orders proves; those about which the order itself has to be asked."""
        doubtful: list[str] = []
        for order in rows:
            client_id = self._store.client_id_of(order)
            if client_id is None:
                self._take_stranger(order)
                continue
            if self._kit.submitting(client_id):
                continue
            known = self._store.order(client_id)
            behind = order.filled is not None and known.filled is not None and order.filled < known.filled
            if known.state in FINAL or behind:
                if not self._young(client_id):
                    doubtful.append(client_id)
                if known.state not in (OrderState.NEVER_ACCEPTED, OrderState.REJECTED):
                    continue
            self._take(client_id, order)
        return doubtful

    def _take_stranger(self, order: Order) -> None:
        client_id = order.client_order_id
        if client_id is not None and self._kit.ids.owns(client_id):
            # the journal is a restored copy that ends before this order: its number is taken
            self._store.journal.number_beyond(self._kit.ids.number_of(client_id))
            self._orphans[client_id] = order
        elif order.state is OrderState.OPEN:
            self._foreign += 1

    def _look_for_another_journal(self, rows: Sequence[Order]) -> None:
        made = self._kit.adapter.profile.client_id.made
        others = [
            row for row in rows if made(row.client_order_id or "") and not self._kit.ids.owns(row.client_order_id)
        ]
        if others:
            self._found.other_journal(others)

    def _take(self, client_id: str, order: Order) -> None:
        """Take in what the venue shows of an order, and note what of it is new."""
        before = self._store.order(client_id)
        self._store.observe_quietly(order, "reconciliation")
        after = self._store.order(client_id)
        if after.state is not before.state:
            self._found.settled_now(before, after)
        if (after.filled or 0) > (before.filled or 0):
            self._found.filled_more(before, after)
            self._short[client_id] = None

    def _history_markets(self) -> list[str]:
        """Those of the journal's open and of its last orders."""
        names = dict.fromkeys(self._symbol(name) for name in [*self._watched(), *islice(self._store.newest(), RECENT)])
        markets = [name for name in names if name]
        self._left_out = tuple(sorted(markets[HISTORY_MARKETS:]))
        return sorted(markets[:HISTORY_MARKETS])

    def _history_since(self) -> int:
        """Since the last pass; at the start since the first order that is open, or the journal's last one."""
        if self._kit.mark_ms:
            return self._kit.mark_ms - MARGIN_MS
        names = [*self._watched(), *islice(self._store.newest(), 1)]
        return min((self._asked_ms(name) for name in names), default=runtime.wall_ms()) - MARGIN_MS

    async def _take_histories(self, symbols: Sequence[str], since_ms: int) -> None:
        for symbol in symbols:
            for order in await self._venue.history(symbol, since_ms) or ():
                client_id = self._store.client_id_of(order)
                if client_id is None:
                    if order.state is not OrderState.OPEN:
                        self._take_stranger(order)
                elif self._kit.submitting(client_id):
                    continue
                elif order.state in FINAL and self._store.state(client_id) not in FINAL:
                    self._take(client_id, order)

    async def _ask_one_by_one(self, names: Sequence[str]) -> None:
        refs = [
            (name, OrderRef(self._symbol(name), client_id=name, order_id=self._store.facts(name).order_id))
            for name in dict.fromkeys(names)
            if self._symbol(name)
        ]
        for client_id, answered, order in await self._venue.orders(refs):
            if order is not None:
                self._take(client_id, order)
                self._judge(client_id, order)
            elif answered and self._store.state(client_id) is OrderState.OPEN and not self._young(client_id):
                self._found.ghost(self._store.order(client_id))
                self._short[client_id] = None
            if self._store.state(client_id) is OrderState.UNKNOWN:
                self._unknown.append(client_id)

    def _judge(self, client_id: str, order: Order) -> None:
        """What the venue shows of the order itself, where the journal still says something else."""
        known = self._store.order(client_id)
        if self._young(client_id):
            return
        if known.state is not order.state:
            self._found.contradicted(known, order)
        elif known.filled is not None and order.filled is not None and order.filled < known.filled:
            self._found.filled_less(known, order)

    # -- executions ------------------------------------------------------------------------------------------------
    async def _trades(self) -> None:
        """Ask the markets of orders of which executions are missing."""
        kit = self._kit
        names = dict.fromkeys([*self._short, *kit.activity.since(kit.mark_s)])
        wanted: dict[str, int] = {}
        for client_id in names:
            facts = self._store.facts(client_id)
            known = sum((fill.amount for fill in facts.fills), Amount(0))
            tries = kit.tries.get(client_id, 0)
            if client_id not in self._short and (known >= facts.filled or tries >= TRADE_TRIES):
                continue
            kit.tries[client_id] = tries + 1
            symbol, since_ms = self._symbol(client_id), self._asked_ms(client_id) - MARGIN_MS
            wanted[symbol] = min(wanted.get(symbol, since_ms), since_ms)
        for symbol in sorted(wanted):
            self._take_fills(await self._venue.trades(symbol, wanted[symbol]) or ())
        kit.tries = {name: tries for name, tries in kit.tries.items() if name in names}

    def _take_fills(self, fills: Iterable[Fill]) -> None:
        for fill in fills:
            client_id = self._store.find(fill.symbol, fill.order_id or "")
            if client_id is None or any(one.trade_id == fill.id for one in self._store.facts(client_id).fills):
                continue
            before = self._store.order(client_id)
            self._store.keep(fill_event(fill, client_id))
            after = self._store.order(client_id)
            if after.state is not before.state:
                self._found.settled_now(before, after)
            if (after.filled or 0) > (before.filled or 0):
                self._found.filled_more(before, after)

    # -- balances --------------------------------------------------------------------------------------------------
    async def _balances(self, began_s: float) -> None:
        kit = self._kit
        seen: AccountBalance | None = await self._venue.balance()
        if seen is None:
            return
        newest_s = kit.activity.newest_s()
        quiet = newest_s is None or (runtime.monotonic() - newest_s) * 1000 >= self._settle_ms
        touched = kit.activity.since(kit.mark_s)
        for currency, change, expected in kit.balances.compare(seen, touched, quiet=quiet):
            self._found.balance(currency, change, expected)

    # -- orphans ---------------------------------------------------------------------------------------------------
    async def _treat_orphans(self) -> None:
        for client_id in sorted(self._orphans):
            order = self._orphans[client_id]
            action = await self._treat(client_id, order)
            self._found.orphan(order, action)

    async def _treat(self, client_id: str, order: Order) -> str:
        if self._policy == "report":
            return "none"
        word = "canceled" if self._policy == "cancel" and order.state is OrderState.OPEN else "adopted"
        if not self._kit.sends:
            return f"would be {word}"
        self._adopt(client_id, order)
        if word == "canceled":
            ref = OrderRef(order.symbol, order_id=order.id, client_id=client_id)
            try:
                await self._kit.canceller.cancel(ref, params={}, timeout_ms=self._kit.timeout_ms)
            except PlanarError as error:
                return f"adopted, but not canceled: {error.message}"
        return word

    def _adopt(self, client_id: str, order: Order) -> None:
        self._store.keep(
            Intent(
                client_id=client_id,
                wall_ms=order.ts_ms or runtime.wall_ms(),
                symbol=order.symbol,
                side=order.side,
                type=order.type or "limit",
                amount=order.amount,
                price=order.price,
                stop_price=order.trigger_price,
                time_in_force=order.time_in_force,
                post_only=bool(order.post_only),
            )
        )
        self._store.observe_quietly(order, "orphan")
