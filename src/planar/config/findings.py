"""What was found in the configuration: findings, and the error that carries all of them at once.

Every reader of `planar.config` adds to one list of findings; `load()` raises when one of them is an error and
`planar config check` prints them all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from planar.errors import ConfigError

Level = Literal["ok", "warn", "error"]


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a value was written: a line of a file, an environment variable, or an argument of a call.

    Attributes:
        file: the file as shown to the user; None for variables and arguments.
        line: line in `file`, from 1.
        key: the key with its section (`exchanges.default`), the variable, or the argument.
    """

    file: str | None = None
    line: int | None = None
    key: str | None = None

    def __str__(self) -> str:
        if self.file is not None:
            return f"{self.file}:{self.line}" if self.line else self.file
        if self.key is None:
            return ""
        return f"environment variable {self.key}" if self.key.startswith("PLANAR_") else f"argument {self.key}"


NOWHERE = Place()


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is right, doubtful or wrong.

    Attributes:
        level: `error` stops `load()`; `warn` does not; `ok` stands in the report of `planar config check` only.
        code: stable name of the kind of finding, for programs.
        text: what is the case. Never holds a secret.
        fix: what to do about it; None where there is nothing to do.
        file: the file as shown to the user; None for environment variables and arguments.
        line: line in `file`, from 1.
        key: the key with its section, the environment variable, or the argument.
        excerpt: the offending line with a caret below it, where the syntax is wrong.
    """

    level: Level
    code: str
    text: str
    fix: str | None = None
    file: str | None = None
    line: int | None = None
    key: str | None = None
    excerpt: str | None = None

    def where(self) -> str:
        """`user/planar.toml:12`, the file alone, the environment variable, the argument, or nothing."""
        return str(Place(file=self.file, line=self.line, key=self.key))

    def __str__(self) -> str:
        where = self.where()
        parts = [f"{where}: {self.text}" if where else self.text]
        if self.excerpt:
            parts.append(self.excerpt)
        if self.fix:
            parts.append(f"  -> {self.fix}")
        return "\n".join(parts)


class Findings:
    """The list that the readers of the configuration add to."""

    def __init__(self) -> None:
        self.items: list[Finding] = []

    def error(self, code: str, text: str, *, at: Place = NOWHERE, fix: str | None = None) -> None:
        """Add something that stops `load()`."""
        self._add("error", code, text, at, fix)

    def warn(self, code: str, text: str, *, at: Place = NOWHERE, fix: str | None = None) -> None:
        """Add something doubtful."""
        self._add("warn", code, text, at, fix)

    def ok(self, code: str, text: str, *, at: Place = NOWHERE) -> None:
        """Add something that is as it should be."""
        self._add("ok", code, text, at, None)

    def _add(self, level: Level, code: str, text: str, at: Place, fix: str | None) -> None:
        finding = Finding(level=level, code=code, text=text, fix=fix, file=at.file, line=at.line, key=at.key)
        if finding not in self.items:
            self.items.append(finding)

    def of(self, level: Level) -> tuple[Finding, ...]:
        """The findings of one level, in the order of finding."""
        return tuple(finding for finding in self.items if finding.level == level)

    def raise_errors(self) -> None:
        """Raise InvalidConfig if there is an error."""
        if self.of("error"):
            raise InvalidConfig(self.items)


class InvalidConfig(ConfigError):
    """The configuration has errors; all of them are in the text and in `findings`.

    Attributes:
        findings: the errors first, then the warnings, in the order of the files.
    """

    def __init__(self, findings: Sequence[Finding]) -> None:
        errors = [finding for finding in findings if finding.level == "error"]
        self.findings = (*errors, *(finding for finding in findings if finding.level == "warn"))
        if len(errors) == 1:
            message = str(errors[0])
        else:
            message = "\n".join([f"the configuration has {len(errors)} errors", *map(str, errors)])
        super().__init__(message)
