"""Whether a wrong belief about an order is what a damaged answer said, and no mistake of whoever read it.

`garble_answer` and `flip_frame` flip the lowest bit of a byte. A digit becomes its neighbour, a letter of an id another
letter: the answer is well formed, and nothing in it shows the damage. TLS keeps such answers from arriving; here they are
made behind it. The exchange records what stood around each byte that it changed, before and after. A belief is excused
only if an id of that very order stands in such a piece.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from planar.venue.checker import Finding
from planar.venue.faults.rules import Damage

EXCUSED = ("misreported", "phantom", "lost")
"""What a lie about an order can make of it; none makes two orders of one wish."""


class Damages:
    """The pieces that were damaged in a run, in a file: they are many."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, pieces: Iterable[Damage]) -> None:
        """Write them down."""
        with self._path.open("ab") as file:
            file.writelines(msgspec.json.encode(piece) + b"\n" for piece in pieces)

    def near(self, names: Mapping[str, set[str]]) -> set[str]:
        """The keys of `names` of which a name stands in a piece, as it was or as it became."""
        if not self._path.exists():
            return set()
        text = self._path.read_text()
        return {key for key, all_of_it in names.items() if any(name in text for name in all_of_it)}


def excused(findings: Iterable[Finding], near: set[str]) -> list[Finding]:
    """Those of the checker's findings that damaged answers explain; `near`: client ids of orders next to damage."""
    return [one for one in findings if one.problem in EXCUSED and one.client_id in near]
