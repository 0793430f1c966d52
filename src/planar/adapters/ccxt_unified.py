"""The rows of `planar.adapters.unified` through CCXT: its method is called, its answer judged and made into models."""

from __future__ import annotations

import abc
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from functools import cache, partial
from typing import Any, TypeVar, cast

import msgspec

import planar.runtime as runtime
from planar.adapters.ccxt_describing import exact
from planar.adapters.ccxt_safety import CcxtSafety
from planar.adapters.unified import METHODS, Unified
from planar.errors import BadResponse, NotSupported, Outcome
from planar.models import Amount, Model
from planar.models import from_ccxt as convert
from planar.transport.context import CallContext, Priority

T = TypeVar("T")
M = TypeVar("M", bound=Model)


class CcxtUnified(CcxtSafety):
    """A part of `CcxtAdapter`."""

    @abc.abstractmethod
    async def run(
        self,
        call: CallContext,
        method: Callable[..., Awaitable[Any]],
        *args: Any,
        into: Callable[[Any], T] | None = None,
    ) -> T:
        """Run one method of CCXT inside a call context; `into` makes what is returned of its answer."""

    async def unified(self, name: str, args: Sequence[Any], params: Mapping[str, Any], *, timeout_ms: int) -> Any:
        """One of CCXT's unified methods."""
        row = METHODS[name]
        self.require(name)
        method: Any = getattr(self.exchange, name, None)
        if method is None:
            raise NotSupported(f"{name} is not offered by this exchange", exchange=self.id, outcome=Outcome.NOT_SENT)
        priority = Priority.ACCOUNT if row.private else Priority.MARKET
        call = CallContext(name, timeout_ms, priority, reading=not row.write, journaled=row.write)
        given = [exact(arg) if isinstance(arg, Amount) else arg for arg in args]
        asked = partial(method, params=dict(params))  # by name: arguments at the end may have been left out
        return await self.run(call, asked, *given, into=lambda raw: self._made(name, row, args, raw))

    def _made(self, name: str, row: Unified, args: Sequence[Any], raw: Any) -> Any:
        """The models of an answer."""
        if row.shape == "done":
            return None
        if row.shape == "word":
            return raw
        if row.shape == "candles":
            return convert.candles(raw, exchange=self.id)
        missing = {key: args[at] for key, at in row.from_args.items() if at < len(args) and args[at] is not None}
        if row.shape == "one":
            return told(self._of(row, raw, missing), name, self.id, row.from_args)
        if row.shape == "many":
            return [self._of(row, one, missing) for one in cast("list[Any]", _expected(list, raw, name, self.id))]
        if isinstance(raw, list):  # some ids give their tables without keys
            return {_key_of(one): one for one in (self._of(row, each, missing) for each in cast("list[Any]", raw))}
        entries = cast("dict[str, Any]", _expected(dict, raw, name, self.id))
        found = {key: value for key, value in entries.items() if key != "info"}
        if row.shape == "lists":
            return {
                key: [
                    self._of(row, one, {"symbol": key})
                    for one in cast("list[Any]", _expected(list, many, name, self.id))
                ]
                for key, many in found.items()
            }
        return {key: self._of(row, one, missing | _named(key)) for key, one in found.items()}

    def _of(self, row: Unified, raw: Any, missing: Mapping[str, Any]) -> Any:
        if isinstance(raw, dict):
            given = cast("dict[str, Any]", raw)
            raw = given | {key: value for key, value in missing.items() if given.get(key) is None}
        make = cast("Callable[..., Any]", row.make)
        if make is convert.currency:
            return make(raw, exchange=self.id)
        return make(raw, exchange=self.id, received_ns=runtime.wall_ns())


def told(model: M, name: str, exchange: str, asked: Iterable[str] = ("symbol",)) -> M:
    """`model`, if the answer told anything: of an empty list, where an object was due, CCXT makes a structure of nothing.

    Args:
        asked: CCXT's keys of what was asked, which an answer may only repeat.

    Raises:
        BadResponse: it holds nothing beyond that.
    """
    for field, default in _own_fields(type(model), frozenset(asked)):
        value = getattr(model, field)
        if value is not None and value != default:
            return model
    raise BadResponse(f"the answer to {name} tells nothing", exchange=exchange, hint="ask again")


@cache  # msgspec reads the annotations of the class anew each time, which takes longer than all the rest of a call
def _own_fields(kind: type[Model], asked: frozenset[str]) -> tuple[tuple[str, Any], ...]:
    """(name, default) of the fields of a model that an answer tells, and does not only repeat."""
    repeated = asked | {"info", "receivedNs"}
    return tuple((one.name, one.default) for one in msgspec.structs.fields(kind) if one.encode_name not in repeated)


def _named(key: str) -> dict[str, str]:
    """What a key of CCXT's table says about the structure under it, whichever field it is."""
    return {"symbol": key, "code": key, "currency": key}


def _key_of(model: Any) -> str:
    """What a structure stands under in a table."""
    return next(model[key] for key in ("symbol", "code", "currency") if model.get(key) is not None)


def _expected(kind: type[T], raw: Any, name: str, exchange: str) -> T:
    if not isinstance(raw, kind):
        raise BadResponse(f"the answer to {name} is no {kind.__name__}: {str(raw)[:80]}", exchange=exchange)
    return raw
