"""`PLANAR_DEBUG=transport,orders`: which parts of Planar say in detail what they do, on standard error.

The detail comes redacted (`planar.transport.redact`). Without the variable Planar only logs through the standard
`logging` module, to the loggers `planar.<part>`, and leaves handlers and levels to the program.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping

from planar.errors import ConfigError

PARTS = ("adapters", "orders", "streams", "transport")


def enable_debug(environ: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Turn on what `PLANAR_DEBUG` names: parts, comma between them, or `1` for all; the parts that are on.

    Raises:
        ConfigError: it names something else.
    """
    wanted = (os.environ if environ is None else environ).get("PLANAR_DEBUG", "").strip()
    if wanted in ("", "0"):
        return ()
    names = PARTS if wanted == "1" else tuple(name.strip() for name in wanted.split(",") if name.strip())
    unknown = [name for name in names if name not in PARTS]
    if unknown:
        raise ConfigError(
            f"PLANAR_DEBUG={wanted!r} names {', '.join(map(repr, unknown))}, which is no part of Planar",
            hint=f"name some of {', '.join(PARTS)} (comma between them), or 1 for all",
        )
    for name in names:
        logger = logging.getLogger(f"planar.{name}")
        logger.setLevel(logging.DEBUG)
        if not logger.handlers:
            handler = logging.StreamHandler()
            handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(levelname)s %(message)s"))
            logger.addHandler(handler)
    return names
