"""What an order would be, before it is sent: the request, what it costs, the market around it, what is left after it."""

from __future__ import annotations

import asyncio
from typing import Final

import msgspec

from planar.adapters.base import Adapter, OrderRequest
from planar.adapters.order_options import unverified
from planar.errors import PlanarError
from planar.models import AccountBalance, Amount, Market, OrderBook
from planar.orders.estimates import Estimate, estimate
from planar.orders.limits import LimitCheck
from planar.transport.writes import VenueRequest

DEPTH: Final = 100
"""Price levels that are asked for to walk the book."""
CLIENT_ID: Final = "<client id>"
"""Stands in the request where the client id will be, which is made when the order is journaled."""


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """An order that was not sent, and its surroundings. None: not known, or not applicable.

    Attributes:
        exchange, environment, account: where it would go; "" is the account without a name.
        order: the order, checked.
        request: what would be sent, before it is signed.
        value: what it costs or brings, in `currency`, before fees; of a market order an estimate.
        currency: the quote currency.
        fee_rate: as a fraction; of a taker where it would execute at once.
        fee_source: "account": the exchange says that this account pays it; "market": what the market asks of everybody.
        fee_estimate: in `fee_currency`. Some exchanges charge in another currency.
        fee_currency: the quote currency.
        best_bid, best_ask: now.
        average_price, worst_price: what it would trade at; of a market order by walking the book.
        takes: it would execute at once, in whole or in part.
        spends: the currency that it spends.
        free: what the account has free of it.
        free_after: what would be free after it, fees left out where they are not known.
        warnings: what to know about it.
        limits: the account's limits beside it.
        unverified: parameters that go to the exchange as they are, and of which nobody here knows what it makes of them.
        sent: always False.
    """

    exchange: str
    environment: str
    account: str
    order: OrderRequest
    request: VenueRequest | None
    value: Amount | None
    currency: str
    fee_rate: Amount | None
    fee_source: str | None
    fee_estimate: Amount | None
    fee_currency: str | None
    best_bid: float | None
    best_ask: float | None
    average_price: Amount | None
    worst_price: Amount | None
    takes: bool
    spends: str
    free: Amount | None
    free_after: Amount | None
    warnings: tuple[str, ...] = ()
    limits: tuple[LimitCheck, ...] = ()
    unverified: tuple[str, ...] = ()
    sent: bool = False


class Previewer:
    """Makes previews for one account. Everything it asks for only reads."""

    def __init__(self, adapter: Adapter, environment: str, account: str, timeout_ms: int) -> None:
        self._adapter = adapter
        self._environment = environment
        self._account = account
        self._timeout_ms = timeout_ms

    async def preview(self, order: OrderRequest, market: Market, limits: tuple[LimitCheck, ...]) -> Preview:
        """Ask the venue what the preview needs; nothing is ordered.

        Raises:
            PlanarError: the book or the balance is not to be had.
        """
        adapter, timeout_ms = self._adapter, self._timeout_ms
        named = msgspec.structs.replace(order, client_id=CLIENT_ID)
        book, balance, fees, request = await asyncio.gather(
            adapter.fetch_order_book(order.symbol, DEPTH, {}, timeout_ms=timeout_ms),
            adapter.fetch_balance({}, timeout_ms=timeout_ms),
            self._fees(market),
            adapter.build(named, timeout_ms=timeout_ms),
        )
        warnings = [f"{check.limit}: {check.found}; {check.allowed} allowed" for check in limits if not check.passed]
        found = estimate(order, market, book)
        if found.note:
            warnings.append(found.note)
        takes = _takes(order, book)
        rate, source = (fees[1] if takes else fees[0]), fees[2]
        fee = None if rate is None or found.value is None else Amount(rate * found.value)
        spends = market.quote if order.side == "buy" else market.base
        free, after = _funds(order, found, fee, spends, balance)
        if after is not None and after < 0:
            warnings.append(f"it needs {abs(after)} {spends} more than the {free} that are free")
        return Preview(
            exchange=adapter.id,
            environment=self._environment,
            account=self._account,
            order=order,
            request=request,
            value=found.value,
            currency=market.quote,
            fee_rate=rate,
            fee_source=source if rate is not None else None,
            fee_estimate=fee,
            fee_currency=market.quote if fee is not None else None,
            best_bid=book.best_bid,
            best_ask=book.best_ask,
            average_price=found.average,
            worst_price=found.worst,
            takes=takes,
            spends=spends,
            free=free,
            free_after=after,
            warnings=tuple(warnings),
            limits=limits,
            unverified=unverified(order.params, adapter.profile, market),
        )

    async def _fees(self, market: Market) -> tuple[Amount | None, Amount | None, str]:
        """(as maker, as taker, whose rates they are)."""
        try:
            maker, taker = await self._adapter.fetch_trading_fee(market.symbol, timeout_ms=self._timeout_ms)
        except PlanarError:  # the preview says whose rates it shows
            return market.maker, market.taker, "market"
        return maker, taker, "account"


def _takes(order: OrderRequest, book: OrderBook) -> bool:
    best = book.best_ask if order.side == "buy" else book.best_bid
    if order.waits:
        return order.type == "market"
    if order.price is None or best is None:
        return order.type == "market"
    return not order.post_only and (order.price >= best if order.side == "buy" else order.price <= best)


def _funds(
    order: OrderRequest, found: Estimate, fee: Amount | None, spends: str, balance: AccountBalance
) -> tuple[Amount | None, Amount | None]:
    """(free now, free after the order) of the currency that it spends."""
    entry = balance.balances.get(spends)
    free = entry.free if entry is not None else None
    if order.side == "buy":
        needed = None if found.value is None else Amount(found.value + (fee or 0))
    else:
        needed = order.amount if order.amount is not None else found.amount
    return free, None if free is None or needed is None else Amount(free - needed)
