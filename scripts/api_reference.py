"""Writes `docs/api/`: the public classes and functions with their signatures and docstrings, a page for each subject.

python scripts/api_reference.py            write all pages
python scripts/api_reference.py --check    fail if one is not what would be written
"""

from __future__ import annotations

import enum
import functools
import importlib
import inspect
import pkgutil
import re
import sys
import types
import typing
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

import planar
import planar.errors
import planar.models
import planar.streams
import planar.sync
import planar.testing
from planar.exchange import Exchange
from planar.exchange.views import OrdersView
from planar.multi import Group, Selector
from planar.orders import OrderHandle
from planar.orders.group_handle import OrderGroup
from planar.workspace import Workspace

ROOT: Final = Path(__file__).resolve().parents[1]
PAGES: Final = ROOT / "docs" / "api"
COMMAND: Final = "python scripts/api_reference.py"
CLASSES: Final[dict[str, tuple[str, type[Any]]]] = {
    "workspace": ("what `planar.open` gives: all that is open at once", Workspace),
    "exchange": ("one exchange: every method", Exchange),
    "orders-view": ("`exchange.orders`: the orders of the journal", OrdersView),
    "order-handle": ("one order", OrderHandle),
    "order-group": ("linked orders", OrderGroup),
    "group": ("several exchanges at once", Group),
    "selector": ("which exchange to use", Selector),
}
"""Page -> what it is about, and the class."""
MODULES: Final[dict[str, tuple[str, types.ModuleType]]] = {
    "planar": ("what is imported from `planar` itself", planar),
    "streams": ("what `watch_*` gives", planar.streams),
    "models": ("what answers are made of", planar.models),
    "errors": ("what is raised", planar.errors),
    "testing": ("the local venue for tests", planar.testing),
    "sync": ("the same without `async`", planar.sync),
}
"""Page -> what it is about, and the module."""
FACES: Final = {
    "Exchange": "exchange",
    "Group": "group",
    "Order": "order-handle",
    "OrderGroup": "order-group",
    "Orders": "orders-view",
    "Selector": "selector",
    "Workspace": "workspace",
}
"""Class of `planar.sync` -> page of the class that it is a face of."""
WIDTH: Final = 110
SECTIONS: Final = ("Args:", "Raises:", "Returns:", "Yields:", "Attributes:")


def exported(module: types.ModuleType) -> dict[str, Any]:
    """The public classes and functions of a module by name: those that it lists itself, or its own and its parts'."""
    if listed := getattr(module, "__all__", None):
        found = {name: getattr(module, name) for name in listed}
    else:
        found: dict[str, Any] = {}
        inside = [importlib.import_module(f"{module.__name__}.{one.name}") for one in _parts(module)]
        for one in (module, *inside):
            own = [(name, value) for name, value in vars(one).items() if _home(value) == one.__name__]
            found |= {name: value for name, value in own if not name.startswith(("_", "pytest_"))}
    return {name: found[name] for name in sorted(found) if callable(_plain(found[name]))}


def _parts(module: types.ModuleType) -> list[pkgutil.ModuleInfo]:
    return [one for one in pkgutil.iter_modules(getattr(module, "__path__", [])) if not one.name.startswith("_")]


def _plain(value: Any) -> Any:
    """A fixture of pytest is the function in it."""
    return value if inspect.isclass(value) else getattr(value, "__wrapped__", value)


def _home(value: Any) -> str:
    return getattr(_plain(value), "__module__", "") if callable(_plain(value)) else ""


def members(kind: type[Any]) -> Iterator[tuple[str, Any]]:
    """The public methods and properties of a class that Planar wrote, by name."""
    found: dict[str, Any] = {}
    for one in kind.__mro__:
        if one.__module__.startswith("planar"):
            for name, member in vars(one).items():
                plain = inspect.unwrap(getattr(member, "__func__", member)) if callable(member) else member
                wanted = inspect.isfunction(plain) or isinstance(member, property | functools.cached_property)
                wanted = wanted or isinstance(member, classmethod | staticmethod)
                if not name.startswith("_") and wanted:
                    found.setdefault(name, member)
    return iter(sorted(found.items()))


def documented(kind: type[Any], name: str, member: Any) -> str:
    """The docstring of a member: its own, else that of what it overrides or stands for."""
    text = inspect.getdoc(getattr(member, "__func__", member))
    if not text:
        text = inspect.getdoc(getattr(kind, name, None))
    return text or ""


def undocumented() -> list[str]:
    """Public members without a docstring."""
    missing: list[str] = []
    for kind in public_classes():
        if not (vars(kind).get("__doc__") or "").strip():
            missing.append(f"{kind.__module__}.{kind.__qualname__}")
        missing += [
            f"{kind.__module__}.{kind.__qualname__}.{name}"
            for name, member in members(kind)
            if not documented(kind, name, member)
        ]
    for _, module in MODULES.values():
        missing += [
            f"{module.__name__}.{name}"
            for name, value in exported(module).items()
            if inspect.isfunction(_plain(value)) and not inspect.getdoc(_plain(value))
        ]
    return missing


def public_classes() -> list[type[Any]]:
    """All classes of all pages, each once."""
    found = dict.fromkeys(kind for _, kind in CLASSES.values())
    for _, module in MODULES.values():
        for value in exported(module).values():
            if inspect.isclass(value) and value.__module__.startswith("planar"):
                found[value] = None
    return list(found)


def signature(name: str, member: Any) -> str:
    """`async name(a: int) -> str`, or `name: type` of a property."""
    if isinstance(member, property):
        returned = getattr(member.fget, "__annotations__", {}).get("return", "")
        return f"{name}: {_text(returned)}" if returned else name
    if isinstance(member, functools.cached_property):
        returned = member.func.__annotations__.get("return", "")
        return f"{name}: {_text(returned)}" if returned else name
    function: Callable[..., Any] = getattr(member, "__func__", member)
    try:
        found = inspect.signature(function)
    except (TypeError, ValueError):
        return name
    kept = [
        parameter.replace(annotation=_shown(parameter.annotation), default=_default(parameter.default))
        for parameter in found.parameters.values()
        if parameter.name not in ("self", "cls")
    ]
    returned = found.return_annotation
    ending = "" if returned is inspect.Signature.empty else f" -> {_text(returned)}"
    word = "async " if inspect.iscoroutinefunction(inspect.unwrap(function)) else ""
    line = f"{word}{name}{inspect.Signature(kept)}{ending}"
    if len(line) <= WIDTH:
        return line
    texts, starred = list[str](), False
    for one in kept:
        if one.kind is one.KEYWORD_ONLY and not starred:
            texts.append("*")
        starred = starred or one.kind in (one.KEYWORD_ONLY, one.VAR_POSITIONAL)
        texts.append(str(one))
    inner = "".join(f"    {text},\n" for text in texts)
    return f"{word}{name}(\n{inner}){ending}"


class _Shown:
    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


def _shown(annotation: Any) -> Any:
    return annotation if annotation is inspect.Parameter.empty else _Shown(_text(annotation))


def _default(value: Any) -> Any:
    """A default that reads the same in every process."""
    if value is inspect.Parameter.empty or isinstance(value, str | int | float | bool | type(None) | tuple):
        return value
    return _Shown("..." if " at 0x" in repr(value) else repr(value))


def _text(annotation: Any) -> str:
    text = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    text = re.sub(r"\b(?:planar|collections|typing|decimal|pathlib|contextlib|types)(?:\.\w+)*\.(\w+)", r"\1", text)
    return text.replace("'", "")


def prose(text: str) -> str:
    """A docstring as markdown: sections become lists, indented examples become code that is shown, not run."""
    lines, made, section, code = text.splitlines(), list[str](), "", False
    for number, line in enumerate(lines):
        if line in SECTIONS:
            section = line.rstrip(":")
            made += ["", f"**{section}**", ""]
            continue
        if section and line and not line.startswith(" "):
            section = ""
            made.append("")
        if section and (entry := re.match(r"^    ([\w*][\w*, .`|\[\]]*?): (.*)$", line)):
            made.append(f"- `{entry.group(1)}`: {entry.group(2)}")
        elif section and line.startswith("    "):
            made.append(f"  {line.strip()}" if made and made[-1].startswith(("- ", "  ")) else line.strip())
        elif not section and line.startswith("    "):
            if not code:
                made += ["```text"]
                code = True
            made.append(line[4:])
            following = next((one for one in lines[number + 1 :] if one.strip()), "")
            if not following.startswith("    "):
                made.append("```")
                code = False
        else:
            made.append(line)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(made)).strip()


def fields(kind: type[Any]) -> str:
    """The fields of a struct with their types, or the members of an enumeration with their values."""
    if issubclass(kind, enum.Enum):
        return "\n".join(f"{one.name} = {one.value!r}" for one in kind)
    if not issubclass(kind, msgspec.Struct):
        return ""
    hints = typing.get_type_hints(kind, include_extras=True)
    return "\n".join(f"{field.name}: {_text(hints[field.name])}" for field in msgspec.structs.fields(kind))


def class_text(kind: type[Any], level: str) -> str:
    """A class with all of its members."""
    parts = [prose(inspect.cleandoc(kind.__doc__ or ""))]
    if listed := fields(kind):
        parts.append(f"```text\n{listed}\n```")
    for name, member in members(kind):
        parts.append(f"{level} `{name}`\n\n```text\n{signature(name, member)}\n```")
        if text := documented(kind, name, member):
            parts.append(prose(text))
    return "\n\n".join(part for part in parts if part)


def class_page(about: str, kind: type[Any]) -> str:
    """The page of a class."""
    title = f"# {kind.__name__}\n\n{about[0].upper()}{about[1:]}. From `{kind.__module__}`, by `{COMMAND}`."
    return f"{title}\n\n{class_text(kind, '##')}\n"


def module_page(about: str, module: types.ModuleType) -> str:
    """The page of a module: its functions and classes; those that have a page of their own are named."""
    own = {kind: page for page, (_, kind) in CLASSES.items()}
    parts = [
        f"# {module.__name__}\n\n{about[0].upper()}{about[1:]}; by `{COMMAND}`.",
        prose(inspect.getdoc(module) or ""),
    ]
    for name, value in exported(module).items():
        if inspect.isclass(value) and value in own:
            parts.append(f"## `{name}`\n\nIt has [a page of its own]({own[value]}.md).")
        elif module is planar.sync and name in FACES:
            kind, own_page = CLASSES[FACES[name]][1].__name__, FACES[name]
            parts.append(f"## `{name}`\n\nThe face of [{kind}]({own_page}.md): the same members, without `await`.")
        elif inspect.isclass(value):
            bases = ", ".join(f"`{one.__name__}`" for one in value.__bases__ if one.__module__.startswith("planar"))
            parts.append(f"## `{name}`" + (f"\n\nA kind of {bases}." if bases else ""))
            parts.append(class_text(value, "###"))
        else:
            meaning = prose(inspect.getdoc(_plain(value)) or "")
            parts.append(f"## `{name}`\n\n```text\n{signature(name, _plain(value))}\n```\n\n{meaning}")
    return "\n\n".join(part for part in parts if part) + "\n"


def written() -> dict[Path, str]:
    """Path -> what should stand there."""
    found = {PAGES / f"{page}.md": class_page(about, kind) for page, (about, kind) in CLASSES.items()}
    found |= {PAGES / f"{page}.md": module_page(about, module) for page, (about, module) in MODULES.items()}
    rows = [f"| [{kind.__name__}]({page}.md) | {about} |" for page, (about, kind) in CLASSES.items()]
    rows += [f"| [{module.__name__}]({page}.md) | {about} |" for page, (about, module) in MODULES.items()]
    head = (
        "# API reference\n\nSignatures and meanings of all that is public, from the code itself, "
        f"by `{COMMAND}`.\n\n| page | about |\n|---|---|\n"
    )
    return {**found, PAGES / "README.md": head + "\n".join(rows) + "\n"}


def main(arguments: list[str]) -> int:
    """Write, or check; the exit code."""
    PAGES.mkdir(exist_ok=True)
    stale = [path for path, text in written().items() if not path.exists() or path.read_text() != text]
    if "--check" in arguments:
        for path in stale:
            print(f"{path.relative_to(ROOT)} is not current: {COMMAND}")
        return 1 if stale else 0
    for path in stale:
        path.write_text(written()[path], encoding="utf-8")
    for name in undocumented():
        print(f"no docstring: {name}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
