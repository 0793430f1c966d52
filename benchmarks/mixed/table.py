"""Which faults are drawn, and which errors each of them may end a call with; an error that no fault explains is wrong.

A fault of a request lets a call fail only if it hit a request to a path of the call while the call lasted, one of a frame
only if the call went over that socket.
"""

from __future__ import annotations

import random

import msgspec

from planar.errors import (
    BadResponse,
    DDoSProtection,
    ExchangeError,
    ExchangeNotAvailable,
    InvalidNonce,
    NetworkError,
    NullResponse,
    OrderUnknown,
    PermissionDenied,
    PlanarError,
    RateLimitExceeded,
    RequestTimeout,
)
from planar.venue.faults import (
    CloseSocket,
    CorruptFrame,
    CutAnswer,
    DelayAnswer,
    DelayFrame,
    DelayRequest,
    DoubleFrame,
    DropAnswer,
    DropFrame,
    DropMessage,
    DropRequest,
    Fault,
    FaultRule,
    GarbleAnswer,
    HalfOpen,
    HangAnswer,
    HangConnection,
    HangRequest,
    RefuseRequest,
    ReorderFrame,
    ReplaceAnswer,
    ReplaceFrame,
    ResetConnection,
    ResetSocket,
    Silence,
    SlowSocket,
    StaleRead,
    StopReading,
)

HTML = "<html><body><h1>502 Bad Gateway</h1></body></html>"
JSON = {"Content-Type": "application/json"}
SHORT = {"Retry-After": "1"}

Classes = tuple[type[PlanarError], ...]


class Mishap(msgspec.Struct, frozen=True):
    """A fault, and how a call that met it may end other than well.

    Attributes:
        fault: what happens.
        classes: the errors of a read; exactly these classes. A call that writes may also end in OrderUnknown.
        share: how many of the requests or frames are hit while the rule is there.
        count: at most so many.
        lies: the answer may be wrong without a sign.
    """

    fault: Fault
    classes: Classes
    share: float = 0.02
    count: int | None = None
    lies: bool = False

    def allowed(self, *, writes: bool) -> Classes:
        """The errors of a call."""
        return (*self.classes, OrderUnknown) if writes else self.classes


GONE: Classes = (ExchangeNotAvailable, NetworkError, RequestTimeout)
NO_ANSWER: Classes = (BadResponse, NullResponse, RequestTimeout)
LATE: Classes = (RequestTimeout,)
LIMITED: Classes = (RateLimitExceeded, DDoSProtection)

REQUESTS: dict[str, Mishap] = {
    "drop_request": Mishap(DropRequest(), GONE),
    "drop_answer": Mishap(DropAnswer(), GONE),
    # where nonces must rise, a request that is overtaken on its way is refused
    "delay_request": Mishap(DelayRequest(delay_ms=300), (*LATE, InvalidNonce)),
    "delay_answer": Mishap(DelayAnswer(delay_ms=300), LATE),
    "hang_request": Mishap(HangRequest(), LATE, share=0.01),
    "hang_answer": Mishap(HangAnswer(), LATE, share=0.01),
    "cut_answer": Mishap(CutAnswer(keep_bytes=40), (*GONE, *NO_ANSWER)),
    # an error of the exchange's that cannot be read any more is judged by its status alone
    "garbled": Mishap(GarbleAnswer(flips=3), (*NO_ANSWER, ExchangeError, ExchangeNotAvailable), lies=True),
    "html_200": Mishap(ReplaceAnswer(status=200, body=HTML), NO_ANSWER),
    "empty_200": Mishap(ReplaceAnswer(status=200, body=""), NO_ANSWER),
    "braces_200": Mishap(ReplaceAnswer(status=200, body="{}", headers=JSON), NO_ANSWER),
    "half_json_200": Mishap(ReplaceAnswer(status=200, body='{"a": [1, 2', headers=JSON), NO_ANSWER),
    "html_403": Mishap(RefuseRequest(status=403, body=HTML), (*GONE, *NO_ANSWER, PermissionDenied, RateLimitExceeded)),
    "html_404": Mishap(RefuseRequest(status=404, body=HTML), (*GONE, *NO_ANSWER)),
    "html_500": Mishap(ReplaceAnswer(status=500, body=HTML), GONE),
    "html_502": Mishap(RefuseRequest(status=502, body=HTML), GONE),
    "empty_503": Mishap(ReplaceAnswer(status=503, body=""), GONE),
    "html_504": Mishap(ReplaceAnswer(status=504, body=HTML), GONE),
    "429": Mishap(RefuseRequest(status=429, body="{}", headers={**JSON, **SHORT}), LIMITED, count=1),
    "418": Mishap(
        RefuseRequest(status=418, body="{}", headers={**JSON, **SHORT}),
        LIMITED,
        count=1,
    ),
    "stale_read": Mishap(StaleRead(lag_ms=500), ()),
    "reset_connection": Mishap(ResetConnection(), GONE, share=0.3),
    "hang_connection": Mishap(HangConnection(), (*LATE, ExchangeNotAvailable), share=0.1),
}

FRAMES: dict[str, Mishap] = {
    "drop_frame": Mishap(DropFrame(), LATE),
    "double_frame": Mishap(DoubleFrame(), ()),
    "delay_frame": Mishap(DelayFrame(delay_ms=50), LATE),
    "reorder_frame": Mishap(ReorderFrame(), ()),
    "cut_frame": Mishap(CorruptFrame(how="cut"), (*GONE, *NO_ANSWER)),
    "flip_frame": Mishap(CorruptFrame(how="flip"), (*GONE, *NO_ANSWER, ExchangeError), lies=True),
    "html_frame": Mishap(ReplaceFrame(body=HTML), (*GONE, *NO_ANSWER)),
    "silence": Mishap(Silence(for_ms=500), LATE, count=2),
    "half_open": Mishap(HalfOpen(), LATE, count=1),
    "slow_socket": Mishap(SlowSocket(bytes_per_s=20_000), LATE, count=1),
    "close_socket": Mishap(CloseSocket(code=1012, reason="service restart"), GONE, count=2),
    "reset_socket": Mishap(ResetSocket(), GONE, count=2),
    "drop_message": Mishap(DropMessage(), LATE, count=1),
    "stop_reading": Mishap(StopReading(), LATE, count=1),
}

ALL = {**REQUESTS, **FRAMES}


def draw(seed: int, chunk: int) -> list[FaultRule]:
    """The rules of a part of a run: five kinds for requests, two for sockets, each on a share of them."""
    rng = random.Random(f"{seed}/faults/{chunk}")
    names = [*rng.sample(list(REQUESTS), 5), *rng.sample(list(FRAMES), 2)]
    return [
        FaultRule(
            id=f"{name}/{chunk}",
            fault=ALL[name].fault,
            count=ALL[name].count,
            probability=ALL[name].share,
            seed=rng.randrange(1_000_000),
        )
        for name in names
    ]
