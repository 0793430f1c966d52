"""Errors say which account they are about: that of the exchange object which was called."""

from __future__ import annotations

import functools
from collections.abc import Callable, Coroutine
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from planar.errors import PlanarError


class Labelled(Protocol):
    """What knows its account."""

    @property
    def account(self) -> str: ...


P = ParamSpec("P")
T = TypeVar("T")
S = TypeVar("S", bound=Labelled)


def labelled(
    method: Callable[Concatenate[S, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[S, P], Coroutine[Any, Any, T]]:
    """The method, whose errors carry the name of the account."""

    @functools.wraps(method)
    async def labelling(self: S, *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await method(self, *args, **kwargs)
        except PlanarError as error:
            error.account = self.account
            raise

    return labelling
