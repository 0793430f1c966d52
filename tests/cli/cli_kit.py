"""The real `planar` command in a process of its own, with a home of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from planar.cli.app import run as run_here

TIMEOUT_S = 60
START_S = 30


class Ran:
    """How a command ended."""

    def __init__(self, args: Sequence[str], code: int, out: str, err: str) -> None:
        self.args = args
        self.code = code
        self.out = out
        self.err = err
        assert "Traceback" not in out + err, f"{args}: {out}{err}"

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def error(self) -> dict[str, Any]:
        return self.json["error"]

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]

    def __repr__(self) -> str:
        return f"planar {' '.join(self.args)} -> {self.code}\n{self.out}\n{self.err}"


class Home:
    """Where commands run: nothing of the machine's own settings reaches them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(path),
            "XDG_CONFIG_HOME": str(path / "config"),
            "PLANAR_STATE": str(path / "state"),
            "PLANAR_CACHE": str(path / "cache"),
            "TMPDIR": str(path / "tmp"),
            "LANG": "C.UTF-8",
        }
        (path / "tmp").mkdir(exist_ok=True)

    def start(self, *args: str, **environ: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "planar", *args],
            cwd=self.path,
            env={**self.environ, **environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *args: str, **environ: str) -> Ran:
        return ended(args, self.start(*args, **environ))

    def leftovers(self) -> list[str]:
        """Processes of the venue that were started from this home, and what lies in its temporary directory."""
        return [*_processes(str(self.path)), *map(str, (self.path / "tmp").iterdir())]


class Here:
    """Runs commands inside this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def run(self, *args: str) -> Ran:
        code = run_here(args)
        told = self._capsys.readouterr()
        return Ran(args, code, told.out, told.err)


def ended(args: Sequence[str], process: subprocess.Popen[str]) -> Ran:
    try:
        out, err = process.communicate(timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    return Ran(args, process.returncode, out, err)


def _processes(mark: str) -> list[str]:
    """Linux: command lines of the processes whose environment holds `mark`, this one and its own commands excepted."""
    found: list[str] = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            environ = (entry / "environ").read_bytes().decode(errors="replace")
        except OSError:  # it has just ended, or is somebody else's
            continue
        if mark in environ and "planar.venue" in command:
            found.append(command)
    return found


class Venue:
    """`planar venue up` as a process."""

    def __init__(self, home: Home, *options: str, venues: str = "binance") -> None:
        self.home = home
        self.process = home.start("venue", "up", "--json", "--venues", venues, *options)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.process.communicate(timeout=START_S)
        self.record = json.loads(line)

    def interrupt(self) -> Ran:
        self.process.send_signal(signal.SIGINT)
        return ended(("venue", "up"), self.process)


def wait_until(condition: Any, within_s: float = 10) -> None:
    """For what other processes do."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
