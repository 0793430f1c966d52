"""Questions that wait for their turn at a venue that allows one every few seconds.

A call of the user's ends at its own deadline. What a reconciliation or the search for an order asks has several questions,
which all have to be answered: if each gave up because the budget has room only after its deadline, those before it would
have used that room for nothing, again and again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import planar.runtime as runtime
from planar.errors import Outcome, RateLimitExceeded

T = TypeVar("T")

HELD_BACK_S: Final = 60.0
"""How long one question waits for room in the budget."""


async def asked(question: Callable[[], Awaitable[T]]) -> T:
    """The answer; a question that the budget holds back is put again when there is room.

    Raises:
        RateLimitExceeded: there was no room within `HELD_BACK_S`.
        PlanarError: what the question itself raises.
    """
    due_s = runtime.monotonic() + HELD_BACK_S
    while True:
        try:
            return await question()
        except RateLimitExceeded as error:
            wait_s = error.retry_after_s
            if error.outcome is not Outcome.NOT_SENT or wait_s is None or runtime.monotonic() + wait_s > due_s:
                raise
        await runtime.sleep(wait_s)
