"""Answers of many parts: lists and dictionaries that say how they were made, and which of their parts failed.

They come from `Exchange` and go to the user. In a notebook they show as tables.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any, Literal, TypeAlias, TypeVar

from planar.errors import PlanarError

Made: TypeAlias = Literal["native", "composed", "not atomic"]
"""`native`: the exchange answered this itself. `composed`: made of other answers that were asked for at the same time or of
one that holds it. `not atomic`: made of several requests between which things may have changed."""

T = TypeVar("T")
_SHOWN = 20


class Rows(list[T]):
    """A list of models, oldest first where they have a time."""

    def __init__(self, rows: Iterable[T] = (), made: Made = "native") -> None:
        super().__init__(rows)
        self.made: Made = made

    def _repr_html_(self) -> str:
        return _html([(str(number), row) for number, row in enumerate(self)])


class Table(dict[str, T]):
    """Models by symbol, code or network. `table[name]` raises the error of a part that failed.

    Attributes:
        made: how.
        errors: why a part that was asked for is missing; empty if none is.
    """

    def __init__(
        self,
        rows: Mapping[str, T] | Iterable[tuple[str, T]] = (),
        made: Made = "native",
        errors: Mapping[str, PlanarError] | None = None,
    ) -> None:
        super().__init__(rows)
        self.made: Made = made
        self.errors: dict[str, PlanarError] = dict(errors or {})

    def __missing__(self, name: str) -> T:
        if name in self.errors:
            raise self.errors[name]
        raise KeyError(name)

    def _repr_html_(self) -> str:
        failed = [(name, str(error)) for name, error in self.errors.items()]
        return _html([*self.items(), *failed])


def _html(rows: list[tuple[str, Any]]) -> str:
    """The first rows, each a line of the values that its model shows."""
    lines = [
        f"<tr><th>{escape(name)}</th>{''.join(f'<td>{escape(cell)}</td>' for cell in _cells(row))}</tr>"
        for name, row in rows[:_SHOWN]
    ]
    more = f"<tr><td>and {len(rows) - _SHOWN} more</td></tr>" if len(rows) > _SHOWN else ""
    return f"<table><tbody>{''.join(lines)}{more}</tbody></table>"


def _cells(row: Any) -> list[str]:
    shown = getattr(row, "__rich_repr__", None)
    return [str(row)] if shown is None else [f"{name} {value}" for name, value in shown()]
