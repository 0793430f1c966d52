"""The port is on loopback unless an address is told; then clients reach it there, and nowhere else."""

from __future__ import annotations

import asyncio
import socket
import sys
from pathlib import Path

import pytest
from toy_wire import API, ToyWire
from venue_kit import converse

from planar.errors import VenueUnavailable
from planar.venue import registry
from planar.venue.ca import Authority
from planar.venue.client import SyncVenueControl
from planar.venue.server import VenueServer

OTHER = "127.0.0.2"
"""An address of this machine that is not the usual one; only Linux has it without being told."""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="127.0.0.2 is no address of this machine")


def _get(path: str, host: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()


async def _ask(address: str, port: int, said: bytes) -> bytes:
    return await converse(port, said, address=address)


async def test_without_a_word_other_addresses_are_refused(tmp_path: Path) -> None:
    server = VenueServer([ToyWire(1, False)])
    record = await server.start(port=0, authority=Authority.ensure(tmp_path))
    assert record.address == "127.0.0.1"
    with pytest.raises(ConnectionRefusedError), socket.create_connection((OTHER, record.port or 0), 1):
        pass
    await server.stop()


@pytest.mark.parametrize(("address", "near"), [(OTHER, OTHER), ("0.0.0.0", "127.0.0.1")])
async def test_the_address_that_is_told(tmp_path: Path, address: str, near: str) -> None:
    server = VenueServer([ToyWire(1, False)])
    record = await server.start(port=0, address=address, authority=Authority.ensure(tmp_path))
    port = record.port or 0
    assert record.near == f"{near}:{port}"
    assert registry.is_alive(record)
    for path, host in (("/api/time", f"{OTHER}:{port}"), (f"/{API}/api/time", f"{OTHER}:{port}"), ("/api/time", API)):
        assert (await _ask(OTHER, port, _get(path, host))).startswith(b"HTTP/1.1 200 OK")
    assert b" 403 " in (await _ask(OTHER, port, _get("/api/time", "www.example.com"))).splitlines()[0]
    assert b" 401 " in (await _ask(OTHER, port, _get("/planar/status", f"{OTHER}:{port}"))).splitlines()[0]
    tunnel = f"CONNECT {API}:80 HTTP/1.1\r\nHost: {API}\r\n\r\n".encode() + _get("/api/time", API)
    assert b"HTTP/1.1 200 OK" in await _ask(OTHER, port, tunnel)
    if address == OTHER:
        with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port), 1):
            pass
    await server.stop()


async def test_an_address_of_another_machine(tmp_path: Path) -> None:
    server = VenueServer([ToyWire(1, False)])
    with pytest.raises(VenueUnavailable, match="port 0 on 192.0.2.1 cannot be used.*\n  -> --bind takes"):
        await server.start(port=0, address="192.0.2.1", authority=Authority.ensure(tmp_path))


async def test_the_control_api_is_found_at_the_address(tmp_path: Path) -> None:
    server = VenueServer([ToyWire(1, False)])
    record = await server.start(port=0, address=OTHER, authority=Authority.ensure(tmp_path))
    status = await asyncio.to_thread(SyncVenueControl(record).status)
    assert status.port == record.port
    await server.stop()
