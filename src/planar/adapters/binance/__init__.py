"""Binance spot: what is true of this venue only."""

from planar.adapters.binance.hosts import HOSTS
from planar.adapters.binance.ids import CLIENT_ID, EXPIRY
from planar.adapters.binance.meters import COSTS, METERS, ORDER_ENDPOINTS, ORDER_METERS, READS
from planar.adapters.binance.outcomes import CODES, TEXTS
from planar.adapters.binance.quirks import CCXT_CONFIG, MARKET_TYPES, WEBSOCKET_MESSAGES_PER_S
from planar.adapters.profile import Profile

PROFILE = Profile(
    id="binance",
    hosts=HOSTS,
    meters=METERS,
    cost_table=COSTS,
    order_meters=ORDER_METERS,
    order_endpoints=ORDER_ENDPOINTS,
    reads=READS,
    errors=CODES,
    texts=TEXTS,
    client_id=CLIENT_ID,
    expiry=EXPIRY,
    market_types=MARKET_TYPES,
    ccxt=CCXT_CONFIG,
    websocket_messages_per_s=WEBSOCKET_MESSAGES_PER_S,
)
