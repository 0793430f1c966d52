"""The check of a symbol: listed, trading, of the market type that is configured."""

from __future__ import annotations

from typing import Any, cast

from planar.doctor.patient import Patient
from planar.doctor.report import Verdict, fail, ok, skip, warn
from planar.errors import BadSymbol


async def symbol(patient: Patient) -> Verdict:
    """Whether the market is there and trades."""
    exchange, wanted = patient.opened, patient.symbol
    if wanted is None:
        return skip("none was named", f"planar doctor {exchange.id} SYMBOL")
    try:
        market = exchange.market(wanted)
    except BadSymbol as error:
        return fail(error.message, error.hint)
    kind = " ".join(filter(None, (market.sub_type, market.type)))
    text = f"{market.symbol} ({market.id} there, {kind})"
    if market.active is False:
        info: Any = market.info
        status = cast("dict[str, Any]", info).get("status") if isinstance(info, dict) else None
        said = f": the exchange says {status!r}" if status else ""
        return fail(f"{text} is listed, but does not trade now{said}", "wait until it is open again, or take another")
    if exchange.settings.futures and market.type == "spot":
        return warn(f"{text} is no derivative, and futures = true", f"remove futures = true from [{exchange.id}]")
    return ok(f"{text} is listed and trades")
