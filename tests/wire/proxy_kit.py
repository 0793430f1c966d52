"""Proxies on this machine: HTTP, HTTPS and SOCKS 5, that write down what they are asked and lead to one server.

Whatever host a client asks for, the way leads to `upstream`, a port of this machine. `how` says what a proxy does in the
place of leading there.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import socket
import ssl
from typing import Literal

How = Literal["lead", "refuse", "garbage", "close", "hang", "close inside", "stall inside"]
"""`lead` to the server; answer with an error; answer what is not the protocol; close unanswered; never answer; open the
way, and close it, or be silent, at the first bytes that come through."""


class LocalProxy:
    """A proxy; what the kinds share.

    Attributes:
        asked: "host:port" of each request for a way, in the order of arrival.
        logins: "user:password" of each client that gave one.
        how: what it does with the next request.
        closed_hosts: hosts that it does not lead to (SOCKS).
        open: connections of clients that stand now.
    """

    scheme = ""

    def __init__(self, upstream: int, login: str | None = None, tls: ssl.SSLContext | None = None) -> None:
        self.asked: list[str] = []
        self.logins: list[str] = []
        self.how: How = "lead"
        self.closed_hosts: set[str] = set()
        self.open = 0
        self._upstream = upstream
        self._login = login
        self._tls = tls
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> LocalProxy:
        self._server = await asyncio.start_server(self._client, "127.0.0.1", 0, ssl=self._tls)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    @property
    def port(self) -> int:
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def url(self, login: str = "", scheme: str | None = None) -> str:
        at = f"{login}@" if login else ""
        return f"{scheme or self.scheme}://{at}127.0.0.1:{self.port}"

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.open += 1
        try:
            if await self.greet(reader, writer):
                await self._lead(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError, ssl.SSLError):
            pass
        finally:
            self.open -= 1
            self._tasks.discard(task)
            writer.close()

    async def greet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Speak the protocol; whether a way was opened."""
        raise NotImplementedError

    async def _lead(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.how in ("close inside", "stall inside"):
            await reader.read(1)
            if self.how == "stall inside":
                await asyncio.Event().wait()
            return
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._upstream)
        pipes = [asyncio.ensure_future(_pipe(reader, up_writer)), asyncio.ensure_future(_pipe(up_reader, writer))]
        try:
            await asyncio.wait(pipes, return_when=asyncio.FIRST_COMPLETED)
        finally:
            up_writer.close()
            for pipe in pipes:
                pipe.cancel()
            await asyncio.gather(*pipes, return_exceptions=True)


class HttpProxy(LocalProxy):
    """Knows CONNECT; with `tls` an HTTPS proxy."""

    @property
    def scheme(self) -> str:  # type: ignore[override]
        return "https" if self._tls is not None else "http"

    async def greet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        lines = head.split("\r\n")
        method, target, _ = lines[0].split(" ")
        assert method == "CONNECT", head
        self.asked.append(target)
        headers = dict(line.split(": ", 1) for line in lines[1:] if line)
        given = base64.b64decode(headers.get("Proxy-Authorization", "").removeprefix("Basic ")).decode()
        if given:
            self.logins.append(given)
        answer = b"HTTP/1.1 200 Connection established\r\n\r\n"
        if self._login is not None and given != self._login:
            answer = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
        elif self.how == "refuse":
            answer = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 3\r\n\r\nno\n"
        elif self.how == "garbage":
            answer = b"220 mail.example ESMTP\r\n\r\n"
        elif self.how == "close":
            return False
        elif self.how == "hang":
            await asyncio.Event().wait()
        writer.write(answer)
        await writer.drain()
        return answer.startswith(b"HTTP/1.1 200")


class SocksProxy(LocalProxy):
    """Knows CONNECT of SOCKS 5 (RFC 1928), with or without user and password (RFC 1929)."""

    scheme = "socks5h"

    async def greet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        version, count = await reader.readexactly(2)
        assert version == 5
        methods = await reader.readexactly(count)
        wanted = 2 if self._login is not None else 0
        if self.how == "garbage":
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            await reader.read()
            return False
        if wanted not in methods:
            writer.write(b"\x05\xff")
            await reader.read()
            return False
        writer.write(bytes([5, wanted]))
        if wanted == 2:
            user = await self._text(reader, skip=1)
            self.logins.append(f"{user}:{await self._text(reader)}")
            right = self.logins[-1] == self._login
            writer.write(bytes([1, 0 if right else 1]))
            if not right:
                await reader.read()
                return False
        _, command, _, kind = await reader.readexactly(4)
        assert command == 1
        if kind == 3:
            host = await self._text(reader)
        else:
            family, size = (socket.AF_INET, 4) if kind == 1 else (socket.AF_INET6, 16)
            host = socket.inet_ntop(family, await reader.readexactly(size))
        self.asked.append(f"{host}:{int.from_bytes(await reader.readexactly(2))}")
        if self.how == "close":
            return False
        if self.how == "hang":
            await asyncio.Event().wait()
        reply = 5 if self.how == "refuse" or host in self.closed_hosts else 0
        writer.write(bytes([5, reply, 0, 3, 4]) + b"here" + bytes(2))  # an address by name: its length must be read
        await writer.drain()
        return reply == 0

    @staticmethod
    async def _text(reader: asyncio.StreamReader, skip: int = 0) -> str:
        length = (await reader.readexactly(skip + 1))[-1]
        return (await reader.readexactly(length)).decode()


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
