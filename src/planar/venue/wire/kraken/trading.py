"""What can be done to orders: place, amend, edit, cancel. REST and WebSocket both come here.

Each operation counts on the transaction counter of its pair (guide "Spot trading limits").
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

import planar.runtime as runtime
from planar.venue.engine.enums import OrderKind, SelfTradeMode, Side
from planar.venue.engine.events import Event, OrderEvent
from planar.venue.engine.exchange import VirtualExchange
from planar.venue.engine.rejects import EngineReject, RejectReason
from planar.venue.engine.types import NewOrder, Order, OrderRef
from planar.venue.wire.kraken import errors, limits
from planar.venue.wire.kraken.errors import ApiError
from planar.venue.wire.kraken.formats import ZERO
from planar.venue.wire.kraken.ids import Ids
from planar.venue.wire.kraken.limits import Counters
from planar.venue.wire.kraken.names import Names
from planar.venue.wire.kraken.offsets import Offset
from planar.venue.wire.kraken.tickets import Close, Draft, Register, Ticket, Version

_KINDS = {
    **{kind.value.replace("_", "-"): kind for kind in OrderKind},
    "iceberg": OrderKind.LIMIT,
    "trailing-stop": OrderKind.STOP_LOSS,
    "trailing-stop-limit": OrderKind.STOP_LOSS_LIMIT,
}
ORDER_TYPES = (*_KINDS, "settle-position")
_WITHOUT_TRIGGER = {
    OrderKind.STOP_LOSS: OrderKind.MARKET,
    OrderKind.TAKE_PROFIT: OrderKind.MARKET,
    OrderKind.STOP_LOSS_LIMIT: OrderKind.LIMIT,
    OrderKind.TAKE_PROFIT_LIMIT: OrderKind.LIMIT,
}
SELF_TRADE_MODES = {
    "cancel-newest": SelfTradeMode.EXPIRE_TAKER,
    "cancel-oldest": SelfTradeMode.EXPIRE_MAKER,
    "cancel-both": SelfTradeMode.EXPIRE_BOTH,
}


class Amendment(msgspec.Struct, frozen=True, kw_only=True):
    """New values of an order; what is None stays."""

    volume: Decimal | None = None
    limit_price: Decimal | None = None
    trigger_price: Decimal | None = None
    distance: Offset | None = None
    """How far a trailing stop trails from now on."""
    display: Decimal | None = None
    post_only: bool = False


class Trading:
    """The order operations of one venue."""

    def __init__(
        self, exchange: VirtualExchange, register: Register, names: Names, ids: Ids, counters: Counters, most_open: int
    ) -> None:
        self._exchange = exchange
        self._register = register
        self._names = names
        self._ids = ids
        self._counters = counters
        self._most_open = most_open
        exchange.subscribe(self._on_event)

    def place(self, draft: Draft, *, validate: bool = False, count: float = limits.FIXED) -> Ticket | None:
        """Place an order; with `validate` only look whether it could be. Raises ApiError."""
        self._counters.charge(count, draft.account, draft.symbol)
        self.check(draft)
        return self._submit(draft, validate=validate)

    def check(self, draft: Draft) -> None:
        """The rules of the pair and of client ids. Raises ApiError."""
        pair = self._names.pairs[draft.symbol]
        spec = pair.spec
        for price in (draft.price, draft.price2):
            if price is not None and (price <= 0 or price % spec.tick):
                places = pair.price_decimals
                text = f"{pair.wsname} price can only be specified up to {places} decimals."
                raise ApiError(f"{errors.PRICE}:{text}")
        reference = draft.limit_price or draft.price or self._exchange.last_price(draft.symbol) or ZERO
        if "viqc" in draft.oflags:
            if draft.ordertype != "market":
                raise errors.invalid("viqc")
            cost = draft.volume
        else:
            if draft.volume < spec.min_amount:
                raise ApiError(errors.ORDER_MINIMUM)
            cost = draft.volume * reference
        if cost < spec.min_notional:
            raise ApiError(errors.COST_MINIMUM)
        own = self._register.open(draft.account)
        if draft.cl_ord_id is not None and any(t.draft.cl_ord_id == draft.cl_ord_id for t in own):
            raise errors.invalid("cl_ord_id")
        if sum(ticket.draft.symbol == draft.symbol for ticket in own) >= self._most_open:
            raise ApiError(errors.ORDERS)

    def _submit(self, draft: Draft, *, validate: bool = False) -> Ticket | None:
        new = _new_order(draft)
        if draft.start_ms is not None and not validate:
            return self._schedule(draft, new)
        try:
            return self._send(draft, new, validate=validate)
        except EngineReject as reject:
            if reject.reason is not RejectReason.WOULD_TRIGGER:
                raise errors.of(reject) from reject
        try:  # a stop whose condition holds already is triggered at once
            return self._send(draft, _triggered(new), validate=validate)
        except EngineReject as reject:
            raise errors.of(reject) from reject

    def _schedule(self, draft: Draft, new: NewOrder) -> Ticket:
        """Take an order in that begins later. Raises ApiError."""
        try:
            with self._register.announced(draft):
                return self._register.entered(self._exchange.schedule(new))
        except EngineReject as reject:
            raise errors.of(reject) from reject

    def _on_event(self, event: Event) -> None:
        """Place the order that closes what an execution opened, of the same amount the other way."""
        if not isinstance(event, OrderEvent) or event.fill is None:
            return
        opened = self._register.entered(event.order)
        if opened.draft.close is None:
            return
        draft = _closing(opened.draft, opened.draft.close, event.fill.amount)
        try:
            ticket = self._submit(draft)
        except ApiError:
            ticket = self._start_unready(draft)
        if ticket is not None:
            ticket.refid = opened.txid

    def _start_unready(self, draft: Draft) -> Ticket:
        """Take in an order that cannot begin, and let it end: it stands among the others with the reason."""
        ticket = self._schedule(draft, _new_order(draft))
        self._exchange.release(draft.account, draft.symbol, OrderRef(ticket.parts[-1]))
        return ticket

    def start(self, now_ms: int) -> None:
        """Begin the scheduled orders whose time has come."""
        for ticket in self._register.starting(now_ms):
            ticket.changed_ms = now_ms
            self._exchange.release(ticket.draft.account, ticket.draft.symbol, OrderRef(ticket.parts[-1]))

    def _send(self, what: Draft | Ticket, new: NewOrder, *, validate: bool = False) -> Ticket | None:
        if validate:
            self._exchange.check(new)
            return None
        with self._register.announced(what):
            order = self._exchange.submit(new)
            return self._register.entered(order)

    def cancel(self, ticket: Ticket, *, reason: str | None = None, expired: bool = False) -> None:
        """Cancel an open order. Raises ApiError."""
        draft = ticket.draft
        if ticket.closed:
            raise ApiError(errors.UNKNOWN_ORDER)
        self._counters.add(limits.cancel_count(self._age_s(ticket)), draft.account, draft.symbol)
        ticket.reason, ticket.expired = reason, expired
        self._exchange.cancel(draft.account, draft.symbol, OrderRef(ticket.parts[-1]))

    def expire(self, now_ms: int) -> None:
        """End the orders whose time is over."""
        for ticket in self._register.due(now_ms):
            ticket.expired = True
            ticket.reason = "Order expired"
            self._exchange.cancel(ticket.draft.account, ticket.draft.symbol, OrderRef(ticket.parts[-1]))

    def amend(self, ticket: Ticket, change: Amendment) -> str:
        """Change an order in place; its id stays, and its place in the queue if only the amount falls.

        Returns the amendment's id. An amount below what is filled cancels the rest. Raises ApiError; the order then
        is as it was.
        """
        draft = ticket.draft
        self._counters.charge(limits.amend_count(self._age_s(ticket)), draft.account, draft.symbol)
        if ticket.closed:
            raise ApiError(errors.UNKNOWN_ORDER)
        amended = _amended(draft, change)
        self._check_amended(amended, change)
        filled = sum((fill.amount for fill in self._register.fills(ticket)), ZERO)
        ticket.amends += 1
        amend_id = self._ids.amend(ticket.txid, ticket.amends)
        if amended.volume <= filled:
            ticket.draft = amended
            self.cancel(ticket)
            return amend_id
        if self._only_smaller(ticket, draft, amended):
            self._shrink(ticket, amended, filled)
        else:
            self._swap(ticket, amended, filled)
        ticket.changed_ms = runtime.wall_ms()
        if not ticket.history:
            ticket.history.append(Version(self._ids.amend(ticket.txid, 0), draft, draft.volume, ticket.opened_ms))
        ticket.history.append(Version(amend_id, amended, amended.volume - filled, ticket.changed_ms))
        return amend_id

    def _check_amended(self, draft: Draft, change: Amendment) -> None:
        spec = self._names.pairs[draft.symbol].spec
        for price in (change.limit_price, change.trigger_price):
            if price is not None and (price <= 0 or price % spec.tick):
                raise ApiError(errors.PRICE)
        if draft.volume <= 0 or draft.volume % spec.lot:
            raise errors.invalid("order_qty")
        if draft.volume < spec.min_amount:
            raise ApiError(errors.ORDER_MINIMUM)

    def _only_smaller(self, ticket: Ticket, draft: Draft, amended: Draft) -> bool:
        same = msgspec.structs.replace(amended, volume=draft.volume) == draft
        return same and amended.volume < draft.volume and self._register.order(ticket).price is not None

    def _shrink(self, ticket: Ticket, amended: Draft, filled: Decimal) -> None:
        order = self._register.order(ticket)
        earlier = filled - order.filled
        ticket.draft = amended
        self._exchange.amend_keep_priority(
            order.account, order.symbol, OrderRef(order.id), amended.volume - earlier, client_id=order.client_id
        )

    def _swap(self, ticket: Ticket, amended: Draft, filled: Decimal) -> None:
        """Take the engine's order away and put another in its place; if that is refused, the old one again."""
        before, order = ticket.draft, self._register.order(ticket)
        rest = order.remaining
        new = _new_order(msgspec.structs.replace(amended, volume=amended.volume - filled))
        old = _new_order(msgspec.structs.replace(before, volume=rest))
        if _works(order):
            new, old = _triggered(new, order.price), _triggered(old, order.price)
        self._register.quiet = True
        try:
            self._exchange.cancel(order.account, order.symbol, OrderRef(order.id))
            ticket.draft = amended
            self._register.amending = True
            try:
                self._carry_on(ticket, new)
            except EngineReject as reject:
                self._register.amending = False
                ticket.draft = before
                self._carry_on(ticket, old)
                raise errors.of(reject) from reject
        finally:
            self._register.quiet = self._register.amending = False
            ticket.closed = not self._register.order(ticket).is_open

    def _carry_on(self, ticket: Ticket, new: NewOrder) -> None:
        try:
            self._send(ticket, new)
        except EngineReject as reject:
            if reject.reason is not RejectReason.WOULD_TRIGGER:
                raise
            self._send(ticket, _triggered(new))

    def edit(self, ticket: Ticket, draft: Draft) -> Ticket | None:
        """Cancel an order and place another in its stead, under a new id. Raises ApiError; nothing has changed then."""
        old = ticket.draft
        self._counters.charge(limits.edit_count(self._age_s(ticket)), old.account, old.symbol)
        if ticket.closed:
            raise ApiError(errors.UNKNOWN_ORDER)
        self.check(msgspec.structs.replace(draft, cl_ord_id=None))
        self._rehearse(ticket, draft)
        ticket.reason = "Order replaced"
        self._exchange.cancel(old.account, old.symbol, OrderRef(ticket.parts[-1]))
        return self._submit(draft)

    def _rehearse(self, ticket: Ticket, draft: Draft) -> None:
        """See whether a draft would be accepted if the order were gone. Raises ApiError; the order is as it was."""
        order = self._register.order(ticket)
        old = _new_order(msgspec.structs.replace(ticket.draft, volume=order.remaining))
        if _works(order):
            old = _triggered(old, order.price)
        self._register.quiet = True
        try:
            self._exchange.cancel(order.account, order.symbol, OrderRef(order.id))
            try:
                self._submit(draft, validate=True)
            finally:
                self._carry_on(ticket, old)
        finally:
            self._register.quiet = False

    def _age_s(self, ticket: Ticket) -> float:
        return (runtime.wall_ms() - ticket.changed_ms) / 1000


def _new_order(draft: Draft) -> NewOrder:
    by_quote = "viqc" in draft.oflags
    return NewOrder(
        account=draft.account,
        symbol=draft.symbol,
        side=draft.side,
        kind=_KINDS[draft.ordertype],
        tif=draft.tif,
        amount=None if by_quote else draft.volume,
        quote_amount=draft.volume if by_quote else None,
        price=draft.limit_price,
        stop_price=draft.price if draft.is_stop else None,
        trailing=draft.trailing,
        fee_asset=draft.fee_asset,
        client_id=draft.cl_ord_id,
        self_trade_mode=SELF_TRADE_MODES[draft.stp],
        iceberg_amount=draft.display,
        post_only="post" in draft.oflags,
    )


def _works(order: Order) -> bool:
    """Whether it is no stop, or none any more."""
    return order.triggered_ms is not None or order.kind not in _WITHOUT_TRIGGER


def _triggered(new: NewOrder, limit: Decimal | None = None) -> NewOrder:
    """The order that a stop becomes; `limit` is its price if the stop has none of its own."""
    kind = _WITHOUT_TRIGGER.get(new.kind, new.kind)
    price = (new.price or limit) if kind is OrderKind.LIMIT else None
    return msgspec.structs.replace(new, kind=kind, stop_price=None, trailing=None, price=price)


def _closing(opened: Draft, close: Close, volume: Decimal) -> Draft:
    return Draft(
        account=opened.account,
        symbol=opened.symbol,
        side=Side.SELL if opened.side is Side.BUY else Side.BUY,
        ordertype=close.ordertype,
        volume=volume,
        price=close.price,
        price2=close.price2,
        trailing=close.trailing,
        price_text=close.price_text,
        price2_text=close.price2_text,
        oflags=tuple(word for word in opened.oflags if word in ("fcib", "fciq")),
        stp=opened.stp,
        userref=opened.userref,
        trigger=opened.trigger,
    )


def _trailing_anew(draft: Draft, distance: Offset) -> Draft:
    """A trailing stop with another distance."""
    if draft.trailing is None or distance.sign != "+":
        raise errors.invalid("trigger_price")
    trailing = msgspec.structs.replace(
        draft.trailing,
        offset=None if distance.percent else distance.signed,
        fraction=distance.signed if distance.percent else None,
    )
    return msgspec.structs.replace(draft, trailing=trailing, price_text=distance.text(8))


def _amended(draft: Draft, change: Amendment) -> Draft:
    """The draft with new values; a price that its type does not have is refused."""
    if (
        (change.trigger_price is not None)
        if draft.trailing
        else (change.trigger_price is not None and not draft.is_stop)
    ):
        raise errors.invalid("trigger_price")
    if change.distance is not None:
        draft = _trailing_anew(draft, change.distance)
    if change.limit_price is not None and draft.limit_price is None:
        raise errors.invalid("limit_price")
    price, price2 = draft.price, draft.price2
    if draft.is_stop:
        price = change.trigger_price or price
        price2 = change.limit_price or price2
    else:
        price = change.limit_price or price
    flags = draft.oflags + (("post",) if change.post_only and "post" not in draft.oflags else ())
    return msgspec.structs.replace(
        draft,
        volume=draft.volume if change.volume is None else change.volume,
        price=price,
        price2=price2,
        display=change.display or draft.display,
        oflags=flags,
    )
