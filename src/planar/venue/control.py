"""The control API of the local venue: JSON over HTTP at `/planar/...` on the loopback entrance and the Unix socket.

    GET    /planar/status                             VenueStatus
    GET    /planar/accounts                           [VenueAccount]
    GET    /planar/ledger?venue=&kind=orders&...      what the wire answers to a LedgerQuery
    POST   /planar/balance   BalanceOrder             what is now the case
    POST   /planar/market    MarketOrder              what is now the case, by venue
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
from typing import Any, Literal, TypeVar

import msgspec
from aiohttp import web

from planar.errors import BadRequest, PlanarError
from planar.venue.connection import printable
from planar.venue.faults import FaultBook, FaultRule, Firing, RuleState
from planar.venue.wire import LedgerQuery, Wire

PREFIX = "/planar"
TOKEN_HEADER = "X-Planar-Token"

T = TypeVar("T")


class VenueStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How a venue is.

    Attributes:
        instance: random id of this run.
        venues: host names served, by exchange id.
        port: TCP port, or None.
        socket: path of the Unix socket, or None.
        ca: path of the certificate to trust, or None.
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


class BalanceOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Set what an account has free of an asset (a decimal string)."""

    account: str
    asset: str
    free: str
    venue: str | None = None


class MarketOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Stop, start or advance the market model of one exchange, or of all where `venue` is None.

    `ms` goes with "step" only: by how much a frozen market advances.
    """

    action: Literal["freeze", "resume", "step"]
    venue: str | None = None
    ms: int | None = None

    def __post_init__(self) -> None:
        if (self.action == "step") != (self.ms is not None) or (self.ms is not None and self.ms < 1):
            raise ValueError("`ms`, at least 1, goes with the action `step` and with no other")


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
            "/balance": {"POST": self._post_balance},
            "/market": {"POST": self._post_market},
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
            hint = "paths: " + ", ".join(PREFIX + known for known in self._routes)
            return _answer(404, {"error": f"the control API has no {path}", "hint": hint})
        endpoint = methods.get(request.method)
        if endpoint is None:
            return _answer(405, {"error": f"{path} does not take {request.method}", "hint": ", ".join(methods)})
        try:
            return _answer(200, await endpoint(request))
        except msgspec.MsgspecError as error:
            return _answer(400, {"error": f"the request is not as {path} needs it: {error}", "hint": None})
        except PlanarError as error:
            return _answer(400, {"error": error.message, "hint": error.hint})

    async def _get_status(self, request: web.BaseRequest) -> VenueStatus:
        return self._status()

    async def _get_accounts(self, request: web.BaseRequest) -> Any:
        return [account for wire in self._wires.values() for account in wire.accounts()]

    async def _get_ledger(self, request: web.BaseRequest) -> Any:
        fields = dict(request.rel_url.query)
        wire = self._wire(fields.pop("venue", None))
        return wire.ledger(msgspec.convert(fields, LedgerQuery, strict=False))

    async def _post_balance(self, request: web.BaseRequest) -> Any:
        order = await _body(request, BalanceOrder)
        body = {"account": order.account, "asset": order.asset, "free": order.free}
        return await self._wire(order.venue).control("set_balance", body)

    async def _post_market(self, request: web.BaseRequest) -> Any:
        order = await _body(request, MarketOrder)
        wires = list(self._wires.values()) if order.venue is None else [self._wire(order.venue)]
        body = {} if order.ms is None else {"ms": order.ms}
        return {wire.id: await wire.control(order.action, body) for wire in wires}

    async def _get_faults(self, request: web.BaseRequest) -> FaultsAnswer:
        return FaultsAnswer(rules=self._faults.states(), firings=self._faults.firings())

    async def _post_fault(self, request: web.BaseRequest) -> FaultRule:
        rule = await _body(request, FaultRule)
        if rule.venue is not None:
            self._wire(rule.venue)
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
            problem = "`venue` is missing" if venue is None else f"no exchange '{venue}' runs here"
            raise BadRequest(problem, hint=f"running: {', '.join(self._wires)}")
        return wire


async def _body(request: web.BaseRequest, kind: type[T]) -> T:
    return msgspec.json.decode(await request.read(), type=kind)


def _answer(status: int, value: Any) -> web.Response:
    return web.Response(status=status, body=msgspec.json.encode(value), content_type="application/json")
