"""What Kraken's answer to a new order is read as by the short way is what CCXT reads."""

from __future__ import annotations

import copy
from typing import Any

import ccxt
from hypothesis import example, given
from hypothesis import strategies as st

from planar.adapters.ccxt_parsing import ParsingSeam
from planar.adapters.ccxt_short_orders import ShortOrderSeam
from planar.adapters.kraken.reading import KrakenReading


class Short(KrakenReading, ParsingSeam, ShortOrderSeam, ccxt.kraken):
    """CCXT's class with the short ways alone."""


PLAIN, SHORT = ccxt.kraken(), Short()
for one in (PLAIN, SHORT):
    one.options["marketsByAltname"] = {
        "XBTUSDT": {"symbol": "BTC/USDT", "spot": True, "base": "BTC", "quote": "USDT", "contractSize": None}
    }
    one.markets_by_id = {}

numbers = st.decimals(0, 10**9, places=5).map(lambda value: f"{value:f}") | st.sampled_from(
    ["0", "1", ".5", "50%", "1e3"]
)
kinds = st.sampled_from(["limit", "market", "stop loss", "take profit", "trailing stop", "stop loss -> limit"])
texts = st.builds(
    lambda side, amount, pair, kind, price, more: f"{side} {amount} {pair} @ {kind} {price}{more}".strip(),
    st.sampled_from(["buy", "sell", "hold"]),
    numbers,
    st.sampled_from(["XBTUSDT", "XXBTZUSD", "ETH/USD"]),
    kinds,
    numbers | st.just(""),
    st.sampled_from(["", " with 5:1 leverage", " -> limit 5"]),
)
answers = st.fixed_dictionaries(
    {
        "descr": st.fixed_dictionaries({"order": texts}, optional={"close": st.just("close position @ limit 5")}),
        "txid": st.sampled_from([["OAAAAA-BBBBB-CCCCCC"], [], [""], ["A", "B"], "OAAAAA", None]),
        "usingCost": st.booleans(),
    },
    optional={"cl_ord_id": st.just("pl1"), "userref": st.just(5)},
)
ONE: dict[str, Any] = {"txid": ["OAAAAA-BBBBB-CCCCCC"], "usingCost": False}


@example({**ONE, "descr": {"order": "buy 0.02100000 XBTUSDT @ limit 330.00"}})
@example({**ONE, "descr": {"order": "sell 1 XBTUSDT @ market"}})
@example({**ONE, "descr": {"order": "buy 0.021 ETHUSD @ limit 0.0001"}})
@given(answers)
def test_an_acknowledgement_is_read_as_ccxt_reads_it(answer: dict[str, Any]) -> None:
    assert made(SHORT, answer) == made(PLAIN, answer)


def made(exchange: Any, answer: dict[str, Any]) -> Any:
    try:
        return exchange.parse_order(copy.deepcopy(answer))
    except Exception as error:
        return type(error)


def test_the_plain_ones_go_the_short_way() -> None:
    for text in ("buy 0.02100000 XBTUSDT @ limit 330.00", "sell 1 XBTUSDT @ market"):
        assert SHORT._acknowledged({**ONE, "descr": {"order": text}}, None) is not None
