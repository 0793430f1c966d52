"""What is wrong with values that do not fit a struct, in words that name field, value and what is wanted.

The control API says it of the requests that it gets, the command line of the options that it is given; both come from
the messages of msgspec, which name the place and the rule.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, cast

import msgspec

_PLACE: Final = re.compile(r" - at `\$\.?(?P<path>[^`]*)`$")
_WANTED: Final = re.compile(r"Expected `(?P<kinds>[^`]+)`(?: (?P<relation><=|>=|<|>) (?P<bound>\S+))?")
_FIELD: Final = re.compile(r"Object (?P<what>missing required|contains unknown) field `(?P<name>\w+)`")
_KINDS: Final = {"int": "a whole number", "float": "a number", "str": "a text", "bool": "true or false"}
_RELATIONS: Final = {">=": "at least", ">": "more than", "<=": "at most", "<": "less than"}


def misfit(error: msgspec.ValidationError, values: object) -> str:
    """What is wrong with `values`, which did not become a struct for this error."""
    text = str(error)
    place = _PLACE.search(text)
    path = "" if place is None else place["path"]
    rule = text if place is None else text[: place.start()]
    field = _FIELD.match(rule)
    if field is not None:
        name = ".".join(part for part in (path, field["name"]) if part)
        return f"{name} is missing" if field["what"] == "missing required" else f"{name} is no field here"
    wanted = _WANTED.match(rule)
    told = rule if wanted is None else f"it must be {_described(wanted)}"
    return f"{path} = {_shown(_at(values, path))}: {told}" if path else told


def _described(wanted: re.Match[str]) -> str:
    kinds = [_KINDS.get(kind, kind) for kind in wanted["kinds"].split(" | ") if kind != "null"]
    bound = "" if wanted["bound"] is None else f", {_RELATIONS[wanted['relation']]} {float(wanted['bound']):g}"
    return " or ".join(kinds) + bound


def _at(values: object, path: str) -> object:
    """What stands at a path such as `fault.lag_ms`; the whole where the path is no chain of names."""
    found = values
    for name in path.split("."):
        if not isinstance(found, Mapping) or name not in found:
            return values
        found = cast("Mapping[str, Any]", found)[name]
    return found


def _shown(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else f"'{value}'" if isinstance(value, str) else str(value)
