"""Several exchanges at once on the local venues: results and errors for each, selection, routes, arbitrage on live books."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

import planar
from planar.errors import BadRequest, ConfigError, ExchangeNotAvailable, NetworkError, NotSupported, RequestTimeout
from planar.exchange import Exchange
from planar.models import Amount
from planar.multi import Group, Opportunity
from planar.testing.local_venue import LocalVenue, start_local_venue
from planar.transport.local import LocalVenue as Reached
from planar.venue.steering.market import PlantOpportunity
from planar.workspace import Workspace

SYMBOL, OTHER = "BTC/USDT", "ETH/USDT"
WITHIN_MS = 400


@pytest.fixture
async def both() -> AsyncIterator[tuple[Workspace, LocalVenue]]:
    with start_local_venue() as venue:
        record = venue.record
        reached = Reached(
            instance=record.instance,
            socket=record.socket,
            token=record.token,
            venues=list(record.venues),
            pid=record.pid,
        )
        async with planar.open(local_venue=reached) as p:
            yield p, venue


def group(p: Workspace, **options: Any) -> Group:
    return p.group("binance", "kraken", environment="local", **options)


async def test_the_same_call_on_all_has_a_result_or_an_error_for_each(both: tuple[Workspace, LocalVenue]) -> None:
    p, venue = both
    tickers = await group(p).each(lambda one: one.fetch_ticker(SYMBOL))
    assert list(tickers) == ["binance", "kraken"]
    assert all(ticker.bid for ticker in tickers.values())
    venue.faults.add("refuse_request", {"venue": "kraken", "count": None}, status=503, body="down")
    tickers = await group(p).each(lambda one: one.fetch_ticker(SYMBOL, timeout_ms=WITHIN_MS))
    assert list(tickers) == ["binance"]
    assert isinstance(tickers.errors["kraken"], NetworkError)
    venue.faults.add("refuse_request", {"venue": "binance", "count": None}, status=503, body="down")
    with pytest.raises(NetworkError, match="binance") as caught:
        await group(p).each(lambda one: one.fetch_ticker(SYMBOL, timeout_ms=WITHIN_MS))
    assert "kraken" in "".join(caught.value.__notes__)


async def test_one_that_hangs_costs_its_deadline_and_who_is_cancelled_leaves_nothing_running(
    both: tuple[Workspace, LocalVenue],
) -> None:
    p, venue = both
    await group(p).exchanges()
    venue.faults.add("hang_request", {"venue": "kraken", "count": None})
    began = time.monotonic()
    tickers = await group(p).each(lambda one: one.fetch_ticker(SYMBOL, timeout_ms=WITHIN_MS))
    assert time.monotonic() - began < WITHIN_MS / 1000 + 0.4
    assert list(tickers) == ["binance"]
    assert isinstance(tickers.errors["kraken"], RequestTimeout)
    before = asyncio.all_tasks()
    asked: list[str] = []

    async def ask(one: Exchange) -> None:
        asked.append(one.id)
        await one.fetch_ticker(SYMBOL, timeout_ms=60_000)

    for caller in (group(p).each(ask), group(p).selector(SYMBOL, by="spread", within_ms=60_000).pick()):
        waiting = asyncio.ensure_future(caller)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await waiting
        await asyncio.sleep(0)
        assert not asyncio.all_tasks() - before
    assert sorted(asked) == ["binance", "kraken"]


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"within_ms": 0}, "within_ms"),
        ({"within_ms": float("nan")}, "within_ms"),
        ({"back_after_s": -1}, "back_after_s"),
        ({"back_after_s": float("inf")}, "back_after_s"),
        ({"by": "price", "side": "buy", "amount": "much"}, "amount"),
        ({"by": "price", "side": "buy", "amount": "nan"}, "amount"),
    ],
)
async def test_a_selector_that_makes_no_sense_is_none(wrong: dict[str, Any], named: str) -> None:
    async with planar.open() as p:
        with pytest.raises(BadRequest, match=named) as caught:
            p.group("binance", "kraken").selector(SYMBOL, **wrong)
        assert caught.value.hint
        with pytest.raises(BadRequest, match="amount"):
            await p.group("binance").route(SYMBOL, "buy", "much", preview=True)


async def test_one_that_cannot_be_opened_is_told_beside_the_others(both: tuple[Workspace, LocalVenue]) -> None:
    p, _ = both
    opened = await p.group("binance", "bitstamp", environment="local").exchanges()
    assert list(opened) == ["binance"]
    assert "does not serve bitstamp" in str(opened.errors["bitstamp"])


async def test_a_group_without_names_is_the_configured_one(tmp_path: Path) -> None:
    config = tmp_path / "planar.toml"
    config.write_text('[exchanges]\nprimary = "kraken"\nbackup = ["binance"]\n')
    async with planar.open(config) as p:
        assert p.group().ids == ("kraken", "binance")
        assert p.group("okx", "okx", "huobi").ids == ("okx", "htx")
    async with planar.open() as p:
        with pytest.raises(ConfigError, match="no exchange is named"):
            p.group()


async def test_common_markets(both: tuple[Workspace, LocalVenue]) -> None:
    p, _ = both
    found = await group(p).cross_match(quote="USDT")
    assert found[SYMBOL].exchanges == ("binance", "kraken")
    assert all(one.quote == "USDT" and len(one.markets) == 2 for one in found.values())
    assert set(found) < set(await group(p).cross_match(least=1))


# -- selection ---------------------------------------------------------------------------------------------------------
DEATHS = {
    "hangs": ("hang_request", {}),
    "loses answers": ("drop_answer", {}),
    "answers 503": ("refuse_request", {"status": 503, "body": "down"}),
    "answers HTML": ("replace_answer", {"status": 200, "body": "<html>busy</html>"}),
    "is slow": ("delay_answer", {"delay_ms": 5_000}),
    "resets": ("reset_connection", {}),
}


@pytest.mark.parametrize("death", DEATHS)
async def test_selection_leaves_a_dead_primary_and_comes_back(death: str, both: tuple[Workspace, LocalVenue]) -> None:
    p, venue = both
    selector = group(p).selector(SYMBOL, within_ms=WITHIN_MS, back_after_s=0.6)
    first = await selector.pick()
    assert (first.exchange.id, first.changed) == ("binance", True)
    assert "first choice" in first.why
    kind, fields = DEATHS[death]
    fault = venue.faults.add(kind, {"venue": "binance", "count": None}, **fields)
    if kind == "reset_connection":
        venue.faults.add("drop_request", {"venue": "binance", "count": None})
    began = time.monotonic()
    second = await selector.pick()
    assert time.monotonic() - began < 2 * WITHIN_MS / 1000 + 0.4
    assert (second.exchange.id, second.changed) == ("kraken", True)
    assert "binance:" in second.why
    venue.faults.clear()
    assert fault.id is not None
    assert (await selector.pick()).exchange.id == "kraken"  # not at once
    back = second
    async with asyncio.timeout(15):
        while back.exchange.id != "binance":
            await asyncio.sleep(0.1)
            back = await selector.pick()
    assert "first choice" in back.why


async def test_when_nobody_can_be_used_the_reasons_of_all_are_told(both: tuple[Workspace, LocalVenue]) -> None:
    p, venue = both
    venue.faults.add("refuse_request", {"count": None, "path": "/api/v3/ticker/24hr"}, status=503, body="down")
    selector = p.group("binance", environment="local").selector(SYMBOL, within_ms=WITHIN_MS)
    with pytest.raises(ExchangeNotAvailable, match=r"no exchange can be used for BTC/USDT: binance: .*503"):
        await selector.pick()
    with pytest.raises(ExchangeNotAvailable, match="NO/PAIR"):
        await group(p).selector("NO/PAIR").pick()


async def test_other_strategies_compare_what_they_say(both: tuple[Workspace, LocalVenue]) -> None:
    p, _ = both
    both_open = group(p)
    fee = await both_open.selector(SYMBOL, by="fee").pick()
    fees = {
        name: float((await one.fetch_trading_fee(SYMBOL)).taker) for name, one in (await both_open.exchanges()).items()
    }
    assert fees[fee.exchange.id] == min(fees.values())
    for by in ("spread", "latency"):
        choice = await both_open.selector(SYMBOL, by=by).pick()  # type: ignore[arg-type]
        scores = {one.exchange: one.score for one in choice.candidates}
        assert scores[choice.exchange.id] == min(score for score in scores.values() if score is not None)
    price = await both_open.selector(SYMBOL, by="price", side="buy", amount="0.5").pick()
    assert "after fees" in price.why
    with pytest.raises(BadRequest, match="side and amount"):
        both_open.selector(SYMBOL, by="price")
    with pytest.raises(BadRequest, match="no strategy"):
        both_open.selector(SYMBOL, by="luck")  # type: ignore[arg-type]


# -- routes and arbitrage ----------------------------------------------------------------------------------------------
async def test_a_route_is_no_worse_than_any_exchange_alone(both: tuple[Workspace, LocalVenue]) -> None:
    p, _ = both
    for side in ("buy", "sell"):
        found = await group(p).route(SYMBOL, side, "2.5", preview=True)  # type: ignore[arg-type]
        assert found.amount == Amount("2.5")
        assert sum(leg.amount for leg in found.legs) == found.amount
        assert found.saves is None or found.saves >= 0
        assert {leg.exchange for leg in found.alone} == {"binance", "kraken"}
    with pytest.raises(NotSupported, match="not carried out"):
        await group(p).route(SYMBOL, "buy", "2.5", preview=False)
    with pytest.raises(BadRequest, match="more than 0"):
        await group(p).route(SYMBOL, "buy", 0, preview=True)


async def test_planted_opportunities_are_found_while_they_last(both: tuple[Workspace, LocalVenue]) -> None:
    p, venue = both
    together = group(p)
    async with together.watch_arbitrage([SYMBOL, OTHER]) as watch:
        assert watch.errors == {}
        for symbol, cheap, dear in ((SYMBOL, "kraken", "binance"), (OTHER, "binance", "kraken")) * 2:
            command = PlantOpportunity(symbol=symbol, side="ask", bps=150, amount="0.4", for_ms=400)
            planted = venue.command(command, venue=cheap)[cheap]
            async with asyncio.timeout(5):
                while True:
                    found: Opportunity = await anext(watch)
                    if (found.symbol, found.buy, found.sell) == (symbol, cheap, dear):
                        break
            assert found.buy_limit >= Amount(planted["price"])
            assert Amount("0.39") < found.buy_amount <= Amount("0.5")
            assert found.profit == found.proceeds - found.cost > 0
            async with asyncio.timeout(5):
                while any(one.buy == cheap and one.symbol == symbol for one in watch.now):
                    await asyncio.sleep(0.02)
    assert [task.get_name() for task in asyncio.all_tasks() if task.get_name().startswith("arbitrage")] == []


async def test_quiet_markets_hold_no_opportunity_and_legs_can_be_looked_at(both: tuple[Workspace, LocalVenue]) -> None:
    p, venue = both
    assert await group(p).find_arbitrage([SYMBOL]) == []
    venue.command(PlantOpportunity(symbol=SYMBOL, side="bid", bps=200, amount="0.3", for_ms=20_000), venue="kraken")
    found = await group(p).find_arbitrage([SYMBOL], balances=True)
    assert [(one.buy, one.sell) for one in found] == [("binance", "kraken")]
    bought, sold = await group(p).preview_arbitrage(found[0])
    assert (bought.sent, sold.sent) == (False, False)
    assert (bought.order.side, sold.order.side) == ("buy", "sell")
    assert sold.order.amount == found[0].sell_amount <= found[0].buy_amount


async def test_fees_are_compared_with_an_error_for_who_cannot_tell(both: tuple[Workspace, LocalVenue]) -> None:
    p, _ = both
    fees = await p.group("kraken", "binance", "bitstamp", environment="local").compare_fees(SYMBOL)
    takers = [fee.taker for fee in fees.values()]
    assert sorted(fees) == ["binance", "kraken"]
    assert takers == sorted(takers)
    assert "does not serve bitstamp" in str(fees.errors["bitstamp"])
    makers = [fee.maker for fee in (await group(p).compare_fees(SYMBOL, maker=True)).values()]
    assert makers == sorted(makers)


@pytest.mark.parametrize(
    ("written", "ids"),
    [
        ('[exchanges]\nprimary = "kraken"\nbackup = ["binance"]\n[okx]\n', ("kraken", "binance")),
        ("[binance]\n[kraken]\nenabled = false\n[okx]\n", ("binance", "okx")),
        ('[exchanges]\nenabled = ["kraken", "okx"]\n[binance]\n', ("kraken", "okx")),
        ("[kraken]\nprimary = true\n[binance]\nbackup = true\n[okx]\n", ("kraken", "binance")),
    ],
)
async def test_a_group_without_names_is_what_the_configuration_says(
    written: str, ids: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / "planar.toml").write_text(written)
    async with planar.open(tmp_path / "planar.toml") as p:
        assert p.group().ids == ids
        assert p.group("okx").ids == ("okx",)
