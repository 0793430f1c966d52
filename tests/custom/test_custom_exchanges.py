"""Custom exchanges: registered, opened, and held to the conformance kit, which sees each of the planted faults."""

from __future__ import annotations

import asyncio
import runpy
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import ccxt.async_support
import msgspec
import pytest
from aiohttp import web

import planar
from planar.adapters.profile import ClientIdRule
from planar.adapters.registry import unregister
from planar.doctor import diagnose
from planar.errors import AdapterError, ConfigError, GuardError
from planar.exchange.conformance import conformance
from planar.models import Amount, Balance, OrderState
from planar.testing.conformance import Scene, check_adapter

EXAMPLE = runpy.run_path(str(Path(__file__).parents[2] / "examples" / "12_stock_broker.py"), run_name="broker")
Broker, StockBroker = EXAMPLE["Broker"], EXAMPLE["StockBroker"]
replace = msgspec.structs.replace


@pytest.fixture
async def served() -> AsyncIterator[Any]:
    broker = Broker()
    runner = web.AppRunner(broker.app())
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    broker.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield broker
    await runner.cleanup()


@pytest.fixture(autouse=True)
def homes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("PLANAR_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("PLANAR_CACHE", str(tmp_path / "cache"))
    yield
    unregister("toybroker")


async def findings(broker: Any, body: dict[str, Any], tmp_path: Path) -> set[str]:
    kind = type("Toy", (StockBroker,), {"urls": {"live": broker.url}, **body})
    planar.register("toybroker", kind)
    secrets = tmp_path / "secrets.toml"
    secrets.write_text(f'[exchanges.toybroker]\napiKey = "k3y-of-broker"\nsecret = "{broker.secret}"\n')
    secrets.chmod(0o600)
    async with planar.open(secrets=secrets) as p:
        exchange = await p.exchange("toybroker", environment="live")
        scene = Scene(
            *("AAPL/USD", Amount(3), Amount(90), ("plabcdefgh000001wxyz", "plabcdefgh000002wxyz")),
            secrets=(broker.secret,),
        )
        return {one.rule for one in await check_adapter(exchange._adapter, scene)}


def changed(name: str, change: Any) -> dict[str, Any]:
    """A method whose answer is changed."""

    async def faulty(self: Any, *args: Any, **kwargs: Any) -> Any:
        return change(await getattr(super(type(self), self), name)(*args, **kwargs))

    return {name: faulty}


def order_with(**fields: Any) -> dict[str, Any]:
    return {"order": lambda self, row: replace(StockBroker.order(self, row), **fields)}


def falling() -> dict[str, Any]:
    return changed("query_order", lambda order: order and replace(order, filled=Amount(1)))


def book(**fields: Any) -> dict[str, Any]:
    return changed("fetch_order_book", lambda found: replace(found, **fields))


def balances(change: Any) -> dict[str, Any]:
    return changed(
        "fetch_balance", lambda found: replace(found, balances={k: change(v) for k, v in found.balances.items()})
    )


async def twice(self: Any, request: Any, *, timeout_ms: int, on_send: Any) -> Any:
    await StockBroker.submit(self, request, timeout_ms=timeout_ms, on_send=lambda: None)
    return await StockBroker.submit(self, request, timeout_ms=timeout_ms, on_send=on_send)


async def unjournaled(self: Any, request: Any, *, timeout_ms: int, on_send: Any) -> Any:
    return await StockBroker.submit(self, request, timeout_ms=timeout_ms, on_send=lambda: None)


def swallowing(name: str, answer: Any) -> dict[str, Any]:
    async def faulty(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return await getattr(StockBroker, name)(self, *args, **kwargs)
        except planar.PlanarError:
            return answer

    return {name: faulty}


async def patient(self: Any, *args: Any, timeout_ms: int) -> Any:
    return await StockBroker.fetch_order_book(self, *args, timeout_ms=5_000)


async def leaking(self: Any, *args: Any, **kwargs: Any) -> Any:
    self.kept = asyncio.create_task(asyncio.sleep(0.5), name="forgotten")
    return await StockBroker.fetch_balance(self, *args, **kwargs)


async def foreign(self: Any, *args: Any, **kwargs: Any) -> Any:
    raise KeyError("bid")


FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "float amounts": (balances(lambda row: replace(row, free=float(row.free))), "exact"),
    "lost client id": (order_with(client_order_id=None), "client id"),
    "seconds": (order_with(ts_ms=1_750_000_000), "milliseconds"),
    "wrong side": (order_with(side="sell"), "side"),
    "incremental fills": (falling(), "fills cumulative"),
    "invented status": (order_with(state=OrderState.FILLED), "state"),
    "cancel of unknown answered": (swallowing("cancel", None), "cancel of nothing"),
    "used missing": (balances(lambda row: replace(row, used=None)), "balance used"),
    "total wrong": (balances(lambda row: Balance(free=row.free, used=row.used, total=Amount(1))), "balance sum"),
    "book crossed": (book(bids=((101.0, 1.0),)), "book crossed"),
    "book unsorted": (book(bids=((98.0, 1.0), (99.0, 1.0))), "book unsorted"),
    "candles unsorted": (changed("fetch_ohlcv", lambda rows: rows[::-1]), "candles unsorted"),
    "candles duplicated": (changed("fetch_ohlcv", lambda rows: [rows[0], *rows]), "candles duplicated"),
    "open candle wrong": (
        changed("fetch_ohlcv", lambda rows: [*rows[:-1], replace(rows[-1], ts_ms=rows[-1].ts_ms + 7)]),
        "candle time",
    ),
    "another market": (book(symbol="MSFT/USD"), "book symbol"),
    "foreign error": ({"fetch_ticker": foreign}, "foreign error"),
    "error swallowed": (swallowing("fetch_open_orders", []), "error swallowed"),
    "timeout ignored": ({"fetch_order_book": patient}, "timeout ignored"),
    "created twice": ({"submit": twice}, "created once"),
    "failed query is None": (swallowing("query_order", None), "failed query"),
    "precision ignored": (order_with(amount=Amount("2.9")), "amount"),
    "secret in repr": ({"__repr__": lambda self: f"<Toy {dict(self.credentials)}>"}, "secret shown"),
    "task leaked": ({"fetch_balance": leaking}, "task leaked"),
    "journal not told": ({"submit": unjournaled}, "journal"),
}


async def test_the_unfaulted_toy_passes(served: Any, tmp_path: Path) -> None:
    assert await findings(served, {}, tmp_path) == set()


@pytest.mark.parametrize("name", FAULTS)
async def test_a_planted_fault_is_caught(name: str, served: Any, tmp_path: Path) -> None:
    body, rule = FAULTS[name]
    # a class of its own holds the fault, so that `super` finds the sound method
    found = await findings(served, body, tmp_path)
    assert rule in found, found


async def test_its_http_reaches_its_own_host_only(served: Any, tmp_path: Path) -> None:
    async def away(self: Any, symbol: str, params: Any, *, timeout_ms: int) -> Any:
        self.http._url = "http://localhost:1"
        return await self.http.request("GET", "/quote/AAPL", timeout_ms=timeout_ms)

    planar.register("toybroker", type("Toy", (StockBroker,), {"urls": {"live": served.url}, "fetch_ticker": away}))
    async with planar.open() as p:
        exchange = await p.exchange("toybroker", environment="live")
        assert exchange.health.breaker == "closed"
        assert exchange.budget()
        with pytest.raises(GuardError):
            await exchange.fetch_ticker("AAPL/USD")


@pytest.mark.parametrize(
    ("name", "kind", "text"),
    [
        ("binance", StockBroker, "one of CCXT's"),
        ("My Broker", StockBroker, "cannot be"),
        ("mybroker", dict, "no adapter"),
    ],
)
def test_what_cannot_be_registered_is_refused(name: str, kind: Any, text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        planar.register(name, kind)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"urls": {}}, "no `urls`"),
        ({"urls": {"production": "https://api.example.com"}}, "'production'"),
        ({"urls": {"live": "api.example.com"}}, "no URL"),
        ({"client_id": ClientIdRule()}, "find an order again"),
    ],
)
def test_what_would_fail_later_is_refused_at_once(body: dict[str, Any], text: str) -> None:
    with pytest.raises(ConfigError, match=text) as caught:
        planar.register("toybroker", type("Toy", (StockBroker,), body))
    assert caught.value.hint


async def raising(self: Any, *args: Any, **kwargs: Any) -> Any:
    raise TypeError(f"of {self.credentials['secret']}")


def giving(answer: Any) -> Any:
    async def given(self: Any, *args: Any, **kwargs: Any) -> Any:
        return answer

    return given


async def sent_then_lost(self: Any, *args: Any, **kwargs: Any) -> Any:
    await StockBroker.submit(self, *args, **kwargs)


GARBAGE: dict[str, tuple[dict[str, Any], str]] = {
    "raises": ({"fetch_ticker": raising}, r"Toy.fetch_ticker raised TypeError: of \*\*\* \(test_custom"),
    "None": ({"fetch_balance": giving(None)}, "Toy.fetch_balance gave None"),
    "text": ({"fetch_order_book": giving("no book")}, "Toy.fetch_order_book gave 'no book'"),
    "a wrong field": (order_with(filled=1.5), r"Toy.fetch_open_orders gave \[0\].filled = 1.5"),
}


@pytest.mark.parametrize("name", [*GARBAGE, "an order's answer"])
async def test_what_an_adapter_does_wrong_names_adapter_and_method(name: str, served: Any, tmp_path: Path) -> None:
    body, text = GARBAGE.get(name, ({"submit": sent_then_lost}, "Toy.submit gave None"))
    secrets = tmp_path / "secrets.toml"
    secrets.write_text(f'[exchanges.toybroker]\napiKey = "k3y-of-broker"\nsecret = "{served.secret}"\n')
    secrets.chmod(0o600)
    planar.register("toybroker", type("Toy", (StockBroker,), {"urls": {"live": served.url}, **body}))
    row = {"stock": "AAPL", "side": "buy", "type": "limit", "quantity": "1", "price": "90", "status": "open"}
    served.orders["o0"] = row | {"id": "o0", "client_id": "x", "filled": "0", "ms": served.ms}
    async with planar.open(secrets=secrets) as p:
        exchange = await p.exchange("toybroker", environment="live")
        if name == "an order's answer":  # the venue took it: the resolver finds it
            order = await exchange.create_limit_order("AAPL/USD", "buy", 2, 90)
            assert (order.state, len(served.orders)) == (OrderState.OPEN, 2)
            return
        calls = {
            "raises": lambda: exchange.fetch_ticker("AAPL/USD"),
            "None": lambda: exchange.fetch_balance(),
            "text": lambda: exchange.fetch_order_book("AAPL/USD"),
            "a wrong field": lambda: exchange.fetch_open_orders("AAPL/USD"),
        }
        with pytest.raises(AdapterError, match=text) as caught:
            await calls[name]()
        assert (caught.value.exchange, "correct" in str(caught.value.hint)) == ("toybroker", True)
        assert served.secret not in str(caught.value)


async def test_check_and_doctor_examine_a_custom_exchange(
    served: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    planar.register("toybroker", type("Toy", (StockBroker,), {"urls": {"live": served.url}}))
    (tmp_path / "secrets.toml").write_text(
        f'[exchanges.toybroker]\napiKey = "k3y-of-broker"\nsecret = "{served.secret}"\n'
    )
    (tmp_path / "secrets.toml").chmod(0o600)
    (tmp_path / "planar.toml").write_text('[toybroker]\nenvironment = "live"\n')
    async with planar.open() as p:
        exchange = await p.exchange("toybroker")
        made = await conformance(exchange, "AAPL/USD", live=True)
        assert not [one for one in made.blockers if one.group == "basic"], made.blockers
        assert exchange.can("watch_order_book")
        assert not exchange.can("watch_orders_for_symbols")
    found = await diagnose("toybroker", "AAPL/USD")
    failed = [one for one in found.checks if one.level == "fail" and one.check not in ("address", "tls")]
    assert failed == [], failed


def installed(home: Path, point: str) -> None:
    info = home / "toy_package-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toy-package\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[planar.adapters]\n{point}\n")
    source = "import planar\n\nclass Toy(planar.CustomAdapter):\n    urls = {'live': 'https://toy.example'}\n"
    names = [
        "list_markets",
        "fetch_order_book",
        "fetch_balance",
        "submit",
        "cancel",
        "query_order",
        "fetch_open_orders",
    ]
    source += "".join(f"\n    async def {name}(self, *args, **kwargs):\n        return []\n" for name in names)
    (home / "toy_package.py").write_text(source)


async def test_a_package_is_found_by_its_entry_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed(tmp_path / "site", "toyshop = toy_package:Toy")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    config = tmp_path / "planar.toml"
    config.write_text('[toyshop]\nenvironment = "live"\ntimeout = 7000\n')
    async with planar.open(config=config) as p:
        exchange = await p.exchange("toyshop")
        assert (exchange.id, exchange.symbols) == ("toyshop", [])
    sys.modules.pop("toy_package", None)


@pytest.mark.parametrize(
    "point", ["toyshop = toy_package:Missing", "kraken = toy_package:Toy", "toyshop = no_such:Toy"]
)
def test_a_broken_package_is_named(point: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from planar.adapters.registry import custom_class

    installed(tmp_path / "site", point)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    with pytest.raises(ConfigError, match="toy-package"):
        custom_class(point.split()[0])
    sys.modules.pop("toy_package", None)


async def test_a_class_of_ccxt_is_subclassed_under_a_new_id() -> None:
    class Mine(ccxt.async_support.kraken):
        pass

    planar.register("toybroker", Mine)
    async with planar.open() as p:
        exchange = await p.prepare("toybroker", environment="live")
        assert exchange.id == exchange.ccxt.id == "toybroker"
        assert isinstance(exchange.ccxt, Mine)
        await exchange.close()
