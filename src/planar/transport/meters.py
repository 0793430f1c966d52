"""A venue's limits as meters: the table row (`MeterSpec`), and what every meter can do; `meter_kinds` has the arithmetic.

A request may arrive at the venue at any time between its sending and its answer. So its cost is held from the moment at
which it is taken until the answer is there, and only then begins to leave: a sliding window lets go of it a whole window
later, a counter begins to fall, a window on the venue's clock counts it in each window that it may have arrived in.
Whatever the jitter, the venue then never counts more than the limit (the property tests say so against the venue's own
counters).

A meter keeps its numbers in cells: floats in a list, in a file that processes share (`shared_file`), or, with the same
arithmetic in another language, in Redis (`shared_redis`). Times are seconds of `runtime.monotonic()`.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import isfinite
from typing import Literal, Protocol, overload

import msgspec

from planar.transport.context import Priority

Kind = Literal["fixed", "sliding", "decaying"]
Scope = Literal["address", "key", "account", "connection"]

LEAST_WAIT_S = 1e-4
"""A timer of less may fire before the clock has moved, and be set again without end."""
RESERVE = 0.02
"""Part of a limit that only cancels may use; orders leave it free, everything else leaves twice as much free."""


class MeterSpec(msgspec.Struct, frozen=True):
    """One limit of a venue.

    Attributes:
        name: its name in cost tables, such as "weight".
        limit: what may be used within a window, or what a decaying counter may reach.
        window_ms: the window's length; 0 for a counter that decays.
        kind: fixed windows begin on the venue's clock (a minute at its full minute); sliding ones end at every moment;
            a decaying counter falls by `decay_per_s` every second, never below 0.
        scope: who shares it: all requests from this address, all with this key, all of this account, or those over one
            connection.
        header: answer header that tells how much the venue counts as used, or None.
        decay_per_s: what a decaying counter loses in a second.
        cancels: cancels cost something on it, so that a part is kept for them.
    """

    name: str
    limit: float
    window_ms: int = 0
    kind: Kind = "sliding"
    scope: Scope = "address"
    header: str | None = None
    decay_per_s: float | None = None
    cancels: bool = True


class Cells(Protocol):
    """Numbers in a row: a list of floats, or a mapped file seen as one."""

    @overload
    def __getitem__(self, at: int, /) -> float: ...
    @overload
    def __getitem__(self, at: slice, /) -> Iterable[float]: ...
    def __setitem__(self, at: int, value: float, /) -> None: ...


class Meter:
    """The use of one limit.

    Attributes:
        allowed: what may be used at most, by `Priority`; cancels the whole limit.
        by_key: it is not the address's, so that a stop of the key concerns it.
        held_at: cell of what this process alone holds, where others share the cells; 0 where none do.
    """

    __slots__ = ("_at", "_cells", "_reserve", "allowed", "by_key", "held_at", "spec")

    WIDTH = 0
    """Cells that the kind needs."""
    HELD = 2
    """Which of them is what is held."""

    def __init__(self, spec: MeterSpec, cells: Cells, at: int, reserve: float, share: float = 1.0) -> None:
        """
        Args:
            at: where in `cells` this meter's begin.
            reserve: part of the limit that is kept for cancels.
            share: part of the venue's limit that may be used at all.
        """
        self.spec = spec
        self._cells = cells
        self._at = at
        self.by_key = spec.scope != "address"
        self.held_at = 0
        self._reserve = reserve if spec.cancels else 0.0
        self.set_share(share)

    def set_share(self, share: float) -> None:
        """Allow this part of the venue's limit."""
        limit = self.spec.limit * share
        kept = limit * self._reserve
        self.allowed = [limit if p is Priority.CANCEL else limit - kept * min(p, 2) for p in Priority]

    def move(self, cells: Cells, at: int) -> None:
        """Go on over other cells; what stands in those counts from now on."""
        self._cells = cells
        self._at = at

    def sound(self, now: float) -> bool:
        """Whether the cells can be a meter's: no broken file may let everybody through, or nobody."""
        return all(isfinite(cell) and cell >= 0 for cell in self._cells[self._at : self._at + self.WIDTH])

    def held(self) -> float:
        """What is held."""
        return self._cells[self._at + self.HELD]

    @property
    def limit(self) -> float:
        """What may be used at most."""
        return self.allowed[0]

    def wait_s(self, cost: float, now: float, allowed: float) -> float:
        """Seconds until `cost` fits below `allowed`; 0 if it does now. More than `allowed` fits where nothing is used."""
        raise NotImplementedError

    def take(self, cost: float, now: float) -> None:
        """Hold `cost` from now on; comes after `wait_s` of the same moment."""
        raise NotImplementedError

    def settle(self, cost: float, now: float) -> None:
        """The answer to what was held has come: it arrived by now."""
        raise NotImplementedError

    def give_back(self, cost: float, now: float) -> None:
        """What was held was never sent."""
        raise NotImplementedError

    def used(self, now: float) -> float:
        """What counts as used."""
        raise NotImplementedError

    def observe(self, venue_used: float, now: float, taken_at: float) -> None:
        """Count what the venue has seen beyond our own requests (another program with this key).

        Args:
            taken_at: when the request was taken whose answer says so.
        """
        raise NotImplementedError

    def assume(self, used: float, now: float) -> None:
        """Take it that so much is used, whatever was counted before; what is held stays held."""
        raise NotImplementedError

    def carry(self, used: float, held: float, now: float) -> None:
        """Take over what was counted elsewhere: what is used is the more of both, what is held comes on top."""
        most = max(used, self.used(now))
        self._cells[self._at + self.HELD] += held
        self.assume(most, now)

    def set_held(self, held: float, now: float) -> None:
        """Settle all but `held` of what is held: whoever held the rest is gone."""
        raise NotImplementedError

    def restart(self, now: float) -> None:
        """The cells are of the time before the machine was started, when `now` counted from another moment."""
        raise NotImplementedError
