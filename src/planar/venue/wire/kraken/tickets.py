"""Orders as Kraken knows them: one id for life, though an amendment may make it another order of the engine.

A `Ticket` keeps what the engine does not: Kraken's order type, references, flags, expiry, and the engine's orders that
carry it. `View` is a ticket with its figures, added up over these.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from decimal import Decimal

import msgspec

from planar.venue.engine import past
from planar.venue.engine.enums import FeeAsset, OrderKind, OrderStatus, Side, TimeInForce
from planar.venue.engine.events import OrderEvent
from planar.venue.engine.exchange import VirtualExchange
from planar.venue.engine.rejects import EngineReject
from planar.venue.engine.types import Fill, Order, OrderRef, Trailing
from planar.venue.engine.units import quotient
from planar.venue.wire.kraken import errors
from planar.venue.wire.kraken.formats import ZERO
from planar.venue.wire.kraken.ids import Ids

ALL_ROWS = 1_000_000_000
USER_REQUESTED = "User requested"
_STATUSES = {
    OrderStatus.PENDING_NEW: "pending",
    OrderStatus.REJECTED: "canceled",
    OrderStatus.NEW: "open",
    OrderStatus.PARTIALLY_FILLED: "open",
    OrderStatus.FILLED: "closed",
    OrderStatus.CANCELED: "canceled",
    OrderStatus.EXPIRED: "canceled",
    OrderStatus.EXPIRED_IN_MATCH: "canceled",
}
_TYPES = {kind: kind.value.replace("_", "-") for kind in OrderKind}


class Close(msgspec.Struct, frozen=True):
    """The order that closes what another opens, once for each of its executions. Fields as in `Draft`."""

    ordertype: str
    price: Decimal | None
    price2: Decimal | None
    trailing: Trailing | None
    price_text: str | None
    price2_text: str | None


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """An order that was asked for.

    Attributes:
        ordertype: Kraken's order type, such as "stop-loss-limit".
        volume: in base; of a market order with flag `viqc` in quote.
        price: limit price; of a stop its trigger.
        price2: limit price of a stop.
        oflags: flags, in the order given.
        userref: the client's number; None: none.
        cl_ord_id: the client's own id; None: none.
        start_ms: when it begins; None: at once.
        expire_ms: when it expires; None: never.
        trailing: of a trailing stop, which has no `price`.
        price_text, price2_text: the distances of a trailing stop as orders show them.
        trigger: the reference price of a stop.
        close: what follows its executions.
    """

    account: str
    symbol: str
    side: Side
    ordertype: str
    volume: Decimal
    price: Decimal | None = None
    price2: Decimal | None = None
    oflags: tuple[str, ...] = ()
    tif: TimeInForce = TimeInForce.GTC
    stp: str = "cancel-newest"
    userref: int | None = None
    cl_ord_id: str | None = None
    start_ms: int | None = None
    expire_ms: int | None = None
    display: Decimal | None = None
    trailing: Trailing | None = None
    price_text: str | None = None
    price2_text: str | None = None
    trigger: str = "last"
    close: Close | None = None

    @property
    def is_stop(self) -> bool:
        """Whether it waits for a trigger."""
        return self.ordertype.startswith(("stop-loss", "take-profit", "trailing-stop"))

    @property
    def fee_asset(self) -> FeeAsset:
        """Where the commission is taken: in quote unless asked otherwise."""
        return FeeAsset.BASE if "fcib" in self.oflags else FeeAsset.QUOTE

    @property
    def limit_price(self) -> Decimal | None:
        """The limit price."""
        return self.price2 if self.is_stop else self.price


class Version(msgspec.Struct, frozen=True):
    """An order as it was accepted or amended; `remaining` is what was not filled then."""

    amend_id: str
    draft: Draft
    remaining: Decimal
    ts_ms: int


class Ticket:
    """One order under its Kraken id."""

    __slots__ = (
        "amends",
        "changed_ms",
        "closed",
        "draft",
        "expired",
        "history",
        "opened_ms",
        "parts",
        "reason",
        "refid",
        "txid",
    )

    def __init__(self, txid: str, draft: Draft, part: int, opened_ms: int) -> None:
        self.txid = txid
        self.draft = draft
        self.parts = [part]
        self.opened_ms = opened_ms
        self.changed_ms = opened_ms
        self.amends = 0
        self.expired = False
        self.closed = False
        self.reason: str | None = None
        self.history: list[Version] = []
        """What it was, from the first on, of an order that was amended."""
        self.refid: str | None = None
        """The order that it closes."""


class View(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket with its figures. `cost` is in quote; `fee` is the commission's worth in quote."""

    ticket: Ticket
    status: str
    filled: Decimal
    cost: Decimal
    fee: Decimal
    fills: list[Fill]
    order: Order

    @property
    def average(self) -> Decimal:
        """Average price; zero without fills."""
        return quotient(self.cost, self.filled) if self.filled else ZERO


class Register:
    """All orders of the user accounts."""

    def __init__(self, exchange: VirtualExchange, ids: Ids) -> None:
        self._exchange = exchange
        self._ids = ids
        self._by_txid: dict[str, Ticket] = {}
        self._by_order: dict[tuple[str, int], Ticket] = {}
        self._by_account: dict[str, dict[str, Ticket]] = {}
        self._dated: dict[str, Ticket] = {}
        self._scheduled: dict[str, Ticket] = {}
        self._announced: Draft | Ticket | None = None
        self.quiet = False
        """While an amendment swaps the engine's orders, which is no end of one and no beginning of another."""
        self.amending = False
        """While the new one of them is submitted."""
        known = [
            order
            for account in exchange.accounts()
            for symbol in exchange.symbols
            for order in exchange.orders(account, symbol, limit=ALL_ROWS)
        ]
        for order in sorted(known, key=lambda order: (order.created_ms, order.symbol, order.id)):
            self.enter(order)
            self._settle(order)

    @contextmanager
    def announced(self, what: Draft | Ticket) -> Generator[None]:
        """The order accepted meanwhile is this draft's, or carries this ticket on."""
        self._announced = what
        try:
            yield
        finally:
            self._announced = None

    def on_event(self, event: OrderEvent) -> Ticket:
        """The ticket of an event; a new order gets one."""
        ticket = self._by_order.get((event.order.symbol, event.order.id)) or self.enter(event.order)
        if not self.quiet:
            self._settle(event.order)
        return ticket

    def enter(self, order: Order) -> Ticket:
        """Record an order of the engine."""
        announced, self._announced = self._announced, None
        if isinstance(announced, Ticket):
            announced.parts.append(order.id)
            ticket = announced
        else:
            txid = self._ids.order(order.symbol, order.id)
            ticket = Ticket(txid, announced or _draft_of(order), order.id, order.created_ms)
            self._by_txid[txid] = ticket
            self._by_account.setdefault(order.account, {})[txid] = ticket
            if ticket.draft.expire_ms is not None:
                self._dated[txid] = ticket
            if ticket.draft.start_ms is not None:
                self._scheduled[txid] = ticket
        self._by_order[order.symbol, order.id] = ticket
        return ticket

    def _settle(self, order: Order) -> None:
        ticket = self._by_order[order.symbol, order.id]
        ticket.closed = not order.is_open
        if order.status is OrderStatus.CANCELED and ticket.reason is None:
            ticket.reason = USER_REQUESTED
        elif order.reject_reason is not None:
            ticket.reason = errors.text_of(order.reject_reason)

    def entered(self, order: Order) -> Ticket:
        """The ticket of an order that was accepted just now, whether its event has come by already or not."""
        return self._by_order.get((order.symbol, order.id)) or self.enter(order)

    def starting(self, now_ms: int) -> list[Ticket]:
        """Scheduled orders whose time has come; each is named once."""
        found = [ticket for ticket in self._scheduled.values() if (ticket.draft.start_ms or now_ms) <= now_ms]
        for ticket in found:
            del self._scheduled[ticket.txid]
        return [ticket for ticket in found if not ticket.closed]

    def of(self, symbol: str, order_id: int) -> Ticket:
        """The ticket of an order of the engine."""
        return self._by_order[symbol, order_id]

    def get(self, account: str, txid: object) -> Ticket:
        """The order of an id.

        Raises:
            ApiError: EOrder:Unknown order.
        """
        ticket = self._by_txid.get(str(txid))
        if ticket is None or ticket.draft.account != account:
            raise errors.ApiError(errors.UNKNOWN_ORDER)
        return ticket

    def tickets(self, account: str) -> list[Ticket]:
        """All orders of an account, oldest first."""
        return list(self._by_account.get(account, {}).values())

    def open(self, account: str) -> list[Ticket]:
        """Open orders of an account, oldest first."""
        return [
            ticket
            for ticket in dict.fromkeys(
                self._by_order[order.symbol, order.id] for order in self._exchange.open_orders(account)
            )
            if past.lag_ms() or not ticket.closed
        ]

    def closed(self, account: str) -> list[Ticket]:
        """Ended orders of an account, oldest first."""
        return [
            ticket
            for ticket in self.tickets(account)
            if ticket.closed and not (past.lag_ms() and self._was_open(ticket))
        ]

    def _was_open(self, ticket: Ticket) -> bool:
        """Whether an order that is closed now was not yet, at the time that reads lag behind to."""
        try:
            return self.order(ticket).is_open
        except errors.ApiError:
            return True

    def due(self, now_ms: int) -> list[Ticket]:
        """Open orders whose time is over."""
        for txid in [txid for txid, ticket in self._dated.items() if ticket.closed]:
            del self._dated[txid]
        return [ticket for ticket in self._dated.values() if (ticket.draft.expire_ms or now_ms) <= now_ms]

    def order(self, ticket: Ticket) -> Order:
        """The engine's order that carries a ticket.

        Raises:
            ApiError: EOrder:Unknown order, where reads lag and there was none yet.
        """
        draft = ticket.draft
        for part in reversed(ticket.parts):
            try:
                return self._exchange.order(draft.account, draft.symbol, OrderRef(part))
            except EngineReject as reject:
                if not past.lag_ms():
                    raise errors.of(reject) from reject
        raise errors.ApiError(errors.UNKNOWN_ORDER)

    def fills(self, ticket: Ticket) -> list[Fill]:
        """Executions of a ticket, oldest first."""
        draft = ticket.draft
        return [
            fill
            for part in ticket.parts
            for fill in self._exchange.fills(draft.account, draft.symbol, order_id=part, limit=ALL_ROWS)
        ]

    def view(self, ticket: Ticket) -> View:
        """A ticket with its figures."""
        order, fills = self.order(ticket), self.fills(ticket)
        status = "expired" if ticket.expired and not order.is_open else _STATUSES[order.status]
        if status == "canceled" and fills and order.kind is OrderKind.MARKET:
            status = "closed"
        return View(
            ticket=ticket,
            status=status,
            filled=sum((fill.amount for fill in fills), ZERO),
            cost=sum((fill.quote for fill in fills), ZERO),
            fee=sum((fee_in_quote(fill) for fill in fills), ZERO),
            fills=fills,
            order=order,
        )


def fee_in_quote(fill: Fill) -> Decimal:
    """What a commission is worth in the quote asset, in which REST states all fees."""
    in_quote = fill.symbol.endswith(f"/{fill.commission_asset}")
    return fill.commission if in_quote else fill.commission * fill.price


def _flags_of(order: Order) -> tuple[str, ...]:
    in_base = order.fee_asset is FeeAsset.BASE or (order.fee_asset is FeeAsset.RECEIVED and order.side is Side.BUY)
    said = {"post": order.post_only, "viqc": order.quote_amount is not None, "fcib": in_base}
    return tuple(word for word, holds in said.items() if holds)


def _draft_of(order: Order) -> Draft:
    """What an order says that did not come through this wire: a seeded one, or one of the venue's own activity."""
    return Draft(
        account=order.account,
        symbol=order.symbol,
        side=order.side,
        ordertype=_TYPES[order.kind],
        volume=order.quote_amount if order.quote_amount is not None else order.amount,
        price=order.stop_price if order.stop_price is not None else order.price,
        price2=order.price if order.stop_price is not None else None,
        oflags=_flags_of(order),
        tif=order.tif,
    )
