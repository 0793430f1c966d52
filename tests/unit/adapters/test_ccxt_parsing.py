"""The shorter ways of parsing give what CCXT's own way gives."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import ccxt.async_support as ccxt
import orjson
import pytest
from ccxt.base.precise import Precise
from hypothesis import given
from hypothesis import strategies as st

from planar.adapters.binance import PROFILE
from planar.adapters.ccxt_parsing import bound_numbers, plain_number
from planar.adapters.ccxt_seam import seam_class
from planar.models import Candle, from_ccxt

SEAM: Any = seam_class("binance")({"timeout_on_exit": 0})
CCXT: Any = ccxt.binance()
assert PROFILE.candle_reader is not None
assert PROFILE.book_reader is not None
read_candles, read_book = PROFILE.candle_reader, PROFILE.book_reader

names = st.one_of(st.text(max_size=8), st.sampled_from(["symbol", "recvWindow", "a=b", "x&y"]))
values = st.one_of(
    st.text(max_size=12),
    st.sampled_from(["BTCUSDT", "0.010", "-1.5", "plabc~_1", "a b", "ä", "1=2", "1&2", "100%", "~", ""]),
    st.integers(),
    st.floats(allow_nan=False),
    st.booleans(),
    st.none(),
    st.decimals(allow_nan=False),
    st.lists(st.integers(), max_size=3),
)


@given(st.dictionaries(names, values, max_size=6), st.booleans())
def test_queries_are_encoded_as_ccxt_does(params: dict[str, Any], doseq: bool) -> None:
    assert SEAM.urlencode(params, doseq) == CCXT.urlencode(params, doseq)


nested = st.recursive(values, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(names, inner, max_size=2))


@given(st.dictionaries(names, nested, max_size=6))
def test_nested_queries_are_encoded_as_ccxt_does(params: dict[str, Any]) -> None:
    assert SEAM.urlencode_nested(params) == CCXT.urlencode_nested(params)


def price(low: str = "0") -> st.SearchStrategy[str]:
    return st.decimals(Decimal(low), Decimal("9e9"), places=8, allow_nan=False).map(lambda value: f"{value:f}")


rows = st.lists(
    st.tuples(
        st.integers(1, 2_000_000_000_000),
        *(price() for _ in range(5)),
        *(st.just(0), price(), st.integers(0, 99), price(), price(), st.just("0")),
    ).map(list),
    max_size=12,
)


@given(rows, st.none() | st.integers(0, 2_000_000_000_000), st.none() | st.integers(1, 15), st.booleans())
def test_candles_from_bytes_are_those_that_ccxt_reads(
    raw: list[Any], since: int | None, limit: int | None, tail: bool
) -> None:
    body = orjson.dumps(raw)
    mine = SEAM.parse_ohlcvs(read_candles(body), {"inverse": False}, "1m", since, limit, tail)
    theirs = CCXT.parse_ohlcvs(orjson.loads(body), {"inverse": False}, "1m", since, limit, tail)
    assert [tuple(row) for row in mine] == [tuple(row) for row in theirs]
    assert from_ccxt.candles(mine) == from_ccxt.candles(theirs)


levels = st.lists(
    st.tuples(price("0.00000001"), price("0.00000001")).map(list), max_size=12, unique_by=lambda row: float(row[0])
)


@given(levels, levels, st.integers(1, 2**53))
def test_books_from_bytes_are_those_that_ccxt_reads(bids: list[Any], asks: list[Any], number: int) -> None:
    body = orjson.dumps({"lastUpdateId": number, "bids": bids, "asks": asks})
    books: list[Any] = []
    for exchange, response in ((SEAM, read_book(body)), (CCXT, orjson.loads(body))):
        book = exchange.parse_order_book(response, "BTC/USDT", exchange.safe_integer(response, "T"))
        books.append(from_ccxt.order_book({**book, "nonce": exchange.safe_integer(response, "lastUpdateId")}))
    assert books[0] == books[1]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"{}",
        b'{"code": -1121, "msg": "Invalid symbol."}',
        b'[{"code": -2011}]',
        b'[[1, "1", "2", "1", "1"]]',
        b'[[1, null, "2", "1", "1", "5"]]',
        b'[[1, "nan", "2", "1", "1", "5"]]',
        b'[[1, "Infinity", "2", "1", "1", "5"]]',
        b'[[1, "INF", "2", "1", "1", "5"]]',
        b'[[1, "1e999", "2", "1", "1", "5"]]',
        b'[[1, "1", "2", "1", "1", "5"]',
        b'[["x", "1", "2", "1", "1", "5"]]',
        b'[[1, true, "2", "1", "1", "5"]]',
    ],
)
def test_what_is_nothing_of_the_kind_goes_the_other_way(body: bytes) -> None:
    assert read_candles(body) is None
    assert read_book(body) is None


def test_an_answer_that_names_no_side_is_no_book() -> None:
    assert read_book(b'{"lastUpdateId": 1, "bids": [["1", "2"]]}') is None
    assert read_book(b'{"lastUpdateId": 1, "bids": [["1"]], "asks": []}') is None


def test_no_candles_are_no_candles() -> None:
    assert read_candles(b"[]") == []
    assert SEAM.parse_ohlcvs([], None, "1m", None, 5) == []
    assert isinstance(SEAM.parse_ohlcvs(read_candles(b'[[1, "1", "1", "1", "1", "1"]]'))[0], Candle)


@pytest.mark.parametrize("number", ["1E-999999999", "1e1000", "-2.5E+12345", "1e"])
def test_numbers_that_nobody_can_write_down_are_refused_before_ccxt_writes_their_zeros(number: str) -> None:
    with pytest.raises(ValueError, match="no number"):
        plain_number(number)
    bound_numbers()
    with pytest.raises(ValueError, match="no number"):
        Precise(number)


@pytest.mark.parametrize(("number", "text"), [("1e-8", "0.00000001"), (1e22, "10000000000000000000000"), ("5.0", "5")])
def test_all_others_are_written_as_ccxt_writes_them(number: object, text: str) -> None:
    assert plain_number(number) == text
    assert plain_number(None) is None
