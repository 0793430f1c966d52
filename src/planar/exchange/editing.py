"""Changing orders that stand.

`edit_order` changes an order in place where the venue has that, and replaces it by one request where it has that. What is
known of the order comes from the journal; what is changed is checked like a new order.
"""

from __future__ import annotations

import abc
import asyncio
from collections.abc import Awaitable, Mapping
from typing import Any, TypeAlias, TypeVar, cast

import msgspec

import planar.runtime as runtime
from planar.adapters.base import AmendRequest, OrderRequest
from planar.errors import (
    ArgumentsRequired,
    InvalidOrder,
    NoChange,
    NotSupported,
    OrderNotFound,
    Outcome,
    PlanarError,
)
from planar.exchange.core import NOTHING
from planar.exchange.labels import labelled
from planar.exchange.order_forms import OrderForms
from planar.exchange.order_words import Number, read_words
from planar.exchange.trading import as_amount
from planar.models import Amount, Order, OrderState
from planar.orders import OrderHandle
from planar.orders.amends import Terms
from planar.orders.editing import EditPreview, Plan, planned, replacement
from planar.orders.intents import request_of
from planar.orders.preview import Preview

T = TypeVar("T")

Named: TypeAlias = "str | OrderHandle | Order"
"""An order, by the exchange's id, by Planar's client id, or itself."""


class EditingMethods(OrderForms):
    """See the module's docstring."""

    # -- one order -------------------------------------------------------------------------------------------------
    @labelled
    async def edit_order(
        self,
        id: Named,
        symbol: str | None = None,
        type: str | None = None,
        side: str | None = None,
        amount: Number | None = None,
        price: Number | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        intent_id: str = "",
        timeout_ms: int | None = None,
        dry_run: bool = False,
    ) -> OrderHandle:
        """Change amount, price or trigger price (`triggerPrice` in `params`) of an order that stands; once.

        Where the exchange changes an order in place, it stays the same order, with its ids and its fills. Else it is
        replaced by one request, and the order that is returned is a new one, of what had not traded; if any of the old
        one trades meanwhile, nothing happens, or what is too much is taken off the new one.

        Args:
            id: the order: its handle, the exchange's id or Planar's client id. By id the symbol is needed too.
            type, side: may be left out; an order of another kind or side is another order.
            amount: of the whole order, what has traded already included; None: it stays.
            price: limit price; None: it stays.
            intent_id: your own name for the change; asked again with an equal one, nothing is sent twice.
            dry_run: check everything, send nothing, and return an `EditPreview` in place of an order.

        Raises:
            NoChange, OrderNotFound, InvalidOrder: (NOT_SENT) the order is as wished, has ended, or cannot become so.
            NotSupported: (NOT_SENT) the exchange has no request for it.
            OrderUnknown: the exchange may have done it. `await error.order.resolved()` tells.
            PlanarError: otherwise; its outcome NOT_SENT or REFUSED says that the order is as it was.
        """
        if dry_run or self._settings.dry_run:
            self._check_signed("edit_order")
            return cast(OrderHandle, await self.preview_edit(id, symbol, type, side, amount, price, params))
        self._check_writable("edit_order")
        limit_ms, asked_s = self._timeout(timeout_ms), runtime.monotonic()
        orders = self._orders()
        await orders.ready(limit_ms / 1000)
        made = orders.edited(intent_id) if intent_id else None
        if made is not None:
            return made
        plan = await self._plan(id, symbol, type, side, amount, price, params)

        def left_ms() -> int:
            return max(1, limit_ms - int((runtime.monotonic() - asked_s) * 1000))

        if plan.in_place:
            assert plan.client_id is not None
            return await orders.amend(
                plan.client_id,
                plan.whole,
                plan.terms,
                params=plan.whole.params,
                intent_id=intent_id,
                timeout_ms=left_ms(),
            )
        request = self._replacing(plan)
        handle = await orders.place(request, intent_id=intent_id, timeout_ms=left_ms(), frees=plan.client_id)
        if plan.client_id is not None:
            await orders.trimmer.trim(plan.client_id, plan.filled, handle, left_ms() / 1000)
        return handle

    async def preview_edit(
        self,
        id: Named,
        symbol: str | None = None,
        type: str | None = None,
        side: str | None = None,
        amount: Number | None = None,
        price: Number | None = None,
        params: Mapping[str, Any] = NOTHING,
    ) -> EditPreview:
        """The change as `edit_order` would make it: how, the request, and what the order would be. Only asks."""
        self._check_signed("preview_edit")
        plan = await self._plan(id, symbol, type, side, amount, price, params)
        timeout_ms = self._settings.timeout_ms
        if not plan.in_place:
            found = await self._preview(self._replacing(plan))
            return plan.preview(found, None)
        request, found = await asyncio.gather(
            self._adapter.build_amend(self._in_place(plan), timeout_ms=timeout_ms), self._preview(plan.whole)
        )
        return plan.preview(found, request)

    @abc.abstractmethod
    async def _preview(self, request: OrderRequest) -> Preview:
        """The order as it would be, with its surroundings."""

    async def _plan(
        self,
        id: Named,
        symbol: str | None,
        type: str | None,
        side: str | None,
        amount: Number | None,
        price: Number | None,
        params: Mapping[str, Any],
    ) -> Plan:
        """What is to be done for an order to become so, checked."""
        known, client_id = await self._standing(id, symbol)
        kind = {"stop": "market", "stop_market": "market", "stop_limit": "limit"}.get(type or "", type)
        for name, given, has in (("type", kind, known.type), ("side", side, known.side)):
            if given is not None and has is not None and given != has:
                raise NotSupported(
                    f"the order's {name} is {has} and cannot become {given}",
                    exchange=self.id,
                    outcome=Outcome.NOT_SENT,
                    hint="cancel the order, then create the other one",
                )
        plan = self._planned(known, client_id, amount, price, params)
        if plan.replaces and not plan.in_place and client_id is not None:
            # the other order is of what has not traded, as the venue has it now
            known = self._open(await before_change(self._orders().refresh(client_id)))
            plan = self._planned(known, client_id, amount, price, params)
        if plan.in_place or plan.replaces:
            return plan
        raise NotSupported(
            f"this exchange does not {plan.wanted} of an order, nor replace an order by a new one, in one step",
            exchange=self.id,
            outcome=Outcome.NOT_SENT,
            hint="cancel the order, then create one",
        )

    def _planned(
        self,
        known: Order,
        client_id: str | None,
        amount: Number | None,
        price: Number | None,
        params: Mapping[str, Any],
    ) -> Plan:
        whole = self._whole(known, client_id, amount, price, params)
        plan = planned(known, client_id, whole, self.market(known.symbol), self._adapter.profile)
        if known.filled is not None and plan.terms.amount is not None and plan.terms.amount <= known.filled:
            raise InvalidOrder(
                f"amount {plan.terms.amount} is not above the {known.filled} that have traded already",
                exchange=self.id,
                outcome=Outcome.NOT_SENT,
                hint="the amount is that of the whole order; cancel_order takes back what has not traded",
            )
        return plan

    def _whole(
        self,
        known: Order,
        client_id: str | None,
        amount: Number | None,
        price: Number | None,
        params: Mapping[str, Any],
    ) -> OrderRequest:
        """The order as it would be afterwards, checked against the market's rules."""
        if amount is None and known.amount is None:
            raise ArgumentsRequired("the order has no amount that could stay", exchange=self.id, hint="amount=...")
        words = read_words(params, self.id)
        if words.time_in_force or words.post_only or words.trailing_percent or words.trailing_amount or words.cost:
            raise NotSupported(
                "only amount, price and trigger price of an order can be changed",
                exchange=self.id,
                outcome=Outcome.NOT_SENT,
                hint="cancel the order, then create the other one",
            )
        now = self._as_it_is(known, client_id)
        before = Terms(now.amount, now.price, now.stop_price)
        request = msgspec.structs.replace(
            now,
            amount=now.amount if amount is None else as_amount("amount", amount, self.id),
            price=now.price if price is None else as_amount("price", price, self.id),
            stop_price=now.stop_price
            if words.stop_price is None
            else as_amount("trigger_price", words.stop_price, self.id),
            params={**now.params, **words.rest},
        )
        self._check_request(request, self.market(known.symbol))
        if Terms(request.amount, request.price, request.stop_price) == before:
            raise NoChange("the order is so already", exchange=self.id, outcome=Outcome.NOT_SENT)
        return request

    def _as_it_is(self, known: Order, client_id: str | None) -> OrderRequest:
        """The order that stands, as one would ask for it: by its intent, or as the venue shows one of another program."""
        if client_id is None:
            lasting = known.time_in_force not in (None, "PO")
            return OrderRequest(
                client_id="",
                symbol=known.symbol,
                side=known.side,
                type=known.type or "limit",
                amount=known.amount,
                price=known.price,
                stop_price=known.trigger_price,
                time_in_force=known.time_in_force if lasting else None,
                post_only=bool(known.post_only),
            )
        intent = self._orders().store.facts(client_id).wishes[0]
        if intent.member is not None:
            raise NotSupported(
                f"order {client_id} is linked with others, and cannot be changed alone",
                exchange=self.id,
                outcome=Outcome.NOT_SENT,
                hint="cancel them, then create the others",
            )
        return msgspec.structs.replace(request_of(intent), client_id="", replaces=None, cancels_first=False)

    async def _standing(self, named: Named, symbol: str | None) -> tuple[Order, str | None]:
        """The order as it is known, and its client id if it is one of the journal's.

        Raises:
            OrderNotFound, InvalidOrder: (NOT_SENT) it does not stand, or nobody knows whether it does.
        """
        if isinstance(named, str):
            if symbol is None:
                raise ArgumentsRequired("an order that is named by its id needs its symbol", exchange=self.id)
            name, market = named, symbol
        else:
            name, market = named.client_order_id or named.id or "", str(named.symbol)
        unified, orders = self._symbol(market), self._orders()
        client_id = orders.store.find(unified, name) if orders.is_open else None
        if client_id is not None and orders.store.state(client_id) is OrderState.UNKNOWN:
            raise InvalidOrder(
                f"nobody knows yet whether order {client_id} exists",
                exchange=self.id,
                outcome=Outcome.NOT_SENT,
                hint="await order.resolved(); it is being looked into",
            )
        if client_id is not None:
            return self._open(orders.store.order(client_id)), client_id
        return self._open(await before_change(self.fetch_order(name, unified))), None

    def _open(self, order: Order) -> Order:
        if order.state is not OrderState.OPEN:
            raise OrderNotFound(
                f"order {order.client_order_id or order.id} does not stand any more: it is {order.state.value}, filled "
                f"{order.filled}",
                exchange=self.id,
                outcome=Outcome.NOT_SENT,
            )
        return order

    def _in_place(self, plan: Plan) -> AmendRequest:
        terms, before = plan.terms, plan.before
        return AmendRequest(
            symbol=plan.whole.symbol,
            order_id=before.id or "",
            client_id=before.client_order_id or "",
            amount=cast(Amount, terms.amount),
            price=None if terms.price == before.price else terms.price,
            stop_price=None if terms.stop_price == before.trigger_price else terms.stop_price,
            params=plan.whole.params,
        )

    def _replacing(self, plan: Plan) -> OrderRequest:
        """The order that comes in the old one's place, of what of it has not traded; checked."""
        request = replacement(plan, self._adapter.profile)
        self._check_request(request, self.market(request.symbol))
        return request


async def before_change(question: Awaitable[T]) -> T:
    """The answer to a question that comes before a change: if it fails, nothing was sent."""
    try:
        return await question
    except PlanarError as error:
        error.outcome = Outcome.NOT_SENT
        raise
