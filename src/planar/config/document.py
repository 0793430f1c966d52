"""A TOML file in memory: its data, and the line of each key.

Comes from `planar.toml` and `secrets.toml`, goes to `planar.config.settings_file` and `planar.config.secrets`. Whatever
keeps a file from being read becomes a finding; an excerpt of a file of secrets never shows a value.
"""

from __future__ import annotations

import bisect
import os
import re
import shlex
import stat
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from planar.config import toml_scan
from planar.config.credentials import FIELDS
from planar.config.findings import Finding, Findings, Place

MAX_BYTES = 1 << 20


class Document:
    """A parsed TOML file.

    Attributes:
        shown: the path as messages give it.
        directory: where relative paths in the file start.
        data: the parsed content.
        mode: permission bits of the file; None where they mean nothing (pipes, Windows).
    """

    def __init__(self, shown: str, directory: Path, data: dict[str, Any], text: str, mode: int | None) -> None:
        self.shown = shown
        self.directory = directory
        self.data = data
        self.mode = mode
        self._offsets = toml_scan.positions(text)
        self._ends = [match.start() for match in re.finditer("\n", text)]

    def place(self, *path: str | int) -> Place:
        """Where the key or element at `path` stands."""
        line = bisect.bisect_left(self._ends, self._offsets[path]) + 1
        return Place(file=self.shown, line=line, key=".".join(str(part) for part in path))


def read_file(path: Path) -> tuple[bytes, int | None]:
    """The bytes of `path` and its permission bits (None for pipes and on Windows). Raises OSError."""
    with open(path, "rb") as file:
        state = os.fstat(file.fileno())
        mode = stat.S_IMODE(state.st_mode) if os.name == "posix" and stat.S_ISREG(state.st_mode) else None
        return file.read(MAX_BYTES + 1), mode


def read_document(path: Path, shown: str, findings: Findings, *, hide_values: bool) -> Document | None:
    """The document at `path`; None, with a finding, when it cannot be read.

    Args:
        path: the file.
        shown: its path for messages.
        findings: gets what is wrong.
        hide_values: True for a file of secrets: excerpts show keys and quotes only.
    """
    file = Place(file=shown)
    try:
        raw, mode = read_file(path)
    except OSError as error:
        fix = f"chmod u+r {shlex.quote(shown)}" if isinstance(error, PermissionError) else None
        findings.error("unreadable", f"the file cannot be read: {error.strerror}", at=file, fix=fix)
        return None
    if len(raw) > MAX_BYTES:
        findings.error("unreadable", f"the file is larger than {MAX_BYTES // 1024} KiB", at=file)
        return None
    try:
        text = raw.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        at = Place(file=shown, line=line)
        findings.error("encoding", "the file is not UTF-8 text", at=at, fix="save it in the encoding UTF-8")
        return None
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        findings.items.append(_syntax_finding(str(error), text, shown, hide_values))
        return None
    return Document(shown, path.parent, data, text, mode)


_AT = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")

_WORDS = {
    "true": "booleans are written true and false",
    "false": "booleans are written true and false",
    "yes": "booleans are written true and false",
    "no": "booleans are written true and false",
    "on": "booleans are written true and false",
    "off": "booleans are written true and false",
    "none": "TOML has no empty value: remove the line",
    "null": "TOML has no empty value: remove the line",
}


def _syntax_finding(message: str, text: str, shown: str, hide_values: bool) -> Finding:
    match = _AT.search(message)
    what = message[: match.start()] if match else message
    lines = text.split("\n")
    if match and match[1]:
        line, column = int(match[1]), int(match[2])
    else:
        # The parser ran over the end: the cause is the last line that holds anything.
        line = max((number for number, content in enumerate(lines, 1) if content.strip()), default=1)
        column = len(lines[line - 1]) + 1
    if column == 1 and line > 1 and len(lines[line - 1]) == 0:
        line, column = line - 1, len(lines[line - 2]) + 1
    content = lines[line - 1]
    number = f"{line:>5} | "
    drawn = _masked(content) if hide_values else content
    pad = "".join("\t" if char == "\t" else " " for char in content[: column - 1])
    excerpt = f"{number}{drawn}\n{' ' * len(number)}{pad}^"
    what = "this table or key stands here a second time" if _is_repeat(what) else what[:1].lower() + what[1:]
    return Finding(
        level="error",
        code="syntax",
        text=f"this is not valid TOML: {what}",
        fix=_syntax_fix(content, column),
        file=shown,
        line=line,
        excerpt=excerpt,
    )


def _is_repeat(what: str) -> bool:
    return what.startswith(("Cannot declare", "Cannot overwrite", "Duplicate"))


def _syntax_fix(content: str, column: int) -> str | None:
    """A remedy for the usual slips: Python's booleans, texts without quotes, a colon in place of the equals sign."""
    value = re.match(r"[A-Za-z][\w./-]*", content[column - 1 :])
    before = content[: column - 1].rstrip()
    if value and before.endswith("="):
        return _WORDS.get(value[0].lower(), "a text stands in quotes")
    if re.match(r"\s*[\w\"'-]+\s*:", content):
        return "key and value are joined by =, not by :"
    return None


_NAMES = "|".join(spelling for field in FIELDS for spelling in field.spellings)
_KEY = re.compile(rf"\s*[\"']?(?:{_NAMES})(?:_file)?[\"']?\s*=")
_HEADER = re.compile(r"\s*\[[\w.\"' -]*\]?\s*$")


def _masked(content: str) -> str:
    """The line of a file of secrets with everything covered that may be part of a value."""
    if _HEADER.match(content):
        return content
    key = _KEY.match(content)
    start = key.end() if key else 0
    return content[:start] + re.sub(r"[^\s\"'=]", "*", content[start:])


def permission_fix(shown: str) -> str:
    """The command that closes a file to everyone but its owner."""
    return f"chmod 600 {shlex.quote(shown)}"


def open_to_others(mode: int | None) -> bool:
    """Whether anyone but the owner may read, write or execute the file."""
    return mode is not None and bool(mode & 0o077)


def as_table(value: object) -> dict[str, Any] | None:
    """`value` as a TOML table, or None if it is none."""
    return value if isinstance(value, dict) else None  # pyright: ignore[reportUnknownVariableType]


def as_list(value: object) -> list[Any] | None:
    """`value` as a TOML array, or None if it is none."""
    return value if isinstance(value, list) else None  # pyright: ignore[reportUnknownVariableType]


def type_name(value: object) -> str:
    """The type of a TOML value in TOML's words, with its article."""
    names: Sequence[tuple[type, str]] = (
        (bool, "a boolean"),
        (int, "an integer"),
        (float, "a float"),
        (str, "a text"),
        (list, "an array"),
        (tuple, "an array"),
        (dict, "a table"),
    )
    return next((name for kind, name in names if isinstance(value, kind)), "a date or time")
