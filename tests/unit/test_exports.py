"""What a package exports is there, and listed in plain order."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from types import ModuleType

import pytest

import planar


def exporting() -> list[str]:
    """Names of all modules with an `__all__`; found in their text, so that none is imported for it."""
    root = Path(planar.__file__).parent
    exports = re.compile(r"^__all__\b", re.MULTILINE)
    found = [path for path in sorted(root.rglob("*.py")) if exports.search(path.read_text(encoding="utf-8"))]
    return [".".join(path.relative_to(root.parent).with_suffix("").parts).removesuffix(".__init__") for path in found]


def problems(module: ModuleType) -> list[str]:
    """What is wrong with the exports of a module."""
    names: list[str] = module.__all__
    found = [f"{name} is not there" for name in names if not hasattr(module, name)]
    return found + ([] if names == sorted(set(names)) else [f"not in the order {sorted(set(names))}"])


@pytest.mark.parametrize("name", exporting())
def test_the_exported_names_are_there_and_sorted(name: str) -> None:
    assert problems(importlib.import_module(name)) == []


def test_the_packages_that_users_import_from_say_what_they_export() -> None:
    wanted = {"planar", "planar.config", "planar.exchange", "planar.models", "planar.orders", "planar.streams"}
    assert wanted <= set(exporting())


def test_what_is_wrong_is_seen() -> None:
    module = ModuleType("example")
    module.__all__ = ["b", "a", "C", "b"]
    module.a = module.b = None  # pyright: ignore[reportAttributeAccessIssue]
    assert problems(module) == ["C is not there", "not in the order ['C', 'a', 'b']"]


def test_every_name_of_planar_is_in_dir_and_nothing_else_is_invented() -> None:
    assert set(planar.__all__) <= set(dir(planar))
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        planar.nonsense  # noqa: B018  # pyright: ignore[reportAttributeAccessIssue]
