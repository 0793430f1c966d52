"""Which kept connections a WRITE may use.

A venue closes a connection that has been idle for as long as it likes. A request that is on its way at that moment gets
no answer, and nobody knows whether it was read. So a WRITE takes a kept connection only if it was used a moment ago,
much less than venues keep them; else a new one is opened. READs are asked again, so they take older ones too. Nobody
takes one on which something has arrived since, an end included: the next request would take it for its answer.
"""

from __future__ import annotations

import select
from collections import deque
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final

import planar.runtime as runtime

if TYPE_CHECKING:
    from aiohttp.client_proto import ResponseHandler


class Sending:
    """A request on its way to a connection.

    Attributes:
        write: it is a WRITE.
        connecting: it waits for its connection, so no byte of it has left.
        dialed: it has asked for a connection. It does so once; a second time it follows a redirect.
    """

    __slots__ = ("connecting", "dialed", "write")

    def __init__(self, write: bool) -> None:
        self.write = write
        self.connecting = False
        self.dialed = False


sending: ContextVar[Sending | None] = ContextVar("planar_sending", default=None)
"""The request that is being sent; None for one that Planar does not send itself."""

KEPT_S: Final = 30.0
"""For how long a connection is kept for READs."""

Kept = deque[tuple["ResponseHandler", float]]
"""Connections of one host that are kept, and when they were last used by aiohttp's clock, the earliest first."""


def drop_spoiled(kept: Kept) -> None:
    """Close those on which something has come unasked: whoever takes one would take that for his answer.

    The one that aiohttp takes next is then sound; those behind it are looked at when it is their turn.
    """
    while kept and not _quiet(kept[0][0]):
        kept.popleft()[0].close()


def keep_sure(kept: Kept, reuse_s: float) -> None:
    """Close those that a WRITE must not use, and put the one used last at the front, where aiohttp takes it.

    Args:
        reuse_s: how long a connection may have been idle.
    """
    earliest = runtime.SYSTEM.monotonic() - reuse_s  # aiohttp's clock, in a simulation too
    for _ in range(len(kept)):
        protocol, used_at = kept.popleft()
        if used_at >= earliest and _quiet(protocol):
            kept.append((protocol, used_at))
        else:
            protocol.close()
    kept.rotate(1)


def _quiet(protocol: ResponseHandler) -> bool:
    """Whether nothing was read and nothing waits to be. What comes unasked is an end, the venue's word that one is
    near, or an answer to nobody.

    The event loop may not have had time to see it. Connections in memory have no socket, and are seen at once.
    """
    transport = protocol.transport
    if transport is None or protocol.should_close:
        return False
    sock = transport.get_extra_info("socket")
    if sock is None or not hasattr(select, "poll"):
        return True
    poll = select.poll()
    poll.register(sock.fileno(), select.POLLIN)
    return not poll.poll(0)
