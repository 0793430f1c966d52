"""`PLANAR_DEBUG=transport,orders`: which parts of Planar say in detail what they do, on standard error.

The detail comes redacted (`planar.transport.redact`). Without the variable Planar only logs through the standard
`logging` module, to the loggers `planar.<part>`, and leaves handlers and levels to the program.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping

PARTS = ("adapters", "orders", "streams", "transport")


def enable_debug(environ: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Turn on what `PLANAR_DEBUG` names: parts, comma between them, or `1` for all; the parts that are on."""
    wanted = (os.environ if environ is None else environ).get("PLANAR_DEBUG", "")
    names = PARTS if wanted == "1" else tuple(name.strip() for name in wanted.split(",") if name.strip() in PARTS)
    for name in names:
        logger = logging.getLogger(f"planar.{name}")
        logger.setLevel(logging.DEBUG)
        if not logger.handlers:
            handler = logging.StreamHandler()
            handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(levelname)s %(message)s"))
            logger.addHandler(handler)
    return names
