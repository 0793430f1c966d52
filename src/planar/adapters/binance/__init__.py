"""Binance spot: what is true of this venue only."""

from planar.adapters.binance.changes import AMEND, REPLACE, BinanceChanges
from planar.adapters.binance.entry import ENTRY
from planar.adapters.binance.hosts import HOSTS
from planar.adapters.binance.ids import CLIENT_ID, EXPIRY
from planar.adapters.binance.key_info import KEY_INFO
from planar.adapters.binance.kinds import KINDS, ORDER_PARAMS
from planar.adapters.binance.lists import LINKED
from planar.adapters.binance.meters import (
    COSTS,
    EMPTY_ANSWERS,
    KEY_STOPS,
    METERS,
    ORDER_ENDPOINTS,
    ORDER_METERS,
    ORDERS_IN,
    READS,
    REQUEST_METERS,
)
from planar.adapters.binance.orders import BinanceOrders
from planar.adapters.binance.outcomes import ANSWERS, CLOCK_ERRORS, CODES, PARTS, TEXTS
from planar.adapters.binance.price_band import price_band
from planar.adapters.binance.quirks import (
    CANCEL_ID_FIELD,
    CCXT_CONFIG,
    MARKET_TYPES,
    QUOTE_NONCE,
    REUSE_S,
    WEBSOCKET_MESSAGES_PER_S,
)
from planar.adapters.binance.readers import candles, depth
from planar.adapters.profile import Profile


class Binance(BinanceOrders, BinanceChanges):
    """What stands in the place of CCXT's methods."""


PROFILE = Profile(
    id="binance",
    hosts=HOSTS,
    meters=METERS,
    cost_table=COSTS,
    request_meters=REQUEST_METERS,
    order_meters=ORDER_METERS,
    order_endpoints=ORDER_ENDPOINTS,
    reads=READS,
    empty_answers=EMPTY_ANSWERS,
    answers=ANSWERS,
    errors=CODES,
    texts=TEXTS,
    key_stops=KEY_STOPS,
    clock_errors=CLOCK_ERRORS,
    parts=PARTS,
    client_id=CLIENT_ID,
    expiry=EXPIRY,
    market_types=MARKET_TYPES,
    ccxt=CCXT_CONFIG,
    cancel_id_field=CANCEL_ID_FIELD,
    websocket_messages_per_s=WEBSOCKET_MESSAGES_PER_S,
    key_info=KEY_INFO,
    candle_reader=candles,
    book_reader=depth,
    price_band=price_band,
    kinds=KINDS,
    order_params=ORDER_PARAMS,
    linked=LINKED,
    orders_in=ORDERS_IN,
    reuse_s=REUSE_S,
    fees_on_top=False,
    quote_nonce=QUOTE_NONCE,
    entry=ENTRY,
    mixin=Binance,
    amend=AMEND,
    replace=REPLACE,
)
