"""Order entry over a venue's WebSocket, as a venue's package describes it: `Profile.entry`.

A request that CCXT made for REST is said over the socket where the table has it, and the answer is given back as REST
would have given it: so the budget, the journal, the audit trail, the outcome tables and CCXT's parsing stay what they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from planar.transport.http import Answer


class Asked(msgspec.Struct, frozen=True):
    """A request that is to be said over the socket.

    Attributes:
        id: to match its answer by; random, so that a damaged answer is nobody's.
        method: the venue's name of it.
        params: as CCXT made them for REST, unsigned.
        token: of the venue's socket; None where it takes signatures.
    """

    id: int
    method: str
    params: Mapping[str, Any]
    token: str | None = None


class TokenRule(msgspec.Struct, frozen=True):
    """How a venue whose socket takes tokens gives them out.

    Attributes:
        method: CCXT's method of the venue's own call.
        read: the token in its answer; raises KeyError or TypeError where there is none.
        renew_s: so long after it was given out the next one is asked for.
        life_s: so long it is surely good.
        refusals: codes with which the venue refuses a request for its token alone.
    """

    method: str
    read: Callable[[Mapping[str, Any]], str]
    renew_s: float
    life_s: float
    refusals: frozenset[str]


class SocketEntry(msgspec.Struct, frozen=True):
    """One venue's order entry over a WebSocket.

    Attributes:
        url: finds the socket's URL in CCXT's `urls["api"]`, which follows the environment.
        methods: (section, HTTP method, path) of REST -> the venue's method. What is not here goes by REST.
        frame: (CCXT's exchange, request) -> the text of the frame; None where the socket has no word for a parameter.
        whose: the id of the request that a frame answers; None: it answers none. ValueError: it is an answer, and does
            not say to what.
        answer: the answer as REST would have given it. ValueError, KeyError, TypeError: it is none.
        leaving: whether a frame says that the venue is about to close the connection.
        ping: the venue's own ping; None: that of the protocol.
        renew_s: a connection is replaced when it is so old; before the venue closes it.
        costs: (meter, cost) of opening a connection.
        token: where requests carry a token.
        source: where the venue describes it.
    """

    url: Callable[[Mapping[str, Any]], str]
    methods: Mapping[tuple[str, str, str], str]
    frame: Callable[[Any, Asked], str | None]
    whose: Callable[[Mapping[str, Any]], str | None]
    answer: Callable[[Mapping[str, Any]], Answer]
    leaving: Callable[[Mapping[str, Any]], bool]
    ping: str | None = None
    renew_s: float = 23.5 * 3600
    costs: tuple[tuple[str, float], ...] = ()
    token: TokenRule | None = None
    source: str = ""
