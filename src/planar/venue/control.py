"""The control API of the local venue: JSON over HTTP at `/planar/...` on the loopback entrance and the Unix socket.

    GET    /planar/status                             VenueStatus
    GET    /planar/accounts                           [VenueAccount]
    GET    /planar/ledger?venue=&kind=orders&...      the answer to a LedgerQuery; see Wire.ledger, and
                                                      planar.venue.witness for Requests, Violations, Meters
    POST   /planar/command   CommandOrder             what is now the case, by venue
    GET    /planar/faults                             FaultsAnswer
    POST   /planar/faults    FaultRule                the rule with its id
    DELETE /planar/faults[?id=]                       {"cleared": number of rules}
    POST   /planar/shutdown                           {"stopping": true}

Every request needs the venue's token in the header X-Planar-Token. An error is {"error": message, "hint": text or null}
with status 400, 401, 404 or 405. `venue` may be left out where only one exchange runs.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

import msgspec
from aiohttp import web

from planar.errors import BadRequest, PlanarError
from planar.venue.bookkeeping import known
from planar.venue.connection import printable
from planar.venue.faults import FaultBook, FaultRule, Firing, RuleState
from planar.venue.misfits import misfit
from planar.venue.steering import Command
from planar.venue.wire import LedgerQuery, Wire
from planar.venue.witness.questions import WITNESSED, answer, require_filters

PREFIX = "/planar"
TOKEN_HEADER = "X-Planar-Token"
HINT = "docs/venue.md and docs/faults.md tell what each request takes"

T = TypeVar("T")


class VenueStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How a venue is.

    Attributes:
        instance: random id of this run.
        venues: host names served, by exchange id.
        port: TCP port, or None.
        socket: path of the Unix socket, or None.
        ca: path of the certificate to trust, or None.
        seed: decided markets, accounts and their past; None if it is not known.
        started_ms: UTC epoch, ms.
        now_ms: UTC epoch, ms, by the venue's clock.
        connections: open now.
        requests: begun since the start, over all doors.
        fault_rules: rules in force.
        tls_failures: handshakes that failed; usually the client does not trust `ca`.
        last_tls_failure: what the last of them said.
    """

    instance: str
    venues: dict[str, tuple[str, ...]]
    port: int | None
    socket: str | None
    ca: str | None
    seed: int | None
    started_ms: int
    now_ms: int
    connections: int
    requests: int
    fault_rules: int
    tls_failures: int
    last_tls_failure: str | None


class FaultsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The rules with what they have met, and the firings, oldest first."""

    rules: list[RuleState]
    firings: list[Firing]


class CommandOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A command and the exchange that it is for; see `planar.venue.steering`.

    `venue` None means the only one that runs or, for commands that concern the whole venue, each of them.
    """

    command: Command
    venue: str | None = None


class ControlApi:
    """Answers the requests whose path begins with `/planar`."""

    def __init__(
        self,
        wires: Mapping[str, Wire],
        faults: FaultBook,
        token: str,
        status: Callable[[], VenueStatus],
        shut_down: Callable[[], None],
    ) -> None:
        self._wires = wires
        self._faults = faults
        self._token = token.encode()
        self._status = status
        self._shut_down = shut_down
        self._routes: dict[str, dict[str, Callable[[web.BaseRequest], Awaitable[Any]]]] = {
            "/status": {"GET": self._get_status},
            "/accounts": {"GET": self._get_accounts},
            "/ledger": {"GET": self._get_ledger},
            "/command": {"POST": self._post_command},
            "/faults": {"GET": self._get_faults, "POST": self._post_fault, "DELETE": self._delete_faults},
            "/shutdown": {"POST": self._post_shutdown},
        }

    async def handle(self, path: str, request: web.BaseRequest) -> web.Response:
        """Answer one request; `path` is the whole path."""
        if not hmac.compare_digest(printable(request.headers.get(TOKEN_HEADER, "")).encode(), self._token):
            hint = f"send the token of venue.json in the header {TOKEN_HEADER}"
            return _answer(401, {"error": "the control API needs its token", "hint": hint})
        methods = self._routes.get(path.removeprefix(PREFIX))
        if methods is None:
            hint = "paths: " + ", ".join(PREFIX + route for route in self._routes)
            return _answer(404, {"error": f"the control API has no {path}", "hint": hint})
        endpoint = methods.get(request.method)
        if endpoint is None:
            return _answer(405, {"error": f"{path} does not take {request.method}", "hint": ", ".join(methods)})
        try:
            return _answer(200, await endpoint(request))
        except PlanarError as error:
            return _answer(400, {"error": error.message, "hint": error.hint})

    async def _get_status(self, request: web.BaseRequest) -> VenueStatus:
        return self._status()

    async def _get_accounts(self, request: web.BaseRequest) -> Any:
        return [account for wire in self._wires.values() for account in wire.accounts()]

    async def _get_ledger(self, request: web.BaseRequest) -> Any:
        fields = dict(request.rel_url.query)
        wire = self._wire(fields.pop("venue", None))
        try:
            query = msgspec.convert(fields, LedgerQuery, strict=False)
        except msgspec.ValidationError as error:
            raise BadRequest(misfit(error, fields), hint=HINT) from error
        require_filters(query)
        if query.kind not in WITNESSED:
            return wire.ledger(query)
        if query.account is not None:
            wire.bench().account(query.account)
        return answer(wire.witness, query)

    async def _post_command(self, request: web.BaseRequest) -> Any:
        order = await _body(request, CommandOrder)
        everywhere = order.venue is None and order.command.everywhere
        wires = list(self._wires.values()) if everywhere else [self._wire(order.venue)]
        done: dict[str, dict[str, Any]] = {}
        for wire in wires:
            try:
                done[wire.id] = order.command.carry_out(wire.bench())
            except BadRequest as error:
                if len(wires) == 1:
                    raise
                so_far = f"; done at {', '.join(done)}" if done else ""
                raise BadRequest(f"{wire.id}: {error.message}{so_far}", hint=error.hint) from error
            wire.witness.commanded(msgspec.to_builtins(order.command))
        return done

    async def _get_faults(self, request: web.BaseRequest) -> FaultsAnswer:
        return FaultsAnswer(rules=self._faults.states(), firings=self._faults.firings())

    async def _post_fault(self, request: web.BaseRequest) -> FaultRule:
        rule = await _body(request, FaultRule)
        wires = list(self._wires.values()) if rule.venue is None else [self._wire(rule.venue)]
        if rule.account is not None:
            accounts = dict.fromkeys(one.account for wire in wires for one in wire.accounts())
            known("account", rule.account, list(accounts))
        return self._faults.add(rule)

    async def _delete_faults(self, request: web.BaseRequest) -> dict[str, int]:
        return {"cleared": self._faults.clear(request.rel_url.query.get("id"))}

    async def _post_shutdown(self, request: web.BaseRequest) -> dict[str, bool]:
        self._shut_down()
        return {"stopping": True}

    def _wire(self, venue: str | None) -> Wire:
        if venue is None and len(self._wires) == 1:
            return next(iter(self._wires.values()))
        wire = self._wires.get(venue) if venue is not None else None
        if wire is None:
            running = ", ".join(self._wires)
            if venue is None:
                raise BadRequest(
                    "venue is missing: several exchanges run here", hint=f"add --venue, or the field `venue`: {running}"
                )
            raise BadRequest(f"no exchange '{venue}' runs here", hint=f"running: {running}")
        return wire


async def _body(request: web.BaseRequest, kind: type[T]) -> T:
    body = await request.read()
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        raise BadRequest(misfit(error, msgspec.json.decode(body)), hint=HINT) from error
    except msgspec.DecodeError as error:
        raise BadRequest(f"the request's body is no JSON: {error}", hint=HINT) from error


def _answer(status: int, value: Any) -> web.Response:
    return web.Response(status=status, body=msgspec.json.encode(value), content_type="application/json")
