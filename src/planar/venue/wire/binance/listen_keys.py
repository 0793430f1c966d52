"""Listen keys: the older way to a user data stream, which older SDKs still use.

A key names an account, lives an hour from its last keepalive, and is the name of a stream (`/ws/<listenKey>`).
"""

from __future__ import annotations

from typing import Final

import msgspec

import planar.runtime as runtime
from planar.venue.wire.binance import errors
from planar.venue.wire.binance.formats import ALPHANUMERIC

LENGTH: Final = 60


class _Entry(msgspec.Struct):
    account: str
    expires_ms: int


class ListenKeys:
    """The keys of all accounts."""

    def __init__(self, life_ms: int) -> None:
        self._life_ms = life_ms
        self._entries: dict[str, _Entry] = {}

    def start(self, account: str) -> str:
        """The account's key, new or with its life renewed."""
        now_ms = runtime.wall_ms()
        for key, entry in self._entries.items():
            if entry.account == account and entry.expires_ms > now_ms:
                entry.expires_ms = now_ms + self._life_ms
                return key
        key = runtime.token(LENGTH, ALPHANUMERIC)
        self._entries[key] = _Entry(account, now_ms + self._life_ms)
        return key

    def keep_alive(self, key: str, account: str) -> None:
        """Renew its life.

        Raises:
            ApiError: -1125, unknown, run out, or another account's.
        """
        self._entry(key, account).expires_ms = runtime.wall_ms() + self._life_ms

    def close(self, key: str, account: str) -> None:
        """End it.

        Raises:
            ApiError: -1125, as in `keep_alive`.
        """
        self._entry(key, account)
        del self._entries[key]

    def expire(self, account: str) -> int:
        """End those of an account that live; how many they were."""
        now_ms = runtime.wall_ms()
        living = [one for one in self._entries.values() if one.account == account and one.expires_ms > now_ms]
        for one in living:
            one.expires_ms = now_ms
        return len(living)

    def run_out(self) -> list[tuple[str, str]]:
        """Forget those whose life is over; account and key of each."""
        now_ms = runtime.wall_ms()
        over = [(entry.account, key) for key, entry in self._entries.items() if entry.expires_ms <= now_ms]
        for _, key in over:
            del self._entries[key]
        return over

    def account_of(self, key: str) -> str | None:
        """Whose key it is; None if it is unknown or has run out."""
        entry = self._entries.get(key)
        return entry.account if entry is not None and entry.expires_ms > runtime.wall_ms() else None

    def _entry(self, key: str, account: str) -> _Entry:
        if self.account_of(key) != account:
            raise errors.no_listen_key()
        return self._entries[key]
