"""The same scenarios with orders over the venue's socket: its faults, and how many orders went which way."""

from __future__ import annotations

import random

import msgspec

from benchmarks.safety.venue import PLACES
from planar.adapters import order_line
from planar.venue.client import VenueControl
from planar.venue.faults import (
    CloseSocket,
    CorruptFrame,
    DelayFrame,
    DoubleFrame,
    DropFrame,
    DropMessage,
    DropRequest,
    Fault,
    FaultRule,
    HalfOpen,
    RefuseMessage,
    ReplaceFrame,
    ResetSocket,
    Silence,
)


class Door(msgspec.Struct, frozen=True):
    """A venue's socket for orders.

    Attributes:
        path: of the socket.
        asked: pattern of a message that places an order.
        answered: pattern of its answer.
    """

    path: str
    asked: str
    answered: str


DOORS = {
    "binance": Door("/ws-api/v3", '*"order.place"*', '*"fills":*'),
    "kraken": Door("/v2", '*"add_order"*', '*"method":"add_order"*'),
}

SWALLOWING: tuple[Fault, ...] = (
    DropFrame(),
    CorruptFrame(how="cut"),
    ReplaceFrame(body="<html><body><h1>502 Bad Gateway</h1></body></html>"),
    ReplaceFrame(body="{}"),
    ReplaceFrame(body='{"id":null,"status":400,"error":{},"success":false}'),
    DelayFrame(delay_ms=600),
    DoubleFrame(),
    ResetSocket(),
    CloseSocket(code=1001),
    Silence(),
    HalfOpen(),
)
"""What becomes of an answer after the venue has taken the order."""
UNHEARD: tuple[Fault, ...] = (DropMessage(), RefuseMessage(body="<html>502</html>"))
"""What becomes of an order before it is heard."""
NEVER = 1_000_000_000
SOCKET, REST = "by socket", "by REST"


async def count_ways(control: VenueControl, exchange: str) -> None:
    """Have the venue count the orders that come by each way."""
    door, place = DOORS[exchange], PLACES[exchange]
    await control.add_fault(FaultRule(id=SOCKET, fault=DropMessage(), path=door.path, body=door.asked, nth=NEVER))
    await control.add_fault(FaultRule(id=REST, fault=DropRequest(), method="POST", path=place.order_path, nth=NEVER))


async def ways(control: VenueControl) -> dict[str, int]:
    """Orders by way."""
    states = {state.rule.id: state.seen for state in (await control.faults()).rules}
    return {name: states[name] for name in (SOCKET, REST)}


async def swallow(control: VenueControl, exchange: str, count: int, rng: random.Random) -> None:
    """Every second order over the socket meets a fault of its own; every 20th of those is not heard.

    Were it each of them, the breaker of the socket's host would rightly send nearly all by REST.
    A connection that such a fault has ended is dialed again at once: otherwise most orders would meet none, by REST.
    """
    order_line.BETWEEN_S = 0.0  # type: ignore[misc]
    door = DOORS[exchange]
    for number in range(count):
        if number % 20 == 19:
            fault, body = rng.choice(UNHEARD), door.asked
        else:
            fault, body = rng.choice(SWALLOWING), door.answered
        await control.add_fault(FaultRule(fault=fault, path=door.path, body=body, nth=2 * number + 1))


async def swallowed(control: VenueControl, path: str) -> int:
    """How many orders have met a fault by this way."""
    return sum(state.fired for state in (await control.faults()).rules if state.rule.path == path)
