"""Opening one exchange of CCXT imports only that exchange's modules.

CCXT's packages (`ccxt`, `ccxt.async_support`, `ccxt.pro`) import every exchange in their `__init__`. `install()` puts a
finder before Python's own that loads these three packages without running their `__init__`: its source is read, what
all exchanges share is imported, and every other name (`from ccxt.binance import binance`) is bound when it is asked
for. Other code in the process sees the package that it knows: the same names, classes and lists, `from ccxt import *`,
`vars(ccxt)`, `ccxt.pro.binance` the class although it is also a module.

An `__init__` with a statement other than imports from CCXT and assignments is run as it stands, so a CCXT that Planar
does not know is imported slowly, never wrongly.
"""

from __future__ import annotations

import ast
import importlib.abc
import importlib.util
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, cast

import msgspec

from planar.config.env import flag

PACKAGES = ("ccxt", "ccxt.async_support", "ccxt.pro")
"""The packages whose `__init__` imports every exchange."""


class Names(msgspec.Struct):
    """The names that a package's `__init__` binds at its top level.

    Attributes:
        imports: name -> (module, attribute) of `from module import attribute as name`.
        literals: name -> value of `name = literal`.
        expressions: name -> compiled `name = expression` over the other names.
        understood: False if the source has any other statement; then the names may be incomplete.
    """

    imports: dict[str, tuple[str, str]]
    literals: dict[str, Any]
    expressions: dict[str, CodeType]
    understood: bool = True

    def __iter__(self) -> Iterator[str]:
        yield from self.imports
        yield from self.literals
        yield from self.expressions

    def __contains__(self, name: object) -> bool:
        return name in self.imports or name in self.literals or name in self.expressions


def read_names(source: bytes) -> Names:
    """The names bound by the source of a package's `__init__`. Nothing is run."""
    names = Names({}, {}, {})
    for statement in ast.parse(source).body:
        match statement:
            case ast.Expr(value=ast.Constant()):  # the docstring
                continue
            case ast.ImportFrom(module=str(module), names=aliases, level=0) if _is_plain(module, aliases):
                bound = {alias.asname or alias.name: (module, alias.name) for alias in aliases}
                _forget(names, bound)
                names.imports.update(bound)
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                _forget(names, [name])
                try:
                    names.literals[name] = ast.literal_eval(value)
                except ValueError:
                    names.expressions[name] = compile(ast.Expression(value), f"<{name}>", "eval")
            case _:
                names.understood = False
    return names


def _is_plain(module: str, aliases: Sequence[ast.alias]) -> bool:
    return module.partition(".")[0] == "ccxt" and all(alias.name != "*" for alias in aliases)


def _forget(names: Names, bound: Mapping[str, Any] | Sequence[str]) -> None:
    """The last binding of a name is the one that counts."""
    for name in bound:
        names.imports.pop(name, None)
        names.literals.pop(name, None)
        names.expressions.pop(name, None)


def package_names(package: str) -> Names | None:
    """What the `__init__` of one of `PACKAGES` binds, read without importing it; None if it has no source file."""
    top = importlib.util.find_spec("ccxt")
    locations = top.submodule_search_locations if top else None
    if not locations:
        return None
    path = Path(locations[0], *package.split(".")[1:], "__init__.py")
    return read_names(path.read_bytes()) if path.is_file() else None


class LazyPackage(ModuleType):
    """One of CCXT's packages. Binds each name when it is first asked for. It has no lock of its own, so threads cannot
    wait for each other in a circle: a name that two bind at once is one object, since modules are imported once.
    """

    def __init__(self, name: str, names: Names) -> None:
        super().__init__(name)
        self._planar_names = names

    def __getattr__(self, name: str) -> Any:
        names = self._planar_names
        if name not in names:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}", name=name, obj=self)
        if name in names.imports:
            module, attribute = names.imports[name]
            value = getattr(__import__(module, fromlist=[attribute]), attribute)
        elif name in names.literals:
            value = names.literals[name]
        else:
            value = eval(names.expressions[name], {"__builtins__": {}}, _Scope(self))
        return _true_dict(self).setdefault(name, value)

    def __setattr__(self, name: str, value: Any) -> None:
        # The import system sets each imported submodule on its package. Where `__init__` gives the name another
        # meaning (`ccxt.binance` is the class, `ccxt.base` a list) that meaning stands, as it does in the real package.
        is_submodule = isinstance(value, ModuleType) and value is sys.modules.get(f"{self.__name__}.{name}")
        if is_submodule and name in self._planar_names:
            return
        super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        return sorted({*_true_dict(self), *self._planar_names} - {"_planar_names"})

    @property
    def __dict__(self) -> dict[str, Any]:
        """Everything: whoever looks into `vars(ccxt)` expects all exchanges there."""
        for name in self._planar_names:
            getattr(self, name)
        return _true_dict(self)


def _true_dict(package: LazyPackage) -> dict[str, Any]:
    """The package's dictionary as it is now."""
    return cast(Any, vars(ModuleType))["__dict__"].__get__(package)


class _Scope(Mapping[str, Any]):
    """The names of a package, for the evaluation of an expression of its `__init__`."""

    def __init__(self, package: ModuleType) -> None:
        self._package = package

    def __getitem__(self, name: str) -> Any:
        try:
            return getattr(self._package, name)
        except AttributeError:
            raise KeyError(name) from None

    def __iter__(self) -> Iterator[str]:
        return iter(dir(self._package))

    def __len__(self) -> int:
        return len(dir(self._package))


class _LazyLoader(SourceFileLoader):
    """Loads a package as a `LazyPackage`, if its `__init__` is understood."""

    def __init__(self, name: str, path: str, names: Names) -> None:
        super().__init__(name, path)
        self._names = names

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return LazyPackage(spec.name, self._names)

    def exec_module(self, module: ModuleType) -> None:
        """Bind what all exchanges share, at once and in the order of `__init__`: those modules import each other, so
        several threads must not begin them. The import system makes others wait meanwhile. Exchanges come later.
        """
        for name, (source, _) in self._names.imports.items():
            if source != f"{module.__name__}.{name}":
                getattr(module, name)


class _Finder(importlib.abc.MetaPathFinder):
    """Finds CCXT's packages where Python finds them, and has them loaded lazily."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in PACKAGES:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        # another loader (an archive, an import hook) knows what it does; only plain source files are taken over
        if spec is None or type(spec.loader) is not SourceFileLoader:
            return None
        names = read_names(spec.loader.get_data(spec.loader.path))
        if names.understood:
            spec.loader = _LazyLoader(spec.loader.name, spec.loader.path, names)
        return spec


def install() -> bool:
    """Have CCXT's packages load lazily from now on. True if they do.

    False, and nothing is changed, when CCXT was imported before or `PLANAR_LAZY_CCXT=0`. May be called again.
    """
    if any(isinstance(finder, _Finder) for finder in sys.meta_path):
        return True
    if "ccxt" in sys.modules or not flag("PLANAR_LAZY_CCXT", default=True):
        return False
    sys.meta_path.insert(0, _Finder())
    return True
