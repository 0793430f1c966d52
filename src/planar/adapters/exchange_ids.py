"""The ids of the exchanges that the installed CCXT knows, read from its own lists without importing an exchange.

`exchange_ids()` is also what `planar.config` checks section names against (`Ids(known=...)`).
"""

from __future__ import annotations

import importlib
from collections.abc import Collection
from functools import cache
from typing import cast

from planar.adapters.lazy_ccxt import package_names
from planar.adapters.registry import custom_ids
from planar.config.aliases import ALIASES, resolve_alias
from planar.config.suggest import did_you_mean
from planar.errors import ConfigError


@cache
def exchange_ids() -> tuple[str, ...]:
    """All ids, in CCXT's (alphabetical) order."""
    return _listed("ccxt")


def known_ids() -> tuple[str, ...]:
    """All ids that can be opened: CCXT's, then those of custom exchanges."""
    return (*exchange_ids(), *custom_ids())


@cache
def streaming_ids() -> tuple[str, ...]:
    """The ids that CCXT has streams for."""
    return _listed("ccxt.pro")


@cache
def ccxt_version() -> str:
    """The installed CCXT's version."""
    return cast(str, _value("ccxt", "__version__"))


def resolve_exchange_id(written: str, also: Collection[str] = ()) -> tuple[str, str | None]:
    """Today's id for what a user wrote, and the warning to show if it was a former one.

    Args:
        written: an id, a former id (`huobi`), or something wrong.
        also: further ids that exist: custom exchanges.

    Raises:
        ConfigError: there is no such exchange; the hint names the nearest.
    """
    exchange, warning = resolve_alias(written)
    known = (*known_ids(), *also)
    if exchange in known:
        return exchange, warning
    if written.lower() in known:
        hint = f"ids are lower-case: {written.lower()}"
    else:
        hint = did_you_mean(written, [*known, *ALIASES]) or "`planar exchanges` lists them"
    raise ConfigError(f"there is no exchange {written!r} among the {len(known)} that are known", hint=hint)


def _listed(package: str) -> tuple[str, ...]:
    return tuple(cast("list[str]", _value(package, "exchanges")))


def _value(package: str, name: str) -> object:
    """A constant of one of CCXT's packages; imports the package only where its source cannot be read."""
    names = package_names(package)
    if names is not None and name in names.literals:
        return names.literals[name]
    return getattr(importlib.import_module(package), name)
