"""What a check finds, and all of them together. Nothing here ever holds a key or another secret."""

from __future__ import annotations

from typing import Literal

import msgspec

Level = Literal["ok", "warn", "fail", "skip"]
"""`skip`: there was nothing to check, or it could not be checked because of what an earlier check found."""


class Verdict(msgspec.Struct, frozen=True):
    """What one check finds.

    Attributes:
        level: how good that is.
        text: what is the case.
        fix: what to do about it; None where there is nothing to do.
    """

    level: Level
    text: str
    fix: str | None = None


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """A verdict, and which check it is of.

    Attributes:
        check: name of the check.
        level, text, fix: as of `Verdict`.
        took_ms: how long it took.
    """

    check: str
    level: Level
    text: str
    fix: str | None
    took_ms: int


class Diagnosis(msgspec.Struct, frozen=True, kw_only=True):
    """The results of all checks, in their order.

    Attributes:
        exchange: CCXT's id, or what was asked for if that names none.
        account: its account; "" is the one without a name.
        environment: where the calls went; None where nothing was opened.
        symbol: the market that was asked about, as written.
        checks: one for each check of the table.
    """

    exchange: str
    account: str
    environment: str | None
    symbol: str | None
    checks: tuple[Result, ...]

    @property
    def level(self) -> Level:
        """The worst that was found."""
        found = {result.level for result in self.checks}
        return "fail" if "fail" in found else "warn" if "warn" in found else "ok"

    def check(self, name: str) -> Result:
        """The result of one check."""
        return next(result for result in self.checks if result.check == name)


def ok(text: str) -> Verdict:
    """All is well."""
    return Verdict("ok", text)


def warn(text: str, fix: str | None = None) -> Verdict:
    """It works, and yet something should be done."""
    return Verdict("warn", text, fix)


def fail(text: str, fix: str | None = None) -> Verdict:
    """It does not work."""
    return Verdict("fail", text, fix)


def skip(text: str, fix: str | None = None) -> Verdict:
    """There is nothing to check, or it cannot be checked."""
    return Verdict("skip", text, fix)
