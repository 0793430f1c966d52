"""Orders by other names and in other forms: CCXT's methods that say in another way what `Exchange` has.

They name an order by a client id, change a limit order, or attach exits to an entry. Each says it in the words of the one
method that does it, so journal, rules and tables are the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from planar.adapters.base import OrderRef
from planar.errors import ArgumentsRequired, BadRequest, NotSupported, OrderNotFound, Outcome, PlanarError
from planar.exchange.closing import ClosingMethods
from planar.exchange.core import NOT_FOUND, NOTHING
from planar.exchange.editing import Named, before_change
from planar.exchange.labels import labelled
from planar.exchange.order_words import Number
from planar.models import Order
from planar.orders import OrderGroup, OrderHandle

_EDITED: Final = ("id", "symbol", "type", "side", "amount", "price", "params", "intent_id")
"""What a change of `edit_orders` may have."""
_EXITS: Final[Mapping[str, str]] = {"stopLossLimitPrice": "stop_limit"}
"""CCXT's parameter of an attached exit -> argument of `create_bracket`."""


class OrderNames(ClosingMethods):
    """See the module's docstring."""

    # -- by client id ----------------------------------------------------------------------------------------------
    @labelled
    async def fetch_order_with_client_order_id(
        self,
        client_order_id: str,
        symbol: str | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> Order:
        """One order by the client id under which it was sent, by whichever program.

        Raises:
            OrderNotFound: the exchange does not know it.
        """
        self._check_signed("fetch_order_with_client_order_id")
        ref = self._by_client_id(client_order_id, symbol)
        order = await self._adapter.query_order(ref, params, timeout_ms=self._timeout(timeout_ms))
        if order is None:
            text = f"the venue knows no order {client_order_id} of {ref.symbol}"
            raise OrderNotFound(text, exchange=self.id, hint=NOT_FOUND)
        self._observe(order)
        return order

    @labelled
    async def cancel_order_with_client_order_id(
        self,
        client_order_id: str,
        symbol: str | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> Order:
        """`cancel_order` by the client id under which the order was sent, by whichever program."""
        self._check_writable("cancel_order_with_client_order_id")
        ref = self._by_client_id(client_order_id, symbol)
        return await self._orders().cancel(ref, params=params, timeout_ms=self._timeout(timeout_ms))

    async def cancel_orders_with_client_order_ids(
        self, client_order_ids: Sequence[str], symbol: str | None = None, *, timeout_ms: int | None = None
    ) -> list[Order | PlanarError]:
        """`cancel_orders` by client ids."""
        self._check_writable("cancel_orders_with_client_order_ids")
        refs = [self._by_client_id(name, symbol) for name in client_order_ids]
        return await self._orders().cancel_many(refs, self._timeout(timeout_ms))

    async def edit_order_with_client_order_id(
        self,
        client_order_id: str,
        symbol: str,
        type: str | None = None,
        side: str | None = None,
        amount: Number | None = None,
        price: Number | None = None,
        params: Mapping[str, Any] = NOTHING,
        **options: Any,
    ) -> OrderHandle:
        """`edit_order` by the client id under which the order was sent, by whichever program."""
        named: Named = client_order_id
        orders, unified = self._orders(), self._symbol(symbol)
        if not orders.is_open or orders.store.find(unified, client_order_id) is None:
            named = await before_change(self.fetch_order_with_client_order_id(client_order_id, unified))
        return await self.edit_order(named, unified, type, side, amount, price, params, **options)

    def _by_client_id(self, name: str, symbol: str | None) -> OrderRef:
        if symbol is None:
            raise ArgumentsRequired("an order that is named by its client id needs its symbol", exchange=self.id)
        return OrderRef(self._symbol(symbol), client_id=name)

    # -- in several markets ----------------------------------------------------------------------------------------
    @labelled
    async def cancel_orders_for_symbols(
        self, orders: Sequence[Mapping[str, Any]], *, timeout_ms: int | None = None
    ) -> list[Order | PlanarError]:
        """Cancel orders of several markets, as `cancel_orders` does those of one.

        Args:
            orders: each with `symbol`, and `id` or `clientOrderId`.
        """
        self._check_writable("cancel_orders_for_symbols")
        refs: list[OrderRef] = []
        for order in orders:
            name = order.get("id") or order.get("clientOrderId")
            if not name or not order.get("symbol") or not order.keys() <= {"id", "clientOrderId", "symbol"}:
                raise BadRequest(
                    f"an order to cancel is {dict(order)!r}",
                    exchange=self.id,
                    outcome=Outcome.NOT_SENT,
                    hint="it has a symbol, and an id or a clientOrderId",
                )
            by_id = bool(order.get("id"))
            refs.append(self._ref_of(name, order["symbol"]) if by_id else self._by_client_id(name, order["symbol"]))
        return await self._orders().cancel_many(refs, self._timeout(timeout_ms))

    # -- changing --------------------------------------------------------------------------------------------------
    async def edit_limit_order(
        self,
        id: Named,
        symbol: str,
        side: str,
        amount: Number,
        price: Number | None = None,
        params: Mapping[str, Any] = NOTHING,
        **options: Any,
    ) -> OrderHandle:
        """`edit_order` of a limit order."""
        return await self.edit_order(id, symbol, "limit", side, amount, price, params, **options)

    async def edit_limit_buy_order(
        self,
        id: Named,
        symbol: str,
        amount: Number,
        price: Number | None = None,
        params: Mapping[str, Any] = NOTHING,
        **options: Any,
    ) -> OrderHandle:
        """`edit_order` of a limit order to buy."""
        return await self.edit_limit_order(id, symbol, "buy", amount, price, params, **options)

    async def edit_limit_sell_order(
        self,
        id: Named,
        symbol: str,
        amount: Number,
        price: Number | None = None,
        params: Mapping[str, Any] = NOTHING,
        **options: Any,
    ) -> OrderHandle:
        """`edit_order` of a limit order to sell."""
        return await self.edit_limit_order(id, symbol, "sell", amount, price, params, **options)

    async def edit_orders(
        self, orders: Sequence[Mapping[str, Any]], *, timeout_ms: int | None = None
    ) -> list[OrderHandle | PlanarError]:
        """Change several orders, one after the other: for each the order, or the error of `edit_order`.

        Args:
            orders: each with the arguments of `edit_order`: `id`, `symbol`, and what changes.
            timeout_ms: of each of them.
        """
        self._check_writable("edit_orders")
        made: list[OrderHandle | PlanarError] = []
        for order in orders:
            try:
                made.append(await self._edited(order, timeout_ms))
            except PlanarError as error:
                made.append(error)
        return made

    async def _edited(self, order: Mapping[str, Any], timeout_ms: int | None) -> OrderHandle:
        unknown = [name for name in order if name not in _EDITED]
        if unknown or not order.get("id"):
            raise BadRequest(
                f"a change of edit_orders {'has ' + ', '.join(unknown) if unknown else 'lacks its id'}",
                exchange=self.id,
                outcome=Outcome.NOT_SENT,
                hint=f"it may have {', '.join(_EDITED)}",
            )
        return await self.edit_order(**order, timeout_ms=timeout_ms)

    # -- with exits ------------------------------------------------------------------------------------------------
    async def create_order_with_take_profit_and_stop_loss(
        self,
        symbol: str,
        type: str,
        side: str,
        amount: Number,
        price: Number | None = None,
        take_profit: Number | None = None,
        stop_loss: Number | None = None,
        params: Mapping[str, Any] = NOTHING,
        **options: Any,
    ) -> OrderGroup:
        """`create_bracket` with CCXT's argument order: an entry, and the two exits that its fill starts.

        Args:
            type: of the entry: "limit" or "market".
            params: `stopLossLimitPrice`: the limit of the stop. Other words for the exits are refused.
            options: those of `create_bracket`: `emulate`, `post_only`, `intent_id`, `timeout_ms`, `dry_run`.

        Raises:
            ArgumentsRequired: (NOT_SENT) one of the exits is missing.
            NotSupported, OrderUnknown, PlanarError: as of `create_bracket`.
        """
        if take_profit is None or stop_loss is None:
            raise ArgumentsRequired(
                "an entry with exits needs both take_profit and stop_loss",
                exchange=self.id,
                hint="an entry alone is create_order; a stop alone is create_stop_loss_order",
            )
        unknown = sorted(params.keys() - _EXITS.keys())
        if unknown:
            raise NotSupported(
                f"params[{unknown[0]!r}] cannot be said of a bracket",
                exchange=self.id,
                outcome=Outcome.NOT_SENT,
                hint=f"there is {', '.join(_EXITS)}; the entry's own options are those of create_bracket",
            )
        if (type == "limit") != (price is not None):
            raise BadRequest(
                f"type is {type!r} and price is {price!r}",
                exchange=self.id,
                outcome=Outcome.NOT_SENT,
                hint='a "limit" entry has a price, a "market" entry has none',
            )
        found = {_EXITS[name]: value for name, value in params.items()}
        exits = {"take_profit": take_profit, "stop_loss": stop_loss}
        return await self.create_bracket(symbol, side, amount, price, **exits, **found, **options)
