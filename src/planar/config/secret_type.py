"""`Secret`: a text that shows itself to nobody who does not ask for it by name.

Values come from `planar.config.secrets` (files and environment variables) and leave through `Secret.reveal()` alone, at
the place where a request is signed.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import Any, NoReturn, final

MASK = "<secret>"


@final
class Secret:
    """A text that cannot be printed, formatted, logged, pickled, encoded or compared by accident.

    Printing, formatting and logging give `<secret>`. Pickling, JSON, hashing and concatenation raise TypeError.
    Equality holds between two secrets only and takes the same time for every pair of one length; a plain text never
    equals a secret.
    """

    # The value sits in a closure: `vars()`, `inspect.getmembers()` and object browsers find a function, not the text.
    __slots__ = ("_read",)

    _read: Callable[[], str]

    def __init__(self, value: str) -> None:
        if not value:
            raise ValueError("a secret cannot be empty")

        def read() -> str:
            return value

        object.__setattr__(self, "_read", read)

    def reveal(self) -> str:
        """The text itself. Use it where the request is signed and keep it in no variable that outlives this."""
        return self._read()

    def __repr__(self) -> str:
        return MASK

    def __format__(self, format_spec: str) -> str:
        return MASK

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self.reveal().encode(), other.reveal().encode())

    __hash__ = None  # pyright: ignore[reportAssignmentType]  # a hash of a short secret can be searched

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("a Secret cannot be changed")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError("a Secret cannot be changed")

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Secret:
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a Secret cannot be pickled; load it again where it is needed")
