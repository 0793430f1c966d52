"""What several commands share on the command line: which exchange, account and environment; how results are shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Annotated, Literal

from cyclopts import Group, Parameter, Token

CONNECTION = Group("Which exchange", sort_key=10)
OUTPUT = Group("Output", sort_key=20)

# The words of planar.config.schema.Environment that can be opened; imported from there they would cost start-up time.
EnvironmentName = Literal["live", "sandbox", "demo", "local", "paper"]


@Parameter(name="*", group=CONNECTION)
@dataclass(frozen=True, kw_only=True)
class Target:
    """Which exchange a command speaks to."""

    exchange: Annotated[str | None, Parameter(name=("--exchange", "-e"))] = None
    """CCXT's id, such as binance. [default: the one of planar.toml]"""
    account: Annotated[str | None, Parameter(name=("--account", "-a"))] = None
    """Account, by the suffix of its section in secrets.toml."""
    environment: EnvironmentName | None = None
    """Where calls go. [default: as planar.toml says; without a word there, public calls go to live]"""


HERE = Target()
"""Nothing is said on the command line; the configuration decides."""

Json = Annotated[
    bool, Parameter(name="--json", negative="", group=OUTPUT, show_default=False, help="Print JSON instead of a table.")
]

Flag = Annotated[bool, Parameter(negative="", show_default=False)]
"""A switch that has no opposite."""


def _positive(kind: object, value: object) -> None:
    if isinstance(value, int | Decimal) and not (Decimal(value).is_finite() and value > 0):
        raise ValueError("it must be a number above 0")


def _decimal(kind: object, tokens: Sequence[Token]) -> Decimal:
    try:
        return Decimal(tokens[0].value)
    except InvalidOperation as error:
        raise ValueError(f'"{tokens[0].value}" is not a number') from error


Quantity = Annotated[Decimal, Parameter(validator=_positive, converter=_decimal)]
"""An amount or a price."""

Count = Annotated[int, Parameter(validator=_positive)]
"""How many; at least 1."""
