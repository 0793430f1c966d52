"""`planar select | route | arbitrage` on both local exchanges."""

from __future__ import annotations

import json
from decimal import Decimal

from cli_kit import planar

BOTH = ("--exchange", "binance,kraken", "--environment", "local")


def test_selection_says_whom_and_why() -> None:
    done = planar("select", "BTC/USDT", "--by", "spread", *BOTH, "--json")
    told = json.loads(done.stdout)
    assert told["exchange"] in ("binance", "kraken")
    assert "spread" in told["why"]
    assert {one["exchange"] for one in told["candidates"]} == {"binance", "kraken"}


def test_a_route_is_previewed_and_never_sent() -> None:
    told = json.loads(planar("route", "BTC/USDT", "buy", "1.5", "--preview", *BOTH, "--json").stdout)
    assert Decimal(told["amount"]) == Decimal("1.5")
    assert sum(Decimal(leg["amount"]) for leg in told["legs"]) == Decimal("1.5")
    done = planar("route", "BTC/USDT", "buy", "1.5", *BOTH, code=1)
    assert "preview" in done.stderr


def test_arbitrage_ends_in_time_and_counts() -> None:
    done = planar("arbitrage", "BTC/USDT", *BOTH, "--seconds", "1")
    assert "changes of books looked at" in done.stderr
    done = planar("arbitrage", "NO/PAIR", *BOTH, "--seconds", "0.5")
    assert "takes no part" in done.stderr
