"""The witness of one exchange: every request with its verdict, the meters, each time that one was exceeded, the commands.

`planar.venue.server` and `planar.venue.websocket` begin and end the rows, the wires say what a request was and what
they made of it, their limiters what it was charged. The control API reads (`GET /planar/ledger?kind=requests`).
"""

from planar.venue.witness.record import (
    COMMANDS_KEPT,
    REQUESTS_KEPT,
    VIOLATIONS_KEPT,
    Field,
    Passage,
    Witness,
    note_fault,
    passing,
)
from planar.venue.witness.rows import (
    CommandRow,
    Commands,
    Door,
    MeterRow,
    Meters,
    RequestKind,
    RequestRow,
    Requests,
    Verdict,
    Violation,
    Violations,
)

__all__ = [
    "COMMANDS_KEPT",
    "CommandRow",
    "Commands",
    "Door",
    "Field",
    "MeterRow",
    "Meters",
    "Passage",
    "REQUESTS_KEPT",
    "RequestKind",
    "RequestRow",
    "Requests",
    "VIOLATIONS_KEPT",
    "Verdict",
    "Violation",
    "Violations",
    "Witness",
    "note_fault",
    "passing",
]
