"""The venue's registry file and socket paths."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from planar.config import paths
from planar.errors import VenueUnavailable
from planar.venue import registry
from planar.venue.client import find_running
from planar.venue.registry import VenueRecord

DEAD_PID = 2**22 - 1  # Linux gives pids below this


def record(**changes: object) -> VenueRecord:
    fields: dict[str, object] = {
        "instance": "abcdefgh",
        "pid": os.getpid(),
        "port": None,
        "socket": None,
        "token": "t",
        "ca": None,
        "venues": ("toy",),
        "started_ms": 1,
    }
    return VenueRecord(**{**fields, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"PLANAR_STATE": "/p", "XDG_STATE_HOME": "/x"}, "/p"),
        ({"PLANAR_STATE": "", "XDG_STATE_HOME": "/x"}, "/x/planar"),
        ({"XDG_STATE_HOME": "relative", "HOME": "/h"}, "/h/.local/state/planar"),
        ({"HOME": "/h"}, "/h/.local/state/planar"),
        ({"PLANAR_STATE": "here"}, str(Path("here").absolute())),
        ({"PLANAR_STATE": "~/p"}, str(Path.home() / "p")),
    ],
)
def test_state_dir(environ: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    assert registry.state_dir(environ) == Path(expected)


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
@pytest.mark.parametrize(
    "environ", [{}, {"HOME": "/h"}, {"PLANAR_STATE": "~/p"}, {"XDG_STATE_HOME": "x"}, {"LOCALAPPDATA": "/l"}]
)
def test_the_state_directory_is_the_same_as_for_the_rest_of_planar(
    environ: dict[str, str], platform: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.platform", platform)
    assert registry.state_dir(environ) == paths.state_dir(environ)
    assert registry.state_dir() == paths.state_dir()


def test_a_record_is_written_read_and_removed(tmp_path: Path) -> None:
    assert registry.read(tmp_path) is None
    registry.write(tmp_path, record())
    assert registry.read(tmp_path) == record()
    path = tmp_path / "venue" / "venue.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [entry.name for entry in path.parent.iterdir()] == ["venue.json"]
    registry.remove(tmp_path, record(instance="other"))
    assert path.exists()
    registry.remove(tmp_path, record())
    assert not path.exists()
    registry.remove(tmp_path, record())


def test_a_damaged_record_is_an_error_with_its_path(tmp_path: Path) -> None:
    path = registry.venue_dir(tmp_path) / "venue.json"
    path.write_text('{"instance": 5')
    with pytest.raises(VenueUnavailable, match=r"venue\.json") as caught:
        find_running(tmp_path)
    assert "remove the file" in str(caught.value)


def test_a_venue_is_alive_if_its_process_is_and_it_accepts(tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    with socket.socket(socket.AF_UNIX) as listener, socket.create_server(("127.0.0.1", 0)) as tcp:
        listener.bind(path)
        listener.listen()
        port = tcp.getsockname()[1]
        assert registry.is_alive(record(socket=path))
        assert registry.is_alive(record(port=port))
        assert not registry.is_alive(record(socket=path, pid=DEAD_PID))
        registry.write(tmp_path, record(socket=path))
        assert find_running(tmp_path) == record(socket=path)
    assert not registry.is_alive(record(socket=path))
    assert not registry.is_alive(record(port=port))
    assert find_running(tmp_path) is None


def test_find_running_uses_the_state_directory_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLANAR_STATE", str(tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as tcp:
        here = record(port=tcp.getsockname()[1])
        registry.write(tmp_path, here)
        assert find_running() == here


def test_sockets_of_dead_processes_are_removed(tmp_path: Path) -> None:
    home = registry.venue_dir(tmp_path)
    dead, alive, foreign = (home / f"venue-{name}.sock" for name in (DEAD_PID, os.getppid(), "mine"))
    for path in (dead, alive, foreign):
        path.touch()
    path = registry.socket_path(tmp_path)
    assert path == str(home / f"venue-{os.getpid()}.sock")
    assert (dead.exists(), alive.exists(), foreign.exists()) == (False, True, True)


def test_a_path_too_long_for_a_socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It goes to a directory of the user's own among the temporary files, if that is short and nobody else's."""
    long = tmp_path / ("x" * 100)
    with tempfile.TemporaryDirectory(prefix="p") as short:
        monkeypatch.setattr(tempfile, "tempdir", short)
        home = Path(short) / f"planar-{os.getuid()}"
        assert registry.socket_path(long) == str(home / f"venue-{os.getpid()}.sock")
        assert home.stat().st_mode & 0o777 == 0o700
        home.chmod(0o777)
        with pytest.raises(VenueUnavailable, match="not a directory of this user alone"):
            registry.socket_path(long)
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    with pytest.raises(VenueUnavailable, match="longer than 100 bytes") as caught:
        registry.socket_path(long)
    assert "--socket" in str(caught.value)


def test_the_venue_never_imports_ccxt() -> None:
    modules = "planar.venue.__main__, planar.venue.client, planar.venue.server"
    script = f"import sys, {modules}; sys.exit('ccxt' in sys.modules)"
    subprocess.run([sys.executable, "-c", script], check=True)
