"""What CCXT signs with, in each of its styles: in the query, in headers, in the body, in base64, as a token."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from planar.transport.redact import HIDDEN, redact

VALUES = {
    "apiKey": "apikeyAPIKEYapikey4242",
    "secret": "s3cr3tS3CR3Ts3cr3tS3CR3Ts3cr3tS3CR3T4242",
    "password": "passphrasePASSPHRASE4242",
    "token": "tokenTOKENtoken4242",
}
STYLES = (
    *("alpaca", "binance", "bitfinex", "bitget", "bitstamp", "btcbox", "btcturk", "btse", "bybit"),
    *("coinbase", "coinone", "cryptocom"),
    *("foxbit", "gate", "htx", "kraken", "kucoin", "okx", "poloniex", "whitebit", "xt", "zaif"),
)


def endpoints(node: Any, above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str, str]]:
    """(sections, method, path): one of each method of each section."""
    for name, below in node.items() if isinstance(node, Mapping) else ():
        if name in ("get", "post") and below:
            yield above, name.upper(), str(next(iter(below)))
        else:
            yield from endpoints(below, (*above, name))


@pytest.mark.parametrize("exchange", STYLES)
def test_nothing_of_a_signed_request_is_left(exchange: str) -> None:
    made: Any = getattr(importlib.import_module(f"ccxt.async_support.{exchange}"), exchange)(VALUES)
    held = 0
    for sections, method, path in endpoints(made.api):
        try:
            signed = made.sign(path, list(sections), method, {"symbol": "X"})
        except Exception:
            continue  # it needs a parameter in its path, or another kind of key
        text = f"{signed['url']} {signed['headers']} {signed['body']}"
        held += any(value in text for value in VALUES.values()) or "eyJ" in text
        hidden = redact(text)
        assert not [name for name, value in VALUES.items() if value in hidden], hidden
        assert "eyJ" not in hidden
        for line in ((signed["headers"] or {}).items()) if isinstance(signed["headers"], Mapping) else ():
            if "sign" in str(line[0]).lower() and len(str(line[1])) > 30:
                assert str(line[1]) not in hidden
    assert held, "no request of it held a key"
    assert (
        redact(f"a token eyJhbGciOiJIUzI1NiJ9.{'x' * 20}.{'y' * 20} stands alone") == f"a token {HIDDEN} stands alone"
    )
