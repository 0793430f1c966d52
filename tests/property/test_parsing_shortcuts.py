"""What the seam makes by a shorter way is what CCXT makes."""

from __future__ import annotations

import copy
import hashlib
from typing import Any

import ccxt
from hypothesis import given
from hypothesis import strategies as st

from planar.adapters.ccxt_parsing import ParsingSeam


class Short(ParsingSeam, ccxt.binance):
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
