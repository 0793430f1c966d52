"""Which requests, frames and messages meet which fault: rules, the book that holds them, and the record of firings."""

from __future__ import annotations

import fnmatch
import hashlib
from collections import deque
from typing import Annotated, Literal

import msgspec

import planar.runtime as runtime
from planar.errors import BadRequest
from planar.venue.faults.connections import (
    CloseDoors,
    ConnectionFault,
    FailHandshake,
    HangConnection,
    RefuseTunnel,
    ResetConnection,
)
from planar.venue.faults.frames import (
    CloseSocket,
    CorruptFrame,
    DelayFrame,
    DoubleFrame,
    DropFrame,
    DropMessage,
    HalfOpen,
    RefuseMessage,
    ReorderFrame,
    ReplaceFrame,
    ResetSocket,
    Silence,
    SlowSocket,
    SocketFault,
    StopReading,
)
from planar.venue.faults.requests import (
    CutAnswer,
    DelayAnswer,
    DelayRequest,
    DropAnswer,
    DropRequest,
    GarbleAnswer,
    HangAnswer,
    HangRequest,
    RefuseRequest,
    ReplaceAnswer,
    RequestFault,
    ShiftClock,
    StaleRead,
)
from planar.venue.witness import note_fault

FIRINGS_KEPT = 10_000
AROUND = 1_000
"""So many bytes before and after a changed one are kept: the whole of what a list tells of an order."""

Positive = Annotated[int, msgspec.Meta(ge=1)]
NotNegative = Annotated[int, msgspec.Meta(ge=0)]
Probability = Annotated[float, msgspec.Meta(gt=0, le=1)]
Part = Literal["request", "clock", "reads", "frame", "message", "connection", "tunnel", "handshake"]

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
    | GarbleAnswer
    | ShiftClock
    | StaleRead
    | DropFrame
    | DoubleFrame
    | DelayFrame
    | ReorderFrame
    | CorruptFrame
    | ReplaceFrame
    | Silence
    | HalfOpen
    | SlowSocket
    | CloseSocket
    | ResetSocket
    | DropMessage
    | RefuseMessage
    | StopReading
    | ResetConnection
    | HangConnection
    | CloseDoors
    | RefuseTunnel
    | FailHandshake
)


class FaultRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which requests, frames or messages meet which fault. A condition that is None holds for all of them.

    Patterns are shell patterns: `*`, `?`, and `[[]` for a bracket. Those for host, path and query mean the request, or
    the one that opened the WebSocket connection. A connection that is not open yet has a host, and an empty path.

    Attributes:
        fault: what happens.
        id: name of the rule; None lets the book give one.
        venue: id of the exchange.
        method: HTTP method, upper case.
        host: pattern for the real host name (`stream.*`).
        path: pattern for the path without the query string (`/api/v3/order*`, `/ws/btcusdt@*`).
        query: pattern for the raw query string (`*symbol=BTCUSDT*`).
        body: pattern for the body of the request, or the text of the frame or message (`*"e":"executionReport"*`).
        account: name of the account whose key the request carries, or that a WebSocket connection is known to serve.
        after: id of another rule; this one begins when that one has hit. What comes before is not counted.
        nth: the first matching request that is hit, counted from 1 since the rule was added.
        count: how many matching requests are hit from there on; None: all.
        probability: the share of them that is hit; `count` is then reached when so many were.
        seed: decides which are; the same seed hits the same ones.
        from_ms: the rule begins so long after it was added. What comes before is not counted.
        until_ms: it ends so long after it was added; None: it stays.
    """

    fault: Fault
    id: str | None = None
    venue: str | None = None
    method: str | None = None
    host: str | None = None
    path: str | None = None
    query: str | None = None
    body: str | None = None
    account: str | None = None
    after: str | None = None
    nth: Positive = 1
    count: Positive | None = 1
    probability: Probability = 1.0
    seed: int = 0
    from_ms: NotNegative = 0
    until_ms: NotNegative | None = None

    def __post_init__(self) -> None:
        if self.until_ms is not None and self.until_ms <= self.from_ms:
            raise ValueError(f"until_ms = {self.until_ms} is not after from_ms = {self.from_ms}: it would never act")

    def matches(self, subject: Subject, content: bytes = b"") -> bool:
        """True if the rule means this request, frame or message. `content`: body or text."""
        return (
            self.fault.part == subject.part
            and (self.fault.meets_upgrades or not subject.upgrade)
            and self.venue in (None, subject.venue)
            and self.method in (None, subject.method)
            and (self.host is None or fnmatch.fnmatchcase(subject.host, self.host))
            and (self.path is None or fnmatch.fnmatchcase(subject.path, self.path))
            and (self.query is None or fnmatch.fnmatchcase(subject.query, self.query))
            and self.account in (None, subject.account)
            and (self.body is None or fnmatch.fnmatchcase(content.decode(errors="replace"), self.body))
        )

    def in_force(self, age_ms: int) -> bool:
        """True if the rule's time has come and is not over."""
        return self.from_ms <= age_ms and (self.until_ms is None or age_ms < self.until_ms)

    def drawn(self, number: int) -> bool:
        """True if chance hits the matching request of this number."""
        digest = hashlib.blake2b(f"{self.seed}/{number}".encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big") / 2**64 < self.probability


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule sees of a request, or of the request that opened a connection.

    `part` says what it is about: the request itself, the clock that it meets, what it reads, a frame that leaves the
    connection, a message that comes in, or the connection itself (its first contact, its tunnel, its TLS handshake).
    """

    venue: str
    method: str
    host: str
    path: str
    account: str | None
    upgrade: bool
    query: str = ""
    part: Part = "request"


class Damage(msgspec.Struct, frozen=True):
    """A piece of an answer or a frame in which a byte was changed, as it was and as it left, with what stands around."""

    before: str
    after: str


def damage_of(before: bytes, after: bytes) -> tuple[Damage, ...]:
    """The changed pieces of texts of one length; none of others."""
    if len(before) != len(after):
        return ()
    places = [at for at, (one, other) in enumerate(zip(before, after, strict=True)) if one != other]
    pieces = [slice(max(0, at - AROUND), at + AROUND) for at in places]
    return tuple(Damage(before[it].decode(errors="replace"), after[it].decode(errors="replace")) for it in pieces)


class Firing(msgspec.Struct, frozen=True, kw_only=True):
    """One request, frame or message that a rule has hit.

    Attributes:
        number: 1 for the first of this venue's run.
        rule: id of the rule.
        kind: kind of the fault.
        ts_ms: when it came (UTC epoch, ms).
        subject: what was hit.
        damage: what it changed, where bytes of an answer or a frame were flipped.
    """

    number: int
    rule: str
    kind: str
    ts_ms: int
    subject: Subject
    damage: tuple[Damage, ...] = ()


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
        if self.seen < rule.nth:
            return False
        if rule.probability < 1:
            return (rule.count is None or self.fired < rule.count) and rule.drawn(self.seen)
        return rule.count is None or self.seen < rule.nth + rule.count


class FaultBook:
    """The rules of one venue process, in the order in which they were added, and their firings."""

    def __init__(self) -> None:
        self._rules: dict[str, RuleState] = {}
        self._added_ms: dict[str, int] = {}
        self._hit: dict[str, None] = {}
        """Ids of the rules that have hit, cleared ones too."""
        self._added = 0
        self._fired = 0
        self._firings: deque[Firing] = deque(maxlen=FIRINGS_KEPT)

    def add(self, rule: FaultRule) -> FaultRule:
        """Add a rule; the rule with its id.

        Raises:
            BadRequest: the id is in use, or there is no rule that `after` names.
        """
        name = rule.id or f"fault-{self._added + 1}"
        if name in self._rules:
            raise BadRequest(f"there is a fault rule '{name}' already", hint="clear it first, or give another id")
        if rule.after is not None and rule.after not in self._rules:
            raise BadRequest(
                f"after = '{rule.after}' names no fault rule", hint=f"rules: {', '.join(self._rules) or 'none'}"
            )
        self._added += 1
        self._hit.pop(name, None)
        rule = msgspec.structs.replace(rule, id=name)
        self._rules[name] = RuleState(rule=rule)
        self._added_ms[name] = _now_ms()
        return rule

    def clear(self, name: str | None = None) -> int:
        """Remove one rule or all; how many. The record of firings stays.

        Raises:
            BadRequest: no rule of that id.
        """
        if name is None:
            removed = len(self._rules)
            self._rules.clear()
            self._added_ms.clear()
            self._hit.clear()
            return removed
        if self._rules.pop(name, None) is None:
            raise BadRequest(f"there is no fault rule '{name}'", hint=f"rules: {', '.join(self._rules) or 'none'}")
        del self._added_ms[name]
        return 1

    def states(self) -> list[RuleState]:
        """The rules and what they have met."""
        return list(self._rules.values())

    def firings(self) -> list[Firing]:
        """What was hit, oldest first; the last 10,000."""
        return list(self._firings)

    def empty(self) -> bool:
        """True if nothing can meet a fault."""
        return not self._rules

    def fault_for(self, subject: Subject, content: bytes = b"") -> Fault | None:
        """The fault that this request, frame or message meets, now recorded.

        Every rule that means it counts it; of those that are due the first added acts.
        """
        chosen: RuleState | None = None
        age_ms = 0
        for name, state in self._rules.items():
            rule_age_ms = _now_ms() - self._added_ms[name]
            begun = state.rule.after is None or state.rule.after in self._hit
            if begun and state.rule.in_force(rule_age_ms) and state.rule.matches(subject, content):
                state.seen += 1
                if chosen is None and state.due():
                    chosen, age_ms = state, rule_age_ms
        if chosen is None:
            return None
        chosen.fired += 1
        self._hit[chosen.rule.id or ""] = None
        self._record(chosen.rule, subject)
        return chosen.rule.fault.aged(age_ms)

    def request_fault(self, subject: Subject, content: bytes) -> RequestFault | None:
        """The fault that a request, or the clock that it meets, or what it reads, has."""
        fault = self.fault_for(subject, content)
        return fault if isinstance(fault, RequestFault) else None

    def connection_fault(self, subject: Subject) -> ConnectionFault | None:
        """The fault that a new connection, its tunnel or its handshake has."""
        fault = self.fault_for(subject)
        return fault if isinstance(fault, ConnectionFault) else None

    def note_damage(self, subject: Subject, before: bytes, after: bytes) -> None:
        """What the last firing on this very subject did to bytes; one that is no longer kept is passed over."""
        for at in range(len(self._firings) - 1, -1, -1):
            if self._firings[at].subject is subject:
                self._firings[at] = msgspec.structs.replace(self._firings[at], damage=damage_of(before, after))
                return

    def _record(self, rule: FaultRule, subject: Subject) -> None:
        self._fired += 1
        kind = str(type(rule.fault).__struct_config__.tag)
        note_fault(rule.id or "", kind)
        self._firings.append(
            Firing(number=self._fired, rule=rule.id or "", kind=kind, ts_ms=runtime.wall_ms(), subject=subject)
        )


class FrameBook:
    """The rules as one WebSocket connection meets them."""

    def __init__(self, book: FaultBook, subject: Subject) -> None:
        self._book = book
        self._frames = msgspec.structs.replace(subject, part="frame")
        self._messages = msgspec.structs.replace(subject, part="message")

    def serve(self, account: str) -> None:
        """The connection is now known to be this account's."""
        self._frames = msgspec.structs.replace(self._frames, account=account)
        self._messages = msgspec.structs.replace(self._messages, account=account)

    def fault_of_frame(self, data: bytes) -> SocketFault | None:
        """What a frame meets that is about to leave."""
        return self._find(self._frames, data)

    def fault_of_message(self, data: bytes) -> SocketFault | None:
        """What a message meets that came in."""
        return self._find(self._messages, data)

    def _find(self, subject: Subject, data: bytes) -> SocketFault | None:
        if self._book.empty():
            return None
        fault = self._book.fault_for(subject, data)
        if not isinstance(fault, SocketFault):
            return None
        damaged = fault.damaged(data)
        if damaged != data:
            self._book.note_damage(subject, data, damaged)
        return fault


def _now_ms() -> int:
    return runtime.current().monotonic_ns() // 1_000_000
