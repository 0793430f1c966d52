"""One WebSocket connection for orders: what is asked, and the answer to it, matched by id.

Of each request it is certain whether it was written: it is only tried on a connection of which something was heard a
moment ago and which nobody has begun to close, and then its bytes go to the system in one piece. Whatever goes wrong
from there on leaves its outcome unknown.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final, cast

import aiohttp
import orjson

import planar.runtime as runtime
from planar.adapters.ccxt_socket_parts import read_quietly
from planar.adapters.socket_entry import SocketEntry
from planar.errors import BadResponse, ExchangeNotAvailable, Outcome, PlanarError, RequestTimeout
from planar.transport.account_log import account_log
from planar.transport.deadline import Deadline
from planar.transport.redact import redact

log = account_log("planar.orders")

PING_S: Final = 5.0
"""So often a sign of life is asked for."""
TRUST_S: Final = 8.0
"""A connection takes requests if something was heard from it so recently."""
SILENT_S: Final = 15.0
"""A connection from which nothing was heard for so long is over."""
DRAIN_S: Final = 30.0
"""How long a connection that is replaced waits for the answers that it owes."""
_ENDED: Final = (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSING, aiohttp.WSMsgType.CLOSED)


class OrderSocket:
    """A connection that stands.

    Attributes:
        over: set when it is to be replaced: it has ended, the venue says that it will, or it owes an answer.
        ended: nothing comes over it any more.
    """

    def __init__(
        self, connection: aiohttp.ClientWebSocketResponse, entry: SocketEntry, exchange: str, host: str
    ) -> None:
        self.over = asyncio.Event()
        self.ended = False
        self._connection = connection
        self._entry = entry
        self._exchange = exchange
        self._host = host
        self._pending: dict[str, asyncio.Future[Mapping[str, Any]]] = {}
        self._drained = asyncio.Event()
        self._heard_s = self._told_s = runtime.monotonic()
        self._task = runtime.spawn(self._live(), name=f"{exchange}: order socket")

    @property
    def usable(self) -> bool:
        """Whether a request may be written to it."""
        # aiohttp refuses to write to a transport that closes; asked here first, so that no later error means that
        transport = cast(Any, self._connection)._writer.transport
        fresh = runtime.monotonic() - self._heard_s < TRUST_S
        return fresh and not self.over.is_set() and not self._connection.closed and not transport.is_closing()

    async def ask(self, request_id: str, text: str, left_s: float) -> Mapping[str, Any]:
        """Write a request and wait for its answer. It is `usable` now; nothing else ran since that was looked at.

        Raises:
            PlanarError: (UNKNOWN) it was written, and its answer did not come in time or cannot come any more.
        """
        future: asyncio.Future[Mapping[str, Any]] = asyncio.get_running_loop().create_future()
        future.add_done_callback(read_quietly)
        self._pending[request_id] = future
        written_s = runtime.monotonic()
        try:
            with Deadline(left_s):
                await self._connection.send_str(text)
                return await future
        except TimeoutError:
            if self._told_s <= written_s:
                self.over.set()  # whatever keeps this answer back may keep back others
            raise RequestTimeout(
                f"WS {self._host}: no answer came in time", outcome=Outcome.UNKNOWN, exchange=self._exchange
            ) from None
        except (aiohttp.ClientError, OSError) as error:
            raise self._broken(redact(str(error))) from None
        finally:
            del self._pending[request_id]
            if not self._pending:
                self._drained.set()

    async def retire(self) -> None:
        """Take nothing more, wait for the answers under way, and close."""
        self.over.set()
        if self._pending and not self.ended:
            self._drained.clear()
            try:
                async with asyncio.timeout(DRAIN_S):
                    await self._drained.wait()
            except TimeoutError:
                log.info("an order socket was closed that owed %d answers", len(self._pending))
        await self.close()

    async def close(self) -> None:
        """Close it; who still waits for an answer gets an error."""
        self._end(self._broken("it was closed"))
        self._task.cancel()
        await asyncio.wait([self._task])

    async def _live(self) -> None:
        pinger = runtime.spawn(self._ping(), name=f"{self._exchange}: ping of the order socket")
        try:
            error = await self._read()
        except asyncio.CancelledError:
            self._end(self._broken("it was closed"))
            raise
        else:
            self._end(error)
        finally:
            pinger.cancel()
            await self._connection.close()

    async def _read(self) -> PlanarError:
        """Take frames until there are no more; why there are none."""
        while True:
            message = await self._connection.receive()
            self._heard_s = runtime.monotonic()
            if message.type in _ENDED:
                return self._broken(f"the venue closed it (code {self._connection.close_code or 1006})")
            if message.type is aiohttp.WSMsgType.ERROR:
                return self._broken(f"the venue broke the WebSocket protocol: {redact(str(message.data))}")
            if message.type is aiohttp.WSMsgType.PING:
                await self._connection.pong(message.data)
            elif message.type is not aiohttp.WSMsgType.PONG:
                self._told_s = self._heard_s
                try:
                    self._take(message.data)
                except (ValueError, TypeError, KeyError) as error:
                    # nobody knows whose answer it was
                    return BadResponse(
                        f"WS {self._host}: a frame could not be read ({type(error).__name__})",
                        outcome=Outcome.UNKNOWN,
                        exchange=self._exchange,
                    )

    def _take(self, data: str | bytes) -> None:
        frame: Any = orjson.loads(data)
        if not isinstance(frame, dict):
            raise ValueError("no object")
        told = cast("dict[str, Any]", frame)
        if self._entry.leaving(told):
            self.over.set()
        request_id = self._entry.whose(told)
        future = self._pending.get(request_id) if request_id is not None else None
        if future is not None and not future.done():
            future.set_result(told)

    async def _ping(self) -> None:
        while True:
            await runtime.sleep(PING_S)
            if runtime.monotonic() - self._heard_s > SILENT_S:
                self._end(self._broken(f"nothing was heard for {SILENT_S:.0f} s"))
                self._task.cancel()
                return
            try:
                if self._entry.ping is not None:
                    await self._connection.send_str(self._entry.ping)
                else:
                    await self._connection.ping()
            except (aiohttp.ClientError, OSError) as error:
                log.info("no ping could be sent: %s", redact(str(error)))
                return  # who reads sees it, too

    def _broken(self, why: str) -> PlanarError:
        return ExchangeNotAvailable(
            f"WS {self._host}: the connection is of no more use: {why}",
            outcome=Outcome.UNKNOWN,
            exchange=self._exchange,
        )

    def _end(self, error: PlanarError) -> None:
        """Whoever waits for an answer waits in vain."""
        if self.ended:
            return
        self.ended = True
        self.over.set()
        for future in self._pending.values():
            if not future.done():
                future.set_exception(error)
