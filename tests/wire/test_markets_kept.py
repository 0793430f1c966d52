"""What changes at the exchange is known to a program that runs on, and the program is not held up while it is read."""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import Any

import pytest

from planar.adapters.market_cache import MarketCache
from planar.errors import ConfigError
from planar.exchange import Exchange
from planar.testing.local_venue import start_local_venue
from planar.venue.steering.state import Delist, Halt, Reopen

SYMBOL, GONE = "BTC/USDT", "LTC/USDT"


async def until(exchange: Exchange, symbol: str, active: bool | None) -> None:
    """None: it is not listed."""
    async with asyncio.timeout(20):
        while (exchange.markets[symbol].active if symbol in exchange.markets else None) is not active:
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("name", ["binance", "kraken"])
async def test_a_halt_and_its_end_are_seen_without_asking(name: str) -> None:
    with start_local_venue() as venue:
        async with venue.workspace() as p:
            exchange = await p.exchange(name, environment="local", markets_refresh="1s")
            assert exchange.markets[SYMBOL].active
            venue.command(Halt(symbol=SYMBOL), venue=name)
            await until(exchange, SYMBOL, False)
            venue.command(Reopen(symbol=SYMBOL), venue=name)
            await until(exchange, SYMBOL, True)


async def test_a_delisted_market_goes_and_the_log_says_so(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "planar.markets")
    with start_local_venue() as venue:
        async with venue.workspace() as p:
            exchange = await p.exchange("binance", environment="local", markets_refresh="1s")
            venue.command(Delist(symbol=GONE), venue="binance")
            await until(exchange, GONE, None)
            async with asyncio.timeout(5):
                while f"binance: 1 markets are gone: {GONE}" not in caplog.text:
                    await asyncio.sleep(0.02)


async def test_never_means_when_the_program_asks() -> None:
    with start_local_venue() as venue:
        async with venue.workspace() as p:
            exchange = await p.exchange("binance", environment="local", markets_refresh="never")
            venue.command(Halt(symbol=SYMBOL), venue="binance")
            await asyncio.sleep(0.1)
            assert exchange.markets[SYMBOL].active
            await exchange.load_markets(reload=True)
            assert not exchange.markets[SYMBOL].active


async def test_markets_are_parsed_and_written_beside_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    where: list[int] = []
    keep = MarketCache._keep

    def noted(self: MarketCache, *arguments: Any) -> Any:
        where.append(threading.get_ident())
        return keep(self, *arguments)

    monkeypatch.setattr(MarketCache, "_keep", noted)
    with start_local_venue() as venue:
        async with venue.workspace() as p:
            exchange = await p.exchange("binance", environment="local")
            await exchange.load_markets(reload=True)
    assert len(where) == 2
    assert threading.get_ident() not in where


@pytest.mark.parametrize("value", [60, "1ms", "8d", True, -1])
async def test_an_interval_that_is_none_is_refused(value: Any) -> None:
    with start_local_venue() as venue:
        async with venue.workspace() as p:
            with pytest.raises(ConfigError, match="markets_refresh"):
                await p.exchange("binance", environment="local", markets_refresh=value)
