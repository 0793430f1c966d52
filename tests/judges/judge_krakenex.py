"""krakenex, the small classic: REST. It signs and sends; streams it has none. Told of the venue by its `uri` alone."""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Any

import krakenex

from judges.kit import Checks, Venue, begin, check_shipped
from judges.kraken_raw import Data, Life, PatientDoor

PARTNERS = ("alice", "bob")
NONCE_S = 0.002
"""The library's nonces are milliseconds, and a local exchange answers within one."""
PUBLIC = {"Time", "SystemStatus", "Assets", "AssetPairs", "Ticker", "OHLC", "Depth", "Trades", "Spread"}


class RefusedError(Exception):
    """The errors of an answer, which the library hands on as they are."""


def door(venue: Venue, account: str, *, proxied: bool = False) -> PatientDoor:
    """The library for one account: by base URL, or through the proxy with the real one."""
    api = krakenex.API(key=venue.keys[account]["apiKey"], secret=venue.keys[account]["secret"])
    if proxied:
        api.session.proxies, api.session.verify = {"https": venue.proxy}, venue.ca
    else:
        api.uri = f"{venue.base}/api.kraken.com"

    def ask(method: str, **params: Any) -> Any:
        time.sleep(NONCE_S)
        answer = (api.query_public if method in PUBLIC else api.query_private)(method, params)
        if answer["error"]:
            raise RefusedError(", ".join(answer["error"]))
        return answer["result"]

    return PatientDoor(ask, str)


async def judge(checks: Checks, venue: Venue) -> None:
    """Both ways to the venue."""
    venue.freeze()
    with checks.part("market data by REST"):
        Data(checks, door(venue, "alice")).run()
    with checks.part("orders by REST"):
        Life(checks, venue, door(venue, "alice"), door(venue, "bob"), PARTNERS, batches=False).run()
    with checks.part("through the proxy, with the real URL"):
        real = door(venue, "bob", proxied=True)
        Data(checks, real).run()
        Life(checks, venue, door(venue, "carol", proxied=True), real, ("carol", "bob"), batches=False).run()
    with checks.part("the client itself"):
        checks.note("krakenex has no streams, and sends forms, which hold no batch of orders")
        check_shipped(checks, "krakenex", [name for name in sys.modules if name.startswith("krakenex")])


if __name__ == "__main__":
    asyncio.run(judge(*begin()[:2]))
