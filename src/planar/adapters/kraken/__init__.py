"""Kraken spot: what is true of this venue only."""

from planar.adapters.kraken.hosts import HOSTS
from planar.adapters.kraken.ids import CLIENT_ID, EXPIRY
from planar.adapters.kraken.meters import COSTS, METERS, ORDER_ENDPOINTS, ORDER_METERS, READS
from planar.adapters.kraken.outcomes import CODES
from planar.adapters.kraken.quirks import STOP_PARAM
from planar.adapters.profile import Profile

PROFILE = Profile(
    id="kraken",
    hosts=HOSTS,
    meters=METERS,
    cost_table=COSTS,
    order_meters=ORDER_METERS,
    order_endpoints=ORDER_ENDPOINTS,
    reads=READS,
    errors=CODES,
    code_field="error",
    client_id=CLIENT_ID,
    expiry=EXPIRY,
    stop_param=STOP_PARAM,
)
