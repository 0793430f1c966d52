"""`[<id>.limits]`: a raw table in, `LimitSettings` out, or `Wrong` with the right form. Tables inside it are accounts'."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from planar.config.document import as_table
from planar.config.schema import LimitSettings, ValueLimit
from planar.config.suggest import nearest
from planar.config.values import Wrong, written

_CURRENCY: Final = re.compile(r"[A-Z0-9][A-Z0-9._-]{0,19}")
_POSITION: Final = "max_position"


def limits(value: object) -> LimitSettings:
    """The limits of an exchange's accounts."""
    table = as_table(value)
    if table is None:
        raise Wrong(f"is {written(value)}; it must be a table", "write [<id>.limits] and the limits below it")
    accounts = {name: one for name, one in table.items() if name != _POSITION and as_table(one) is not None}
    common = _parsed({name: one for name, one in table.items() if name not in accounts}, "")
    own = {name: LimitSettings(**common | _parsed(as_table(one) or {}, f"{name}.")) for name, one in accounts.items()}
    return LimitSettings(**common, accounts=own)


def _parsed(table: dict[str, object], prefix: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in table.items():
        parse = _PARSERS.get(name)
        if parse is None:
            near = nearest(name, list(_PARSERS))
            fix = f"did you mean {near}?" if near else f"limits are {', '.join(_PARSERS)}"
            raise Wrong(f"has no limit {prefix}{name}", fix)
        try:
            found[name] = parse(value)
        except Wrong as wrong:
            raise Wrong(f"{prefix}{name} {wrong.text}", wrong.fix) from None
    return found


def _number(value: object) -> Decimal | None:
    """A number above zero: an integer, a float as it is written, or text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = Decimal(value if isinstance(value, str | int) else repr(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() and number > 0 else None


def _money(value: object) -> ValueLimit:
    amount, _, currency = value.partition(" ") if isinstance(value, str) else ("", "", "")
    number = _number(amount)
    if number is None or not _CURRENCY.fullmatch(currency.strip()):
        raise Wrong(f"is {written(value)}; it must be an amount and its currency", 'for example "1000 USDT"')
    return ValueLimit(number, currency.strip())


def _count(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    raise Wrong(f"is {written(value)}; it must be a whole number above 0")


def _position(value: object) -> dict[str, Decimal]:
    table = as_table(value)
    if not table:
        raise Wrong(f"is {written(value)}; it must be a table of amounts", 'for example { BTC = "0.5", ETH = "10" }')
    found: dict[str, Decimal] = {}
    for currency, raw in table.items():
        number = _number(raw)
        if number is None or not _CURRENCY.fullmatch(currency):
            raise Wrong(f"has {currency} = {written(raw)}; it must be an amount above 0", 'for example BTC = "0.5"')
        found[currency] = number
    return found


def _fraction(value: object) -> Decimal:
    percent = isinstance(value, str) and value.rstrip().endswith("%")
    number = _number(str(value).rstrip()[:-1].strip() if percent else value)
    found = number / 100 if number is not None and percent else number
    if found is None or found >= 1:
        raise Wrong(f"is {written(value)}; it must be more than 0% and less than 100%", 'for example "5%"')
    return found


_PARSERS: Final[dict[str, Callable[[object], object]]] = {
    "max_order_value": _money,
    "max_open_orders": _count,
    _POSITION: _position,
    "max_orders_per_minute": _count,
    "price_collar": _fraction,
}
