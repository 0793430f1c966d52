"""The matching engine: price-time priority, self-trade prevention, times in force, stops, pending orders.

It works on checked orders (`intake` makes them) and changes books, records, locks and ledger together.
Rules are those of the Binance spot documentation: a market order expires what finds no liquidity, a quote-sized one
fills whole lots and is complete when the rest of its budget buys no further lot, the taker's self-trade mode decides.
Orders that hang together are the business of `planar.venue.engine.linked`, which fills the hooks left for it here.
"""

from __future__ import annotations

from collections import deque

from planar.venue.engine.book import PriceLevel
from planar.venue.engine.enums import EventKind, OrderStatus, SelfTradeMode, TimeInForce
from planar.venue.engine.events import AggTradePrint, OrderEvent, TradePrint
from planar.venue.engine.feasibility import check_funds, check_market
from planar.venue.engine.ledger import Ledger
from planar.venue.engine.market import Market
from planar.venue.engine.orders import LIMIT_KINDS, LiveOrder
from planar.venue.engine.outbox import Outbox
from planar.venue.engine.reach import reach
from planar.venue.engine.rejects import EngineReject
from planar.venue.engine.settlement import Settlement
from planar.venue.engine.types import PreventedMatch
from planar.venue.engine.units import to_decimal


class Matcher(Settlement):
    """Carries orders through their life."""

    __slots__ = ("_released",)

    def __init__(self, ledger: Ledger, outbox: Outbox) -> None:
        super().__init__(ledger, outbox)
        self._released: deque[tuple[LiveOrder, ...]] = deque()
        """Pending orders whose turn has come."""

    # -- the life of an order -----------------------------------------------------------------------------------

    def accept(self, order: LiveOrder, now: int) -> None:
        """Takes in a checked order and does all that follows from it."""
        self._enter(order, now)
        self._begin(order, now, EventKind.NEW)
        if self._released or order.market.stops:
            self.follow_up(order.market, now)

    def accept_pending(self, order: LiveOrder, now: int) -> None:
        """Takes in a checked order that will begin when it is released; until then it holds nothing."""
        order.status = OrderStatus.PENDING_NEW
        self._enter(order, now)
        self._tell(EventKind.NEW, order, now)

    def release(self, order: LiveOrder, now: int) -> None:
        """Lets a pending order begin, and does all that follows from it."""
        self._start((order,), now)
        self.follow_up(order.market, now)

    def follow_up(self, market: Market, now: int) -> None:
        """Works off pending orders that were released and stops that were triggered, until there are no more."""
        while True:
            if self._released:
                self._start(self._released.popleft(), now)
            elif (order := market.stops.pop_due()) is not None:
                self._set_off(order, now)
            else:
                return

    def cancel(self, order: LiveOrder, now: int, request_id: str | None = None) -> None:
        """Cancels an order; one that has ended stays as it is."""
        if order.is_open:
            self._withdraw(order, now)
            self._end(order, OrderStatus.CANCELED, EventKind.CANCELED, now, request_id)

    def _enter(self, order: LiveOrder, now: int) -> None:
        """Numbers an order and records it."""
        market = order.market
        market.number(order)
        order.created_ms = order.updated_ms = now
        if not order.account.is_market:
            order.account.log(market.symbol).add(order)

    def _begin(self, order: LiveOrder, now: int, kind: EventKind) -> None:
        """Lets an order wait for its trigger, or work."""
        if order.is_waiting:
            self._lock(order, order.expected_hold())
            order.market.stops.add(order, order.market.last, now)
            self._tell(kind, order, now)
            return
        order.working_ms = now
        self._tell(kind, order, now)
        self._work(order, now)

    def _start(self, orders: tuple[LiveOrder, ...], now: int) -> None:
        """Begins pending orders, or rejects them if they cannot begin now."""
        for order in orders:
            order.status = OrderStatus.NEW
            order.updated_ms = now
            try:
                check_market(order)
                check_funds(order)
            except EngineReject as reject:
                self._reject(order, reject, now)
            else:
                self._begin(order, now, EventKind.RELEASED)

    def _reject(self, order: LiveOrder, reject: EngineReject, now: int) -> None:
        order.refusal = reject.reason.value
        self._end(order, OrderStatus.REJECTED, EventKind.REJECTED, now)

    def _withdraw(self, order: LiveOrder, now: int) -> None:
        """Takes an open order from where it is."""
        if order.is_pending:
            return
        if order.is_waiting:
            order.market.stops.remove(order)
        else:
            level = order.market.book.own(order).remove(order)
            self._tell_level(order.market, order.is_buy, level, now)

    def shrink(self, order: LiveOrder, lots: int, client_id: str, now: int) -> None:
        """Lowers the amount of an open order to `lots`, which is more than it has filled; its place stays."""
        previous = order.client_id
        order.account.log(order.market.symbol).rename(order, client_id)
        if not (order.is_waiting or order.is_pending):
            shown = min(order.shown, lots - order.filled)
            level = order.market.book.own(order).levels[order.price]
            level.shown -= order.shown - shown
            changed = shown != order.shown
            order.shown = shown
            if changed:
                self._tell_level(order.market, order.is_buy, level, now)
        order.lots = lots
        order.updated_ms = now
        self._adjust(order)
        if self._outbox.active:
            event = OrderEvent(EventKind.REPLACED, order.snapshot(), now, previous_client_id=previous)
            self._outbox.add(event)
        if order.link is not None:
            self._on_renamed(order, now)

    def _adjust(self, order: LiveOrder) -> None:
        """Makes what is locked for an order what should be."""
        surplus = order.held - order.expected_hold()
        if surplus > 0:
            self._unlock(order, surplus)
        elif surplus < 0:
            self._lock(order, -surplus)

    def resize(self, order: LiveOrder, lots: int, now: int) -> None:
        """Makes what is left of a resting order of the market model so large; its place stays. At least one lot."""
        level = order.market.book.own(order).levels[order.price]
        level.shown += lots - order.shown
        order.lots += lots - order.shown
        order.shown = lots
        order.updated_ms = now
        self._tell_level(order.market, order.is_buy, level, now)

    def _work(self, order: LiveOrder, now: int) -> None:
        """Matches an order, then lets the rest rest or expire."""
        if order.tif is not TimeInForce.FOK or reach(order).lots == order.lots:
            self._take(order, now)
        if not order.is_open:
            return
        if order.tif is not TimeInForce.GTC or order.kind not in LIMIT_KINDS:
            self._end(order, OrderStatus.EXPIRED, EventKind.EXPIRED, now)
            return
        rest = order.remaining
        order.shown = min(rest, order.iceberg) if order.iceberg else rest
        if not order.account.is_market:
            self._lock(order, order.expected_hold())
        level = order.market.book.own(order).add(order)
        self._tell_level(order.market, order.is_buy, level, now)

    def _set_off(self, order: LiveOrder, now: int) -> None:
        """Lets a triggered stop work."""
        self._unlock(order, order.held)
        order.triggered_ms = order.working_ms = order.updated_ms = now
        if order.link is not None:
            self._on_set_off(order, now)
        if order.trail is not None and not order.price and order.kind in LIMIT_KINDS:
            order.price = order.trail.limit(order.trail.trigger)
        if order.is_buy and not order.price:
            order.budget = order.account.free(order.pays)
        self._tell(EventKind.TRIGGERED, order, now)
        self._work(order, now)

    def _end(
        self, order: LiveOrder, status: OrderStatus, kind: EventKind, now: int, request_id: str | None = None
    ) -> None:
        """Ends an order that is in no book and waits nowhere."""
        order.status = status
        order.updated_ms = now
        if order.account.is_market:
            return
        del order.account.log(order.market.symbol).open[order.id]
        if order.held:
            self._unlock(order, order.held)
        if self._outbox.active:
            self._outbox.add(OrderEvent(kind, order.snapshot(), now, request_id=request_id))
        if order.link is not None:
            self._on_ended(order, now, request_id)

    # -- matching -----------------------------------------------------------------------------------------------

    def _take(self, taker: LiveOrder, now: int) -> None:
        """Trades with the opposite side, level by level, as far as the taker goes."""
        side = taker.market.book.opposite(taker)
        while taker.is_open:
            level = side.best()
            if level is None or not taker.accepts(level.price) or not self._take_level(taker, level, now):
                return

    def _take_level(self, taker: LiveOrder, level: PriceLevel, now: int) -> bool:
        """Trades at one price. Returns False if the taker cannot pay for a lot there."""
        market = taker.market
        value_of_lot = level.price * market.lot_value
        first_id = market.next_trade_id
        shown = level.shown
        affordable = True
        while level.orders and taker.is_open and affordable:
            maker = level.first()
            wanted = taker.wanted(value_of_lot)
            if not wanted:
                affordable = False
            elif maker.account is taker.account and taker.mode is not SelfTradeMode.NONE:
                self._prevent(taker, maker, level, wanted, now)
            else:
                self._execute(taker, maker, level, min(wanted, maker.shown), now)
        if level.shown != shown:
            self._tell_level(market, not taker.is_buy, level, now)
        if market.next_trade_id != first_id:
            if market.stops:
                market.stops.observe(level.price, now)
            market.data.end_group()
            if self._outbox.active:
                self._outbox.add(AggTradePrint(market.data.newest_agg_trade()))
        return affordable

    def _execute(self, taker: LiveOrder, maker: LiveOrder, level: PriceLevel, lots: int, now: int) -> None:
        """One trade."""
        market = taker.market
        value_of_lot = level.price * market.lot_value
        quote = lots * value_of_lot
        if maker.link is not None:
            self._on_execution(maker, now)
        if maker.held:
            self._unlock(maker, maker.hold_for(lots))
        for order in (maker, taker):
            order.filled += lots
            order.quote_filled += quote
            order.updated_ms = now
        market.book.opposite(taker).take(level, maker, lots)
        maker_done = maker.filled == maker.lots
        taker_done = taker.filled == taker.lots
        if taker.quote_wanted:
            taker_done = taker.quote_wanted - taker.quote_filled < value_of_lot
        self._settle_status(maker, maker_done)
        self._settle_status(taker, taker_done)
        trade_id = market.next_trade_id
        market.next_trade_id = trade_id + 1
        market.last = level.price
        market.data.record(now, level.price, lots, taker.is_buy)
        self.book_trade(maker, taker, trade_id, level.price, lots, now)
        if self._outbox.active:
            buyer, seller = (taker, maker) if taker.is_buy else (maker, taker)
            self._outbox.add(TradePrint(market.data.newest_trade(), buyer.id, seller.id))
        if maker_done and maker.link is not None:
            self._on_ended(maker, now)
        if taker_done and taker.link is not None:
            self._on_ended(taker, now)

    def _settle_status(self, order: LiveOrder, done: bool) -> None:
        order.status = OrderStatus.FILLED if done else OrderStatus.PARTIALLY_FILLED
        if done and not order.account.is_market:
            del order.account.log(order.market.symbol).open[order.id]

    def _prevent(self, taker: LiveOrder, maker: LiveOrder, level: PriceLevel, wanted: int, now: int) -> None:
        """Expires one or both of two orders of the same account instead of letting them trade."""
        market = taker.market
        match_id = market.take_prevented_id()
        mode = taker.mode
        ends_maker = mode is not SelfTradeMode.EXPIRE_TAKER
        ends_taker = mode is not SelfTradeMode.EXPIRE_MAKER
        lost_maker = maker.remaining if ends_maker else 0
        record = PreventedMatch(
            id=match_id,
            account=taker.account.name,
            symbol=market.symbol,
            taker_order_id=taker.id,
            maker_order_id=maker.id,
            mode=mode,
            price=to_decimal(level.price * market.tick_units),
            taker_prevented=to_decimal(wanted * market.lot_units) if ends_taker else None,
            maker_prevented=to_decimal(lost_maker * market.lot_units) if ends_maker else None,
            ts_ms=now,
        )
        taker.account.log(market.symbol).prevented.append(record)
        if ends_maker:
            market.book.own(maker).remove(maker)
            self._expire_in_match(maker, record, lost_maker, now)
        if ends_taker:
            self._expire_in_match(taker, record, wanted, now)

    def _expire_in_match(self, order: LiveOrder, record: PreventedMatch, lots: int, now: int) -> None:
        order.prevented_id = record.id
        order.prevented_lots = lots
        order.status = OrderStatus.EXPIRED_IN_MATCH
        order.updated_ms = now
        del order.account.log(order.market.symbol).open[order.id]
        if order.held:
            self._unlock(order, order.held)
        if self._outbox.active:
            event = OrderEvent(EventKind.TRADE_PREVENTION, order.snapshot(), now, prevented=record)
            self._outbox.add(event)
        if order.link is not None:
            self._on_ended(order, now)

    # -- hooks for orders of a list -----------------------------------------------------------------------------

    def _on_set_off(self, order: LiveOrder, now: int) -> None:
        """A stop of a list was triggered and is about to work."""
        raise NotImplementedError

    def _on_execution(self, order: LiveOrder, now: int) -> None:
        """A resting order of a list is about to trade."""
        raise NotImplementedError

    def _on_ended(self, order: LiveOrder, now: int, request_id: str | None = None) -> None:
        """An order of a list was filled or ended; `request_id` is that of the cancel, if one asked for it."""
        raise NotImplementedError

    def _on_renamed(self, order: LiveOrder, now: int) -> None:
        """An order of a list got another amount and client id."""
        raise NotImplementedError
