"""Markets are loaded again by themselves: when they are old, and soon after an order was refused that they allowed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, cast

import pytest

import planar.runtime as runtime
from planar.errors import (
    BadSymbol,
    DuplicateOrderId,
    ExchangeNotAvailable,
    InsufficientFunds,
    InvalidOrder,
    MarketClosed,
    PlanarError,
)
from planar.exchange.market_keeper import MarketKeeper
from planar.models import Market

HOUR_MS = 3_600_000
MARKETS = cast("Mapping[str, Market]", {"BTC/USDT": None})


class Kept:
    """A keeper, and when it loads."""

    def __init__(self, every_ms: int = HOUR_MS) -> None:
        self.loads_s: list[float] = []
        self.errors: list[PlanarError] = []
        self.next = MARKETS
        self.age_ms = 0
        self.keeper = MarketKeeper("binance", self._load, every_ms)

    async def _load(self) -> Mapping[str, Market]:
        self.loads_s.append(runtime.monotonic())
        await runtime.sleep(1)
        if self.errors:
            raise self.errors.pop()
        self.keeper.loaded(self.next, self.age_ms)
        return self.next


def lived(life: Callable[[], Coroutine[Any, Any, list[float]]]) -> list[float]:
    """The whole seconds at which a keeper loaded, of a life that ends with it closed."""
    return [round(moment_s) for moment_s in runtime.simulate(life, seed=1)]


def test_markets_are_loaded_again_each_time_they_are_old() -> None:
    async def life() -> list[float]:
        kept, began_s = Kept(), runtime.monotonic()
        kept.keeper.loaded(MARKETS, 0)
        await runtime.sleep(3 * 3_600 + 10)
        await kept.keeper.close()
        return [moment_s - began_s for moment_s in kept.loads_s]

    assert lived(life) == [3_600, 7_201, 10_802]


@pytest.mark.parametrize(("age_ms", "first_s"), [(20 * HOUR_MS, 60), (HOUR_MS // 2, 1_800), (HOUR_MS - 1_000, 60)])
def test_old_markets_of_the_cache_are_loaded_soon_but_not_by_a_program_that_ends_at_once(
    age_ms: int, first_s: int
) -> None:
    async def life() -> list[float]:
        kept, began_s = Kept(), runtime.monotonic()
        kept.keeper.loaded(MARKETS, age_ms)
        await runtime.sleep(3_000)
        await kept.keeper.close()
        return [moment_s - began_s for moment_s in kept.loads_s]

    assert lived(life) == [first_s]


def test_markets_that_stay_old_since_the_program_is_offline_are_not_asked_for_each_minute() -> None:
    async def life() -> list[float]:
        kept, began_s = Kept(), runtime.monotonic()
        kept.age_ms = 30 * HOUR_MS
        kept.keeper.loaded(MARKETS, kept.age_ms)
        await runtime.sleep(4_000)
        await kept.keeper.close()
        return [moment_s - began_s for moment_s in kept.loads_s]

    assert lived(life) == [60, 3_661]


def test_what_was_loaded_by_the_program_counts() -> None:
    async def life() -> list[float]:
        kept, began_s = Kept(), runtime.monotonic()
        kept.keeper.loaded(MARKETS, 0)
        await runtime.sleep(3_000)
        kept.keeper.loaded(MARKETS, 0)
        await runtime.sleep(3_650)
        await kept.keeper.close()
        return [moment_s - began_s for moment_s in kept.loads_s]

    assert lived(life) == [6_600]


@pytest.mark.parametrize(
    ("error", "doubts"),
    [
        (InvalidOrder("the price is not a multiple of the tick"), True),
        (MarketClosed("halted"), True),
        (BadSymbol("not listed"), True),
        (InsufficientFunds("too little"), False),
        (DuplicateOrderId("again"), False),
    ],
)
def test_an_order_that_was_refused_against_the_markets_has_them_loaded_within_a_minute(
    error: PlanarError, doubts: bool
) -> None:
    async def life() -> list[float]:
        kept, began_s = Kept(), runtime.monotonic()
        kept.keeper.loaded(MARKETS, 0)
        await runtime.sleep(10)
        kept.keeper.refused(error)
        await runtime.sleep(1_000)
        for _ in range(100):  # one load for many refusals
            kept.keeper.refused(error)
            await runtime.sleep(0.1)
        await kept.keeper.close()
        return [moment_s - began_s for moment_s in kept.loads_s]

    assert lived(life) == ([60, 1_010] if doubts else [])


def test_what_cannot_be_loaded_is_a_warning_and_is_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    async def life() -> list[float]:
        kept, began_s = Kept(), runtime.monotonic()
        kept.errors = [ExchangeNotAvailable("it is down"), ExchangeNotAvailable("it is down")]
        kept.keeper.loaded(MARKETS, 0)
        await runtime.sleep(3_600 + 200)
        await kept.keeper.close()
        return [moment_s - began_s for moment_s in kept.loads_s]

    assert lived(life) == [3_600, 3_661, 3_722]
    assert caplog.text.count("binance: the markets could not be loaded again, and stay as they were: it is down") == 2


def test_never_is_never() -> None:
    async def life() -> list[float]:
        kept = Kept(every_ms=0)
        kept.keeper.loaded(MARKETS, 30 * HOUR_MS)
        kept.keeper.refused(MarketClosed("halted"))
        await runtime.sleep(100_000)
        await kept.keeper.close()
        return kept.loads_s

    assert lived(life) == []


def test_what_came_and_went_is_told(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")

    async def life() -> list[float]:
        kept = Kept()
        kept.next = cast("Mapping[str, Market]", dict.fromkeys((f"N{index:02}/USDT" for index in range(12)), None))
        kept.keeper.loaded(MARKETS, 0)
        await runtime.sleep(3_700)
        await kept.keeper.close()
        return kept.loads_s

    assert len(lived(life)) == 1
    assert "binance: 12 markets are new: N00/USDT, N01/USDT, " in caplog.text
    assert "N09/USDT and 2 more" in caplog.text
    assert "binance: 1 markets are gone: BTC/USDT" in caplog.text


async def test_closing_waits_for_nothing() -> None:
    kept = Kept()
    kept.keeper.loaded(MARKETS, 0)
    async with asyncio.timeout(1):
        await kept.keeper.close()
    await Kept().keeper.close()
