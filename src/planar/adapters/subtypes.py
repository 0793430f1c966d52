"""CCXT's exchanges as classes of adapters, one for each id, which a program may subclass for a class that CCXT lacks.

A registered class, be it such a subclass or just a subclass of a class of CCXT, keeps the tables of the exchange that it
descends from: outcomes, meters, kinds of orders, client ids, sockets. Its hosts are those tables' only while its urls are
the parent's; a class with urls of its own reaches these and no others.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, cast

import msgspec

from planar.adapters.ccxt_adapter import CcxtAdapter
from planar.adapters.ccxt_seam import seam_class
from planar.adapters.custom import CustomAdapter
from planar.adapters.exchange_ids import exchange_ids
from planar.adapters.profile import Profile, load_profile
from planar.adapters.registry import custom_class
from planar.config.suggest import did_you_mean
from planar.errors import ConfigError, NotSupported, Outcome

_URLS = ("api", "test", "demo", "demotrading")


def ccxt_adapter(exchange_id: str) -> type[CcxtAdapter]:
    """The adapter of one of CCXT's exchanges, to be subclassed and registered under an id of its own.

        class MyExchange(planar.ccxt_adapter("binance")):
            ccxt_class = MyCcxtClass                     # of ccxt.pro.binance, or of any asynchronous class of CCXT
            changes = {"meters": (MeterSpec(...),)}      # fields of `planar.adapters.profile.Profile`

        planar.register("myexchange", MyExchange)

    Raises:
        NotSupported: (NOT_SENT) the installed CCXT has no such exchange.
    """
    if exchange_id not in exchange_ids():
        raise NotSupported(
            f"the installed CCXT has no exchange {exchange_id!r}",
            outcome=Outcome.NOT_SENT,
            hint=did_you_mean(exchange_id, exchange_ids()) or "planar exchanges lists all",
        )
    return _subtype(exchange_id)


@cache
def _subtype(exchange_id: str) -> type[CcxtAdapter]:
    words = {"__module__": __name__, "__doc__": f"CCXT's {exchange_id}.", "parent_id": exchange_id}
    return type(f"{exchange_id.capitalize()}Adapter", (CcxtAdapter,), words)


def adapter_class(exchange_id: str) -> type[CcxtAdapter]:
    """The class whose instance is the adapter of an id that is CCXT's or of a class of CCXT."""
    custom = custom_class(exchange_id)
    return custom if custom is not None and issubclass(custom, CcxtAdapter) else CcxtAdapter


def parent_of(exchange_id: str) -> str:
    """The id of CCXT's exchange whose tables hold: its own, unless it is that of a registered class of CCXT."""
    custom = custom_class(exchange_id)
    if custom is None or issubclass(custom, CustomAdapter):
        return exchange_id
    if issubclass(custom, CcxtAdapter):
        if custom.parent_id:
            return custom.parent_id
        custom = cast("type[Any]", custom.ccxt_class)
    return next((name for one in custom.__mro__ if (name := _ccxt_id(one)) is not None), exchange_id)


def _ccxt_id(kind: type[Any]) -> str | None:
    package, _, name = kind.__module__.rpartition(".")
    return name if package in ("ccxt.pro", "ccxt.async_support") and name in exchange_ids() else None


def profile_of(exchange_id: str) -> Profile:
    """The tables of an exchange.

    Raises:
        ConfigError: `changes` of a registered class names no table.
    """
    parent = parent_of(exchange_id)
    profile = load_profile(parent)
    custom = custom_class(exchange_id)
    if custom is None:
        return profile
    if parent != exchange_id and _urls_of(exchange_id) != _urls_of(parent):
        profile = msgspec.structs.replace(profile, hosts={})
    changes: Mapping[str, Any] = getattr(custom, "changes", {})
    known = set(Profile.__struct_fields__) - {"id"}
    for name in changes:
        if name not in known:
            raise ConfigError(
                f"{custom.__qualname__}.changes has {name!r}, which is no table of an exchange",
                exchange=exchange_id,
                hint=did_you_mean(name, known) or "see planar.adapters.profile.Profile",
            )
    return msgspec.structs.replace(profile, id=exchange_id, **changes)


def _urls_of(exchange_id: str) -> tuple[Any, ...]:
    description = describe(exchange_id)
    return (*(description["urls"].get(name) for name in _URLS), description.get("hostname"))


def describe(exchange_id: str) -> Mapping[str, Any]:
    """CCXT's own description, untouched by any configuration: what a user overrides must not widen the guard."""
    return _described(seam_class(exchange_id))


@cache
def _described(kind: type[Any]) -> Mapping[str, Any]:
    return kind().describe()
