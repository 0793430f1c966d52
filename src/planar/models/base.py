"""What all models share: CCXT's mapping access, short representations, the raw payload, time.

A model is a frozen msgspec struct with snake_case attributes. Each attribute is also a key under CCXT's name:
`order.client_order_id` is `order["clientOrderId"]`, `ticker.ts_ms` is `ticker["timestamp"]`.
"""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, KeysView, Mapping, ValuesView
from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum
from functools import cache, lru_cache
from html import escape
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeAlias

import msgspec

if TYPE_CHECKING:
    RawPayload: TypeAlias = msgspec.Raw | dict[str, Any] | list[Any] | None
else:
    RawPayload = msgspec.Raw  # msgspec then leaves the payload undecoded when it reads a model from JSON

_EPOCH = datetime(1970, 1, 1)
_CCXT_NAMES = {"ts_ms": "timestamp", "raw": "info", "order_id": "order", "created_ms": "created", "expiry_ms": "expiry"}


def ccxt_key(name: str) -> str:
    """CCXT's key of an attribute: `client_order_id` -> `clientOrderId`, `funding_ts_ms` -> `fundingTimestamp`."""
    if name in _CCXT_NAMES:
        return _CCXT_NAMES[name]
    first, *rest = name.replace("_ts_ms", "_timestamp").split("_")
    return first + "".join(word.capitalize() for word in rest)


def iso8601(ts_ms: int | None) -> str | None:
    """UTC text of a time in milliseconds, as CCXT writes it: `2026-01-31T12:00:00.000Z`."""
    if ts_ms is None:
        return None
    seconds, milliseconds = divmod(ts_ms, 1000)
    return f"{_second(seconds)}.{milliseconds:03d}Z"


@lru_cache(256)
def _second(seconds: int) -> str:
    return (_EPOCH + timedelta(seconds=seconds)).isoformat()


class Model(msgspec.Struct, frozen=True, kw_only=True, gc=False, rename=ccxt_key):
    """Base of the models: a frozen struct that is also a mapping with CCXT's keys.

    Two models are equal if they are of one class and all their fields but the raw payload are equal.
    """

    _computed: ClassVar[dict[str, str]] = {}
    """CCXT keys whose value is not a field of its own, with the attribute that answers for them."""
    _shown: ClassVar[tuple[str, ...]] = ()
    """The attributes that `repr` shows; all fields if empty."""

    @classmethod
    @cache
    def _attributes(cls) -> dict[str, str]:
        """CCXT key -> attribute, in the order of the fields; then the computed ones; `info` last."""
        fields = dict(zip(cls.__struct_encode_fields__, cls.__struct_fields__, strict=True))
        has_info = fields.pop("info", None) is not None
        return fields | cls._computed | ({"info": "info"} if has_info else {})

    def __getitem__(self, key: str) -> Any:
        try:
            attribute = self._attributes()[key]
        except KeyError:
            raise KeyError(key) from None
        return getattr(self, attribute)

    def __contains__(self, key: object) -> bool:
        return key in self._attributes()

    def __iter__(self) -> Iterator[Any]:
        return iter(self._attributes())

    def __len__(self) -> int:
        return len(self._attributes())

    def get(self, key: str, default: Any = None) -> Any:
        """The value under CCXT's key, `default` where there is no such key."""
        try:
            return self[key]
        except KeyError:
            return default

    def keys(self) -> KeysView[str]:
        """CCXT's keys."""
        return self._attributes().keys()

    def values(self) -> ValuesView[Any]:
        """The values in the order of the keys."""
        return {key: self[key] for key in self.keys()}.values()

    def items(self) -> ItemsView[str, Any]:
        """Pairs of CCXT's key and the value."""
        return {key: self[key] for key in self.keys()}.items()

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self.__struct_fields__ if name != "raw")

    def __hash__(self) -> int:
        return hash(tuple(getattr(self, name) for name in self.__struct_fields__ if name != "raw"))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={brief(value)}' for name, value in self._shown_items())})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return list(self._shown_items())

    def _shown_items(self) -> Iterator[tuple[str, Any]]:
        for name in self._shown or self.__struct_fields__:
            value = getattr(self, name)
            if value is not None and value != () and name != "raw":
                yield name, value

    def _repr_html_(self) -> str:
        """A small table for notebooks: every field that has a value, without the raw payload."""
        rows = [
            (key, brief(self[key]))
            for key in self.keys()
            if key != "info" and self[key] is not None and self[key] != ()
        ]
        return html_table(type(self).__name__, (), rows)


class Sourced(Model, frozen=True, kw_only=True, gc=False):
    """A model that keeps the payload from which it was made."""

    @property
    def info(self: HasRaw) -> Any:
        """The exchange's own payload, or None. A payload kept as JSON text is decoded on the first access."""
        raw = self.raw
        if not isinstance(raw, msgspec.Raw):
            return raw
        decoded = msgspec.json.decode(raw)
        msgspec.structs.force_setattr(self, "raw", decoded)  # pyright: ignore[reportArgumentType]
        return decoded


class Timed(Sourced, frozen=True, kw_only=True, gc=False):
    """A model with the exchange's time (`ts_ms`) and the time of its arrival (`received_ns`)."""

    _computed: ClassVar[dict[str, str]] = {"datetime": "datetime"}

    @property
    def datetime(self: HasTimes) -> str | None:
        """`ts_ms` as ISO 8601 text in UTC."""
        return iso8601(self.ts_ms)

    @property
    def age_ms(self: HasTimes) -> float | None:
        """Milliseconds since this arrived, by `planar.runtime`'s wall clock; None where the arrival was not noted."""
        if self.received_ns is None:
            return None
        from planar import runtime  # here, so that the models alone do not load asyncio

        return (runtime.wall_ns() - self.received_ns) / 1e6


class HasRaw(Protocol):
    """A model with a `raw` field."""

    @property
    def raw(self) -> RawPayload: ...


class HasTimes(Protocol):
    """A model with the fields `ts_ms` and `received_ns`."""

    @property
    def ts_ms(self) -> int | None: ...
    @property
    def received_ns(self) -> int | None: ...


def brief(value: Any) -> str:
    """A value as a person wants to read it within a line."""
    if isinstance(value, Enum):
        return str(value.value)
    return str(value) if isinstance(value, Decimal) else repr(value)


def html_table(caption: str, header: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """A plain HTML table; every text is escaped."""
    head = "".join(f"<th>{escape(cell)}</th>" for cell in header)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    top = f"<thead><tr>{head}</tr></thead>" if header else ""
    return f"<table><caption>{escape(caption)}</caption>{top}<tbody>{body}</tbody></table>"


Mapping.register(Model)  # pyright: ignore[reportUnknownMemberType, reportAttributeAccessIssue]
