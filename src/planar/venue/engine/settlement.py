"""Money and messages of the matching engine: trades in the ledger, locks, fills, and what subscribers are told.

Commission comes out of what a fill brings in, or of one asset of the market always, as the order says.
"""

from __future__ import annotations

from planar.venue.engine.book import PriceLevel
from planar.venue.engine.enums import EventKind, Side
from planar.venue.engine.events import BookChange, OrderEvent
from planar.venue.engine.ledger import FEES, EntryKind, Ledger, Move
from planar.venue.engine.market import Market
from planar.venue.engine.orders import LiveOrder
from planar.venue.engine.outbox import Outbox
from planar.venue.engine.types import Fill
from planar.venue.engine.units import rate_of, to_decimal


class Settlement:
    """Books what the matcher decides."""

    __slots__ = ("_ledger", "_outbox")

    def __init__(self, ledger: Ledger, outbox: Outbox) -> None:
        self._ledger = ledger
        self._outbox = outbox

    def book_trade(self, maker: LiveOrder, taker: LiveOrder, trade_id: int, price: int, lots: int, now: int) -> None:
        """Settles one trade in the ledger and records it for its users. The orders' own numbers already include it."""
        if maker.account.is_market and taker.account.is_market:
            return
        market = taker.market
        base, quote = lots * market.lot_units, lots * price * market.lot_value
        buyer, seller = (taker, maker) if taker.is_buy else (maker, taker)
        fees = (_fee(buyer, taker, base, quote), _fee(seller, taker, base, quote))
        self._settle(buyer, seller, base, quote, fees, f"{market.symbol} trade {trade_id}", now)
        for order in (maker, taker):
            if not order.account.is_market:
                fee = fees[0] if order.is_buy else fees[1]
                if order.budget is not None:
                    fee_on_top = fee if order.pays_fee_in_base != order.is_buy else 0
                    order.budget -= (quote if order.is_buy else base) + fee_on_top
                self._record_fill(order, taker, trade_id, price, lots, fee, now)

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
        moves: list[Move] = []
        for order, sign, fee in ((buyer, 1, fees[0]), (seller, -1, fees[1])):
            name, in_base = order.account.name, order.pays_fee_in_base
            moves.append((name, market.base, sign * base - (fee if in_base else 0)))
            moves.append((name, market.quote, -sign * quote - (0 if in_base else fee)))
            if fee:
                moves.append((FEES, market.base if in_base else market.quote, fee))
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
            commission_asset=market.base if order.pays_fee_in_base else market.quote,
            is_maker=order is not taker,
            ts_ms=now,
            list_id=None if order.link is None else order.link.id,
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


def _fee(order: LiveOrder, taker: LiveOrder, base: int, quote: int) -> int:
    """Commission, in the asset in which the order pays it."""
    if order.account.is_market:
        return 0
    market = order.market
    return rate_of(
        base if order.pays_fee_in_base else quote, market.taker_rate if order is taker else market.maker_rate
    )
