"""What the seam makes by a shorter way is what CCXT makes."""

from __future__ import annotations

import copy
import hashlib
import inspect
from typing import Any

import ccxt
from ccxt.base.decimal_to_precision import (
    DECIMAL_PLACES,
    NO_PADDING,
    PAD_WITH_ZERO,
    ROUND,
    TICK_SIZE,
    TRUNCATE,
    decimal_to_precision,
)
from hypothesis import example, given, settings
from hypothesis import strategies as st

from planar.adapters.ccxt_parsing import ParsingSeam, precise
from planar.adapters.ccxt_short_orders import ShortOrderSeam


class Short(ParsingSeam, ShortOrderSeam, ccxt.binance):
    """CCXT's class with the short ways alone."""


PLAIN, SHORT = ccxt.binance(), Short()
numbers = (
    st.decimals(0, 10**12, places=8).map(str)
    | st.sampled_from(["0", "0.00000000", "1e-8", "-1", "1_0", "", "x", "0.1234567890123456789"])
    | st.none()
    | st.floats(0, 1e6)
    | st.integers(0, 10**6)
)


@given(st.integers(-10, 10**14) | st.floats() | st.text(max_size=15) | st.none() | st.booleans())
def test_times_are_written_as_ccxt_writes_them(timestamp: Any) -> None:
    assert SHORT.iso8601(timestamp) == PLAIN.iso8601(timestamp)


@given(
    st.binary(max_size=99),
    st.binary(max_size=200),
    st.sampled_from([hashlib.sha256, hashlib.sha384, hashlib.sha512, hashlib.md5]),
    st.sampled_from(["hex", "base64", "binary"]),
)
def test_signatures_are_ccxts(request: bytes, secret: bytes, algorithm: Any, digest: str) -> None:
    assert SHORT.hmac(request, secret, algorithm, digest) == PLAIN.hmac(request, secret, algorithm, digest)


@given(
    st.dictionaries(
        st.sampled_from(["BTC", "ETH", "USDT", "A", "free", "info"]),
        st.fixed_dictionaries({}, optional=dict.fromkeys(("free", "used", "total", "debt"), numbers)),
        max_size=4,
    )
)
def test_balances_are_ccxts(balance: dict[str, Any]) -> None:
    def made(exchange: ccxt.binance) -> Any:
        try:
            return exchange.safe_balance(copy.deepcopy(balance))
        except Exception as error:
            return type(error)

    assert made(SHORT) == made(PLAIN)


def test_codes_follow_the_list_of_currencies() -> None:
    exchange = Short()
    assert exchange.safe_currency_code("xbt") == PLAIN.safe_currency_code("xbt") == "BTC"
    assert exchange.safe_currency_code(None) is None
    exchange.currencies_by_id = {"xbt": {"code": "OTHER"}}
    assert exchange.safe_currency_code("xbt") == "OTHER"
    assert exchange.safe_currency_code(None, {"code": "GIVEN"}) == "GIVEN"


zeros = st.sampled_from(["0", "0.0", "0.00000000"])
plain = st.decimals(0, 10**9, places=8).map(lambda value: f"{value:f}")
neat = plain | zeros | st.sampled_from([None, ""])
told = neat | st.sampled_from(["1e3", "-1", 5, 0.5, True, "x"])
words = st.sampled_from(["a", "", None, "PO", "GTC", "IOC", "market", "limit", 5, 1.5])
times = st.none() | st.integers(-10, 10**14)
odd_times = times | st.sampled_from(["1700000000000", 1.7e12, "", "x", 2**60])
fee = {"cost": "0.1", "currency": "BTC"}


def orders_of(
    numbers: Any, filled: Any, times: Any, fees: tuple[Any, ...], trades: tuple[Any, ...]
) -> st.SearchStrategy[dict[str, Any]]:
    said = {
        **dict.fromkeys(("amount", "remaining", "cost", "average", "price"), numbers),
        **dict.fromkeys(("triggerPrice", "stopPrice", "takeProfitPrice", "stopLossPrice"), st.none() | numbers),
        **dict.fromkeys(("id", "clientOrderId", "symbol", "side", "type", "timeInForce", "datetime"), words),
        "status": st.sampled_from(["open", "closed", "canceled", None, ""]),
        **dict.fromkeys(("timestamp", "lastTradeTimestamp", "lastUpdateTimestamp"), times),
        **dict.fromkeys(("postOnly", "reduceOnly"), st.sampled_from([True, False, None, ""])),
        "fees": st.sampled_from(fees),
        "trades": st.sampled_from(trades),
        "info": st.just({"a": 1}),
    }
    return st.fixed_dictionaries({}, optional={**said, "filled": filled})


untraded = orders_of(neat, zeros, times, (None, []), (None, []))
others = orders_of(told, told, odd_times, (None, [], [fee]), (None, [], ""))
markets = st.sampled_from(
    [None, {"spot": True, "symbol": "A/B"}, {"spot": False, "contractSize": 0.1, "inverse": True, "symbol": "A/B:A"}]
)


@settings(max_examples=1_000)
@example({"filled": "0", "type": "market", "stopLossPrice": "1"}, None, None)
@given(untraded | others, markets, st.sampled_from([None, None, "", fee]))
def test_orders_are_ccxts(order: dict[str, Any], market: Any, paid: Any) -> None:
    order = {**order, "fee": paid}

    def made(exchange: ccxt.binance) -> Any:
        try:
            return exchange.safe_order(copy.deepcopy(order), market)
        except Exception as error:
            return type(error)

    assert made(SHORT) == made(PLAIN)


@settings(max_examples=1_000)
@given(
    st.decimals(-10, 10**6, places=4).map(str)
    | st.builds(lambda count, tick: count * tick, st.integers(0, 10**6), st.sampled_from([0.01, 0.5, 1e-8, 5.0]))
    | st.sampled_from(["0", "0.0", "007", "1e-3", "", "x", 5, "1.", ".5", "100", "1000000000000000000000.5"]),
    st.sampled_from([TRUNCATE, ROUND]),
    st.sampled_from([0.01, 0.5, 1e-8, 0.25, 1.0, 10.0, 5.0, 1, 2, "0.01", 0.0, -1.0]),
    st.sampled_from([TICK_SIZE, DECIMAL_PLACES]),
    st.sampled_from([NO_PADDING, PAD_WITH_ZERO]),
)
def test_numbers_are_written_as_ccxt_writes_them(
    n: Any, rounding: int, precision: Any, counting: int, pad: int
) -> None:
    def made(written: Any) -> Any:
        try:
            return written(n, rounding, precision, counting, pad)
        except Exception as error:
            return type(error)

    assert made(precise) == made(decimal_to_precision)


def test_numbers_have_ccxts_defaults() -> None:
    assert inspect.signature(precise).parameters.keys() == inspect.signature(decimal_to_precision).parameters.keys()
    assert precise.__defaults__ == decimal_to_precision.__defaults__
