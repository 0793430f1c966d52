"""Whether an account can pay for an order, as far as that is known without asking.

The balances come from the live balance stream or from a `fetch_balance` of the last seconds; what orders of the journal
have bound since is taken off. Only what is certainly too little is refused: without a fresh balance, after something
that may have freed funds since, and where an order may borrow, the venue decides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

import planar.runtime as runtime
from planar.adapters.base import OrderRequest
from planar.errors import InsufficientFunds, Outcome
from planar.models import AccountBalance, Amount, Market, OrderState
from planar.orders.machine import FINAL, Facts, state_of
from planar.orders.reservations import more_needed, most_needed, need, reserved
from planar.orders.store import OrderStore
from planar.transport.account_log import account_log

log = account_log("planar.orders")

FRESH_S = 5.0
"""So old a fetched balance may be."""
ZERO = Amount(0)


class Snapshot(msgspec.Struct, frozen=True):
    """Balances as they were seen.

    Attributes:
        at_s: `runtime.monotonic()` at which they were asked for, or came by themselves.
        live: the stream told them, and tells when they change.
    """

    balance: AccountBalance
    at_s: float
    live: bool


class Funds:
    """The funds of one account.

    Attributes:
        market_of: the market of a symbol; set by whoever loads them.
        listening: whether the balance stream is live.
    """

    def __init__(self, exchange: str, store: OrderStore, *, fees_on_top: bool, settle_ms: int) -> None:
        self.market_of: Callable[[str], Market | None] = lambda symbol: None
        self.listening: Callable[[], bool] = lambda: False
        self._exchange = exchange
        self._store = store
        self._fees_on_top = fees_on_top
        self._settle_s = settle_ms / 1000
        self._snapshot: Snapshot | None = None
        self._freed_s = float("-inf")
        self._since: dict[str, None] = {}
        self._binding: dict[str, tuple[str, Amount]] | None = None
        self._sums: dict[str, Amount] = {}
        store.listeners.append(self._changed)

    # -- what is seen ----------------------------------------------------------------------------------------------
    def fetched(self, balance: AccountBalance, asked_s: float) -> None:
        """A balance that was asked for at `asked_s`."""
        self._take(Snapshot(balance, asked_s, live=False))

    def told(self, balance: AccountBalance) -> None:
        """A balance that the stream brought."""
        self._take(Snapshot(balance, runtime.monotonic(), live=True))

    def forget(self) -> None:
        """The stream has lost something: what is known may be wrong."""
        self._snapshot = None

    def _take(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._since.clear()
        for client_id in list(self._binding or ()):
            self._bind(client_id)

    def _changed(self, client_id: str) -> None:
        facts = self._store.facts(client_id)
        state = state_of(facts)
        if state is OrderState.PENDING:
            self._since[client_id] = None
        elif state is not OrderState.UNKNOWN and (state is not OrderState.OPEN or facts.filled > 0 or facts.amends):
            # it gave back what it bound, brought something in, or binds something else than before
            self._freed_s = runtime.monotonic()
        if self._binding is not None:
            self._bind(client_id)

    # -- what is bound ---------------------------------------------------------------------------------------------
    def reserved(self) -> dict[str, Amount]:
        """Currency -> what orders may need that no balance counts yet, fees included: those not answered yet, those
        unknown, and those sent since the last balance was seen."""
        sums = reserved(self._uncounted(), self.market_of, fees_on_top=self._fees_on_top)
        for client_id in self._store.unsettled():
            facts = self._store.facts(client_id)
            market = None if facts.intent is None else self.market_of(facts.intent.symbol)
            if market is None or client_id in self._since or state_of(facts) is not OrderState.OPEN:
                continue
            more = more_needed(facts, market)
            if more is not None:
                sums[more[0]] = Amount(sums.get(more[0], ZERO) + more[1])
        return dict(sorted(sums.items()))

    def _uncounted(self) -> Iterator[Facts]:
        for client_id in self._store.unfinished():
            facts = self._store.facts(client_id)
            if client_id in self._since or state_of(facts) is not OrderState.OPEN:
                yield facts

    def _bound(self, currency: str) -> Amount:
        """What is bound for certain and is not in the snapshot; the venue may do without a part of the fees.

        The sums go along with each change: an order does not look at all that are open.
        """
        if self._binding is None:
            self._binding = {}
            for client_id in self._store.unfinished():
                self._bind(client_id)
        return self._sums.get(currency, ZERO)

    def _bind(self, client_id: str) -> None:
        """Count what an order binds now in the place of what it bound before."""
        assert self._binding is not None
        before = self._binding.pop(client_id, None)
        if before is not None:
            self._sums[before[0]] -= before[1]
        facts = self._store.facts(client_id)
        since = client_id in self._since
        if not since and "sending" in facts.marks and "unknown" not in facts.marks:
            return
        state, market = state_of(facts), None if facts.intent is None else self.market_of(facts.intent.symbol)
        if state in FINAL or market is None or not (since or state is not OrderState.OPEN):
            return
        found = most_needed(facts, market)
        if found is not None:
            self._binding[client_id] = found
            self._sums[found[0]] = self._sums.get(found[0], ZERO) + found[1]

    # -- deciding --------------------------------------------------------------------------------------------------
    def admit(self, request: OrderRequest, *, filled: Amount = ZERO, frees: Facts | None = None) -> None:
        """Refuse an order that the account certainly cannot pay for. Asks nobody; journal the order in the same step.

        Args:
            filled: part of its amount that has traded already: the order is changed in place.
            frees: the order in whose place it comes, and which gives back what it binds.

        Raises:
            InsufficientFunds: with the outcome NOT_SENT; it says what is needed, free and reserved.
        """
        market = self.market_of(request.symbol)
        snapshot = self._snapshot
        if market is None or snapshot is None or (request.replaces is not None and frees is None):
            return
        found = need(request, market, filled)
        entry = None if found is None else snapshot.balance.balances.get(found[0])
        if found is None or entry is None or entry.free is None:
            return
        currency, needed = found
        given_back = None if frees is None else need(frees.wishes[0], market, frees.filled)
        if given_back is not None and given_back[0] == currency:
            needed = Amount(needed - given_back[1])
        bound = self._bound(currency)
        if needed <= entry.free - bound:
            return
        text = f"the order needs {needed} {currency}; {entry.free} are free, of which {bound} are reserved for other orders"
        if not self._certain(snapshot):
            log.warning("%s, as far as is known; the exchange decides", text)
            return
        raise InsufficientFunds(
            text,
            exchange=self._exchange,
            outcome=Outcome.NOT_SENT,
            hint=f"{max(ZERO, Amount(entry.free - bound))} {currency} can be used; exchange.reserved() shows what is bound",
        )

    def _certain(self, snapshot: Snapshot) -> bool:
        """It is fresh, and nothing that it may not count yet has freed funds."""
        fresh = self.listening() if snapshot.live else runtime.monotonic() - snapshot.at_s <= FRESH_S
        return fresh and snapshot.at_s >= self._freed_s + self._settle_s
