"""`VirtualExchange`: the one face of the engine. Wires call it, subscribers hear it, nothing else is public.

Every method is synchronous and completes at once: when it returns, books, balances, records and ledger agree, and the
events of the operation have been delivered, in causal order. A subscriber may call queries and even operations; the
events of a nested operation follow those already waiting.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

from planar.venue.engine.enums import Interval, MarketStatus
from planar.venue.engine.events import Event
from planar.venue.engine.specs import AssetSpec, SymbolSpec
from planar.venue.engine.types import (
    AggTrade,
    Balance,
    Candle,
    Deposit,
    DepositAddress,
    Depth,
    Fill,
    NewOrder,
    Order,
    OrderRef,
    PreventedMatch,
    ReplaceResult,
    Ticker,
    Trade,
    Withdrawal,
)

DAY_MS = 86_400_000


class VirtualExchange:
    """A spot exchange in memory.

    Args:
        symbols: the markets.
        assets: every base and quote asset of them.
        seed: decides ids, addresses, history.
        clock: returns UTC epoch milliseconds; a value below an earlier one is taken as the earlier one.

    Attributes:
        symbols: the markets by unified symbol, in the order given.
        assets: the assets by code, in the order given.
    """

    symbols: Mapping[str, SymbolSpec]
    assets: Mapping[str, AssetSpec]

    def __init__(
        self, symbols: Sequence[SymbolSpec], assets: Sequence[AssetSpec], *, seed: int, clock: Callable[[], int]
    ) -> None:
        raise NotImplementedError

    # -- accounts and funds -------------------------------------------------------------------------------------

    def add_account(self, account: str) -> None:
        """Opens an account without funds. Raises ValueError if it exists."""
        raise NotImplementedError

    def accounts(self) -> list[str]:
        """Names of the user accounts (not the model's), in order of opening."""
        raise NotImplementedError

    def balances(self, account: str) -> dict[str, Balance]:
        """Balances of all assets the account ever held."""
        raise NotImplementedError

    def deposit(self, account: str, asset: str, amount: Decimal, *, network: str | None = None) -> Deposit:
        """Money comes in from outside and is credited at once. `network` None: the asset's default."""
        raise NotImplementedError

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
        raise NotImplementedError

    def deposits(
        self,
        account: str,
        *,
        asset: str | None = None,
        start_ms: int | None = None,
        end_ms: int | None = None,
    ) -> list[Deposit]:
        """Deposits, newest first; bounds (inclusive) are on `created_ms`."""
        raise NotImplementedError

    def withdrawals(
        self,
        account: str,
        *,
        asset: str | None = None,
        start_ms: int | None = None,
        end_ms: int | None = None,
    ) -> list[Withdrawal]:
        """Withdrawals, newest first; bounds (inclusive) are on `created_ms`."""
        raise NotImplementedError

    def deposit_address(self, account: str, asset: str, network: str | None = None) -> DepositAddress:
        """The address of an account for an asset; always the same for a seed."""
        raise NotImplementedError

    def credit(self, account: str, asset: str, amount: Decimal, reason: str) -> None:
        """An adjustment from outside, positive or negative; no deposit record. `reason` stands in the ledger."""
        raise NotImplementedError

    def set_balance(self, account: str, asset: str, free: Decimal) -> None:
        """Adjusts the free balance to a value; what is locked stays."""
        raise NotImplementedError

    # -- orders -------------------------------------------------------------------------------------------------

    def submit(self, new: NewOrder) -> Order:
        """Accepts an order, matches it, and returns it as it is afterwards.

        The fills made meanwhile are `fills(account, symbol, order_id=order.id)`.
        Raises EngineReject with any reason that concerns a new order; nothing has changed then.
        """
        raise NotImplementedError

    def check(self, new: NewOrder) -> None:
        """Raises what `submit` would raise, and changes nothing."""
        raise NotImplementedError

    def cancel(self, account: str, symbol: str, ref: OrderRef, *, request_id: str | None = None) -> Order:
        """Cancels an open order. Raises EngineReject UNKNOWN_ORDER if there is no such open order."""
        raise NotImplementedError

    def cancel_all(self, account: str, symbol: str, *, request_id: str | None = None) -> list[Order]:
        """Cancels every open order of the account in the symbol, oldest first; may be none."""
        raise NotImplementedError

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
        raise NotImplementedError

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
        raise NotImplementedError

    def order(self, account: str, symbol: str, ref: OrderRef) -> Order:
        """One order, open or not. A client id that was used again names the newest. Raises UNKNOWN_ORDER."""
        raise NotImplementedError

    def open_orders(self, account: str, symbol: str | None = None) -> list[Order]:
        """Open orders (waiting stops too), by symbol in market order, oldest first."""
        raise NotImplementedError

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
        raise NotImplementedError

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
        raise NotImplementedError

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
        raise NotImplementedError

    # -- market data --------------------------------------------------------------------------------------------

    def status(self, symbol: str) -> MarketStatus:
        """Whether the symbol takes orders."""
        raise NotImplementedError

    def set_status(self, symbol: str, status: MarketStatus) -> None:
        """Halts or resumes a symbol. Open orders stay."""
        raise NotImplementedError

    def depth(self, symbol: str, limit: int) -> Depth:
        """The best `limit` levels a side."""
        raise NotImplementedError

    def last_price(self, symbol: str) -> Decimal | None:
        """Price of the last trade; None if there never was one."""
        raise NotImplementedError

    def trades(self, symbol: str, *, from_id: int | None = None, limit: int = 500) -> list[Trade]:
        """Public trades by rising id: from `from_id` on, otherwise the newest."""
        raise NotImplementedError

    def agg_trades(
        self,
        symbol: str,
        *,
        from_id: int | None = None,
        start_ms: int | None = None,
        end_ms: int | None = None,
        limit: int = 500,
    ) -> list[AggTrade]:
        """Aggregate trades by rising id; `from_id` is an aggregate id; selection as in `orders`."""
        raise NotImplementedError

    def candles(
        self,
        symbol: str,
        interval: Interval,
        *,
        start_ms: int | None = None,
        end_ms: int | None = None,
        limit: int = 500,
    ) -> list[Candle]:
        """Candles by rising time; the last one may be unfinished.

        With `start_ms` the oldest `limit` whose open time is in the bounds (inclusive), otherwise the newest up to
        `end_ms` or now.
        """
        raise NotImplementedError

    def ticker(self, symbol: str, window_ms: int = DAY_MS) -> Ticker:
        """Statistics of the last `window_ms` (whole minutes); the window begins on a minute."""
        raise NotImplementedError

    # -- observers ----------------------------------------------------------------------------------------------

    def subscribe(self, callback: Callable[[Event], None]) -> Callable[[], None]:
        """Calls `callback` with every event from now on. Returns the function that ends it."""
        raise NotImplementedError
