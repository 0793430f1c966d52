"""API keys: those of the seeded accounts, and the check of a signature.

HMAC-SHA256 (hex, any case), RSA PKCS#1 v1.5 with SHA-256 and Ed25519 (base64), over the raw bytes of the payload.
The keys of the seeded accounts follow from the venue's seed; they open nothing anywhere else.
"""

from __future__ import annotations

import base64
import binascii
import enum
import hashlib
import hmac
import re
from collections.abc import Collection, Sequence
from typing import Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_public_key

from planar.errors import BadRequest
from planar.venue.bookkeeping import known
from planar.venue.wire import VenueAccount
from planar.venue.wire.binance import errors
from planar.venue.wire.binance.formats import ALPHANUMERIC

KEY_LENGTH: Final = 64
LEGAL_KEY: Final = re.compile(r"[A-Za-z0-9]{64}\Z")
LEGAL_HMAC: Final = "^[A-Fa-f0-9]{64}$"


class Right(enum.Enum):
    """What a key may do: the security types of the documentation, and the switches of a key that go with them."""

    NONE = "NONE"
    USER_STREAM = "USER_STREAM"
    USER_DATA = "USER_DATA"
    TRADE = "TRADE"
    WITHDRAW = "WITHDRAW"
    TRANSFER = "TRANSFER"
    """Moves money between wallets and sub-accounts ("Permits Universal Transfer")."""


ALL_RIGHTS: Final = frozenset(Right)


class ApiKey(msgspec.Struct, frozen=True):
    """A key of an account. Its `verifier` is the HMAC secret, or the public key."""

    key: str
    account: str
    verifier: bytes | Ed25519PublicKey | RSAPublicKey
    rights: frozenset[Right] = ALL_RIGHTS
    addresses: frozenset[str] | None = None
    """Where it may be used from; None: anywhere."""

    def verify(self, payload: bytes, signature: str) -> None:
        """Check the signature of `payload`.

        Raises:
            ApiError: -1100, no hex signature under an HMAC key; -1022, it does not fit.
        """
        if isinstance(self.verifier, bytes):
            if not re.match(LEGAL_HMAC.replace("$", r"\Z"), signature):
                raise errors.illegal_characters("signature", LEGAL_HMAC)
            expected = hmac.new(self.verifier, payload, hashlib.sha256).hexdigest()
            if not hmac.compare_digest(expected, signature.lower()):
                raise errors.bad_signature()
            return
        try:
            raw = base64.b64decode(signature, validate=True)
            if isinstance(self.verifier, Ed25519PublicKey):
                self.verifier.verify(raw, payload)
            else:
                self.verifier.verify(raw, payload, padding.PKCS1v15(), hashes.SHA256())
        except (InvalidSignature, binascii.Error) as error:
            raise errors.bad_signature() from error


class KeyRing:
    """All keys of the venue."""

    def __init__(self, accounts: Sequence[str], seed: int) -> None:
        self._seed = seed
        self._keys: dict[str, ApiKey] = {}
        self._seeded = [self._seed_account(account) for account in accounts]

    def _seed_account(self, account: str, rights: frozenset[Right] = ALL_RIGHTS) -> VenueAccount:
        key = self._derive(f"{account}/key")
        secret = self._derive(f"{account}/secret")
        self._keys[key] = ApiKey(key, account, secret.encode(), rights)
        ed25519_key = self._derive(f"{account}/ed25519/key")
        private = Ed25519PrivateKey.from_private_bytes(self._bytes(f"{account}/ed25519/private", 0))
        self._keys[ed25519_key] = ApiKey(ed25519_key, account, private.public_key(), rights)
        pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        return VenueAccount(
            exchange="binance",
            account=account,
            apiKey=key,
            secret=secret,
            more={"ed25519.apiKey": ed25519_key, "ed25519.secret": pem},
        )

    def _bytes(self, label: str, block: int) -> bytes:
        return hmac.new(str(self._seed).encode(), f"binance/{label}/{block}".encode(), hashlib.sha256).digest()

    def _derive(self, label: str) -> str:
        """64 characters, each equally likely over all seeds."""
        chars: list[str] = []
        bound = 256 - 256 % len(ALPHANUMERIC)
        block = 0
        while len(chars) < KEY_LENGTH:
            chars.extend(ALPHANUMERIC[byte % len(ALPHANUMERIC)] for byte in self._bytes(label, block) if byte < bound)
            block += 1
        return "".join(chars[:KEY_LENGTH])

    def accounts(self) -> list[VenueAccount]:
        """Credentials of the accounts, by their first keys. `more` holds an Ed25519 key besides the HMAC one."""
        return list(self._seeded)

    def find(self, key: str | None, address: str) -> ApiKey:
        """The key of a request that came from an address.

        Raises:
            ApiError: -2014, none or malformed; -2015, unknown, or not to be used from there.
        """
        if key is None or not LEGAL_KEY.match(key):
            raise errors.bad_key_format()
        found = self._keys.get(key)
        if found is None or (found.addresses is not None and address not in found.addresses):
            raise errors.bad_key()
        return found

    def account_of(self, key: str | None) -> str | None:
        """Whose key it is; None if nobody's."""
        found = self._keys.get(key or "")
        return found.account if found else None

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

    def allow(self, key: str, rights: Collection[str]) -> None:
        """Give a key these rights and no others; see `KeyBook.allow`."""
        found = self._keys[known("key", key, list(self._keys))]
        self._keys[key] = msgspec.structs.replace(found, rights=self._rights(rights))

    def restrict(self, key: str, addresses: Collection[str] | None) -> None:
        """Let a key be used from these addresses alone; see `KeyBook.restrict`."""
        found = self._keys[known("key", key, list(self._keys))]
        allowed = None if addresses is None else frozenset(addresses)
        self._keys[key] = msgspec.structs.replace(found, addresses=allowed)

    def enroll(self, account: str, rights: Collection[str]) -> VenueAccount:
        """Make the first keys of a new account, HMAC and Ed25519; see `KeyBook.enroll`."""
        self._seeded.append(self._seed_account(account, self._rights(rights)))
        return self._seeded[-1]

    def make(self, account: str, rights: Collection[str]) -> VenueAccount:
        """Make a further HMAC key of an account; see `KeyBook.make`."""
        allowed = self._rights(rights)
        label = f"{account}/made/{len(self._keys)}"
        key, secret = self._derive(f"{label}/key"), self._derive(f"{label}/secret")
        self._keys[key] = ApiKey(key, account, secret.encode(), allowed)
        return VenueAccount(exchange="binance", account=account, apiKey=key, secret=secret)

    def _rights(self, names: Collection[str]) -> frozenset[Right]:
        return frozenset(Right(known("right", name, self.right_names)) for name in names)

    def add(self, account: str, public_key_pem: str, rights: frozenset[Right] = ALL_RIGHTS) -> str:
        """Register a public key, RSA or Ed25519, as a user does on the exchange's website; its API key.

        Raises:
            BadRequest: it is another kind of key.
        """
        public = load_pem_public_key(public_key_pem.encode())
        if not isinstance(public, Ed25519PublicKey | RSAPublicKey):
            raise BadRequest("the public key is neither RSA nor Ed25519", hint="make one of these")
        key = self._derive(f"{account}/registered/{len(self._keys)}")
        self._keys[key] = ApiKey(key, account, public, rights)
        return key


def signed_payload(query: bytes, body: bytes) -> bytes:
    """What is signed: the query followed by the body, as sent, without the signature parameter itself."""
    return _unsigned(query) + _unsigned(body)


def _unsigned(part: bytes) -> bytes:
    return b"&".join(pair for pair in part.split(b"&") if not pair.startswith(b"signature="))
