"""Events of a journal as lines: for people, for machines, for tables."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec

from planar.orders.events import AnyEvent
from planar.orders.journal_schema import encode_event

_FIRST = ("row", "time", "wall_ms", "client_id", "kind")
COLUMNS = (
    *_FIRST,
    *("symbol", "side", "type", "amount", "price", "cost", "stop_price", "time_in_force", "post_only", "intent_id"),
    *("replaces", "params", "order_id", "state", "filled", "updated_ms", "source", "trade_id", "fee", "fee_currency"),
    *("maker", "ts_ms", "expiry_ms", "action", "code", "status", "reason", "evidence", "other"),
)
"""Of the table; what has no column of its own stands in `other`, as JSON."""


def as_dict(row: int, event: AnyEvent) -> dict[str, Any]:
    """An event with the number of its row and its time, amounts as text."""
    written: dict[str, Any] = msgspec.json.decode(encode_event(event))
    return {"row": row, "time": time_text(event.wall_ms)} | written


def time_text(wall_ms: int) -> str:
    """UTC, to the millisecond."""
    return datetime.fromtimestamp(wall_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def what(event: AnyEvent) -> str:
    """What an event says, for people, without its order and its time."""
    written: dict[str, Any] = msgspec.json.decode(encode_event(event))
    left = {name: value for name, value in written.items() if name not in ("client_id", "wall_ms", "kind")}
    return " ".join(f"{name}={value}" for name, value in left.items())


def jsonl(rows: Iterable[tuple[int, AnyEvent]]) -> Iterator[str]:
    """A line of JSON for each event."""
    for row, event in rows:
        yield msgspec.json.encode(as_dict(row, event)).decode() + "\n"


def table(rows: Iterable[tuple[int, AnyEvent]]) -> Iterator[str]:
    """A line of CSV (RFC 4180) for each event, after one with the names of the columns."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, COLUMNS, restval="")
    writer.writeheader()
    for row, event in rows:
        yield _drain(buffer)
        values = as_dict(row, event)
        other = {name: values.pop(name) for name in list(values) if name not in COLUMNS}
        if other:
            values["other"] = msgspec.json.encode(other).decode()
        if "params" in values:
            values["params"] = msgspec.json.encode(values["params"]).decode()
        writer.writerow(values)
    yield _drain(buffer)


def _drain(buffer: io.StringIO) -> str:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text
