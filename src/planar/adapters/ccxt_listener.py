"""Who is told what happens on a socket of CCXT.

A `Listener` stands in the context variable `listening` while CCXT's `watch_*` runs, and is thereby bound to the message
hashes that the method waits for. From then on it is called for each resolution and each failure, awaited or not.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from planar.adapters.ccxt_socket import SocketGuard


class Listener(Protocol):
    """Who watches something on a socket. None of its methods raises."""

    def joined(self, socket: SocketGuard) -> None:
        """It now listens on this socket."""
        ...

    def subscribed(self) -> None:
        """The subscription frame was sent, and a frame came after it."""
        ...

    def resolved(self, result: Any) -> None:
        """CCXT resolved what is watched."""
        ...

    def failed(self, error: Exception) -> None:
        """CCXT rejected what is watched, or the connection ended."""
        ...


listening: ContextVar[Listener | None] = ContextVar("planar_listening", default=None)
