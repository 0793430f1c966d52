"""Taking secrets out of text before anybody reads it.

Every URL, body and header that Planar shows (in an error, a log, a repr) passes here: signed parameters and
authentication headers lose their values whatever they hold, and known secrets are replaced wherever they stand.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

HIDDEN = "***"

_PARAMETER = re.compile(
    r"""(?imx)
    (["']?\b(?:signature|sign|sig|api[-_]?key|apikey|accesskeyid|access_key|access_token|publickey|public_key|secret|
       passphrase|password|token|listenkey|connectid|otp|privatekey|nonce_signature)["']?\s*[=:]\s*
     |(?:["']key["']\s*:|(?:^|[\s?&])key=)\s*)
    ("[^"]*"|'[^']*'|[^&\s,;}\])]+)
    """
)
_HEADER = re.compile(
    r"(?im)((?:^|['\"{,\s])(?:authorization|x-auth|x-pck|request-api|[a-z-]*(?:api-?key|access-key|app-?key|secret|-sign|"
    r"signature|passphrase|token|payload)[a-z-]*)['\"]?\s*:\s*)"
    r"('[^']*'|\"[^\"]*\"|[^\s,}]+(?: [A-Za-z0-9._~+/=-]{16,})?)"
)
_ENCODED = re.compile(r"\beyJ[A-Za-z0-9_-]{12,}={0,2}(?:\.[A-Za-z0-9_-]*){0,2}")
"""JSON in base64, as in JSON Web Tokens and in the bodies that some exchanges sign: keys and signatures may be in it."""


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """`text` without the values of signed parameters, authentication headers and the given secrets."""
    for secret in secrets:
        if len(secret) >= 4:
            text = text.replace(secret, HIDDEN)
    if "=" not in text and ":" not in text and "eyJ" not in text:
        return text  # no expression matches without one of them
    text = _HEADER.sub(rf"\1{HIDDEN}", _ENCODED.sub(HIDDEN, text))
    return _PARAMETER.sub(rf"\1{HIDDEN}", text)


def redact_error(error: BaseException) -> BaseException:
    """An exception of a library, fit to be shown as a cause: its texts lose signatures and keys.

    An exception that carries a whole request (and shows its URL) is replaced by one that carries its redacted text.
    """
    if hasattr(error, "request_info"):
        return ConnectionError(redact(f"{type(error).__name__}: {error}"))
    error.args = tuple(redact(part) if isinstance(part, str) else part for part in error.args)
    return error


def chain(error: BaseException) -> Iterator[BaseException]:
    """`error`, its causes and contexts, each once: an error that is raised to several callers can be its own context."""
    waiting, seen = [error], set[int]()
    while waiting:
        link = waiting.pop()
        if id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        waiting += [other for other in (link.__context__, link.__cause__) if other is not None]


def without_frames(error: BaseException) -> BaseException:
    """`error`, it and its causes without their tracebacks: the frames that sign and send hold key, signature and headers
    in their variables, which some tools print beside each line of a traceback."""
    for link in chain(error):
        link.__traceback__ = None
    return error
