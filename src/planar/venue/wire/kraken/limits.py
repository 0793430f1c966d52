"""Kraken's decaying counters: calls of a key over REST, transactions of an account in a pair.

Sources: guides "REST rate limits" and "Spot trading limits". The transaction counter grows by a fixed count for what
is asked and by a further one for orders that are canceled or changed young; it is shared by REST and WebSocket. The
witness hears of every charge and violation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import planar.runtime as runtime
from planar.venue.wire.kraken import errors
from planar.venue.witness import MeterRow, Witness

_AGES_S: Final = (5, 10, 15, 45, 90, 300)
_CANCEL: Final = (8, 6, 5, 4, 2, 1)
_AMEND: Final = (3, 2, 1, 0, 0, 0)
_EDIT: Final = (6, 5, 4, 2, 1, 0)
FIXED: Final = 1
"""What adding, amending and editing count always, even when refused."""


def _by_age(table: tuple[int, ...], age_s: float) -> int:
    for limit_s, count in zip(_AGES_S, table, strict=True):
        if age_s < limit_s:
            return count
    return 0


def cancel_count(age_s: float) -> int:
    """What a cancel counts."""
    return _by_age(_CANCEL, age_s)


def amend_count(age_s: float) -> int:
    """What an amendment counts."""
    return FIXED + _by_age(_AMEND, age_s)


def edit_count(age_s: float) -> int:
    """What an edit counts."""
    return FIXED + _by_age(_EDIT, age_s)


class Counters:
    """Counters that lose a part of themselves every second.

    Args:
        most: what a counter may reach.
        decay: what it loses in a second.
        text: the refusal when it would be more.
        name, scope: what they are called, and what one counts, for the witness.
        subject: the name of what one counts, from its key.
    """

    def __init__(
        self,
        most: float,
        decay: float,
        text: str,
        *,
        name: str,
        scope: str,
        subject: Callable[..., str],
        witness: Witness,
    ) -> None:
        self.most = most
        self._decay = decay
        self._text = text
        self._name = name
        self._scope = scope
        self._subject = subject
        self._witness = witness
        witness.watch(self._rows)
        self._counters: dict[tuple[str, ...], tuple[float, float]] = {}

    def value(self, *key: str) -> float:
        """What the counter stands at."""
        count, at_s = self._counters.get(key, (0.0, 0.0))
        return max(0.0, count - (runtime.monotonic() - at_s) * self._decay)

    def add(self, count: float, *key: str) -> None:
        """Count without a question: a cancel is never refused for it."""
        self._counters[key] = (self.value(*key) + count, runtime.monotonic())
        self._witness.charged(self._name, count)

    def charge(self, count: float, *key: str) -> None:
        """Count, or refuse.

        Raises:
            ApiError: the counter would be above its most.
        """
        asked = self.value(*key) + count
        if asked > self.most:
            self._witness.exceeded(self._row(key, asked), self._text)
            raise errors.ApiError(self._text)
        self.add(count, *key)

    def _row(self, key: tuple[str, ...], used: float) -> MeterRow:
        subject = self._subject(*key)
        return MeterRow(
            id=f"{self._name} {subject}",
            meter=self._name,
            scope=self._scope,
            subject=subject,
            used=used,
            limit=self.most,
            decay_per_s=self._decay,
            ts_ms=runtime.wall_ms(),
        )

    def _rows(self) -> list[MeterRow]:
        """The counters that have not run down to nothing."""
        values = {key: self.value(*key) for key in self._counters}
        return [self._row(key, value) for key, value in values.items() if value]
