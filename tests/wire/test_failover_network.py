"""Selection leaves a primary to which the way is lost: connections, tunnels, certificates, names.

The primary is the live Binance, whose name leads to the local venue through its proxy; the backup is the local Kraken.
"""

from __future__ import annotations

import re
import socket
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

import planar
from planar.errors import PlanarError
from planar.exchange import Exchange
from planar.exchange.answers import Table
from planar.multi import Selector
from planar.testing.local_venue import LocalVenue, start_local_venue

SYMBOL = "BTC/USDT"
WITHIN_MS = 400
SLACK_S = 0.4
GONE = "drop|reset|refused|connect|answer|closed|Timeout|Network|NotAvailable"
WAYS: dict[str, tuple[str, dict[str, Any], str]] = {
    "resets connections": ("reset_connection", {}, GONE),
    "takes them and says nothing": ("hang_connection", {}, "Timeout|in time"),
    "refuses the tunnel": ("refuse_tunnel", {"status": 502}, "proxy|502|tunnel"),
    "ends the handshake": ("fail_handshake", {"how": "alert"}, "TLS|handshake|SSL|certificate|connect"),
    "has a certificate of nobody's": ("fail_handshake", {"how": "untrusted"}, "certificate"),
    "has a certificate that has run out": ("fail_handshake", {"how": "expired"}, "certificate"),
    "has a certificate of another host": ("fail_handshake", {"how": "wrong_host"}, "certificate"),
    "closes its doors": ("close_doors", {"for_ms": 60_000}, GONE),
}
NAMES: dict[str, bool] = {}
"""Which names resolve now."""


@pytest.fixture
def venue() -> Iterator[LocalVenue]:
    with start_local_venue() as started:
        yield started


@pytest.fixture(autouse=True)
def here_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home of its own, and a resolver that knows this machine only, also by the names that a test gives it."""
    for name, value in {"STATE": tmp_path / "state", "CACHE": tmp_path / "cache"}.items():
        monkeypatch.setenv(f"PLANAR_{name}", str(value))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    real = socket.getaddrinfo
    NAMES.clear()

    def lookup(host: Any, *args: Any, **options: Any) -> Any:
        if host in ("127.0.0.1", "localhost") or NAMES.get(host):
            return real("127.0.0.1", *args, **options)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", lookup)


@pytest.fixture
async def kraken(venue: LocalVenue) -> AsyncIterator[Exchange]:
    async with venue.workspace() as p:
        yield await p.exchange("kraken", environment="local")


def through(venue: LocalVenue, monkeypatch: pytest.MonkeyPatch, *, proxy: str = "127.0.0.1") -> None:
    keys = {"environment": "live", "proxy": f"http://{proxy}:{venue.record.port}", "ca_file": venue.ca}
    for key, value in keys.items():
        monkeypatch.setenv(f"PLANAR__BINANCE__{key.upper()}", str(value))


def selector(p: planar.Workspace, kraken: Exchange) -> Selector:
    group = p.group("binance")

    async def opened() -> Table[Exchange]:
        try:
            return Table({**await group.exchanges(), "kraken": kraken})
        except PlanarError as error:
            return Table({"kraken": kraken}, errors={"binance": error})

    return Selector(
        opened, ("binance", "kraken"), SYMBOL, by="order", side=None, amount=None, within_ms=WITHIN_MS, back_after_s=60
    )


@pytest.mark.parametrize("way", WAYS)
async def test_a_primary_to_which_the_way_is_lost_is_left_within_the_bound(
    way: str, venue: LocalVenue, kraken: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind, fields, words = WAYS[way]
    through(venue, monkeypatch)
    await kraken.fetch_ticker(SYMBOL)  # its connection stands
    async with planar.open() as p:
        chosen = selector(p, kraken)
        first = await chosen.pick()
        assert (first.exchange.id, first.exchange.environment) == ("binance", "live")
        # the connection that stands is lost, and no other is had
        venue.faults.add("drop_request", {"venue": "binance"})
        venue.faults.add(kind, {"count": None}, **fields)
        began_s = time.monotonic()
        second = await chosen.pick()
        took_s = time.monotonic() - began_s
    assert second.exchange.id == "kraken", second.why
    assert took_s < chosen.bound_ms / 1000 + SLACK_S
    (dead,) = [one for one in second.candidates if not one.fits]
    assert re.search(words, dead.why, re.IGNORECASE), dead.why


async def test_a_name_that_never_resolved_and_one_that_no_longer_does(
    venue: LocalVenue, kraken: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    through(venue, monkeypatch, proxy="proxy.test")
    async with planar.open() as p:
        choice = await selector(p, kraken).pick()
        assert choice.exchange.id == "kraken"
        assert "binance: it cannot be opened" in choice.why
        assert "proxy.test" in choice.why
    NAMES["proxy.test"] = True
    async with planar.open() as p:
        chosen = selector(p, kraken)
        assert (await chosen.pick()).exchange.id == "binance"
        NAMES["proxy.test"] = False
        venue.faults.add("drop_request", {"venue": "binance"})
        # the address is remembered, and a resolver's trouble is none of the exchange's
        assert (await chosen.pick()).exchange.id == "binance"
