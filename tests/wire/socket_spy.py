"""A spy below every socket of the process: it counts where anything tries to go, and lets nothing through.

It listens to the interpreter's own audit events, which no library can go around: `socket.connect`, `socket.sendto` and
the lookups of names. Names are answered with addresses of a range that is kept for tests (RFC 2544), one for each name,
so that a connection tells the name that it was opened for. Unix sockets and pairs of the loop's own pass.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_active: list[Spy] = []


class Spy:
    """What was tried while it was active.

    Attributes:
        looked_up: names whose addresses were asked for.
        dialed: names, or bare addresses, that a connection was to be opened to.
    """

    def __init__(self) -> None:
        self.looked_up: list[str] = []
        self.dialed: list[str] = []
        self._addresses: dict[str, str] = {}

    @property
    def hosts(self) -> set[str]:
        """Every host that was tried in any way."""
        return {*self.looked_up, *self.dialed}

    def clear(self) -> None:
        """Forget what was tried."""
        self.looked_up.clear()
        self.dialed.clear()

    def resolve(self, host: Any, port: Any, *_: Any, **__: Any) -> list[tuple[Any, ...]]:
        """In the place of `socket.getaddrinfo`."""
        name = host.decode() if isinstance(host, bytes) else str(host)
        if not name.replace(".", "").isdigit():
            self.looked_up.append(name)
            at = len(self._addresses)
            name = self._addresses.setdefault(name, f"198.18.{at // 250}.{at % 250 + 1}")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (name, int(port or 0)))]

    def heard(self, event: str, details: tuple[Any, ...]) -> None:
        """An audit event."""
        if event in ("socket.getaddrinfo", "socket.gethostbyname"):
            self.looked_up.append(str(details[0]))
            raise OSError("the spy answers no lookup that goes past it")
        if event in ("socket.connect", "socket.sendto") and isinstance(details[1], tuple):
            address = str(details[1][0])
            self.dialed.append(next((name for name, given in self._addresses.items() if given == address), address))
            raise ConnectionRefusedError("the spy lets nothing through")


def _hook(event: str, details: tuple[Any, ...]) -> None:
    if _active and event.startswith("socket."):
        _active[-1].heard(event, details)


@contextmanager
def spying() -> Iterator[Spy]:
    """A spy that is active within."""
    spy, original = Spy(), socket.getaddrinfo
    if not _installed:
        sys.addaudithook(_hook)  # it stays for good; without an active spy it does nothing
        _installed.append(True)
    _active.append(spy)
    socket.getaddrinfo = spy.resolve  # type: ignore[assignment]
    try:
        yield spy
    finally:
        socket.getaddrinfo = original
        _active.remove(spy)


_installed: list[bool] = []
