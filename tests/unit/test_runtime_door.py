"""`planar.runtime` is the only door to time and chance: no other module of the package goes round it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import planar

PACKAGE = Path(planar.__file__).parent

FORBIDDEN = re.compile(
    r"time\.(time|time_ns|monotonic|monotonic_ns|perf_counter|perf_counter_ns|sleep)"
    r"|datetime\.datetime\.(now|utcnow|today)|datetime\.date\.today"
    r"|random\.\w+(\.\w+)*|secrets\.\w+|uuid\.(uuid[14678]|getnode)|os\.(urandom|getrandom)"
    r"|asyncio\.(sleep|create_task|ensure_future)(\.\w+)*"
)
MODULES = ("asyncio", "datetime", "os", "random", "secrets", "time", "uuid")

ALLOWED: dict[tuple[str, str], str] = {}
"""(module path inside the package, use) -> the reason why the door cannot serve there."""


def uses(source: str) -> Iterator[tuple[int, str]]:
    """Line and dotted name of everything in `source` that goes round the door."""
    tree = ast.parse(source)
    names = _imported(tree)
    groups = _task_groups(tree)
    seeded = {id(call.func) for call in ast.walk(tree) if isinstance(call, ast.Call) and (call.args or call.keywords)}
    types = {id(part) for annotation in _annotations(tree) for part in ast.walk(annotation)}
    inner = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    for node in ast.walk(tree):
        if not isinstance(node, (ast.Attribute, ast.Name)) or id(node) in inner:
            continue
        dotted = _dotted(node, names)
        if dotted is None:
            if isinstance(node, ast.Attribute) and node.attr == "create_task" and _text(node.value) not in groups:
                yield node.lineno, "create_task"
        elif dotted == "random.Random" and id(node) in seeded | types:
            continue  # a generator with a seed of its own, or the type's name
        elif FORBIDDEN.fullmatch(dotted):
            yield node.lineno, dotted


def _imported(tree: ast.Module) -> dict[str, str]:
    """Local name -> dotted name, of what is imported from the modules concerned."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.asname or alias.name: alias.name for alias in node.names if alias.name in MODULES}
        elif isinstance(node, ast.ImportFrom) and node.module in MODULES and not node.level:
            names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return names


def _task_groups(tree: ast.Module) -> set[str]:
    """Names bound by `async with asyncio.TaskGroup() as name`: their tasks are awaited by the group."""
    items = [item for node in ast.walk(tree) if isinstance(node, ast.AsyncWith) for item in node.items]
    return {
        _text(item.optional_vars)
        for item in items
        if item.optional_vars is not None and _text(item.context_expr).endswith("TaskGroup()")
    }


def _annotations(tree: ast.Module) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        if isinstance(node, (ast.arg, ast.AnnAssign)) and node.annotation is not None:
            yield node.annotation
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.returns is not None:
            yield node.returns


def _dotted(node: ast.expr, names: dict[str, str]) -> str | None:
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if isinstance(node, ast.Attribute):
        base = _dotted(node.value, names)
        return None if base is None else f"{base}.{node.attr}"
    return None


def _text(node: ast.expr) -> str:
    return ast.unparse(node)


def test_only_the_runtime_touches_time_and_chance() -> None:
    found: list[str] = []
    used: set[tuple[str, str]] = set()
    for path in sorted(PACKAGE.rglob("*.py")):
        module = path.relative_to(PACKAGE).as_posix()
        if module.startswith("runtime/"):
            continue
        for line, use in uses(path.read_text(encoding="utf-8")):
            used.add((module, use))
            if (module, use) not in ALLOWED:
                found.append(f"src/planar/{module}:{line}: {use} (use planar.runtime)")
    assert found == []
    assert sorted(set(ALLOWED) - used) == [], "allowed, and no longer needed"


@pytest.mark.parametrize(
    ("source", "use"),
    [
        ("import time\ntime.time()", "time.time"),
        ("import time as t\nx = t.monotonic_ns", "time.monotonic_ns"),
        ("from time import perf_counter as now\nnow()", "time.perf_counter"),
        ("from datetime import datetime, UTC\ndatetime.now(UTC)", "datetime.datetime.now"),
        ("import datetime\ndatetime.datetime.utcnow()", "datetime.datetime.utcnow"),
        ("import random\nrandom.random()", "random.random"),
        ("import random\nrandom.Random()", "random.Random"),
        ("import secrets\nsecrets.token_hex(4)", "secrets.token_hex"),
        ("import uuid\nuuid.uuid4().hex", "uuid.uuid4"),
        ("import os\nos.urandom(8)", "os.urandom"),
        ("import asyncio\nasync def f():\n    await asyncio.sleep(1)", "asyncio.sleep"),
        ("import asyncio\nasyncio.create_task(f())", "asyncio.create_task"),
        ("import asyncio\nasyncio.get_running_loop().create_task(f())", "create_task"),
        ("def f(loop):\n    loop.create_task(g())", "create_task"),
    ],
)
def test_a_way_round_is_seen(source: str, use: str) -> None:
    assert [found for _, found in uses(source)] == [use]


@pytest.mark.parametrize(
    "source",
    [
        "import random\nmodel = random.Random(7)",
        "import random\ndef f(rng: random.Random) -> random.Random: ...",
        "import datetime\ndatetime.datetime.fromtimestamp(1, datetime.UTC)",
        "import uuid\ndef f(x: uuid.UUID): return uuid.UUID(int=1)",
        "import asyncio\nasync def f():\n    async with asyncio.TaskGroup() as group:\n        group.create_task(g())",
        "import asyncio\nasync def f():\n    async with asyncio.timeout(1):\n        await asyncio.Event().wait()",
        "import planar.runtime as runtime\nruntime.wall_ms()\nruntime.current().random.random()",
        "import time\ntime.strftime('%H', (0,) * 9)",
    ],
)
def test_what_is_no_way_round_is_left_alone(source: str) -> None:
    assert list(uses(source)) == []
