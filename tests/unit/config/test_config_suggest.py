"""The nearest right word, and former ids."""

from __future__ import annotations

import ccxt
import pytest

from planar.config import ALIASES, resolve_alias
from planar.config.keys import EXCHANGE_KEYS, names
from planar.config.suggest import nearest


@pytest.mark.parametrize(
    ("word", "right"),
    [
        ("sandbx", "sandbox"),
        ("sadnbox", "sandbox"),
        ("TIMEOUT", "timeout"),
        ("timeot", "timeout"),
        ("ratelimit", "rateLimit"),
        ("enable_ratelimit", "enableRateLimit"),
        ("env", "environment"),
        ("future", "futures"),
        ("withdrawal", "withdrawals"),
        ("readonly", "read_only"),
        ("verifySsl", "verify_ssl"),
        ("x", None),
        ("completely_else", None),
    ],
)
def test_keys(word: str, right: str | None) -> None:
    assert nearest(word, names(EXCHANGE_KEYS)) == right


@pytest.mark.parametrize(
    ("word", "right"), [("binnance", "binance"), ("krakn", "kraken"), ("bybti", "bybit"), ("hyperliqid", "hyperliquid")]
)
def test_exchanges(word: str, right: str) -> None:
    assert nearest(word, ccxt.exchanges) == right


def test_former_ids_are_gone_and_todays_exist() -> None:
    assert list(ALIASES) == sorted(ALIASES)
    for former, alias in ALIASES.items():
        assert former not in ccxt.exchanges
        assert alias.id in ccxt.exchanges
        assert resolve_alias(former) == (alias.id, alias.warning)
        assert f'"{alias.id}"' in alias.warning
    assert resolve_alias("kraken") == ("kraken", None)
