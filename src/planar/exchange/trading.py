"""Orders, with CCXT's names and argument order. Every one goes through the journal; there is no other way."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from typing import Any, Unpack, cast

import planar.runtime as runtime
from planar.adapters.base import OrderRef, OrderRequest
from planar.adapters.kinds import KindTable
from planar.adapters.order_options import UNIFIED_OPTIONS, check_params
from planar.errors import ArgumentsRequired, BadRequest, NotSupported, OrderNotFound, Outcome
from planar.exchange.data import NOTHING
from planar.exchange.labels import labelled
from planar.exchange.order_words import ATTACHED, OWN, KindWords, Number, read_words, with_words
from planar.exchange.reconciling import ReconcileMethods
from planar.models import Amount, Market, Order, OrderState
from planar.orders import OrderHandle
from planar.orders.preview import Preview
from planar.orders.rules import check_order

_CLIENT_IDS = ("clientOrderId", "client_order_id", "newClientOrderId", "clOrdId", "orderLinkId", "cl_ord_id")
_MARGIN = ("marginMode", "sideEffectType", "isIsolated", "leverage")


class TradingMethods(ReconcileMethods):
    """Everything that moves money."""

    @labelled
    async def create_order(
        self,
        symbol: str,
        type: str,
        side: str,
        amount: Number | None = None,
        price: Number | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        intent_id: str = "",
        timeout_ms: int | None = None,
        dry_run: bool = False,
        raw: Mapping[str, Any] = NOTHING,
        **kind: Unpack[KindWords],
    ) -> OrderHandle:
        """Send one order, at most once.

        Args:
            type: "limit" or "market"; "stop" and "stop_limit" are their stop forms.
            amount: in base currency; None with `cost`.
            params: CCXT's unified words for `kind`; anything else goes to the venue as it is. What would not arrive, and
                where the venue's documentation was read a name that it does not have, is refused before anything is sent.
            raw: more parameters for the venue, passed on whatever is known of them.
            kind: which kind of order it is, see `KindWords`; what the exchange does not have is refused before anything
                is sent.
            intent_id: your own name for the wish; asked again with an equal one, the same order is returned, unless it
                is certain that there is none: then the wish is sent anew.
            dry_run: check everything, journal and send nothing, and return a `Preview` in place of an order; so does
                `dry_run = true` of the settings, whatever is said here.

        Raises:
            LimitExceeded: a limit of the settings; nothing was sent.
            OrderUnknown: the venue may have it. Do not send it again; `await error.order.resolved()`.
            PlanarError: otherwise; its outcome NOT_SENT or REFUSED says that there is no such order.
        """
        params = with_words(params, kind, self.id)
        if dry_run or self._settings.dry_run:
            self._check_signed("create_order")
            wish = self._request(symbol, type, side, amount, price, params, raw)
            return cast(OrderHandle, await self._rehearse(wish))
        self._check_writable("create_order")
        request = self._request(symbol, type, side, amount, price, params, raw)
        return await self._orders().place(request, intent_id=intent_id, timeout_ms=self._timeout(timeout_ms))

    @abc.abstractmethod
    async def _rehearse(self, request: OrderRequest) -> Preview:
        """A dry run: what sending would refuse is refused; nothing is journaled or sent."""

    def _request(
        self,
        symbol: str,
        type: str,
        side: str,
        amount: Number | None,
        price: Number | None,
        params: Mapping[str, Any],
        raw: Mapping[str, Any] = NOTHING,
    ) -> OrderRequest:
        market = self.market(symbol)
        for name in _CLIENT_IDS:
            if name in params or name in raw:
                raise BadRequest(
                    f"{name} is given, but client ids are made and journaled by Planar",
                    exchange=self.id,
                    outcome=Outcome.NOT_SENT,
                    hint="name the wish with intent_id=...; the order's id is order.client_order_id",
                )
        self._check_leverage(side, {**params, **raw})
        words = read_words(params, self.id)
        twice = sorted(name for name in raw if name in OWN or name in ATTACHED or name in params)
        if twice:
            raise BadRequest(
                f"raw has {twice[0]}, which says what the order is",
                exchange=self.id,
                outcome=Outcome.NOT_SENT,
                hint="say it with a keyword argument or in params: the journal must know it",
            )
        rest = {
            name: value
            for name, value in words.rest.items()
            if name not in UNIFIED_OPTIONS or (value is not None and value is not False)
        }
        check_params({**rest, **raw}, self._adapter.profile, market, forced=raw)
        kind = {"stop": "market", "stop_market": "market", "stop_limit": "limit"}.get(type, type)
        if kind != type and words.stop_price is None:
            raise ArgumentsRequired(f"a {type} order needs a trigger_price", exchange=self.id)
        request = OrderRequest(
            client_id="",
            symbol=market.symbol,
            side=side,
            type=kind,
            amount=as_amount("amount", amount, self.id),
            price=as_amount("price", price, self.id),
            cost=as_amount("cost", words.cost, self.id),
            stop_price=as_amount("trigger_price", words.stop_price, self.id),
            time_in_force=words.time_in_force,
            post_only=words.post_only,
            params={**rest, **raw},
            trigger=words.trigger,
            trailing_percent=as_amount("trailing_percent", words.trailing_percent, self.id),
            trailing_amount=as_amount("trailing_amount", words.trailing_amount, self.id),
            expire_at_ms=words.expire_at_ms,
        )
        self._check_request(request, market)
        return request

    def order_kinds(self, symbol: str) -> KindTable:
        """Kind of order -> whether this market takes it, how, and why not: see `planar.adapters.kinds.KindRow`."""
        return self._adapter.order_kinds(self.market(symbol).symbol)

    def _check_request(self, request: OrderRequest, market: Market) -> None:
        """Refuse an order that the market's rules would not take."""
        profile = self._adapter.profile
        check_order(
            request,
            market,
            self.id,
            self._adapter.order_kinds(market.symbol),
            band=profile.price_band(market.info) if profile.price_band and market.info else None,
            last_price=self._prices.get(market.symbol),
        )

    def _check_leverage(self, side: str, params: Mapping[str, Any]) -> None:
        """`leveraged` of the settings: which side may borrow."""
        if not any(name in params for name in _MARGIN):
            return
        allowed = {"from": ("buy",), "to": ("sell",), "both": ("buy", "sell")}.get(self._settings.leveraged or "", ())
        if side not in allowed:
            wanted = "from" if side == "buy" else "to"
            raise NotSupported(
                f"a {side} order that may borrow is not allowed by the settings",
                exchange=self.id,
                hint=f'set leveraged = "{wanted}" or "both" in [{self.id}]',
            )

    # -- cancelling ------------------------------------------------------------------------------------------------
    @labelled
    async def cancel_order(
        self, id: str, symbol: str, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> Order:
        """Cancel an order by the venue's id or Planar's client id; tried again until the deadline.

        Raises:
            OrderNotFound: there is no such open order; the message says what became of it.
        """
        self._check_writable("cancel_order")
        ref = self._reference(id, self._symbol(symbol))
        return await self._orders().cancel(ref, params=params, timeout_ms=self._timeout(timeout_ms))

    @labelled
    async def cancel_all_orders(self, symbol: str, *, timeout_ms: int | None = None) -> list[Order]:
        """Cancel all open orders of one market, one by one, those of other programs too; their last states.

        An order that ends by itself meanwhile is no error.
        """
        self._check_writable("cancel_all_orders")
        unified = self._symbol(symbol)
        due_s = runtime.monotonic() + self._timeout(timeout_ms) / 1000  # one deadline for all of them

        def left_ms() -> int:
            return max(1, int((due_s - runtime.monotonic()) * 1000))

        canceled: list[Order] = []
        for order in await self.fetch_open_orders(unified, timeout_ms=left_ms()):
            ref = OrderRef(unified, order_id=order.id, client_id=order.client_order_id)
            try:
                canceled.append(await self._orders().cancel(ref, timeout_ms=left_ms()))
            except OrderNotFound:
                canceled.append(await self.fetch_order(order.id or "", unified, timeout_ms=left_ms()))
        return canceled

    async def decide_order(self, client_id: str, state: OrderState | str, reason: str) -> Order:
        """Say what became of an order that stays UNKNOWN because the venue does not tell, or that the venue had and does
        not know any more; journaled with the reason.

        Args:
            state: "filled", "canceled", "expired", or "never_accepted" of one that is UNKNOWN.

        Raises:
            InvalidOrder: it is no such order of this journal, the venue shows it, or the state or the reason does not end
                it.
        """
        self._check_signed("decide_order")
        await self._orders().ready()
        return await self._orders().decide(client_id, OrderState(state), reason)


def as_amount(name: str, value: Any, exchange: str) -> Amount | None:
    """An exact number, or None.

    Raises:
        BadRequest: (NOT_SENT) it is none.
    """
    if value is None:
        return None
    try:
        return Amount(value)
    except (ValueError, TypeError, ArithmeticError) as error:
        raise BadRequest(
            f"{name} is {value!r}: {error}",
            exchange=exchange,
            outcome=Outcome.NOT_SENT,
            hint=f"{name} must be a number",
        ) from error
