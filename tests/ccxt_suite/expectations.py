"""What is committed: the methods that pass, the failures that true answers meet, and the checks that are off.

`expected/<exchange>.toml` holds a table per mode, `skips.toml` the checks that are off or on.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, get_args

import msgspec

Mode = Literal["async", "sync", "ws"]

HERE = Path(__file__).parent
EXCHANGES = ("binance", "kraken")
MODES: tuple[Mode, ...] = get_args(Mode)


class Reason(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Why a true answer cannot pass: a line of CCXT and, where it is the exchange that does not say it, its page.

    Attributes:
        file: file of CCXT, from the package's own directory.
        line: what stands in it.
        page: page of the exchange's documentation.
        why: what follows from it.
    """

    file: str
    line: str
    why: str
    page: str | None = None


class Failure(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A failure that a true answer meets.

    Attributes:
        method: the method under test.
        says: part of what is raised that is the same in every run.
        reason: why.
        warning: whether the suite calls it a warning.
    """

    method: str
    says: str
    reason: Reason
    warning: bool = False


class Expected(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What one mode of one exchange says.

    Attributes:
        done: methods that pass.
        failures: failures and warnings.
    """

    done: frozenset[str]
    failures: tuple[Failure, ...] = ()


class Skip(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A check that is off.

    Attributes:
        exchange: the exchange.
        modes: the modes in which it is met.
        where: the suite's name for the method or the kind of object.
        property: the property whose check is off.
        methods: the methods that fail without the skip.
        says: part of what they raise.
        reason: why.
    """

    exchange: str
    modes: tuple[Mode, ...]
    where: str
    property: str
    methods: frozenset[str]
    says: str
    reason: Reason


class Skips(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`skips.toml`.

    Attributes:
        filled: methods whose answer must not be empty, by exchange.
        skip: the checks that are off.
    """

    filled: dict[str, tuple[str, ...]]
    skip: tuple[Skip, ...]

    def of(self, exchange: str, mode: Mode) -> tuple[Skip, ...]:
        """Those of one run."""
        return tuple(skip for skip in self.skip if skip.exchange == exchange and mode in skip.modes)


def expected(exchange: str, mode: Mode) -> Expected:
    """The committed table of one run."""
    found = tomllib.loads((HERE / "expected" / f"{exchange}.toml").read_text())
    return msgspec.convert(found, dict[Mode, Expected])[mode]


def skips() -> Skips:
    """The committed skips."""
    return msgspec.convert(tomllib.loads((HERE / "skips.toml").read_text()), Skips)


def suite_skips(exchange: str, filled: Iterable[str], chosen: Iterable[Skip]) -> dict[str, Any]:
    """The content of `skip-tests.json`."""
    methods: dict[str, dict[str, Any]] = {name: {"emptyResponse": True} for name in filled}
    for skip in chosen:
        methods.setdefault(skip.where, {})[skip.property] = skip.reason.why
    return {exchange: {"skipMethods": methods}}
