"""Several orders at once: each with its own result, and nothing that is wrong with one spoils the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from planar.adapters.base import OrderRef, OrderRequest
from planar.errors import ArgumentsRequired, BadRequest, Outcome, PlanarError
from planar.exchange.core import NOTHING
from planar.exchange.editing import EditingMethods, Named
from planar.exchange.labels import labelled
from planar.models import Order
from planar.orders import OrderHandle

FIELDS: Final = ("symbol", "type", "side", "amount", "price", "params", "intent_id")
"""What an order of `create_orders` may have."""


class BatchMethods(EditingMethods):
    """See the module's docstring."""

    @labelled
    async def create_orders(
        self, orders: Sequence[Mapping[str, Any]], *, timeout_ms: int | None = None
    ) -> list[OrderHandle | PlanarError]:
        """Send several orders: by one request where the exchange has it, else each by its own, within one deadline.

        Args:
            orders: each with `symbol`, `type`, `side`, `amount`, `price`, `params`, as for `create_order`, and an
                `intent_id` of its own.

        Returns:
            For each order, in the order given, the order, or the error that `create_order` would have raised. One with a
            mistake is not sent; the others are.

        Raises:
            PlanarError: none was sent: credentials, settings, the journal.
        """
        self._check_writable("create_orders")
        results: list[OrderHandle | PlanarError | None] = [None] * len(orders)
        wishes: list[tuple[int, OrderRequest, str]] = []
        for index, order in enumerate(orders):
            try:
                wishes.append((index, *self._wish(order)))
            except PlanarError as error:
                results[index] = error
        _refuse_twins([intent_id for _, _, intent_id in wishes], self.id)
        if wishes:
            sent = await self._orders().place_many(
                [(request, intent_id) for _, request, intent_id in wishes], self._timeout(timeout_ms)
            )
            for (index, _, _), result in zip(wishes, sent, strict=True):
                results[index] = result
        return [result for result in results if result is not None]

    def _wish(self, order: Mapping[str, Any]) -> tuple[OrderRequest, str]:
        unknown = [name for name in order if name not in FIELDS]
        missing = [name for name in ("symbol", "type", "side") if not order.get(name)]
        if unknown or missing:
            what = f"has {', '.join(unknown)}" if unknown else f"lacks {', '.join(missing)}"
            raise BadRequest(
                f"an order of create_orders {what}",
                exchange=self.id,
                outcome=Outcome.NOT_SENT,
                hint=f"it may have {', '.join(FIELDS)}",
            )
        request = self._request(
            *(order["symbol"], order["type"], order["side"], order.get("amount"), order.get("price")),
            order.get("params") or NOTHING,
        )
        return request, str(order.get("intent_id") or "")

    @labelled
    async def cancel_orders(
        self, ids: Sequence[Named], symbol: str | None = None, *, timeout_ms: int | None = None
    ) -> list[Order | PlanarError]:
        """Cancel several orders: by one request where the exchange has it, else each by its own; tried again until the
        deadline, which is one for all.

        Args:
            ids: handles, the exchange's ids or Planar's client ids.
            symbol: the market of those that are named by an id.

        Returns:
            For each, in the order given, the order's last state, or the error that `cancel_order` would have raised.
        """
        self._check_writable("cancel_orders")
        refs = [self._ref_of(named, symbol) for named in ids]
        return await self._orders().cancel_many(refs, self._timeout(timeout_ms))

    def _ref_of(self, named: Named, symbol: str | None) -> OrderRef:
        if not isinstance(named, str):
            return OrderRef(named.symbol, order_id=named.id, client_id=named.client_order_id)
        if symbol is None:
            raise ArgumentsRequired("orders that are named by their ids need their symbol", exchange=self.id)
        unified, orders = self._symbol(symbol), self._orders()
        ref = self._reference(named, unified)
        client_id = orders.store.find(unified, named) if orders.is_open else None
        if client_id is None:
            return ref
        return msgspec.structs.replace(ref, order_id=orders.store.facts(client_id).order_id, client_id=client_id)


def _refuse_twins(intent_ids: Sequence[str], exchange: str) -> None:
    """Two wishes of one name would be one order, of whichever came first."""
    named = [intent_id for intent_id in intent_ids if intent_id]
    twins: list[str] = sorted({intent_id for intent_id in named if named.count(intent_id) > 1})
    if twins:
        raise BadRequest(
            f"several orders have the intent_id {', '.join(twins)}",
            exchange=exchange,
            outcome=Outcome.NOT_SENT,
            hint="give each order a name of its own",
        )
