"""Whether a text is a whole private key in PEM form, told without a cryptography package."""

from __future__ import annotations

import base64
import binascii
import re

_BEGIN = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----")
_WHOLE = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----\s(.*?)\s*-----END ([A-Z0-9 ]+)-----", re.DOTALL)


def looks_like_pem(text: str) -> bool:
    """Whether `text` is meant to be PEM, whole or not."""
    return "-----BEGIN" in text or "-----END" in text


def unfold(text: str) -> str:
    """PEM whose line ends were written as `\\n` (two characters), as in JSON and .env files, with real line ends."""
    return text.replace("\\n", "\n") if "\n" not in text.strip() and "\\n" in text else text


def fault(text: str) -> tuple[str, str] | None:
    """What is wrong with `text` as a private key in PEM form, and the remedy; None if it is whole.

    The length written at the start of the key (DER, ITU-T X.690 8.1.3) must be the length of what is there.
    """
    begin = _BEGIN.search(text)
    if begin is None:
        return "is PEM without its first line -----BEGIN ...-----", "copy the whole key, first and last line included"
    match = _WHOLE.fullmatch(text.strip())
    if match is None or match[1] != match[3]:
        return (
            f"is a truncated PEM: its last line -----END {begin[1]}----- is missing or does not match",
            "copy the whole key, first and last line included",
        )
    label, body = match[1], match[2]
    if not label.endswith("PRIVATE KEY"):
        return f"is a {label.lower()}, not a private key", "use the file with the private key"
    if "ENCRYPTED" in label or "Proc-Type:" in body:
        return "is a private key with a passphrase", "write it without one: openssl pkey -in KEY.pem -out PLAIN.pem"
    if "OPENSSH" in label:
        return "is a key in OpenSSH's own form", "make one with: openssl genpkey -algorithm ed25519 -out KEY.pem"
    try:
        der = base64.b64decode("".join(body.split()), validate=True)
    except (binascii.Error, ValueError):
        return "is PEM with a damaged body (not base64)", "copy the key again"
    if not _whole_der(der):
        return "is a truncated PEM: lines of its body are missing", "copy the whole key, first and last line included"
    return None


def _whole_der(der: bytes) -> bool:
    if len(der) < 2 or der[0] != 0x30:
        return False
    if der[1] < 0x80:
        return len(der) == 2 + der[1]
    size = der[1] & 0x7F
    return 0 < size <= 4 and len(der) == 2 + size + int.from_bytes(der[2 : 2 + size], "big")
