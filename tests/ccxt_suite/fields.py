"""The fields that an exchange documents for each answer and stream, and what of an answer differs from them.

`fields/<exchange>.toml` holds a table per endpoint or stream, with the page it was taken from. In it a key is the place
of an object in the answer, a value its fields: `balances[]` = "asset free locked" are the objects of the list in
`balances`. A field with `?` may be missing, `*` stands for names that are not fields (assets, markets, ids), `@name`
for fields listed once in `[shapes]`, and `-` for an empty object. Rows that are arrays are counted: `[]` = "#12".
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

DIRECTORY = Path(__file__).parent / "fields"


class Fields:
    """The documented fields of one exchange."""

    def __init__(self, exchange: str) -> None:
        found: dict[str, dict[str, str]] = tomllib.loads((DIRECTORY / f"{exchange}.toml").read_text())
        self._shapes = found.pop("shapes")
        self._tables = found

    @property
    def endpoints(self) -> frozenset[str]:
        """What is documented."""
        return frozenset(self._tables)

    def page(self, endpoint: str) -> str:
        """The page of the documentation."""
        return self._tables[endpoint]["page"]

    def differences(self, endpoint: str, answer: Any) -> list[str]:
        """Unknown and missing fields of an answer."""
        return [f"{endpoint}: {text}" for text in self._walk(answer, "", self._tables[endpoint])]

    def _walk(self, value: Any, place: str, table: Mapping[str, str]) -> list[str]:
        if isinstance(value, list):
            inner = f"{place}[]"
            count = table.get(inner, "")
            if count.startswith("#"):
                return [f"{inner} has {len(row)} members" for row in value if len(row) != int(count[1:])]
            return [text for row in value for text in self._walk(row, inner, table)]
        if not isinstance(value, dict):
            return []
        if place not in table:
            return [f"an object at '{place}' is not documented"]
        names = self._names(table[place])
        if names == ["*"]:
            inside = dict.fromkeys(value, "*")
            wrong: list[str] = []
        else:
            inside = {name: name for name in value}
            wrong = self._compare(value, place, names)
        for name, step in inside.items():
            wrong += self._walk(value[name], f"{place}.{step}" if place else step, table)
        return wrong

    def _names(self, text: str) -> list[str]:
        names: list[str] = []
        for word in text.split():
            names += self._names(self._shapes[word[1:]]) if word.startswith("@") else [word]
        return [name for name in names if name != "-"]

    @staticmethod
    def _compare(value: Mapping[str, Any], place: str, names: list[str]) -> list[str]:
        known = {name.removesuffix("?") for name in names}
        needed = {name for name in names if not name.endswith("?")}
        where = f" at '{place}'" if place else ""
        unknown = [f"unknown field {name}{where}" for name in sorted(set(value) - known)]
        return unknown + [f"missing field {name}{where}" for name in sorted(needed - set(value))]
