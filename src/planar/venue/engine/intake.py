"""Turns a `NewOrder` into an order the matcher can take, or refuses it. Changes nothing.

Checked here: fields that belong together, whole ticks and lots, the symbol's bounds on price and amount, client ids,
counts of open orders, post-only and stop conditions, funds. Filters that depend on averages (notional, price bands)
belong to the wire, which words them in its venue's own way.
"""

from __future__ import annotations

from decimal import Decimal
from itertools import count

from planar.venue.engine.accounts import Account, OrderLog
from planar.venue.engine.admission import admit
from planar.venue.engine.enums import FeeAsset, OrderKind, Side, TimeInForce
from planar.venue.engine.feasibility import check_funds, check_market
from planar.venue.engine.market import Market
from planar.venue.engine.noise import Stream
from planar.venue.engine.orders import LIMIT_KINDS, STOP_KINDS, LiveOrder
from planar.venue.engine.rejects import EngineReject, RejectReason
from planar.venue.engine.trailing import Trail
from planar.venue.engine.types import NewOrder, Trailing
from planar.venue.engine.units import to_units


class Intake:
    """Checks new orders."""

    def __init__(self, seed: int) -> None:
        self._client_ids = (Stream(seed, "client id", n).text(22) for n in count())

    def make_client_id(self) -> str:
        """A client id for an order that came without one."""
        return next(self._client_ids)

    def check(self, new: NewOrder, account: Account, market: Market) -> LiveOrder:
        """The order, ready to be matched, without ids. Raises EngineReject."""
        order = self.draft(new, account, market)
        check_records(order.market, account.log(market.symbol), [(new, order)])
        check_market(order)
        check_funds(order)
        return order

    def check_pending(self, new: NewOrder, account: Account, market: Market) -> LiveOrder:
        """The order, to begin later: what market and funds allow is seen only then. Raises EngineReject."""
        order = self.draft(new, account, market)
        check_records(order.market, account.log(market.symbol), [(new, order)])
        return order

    def draft(self, new: NewOrder, account: Account, market: Market) -> LiveOrder:
        """The order, as far as it can be checked for itself. Raises EngineReject."""
        admit(new, market)
        _check_combination(new)
        order = LiveOrder(
            market=market,
            account=account,
            is_buy=new.side is Side.BUY,
            kind=new.kind,
            tif=new.tif,
            mode=new.self_trade_mode or market.spec.default_self_trade_mode,
            post_only=new.post_only,
            fee_asset=new.fee_asset,
        )
        if new.fee_asset is not FeeAsset.RECEIVED and order.pays_fee_in_base is not order.is_buy:
            order.hold_rate = max(market.maker_rate, market.taker_rate)
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
        if new.trailing is not None:
            order.trail = _trail(new.trailing, market, order.is_buy)
        return order


def price_in_ticks(market: Market, price: Decimal, field: str, reason: RejectReason) -> int:
    """A price as ticks. Raises EngineReject with the reason given."""
    spec = market.spec
    units = to_units(price)
    if units is None or units <= 0 or units % (market.tick_units * market.tick_step):
        raise EngineReject(reason, f"{field} = {price} is not a positive multiple of the tick {spec.tick}")
    if not spec.min_price <= price <= spec.max_price:
        raise EngineReject(reason, f"{field} = {price} is not within {spec.min_price} and {spec.max_price}")
    return units // market.tick_units


def amount_in_lots(market: Market, amount: Decimal, largest: Decimal) -> int:
    """An amount as lots. Raises EngineReject INVALID_AMOUNT."""
    spec = market.spec
    units = to_units(amount)
    if units is None or units <= 0 or units % (market.lot_units * market.lot_step):
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
    has_limit, is_stop, trailing = new.kind in LIMIT_KINDS, new.kind in STOP_KINDS, new.trailing
    limit_follows = trailing is not None and trailing.has_limit
    faults = [
        ((new.price is None) == (has_limit and not limit_follows)) and "price",
        (not is_stop if new.stop_price is not None else is_stop and trailing is None) and "stop_price",
        (trailing is not None and not is_stop) and "trailing",
        (limit_follows and not has_limit) and "trailing limit",
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


def check_records(market: Market, log: OrderLog, orders: list[tuple[NewOrder, LiveOrder]]) -> None:
    """Client ids and counts of open orders, if these were added. Raises EngineReject."""
    spec = market.spec
    ids = [new.client_id for new, _ in orders if new.client_id is not None]
    for client_id in ids:
        if log.has_open(client_id) or ids.count(client_id) > 1:
            message = f"client_id = {client_id!r} belongs to an open order of {spec.symbol}"
            raise EngineReject(RejectReason.DUPLICATE_CLIENT_ID, message)
    if len(log.open) + len(orders) > spec.max_open_orders:
        message = f"{len(log.open)} orders are open in {spec.symbol}; {spec.max_open_orders} may be"
        raise EngineReject(RejectReason.TOO_MANY_OPEN_ORDERS, message)
    stops = sum(order.is_stop for _, order in orders)
    if stops and sum(other.is_waiting for other in log.open.values()) + stops > spec.max_stop_orders:
        message = f"{spec.max_stop_orders} stop orders wait in {spec.symbol}; no more may"
        raise EngineReject(RejectReason.TOO_MANY_STOP_ORDERS, message)


def _trail(request: Trailing, market: Market, is_buy: bool) -> Trail:
    """The distance in ticks or as a rate, and where the limit lies from the trigger. Raises EngineReject."""
    if (request.offset is None) == (request.fraction is None):
        raise EngineReject(RejectReason.INVALID_TRAILING, "trailing: needs offset or fraction, exactly one")
    trail = Trail(request=request, is_buy=is_buy)
    if request.offset is not None:
        trail.offset = _offset_in_ticks(market, request.offset, "offset")
    if request.limit_offset is not None:
        trail.limit_offset = _offset_in_ticks(market, request.limit_offset, "limit_offset")
    if request.fraction is not None:
        trail.rate = _rate(request.fraction, "fraction")
    if request.limit_fraction is not None:
        trail.limit_rate = _rate(request.limit_fraction, "limit_fraction")
    if trail.offset <= 0 and trail.rate <= 0:
        raise EngineReject(RejectReason.INVALID_TRAILING, "trailing: the distance is not positive")
    return trail


def _offset_in_ticks(market: Market, offset: Decimal, field: str) -> int:
    units = to_units(offset)
    if units is None or units % market.tick_units:
        message = f"trailing {field} = {offset} is not a multiple of the tick {market.spec.tick}"
        raise EngineReject(RejectReason.INVALID_TRAILING, message)
    return units // market.tick_units


def _rate(fraction: Decimal, field: str) -> int:
    units = to_units(fraction)
    if units is None or abs(fraction) >= 1:
        message = f"trailing {field} = {fraction} is not below 1, with at most 8 decimal places"
        raise EngineReject(RejectReason.INVALID_TRAILING, message)
    return units
