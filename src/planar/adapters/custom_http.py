"""The HTTP of a custom exchange: guarded, paced, watched and sent once, as that of every other exchange.

`CustomAdapter` holds one as `self.http`. A request waits for the budget, is signed, passes the environment guard, and
its answer is judged; the order journal hears of a WRITE before its first byte leaves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

import aiohttp
import msgspec
import yarl

import planar.runtime as runtime
from planar.errors import (
    AuthenticationError,
    BadRequest,
    BadResponse,
    ExchangeNotAvailable,
    Outcome,
    PermissionDenied,
    PlanarError,
    RateLimitExceeded,
)
from planar.transport.budget import Budget
from planar.transport.context import CallContext, Effect, OnSend, Priority, calling
from planar.transport.guard import HostRules
from planar.transport.http import Answer, send
from planar.transport.observe import Monitor
from planar.transport.writes import Trail, VenueRequest, note, sent

Signer = Callable[[str, str, str], Mapping[str, str]]
Judge = Callable[[int, Any], PlanarError | None]


def rules_of(url: str) -> HostRules:
    """The one host, port and scheme that a base URL names."""
    parts = yarl.URL(url)
    return HostRules(hosts=(parts.host or "",), ports=(parts.port or 443,), plain=parts.scheme == "http")


class CustomHttp:
    """Requests of one (exchange, environment, account).

    Args:
        url: what paths are appended to.
        meter: name of the meter on which each request counts 1.
        signer: (method, path with query, body) -> headers of a private request.
        judge: (HTTP status, decoded answer) -> what the venue's own error means; None: its HTTP status decides.
        trail: is told of WRITEs; None: nobody is.
    """

    def __init__(
        self,
        exchange: str,
        url: str,
        session: aiohttp.ClientSession,
        budget: Budget,
        monitor: Monitor,
        meter: str,
        signer: Signer,
        judge: Judge,
        trail: Trail | None,
    ) -> None:
        self.budget = budget
        self.monitor = monitor
        self._exchange = exchange
        self._url = url.rstrip("/")
        self._session = session
        self._meter = meter
        self._signer = signer
        self._judge = judge
        self._trail = trail

    @property
    def host(self) -> str:
        """The host that requests go to."""
        return yarl.URL(self._url).host or ""

    async def request(
        self,
        method: str,
        path: str,
        *,
        timeout_ms: int,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        private: bool = False,
        on_send: OnSend | None = None,
        priority: Priority = Priority.MARKET,
    ) -> Any:
        """The decoded JSON of a good answer. A GET reads, every other method changes something.

        Args:
            path: below the base URL, with a leading slash.
            body: is sent as JSON.
            private: it is signed.
            on_send: as in `Adapter.submit`.

        Raises:
            PlanarError: with its outcome.
        """
        effect = Effect.READ if method == "GET" else Effect.WRITE
        call = CallContext(f"{method} {path}", timeout_ms, priority, journaled=effect is Effect.WRITE, on_send=on_send)
        target = f"{path}?{urlencode(query)}" if query else path
        text = "" if body is None else msgspec.json.encode(body).decode()
        params = dict(body or query or {})
        with calling(call):
            if effect is Effect.READ:
                note(method, path, lambda: params)
                return await self._once(method, target, text, private, call, effect)

            async def leave() -> Any:
                return await self._once(method, target, text, private, call, effect)

            return await sent(self._trail, call, VenueRequest(method, path, params), leave)

    async def _once(self, method: str, target: str, text: str, private: bool, call: CallContext, effect: Effect) -> Any:
        call.remaining_s()
        held = await self.budget.reserve(((self._meter, 1.0),), call)
        left = answered = False
        try:
            headers = {"Content-Type": "application/json"} if text else {}
            if private:
                headers.update(self._signer(method, target, text))
            if effect is Effect.WRITE and call.on_send is not None:
                waiting = call.on_send()
                if waiting is not None:
                    await waiting
            left = True
            answer = await self._watched(method, target, headers, text, call, effect)
            answered = True
            return answer
        except PlanarError as error:
            answered = error.http_status is not None
            left = left and (answered or error.outcome is not Outcome.NOT_SENT)
            raise
        finally:
            held.end(sent=left, answered=answered)

    async def _watched(
        self, method: str, target: str, headers: Mapping[str, str], text: str, call: CallContext, effect: Effect
    ) -> Any:
        url = self._url + target
        watch = self.monitor.enter(url, call, effect)
        at, began, failure = len(call.requests), runtime.monotonic(), None
        try:
            answer = await send(self._session, method, url, headers, text or None, call, effect, self._exchange)
            try:
                decoded = self._judged(answer, effect)
            except PlanarError as error:
                call.requests[at].outcome = error.outcome
                raise
            call.requests[at].outcome = Outcome.OK
            return decoded
        except PlanarError as error:
            failure = error
            error.requests = tuple(call.requests)
            raise
        finally:
            record = call.requests[at] if len(call.requests) > at else None
            if record is not None:
                record.began_s, record.took_ms = began, (runtime.monotonic() - began) * 1000
            self.monitor.ended(watch, record, failure, call.deadline - began)

    def _judged(self, answer: Answer, effect: Effect) -> Any:
        """Its JSON, or the error that it is. What may have changed something stays UNKNOWN unless a refusal is certain."""
        try:
            decoded: Any = msgspec.json.decode(answer.body)
        except msgspec.DecodeError as error:
            if answer.status < 400:
                raise BadResponse(
                    "the answer is not JSON",
                    exchange=self._exchange,
                    outcome=Outcome.UNKNOWN,
                    http_status=answer.status,
                ) from error
            decoded = None
        named = self._judge(answer.status, decoded)
        if named is None and answer.status < 300:
            return decoded
        error = named or self._by_status(answer, effect)
        error.exchange, error.http_status = error.exchange or self._exchange, answer.status
        if error.outcome is None:
            error.outcome = Outcome.REFUSED
        raise error

    def _by_status(self, answer: Answer, effect: Effect) -> PlanarError:
        text, reads = f"it answered {answer.status} {answer.reason}", effect is Effect.READ
        if answer.status == 429:
            wait = answer.headers.get("Retry-After", "")
            seconds = float(wait) if wait.isdigit() else 30.0
            self.budget.stop(seconds)
            return RateLimitExceeded(text, outcome=Outcome.UNKNOWN, retryable=reads, retry_after_s=seconds)
        if answer.status == 401:
            return AuthenticationError(text, outcome=Outcome.REFUSED)
        if answer.status == 403:
            return PermissionDenied(text, outcome=Outcome.REFUSED)
        if 400 <= answer.status < 500 and answer.status != 408:
            return BadRequest(text, outcome=Outcome.REFUSED)
        return ExchangeNotAvailable(text, outcome=Outcome.UNKNOWN, retryable=reads)
