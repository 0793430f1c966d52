"""`[<id>.paper]`: a raw table in, `PaperSettings` out, or `Wrong` with the right form."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Final

from planar.config.document import as_table
from planar.config.schema import PaperSettings
from planar.config.suggest import nearest
from planar.config.values import Wrong, choice, milliseconds, written

_CURRENCY: Final = re.compile(r"[A-Z0-9][A-Z0-9._-]{0,19}")
LONGEST_LATENCY_MS: Final = 10_000


def paper(value: object) -> PaperSettings:
    """How an exchange's paper accounts are simulated."""
    table = as_table(value)
    if table is None:
        fix = 'write environment = "paper" for simulated orders, and [<id>.paper] for how they are simulated'
        raise Wrong(f"is {written(value)}; it must be a table", fix)
    found: dict[str, object] = {}
    for name, raw in table.items():
        parse = _PARSERS.get(name)
        if parse is None:
            near = nearest(name, list(_PARSERS))
            raise Wrong(f"has no key {name}", f"did you mean {near}?" if near else f"keys are {', '.join(_PARSERS)}")
        try:
            found[_FIELDS.get(name, name)] = parse(raw)
        except Wrong as wrong:
            raise Wrong(f"{name} {wrong.text}", wrong.fix) from None
    return PaperSettings(**found)  # pyright: ignore[reportArgumentType] (each parser makes what its field is)


def _balances(value: object) -> dict[str, Decimal]:
    table = as_table(value)
    if not table:
        raise Wrong(f"is {written(value)}; it must be a table of amounts", 'for example { USDT = 10000, BTC = "0.5" }')
    found: dict[str, Decimal] = {}
    for currency, raw in table.items():
        number = _number(raw)
        if number is None or number < 0 or not _CURRENCY.fullmatch(currency):
            raise Wrong(f"has {currency} = {written(raw)}; it must be an amount", "for example USDT = 10000")
        found[currency] = number
    return found


def _latency(value: object) -> int:
    if value == 0 and not isinstance(value, bool):
        return 0
    return int(str(milliseconds(1, LONGEST_LATENCY_MS)(value)))


def _fee(value: object) -> Decimal:
    """A fraction, or a percentage as text; below zero it is a rebate."""
    percent = isinstance(value, str) and value.rstrip().endswith("%")
    number = _number(str(value).rstrip()[:-1].strip() if percent else value)
    found = number / 100 if number is not None and percent else number
    if found is None or not -1 < found < 1:
        raise Wrong(f"is {written(value)}; it must be a fee", 'for example "0.1%"')
    return found


def _number(value: object) -> Decimal | None:
    """An integer, a float as it is written, or text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = Decimal(value if isinstance(value, str | int) else repr(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


_FIELDS: Final = {"latency": "latency_ms"}
_PARSERS: Final[dict[str, Callable[[object], object]]] = {
    "balances": _balances,
    "latency": _latency,
    "maker": _fee,
    "taker": _fee,
    "data": choice(("live", "sandbox", "demo", "local")),
}
