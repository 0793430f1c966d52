"""CCXT's adapters as classes: subclassed for classes that CCXT lacks, with the tables of those they descend from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import ccxt.async_support
import ccxt.pro
import msgspec
import pytest

import planar
from planar.adapters.binance import PROFILE
from planar.adapters.kraken import PROFILE as KRAKEN
from planar.adapters.registry import unregister
from planar.adapters.subtypes import profile_of
from planar.errors import BadResponse, ConfigError, GuardError, InsufficientFunds, NotSupported, Outcome
from planar.models import Amount, Ticker
from planar.testing.conformance import Scene, check_adapter
from planar.transport.meters import MeterSpec

ID = "mine"
OWN = {"api": {"public": "https://api.mine.example/api/v3", "private": "https://api.mine.example/api/v3"}}


class OfBinance(ccxt.pro.binance):
    """A class that CCXT does not have, of an exchange that it has."""


class Elsewhere(ccxt.async_support.binance):
    """The same protocol at a place of its own."""

    def describe(self) -> Any:
        return self.deep_extend(super().describe(), {"id": "elsewhere", "urls": OWN}) | {
            "urls": {**super().describe()["urls"], **OWN, "test": None, "demo": None},
        }


@pytest.fixture(autouse=True)
def forgotten(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("STATE", "CACHE"):
        monkeypatch.setenv(f"PLANAR_{name}", f"{tmp_path}/{name}")
    monkeypatch.chdir(tmp_path)
    yield
    unregister(ID)


async def test_a_class_of_ccxt_keeps_the_tables_of_its_parent_and_conforms() -> None:
    planar.register(ID, OfBinance)
    assert profile_of(ID) == msgspec.structs.replace(PROFILE, id=ID)
    async with planar.open(private_venue=True) as p:
        exchange = await p.exchange(ID, environment="local", enableRateLimit=False)
        assert (exchange.id, type(exchange.ccxt).__mro__.index(OfBinance) > 0) == (ID, True)
        assert exchange.can("create_order", post_only=True).how == "native"
        with pytest.raises(InsufficientFunds, match=f"^{ID}: ") as caught:
            await exchange.create_limit_order("BTC/USDT", "sell", "100", 70_000)
        assert caught.value.outcome in (Outcome.REFUSED, Outcome.NOT_SENT)
        price = Amount(int((await exchange.fetch_order_book("BTC/USDT")).bids[0][0] * 0.9))
        scene = Scene("BTC/USDT", Amount("0.001"), price, ("plabcdefgh00001wxy", "plabcdefgh00002wxy"))
        assert await check_adapter(exchange._adapter, scene) == []


async def test_an_adapter_is_subclassed_with_other_tables_and_primitives() -> None:
    meters = (MeterSpec("public", 7, 1_000), *(spec for spec in KRAKEN.meters if spec.name != "public"))

    class Mine(planar.ccxt_adapter("kraken")):
        changes: ClassVar = {"meters": meters}

        async def fetch_ticker(self, symbol: str, params: Any, *, timeout_ms: int) -> Ticker:
            return msgspec.structs.replace(await super().fetch_ticker(symbol, params, timeout_ms=timeout_ms), vwap=1.0)

    planar.register(ID, Mine)
    made = profile_of(ID)
    assert (made.id, made.meters, made.errors, made.hosts) == (ID, meters, KRAKEN.errors, KRAKEN.hosts)
    async with planar.open(private_venue=True) as p:
        exchange = await p.exchange(ID, environment="local")
        assert isinstance(exchange._adapter, Mine)
        assert (await exchange.fetch_ticker("BTC/USDT")).vwap == 1.0
        assert exchange.budget()["public"][1] == 7
        order = await exchange.create_limit_order("BTC/USDT", "buy", "0.001", 20_000)
        assert (await exchange.cancel_order(order.id or "", "BTC/USDT")).state.value == "canceled"


async def test_a_class_with_urls_of_its_own_reaches_these_alone() -> None:
    class Mine(planar.ccxt_adapter("binance")):
        ccxt_class = Elsewhere

    planar.register(ID, Mine)
    assert profile_of(ID).hosts == {}
    assert profile_of(ID).errors == PROFILE.errors
    async with planar.open() as p:
        live = await p.prepare(ID, environment="live")
        with pytest.raises(GuardError):
            await live.ccxt.fetch("https://api.binance.com/api/v3/time")
        with pytest.raises(NotSupported, match="no sandbox environment"):
            await p.prepare(ID, environment="sandbox")
        await live.close()


async def test_a_class_that_descends_from_no_exchange_of_ccxt() -> None:
    class New(ccxt.async_support.Exchange):
        def describe(self) -> Any:
            return self.deep_extend(super().describe(), {"id": "new", "urls": OWN, "has": {"fetchTicker": True}})

        async def fetch_ticker(self, symbol: str, params: Any = None) -> Any:
            raise KeyError("bid")

    class Mine(planar.CcxtAdapter):
        ccxt_class = New
        changes: ClassVar = {"meters": (MeterSpec("all", 3, 1_000),)}

    planar.register(ID, Mine)
    made = profile_of(ID)
    assert (made.id, made.hosts, made.meters[0].name) == (ID, {}, "all")
    async with planar.open() as p:
        live = await p.prepare(ID, environment="live")
        assert (type(live.ccxt).__mro__.index(New) > 0, live.budget()["all"][1]) == (True, 3)
        with pytest.raises(GuardError):
            await live.ccxt.fetch("https://api.binance.com/api/v3/time")
        with pytest.raises(BadResponse, match="bid"):
            await live._adapter.fetch_ticker("BTC/USDT", {}, timeout_ms=1_000)
        with pytest.raises(NotSupported, match="no sandbox environment"):
            await p.prepare(ID, environment="sandbox")
        await live.close()


def test_what_cannot_be_said_why() -> None:
    with pytest.raises(NotSupported, match="binanse") as caught:
        planar.ccxt_adapter("binanse")
    assert "binance" in str(caught.value.hint)

    class Mine(planar.ccxt_adapter("binance")):
        changes: ClassVar = {"meter": ()}

    planar.register(ID, Mine)
    with pytest.raises(ConfigError, match="'meter'") as wrong:
        profile_of(ID)
    assert "meters" in str(wrong.value.hint)

    class Odd(planar.ccxt_adapter("binance")):
        ccxt_class = dict

    with pytest.raises(ConfigError, match="no adapter"):
        planar.register("odd", Odd)

    class Nothing(planar.CcxtAdapter):
        pass

    with pytest.raises(ConfigError, match="no adapter") as bare:
        planar.register("odd", Nothing)
    assert "ccxt_class" in str(bare.value.hint)
