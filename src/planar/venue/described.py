"""What there is to inject and to command, read from the structs themselves, for the command line and the documentation.

A fault kind and a command are each a tagged struct; its docstring says what it does and what its fields mean.
"""

from __future__ import annotations

import inspect
import re
from typing import Any, get_args

import msgspec
from msgspec.structs import FieldInfo

from planar.venue.faults import Fault
from planar.venue.steering import Command, state

_ACTS_ON = {
    "request": "a request",
    "clock": "the clock that a request meets",
    "reads": "what a request reads",
    "frame": "a frame to the client",
    "message": "a message from the client",
    "connection": "a new connection",
    "tunnel": "a proxy's CONNECT",
    "handshake": "a TLS handshake",
}
_FIELD = re.compile(r"^ {4}(\w+): (.*(?:\n {8}.*)*)", re.MULTILINE)


class Field(msgspec.Struct, frozen=True):
    """One field. `default` is None where it must be given."""

    name: str
    default: str | None
    meaning: str


class Described(msgspec.Struct, frozen=True):
    """One kind of fault, or one command. `acts_on` is empty for a command."""

    name: str
    meaning: str
    fields: tuple[Field, ...]
    acts_on: str = ""


def fault_kinds() -> list[Described]:
    """Every kind of fault."""
    return [_describe(kind, _ACTS_ON[kind.part]) for kind in get_args(Fault)]


def state_commands() -> list[Described]:
    """The commands that put an exchange, its markets or its keys into a state."""
    return [_describe(kind, "") for kind in get_args(Command) if kind.__module__ == state.__name__]


def _describe(kind: Any, acts_on: str) -> Described:
    text = inspect.cleandoc(kind.__doc__ or "")
    said, _, listed = text.partition("Attributes:")
    meanings = {name: " ".join(meaning.split()) for name, meaning in _FIELD.findall(listed)}
    fields = tuple(Field(one.name, _default(one), meanings.get(one.name, "")) for one in msgspec.structs.fields(kind))
    return Described(str(kind.__struct_config__.tag), " ".join(said.split()), fields, acts_on)


def _default(field: FieldInfo) -> str | None:
    if field.required:
        return None
    value = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()  # pyright: ignore
    return "-" if value in (None, "", (), {}) else str(value)
