"""The dead man's switch: a program that dies or stalls leaves no order behind; one that ends well leaves nothing."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from safety_kit import SYMBOL, audit_lines, local_of, trader, until, watchdogs

import planar
from planar.errors import BadRequest
from planar.testing.local_venue import LocalVenue, start_local_venue

VENUES = ("binance", "kraken")
TIMEOUT_S = 5.0


@pytest.fixture(scope="module")
def running() -> Iterator[LocalVenue]:
    with start_local_venue(VENUES, seed=12) as venue:
        yield venue


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PLANAR_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("PLANAR_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "state"


@pytest.fixture
async def workspace(running: LocalVenue) -> AsyncIterator[planar.Workspace]:
    async with planar.open(local_venue=local_of(running)) as opened:
        yield opened


@pytest.mark.parametrize("name", VENUES)
@pytest.mark.parametrize("how", ["kill -9", "stall"])
async def test_orders_of_a_dead_program_are_canceled_in_time(
    name: str, how: str, running: LocalVenue, workspace: planar.Workspace, state: Path
) -> None:
    exchange = await workspace.exchange(name, environment="local")

    async def none_open() -> bool:
        return await exchange.fetch_open_orders(SYMBOL) == []

    with trader(running, name, "stall" if how == "stall" else "run", TIMEOUT_S) as process:
        began_s = time.monotonic()
        assert len(await exchange.fetch_open_orders(SYMBOL)) >= 3
        if how == "kill -9":
            process.send_signal(signal.SIGKILL)
            process.wait(5)
        await asyncio.sleep(0 if name == "binance" else TIMEOUT_S - 1)  # Kraken counts each question
        await until(none_open, TIMEOUT_S + 3)
        took_s = time.monotonic() - began_s
    assert took_s < TIMEOUT_S + 3, took_s
    if name == "binance":
        if how == "kill -9":
            assert took_s < TIMEOUT_S  # the pipe tells of the death at once

        async def gone() -> bool:
            return watchdogs(state) == []

        await until(gone)
        assert "cancel_order" in {line.get("call") for line in audit_lines(state)}


@pytest.mark.parametrize("name", VENUES)
async def test_a_program_that_ends_well_leaves_its_orders_and_no_switch(
    name: str, running: LocalVenue, workspace: planar.Workspace, state: Path
) -> None:
    exchange = await workspace.exchange(name, environment="local")
    with trader(running, name, "end", TIMEOUT_S) as process:
        assert process.wait(20) == 0
    assert watchdogs(state) == []
    assert len(await exchange.fetch_open_orders(SYMBOL)) == 3
    if name == "kraken":
        await asyncio.sleep(TIMEOUT_S + 0.5)
        assert len(await exchange.fetch_open_orders(SYMBOL)) == 3
    assert (await exchange.stop()).verified


async def test_a_loop_that_stalls_and_comes_back_is_told_and_armed_again(workspace: planar.Workspace) -> None:
    exchange = await workspace.exchange("binance", environment="local")
    price = round(((await exchange.fetch_ticker(SYMBOL)).bid or 0) * 0.9, 1)
    async with exchange.dead_man(1) as switch:
        assert switch.scope == "this host only"
        await exchange.create_limit_buy_order(SYMBOL, "0.001", price)
        time.sleep(2.5)

        async def struck() -> bool:
            return switch.struck == 1

        await until(struck)
        assert await exchange.fetch_open_orders(SYMBOL) == []
        assert switch.age_s < 1
        await exchange.create_limit_buy_order(SYMBOL, "0.001", price)
        await asyncio.sleep(1.5)
        assert len(await exchange.fetch_open_orders(SYMBOL)) == 1
    assert (await exchange.stop()).verified


async def test_a_timeout_that_cannot_be_is_refused(workspace: planar.Workspace) -> None:
    binance = await workspace.exchange("binance", environment="local")
    kraken = await workspace.exchange("kraken", environment="local")
    with pytest.raises(BadRequest, match="timeout_s is 0"):
        binance.dead_man(0)
    for timeout_s in (0, 7.5, 100_000):
        with pytest.raises(BadRequest, match="timeout_s is"):
            kraken.dead_man(timeout_s)
    assert kraken.dead_man(60).scope == "venue"
