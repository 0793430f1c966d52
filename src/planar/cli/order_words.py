"""The options that say which kind of order is meant, and what they are to `create_order`."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from cyclopts import Group, Parameter

from planar.cli.exits import UsageError
from planar.cli.options import Flag, Quantity

KIND = Group("Which order", sort_key=1)

UNITS_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


@Parameter(name="*", group=KIND)
@dataclass(frozen=True, kw_only=True)
class Kind:
    """The kind of an order."""

    price: Quantity | None = None
    """Limit price."""
    market: Flag = False
    """Execute at the market's price."""
    cost: Quantity | None = None
    """Market order sized by this amount of quote currency, instead of AMOUNT."""
    stop: Quantity | None = None
    """Wait until the price gets as bad as this; then a limit order with --price, else a market order."""
    take_profit: Quantity | None = None
    """Wait until the price gets as good as this; then a limit order with --price, else a market order."""
    trailing: Quantity | None = None
    """Follow the best price at this distance in percent; then as --stop."""
    post_only: Flag = False
    """Refuse to take: the order rests in the book or is refused."""
    ioc: Flag = False
    """Immediate or cancel: what does not trade at once is canceled."""
    fok: Flag = False
    """Fill or kill: all of it at once, or nothing."""
    until: str | None = None
    """Good till then: 2026-12-24T18:00, or 90m, 12h, 7d from now. UTC, where no other time zone is written."""


PLAIN = Kind()


def translated(kind: Kind, amount: Decimal | None) -> tuple[str, dict[str, Any]]:
    """The type and the keyword arguments of `create_order` for the options; contradictions are refused."""
    waits = {"--stop": kind.stop, "--take-profit": kind.take_profit, "--trailing": kind.trailing}
    waiting = [name for name, value in waits.items() if value is not None]
    if kind.price is not None and (kind.market or kind.cost is not None):
        other = "--market" if kind.market else "--cost"
        raise UsageError(f"--price and {other} contradict each other", hint="a market order has no price")
    if kind.price is None and not kind.market and kind.cost is None and not waiting:
        raise UsageError("which order is meant?", hint="--price 60000 for a limit order, --market for a market order")
    if (amount is None) == (kind.cost is None):
        problem = "AMOUNT is missing" if amount is None else "AMOUNT and --cost contradict each other"
        raise UsageError(problem, hint="give AMOUNT in base currency, or --cost in quote currency")
    if len(waiting) > 1:
        raise UsageError(
            f"{' and '.join(waiting)}: an order waits for one thing", hint="planar order oco links two exits"
        )
    options = {"--post-only": kind.post_only, "--ioc": kind.ioc, "--fok": kind.fok, "--until": kind.until is not None}
    resting = [name for name, on in options.items() if on]
    if len(resting) > 1 and resting != ["--post-only", "--until"]:
        raise UsageError(f"{' and '.join(resting)} contradict each other", hint="give one of them")
    if resting and kind.price is None:
        raise UsageError(f"{resting[0]} belongs to a limit order", hint="give --price as well")
    words = {
        "cost": kind.cost,
        "trigger_price": kind.stop,
        "take_profit": kind.take_profit,
        "trailing_percent": kind.trailing,
        "post_only": kind.post_only,
        "time_in_force": "IOC" if kind.ioc else "FOK" if kind.fok else "GTD" if kind.until is not None else None,
        "expire_at_ms": None if kind.until is None else _end_ms(kind.until),
    }
    found = {name: value for name, value in words.items() if value is not None and value is not False}
    return ("market" if kind.price is None else "limit"), found


def _end_ms(text: str) -> int:
    from datetime import UTC, datetime

    from planar import runtime

    unit = UNITS_MS.get(text[-1:])
    if unit is not None and text[:-1].isdigit():
        return (runtime.wall_ms() + int(text[:-1]) * unit) // 1000 * 1000
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"--until {text} is no time", hint="such as 2026-12-24T18:00, or 90m, 12h, 7d") from error
    return int((moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp() * 1000)
