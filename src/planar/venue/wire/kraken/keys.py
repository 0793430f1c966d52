"""API keys, signatures, nonces and WebSocket tokens.

A request is signed with HMAC-SHA512 over its path and the SHA-256 of nonce and body, both as sent (guide "Spot REST
authentication"). The keys of the seeded accounts follow from the venue's seed; they open nothing anywhere else.
"""

from __future__ import annotations

import base64
import binascii
import enum
import hashlib
import hmac
from collections.abc import Sequence
from typing import Any, Final

import planar.runtime as runtime
from planar.venue.wire import VenueAccount
from planar.venue.wire.kraken import errors

_KEY_BYTES: Final = 42
_SECRET_BYTES: Final = 64
_TOKEN_BYTES: Final = 32


class Right(enum.Enum):
    """What a key may do."""

    QUERY = "query"
    TRADE = "trade"
    FUNDS = "funds"


ALL_RIGHTS: Final = frozenset(Right)


class ApiKey:
    """A key of an account, with its newest nonce."""

    __slots__ = ("account", "key", "nonce", "rights", "secret")

    def __init__(self, key: str, account: str, secret: bytes, rights: frozenset[Right]) -> None:
        self.key = key
        self.account = account
        self.secret = secret
        self.rights = rights
        self.nonce = 0

    def check(self, path: str, body: bytes, nonce: Any, signature: str | None) -> None:
        """Check a signature, then the nonce.

        Raises:
            ApiError: EAPI:Invalid signature, EAPI:Invalid nonce.
        """
        text = str(nonce)
        digest = hashlib.sha256(text.encode("utf-8", "replace") + body).digest()
        expected = hmac.new(self.secret, path.encode() + digest, hashlib.sha512).digest()
        try:
            given = base64.b64decode(signature or "", validate=True)
        except (binascii.Error, ValueError) as error:
            raise errors.ApiError(errors.INVALID_SIGNATURE) from error
        if not hmac.compare_digest(expected, given):
            raise errors.ApiError(errors.INVALID_SIGNATURE)
        if not (text.isascii() and text.isdigit() and len(text) <= 20 and int(text) > self.nonce):
            raise errors.ApiError(errors.INVALID_NONCE)
        self.nonce = int(text)


class KeyRing:
    """All keys and tokens of the venue."""

    def __init__(self, accounts: Sequence[str], seed: int, token_s: float) -> None:
        self._seed = seed
        self._token_s = token_s
        self._keys: dict[str, ApiKey] = {}
        self._tokens: dict[str, tuple[str, float]] = {}
        self._seeded = [self.add(account) for account in accounts]

    def add(self, account: str, rights: frozenset[Right] = ALL_RIGHTS) -> VenueAccount:
        """Make a further key of an account, as a user does on the exchange's website."""
        label = f"{account}/{len(self._keys)}"
        key = base64.b64encode(self._derive(f"{label}/key", _KEY_BYTES)).decode()
        secret = self._derive(f"{label}/secret", _SECRET_BYTES)
        self._keys[key] = ApiKey(key, account, secret, rights)
        return VenueAccount(
            exchange="kraken", account=account, apiKey=key, secret=base64.b64encode(secret).decode(), more={}
        )

    def _derive(self, label: str, length: int) -> bytes:
        return hashlib.shake_256(f"kraken/{self._seed}/{label}".encode()).digest(length)

    def accounts(self) -> list[VenueAccount]:
        """Credentials of the seeded accounts."""
        return list(self._seeded)

    def find(self, key: str | None) -> ApiKey:
        """The key of a request.

        Raises:
            ApiError: EAPI:Invalid key.
        """
        found = self._keys.get(key or "")
        if found is None:
            raise errors.ApiError(errors.INVALID_KEY)
        return found

    def account_of(self, key: str | None) -> str | None:
        """Whose key it is; None if nobody's."""
        found = self._keys.get(key or "")
        return found.account if found else None

    def issue_token(self, account: str) -> str:
        """A token for the private WebSocket."""
        now_s = runtime.monotonic()
        self._tokens = {token: row for token, row in self._tokens.items() if row[1] >= now_s}
        token = base64.b64encode(runtime.token_bytes(_TOKEN_BYTES)).decode().rstrip("=")
        self._tokens[token] = (account, now_s + self._token_s)
        return token

    def account_of_token(self, token: Any) -> str | None:
        """Whose token it is; None if nobody's or too old."""
        row = self._tokens.get(token) if isinstance(token, str) else None
        return None if row is None or row[1] < runtime.monotonic() else row[0]
