"""The part of `VirtualExchange` that an account may ask about itself: balances, orders, executions.

Inside `past.lagging` the answers are as of a little while ago; see `planar.venue.engine.past`.
"""

from __future__ import annotations

from collections.abc import Sequence

from planar.venue.engine import past
from planar.venue.engine.accounts import OrderLog, select
from planar.venue.engine.core import Core
from planar.venue.engine.orders import LiveOrder
from planar.venue.engine.public_data import PublicData
from planar.venue.engine.rejects import EngineReject, RejectReason
from planar.venue.engine.types import Balance, Fill, Order, OrderRef, PreventedMatch


class AccountData(PublicData):
    """Queries of an account over a core. Each raises EngineReject UNKNOWN_ACCOUNT or UNKNOWN_SYMBOL."""

    def __init__(self, core: Core) -> None:
        super().__init__(core)
        self._past: past.Past | None = None

    def balances(self, account: str) -> dict[str, Balance]:
        """Balances of all assets the account ever held."""
        found = self.core.accounts.get(account)
        held = {asset: found.show(asset) for asset in found.balance}
        record, at_ms = self._past, self._read_ms()
        if record is None or at_ms is None:
            return held
        then = {asset: record.balance(account, balance, at_ms) for asset, balance in held.items()}
        return {asset: balance for asset, balance in then.items() if balance is not None}

    def order(self, account: str, symbol: str, ref: OrderRef) -> Order:
        """One order, open or not. A client id that was used again names the newest. Raises UNKNOWN_ORDER."""
        order = self._as_read(self._find(account, symbol, ref))
        if order is None:
            raise _unknown_order(account, symbol, ref)
        return order

    def open_orders(self, account: str, symbol: str | None = None) -> list[Order]:
        """Open orders (waiting stops too), by symbol in market order, oldest first."""
        names = self.core.markets if symbol is None else (self.core.market(symbol).symbol,)
        logs = self.core.accounts.get(account).logs
        at_ms = self._read_ms()
        if at_ms is None:
            return [order.snapshot() for name in names if name in logs for order in logs[name].open.values()]
        then = [
            self._as_read(order)
            for name in names
            if name in logs
            for order in logs[name].orders
            if order.is_open or order.updated_ms > at_ms
        ]
        return [order for order in then if order is not None and order.is_open]

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
        return [order for row in rows if (order := self._as_read(row)) is not None]

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
        at_ms = self._read_ms()
        if at_ms is not None:
            end_ms = at_ms if end_ms is None else min(end_ms, at_ms)
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

    def remember(self) -> None:
        """Records what accounts were from now on, so that queries inside `past.lagging` answer as of that time."""
        record = self._past = past.Past()
        names = [account.name for account in self.core.accounts.users()]
        orders = [order for name in names for order in self.open_orders(name)]
        balances = [(name, balance) for name in names for balance in self.balances(name).values()]
        record.begin(orders, balances)
        self.core.outbox.subscribe(record.on_event)

    def _read_ms(self) -> int | None:
        """As of when queries answer; None: as of now."""
        lag_ms = past.lag_ms()
        return None if not lag_ms or self._past is None else self.core.now() - lag_ms

    def _as_read(self, order: LiveOrder) -> Order | None:
        """An order as a query sees it; None if it was not there yet."""
        at_ms = self._read_ms()
        now = order.snapshot()
        return now if at_ms is None or self._past is None else self._past.order(now, at_ms)

    def _find(self, account: str, symbol: str, ref: OrderRef) -> LiveOrder:
        order = self._log(account, symbol).find(ref)
        if order is None:
            raise _unknown_order(account, symbol, ref)
        return order

    def _log(self, account: str, symbol: str) -> OrderLog:
        return self.core.accounts.get(account).log(self.core.market(symbol).symbol)


def _unknown_order(account: str, symbol: str, ref: OrderRef) -> EngineReject:
    message = f"no order of {account} in {symbol} has order_id {ref.order_id}, client_id {ref.client_id}"
    return EngineReject(RejectReason.UNKNOWN_ORDER, message)
