"""Writes `src/planar/sync/generated.py`: synchronous classes with the signatures of the asynchronous ones.

python scripts/sync_face.py            write it
python scripts/sync_face.py --check    fail if it is not what would be written
"""

from __future__ import annotations

import builtins
import inspect
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from planar.exchange import Exchange
from planar.exchange.views import OrdersView
from planar.multi import Group, Selector
from planar.multi.selection import Choice
from planar.orders import OrderHandle
from planar.orders.group_handle import OrderGroup

TARGET = Path(__file__).resolve().parents[1] / "src/planar/sync/generated.py"
CLASSES: dict[type[Any], str] = {
    Exchange: "Exchange",
    OrderHandle: "Order",
    OrdersView: "Orders",
    OrderGroup: "OrderGroup",
    Group: "Group",
    Selector: "Selector",
    Choice: "Choice",
}
"""Asynchronous class -> name of its face."""
RENAMED = {"OrderHandle": "Order", "OrdersView": "Orders"}
STREAMS = re.compile(r"\b(BookStream|TickersStream|RowStream|StateStream|TableStream|ManyStream)\b(\[[^\]]*\])?")
ITEMS = {"BookStream": "OrderBook", "TickersStream": "Ticker"}
LEFT_OUT = {
    "each": "it takes an asynchronous function",
    "close": "the workspace closes what it opened",
    "changes": "an asynchronous iterator",
    "watch_arbitrage": "an asynchronous watch",
    "on_reconciliation": "its callback would run in the loop",
    "dead_man": "an asynchronous context",
    **dict.fromkeys(
        (name for name in dir(Exchange) if name.startswith("un_watch_")), "nothing is begun by `await` there"
    ),
}
HEAD = '''"""Synchronous faces of Planar's classes, written by `scripts/sync_face.py`. Do not edit."""

from __future__ import annotations

'''


def members(kind: type[Any]) -> Iterator[tuple[str, Any]]:
    """Public methods and properties, those of bases first."""
    seen: set[str] = set()
    for one in reversed(kind.__mro__):
        for name, member in vars(one).items():
            if one is object or name.startswith("_") or name in seen or name in LEFT_OUT:
                continue
            if isinstance(member, property) or inspect.isfunction(member):
                seen.add(name)
                yield name, inspect.getattr_static(kind, name)


def faced(text: str) -> str:
    """An annotation with faces in the place of what is asynchronous."""
    for name, face in RENAMED.items():
        text = re.sub(rf"\b{name}\b", face, text)

    def stream(found: re.Match[str]) -> str:
        kind, item = found.group(1), found.group(2)
        return f"SyncStream[{ITEMS.get(kind) or (item or '[Any]')[1:-1]}]"

    return " | ".join(dict.fromkeys(STREAMS.sub(stream, text).split(" | ")))


class Names:
    """What the annotations need to be imported."""

    def __init__(self) -> None:
        self.homes: dict[str, str] = {}

    def note(self, text: str, function: Callable[..., Any]) -> None:
        """The names in an annotation or default of a function."""
        function = inspect.unwrap(function)
        for name in re.findall(r"(?<![\w.\"'])[A-Za-z_]\w*", re.sub(r"\"[^\"]*\"|'[^']*'", "", text)):
            known = name in CLASSES.values() or name == "SyncStream" or hasattr(builtins, name)
            if not known and name in function.__globals__:
                value = function.__globals__[name]
                home = getattr(value, "__module__", function.__module__)
                public = getattr(sys.modules.get(str(home)), name, None) is value
                self.homes.setdefault(name, str(home) if public and isinstance(home, str) else function.__module__)


def method(name: str, function: Callable[..., Any], names: Names) -> str:
    """One method of a face."""
    signature = inspect.signature(function)
    shown, passed, star = ["self"], [], False
    for parameter in list(signature.parameters.values())[1:]:
        annotation = faced(str(parameter.annotation)) if parameter.annotation is not parameter.empty else "Any"
        names.note(annotation, function)
        default = ""
        if parameter.default is not parameter.empty:
            value = parameter.default
            default = " = NOTHING" if value == {} else f" = {value!r}"
        if parameter.kind is parameter.KEYWORD_ONLY and not star:
            shown, star = [*shown, "*"], True
        if parameter.kind is parameter.VAR_POSITIONAL:
            star = True
        mark = {parameter.VAR_POSITIONAL: "*", parameter.VAR_KEYWORD: "**"}.get(parameter.kind, "")
        shown.append(f"{mark}{parameter.name}: {annotation}{default}")
        keyword = parameter.kind is parameter.KEYWORD_ONLY
        passed.append(f"{parameter.name}={parameter.name}" if keyword else f"{mark}{parameter.name}")
    returned = faced(str(signature.return_annotation))
    names.note(returned, function)
    call = f"self._inner.{name}({', '.join(passed)})"
    how = f"self._run({call})" if inspect.iscoroutinefunction(function) else f"self._now(lambda: {call})"
    line = "" if returned == "None" else "return "
    doc = (function.__doc__ or "").strip().splitlines()[0]
    return f'    def {name}({", ".join(shown)}) -> {returned}:\n        """{doc}"""\n        {line}{how}\n'


def attribute(name: str, member: property, names: Names) -> str:
    """One property of a face."""
    getter = member.fget
    assert getter is not None
    returned = faced(str(inspect.signature(getter).return_annotation))
    names.note(returned, getter)
    doc = (getter.__doc__ or "").strip().splitlines()[0]
    return (
        f"    @property\n    def {name}(self) -> {returned}:\n"
        f'        """{doc}"""\n        return self._now(lambda: self._inner.{name})\n'
    )


def written() -> str:
    """The whole module."""
    names, bodies = Names(), []
    for kind, face in CLASSES.items():
        parts = [
            attribute(name, member, names) if isinstance(member, property) else method(name, member, names)
            for name, member in members(kind)
        ]
        for field in getattr(kind, "__struct_fields__", ()):
            parts.append(
                f"    @property\n    def {field}(self) -> Any:\n"
                f'        """As of `{kind.__name__}`."""\n        return self._now(lambda: self._inner.{field})\n'
            )
        if hasattr(kind, "__getattr__") or kind is OrderHandle:
            parts.append(
                "    def __getattr__(self, name: str) -> Any:\n        if name.startswith('_'):\n"
                "            raise AttributeError(name)\n        return self._now(lambda: getattr(self._inner, name))\n"
            )
        if hasattr(kind, "__getitem__"):
            parts.append(
                "    def __getitem__(self, key: str) -> Any:\n        return self._now(lambda: self._inner[key])\n"
            )
        if kind is OrdersView:
            parts.append(
                "    def __iter__(self) -> Iterator[Order]:\n        return iter(self._now(lambda: list(self._inner)))\n"
            )
        doc = (kind.__doc__ or "").strip().splitlines()[0]
        bodies.append(f'class {face}(Face, of=_{kind.__name__}):\n    """{doc}"""\n\n' + "\n".join(parts))
    homes = dict(sorted(names.homes.items()))
    lines = [f"from {home} import {name}" for name, home in homes.items() if name not in ("Any", "Iterator", "NOTHING")]
    lines += ["from collections.abc import Iterator", "from typing import Any"]
    lines += ["from planar.exchange.core import NOTHING", "from planar.sync.faces import Face, SyncStream"]
    lines += [f"from {kind.__module__} import {kind.__name__} as _{kind.__name__}" for kind in CLASSES]
    return _formatted(HEAD + "\n".join(lines) + "\n\n\n" + "\n\n".join(bodies))


def _formatted(text: str) -> str:
    ruff = [sys.executable, "-m", "ruff"]
    for command in ([*ruff, "check", "--select", "I,F401", "--fix", "-q", "-"], [*ruff, "format", "-q", "-"]):
        full = [*command[:-1], "--stdin-filename", str(TARGET), "-"]
        text = subprocess.run(full, input=text, capture_output=True, text=True, check=False).stdout
    return text


def main() -> int:
    """Write or compare; the exit code."""
    made = written()
    if "--check" in sys.argv:
        same = TARGET.read_text() == made
        if not same:
            print("src/planar/sync/generated.py is not of the present classes: python scripts/sync_face.py")
        return 0 if same else 1
    TARGET.write_text(made)
    return 0


if __name__ == "__main__":
    sys.exit(main())
