"""Linked orders and replacements: what the exchange does by itself, and what is emulated where the caller asks for it."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from typing import Any, Unpack, cast

import msgspec

from planar.adapters.base import OrderRequest
from planar.adapters.linked import LinkedRequest
from planar.errors import InvalidOrder, JournalError, NotSupported, OrderNotFound, Outcome
from planar.exchange.batches import BatchMethods
from planar.exchange.core import NOTHING
from planar.exchange.labels import labelled
from planar.exchange.order_words import KindWords, Number, with_words
from planar.models.groups import Contingency, ExitPlan, Member, Role
from planar.orders import OrderGroup, OrderHandle, OrderManager
from planar.orders.group_handle import EMULATED
from planar.orders.group_steps import EXITS
from planar.orders.kind_rules import unsupported
from planar.orders.preview import Preview
from planar.transport.writes import VenueRequest


class GroupPreview(msgspec.Struct, frozen=True):
    """Linked orders that were not sent.

    Attributes:
        note: what to know about an emulation.
        orders: all of them, those included that are sent later.
        previews: those that would be sent at once, with their surroundings.
        request: the one request that the venue would get; None where each order has its own.
        sent: always False.
    """

    contingency: Contingency
    emulated: bool
    note: str
    orders: tuple[OrderRequest, ...]
    previews: tuple[Preview, ...]
    request: VenueRequest | None
    sent: bool = False


class KindMethods(BatchMethods):
    """See the module's docstring."""

    # -- linked orders ---------------------------------------------------------------------------------------------
    async def create_oco(
        self,
        symbol: str,
        side: str,
        amount: Number,
        *,
        take_profit: Number,
        stop_loss: Number,
        stop_limit: Number | None = None,
        emulate: bool = False,
        intent_id: str = "",
        timeout_ms: int | None = None,
        dry_run: bool = False,
    ) -> OrderGroup:
        """Two exits of which one cancels the other: a limit order at the better price, a stop at the worse one.

        Args:
            side: of both: "sell" to leave what was bought.
            take_profit: limit price; the order rests in the book.
            stop_loss: trigger price of the stop.
            stop_limit: its limit price; None: it sells, or buys, at the market.
            emulate: where the exchange does not link orders, this program does: see `OrderGroup.note`. Where it does,
                this changes nothing.
            intent_id: your own name for the pair; asked again with an equal one, the same pair is returned.
            dry_run: check everything, send nothing, and return a `GroupPreview` in place of the group.

        Raises:
            NotSupported: (NOT_SENT) the exchange does not link orders, and `emulate` is not given.
            OrderUnknown: the exchange may have them. `await error.order.resolved()` tells.
            PlanarError: otherwise; none of them stands.
        """
        exits = self._exits("oco", symbol, side, amount, (take_profit, stop_loss, stop_limit), emulate)
        return await self._linked(LinkedRequest("oco", exits), intent_id, timeout_ms, dry_run)

    async def create_bracket(
        self,
        symbol: str,
        side: str,
        amount: Number,
        price: Number | None = None,
        *,
        take_profit: Number,
        stop_loss: Number,
        stop_limit: Number | None = None,
        post_only: bool = False,
        emulate: bool = False,
        intent_id: str = "",
        timeout_ms: int | None = None,
        dry_run: bool = False,
    ) -> OrderGroup:
        """An entry, and the two exits that its fill starts, of which one cancels the other.

        Args:
            side: of the entry; the exits are on the other one.
            price: limit price of the entry; None: a market order, where the exchange takes one.
            post_only: the entry is refused instead of taking.
            take_profit, stop_loss, stop_limit, emulate, intent_id, dry_run: as in `create_oco`.

        Raises:
            NotSupported, OrderUnknown, PlanarError: as in `create_oco`.
        """
        market, away = self.market(symbol), "sell" if side == "buy" else "buy"
        exits = self._exits("bracket", symbol, away, amount, (take_profit, stop_loss, stop_limit), emulate)
        rule, emulated = self._adapter.profile.linked, exits[0].member is not None and exits[0].member.emulated
        type_ = "market" if price is None else "limit"
        if rule is not None and not emulated and type_ not in rule.entry_types:
            raise NotSupported(
                f"the entry of a bracket of {market.symbol} cannot be a {type_} order here",
                exchange=self.id,
                outcome=Outcome.NOT_SENT,
                hint=f"it is a {' or '.join(rule.entry_types)} order: a price beyond the market executes at once",
            )
        entry = self._request(symbol, type_, side, amount, price, {"postOnly": True} if post_only else {})
        if entry.price is not None:
            _check_between(entry, exits, self.id)
        plans = tuple(_plan(leg) for leg in exits) if emulated else ()
        entry = _as(entry, Member("", "bracket", "entry", emulated, plans))
        return await self._linked(LinkedRequest("bracket", (entry, *exits)), intent_id, timeout_ms, dry_run)

    def order_group(self, name: str) -> OrderGroup:
        """Linked orders of this account's journal, by the client id, the exchange's id or the intent id of any of them.

        Raises:
            OrderNotFound: there are none of that name.
            JournalError: the journal is not open yet; `await exchange.reconcile()` opens it.
        """
        orders = self._opened()
        group = orders.groups.named(name)
        if group is None:
            raise OrderNotFound(
                f"this journal has no linked orders {name!r}", exchange=self.id, outcome=Outcome.NOT_SENT
            )
        return OrderGroup(orders.groups, group)

    def order_groups(self) -> list[OrderGroup]:
        """Linked orders of this account's journal that are not done, oldest first.

        Raises:
            JournalError: the journal is not open yet; `await exchange.reconcile()` opens it.
        """
        groups = self._opened().groups
        return [OrderGroup(groups, group) for group in groups.unfinished()]

    def _opened(self) -> OrderManager:
        manager = self._orders()
        if not manager.is_open:
            raise JournalError(
                "the order journal is not open yet",
                exchange=self.id,
                outcome=Outcome.NOT_SENT,
                hint="await exchange.reconcile() opens it, and brings it up to what the exchange knows",
            )
        return manager

    def _exits(
        self,
        contingency: Contingency,
        symbol: str,
        side: str,
        amount: Number,
        prices: tuple[Number, Number, Number | None],
        emulate: bool,
    ) -> tuple[OrderRequest, OrderRequest]:
        """The exits, checked: in the order in which they are sent."""
        take_profit, stop_loss, stop_limit = prices
        market = self.market(symbol)
        row = self._adapter.order_kinds(market.symbol).get(contingency)
        if row is None or row.how == "refused" or (row.how == "emulated" and not emulate):
            raise unsupported(contingency, market.symbol, self.id, row)
        profit = self._request(symbol, "limit", side, amount, take_profit, {"postOnly": True})
        type_ = "market" if stop_limit is None else "limit"
        loss = self._request(symbol, type_, side, amount, stop_limit, {"stopLossPrice": stop_loss})
        better = profit.price > loss.stop_price if side == "sell" else profit.price < loss.stop_price  # type: ignore[operator]
        if not better:
            where = "above" if side == "sell" else "below"
            raise InvalidOrder(
                f"take_profit {profit.price} is not {where} stop_loss {loss.stop_price}",
                exchange=self.id,
                outcome=Outcome.NOT_SENT,
                hint=f"exits that {side} take a profit {where} the market, and stop a loss on its other side",
            )
        legs: dict[Role, OrderRequest] = {"take_profit": profit, "stop_loss": loss}
        emulated = row.how == "emulated"
        first, second = (_as(legs[role], Member("", contingency, role, emulated)) for role in EXITS)
        return first, second

    @labelled
    async def _linked(self, linked: LinkedRequest, intent_id: str, timeout_ms: int | None, dry_run: bool) -> OrderGroup:
        name = f"create_{linked.contingency}"
        member = linked.legs[0].member
        emulated = member is not None and member.emulated
        now = linked.legs[:1] if linked.contingency == "bracket" else linked.legs
        if dry_run or self._settings.dry_run:
            self._check_signed(name)
            return cast(OrderGroup, await self._rehearse_linked(linked, now, emulated))
        self._check_writable(name)
        sent = LinkedRequest(linked.contingency, now) if emulated else linked
        limit_ms = self._timeout(timeout_ms)
        return await self._orders().groups.place(sent, intent_id=intent_id, timeout_ms=limit_ms)

    async def _rehearse_linked(
        self, linked: LinkedRequest, now: tuple[OrderRequest, ...], emulated: bool
    ) -> GroupPreview:
        previews = tuple([await self._rehearse(leg) for leg in now])
        request = None
        if not emulated:
            legs = tuple(
                msgspec.structs.replace(leg, client_id=f"<client id {number}>")
                for number, leg in enumerate(linked.legs, 1)
            )
            asked = LinkedRequest(linked.contingency, legs)
            request = await self._adapter.build_linked(asked, timeout_ms=self._settings.timeout_ms)
        return GroupPreview(linked.contingency, emulated, EMULATED if emulated else "", linked.legs, previews, request)

    # -- replacing -------------------------------------------------------------------------------------------------
    @labelled
    async def replace_order(
        self,
        id: str,
        symbol: str,
        type: str,
        side: str,
        amount: Number | None = None,
        price: Number | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        emulate: bool = False,
        intent_id: str = "",
        timeout_ms: int | None = None,
        **kind: Unpack[KindWords],
    ) -> OrderHandle:
        """Cancel an order and send another one, of any kind, in its stead; the new one only if the old one was canceled.

        By one request where the exchange has it. Else, with `emulate`, the old order is canceled, and the new one sent
        after the exchange has shown that; between the two there is neither. The new order has the amount that is given,
        whatever of the old one had traded; to change what is left of an order, `edit_order`.

        Args:
            id: of the old order: the exchange's, or Planar's client id.
            intent_id: your own name for the replacement. If the program dies between the halves, the same name takes up
                the second one.

        Raises:
            NotSupported: (NOT_SENT) the exchange has no such request, and `emulate` is not given.
            InvalidOrder: (NOT_SENT) nobody knows yet whether the exchange has the old order.
            OrderUnknown: the exchange may have the new order.
            PlanarError: otherwise; there is no new order. The old one may be canceled: `fetch_order` shows it.
        """
        self._check_writable("replace_order")
        unified = self._symbol(symbol)
        row = self._adapter.order_kinds(unified).get("replace")
        if row is None or row.how == "refused" or (row.how == "emulated" and not emulate):
            raise unsupported("replace", unified, self.id, row)
        orders, timeout = self._orders(), self._timeout(timeout_ms)
        await orders.ready(timeout / 1000)
        request = self._request(unified, type, side, amount, price, with_words(params, kind, self.id))
        old = orders.store.find(unified, id)
        order_id = id if old is None else orders.store.facts(old).order_id or id
        request = msgspec.structs.replace(request, replaces=order_id, cancels_first=row.how == "emulated")
        return await orders.place(request, intent_id=intent_id, timeout_ms=timeout, frees=old)

    @abc.abstractmethod
    async def _rehearse(self, request: OrderRequest) -> Preview:
        """A dry run: what sending would refuse is refused; nothing is journaled or sent."""


def _as(request: OrderRequest, member: Member) -> OrderRequest:
    return msgspec.structs.replace(request, member=member)


def _plan(leg: OrderRequest) -> ExitPlan:
    assert leg.member is not None
    return ExitPlan(leg.member.role, leg.type, leg.price, leg.stop_price)


def _check_between(entry: OrderRequest, exits: tuple[OrderRequest, OrderRequest], exchange: str) -> None:
    """The entry lies between its exits."""
    loss, profit = exits[0].stop_price, exits[1].price
    assert entry.price is not None
    assert loss is not None
    assert profit is not None
    low, high = min(loss, profit), max(loss, profit)
    if not low < entry.price < high:
        raise InvalidOrder(
            f"the entry's price {entry.price} is not between stop_loss {loss} and take_profit {profit}",
            exchange=exchange,
            outcome=Outcome.NOT_SENT,
            hint="a bracket that buys takes its profit above its price, and stops its loss below",
        )
