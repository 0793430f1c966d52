"""A WebSocket connection of CCXT that fails loudly, and tells each update to who listens.

CCXT opens one client per URL, parses each frame at once and resolves a future per message hash. `SocketGuard` is mixed
in before CCXT's client and takes over dialing, reading, pinging and closing. What CCXT is good at stays CCXT's: urls,
subscription frames, parsing, caches, books.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, cast

import aiohttp

import planar.runtime as runtime
from planar.adapters.ccxt_listener import Listener, listening
from planar.adapters.ccxt_socket_parts import Pace, dial_error, poison, read_quietly, request_ids, retry_after_s
from planar.errors import BadResponse, ExchangeNotAvailable, RequestTimeout
from planar.transport.redact import redact
from planar.transport.reuse import Sending, sending

FRAMES_PER_TURN = 64
"""Frames that one connection handles before others get the event loop."""

PING_EVERY_MS = 20_000
"""How often a protocol ping is sent, where CCXT does not say more often. It finds a dead connection within a minute;
with CCXT's own intervals that takes up to nine."""

CLOSE_S = 1.0
"""How long a venue has to answer a close frame."""

_ENDED = (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSING, aiohttp.WSMsgType.CLOSED)


class SocketGuard:
    """Mixed in before CCXT's WebSocket client. Attributes without a value are CCXT's.

    Attributes:
        heard_ms: when the last frame of any kind came, UTC milliseconds; None before the first.
        frame: the frame that is being handled, as it came; CCXT sees it decoded.
        poisoned: frames that could not be read. Each ends its connection, since nobody knows what it held.
    """

    url: str
    connection: aiohttp.ClientWebSocketResponse | None
    connected: Any
    connecting: bool
    connectionTimeout: float
    futures: dict[str, Any]
    keepAlive: float | None
    maxPingPongMisses: float
    options: dict[str, Any]
    subscriptions: dict[str, Any]
    ping: Callable[[Any], Any] | None
    proxy: str | None
    on_error_callback: Callable[[Any, Exception], None]
    on_connected_callback: Callable[[Any], None]

    pace: Pace | None = None
    frame: str | bytes = ""
    heard_ms: int | None = None
    poisoned: int = 0
    _ended: bool = False
    _task: asyncio.Task[None] | None = None
    _heard_at: float = 0.0

    def prepare(self, pace: Pace | None, acknowledges: bool = False) -> None:
        """Called once, right after CCXT's constructor.

        Args:
            acknowledges: the venue answers each subscription under its request id, and until then nothing is
                confirmed (`acknowledged`); else the first frame after it counts as the confirmation.
        """
        self.pace = pace
        self._acknowledges = acknowledges
        self._asked: dict[str, list[Listener]] = {}
        self._asked_for: dict[str, str] = {}
        self._listeners: dict[str, tuple[Listener, ...]] = {}
        self._causes: dict[str, tuple[Listener, ...]] = {}
        self._unsent: dict[int, tuple[Listener, ...]] = {}
        self._unconfirmed: list[Listener] = []
        self._gone = asyncio.Event()
        # a protocol ping must be answered by every server (RFC 6455); what a venue invented instead is left as it is
        if self.ping is None and self.keepAlive:
            self.keepAlive = min(self.keepAlive, PING_EVERY_MS)

    # -- listening -------------------------------------------------------------------------------------------------
    def listen(self, hashes: Iterable[str], causes: Iterable[str], message: Any) -> None:
        """Bind the current listener, if there is one.

        Args:
            hashes: message hashes whose resolutions and rejections it gets.
            causes: subscription hashes whose rejections it gets.
            message: the subscription frame that is about to be sent; None if there is none. Some exchanges refuse it
                under its id.
        """
        listener = listening.get()
        if listener is None:
            return
        listener.joined(self)
        ids = request_ids(message)
        for table, keys in ((self._listeners, hashes), (self._causes, (*causes, *ids))):
            for key in keys:
                if listener not in table.get(key, ()):
                    table[key] = (*table.get(key, ()), listener)
        if self._acknowledges and (message is not None or any(key in self._asked_for for key in causes)):
            self._await_answer(listener, causes, ids)
        elif message is not None:
            self._unsent[id(message)] = (*self._unsent.get(id(message), ()), listener)
        elif self.connection is not None:
            listener.subscribed()
        else:
            self._unconfirmed.append(listener)

    def forget(self, listener: Listener) -> None:
        """Tell `listener` nothing any more."""
        for table in (self._listeners, self._causes):
            for key, bound in list(table.items()):
                left = tuple(one for one in bound if one is not listener)
                if left:
                    table[key] = left
                else:
                    del table[key]
        for key, bound in list(self._unsent.items()):
            self._unsent[key] = tuple(one for one in bound if one is not listener)
        self._unconfirmed = [one for one in self._unconfirmed if one is not listener]
        for request_id, waiting in self._asked.items():
            self._asked[request_id] = [one for one in waiting if one is not listener]

    def message_hashes(self) -> list[str]:
        """What somebody listens to."""
        return list(self._listeners)

    def heard(self, message_hash: str) -> bool:
        """Whether anybody listens to this message hash."""
        return message_hash in self._listeners

    def acknowledged(self, request_id: str) -> None:
        """The venue has confirmed the subscription that was asked for under this id."""
        for listener in self._forget_request(request_id):
            listener.subscribed()

    def _await_answer(self, listener: Listener, causes: Iterable[str], ids: Sequence[str]) -> None:
        """The listener is confirmed by the answer to this request, or to the one that is under way for the same."""
        for cause in causes:
            if ids:
                self._asked_for[cause] = ids[0]
        for request_id in ids or dict.fromkeys(self._asked_for[cause] for cause in causes if cause in self._asked_for):
            self._asked.setdefault(request_id, []).append(listener)

    def _forget_request(self, request_id: str) -> list[Listener]:
        self._asked_for = {cause: asked for cause, asked in self._asked_for.items() if asked != request_id}
        return self._asked.pop(request_id, [])

    @property
    def watched(self) -> bool:
        """Whether anybody listens."""
        return bool(self._listeners or self._causes)

    def _everybody(self) -> list[Listener]:
        bound = (*self._listeners.values(), *self._causes.values())
        return list({id(one): one for some in bound for one in some}.values())

    # -- what CCXT's handlers call ---------------------------------------------------------------------------------
    def future(self, message_hash: str) -> Any:
        """CCXT's future of a message hash; a new one may be dropped unread."""
        known = self.futures.get(message_hash)
        future = cast(Any, super()).future(message_hash)
        if future is not known:
            future.add_done_callback(read_quietly)
        return future

    def resolve(self, result: Any, message_hash: str) -> Any:
        """Tell the listeners, then wake who awaits."""
        for listener in self._listeners.get(message_hash, ()):
            listener.resolved(result)
        return cast(Any, super()).resolve(result, message_hash)

    def reject(self, result: Any, message_hash: str | None = None) -> Any:
        """Reject the future, and tell the listeners, whether or not there is a future."""
        error = result if isinstance(result, Exception) else BadResponse(redact(str(result)))
        if message_hash is None:
            cast(Any, super()).reject(error)
            told = self._everybody()
        else:
            told = [*self._listeners.get(message_hash, ()), *self._causes.get(message_hash, ())]
            for cause in [cause for cause, asked in self._asked_for.items() if asked == message_hash]:
                self.subscriptions.pop(cause, None)  # refused: the next call asks again
            told += [one for one in self._forget_request(message_hash) if one not in told]
            # without a future CCXT keeps the error for the next call; who listens has it already
            if message_hash in self.futures or not told:
                cast(Any, super()).reject(error, message_hash)
        for listener in told:
            listener.failed(error)
        return result

    def interrupt(self, listener: Listener, error: Exception) -> None:
        """Reject the futures that belong to `listener`, so that whoever awaits them for it goes on. CCXT counts a
        subscription as made even if it is refused; forgotten here, the next call makes it again."""
        for key, bound in list(self._listeners.items()):
            if listener in bound:
                self.subscriptions.pop(key, None)
                if key in self.futures:
                    self.futures.pop(key).reject(error)

    def reset(self, error: Any) -> None:
        """CCXT gives this connection up; its own method would leave it open, with subscriptions that are not."""
        self.on_error(error if isinstance(error, Exception) else BadResponse(redact(str(error))))

    def on_error(self, error: Exception) -> None:
        """The connection is of no more use."""
        self._end(error)

    def on_close(self, code: Any) -> None:
        """The venue closed the connection."""
        self._end(ExchangeNotAvailable(f"the venue closed the connection (code {code})"))

    # -- the connection --------------------------------------------------------------------------------------------
    def connect(self, session: aiohttp.ClientSession, backoff_delay: float = 0) -> Any:
        """Dial, once. The task runs outside of the caller's context: it outlives the call and its deadline."""
        if self._task is None:
            self.connecting = True
            name = f"socket {self.url}"
            self._task = contextvars.Context().run(runtime.spawn, self._live(session, backoff_delay), name=name)
        return self.connected

    async def close(self, code: int = 1000) -> None:
        """Close the connection and wait until it is. Who still awaits something gets an error, no cancellation."""
        self._end(ExchangeNotAvailable("the connection was closed", retryable=False))
        if self._task is not None and not self._task.done():
            await asyncio.wait([self._task])

    async def send(self, message: Any) -> None:
        """Send at the venue's pace."""
        if self.pace is not None and not self._ended:
            await self._wait_or_end(self.pace.wait_s())
        if self._ended:
            raise ConnectionError(f"the connection to {self.url} has ended")
        await cast(Any, super()).send(message)
        self._unconfirmed.extend(self._unsent.pop(id(message), ()))

    def create_connection(self, session: aiohttp.ClientSession) -> Awaitable[aiohttp.ClientWebSocketResponse]:
        """As CCXT opens it, but with a bounded wait for the venue's goodbye."""
        for name, value in self.options.get("cookies", {}).items():
            session.cookie_jar.update_cookies({name: value})
        sending.set(Sending(write=False))  # by it the connector knows a redirect, which aiohttp would follow
        return session.ws_connect(
            self.url,
            autoping=False,
            autoclose=False,
            headers=self.options.get("headers"),
            compress=self.options.get("compress", 15),
            proxy=self.proxy,
            max_msg_size=10 * 1024 * 1024,
            timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_S),  # pyright: ignore[reportCallIssue] (attrs without hints)
        )

    async def _wait_or_end(self, seconds: float) -> None:
        if seconds > 0:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._gone.wait()

    async def _live(self, session: aiohttp.ClientSession, delay_s: float) -> None:
        """Dial, then read until the end."""
        connection = await self._dial(session, delay_s)
        if connection is None:
            return
        pinger = runtime.spawn(self._ping(connection), name=f"ping {self.url}")
        try:
            await self._read(connection)
        finally:
            pinger.cancel()
            await connection.close()

    async def _dial(self, session: aiohttp.ClientSession, delay_s: float) -> aiohttp.ClientWebSocketResponse | None:
        this = cast(Any, self)
        if delay_s > 0:
            await runtime.sleep(delay_s)
        try:
            async with asyncio.timeout(self.connectionTimeout / 1000):
                connection = await self.create_connection(session)
        except Exception as error:
            this.dial_failed = True
            this.last_retry_after = retry_after_s(error)
            self._end(dial_error(error, self.url))
            return None
        self.connecting = False
        this.isConnected = True
        self.connection = connection
        self._heard_at = runtime.monotonic()
        self.on_connected_callback(self)
        for listener in self._take_unconfirmed():
            listener.subscribed()
        self.connected.resolve(self.url)
        return connection

    async def _read(self, connection: aiohttp.ClientWebSocketResponse) -> None:
        handled = 0
        while not self._ended:
            message = await connection.receive()
            self._heard_at = runtime.monotonic()
            self.heard_ms = runtime.wall_ms()
            if message.type in _ENDED:
                self.on_close(connection.close_code or 1006)
            elif message.type is aiohttp.WSMsgType.ERROR:
                self.on_error(BadResponse(f"the venue broke the WebSocket protocol: {message.data}"))
            elif message.type is aiohttp.WSMsgType.PING:
                await connection.pong(message.data)
            elif message.type is not aiohttp.WSMsgType.PONG:
                self._handle(message)
            handled += 1
            if handled % FRAMES_PER_TURN == 0:
                await runtime.sleep(0)

    def _handle(self, message: aiohttp.WSMessage) -> None:
        self.frame = message.data
        try:
            cast(Any, super()).handle_message(message)
        except Exception as error:
            self.poisoned += 1
            self.on_error(poison(error))
            return
        cast(Any, self).last_message_at = self.heard_ms
        if self._unconfirmed:
            for listener in self._take_unconfirmed():
                listener.subscribed()

    def _take_unconfirmed(self) -> list[Listener]:
        taken, self._unconfirmed = self._unconfirmed, []
        return taken

    async def _ping(self, connection: aiohttp.ClientWebSocketResponse) -> None:
        """Ask for a sign of life, and end the connection if none comes, be it data, a ping or a pong."""
        while self.keepAlive:
            pause_s = self.keepAlive / 1000
            await runtime.sleep(pause_s)
            silent_s = runtime.monotonic() - self._heard_at
            if silent_s > pause_s * self.maxPingPongMisses:
                self.on_error(RequestTimeout(f"nothing came over the connection for {silent_s:.0f} s, not even a pong"))
                return
            try:
                if self.ping is not None:
                    await self.send(self.ping(self))
                else:
                    await connection.ping()
            except Exception as error:
                self.on_error(ExchangeNotAvailable(f"no ping could be sent: {redact(str(error))}"))
                return

    def _end(self, error: Exception) -> None:
        """Tell everybody, once, and let the connection go. The exchange forgets this client, the next call dials."""
        if self._ended:
            return
        self._ended = True
        self._gone.set()
        cast(Any, self).error = error
        self.on_error_callback(self, error)
        self.connected.reject(error)
        self.reject(error)
        if self._task is not None and self._task is not asyncio.current_task():
            self._task.cancel()
