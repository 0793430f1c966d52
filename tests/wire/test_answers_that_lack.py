"""A 200 that is no answer to what was asked is an error of the right class, for every principal call of both venues:
never an empty list, a ticker without a price, an order without an id."""

from __future__ import annotations

import gzip
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from outcome_kit import GOOD, HTML, SYMBOL, Front, Opener, kraken, open_front

from planar.errors import BadResponse, ExchangeError, OrderUnknown, Outcome, PlanarError
from planar.exchange import Exchange
from planar.transport import retries

Call = Callable[[Exchange], Awaitable[Any]]
CALLS: dict[str, Call] = {
    "ticker": lambda e: e.fetch_ticker(SYMBOL),
    "book": lambda e: e.fetch_order_book(SYMBOL),
    "candles": lambda e: e.fetch_ohlcv(SYMBOL, "1m"),
    "trades": lambda e: e.fetch_trades(SYMBOL),
    "balance": lambda e: e.fetch_balance(),
    "order": lambda e: e.fetch_order("OAAAAA-BBBBB-CCCCCC" if e.id == "kraken" else "17", SYMBOL),
    "open": lambda e: e.fetch_open_orders(SYMBOL),
    "fills": lambda e: e.fetch_my_trades(SYMBOL),
    "past": lambda e: e.fetch_orders(SYMBOL),
    "create": lambda e: e.create_limit_buy_order(SYMBOL, "0.01", 20_000, timeout_ms=300),
    "cancel": lambda e: e.cancel_order("OAAAAA-BBBBB-CCCCCC" if e.id == "kraken" else "17", SYMBOL, timeout_ms=300),
}
PATHS: dict[str, dict[str, str]] = {
    "binance": {
        "ticker": "GET /api/v3/ticker/24hr",
        "book": "GET /api/v3/depth",
        "candles": "GET /api/v3/klines",
        "trades": "GET /api/v3/aggTrades",
        "balance": "GET /api/v3/account",
        "order": "GET /api/v3/order",
        "open": "GET /api/v3/openOrders",
        "fills": "GET /api/v3/myTrades",
        "past": "GET /api/v3/allOrders",
        "create": "POST /api/v3/order",
        "cancel": "DELETE /api/v3/order",
    },
    "kraken": {
        "ticker": "GET /0/public/Ticker",
        "book": "GET /0/public/Depth",
        "candles": "GET /0/public/OHLC",
        "trades": "GET /0/public/Trades",
        "balance": "POST /0/private/BalanceEx",
        "order": "POST /0/private/QueryOrders",
        "open": "POST /0/private/OpenOrders",
        "fills": "POST /0/private/TradesHistory",
        "past": "POST /0/private/ClosedOrders",
        "create": "POST /0/private/AddOrder",
        "cancel": "POST /0/private/CancelOrder",
    },
}
WRITES = ("create", "cancel")
JSON = {"Content-Type": "application/json"}

Body = str | bytes
ALWAYS: dict[str, tuple[Body, dict[str, str]]] = {
    "html": (HTML, {}),
    "empty": ("", JSON),
    "blank": (" \n ", JSON),
    "null": ("null", JSON),
    "number": ("17", JSON),
    "text": ('"ok"', JSON),
    "true": ("true", JSON),
    "nothing": ("{}", JSON),
    "another": ('{"success": true}', JSON),
    "list of nothing": ("[null]", JSON),
    "list of numbers": ("[1, 2]", JSON),
    "list of nothing in it": ("[{}]", JSON),
    "gzip": (b"\x1f\x8b\x08\x00not gzip at all", {**JSON, "Content-Encoding": "gzip"}),
    "half of gzip": (gzip.compress(b'{"a": 1}')[:-6], {**JSON, "Content-Encoding": "gzip"}),
    "not utf-8": (b'\xff\xfe{"a": 1}', JSON),
}
LACKING: dict[str, dict[str, list[Any]]] = {
    "binance": {
        "ticker": [[], {"symbol": "BTCUSDT"}, {"symbol": "BTCUSDT", "lastPrice": None}, {"lastPrice": "1"}],
        "book": [[], {"bids": []}, {"lastUpdateId": 1, "asks": []}, {"lastUpdateId": 1, "bids": None, "asks": []}],
        "candles": [{"data": []}, [["x"]], [[1]], [[1_700_000_000_000, None, "2", "1", "2", "3"]]],
        "trades": [{"data": []}, [{"a": 1}], [{"a": 1, "p": None, "q": "1"}]],
        "balance": [[], {"makerCommission": 0}, {"balances": None}, {"balances": [{"asset": "BTC"}]}],
        "order": [[], {"orderId": 17}, {"symbol": "BTCUSDT", "status": "NEW"}],
        "open": [{"orders": []}, [{"orderId": 17}], [{"symbol": "BTCUSDT", "orderId": 1, "status": "?"}]],
        "fills": [{"fills": []}, [{"id": 1}], [{"symbol": "BTCUSDT", "id": 1, "orderId": 1, "price": "1"}]],
        "past": [{"orders": []}, [{"orderId": 17}]],
        "create": [[], {"symbol": "BTCUSDT", "clientOrderId": "x"}, {"orderId": None, "symbol": "BTCUSDT"}],
        "cancel": [[], {"symbol": "BTCUSDT"}, {"orderId": 17}],
    },
    "kraken": {
        name: [[], {"error": []}, {"error": [], "result": None}, {"error": [], "result": []}, *more]
        for name, more in {
            "ticker": [kraken({}), kraken({"XBTUSDT": {}}), kraken({"XBTUSDT": None})],
            "book": [kraken({}), kraken({"XBTUSDT": {"bids": []}}), kraken({"ETHUSDT": {"bids": [], "asks": []}})],
            "candles": [
                kraken({}),
                kraken({"last": 1}),
                kraken({"ETHUSDT": [], "last": 1}),
                kraken({"XBTUSDT": [[1]]}),
            ],
            "trades": [kraken({}), kraken({"last": "1"}), kraken({"ETHUSDT": [], "last": "1"})],
            "balance": [kraken({"XXBT": {}})],
            "order": [kraken({}), kraken({"OAAAAA-BBBBB-CCCCCC": {}}), kraken({"OAAAAA-BBBBB-CCCCCC": {"vol": "1"}})],
            "open": [kraken({}), kraken({"closed": {}}), kraken({"open": None}), kraken({"open": {"O": {}}})],
            "fills": [kraken({}), kraken({"count": 0}), kraken({"trades": None}), kraken({"trades": {"T": {}}})],
            "past": [kraken({}), kraken({"count": 0}), kraken({"open": {}}), kraken({"closed": {"O": {}}})],
            "create": [kraken({}), kraken({"descr": {}}), kraken({"txid": None}), kraken({"txid": []})],
            "cancel": [kraken({}), kraken({"pending": True})],
        }.items()
    },
}
EVERY = [(venue, name) for venue, names in PATHS.items() for name in names]


@pytest.fixture(autouse=True)
def once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "TRIES", 1)


@pytest.fixture
def venue() -> str:
    return "binance"


@pytest.fixture
async def fronts(tmp_path: Path, venue: str) -> AsyncIterator[tuple[Front, Opener]]:
    async with open_front(venue, tmp_path) as made:
        yield made


async def failing(exchange: Exchange, name: str) -> PlanarError | Any:
    """The error of the call, or what it returned."""
    try:
        return await CALLS[name](exchange)
    except PlanarError as error:
        return error


def check(error: PlanarError | Any, name: str, said: object) -> None:
    """An error of our own: of a query that nothing was answered, of a WRITE that nobody knows what became of it."""
    assert isinstance(error, PlanarError), f"{said!r} was taken for {error!r}"
    if isinstance(error, OrderUnknown):
        assert name == "create"
        error = error.__cause__
        assert isinstance(error, PlanarError)
    assert isinstance(error, BadResponse | ExchangeError), repr(error)
    assert error.outcome in (Outcome.UNKNOWN, Outcome.OK) if name in WRITES else error.outcome is Outcome.UNKNOWN
    assert error.retryable is (name not in WRITES), repr(error)
    assert error.hint
    assert error.requests, "the request does not hang on the error"


@pytest.mark.parametrize(("venue", "name"), EVERY)
async def test_a_good_answer_is_taken(venue: str, name: str, fronts: tuple[Front, Opener]) -> None:
    """With another content type too, or with none; the answers below are refused for what they lack."""
    front, opener = fronts
    good = GOOD[venue][PATHS[venue][name]]
    async with opener(pacing=False) as exchange:
        for headers in ({}, {"Content-Type": "text/plain"}, {"Content-Type": "application/octet-stream"}):
            front.tell(PATHS[venue][name], good, **headers)
            result = await failing(exchange, name)
            assert not isinstance(result, PlanarError), repr(result)
            assert front.asked() >= 1
        if name == "create":
            return  # its answer names the order, and is made for each
        packed = {"Content-Encoding": "gzip", **JSON}
        front.tell(PATHS[venue][name], gzip.compress(json.dumps(good).encode()), **packed)
        assert not isinstance(await failing(exchange, name), PlanarError)


@pytest.mark.parametrize(("venue", "name"), [one for one in EVERY if one[1] not in WRITES])
async def test_a_query_is_never_answered_by_what_lacks_the_answer(
    venue: str, name: str, fronts: tuple[Front, Opener]
) -> None:
    front, opener = fronts
    at = PATHS[venue][name]
    good = json.dumps(GOOD[venue][at])
    cut: list[tuple[Body, dict[str, str]]] = [(good[: len(good) // 2], JSON), (good[:-1], JSON)]
    lacking: list[tuple[Body, dict[str, str]]] = [(json.dumps(body), JSON) for body in LACKING[venue][name]]
    async with opener(pacing=False) as exchange:
        for body, headers in [*ALWAYS.values(), *cut, *lacking]:
            front.tell(at, body, **headers)
            check(await failing(exchange, name), name, body)
            assert front.asked() == 1


@pytest.mark.parametrize(("venue", "name"), [one for one in EVERY if one[1] in WRITES])
async def test_what_changes_something_is_unknown_after_what_lacks_the_answer(
    venue: str, name: str, fronts: tuple[Front, Opener]
) -> None:
    front, opener = fronts
    at = PATHS[venue][name]
    good = json.dumps(GOOD[venue][at])
    kinds = ("html", "empty", "null", "nothing", "another", "gzip")
    bodies: list[tuple[Body, dict[str, str]]] = [ALWAYS[kind] for kind in kinds]
    bodies += [(good[:-1], JSON), *((json.dumps(body), JSON) for body in LACKING[venue][name])]
    async with opener(pacing=False) as exchange:
        await exchange.reconcile()
    for body, headers in bodies:
        async with opener(pacing=False) as exchange:
            await exchange.reconcile()
            front.tell(at, body, **headers)
            check(await failing(exchange, name), name, body)
            assert front.asked() == 1 or name == "cancel", "a WRITE that is no cancel is sent once"


@pytest.mark.parametrize("body", [HTML, "{}", "[]", '{"cancelResult":"SUCCESS"}', '{"newOrderResponse":{}}'])
async def test_a_replacement_whose_answer_lacks_the_order_is_unknown(body: str, fronts: tuple[Front, Opener]) -> None:
    front, opener = fronts
    at = "POST /api/v3/order/cancelReplace"
    async with opener(pacing=False) as exchange:
        await exchange.reconcile()
        front.tell(at, body)
        with pytest.raises(OrderUnknown) as caught:
            await exchange.edit_order("17", SYMBOL, "limit", "buy", "0.01", 21_000, timeout_ms=300)
        assert front.asked() == 1
        check(caught.value, "create", body)


async def test_a_byte_order_mark_before_good_json_is_no_reason_to_lie(fronts: tuple[Front, Opener]) -> None:
    """JSON has none (RFC 8259): whether it is read or refused, nothing is made up."""
    front, opener = fronts
    good = GOOD["binance"]["GET /api/v3/ticker/24hr"]
    async with opener(pacing=False) as exchange:
        front.tell("GET /api/v3/ticker/24hr", b"\xef\xbb\xbf" + json.dumps(good).encode(), **JSON)
        result = await failing(exchange, "ticker")
        assert isinstance(result, BadResponse) or result.last == 20_000


async def test_an_account_without_anything_is_empty(tmp_path: Path) -> None:
    async with open_front("kraken", tmp_path) as (front, opener), opener(pacing=False) as exchange:
        front.tell("POST /0/private/BalanceEx", kraken({}))
        assert (await exchange.fetch_balance()).balances == {}
        front.tell("POST /0/private/OpenOrders", kraken({"open": {}}))
        assert await exchange.fetch_open_orders(SYMBOL) == []
