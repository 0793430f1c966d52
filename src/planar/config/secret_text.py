"""Tidying the text of a credential: what was pasted wrong is told, never guessed.

Texts come from `secrets.toml`, from files that it names and from variables. No message holds a value.
"""

from __future__ import annotations

import re

from planar.config import pem
from planar.config.credentials import SecretField
from planar.config.values import Wrong

_QUOTES = "\"'`“”‘’"
_PLACEHOLDER = re.compile(
    r"your[_ -].*|my[_ -](api|secret).*|.*_api_key|.*_secret_key|change[_-]?me|<.*>|\.\.\.|…|x{3,}|\*{3,}|todo",
    re.IGNORECASE,
)


def tidy(field: SecretField, text: str, *, from_file: bool) -> str:
    """`text` as it goes to the signer. Raises Wrong when it is not what the venue gave out.

    A file's last line end is no part of the value. A private key in PEM form must be whole; it may be written on one
    line with `\\n`.
    """
    if from_file:
        text = text.rstrip("\r\n")
    if not text.strip():
        raise Wrong("is empty", "give it a value, or remove it")
    if pem.looks_like_pem(text):
        whole = pem.unfold(text).replace("\r\n", "\n").strip()
        wrong = pem.fault(whole)
        if wrong:
            raise Wrong(*wrong)
        return f"{whole}\n"
    if text != text.strip():
        raise Wrong("has a blank or a line end at its beginning or end", "remove it")
    first, last = text[0] in _QUOTES, text[-1] in _QUOTES
    if (first and last and len(text) > 1) or ((first or last) and not field.words):
        raise Wrong("has quotes inside of the value", "remove the inner ones")
    if not field.words:
        if re.search(r"\s", text):
            raise Wrong("has a blank or a line end in its middle", "copy it again, on one line")
        if not (text.isascii() and text.isprintable()):
            raise Wrong("holds a character that no key has", "copy it again, as plain text")
    return text


def is_placeholder(text: str) -> bool:
    """Whether `text` looks like a guide's example, not like a key."""
    return _PLACEHOLDER.fullmatch(text) is not None
