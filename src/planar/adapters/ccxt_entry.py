"""Order entry over the venue's WebSocket, as a part of the seam: `Profile.entry` is its table.

A WRITE that the table has goes over the socket, if one stands; else by REST. With `order_entry = "auto"` it does so only
where REST would make it wait in the lane of its key. It goes by REST only as long as it is certain that nothing of it was
written: from the first byte on there is no second way.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from typing import Any, Final, cast

import aiohttp

import planar.runtime as runtime
from planar.adapters.ccxt_judging import JudgingSeam
from planar.adapters.ccxt_socket_parts import dial_error
from planar.adapters.ccxt_tables import Params
from planar.adapters.ccxt_verdict import complete
from planar.adapters.order_line import OrderLine
from planar.adapters.order_socket import OrderSocket
from planar.adapters.socket_entry import Asked, SocketEntry, TokenRule
from planar.errors import AuthenticationError, BadResponse, ExchangeNotAvailable, Outcome, PlanarError
from planar.transport.account_log import account_log, fresh_context
from planar.transport.context import CallContext, Effect, Priority, RequestRecord, calling
from planar.transport.guard import address
from planar.transport.http import Answer
from planar.transport.reuse import Sending, sending

log = account_log("planar.orders")

WAIT_S: Final = 2.0
"""So long an order waits for a socket that is being opened, and never more than a third of its time."""
CONNECT_MS: Final = 10_000
TOKEN_MS: Final = 10_000
CLOSE_S: Final = 1.0
DOUBT_S: Final = 5.0
"""So long after a request got no answer cancels go by REST."""
RETRY_S: Final = 60.0
"""A token that could not be had is asked for again no sooner: the key may lack the right."""
WS: Final = "WS"
"""Method of the records of requests over a socket."""


class Token:
    """The token of a venue's socket, renewed before it ends; asked for once at a time."""

    def __init__(self, exchange: Any, rule: TokenRule) -> None:
        self._exchange = exchange
        self._rule = rule
        self._held: tuple[str, float] | None = None
        self._failed_s = -math.inf
        self._asking: asyncio.Task[None] | None = None

    async def get(self, wait_s: float) -> str | None:
        """A token that is good; None if there is none in so long."""
        age_s = self._age_s()
        if age_s is None or age_s >= self._rule.renew_s:
            asking = self._asking or (self._ask() if runtime.monotonic() >= self._failed_s + RETRY_S else None)
            if asking is not None and (age_s is None or age_s >= self._rule.life_s):
                await asyncio.wait([asking], timeout=wait_s)
        age_s = self._age_s()
        return self._held[0] if self._held is not None and age_s is not None and age_s < self._rule.life_s else None

    def drop(self, token: str) -> None:
        """The venue refused this one."""
        if self._held is not None and self._held[0] == token:
            self._held = None

    def _age_s(self) -> float | None:
        return None if self._held is None else runtime.monotonic() - self._held[1]

    def _ask(self) -> asyncio.Task[None]:
        """Outside of the caller's context: it outlives the call."""
        name = f"{self._exchange.id}: token of the order socket"
        self._asking = fresh_context().run(runtime.spawn, self._renew(), name=name)
        return self._asking

    async def _renew(self) -> None:
        call = CallContext("the token of the order socket", TOKEN_MS, Priority.ORDER, reading=True)
        try:
            with calling(call):
                asked_s = runtime.monotonic()
                answer = await getattr(self._exchange, self._rule.method)()
                self._held = (self._rule.read(answer), asked_s)
        except (PlanarError, KeyError, TypeError) as error:
            self._failed_s = runtime.monotonic()
            log.info("no token for the order socket, orders go by REST: %s", error)
        finally:
            self._asking = None

    async def close(self) -> None:
        """End the question that is under way."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.wait([self._asking])


class EntrySeam(JudgingSeam):
    """Mixed in before CCXT's class, as a part of `CcxtSeam`."""

    async def by_socket(self, section: str, method: str, path: str, params: Params, call: CallContext) -> Any:
        """The answer of a WRITE over the socket, in the form of REST; None: nothing of it was written.

        Raises:
            PlanarError: with what is known about it; it was written then, unless the outcome is NOT_SENT.
        """
        wiring = cast(Any, self).planar
        entry: SocketEntry | None = wiring.entry
        venue_method = None if entry is None else entry.methods.get((section, method, path))
        if entry is None or venue_method is None or not isinstance(params, dict):
            return None
        if call.priority is Priority.CANCEL and runtime.monotonic() < self._doubted_s() + DOUBT_S:
            return None  # what is asked again goes another way than what was not answered
        if not (wiring.entry_always or wiring.lane.taken):
            return None
        self._line(entry).begin()
        asked = Asked(0, venue_method, params)
        if entry.token is None:
            return await self._said(entry, asked, method, call)
        for last in (False, True):
            token = await self._token(entry.token).get(self._wait_s(call))
            if token is None:
                return None
            try:
                return await self._said(entry, Asked(0, venue_method, params, token), method, call)
            except AuthenticationError as error:
                if last or error.outcome is not Outcome.REFUSED or error.code not in entry.token.refusals:
                    raise
                self._token(entry.token).drop(token)  # it was refused for its token alone
        return None

    async def _said(self, entry: SocketEntry, asked: Asked, method: str, call: CallContext) -> Any:
        this = cast(Any, self)
        monitor, url = this.planar.monitor, entry.url(this.urls["api"])
        socket = await self._line(entry).socket(self._wait_s(call))
        if socket is None:
            return None
        left_s = call.remaining_s()
        try:
            watch = monitor.enter(url, call, Effect.WRITE)
        except ExchangeNotAvailable:  # over the socket nothing was answered lately
            return None
        at, failure = len(call.requests), None
        try:
            return await self._asked(entry, socket, asked, method, call)
        except PlanarError as error:
            failure = error
            if len(call.requests) > at and error.http_status is None:
                self.__dict__["_planar_doubted_s"] = runtime.monotonic()
            raise
        finally:
            monitor.ended(watch, call.requests[at] if len(call.requests) > at else None, failure, left_s)

    async def _asked(
        self, entry: SocketEntry, socket: OrderSocket, asked: Asked, method: str, call: CallContext
    ) -> Any:
        """Sign, journal, write, wait, judge; None: it was not written."""
        this = cast(Any, self)
        url, reads = entry.url(this.urls["api"]), this.time_reads()
        asked = Asked(runtime.current().random.getrandbits(52) | 1, asked.method, asked.params, asked.token)
        text = entry.frame(this, asked)
        if text is None:
            return None
        timed = this.time_reads() != reads
        if call.on_send is not None:
            waiting = call.on_send()
            if waiting is not None:
                await waiting
        left_s = call.remaining_s()
        if not socket.usable:
            return None
        began, (_, _, host, path) = runtime.monotonic(), url.split("/", 3)
        record = RequestRecord(WS, host, f"/{path}#{asked.method}", Effect.WRITE, runtime.wall_ms())
        call.requests.append(record)
        try:
            frame = await socket.ask(str(asked.id), text, left_s)
            _timed(record, began)
            answer = self._read_answer(entry, frame, asked.method)
            record.http_status = answer.status
            self.feed_back(answer, began)
            parsed = self.judge(answer, url, method, {}, None, call)
        except PlanarError as error:
            record.outcome = error.outcome
            error.requests = tuple(call.requests)
            complete(error, call)
            raise
        finally:
            _timed(record, began)
        record.outcome = Outcome.OK
        if timed:
            this.keep_time()
        return parsed

    def _read_answer(self, entry: SocketEntry, frame: Mapping[str, Any], method: str) -> Answer:
        try:
            return entry.answer(frame)
        except (ValueError, KeyError, TypeError) as error:
            raise BadResponse(f"the answer to {method} is none", exchange=cast(Any, self).id) from error

    def _wait_s(self, call: CallContext) -> float:
        """How long a request waits for the socket; not at all where it is only the quicker of two ways."""
        return min(WAIT_S, call.remaining_s() / 3) if cast(Any, self).planar.entry_always else 0.0

    def _doubted_s(self) -> float:
        """When a request over the socket got no answer last, monotonic seconds."""
        return self.__dict__.get("_planar_doubted_s", -math.inf)

    # -- the connection --------------------------------------------------------------------------------------------
    def _line(self, entry: SocketEntry) -> OrderLine:
        state = self.__dict__
        if "_planar_line" not in state:

            async def opened() -> OrderSocket:
                return await self._dial(entry)

            state["_planar_line"] = OrderLine(opened, entry.renew_s, cast(Any, self).id)
        return cast(OrderLine, state["_planar_line"])

    def _token(self, rule: TokenRule) -> Token:
        return cast(Token, self.__dict__.setdefault("_planar_token", Token(self, rule)))

    async def _dial(self, entry: SocketEntry) -> OrderSocket:
        """Open a connection, within the budget.

        Raises:
            PlanarError: there is none to be had.
        """
        this = cast(Any, self)
        wiring, url = this.planar, entry.url(this.urls["api"])
        address(url, this.id, encoded=False)
        call = CallContext("opening the socket for orders", CONNECT_MS, Priority.ORDER, reading=True)
        held, opened = await wiring.budget.reserve(entry.costs, call), False
        sending.set(Sending(write=False))  # by it the connector knows a redirect
        try:
            async with asyncio.timeout(call.remaining_s()):
                connection = await wiring.session.ws_connect(
                    url,
                    autoping=False,
                    autoclose=False,
                    compress=0,  # what is compressed is not written in one piece
                    timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_S),  # pyright: ignore[reportCallIssue]
                )
            opened = True
        except (PlanarError, aiohttp.ClientError, OSError, TimeoutError) as error:
            raise dial_error(error, url) from error
        finally:
            held.end(sent=True, answered=opened)
        return OrderSocket(connection, entry, this.id, url.split("/", 3)[2])

    async def close(self, clean_instance_data: bool = False) -> None:
        """Close the socket for orders, then all else."""
        state = self.__dict__
        line, token = state.get("_planar_line"), state.get("_planar_token")
        if line is not None:
            await line.close()
        if token is not None:
            await token.close()
        await cast(Any, super()).close(clean_instance_data)


def _timed(record: RequestRecord, began: float) -> None:
    if record.took_ms is None:
        record.began_s, record.took_ms = began, (runtime.monotonic() - began) * 1000
