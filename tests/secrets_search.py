"""Searches what a run has written for what nobody may read: keys, secrets, signatures and tokens.

Known are the secrets of the local exchanges' seeded accounts (they follow from the seed), and what is given to
`Hoard.add`; each in the forms in which text carries bytes: as it is, Base64, hexadecimal, quoted for URLs and for JSON.
A form is found by its first 16 characters, so that a part of it is found, too. Signatures and tokens that nobody knows
beforehand are found by the name that stands before them.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote

import msgspec

from planar.venue.wire.binance.keys import KeyRing as BinanceKeys
from planar.venue.wire.kraken.keys import KeyRing as KrakenKeys

SEEDS = range(51)
ACCOUNTS = ("alice", "bob", "carol")
TOKEN_S = 900.0
HEAD = 16
"""Characters by which a form is found."""
OWN_STORES = re.compile(
    r"secrets[^/]*\.toml|\.env|[^/]*\.(?:pem|key|p8|p12|pub)|id_\w+|venue\.json|keys\.local\.json|CACHEDIR\.TAG|[^/]*\.pyc"
)
"""Names of files whose purpose is to hold a secret, or which hold nothing of a run."""
_RUN = re.compile(rb"[A-Za-z0-9+/=_%-]{16,}")
_NAMED = re.compile(
    rb"""(?ix)\b(?:signature|api-sign|x-mbx-apikey|api-key|apikey|listen_?key|
    (?:access|auth|ws|websockets?|session)?_?token|authorization|passphrase)["']?\s*(?:=|:|%3D)\s*["']?(?:bearer\s+)?
    ([A-Za-z0-9+/=_%-]{32,})"""
)


class Leak(msgspec.Struct, frozen=True):
    """A secret where it should not be.

    Attributes:
        what: which secret, and in which form; never the secret.
        where: the file, or the name that the text was given.
    """

    what: str
    where: str

    def __str__(self) -> str:
        return f"{self.what} in {self.where}"


class Hoard:
    """All secrets that are known."""

    def __init__(self) -> None:
        self._heads: dict[bytes, tuple[str, bytes]] = {}
        self._odd: dict[bytes, str] = {}

    def add(self, name: str, secret: str) -> None:
        """Know one more. Secrets of less than 8 characters cannot be told from chance, and raise ValueError."""
        if len(secret) < 8:
            raise ValueError(f"{name} is too short to be searched for")
        if "PRIVATE KEY-----" in secret:
            for number, line in enumerate(secret.strip().splitlines()[1:-1], 1):
                self._know(f"{name} (line {number})", line.encode())
            return
        for form, text in forms(secret):
            self._know(f"{name} ({form})", text)

    def _know(self, name: str, text: bytes) -> None:
        if len(text) >= HEAD and _RUN.fullmatch(text):
            self._heads.setdefault(text[:HEAD], (name, text))
        else:
            self._odd.setdefault(text, name)

    def find(self, data: bytes, where: str) -> list[Leak]:
        """The secrets in these bytes, each of them once."""
        found: dict[str, None] = {}
        for run in _RUN.findall(data):
            for at in range(len(run) - HEAD + 1):
                known = self._heads.get(run[at : at + HEAD])
                if known is not None:
                    found[known[0]] = None
        for text, name in self._odd.items():
            if text in data:
                found[name] = None
        for match in () if where.endswith(".py") else _NAMED.finditer(data):  # a program has names of its own
            if not match[1].startswith((b"***", b"%2A")) and len(set(match[1])) > 8:
                found[f"what looks like a {match[0][: match.start(1) - match.start()].decode(errors='replace')!r}"] = (
                    None
                )
        return [Leak(name, where) for name in found]


def forms(secret: str) -> Iterator[tuple[str, bytes]]:
    """The secret as text may carry it."""
    raw = secret.encode()
    yield "as it is", raw
    yield "for URLs", quote(secret, safe="").encode()
    yield "for JSON", json.dumps(secret)[1:-1].encode()
    yield "hexadecimal", raw.hex().encode()
    yield "HEXADECIMAL", raw.hex().upper().encode()
    yield "Base64", base64.b64encode(raw).rstrip(b"=")
    yield "Base64 for URLs", base64.urlsafe_b64encode(raw).rstrip(b"=")
    try:
        yield "hexadecimal of what it stands for", base64.b64decode(raw, validate=True).hex().encode()
    except (binascii.Error, ValueError):
        return


def seeded(seeds: Iterable[int] = SEEDS) -> Hoard:
    """The secrets of the local exchanges of these seeds."""
    hoard = Hoard()
    for seed in seeds:
        for book in (BinanceKeys(ACCOUNTS, seed), KrakenKeys(ACCOUNTS, seed, TOKEN_S)):
            for account in book.accounts():
                whose = f"{account.exchange} {account.account} of seed {seed}"
                hoard.add(f"key of {whose}", account.apiKey)
                hoard.add(f"secret of {whose}", account.secret)
                for name, value in account.more.items():
                    if "secret" in name.lower() or "apikey" in name.lower():
                        hoard.add(f"{name} of {whose}", value)
    return hoard


def search_tree(hoard: Hoard, directory: Path) -> list[Leak]:
    """The secrets in the files below a directory and in their names; core files and other binary ones are searched too."""
    found: list[Leak] = []
    for path in sorted(directory.rglob("*")):
        shown = str(path.relative_to(directory))
        found += hoard.find(path.name.encode(), f"the name of {shown[:40]}")
        if not path.is_file() or path.is_symlink() or OWN_STORES.fullmatch(path.name) or "__pycache__" in path.parts:
            continue
        found += hoard.find(path.read_bytes(), shown)
    return found
