"""What the suite says on standard output, as data. Its exit status says nothing: it is 0 when everything fails, too."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

_MARK = re.compile(r"\[(INFO|INFO:MAIN|TEST_FAILURE|TEST_WARNING)\]")
_DONE = re.compile(r"\[INFO\] TESTING DONE\s+\S+ (\w+)")
_BEGUN = re.compile(r"\[INFO\] TESTING\s+\S+ (\w+)")
_ENDED = re.compile(r"\[INFO\] (?:TESTING DONE|TESTING FAILED)\s+\S+ (\w+)")
_END = re.compile(r"\[INFO\] END (PUBLIC|PRIVATE)_TESTS")
_CLOCK = "TIMEOUT_CAUSE"
"""What a run by WebSocket says of its connections after 72 and 90 seconds, well or not."""
_SUMMARY = re.compile(r"\S+ (?:PUBLIC|PRIVATE)_TESTS Failed methods")
_METHOD = re.compile(r"\s*\S+ (\w+)")
_RAISED = re.compile(r"^(?:\w+\.)*\w+: ", re.MULTILINE)


class Complaint(NamedTuple):
    """A failure or a warning.

    Attributes:
        method: the method that was tested.
        warning: whether it is a [TEST_WARNING].
        says: what was raised, from its kind and text on, or all that was said if nothing was.
    """

    method: str
    warning: bool
    says: str


class Said(NamedTuple):
    """What a run said.

    Attributes:
        done: methods that passed.
        complaints: failures and warnings in order, without the suite's own summaries of them.
        hanging: methods that began and came to no end.
        parts: the parts that came to their end: PUBLIC, PRIVATE.
    """

    done: frozenset[str]
    complaints: tuple[Complaint, ...]
    hanging: frozenset[str]
    parts: frozenset[str]


def read(text: str) -> Said:
    """Read the whole output of a run."""
    done: set[str] = set()
    begun: set[str] = set()
    parts: set[str] = set()
    complaints: list[Complaint] = []
    for block in blocks(text.splitlines()):
        if match := _DONE.match(block):
            done.add(match[1])
        if match := _ENDED.match(block):
            begun.discard(match[1])
        elif match := _BEGUN.match(block):
            begun.add(match[1])
        elif match := _END.match(block):
            parts.add(match[1])
        elif (complaint := _complaint(block)) is not None:
            complaints.append(complaint)
    return Said(frozenset(done), tuple(complaints), frozenset(begun), frozenset(parts))


def blocks(lines: Iterable[str]) -> list[str]:
    """The output in pieces, each from one mark to the next."""
    found: list[list[str]] = []
    for line in lines:
        if _MARK.match(line) or not found:
            found.append([line])
        else:
            found[-1].append(line)
    return ["\n".join(block) for block in found]


def _complaint(block: str) -> Complaint | None:
    mark = _MARK.match(block)
    if mark is None or not mark[1].startswith("TEST_"):
        return None
    rest = block[mark.end() :]
    if _SUMMARY.match(rest.strip()) or rest.strip().startswith(_CLOCK):
        return None
    method = _METHOD.match(rest)
    raised = _RAISED.search(rest)
    says = rest[raised.start() if raised else 0 :].strip()
    return Complaint(method[1] if method else "", mark[1] == "TEST_WARNING", says)
