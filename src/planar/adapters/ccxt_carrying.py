"""What carries the kind of an order to a venue, and the proof that it arrives where no table of the venue says so.

CCXT passes on what it does not know, and drops what it does not use: an IOC order may rest, a limit order may go to the
market, a client id may be replaced by a random one. So an order is proven before one of its sort leaves for the first time,
where no table of the venue says how its kind is carried, or where it has a parameter beside its kind: CCXT is asked for its
request twice, with and without what was asked for. If that is the same, the order is refused. Nothing is sent for it.
"""

from __future__ import annotations

import abc
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Final, cast

import msgspec

from planar.adapters.base import OrderRequest
from planar.adapters.ccxt_describing import exact
from planar.adapters.ccxt_linked import CcxtLinked
from planar.adapters.ccxt_safety import withhold
from planar.adapters.kinds import KindTable, carried, derived_kinds, kinds_of
from planar.adapters.order_options import UNIFIED_OPTIONS, check_listed, known_params, would_not_arrive
from planar.errors import PlanarError
from planar.models import Amount, Market, Order
from planar.transport.account_log import account_log
from planar.transport.context import OnSend
from planar.transport.writes import VenueRequest, Withheld, withholding

log = account_log("planar.orders")

CLIENT_ID_PARAMS: Final = ("client_order_id", "clientOrderID", "clOrdId", "cl_ord_id", "newClientOrderId")
"""Parameters that are tried in turn where CCXT does not send the client id that it is given under its own name."""

DOUBLED: Final = ("amount", "price", "cost")
"""Fields that another value must make another request of."""
WITHOUT: Final[Mapping[str, Mapping[str, Any]]] = {
    "post_only": {"post_only": False},
    "time_in_force": {"time_in_force": None, "expire_at_ms": None},
    "trigger_price": {"stop_price": None, "trigger": "stop"},
}
"""What was asked for -> the same order without it."""


class CcxtCarrying(CcxtLinked):
    """A part of `CcxtAdapter`."""

    _kinds: dict[str, KindTable]
    _proven: set[tuple[str, ...]]

    @abc.abstractmethod
    def market_of(self, symbol: str) -> Market | None:
        """The market of a symbol, if the markets are loaded."""

    @abc.abstractmethod
    async def send_order(self, request: OrderRequest, *, timeout_ms: int, on_send: OnSend) -> Order:
        """Send one order, once, as it is."""

    async def submit(self, request: OrderRequest, *, timeout_ms: int, on_send: OnSend) -> Order:
        """Send one order, once."""
        if self._unproven(request):
            await self._prove(request, timeout_ms)
        return await self.send_order(request, timeout_ms=timeout_ms, on_send=on_send)

    def order_params(self, request: OrderRequest) -> dict[str, Any]:
        """What CCXT takes of an order beside its own arguments."""
        params: dict[str, Any] = {self.profile.client_id.param: request.client_id, **self.deadline(request.client_id)}
        return {**params, **carried(request, self.order_kinds(request.symbol), exact), **request.params}

    def order_kinds(self, symbol: str) -> KindTable:
        """By the venue's own table; of its derivatives, and of venues without one, by CCXT's features."""
        market = self.market_of(symbol)
        if self._has_table(market):
            return self.profile.kinds
        kind = "" if market is None else f"{market.type} {market.sub_type}"
        if kind not in self._kinds:
            feature = cast(Any, self.exchange).feature_value
            self._kinds[kind] = derived_kinds(partial(feature, symbol, "createOrder"))
        return self._kinds[kind]

    def _has_table(self, market: Market | None) -> bool:
        return bool(self.profile.kinds) and (market is None or market.type == "spot")

    # -- the proof -------------------------------------------------------------------------------------------------
    def _key(self, request: OrderRequest) -> tuple[str, ...]:
        market = self.market_of(request.symbol)
        kind = "" if market is None else f"{market.type} {market.sub_type}"
        return (kind, request.side, *kinds_of(request), *sorted(request.params))

    def _unproven(self, request: OrderRequest) -> bool:
        doubtful = bool(request.params) or not self._has_table(self.market_of(request.symbol))
        return doubtful and self._key(request) not in self._proven

    async def _prove(self, request: OrderRequest, timeout_ms: int) -> None:
        """Refuse an order of which a part would not reach the venue.

        Raises:
            NotSupported: NOT_SENT.
        """
        self._check_listed(request)
        made = await self._request_of(request, timeout_ms)
        if made is None:
            return
        if not _holds(made.params, request.client_id):
            made = await self._named(request, timeout_ms) or made
        lasting = set(made.params)
        known = known_params(self.profile, self.market_of(request.symbol))
        for what, other in _otherwise(request):
            if known is not None and what in UNIFIED_OPTIONS and what not in known and what in made.params:
                raise would_not_arrive(what, self.id)  # CCXT only passes its own word on, which the venue ignores
            try:
                found = await self._request_of(other, timeout_ms)
            except PlanarError:  # so it is no order that CCXT would send: what differs counts
                continue
            # made anew after the other, so that a time or a nonce that has gone on meanwhile is no difference
            again = await self._request_of(request, timeout_ms) or made
            lasting &= {name for name, value in made.params.items() if again.params.get(name) == value}
            if found is not None and _same(made, found, lasting):
                raise would_not_arrive(what, self.id)
        self._proven.add(self._key(request))

    def _check_listed(self, request: OrderRequest) -> None:
        """Refuse CCXT's own words that CCXT does not list for the market; the venue's table, where it has one, knows."""
        if self._has_table(self.market_of(request.symbol)):
            return
        feature = partial(cast(Any, self.exchange).feature_value, request.symbol, "createOrder")
        for name in request.params:
            check_listed(name, feature, self.id, request.symbol)

    async def _request_of(self, request: OrderRequest, timeout_ms: int) -> VenueRequest | None:
        """The request that CCXT makes of an order; None where it is none of HTTP."""
        try:
            with withholding():
                await self.send_order(request, timeout_ms=timeout_ms, on_send=withhold)
        except Withheld as held:
            return held.request
        return None

    async def _named(self, request: OrderRequest, timeout_ms: int) -> VenueRequest | None:
        """Find the parameter under which the client id arrives, and use it from now on."""
        profile = self.profile
        for name in CLIENT_ID_PARAMS:
            self.profile = msgspec.structs.replace(
                profile, client_id=msgspec.structs.replace(profile.client_id, param=name)
            )
            made = await self._request_of(request, timeout_ms)
            if made is not None and _holds(made.params, request.client_id):
                return made
        self.profile = profile
        log.warning("client ids do not reach the exchange; an order whose answer is lost stays unknown")
        return None


def _otherwise(request: OrderRequest) -> Iterator[tuple[str, OrderRequest]]:
    """(what of the order differs, an order in which it does), for all that was asked for."""
    for what in DOUBLED:
        value: Amount | None = getattr(request, what)
        if value is not None:
            yield what, msgspec.structs.replace(request, **{what: Amount(value * 2)})
    for what, fields in WITHOUT.items():
        plain = msgspec.structs.replace(request, **fields)
        if plain != request and (what, request.time_in_force) != (
            "time_in_force",
            "GTC",
        ):  # which orders are by default
            yield what, plain
    for name in request.params:
        rest = {other: value for other, value in request.params.items() if other != name}
        yield name, msgspec.structs.replace(request, params=rest)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for inner in cast("Mapping[str, Any]", value).values():
            yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in cast("list[Any]", value):
            yield from _texts(inner)
    else:
        yield str(value)


def _holds(params: Mapping[str, Any], text: str) -> bool:
    return any(text in found for found in _texts(params))


def _same(one: VenueRequest, other: VenueRequest, names: set[str]) -> bool:
    """Whether two requests are the same, but for what differs each time; a field more is a difference."""
    if (one.method, one.path, one.params.keys()) != (other.method, other.path, other.params.keys()):
        return False
    return all(value == other.params[name] for name, value in one.params.items() if name in names)
