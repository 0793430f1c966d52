"""Changing orders in place, and several orders by one request, through what a venue's package adds to CCXT's class."""

from __future__ import annotations

import abc
from collections.abc import Sequence
from typing import Any, cast

import planar.runtime as runtime
from planar.adapters.base import AmendRequest, OrderRef, OrderRequest
from planar.adapters.ccxt_describing import exact
from planar.adapters.ccxt_safety import CcxtSafety, withhold
from planar.adapters.ccxt_verdict import part_refusal
from planar.errors import BadResponse, NotSupported, PlanarError
from planar.models import Order, OrderState
from planar.models import from_ccxt as convert
from planar.models.base import iso8601
from planar.transport.context import CallContext, OnSend, Priority
from planar.transport.writes import VenueRequest, Withheld, withholding


def asked(request: OrderRequest) -> Order:
    """The order as it was asked for, to be completed by the venue's acknowledgement."""
    return Order(
        client_order_id=request.client_id,
        symbol=request.symbol,
        side="sell" if request.side == "sell" else "buy",
        type=request.type,
        state=OrderState.PENDING,
        time_in_force=request.time_in_force,
        post_only=request.post_only,
        amount=request.amount,
        price=request.price,
        trigger_price=request.stop_price,
    )


class CcxtChanges(CcxtSafety):
    """A part of `CcxtAdapter`.

    Attributes:
        until_ms: client id -> venue time up to which a request about it that is being sent is good.
    """

    until_ms: dict[str, int]

    @abc.abstractmethod
    def order_params(self, request: OrderRequest) -> dict[str, Any]:
        """What CCXT takes of an order beside its own arguments."""

    def deadline(self, client_id: str) -> dict[str, Any]:
        """The parameter that lets a request die by itself, and a note until when."""
        rule = self.profile.expiry
        if rule.param is None:
            return {}
        if not rule.as_time:
            return {rule.param: rule.window_ms}
        until_ms = self.until_ms[client_id] = self.venue_ms() + rule.window_ms
        self.exchange.keep_time()
        return {rule.param: iso8601(until_ms)}

    async def amend(self, request: AmendRequest, *, timeout_ms: int, on_send: OnSend) -> Order | None:
        """Change an order in place, once."""
        if self.profile.amend is None:
            raise NotSupported("it does not change orders in place", exchange=self.id)
        call = CallContext("edit_order", timeout_ms, Priority.ORDER, journaled=True, on_send=on_send)
        change = {
            "id": request.order_id,
            "clientOrderId": request.client_id,
            "symbol": request.symbol,
            "amount": format(request.amount, "f"),
            "price": None if request.price is None else format(request.price, "f"),
            "triggerPrice": None if request.stop_price is None else format(request.stop_price, "f"),
            "params": {**self.deadline(request.client_id), **request.params},
        }
        try:
            return await self.run(call, self.exchange.amend_in_place, change, into=self._shown)
        finally:
            self.until_ms.pop(request.client_id, None)

    def _shown(self, raw: Any) -> Order | None:
        return None if raw is None else convert.order(raw, exchange=self.id, received_ns=runtime.wall_ns())

    async def build_amend(self, request: AmendRequest, *, timeout_ms: int) -> VenueRequest | None:
        """The request that `amend` would send."""
        try:
            with withholding():
                await self.amend(request, timeout_ms=timeout_ms, on_send=withhold)
        except Withheld as held:
            return held.request
        raise BadResponse("a change was to be looked at, and no request was made for it", exchange=self.id)

    async def submit_batch(
        self, requests: Sequence[OrderRequest], *, timeout_ms: int, on_send: OnSend
    ) -> list[Order | PlanarError]:
        """Send several orders of one market by one request, once."""
        if self.profile.batch is None:
            raise NotSupported("it places one order by a request", exchange=self.id)
        call = CallContext("create_orders", timeout_ms, Priority.ORDER, journaled=True, on_send=on_send)
        rows = [self._row(request) for request in requests]
        until = self.deadline(requests[0].client_id)
        for request in requests[1:]:
            if requests[0].client_id in self.until_ms:
                self.until_ms[request.client_id] = self.until_ms[requests[0].client_id]

        def each(raw: Any) -> list[Order | PlanarError]:
            return [self._placed(one, request) for one, request in zip(raw, requests, strict=True)]

        try:
            return await self.run(call, self.exchange.create_batch, requests[0].symbol, rows, until, into=each)
        finally:
            for request in requests:
                self.until_ms.pop(request.client_id, None)

    def _row(self, request: OrderRequest) -> dict[str, Any]:
        params = self.order_params(request)
        params.pop(self.profile.expiry.param or "", None)
        return {
            "type": request.type,
            "side": request.side,
            "amount": exact(request.amount) if request.amount is not None else None,
            "price": exact(request.price) if request.price is not None else None,
            "params": params,
        }

    def _placed(self, raw: dict[str, Any], request: OrderRequest) -> Order | PlanarError:
        if raw.get("error"):
            return part_refusal(str(raw["error"]), self.profile)
        return convert.order_ack(raw, asked(request), exchange=self.id, received_ns=runtime.wall_ns())

    async def cancel_batch(self, refs: Sequence[OrderRef], *, timeout_ms: int) -> list[Order | None]:
        """Cancel several orders by one request, then ask for them."""
        if self.profile.batch is None:
            raise NotSupported("it cancels one order by a request", exchange=self.id)
        due_s = runtime.monotonic() + timeout_ms / 1000
        ids = [ref.order_id or "" for ref in refs]
        call = CallContext("cancel_orders", timeout_ms, Priority.CANCEL, journaled=True)
        await self.run(call, self.exchange.cancel_batch, ids)
        left_ms = max(1, int((due_s - runtime.monotonic()) * 1000))
        look = CallContext("fetch_order", left_ms, Priority.CANCEL, reading=True)

        def found(raw: Any) -> list[Order]:
            return [convert.order(row, exchange=self.id, received_ns=runtime.wall_ns()) for row in raw]

        shown: dict[str, Order] = {}
        for order in await self.run(look, cast(Any, self.exchange).fetch_orders_by_ids, ids, into=found):
            shown[order.id or ""] = order
        return [shown.get(order_id) for order_id in ids]
