"""What happened on the wire: whoever watches, looks here.

`Monitor` watches one exchange in one environment. Every request of it passes `enter` before it leaves and `ended` when
all is known about it; what is kept is small and of fixed size. `Observatory` holds the monitors of a workspace.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from typing import Final

import planar.runtime as runtime
from planar.errors import DDoSProtection, ExchangeNotAvailable, Outcome, PlanarError, RequestTimeout
from planar.transport.account_log import logged_account
from planar.transport.alarms import Alarms
from planar.transport.breaker import BreakerState
from planar.transport.clock import ClockHealth, VenueClock
from planar.transport.context import CallContext, Effect, Priority, RequestRecord
from planar.transport.health import HostHealth, HostWatch
from planar.transport.retries import Retries

log = logging.getLogger("planar.transport")

RECENT: Final = 100
"""Requests that are kept to be looked at."""
SHORT_S: Final = 1.0
"""A call with less time than this that ran out of it says nothing about the host."""
HURRIED_MS: Final = 1_000.0
"""An order with less time than this is compared with what its host usually takes."""
STARVED: Final = 5
STARVED_S: Final = 10.0
"""So many calls within so long that a used-up limit kept from being sent are an alarm."""

RequestHook = Callable[[str, RequestRecord], None]
"""Called with the exchange's id and the request, when all is known about it."""


class Monitor:
    """Watches one exchange in one environment; shared by its accounts.

    Attributes:
        exchange: its id.
        clock: the venue's time.
        hosts: host -> what is kept of it.
        requests: the last ones, the oldest first.
        alarms: where what matters goes.
        retries: the retries that its hosts have left.
    """

    def __init__(self, exchange: str, alarms: Alarms, hooks: list[RequestHook]) -> None:
        self.exchange = exchange
        self.alarms = alarms
        self.clock = VenueClock()
        self.retries = Retries()
        self.hosts: dict[str, HostWatch] = {}
        self.requests: deque[RequestRecord] = deque(maxlen=RECENT)
        self._hooks = hooks
        self._starved: deque[float] = deque(maxlen=STARVED)

    def enter(self, url: str, call: CallContext, effect: Effect) -> HostWatch:
        """Ask the breaker of the URL's host. Cancels and questions about orders go whatever it says.

        Raises:
            ExchangeNotAvailable: (NOT_SENT) the breaker is open.
            RequestTimeout: (NOT_SENT) an order has less time left than the host usually takes to answer.
        """
        host = url.split("/", 3)[2]
        watch = self.hosts.get(host)
        if watch is None:
            watch = self.hosts[host] = HostWatch(host)
        if effect is Effect.WRITE and call.priority is Priority.ORDER:
            self._check_time(watch, call)
        if watch.breaker.state is BreakerState.CLOSED:
            return watch
        if call.priority is Priority.CANCEL or (call.priority is Priority.ORDER and effect is Effect.READ):
            return watch
        wait_s = watch.breaker.wait_s(runtime.monotonic())
        if wait_s > 0:
            raise ExchangeNotAvailable(
                f"{call.name} was not sent: {host} answers nothing; it is tried again in {wait_s:.1f} s",
                exchange=self.exchange,
                outcome=Outcome.NOT_SENT,
                retryable=True,
                retry_after_s=wait_s,
                hint=f"the last that failed: {watch.last_failure}",
            )
        return watch

    def _check_time(self, watch: HostWatch, call: CallContext) -> None:
        """An order that leaves too late for its answer would become unknown, and nothing be gained by it."""
        left_ms = (call.deadline - runtime.monotonic()) * 1000
        usual_ms = watch.usual_ms() if left_ms < HURRIED_MS else None
        if usual_ms is not None and left_ms < usual_ms:
            raise RequestTimeout(
                f"{call.name} was not sent: {max(0.0, left_ms):.0f} of its {call.timeout_ms} ms were left, and "
                f"{watch.host} usually takes {usual_ms:.0f} ms to answer",
                exchange=self.exchange,
                outcome=Outcome.NOT_SENT,
                hint="a longer timeout_ms",
            )

    def ended(
        self, watch: HostWatch, record: RequestRecord | None, error: PlanarError | None, allowed_s: float
    ) -> None:
        """All is known about a request.

        Args:
            record: None if it was not even begun.
            error: why there is no good answer; None if there is, or if the caller left.
            allowed_s: how long it could have waited for its answer.
        """
        now = runtime.monotonic()
        if record is None:
            watch.breaker.abandon_probe(now)
            return
        self.requests.append(record)
        watch.count(record, now)
        if record.http_status is not None:
            if watch.breaker.succeeded():
                self.alarms.report(
                    "breaker_closed", "info", self.exchange, f"{watch.host} answers again", of=watch.host
                )
        elif error is None or (allowed_s < SHORT_S and (record.took_ms or 0.0) > allowed_s * 800):
            watch.breaker.abandon_probe(now)
        elif watch.breaker.failed(now):
            text = f"{watch.host} answers nothing any more: {error.message}"
            self.alarms.report("breaker", "error", self.exchange, text, of=watch.host)
        if error is not None:
            self._failed(watch, record, error)
        if log.isEnabledFor(logging.DEBUG):
            log.debug("%s", _line(self.exchange, record, error))
        for hook in self._hooks:
            self._call(hook, record)

    def _failed(self, watch: HostWatch, record: RequestRecord, error: PlanarError) -> None:
        if record.outcome is not Outcome.REFUSED:
            watch.last_failure = error.message
        if isinstance(error, DDoSProtection) or record.http_status == 418:
            data = {"host": watch.host, "http_status": record.http_status, "retry_after_s": error.retry_after_s}
            text = f"{watch.host} has banned this address or key: {error.message}"
            self.alarms.report("ban", "error", self.exchange, text, of=watch.host, data=data)

    def _call(self, hook: RequestHook, record: RequestRecord) -> None:
        """A hook of the user's must not change what becomes of the request."""
        try:
            hook(self.exchange, record)
        except Exception:
            log.exception("a hook of on_request failed")

    def starved(self, error: PlanarError) -> None:
        """A call was not sent since its turn would have come too late."""
        now = runtime.monotonic()
        self._starved.append(now)
        if len(self._starved) == STARVED and now - self._starved[0] < STARVED_S:
            text = f"{STARVED} calls within {STARVED_S:.0f} s were not sent: {error.message}"
            self.alarms.report("budget", "warning", self.exchange, text, data={"retry_after_s": error.retry_after_s})

    def told_time(self, told_ms: int, record: RequestRecord) -> None:
        """The venue told its time in answer to this request."""
        self.clock.sample(told_ms, record.began_s, record.began_s + (record.took_ms or 0.0) / 1000)
        off_ms = self.clock.off_ms()
        if off_ms:
            side = "behind" if off_ms > 0 else "ahead of"
            text = f"this machine's clock is {abs(off_ms) / 1000:.1f} s {side} the venue's; requests are signed by the "
            text += "venue's, but synchronise it (NTP)"
            self.alarms.report("clock", "warning", self.exchange, text, data={"offset_ms": round(off_ms, 1)})


def _line(exchange: str, record: RequestRecord, error: PlanarError | None) -> str:
    """A request for machines that read logs: fields, and nothing that was signed."""
    outcome = record.outcome.value if record.outcome is not None else "unknown"
    account = logged_account().partition("/")[2]
    line = f"request exchange={exchange} {f'account={account} ' if account else ''}effect={record.effect.value} "
    line += f"method={record.method} host={record.host} "
    line += f"path={record.path} status={record.http_status or '-'} outcome={outcome} ms={record.took_ms or 0:.1f}"
    return line if error is None else f"{line} error={type(error).__name__} code={error.code or '-'}"


class ExchangeHealth:
    """How an exchange does, as this process sees it; always of now."""

    def __init__(self, monitor: Monitor) -> None:
        self._monitor = monitor

    @property
    def hosts(self) -> tuple[HostHealth, ...]:
        """Each host that was asked for something."""
        return tuple(watch.health() for watch in self._monitor.hosts.values())

    @property
    def clock(self) -> ClockHealth:
        """This machine's clock beside the venue's."""
        return self._monitor.clock.health()

    @property
    def breaker(self) -> str:
        """The worst of all hosts: "open", "half_open" or "closed"."""
        states = [watch.breaker.state for watch in self._monitor.hosts.values()]
        worst = (BreakerState.OPEN, BreakerState.HALF_OPEN)
        return next((state.value for state in worst if state in states), BreakerState.CLOSED.value)

    @property
    def last_success_ms(self) -> int | None:
        """UTC milliseconds of the last good answer of any host."""
        return max((watch.last_ok_ms for watch in self._monitor.hosts.values() if watch.last_ok_ms), default=None)

    def recent(self, count: int = RECENT) -> list[RequestRecord]:
        """The last requests, the oldest first; at most `RECENT`."""
        return list(self._monitor.requests)[-count:]

    def __repr__(self) -> str:
        return f"<health of {self._monitor.exchange}: breaker {self.breaker}, {len(self._monitor.hosts)} hosts>"


class Observatory:
    """The monitors of a workspace, and whoever wants to hear of each request."""

    def __init__(self, alarms: Alarms | None = None) -> None:
        self.alarms = alarms or Alarms()
        self._hooks: list[RequestHook] = []
        self._monitors: dict[tuple[str, str, str], Monitor] = {}

    def monitor(self, exchange: str, environment: str, instance: str = "") -> Monitor:
        """The monitor of an exchange in an environment; the same one for all its accounts.

        Args:
            instance: of the local venue.
        """
        key = (exchange, environment, instance)
        if key not in self._monitors:
            self._monitors[key] = Monitor(exchange, self.alarms, self._hooks)
        return self._monitors[key]

    def monitors(self) -> dict[tuple[str, str, str], Monitor]:
        """All of them, by (exchange, environment, instance)."""
        return dict(self._monitors)

    def on_request(self, hook: RequestHook) -> Callable[[], None]:
        """Call `hook` with each request that has ended, until the function that is given back is called."""
        self._hooks.append(hook)
        return lambda: self._hooks.remove(hook)
