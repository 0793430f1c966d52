"""The dead man's switch: all orders of the account are canceled when this program dies or stalls.

Where the venue has a switch of its own, it is armed and renewed in the background; the venue cancels when the renewals
stop, whatever became of this machine. Elsewhere a process of its own watches this one over a pipe (`planar.orders.watchdog`):
it helps against a program that dies or hangs, and not against a machine or a network that does.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from types import TracebackType
from typing import Final, Literal, Protocol, Self

import msgspec

import planar.runtime as runtime
from planar.adapters.base import Adapter
from planar.adapters.opening import OpeningRequest
from planar.adapters.profile import DeadManRule
from planar.errors import BadRequest, NotSupported, OperationFailed, Outcome, PlanarError, RateLimitExceeded
from planar.orders.watchdog import ARMED, BEAT, END, WatchOrder
from planar.transport.account_log import account_log
from planar.transport.alarms import Alarms

log = account_log("planar.orders")

RENEWALS: Final = 3
"""Renewals within one timeout: two may be lost."""
LEAST_S: Final = 1.0
MOST_S: Final = 3_600.0
START_S: Final = 30.0
"""How long a watchdog may take to be ready."""
REQUEST_MS: Final = 10_000
END_S: Final = 5.0

Scope = Literal["venue", "this host only"]


class Switch(Protocol):
    """What strikes."""

    scope: Scope

    async def arm(self) -> None:
        """Begin, or begin again after it has struck."""
        ...

    async def renew(self) -> bool:
        """Tell it that all is well; False if it has struck meanwhile."""
        ...

    async def disarm(self) -> None:
        """End it without striking."""
        ...


class DeadMan:
    """The switch of one account, for the length of an `async with` block.

    Attributes:
        timeout_s: how long after the last sign of life the orders are canceled.
        struck: how often it has struck: this program stalled for longer than the timeout, and came back.
    """

    def __init__(self, switch: Switch, timeout_s: float, alarms: Alarms, exchange: str, account: str) -> None:
        self.timeout_s = timeout_s
        self.struck = 0
        self._switch = switch
        self._alarms = alarms
        self._exchange = exchange
        self._account = account
        self._renewing: asyncio.Task[None] | None = None
        self._last_s = 0.0

    @property
    def scope(self) -> Scope:
        """Who cancels: "venue", or "this host only": a process on this machine."""
        return self._switch.scope

    @property
    def age_s(self) -> float:
        """Seconds since the last renewal that succeeded."""
        return runtime.monotonic() - self._last_s

    async def __aenter__(self) -> Self:
        await self._switch.arm()
        self._last_s = runtime.monotonic()
        self._renewing = runtime.spawn(self._renew(), name=f"{self._exchange}: dead man's switch")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._renewing is not None:
            self._renewing.cancel()
            await asyncio.wait([self._renewing])
            self._renewing = None
        try:
            await asyncio.shield(self._switch.disarm())
        except PlanarError as failure:
            text = f"the dead man's switch could not be ended, and will cancel all orders: {failure.message}"
            self._alarm("error", text)
            if kind is None:
                raise

    async def _renew(self) -> None:
        while True:
            await runtime.sleep(self.timeout_s / RENEWALS)
            late = self.age_s > self.timeout_s
            began_s = runtime.monotonic()
            try:
                alive = await self._switch.renew()
            except PlanarError as error:
                self._alarm("warning", f"the dead man's switch could not be renewed: {error.message}")
                continue
            self._last_s = began_s
            if late or not alive:
                self.struck += 1
                self._alarm(
                    "error",
                    f"this program stalled for more than {self.timeout_s:g} s: the dead man's switch has canceled its "
                    "orders, and is armed again",
                )

    def _alarm(self, severity: Literal["warning", "error"], text: str) -> None:
        log.log(logging.ERROR if severity == "error" else logging.WARNING, "%s: %s", self._exchange, text)
        self._alarms.report("dead_man", severity, self._exchange, text, account=self._account)


class VenueSwitch:
    """The venue's own switch."""

    scope: Scope = "venue"

    def __init__(self, adapter: Adapter, rule: DeadManRule, timeout_s: float) -> None:
        self._adapter = adapter
        self._rule = rule
        self._after_s = int(timeout_s)
        if timeout_s != self._after_s or not rule.least_s <= timeout_s <= rule.most_s:
            raise BadRequest(
                f"timeout_s is {timeout_s:g}",
                exchange=adapter.id,
                outcome=Outcome.NOT_SENT,
                hint=f"the exchange takes whole seconds from {rule.least_s} to {rule.most_s}",
            )

    async def arm(self) -> None:
        """Start the venue's countdown."""
        await self._set(self._after_s)

    async def renew(self) -> bool:
        """Start it anew."""
        await self._set(self._after_s)
        return True

    async def disarm(self) -> None:
        """End it."""
        await self._set(0)

    async def _set(self, after_s: int) -> None:
        """Tell the venue; once more if that fails: it does no harm twice."""
        timeout_ms = min(REQUEST_MS, self._after_s * 1000 // 2)
        try:
            await self._adapter.cancel_all_after(after_s, timeout_ms=timeout_ms)
        except RateLimitExceeded:
            raise
        except OperationFailed:
            await self._adapter.cancel_all_after(after_s, timeout_ms=timeout_ms)


class WatchdogSwitch:
    """A process of its own that cancels through its own adapter."""

    scope: Scope = "this host only"

    def __init__(self, order: WatchOrder, exchange: str) -> None:
        self._order = order
        self._exchange = exchange
        self._process: asyncio.subprocess.Process | None = None

    async def arm(self) -> None:
        """Start the process, and wait until it could cancel."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "planar.orders.watchdog"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,  # a Ctrl-C of the terminal is not for it; its pipe tells it of the end
        )
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(msgspec.json.encode(self._order) + b"\n")
            async with asyncio.timeout(START_S):
                await process.stdin.drain()
                line = await process.stdout.readline()
        except (TimeoutError, OSError, asyncio.CancelledError) as error:
            process.kill()
            await process.wait()
            if isinstance(error, asyncio.CancelledError):
                raise
            raise OperationFailed(f"the watchdog did not start: {error!r}", exchange=self._exchange) from error
        if line != ARMED:
            process.stdin.close()
            await process.wait()
            said = line.decode(errors="replace").strip() or "it said nothing"
            raise OperationFailed(f"the watchdog did not start: {said}", exchange=self._exchange)
        self._process = process

    async def renew(self) -> bool:
        """A beat; a watchdog that has struck has gone, and another one takes its place."""
        process = self._process
        if process is not None and process.returncode is None and process.stdin is not None:
            try:
                process.stdin.write(BEAT)
                await process.stdin.drain()
                return True
            except OSError:
                await process.wait()
        await self.arm()
        return False

    async def disarm(self) -> None:
        """Let the process go, and wait until it has gone."""
        process, self._process = self._process, None
        if process is None or process.stdin is None:
            return
        try:
            process.stdin.write(END)
            await process.stdin.drain()
            process.stdin.close()
            async with asyncio.timeout(END_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
        except OSError:  # it has gone already
            await process.wait()


def switch_of(adapter: Adapter, opening: OpeningRequest | None, timeout_s: float, account: str, trail: str) -> Switch:
    """What strikes for an account: the venue's own switch, or a watchdog. It is not armed yet.

    Args:
        opening: how the account is opened, for a watchdog to open it too.
        trail: directory and name of the account's audit trail, for a watchdog to write to; "" is none.

    Raises:
        BadRequest: the timeout is none.
        NotSupported: there is nothing that a watchdog could open.
    """
    rule = adapter.profile.dead_man
    if rule is not None:
        return VenueSwitch(adapter, rule, timeout_s)
    if not LEAST_S <= timeout_s <= MOST_S:
        raise BadRequest(
            f"timeout_s is {timeout_s:g}",
            exchange=adapter.id,
            outcome=Outcome.NOT_SENT,
            hint=f"between {LEAST_S:g} and {MOST_S:g}",
        )
    if opening is None:
        raise NotSupported("a watchdog cannot open this exchange by itself", exchange=adapter.id)
    order = WatchOrder(opening=opening.for_another_process(), timeout_s=timeout_s, account=account, trail=trail)
    return WatchdogSwitch(order, adapter.id)


def dead_man(
    adapter: Adapter, opening: OpeningRequest | None, timeout_s: float, alarms: Alarms, account: str, trail: str
) -> DeadMan:
    """The switch of an account for the length of a block; arguments and errors as of `switch_of`."""
    switch = switch_of(adapter, opening, timeout_s, account, trail)
    return DeadMan(switch, timeout_s, alarms, adapter.id, account)
