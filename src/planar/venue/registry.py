"""Where the local venue of this machine says how it is reached.

`<state>/venue/venue.json` holds one `VenueRecord`; it is written when the venue is ready, and removed when it ends. The
same object is printed as the readiness line of `python -m planar.venue`, with `"ready": true` added.

`<state>` is `$PLANAR_STATE`, else `$XDG_STATE_HOME/planar`, else the platform's own place (`~/.local/state/planar`).
"""

from __future__ import annotations

import os
import socket
import stat
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import msgspec

import planar.runtime as runtime
from planar.errors import VenueUnavailable

CONNECT_TIMEOUT_S = 2.0
SOCKET_PATH_MAX = 100
"""Longest path of a Unix socket that every system accepts, in bytes."""


class VenueRecord(msgspec.Struct, frozen=True, kw_only=True):
    """How a running venue is reached.

    Attributes:
        instance: random id of this run.
        pid: its process.
        port: TCP port, or None.
        address: the IPv4 address that the port is on; 0.0.0.0: on all of this machine's.
        socket: path of the Unix socket, or None.
        token: what the control API asks for in `X-Planar-Token`.
        ca: path of the certificate (PEM) that a TLS client must trust, or None without a TCP port.
        venues: ids of the exchanges served.
        started_ms: UTC epoch, ms.
    """

    instance: str
    pid: int
    port: int | None
    socket: str | None
    token: str
    ca: str | None
    venues: tuple[str, ...]
    started_ms: int
    address: str = "127.0.0.1"

    @property
    def near(self) -> str:
        """Address and port for programs on this machine."""
        return f"{'127.0.0.1' if self.address == '0.0.0.0' else self.address}:{self.port}"

    def __repr__(self) -> str:
        return f"VenueRecord(instance={self.instance!r}, pid={self.pid}, port={self.port}, socket={self.socket!r})"


def state_dir(environ: Mapping[str, str] | None = None) -> Path:
    """Directory of everything that Planar keeps between runs; the same that `planar.config` finds.

    The venue stands apart from the rest of Planar and cannot ask it; a test holds the two together.
    """
    environ = os.environ if environ is None else environ
    if chosen := environ.get("PLANAR_STATE"):
        return Path(chosen).expanduser().absolute()
    if os.path.isabs(xdg := environ.get("XDG_STATE_HOME", "")):
        return Path(xdg) / "planar"
    if sys.platform == "win32" and (local := environ.get("LOCALAPPDATA")):
        return Path(local) / "planar"
    home = Path(environ.get("HOME") or Path.home())
    return home / ("Library/Application Support" if sys.platform == "darwin" else ".local/state") / "planar"


def venue_dir(state: Path) -> Path:
    """The venue's part of the state directory, made if missing, for its owner alone."""
    path = state / "venue"
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def socket_path(state: Path) -> str:
    """A path for this process's Unix socket; sockets of processes that died are removed.

    It lies in the state directory, or, where that has too long a name for a socket, in the user's own directory among
    the temporary files.

    Raises:
        VenueUnavailable: both names are too long, or somebody else owns the latter.
    """
    name = f"venue-{os.getpid()}.sock"
    home = venue_dir(state)
    if len(os.fsencode(home / name)) > SOCKET_PATH_MAX:
        home = _short_dir()
    for old in sorted(home.glob("venue-*.sock")):
        pid = old.stem.removeprefix("venue-")
        if pid.isdecimal() and not _process_exists(int(pid)):
            old.unlink(missing_ok=True)
    path = str(home / name)
    if len(os.fsencode(path)) > SOCKET_PATH_MAX:
        raise VenueUnavailable(
            f"the path of the venue's socket is longer than {SOCKET_PATH_MAX} bytes: {path}",
            hint="give a shorter one with --socket, or set PLANAR_STATE to a shorter directory",
        )
    return path


def _short_dir() -> Path:
    path = Path(tempfile.gettempdir()) / f"planar-{os.getuid()}"
    path.mkdir(mode=0o700, exist_ok=True)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise VenueUnavailable(
            f"{path} is not a directory of this user alone", hint="remove it, or give a path with --socket"
        )
    return path


def write(state: Path, record: VenueRecord) -> None:
    """Make the record known. Readers see the whole of it or the one before."""
    path = venue_dir(state) / "venue.json"
    draft = path.with_name(f"venue-{runtime.token(8)}.tmp")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(msgspec.json.encode(record))
    draft.replace(path)


def read(state: Path) -> VenueRecord | None:
    """The record as written, whether its venue still lives or not.

    Raises:
        VenueUnavailable: the file cannot be read or is no record.
    """
    path = state / "venue" / "venue.json"
    try:
        return msgspec.json.decode(path.read_bytes(), type=VenueRecord)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError) as error:
        raise VenueUnavailable(
            f"{path} cannot be read: {error}", hint="remove the file, then: planar venue up"
        ) from error


def remove(state: Path, record: VenueRecord) -> None:
    """Take the record back, unless another venue has written its own."""
    current = read(state)
    if current is not None and current.instance == record.instance:
        (state / "venue" / "venue.json").unlink(missing_ok=True)


def is_alive(record: VenueRecord) -> bool:
    """True if the process exists and accepts a connection."""
    if not _process_exists(record.pid):
        return False
    try:
        if record.socket is not None:
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(CONNECT_TIMEOUT_S)
                client.connect(record.socket)
        elif record.port is not None:
            socket.create_connection((record.near.partition(":")[0], record.port), CONNECT_TIMEOUT_S).close()
    except OSError:
        return False
    return True


def _process_exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it is somebody else's
        return True
    return True
