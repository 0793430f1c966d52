"""The venue as a child process: readiness line, registry, how it ends, what goes wrong at the start."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import msgspec
import pytest
from toy_wire import API

from planar.errors import VenueUnavailable
from planar.venue.__main__ import main
from planar.venue.client import VenueControl, find_running, start_private
from planar.venue.registry import VenueRecord

Start = Callable[..., Awaitable[asyncio.subprocess.Process]]


@pytest.fixture(autouse=True)
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLANAR_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent), prepend=os.pathsep)


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    started: list[asyncio.subprocess.Process] = []

    async def run(*options: str, venues: str = "toy_wire:create", **kwargs: object) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "planar.venue", "--venues", venues, *options),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            **kwargs,  # type: ignore[arg-type]
        )
        started.append(process)
        return process

    yield run
    for process in started:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def ready(process: asyncio.subprocess.Process) -> VenueRecord:
    assert process.stdout is not None
    line = await process.stdout.readline()
    assert msgspec.json.decode(line)["ready"] is True
    return msgspec.json.decode(line, type=VenueRecord)


async def ended(process: asyncio.subprocess.Process) -> int:
    async with asyncio.timeout(5):
        return await process.wait()


async def test_readiness_registry_and_shutdown(start: Start, tmp_path: Path) -> None:
    process = await start("--seed", "42")
    record = await ready(process)
    assert (record.pid, record.venues) == (process.pid, ("toy",))
    assert record.ca == str(tmp_path / "state" / "venue" / "ca" / "ca.pem")
    assert find_running() == record
    async with VenueControl(record) as control:
        assert (await control.status()).instance == record.instance
        await control.shutdown()
    assert await ended(process) == 0
    assert await process.communicate() == (b"", b"")
    assert find_running() is None
    assert sorted(path.name for path in (tmp_path / "state" / "venue").iterdir()) == ["ca"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_it_without_a_traceback(start: Start, number: signal.Signals) -> None:
    process = await start()
    record = await ready(process)
    process.send_signal(number)
    assert await ended(process) == 0
    assert await process.communicate() == (b"", b"")
    assert record.socket is not None
    assert not Path(record.socket).exists()


async def test_it_ends_with_its_parent(start: Start) -> None:
    process = await start("--die-with-parent", "--no-registry", stdin=asyncio.subprocess.PIPE)
    await ready(process)
    assert process.stdin is not None
    process.stdin.write(b"chatter is no reason to end\n")
    await process.stdin.drain()
    process.stdin.close()
    assert await ended(process) == 0


async def test_die_with_parent_needs_a_pipe(start: Start) -> None:
    process = await start("--die-with-parent", stdin=asyncio.subprocess.DEVNULL)
    async with asyncio.timeout(5):
        _, said = await process.communicate()
    assert (process.returncode, said.decode()) == (
        2,
        "planar venue: --die-with-parent needs a pipe on standard input: start the venue with stdin=PIPE\n",
    )


async def test_one_registered_venue_and_any_number_of_others(start: Start) -> None:
    first = await start()
    record = await ready(first)
    second = await start()
    async with asyncio.timeout(5):
        _, said = await second.communicate()
    assert second.returncode == 2
    assert said.decode().count("\n") == 1
    assert f"process {record.pid}, port {record.port}, toy" in said.decode()
    assert "PLANAR_STATE" in said.decode()
    third = await start("--no-registry")
    assert (await ready(third)).port != record.port
    assert find_running() == record


async def test_the_record_of_a_killed_venue_is_stale(start: Start) -> None:
    first = await start()
    record = await ready(first)
    first.kill()
    await first.wait()
    assert find_running() is None
    second = await ready(await start())
    assert find_running() == second
    assert record.socket is not None
    assert not Path(record.socket).exists()


async def test_socket_option(start: Start, tmp_path: Path) -> None:
    chosen = str(tmp_path / "chosen.sock")
    record = await ready(await start("--socket", chosen))
    assert record.socket == chosen
    async with VenueControl(record) as control:
        assert (await control.status()).socket == chosen


async def test_private_venue() -> None:
    async with await start_private(["toy_wire:create"], seed=42) as private:
        async with VenueControl(private.record) as control:
            assert list((await control.status()).venues) == ["toy"]
        assert find_running() is None
        pid = private.record.pid
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_seed_and_activity_reach_the_wire() -> None:
    async with await start_private(["toy_wire:create"], seed=42, activity=True) as private:
        reader, writer = await asyncio.open_unix_connection(private.record.socket)
        writer.write(f"GET / HTTP/1.1\r\nHost: {API}\r\nConnection: close\r\n\r\n".encode())
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
    assert b'"seed": 42, "activity": true' in answer


async def test_what_a_private_venue_says_goes_to_the_log(caplog: pytest.LogCaptureFixture) -> None:
    async with await start_private(["toy_wire:create"]) as private:
        reader, writer = await asyncio.open_unix_connection(private.record.socket)
        writer.write(f"GET /api/crash HTTP/1.1\r\nHost: {API}\r\nConnection: close\r\n\r\n".encode())
        await reader.read()
        writer.close()
        await writer.wait_closed()
    assert "toy crash" in caplog.text


async def test_a_private_venue_that_does_not_start() -> None:
    with pytest.raises(VenueUnavailable, match="no local venue for 'kiosk'"):
        await start_private(["kiosk"])


def test_port_in_use(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["--venues", "toy_wire:create", "--port", str(port)]) == 2
    assert capsys.readouterr() == (
        "",
        f"planar venue: port {port} on 127.0.0.1 cannot be used: Address already in use: "
        "choose another with --port N (0 takes a free one), or end what listens there\n",
    )


@pytest.mark.parametrize(
    ("options", "part"),
    [
        (["--port", "99999"], "port 99999 on 127.0.0.1 cannot be used"),
        (["--socket", "/proc/missing/v.sock"], "give another path with --socket"),
        (["--venues", "kiosk"], "no local venue for 'kiosk': known local venues: "),
        (["--venues", "toy_wire:nothing"], "'toy_wire:nothing' cannot be loaded"),
        (["--venues", "no_module:create"], "'no_module:create' cannot be loaded"),
        (["--venues", ""], "no exchange to run"),
        (["--venues", "toy_wire:create,toy_wire:create"], "share a host: toy, toy"),
    ],
)
def test_what_cannot_start_says_why_in_one_line(
    capsys: pytest.CaptureFixture[str], options: list[str], part: str
) -> None:
    assert main(["--venues", "toy_wire:create", *options]) == 2
    out, said = capsys.readouterr()
    assert (out, said.count("\n")) == ("", 1)
    assert part in said
    assert find_running() is None
