"""CCXT instances whose tables come from the cache behave as those that loaded their markets themselves."""

from __future__ import annotations

import copy
import json
import operator
import pickle
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import orjson
import pytest
import synthetic_markets as synthetic

from planar.adapters.ccxt_markets import (
    LEARNED_OPTIONS,
    UNDECODED,
    LazyDict,
    MarketTable,
    RawInfo,
    capture,
    install,
)
from planar.adapters.lazy_ccxt import package_names
from planar.adapters.market_file import MarketFile, MarketsKey, encode
from planar.models import Amount, Market

KEY = MarketsKey("binance", "4.5.90", "live")


@pytest.fixture(scope="module")
def loaded() -> Any:
    """An instance that parsed its markets itself."""
    return synthetic.binance(600)


@pytest.fixture(scope="module")
def data(loaded: Any) -> bytes:
    return encode(capture(loaded), KEY, 1)


@pytest.fixture
def cached(data: bytes) -> Any:
    """An instance whose tables come from a file."""
    exchange = synthetic.binance()
    install(MarketFile(data).tables(), exchange)
    return exchange


def decoded(table: dict[str, Any]) -> int:
    """How many values of a table have been made."""
    return sum(dict.__getitem__(table, key) is not UNDECODED for key in dict.keys(table))


def test_all_tables_are_equal_to_those_that_ccxt_made(loaded: Any, cached: Any) -> None:
    assert list(cached.markets) == list(loaded.markets)
    assert cached.markets == loaded.markets
    assert cached.symbols == loaded.symbols
    assert cached.ids == loaded.ids
    assert cached.codes == loaded.codes
    assert cached.currencies == loaded.currencies
    assert cached.currencies_by_id == loaded.currencies_by_id
    assert list(cached.markets_by_id) == list(loaded.markets_by_id)
    for market_id, entries in loaded.markets_by_id.items():
        assert [entry["symbol"] for entry in cached.markets_by_id[market_id]] == [e["symbol"] for e in entries]
        assert all(type(entry) is dict for entry in cached.markets_by_id[market_id])
    assert repr(cached.markets["BTC/USDT"]["precision"]) == repr(loaded.markets["BTC/USDT"]["precision"])


def test_a_market_found_by_its_id_is_the_market_of_its_symbol(cached: Any) -> None:
    assert cached.markets_by_id["BTCUSD_PERP"][0] is cached.markets["BTC/USD:BTC"]
    assert cached.currencies_by_id["BTC"] is cached.currencies["BTC"]


CALLS: dict[str, Callable[[Any], Any]] = {
    "market": lambda e: e.market("ETH/USDT"),
    "market by id": lambda e: e.market("BTCUSD_PERP")["symbol"],
    "market by shared id": lambda e: e.market("BTCUSDT")["symbol"],
    "no market": lambda e: e.market("NO/WAY"),
    "safe_market": lambda e: e.safe_market("BTCUSDT", None, None, "swap")["symbol"],
    "safe_market, ambiguous": lambda e: e.safe_market("BTCUSDT"),
    "safe_market, unknown": lambda e: e.safe_market("XXXUSDT", None, None, "spot"),
    "market_id": lambda e: e.market_id("BTC/USDT:USDT"),
    "market_symbols": lambda e: e.market_symbols(["BTCUSD_PERP", "ETH/USDT"]),
    "safe_symbol": lambda e: e.safe_symbol("BTCUSDT_260626", None, None, "future"),
    "currency": lambda e: e.currency("BTC"),
    "no currency": lambda e: e.currency("NOWAY"),
    "safe_currency": lambda e: e.safe_currency("USDT"),
    "price_to_precision": lambda e: e.price_to_precision("BTC/USDT", 1234.56789),
    "amount_to_precision": lambda e: e.amount_to_precision("BTC/USDT", 0.123456789),
    "calculate_fee": lambda e: e.calculate_fee("BTC/USDT", "limit", "buy", 1, 100),
    "filter_by": lambda e: [m["id"] for m in e.filter_by(e.markets, "future", True)],
    "filterBy": lambda e: [m["id"] for m in e.filterBy(e.markets, "type", "swap")],
    "group_by": lambda e: {key: len(found) for key, found in e.group_by(e.markets, "type").items()},
    "to_array": lambda e: [m["symbol"] for m in e.to_array(e.markets)],
    "index_by": lambda e: sorted(e.index_by(e.markets, "id")),
    "keysort": lambda e: list(e.keysort(e.markets)),
    "sort_by": lambda e: [m["symbol"] for m in e.sort_by(e.to_array(e.markets), "symbol")],
    "deep_extend": lambda e: e.deep_extend(e.currencies, {"BTC": {"name": "Bitcoin"}})["BTC"],
    "deep_extend a market": lambda e: e.deep_extend(e.market("BTC/USDT"), {"info": {"status": "BREAK"}})["info"],
    "extend": lambda e: e.extend(e.markets, {"X": 1})["BTC/USDT"]["id"],
    "extend a market": lambda e: e.extend(e.market("BTC/USDT"), {"x": 1}),
    "omit": lambda e: len(e.omit(e.markets, ["BTC/USDT"])),
    "safe_dict": lambda e: e.safe_dict(e.markets, "BTC/USDT")["id"],
    "safe_list of info": lambda e: e.safe_list(e.market("BTC/USDT")["info"], "orderTypes"),
    "safe_string_2 of info": lambda e: e.safe_string_2(e.market("BTC/USDT")["info"], "nothing", "status"),
    "set_markets again": lambda e: len(e.set_markets(e.markets)),
    "parse_ticker": lambda e: e.parse_ticker({"symbol": "ETHUSDT", "lastPrice": "1.5"}, e.market("ETH/USDT"))["last"],
}


@pytest.mark.parametrize("name", CALLS)
def test_ccxt_answers_as_ever(name: str, loaded: Any, cached: Any) -> None:
    def answer(exchange: Any) -> Any:
        try:
            return CALLS[name](exchange)
        except Exception as error:
            return type(error).__name__, str(error)

    assert answer(cached) == answer(loaded)


async def test_load_markets_asks_for_nothing(cached: Any) -> None:
    async def refuse(*args: Any, **kwargs: Any) -> None:
        raise AssertionError("a request was made")

    cached.fetch = refuse
    assert await cached.load_markets() is cached.markets


def test_only_what_is_asked_for_is_decoded(cached: Any) -> None:
    assert len(cached.markets) == 600
    assert "BTC/USDT" in cached.markets
    assert decoded(cached.markets) == decoded(cached.currencies) == 0
    market = cached.market("BTC/USDT")
    assert type(market) is dict
    assert decoded(cached.markets) == 1
    assert cached.market("BTC/USDT") is market
    info = market["info"]
    assert info.raw is not None
    assert cached.safe_string(info, "status") == "TRADING"
    assert info.raw is None


ACTIONS: dict[str, Callable[[Any], Any]] = {
    "items": lambda d: list(d.items()),
    "values": lambda d: list(d.values()),
    "keys": lambda d: list(d.keys()),
    "iteration": list,
    "reversed": lambda d: list(reversed(d)),
    "len": len,
    "truth": bool,
    "in": lambda d: ("a" in d, "z" in d),
    "item": lambda d: d["a"],
    "missing item": lambda d: d["z"],
    "get": lambda d: (d.get("a"), d.get("z"), d.get("z", 7)),
    "dict()": dict,
    "**": lambda d: {**d},
    "keyword arguments": lambda d: dict(x=1, **d),
    "update another": lambda d: (other := {"b": 0}, other.update(d), other),
    "update": lambda d: (d.update(c=3), dict(d)),
    "|": lambda d: d | {"c": 3},
    "reflected |": lambda d: {"c": 3, "b": 0} | d,
    "|=": lambda d: (d.__ior__({"c": 3}), dict(d))[1],
    "==": lambda d: (d == PLAIN, d == {}, d != PLAIN, operator.eq(PLAIN, d), operator.ne(PLAIN, d)),
    "copy": lambda d: (type(d.copy()) is dict, d.copy()),
    "copy.copy": lambda d: (type(copy.copy(d)) is dict, copy.copy(d)),
    "copy.deepcopy": lambda d: (type(copy.deepcopy(d)) is dict, copy.deepcopy(d)),
    "pickle": lambda d: pickle.loads(pickle.dumps(d)),
    "json": json.dumps,
    "indented json": lambda d: json.dumps({"x": d}, indent=1, sort_keys=True),
    "repr": repr,
    "set": lambda d: (d.__setitem__("b", 3), d.__setitem__("c", 4), dict(d)),
    "del": lambda d: (d.__delitem__("a"), dict(d)),
    "pop": lambda d: (d.pop("a"), dict(d)),
    "popitem": lambda d: (d.popitem(), dict(d)),
    "setdefault": lambda d: (d.setdefault("a", 9), d.setdefault("c", 9), dict(d)),
    "clear": lambda d: (d.clear(), dict(d), len(d)),
    "sorted": sorted,
    "fill while iterating": lambda d: [d[key] for key in d],
}
PLAIN = {"a": [1], "b": "two"}


@pytest.mark.parametrize(
    "make",
    [
        lambda: LazyDict(PLAIN, lambda key: copy.deepcopy(PLAIN[key])),
        lambda: RawInfo(memoryview(json.dumps(PLAIN).encode())),
    ],
    ids=["LazyDict", "RawInfo"],
)
@pytest.mark.parametrize("name", ACTIONS)
def test_they_behave_as_dicts(name: str, make: Callable[[], dict[str, Any]]) -> None:
    def answer(value: dict[str, Any]) -> Any:
        try:
            return ACTIONS[name](value)
        except Exception as error:
            return type(error), str(error)

    assert answer(make()) == answer(copy.deepcopy(PLAIN))
    assert isinstance(make(), dict)


@pytest.mark.parametrize("write", [orjson.dumps, msgspec.json.encode, msgspec.msgpack.encode])
def test_code_that_reads_past_the_methods_fails_or_is_right(write: Callable[[Any], bytes], cached: Any) -> None:
    for value in (cached.markets, cached.market("BTC/USDT")["info"]):
        with pytest.raises(TypeError):
            write(value)
        copied = dict(value)  # and with a plain copy, or after the first look, it works
        assert write(dict.fromkeys(copied, 1))
    assert write(cached.market("BTC/USDT")["info"])


def test_venues_whose_info_is_no_object(loaded: Any) -> None:
    exchange = synthetic.binance(40)
    exchange.markets["BTC/USDT"]["info"] = ["btcusd", [1, None]]
    del exchange.markets["ETH/USDT"]["info"]
    other = synthetic.binance()
    install(MarketFile(encode(capture(exchange), KEY, 1)).tables(), other)
    assert other.market("BTC/USDT")["info"] == ["btcusd", [1, None]]
    assert "info" not in other.market("ETH/USDT")


def test_markets_whose_symbol_another_has_taken_are_found_by_id() -> None:
    exchange = synthetic.binance()
    first, second = (synthetic.contract_symbol("BTC", "USDT", "USDT", name) for name in ("BTCUSDT", "BTCUSDT_NEW"))
    synthetic.load_rows(exchange, [first, second, synthetic.spot_symbol("ETH", "USDT")])
    other = synthetic.binance()
    install(MarketFile(encode(capture(exchange), KEY, 1)).tables(), other)
    assert other.symbols == ["BTC/USDT:USDT", "ETH/USDT"]
    assert other.market("BTC/USDT:USDT")["id"] == "BTCUSDT_NEW"
    assert other.safe_market("BTCUSDT")["id"] == "BTCUSDT"
    assert other.safe_market("BTCUSDT") is other.safe_market("BTCUSDT")


def test_options_that_came_with_the_markets_come_back() -> None:
    exchange = synthetic.binance(40)
    exchange.options["marketHelperProps"] = ["marketsByAltname", "delisted", "hip3"]
    exchange.options["marketsByAltname"] = {"XBTUSDT": exchange.markets_by_id["BTCUSDT"][0]}
    exchange.options["delisted"] = {}
    exchange.options["hip3"] = {"flx:X": {"quote": "USDH", "code": "FLX-X"}}
    exchange.options["networkNamesByChainIds"] = {"usdterc20": "ERC20"}
    exchange.options["accessToken"] = "never kept"
    exchange.commonCurrencies["XXBT"] = "BTC"
    data = encode(capture(exchange), KEY, 1)
    assert b"never kept" not in data
    other = synthetic.binance(options={"networks": {"ERC20": "MINE"}})
    install(MarketFile(data).tables(), other)
    assert other.options["marketsByAltname"]["XBTUSDT"] is other.markets["BTC/USDT"]
    assert other.options["hip3"] == exchange.options["hip3"]
    assert other.options["networkNamesByChainIds"] == {"usdterc20": "ERC20"}
    assert other.options["networks"]["ERC20"] == "MINE"
    assert other.commonCurrencies["XXBT"] == "BTC"


def test_a_reload_replaces_the_maps_of_markets(data: bytes) -> None:
    exchange = synthetic.binance(40)
    exchange.options["marketHelperProps"] = ["marketsByAltname"]
    exchange.options["marketsByAltname"] = {"XBTUSDT": exchange.markets["BTC/USDT"]}
    content = encode(capture(exchange), KEY, 1)
    for _ in range(2):
        tables = MarketFile(content).tables()
        install(tables, exchange)
        assert exchange.options["marketsByAltname"]["XBTUSDT"] is tables.markets["BTC/USDT"]


def test_with_credentials_the_info_of_currencies_is_not_kept() -> None:
    exchange = synthetic.binance(40, apiKey="k", secret="s")
    exchange.currencies["BTC"]["info"] = {"free": "12.345"}
    exchange.currencies["BTC"]["networks"] = {"BTC": {"id": "BTC", "info": {"free": "12.345"}}, "X": None}
    data = encode(capture(exchange), KEY, 1)
    assert b"12.345" not in data
    other = synthetic.binance()
    install(MarketFile(data).tables(), other)
    assert other.currencies["BTC"]["info"] is None
    assert other.currencies["BTC"]["networks"] == {"BTC": {"id": "BTC", "info": None}, "X": None}
    assert exchange.currencies["BTC"]["info"] == {"free": "12.345"}


@pytest.mark.parametrize("value", [Amount("1.5"), (1, 2), float("nan"), 2**70, object()])
def test_a_value_that_would_not_come_back_is_refused(value: Any) -> None:
    for place in ("market", "info") if value != 2**70 else ("market",):  # JSON knows integers of any length
        exchange = synthetic.binance(40)
        market = exchange.markets["ETH/USDT"]
        (market if place == "market" else market["info"])["odd"] = value
        with pytest.raises(ValueError, match=r"ETH/USDT cannot be kept"):
            encode(capture(exchange), KEY, 1)


def test_models_are_made_one_by_one(cached: Any) -> None:
    table: Mapping[str, Market] = MarketTable("binance", cached.markets, cached.precisionMode)
    assert len(table) == 600
    assert list(table) == list(cached.markets)
    assert "BTC/USDT" in table
    assert "NO/WAY" not in table
    assert table.get("NO/WAY") is None
    with pytest.raises(KeyError):
        table["NO/WAY"]
    assert decoded(cached.markets) == 0
    market = table["BTC/USDT"]
    assert decoded(cached.markets) == 1
    assert table["BTC/USDT"] is market
    assert (market.id, market.precision.price, market.active) == ("BTCUSDT", Amount("0.01"), True)
    assert cached.markets["BTC/USDT"]["info"].raw is not None
    assert isinstance(market.raw, msgspec.Raw)
    assert market.info["orderTypes"] == synthetic.SPOT_ORDER_TYPES
    cached.markets["ETH/USDT"]["info"]["status"] = "MINE"
    assert table["ETH/USDT"].info["status"] == "MINE"


TRANSIENT = {
    "_temp_currencies_chains",
    "_temp_currencies_statuses",
    "crossMarginPairsData",
    "exchangeInfo",
    "fetchCurrencies",
    "fetchMarkets",
    "isolatedMarginPairsData",
    "tradingPairs",
}
"""Options that CCXT fills while it loads markets and reads only while it loads them."""

REBUILT = {"currenciesByNumericId", "marketsByNumericId"}
"""Options that `load_markets` itself makes from the tables, be they cached or not."""

HELPERS = {"marketsByAltname", "delistedMarketsById", "hip3TokensByName", "cachedCurrenciesById"}
"""Options that their exchanges name in `marketHelperProps`."""


def test_every_option_that_ccxt_fills_while_loading_is_known() -> None:
    found = set(_filled_while_loading())
    assert found - set(LEARNED_OPTIONS) - TRANSIENT - REBUILT - HELPERS == set()
    assert set(LEARNED_OPTIONS) <= found


def _filled_while_loading() -> Iterator[str]:
    import importlib.util

    assert package_names("ccxt.async_support") is not None
    spec = importlib.util.find_spec("ccxt")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    loading = re.compile(r"(fetch|load|parse)_\w*(market|currenc)\w*\(|fetch_spot\w*\(|set_markets\(")
    for path in sorted(Path(spec.submodule_search_locations[0], "async_support").glob("*.py")):
        for function in re.split(r"\n    (?:async )?def ", path.read_text(encoding="utf-8"))[1:]:
            if loading.match(function):
                yield from re.findall(r"self\.options\['(\w+)'\](?:\[[^\]]*\])* = ", function)
