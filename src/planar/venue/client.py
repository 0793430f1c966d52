"""The control API of a local venue from its other side: find or start a venue, read its ledger, give it orders.

The CLI, the demo, the tests and scripts use this. `VenueControl` is for event loops (the seeded one too),
`SyncVenueControl` for scripts; both send the same calls. The answers' types are those of `planar.venue.control`.
"""

from __future__ import annotations

import asyncio
import http.client
import logging
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar, Unpack

import aiohttp
import msgspec

import planar.runtime as runtime
from planar.errors import VenueUnavailable
from planar.venue import calls, registry
from planar.venue.calls import Call, CommandFilters, MarketAction, RequestFilters, ViolationFilters
from planar.venue.control import TOKEN_HEADER, FaultsAnswer, VenueStatus
from planar.venue.faults import FaultRule
from planar.venue.registry import VenueRecord
from planar.venue.server import CONTROL_HOST
from planar.venue.steering import Command, SetBalance
from planar.venue.wire import LedgerQuery, VenueAccount
from planar.venue.witness import Commands, MeterRow, Requests, Violations

LOG = logging.getLogger("planar.venue")
ANSWER_S = 10.0
START_S = 30.0
END_S = 5.0

T = TypeVar("T")


class VenueControl:
    """The control API of one venue, for event loops.

    Every method raises VenueUnavailable if the venue does not answer, AuthenticationError if the token is not its own,
    and BadRequest, with the venue's message, if it refuses.
    """

    def __init__(self, record: VenueRecord) -> None:
        self.record = record
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connection to the venue; the venue stays."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def status(self) -> VenueStatus:
        """How the venue is."""
        return await self._send(calls.status())

    async def accounts(self) -> list[VenueAccount]:
        """The seeded accounts and their keys."""
        return await self._send(calls.accounts())

    async def ledger(self, query: LedgerQuery, *, venue: str | None = None) -> dict[str, Any]:
        """What the ledger of one exchange says; see `LedgerQuery`."""
        return await self._send(calls.ledger(query, venue))

    async def requests(self, *, venue: str | None = None, **filters: Unpack[RequestFilters]) -> Requests:
        """What was asked of one exchange, and its verdicts. `filters`: the fields of `LedgerQuery` for requests."""
        return await self._send(calls.requests(filters, venue))

    async def violations(self, *, venue: str | None = None, **filters: Unpack[ViolationFilters]) -> Violations:
        """Each time that a meter was exceeded. `filters`: the fields of `LedgerQuery` for violations."""
        return await self._send(calls.violations(filters, venue))

    async def commands(self, *, venue: str | None = None, **filters: Unpack[CommandFilters]) -> Commands:
        """The commands that one exchange has carried out. `filters`: the fields of `LedgerQuery` for commands."""
        return await self._send(calls.commands(filters, venue))

    async def meters(self, *, venue: str | None = None) -> list[MeterRow]:
        """How the meters of one exchange stand."""
        return (await self._send(calls.meters(venue))).meters

    async def command(self, command: Command, *, venue: str | None = None) -> dict[str, dict[str, Any]]:
        """Carry out a command of `planar.venue.steering`; what is now the case, by exchange."""
        return await self._send(calls.command(command, venue))

    async def set_balance(self, account: str, asset: str, free: str, *, venue: str | None = None) -> dict[str, Any]:
        """Set what an account has free of an asset, as a decimal string."""
        (found,) = (await self.command(SetBalance(account=account, asset=asset, free=free), venue=venue)).values()
        return found

    async def market(self, action: MarketAction, *, ms: int | None = None, venue: str | None = None) -> dict[str, Any]:
        """Freeze, resume or, by `ms`, step the market model of one exchange or of all."""
        return await self.command(calls.market_command(action, ms), venue=venue)

    async def add_fault(self, rule: FaultRule) -> FaultRule:
        """Add a fault rule; the rule with its id."""
        return await self._send(calls.add_fault(rule))

    async def faults(self) -> FaultsAnswer:
        """The rules in force, and what was hit."""
        return await self._send(calls.faults())

    async def clear_faults(self, rule_id: str | None = None) -> int:
        """Remove one rule or all; how many."""
        return (await self._send(calls.clear_faults(rule_id)))["cleared"]

    async def shutdown(self) -> None:
        """Ask the venue to end."""
        await self._send(calls.shutdown())

    async def _send(self, call: Call[T]) -> T:
        if self._session is None:
            socket_path = self.record.socket
            connector = aiohttp.UnixConnector(socket_path) if socket_path else aiohttp.TCPConnector()
            self._session = aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=ANSWER_S))
        headers = {TOKEN_HEADER: self.record.token}
        try:
            async with self._session.request(
                call.method, f"http://{_authority(self.record)}{call.target()}", data=call.payload(), headers=headers
            ) as response:
                return call.read(response.status, await response.read())
        except (aiohttp.ClientError, TimeoutError) as error:
            raise _unreachable(self.record, error) from error


class SyncVenueControl:
    """The control API of one venue, for scripts. Methods and errors are those of `VenueControl`."""

    def __init__(self, record: VenueRecord) -> None:
        self.record = record

    def status(self) -> VenueStatus:
        """How the venue is."""
        return self._send(calls.status())

    def accounts(self) -> list[VenueAccount]:
        """The seeded accounts and their keys."""
        return self._send(calls.accounts())

    def ledger(self, query: LedgerQuery, *, venue: str | None = None) -> dict[str, Any]:
        """What the ledger of one exchange says; see `LedgerQuery`."""
        return self._send(calls.ledger(query, venue))

    def requests(self, *, venue: str | None = None, **filters: Unpack[RequestFilters]) -> Requests:
        """What was asked of one exchange, and its verdicts. `filters`: the fields of `LedgerQuery` for requests."""
        return self._send(calls.requests(filters, venue))

    def violations(self, *, venue: str | None = None, **filters: Unpack[ViolationFilters]) -> Violations:
        """Each time that a meter was exceeded. `filters`: the fields of `LedgerQuery` for violations."""
        return self._send(calls.violations(filters, venue))

    def commands(self, *, venue: str | None = None, **filters: Unpack[CommandFilters]) -> Commands:
        """The commands that one exchange has carried out. `filters`: the fields of `LedgerQuery` for commands."""
        return self._send(calls.commands(filters, venue))

    def meters(self, *, venue: str | None = None) -> list[MeterRow]:
        """How the meters of one exchange stand."""
        return self._send(calls.meters(venue)).meters

    def command(self, command: Command, *, venue: str | None = None) -> dict[str, dict[str, Any]]:
        """Carry out a command of `planar.venue.steering`; what is now the case, by exchange."""
        return self._send(calls.command(command, venue))

    def set_balance(self, account: str, asset: str, free: str, *, venue: str | None = None) -> dict[str, Any]:
        """Set what an account has free of an asset, as a decimal string."""
        (found,) = self.command(SetBalance(account=account, asset=asset, free=free), venue=venue).values()
        return found

    def market(self, action: MarketAction, *, ms: int | None = None, venue: str | None = None) -> dict[str, Any]:
        """Freeze, resume or, by `ms`, step the market model of one exchange or of all."""
        return self.command(calls.market_command(action, ms), venue=venue)

    def add_fault(self, rule: FaultRule) -> FaultRule:
        """Add a fault rule; the rule with its id."""
        return self._send(calls.add_fault(rule))

    def faults(self) -> FaultsAnswer:
        """The rules in force, and what was hit."""
        return self._send(calls.faults())

    def clear_faults(self, rule_id: str | None = None) -> int:
        """Remove one rule or all; how many."""
        return self._send(calls.clear_faults(rule_id))["cleared"]

    def shutdown(self) -> None:
        """Ask the venue to end."""
        self._send(calls.shutdown())

    def _send(self, call: Call[T]) -> T:
        connection = _connection(self.record)
        try:
            headers = {TOKEN_HEADER: self.record.token}
            connection.request(call.method, call.target(), body=call.payload(), headers=headers)
            response = connection.getresponse()
            return call.read(response.status, response.read())
        except (OSError, http.client.HTTPException) as error:
            raise _unreachable(self.record, error) from error
        finally:
            connection.close()


class PrivateVenue:
    """A venue in a child process that ends with this one.

    Attributes:
        record: how it is reached.
    """

    def __init__(self, record: VenueRecord, process: asyncio.subprocess.Process) -> None:
        self.record = record
        self._process = process
        self._listening = runtime.spawn(_log_errors(process), name="venue-stderr")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> int:
        """End it and wait until it has gone; its exit code."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            async with asyncio.timeout(END_S):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
        await self._listening
        return await self._process.wait()


def find_running(state: Path | None = None) -> VenueRecord | None:
    """The venue that runs on this machine, or None; a record left by a dead one counts as none.

    Raises:
        VenueUnavailable: the record cannot be read.
    """
    record = registry.read(state or registry.state_dir())
    return record if record is not None and registry.is_alive(record) else None


async def start_private(
    venues: Sequence[str], *, seed: int = 1, activity: bool = False, shape: str | None = None
) -> PrivateVenue:
    """Start a venue in a child process that nobody else finds, and wait until it is ready.

    Args:
        venues: exchange ids, or `module:function` of wires outside Planar.
        seed: decides markets, accounts and their past.
        activity: seeded accounts trade on their own.
        shape: path of a file that says how the markets behave (`planar.venue.shapes`).

    Raises:
        VenueUnavailable: it did not start; the message holds what it said.
    """
    options = ["--venues", ",".join(venues), "--seed", str(seed), "--no-registry", "--die-with-parent"]
    options += [*(["--activity"] if activity else []), *([] if shape is None else ["--shape", shape])]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "planar.venue", *options),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,  # Ctrl-C is for this process; the child leaves when its pipe closes
    )
    assert process.stdout is not None
    assert process.stderr is not None
    ready = False
    try:
        async with asyncio.timeout(START_S):
            line = await process.stdout.readline()
        record = msgspec.json.decode(line, type=VenueRecord)
        ready = True
    except (TimeoutError, msgspec.MsgspecError) as error:
        _kill(process)
        said = (await process.stderr.read()).decode(errors="replace").strip()
        raise VenueUnavailable(f"the local venue did not start: {said or error}") from error
    finally:
        if not ready:
            _kill(process)
            await process.wait()
    return PrivateVenue(record, process)


async def _log_errors(process: asyncio.subprocess.Process) -> None:
    """What the venue says on standard error goes to this process's log."""
    assert process.stderr is not None
    while line := await process.stderr.readline():
        LOG.warning("%s", line.decode(errors="replace").rstrip())


def _kill(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.kill()


def _authority(record: VenueRecord) -> str:
    return CONTROL_HOST if record.socket else record.near


class _UnixHttpConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__(CONTROL_HOST, timeout=ANSWER_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(ANSWER_S)
        self.sock.connect(self._path)


def _connection(record: VenueRecord) -> http.client.HTTPConnection:
    if record.socket:
        return _UnixHttpConnection(record.socket)
    return http.client.HTTPConnection(_authority(record), timeout=ANSWER_S)


def _unreachable(record: VenueRecord, error: BaseException) -> VenueUnavailable:
    where = record.socket or record.near
    return VenueUnavailable(
        f"the local venue at {where} does not answer: {error or type(error).__name__}",
        hint="see whether it still runs with `planar venue status`, or start one with `planar venue up`",
    )
