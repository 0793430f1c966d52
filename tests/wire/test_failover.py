"""Selection leaves a primary that dies, in each way in which a whole exchange can, within its bound, and says why."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, get_args

import pytest
from test_failover_network import WAYS as NETWORK

from planar.errors import AuthenticationError, MarketClosed
from planar.exchange import Exchange
from planar.exchange.answers import Table
from planar.multi import Selector
from planar.streams import StreamRules
from planar.testing.local_venue import LocalVenue, start_local_venue
from planar.venue.faults import Fault
from planar.venue.steering.bench import SteeringCommand
from planar.venue.steering.state import Delist, Halt, Reopen, SetSystem

SYMBOL, GONE = "BTC/USDT", "LTC/USDT"
WITHIN_MS = 400
SLACK_S = 0.3
"""This process shares its processor with the venue."""
HTML = "<html><body>Just a moment...</body></html>"
WAYS: dict[str, tuple[Any, Any, str]] = {
    "hears of nothing": ("drop_request", {}, "NetworkError|ExchangeNotAvailable|Timeout"),
    "loses answers": ("drop_answer", {}, "NetworkError|ExchangeNotAvailable|Timeout"),
    "hangs before": ("hang_request", {}, "Timeout"),
    "hangs after": ("hang_answer", {}, "Timeout"),
    "is late to hear": ("delay_request", {"delay_ms": 5_000}, "Timeout"),
    "is late to answer": ("delay_answer", {"delay_ms": 5_000}, "Timeout"),
    "cuts answers": ("cut_answer", {"keep_bytes": 20}, "cut|incomplete|broke|ended|Error"),
    "answers 500": ("refuse_request", {"status": 500, "body": ""}, "500"),
    "answers 502 in HTML": ("refuse_request", {"status": 502, "body": HTML}, "502"),
    "answers 503": ("refuse_request", {"status": 503, "body": "down"}, "503"),
    "answers 200 in HTML": ("replace_answer", {"status": 200, "body": HTML}, "HTML|JSON|page"),
    "answers nothing": ("replace_answer", {"status": 200, "body": ""}, "empty|JSON|nothing"),
    "limits": ("refuse_request", {"status": 429, "body": "slow", "headers": {"Retry-After": "30"}}, "429|rate|alone"),
    "bans": ("refuse_request", {"status": 418, "body": "banned", "headers": {"Retry-After": "30"}}, "418|ban|alone"),
    "forbids the place": ("refuse_request", {"status": 451, "body": "restricted location"}, "451|location|Restricted"),
}
STATES: dict[str, tuple[Any, Any, str]] = {
    "has delisted the market": (Delist(symbol=GONE), GONE, "symbol|list"),
    "is maintained": (SetSystem(state="system_maintenance"), SYMBOL, "1016|no longer available"),
}
PARTS = 6
NOT_ALL = {
    "shift_clock": "questions without a signature do not depend on it",
    "stale_read": "an older answer has no sign",
    "garble_answer": "a digit that is another has no sign; what cannot be read is as `cut_answer`",
    **dict.fromkeys(("double_frame", "reorder_frame", "delay_frame", "slow_socket"), "streams stay live under it"),
    **dict.fromkeys(("drop_message", "refuse_message", "stop_reading"), "it meets what is sent over a socket: orders"),
}
"""Faults by which a primary does not die, or not in a moment."""
STREAMS: dict[str, dict[str, Any]] = {
    "close_socket": {"code": 1012},
    "reset_socket": {},
    "replace_frame": {"body": HTML},
    "corrupt_frame": {},
    "drop_frame": {},
    "silence": {},
    "half_open": {},
}
QUICK = StreamRules(book_age_ms=300, check_ms=20, backoff_s=0.02)
"""A book is stale after 30 s otherwise."""


async def died(venue: LocalVenue, kraken: Exchange, symbol: str, die: Callable[[], object]) -> str:
    """Why the primary was left when it died."""
    async with venue.workspace() as p:
        group = p.group("binance", environment="local")
        await group.exchanges()

        async def opened() -> Table[Exchange]:
            return Table({**await group.exchanges(), "kraken": kraken})

        selector = Selector(
            opened,
            ("binance", "kraken"),
            symbol,
            by="order",
            side=None,
            amount=None,
            within_ms=WITHIN_MS,
            back_after_s=60,
        )
        first = await selector.pick()
        assert (first.exchange.id, first.why) == ("binance", "binance: it is the first choice")
        die()
        began_s = time.monotonic()
        second = await selector.pick()
        took_s = time.monotonic() - began_s
        assert (second.exchange.id, second.changed) == ("kraken", True)
        assert took_s < selector.bound_ms / 1000 + SLACK_S
        (dead,) = [one for one in second.candidates if not one.fits]
        assert second.why == f"kraken: it is choice 2 (binance: {dead.why})"
        return dead.why


@pytest.mark.parametrize("part", range(PARTS))
async def test_a_primary_that_dies_is_left_within_the_bound(part: int, monkeypatch: Any, tmp_path: Path) -> None:
    """In parts, because the backup's public limit is a small one."""
    told: dict[str, str] = {}
    ways = list({**WAYS, **STATES}.items())[part::PARTS]
    with start_local_venue() as venue:
        async with venue.workspace() as p:
            kraken = await p.exchange("kraken", environment="local")
            for way, (first, second, _) in ways:
                monkeypatch.setenv("PLANAR_STATE", str(tmp_path / way))
                if isinstance(first, SteeringCommand):
                    die: Callable[[], object] = partial(venue.command, first, venue="binance")
                else:
                    die = partial(venue.faults.add, first, {"venue": "binance", "count": None}, **second)
                told[way] = await died(venue, kraken, second if isinstance(first, SteeringCommand) else SYMBOL, die)
                venue.faults.clear()
    for way, (_, _, words) in ways:
        assert re.search(words, told[way], re.IGNORECASE), f"{way}: {told[way]}"


def test_each_fault_of_the_kit_is_a_way_to_die_or_is_none() -> None:
    kinds = {str(kind.__struct_config__.tag) for kind in get_args(Fault)}
    ways = {kind for kind, _, _ in WAYS.values() if isinstance(kind, str)} | {kind for kind, _, _ in NETWORK.values()}
    assert ways | set(STREAMS) | set(NOT_ALL) == kinds
    assert not (ways | set(STREAMS)) & set(NOT_ALL)


@pytest.mark.parametrize("kinds", [tuple(STREAMS)[part::4] for part in range(4)])
async def test_a_primary_whose_stream_is_lost_is_left_though_it_answers(kinds: tuple[str, ...]) -> None:
    with start_local_venue() as venue:
        async with venue.workspace() as p:
            group = p.group("binance", "kraken", environment="local")
            binance = (await group.exchanges())["binance"]
            binance._hub._rules = QUICK
            for kind in kinds:
                selector = group.selector(SYMBOL, within_ms=WITHIN_MS)
                async with binance.watch_order_book(SYMBOL, stale="yield") as books:
                    await anext(aiter(books))
                    assert (await selector.pick()).exchange is binance
                    venue.faults.add(kind, {"venue": "binance", "count": None}, **STREAMS[kind])
                    async with asyncio.timeout(5):
                        while not binance.lost_streams(SYMBOL):
                            await asyncio.sleep(0.02)
                    choice = await selector.pick()
                    assert choice.exchange.id == "kraken", kind
                    assert re.search(rf"binance: StaleData: .*{SYMBOL}", choice.why)
                    venue.faults.clear()
                assert binance.lost_streams(SYMBOL) == []


async def test_a_market_that_refuses_orders_as_closed_is_left() -> None:
    with start_local_venue() as venue:
        async with venue.workspace() as p:
            group = p.group("binance", "kraken", environment="local")
            selector = group.selector(SYMBOL, within_ms=WITHIN_MS, back_after_s=0)
            binance = (await selector.pick()).exchange
            venue.command(Halt(symbol=SYMBOL), venue="binance")
            assert (await selector.pick()).exchange is binance  # it is quoted, and listed as active
            assert binance.closed_for_s(SYMBOL) is None
            with pytest.raises(MarketClosed):
                await binance.create_limit_order(SYMBOL, "buy", "0.01", 20_000)
            choice = await selector.pick()
            assert choice.exchange.id == "kraken"
            assert "closed to an order 0 s ago" in choice.why
            venue.command(Reopen(symbol=SYMBOL), venue="binance")
            await binance.create_limit_order(SYMBOL, "buy", "0.01", 20_000)
            assert binance.closed_for_s(SYMBOL) is None
            assert (await selector.pick()).exchange is binance


async def test_an_exchange_that_refuses_orders_for_their_key_is_left() -> None:
    with start_local_venue() as venue:
        async with venue.workspace() as p:
            group = p.group("binance", "kraken", environment="local")
            selector = group.selector(SYMBOL, within_ms=WITHIN_MS, back_after_s=0)
            binance = (await selector.pick()).exchange
            await binance.create_limit_order(SYMBOL, "buy", "0.01", 20_000)
            assert binance.key_refused_for_s() is None
            refused = {"status": 401, "body": '{"code":-2015,"msg":"Invalid API-key, IP, or permissions for action."}'}
            where = {"venue": "binance", "count": None, "path": "/api/v3/order"}
            venue.faults.add("refuse_request", where, headers={"Content-Type": "application/json"}, **refused)
            assert (await selector.pick()).exchange is binance  # questions need no key
            with pytest.raises(AuthenticationError):
                await binance.create_limit_order(SYMBOL, "buy", "0.01", 20_000)
            choice = await selector.pick()
            assert choice.exchange.id == "kraken"
            assert "binance: AuthenticationError: its key was refused with an order 0 s ago" in choice.why
            venue.faults.clear()
            await binance.create_limit_order(SYMBOL, "buy", "0.01", 20_000)
            assert binance.key_refused_for_s() is None
            assert (await selector.pick()).exchange is binance
