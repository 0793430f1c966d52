"""Faults of a connection before its first request, as a client behind each door sees them."""

from __future__ import annotations

import asyncio
import ssl

import aiohttp
import pytest
from toy_wire import API, STREAM
from venue_kit import DOORS, Client, Venue, eventually

from planar.venue.client import VenueControl
from planar.venue.faults import (
    CloseDoors,
    ConnectionFault,
    FailHandshake,
    FaultRule,
    HangConnection,
    RefuseTunnel,
    ResetConnection,
)

BROKEN = (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError)


def inject(venue: Venue, fault: ConnectionFault, host: str = API, count: int | None = 1) -> None:
    venue.server.faults.add(FaultRule(fault=fault, host=host, count=count))


async def place(client: Client, timeout_s: float | None = 5) -> int:
    timeout = aiohttp.ClientTimeout(total=timeout_s)
    async with client.request("POST", f"{API}/api/order", data="first", timeout=timeout) as response:
        await response.read()
        return response.status


async def test_a_connection_is_reset_at_its_first_contact(client: Client, venue: Venue) -> None:
    inject(venue, ResetConnection())
    with pytest.raises(BROKEN):
        await place(client)
    assert venue.wire.orders == []
    assert await place(client) == 200


async def test_a_connection_that_stands_is_not_new(client: Client, venue: Venue) -> None:
    assert await place(client) == 200
    inject(venue, ResetConnection())
    assert await place(client) == 200
    assert venue.server.faults.firings() == []


async def test_a_connection_is_accepted_and_silent(client: Client, venue: Venue) -> None:
    inject(venue, HangConnection())
    with pytest.raises(TimeoutError):
        await place(client, timeout_s=0.1)
    assert venue.wire.orders == []
    await eventually(lambda: venue.status().connections == 0)
    assert await place(client) == 200


async def test_only_the_host_that_is_meant_fails(client: Client, venue: Venue) -> None:
    inject(venue, ResetConnection(), host="stream.*", count=None)
    assert await place(client) == 200
    with pytest.raises(aiohttp.ClientError):
        await client.stream(f"{STREAM}/ws/a")


async def test_closed_doors_refuse_and_open_again(client: Client, venue: Venue) -> None:
    inject(venue, CloseDoors(for_ms=150))
    with pytest.raises(BROKEN):
        await place(client)
    with pytest.raises(aiohttp.ClientConnectorError) as refused:
        await place(client)
    assert isinstance(refused.value.os_error, ConnectionRefusedError | FileNotFoundError)  # no socket from 3.13 on

    async def opened() -> int:
        while True:
            try:
                return await place(client)
            except aiohttp.ClientConnectorError:
                await asyncio.sleep(0.02)

    assert await asyncio.wait_for(opened(), 3) == 200
    async with VenueControl(venue.record) as control:
        assert (await control.status()).fault_rules == 1


async def test_a_venue_can_end_while_its_doors_are_closed(venue: Venue) -> None:
    client = DOORS["unix-plain-url"](venue)
    async with client.session:
        inject(venue, CloseDoors(for_ms=60_000))
        with pytest.raises(BROKEN):
            await place(client)
        await venue.server.stop()


@pytest.mark.parametrize("status", [502, 503, 504, 520])
async def test_a_proxy_that_cannot_reach_the_host(venue: Venue, status: int) -> None:
    client = DOORS["proxy-tls"](venue)
    async with client.session:
        inject(venue, RefuseTunnel(status=status, body="no such host\n"))
        with pytest.raises(aiohttp.ClientHttpProxyError) as refused:
            await place(client)
        assert refused.value.status == status
        assert await place(client) == 200


async def test_only_tunnels_are_refused(venue: Venue) -> None:
    client = DOORS["resolver-tls"](venue)
    async with client.session:
        inject(venue, RefuseTunnel())
        assert await place(client) == 200
    assert venue.server.faults.states()[0].seen == 0


@pytest.mark.parametrize("door", ["proxy-tls", "resolver-tls"])
@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("untrusted", "unable to get local issuer certificate|self.signed|signature failure"),
        ("expired", "certificate has expired"),
        ("wrong_host", "Hostname mismatch"),
    ],
)
async def test_a_certificate_that_cannot_be_trusted(venue: Venue, door: str, how: str, reason: str) -> None:
    client = DOORS[door](venue)
    async with client.session:
        inject(venue, FailHandshake(how=how))  # type: ignore[arg-type]
        with pytest.raises(aiohttp.ClientConnectorCertificateError, match=reason):
            await place(client)
        assert await place(client) == 200
    assert venue.wire.orders == ["first"]


@pytest.mark.parametrize("door", ["proxy-tls", "resolver-tls"])
async def test_a_handshake_that_ends_with_an_alert(venue: Venue, door: str) -> None:
    client = DOORS[door](venue)
    async with client.session:
        inject(venue, FailHandshake())
        with pytest.raises(aiohttp.ClientConnectorSSLError) as failed:
            await place(client)
        assert isinstance(failed.value.os_error, ssl.SSLError)
        assert "ALERT" in str(failed.value.os_error).upper()
        assert await place(client) == 200


async def test_the_control_api_meets_no_fault(venue: Venue) -> None:
    inject(venue, ResetConnection(), host="*", count=None)
    async with VenueControl(venue.record) as control:
        assert await control.clear_faults() == 1
