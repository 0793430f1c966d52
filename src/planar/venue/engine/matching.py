"""The matching engine: price-time priority, self-trade prevention, times in force, stops, settlement.

It works on checked orders (`intake` makes them) and changes books, records, locks and ledger together.
Rules are those of the Binance spot documentation: a market order expires what finds no liquidity, a quote-sized one
fills whole lots and is complete when the rest of its budget buys no further lot, commission comes out of what is
received, the taker's self-trade mode decides.
"""

from __future__ import annotations

from planar.venue.engine.book import PriceLevel
from planar.venue.engine.enums import EventKind, OrderStatus, SelfTradeMode, Side, TimeInForce
from planar.venue.engine.events import AggTradePrint, BookChange, OrderEvent, TradePrint
from planar.venue.engine.ledger import FEES, EntryKind, Ledger, Move
from planar.venue.engine.market import Market
from planar.venue.engine.orders import LIMIT_KINDS, LiveOrder
from planar.venue.engine.outbox import Outbox
from planar.venue.engine.reach import reach
from planar.venue.engine.types import Fill, PreventedMatch
from planar.venue.engine.units import rate_of, to_decimal


class Matcher:
    """Carries orders through their life."""

    __slots__ = ("_ledger", "_outbox")

    def __init__(self, ledger: Ledger, outbox: Outbox) -> None:
        self._ledger = ledger
        self._outbox = outbox

    # -- the life of an order -----------------------------------------------------------------------------------

    def accept(self, order: LiveOrder, now: int) -> None:
        """Takes in a checked order and does all that follows from it."""
        market = order.market
        market.number(order)
        order.created_ms = order.updated_ms = now
        if not order.is_waiting:
            order.working_ms = now
        if not order.account.is_market:
            order.account.log(market.symbol).add(order)
        self._tell(EventKind.NEW, order, now)
        if order.is_waiting:
            self._lock(order, order.hold_for(order.lots))
            market.stops.add(order)
            return
        self._work(order, now)
        if market.stops:
            self._trigger(market, now)

    def cancel(self, order: LiveOrder, now: int, request_id: str | None = None) -> None:
        """Cancels an open order."""
        if order.is_waiting:
            order.market.stops.remove(order)
        else:
            self._leave_book(order, now)
        self._end(order, OrderStatus.CANCELED, EventKind.CANCELED, now, request_id)

    def shrink(self, order: LiveOrder, lots: int, client_id: str, now: int) -> None:
        """Lowers the amount of an open order to `lots`, which is more than it has filled; its place stays."""
        previous = order.client_id
        order.account.log(order.market.symbol).rename(order, client_id)
        if not order.is_waiting:
            shown = min(order.shown, lots - order.filled)
            level = order.market.book.own(order).levels[order.price]
            level.shown -= order.shown - shown
            changed = shown != order.shown
            order.shown = shown
            if changed:
                self._tell_level(order.market, order.is_buy, level, now)
        self._unlock(order, order.hold_for(order.lots - lots))
        order.lots = lots
        order.updated_ms = now
        if self._outbox.active:
            event = OrderEvent(EventKind.REPLACED, order.snapshot(), now, previous_client_id=previous)
            self._outbox.add(event)

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
            self._lock(order, order.hold_for(rest))
        level = order.market.book.own(order).add(order)
        self._tell_level(order.market, order.is_buy, level, now)

    def _trigger(self, market: Market, now: int) -> None:
        """Works off stops until the last price triggers no more; each triggers once."""
        while market.last is not None and (order := market.stops.pop_due(market.last)) is not None:
            self._unlock(order, order.held)
            order.triggered_ms = order.working_ms = order.updated_ms = now
            if order.is_buy and not order.price:
                order.budget = order.account.free(market.quote)
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

    def _leave_book(self, order: LiveOrder, now: int) -> None:
        level = order.market.book.own(order).remove(order)
        self._tell_level(order.market, order.is_buy, level, now)

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
            market.data.end_group()
            if self._outbox.active:
                self._outbox.add(AggTradePrint(market.data.newest_agg_trade()))
        return affordable

    def _execute(self, taker: LiveOrder, maker: LiveOrder, level: PriceLevel, lots: int, now: int) -> None:
        """One trade."""
        market = taker.market
        value_of_lot = level.price * market.lot_value
        quote = lots * value_of_lot
        if maker.held:
            self._unlock(maker, maker.hold_for(lots))
        for order in (maker, taker):
            order.filled += lots
            order.quote_filled += quote
            order.updated_ms = now
        market.book.opposite(taker).take(level, maker, lots)
        self._settle_status(maker, maker.filled == maker.lots)
        spent = taker.quote_wanted > 0 and taker.quote_wanted - taker.quote_filled < value_of_lot
        self._settle_status(taker, spent or taker.filled == taker.lots)
        trade_id = market.next_trade_id
        market.next_trade_id = trade_id + 1
        market.last = level.price
        market.data.record(now, level.price, lots, taker.is_buy)
        self.book_trade(maker, taker, trade_id, level.price, lots, now)
        if self._outbox.active:
            buyer, seller = (taker, maker) if taker.is_buy else (maker, taker)
            self._outbox.add(TradePrint(market.data.newest_trade(), buyer.id, seller.id))

    def book_trade(self, maker: LiveOrder, taker: LiveOrder, trade_id: int, price: int, lots: int, now: int) -> None:
        """Settles one trade in the ledger and records it for its users. The orders' own numbers already include it."""
        if maker.account.is_market and taker.account.is_market:
            return
        market = taker.market
        base, quote = lots * market.lot_units, lots * price * market.lot_value
        buyer, seller = (taker, maker) if taker.is_buy else (maker, taker)
        fees = (self._fee(buyer, taker, base), self._fee(seller, taker, quote))
        self._settle(buyer, seller, base, quote, fees, f"{market.symbol} trade {trade_id}", now)
        for order in (maker, taker):
            if not order.account.is_market:
                fee = fees[0] if order.is_buy else fees[1]
                self._record_fill(order, taker, trade_id, price, lots, fee, now)

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

    # -- money --------------------------------------------------------------------------------------------------

    def _fee(self, order: LiveOrder, taker: LiveOrder, received: int) -> int:
        """Commission in the asset received."""
        if order.account.is_market:
            return 0
        return rate_of(received, order.market.taker_rate if order is taker else order.market.maker_rate)

    def _settle(
        self,
        buyer: LiveOrder,
        seller: LiveOrder,
        base: int,
        quote: int,
        fees: tuple[int, int],
        reference: str,
        now: int,
    ) -> None:
        """Books a trade in which at least one side is a user. `fees` are those of the buyer and the seller."""
        market = buyer.market
        moves: list[Move] = [
            (buyer.account.name, market.base, base - fees[0]),
            (buyer.account.name, market.quote, -quote),
            (seller.account.name, market.base, -base),
            (seller.account.name, market.quote, quote - fees[1]),
        ]
        if fees[0]:
            moves.append((FEES, market.base, fees[0]))
        if fees[1]:
            moves.append((FEES, market.quote, fees[1]))
        if buyer.account.is_market:
            self._ledger.refill(now, market.quote, quote)
        elif seller.account.is_market:
            self._ledger.refill(now, market.base, base)
        self._ledger.post(now, EntryKind.TRADE, reference, tuple(moves))
        for order in (buyer, seller):
            self._outbox.touch(order.account, market.base)
            self._outbox.touch(order.account, market.quote)

    def _record_fill(
        self, order: LiveOrder, taker: LiveOrder, trade_id: int, price: int, lots: int, fee: int, now: int
    ) -> None:
        market = order.market
        fill = Fill(
            trade_id=trade_id,
            order_id=order.id,
            client_id=order.client_id,
            account=order.account.name,
            symbol=market.symbol,
            side=Side.BUY if order.is_buy else Side.SELL,
            price=to_decimal(price * market.tick_units),
            amount=to_decimal(lots * market.lot_units),
            quote=to_decimal(lots * price * market.lot_value),
            commission=to_decimal(fee),
            commission_asset=market.base if order.is_buy else market.quote,
            is_maker=order is not taker,
            ts_ms=now,
        )
        order.account.log(market.symbol).fills.append(fill)
        if self._outbox.active:
            self._outbox.add(OrderEvent(EventKind.TRADE, order.snapshot(), now, fill=fill))

    def _lock(self, order: LiveOrder, units: int) -> None:
        order.account.lock(order, units)
        self._outbox.touch(order.account, order.pays)

    def _unlock(self, order: LiveOrder, units: int) -> None:
        order.account.unlock(order, units)
        self._outbox.touch(order.account, order.pays)

    # -- telling ------------------------------------------------------------------------------------------------

    def _tell(self, kind: EventKind, order: LiveOrder, now: int) -> None:
        if self._outbox.active and not order.account.is_market:
            self._outbox.add(OrderEvent(kind, order.snapshot(), now))

    def _tell_level(self, market: Market, bids: bool, level: PriceLevel, now: int) -> None:
        """Counts a change of the book, and tells of it."""
        market.update_id += 1
        if self._outbox.active:
            price = to_decimal(level.price * market.tick_units)
            amount = to_decimal(level.shown * market.lot_units)
            side = Side.BUY if bids else Side.SELL
            self._outbox.add(BookChange(market.symbol, market.update_id, side, price, amount, now))
