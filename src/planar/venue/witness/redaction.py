"""What of a request may be written down: names of parameters, and text in which nothing looks like a secret.

Keys, signatures, tokens and listen keys are long runs of letters and digits; a path or a text is kept with every run
masked that is very long, or is long and has digits and letters of both cases (a part of Base64 between slashes). Of a
query or a body only the names of the parameters are kept, and the values that a wire chooses.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from typing import Any, Final, cast

MASK: Final = "***"
TEXT_MAX: Final = 200
"""Characters of a path or a text that are kept."""
VALUE_MAX: Final = 64
_NAMES_MAX: Final = 600
_RUN: Final = r"[A-Za-z0-9+=_%-]"
_SECRET: Final = re.compile(
    rf"(?<!{_RUN}){_RUN}{{32,}}|(?<!{_RUN})(?={_RUN}*[0-9])(?={_RUN}*[a-z])(?={_RUN}*[A-Z]){_RUN}{{16,}}"
)
_END: Final = re.compile(_RUN + r"+\Z")
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.\[\]-]{0,30}\Z")


def shown(text: str) -> str:
    """A path or an error's text, cut, with what may be a secret masked."""
    return _masked(text if len(text) <= TEXT_MAX else _END.sub(MASK, text[:TEXT_MAX]))


@functools.lru_cache(maxsize=2048)
def _masked(text: str) -> str:
    return _SECRET.sub(MASK, text.encode(errors="backslashreplace").decode())


def names_of(values: Iterable[str]) -> tuple[str, ...]:
    """The names of parameters in the order sent, the first few hundred characters of them."""
    joined = ",".join(values)
    return _names(joined) if len(joined) <= _NAMES_MAX else (*_names(joined[:_NAMES_MAX].rpartition(",")[0]), MASK)


@functools.lru_cache(maxsize=512)
def _names(joined: str) -> tuple[str, ...]:
    return tuple(name if _NAME.match(name) else MASK for name in joined.split(",")) if joined else ()


def value_of(value: object) -> str | None:
    """A value that a wire chose as harmless, such as a symbol; None where there is none that fits on a line."""
    if value is None or isinstance(value, bool | float):
        return None
    text = str(value) if isinstance(value, str | int) else ""
    return text if 0 < len(text) <= VALUE_MAX and text.isprintable() else None


def masked(value: Any) -> Any:
    """JSON values whose texts are as `shown` would have them."""
    if isinstance(value, str):
        return shown(value)
    if isinstance(value, dict):
        return {name: masked(one) for name, one in cast("dict[str, Any]", value).items()}
    return [masked(one) for one in cast("list[Any]", value)] if isinstance(value, list) else value
