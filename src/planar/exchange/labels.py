"""Errors say which account they are about: that of the exchange object which was called. Plain arguments are checked."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Concatenate, Final, ParamSpec, Protocol, TypeVar

from planar.errors import BadRequest, Outcome, PlanarError


class Labelled(Protocol):
    """What knows its account."""

    @property
    def id(self) -> str: ...
    @property
    def account(self) -> str: ...


def _whole(value: object) -> bool:
    return value is None or hasattr(value, "__index__")


def _given(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _named(value: object) -> bool:
    return _given(value) or hasattr(value, "client_order_id")


_WHOLE: Final = "int | None"
_PLAIN: Final[Mapping[tuple[str, str], tuple[Callable[[object], bool], str]]] = {
    ("since", _WHOLE): (_whole, "milliseconds since 1970, UTC, such as 1767225600000"),
    ("limit", _WHOLE): (_whole, "a whole number, or None"),
    ("id", "str"): (_given, "the exchange's id, or the client id, as text"),
    ("id", "Named"): (_named, "the exchange's id, or the client id, as text, or the order"),
}
"""(Argument, its annotation) -> (whether a value fits, what does)."""

P = ParamSpec("P")
T = TypeVar("T")
S = TypeVar("S", bound=Labelled)


def labelled(
    method: Callable[Concatenate[S, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[S, P], Coroutine[Any, Any, T]]:
    """The method, whose errors carry the name of the account, and whose plain arguments are what they are called.

    Raises:
        BadRequest: (NOT_SENT) `since` or `limit` is no whole number, `id` is empty, or neither text nor,
            where that is allowed, an order.
    """
    parameters = inspect.signature(method).parameters.values()
    rows = [(one.name, place - 1, _PLAIN.get((one.name, one.annotation))) for place, one in enumerate(parameters)]
    plain = [(name, place, row[0], row[1]) for name, place, row in rows if row is not None]

    @functools.wraps(method)
    async def labelling(self: S, *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            for name, place, fits, hint in plain:
                value = args[place] if place < len(args) else kwargs.get(name)
                if not fits(value):
                    raise BadRequest(f"{name} is {value!r}", exchange=self.id, outcome=Outcome.NOT_SENT, hint=hint)
            return await method(self, *args, **kwargs)
        except PlanarError as error:
            error.account = self.account
            raise

    return labelling
