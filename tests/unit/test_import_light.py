"""`import planar` is light: nothing heavy comes with it, and it takes a fraction of what importing CCXT takes."""

from __future__ import annotations

import json
import subprocess
import sys

HEAVY = ("aiohttp", "ccxt", "cryptography", "cyclopts", "orjson", "rich")
ROUNDS = 3

TIMED = """
import json, sys, time
begun = time.perf_counter()
import {module}
took = time.perf_counter() - begun
print(json.dumps([took, sorted({{name.partition(".")[0] for name in sys.modules}})]))
"""


def imported(module: str) -> tuple[float, list[str]]:
    """Seconds that importing a module takes in a fresh process, and the top-level packages that came."""
    done = subprocess.run(
        [sys.executable, "-c", TIMED.format(module=module)], capture_output=True, text=True, check=True, timeout=60
    )
    seconds, packages = json.loads(done.stdout)
    return seconds, packages


def test_importing_planar_takes_less_than_a_quarter_of_importing_ccxt() -> None:
    ours, theirs = (min(imported(module)[0] for _ in range(ROUNDS)) for module in ("planar", "ccxt.async_support"))
    assert ours < theirs / 4, f"planar {ours * 1000:.0f} ms, ccxt.async_support {theirs * 1000:.0f} ms"


def test_nothing_heavy_comes_with_planar_or_its_errors_and_models() -> None:
    for module in ("planar", "planar.errors", "planar.models", "planar.runtime"):
        _, packages = imported(module)
        assert [name for name in HEAVY if name in packages] == [], module
