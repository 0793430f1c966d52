"""CCXT's dictionaries to models: strict on money, tolerant on description."""

from __future__ import annotations

import copy
import json
from decimal import Decimal
from typing import Any

import ccxt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planar.errors import BadResponse, Outcome
from planar.models import Amount, Candle, Fee, Level, Model, Order, OrderState, from_ccxt, to_json

ORDER: dict[str, Any] = {
    "id": "o1",
    "clientOrderId": "c1",
    "timestamp": 1_700_000_000_000,
    "datetime": "2023-11-14T22:13:20.000Z",
    "lastTradeTimestamp": 1_700_000_001_000,
    "lastUpdateTimestamp": None,
    "symbol": "BTC/USDT",
    "type": "limit",
    "timeInForce": "GTC",
    "postOnly": False,
    "reduceOnly": None,
    "side": "buy",
    "price": 50000.1,
    "triggerPrice": None,
    "amount": 0.3,
    "cost": "5000.01",
    "average": Decimal("50000.1"),
    "filled": 0.1,
    "remaining": 0.2,
    "status": "open",
    "fee": {"cost": 1e-08, "currency": "BTC", "rate": None},
    "fees": [],
    "trades": [],
    "info": {"raw": 1},
}
FILL: dict[str, Any] = {
    "id": "t1",
    "order": "o1",
    "timestamp": 1_700_000_000_000,
    "symbol": "BTC/USDT",
    "type": "limit",
    "side": "sell",
    "takerOrMaker": "maker",
    "price": 50000.1,
    "amount": 0.1,
    "cost": 5000.01,
    "fee": {"cost": -0.5, "currency": "USDT"},
    "fees": [],
    "info": {},
}
TICKER: dict[str, Any] = {"symbol": "BTC/USDT", "timestamp": 5, "bid": 99.0, "ask": "101", "last": 100, "info": {}}
BOOK: dict[str, Any] = {
    "symbol": "BTC/USDT",
    "bids": [[99.0, 1.0], [98.0, 2.0, 5]],
    "asks": [["101", "3"], [Decimal("102.5"), 4]],
    "timestamp": None,
    "nonce": 7,
}
TRADE: dict[str, Any] = {"id": 12, "symbol": "BTC/USDT", "side": "buy", "price": "100", "amount": 0.5, "timestamp": 5}
POSITION: dict[str, Any] = {
    "symbol": "BTC/USDT:USDT",
    "side": "short",
    "contracts": 2.0,
    "entryPrice": "100.5",
    "unrealizedPnl": -1.5,
    "markPrice": 101.0,
}
BALANCE: dict[str, Any] = {
    "BTC": {"free": 1.0, "used": 0.5, "total": 1.5},
    "USDT": {"free": None, "used": None, "total": "-3", "debt": 3},
    "free": {"BTC": 1.0, "USDT": None},
    "used": {"BTC": 0.5, "USDT": None},
    "total": {"BTC": 1.5, "USDT": "-3"},
    "timestamp": None,
    "info": {},
}
MARKET: dict[str, Any] = {
    "id": "BTCUSDT",
    "symbol": "BTC/USDT",
    "base": "BTC",
    "quote": "USDT",
    "baseId": "BTC",
    "type": "spot",
    "spot": True,
    "margin": True,
    "active": True,
    "taker": 0.001,
    "maker": -0.0001,
    "precision": {"amount": 1e-05, "price": 0.01, "cost": None},
    "limits": {"amount": {"min": 1e-05, "max": 9000.0}, "price": {"min": None, "max": None}, "leverage": None},
    "marginModes": {"cross": True, "isolated": None},
    "created": 5,
    "info": {"filters": []},
}
CURRENCY: dict[str, Any] = {
    "id": "btc",
    "code": "BTC",
    "active": True,
    "fee": 0.0001,
    "precision": 1e-08,
    "limits": {"withdraw": {"min": 0.001, "max": None}, "amount": {"min": None, "max": None}},
    "networks": {"BTC": {"id": "BTC", "network": "BTC", "deposit": True, "fee": "0.0001", "limits": {}, "info": {}}},
    "info": {},
}
FUNDING: dict[str, Any] = {"symbol": "BTC/USDT:USDT", "fundingRate": "0.0001", "fundingTimestamp": 9, "interval": "8h"}

CONVERSIONS: dict[str, tuple[Any, dict[str, Any]]] = {
    "order": (from_ccxt.order, ORDER),
    "fill": (from_ccxt.fill, FILL),
    "ticker": (from_ccxt.ticker, TICKER),
    "order book": (from_ccxt.order_book, BOOK),
    "trade": (from_ccxt.trade, TRADE),
    "position": (from_ccxt.position, POSITION),
    "balance": (from_ccxt.balance, BALANCE),
    "market": (from_ccxt.market, MARKET),
    "currency": (from_ccxt.currency, CURRENCY),
    "funding rate": (from_ccxt.funding_rate, FUNDING),
}
MISSING = object()


def changed(data: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A copy of `data` with these fields, without those that are MISSING."""
    return {key: value for key, value in (data | fields).items() if value is not MISSING}


# Orders


def test_an_order():
    order = from_ccxt.order(ORDER, exchange="binance", received_ns=5)
    assert (order.id, order.client_order_id, order.symbol, order.side, order.type) == (
        "o1",
        "c1",
        "BTC/USDT",
        "buy",
        "limit",
    )
    assert (order.status, order.state) == ("open", OrderState.OPEN)
    assert [str(x) for x in (order.amount, order.price, order.filled, order.cost, order.average, order.remaining)] == [
        *("0.3", "50000.1", "0.1", "5000.01", "50000.1", "0.2")
    ]
    assert order.fee == Fee(cost=Amount("0.00000001"), currency="BTC")
    assert order.trigger_price is order.reduce_only is order.last_update_ts_ms is None
    assert order.post_only is False
    assert (order.ts_ms, order.last_trade_ts_ms, order.received_ns) == (1_700_000_000_000, 1_700_000_001_000, 5)
    assert order.info == {"raw": 1}
    assert all(type(order[key]) is Amount for key in ("amount", "price", "filled", "cost", "average"))


def test_an_order_answers_as_ccxts_dictionary_did():
    order = from_ccxt.order(ORDER)
    assert all(
        order[key] == value for key, value in ORDER.items() if key not in ("average", "cost", "fee", "fees", "trades")
    )


@pytest.mark.parametrize("key", ["id", "symbol", "side", "status", "filled", "price"])
@pytest.mark.parametrize("value", [None, MISSING])
def test_an_order_without_what_decides_money_is_no_answer(key, value):
    with pytest.raises(BadResponse, match=f"^kraken: order: `{key}` is missing: None\n  -> .*client id") as caught:
        from_ccxt.order(changed(ORDER, **{key: value}), exchange="kraken")
    assert caught.value.outcome is Outcome.UNKNOWN
    assert caught.value.exchange == "kraken"


def test_an_answer_with_http_200_and_no_order_in_it_is_an_error():
    nothing = ccxt.binance().safe_order({"info": "<html>maintenance</html>"})
    with pytest.raises(BadResponse, match="`id` is missing"):
        from_ccxt.order(nothing)


@pytest.mark.parametrize(
    "key", ["amount", "price", "filled", "cost", "average", "triggerPrice", "stopLossPrice", "takeProfitPrice"]
)
@pytest.mark.parametrize("value", ["NaN", float("nan"), float("inf"), "-inf", -1, "-0.1", "abc", "", True, [], "1e999"])
def test_a_number_of_an_order_that_is_none_is_refused(key, value):
    with pytest.raises(BadResponse, match=f"order: `{key}` is (no finite number|negative): "):
        from_ccxt.order(changed(ORDER, **{key: value}))


@pytest.mark.parametrize("status", ["weird", "OPEN", "", "pending", "partially_filled", 5, [], True])
def test_an_unknown_status_is_loud(status):
    with pytest.raises(BadResponse, match="`status` is none of open, canceling, closed, canceled, expired, rejected: "):
        from_ccxt.order(changed(ORDER, status=status))


@pytest.mark.parametrize(
    ("word", "status", "state"),
    [
        ("open", "open", OrderState.OPEN),
        ("canceling", "open", OrderState.OPEN),
        ("closed", "closed", OrderState.CANCELED),  # a third of it traded
        ("canceled", "canceled", OrderState.CANCELED),
        ("expired", "expired", OrderState.EXPIRED),
        ("rejected", "rejected", OrderState.REJECTED),
    ],
)
def test_the_words_of_ccxt_for_a_status(word, status, state):
    order = from_ccxt.order(changed(ORDER, status=word))
    assert (order.status, order.state) == (status, state)


def test_a_closed_order_that_traded_in_full_is_filled():
    assert from_ccxt.order(changed(ORDER, status="closed", filled="0.3")).state is OrderState.FILLED


@pytest.mark.parametrize("side", ["BUY", "long", "", 1])
def test_an_unknown_side_is_loud(side):
    with pytest.raises(BadResponse, match="`side` is none of buy, sell"):
        from_ccxt.order(changed(ORDER, side=side))


def test_a_market_order_has_no_limit_and_may_be_sized_by_its_cost():
    order = from_ccxt.order(changed(ORDER, type="market", amount=None))
    assert order.price is order.amount is order.remaining is None
    assert order.cost == 5000.01
    with pytest.raises(BadResponse, match="`amount` and `cost` are missing"):
        from_ccxt.order(changed(ORDER, amount=None, cost=None))


@pytest.mark.parametrize(
    "fields",
    [
        {"type": "stop_loss_limit_weird"},
        {"type": None},
        {"timestamp": None, "datetime": None},
        {"timestamp": "yesterday"},
        {"timestamp": 10**18},
        {"timestamp": float("nan")},
        {"timeInForce": "???"},
        {"postOnly": "yes"},
        {"clientOrderId": None},
        {"clientOrderId": ""},
        {"fee": None},
        {"fee": {"cost": None, "currency": None}},
        {"fee": {"cost": 1, "currency": None, "rate": "x"}},
        {"trades": None},
        {"trades": [{"id": None, "price": 1}]},
        {"info": None},
    ],
)
def test_description_is_tolerated(fields):
    order = from_ccxt.order(changed(ORDER, **fields))
    assert order.filled == 0.1
    assert order.datetime is None or order.ts_ms == ORDER["timestamp"]
    assert order.trades == ()


def test_ids_may_be_numbers_and_times_may_be_text():
    order = from_ccxt.order(changed(ORDER, id=2**70, clientOrderId=5, timestamp="1700000000000"))
    assert (order.id, order.client_order_id, order.ts_ms) == (str(2**70), "5", 1_700_000_000_000)


@pytest.mark.parametrize("value", ["", True, 1.5, ["o1"]])
def test_an_id_that_is_none_is_refused(value):
    with pytest.raises(BadResponse, match="`id` is no identifier"):
        from_ccxt.order(changed(ORDER, id=value))


def test_fees_of_several_currencies():
    fees = [{"cost": "1", "currency": "BNB"}, None, {"cost": None}, {"cost": -0.5, "currency": None, "rate": 0.001}]
    order = from_ccxt.order(changed(ORDER, fees=fees))
    assert order.fees == (Fee(cost=Amount(1), currency="BNB"), Fee(cost=Amount("-0.5"), rate=Amount("0.001")))
    assert order.fee is None


@pytest.mark.parametrize("fee", [{"cost": "x"}, {"cost": float("nan")}, "0.1"])
def test_a_fee_that_cannot_be_read_is_loud(fee):
    with pytest.raises(BadResponse, match=r"^fee: "):
        from_ccxt.order(changed(ORDER, fee=fee))


@pytest.mark.parametrize("key", ["fees", "trades"])
def test_what_should_be_a_list_and_is_none_is_loud(key):
    with pytest.raises(BadResponse, match=f"order: `{key}` is no list: 1"):
        from_ccxt.order(changed(ORDER, **{key: 1}))


def test_the_fills_of_an_order_come_with_it():
    order = from_ccxt.order(changed(ORDER, trades=[FILL]))
    assert order.trades == (from_ccxt.fill(FILL),)
    # some exchanges only list the ids of the fills
    assert from_ccxt.order(changed(ORDER, trades=[changed(FILL, price=None)])).trades == ()
    with pytest.raises(BadResponse, match="fill: `price`"):
        from_ccxt.order(changed(ORDER, trades=[changed(FILL, price="dear")]))


# Acknowledgements

REQUEST = Order(
    client_order_id="c1",
    symbol="BTC/USDT",
    side="buy",
    type="limit",
    state=OrderState.PENDING,
    amount=Amount("0.3"),
    price=Amount("50000.1"),
)


def test_an_acknowledgement_adds_what_it_says_to_what_was_asked():
    answer = ccxt.kraken().safe_order({"id": "o1", "info": {"txid": ["o1"]}})
    order = from_ccxt.order_ack(answer, REQUEST, received_ns=7)
    assert (order.id, order.client_order_id, order.symbol, order.side) == ("o1", "c1", "BTC/USDT", "buy")
    assert (order.amount, order.price, order.received_ns) == (Amount("0.3"), Amount("50000.1"), 7)
    assert order.filled is order.status is order.cost is None
    assert order.state is OrderState.OPEN
    assert order.info == {"txid": ["o1"]}


def test_a_full_acknowledgement_is_a_full_order():
    order = from_ccxt.order_ack(changed(ORDER, status="closed", filled=0.3, trades=[FILL]), REQUEST)
    assert order == from_ccxt.order(changed(ORDER, status="closed", filled=0.3, trades=[FILL]))


def test_an_acknowledgement_of_a_market_order_sets_no_limit():
    market = Order(symbol="BTC/USDT", side="buy", type="market", state=OrderState.PENDING, amount=Amount(1))
    order = from_ccxt.order_ack(changed(ORDER, type="market", clientOrderId="venue"), market)
    assert order.price is None
    assert order.client_order_id == "venue"
    assert order.state is OrderState.OPEN


@pytest.mark.parametrize("answer", [{}, {"id": None, "status": "open"}, {"id": ""}, None, "<html>", []])
def test_an_acknowledgement_without_an_id_is_no_answer(answer):
    with pytest.raises(BadResponse):
        from_ccxt.order_ack(answer, REQUEST)


@pytest.mark.parametrize(
    ("key", "value"),
    [("symbol", "ETH/USDT"), ("side", "sell"), ("clientOrderId", "c2"), ("status", "odd"), ("filled", -1)],
)
def test_an_acknowledgement_of_something_else_is_loud(key, value):
    with pytest.raises(BadResponse, match=f"`{key}`"):
        from_ccxt.order_ack({"id": "o1", key: value}, REQUEST)


# Fills


def test_a_fill():
    fill = from_ccxt.fill(FILL, received_ns=5)
    assert (fill.id, fill.order_id, fill.side, fill.taker_or_maker) == ("t1", "o1", "sell", "maker")
    assert [str(x) for x in (fill.price, fill.amount, fill.cost)] == ["50000.1", "0.1", "5000.01"]
    assert fill.fee == Fee(cost=Amount("-0.5"), currency="USDT")


@pytest.mark.parametrize("key", ["id", "symbol", "side", "price", "amount"])
def test_a_fill_without_what_decides_money_is_no_answer(key):
    with pytest.raises(BadResponse, match=f"fill: `{key}` is missing"):
        from_ccxt.fill(changed(FILL, **{key: None}))


@pytest.mark.parametrize("key", ["price", "amount", "cost"])
@pytest.mark.parametrize("value", [float("nan"), "-1", "abc", False])
def test_a_number_of_a_fill_that_is_none_is_refused(key, value):
    with pytest.raises(BadResponse, match=f"fill: `{key}`"):
        from_ccxt.fill(changed(FILL, **{key: value}))


def test_a_fill_tolerates_description():
    fill = from_ccxt.fill(
        changed(FILL, order=None, cost=None, takerOrMaker="both", timestamp=None, fee=None, type=None)
    )
    assert fill.order_id is fill.cost is fill.taker_or_maker is fill.ts_ms is fill.fee is None


# Balances


def test_a_balance():
    balance = from_ccxt.balance(BALANCE)
    assert balance["BTC"].free == 1
    assert balance["USDT"].free is None
    assert balance["USDT"].total == -3
    assert balance.debt == {"USDT": 3}
    assert list(balance.balances) == ["BTC", "USDT"]


def test_an_empty_account_is_empty_and_a_non_answer_is_not():
    assert from_ccxt.balance(ccxt.Exchange().safe_balance({"info": {}})).balances == {}
    with pytest.raises(BadResponse, match="`info` is a text"):
        from_ccxt.balance(ccxt.Exchange().safe_balance({"info": "<html>"}))
    with pytest.raises(BadResponse, match="neither `free` nor `total`"):
        from_ccxt.balance({"info": {}})


@pytest.mark.parametrize(
    ("entry", "match"),
    [
        ({"free": "x"}, "`free` is no finite number"),
        ({"free": 1, "used": float("nan")}, "`used` is no finite number"),
        ({"free": None, "used": None, "total": None}, "`BTC` has neither free nor used nor total"),
        ({}, "`BTC` has neither"),
        (1.5, "`BTC` is no balance"),
        (None, "`BTC` is no balance"),
    ],
)
def test_a_currency_without_a_number_is_no_answer(entry, match):
    with pytest.raises(BadResponse, match=f"^okx: balance: {match}"):
        from_ccxt.balance(changed(BALANCE, BTC=entry), exchange="okx")


# Positions


def test_a_position():
    position = from_ccxt.position(POSITION)
    assert (position.side, position.contracts, position.entry_price) == ("short", 2, Amount("100.5"))
    assert position.unrealized_pnl == -1.5
    assert position.mark_price == 101.0
    assert from_ccxt.position(changed(POSITION, contracts=0, side=None)).side is None


@pytest.mark.parametrize(
    "fields",
    [
        {"contracts": None},
        {"contracts": -1},
        {"side": None},
        {"side": "both"},
        {"symbol": None},
        {"unrealizedPnl": float("nan")},
        {"entryPrice": -5},
    ],
)
def test_a_position_that_cannot_be_told_is_loud(fields):
    with pytest.raises(BadResponse, match=f"position: `{next(iter(fields))}`"):
        from_ccxt.position(changed(POSITION, **fields))


# Market data


def test_a_ticker():
    ticker = from_ccxt.ticker(TICKER, received_ns=3)
    assert (ticker.bid, ticker.ask, ticker.last, ticker.ts_ms, ticker.received_ns) == (99.0, 101.0, 100.0, 5, 3)
    assert all(type(x) is float for x in (ticker.bid, ticker.ask, ticker.last))


def test_a_ticker_without_quotes_has_none():
    ticker = from_ccxt.ticker({"symbol": "X/Y", "bid": None, "timestamp": None, "ask": float("nan"), "last": "inf"})
    assert ticker.bid is ticker.ask is ticker.last is ticker.ts_ms is ticker.datetime is None


@pytest.mark.parametrize("fields", [{"symbol": None}, {"bid": "abc"}, {"ask": True}, {"last": []}, {"vwap": 10**400}])
def test_a_ticker_that_cannot_be_read_is_loud(fields):
    with pytest.raises(BadResponse, match=f"ticker: `{next(iter(fields))}`"):
        from_ccxt.ticker(TICKER | fields)


def test_an_order_book_is_copied():
    data = copy.deepcopy(BOOK)
    book = from_ccxt.order_book(data)
    data["bids"].clear()
    expected: tuple[tuple[Level, ...], tuple[Level, ...]] = (((99.0, 1.0), (98.0, 2.0)), ((101.0, 3.0), (102.5, 4.0)))
    assert (book.bids, book.asks) == expected
    assert book.nonce == 7
    assert book.ts_ms is None
    assert not book.crossed


def test_a_crossed_book_passes_and_says_so():
    assert from_ccxt.order_book(BOOK | {"asks": [[98.5, 1]]}).crossed


@pytest.mark.parametrize(
    "levels",
    [
        [[1.0, 1.0], [1.0, 2.0]],
        [[1.0, 0.0]],
        [[1.0, -1.0]],
        [[0.0, 1.0]],
        [[-1.0, 1.0]],
        [[float("nan"), 1.0]],
        [[1.0, float("nan")]],
        [[1.0, float("inf")]],
        [[float("inf"), 1.0]],
        [[None, 1.0]],
        [[1.0]],
        ["x"],
        [{"price": 1, "amount": 2}],
        [["a", "b"]],
        None,
        5,
    ],
)
@pytest.mark.parametrize("key", ["bids", "asks"])
def test_a_wrong_level_is_loud(key, levels):
    with pytest.raises(BadResponse, match=f"order book: `{key}` has "):
        from_ccxt.order_book(BOOK | {key: levels})


def test_levels_in_the_wrong_order_are_loud():
    for key in ("bids", "asks"):
        with pytest.raises(BadResponse, match=f"`{key}` has a level that is not positive, or out of order"):
            from_ccxt.order_book(BOOK | {key: list(reversed(BOOK[key]))})


def test_a_public_trade():
    trade = from_ccxt.trade(TRADE)
    assert (trade.id, trade.side, trade.price, trade.amount) == ("12", "buy", 100.0, 0.5)
    assert from_ccxt.trade(TRADE | {"side": "unknown", "id": None}).side is None


@pytest.mark.parametrize(
    "fields", [{"price": None}, {"amount": float("nan")}, {"price": "x"}, {"amount": 0}, {"price": -1}]
)
def test_a_public_trade_without_numbers_is_loud(fields):
    with pytest.raises(BadResponse, match=f"trade: `{next(iter(fields))}` is "):
        from_ccxt.trade(TRADE | fields)


def test_candles():
    rows = [[1, 1.0, 2, "0.5", Decimal("1.5"), 10], (2.0, 1, 2, 1, 2, None)]
    assert from_ccxt.candles(rows) == [Candle(1, 1.0, 2.0, 0.5, 1.5, 10.0), Candle(2, 1.0, 2.0, 1.0, 2.0, None)]
    assert from_ccxt.candles([]) == []


@pytest.mark.parametrize(
    "rows",
    [
        None,
        "<html>",
        [[1, 2, 3]],
        [[None, 1, 1, 1, 1, 1]],
        [[1, None, 1, 1, 1, 1]],
        [[1, 1, float("nan"), 1, 1, 1]],
        [[1, 1, 1, 1, "inf", 1]],
        [[1, 1, 1, 1, 1, float("inf")]],
        [[1, "x", 1, 1, 1, 1]],
        [{"open": 1}],
    ],
)
def test_wrong_candles_are_loud(rows):
    with pytest.raises(BadResponse, match=r"^binance: candles: (no rows of|row 0 has a value that is not finite)"):
        from_ccxt.candles(rows, exchange="binance")


def test_a_funding_rate():
    rate = from_ccxt.funding_rate(FUNDING)
    assert (rate.funding_rate, rate.funding_ts_ms, rate.interval, rate.mark_price) == (0.0001, 9, "8h", None)


# Markets and currencies


def test_a_market():
    market = from_ccxt.market(MARKET)
    assert market.symbol == "BTC/USDT"
    assert market.spot
    assert (str(market.precision.amount), str(market.precision.price)) == ("0.00001", "0.01")
    assert (market.limits.amount.min, market.limits.amount.max) == (0.00001, 9000)
    assert market.limits.price.min is market.limits.leverage.max is market.limits.cost.min is None
    assert (market.taker, market.maker) == (0.001, -0.0001)
    assert (market.margin_modes.cross, market.margin_modes.isolated) == (True, None)
    assert market["info"] == {"filters": []}


@pytest.mark.parametrize("key", ["id", "symbol", "base", "quote", "type"])
def test_a_market_without_a_name_is_loud(key):
    with pytest.raises(BadResponse, match=f"market: `{key}` is missing"):
        from_ccxt.market(changed(MARKET, **{key: None}))


@pytest.mark.parametrize(
    ("mode", "given", "step", "name"),
    [
        (4, 1e-8, "0.00000001", "tick_size"),
        (4, 0, None, "tick_size"),
        (4, -1, None, "tick_size"),
        (4, "x", None, "tick_size"),
        (2, 8, "0.00000001", "tick_size"),
        (2, 0, "1", "tick_size"),
        (2, -1, "10", "tick_size"),
        (3, 5, "5", "significant_digits"),
    ],
)
def test_the_steps_of_ccxts_precision_modes(mode, given, step, name):
    precision = from_ccxt.market(MARKET | {"precision": {"price": given}}, precision_mode=mode).precision
    assert (precision.price and str(precision.price)) == step
    assert precision.mode == name


@pytest.mark.parametrize(
    ("fields", "sub_type"),
    [
        ({"linear": True}, "linear"),
        ({"inverse": True, "linear": False}, "inverse"),
        ({"subType": "quanto"}, "quanto"),
        ({"linear": None, "inverse": None}, None),
    ],
)
def test_the_settlement_of_a_derivative(fields, sub_type):
    assert from_ccxt.market(MARKET | {"type": "swap"} | fields).sub_type == sub_type


def test_a_currency():
    currency = from_ccxt.currency(CURRENCY)
    assert (currency.code, currency.fee, currency.precision) == ("BTC", Amount("0.0001"), Amount("1e-8"))
    assert currency.limits.withdraw.min == 0.001
    assert currency.networks["BTC"].fee == 0.0001
    assert currency.networks["BTC"].deposit is True
    assert from_ccxt.currency({"code": "X", "networks": None}).networks == {}
    with pytest.raises(BadResponse, match="currency: `code` is missing"):
        from_ccxt.currency({"id": "x"})


# All of them


@pytest.mark.parametrize("name", CONVERSIONS)
@pytest.mark.parametrize("data", [None, "<html>", b"{}", 5, [], True])
def test_what_is_no_structure_is_no_answer(name, data):
    convert, _ = CONVERSIONS[name]
    with pytest.raises(BadResponse, match=f"^htx: {name}: `answer` is no structure"):
        convert(data, exchange="htx")


@pytest.mark.parametrize("name", CONVERSIONS)
def test_a_conversion_leaves_ccxts_dictionary_alone(name):
    convert, data = CONVERSIONS[name]
    before = copy.deepcopy(data)
    convert(data)
    assert data == before


def test_a_long_value_is_shortened_in_the_message():
    with pytest.raises(BadResponse) as caught:
        from_ccxt.order("x" * 100_000)
    assert len(str(caught.value)) < 300


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["1e-400", "open"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)


@pytest.mark.parametrize("name", CONVERSIONS)
@settings(deadline=None)
@given(data=st.data())
def test_any_value_anywhere_is_a_model_or_a_bad_response(name, data):
    convert, good = CONVERSIONS[name]
    fields = data.draw(st.dictionaries(st.sampled_from([key for key in good if key != "info"]), anything, max_size=3))
    try:
        model: Model = convert(good | fields)
    except BadResponse:
        return
    json.loads(to_json(model))
    assert repr(model)
    assert model._repr_html_()


@settings(deadline=None)
@given(rows=st.lists(st.lists(st.none() | st.floats() | st.integers() | st.text(max_size=3), max_size=7), max_size=3))
def test_any_rows_are_candles_or_a_bad_response(rows):
    try:
        candles = from_ccxt.candles(rows)
    except BadResponse:
        return
    assert len(candles) == len(rows)
