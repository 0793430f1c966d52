"""Answers against the models of the typed SDK: fields that a model does not know, and fields that were not sent."""

from __future__ import annotations

import types
from collections import Counter
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel

from judges.sdk_exceptions import NAMED_ELSEWHERE, NEVER_THERE, NOT_ALWAYS, NOT_IN_MODEL


class Models:
    """What was compared, and what did not fit.

    Attributes:
        compared: how often each model was used.
        unknown: fields that a model does not know, as "Model.field".
        missing: fields of a model that were not sent.
        sent: names of all fields that were sent.
    """

    def __init__(self) -> None:
        self.compared: Counter[str] = Counter()
        self.unknown: Counter[str] = Counter()
        self.missing: Counter[str] = Counter()
        self.sent: set[str] = set()

    def compare(self, raw: Any, kind: Any) -> None:
        """An answer, or a part of one, against the type that the SDK gives it."""
        kind = _inner(kind)
        if isinstance(raw, list):
            items = get_args(kind)
            for one in raw:
                self.compare(one, items[0] if get_origin(kind) is list and items else kind)
        elif isinstance(raw, dict) and isinstance(kind, type) and issubclass(kind, BaseModel):
            self._compare_model(raw, _chosen(raw, kind))

    def _compare_model(self, raw: dict[str, Any], kind: type[BaseModel]) -> None:
        fields = _fields(kind)
        name = kind.__name__
        self.compared[name] += 1
        self.unknown.update(f"{name}.{key}" for key in raw if key not in fields and key not in NAMED_ELSEWHERE)
        self.missing.update(f"{name}.{key}" for key in fields if key not in raw)
        self.sent.update(raw)
        for key, value in raw.items():
            if key in fields:
                self.compare(value, fields[key])

    def unexplained(self) -> tuple[list[str], list[str]]:
        """Unknown and missing fields that no line of the exceptions explains."""
        unknown = sorted(name for name in self.unknown if not _listed(name, NOT_IN_MODEL))
        lacking = [
            name
            for name in self.missing
            if not _listed(name, NEVER_THERE)
            and not (_listed(name, NOT_ALWAYS) and name.partition(".")[2] in self.sent)
        ]
        return unknown, sorted(lacking)

    def idle(self) -> list[str]:
        """Exceptions that nothing needed."""
        seen = set(self.unknown) | set(self.missing)
        lists = (*NOT_IN_MODEL, *NEVER_THERE, *NOT_ALWAYS)
        return sorted(line for line in lists if not any(_fits(name, line) for name in seen))


def _listed(name: str, lines: dict[str, str]) -> bool:
    return any(_fits(name, line) for line in lines)


def _fits(name: str, line: str) -> bool:
    """`line`: "Model.field", or ".field" of any model."""
    return name == line or (line.startswith(".") and name.endswith(line))


def _inner(kind: Any) -> Any:
    """What is optional, or may be another thing that is no model, without that."""
    if get_origin(kind) in (Union, types.UnionType):
        return next((one for one in get_args(kind) if one is not type(None)), kind)
    return kind


def _fields(kind: type[BaseModel]) -> dict[str, Any]:
    return {
        field.alias or name: field.annotation
        for name, field in kind.model_fields.items()
        if name != "additional_properties"
    }


def _chosen(raw: dict[str, Any], kind: type[BaseModel]) -> type[BaseModel]:
    """Of a model that is one of several: the one that fits best."""
    if "actual_instance" not in kind.model_fields:
        return kind
    schemas = [
        _inner(field.annotation) for name, field in kind.model_fields.items() if name.startswith(("oneof_", "anyof_"))
    ]
    return min(schemas, key=lambda one: len(set(raw) ^ set(_fields(_inner_item(one)))))


def _inner_item(kind: Any) -> Any:
    items = get_args(kind)
    return items[0] if items else kind
