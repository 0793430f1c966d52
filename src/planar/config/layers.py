"""A layer of settings: what one source (the file, the environment variables, the arguments of a call) says.

`settings_file` and `env` fill layers, `merge` lays them over one another. A value is typed and its id resolved on
entry, so that everything behind handles correct values only.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

import msgspec

from planar.config import values
from planar.config.aliases import ALIASES, resolve_alias
from planar.config.findings import Findings, Place
from planar.config.keys import Key
from planar.config.secret_type import Secret
from planar.config.suggest import did_you_mean


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One typed value.

    Attributes:
        key: the key's name as it was meant (`sandbox`).
        field: the attribute that it sets (`environment`).
        value: for that attribute.
        place: where it was written.
        variable: True when it comes from an environment variable.
    """

    key: str
    field: str
    value: Any
    place: Place
    variable: bool = False

    def shown(self) -> str:
        """`sandbox = true`, for messages; a secret stays covered."""
        if isinstance(self.value, Secret):
            return f"{self.key} = {self.value}"
        if self.field == "environment" and self.key != "environment":
            return f"{self.key} = {'true' if self.value == 'sandbox' else 'false'}"
        return f"{self.key} = {values.written(self.value)}"


class Layer:
    """Entries by exchange id and by section; both in the order of writing."""

    def __init__(self) -> None:
        self.exchanges: dict[str, list[Entry]] = {}
        self.sections: dict[str, list[Entry]] = {}

    def exchange(self, exchange: str) -> list[Entry]:
        """The entries of one exchange, to add to."""
        return self.exchanges.setdefault(exchange, [])

    def section(self, name: str) -> list[Entry]:
        """The entries of `exchanges`, `workspace`, `venue`, `budget` or `alarms`, to add to."""
        return self.sections.setdefault(name, [])


class Ids:
    """Which exchange ids there are: checks them, resolves former ones, suggests the nearest.

    Attributes:
        known: the ids that exist; None where that is not known, and every well-formed id passes.
    """

    def __init__(self, known: Collection[str] | None) -> None:
        self.known = known

    def exists(self, exchange: str) -> bool:
        """Whether `exchange` is known to be an id, a former one included."""
        return exchange in ALIASES or (self.known is not None and exchange in self.known)

    def resolve(self, written: str, at: Place, findings: Findings) -> str | None:
        """Today's id for what the user wrote; None, with an error, if there is no such exchange."""
        fix = None
        if written != written.lower():
            fix = f"ids are lower-case: {written.lower()}"
        elif re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)*", written):
            exchange, warning = resolve_alias(written)
            if self.known is None or exchange in self.known:
                if warning:
                    findings.warn("former-id", warning, at=at, fix=f"write {exchange} in place of {written}")
                return exchange
            fix = did_you_mean(written, [*self.known, *ALIASES]) or "planar exchanges lists them"
        findings.error("unknown-exchange", f'there is no exchange "{written}"', at=at, fix=fix)
        return None


def make_entry(key: Key, raw: object, place: Place, findings: Findings, *, variable: bool = False) -> Entry | None:
    """The entry for a raw value; None, with an error, if the value is wrong."""
    try:
        value = key.parse(raw)
    except values.Wrong as wrong:
        findings.error("wrong-value", f"{key.name} {wrong.text}", at=place, fix=wrong.fix)
        return None
    return Entry(key=key.name, field=key.field, value=value, place=place, variable=variable)


def resolve_ids(entry: Entry, ids: Ids, findings: Findings) -> Entry | None:
    """An entry of `[exchanges]` with its ids resolved; None if one of them is wrong or stands twice."""
    many = entry.field in ("backup", "enabled")
    listed: tuple[str, ...] = entry.value if many else (entry.value,)
    found = [ids.resolve(written, entry.place, findings) for written in listed]
    good = [exchange for exchange in found if exchange is not None]
    if len(good) < len(found):
        return None
    twice = next((exchange for exchange in good if good.count(exchange) > 1), None)
    if twice:
        findings.error("twice", f'{entry.key} names "{twice}" twice', at=entry.place, fix="keep one")
        return None
    return msgspec.structs.replace(entry, value=tuple(good) if many else good[0])
