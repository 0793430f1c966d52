"""Every door leads to the same exchange: TLS, proxy tunnel, plain HTTP and the Unix socket, for HTTP and WebSocket."""

from __future__ import annotations

import asyncio
import errno
import io
import os
import socket
import ssl
from email.utils import parsedate_to_datetime
from pathlib import Path

import aiohttp
import pytest
import requests
from toy_wire import API, STREAM
from venue_kit import DOORS, Client, Venue, converse, eventually

from planar.venue import doors


async def test_a_request_reaches_the_wire_as_it_was_sent(client: Client) -> None:
    async with client.request("POST", f"{API}/api/a%2Fb?x=%20&y=1+2&sig=%3D", data=b"raw=%41&") as response:
        seen = await response.json()
    assert (seen["host"], seen["path"], seen["query"]) == (API, "/api/a%2Fb", "x=%20&y=1+2&sig=%3D")
    assert (seen["method"], seen["body"]) == ("POST", "raw=%41&")


async def test_a_port_in_the_url_does_not_matter(client: Client) -> None:
    async with client.request("GET", f"{STREAM}:9443/anything") as response:
        assert (await response.json())["host"] == STREAM


async def test_websockets_pass(client: Client) -> None:
    async with client.stream(f"{STREAM}/ws/btcusdt@depth") as stream:
        assert await stream.receive_str() == "hello /ws/btcusdt@depth"
        for number in range(3):
            await stream.send_str(str(number))
            assert await stream.receive_str() == f"echo {number}"


async def test_a_connection_carries_many_requests(client: Client, venue: Venue) -> None:
    for _ in range(5):
        async with client.request("GET", f"{API}/api/time") as response:
            assert response.status == 200
    assert venue.status().connections == 1


async def test_another_host_is_refused(venue: Venue) -> None:
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{venue.base}/x", headers={"Host": "www.example.com"}) as response:
            assert response.status == 403
            text = await response.text()
        assert "'www.example.com' is not served here" in text
        assert f"toy: {API}, {STREAM}" in text
        async with session.get("http://www.example.com/x", proxy=venue.base) as response:
            assert response.status == 403
        with pytest.raises(aiohttp.ClientHttpProxyError, match="403"):
            await session.get("https://www.example.com/x", proxy=venue.base)


async def test_another_port_of_this_machine_is_refused(venue: Venue) -> None:
    async with aiohttp.ClientSession() as session:
        async with session.get("http://127.0.0.1:1/api/time", proxy=venue.base) as response:
            assert response.status == 403
        async with session.get(f"{venue.base}/api/time", proxy=venue.base) as response:
            assert response.status == 200


@pytest.mark.parametrize(
    ("path", "host", "seen_path"),
    [
        (f"/{API}/api/v3/time", API, "/api/v3/time"),
        (f"/{STREAM}:9443/x", STREAM, "/x"),
        (f"/{API}", API, "/"),
        ("/api/v3/time", API, "/api/v3/time"),
    ],
)
async def test_base_url_entrance(venue: Venue, path: str, host: str, seen_path: str) -> None:
    async with aiohttp.ClientSession() as session, session.get(venue.base + path) as response:
        seen = await response.json()
    assert (seen["host"], seen["path"]) == (host, seen_path)


async def test_base_url_entrance_takes_websockets_and_names_the_way_when_lost(venue: Venue) -> None:
    async with aiohttp.ClientSession() as session:
        for path in ("/ws/a", f"/{STREAM}/ws/a"):
            async with session.ws_connect(venue.base + path) as stream:
                assert await stream.receive_str() == "hello /ws/a"
        async with session.get(venue.base + "/nothing/here") as response:
            assert response.status == 404
            assert "Give the real host" in await response.text()


async def test_tls_by_address_and_without_trust(venue: Venue) -> None:
    url = f"https://127.0.0.1:{venue.record.port}/api/time"
    async with aiohttp.ClientSession() as session:
        async with session.get(url, ssl=venue.trust()) as response:
            assert response.status == 200
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await session.get(url, ssl=ssl.create_default_context())
    await eventually(lambda: venue.status().tls_failures == 1)
    assert venue.status().last_tls_failure == "the client left"

    def distrust() -> None:
        with requests.Session() as distrusting:
            distrusting.get(url, timeout=5)

    with pytest.raises(requests.exceptions.SSLError):
        await asyncio.to_thread(distrust)
    await eventually(lambda: venue.status().tls_failures == 2)
    assert venue.status().last_tls_failure == "TLSV1_ALERT_UNKNOWN_CA"


async def test_requests_with_proxies_and_verify(venue: Venue) -> None:
    def run() -> list[str]:
        with requests.Session() as session:
            session.trust_env = False
            session.proxies = {"http": venue.base, "https": venue.base}
            session.verify = venue.record.ca
            urls = [f"https://{API}/api/time", f"http://{API}/api/time", f"https://{STREAM}:9443/x"]
            return [session.get(url, timeout=5).json()["host"] for url in urls]

    assert await asyncio.to_thread(run) == [API, API, STREAM]


async def test_tunnel_of_a_client_that_sends_byte_by_byte(venue: Venue) -> None:
    request = f"CONNECT {API}:80 HTTP/1.1\r\nHost: {API}:80\r\nConnection: close\r\n\r\n".encode()
    inside = f"GET /api/time HTTP/1.1\r\nHost: {API}\r\nConnection: close\r\n\r\n".encode()
    answer = await converse(venue.record.port or 0, *(bytes([byte]) for byte in request), inside)
    head, _, rest = answer.partition(b"\r\n\r\n")
    assert head == b"HTTP/1.1 200 Connection established"
    assert rest.startswith(b"HTTP/1.1 200 OK")


async def test_tunnel_of_a_client_that_does_not_wait_for_the_answer(venue: Venue) -> None:
    early = f"CONNECT {API}:80 HTTP/1.0\r\n\r\nGET /api/time HTTP/1.1\r\nHost: {API}\r\nConnection: close\r\n\r\n"
    answer = await converse(venue.record.port or 0, early.encode())
    assert answer.startswith(b"HTTP/1.1 200 Connection established\r\n\r\nHTTP/1.1 200 OK")


async def test_a_client_of_http_1_0_need_not_name_the_host(venue: Venue) -> None:
    answer = await converse(venue.record.port or 0, b"GET /api/time HTTP/1.0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.0 200 OK")
    assert (await converse(venue.record.port or 0, b"GET / HTTP/1.0\r\n\r\n")).startswith(b"HTTP/1.0 404 ")


async def test_a_client_that_waits_for_leave_to_send_its_body(venue: Venue) -> None:
    head = (
        f"POST /api/x HTTP/1.1\r\nHost: {API}\r\nContent-Length: 5\r\nExpect: 100-Continue\r\nConnection: close\r\n\r\n"
    )
    reader, writer = await asyncio.open_connection("127.0.0.1", venue.record.port)
    writer.write(head.encode())
    assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    writer.write(b"body!")
    answer = await reader.read()
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert b"body!" in answer
    writer.close()
    await writer.wait_closed()


@pytest.mark.parametrize(
    "head", [b"CONNECT\r\n\r\n", b"COPY / HTTP/1.1\r\n\r\n", b"CONNECT " + b"x" * 20_000 + b":1 HTTP/1.1\r\n\r\n"]
)
async def test_what_is_no_connect_is_refused(venue: Venue, head: bytes) -> None:
    assert (await converse(venue.record.port or 0, head)).startswith(b"HTTP/1.1 400 ")


async def test_a_tunnel_leads_to_no_second_tunnel(venue: Venue) -> None:
    connect = f"CONNECT {API}:443 HTTP/1.1\r\nHost: {API}\r\n\r\n".encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", venue.record.port)
    writer.write(connect)
    assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 200 Connection established\r\n\r\n"
    writer.write(f"CONNECT {API}:443 HTTP/1.1\r\nHost: {API}\r\n\r\n".encode())
    assert b" 403 " in await reader.readline()
    writer.close()
    await writer.wait_closed()


async def test_clients_that_leave_at_any_point_do_no_harm(venue: Venue) -> None:
    for said in (b"", b"C", b"CONNECT api", b"\x16", b"\x16\x03\x01", b"GET /api"):
        _, writer = await asyncio.open_connection("127.0.0.1", venue.record.port)
        writer.write(said)
        await writer.drain()
        writer.transport.abort()
    async with aiohttp.ClientSession() as session, session.get(venue.base + "/api/time") as response:
        assert response.status == 200


async def test_answers_are_dated_and_say_who_serves(client: Client) -> None:
    async with client.request("GET", f"{API}/api/time") as response:
        seen = await response.json()
        dated = parsedate_to_datetime(response.headers["Date"]).timestamp()
        assert response.headers["Server"] == "planar-venue"
    assert abs(dated - seen["now_ms"] / 1000) <= 1


async def test_an_error_of_the_wire_is_a_500_and_harms_nobody(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    async with client.request("GET", f"{API}/api/crash") as response:
        assert response.status == 500
    assert "toy crash" in caplog.text
    async with client.request("GET", f"{API}/api/time") as response:
        assert response.status == 200


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="counts open files as Linux tells them")
async def test_stop_does_not_wait_for_the_farewell_of_tls_clients(venue: Venue) -> None:
    files = len(os.listdir("/proc/self/fd"))
    _, writer = await asyncio.open_connection("127.0.0.1", venue.record.port, ssl=venue.trust(), server_hostname=API)
    await eventually(lambda: venue.status().connections == 1)
    writer.transport.pause_reading()  # type: ignore[attr-defined]
    await venue.server.stop()
    await eventually(lambda: len(os.listdir("/proc/self/fd")) <= files - 1)  # one more, and two doors less
    writer.transport.abort()


async def test_a_proxy_client_that_leaves_before_it_is_refused(venue: Venue) -> None:
    failures: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: failures.append(context))
    for _ in range(20):
        _, writer = await asyncio.open_connection("127.0.0.1", venue.record.port)
        writer.write(b"CONNECT www.example.com:443 HTTP/1.1\r\n\r\n")
        writer.transport.abort()
    async with aiohttp.ClientSession() as session, session.get(venue.base + "/api/time") as response:
        assert response.status == 200
    assert failures == []


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ECONNABORTED])
async def test_accepting_goes_on_after_an_error_of_the_system(
    venue: Venue, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    loop = asyncio.get_running_loop()
    accept, errors = loop.sock_accept, [OSError(number, "as the system says")]

    async def failing_once(listener: socket.socket) -> tuple[socket.socket, object]:
        client = await accept(listener)
        if errors:
            client[0].close()
            raise errors.pop()
        return client

    monkeypatch.setattr(loop, "sock_accept", failing_once)
    async with aiohttp.ClientSession(headers={"Connection": "close"}) as session:
        async with session.post(venue.base + "/api/time"):
            pass  # the accept under way was still the real one
        with pytest.raises(aiohttp.ClientError):
            await session.post(venue.base + "/api/time")
        async with session.post(venue.base + "/api/time") as response:
            assert response.status == 200


async def test_silent_clients_are_closed(venue: Venue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doors, "FIRST_BYTE_S", 0.05)
    monkeypatch.setattr(doors, "HANDSHAKE_S", 0.05)
    for said in (b"", b"CONNECT api.toy", b"\x16"):
        assert await converse(venue.record.port or 0, said) == b""
    await eventually(lambda: venue.status().tls_failures == 1)


async def test_a_body_that_is_too_large_is_refused(client: Client, venue: Venue) -> None:
    async with client.request("POST", f"{API}/api/order", data=io.BytesIO(b"x" * (2**20 + 1))) as response:
        assert response.status == 413
    assert venue.wire.orders == []


async def test_half_a_request_never_reaches_the_wire(venue: Venue, caplog: pytest.LogCaptureFixture) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", venue.record.port)
    writer.write(f"POST /api/order HTTP/1.1\r\nHost: {API}\r\nContent-Length: 10\r\n\r\nhalf".encode())
    await eventually(lambda: venue.status().requests == 1)
    writer.close()
    await writer.wait_closed()
    await eventually(lambda: venue.status().connections == 0)
    assert venue.wire.orders == []
    assert caplog.text == ""


@pytest.mark.parametrize(
    ("request_line", "host", "status"),
    [
        (b"GET http://[bad/", b"x", 400),
        (b"GET http://api.toy.test:99999/", b"x", 400),
        (b"GET /" + b"a" * 9000, b"x", 400),
        (b"\0\0\0\0", b"x", 400),
        (b"GET /", b"\xff\xfe", 403),
        (b"GET /", b"", 403),
        (b"GET /\xff\xfe", b"127.0.0.1", 400),
        (b"GET /planar/status", b"127.0.0.1", 401),
        (b"GET http://api.toy.test/", b"www.example.com", 200),
        (b"GET //www.example.com/", b"api.toy.test", 200),
        (b"OPTIONS *", b"api.toy.test", 200),
    ],
)
async def test_strange_requests_are_answered_and_leave_no_traceback(
    venue: Venue, caplog: pytest.LogCaptureFixture, request_line: bytes, host: bytes, status: int
) -> None:
    rest = b" HTTP/1.1\r\nHost: " + host + b"\r\nX-Planar-Token: \xff\r\nConnection: close\r\n\r\n"
    answer = await converse(venue.record.port or 0, request_line + rest)
    assert answer.split(b" ")[1] == str(status).encode()
    assert caplog.text == ""


@pytest.mark.parametrize("door", DOORS)
async def test_stop_ends_streams_and_connections(venue: Venue, door: str) -> None:
    client = DOORS[door](venue)
    async with client.session, client.stream(f"{STREAM}/ws/x") as stream:
        await stream.receive_str()
        idle = client.request("GET", f"{API}/api/time")
        async with idle:
            pass
        stopping = asyncio.create_task(venue.server.stop())
        assert (await stream.receive()).type == aiohttp.WSMsgType.CLOSE
        await stopping
        assert not venue.wire.running
        with pytest.raises(aiohttp.ClientError):
            await client.request("GET", f"{API}/api/time")
