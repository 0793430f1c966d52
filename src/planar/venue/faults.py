"""Faults on demand: what happens to chosen requests and answers of a local venue.

A `FaultRule` says which requests are meant and carries a fault, which plays with the request and its answer. The server
asks the `FaultBook` about every request to a venue, whichever door it came through. Rules come from the control API.

Faults whose kind ends in `_request` act before the exchange hears of the request, those in `_answer` after it has
handled it. A WebSocket upgrade has no answer in that sense: only `_request` faults meet it.
"""

from __future__ import annotations

import fnmatch
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Annotated, ClassVar

import msgspec
from aiohttp import web

import planar.runtime as runtime
from planar.errors import BadRequest
from planar.venue.connection import VenueRequest

FIRINGS_KEPT = 10_000

DelayMs = Annotated[int, msgspec.Meta(ge=0, le=3_600_000)]
HttpStatus = Annotated[int, msgspec.Meta(ge=200, le=599)]
Positive = Annotated[int, msgspec.Meta(ge=1)]
HeaderText = Annotated[str, msgspec.Meta(pattern=r"\A[^\r\n\0]+\Z")]

Answer = Callable[[], Awaitable[web.StreamResponse]]
"""Lets the exchange handle the request, and gives its answer, not yet sent."""


class _Fault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"):
    """What a rule does. `kind` names it in JSON."""

    meets_upgrades: ClassVar[bool] = True
    """False: a WebSocket upgrade never meets it."""

    async def play(self, request: VenueRequest, answer: Answer) -> web.StreamResponse:
        """Do it. The response given is sent if the connection still stands."""
        raise NotImplementedError


class DropRequest(_Fault, frozen=True, tag="drop_request"):
    """The connection breaks before the exchange hears of the request."""

    async def play(self, request: VenueRequest, answer: Answer) -> web.StreamResponse:
        """Break the connection."""
        return _drop(request)


class DelayRequest(_Fault, frozen=True, tag="delay_request"):
    """The exchange hears of the request `delay_ms` later, even if the client has left by then."""

    delay_ms: DelayMs

    async def play(self, request: VenueRequest, answer: Answer) -> web.StreamResponse:
        """Wait, then handle."""
        await runtime.sleep(self.delay_ms / 1000)
        return await answer()


class HangRequest(_Fault, frozen=True, tag="hang_request"):
    """The exchange never hears of the request; the connection stays open until the client leaves."""

    async def play(self, request: VenueRequest, answer: Answer) -> web.StreamResponse:
        """Wait for the client to leave."""
        return await _hang(request)


class RefuseRequest(_Fault, frozen=True, tag="refuse_request"):
    """Something in front of the exchange (a proxy, a load balancer) answers in its place.

    Attributes:
        status: HTTP status of the answer.
        body: its text.
        headers: its headers, such as Retry-After; Content-Type is HTML unless it is given.
    """

    status: HttpStatus
    body: str
    headers: dict[HeaderText, HeaderText] = {}

    async def play(self, request: VenueRequest, answer: Answer) -> web.StreamResponse:
        """Answer in the exchange's place."""
        return _substitute(self.status, self.body, self.headers)


class DropAnswer(_Fault, frozen=True, tag="drop_answer"):
    """The exchange handles the request; the connection breaks instead of an answer."""

    meets_upgrades = False

    async def play(self, request: VenueRequest, answer: Answer) -> web.StreamResponse:
        """Handle, then break the connection."""
        await answer()
        return _drop(request)


class DelayAnswer(_Fault, frozen=True, tag="delay_answer"):
    """The exchange handles the request at once; its answer comes `delay_ms` later."""

    meets_upgrades = False
    delay_ms: DelayMs

    async def play(self, request: VenueRequest, answer: Answer) -> web.StreamResponse:
        """Handle, wait, answer."""
        response = await answer()
        await runtime.sleep(self.delay_ms / 1000)
        return response


class HangAnswer(_Fault, frozen=True, tag="hang_answer"):
    """The exchange handles the request; no answer ever comes, and the connection stays open until the client leaves."""

    meets_upgrades = False

    async def play(self, request: VenueRequest, answer: Answer) -> web.StreamResponse:
        """Handle, then wait for the client to leave."""
        await answer()
        return await _hang(request)


class CutAnswer(_Fault, frozen=True, tag="cut_answer"):
    """The exchange handles the request; status, headers and a part of the body arrive, then the connection ends.

    Attributes:
        keep_bytes: how much of the body arrives; at least its last byte is always missing.
    """

    meets_upgrades = False
    keep_bytes: Annotated[int, msgspec.Meta(ge=0)]

    async def play(self, request: VenueRequest, answer: Answer) -> web.StreamResponse:
        """Handle, then send a part of the answer and end the connection."""
        response = await answer()
        body = response.body if isinstance(response, web.Response) else None
        if not isinstance(body, bytes) or not body:
            return _drop(request)
        part = web.StreamResponse(status=response.status, reason=response.reason, headers=response.headers)
        part.content_length = len(body)
        await part.prepare(request)
        await part.write(body[: min(self.keep_bytes, len(body) - 1)])
        request.connection.force_close()  # what was written still goes out
        return part


class ReplaceAnswer(_Fault, frozen=True, tag="replace_answer"):
    """The exchange handles the request; the client gets another answer than the exchange's.

    Attributes:
        status: HTTP status of the answer.
        body: its text; empty, HTML, half of a JSON document ...
        headers: its headers; Content-Type is HTML unless it is given.
    """

    meets_upgrades = False
    status: HttpStatus
    body: str
    headers: dict[HeaderText, HeaderText] = {}

    async def play(self, request: VenueRequest, answer: Answer) -> web.StreamResponse:
        """Handle, then answer otherwise."""
        await answer()
        return _substitute(self.status, self.body, self.headers)


Fault = (
    DropRequest
    | DelayRequest
    | HangRequest
    | RefuseRequest
    | DropAnswer
    | DelayAnswer
    | HangAnswer
    | CutAnswer
    | ReplaceAnswer
)


class FaultRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which requests meet which fault. A condition that is None holds for every request.

    Attributes:
        fault: what happens.
        id: name of the rule; None lets the book give one.
        venue: id of the exchange.
        method: HTTP method, upper case.
        host: shell pattern for the real host name (`stream.*`).
        path: shell pattern for the path without the query string (`/api/v3/order*`).
        account: name of the account whose key the request carries.
        nth: the first matching request that is hit, counted from 1 since the rule was added.
        count: how many matching requests are hit from there on; None: all.
    """

    fault: Fault
    id: str | None = None
    venue: str | None = None
    method: str | None = None
    host: str | None = None
    path: str | None = None
    account: str | None = None
    nth: Positive = 1
    count: Positive | None = 1

    def matches(self, subject: Subject) -> bool:
        """True if the rule means this request."""
        return (
            (self.fault.meets_upgrades or not subject.upgrade)
            and self.venue in (None, subject.venue)
            and self.method in (None, subject.method)
            and (self.host is None or fnmatch.fnmatchcase(subject.host, self.host))
            and (self.path is None or fnmatch.fnmatchcase(subject.path, self.path))
            and self.account in (None, subject.account)
        )


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule sees of a request."""

    venue: str
    method: str
    host: str
    path: str
    account: str | None
    upgrade: bool


class Firing(msgspec.Struct, frozen=True, kw_only=True):
    """One request that a rule has hit.

    Attributes:
        number: 1 for the first of this venue's run.
        rule: id of the rule.
        kind: kind of the fault.
        ts_ms: when the request came (UTC epoch, ms).
        subject: the request.
    """

    number: int
    rule: str
    kind: str
    ts_ms: int
    subject: Subject


class RuleState(msgspec.Struct, kw_only=True):
    """A rule and what it has met.

    Attributes:
        rule: the rule, with its id.
        seen: matching requests since it was added.
        fired: how many of them it hit.
    """

    rule: FaultRule
    seen: int = 0
    fired: int = 0

    def due(self) -> bool:
        """True if the matching request just counted is one to hit."""
        rule = self.rule
        return self.seen >= rule.nth and (rule.count is None or self.seen < rule.nth + rule.count)


class FaultBook:
    """The rules of one venue process, in the order in which they were added, and their firings."""

    def __init__(self) -> None:
        self._rules: dict[str, RuleState] = {}
        self._added = 0
        self._fired = 0
        self._firings: deque[Firing] = deque(maxlen=FIRINGS_KEPT)

    def add(self, rule: FaultRule) -> FaultRule:
        """Add a rule; the rule with its id.

        Raises:
            BadRequest: the id is in use.
        """
        self._added += 1
        name = rule.id or f"fault-{self._added}"
        if name in self._rules:
            raise BadRequest(f"there is a fault rule '{name}' already", hint="clear it first, or give another id")
        rule = msgspec.structs.replace(rule, id=name)
        self._rules[name] = RuleState(rule=rule)
        return rule

    def clear(self, name: str | None = None) -> int:
        """Remove one rule or all; how many. The record of firings stays.

        Raises:
            BadRequest: no rule of that id.
        """
        if name is None:
            removed = len(self._rules)
            self._rules.clear()
            return removed
        if self._rules.pop(name, None) is None:
            raise BadRequest(f"there is no fault rule '{name}'", hint=f"rules: {', '.join(self._rules) or 'none'}")
        return 1

    def states(self) -> list[RuleState]:
        """The rules and what they have met."""
        return list(self._rules.values())

    def firings(self) -> list[Firing]:
        """What was hit, oldest first; the last 10,000."""
        return list(self._firings)

    def empty(self) -> bool:
        """True if no request can meet a fault."""
        return not self._rules

    def fault_for(self, subject: Subject) -> Fault | None:
        """The fault that this request meets, now recorded.

        Every rule that means the request counts it; of those that are due the first added acts.
        """
        chosen: RuleState | None = None
        for state in self._rules.values():
            if state.rule.matches(subject):
                state.seen += 1
                if chosen is None and state.due():
                    chosen = state
        if chosen is None:
            return None
        chosen.fired += 1
        self._record(chosen.rule, subject)
        return chosen.rule.fault

    def _record(self, rule: FaultRule, subject: Subject) -> None:
        self._fired += 1
        kind = str(type(rule.fault).__struct_config__.tag)
        self._firings.append(
            Firing(number=self._fired, rule=rule.id or "", kind=kind, ts_ms=runtime.wall_ms(), subject=subject)
        )


def _drop(request: VenueRequest) -> web.Response:
    request.connection.abort()
    return web.Response()  # goes nowhere: aiohttp wants one


async def _hang(request: VenueRequest) -> web.Response:
    await request.connection.gone.wait()
    return web.Response()  # as above


def _substitute(status: int, body: str, headers: dict[str, str]) -> web.Response:
    response = web.Response(status=status, body=body.encode(), headers=headers)
    response.headers.setdefault("Content-Type", "text/html; charset=utf-8")
    return response
