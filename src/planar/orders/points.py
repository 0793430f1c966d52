"""Named points of the order path, where a test may end the process.

    create.called -> intent.journaled -> sending.journaled -> answer.read -> answer.journaled
    cancel.called -> cancel.answered -> cancel.journaled
    amend.journaled -> amend.sending -> amend.answered -> amend.kept

The observer is None outside of tests.
"""

from __future__ import annotations

from collections.abc import Callable

CREATE_CALLED = "create.called"
INTENT_JOURNALED = "intent.journaled"
SENDING_JOURNALED = "sending.journaled"
ANSWER_READ = "answer.read"
ANSWER_JOURNALED = "answer.journaled"
CANCEL_CALLED = "cancel.called"
CANCEL_ANSWERED = "cancel.answered"
CANCEL_JOURNALED = "cancel.journaled"
REPLACED_CANCELED = "replaced.canceled"
"""Between the halves of a replacement in two steps; such a replacement reaches the others, too."""
AMEND_JOURNALED = "amend.journaled"
AMEND_SENDING = "amend.sending"
AMEND_ANSWERED = "amend.answered"
AMEND_KEPT = "amend.kept"

CHANGES = (AMEND_JOURNALED, AMEND_SENDING, AMEND_ANSWERED, AMEND_KEPT)
"""Those of a change in place."""

ALL = (
    CREATE_CALLED,
    INTENT_JOURNALED,
    SENDING_JOURNALED,
    ANSWER_READ,
    ANSWER_JOURNALED,
    CANCEL_CALLED,
    CANCEL_ANSWERED,
    CANCEL_JOURNALED,
)

_observer: Callable[[str], None] | None = None


def observe(observer: Callable[[str], None] | None) -> None:
    """Call `observer` with the name of each point that is reached; None stops that."""
    global _observer
    _observer = observer


def reached(point: str) -> None:
    """The order path is here."""
    if _observer is not None:
        _observer(point)
