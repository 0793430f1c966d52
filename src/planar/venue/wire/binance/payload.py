"""An event on its way to many readers: built and encoded at most once for each time unit and framing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson


class Payload:
    """One event. `build(unit)` makes it with its times in the unit asked for."""

    __slots__ = ("_build", "_combined", "_raw", "stream")

    def __init__(self, stream: str, build: Callable[[int], Any]) -> None:
        """`stream`: name of the stream it belongs to; it stands in the combined form."""
        self.stream = stream
        self._build = build
        self._raw: dict[int, bytes] = {}
        self._combined: dict[int, bytes] = {}

    def raw(self, unit: int) -> bytes:
        """The event alone."""
        encoded = self._raw.get(unit)
        if encoded is None:
            encoded = self._raw[unit] = orjson.dumps(self._build(unit))
        return encoded

    def combined(self, unit: int) -> bytes:
        """The event in the envelope of combined streams."""
        encoded = self._combined.get(unit)
        if encoded is None:
            encoded = self._combined[unit] = b'{"stream":"%b","data":%b}' % (self.stream.encode(), self.raw(unit))
        return encoded
