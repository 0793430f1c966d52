"""Names, source addresses, certificates and the end of a Dialer, on real sockets."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import ssl
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

import planar.transport.names as names_module
from planar.config import Secret
from planar.errors import ConfigError, ExchangeNotAvailable, NetworkError, Outcome, PlanarError, RequestTimeout
from planar.transport.context import CallContext, Effect, Priority
from planar.transport.dialer import Dialer, Route
from planar.transport.guard import HostRules
from planar.transport.http import send
from planar.transport.names import Names
from planar.venue.ca import Authority

HOST = "api.example"


class NameServer(AbstractResolver):
    """Answers, fails or keeps silent."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = list(addresses)
        self.down: Exception | None = None
        self.silent = False
        self.asked = 0

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        self.asked += 1
        if self.silent:
            await asyncio.Event().wait()
        if self.down is not None:
            raise self.down
        return [
            ResolveResult(hostname=host, host=one, port=port, family=socket.AF_INET, proto=0, flags=0)
            for one in self.addresses
        ]

    async def close(self) -> None:
        pass


class Here:
    """A server that says where its clients come from."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.clients: list[str] = []
        self.open = 0


@asynccontextmanager
async def serving(context: ssl.SSLContext | None = None) -> AsyncIterator[Here]:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        assert request.transport is not None
        here.clients.append(request.transport.get_extra_info("peername")[0])
        if "slow" in request.path:
            await asyncio.sleep(0.3)
        return web.json_response({})

    runner = web.ServerRunner(web.Server(answer))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    here = Here(runner.addresses[0][1])
    try:
        yield here
    finally:
        await runner.cleanup()


async def ask(dialer: Dialer, port: int, *, path: str = "/time", timeout_ms: int = 1_000, **how: Any) -> None:
    scheme = how.pop("scheme", "http")
    way = Route(exchange="x", environment="live", rules=HostRules(hosts=(HOST,), ports=(port,), plain=True), **how)
    call = CallContext("create_order", timeout_ms, Priority.ORDER)
    await send(dialer.session(way), "POST", f"{scheme}://{HOST}:{port}{path}", {}, None, call, Effect.WRITE, "x")


@asynccontextmanager
async def dialing(resolver: AbstractResolver) -> AsyncIterator[Dialer]:
    dialer = Dialer(Names(resolver))
    try:
        yield dialer
    finally:
        await dialer.close()


def forget(dialer: Dialer) -> None:
    """The connector asks for names again, and opens new connections."""
    for _, session in dialer._sessions:
        connector: Any = session.connector
        connector.clear_dns_cache()
        for kept in connector._conns.values():
            for protocol, _ in kept:
                protocol.close()


@pytest.mark.parametrize("how", ["fails", "is silent", "knows nothing"])
async def test_a_name_that_was_known_is_used_while_the_name_server_is_down(
    how: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(names_module, "PATIENCE_S", 0.05)
    server = NameServer("127.0.0.1")
    async with serving() as here, dialing(server) as dialer:
        await ask(dialer, here.port)
        assert (server.asked, dialer.names.stale) == (1, ())
        server.down = socket.gaierror(socket.EAI_AGAIN, "Temporary failure") if how == "fails" else None
        server.silent = how == "is silent"
        server.addresses = [] if how == "knows nothing" else server.addresses
        for _ in range(2):
            forget(dialer)
            await ask(dialer, here.port)
        assert (server.asked, dialer.names.stale) == (3, (HOST,))
        assert caplog.text.count("cannot be resolved") == 1
        server.down, server.silent, server.addresses = None, False, ["127.0.0.1"]
        forget(dialer)
        await ask(dialer, here.port)
        assert dialer.names.stale == ()
        assert caplog.text.count("can be resolved again") == 1


async def test_an_old_answer_is_not_used_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    server = NameServer("127.0.0.1")
    async with serving() as here, dialing(server) as dialer:
        await ask(dialer, here.port)
        server.down = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        monkeypatch.setattr(names_module, "GOOD_FOR_S", 0.0)
        forget(dialer)
        with pytest.raises(ExchangeNotAvailable, match="its host name could not be resolved") as caught:
            await ask(dialer, here.port)
        assert caught.value.outcome is Outcome.NOT_SENT


async def test_a_name_server_that_is_silent_from_the_start() -> None:
    server = NameServer()
    server.silent = True
    async with dialing(server) as dialer:
        with pytest.raises(RequestTimeout) as caught:
            await ask(dialer, 1, timeout_ms=150)
        assert caught.value.outcome is Outcome.NOT_SENT


async def test_the_address_that_answers_is_found() -> None:
    """127.0.0.2 has nobody at this port; 192.0.2.1 (RFC 5737) leads nowhere."""
    async with serving() as here, dialing(NameServer("192.0.2.1", "127.0.0.2", "127.0.0.1")) as dialer:
        await ask(dialer, here.port)
        assert here.clients == ["127.0.0.1"]


async def test_a_host_that_moved_is_asked_for_anew() -> None:
    server = NameServer("127.0.0.2")
    async with serving() as here, dialing(server) as dialer:
        with pytest.raises(ExchangeNotAvailable):
            await ask(dialer, here.port)
        server.addresses = ["127.0.0.1"]
        await ask(dialer, here.port)
        assert server.asked == 2


async def test_connections_leave_from_the_source_address() -> None:
    async with serving() as here, dialing(NameServer("127.0.0.1")) as dialer:
        await ask(dialer, here.port)
        await ask(dialer, here.port, source_address="127.0.0.5")
        assert here.clients == ["127.0.0.1", "127.0.0.5"], "another source address is another pool"


@pytest.mark.parametrize("proxy", [None, "http://127.0.0.1:1", "socks5h://127.0.0.1:1"])
async def test_a_source_address_that_is_not_this_machines(proxy: str | None) -> None:
    async with serving() as here, dialing(NameServer("127.0.0.1")) as dialer:
        with pytest.raises(NetworkError, match=r"source_address 192\.0\.2\.10 is no address of this machine") as caught:
            how = {"proxy": Secret(proxy)} if proxy else {}
            await ask(dialer, here.port, source_address="192.0.2.10", **how)
        assert caught.value.outcome is Outcome.NOT_SENT
        assert "ip address" in str(caught.value.hint)


async def test_a_ca_file_is_trusted_besides_the_usual_ones(tmp_path: Path) -> None:
    authority = Authority.ensure(tmp_path)
    async with serving(authority.server_context([HOST])) as here, dialing(NameServer("127.0.0.1")) as dialer:
        with pytest.raises(NetworkError, match="its certificate was not accepted"):
            await ask(dialer, here.port, scheme="https")
        await ask(dialer, here.port, scheme="https", ca_file=str(authority.path))
        context = dialer._verifying_context(str(authority.path))
        assert len(context.get_ca_certs()) == len(dialer._verifying_context(None).get_ca_certs()) + 1


async def test_a_ca_file_that_has_gone_since_the_configuration_was_read(tmp_path: Path) -> None:
    async with dialing(NameServer("127.0.0.1")) as dialer:
        with pytest.raises(ConfigError, match="gone.pem cannot be used: No such file") as caught:
            await ask(dialer, 1, scheme="https", ca_file=str(tmp_path / "gone.pem"))
        assert "BEGIN CERTIFICATE" in str(caught.value.hint)


async def test_a_plain_request_tells_the_proxy_who_asks() -> None:
    """Of a server of one's own; exchanges are reached through a tunnel."""
    heads: list[str] = []

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(2):
            heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        writer.close()

    running = await asyncio.start_server(proxy, "127.0.0.1", 0)
    async with dialing(NameServer()) as dialer:
        port = running.sockets[0].getsockname()[1]
        for _ in range(2):
            await ask(dialer, 8080, proxy=Secret(f"http://us:p%40ss@127.0.0.1:{port}"))
    running.close()
    assert len(heads) == 2
    for head in heads:
        assert head.startswith(f"POST http://{HOST}:8080/time HTTP/1.1\r\n")
        assert "\r\nProxy-Authorization: Basic dXM6cEBzcw==\r\n" in head


def test_a_route_tells_no_password() -> None:
    way = Route(exchange="x", environment="live", rules=HostRules(hosts=()), proxy=Secret("http://u:hunter2@h:1"))
    assert "hunter2" not in repr(way)


async def test_routes_that_differ_in_anything_share_nothing() -> None:
    async with dialing(NameServer()) as dialer:
        one = Route(exchange="x", environment="live", rules=HostRules(hosts=(HOST,)))
        same = Route(exchange="x", environment="live", rules=HostRules(hosts=(HOST,)))
        assert dialer.session(one) is dialer.session(same)
        sessions = {id(dialer.session(one))}
        differ: list[dict[str, Any]] = [
            {"proxy": Secret("http://h:1")},
            {"proxy": Secret("http://u:p@h:1")},
            {"proxy": Secret("http://u:q@h:1")},
            {"no_proxy": ("a",)},
            {"source_address": "127.0.0.1"},
            {"environment": "sandbox"},
        ]
        for fields in differ:
            sessions.add(
                id(dialer.session(Route(**{"exchange": "x", "environment": "live", "rules": one.rules} | fields)))
            )
        assert len(sessions) == len(differ) + 1


async def test_the_end_of_a_dialer_closes_everything(tmp_path: Path) -> None:
    """Connections that are kept, in use and being opened."""
    authority = Authority.ensure(tmp_path)
    stuck = socket.create_server(("127.0.0.1", 0), backlog=0)
    mine: Callable[[], list[Any]] = psutil.Process().net_connections
    async with serving(authority.server_context([HOST])) as here:
        before = len(mine())
        dialer = Dialer(Names(NameServer("127.0.0.1")))
        how: dict[str, Any] = {"scheme": "https", "ca_file": str(authority.path)}
        await asyncio.gather(*(ask(dialer, here.port, **how) for _ in range(5)))
        running = [
            asyncio.create_task(ask(dialer, here.port, path="/slow", **how)),
            asyncio.create_task(ask(dialer, stuck.getsockname()[1], **how)),
        ]
        await asyncio.sleep(0.1)
        assert len(mine()) > before
        await dialer.close()
        for result in await asyncio.gather(*running, return_exceptions=True):
            assert isinstance(result, PlanarError)
        async with asyncio.timeout(3):
            while len([one for one in mine() if one.raddr and one.raddr.port == here.port]):
                await asyncio.sleep(0.01)
        await dialer.close()
    stuck.close()


PROGRAM = """
    import asyncio, sys
    import planar

    async def main():
        async with planar.open(private_venue=True) as p:
            exchange = await p.exchange("binance", environment="local")
            print("ready", flush=True)
            if sys.argv[1] == "raise":
                raise ValueError("a mistake of the user's")
            async with exchange.watch_ticker("BTC/USDT") as tickers:
                async for _ in tickers:
                    print("tick", flush=True)

    asyncio.run(main())
"""


@pytest.mark.parametrize("how", ["raise", "ctrl-c"])
def test_a_program_that_ends_badly_leaves_nothing(how: str, tmp_path: Path) -> None:
    script = tmp_path / "program.py"
    script.write_text(textwrap.dedent(PROGRAM))
    environ = {**os.environ, "PLANAR_STATE": str(tmp_path / "state"), "PYTHONWARNINGS": "always"}
    with subprocess.Popen(
        [sys.executable, "-X", "dev", str(script), how],
        cwd=tmp_path,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        children = psutil.Process(process.pid).children() if how == "ctrl-c" else []
        if how == "ctrl-c":
            assert process.stdout.readline() == "tick\n"
            process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=20)
    assert ("KeyboardInterrupt" if how == "ctrl-c" else "a mistake of the user's") in told
    for word in ("ResourceWarning", "Unclosed", "never retrieved", "was destroyed but it is pending", "never awaited"):
        assert word not in told, told
    assert not [child for child in children if child.is_running()]
