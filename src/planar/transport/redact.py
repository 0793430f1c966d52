"""Taking secrets out of text before anybody reads it.

Every URL, body and header that Planar shows (in an error, a log, a repr) passes here: signed parameters and
authentication headers lose their values whatever they hold, and known secrets are replaced wherever they stand.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

HIDDEN = "***"

_PARAMETER = re.compile(
    r"""(?ix)
    (["']?\b(?:signature|sign|sig|api[-_]?key|apikey|accesskeyid|secret|passphrase|password|token|listenkey|
       connectid|otp|privatekey|nonce_signature)["']?\s*[=:]\s*)
    ("[^"]*"|'[^']*'|[^&\s,;}\])]+)
    """
)
_HEADER = re.compile(
    r"(?im)((?:^|['\"{,\s])(?:authorization|[a-z-]*(?:api-?key|-sign|signature|passphrase|token)[a-z-]*)['\"]?\s*:\s*)"
    r"('[^']*'|\"[^\"]*\"|[^\s,}]+(?: [A-Za-z0-9._~+/=-]{16,})?)"
)


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """`text` without the values of signed parameters, authentication headers and the given secrets."""
    for secret in secrets:
        if len(secret) >= 4:
            text = text.replace(secret, HIDDEN)
    text = _HEADER.sub(rf"\1{HIDDEN}", text)
    return _PARAMETER.sub(rf"\1{HIDDEN}", text)


def redact_error(error: BaseException) -> BaseException:
    """An exception of a library, fit to be shown as a cause: its texts lose signatures and keys.

    An exception that carries a whole request (and shows its URL) is replaced by one that carries its redacted text.
    """
    if hasattr(error, "request_info"):
        return ConnectionError(redact(f"{type(error).__name__}: {error}"))
    error.args = tuple(redact(part) if isinstance(part, str) else part for part in error.args)
    return error
