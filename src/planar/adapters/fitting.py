"""Whether a value is of the kind that a type annotation says, down to the fields of models.

msgspec checks what it decodes, not what a constructor is called with; this checks the models that adapters of others make.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from functools import cache
from typing import Any, Literal, Union, cast

import msgspec

from planar.models.base import RawPayload


class Misfit(msgspec.Struct, frozen=True):
    """Where a value is not of its kind.

    Attributes:
        path: from the value that was asked about, such as `balances['USD'].free`; "" is that value itself.
        value: what stands there.
        expected: the kind in words.
    """

    path: str
    value: Any
    expected: str


Fitter = Callable[[Any], Misfit | None]


def _anything(value: Any) -> Misfit | None:
    return None


@cache
def fitter(kind: Any) -> Fitter:
    """The check of a kind: what is wrong with a value, or None."""
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin in (Union, types.UnionType):
        return _one_of(tuple(fitter(one) for one in args), _words(kind), none=type(None) in args)
    if origin is Literal:
        return _instance(lambda value: value in args, _words(kind))
    if origin is tuple and args[1:] != (...,):
        return _fixed(tuple(fitter(one) for one in args), _words(kind))
    if origin in (list, tuple, Sequence):
        return _each(fitter(args[0]), _words(kind))
    if origin in (dict, Mapping):
        return _values(fitter(args[1]), _words(kind))
    return _plain(kind)


def _plain(kind: Any) -> Fitter:
    if kind is None or kind is type(None):
        return _instance(lambda value: value is None, "None")
    if kind is float:
        return _instance(lambda value: isinstance(value, (float, int)) and not isinstance(value, bool), "a float")
    if kind is int:
        return _instance(lambda value: isinstance(value, int) and not isinstance(value, bool), "an int")
    if not isinstance(kind, type) or kind is object:
        return _anything
    if issubclass(kind, msgspec.Struct):
        return _struct(kind)
    return _instance(lambda value: isinstance(value, kind), _words(kind))


def _instance(fits: Callable[[Any], bool], expected: str) -> Fitter:
    def check(value: Any) -> Misfit | None:
        return None if fits(value) else Misfit("", value, expected)

    return check


def _struct(kind: type[msgspec.Struct]) -> Fitter:
    """Its fields are looked up when it is first met: models name each other."""
    expected = _words(kind)
    fields: list[tuple[str, Fitter]] = []

    def check(value: Any) -> Misfit | None:
        if not isinstance(value, kind):
            return Misfit("", value, expected)
        if not fields:
            hints = typing.get_type_hints(kind)
            fields.extend(
                (name, fitter(hints[name])) for name in kind.__struct_fields__ if hints[name] is not RawPayload
            )
        for name, fits in fields:
            if (found := fits(getattr(value, name))) is not None:
                return _below(f".{name}", found)
        return None

    return check


def _one_of(kinds: tuple[Fitter, ...], expected: str, *, none: bool) -> Fitter:
    def check(value: Any) -> Misfit | None:
        if none and value is None:
            return None
        deepest: Misfit | None = None
        for fits in kinds:
            found = fits(value)
            if found is None:
                return None
            deepest = found if found.path else deepest
        return deepest or Misfit("", value, expected)

    return check


def _each(fits: Fitter, expected: str) -> Fitter:
    def check(value: Any) -> Misfit | None:
        if not isinstance(value, (list, tuple)):
            return Misfit("", value, expected)
        for at, one in enumerate(cast("Sequence[Any]", value)):
            if (found := fits(one)) is not None:
                return _below(f"[{at}]", found)
        return None

    return check


def _fixed(kinds: tuple[Fitter, ...], expected: str) -> Fitter:
    def check(value: Any) -> Misfit | None:
        if not isinstance(value, (list, tuple)):
            return Misfit("", value, expected)
        parts = cast("Sequence[Any]", value)
        if len(parts) != len(kinds):
            return Misfit("", parts, expected)
        for at, (fits, one) in enumerate(zip(kinds, parts, strict=True)):
            if (found := fits(one)) is not None:
                return _below(f"[{at}]", found)
        return None

    return check


def _values(fits: Fitter, expected: str) -> Fitter:
    def check(value: Any) -> Misfit | None:
        if not isinstance(value, Mapping):
            return Misfit("", value, expected)
        for key, one in cast("Mapping[Any, Any]", value).items():
            if (found := fits(one)) is not None:
                return _below(f"[{key!r}]", found)
        return None

    return check


def _below(step: str, found: Misfit) -> Misfit:
    path = step + found.path if found.path.startswith((".", "[")) or not found.path else f"{step}.{found.path}"
    return Misfit(path, found.value, found.expected)


def _words(kind: Any) -> str:
    """A kind as it is named in a message: `an Order or None`, `a list of Order`."""
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if kind is None or kind is type(None):
        return "None"
    if origin in (Union, types.UnionType):
        return " or ".join(_words(one) for one in args)
    if origin is Literal:
        return " or ".join(repr(one) for one in args)
    if origin is tuple and args[1:] != (...,):
        return f"a tuple of {' and '.join(_name(one) for one in args)}"
    if origin in (dict, Mapping):
        return f"a dict of {_name(args[1])}"
    if origin in (list, tuple, Sequence):
        return f"a list of {_name(args[0])}"
    name = _name(kind)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return f"one of {name}"
    return f"{'an' if name[0] in 'AEIOaeio' else 'a'} {name}"


def _name(kind: Any) -> str:
    return getattr(kind, "__name__", str(kind)) if typing.get_origin(kind) is None else _words(kind)
