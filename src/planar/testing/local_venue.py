"""A local venue in a process of its own, for tests: how it is reached, its accounts, and the faults to inject.

It is started with `python -m planar.venue`, nobody else on the machine finds it, and it ends with the process that
started it. Everything here is synchronous, so that it serves tests with and without an event loop.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

import msgspec

from planar.errors import BadRequest, VenueUnavailable
from planar.transport.local import LocalVenue as Doors
from planar.venue.client import SyncVenueControl
from planar.venue.control import FaultsAnswer
from planar.venue.faults import FaultRule
from planar.venue.registry import VenueRecord
from planar.venue.steering import Command
from planar.venue.wire import VenueAccount
from planar.workspace import Workspace, open_workspace

END_S = 10.0


class Faults:
    """The fault rules of a venue."""

    def __init__(self, control: SyncVenueControl) -> None:
        self._control = control

    def add(self, kind: str, rule: dict[str, Any] | None = None, **fields: Any) -> FaultRule:
        """Add a rule; the rule with its id.

        Args:
            kind: what happens, such as `drop_answer`.
            rule: which requests, frames or connections are meant: the fields of `planar.venue.faults.FaultRule`
                besides `fault`. Without it the first one of all.
            fields: what the kind needs, such as `delay_ms`.

        Raises:
            BadRequest: that is no rule; the text names the field.
        """
        try:
            made = msgspec.convert({**(rule or {}), "fault": {"kind": kind, **fields}}, FaultRule)
        except msgspec.ValidationError as error:
            raise BadRequest(
                f"that is no fault rule: {error}", hint=f"`planar venue fault kinds {kind}` tells what it needs"
            ) from error
        return self._control.add_fault(made)

    def found(self) -> FaultsAnswer:
        """The rules, what they have met, and every hit."""
        return self._control.faults()

    def clear(self, rule_id: str | None = None) -> int:
        """Remove one rule or all; how many."""
        return self._control.clear_faults(rule_id)


class LocalVenue:
    """A running local venue; use it as a context manager, or take the fixture `local_venue`.

    Attributes:
        record: how it is reached: `port`, `socket`, `ca`, `venues`.
        control: its control API.
        faults: what is to fail.
    """

    def __init__(self, record: VenueRecord, process: subprocess.Popen[bytes]) -> None:
        self.record = record
        self.control = SyncVenueControl(record)
        self.faults = Faults(self.control)
        self._process = process

    @property
    def proxy(self) -> str:
        """The URL to give a client as its HTTP proxy; it then keeps the exchange's real URLs."""
        return f"http://{self.record.near}"

    @property
    def ca(self) -> str:
        """Path of the certificate that such a client must trust.

        Raises:
            VenueUnavailable: the venue has no TCP port.
        """
        if self.record.ca is None:
            raise VenueUnavailable("the local venue has no TCP port, and so no certificate")
        return self.record.ca

    def workspace(self) -> Workspace:
        """A workspace whose local environment is this venue: `async with venue.workspace() as p`."""
        record = self.record
        return open_workspace(
            local_venue=Doors(
                instance=record.instance,
                socket=record.socket,
                token=record.token,
                venues=list(record.venues),
                pid=record.pid,
            )
        )

    def accounts(self, exchange: str) -> list[VenueAccount]:
        """The seeded accounts of an exchange and their keys."""
        return [account for account in self.control.accounts() if account.exchange == exchange]

    def command(self, command: Command, *, venue: str | None = None) -> dict[str, dict[str, Any]]:
        """Steer the venue: see `planar.venue.steering`. What is now the case, by exchange."""
        return self.control.command(command, venue=venue)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End it, and wait until it has gone."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        if self._process.stdout is not None:
            self._process.stdout.close()
        try:
            self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def start_local_venue(venues: Sequence[str] = (), *, seed: int = 1, activity: bool = False) -> LocalVenue:
    """Start a venue and wait until it is ready.

    Args:
        venues: ids of exchanges; none: all that Planar brings.
        seed: decides markets, accounts and their past.
        activity: the seeded accounts trade on their own.

    Raises:
        VenueUnavailable: it did not start; it has said why on standard error.
    """
    options = ["--seed", str(seed), "--no-registry", "--die-with-parent"]
    if venues:
        options += ["--venues", ",".join(venues)]
    process = subprocess.Popen(
        [sys.executable, "-m", "planar.venue", *options, *(["--activity"] if activity else [])],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C is for the tests; the venue leaves when its pipe closes
    )
    line = process.stdout.readline() if process.stdout is not None else b""
    try:
        return LocalVenue(msgspec.json.decode(line, type=VenueRecord), process)
    except msgspec.MsgspecError as error:
        process.kill()
        process.communicate()
        raise VenueUnavailable("the local venue did not start", hint="its standard error says why") from error
