"""CCXT's packages load lazily, and nobody in the process can tell. Each case runs in an interpreter of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Protocol

import pytest

from planar.adapters.lazy_ccxt import read_names

INSTALL = "from planar.adapters import lazy_ccxt\nassert lazy_ccxt.install()\n"


class Python(Protocol):
    def __call__(self, code: str, **variables: str) -> Any: ...


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Python:
    """Runs code in a new interpreter; gives what it printed last, read as JSON. Bytecode is kept between the cases."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PLANAR_")}
    if environ.pop("PYTHONDONTWRITEBYTECODE", None):
        environ["PYTHONPYCACHEPREFIX"] = str(tmp_path_factory.mktemp("bytecode"))

    def run(code: str, **variables: str) -> Any:
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, env=environ | variables, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    return run


SURFACE = """
import json, sys
import ccxt, ccxt.async_support, ccxt.pro

def told(value):
    if isinstance(value, type) or callable(value):
        return f"{value.__module__}.{value.__qualname__}"
    return f"module {value.__name__}" if isinstance(value, type(sys)) else value

for package in (ccxt, ccxt.async_support, ccxt.pro):
    vars(package)  # a subpackage such as ccxt.abstract becomes an attribute when an exchange is imported
print(json.dumps({
    package.__name__: {
        name: told(getattr(package, name)) for name in dir(package) if name == "__version__" or name[:2] != "__"
    } | {"__all__": package.__all__ if hasattr(package, "__all__") else None}
    for package in (ccxt, ccxt.async_support, ccxt.pro)
}))
"""


def test_the_packages_have_the_names_and_values_of_the_real_ones(python: Python) -> None:
    lazy = python(INSTALL + SURFACE)
    real = python(SURFACE)
    assert len(real["ccxt"]["exchanges"]) > 100
    for package in real:
        assert lazy[package] == real[package]


@pytest.mark.parametrize(
    ("module", "most"), [("ccxt.binance", 14), ("ccxt.async_support.binance", 24), ("ccxt.pro.binance", 27)]
)
def test_opening_one_exchange_imports_only_its_modules(python: Python, module: str, most: int) -> None:
    loaded = python(
        f"{INSTALL}import json, sys, importlib\nassert 'ccxt' not in sys.modules\nimportlib.import_module({module!r})\n"
        "print(json.dumps([name for name in sys.modules if name.partition('.')[0] == 'ccxt']))"
    )
    assert module in loaded
    assert len(loaded) <= most
    assert not any(name.endswith(".kraken") for name in loaded)


def test_a_missing_name_is_an_attribute_error_and_imports_nothing(python: Python) -> None:
    told = python(
        INSTALL
        + """
import json, sys, ccxt, ccxt.pro
answers = [hasattr(ccxt, "x"), hasattr(ccxt, "__wrapped__"), hasattr(ccxt.pro, "luna"), getattr(ccxt, "y", None)]
try:
    ccxt.x
except AttributeError as error:
    answers += [str(error), error.name, error.obj is ccxt]
try:
    from ccxt import nothing
except ImportError as error:
    answers.append(type(error).__name__)
assert "ccxt.binance" not in sys.modules
print(json.dumps(answers))
"""
    )
    assert told == [False, False, False, None, "module 'ccxt' has no attribute 'x'", "x", True, "ImportError"]


def test_star_import_binds_everything(python: Python) -> None:
    names = python(
        INSTALL + "import json\nfrom ccxt import *\nfrom ccxt.async_support import kraken as other\n"
        "assert issubclass(kraken, Exchange) and issubclass(RequestTimeout, NetworkError) and other is not kraken\n"
        "print(json.dumps([len(exchanges), sorted(globals())]))"
    )
    assert names[0] > 100
    assert {"binance", "zebpay", "Exchange", "decimal_to_precision", "BadSymbol"} <= set(names[1])


def test_an_imported_submodule_is_the_class_as_in_the_real_package(python: Python) -> None:
    code = """
import json, sys
import ccxt.pro.binance
import ccxt.async_support.kraken
import ccxt.okx
import ccxt.async_support.binanceusdm as usdm
import ccxt.base.errors
print(json.dumps([
    isinstance(ccxt.pro.binance, type), isinstance(ccxt.async_support.kraken, type), isinstance(ccxt.okx, type),
    isinstance(usdm, type), isinstance(sys.modules["ccxt.pro.binance"], type(sys)), ccxt.pro.binance.__module__,
    type(ccxt.base).__name__, type(ccxt.errors).__name__,
]))
"""
    expected = [True, True, True, True, True, "ccxt.pro.binance", "list", "module"]
    assert python(INSTALL + code) == expected
    assert python(code) == expected


THREADS = """
import json, sys, threading
names = ["binance", "bybit", "kraken", "okx", "htx", "gate", "Exchange", "NetworkError"]
barrier, seen, errors = threading.Barrier(24), {}, []
sys.setswitchinterval(1e-5)

def run(import_packages):
    threads = [threading.Thread(target=work, args=(number, import_packages)) for number in range(24)]
    for thread in threads: thread.start()
    for thread in threads: thread.join(30)
    same = all(len(set(found)) == 1 for found in seen.values())
    print(json.dumps([errors, len(seen), same, any(thread.is_alive() for thread in threads)]))

def work(number, import_packages):
    barrier.wait()
    try:
        packages = import_packages()
        package = packages[number % len(packages)]
        for name in names[number % 8:] + names[:number % 8]:
            seen.setdefault((package.__name__, name), []).append(getattr(package, name))
        assert "binance" in package.exchanges
        assert not hasattr(package, "x")
    except BaseException as error:
        errors.append(repr(error))
"""


@pytest.mark.parametrize("attempt", range(2))
def test_many_threads_import_the_package_at_once(python: Python, attempt: int) -> None:
    code = "def import_packages():\n    import ccxt\n    return [ccxt]\nrun(import_packages)\n"
    assert python(INSTALL + THREADS + code) == [[], 8, True, False]


@pytest.mark.parametrize("attempt", range(2))
def test_many_threads_ask_the_packages_at_once(python: Python, attempt: int) -> None:
    code = "import ccxt, ccxt.pro, ccxt.async_support\nrun(lambda: [ccxt, ccxt.pro, ccxt.async_support])\n"
    assert python(INSTALL + THREADS + code) == [[], 24, True, False]


def test_pickle_isinstance_and_errors(python: Python) -> None:
    told = python(
        INSTALL
        + """
import json, pickle, ccxt, ccxt.pro, ccxt.async_support
from ccxt.base import errors
from ccxt.base.exchange import Exchange
exchange = ccxt.binance()
try:
    exchange.market("X")
except ccxt.ExchangeError as error:
    caught = type(pickle.loads(pickle.dumps(error))) is type(error)
try:
    raise errors.RequestTimeout("late")
except ccxt.async_support.NetworkError as error:
    late = isinstance(error, ccxt.pro.OperationFailed)
print(json.dumps([
    isinstance(exchange, ccxt.Exchange), ccxt.Exchange is Exchange, ccxt.BadSymbol is errors.BadSymbol,
    pickle.loads(pickle.dumps(ccxt.binance)) is ccxt.binance,
    pickle.loads(pickle.dumps(ccxt.pro.kraken)) is ccxt.pro.kraken,
    issubclass(ccxt.pro.binance, ccxt.async_support.binance), ccxt.binance is not ccxt.async_support.binance,
    caught, late,
]))
"""
    )
    assert told == [True] * 9


def test_the_dictionary_of_the_package_holds_everything(python: Python) -> None:
    told = python(
        INSTALL
        + """
import json, ccxt
found = ccxt.__dict__["kraken"]
print(json.dumps([
    found is ccxt.kraken, "zebpay" in vars(ccxt), "x" in vars(ccxt), vars(ccxt)["__version__"] == ccxt.__version__,
    sum(isinstance(value, type) and issubclass(value, ccxt.Exchange) for value in vars(ccxt).values()),
]))
"""
    )
    assert told[:4] == [True, True, False, True]
    assert told[4] > 100


def test_what_a_program_sets_stands(python: Python) -> None:
    told = python(
        INSTALL
        + """
import importlib, json, ccxt, ccxt.pro
class Mine: pass
ccxt.binance = Mine
import ccxt.kraken
importlib.reload(ccxt)
first = ccxt.exchanges
same = ccxt.exchanges is first
print(json.dumps([ccxt.binance is Mine, isinstance(ccxt.kraken, type), same, isinstance(ccxt.okx, type)]))
"""
    )
    assert told == [True, True, True, True]


def test_steps_aside_when_ccxt_was_imported_before_or_the_switch_says_so(python: Python) -> None:
    told = python(
        "import json, types, ccxt\nfrom planar.adapters import lazy_ccxt\n"
        "print(json.dumps([lazy_ccxt.install(), type(ccxt) is types.ModuleType]))"
    )
    assert told == [False, True]
    off = "import json, sys\nfrom planar.adapters import lazy_ccxt\nbefore = list(sys.meta_path)\n"
    off += "print(json.dumps([lazy_ccxt.install(), sys.meta_path == before]))"
    assert python(off, PLANAR_LAZY_CCXT="0") == [False, True]
    twice = INSTALL + "import json\nprint(json.dumps([lazy_ccxt.install(), lazy_ccxt.install()]))"
    assert python(twice, PLANAR_LAZY_CCXT="1") == [True, True]


def fake_ccxt(directory: Path, init: str) -> str:
    """Another package `ccxt`, and the code after which it is found."""
    package = directory / "ccxt"
    package.mkdir()
    (package / "__init__.py").write_text(init)
    (package / "one.py").write_text("class one: pass\n")
    (package / "two.py").write_text("class two: pass\n")
    return f"{INSTALL}import json, sys, types\nsys.path.insert(0, {str(directory)!r})\nimport ccxt\n"


def test_an_init_that_is_not_understood_is_run_as_it_stands(python: Python, tmp_path: Path) -> None:
    found = fake_ccxt(tmp_path, "from ccxt.one import one\nfrom ccxt.two import two\none.mark = True\n")
    told = python(
        found + "print(json.dumps([type(ccxt) is types.ModuleType, 'ccxt.two' in sys.modules, ccxt.one.mark]))"
    )
    assert told == [True, True, True]


def test_a_name_bound_twice_means_the_last(python: Python, tmp_path: Path) -> None:
    init = "from ccxt.one import one\nfrom ccxt.two import two as one\ntwo = 3\nten = [two] + [7]\n"
    told = python(
        fake_ccxt(tmp_path, init)
        + "print(json.dumps([ccxt.one.__name__, ccxt.two, ccxt.ten, 'ccxt.one' in sys.modules]))"
    )
    assert told == ["two", 3, [3, 7], False]


@pytest.mark.parametrize(
    "statement",
    [
        "if True:\n    a = 1",
        "import os",
        "from os import path",
        "from .one import one",
        "from ccxt.one import *",
        "a = b = 1",
        "f()",
    ],
)
def test_what_counts_as_not_understood(statement: str) -> None:
    assert not read_names(f'"""Docstring."""\nx = 1\n{statement}\n'.encode()).understood
    assert read_names(b'"""Docstring."""\nx = 1\n').understood
