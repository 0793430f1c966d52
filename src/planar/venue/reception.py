"""What the doors of a local venue ask about connections: which hosts are served, and which faults wait for them.

`FrontDesk` answers for the TCP door, and for the server where the host of a connection shows only in its first request
(plain HTTP, the Unix door). Its doors can be closed for a while; the faults come from the `FaultBook`.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Mapping

import planar.runtime as runtime
from planar.venue.ca import Authority
from planar.venue.connection import HttpConnection
from planar.venue.doors import TcpDoor, UnixDoor
from planar.venue.faults import ConnectionFault, FailHandshake, FaultBook, Subject
from planar.venue.faults.connections import Mishap
from planar.venue.faults.rules import Part


class FrontDesk:
    """A `Reception` for the doors of one venue process.

    Attributes:
        tcp, unix: the doors that are open, or None.
        authority: issues the certificates of handshakes that fail; None without a TCP door.
    """

    def __init__(self, venues: Mapping[str, str], faults: FaultBook, refusal: Callable[[str], str]) -> None:
        """
        Args:
            venues: id of the exchange behind each host.
            faults: the rules.
            refusal: the text for a host that is not served.
        """
        self.tcp: TcpDoor | None = None
        self.unix: UnixDoor | None = None
        self.authority: Authority | None = None
        self._venues = venues
        self._faults = faults
        self._refusal = refusal
        self._closed: asyncio.Task[None] | None = None

    def serves(self, host: str) -> bool:
        """Whether a host is one of the venues'."""
        return host in self._venues

    def refusal(self, host: str) -> str:
        """The text for one that is not."""
        return self._refusal(host)

    def connection_fault(self, host: str, *, tunnelled: bool) -> ConnectionFault | None:
        """What becomes of a new connection to a host."""
        method = "CONNECT" if tunnelled else ""
        found = self._find(host, method, "connection")
        if found is None and tunnelled:
            found = self._find(host, method, "tunnel")
        return found

    def handshake_fault(self, host: str) -> Mishap | None:
        """How a TLS handshake is to fail."""
        fault = self._find(host, "", "handshake")
        return fault.how if isinstance(fault, FailHandshake) else None

    def failing_context(self, host: str, how: Mishap) -> ssl.SSLContext:
        """The context of a handshake that fails for its certificate. Raises RuntimeError without an authority."""
        if self.authority is None:
            raise RuntimeError("a TLS door has an authority")
        return self.authority.failing_context(host, how)

    def _find(self, host: str, method: str, part: Part) -> ConnectionFault | None:
        if self._faults.empty() or host not in self._venues:
            return None
        subject = Subject(
            venue=self._venues[host], method=method, host=host, path="", account=None, upgrade=False, part=part
        )
        return self._faults.connection_fault(subject)

    def close_doors(self, for_ms: int) -> None:
        """Take no new connection for so long. While the doors are closed already, nothing changes."""
        if self._closed is None or self._closed.done():
            self._closed = runtime.spawn(self._keep_closed(for_ms), name="venue-doors-closed")

    async def _keep_closed(self, for_ms: int) -> None:
        if self.tcp is not None:
            self.tcp.pause()
        if self.unix is not None:
            self.unix.pause()
        await runtime.sleep(for_ms / 1000)
        if self.tcp is not None:
            self.tcp.resume()
        if self.unix is not None:
            await self.unix.open()

    async def close(self) -> None:
        """End for good: no door is opened again."""
        if self._closed is not None:
            self._closed.cancel()
            await asyncio.gather(self._closed, return_exceptions=True)
        if self.tcp is not None:
            await self.tcp.close()
        if self.unix is not None:
            self.unix.close()


class PlainArrival:
    """A connection whose first request shows where it was meant to go. The exchange does not hear of that request."""

    def __init__(self, connection: HttpConnection, desk: FrontDesk) -> None:
        self._connection = connection
        self.close_doors = desk.close_doors

    async def refuse(self, status: int, body: str) -> None:
        """There is no tunnel to refuse."""
        raise NotImplementedError

    def reset(self) -> None:
        """Break it."""
        self._connection.reset()

    async def hang(self) -> None:
        """Wait for the client to leave."""
        await self._connection.gone.wait()
