"""All meters of a workspace: one store and one turnstile for each exchange and environment.

Whether a store is this process's own, a file of this machine or a Redis is decided here, from `[budget]`. In a
simulation nothing outside the process is touched.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

import planar.runtime as runtime
from planar.transport.addresses import USUAL, Way, own_address
from planar.transport.meters import RESERVE
from planar.transport.store import STRANGERS, Store
from planar.transport.turnstile import Turnstile
from planar.transport.venue_time import VenueTime

if TYPE_CHECKING:
    from planar.config.secret_type import Secret

log = logging.getLogger("planar")

CLOCK_ERROR_S = 0.5
"""How far this machine's clock may be from a venue's where nobody has compared them."""
LOCAL_ERROR_S = 0.002
"""The same where both are on this machine: the venue counts whole milliseconds."""


class MeterPool:
    """Where budgets find their meters."""

    def __init__(
        self,
        directory: Path | None = None,
        *,
        redis: Secret | None = None,
        reserve: float = RESERVE,
        share: float = 1.0,
        address: str | None = None,
    ) -> None:
        """
        Args:
            directory: of the files that the processes of this machine share; None shares with nobody.
            redis: URL of the Redis that machines share, instead of the files.
            reserve: part of each limit that only cancels may use.
            share: part of the venue's limits that this machine may use, where others use the rest.
            address: name of this machine's address among those of a Redis; None finds it out.
        """
        self._directory = directory
        self._redis = redis
        self._reserve = reserve
        self._share = share
        self._address = address
        self._turnstiles: dict[str, Turnstile] = {}

    def turnstile(self, exchange: str, environment: str, *, instance: str = "") -> Turnstile:
        """The queue before the meters of one exchange and environment.

        Args:
            instance: of the local venue: each run of it counts for itself.

        Raises:
            ConfigError: the meters cannot be shared as configured.
        """
        name = "-".join(part for part in (exchange, environment, instance) if part)
        if name not in self._turnstiles:
            clock = VenueTime(LOCAL_ERROR_S if environment == "local" else CLOCK_ERROR_S)
            self._turnstiles[name] = self._make(name, clock, f"{exchange}-{environment}-*.meters" if instance else None)
        return self._turnstiles[name]

    def address(self, way: Way) -> str:
        """The sharer of limits of the address that requests leave from this way; "" is this machine's usual one."""
        if self._redis is None or runtime.current() is not runtime.SYSTEM:
            return f"@{way.name}" if way.name else ""
        if way.anywhere:
            return f"@{way.name}"
        if self._address is None:
            self._address = own_address()
        return f"@{self._address}/{way.name}" if way.name else f"@{self._address}"

    def _make(self, name: str, clock: VenueTime, earlier: str | None) -> Turnstile:
        shared = runtime.current() is runtime.SYSTEM
        if shared and self._redis is not None:
            from planar.transport.shared_redis import RedisTurnstile

            own = self.address(USUAL)
            return RedisTurnstile(name, self._redis.reveal(), own, clock, self._reserve, self._share)
        if shared and self._directory is not None:
            from planar.transport.meter_file import remove_unused
            from planar.transport.shared_file import FileStore

            path = self._directory / f"{name}.meters"
            try:
                if earlier is not None:
                    remove_unused(self._directory, earlier, path)
                return Turnstile(FileStore(path, clock, self._reserve, self._share))
            except OSError as error:
                log.warning(
                    "the file of the shared budget cannot be used (%s): this process keeps to one of %d parts of each "
                    "limit. Make its directory writable (PLANAR_STATE), or write [budget] shared = false if nothing else "
                    "uses this address and these keys",
                    error,
                    STRANGERS,
                )
                return Turnstile(Store(clock, self._reserve, self._share / STRANGERS))
        return Turnstile(Store(clock, self._reserve, self._share))

    async def close(self) -> None:
        """Wake nobody any more, and let go of what is shared."""
        for turnstile in self._turnstiles.values():
            await turnstile.close()
        self._turnstiles.clear()
