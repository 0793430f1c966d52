"""The one place that sees CCXT: what Planar calls of it, and where its requests pass through Planar.

CCXT is never forked. For each id a subclass is made around CCXT's own class; it takes over `fetch2` (budget, deadline,
no resend), `fetch` (one guarded request, every answer judged), and CCXT's clock, randomness and session. What CCXT is
good at stays CCXT's: urls, signatures, parsing, its tables of errors.
"""

from __future__ import annotations

import asyncio
import importlib
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, cast

import aiohttp
import msgspec
import orjson

import planar.runtime as runtime
from planar.adapters.ccxt_errors import planar_class, row_for
from planar.adapters.ccxt_watch import SocketSeam
from planar.adapters.profile import Profile
from planar.errors import BadResponse, ConfigError, NotSupported, Outcome, PlanarError, RateLimitExceeded
from planar.transport.budget import Budget
from planar.transport.context import CallContext, Effect, current_call
from planar.transport.http import Answer, send
from planar.transport.redact import redact, redact_error

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
        allow_unjournaled: WRITEs that Planar's order path did not journal may pass (the user's own choice).
    """

    profile: Profile
    session: aiohttp.ClientSession
    budget: Budget
    environment: str
    allow_unjournaled: bool = False


def request_costs(profile: Profile, api: str, method: str, path: str, ccxt_cost: float) -> Sequence[tuple[str, float]]:
    """(meter, cost) pairs of one request."""
    row = profile.cost_table.get(api)
    costs = [(name, 1.0) for name in profile.request_meters]
    if row is not None:
        costs.append((row[0], ccxt_cost * row[1]))
    elif profile.meters:
        costs.append((profile.meters[0].name, ccxt_cost))
    if profile.order_meters and (method, path) in profile.order_endpoints:
        costs.extend((name, 1.0) for name in profile.order_meters)
    return costs


def effect_of(profile: Profile, api: Any, method: str, path: str, call: CallContext) -> Effect:
    """READ or WRITE: a GET, a listed request, a public one or any request of a reading call is a READ."""
    section = api if isinstance(api, str) else "".join(str(part) for part in cast("list[Any]", api))
    if method == "GET" or call.reading or (method, path) in profile.reads or "public" in section.lower():
        return Effect.READ
    return Effect.WRITE


def code_and_message(profile: Profile, body: Mapping[str, Any], text: str) -> tuple[str | None, str]:
    """The venue's code and text of an error body."""
    code: Any = body.get(profile.code_field)
    if isinstance(code, list):
        texts = [str(part) for part in cast("list[Any]", code)]
        return (texts[0], "; ".join(texts[1:])) if texts else (None, text)
    return (str(code) if code is not None else None, str(body.get("msg") or body.get("message") or text))


def new_order_part(profile: Profile, code: str | None, body: Mapping[str, Any]) -> tuple[Outcome, str] | None:
    """What an error of replacing says about the new order: outcome and text; None if it says nothing."""
    rule = profile.parts
    if rule is None or code not in rule.codes:
        return None
    holder: Any = body.get(rule.holder)
    if not isinstance(holder, dict):
        return None
    halves = cast("dict[str, Any]", holder)
    outcome = rule.outcomes.get(str(halves.get(rule.result)))
    inner = halves.get(rule.answer)
    text = str(cast("dict[str, Any]", inner).get("msg", "")) if isinstance(inner, dict) else ""
    return (outcome, text) if outcome is not None else None


class CcxtSeam(SocketSeam):
    """Mixed in before CCXT's class. Instance attributes of CCXT are reached through `Any`."""

    planar: SeamWiring

    # -- time and chance -------------------------------------------------------------------------------------------
    def milliseconds(self) -> int:
        """UTC milliseconds."""
        return runtime.wall_ms()

    def seconds(self) -> int:
        """UTC seconds."""
        return runtime.wall_ms() // 1000

    def microseconds(self) -> int:
        """UTC microseconds."""
        return runtime.wall_ns() // 1000

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
        params: Mapping[str, Any] | None = None,
        config: Mapping[str, Any] | None = None,
    ) -> Any:
        """Reserve the budget, sign, send once, judge. No resend, whatever the options say."""
        this, wiring, call = cast(Any, self), self.planar, current_call()
        params, config = dict(params or {}), dict(config or {})
        params.pop("maxRetriesOnFailure", None)
        params.pop("maxRetriesOnFailureDelay", None)
        effect = effect_of(wiring.profile, api, method, path, call)
        if effect is Effect.WRITE and not (call.journaled or wiring.allow_unjournaled):
            raise NotSupported(
                f"{method} {path} would change something at the venue without Planar's journal",
                exchange=this.id,
                hint=f"use the methods of Exchange, or set allow_unjournaled = true in [{this.id}]",
            )
        section = api if isinstance(api, str) else str(api[0])
        ccxt_cost = this.calculate_rate_limiter_cost(api, method, path, params, config)
        await wiring.budget.reserve(request_costs(wiring.profile, section, method, path, ccxt_cost), call)
        request = this.sign(path, api, method, params)
        if effect is Effect.WRITE and call.on_send is not None:
            call.on_send()
        call.next_effect = effect
        answer = await this.fetch(request["url"], request["method"], request["headers"], request["body"])
        if answer == {} and (method, path) not in wiring.profile.empty_answers:
            # CCXT makes an empty list, a ticker without a price or an order without an id of this
            call.requests[-1].outcome = Outcome.UNKNOWN
            raise BadResponse(
                f"the answer to {method} {path} is an empty object",
                exchange=this.id,
                hint="ask again; something between Planar and the venue may have answered",
            )
        return answer

    async def fetch(
        self, url: str, method: str = "GET", headers: Mapping[str, str] | None = None, body: str | None = None
    ) -> Any:
        """Send one request and return its decoded JSON, or raise what it means."""
        this, wiring, call = cast(Any, self), self.planar, current_call()
        effect, call.next_effect = call.next_effect or (Effect.READ if method == "GET" else Effect.WRITE), None
        sent_headers = this.prepare_request_headers(headers)
        answer = await send(wiring.session, method, url, sent_headers, body, call, effect, this.id)
        record = call.requests[-1]
        self._feed_back(answer)
        try:
            parsed = self._judge(answer, url, method, sent_headers, body)
        except PlanarError as error:
            record.outcome = error.outcome
            raise
        record.outcome = Outcome.OK
        return parsed

    def _feed_back(self, answer: Answer) -> None:
        """Tell the budget what the venue counts."""
        budget = self.planar.budget
        for spec in self.planar.profile.meters:
            if spec.header is not None:
                used = answer.headers.get(spec.header)
                if used is not None and used.isdigit():
                    budget.observe(spec.name, float(used))
        if answer.status in (429, 418):
            budget.stop(_retry_after_s(answer))

    def _judge(self, answer: Answer, url: str, method: str, headers: Mapping[str, str], body: str | None) -> Any:
        this = cast(Any, self)
        text = answer.body.decode("utf-8", "replace")
        try:
            parsed = this.parse_json(text) if not answer.body else orjson.loads(answer.body)
        except orjson.JSONDecodeError:
            parsed = None
        try:
            this.handle_errors(answer.status, answer.reason, url, method, answer.headers, text, parsed, headers, body)
            this.handle_http_status_code(answer.status, answer.reason, url, method, text)
        except Exception as error:
            raise self._refusal(error, answer, parsed, text) from redact_error(error)
        if not isinstance(parsed, dict | list):
            raise self._no_answer(answer, text)
        return cast(Any, parsed)

    def _refusal(self, error: Exception, answer: Answer, parsed: Any, text: str) -> PlanarError:
        """The venue said no, or its front did: class and outcome from the venue's table, else from the status."""
        profile = self.planar.profile
        code, message = None, text
        if isinstance(parsed, dict):
            body = cast("dict[str, Any]", parsed)
            code, message = code_and_message(profile, body, text)
            part = new_order_part(profile, code, body)
            if part is not None:
                return self._part_refusal(error, answer, code, message, part)
        row = row_for(profile, code, message)
        kind = row.kind if row else planar_class(error)
        limited = answer.status in (429, 418)
        outcome = row.outcome if row else Outcome.REFUSED
        if parsed in (None, {}, []) or (answer.status >= 500 and outcome is Outcome.REFUSED) or (limited and not row):
            # a front may have answered after the venue acted; only the venue's own word proves a refusal
            outcome = Outcome.UNKNOWN
        if limited and not issubclass(kind, RateLimitExceeded):
            kind = RateLimitExceeded
        what = f"[{code}] {message}".rstrip() if code else f"HTTP {answer.status}: {_start(message)}"
        return kind(
            redact(what),
            outcome=outcome,
            exchange=cast(Any, self).id,
            code=code,
            http_status=answer.status,
            hint=row.hint if row else None,
            retry_after_s=_retry_after_s(answer) if limited else None,
        )

    def _part_refusal(
        self, error: Exception, answer: Answer, code: str | None, message: str, part: tuple[Outcome, str]
    ) -> PlanarError:
        """A request of two halves failed in one: what is said is what became of the new order."""
        outcome, text = part
        row = row_for(self.planar.profile, code, text)
        return (row.kind if row else planar_class(error))(
            redact(f"[{code}] {message} {text}"),
            outcome=outcome,
            exchange=cast(Any, self).id,
            code=code,
            http_status=answer.status,
        )

    def _no_answer(self, answer: Answer, text: str) -> BadResponse:
        kind = answer.headers.get("Content-Type", "no content type")
        what = "is empty" if not text.strip() else f"is no JSON ({kind}): {_start(text)}"
        return BadResponse(
            redact(f"the answer (HTTP {answer.status}) {what}"),
            exchange=cast(Any, self).id,
            http_status=answer.status,
            hint="something between Planar and the venue answered, or the answer was cut",
        )


def _start(text: str) -> str:
    shortened = " ".join(text.split())
    return shortened[:120] + ("..." if len(shortened) > 120 else "")


def _retry_after_s(answer: Answer) -> float:
    """Seconds to stay away after a 429 or 418; without the header, half a minute or, banned, two."""
    value = answer.headers.get("Retry-After", "")
    try:
        return max(float(value), 0.0)
    except ValueError:
        return 120.0 if answer.status == 418 else 30.0


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


_classes: dict[str, type] = {}


def seam_class(exchange_id: str) -> type:
    """Planar's subclass of CCXT's class for `exchange_id`: ccxt.pro's where it exists, else the REST one.

    Raises:
        NotSupported: the installed CCXT does not have this id, or lacks a method that the seam stands on.
    """
    if exchange_id in _classes:
        return _classes[exchange_id]
    base = _ccxt_class(exchange_id)
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
    made = types.new_class(f"Planar_{exchange_id}", (CcxtSeam, base), exec_body=lambda space: space.update(body))
    _classes[exchange_id] = made
    return made


def _ccxt_class(exchange_id: str) -> type:
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
    made = seam_class(exchange_id)({**config, "session": wiring.session, "timeout_on_exit": 0})
    made.planar = wiring
    return cast(CcxtExchange, made)
