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
from collections.abc import Collection, Sequence
from typing import Any, Final

import planar.runtime as runtime
from planar.venue.bookkeeping import known
from planar.venue.wire import VenueAccount
from planar.venue.wire.kraken import errors
from planar.venue.wire.kraken.ids import iiban

_KEY_BYTES: Final = 42
_SECRET_BYTES: Final = 64
_TOKEN_BYTES: Final = 32
LOCAL_ADDRESS: Final = "local"
"""Where a request on the Unix socket comes from."""


class Right(enum.Enum):
    """What a key may do."""

    QUERY = "query"
    TRADE = "trade"
    FUNDS = "funds"
    """Deposits."""
    WITHDRAW = "withdraw"
    """Withdrawals, and transfers between accounts."""


ALL_RIGHTS: Final = frozenset(Right)


class ApiKey:
    """A key of an account, with its newest nonce."""

    __slots__ = ("account", "addresses", "key", "nonce", "rights", "secret")

    def __init__(self, key: str, account: str, secret: bytes, rights: frozenset[Right]) -> None:
        self.key = key
        self.account = account
        self.secret = secret
        self.rights = rights
        self.addresses: frozenset[str] | None = None
        self.nonce = 0

    def allowed_from(self, address: str | None) -> bool:
        """Whether it may be used from there; the Unix socket counts as `local`."""
        return self.addresses is None or (address or LOCAL_ADDRESS) in self.addresses

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
            exchange="kraken",
            account=account,
            apiKey=key,
            secret=base64.b64encode(secret).decode(),
            more={"iiban": iiban(self._seed, account)},
        )

    @property
    def right_names(self) -> tuple[str, ...]:
        """Every right that a key can have."""
        return tuple(right.value for right in Right)

    def keys_of(self, account: str) -> dict[str, tuple[str, ...]]:
        """The rights of each key of an account."""
        return {
            key: tuple(right.value for right in Right if right in found.rights)
            for key, found in self._keys.items()
            if found.account == account
        }

    def name_of(self, key: str) -> str:
        """A key's name that may be shown: its account, and which of its keys it is."""
        account = self.find(key).account
        return f"{account}#{list(self.keys_of(account)).index(key) + 1}"

    def allow(self, key: str, rights: Collection[str]) -> None:
        """Give a key these rights and no others; see `KeyBook.allow`."""
        self._keys[known("key", key, list(self._keys))].rights = self._rights(rights)

    def restrict(self, key: str, addresses: Collection[str] | None) -> None:
        """Let a key be used from these addresses alone; see `KeyBook.restrict`."""
        allowed = None if addresses is None else frozenset(addresses)
        self._keys[known("key", key, list(self._keys))].addresses = allowed

    def enroll(self, account: str, rights: Collection[str]) -> VenueAccount:
        """Make the first key of a new account; see `KeyBook.enroll`."""
        self._seeded.append(self.add(account, self._rights(rights)))
        return self._seeded[-1]

    def make(self, account: str, rights: Collection[str]) -> VenueAccount:
        """Make a further key of an account; see `KeyBook.make`."""
        return self.add(account, self._rights(rights))

    def _rights(self, names: Collection[str]) -> frozenset[Right]:
        return frozenset(Right(known("right", name, self.right_names)) for name in names)

    def _derive(self, label: str, length: int) -> bytes:
        return hashlib.shake_256(f"kraken/{self._seed}/{label}".encode()).digest(length)

    def accounts(self) -> list[VenueAccount]:
        """Credentials of the accounts, by their first keys."""
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

    def expire_tokens(self, account: str) -> int:
        """End the tokens of an account before their time; how many they were."""
        kept = {token: row for token, row in self._tokens.items() if row[0] != account}
        ended = len(self._tokens) - len(kept)
        self._tokens = kept
        return ended

    def account_of_token(self, token: Any) -> str | None:
        """Whose token it is; None if nobody's or too old."""
        row = self._tokens.get(token) if isinstance(token, str) else None
        return None if row is None or row[1] < runtime.monotonic() else row[0]
