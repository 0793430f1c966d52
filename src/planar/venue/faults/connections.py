"""What a fault does to a connection before its first request: what a client sees when a host cannot be reached.

The doors (`planar.venue.doors`, `planar.venue.server`) ask about every connection once its host is known: from the
CONNECT of a proxy client, from the name in a TLS client's greeting, otherwise from the first request.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Protocol, Self

import msgspec

Mishap = Literal["alert", "untrusted", "expired", "wrong_host"]
"""How a TLS handshake fails."""
CloseMs = Annotated[int, msgspec.Meta(ge=1, le=60_000)]


class Arrival(Protocol):
    """A connection that has just come in, as faults see it."""

    async def refuse(self, status: int, body: str) -> None:
        """Answer its CONNECT with an error."""
        ...

    def reset(self) -> None:
        """Break it."""
        ...

    async def hang(self) -> None:
        """Say nothing until the client leaves."""
        ...

    def close_doors(self, for_ms: int) -> None:
        """Take no new connection at any door for so long."""
        ...


class ConnectionFault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"):
    """What a rule does to a new connection."""

    meets_upgrades: ClassVar[bool] = True
    part: ClassVar[str] = "connection"

    def aged(self, age_ms: int) -> Self:
        """The same at every age of its rule."""
        return self

    async def play(self, arrival: Arrival) -> None:
        """Do it; the connection serves no request then."""
        raise NotImplementedError


class ResetConnection(ConnectionFault, frozen=True, tag="reset_connection"):
    """The connection is reset before a byte comes back: at CONNECT, at the TLS greeting, or at the first request."""

    async def play(self, arrival: Arrival) -> None:
        """Break it."""
        arrival.reset()


class HangConnection(ConnectionFault, frozen=True, tag="hang_connection"):
    """The connection is accepted and nothing ever comes back: no tunnel, no TLS handshake, no answer."""

    async def play(self, arrival: Arrival) -> None:
        """Wait for the client to leave."""
        await arrival.hang()


class CloseDoors(ConnectionFault, frozen=True, tag="close_doors"):
    """The connection is reset, and for a while the venue takes no new one at any door: the system refuses them.

    Connections that stand go on. The control API, too, cannot be reached anew meanwhile.

    Attributes:
        for_ms: for how long.
    """

    for_ms: CloseMs

    async def play(self, arrival: Arrival) -> None:
        """Close the doors and break it."""
        arrival.close_doors(self.for_ms)
        arrival.reset()


class RefuseTunnel(ConnectionFault, frozen=True, tag="refuse_tunnel"):
    """A proxy cannot reach the host: CONNECT is answered with an error. Only proxy clients with TLS meet it.

    Attributes:
        status: HTTP status: 502 or 503 as for a name that does not resolve, 504 as for a host that does not answer.
        body: text of the answer.
    """

    part = "tunnel"
    status: Annotated[int, msgspec.Meta(ge=300, le=599)] = 502
    body: str = "the host cannot be reached\n"

    async def play(self, arrival: Arrival) -> None:
        """Answer in place of a tunnel."""
        await arrival.refuse(self.status, self.body)


class FailHandshake(ConnectionFault, frozen=True, tag="fail_handshake"):
    """The TLS handshake fails; a client that does not check certificates notices only an alert.

    Attributes:
        how: "alert": the venue ends it with a fatal alert; otherwise its certificate is from an authority that nobody
            trusts ("untrusted"), has run out ("expired"), or is for another host ("wrong_host").
    """

    part = "handshake"
    how: Mishap = "alert"
