"""The calls of the control API: what each sends, and the type of its answer. `planar.venue.client` sends them."""

from __future__ import annotations

from typing import Any, Generic, Literal, TypedDict, TypeVar
from urllib.parse import urlencode

import msgspec

from planar.errors import AuthenticationError, BadRequest
from planar.venue.control import PREFIX, CommandOrder, FaultsAnswer, VenueStatus
from planar.venue.faults import FaultRule
from planar.venue.steering import Command, Freeze, Resume, Step
from planar.venue.wire import LedgerQuery, VenueAccount
from planar.venue.witness import Commands, Meters, Requests, Verdict, Violations

T = TypeVar("T")
MarketAction = Literal["freeze", "resume", "step"]


class CommandFilters(TypedDict, total=False):
    """The fields of `LedgerQuery` that restrict commands."""

    since_id: int | None
    since_ms: int | None
    limit: int | None


class ViolationFilters(CommandFilters, total=False):
    """The fields of `LedgerQuery` that restrict violations."""

    account: str | None


class RequestFilters(ViolationFilters, total=False):
    """The fields of `LedgerQuery` that restrict requests."""

    symbol: str | None
    order_id: str | None
    client_id: str | None
    path: str | None
    verdict: Verdict | None


class Call(msgspec.Struct, Generic[T], frozen=True):
    """One request to the control API and the type of its answer."""

    method: str
    path: str
    answer: Any
    query: dict[str, str] = {}
    body: Any = None

    def target(self) -> str:
        """Path and query."""
        query = f"?{urlencode(self.query)}" if self.query else ""
        return f"{PREFIX}{self.path}{query}"

    def payload(self) -> bytes | None:
        """The body, if there is one."""
        return None if self.body is None else msgspec.json.encode(self.body)

    def read(self, status: int, body: bytes) -> T:
        """The answer's value.

        Raises:
            AuthenticationError: the token is another venue's.
            BadRequest: the venue refused; its message and hint.
        """
        if status == 200:
            return msgspec.json.decode(body, type=self.answer)
        try:
            error = msgspec.json.decode(body, type=_ErrorAnswer)
        except msgspec.MsgspecError:
            error = _ErrorAnswer(error=f"the venue answered HTTP {status}: {body[:200].decode(errors='replace')}")
        kind = AuthenticationError if status == 401 else BadRequest
        raise kind(error.error, hint=error.hint, http_status=status)


class _ErrorAnswer(msgspec.Struct, frozen=True):
    error: str
    hint: str | None = None


def status() -> Call[VenueStatus]:
    """How the venue is."""
    return Call("GET", "/status", VenueStatus)


def accounts() -> Call[list[VenueAccount]]:
    """The seeded accounts."""
    return Call("GET", "/accounts", list[VenueAccount])


def ledger(query: LedgerQuery, venue: str | None) -> Call[dict[str, Any]]:
    """A question to the ledger of one exchange."""
    return _ask(query, venue, dict[str, Any])


def requests(filters: RequestFilters, venue: str | None) -> Call[Requests]:
    """A question for requests."""
    return _ask(LedgerQuery(kind="requests", **filters), venue, Requests)


def violations(filters: ViolationFilters, venue: str | None) -> Call[Violations]:
    """A question for violations."""
    return _ask(LedgerQuery(kind="violations", **filters), venue, Violations)


def commands(filters: CommandFilters, venue: str | None) -> Call[Commands]:
    """A question for commands."""
    return _ask(LedgerQuery(kind="commands", **filters), venue, Commands)


def meters(venue: str | None) -> Call[Meters]:
    """A question for meters."""
    return _ask(LedgerQuery(kind="meters"), venue, Meters)


def _ask(query: LedgerQuery, venue: str | None, answer: Any) -> Call[Any]:
    fields = {**msgspec.structs.asdict(query), "venue": venue}
    return Call("GET", "/ledger", answer, {name: str(value) for name, value in fields.items() if value is not None})


def command(command: Command, venue: str | None) -> Call[dict[str, dict[str, Any]]]:
    """A command to one exchange, or to all."""
    order = CommandOrder(command=command, venue=venue)
    return Call("POST", "/command", dict[str, dict[str, Any]], body=order)


def market_command(action: MarketAction, ms: int | None) -> Command:
    """The command that a word means.

    Raises:
        BadRequest: `ms` goes with "step", and with nothing else.
    """
    if (action == "step") != (ms is not None):
        raise BadRequest(f"ms = {ms} with {action}", hint="a step needs `ms`, and nothing else takes it")
    return Step(ms=ms) if ms is not None else Freeze() if action == "freeze" else Resume()


def add_fault(rule: FaultRule) -> Call[FaultRule]:
    """A new fault rule."""
    return Call("POST", "/faults", FaultRule, body=rule)


def faults() -> Call[FaultsAnswer]:
    """The rules, and what was hit."""
    return Call("GET", "/faults", FaultsAnswer)


def clear_faults(rule_id: str | None) -> Call[dict[str, int]]:
    """Away with one rule, or all."""
    return Call("DELETE", "/faults", dict[str, int], {} if rule_id is None else {"id": rule_id})


def shutdown() -> Call[dict[str, bool]]:
    """The end."""
    return Call("POST", "/shutdown", dict[str, bool])
