"""The part of `VirtualExchange` for orders that wait for others or for their hour: order lists, scheduled orders."""

from __future__ import annotations

from planar.venue.engine.account_data import AccountData
from planar.venue.engine.list_intake import check_list
from planar.venue.engine.orders import LiveOrder
from planar.venue.engine.rejects import EngineReject, RejectReason
from planar.venue.engine.types import NewOrder, NewOrderList, Order, OrderList, OrderRef


class ListEntry(AccountData):
    """Operations on order lists and scheduled orders over a core."""

    def submit_list(self, new: NewOrderList) -> OrderList:
        """Accepts an order list and matches what of it begins at once.

        Returns it as it was before pending orders were started or stops triggered by that (as Binance answers).
        Raises EngineReject with any reason that concerns a new order or list; nothing has changed then.
        """
        orders = self._draft_list(new)
        core, row = self.core, new.orders[0]
        now = core.now()
        for asked, order in zip(new.orders, orders, strict=True):
            order.client_id = core.intake.make_client_id() if asked.client_id is None else asked.client_id
        client_id = core.intake.make_client_id() if new.client_id is None else new.client_id
        found = core.lists.make(client_id, new.contingency, row.account, orders)
        core.matcher.accept_list(found, now)
        result = found.snapshot()
        core.matcher.follow_up(orders[0].market, now)
        core.outbox.flush(now)
        return result

    def check_list(self, new: NewOrderList) -> None:
        """Raises what `submit_list` would raise, and changes nothing."""
        self._draft_list(new)

    def cancel_list(
        self,
        account: str,
        symbol: str,
        *,
        list_id: int | None = None,
        client_id: str | None = None,
        request_id: str | None = None,
    ) -> OrderList:
        """Cancels all open orders of an open list. Raises EngineReject UNKNOWN_LIST if there is no such open list."""
        found = self.core.lists.find(account, list_id, client_id)
        market = self.core.market(symbol)
        if found is None or not found.is_open or found.orders[0].market is not market:
            raise _unknown_list(account, list_id, client_id)
        now = self.core.now()
        for order in found.orders:
            self.core.matcher.cancel(order, now, request_id)
        result = found.snapshot()
        self.core.outbox.flush(now)
        return result

    def order_list(self, account: str, *, list_id: int | None = None, client_id: str | None = None) -> OrderList:
        """One list, open or not. Raises EngineReject UNKNOWN_LIST."""
        self.core.accounts.get(account)
        found = self.core.lists.find(account, list_id, client_id)
        if found is None:
            raise _unknown_list(account, list_id, client_id)
        return found.snapshot()

    def order_lists(self, account: str) -> list[OrderList]:
        """All lists of an account, by rising id."""
        self.core.accounts.get(account)
        return [found.snapshot() for found in self.core.lists.of(account)]

    def schedule(self, new: NewOrder) -> Order:
        """Accepts an order that begins when it is released; until then it is pending and holds nothing.

        What market and funds must allow is seen only then. Raises EngineReject otherwise as `submit` does.
        """
        core = self.core
        order = core.intake.check_pending(new, core.accounts.get(new.account), core.market(new.symbol))
        now = core.now()
        order.client_id = core.intake.make_client_id() if new.client_id is None else new.client_id
        core.matcher.accept_pending(order, now)
        result = order.snapshot()
        core.outbox.flush(now)
        return result

    def release(self, account: str, symbol: str, ref: OrderRef) -> Order:
        """Lets a scheduled order begin; it is REJECTED if it cannot. Raises EngineReject UNKNOWN_ORDER."""
        order = self._find(account, symbol, ref)
        if not order.is_pending or order.link is not None:
            raise EngineReject(RejectReason.UNKNOWN_ORDER, f"order {order.id} of {symbol} is not scheduled")
        now = self.core.now()
        self.core.matcher.release(order, now)
        result = order.snapshot()
        self.core.outbox.flush(now)
        return result

    def _draft_list(self, new: NewOrderList) -> tuple[LiveOrder, ...]:
        core, row = self.core, new.orders[0]
        account, market = core.accounts.get(row.account), core.market(row.symbol)
        return check_list(core.intake, new, account, market, core.lists.open(row.account))


def _unknown_list(account: str, list_id: int | None, client_id: str | None) -> EngineReject:
    message = f"no such order list of {account} has list_id {list_id}, client_id {client_id}"
    return EngineReject(RejectReason.UNKNOWN_LIST, message)
