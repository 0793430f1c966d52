"""`VirtualExchange`: the one face of the engine. Wires call it, subscribers hear it, nothing else is public.

Every method is synchronous and completes at once: when it returns, books, balances, records and ledger agree, and the
events of the operation have been delivered, in causal order. A subscriber may call queries and even operations; the
events of a nested operation follow those already waiting.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType

from planar.venue.engine.conditions import Conditions
from planar.venue.engine.core import Core
from planar.venue.engine.events import Event
from planar.venue.engine.funds import Funds
from planar.venue.engine.history import History
from planar.venue.engine.intake import amount_in_lots
from planar.venue.engine.ledger import Ledger
from planar.venue.engine.list_entry import ListEntry
from planar.venue.engine.orders import LIMIT_KINDS, LiveOrder
from planar.venue.engine.public_data import DAY_MS as DAY_MS
from planar.venue.engine.rejects import EngineReject, RejectReason
from planar.venue.engine.specs import AssetSpec, SymbolSpec
from planar.venue.engine.treasury import Treasury
from planar.venue.engine.types import NewOrder, Order, OrderRef, ReplaceResult
from planar.venue.engine.units import to_decimal

NO_HISTORIES: Mapping[str, History] = MappingProxyType({})


class VirtualExchange(Treasury, ListEntry):
    """A spot exchange in memory.

    Args:
        symbols: the markets.
        assets: every base and quote asset of them.
        seed: decides ids and addresses.
        clock: returns UTC epoch milliseconds; a value below an earlier one is taken as the earlier one.
        histories: the past of the symbols that have one; it ends when the exchange is made.

    Attributes:
        symbols: the markets by unified symbol, in the order given; delisted ones too.
        conditions: the state of the exchange and its markets.
        assets: the assets by code, in the order given.
        seed: what decides ids and addresses.
        core, funds: the parts inside, for the market model and the seeding of accounts.
    """

    def __init__(
        self,
        symbols: Sequence[SymbolSpec],
        assets: Sequence[AssetSpec],
        *,
        seed: int,
        clock: Callable[[], int],
        histories: Mapping[str, History] = NO_HISTORIES,
    ) -> None:
        specs = {spec.symbol: spec for spec in symbols}
        self.symbols: Mapping[str, SymbolSpec] = specs
        self.assets: Mapping[str, AssetSpec] = {spec.asset: spec for spec in assets}
        for spec in symbols:
            for asset in (spec.base, spec.quote):
                if asset not in self.assets:
                    raise ValueError(f"{spec.symbol}: asset {asset} is not among the assets")
        super().__init__(Core(symbols, seed=seed, clock=clock, histories=histories))
        self.seed = seed
        self.conditions = Conditions(self.core, specs)
        self.funds = Funds(self.core, self.assets, seed)

    @property
    def ledger(self) -> Ledger:
        """The double-entry ledger, to be read."""
        return self.core.ledger

    def audit(self) -> list[str]:
        """Proves that ledger, locked and pending funds and books agree. Returns what does not; empty when all does."""
        return self.core.audit() + self.funds.audit()

    def now_ms(self) -> int:
        """The exchange's own time."""
        return self.core.now()

    # -- orders -------------------------------------------------------------------------------------------------

    def submit(self, new: NewOrder) -> Order:
        """Accepts an order, matches it, and returns it as it is afterwards.

        The fills made meanwhile are `fills(account, symbol, order_id=order.id)`.
        Raises EngineReject with any reason that concerns a new order; nothing has changed then.
        """
        order = self._draft(new)
        now = self.core.now()
        order.client_id = self.core.intake.make_client_id() if new.client_id is None else new.client_id
        self.core.matcher.accept(order, now)
        result = order.snapshot()
        self.core.outbox.flush(now)
        return result

    def check(self, new: NewOrder) -> None:
        """Raises what `submit` would raise, and changes nothing."""
        self._draft(new)

    def cancel(self, account: str, symbol: str, ref: OrderRef, *, request_id: str | None = None) -> Order:
        """Cancels an open order. Raises EngineReject UNKNOWN_ORDER if there is no such open order."""
        order = self._open_order(account, symbol, ref)
        now = self.core.now()
        self.core.matcher.cancel(order, now, request_id)
        result = order.snapshot()
        self.core.outbox.flush(now)
        return result

    def cancel_all(self, account: str, symbol: str, *, request_id: str | None = None) -> list[Order]:
        """Cancels every open order of the account in the symbol, oldest first; may be none."""
        now = self.core.now()
        orders = list(self._log(account, symbol).open.values())
        for order in orders:
            self.core.matcher.cancel(order, now, request_id)
        result = [order.snapshot() for order in orders]
        self.core.outbox.flush(now)
        return result

    def replace(
        self,
        account: str,
        symbol: str,
        ref: OrderRef,
        new: NewOrder,
        *,
        stop_on_failure: bool,
        request_id: str | None = None,
    ) -> ReplaceResult:
        """Cancels one order, then submits another. With `stop_on_failure` a failed cancel ends it.

        A failed submit does not undo the cancel. Never raises EngineReject for either half: see `ReplaceResult`.
        """
        canceled = created = cancel_reject = create_reject = None
        try:
            canceled = self.cancel(account, symbol, ref, request_id=request_id)
        except EngineReject as reject:
            cancel_reject = reject
        if canceled is not None or not stop_on_failure:
            try:
                created = self.submit(new)
            except EngineReject as reject:
                create_reject = reject
        return ReplaceResult(
            canceled=canceled, cancel_reject=cancel_reject, created=created, create_reject=create_reject
        )

    def amend_keep_priority(
        self, account: str, symbol: str, ref: OrderRef, new_amount: Decimal, *, client_id: str | None = None
    ) -> Order:
        """Makes an open limit order smaller; it keeps its id and its place in the queue.

        Args:
            new_amount: the whole new amount, above what is filled, below the present amount.
            client_id: its new client id; None: the engine makes one.

        Raises:
            EngineReject: UNKNOWN_ORDER, INVALID_AMOUNT, AMEND_NOT_SMALLER, DUPLICATE_CLIENT_ID, INVALID_COMBINATION.
        """
        order = self._open_order(account, symbol, ref)
        lots = amount_in_lots(order.market, new_amount, order.market.spec.max_amount)
        if order.kind not in LIMIT_KINDS:
            raise EngineReject(RejectReason.INVALID_COMBINATION, f"a {order.kind} order cannot be amended")
        if not order.filled < lots < order.lots:
            scale = order.market.lot_units
            bounds = f"{to_decimal(order.filled * scale):f} and {to_decimal(order.lots * scale):f}"
            message = f"new_amount = {new_amount} is not between {bounds}"
            raise EngineReject(RejectReason.AMEND_NOT_SMALLER, message)
        if client_id is not None and client_id != order.client_id and self._log(account, symbol).has_open(client_id):
            message = f"client_id = {client_id!r} belongs to an open order"
            raise EngineReject(RejectReason.DUPLICATE_CLIENT_ID, message)
        now = self.core.now()
        self.core.matcher.shrink(order, lots, client_id or self.core.intake.make_client_id(), now)
        result = order.snapshot()
        self.core.outbox.flush(now)
        return result

    # -- observers ----------------------------------------------------------------------------------------------

    def subscribe(self, callback: Callable[[Event], None]) -> Callable[[], None]:
        """Calls `callback` with every event from now on. Returns the function that ends it."""
        return self.core.outbox.subscribe(callback)

    # -- inside -------------------------------------------------------------------------------------------------

    def _draft(self, new: NewOrder) -> LiveOrder:
        market = self.core.market(new.symbol)
        return self.core.intake.check(new, self.core.accounts.get(new.account), market)

    def _open_order(self, account: str, symbol: str, ref: OrderRef) -> LiveOrder:
        order = self._find(account, symbol, ref)
        if not order.is_open:
            raise EngineReject(RejectReason.UNKNOWN_ORDER, f"order {order.id} of {symbol} is {order.status}")
        return order
