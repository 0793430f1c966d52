"""Turns a `NewOrder` into an order the matcher can take, or refuses it. Changes nothing.

Checked here: fields that belong together, whole ticks and lots, the symbol's bounds on price and amount, client ids,
counts of open orders, post-only and stop conditions, funds. Filters that depend on averages (notional, price bands)
belong to the wire, which words them in its venue's own way.
"""

from __future__ import annotations

from decimal import Decimal
from itertools import count

from planar.venue.engine.accounts import Account, OrderLog
from planar.venue.engine.enums import MarketStatus, OrderKind, Side, TimeInForce
from planar.venue.engine.market import Market
from planar.venue.engine.noise import Stream
from planar.venue.engine.orders import LIMIT_KINDS, STOP_KINDS, LiveOrder
from planar.venue.engine.reach import reach
from planar.venue.engine.rejects import EngineReject, RejectReason
from planar.venue.engine.stops import is_due
from planar.venue.engine.types import NewOrder
from planar.venue.engine.units import to_decimal, to_units


class Intake:
    """Checks new orders."""

    def __init__(self, seed: int) -> None:
        self._client_ids = (Stream(seed, "client id", n).text(22) for n in count())

    def make_client_id(self) -> str:
        """A client id for an order that came without one."""
        return next(self._client_ids)

    def check(self, new: NewOrder, account: Account, market: Market) -> LiveOrder:
        """The order, ready to be matched, without ids. Raises EngineReject."""
        if market.status is not MarketStatus.TRADING:
            raise EngineReject(RejectReason.MARKET_HALTED, f"{market.symbol} is halted")
        _check_combination(new)
        order = LiveOrder(
            market=market,
            account=account,
            is_buy=new.side is Side.BUY,
            kind=new.kind,
            tif=new.tif,
            mode=new.self_trade_mode or market.spec.default_self_trade_mode,
            post_only=new.post_only,
        )
        if order.mode not in market.spec.self_trade_modes:
            message = f"self_trade_mode = {order.mode} is not allowed on {market.symbol}"
            raise EngineReject(RejectReason.INVALID_COMBINATION, message)
        if new.price is not None:
            order.price = price_in_ticks(market, new.price, "price", RejectReason.INVALID_PRICE)
        if new.stop_price is not None:
            order.stop = price_in_ticks(market, new.stop_price, "stop_price", RejectReason.INVALID_STOP_PRICE)
        if new.amount is not None:
            largest = market.spec.market_max_amount if new.kind is OrderKind.MARKET else market.spec.max_amount
            order.lots = amount_in_lots(market, new.amount, largest)
        if new.quote_amount is not None:
            order.quote_wanted = _quote_units(new.quote_amount)
        if new.iceberg_amount is not None:
            order.iceberg = _iceberg_lots(market, new.iceberg_amount, order.lots)
        _check_records(order, new.client_id, account.log(market.symbol))
        _check_market(order)
        _check_funds(order)
        return order


def price_in_ticks(market: Market, price: Decimal, field: str, reason: RejectReason) -> int:
    """A price as ticks. Raises EngineReject with the reason given."""
    spec = market.spec
    units = to_units(price)
    if units is None or units <= 0 or units % market.tick_units:
        raise EngineReject(reason, f"{field} = {price} is not a positive multiple of the tick {spec.tick}")
    if not spec.min_price <= price <= spec.max_price:
        raise EngineReject(reason, f"{field} = {price} is not within {spec.min_price} and {spec.max_price}")
    return units // market.tick_units


def amount_in_lots(market: Market, amount: Decimal, largest: Decimal) -> int:
    """An amount as lots. Raises EngineReject INVALID_AMOUNT."""
    spec = market.spec
    units = to_units(amount)
    if units is None or units <= 0 or units % market.lot_units:
        message = f"amount = {amount} is not a positive multiple of the lot {spec.lot}"
        raise EngineReject(RejectReason.INVALID_AMOUNT, message)
    if not spec.min_amount <= amount <= largest:
        message = f"amount = {amount} is not within {spec.min_amount} and {largest}"
        raise EngineReject(RejectReason.INVALID_AMOUNT, message)
    return units // market.lot_units


def _quote_units(amount: Decimal) -> int:
    units = to_units(amount)
    if units is None or units <= 0:
        message = f"quote_amount = {amount} is not a positive number of at most 8 decimal places"
        raise EngineReject(RejectReason.INVALID_AMOUNT, message)
    return units


def _iceberg_lots(market: Market, amount: Decimal, lots: int) -> int:
    units = to_units(amount)
    if units is None or units <= 0 or units % market.lot_units:
        message = f"iceberg_amount = {amount} is not a positive multiple of the lot {market.spec.lot}"
        raise EngineReject(RejectReason.INVALID_ICEBERG, message)
    shown = units // market.lot_units
    if shown > lots or -(-lots // shown) > market.spec.max_iceberg_parts:
        message = f"iceberg_amount = {amount} makes more than {market.spec.max_iceberg_parts} parts, or less than one"
        raise EngineReject(RejectReason.INVALID_ICEBERG, message)
    return shown


def _check_combination(new: NewOrder) -> None:
    has_limit = new.kind in LIMIT_KINDS
    faults = [
        ((new.price is None) == has_limit) and "price",
        ((new.stop_price is None) == (new.kind in STOP_KINDS)) and "stop_price",
        ((new.amount is None) == (new.quote_amount is None)) and "amount or quote_amount, exactly one",
        (new.quote_amount is not None and new.kind is not OrderKind.MARKET) and "quote_amount",
        (new.tif is not TimeInForce.GTC and not has_limit) and "tif",
        (new.post_only and (new.kind is not OrderKind.LIMIT or new.tif is not TimeInForce.GTC)) and "post_only",
        (new.iceberg_amount is not None and (not has_limit or new.tif is not TimeInForce.GTC)) and "iceberg_amount",
    ]
    wrong = [fault for fault in faults if fault]
    if wrong:
        message = f"{new.kind} order with tif {new.tif}: wrong or missing {', '.join(map(str, wrong))}"
        raise EngineReject(RejectReason.INVALID_COMBINATION, message)


def _check_records(order: LiveOrder, client_id: str | None, log: OrderLog) -> None:
    spec = order.market.spec
    if client_id is not None and log.has_open(client_id):
        message = f"client_id = {client_id!r} belongs to an open order of {spec.symbol}"
        raise EngineReject(RejectReason.DUPLICATE_CLIENT_ID, message)
    if len(log.open) >= spec.max_open_orders:
        message = f"{len(log.open)} orders are open in {spec.symbol}; {spec.max_open_orders} may be"
        raise EngineReject(RejectReason.TOO_MANY_OPEN_ORDERS, message)
    if order.stop and sum(other.is_waiting for other in log.open.values()) >= spec.max_stop_orders:
        message = f"{spec.max_stop_orders} stop orders wait in {spec.symbol}; no more may"
        raise EngineReject(RejectReason.TOO_MANY_STOP_ORDERS, message)


def _check_market(order: LiveOrder) -> None:
    """Conditions that the present market decides."""
    market = order.market
    if order.stop and market.last is not None and is_due(order, market.last):
        raise EngineReject(RejectReason.WOULD_TRIGGER, "the last trade price already meets stop_price")
    if order.post_only:
        best = market.book.opposite(order).best()
        if best is not None and order.accepts(best.price):
            raise EngineReject(RejectReason.WOULD_TAKE, "a post-only order would trade at once")


def _check_funds(order: LiveOrder) -> None:
    """An order needs what it could cost at its limit or stop price; a market order what the present book asks.

    A quote-sized buy needs the whole of its quote amount (Binance: refused if it could not be filled completely).
    """
    if order.price or order.stop:
        needed = order.hold_for(order.lots)
    elif order.is_buy:
        needed = order.quote_wanted or reach(order).quote
    else:
        needed = (order.lots or reach(order).lots) * order.market.lot_units
    free = order.account.free(order.pays)
    if needed > free:
        message = f"the order needs {to_decimal(needed):f} {order.pays}, {to_decimal(free):f} are free"
        raise EngineReject(RejectReason.INSUFFICIENT_BALANCE, message)
