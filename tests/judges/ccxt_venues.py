"""The exchanges that CCXT's judges know: facts, doors, lives and private streams, by CCXT's id."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

from judges import ccxt_binance, ccxt_kraken
from judges.ccxt_kraken_streams import KrakenStreams
from judges.ccxt_life import Door, Facts, Life
from judges.ccxt_streams import PrivateStreams

PARTNERS = ("alice", "bob")
SECOND = ("carol", "bob")
"""Whose orders are judged, and who is the other side; the second couple where the first has filled its counters."""


class CcxtVenue(NamedTuple):
    """One exchange.

    Attributes:
        settings: attributes of the exchange object: CCXT's pace for Kraken, three seconds a call, is off.
    """

    facts: Facts
    by_rest: Door
    by_socket: Door
    life: type[Life]
    private: Any
    npm_private: Any
    settings: dict[str, Any]


VENUES = {
    "binance": CcxtVenue(
        ccxt_binance.BINANCE,
        ccxt_binance.BY_REST,
        ccxt_binance.BY_SOCKET,
        ccxt_binance.BinanceLife,
        PrivateStreams,
        # the npm package's watchOrders makes postOnly of the time in force alone (`safeOrder`: it is "PO")
        partial(PrivateStreams, without=("post_only",)),
        {},
    ),
    "kraken": CcxtVenue(
        ccxt_kraken.KRAKEN,
        ccxt_kraken.BY_REST,
        ccxt_kraken.BY_SOCKET,
        ccxt_kraken.KrakenLife,
        KrakenStreams,
        KrakenStreams,
        {"enableRateLimit": False},
    ),
}
