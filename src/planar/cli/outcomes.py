"""What an error of an order command means for the order: the question that a user has first."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from planar.errors import Outcome, PlanarError

_MEANING = {
    Outcome.NOT_SENT: "nothing was sent",
    Outcome.REFUSED: "the exchange refused it; nothing was {done}",
    Outcome.UNKNOWN: "whether it was {done} is not known",
    Outcome.OK: "it was {done} all the same",
}


@contextmanager
def saying_outcome(done: str) -> Generator[None]:
    """Within the block, errors get a note that says whether the thing was `done`: "ordered", "canceled"."""
    try:
        yield
    except PlanarError as error:
        if error.outcome is not None:
            error.add_note(_MEANING[error.outcome].format(done=done))
        raise
