"""The one place that sees CCXT: what Planar calls of it, and where its requests pass through Planar.

CCXT is never forked. For each id a subclass is made around CCXT's own class; it takes over `fetch2` (budget, deadline,
no resend), `fetch` (one guarded request, every answer judged), and CCXT's clock, randomness and session. What CCXT is
good at stays CCXT's: urls, signatures, parsing, its tables of errors.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import importlib
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, cast

import aiohttp
import msgspec

import planar.runtime as runtime
from planar.adapters.ccxt_clock import ASKING, ClockSeam
from planar.adapters.ccxt_entry import EntrySeam
from planar.adapters.ccxt_errors import unsignable
from planar.adapters.ccxt_parsing import ParsingSeam, bound_numbers, plain_number, precise
from planar.adapters.ccxt_short_orders import ShortOrderSeam
from planar.adapters.ccxt_tables import Params, effect_of, endpoint_cost, named, own_copy, request_costs
from planar.adapters.ccxt_verdict import complete, lacking
from planar.adapters.ccxt_warm import WarmSeam
from planar.adapters.ccxt_watch import SocketSeam
from planar.adapters.profile import Profile
from planar.adapters.registry import custom_class
from planar.adapters.socket_entry import SocketEntry
from planar.errors import BadResponse, ConfigError, InvalidNonce, NotSupported, Outcome, PlanarError, RateLimitExceeded
from planar.transport.budget import Budget, Reservation
from planar.transport.context import CallContext, Effect, RequestRecord, current_call
from planar.transport.http import send
from planar.transport.lanes import NonceLane, Turn
from planar.transport.observe import Monitor
from planar.transport.redact import redact_error
from planar.transport.writes import Trail, VenueRequest, note, sent

SEAMS = (
    *("fetch2", "fetch", "sign", "handle_errors", "handle_http_status_code", "prepare_request_headers", "open"),
    *("close", "client", "watch", "watch_multiple", "spawn", "on_error", "on_connected", "check_ws_proxy_settings"),
)
"""Methods of CCXT that the seam replaces or calls; an unknown version is checked for them before the first use."""

_SOCKET_WRITES = ("create", "cancel", "edit", "withdraw", "transfer")


class CcxtExchange(Protocol):
    """The part of a CCXT exchange that Planar uses (CCXT has no types of its own)."""

    id: str
    has: dict[str, Any]
    options: dict[str, Any]
    urls: dict[str, Any]
    markets: dict[str, Any] | None
    timeframes: dict[str, str]
    requiredCredentials: dict[str, bool]
    orderbooks: dict[str, Any]
    clients: dict[str, Any]

    def __getattr__(self, name: str) -> Any: ...


class SeamWiring(msgspec.Struct):
    """What the seam needs of Planar; one per adapter.

    Attributes:
        profile: the venue's tables.
        session: the guarded HTTP session.
        budget: reserves the costs of each request.
        environment: for messages.
        monitor: watches the requests; holds the venue's clock.
        lane: in which signed requests go one after the other, for venues with nonces.
        allow_unjournaled: WRITEs that Planar's order path did not journal may pass (the user's own choice).
        warm_every_s: while orders are sent, the venue is asked so often, to keep a connection warm; None: never.
        trail: is told of WRITEs; None: nobody is.
        entry: the venue's socket for orders; None: all go by REST.
        entry_always: all that it has words for goes over it; False: only what would wait in the lane behind another.
    """

    profile: Profile
    session: aiohttp.ClientSession
    budget: Budget
    environment: str
    monitor: Monitor
    lane: NonceLane | None = None
    allow_unjournaled: bool = False
    warm_every_s: float | None = None
    trail: Trail | None = None
    entry: SocketEntry | None = None
    entry_always: bool = False


class CcxtSeam(ClockSeam, WarmSeam, ParsingSeam, ShortOrderSeam, EntrySeam, SocketSeam):
    """Mixed in before CCXT's class. Instance attributes of CCXT are reached through `Any`."""

    planar: SeamWiring

    # -- chance, waiting -------------------------------------------------------------------------------------------
    def uuid(self) -> str:
        """A random UUID."""
        return str(runtime.uuid4())

    def uuid16(self, length: int = 16) -> str:
        """Random hexadecimal digits."""
        return runtime.token_bytes(length).hex()[:length]

    def uuid22(self, length: int = 22) -> str:
        """Random hexadecimal digits."""
        return runtime.token_bytes(length).hex()[:length]

    async def sleep(self, milliseconds: float) -> None:
        """Wait."""
        await runtime.sleep(milliseconds / 1000)

    # -- the session -----------------------------------------------------------------------------------------------
    def open(self, lazy: bool = False) -> None:
        """Bind to the running loop. The session is Planar's, so nothing else is made here."""
        this = cast(Any, self)
        if this.asyncio_loop is None:
            this.asyncio_loop = asyncio.get_running_loop()
            this.throttler.loop = this.asyncio_loop
        if lazy and this.closed_by_user:
            raise BadResponse(f"{this.id} was closed", outcome=Outcome.NOT_SENT, retryable=False)

    # -- requests --------------------------------------------------------------------------------------------------
    async def fetch2(
        self,
        path: str,
        api: Any = "public",
        method: str = "GET",
        params: Params | None = None,
        config: Mapping[str, Any] | None = None,
    ) -> Any:
        """Reserve the budget, sign, send, judge. Only READs are tried again here, whatever the options say."""
        this, wiring, call = cast(Any, self), self.planar, current_call()
        params, config = own_copy(params), dict(config or {})
        effect = effect_of(wiring.profile, api, method, path, call)
        if effect is Effect.WRITE and not (call.journaled or wiring.allow_unjournaled):
            raise NotSupported(
                f"{method} {path} would change something at the venue without Planar's journal",
                exchange=this.id,
                hint=f"use the methods of Exchange, or set allow_unjournaled = true in [{this.id}]",
            )
        if effect is Effect.WRITE:
            send = functools.partial(self._in_time, path, api, method, params, config, effect, call)
            return await sent(wiring.trail, call, VenueRequest(method, path, named(params)), send)
        note(method, f"{api} {path}", lambda: named(params))
        tries = 0
        while True:
            try:
                return await self._in_time(path, api, method, params, config, effect, call)
            except PlanarError as error:
                tries += 1
                pause_s = wiring.monitor.retries.pause_s(error, tries, call) if call.name != ASKING else None
                if pause_s is None:
                    raise
            await runtime.sleep(pause_s)

    async def _in_time(
        self,
        path: str,
        api: Any,
        method: str,
        params: Params,
        config: dict[str, Any],
        effect: Effect,
        call: CallContext,
    ) -> Any:
        """One request; once more if it was refused for its time or its nonce alone, and there is a better one now."""
        signed_s = runtime.monotonic()
        try:
            return await self._request(path, api, method, own_copy(params), config, effect, call)
        except InvalidNonce as error:
            # the venue refused it for its time or nonce alone, so nothing happened there
            if not self.overtaken(error, effect) and not await self.clock_mended(error, signed_s, call):
                raise
            try:
                return await self._request(path, api, method, own_copy(params), config, effect, call)
            except PlanarError as again:
                if again.outcome is Outcome.NOT_SENT:
                    raise error from again  # what was sent was refused, and that is what is known
                raise

    async def _request(
        self,
        path: str,
        api: Any,
        method: str,
        params: Params,
        config: dict[str, Any],
        effect: Effect,
        call: CallContext,
    ) -> Any:
        this, wiring = cast(Any, self), self.planar
        section = api if isinstance(api, str) else str(api[0])
        ccxt_cost = endpoint_cost(this.calculate_rate_limiter_cost, api, method, path, params, config)
        try:
            held = await wiring.budget.reserve(
                this.request_costs(section, method, path, named(params), ccxt_cost), call
            )
        except RateLimitExceeded as error:
            wiring.monitor.starved(error)
            raise
        left, answered = False, False
        try:
            await held.add(this.unasked_costs(path, named(params)))
            left = effect is Effect.WRITE
            answer = await self.by_socket(section, method, path, params, call) if left else None
            answered = answer is not None
            if answer is None:
                left = False
                async with this.turn(section, call, held):
                    reads = self.time_reads()
                    try:
                        request = this.sign(path, api, method, params)
                    except ValueError as error:  # a library that reads keys
                        raise unsignable(error, this.id) from redact_error(error)
                    timed = self.time_reads() != reads
                    if effect is Effect.WRITE and call.on_send is not None:
                        waiting = call.on_send()
                        if waiting is not None:
                            await waiting
                    call.next_effect = effect
                    left = True
                    answer = await this.fetch(request["url"], request["method"], request["headers"], request["body"])
                    answered = True
                if timed:
                    self.keep_time()
                if effect is Effect.WRITE:
                    self.keep_warm(call.requests[-1].host)
        except PlanarError as error:
            answered = answered or error.http_status is not None
            left = left and (answered or error.outcome is not Outcome.NOT_SENT)
            raise
        finally:
            held.end(sent=left, answered=answered)
        lack = lacking(wiring.profile, section, method, path, named(params), answer)
        if lack is not None:
            call.requests[-1].outcome = Outcome.UNKNOWN
            error = BadResponse(f"the answer to {method} {path} {lack}", exchange=this.id)
            error.requests = tuple(call.requests)
            complete(error, call)
            raise error
        return answer

    def request_costs(
        self, section: str, method: str, path: str, params: Mapping[str, Any], ccxt_cost: float
    ) -> Sequence[tuple[str, float]]:
        """(meter, cost) pairs that a request waits for."""
        return request_costs(self.planar.profile, section, method, path, ccxt_cost)

    def turn(self, section: str, call: CallContext, held: Reservation) -> contextlib.AbstractAsyncContextManager[None]:
        """What a request is signed and sent within: nothing, unless requests must arrive in order."""
        lane = self.planar.lane
        if lane is None or section not in self.planar.profile.nonce_sections:
            return contextlib.nullcontext()
        return Turn(lane, call, held)

    def unasked_costs(self, path: str, params: Mapping[str, Any]) -> Sequence[tuple[str, float]]:
        """(meter, cost) pairs that the venue counts, and never refuses the request for."""
        return ()

    async def fetch(
        self, url: str, method: str = "GET", headers: Mapping[str, str] | None = None, body: str | None = None
    ) -> Any:
        """Send one request and return its decoded JSON, or raise what it means."""
        this, wiring, call = cast(Any, self), self.planar, current_call()
        effect, call.next_effect = call.next_effect or (Effect.READ if method == "GET" else Effect.WRITE), None
        sent_headers = this.prepare_request_headers(headers)
        watch = wiring.monitor.enter(url, call, effect)
        at, began, failure = len(call.requests), runtime.monotonic(), None
        try:
            answer = await send(wiring.session, method, url, sent_headers, body, call, effect, this.id)
            record = call.requests[at]
            _timed(record, began)
            self.feed_back(answer, began)
            try:
                parsed = self.judge(answer, url, method, sent_headers, body, call)
            except PlanarError as error:
                record.outcome = error.outcome
                raise
            record.outcome = Outcome.OK
            return parsed
        except PlanarError as error:
            failure = error
            if len(call.requests) > at:
                error.requests = tuple(call.requests)
                complete(error, call)
            raise
        finally:
            ended = call.requests[at] if len(call.requests) > at else None
            if ended is not None and ended.took_ms is None:
                _timed(ended, began)
            wiring.monitor.ended(watch, ended, failure, call.deadline - began)


def _timed(record: RequestRecord, began: float) -> None:
    record.began_s, record.took_ms = began, (runtime.monotonic() - began) * 1000


def _refused_socket_write(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
    async def refused(self: Any, *args: Any, **kwargs: Any) -> Any:
        wiring: SeamWiring = self.planar
        if not (current_call().journaled or wiring.allow_unjournaled):
            raise NotSupported(
                f"{name} would change something at the venue without Planar's journal",
                exchange=self.id,
                hint=f"use the methods of Exchange, or set allow_unjournaled = true in [{self.id}]",
            )
        return await original(self, *args, **kwargs)

    return refused


_classes: dict[tuple[str, type, type | None], type] = {}


def seam_class(exchange_id: str, mixin: type | None = None) -> type:
    """Planar's subclass of CCXT's class for `exchange_id`: ccxt.pro's where it exists, else the REST one.

    Args:
        mixin: methods that go before those of the seam and of CCXT (`Profile.mixin`).

    Raises:
        NotSupported: the installed CCXT does not have this id, or lacks a method that the seam stands on.
    """
    base = _ccxt_class(exchange_id)
    if (exchange_id, base, mixin) in _classes:
        return _classes[exchange_id, base, mixin]
    bound_numbers()
    missing = [name for name in SEAMS if not hasattr(base, name)]
    if missing:
        raise NotSupported(
            f"the installed CCXT lacks {', '.join(missing)}, which Planar stands on",
            exchange=exchange_id,
            hint="install a supported version: pip install 'ccxt>=4.5.90,<4.6'",
        )
    body: dict[str, Any] = {"__module__": __name__, "__doc__": f"CCXT's {exchange_id} behind Planar's transport."}
    for name in dir(base):
        if name.endswith("_ws") and name.startswith(_SOCKET_WRITES):
            body[name] = _refused_socket_write(name, getattr(base, name))
    bases = (CcxtSeam, base) if mixin is None else (mixin, CcxtSeam, base)
    made = types.new_class(f"Planar_{exchange_id}", bases, exec_body=lambda space: space.update(body))
    _classes[exchange_id, base, mixin] = made
    return made


def _ccxt_class(exchange_id: str) -> type:
    own = custom_class(exchange_id)
    if own is not None:
        # of an adapter, or the class itself
        base: type | None = getattr(own, "ccxt_class", own)
        return _ccxt_class(cast(Any, own).parent_id) if base is None else base
    for package in ("ccxt.pro", "ccxt.async_support"):
        try:
            module = importlib.import_module(f"{package}.{exchange_id}")
        except ModuleNotFoundError as error:
            if error.name != f"{package}.{exchange_id}":
                raise
            continue
        return cast(type, module if isinstance(module, type) else getattr(module, exchange_id))
    raise NotSupported(f"the installed CCXT has no exchange {exchange_id!r}")


def create(exchange_id: str, config: Mapping[str, Any], wiring: SeamWiring) -> CcxtExchange:
    """An instance of the seam's class, bound to Planar's session.

    Raises:
        ConfigError: `config` asks for something that would print secrets or send twice.
    """
    if config.get("verbose"):
        raise ConfigError(
            f"[{exchange_id}.ccxt] verbose = true would print keys and signatures",
            hint="use PLANAR_DEBUG=transport, which is redacted",
        )
    made = seam_class(exchange_id, wiring.profile.mixin)(
        {**config, "id": exchange_id, "session": wiring.session, "timeout_on_exit": 0}
    )
    made.planar = wiring
    made.number_to_string = plain_number
    made.decimal_to_precision = precise
    return cast(CcxtExchange, made)
