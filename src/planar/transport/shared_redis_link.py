"""The way to the Redis that machines share meters through: one call at a time, its clock, and what its failures mean.

Knows nothing of meters: `shared_redis` makes the requests, `shared_redis_script` is what the Redis does with them.
"""

from __future__ import annotations

import contextlib
from typing import Any

import msgspec

import planar.runtime as runtime
from planar.errors import ConfigError
from planar.transport.redact import chain
from planar.transport.shared_redis_script import SCRIPT

ANSWER_S = 0.5
"""A Redis that takes longer is gone."""
SAMPLE_S = 60.0
"""How long a comparison of the clocks counts."""
PASSWORD = "it refuses the password: give the right one by the environment variable PLANAR__BUDGET__SHARED"
REMEDIES = {
    "WRONGPASS": PASSWORD,
    "invalid username-password": PASSWORD,
    "invalid password": PASSWORD,
    "NOAUTH": PASSWORD,
    "Authentication required": PASSWORD,
    "NOPERM": "its user may not do this: let it run scripts and use the keys planar:*",
    "OOM ": "its memory is full: raise its maxmemory, or use a Redis of Planar's own",
    "READONLY": "it is a replica, which takes no writes: name the primary in [budget] shared",
    "LOADING": "it is still loading its data",
}
"""What the server says -> what it means and what to do. Others say that the Redis is not reached."""


class Reply(msgspec.Struct, frozen=True):
    """See `shared_redis_script`."""

    time: str
    members: int
    near: int
    epoch: str
    join: float = 0.0
    waits: list[float] | dict[str, float] = []
    short: list[int] | dict[str, float] = []
    used: list[float] | dict[str, float] = []


class ServerTime:
    """How far the clock of the Redis is ahead of `runtime.monotonic()`, from the quickest answers."""

    def __init__(self) -> None:
        self.ahead_s = 0.0
        self.error_s = float("inf")
        self._sampled_at = 0.0

    def sample(self, began: float, ended: float, server_s: float) -> None:
        """An answer that was asked for and came at these moments, and what the server's clock showed."""
        error_s = (ended - began) / 2
        if error_s <= self.error_s or ended - self._sampled_at > SAMPLE_S:
            self.ahead_s, self.error_s, self._sampled_at = server_s - (began + ended) / 2, error_s, ended


class RedisLink:
    """One connection to a Redis.

    Attributes:
        gone: what a call raises where the Redis does not do what it is asked.
        server: the clock of the Redis.
    """

    def __init__(self, name: str, url: str) -> None:
        """
        Args:
            name: of the exchange and environment; begins all keys.
            url: of the Redis.

        Raises:
            ConfigError: the package that speaks with a Redis is not installed.
        """
        try:
            import redis.asyncio as client
            from redis.asyncio.retry import Retry
            from redis.backoff import NoBackoff
            from redis.exceptions import RedisError
        except ModuleNotFoundError as error:
            raise ConfigError(
                "[budget] shared names a Redis, and the package redis is not installed",
                hint="pip install 'planar-exchanges[redis]'",
            ) from error
        self._prefix = f"planar:{{{name}}}:"
        options: dict[str, Any] = {"socket_timeout": ANSWER_S, "socket_connect_timeout": ANSWER_S}
        redis_class: Any = client.Redis
        # never asked twice: what the first call took would be taken again
        self._redis: Any = redis_class.from_url(url, **options, retry=Retry(NoBackoff(), 0), max_connections=1)
        self._script: Any = self._redis.register_script(SCRIPT)
        self.gone = (RedisError, OSError, TimeoutError)
        self.server = ServerTime()

    async def ask(self, request: bytes) -> Reply:
        """Carry the script out."""
        began = runtime.monotonic()
        raw = await self._script(keys=[self._prefix], args=[request])
        ended = runtime.monotonic()
        reply = msgspec.json.decode(raw, type=Reply)
        self.server.sample(began, ended, float(reply.time))
        return reply

    def forget(self) -> None:
        """The next Redis may be another, with another clock."""
        self.server = ServerTime()

    async def close(self, member: str) -> None:
        """Say that a member leaves, if anybody hears it, and hang up."""
        with contextlib.suppress(*self.gone):
            await self._redis.zrem(f"{self._prefix}members", member)
        await self._redis.aclose()


def told(error: BaseException) -> str:
    """What a failure means, in words, and what to do about it."""
    for cause in chain(error):
        for words, meaning in REMEDIES.items():
            if words in str(cause):
                return meaning
    return f"it is not reached ({type(error).__name__}): see whether it runs, and whether its URL is right"
