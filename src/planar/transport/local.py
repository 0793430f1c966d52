"""The way to the local venue: find one that runs on this machine, or start a private one that ends with this process.

A running venue says where it is in `<state>/venue/venue.json`; a private one prints the same facts on its standard output
when it is ready, and ends when its standard input closes.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import aiohttp
import msgspec

import planar.runtime as runtime
from planar.errors import MissingCredentials, VenueUnavailable

log = logging.getLogger("planar.transport")

START_TIMEOUT_S = 30.0
CONTROL_HOST = "venue.local"


class LocalVenue(msgspec.Struct, frozen=True):
    """Where a local venue listens.

    Attributes:
        instance: random id of this run of the venue; journals and caches of different runs never mix.
        socket: path of its Unix socket, the door that Planar takes.
        token: what its control API asks for.
        venues: the exchange ids that it serves.
        pid: its process.
        port: its TCP port, or None.
        ca: path of the certificate that TLS clients must trust, or None.
    """

    instance: str
    socket: str | None
    token: str
    venues: list[str]
    pid: int
    port: int | None = None
    ca: str | None = None

    def __repr__(self) -> str:
        return f"LocalVenue(instance={self.instance!r}, socket={self.socket!r}, venues={self.venues!r}, pid={self.pid})"


def find_running(state_dir: Path) -> LocalVenue | None:
    """The venue that runs on this machine, or None. A file left by a dead one counts as none."""
    try:
        found = msgspec.json.decode((state_dir / "venue" / "venue.json").read_bytes(), type=LocalVenue)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError) as error:
        raise VenueUnavailable(
            f"{state_dir / 'venue' / 'venue.json'} cannot be read: {error}",
            hint="remove the file and start the venue again with: planar venue up",
        ) from error
    try:
        os.kill(found.pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass
    if found.socket is None:
        raise VenueUnavailable("the running local venue has no Unix socket", hint="start it again: planar venue up")
    return found if Path(found.socket).exists() else None


async def account_keys(venue: LocalVenue, exchange: str, account: str) -> dict[str, str]:
    """The keys of a seeded account of a local venue, by CCXT's names; "" is the first account.

    Raises:
        MissingCredentials: the venue has no such account.
        VenueUnavailable: it did not answer.
    """
    async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(venue.socket or "")) as session:
        try:
            async with session.get(
                f"http://{CONTROL_HOST}/planar/accounts", headers={"X-Planar-Token": venue.token}
            ) as answer:
                answer.raise_for_status()
                accounts = msgspec.json.decode(await answer.read(), type=list[_Account])
        except (aiohttp.ClientError, OSError, msgspec.MsgspecError) as error:
            raise VenueUnavailable(f"the local venue did not tell its accounts: {error}") from error
    here = [one for one in accounts if one.exchange == exchange]
    for one in here:
        if account in ("", one.account):
            more = {name: value for name, value in one.more.items() if "." not in name}  # other kinds of keys
            return {"apiKey": one.apiKey, "secret": one.secret, **more}
    raise MissingCredentials(
        f"the local venue has no account {account!r}",
        exchange=exchange,
        hint=f"it has {', '.join(one.account for one in here)}",
    )


class _Account(msgspec.Struct, frozen=True):
    exchange: str
    account: str
    apiKey: str
    secret: str
    more: dict[str, str] = {}


class PrivateVenue:
    """A venue in a child process of its own, which ends when this process does."""

    def __init__(self, process: asyncio.subprocess.Process, venue: LocalVenue) -> None:
        self._process = process
        self._listening = runtime.spawn(self._listen(), name="local venue: errors")
        self.venue = venue

    async def _listen(self) -> None:
        """What the venue says on standard error goes to the log; unread, it would fill its pipe and stop."""
        assert self._process.stderr is not None
        while line := await self._process.stderr.readline():
            log.warning("local venue: %s", line.decode(errors="replace").rstrip())

    @classmethod
    async def start(cls, venues: Sequence[str] = (), seed: int = 1) -> PrivateVenue:
        """Start one and wait until it is ready.

        Args:
            venues: the exchanges that it serves; all that there are, if none is named.

        Raises:
            VenueUnavailable: it did not start; the message holds what it printed.
        """
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "planar.venue",
            *(("--venues", ",".join(venues)) if venues else ()),
            "--seed",
            str(seed),
            "--no-registry",
            "--die-with-parent",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            # Ctrl-C goes to the whole terminal; the child leaves when its parent closes the pipe
            start_new_session=True,
        )
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                line = await process.stdout.readline()
            return cls(process, msgspec.json.decode(line, type=LocalVenue))
        except (TimeoutError, msgspec.MsgspecError) as error:
            if process.returncode is None:
                process.kill()
            printed = (await process.stderr.read()).decode(errors="replace").strip()
            raise VenueUnavailable(
                f"the local venue did not start: {(printed.splitlines() or [error])[-1]}",
                hint="is there room, and may you write, in PLANAR_STATE? `planar venue up` tries it by hand",
            ) from error
        except asyncio.CancelledError:
            process.kill()
            await process.wait()
            raise

    async def close(self) -> None:
        """End it and wait until it has gone."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            async with asyncio.timeout(5):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        await self._listening
