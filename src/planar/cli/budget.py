"""`planar budget`: what of an exchange's limits is used, by all who share them; with --live again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter
from rich.console import RenderableType

from planar.cli import output
from planar.cli.options import HERE, Flag, Json, Target
from planar.cli.session import prepared, run

if TYPE_CHECKING:
    from planar.exchange import Exchange

PAINT_S = 0.25
LINE_S = 1.0
ASK_S = 1.0
"""How long a Redis, which is asked in the background, has for its first answer."""
BAR = 24


def _positive(kind: object, seconds: float | None) -> None:
    if seconds is not None and seconds <= 0:
        raise ValueError("it must be more than 0")


def budget(
    *,
    live: Flag = False,
    seconds: Annotated[float | None, Parameter(validator=_positive)] = None,
    target: Target = HERE,
    json: Json = False,
) -> int:
    """Show what of an exchange's limits is used, by all programs that share them. The exchange itself is asked nothing.

    Args:
        live: go on: a table that moves on a terminal, otherwise a line each second. Ctrl-C ends it.
        seconds: end --live after this time. [default: never]
    """
    return run(_show(target, seconds if live else 0.0, json=json))


async def _show(target: Target, seconds: float | None, *, json: bool) -> int:
    import planar.runtime as runtime

    async with prepared(target) as (exchange, settings):
        _document(exchange)
        if not isinstance(settings.budget.shared, bool):
            await runtime.sleep(ASK_S)
        if seconds == 0.0:
            found = _document(exchange)
            return output.show(found, lambda: _table(found), json=json)
        until = float("inf") if seconds is None else runtime.monotonic() + seconds
        if output.is_live() and not json:
            from rich.live import Live

            with Live(_table(_document(exchange)), console=output.console(), auto_refresh=False) as picture:
                while runtime.monotonic() < until:
                    picture.update(_table(_document(exchange)), refresh=True)
                    await runtime.sleep(PAINT_S)
            return 0
        while runtime.monotonic() < until:
            found = _document(exchange)
            if json:
                output.print_json(found)
            else:
                output.console().print(_line(found))
            await runtime.sleep(LINE_S)
        return 0


def _document(exchange: Exchange) -> dict[str, Any]:
    return {
        "exchange": exchange.id,
        "stopped_s": round(exchange.stopped_s(), 3),
        "meters": {name: {"used": used, "limit": limit} for name, (used, limit) in exchange.budget().items()},
    }


def _stopped(found: dict[str, Any]) -> str:
    """What the exchange said, where it said something."""
    return f": it said to stay away for another {found['stopped_s']:.1f} s" if found["stopped_s"] else ""


def _table(found: dict[str, Any]) -> RenderableType:
    rows: list[list[output.Cell]] = []
    for name, one in found["meters"].items():
        part = one["used"] / one["limit"]
        rows.append([name, f"{one['used']:.1f}", f"{one['limit']:g}", f"{part:.1%}", output.bar(part, BAR).ljust(BAR)])
    title = f"{found['exchange']}{_stopped(found)}"
    return output.table(("meter", ">used", ">limit", ">part", " "), rows, title=title, drop=(" ",))


def _line(found: dict[str, Any]) -> str:
    used = (f"{name} {one['used']:.0f}/{one['limit']:g}" for name, one in found["meters"].items() if one["used"] >= 0.5)
    return f"{found['exchange']}{_stopped(found)}: {', '.join(used) or 'nothing is used'}"
