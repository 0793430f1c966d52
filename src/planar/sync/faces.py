"""What synchronous objects are made of: they hold the asynchronous one and run its methods in the portal's loop.

`planar.sync.generated` has a class for each public class of Planar; this module has what they share, and streams.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from typing import Any, ClassVar, Generic, Self, TypeVar, cast

from planar.exchange.answers import Rows, Table
from planar.streams import ManyStream, Stream
from planar.sync.portal import Portal

T = TypeVar("T")


class Face:
    """A synchronous face of one asynchronous object."""

    _faces: ClassVar[dict[type[Any], type[Face]]] = {}
    """Asynchronous class -> its face."""

    def __init__(self, inner: Any, portal: Portal) -> None:
        self._inner = inner
        self._portal = portal

    def __init_subclass__(cls, of: type[Any] | None = None, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if of is not None:
            Face._faces[of] = cls

    def __repr__(self) -> str:
        return repr(self._inner)

    def _repr_html_(self) -> str | None:
        """As a table in a notebook, where there is one."""
        shown = getattr(self._inner, "_repr_html_", None)
        return None if shown is None else self._portal.now(shown)

    def _run(self, call: Coroutine[Any, Any, Any]) -> Any:
        return self._faced(self._portal.run(call))

    def _now(self, call: Callable[[], Any]) -> Any:
        return self._faced(self._portal.now(call))

    def _faced(self, value: Any) -> Any:
        """`value`, with faces in the place of what is asynchronous."""
        for kind in type(value).__mro__:
            face = self._faces.get(kind)
            if face is not None:
                return face(value, self._portal)
        if isinstance(value, Table):
            table = cast("Table[Any]", value)
            return Table({key: self._faced(one) for key, one in table.items()}, table.made, table.errors)
        if isinstance(value, Rows):
            rows = cast("Rows[Any]", value)
            return Rows((self._faced(one) for one in rows), rows.made)
        if isinstance(value, list):
            return [self._faced(one) for one in cast("list[Any]", value)]
        return value


class SyncStream(Face, Generic[T], of=Stream):
    """A live stream: `with exchange.watch_order_book(...) as books: for book in books: ...`"""

    def __enter__(self) -> Self:
        self._portal.run(self._inner.__aenter__())
        return self

    def __exit__(self, *error: object) -> None:
        self._portal.run(self._inner.__aexit__(None, None, None))

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        try:
            return self._portal.run(self._inner.__anext__())
        except StopAsyncIteration:
            raise StopIteration from None

    def get(self) -> Any:
        """The newest state, waiting for a change if the last `get` has seen it; or the rows since the last one."""

        async def awaited() -> Any:
            return await self._inner

        return self._portal.run(awaited())

    def __getattr__(self, name: str) -> Any:
        """What the stream says about itself: `state`, `age_ms`, `source`, `dropped`, `gaps`."""
        if name.startswith("_"):
            raise AttributeError(name)
        return self._portal.now(lambda: getattr(self._inner, name))


class SyncStreams(SyncStream[T], of=ManyStream):
    """Live streams of several markets as one."""
