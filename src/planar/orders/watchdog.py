"""`python -m planar.orders.watchdog`: cancels all orders of an account when the process that started it dies or stalls.

The first line on standard input says what to watch (`WatchOrder`, credentials included: nothing of them is in arguments,
environment or files). Each further line is a sign of life. The end of the input, or none for `timeout_s`, and every open
order of the account is canceled, as `planar stop` does. It opens, closes and withdraws nothing else. The line `END` lets
it go without that.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from pathlib import Path
from typing import Any, Final

import msgspec

from planar.adapters.market_cache import MarketCache
from planar.adapters.opening import OpeningRequest, open_adapter
from planar.config.paths import cache_dir, state_dir
from planar.config.secret_type import Secret
from planar.errors import PlanarError
from planar.orders.audit import AuditTrail
from planar.orders.stopping import Stopper
from planar.transport.account_log import account_log
from planar.transport.dialer import Dialer
from planar.transport.lanes import NonceLanes
from planar.transport.pool import MeterPool

log = account_log("planar.orders")

ARMED: Final = b"armed\n"
BEAT: Final = b"beat\n"
END: Final = b"end\n"
WITHIN_S: Final = 300.0
"""How long it tries to cancel."""
GRACE_S: Final = 60
"""How much later the system ends it, if it has not ended."""


class WatchOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What to watch.

    Attributes:
        opening: the fields of `OpeningRequest`, secrets revealed.
        timeout_s: how long after the last sign of life it strikes.
        account: the account's name, for messages.
        trail: directory and name of the audit trail, separated by the last slash; "" is none.
    """

    opening: dict[str, Any]
    timeout_s: float
    account: str = ""
    trail: str = ""

    def __repr__(self) -> str:
        return f"WatchOrder(timeout_s={self.timeout_s}, account={self.account!r})"


def opening_of(order: WatchOrder) -> OpeningRequest:
    """The opening that an order describes."""
    fields = dict(order.opening)
    if fields.get("proxy") is not None:
        fields["proxy"] = Secret(fields["proxy"])
    fields["no_proxy"] = tuple(fields.get("no_proxy", ()))
    return OpeningRequest(**fields)


async def watch(order: WatchOrder, lines: asyncio.StreamReader) -> bool:
    """Watch until the end; True if nothing is left to be canceled.

    Raises:
        PlanarError: the account could not be opened.
    """
    dialer, meters, lanes = Dialer(), MeterPool(state_dir() / "budget"), NonceLanes(state_dir() / "nonces")
    opening = opening_of(order)
    trail = None
    if order.trail:
        directory, _, name = order.trail.rpartition("/")
        trail = AuditTrail(Path(directory), name, secrets=tuple(opening.credentials.values()))
    adapter = open_adapter(opening, dialer, meters, MarketCache(cache_dir() / "markets"), lanes=lanes, trail=trail)
    try:
        await adapter.load_markets(timeout_ms=opening.timeout_ms, reload=opening.environment == "local")
        sys.stdout.buffer.write(ARMED)
        sys.stdout.buffer.flush()
        if not await _must_strike(lines, order.timeout_s):
            return True
        signal.alarm(int(WITHIN_S) + GRACE_S)  # nothing that goes wrong here keeps this process alive
        report = await Stopper(adapter, within_s=WITHIN_S).run()
        state = "none is left" if report.verified else f"{len(report.left)} are left: {report.error or report.left}"
        log.error(
            "%s: the program that was watched is gone or stalled; its orders were canceled, %s", adapter.id, state
        )
        return report.verified
    finally:
        await adapter.close()
        await dialer.close()
        await meters.close()
        lanes.close()
        if trail is not None:
            trail.close()


async def _must_strike(lines: asyncio.StreamReader, timeout_s: float) -> bool:
    """Wait for the end of the program's life; False if it let go."""
    while True:
        try:
            async with asyncio.timeout(timeout_s):
                line = await lines.readline()
        except TimeoutError:
            return True
        if line == END:
            return False
        if line != BEAT:  # the pipe is closed, or was cut in the middle of a line
            return True


async def _main() -> int:
    loop = asyncio.get_running_loop()
    lines = asyncio.StreamReader(limit=2**22)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    first = await lines.readline()
    try:
        order = msgspec.json.decode(first, type=WatchOrder)
    except msgspec.MsgspecError:
        sys.stderr.write("the watchdog is started by `exchange.dead_man()`, and not by hand\n")
        return 2
    try:
        return 0 if await watch(order, lines) else 1
    except PlanarError as error:
        sys.stdout.write(f"{type(error).__name__}: {error.message}\n")
        return 1


def main() -> int:
    """Run until the watched process ends."""
    logging.basicConfig(level=logging.WARNING, format="planar watchdog: %(message)s")
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    return asyncio.run(_main())


if __name__ == "__main__":
    sys.exit(main())
