"""The calls that the lives of orders need, by whatever names a client has for them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, Protocol

Answer = Any


class Door(Protocol):
    """The calls of one client for one account. Each raises the client's own exception."""

    async def new(self, **params: Any) -> Answer: ...
    async def test(self, **params: Any) -> Answer: ...
    async def cancel(self, **params: Any) -> Answer: ...
    async def cancel_all(self, **params: Any) -> Answer: ...
    async def replace(self, **params: Any) -> Answer: ...
    async def get(self, **params: Any) -> Answer: ...
    async def open(self, **params: Any) -> Answer: ...
    async def all(self, **params: Any) -> Answer: ...
    async def fills(self, **params: Any) -> Answer: ...
    async def account(self) -> Answer: ...
    async def book(self, **params: Any) -> Answer: ...

    def code(self, error: Exception) -> int | None:
        """Binance's code in an exception of the client; None if it is none of Binance's."""
        ...


class TableDoor:
    """A door by the names of a client's methods, synchronous or not."""

    def __init__(self, client: Any, names: Mapping[str, str], code: Callable[[Exception], int | None]) -> None:
        """`names`: the client's method for each call of `Door`, and for each path that is asked for market data."""
        self._client, self._names = client, names
        self.code = code

    async def ask(self, what: str, **params: Any) -> Answer:
        """Call the client's method for `what`."""
        answer = getattr(self._client, self._names[what])(**params)
        return await answer if inspect.isawaitable(answer) else answer

    async def new(self, **params: Any) -> Answer:
        return await self.ask("new", **params)

    async def test(self, **params: Any) -> Answer:
        return await self.ask("test", **params)

    async def cancel(self, **params: Any) -> Answer:
        return await self.ask("cancel", **params)

    async def cancel_all(self, **params: Any) -> Answer:
        return await self.ask("cancel_all", **params)

    async def replace(self, **params: Any) -> Answer:
        return await self.ask("replace", **params)

    async def get(self, **params: Any) -> Answer:
        return await self.ask("get", **params)

    async def open(self, **params: Any) -> Answer:
        return await self.ask("open", **params)

    async def all(self, **params: Any) -> Answer:
        return await self.ask("all", **params)

    async def fills(self, **params: Any) -> Answer:
        return await self.ask("fills", **params)

    async def account(self) -> Answer:
        return await self.ask("account")

    async def book(self, **params: Any) -> Answer:
        return await self.ask("depth", **params)
