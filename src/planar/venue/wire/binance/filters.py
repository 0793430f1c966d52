"""The filters of a market, as `exchangeInfo` shows them and as they are applied to an order.

Source: filters.md. The numbers are those of the engine's `SymbolSpec`.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from planar.venue.engine.enums import OrderKind, TimeInForce
from planar.venue.engine.specs import SymbolSpec
from planar.venue.engine.types import NewOrder, Order
from planar.venue.wire.binance import errors
from planar.venue.wire.binance.errors import ApiError
from planar.venue.wire.binance.formats import amount

AVERAGE_MINUTES: Final = 5
MAX_ORDER_AMENDS: Final = 10
TRAILING_DELTAS: Final = range(10, 2001)
"""Basis points that a stop may trail the price by, above and below it."""

STOP_KINDS: Final = (
    OrderKind.STOP_LOSS,
    OrderKind.STOP_LOSS_LIMIT,
    OrderKind.TAKE_PROFIT,
    OrderKind.TAKE_PROFIT_LIMIT,
)
MARKET_KINDS: Final = (OrderKind.MARKET, OrderKind.STOP_LOSS, OrderKind.TAKE_PROFIT)


def describe(spec: SymbolSpec) -> list[dict[str, Any]]:
    """The filters as `exchangeInfo` lists them."""
    return [
        {
            "filterType": "PRICE_FILTER",
            "minPrice": amount(spec.min_price),
            "maxPrice": amount(spec.max_price),
            "tickSize": amount(spec.tick),
        },
        {
            "filterType": "LOT_SIZE",
            "minQty": amount(spec.min_amount),
            "maxQty": amount(spec.max_amount),
            "stepSize": amount(spec.lot),
        },
        {"filterType": "ICEBERG_PARTS", "limit": spec.max_iceberg_parts},
        {
            "filterType": "MARKET_LOT_SIZE",
            "minQty": amount(Decimal(0)),
            "maxQty": amount(spec.market_max_amount),
            "stepSize": amount(Decimal(0)),
        },
        {
            "filterType": "TRAILING_DELTA",
            "minTrailingAboveDelta": TRAILING_DELTAS[0],
            "maxTrailingAboveDelta": TRAILING_DELTAS[-1],
            "minTrailingBelowDelta": TRAILING_DELTAS[0],
            "maxTrailingBelowDelta": TRAILING_DELTAS[-1],
        },
        {
            "filterType": "PERCENT_PRICE_BY_SIDE",
            "bidMultiplierUp": f"{spec.price_band_up:f}",
            "bidMultiplierDown": f"{spec.price_band_down:f}",
            "askMultiplierUp": f"{spec.price_band_up:f}",
            "askMultiplierDown": f"{spec.price_band_down:f}",
            "avgPriceMins": AVERAGE_MINUTES,
        },
        {
            "filterType": "NOTIONAL",
            "minNotional": amount(spec.min_notional),
            "applyMinToMarket": True,
            "maxNotional": amount(spec.max_notional),
            "applyMaxToMarket": False,
            "avgPriceMins": AVERAGE_MINUTES,
        },
        {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": spec.max_open_orders},
        {"filterType": "MAX_NUM_ORDER_LISTS", "maxNumOrderLists": spec.max_order_lists},
        {"filterType": "MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders": spec.max_stop_orders},
        {"filterType": "MAX_NUM_ORDER_AMENDS", "maxNumOrderAmends": MAX_ORDER_AMENDS},
    ]


def check_numbers(new: NewOrder, spec: SymbolSpec) -> None:
    """What can be said of the order's numbers alone.

    Raises:
        ApiError: -1013 or -2010 with the documented text.
    """
    for name, price in (("price", new.price), ("stopPrice", new.stop_price)):
        if price is not None:
            if price <= 0:
                raise ApiError(-1013, f"Invalid {name}.")
            if not spec.min_price <= price <= spec.max_price or price % spec.tick:
                raise errors.filter_failure("PRICE_FILTER")
    trailing = new.trailing
    if trailing is not None and trailing.fraction is not None and trailing.fraction * 10_000 not in TRAILING_DELTAS:
        raise errors.filter_failure("TRAILING_DELTA")
    if new.quote_amount is not None and new.quote_amount <= 0:
        raise ApiError(-1013, "Invalid quoteOrderQty.")
    if new.amount is not None:
        if new.amount <= 0:
            raise ApiError(-1013, "Invalid quantity.")
        check_lot(new.amount, spec)
        if new.kind in MARKET_KINDS and new.amount > spec.market_max_amount:
            raise errors.filter_failure("MARKET_LOT_SIZE")
    if new.iceberg_amount is not None and new.amount is not None:
        _check_iceberg(new.iceberg_amount, new.amount, new.tif, spec)


def check_lot(quantity: Decimal, spec: SymbolSpec) -> None:
    """LOT_SIZE.

    Raises:
        ApiError: -1013.
    """
    if not spec.min_amount <= quantity <= spec.max_amount or quantity % spec.lot:
        raise errors.filter_failure("LOT_SIZE")


def _check_iceberg(shown: Decimal, quantity: Decimal, tif: TimeInForce, spec: SymbolSpec) -> None:
    if tif is not TimeInForce.GTC:
        raise ApiError(-1014, "Unsupported order combination.")
    if shown > quantity:
        raise errors.rejected("IcebergQty exceeds QTY.")
    check_lot(shown, spec)
    if -(-quantity // shown) > spec.max_iceberg_parts:
        raise errors.filter_failure("ICEBERG_PARTS")


def check_market(new: NewOrder, spec: SymbolSpec, reference: Decimal | None, open_orders: Sequence[Order]) -> None:
    """What depends on the market and on the account's open orders in it.

    Args:
        reference: the market's average price, if it has one.

    Raises:
        ApiError: -1013.
    """
    if (
        new.price is not None
        and reference is not None
        and not reference * spec.price_band_down <= new.price <= reference * spec.price_band_up
    ):
        raise errors.filter_failure("PERCENT_PRICE_BY_SIDE")
    notional = _notional(new, reference)
    if notional is not None:
        over = notional > spec.max_notional and new.kind not in MARKET_KINDS
        if notional < spec.min_notional or over:
            raise errors.filter_failure("NOTIONAL")
    if len(open_orders) >= spec.max_open_orders:
        raise errors.filter_failure("MAX_NUM_ORDERS")
    if new.kind in STOP_KINDS:
        waiting = sum(1 for order in open_orders if order.kind in STOP_KINDS and order.triggered_ms is None)
        if waiting >= spec.max_stop_orders:
            raise errors.filter_failure("MAX_NUM_ALGO_ORDERS")


def _notional(new: NewOrder, reference: Decimal | None) -> Decimal | None:
    if new.amount is None:
        return new.quote_amount
    price = new.price or new.stop_price or reference
    return None if price is None else new.amount * price
