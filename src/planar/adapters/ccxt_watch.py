"""The WebSocket half of the seam: what of CCXT's exchange class stands between `watch_*` and its connections.

`SocketSeam` makes CCXT's clients as guarded ones, binds listeners to what CCXT waits for, and keeps hold of the work
that CCXT starts in the background. It is mixed in before CCXT's class, as a part of `CcxtSeam`.
"""

from __future__ import annotations

import asyncio
import functools
import importlib
import logging
import types
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, cast

from planar.adapters.ccxt_socket import SocketGuard
from planar.adapters.ccxt_socket_parts import Pace, mute, poison, read_quietly
from planar.transport.guard import address
from planar.transport.redact import redact

LOG = logging.getLogger("planar.streams")


@functools.cache
def _socket_class() -> type[SocketGuard]:
    """CCXT's client behind the guard."""
    base = importlib.import_module("ccxt.async_support.base.ws.client").Client
    return types.new_class("PlanarSocket", (SocketGuard, base))


class SocketSeam:
    """The part of the seam's exchange class that has to do with sockets; mixed in before CCXT's class."""

    def client(self, url: str) -> SocketGuard:
        """The client of a URL, guarded; CCXT's settings for it hold."""
        this = cast(Any, self)
        this.open()
        clients: dict[str, SocketGuard] = this.clients or {}
        this.clients = clients  # CCXT's is the class's own until there is one
        if url not in clients:
            address(url, this.id, encoded=False)
            clients[url] = self._guarded(url)
        return clients[url]

    def _guarded(self, url: str) -> SocketGuard:
        this = cast(Any, self)
        settings = {
            **this.streaming,
            "log": mute,
            "ping": getattr(this, "ping", None),
            "verbose": False,
            "asyncio_loop": this.asyncio_loop,
            "decompressBinary": this.safe_bool(this.options, "decompressBinary", True),
            **this.safe_value(this.options, "ws", {}),
        }
        callbacks = (this.handle_message, this.on_error, this.on_close, this.on_connected)
        made = cast(Any, _socket_class())(url, *callbacks, settings)
        http_proxy, https_proxy, _ = this.check_ws_proxy_settings()
        made.proxy = http_proxy or https_proxy
        profile = this.planar.profile
        per_s = profile.websocket_messages_per_s
        made.prepare(Pace(per_s) if per_s is not None else None, profile.acknowledges)
        return cast(SocketGuard, made)

    def watch(
        self,
        url: str,
        message_hash: str,
        message: Any = None,
        subscribe_hash: str | None = None,
        subscription: Any = None,
    ) -> asyncio.Future[Any]:
        """CCXT's future, shielded: several await the same one, and who leaves must not cancel it for the others."""
        socket = self.client(url)
        new = not (subscribe_hash and socket.subscriptions.get(subscribe_hash))
        socket.listen((message_hash,), (subscribe_hash,) if subscribe_hash else (), message if new else None)
        inner = cast(Any, super()).watch(url, message_hash, message, subscribe_hash, subscription)
        return _shielded(inner)

    def watch_multiple(
        self,
        url: str,
        message_hashes: Sequence[str],
        message: Any = None,
        subscribe_hashes: Sequence[str] | None = None,
        subscription: Any = None,
    ) -> asyncio.Future[Any]:
        """As `watch`, for the first of several."""
        socket = self.client(url)
        hashes = subscribe_hashes or ()
        new = any(key not in socket.subscriptions for key in hashes)
        socket.listen(message_hashes, hashes, message if new else None)
        inner = cast(Any, super()).watch_multiple(url, message_hashes, message, subscribe_hashes, subscription)
        return _shielded(inner)

    def spawn(self, method: Callable[..., Awaitable[Any]], *args: Any) -> asyncio.Future[Any]:
        """CCXT's background work (snapshots, pongs). Where it fails and belongs to a connection, that one ends."""
        future = cast(Any, super()).spawn(self._background, method, *args)
        future.add_done_callback(functools.partial(self._spawned, method, args))
        return future

    async def _background(self, method: Callable[..., Awaitable[Any]], *args: Any) -> Any:
        tasks = self._tasks()
        task = cast("asyncio.Task[Any]", asyncio.current_task())
        tasks[task] = None
        try:
            return await method(*args)
        finally:
            del tasks[task]

    def _tasks(self) -> dict[asyncio.Task[Any], None]:
        return cast(Any, self).__dict__.setdefault("_planar_tasks", {})

    def _spawned(self, method: Callable[..., Any], args: Sequence[Any], future: asyncio.Future[Any]) -> None:
        error = None if future.cancelled() else future.exception()
        if not isinstance(error, Exception):
            return
        sockets = [arg for arg in args if isinstance(arg, SocketGuard)]
        if not sockets:
            LOG.warning("%s: %s failed: %s", cast(Any, self).id, method.__name__, redact(str(error)))
        for socket in sockets:
            socket.on_error(poison(error))

    async def close(self, clean_instance_data: bool = False) -> None:
        """Close the sockets, end the background work."""
        await cast(Any, super()).close(clean_instance_data)
        tasks = list(self._tasks())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)


def _shielded(inner: asyncio.Future[Any]) -> asyncio.Future[Any]:
    inner.add_done_callback(read_quietly)
    outer = asyncio.shield(inner)
    outer.add_done_callback(read_quietly)
    return outer
