"""Exchanges beyond CCXT's: registered by a program (`planar.register`) or by a package's entry point.

A package names its adapter in the entry point group `planar.adapters`; nothing of it is imported before its exchange is
opened. The ids go to the configuration and to the command line, the classes to `opening`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final, cast

from planar.errors import ConfigError

if TYPE_CHECKING:
    from planar.adapters.custom import CustomAdapter

GROUP: Final = "planar.adapters"
_ID: Final = re.compile(r"[a-z][a-z0-9_]*")
_PLACES: Final = ("live", "sandbox", "demo", "local")
_registered: dict[str, type[Any]] = {}


def register(exchange_id: str, kind: type[Any]) -> None:
    """Make an exchange known under an id. The same class may be registered again.

    Args:
        exchange_id: lower-case letters, digits and `_`; none of CCXT's.
        kind: a subclass of `planar.CustomAdapter`, of what `planar.ccxt_adapter` gives, or of an asynchronous class of
            CCXT.

    Raises:
        ConfigError: the id cannot be used, is taken, or the class is no adapter.
    """
    _check(exchange_id, kind, "planar.register")
    known = _registered.get(exchange_id)
    if known is not None and known is not kind:
        raise ConfigError(
            f"the exchange id {exchange_id!r} is taken by {known.__module__}.{known.__qualname__}",
            hint="register the other class under another id",
        )
    _registered[exchange_id] = kind


def unregister(exchange_id: str) -> None:
    """Forget what `register` made known; exchanges that are open stay open."""
    _registered.pop(exchange_id, None)


def custom_ids() -> tuple[str, ...]:
    """All ids that are registered or named by an entry point, sorted."""
    return tuple(sorted({*_registered, *_points(tuple(sys.path))}))


def custom_class(exchange_id: str) -> type[Any] | None:
    """The class of a custom exchange; None if the id is none.

    Raises:
        ConfigError: the entry point of that id cannot be used; the message names its package.
    """
    if exchange_id in _registered:
        return _registered[exchange_id]
    found = _points(tuple(sys.path)).get(exchange_id)
    if found is None:
        return None
    point, *others = found
    if others:
        names = ", ".join(_package(point) for point in found)
        raise ConfigError(
            f"the exchange id {exchange_id!r} is claimed by several packages: {names}",
            hint="remove all but one of them",
        )
    try:
        kind = point.load()
    except Exception as error:
        raise ConfigError(
            f"the entry point {exchange_id} = {point.value} of the package {_package(point)} cannot be loaded: "
            f"{type(error).__name__}: {error}",
            hint=f"correct it in the package's [project.entry-points.{GROUP!r}], or uninstall {_package(point)}",
        ) from error
    _check(exchange_id, kind, f"the package {_package(point)}")
    return kind


def _check(exchange_id: str, kind: Any, source: str) -> None:
    from planar.adapters.custom import CustomAdapter
    from planar.adapters.exchange_ids import exchange_ids

    if not _ID.fullmatch(exchange_id):
        raise ConfigError(
            f"{source}: {exchange_id!r} cannot be an exchange id",
            hint="use lower-case letters, digits and _, a letter first",
        )
    if exchange_id in exchange_ids():
        raise ConfigError(
            f"{source}: the exchange id {exchange_id!r} is one of CCXT's", hint=f"use another, such as my{exchange_id}"
        )
    if find_spec(f"planar.adapters.{exchange_id}") is not None:
        raise ConfigError(f"{source}: the exchange id {exchange_id!r} is Planar's own", hint=f"use my{exchange_id}")
    if not (
        isinstance(kind, type) and (issubclass(kind, CustomAdapter) or _of_ccxt(_ccxt_of(cast("type[Any]", kind))))
    ):
        raise ConfigError(
            f"{source}: {kind!r} is no adapter of the exchange {exchange_id!r}",
            hint="give a subclass of planar.CustomAdapter, of planar.ccxt_adapter(...), or of a class of ccxt.async_support "
            "or ccxt.pro (no instance); a subclass of planar.CcxtAdapter itself names its `ccxt_class`",
        )
    if missing := sorted(cast("frozenset[str]", getattr(cast("Any", kind), "__abstractmethods__", frozenset[str]()))):
        raise ConfigError(
            f"{source}: {kind.__qualname__} lacks {', '.join(missing)}",
            hint="write these methods; see planar.CustomAdapter",
        )
    if issubclass(kind, CustomAdapter):
        _check_custom(source, kind)


def _check_custom(source: str, kind: type[CustomAdapter]) -> None:
    """Refuse what would fail only when it is used.

    Raises:
        ConfigError: `urls` is missing or names what is no environment; orders could not be found again.
    """
    name, urls = kind.__qualname__, cast("object", getattr(kind, "urls", None))
    example = 'urls = {"live": "https://api.example.com"}'
    if not isinstance(urls, Mapping) or not urls:
        raise ConfigError(f"{source}: {name} has no `urls`", hint=f"say where it is: {example}")
    for environment, url in cast("Mapping[Any, Any]", urls).items():
        if environment not in _PLACES:
            raise ConfigError(
                f"{source}: urls of {name} has {environment!r}, which is no environment of an exchange",
                hint=f"one of {', '.join(_PLACES)}: {example}",
            )
        if not isinstance(url, str) or not url.startswith(("https://", "http://")):
            raise ConfigError(f"{source}: urls of {name} has {environment} = {url!r}, which is no URL", hint=example)
    if kind.client_id.query_param is None and not kind.offered()["fetch_orders"]:
        raise ConfigError(
            f"{source}: {name} could not find an order again whose answer was lost",
            hint="its client_id says that orders cannot be asked for by client id (query_param is None), so write "
            "fetch_orders, whose list shows client ids",
        )


def _ccxt_of(kind: type[Any]) -> type[Any] | None:
    """The class of CCXT behind an adapter for one; None: that of its parent. What is no such adapter is given back."""
    if not hasattr(kind, "parent_id"):
        return kind
    return kind.ccxt_class if kind.parent_id or kind.ccxt_class is not None else object


def _of_ccxt(kind: type[Any] | None) -> bool:
    """Whether it is a class of CCXT's asynchronous exchanges."""
    return kind is None or any(
        f"{one.__module__}.{one.__name__}" == "ccxt.async_support.base.exchange.Exchange" for one in kind.__mro__
    )


def _package(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else "?"


@cache
def _points(path: tuple[str, ...]) -> dict[str, tuple[EntryPoint, ...]]:
    """The entry points by id, of what lies on `path` (that of Python)."""
    found: dict[str, tuple[EntryPoint, ...]] = {}
    for point in entry_points(group=GROUP):
        found[point.name] = (*found.get(point.name, ()), point)
    return found
