"""Which markets trade, which will end, which are leveraged tokens."""

from __future__ import annotations

from typing import Any

import pytest

from planar.exchange.listing import bases_of, ends, is_leveraged_token, ranked_fees, standing, tradable
from planar.models import Amount, Market
from planar.models.money import TradingFee

NOW = 1_700_000_000_000


def market(symbol: str, type: str = "spot", active: bool | None = True, **more: Any) -> Market:
    base, _, quote = symbol.partition(":")[0].partition("/")
    return Market(id=symbol, symbol=symbol, base=base, quote=quote, type=type, active=active, **more)


LISTED = [
    market("BTC/USDT"),
    market("ETH/USDT"),
    market("BTC3L/USDT"),
    market("ETHDOWN/USDT"),
    market("JUP/USDT"),
    market("SYRUP/USDT"),
    market("ETH/BTC"),
    market("OLD/USDT", active=False),
    market("GO/USDT", raw={"delistTime": "1700001000000"}),
    market("XMR/USDT", raw={"status": "cancel_only"}),
    market("LTC/USDT", active=None, raw={"status": "online", "offTime": "", "delisting": False}),
    market("BTC/USDT:USDT", "swap"),
    market("BTC/USDT:USDT-231115", "future", expiry_ms=NOW - 1),
]


def names(**asked: Any) -> list[str]:
    return [one.symbol for one in tradable(LISTED, NOW, **asked)]


def test_leveraged_tokens_are_those_of_another_listed_base() -> None:
    bases = bases_of(LISTED)
    found = [one.symbol for one in LISTED if is_leveraged_token(one, bases)]
    assert found == ["BTC3L/USDT", "ETHDOWN/USDT"]


def test_standing() -> None:
    found = {one.symbol: standing(one, NOW) for one in LISTED}
    assert found["BTC/USDT"] == "trading"
    assert found["OLD/USDT"] == found["BTC/USDT:USDT-231115"] == "inactive"
    assert found["GO/USDT"] == found["XMR/USDT"] == "delisting"
    assert found["LTC/USDT"] == "unknown"


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        ({"in_delisting": True}, True),
        ({"in_delisting": False}, False),
        ({"state": "pre-offline"}, True),
        ({"tradeStatus": "Delisting"}, True),
        ({"status": "reduce_only"}, True),
        ({"status": "TRADING", "delistTime": "0"}, False),
        ({"offlineTime": None}, False),
        ({"note": "not delisted"}, False),
    ],
)
def test_what_an_exchange_says_of_an_end(raw: dict[str, Any], wanted: bool) -> None:
    assert ends(raw) is wanted


def test_tradable_markets_by_currency_type_and_kind() -> None:
    assert names() == ["BTC/USDT", "ETH/BTC", "ETH/USDT", "JUP/USDT", "LTC/USDT", "SYRUP/USDT"]
    assert names(quote="BTC") == ["ETH/BTC"]
    assert names(base="BTC", type=None) == ["BTC/USDT", "BTC/USDT:USDT"]
    assert names(leveraged_tokens="only") == ["BTC3L/USDT", "ETHDOWN/USDT"]
    assert len(names(leveraged_tokens="yes")) == 8
    assert {"GO/USDT", "XMR/USDT"} <= set(names(delisting=True))
    assert "OLD/USDT" not in names(delisting=True, leveraged_tokens="yes", type=None)


def test_fees_of_several_exchanges_the_lowest_first() -> None:
    def fee(maker: str, taker: str) -> TradingFee:
        return TradingFee(symbol="BTC/USDT", maker=Amount(maker), taker=Amount(taker))

    fees = {"a": fee("0.001", "0.002"), "b": fee("0.002", "0.001"), "c": fee("-0.0001", "0.002")}
    assert [name for name, _ in ranked_fees(fees)] == ["b", "a", "c"]
    assert [name for name, _ in ranked_fees(fees, maker=True)] == ["c", "a", "b"]
