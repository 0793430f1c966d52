"""Kraken spot: what is true of this venue only."""

from planar.adapters.kraken.changes import AMEND, BATCH, KrakenChanges
from planar.adapters.kraken.entry import ENTRY
from planar.adapters.kraken.history import KrakenHistory
from planar.adapters.kraken.hosts import HOSTS
from planar.adapters.kraken.ids import CLIENT_ID, EXPIRY
from planar.adapters.kraken.key_info import KEY_INFO
from planar.adapters.kraken.kinds import KINDS, ORDER_PARAMS
from planar.adapters.kraken.meters import COSTS, METERS, READS, KrakenCosts
from planar.adapters.kraken.outcomes import ANSWERS, CODES, KEY_STOPS, STOPS, UNLISTED
from planar.adapters.kraken.quirks import (
    BALANCE_HINTS_S,
    CCXT_CONFIG,
    DEAD_MAN,
    NONCE_SECTIONS,
    REUSE_S,
)
from planar.adapters.kraken.reading import KrakenReading
from planar.adapters.kraken.sockets import KrakenSockets
from planar.adapters.profile import Profile


class Kraken(KrakenReading, KrakenCosts, KrakenChanges, KrakenHistory, KrakenSockets):
    """What stands in the place of CCXT's methods."""


PROFILE = Profile(
    id="kraken",
    hosts=HOSTS,
    meters=METERS,
    cost_table=COSTS,
    reads=READS,
    answers=ANSWERS,
    errors=CODES,
    unlisted=UNLISTED,
    code_field="error",
    stops=STOPS,
    key_stops=KEY_STOPS,
    nonce_sections=NONCE_SECTIONS,
    client_id=CLIENT_ID,
    expiry=EXPIRY,
    kinds=KINDS,
    order_params=ORDER_PARAMS,
    ccxt=CCXT_CONFIG,
    acknowledges=True,
    balance_hints_s=BALANCE_HINTS_S,
    mixin=Kraken,
    key_info=KEY_INFO,
    reuse_s=REUSE_S,
    list_page=100_000,  # its lists begin with the newest, so the oldest is had with all others
    cancels_whole_account=True,
    dead_man=DEAD_MAN,
    entry=ENTRY,
    amend=AMEND,
    batch=BATCH,
    resolve_pause_s=8.0,  # a round is two queries, and the counter forgets one in three seconds
)
