"""Models that need no rules of their own, from CCXT's dictionaries: each field is read by its declared type.

A field without a default must be there. `Amount` is exact and finite, `float` finite or None, times are milliseconds,
texts and flags are tolerated. See `planar.models.from_ccxt.reader`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Protocol, TypeVar, cast, get_type_hints

import msgspec

from planar.models.amount import Amount
from planar.models.base import Model, ccxt_key
from planar.models.from_ccxt.orders import fee_of
from planar.models.from_ccxt.reader import Reader
from planar.models.orders import Fee

M = TypeVar("M", bound=Model)
M_co = TypeVar("M_co", bound=Model, covariant=True)


class Convert(Protocol[M_co]):
    """Makes a model of CCXT's dictionary."""

    def __call__(self, data: object, *, exchange: str | None = None, received_ns: int | None = None) -> M_co: ...


def _mapping(r: Reader, key: str) -> dict[str, Any] | None:
    value = r.get(key)
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


_OPTIONAL: dict[Any, Callable[[Reader, str], Any]] = {
    str | None: Reader.text,
    float | None: Reader.number,
    Amount | None: Reader.signed,
    int | None: Reader.time_ms,
    bool | None: Reader.flag,
    dict[str, Any] | None: _mapping,
}
_NEEDED: dict[Any, Callable[[Reader, str], Any]] = {
    str: Reader.identity,
    float: lambda r, key: r.needed(key, r.number(key)),
    Amount: lambda r, key: r.needed(key, r.signed(key)),
}
_NOT_READ = ("raw", "received_ns")


@cache
def _fields(kind: type[Model]) -> list[tuple[str, str, Callable[[Reader, str], Any]]]:
    """(attribute, CCXT's key, how it is read) of each field; those with a default of another type keep it."""
    hints = get_type_hints(kind)
    found: list[tuple[str, str, Callable[[Reader, str], Any]]] = []
    for field in msgspec.structs.fields(kind):
        hint = hints[field.name]
        if field.name in _NOT_READ:
            continue
        key = ccxt_key(field.name).removesuffix("Ms")
        read = _NEEDED.get(hint) if field.required else _OPTIONAL.get(hint)
        if read is not None:
            found.append((field.name, key, read))
    return found


def plain(kind: type[M], what: str) -> Convert[M]:
    """The function that makes `kind` of CCXT's dictionary; `what` is its name in errors.

    It raises BadResponse that names field and value, where a field that must be there is missing or a number is none.
    """
    timed = "received_ns" in kind.__struct_fields__
    with_fee = "fee" in kind.__struct_fields__ and get_type_hints(kind)["fee"] == Fee | None

    def convert(data: object, *, exchange: str | None = None, received_ns: int | None = None) -> M:
        r = Reader(data, what, exchange)
        values: dict[str, Any] = {name: read(r, key) for name, key, read in _fields(kind)}
        if with_fee:
            values["fee"] = fee_of(r.get("fee"), exchange)
        if timed:
            values["received_ns"] = received_ns
        values["raw"] = r.get("info")
        return kind(**values)

    return convert
