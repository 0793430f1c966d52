"""The models: CCXT's keys, equality, text, pickle, JSON."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any

import ccxt
import msgspec
import pytest
from ccxt.base.types import Position as CcxtPosition

import planar.models as models
from planar import runtime
from planar.models import (
    AccountBalance,
    Amount,
    Balance,
    Candle,
    Currency,
    Fee,
    Fill,
    FundingRate,
    Limits,
    Market,
    MinMax,
    Network,
    Order,
    OrderBook,
    OrderState,
    Position,
    Precision,
    RawPayload,
    Sourced,
    Ticker,
    Trade,
    from_ccxt,
    from_json,
    iso8601,
    order_state,
    to_json,
)

TS_MS = 1_700_000_000_123
FEE = Fee(cost=Amount("0.001"), currency="BNB", rate=Amount("0.00075"))
FILL = Fill(
    id="t1", order_id="o1", symbol="BTC/USDT", side="buy", price=Amount("50000.1"), amount=Amount("0.5"), fees=(FEE,)
)

EXAMPLES: dict[str, Any] = {
    "fee": FEE,
    "fill": FILL,
    "order": Order(
        id="o1",
        client_order_id="c1",
        symbol="BTC/USDT",
        side="buy",
        type="limit",
        state=OrderState.OPEN,
        status="open",
        amount=Amount("1.5"),
        price=Amount("50000.1"),
        filled=Amount("0.5"),
        fees=(FEE,),
        trades=(FILL,),
        ts_ms=TS_MS,
        raw={"orderId": 1, "secret": "raw"},
    ),
    "ticker": Ticker(
        symbol="BTC/USDT", ts_ms=TS_MS, bid=99.0, ask=101.0, last=100.5, received_ns=5, raw=msgspec.Raw(b'{"secret":1}')
    ),
    "order book": OrderBook(symbol="BTC/USDT", bids=((99.0, 1.0), (98.5, 2.0)), asks=((101.0, 3.0),), nonce=7),
    "trade": Trade(id="1", symbol="BTC/USDT", side="sell", price=100.0, amount=0.5, ts_ms=TS_MS),
    "candle": Candle(TS_MS, 1.0, 2.0, 0.5, 1.5, 10.0),
    "funding rate": FundingRate(symbol="BTC/USDT:USDT", funding_rate=0.0001, funding_ts_ms=TS_MS),
    "balance": AccountBalance(
        balances={
            "BTC": Balance(free=Amount("1"), used=Amount("0.5"), total=Amount("1.5")),
            "ETH": Balance(free=Amount("0"), used=Amount("0"), total=Amount("0")),
            "USDT": Balance(free=Amount("7"), total=Amount("10"), debt=Amount("2")),
        },
        ts_ms=TS_MS,
        raw={"secret": "raw"},
    ),
    "position": Position(symbol="BTC/USDT:USDT", side="long", contracts=Amount(3), mark_price=100.0),
    "market": Market(
        id="BTCUSDT",
        symbol="BTC/USDT",
        base="BTC",
        quote="USDT",
        type="spot",
        taker=Amount("0.001"),
        precision=Precision(amount=Amount("0.00001")),
        limits=Limits(amount=MinMax(Amount("0.00001"), Amount(9000))),
        raw=msgspec.Raw(b'{"filters":[1.5]}'),
    ),
    "currency": Currency(code="BTC", id="btc", networks={"BTC": Network(id="BTC", deposit=True, fee=Amount("0.0001"))}),
}


@pytest.fixture(params=EXAMPLES, ids=str)
def example(request: pytest.FixtureRequest) -> Any:
    """Each of the models in turn."""
    return EXAMPLES[request.param]


ORDER: Order = EXAMPLES["order"]


@pytest.mark.parametrize("module", [models, from_ccxt])
def test_the_exported_names_are_sorted_and_exist(module):
    assert module.__all__ == sorted(module.__all__)
    assert all(hasattr(module, name) for name in module.__all__)


def test_importing_the_models_loads_no_heavy_library():
    code = "import sys, planar.models, planar.models.from_ccxt; print([m for m in sys.modules if '.' not in m])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert not {"ccxt", "aiohttp", "rich", "orjson", "ssl"} & set(json.loads(loaded.replace("'", '"')))


# Mapping


def test_attributes_are_keys_under_ccxts_names():
    assert ORDER["clientOrderId"] == ORDER.client_order_id == "c1"
    assert ORDER["timestamp"] == ORDER.ts_ms == TS_MS
    assert ORDER["datetime"] == "2023-11-14T22:13:20.123Z"
    assert ORDER["remaining"] == 1
    assert ORDER["fee"] == {"fee": FEE}["fee"]
    assert ORDER["info"]["orderId"] == 1
    assert EXAMPLES["fill"]["order"] == "o1"
    assert EXAMPLES["market"]["limits"]["amount"]["max"] == 9000
    assert EXAMPLES["market"]["precision"]["amount"] == 0.00001
    assert EXAMPLES["currency"]["networks"]["BTC"]["fee"] == Amount("0.0001")
    assert EXAMPLES["funding rate"]["fundingDatetime"] == "2023-11-14T22:13:20.123Z"
    assert EXAMPLES["funding rate"]["nextFundingDatetime"] is None


def test_the_mapping_protocol():
    assert "clientOrderId" in ORDER
    assert "client_order_id" not in ORDER
    assert 5 not in ORDER
    assert ORDER.get("id") == "o1"
    assert ORDER.get("nothing") is None
    assert ORDER.get("nothing", 3) == 3
    assert list(ORDER) == list(ORDER.keys()) == list(dict(ORDER))
    assert dict(ORDER.items()) == dict(ORDER) == {**ORDER}
    assert list(ORDER.values()) == list(dict(ORDER).values())
    assert len(ORDER) == len(dict(ORDER))
    assert isinstance(ORDER, Mapping)
    with pytest.raises(KeyError, match="client_order_id"):
        ORDER["client_order_id"]
    with pytest.raises(AttributeError):
        ORDER.id = "x"


@pytest.mark.parametrize(
    ("kind", "structure"),
    [
        (Order, "safe_order"),
        (Ticker, "safe_ticker"),
        (Fill, "safe_trade"),
        (Trade, "safe_trade"),
        (Market, "safe_market_structure"),
        (FundingRate, None),
        (Position, None),
    ],
)
def test_every_key_of_ccxts_structure_is_a_key(kind, structure):
    exchange = ccxt.Exchange()
    if kind is FundingRate:
        keys = ccxt.binance().parse_funding_rate({"symbol": "BTCUSDT"})
    elif kind is Position:
        keys = set(CcxtPosition.__annotations__) - {
            "isolated",
            "exitPrice",
            "positionMargin",
        }  # few exchanges have these
    else:
        keys = getattr(exchange, structure)({"symbol": "BTC/USDT", "info": {}})
    example = next(value for value in EXAMPLES.values() if type(value) is kind)
    assert set(keys) - set(example.keys()) == set()


def test_a_public_trade_answers_for_the_keys_it_never_fills():
    trade = EXAMPLES["trade"]
    assert trade["fee"] is trade["fees"] is trade["order"] is None


# Balances


def test_a_balance_reads_in_every_way_of_ccxt():
    balance: AccountBalance = EXAMPLES["balance"]
    assert balance["BTC"].free == balance.free["BTC"] == balance["free"]["BTC"] == balance["BTC"]["free"] == 1
    assert balance["used"]["USDT"] is balance.used["USDT"] is None
    assert balance["total"] == balance.total == {"BTC": 1.5, "ETH": 0, "USDT": 10}
    assert balance["debt"] == balance.debt == {"USDT": 2}
    assert balance["timestamp"] == TS_MS
    assert balance["datetime"] == "2023-11-14T22:13:20.123Z"
    assert balance["info"] == {"secret": "raw"}
    assert list(balance)[:4] == ["BTC", "ETH", "USDT", "free"]
    assert len(balance) == len(dict(balance))
    assert "BTC" in balance
    assert "free" in balance
    assert dict(balance)["BTC"] == balance.get("BTC")


def test_a_currency_that_was_not_named_is_not_zero():
    balance = EXAMPLES["balance"]
    assert "XRP" not in balance
    assert balance.get("XRP") is None
    with pytest.raises(KeyError, match="XRP"):
        balance["XRP"]
    with pytest.raises(KeyError, match="XRP"):
        balance.free["XRP"]


def test_repr_of_a_balance_shows_what_there_is():
    assert repr(EXAMPLES["balance"]) == "AccountBalance(BTC=1.5, USDT=10)"


# Candles


def test_a_candle_is_ccxts_row():
    candle: Candle = EXAMPLES["candle"]
    ts, o, h, low, c, v = candle
    assert [ts, o, h, low, c, v] == list(candle) == [TS_MS, 1.0, 2.0, 0.5, 1.5, 10.0]
    assert candle[0] == candle["timestamp"] == candle.ts_ms == TS_MS
    assert candle[-1] == candle["volume"] == 10.0
    assert candle[1:5] == (1.0, 2.0, 0.5, 1.5)
    assert len(candle) == 6
    assert dict(candle) == {"timestamp": TS_MS, "open": 1.0, "high": 2.0, "low": 0.5, "close": 1.5, "volume": 10.0}
    assert candle.datetime == "2023-11-14T22:13:20.123Z"
    assert to_json([candle]) == b"[[1700000000123,1.0,2.0,0.5,1.5,10.0]]"
    with pytest.raises(KeyError, match="middle"):
        candle["middle"]
    with pytest.raises(IndexError):
        candle[6]


# Books and tickers


def test_the_best_prices_of_a_book():
    book: OrderBook = EXAMPLES["order book"]
    assert (book.best_bid, book.best_ask, book.mid, book.spread) == (99.0, 101.0, 100.0, 2.0)
    assert book.spread_pct == 2.0
    assert book["bids"][0] == (99.0, 1.0)
    assert book.depth == (2, 1)
    assert not book.crossed


def test_an_empty_side_has_no_price():
    book = OrderBook(symbol="X/Y", bids=(), asks=((1.0, 1.0),))
    assert (book.best_bid, book.mid, book.spread, book.spread_pct) == (None, None, None, None)
    assert book.best_ask == 1.0
    assert not book.crossed
    assert OrderBook(symbol="X/Y", bids=(), asks=()).best_ask is None


@pytest.mark.parametrize("ask", [99.0, 98.0])
def test_a_crossed_book_says_so(ask):
    assert OrderBook(symbol="X/Y", bids=((99.0, 1.0),), asks=((ask, 1.0),)).crossed


def test_the_spread_of_a_ticker():
    ticker: Ticker = EXAMPLES["ticker"]
    assert (ticker.mid, ticker.spread, ticker.spread_pct) == (100.0, 2.0, 2.0)
    assert Ticker(symbol="X/Y", bid=1.0).spread is None
    assert Ticker(symbol="X/Y", bid=0.0, ask=0.0).spread_pct is None


def test_the_age_is_counted_from_the_arrival(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(runtime, "wall_ns", lambda: 2_500_005)
    assert EXAMPLES["ticker"].age_ms == 2.5
    assert EXAMPLES["order book"].age_ms is None


# Orders


@pytest.mark.parametrize(
    ("status", "filled", "amount", "state"),
    [
        ("open", "0", "1", OrderState.OPEN),
        ("closed", "1", "1", OrderState.FILLED),
        ("closed", "0.4", "1", OrderState.CANCELED),
        ("closed", "1", None, OrderState.FILLED),
        ("canceled", "0.4", "1", OrderState.CANCELED),
        ("expired", "0", "1", OrderState.EXPIRED),
        ("rejected", None, "1", OrderState.REJECTED),
        (None, None, "1", OrderState.OPEN),
    ],
)
def test_the_state_that_a_status_proves(status, filled, amount, state):
    assert order_state(status, filled and Amount(filled), amount and Amount(amount)) is state


@pytest.mark.parametrize("state", OrderState)
def test_open_and_done(state):
    order = msgspec.structs.replace(ORDER, state=state)
    final = {"filled", "canceled", "expired", "rejected", "never_accepted"}
    assert order.is_done is (state.value in final)
    assert order.is_open is (state.value == "open")


def test_what_is_not_known_of_an_order_is_none():
    order = Order(symbol="BTC/USDT", side="buy", state=OrderState.PENDING)
    assert order.remaining is order.fee is order.filled is order.id is None
    assert msgspec.structs.replace(ORDER, fees=(FEE, FEE)).fee is None
    assert msgspec.structs.replace(EXAMPLES["fill"], fees=()).fee is None


# Equality, text, round trips


def test_equality_looks_at_everything_but_the_payload():
    replace = msgspec.structs.replace
    assert replace(ORDER, raw=None) == ORDER
    assert hash(replace(ORDER, raw=None)) == hash(ORDER)
    assert replace(ORDER, filled=Amount("0.6")) != ORDER
    assert (dict(ORDER) == ORDER) is False
    assert Fee(cost=Amount(1)) != Balance(free=Amount(1))


def test_pickle_brings_back_the_same(example):
    copy = pickle.loads(pickle.dumps(example))
    assert copy == example
    assert type(copy) is type(example)
    assert getattr(copy, "info", None) == getattr(example, "info", None)


def test_json_brings_back_the_same(example):
    text = to_json(example)
    copy = from_json(type(example), text)
    assert copy == example
    assert getattr(copy, "info", None) == getattr(example, "info", None)
    assert to_json(copy) == text
    assert from_json(list[type(example)], to_json([example, copy])) == [example, copy]


def test_json_has_ccxts_keys_and_exact_amounts():
    data = json.loads(to_json(ORDER))
    assert data["clientOrderId"] == "c1"
    assert data["timestamp"] == TS_MS
    assert data["price"] == "50000.1"
    assert data["state"] == "open"
    assert data["info"] == {"orderId": 1, "secret": "raw"}


@pytest.mark.parametrize(
    ("data", "path"),
    [
        (b'{"cost":"NaN"}', r"finite.*\$\.cost"),
        (b'{"cost":true}', r"bool.*\$\.cost"),
        (b'{"cost":"x"}', r"not a decimal number.*\$\.cost"),
        (b"{}", "cost"),
        (b"<html>", "malformed"),
        (b'{"cost":"1"', "truncated"),
    ],
)
def test_wrong_json_names_the_place(data, path):
    with pytest.raises(ValueError, match=f"not the JSON of Fee: .*{path}"):
        from_json(Fee, data)


def test_an_amount_from_a_json_number():
    assert from_json(Fee, b'{"cost":0.1234567890123456789012345}').cost == Amount("0.1234567890123456789012345")
    assert from_json(Fee, b'{"cost":7}').cost == 7
    assert str(from_json(Fee, b'{"cost":1}').cost) == "1"
    assert str(from_json(Fee, b'{"cost":1.0}').cost) == "1.0"
    with pytest.raises(ValueError, match="bool"):
        from_json(Fee, b'{"cost":true}')


def test_other_types_have_no_json():
    with pytest.raises(TypeError, match="no JSON form for object"):
        to_json(object())
    with pytest.raises(ValueError, match="no Amount2 from JSON"):
        from_json(type("Amount2", (), {}), b"1")


def test_a_payload_is_decoded_on_the_first_access_and_only_then():
    ticker = from_json(Ticker, b'{"symbol":"X/Y","info":{"a":[1,2.5]}}')
    assert isinstance(ticker.raw, msgspec.Raw)
    assert ticker.info == {"a": [1, 2.5]}
    assert ticker.info is ticker.raw
    assert from_json(Ticker, b'{"symbol":"X/Y"}').info is None
    assert from_json(Ticker, b'{"symbol":"X/Y","info":null}').info is None


def test_no_representation_shows_the_payload(example):
    texts = [repr(example), str(example), example._repr_html_(), repr(list(example.__rich_repr__()))]
    assert not any("secret" in text or "Raw" in text for text in texts)


def test_a_model_of_ones_own_keeps_its_payload_to_itself_too():
    class Own(Sourced, frozen=True, kw_only=True):
        name: str
        missing: str | None = None
        raw: RawPayload = None

    own = Own(name="x", raw={"secret": 1})
    assert repr(own) == "Own(name='x')"
    assert own.__rich_repr__() == [("name", "x")]
    assert dict(own) == {"name": "x", "missing": None, "info": {"secret": 1}}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("ticker", "Ticker(symbol='BTC/USDT', bid=99.0, ask=101.0, last=100.5, datetime='2023-11-14T22:13:20.123Z')"),
        ("order book", "OrderBook(symbol='BTC/USDT', best_bid=99.0, best_ask=101.0, depth=(2, 1), nonce=7)"),
        ("fee", "Fee(cost=0.001, currency='BNB', rate=0.00075)"),
        ("market", "Market(symbol='BTC/USDT', id='BTCUSDT', type='spot', taker=0.001)"),
        (
            "order",
            "Order(symbol='BTC/USDT', side='buy', type='limit', amount=1.5, price=50000.1, filled=0.5, state=open, "
            "id='o1', client_order_id='c1')",
        ),
    ],
)
def test_repr_is_short(name, text):
    assert repr(EXAMPLES[name]) == text


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.cells: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.cells.append(data)


def test_html_is_a_well_formed_table(example):
    parser = _Tags()
    parser.feed(example._repr_html_())
    assert parser.open == []
    assert len(parser.cells) > 2


def test_html_of_a_book_has_the_best_prices_side_by_side():
    parser = _Tags()
    parser.feed(EXAMPLES["order book"]._repr_html_())
    assert parser.cells == [
        *("BTC/USDT order book", "amount", "bid", "ask", "amount"),
        *("1.0", "99.0", "101.0", "3.0"),
        *("2.0", "98.5"),
    ]


def test_html_escapes_what_an_exchange_sent():
    html = Trade(symbol="<script>", price=1.0, amount=1.0)._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


@pytest.mark.parametrize(
    ("kind", "true"),
    [
        ("spot", {"spot"}),
        ("swap", {"swap", "contract", "linear"}),
        ("future", {"future", "contract", "linear"}),
        ("option", {"option", "contract", "linear"}),
        ("index", {"index"}),
    ],
)
def test_the_kind_of_a_market(kind, true):
    market = Market(id="X", symbol="X/Y", base="X", quote="Y", type=kind, sub_type="linear", expiry_ms=TS_MS)
    names = ("spot", "swap", "future", "option", "index", "contract", "linear", "inverse")
    assert {name for name in names if market[name]} == true
    assert market.linear is (None if kind in ("spot", "index") else True)
    assert market["expiryDatetime"] == "2023-11-14T22:13:20.123Z"
    assert market["lowercaseId"] == "x"


def test_iso8601():
    assert iso8601(0) == "1970-01-01T00:00:00.000Z"
    assert iso8601(None) is None
