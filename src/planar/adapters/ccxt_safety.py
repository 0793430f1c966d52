"""What protects an account, through CCXT: looking before sending, fees, cancelling all, the dead man's switch."""

from __future__ import annotations

import abc
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn, TypeVar, cast

from planar.adapters.base import Adapter, OrderRequest
from planar.adapters.ccxt_seam import CcxtExchange
from planar.errors import BadResponse, NotSupported
from planar.models import Amount
from planar.transport.context import CallContext, Priority
from planar.transport.writes import VenueRequest, Withheld, withholding

T = TypeVar("T")


class CcxtSafety(Adapter):
    """A part of `CcxtAdapter`."""

    exchange: CcxtExchange

    @abc.abstractmethod
    def require(self, method: str) -> None:
        """Refuse what CCXT knows that it cannot do."""

    @abc.abstractmethod
    async def run(
        self,
        call: CallContext,
        method: Callable[..., Awaitable[Any]],
        *args: Any,
        into: Callable[[Any], T] | None = None,
    ) -> T:
        """Run one method of CCXT inside a call context; `into` makes what is returned of its answer."""

    async def build(self, request: OrderRequest, *, timeout_ms: int) -> VenueRequest | None:
        """The request that `submit` would send."""
        try:
            with withholding():
                await self.submit(request, timeout_ms=timeout_ms, on_send=withhold)
        except Withheld as held:
            return held.request
        raise BadResponse("an order was to be looked at, and CCXT sent no request for it", exchange=self.id)

    async def fetch_trading_fee(self, symbol: str, *, timeout_ms: int) -> tuple[Amount, Amount]:
        """What this account pays in a market: (as maker, as taker)."""
        self.require("fetch_trading_fee")
        if not self.capabilities.can("fetch_trading_fee"):
            raise NotSupported("nobody knows whether it tells what an account pays", exchange=self.id)
        call = CallContext("fetch_trading_fee", timeout_ms, Priority.ACCOUNT, reading=True)
        raw: Any = await self.run(call, self.exchange.fetch_trading_fee, symbol)
        try:
            return Amount(raw["maker"]), Amount(raw["taker"])
        except (KeyError, TypeError, ValueError) as error:
            raise BadResponse(f"the answer about fees lacks a rate: {error}", exchange=self.id) from error

    async def cancel_all(self, symbol: str, *, timeout_ms: int) -> None:
        """Cancel all open orders of a market, or of all markets."""
        self.require("cancel_all_orders")
        call = CallContext("cancel_all_orders", timeout_ms, Priority.CANCEL, journaled=True)
        await self.run(call, self.exchange.cancel_all_orders, symbol)

    async def cancel_all_after(self, after_s: int, *, timeout_ms: int) -> None:
        """Have the venue cancel all orders of the account in so many seconds."""
        if self.profile.dead_man is None:
            raise NotSupported("it has no dead man's switch for all orders of an account", exchange=self.id)
        call = CallContext("cancel_all_orders_after", timeout_ms, Priority.CANCEL, journaled=True)
        await self.run(call, cast(Any, self.exchange).cancel_all_orders_after, after_s * 1000)


def withhold() -> NoReturn:
    """No byte of an order that is only looked at leaves, whichever way it would go."""
    raise Withheld
