"""The clock that a local venue shows its clients: right, unless a fault rule shifts it for a request or a connection.

Wires read it where they tell the time or check a client's; the fault `shift_clock` sets it for what runs inside.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from contextvars import ContextVar

import msgspec

import planar.runtime as runtime


class _Shift(msgspec.Struct, frozen=True):
    skew_ns: int
    drift_ppm: int
    since_ns: int


_SHIFT: ContextVar[_Shift | None] = ContextVar("venue_clock", default=None)


def wall_ns() -> int:
    """The venue's time, UTC epoch in ns."""
    shift = _SHIFT.get()
    if shift is None:
        return runtime.wall_ns()
    gone_ns = runtime.current().monotonic_ns() - shift.since_ns
    return runtime.wall_ns() + shift.skew_ns + gone_ns * shift.drift_ppm // 1_000_000


def wall_ms() -> int:
    """The venue's time, UTC epoch in ms."""
    return wall_ns() // 1_000_000


@contextlib.contextmanager
def shifted(skew_ms: int, drift_ppm: int) -> Generator[None]:
    """Inside, and in tasks spawned there, the clock is ahead by `skew_ms` and gains `drift_ppm` millionths."""
    token = _SHIFT.set(_Shift(skew_ms * 1_000_000, drift_ppm, runtime.current().monotonic_ns()))
    try:
        yield
    finally:
        _SHIFT.reset(token)
