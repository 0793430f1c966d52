"""`VirtualExchange`: the one face of the engine. Wires call it, subscribers hear it, nothing else is public.

Every method is synchronous and completes at once: when it returns, books, balances, records and ledger agree, and the
events of the operation have been delivered, in causal order. A subscriber may call queries and even operations; the
events of a nested operation follow those already waiting.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType

from planar.venue.engine.accounts import OrderLog, select
from planar.venue.engine.core import Core
from planar.venue.engine.events import Event
from planar.venue.engine.funds import Funds
from planar.venue.engine.history import History
from planar.venue.engine.intake import amount_in_lots
from planar.venue.engine.ledger import Ledger
from planar.venue.engine.orders import LIMIT_KINDS, LiveOrder
from planar.venue.engine.public_data import DAY_MS as DAY_MS
from planar.venue.engine.public_data import PublicData
from planar.venue.engine.rejects import EngineReject, RejectReason
from planar.venue.engine.specs import AssetSpec, SymbolSpec
from planar.venue.engine.types import (
    Balance,
    Deposit,
    DepositAddress,
    Fill,
    NewOrder,
    Order,
    OrderRef,
    PreventedMatch,
    ReplaceResult,
    Withdrawal,
)
from planar.venue.engine.units import require_units, to_decimal

NO_HISTORIES: Mapping[str, History] = MappingProxyType({})


class VirtualExchange(PublicData):
    """A spot exchange in memory.

    Args:
        symbols: the markets.
        assets: every base and quote asset of them.
        seed: decides ids and addresses.
        clock: returns UTC epoch milliseconds; a value below an earlier one is taken as the earlier one.
        histories: the past of the symbols that have one; it ends when the exchange is made.

    Attributes:
        symbols: the markets by unified symbol, in the order given.
        assets: the assets by code, in the order given.
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
        self.symbols: Mapping[str, SymbolSpec] = {spec.symbol: spec for spec in symbols}
        self.assets: Mapping[str, AssetSpec] = {spec.asset: spec for spec in assets}
        for spec in symbols:
            for asset in (spec.base, spec.quote):
                if asset not in self.assets:
                    raise ValueError(f"{spec.symbol}: asset {asset} is not among the assets")
        super().__init__(Core(symbols, seed=seed, clock=clock, histories=histories))
        self.funds = Funds(self.core, self.assets, seed)

    @property
    def ledger(self) -> Ledger:
        """The double-entry ledger, to be read."""
        return self.core.ledger

    def audit(self) -> list[str]:
        """Proves that ledger, locked funds and books agree. Returns what does not; empty when all does."""
        return self.core.audit()

    def now_ms(self) -> int:
        """The exchange's own time."""
        return self.core.now()

    # -- accounts and funds -------------------------------------------------------------------------------------

    def add_account(self, account: str) -> None:
        """Opens an account without funds. Raises ValueError if it exists."""
        self.core.accounts.open(account)

    def accounts(self) -> list[str]:
        """Names of the user accounts (not the model's), in order of opening."""
        return [account.name for account in self.core.accounts.users()]

    def balances(self, account: str) -> dict[str, Balance]:
        """Balances of all assets the account ever held."""
        found = self.core.accounts.get(account)
        return {asset: found.show(asset) for asset in found.balance}

    def deposit(self, account: str, asset: str, amount: Decimal, *, network: str | None = None) -> Deposit:
        """Money comes in from outside and is credited at once. `network` None: the asset's default."""
        now = self.core.now()
        record = self.funds.deposit(self.core.accounts.get(account), asset, amount, network, now)
        self.core.outbox.flush(now)
        return record

    def withdraw(
        self,
        account: str,
        asset: str,
        amount: Decimal,
        *,
        address: str,
        network: str | None = None,
        tag: str | None = None,
        client_id: str | None = None,
    ) -> Withdrawal:
        """Money leaves, at once. Raises EngineReject INSUFFICIENT_BALANCE, INVALID_AMOUNT, UNKNOWN_ASSET."""
        now = self.core.now()
        record = self.funds.withdraw(
            self.core.accounts.get(account),
            asset,
            amount,
            address=address,
            network=network,
            tag=tag,
            client_id=client_id,
            now=now,
        )
        self.core.outbox.flush(now)
        return record

    def deposits(
        self,
        account: str,
        *,
        asset: str | None = None,
        start_ms: int | None = None,
        end_ms: int | None = None,
    ) -> list[Deposit]:
        """Deposits, newest first; bounds (inclusive) are on `created_ms`."""
        rows = self.core.accounts.get(account).deposits
        return [row for row in reversed(rows) if _matches(row, asset, start_ms, end_ms)]

    def withdrawals(
        self,
        account: str,
        *,
        asset: str | None = None,
        start_ms: int | None = None,
        end_ms: int | None = None,
    ) -> list[Withdrawal]:
        """Withdrawals, newest first; bounds (inclusive) are on `created_ms`."""
        rows = self.core.accounts.get(account).withdrawals
        return [row for row in reversed(rows) if _matches(row, asset, start_ms, end_ms)]

    def deposit_address(self, account: str, asset: str, network: str | None = None) -> DepositAddress:
        """The address of an account for an asset; always the same for a seed."""
        return self.funds.address(self.core.accounts.get(account), asset, network)

    def credit(self, account: str, asset: str, amount: Decimal, reason: str) -> None:
        """An adjustment from outside, positive or negative; no deposit record. `reason` stands in the ledger."""
        now = self.core.now()
        found = self.core.accounts.get(account)
        self.funds.adjust(found, asset, require_units(amount, "amount"), reason, now)
        self.core.outbox.flush(now)

    def set_balance(self, account: str, asset: str, free: Decimal) -> None:
        """Adjusts the free balance to a value; what is locked stays."""
        found = self.core.accounts.get(account)
        units = require_units(free, "free")
        if units < 0:
            raise ValueError(f"free = {free} is negative")
        now = self.core.now()
        self.funds.adjust(found, asset, units - found.free(asset), "set balance", now)
        self.core.outbox.flush(now)

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

    def order(self, account: str, symbol: str, ref: OrderRef) -> Order:
        """One order, open or not. A client id that was used again names the newest. Raises UNKNOWN_ORDER."""
        return self._find(account, symbol, ref).snapshot()

    def open_orders(self, account: str, symbol: str | None = None) -> list[Order]:
        """Open orders (waiting stops too), by symbol in market order, oldest first."""
        names = self.core.markets if symbol is None else (self.core.market(symbol).symbol,)
        logs = self.core.accounts.get(account).logs
        return [order.snapshot() for name in names if name in logs for order in logs[name].open.values()]

    def orders(
        self,
        account: str,
        symbol: str,
        *,
        from_id: int | None = None,
        start_ms: int | None = None,
        end_ms: int | None = None,
        limit: int = 500,
    ) -> list[Order]:
        """Orders in any state, by rising id.

        With `from_id` or `start_ms` the oldest `limit` of those that match, otherwise the newest. Bounds are inclusive
        and on `created_ms`.
        """
        rows = select(
            self._log(account, symbol).orders,
            lambda order: order.id,
            lambda order: order.created_ms,
            from_id=from_id,
            start_ms=start_ms,
            end_ms=end_ms,
            limit=limit,
        )
        return [order.snapshot() for order in rows]

    def fills(
        self,
        account: str,
        symbol: str,
        *,
        order_id: int | None = None,
        from_id: int | None = None,
        start_ms: int | None = None,
        end_ms: int | None = None,
        limit: int = 500,
    ) -> list[Fill]:
        """Executions of the account, by rising trade id; selection as in `orders`, `from_id` is a trade id."""
        rows: Sequence[Fill] = self._log(account, symbol).fills
        if order_id is not None:
            rows = [fill for fill in rows if fill.order_id == order_id]
        return list(
            select(
                rows,
                lambda fill: fill.trade_id,
                lambda fill: fill.ts_ms,
                from_id=from_id,
                start_ms=start_ms,
                end_ms=end_ms,
                limit=limit,
            )
        )

    def prevented_matches(
        self,
        account: str,
        symbol: str,
        *,
        match_id: int | None = None,
        order_id: int | None = None,
        from_id: int | None = None,
        limit: int = 500,
    ) -> list[PreventedMatch]:
        """Matches stopped by self-trade prevention, by rising id. `order_id` is the taker's or the maker's."""
        found = [
            match
            for match in self._log(account, symbol).prevented
            if (match_id is None or match.id == match_id)
            and (order_id is None or order_id in (match.taker_order_id, match.maker_order_id))
            and (from_id is None or match.id >= from_id)
        ]
        return found[:limit]

    # -- observers ----------------------------------------------------------------------------------------------

    def subscribe(self, callback: Callable[[Event], None]) -> Callable[[], None]:
        """Calls `callback` with every event from now on. Returns the function that ends it."""
        return self.core.outbox.subscribe(callback)

    # -- inside -------------------------------------------------------------------------------------------------

    def _draft(self, new: NewOrder) -> LiveOrder:
        market = self.core.market(new.symbol)
        return self.core.intake.check(new, self.core.accounts.get(new.account), market)

    def _log(self, account: str, symbol: str) -> OrderLog:
        return self.core.accounts.get(account).log(self.core.market(symbol).symbol)

    def _find(self, account: str, symbol: str, ref: OrderRef) -> LiveOrder:
        order = self._log(account, symbol).find(ref)
        if order is None:
            message = f"no order of {account} in {symbol} has order_id {ref.order_id}, client_id {ref.client_id}"
            raise EngineReject(RejectReason.UNKNOWN_ORDER, message)
        return order

    def _open_order(self, account: str, symbol: str, ref: OrderRef) -> LiveOrder:
        order = self._find(account, symbol, ref)
        if not order.is_open:
            raise EngineReject(RejectReason.UNKNOWN_ORDER, f"order {order.id} of {symbol} is {order.status}")
        return order


def _matches(row: Deposit | Withdrawal, asset: str | None, start_ms: int | None, end_ms: int | None) -> bool:
    return (
        (asset is None or row.asset == asset)
        and (start_ms is None or row.created_ms >= start_ms)
        and (end_ms is None or row.created_ms <= end_ms)
    )
