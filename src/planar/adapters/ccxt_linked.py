"""Linked orders by one request, through the venue's own call and CCXT's reading of its reports."""

from __future__ import annotations

from typing import Any, cast

import planar.runtime as runtime
from planar.adapters.base import OrderRequest
from planar.adapters.ccxt_changes import CcxtChanges, asked
from planar.adapters.ccxt_safety import withhold
from planar.adapters.linked import LinkedRequest
from planar.errors import BadResponse, NotSupported
from planar.models import Order
from planar.models import from_ccxt as convert
from planar.transport.context import CallContext, OnSend, Priority
from planar.transport.writes import VenueRequest, Withheld, withholding


class CcxtLinked(CcxtChanges):
    """A part of `CcxtAdapter`."""

    async def submit_linked(self, linked: LinkedRequest, *, timeout_ms: int, on_send: OnSend) -> list[Order]:
        """Send linked orders by one request, once."""
        rule = self.profile.linked
        if rule is None:
            raise NotSupported("it does not link orders", exchange=self.id)
        call = CallContext("create_order_list", timeout_ms, Priority.ORDER, journaled=True, on_send=on_send)
        market: Any = cast(Any, self.exchange).market(linked.legs[0].symbol)
        method, params = rule.request(linked, market["id"], str)
        first, *others = (leg.client_id for leg in linked.legs)
        params |= self.deadline(first)
        if first in self.until_ms:
            self.until_ms |= dict.fromkeys(others, self.until_ms[first])

        def shown(raw: Any) -> list[Order]:
            rows = [cast(Any, self.exchange).parse_order(row, market) for row in rule.reports(raw)]
            return [self._report(rows, leg) for leg in linked.legs]

        try:
            return await self.run(call, getattr(self.exchange, method), params, into=shown)
        finally:
            for leg in linked.legs:
                self.until_ms.pop(leg.client_id, None)

    def _report(self, rows: list[dict[str, Any]], leg: OrderRequest) -> Order:
        """The report of one order."""
        for row in rows:
            if row.get("clientOrderId") == leg.client_id:
                return convert.order_ack(row, asked(leg), exchange=self.id, received_ns=runtime.wall_ns())
        raise BadResponse(f"the answer has no report of order {leg.client_id}", exchange=self.id)

    async def build_linked(self, linked: LinkedRequest, *, timeout_ms: int) -> VenueRequest | None:
        """The request that `submit_linked` would send."""
        try:
            with withholding():
                await self.submit_linked(linked, timeout_ms=timeout_ms, on_send=withhold)
        except Withheld as held:
            return held.request
        raise BadResponse("linked orders were to be looked at, and no request was made for them", exchange=self.id)
