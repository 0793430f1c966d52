"""What is true of one exchange stands in that exchange's packages: no other module names one in a string."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import planar
from planar.adapters.exchange_ids import exchange_ids

PACKAGE = Path(planar.__file__).parent

OWN = re.compile(r"(adapters|venue/wire)/(?P<id>\w+)/")
"""A package of an exchange may name that exchange."""

ALLOWED = {
    "config/aliases.py": "the table of former ids, and the id of the examples",
    "cli/examples.py": "the examples in the help",
    "cli/demo/": "the demo shows one exchange",
    "models/derivatives.py": "delta is a greek of options as well",
}
"""Where any exchange may be named -> why."""

WORDS = {"apex", "cex", "delta", "derive", "extended", "gate", "lighter"}
"""Ids that are words as well: like short ids they count only where the whole string is one."""
SHORT = 4


def literals(source: str) -> Iterator[tuple[int, str]]:
    """Line and text of every string that is no docstring."""
    tree = ast.parse(source)
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.lineno, node.value


def named(text: str, ids: frozenset[str] = frozenset(exchange_ids())) -> list[str]:
    """The exchanges that a string names, as a whole or as one of its words."""
    text = text.lower()
    if text in ids:
        return [text]
    words = re.findall(r"[a-z0-9]+", text)
    return sorted({word for word in words if word in ids and len(word) >= SHORT and word not in WORDS})


def test_no_exchange_is_named_outside_its_own_packages() -> None:
    found: list[str] = []
    used: set[str] = set()
    for path in sorted(PACKAGE.rglob("*.py")):
        module = path.relative_to(PACKAGE).as_posix()
        own = OWN.match(module)
        reason = next((place for place in ALLOWED if module.startswith(place)), None)
        for line, text in literals(path.read_text(encoding="utf-8")):
            for exchange in named(text):
                if own is not None and exchange.startswith(own.group("id")):
                    continue
                if reason is not None:
                    used.add(reason)
                else:
                    found.append(f"src/planar/{module}:{line}: {exchange} in {text[:60]!r}")
    assert found == []
    assert sorted(set(ALLOWED) - used) == [], "allowed, and no longer needed"


@pytest.mark.parametrize(
    ("source", "exchange"),
    [
        ('if exchange.id == "kraken": pass', "kraken"),
        ('ids = {"p2b", "other"}', "p2b"),
        ('x = "gate"', "gate"),
        ('url = f"https://api.binance.com/{path}"', "binance"),
        ('raise ValueError("Bybit says no")', "bybit"),
        ('name = "planar.adapters.okx-x.kucoin"', "kucoin"),
    ],
)
def test_a_name_is_seen(source: str, exchange: str) -> None:
    assert [name for _, text in literals(source) for name in named(text)] == [exchange]


@pytest.mark.parametrize(
    "source",
    [
        '"""Binance, as a docstring."""',
        'x = 1\n"""What Kraken calls x."""',
        'x = "a gate that is extended"',
        'x = "cryptocompare"',
        "binance = None",
    ],
)
def test_what_is_no_name_is_left_alone(source: str) -> None:
    assert [name for _, text in literals(source) for name in named(text)] == []
