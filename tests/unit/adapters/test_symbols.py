"""What users write leads to one market, or to an error that helps."""

from __future__ import annotations

import time
from typing import Any

import pytest
import synthetic_markets as synthetic

from planar.adapters.ccxt_markets import capture
from planar.adapters.symbols import Listing, Resolved, SymbolResolver
from planar.errors import BadSymbol, Outcome


def resolver(
    *rows: tuple[str, str, str, str | None, bool | None], names: dict[str, int] | None = None
) -> SymbolResolver:
    """A resolver for rows of symbol, id, type, sub-type, active."""
    by_id: dict[str, list[int]] = {}
    for number, row in enumerate(rows):
        by_id.setdefault(row[1], []).append(number)
    columns: Any = [list(column) for column in zip(*rows, strict=True)] or [[]] * 5
    return SymbolResolver("here", Listing(*columns, by_id, names or {}, len(rows)))


# As the venues name them: one id for spot and swap, ids with separators, an id that is a pair, names of their own.
BINANCE = resolver(
    ("BTC/USDT", "BTCUSDT", "spot", None, True),
    ("ETH/USDT", "ETHUSDT", "spot", None, True),
    ("BTC/USDC", "BTCUSDC", "spot", None, True),
    ("LUNA/USDT", "LUNAUSDT", "spot", None, False),
    ("BTC/USDT:USDT", "BTCUSDT", "swap", "linear", True),
    ("PERP/USDT:USDT", "PERPUSDT", "swap", "linear", True),
    ("BTC/USD:BTC", "BTCUSD_PERP", "swap", "inverse", True),
    ("BTC/USDT:USDT-260626", "BTCUSDT_260626", "future", "linear", True),
    ("BTC/USDT:USDT-260925", "BTCUSDT_260925", "future", "linear", True),
)
OKX = resolver(
    ("BTC/USDT", "BTC-USDT", "spot", None, True),
    ("BTC/USDT:USDT", "BTC-USDT-SWAP", "swap", "linear", True),
    ("BTC/USD:BTC", "BTC-USD-SWAP", "swap", "inverse", True),
)
GATE = resolver(("BTC/USDT:USDT", "BTC_USDT", "swap", "linear", True), ("ETH/USDT", "ETH_USDT", "spot", None, True))
KRAKEN = resolver(
    ("BTC/USD", "XXBTZUSD", "spot", None, True),
    ("ETH/USD", "XETHZUSD", "spot", None, None),
    names={"XBTUSD": 0, "XBT/USD": 0, "ETHUSD": 1},
)
SWAPS = resolver(
    ("BTC/USDT:USDT", "BTCUSDT", "swap", "linear", True), ("BTC/USD:BTC", "BTCUSD", "swap", "inverse", True)
)


@pytest.mark.parametrize(
    ("exchange", "text", "market_type", "sub_type", "symbol"),
    [
        # a unified symbol is always itself
        (BINANCE, "BTC/USDT", None, None, "BTC/USDT"),
        (BINANCE, "BTC/USDT", "swap", "linear", "BTC/USDT"),
        (BINANCE, "BTC/USDT:USDT", "spot", None, "BTC/USDT:USDT"),
        (BINANCE, "BTC/USDT:USDT-260626", None, None, "BTC/USDT:USDT-260626"),
        # a pair in any form
        (BINANCE, "btc_usdt", None, None, "BTC/USDT"),
        (BINANCE, "BTC-USDT", "spot", None, "BTC/USDT"),
        (BINANCE, " btc usdt ", None, None, "BTC/USDT"),
        (BINANCE, "BTC-USDT", "swap", "linear", "BTC/USDT:USDT"),
        (BINANCE, "btc-usd", "swap", "inverse", "BTC/USD:BTC"),
        (BINANCE, "btc/usd", "swap", None, "BTC/USD:BTC"),
        (BINANCE, "PERP/USDT", "swap", None, "PERP/USDT:USDT"),
        (BINANCE, "btcusdc", None, None, "BTC/USDC"),
        (BINANCE, "BTC-USDT", "margin", None, "BTC/USDT"),
        (OKX, "BTCUSDT", None, None, "BTC/USDT"),
        (OKX, "BTC-USDT", None, None, "BTC/USDT"),
        (OKX, "BTC-USDT", "swap", "linear", "BTC/USDT:USDT"),
        (OKX, "BTC/USDT:usdt", None, None, "BTC/USDT:USDT"),
        # an id, and what is shared is decided by the preferred type
        (BINANCE, "BTCUSDT", "spot", None, "BTC/USDT"),
        (BINANCE, "BTCUSDT", "swap", None, "BTC/USDT:USDT"),
        (BINANCE, "btcusdt", "swap", None, "BTC/USDT:USDT"),
        (BINANCE, "ETHUSDT", None, None, "ETH/USDT"),
        (BINANCE, "BTCUSD_PERP", None, None, "BTC/USD:BTC"),
        (BINANCE, "BTCUSD_PERP", "spot", None, "BTC/USD:BTC"),
        (BINANCE, "btcusd-perp", "swap", "linear", "BTC/USD:BTC"),
        (OKX, "BTC-USDT-SWAP", "spot", None, "BTC/USDT:USDT"),
        (OKX, "btc_usdt_swap", None, None, "BTC/USDT:USDT"),
        (GATE, "BTC_USDT", None, None, "BTC/USDT:USDT"),
        (GATE, "BTC_USDT", "swap", None, "BTC/USDT:USDT"),
        (SWAPS, "BTCUSDT", None, None, "BTC/USDT:USDT"),
        (SWAPS, "BTCUSD", None, None, "BTC/USD:BTC"),
        # a further name of the venue
        (KRAKEN, "XBTUSD", None, None, "BTC/USD"),
        (KRAKEN, "XBT/USD", "spot", None, "BTC/USD"),
        (KRAKEN, "xbt-usd", None, None, "BTC/USD"),
        (KRAKEN, "XXBTZUSD", None, None, "BTC/USD"),
        (KRAKEN, "BTCUSD", None, None, "BTC/USD"),
        (KRAKEN, "ethusd", None, None, "ETH/USD"),
    ],
)
def test_leads_to(
    exchange: SymbolResolver, text: str, market_type: str | None, sub_type: str | None, symbol: str
) -> None:
    assert exchange.resolve(text, market_type, sub_type).symbol == symbol


@pytest.mark.parametrize(
    ("exchange", "text", "market_type", "sub_type", "said"),
    [
        # ambiguous
        (BINANCE, "BTCUSDT", None, None, ["any of 2 markets", "BTC/USDT (spot), BTC/USDT:USDT (swap)"]),
        (
            BINANCE,
            "BTCUSDT",
            "future",
            None,
            ["any of 2", "BTC/USDT:USDT-260626 (future), BTC/USDT"],
        ),
        (BINANCE, "BTC-USDT", "future", None, ["any of 2 markets"]),
        # another market type has it
        (BINANCE, "PERP/USDT", None, None, ["no spot market 'PERP/USDT'", "has PERP/USDT:USDT (swap)"]),
        (BINANCE, "PERP/USDT", "spot", None, ["no spot market 'PERP/USDT'", "has PERP/USDT:USDT (swap)"]),
        (BINANCE, "perpusdt", "spot", None, ["no spot market 'perpusdt'", "has PERP/USDT:USDT (swap)"]),
        (BINANCE, "eth-usdt", "swap", None, ["no swap market 'eth-usdt'", "has ETH/USDT (spot)"]),
        (BINANCE, "ETH/USDT:USDT", None, None, ["no market 'ETH/USDT:USDT'", "has ETH/USDT (spot)"]),
        (BINANCE, "ETH/USDT:USDT", "swap", None, ["no swap market 'ETH/USDT:USDT'", "has ETH/USDT (spot)"]),
        (BINANCE, "btc-usd", "swap", "linear", ["no linear swap market 'btc-usd'", "has BTC/USD:BTC (swap)"]),
        (GATE, "BTC/USDT", None, None, ["no spot market 'BTC/USDT'", "has BTC/USDT:USDT (swap)"]),
        (GATE, "BTC_USDT", "spot", None, ["no spot market 'BTC_USDT'", "has BTC/USDT:USDT (swap)"]),
        (GATE, "btc_usdt", None, None, ["no spot market 'btc_usdt'", "has BTC/USDT:USDT (swap)"]),
        # nearest
        (BINANCE, "BTC/USTD", None, None, ["no market 'BTC/USTD'", "did you mean BTC/USDT?"]),
        (BINANCE, "BCT/USDT", None, None, ["no market 'BCT/USDT'", "did you mean BTC/USDT?"]),
        (BINANCE, "BTCUSTD", None, None, ["no market 'BTCUSTD'", "did you mean BTC/USDT?"]),
        (BINANCE, "BCT/USDT:USDT", None, None, ["did you mean BTC/USDT:USDT?"]),
        (SWAPS, "BTCUSTD", None, None, ["did you mean BTC/USDT:USDT?"]),
        # separators in the wrong places are another pair
        (BINANCE, "BT/CUSDT", None, None, ["no market 'BT/CUSDT'"]),
        # nothing near
        (BINANCE, "ZZZZZZ/QQQQ", None, None, ["no market 'ZZZZZZ/QQQQ'", "lists 9 markets"]),
        (BINANCE, "", None, None, ["no market ''"]),
        (BINANCE, "/", None, None, ["no market '/'"]),
        (resolver(), "BTC/USDT", None, None, ["lists 0 markets"]),
    ],
)
def test_is_refused(
    exchange: SymbolResolver, text: str, market_type: str | None, sub_type: str | None, said: list[str]
) -> None:
    with pytest.raises(BadSymbol) as caught:
        exchange.resolve(text, market_type, sub_type)
    assert str(caught.value).startswith("here: ")
    for part in said:
        assert part in str(caught.value)


def test_an_inactive_market_is_flagged() -> None:
    assert BINANCE.resolve("LUNAUSDT") == Resolved("LUNA/USDT", "spot", False)
    assert BINANCE.resolve("BTC/USDT") == Resolved("BTC/USDT", "spot", True)
    assert KRAKEN.resolve("ETH/USD") == Resolved("ETH/USD", "spot", None)
    with pytest.raises(BadSymbol, match=r"LUNA/USDT \(spot, inactive\)"):
        BINANCE.resolve("luna-usdt", "swap")


def test_among_markets_of_one_type_those_that_trade_are_meant() -> None:
    venue = resolver(
        ("BTC/USDT:USDT-250101", "BTC1", "future", "linear", False),
        ("BTC/USDT:USDT-260101", "BTC2", "future", "linear", True),
    )
    assert venue.resolve("BTC-USDT", "future").symbol == "BTC/USDT:USDT-260101"


def test_activity_never_decides_between_market_types() -> None:
    venue = resolver(("BTC/USDT", "BTCUSDT", "spot", None, False), ("BTC/USDT:USDT", "BTCUSDT", "swap", "linear", True))
    with pytest.raises(BadSymbol, match="any of 2 markets"):
        venue.resolve("BTCUSDT")


def test_many_candidates_are_not_all_named() -> None:
    venue = resolver(*((f"BTC/USD:BTC-26010{n}", f"B{n}", "future", "inverse", True) for n in range(1, 9)))
    with pytest.raises(BadSymbol, match=r"BTC/USD:BTC-260105 \(future\) and 3 more$"):
        venue.resolve("BTCUSD", "future")


def test_letters_of_either_case_are_other_markets_only_where_both_exist() -> None:
    venue = resolver(("kPEPE/USDC", "0", "spot", None, True), ("KPEPE/USDC", "1", "spot", None, True))
    assert venue.resolve("kPEPE/USDC").symbol == "kPEPE/USDC"
    with pytest.raises(BadSymbol, match="any of 2 markets"):
        venue.resolve("kpepe/usdc")


def test_a_market_whose_symbol_another_has_taken_leads_to_the_symbol() -> None:
    listing = Listing(
        ["BTC/USDT", "BTC/USDT"],
        ["NEW", "OLD"],
        ["spot"] * 2,
        [None] * 2,
        [True, False],
        {"NEW": [0], "OLD": [1]},
        {},
        1,
    )
    assert SymbolResolver("here", listing).resolve("OLD") == Resolved("BTC/USDT", "spot", True)


def test_the_error_is_ccxts_and_nothing_was_sent() -> None:
    with pytest.raises(BadSymbol) as caught:
        BINANCE.resolve("NO/WAY")
    assert (caught.value.exchange, caught.value.outcome) == ("here", Outcome.NOT_SENT)


def test_a_text_without_end_is_neither_compared_nor_shown() -> None:
    with pytest.raises(BadSymbol) as caught:
        BINANCE.resolve("B" * 100_000)
    assert len(str(caught.value)) < 300


def test_thousands_of_markets_as_ccxt_lists_them() -> None:
    exchange = synthetic.binance(3000)
    listing = capture(exchange).listing
    resolve = SymbolResolver("binance", listing).resolve
    assert resolve("BTCUSDT", "spot").symbol == "BTC/USDT"
    assert resolve("btcusdt", "swap").symbol == "BTC/USDT:USDT"
    assert resolve("1000sats-usdt", "swap", "linear").symbol == "1000SATS/USDT:USDT"
    assert resolve("BTCUSDT_260925").symbol == "BTC/USDT:USDT-260925"
    assert resolve("ADATRY") == Resolved("ADA/TRY", "spot", False)
    for market in exchange.markets.values():
        found = resolve(market["id"], market["type"], market["subType"])
        assert (found.symbol, found.type, found.active) == (market["symbol"], market["type"], market["active"])
        assert resolve(market["symbol"].lower(), market["type"], market["subType"]).symbol == market["symbol"]
    start = time.process_time()
    with pytest.raises(BadSymbol, match=r"did you mean BTC/USDT\?"):
        resolve("BTC/USTD")
    assert time.process_time() - start < 0.2
