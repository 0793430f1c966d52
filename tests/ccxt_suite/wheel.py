"""The suite as its authors shipped it: CCXT's package copied out of the installed wheel, each file held to the RECORD."""

from __future__ import annotations

import base64
import csv
import hashlib
import importlib.metadata
from pathlib import Path
from typing import NamedTuple

DISTRIBUTION = "ccxt"


class SuiteError(Exception):
    """The suite cannot be run as it was shipped."""


class Copy(NamedTuple):
    """The copied package.

    Attributes:
        root: directory that holds `ccxt`; its path is free of `site-packages`, which the suite refuses.
        version: CCXT's version.
        files: how many were copied and found unchanged.
    """

    root: Path
    version: str
    files: int


def copy(target: Path) -> Copy:
    """Copy the package below `target`.

    Raises:
        SuiteError: a file differs from what the wheel's RECORD says, or the suite is not among them.
    """
    found = importlib.metadata.distribution(DISTRIBUTION)
    source = Path(str(found.locate_file("")))
    hashes = shipped(found)
    made: set[Path] = set()
    for name, expected in hashes.items():
        content = (source / name).read_bytes()
        if expected != f"sha256={_digest(content)}":
            raise SuiteError(f"{name} is not the file of the {DISTRIBUTION} {found.version} wheel; install it again")
        path = target / name
        if path.parent not in made:
            path.parent.mkdir(parents=True, exist_ok=True)
            made.add(path.parent)
        path.write_bytes(content)
    if f"{DISTRIBUTION}/test/tests_init.py" not in hashes:
        raise SuiteError(f"the {DISTRIBUTION} {found.version} wheel holds no ccxt/test")
    return Copy(target, found.version, len(hashes))


def changed(copied: Copy) -> list[str]:
    """Files of the copy that are no longer what was shipped; checked again when the runs are over."""
    hashes = shipped(importlib.metadata.distribution(DISTRIBUTION))
    return [name for name, text in hashes.items() if text != f"sha256={_digest((copied.root / name).read_bytes())}"]


def shipped(found: importlib.metadata.Distribution) -> dict[str, str]:
    """The RECORD's hash of each file of the package."""
    rows = csv.reader((found.read_text("RECORD") or "").splitlines())
    return {row[0]: row[1] for row in rows if row[0].startswith(f"{DISTRIBUTION}/") and row[1]}


def _digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
