"""Errors and log lines of an account's calls name the account: that of the exchange object which was called."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from planar.errors import PlanarError
from planar.transport.account_log import logging_for


class Named(Protocol):
    """What knows its account."""

    @property
    def id(self) -> str: ...
    @property
    def account(self) -> str: ...


C = TypeVar("C", bound=type[Any])


def label_of(one: Named) -> str:
    """ "binance/main"; of an account without a name the exchange alone."""
    return f"{one.id}/{one.account}" if one.account else one.id


def naming_account(kind: C) -> C:
    """The class, all of whose public methods name the account in what they raise and log."""
    for name in dir(kind):
        method = inspect.getattr_static(kind, name)
        if not name.startswith("_") and inspect.isfunction(method):
            setattr(kind, name, _awaited(method) if inspect.iscoroutinefunction(method) else _called(method))
    return kind


def _awaited(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    async def naming(self: Named, *args: Any, **kwargs: Any) -> Any:
        with logging_for(label_of(self)):
            try:
                return await method(self, *args, **kwargs)
            except PlanarError as error:
                _name(error, self)
                raise

    return naming


def _called(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def naming(self: Named, *args: Any, **kwargs: Any) -> Any:
        try:
            return method(self, *args, **kwargs)
        except PlanarError as error:
            _name(error, self)
            raise

    return naming


def _name(error: PlanarError, one: Named) -> None:
    if error.exchange is None:
        error.exchange = one.id
    if not error.account and error.exchange == one.id:
        error.account = one.account
