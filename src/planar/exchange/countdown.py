"""CCXT's `cancel_all_orders_after`: a countdown that cancels all orders, and is begun anew by each call.

It is the dead man's switch (`planar.orders.deadman`), renewed by the program itself and not in the background.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

import planar.runtime as runtime
from planar.errors import BadRequest, Outcome
from planar.exchange.safety import SafetyMethods
from planar.orders.deadman import DeadMan, Scope, Switch, dead_man, switch_of


class Countdown(msgspec.Struct, frozen=True):
    """A countdown that runs, or was ended.

    Attributes:
        scope: who cancels: "venue", or "this host only": a process on this machine.
        ends_ms: when all orders are canceled, UTC milliseconds of this machine; None: it was ended.
    """

    scope: Scope
    ends_ms: int | None


class CountdownMethods(SafetyMethods):
    """The dead man's switch, in its two forms."""

    _counting: tuple[Switch, int] | None = None

    def dead_man(self, timeout_s: float = 60.0) -> DeadMan:
        """A switch that cancels all orders of the account when this program dies or stalls for `timeout_s`.

        `async with exchange.dead_man(60):` arms it; leaving the block disarms it. Where the exchange has no switch of its
        own, a process on this machine does it (`scope` says "this host only").

        Raises:
            BadRequest: the exchange does not take this timeout.
            PlanarError: (on entering) it could not be armed.
        """
        self._check_writable("dead_man")
        wiring = self._safety
        return dead_man(self._adapter, wiring.opening, timeout_s, wiring.alarms, self.account, self._trail())

    async def cancel_all_orders_after(self, timeout: int) -> Countdown:
        """Have all orders of the account canceled in `timeout` milliseconds, unless it is called again before; 0 ends it.

        Where the exchange has no such countdown, a process on this machine does it. `dead_man` renews by itself.

        Args:
            timeout: milliseconds, whole seconds where the exchange counts; 0: never.

        Raises:
            BadRequest: (NOT_SENT) the exchange does not take this timeout.
            PlanarError: it could not be set.
        """
        self._check_writable("cancel_all_orders_after")
        if isinstance(timeout, bool) or timeout < 0:
            raise BadRequest(
                f"timeout is {timeout!r}",
                exchange=self.id,
                outcome=Outcome.NOT_SENT,
                hint="milliseconds; 0 ends the countdown",
            )
        running, self._counting = self._counting, None
        if timeout and running is not None and running[1] == timeout:
            switch = running[0]
            await switch.renew()
        else:
            switch = self._switch(timeout) if timeout else running[0] if running is not None else self._switch(60_000)
            if running is not None and (
                not timeout or switch.scope != "venue"
            ):  # the venue's own begins anew by itself
                await running[0].disarm()
            elif not timeout:
                await switch.disarm()
            if timeout:
                await switch.arm()
        if not timeout:
            return Countdown(switch.scope, None)
        self._counting = (switch, timeout)
        return Countdown(switch.scope, runtime.wall_ms() + timeout)

    def _switch(self, timeout_ms: int) -> Switch:
        return switch_of(self._adapter, self._safety.opening, timeout_ms / 1000, self.account, self._trail())

    def _trail(self) -> str:
        trail = self._safety.trail
        return "" if trail is None else (Path(trail.directory) / trail.name).as_posix()

    async def close(self) -> None:
        """See `ExchangeCore.close`. A countdown that runs is ended."""
        running, self._counting = self._counting, None
        try:
            if running is not None:
                await running[0].disarm()
        finally:
            await super().close()
