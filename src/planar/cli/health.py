"""`planar health`: whether an exchange answers, how fast, and how this machine's clock stands to its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from cyclopts import Parameter
from rich.console import RenderableType

from planar.cli import output
from planar.cli.options import HERE, Flag, Json, Target
from planar.cli.session import opened, run
from planar.errors import PlanarError

if TYPE_CHECKING:
    from planar.exchange import Exchange

ASK_S = 1.0
"""How long after an answer the exchange is asked again with --live."""


def health(
    *,
    live: Flag = False,
    seconds: Annotated[float | None, Parameter()] = None,
    target: Target = HERE,
    json: Json = False,
) -> int:
    """Ask an exchange for its time, and show how it does: hosts, latencies, breaker, clock.

    Args:
        live: go on, a question each second: a table that moves on a terminal, otherwise a line each. Ctrl-C ends it.
        seconds: end --live after this time. [default: never]
    """
    return run(_show(target, seconds if live else 0.0, json=json))


async def _show(target: Target, seconds: float | None, *, json: bool) -> int:
    import planar.runtime as runtime

    async with opened(target) as exchange:
        if seconds == 0.0:
            await exchange.fetch_time()
            found = _document(exchange)
            return output.show(found, lambda: _table(found), json=json)
        until = float("inf") if seconds is None else runtime.monotonic() + seconds
        if output.is_live() and not json:
            from rich.live import Live

            with Live(_table(_document(exchange)), console=output.console(), auto_refresh=False) as picture:
                while runtime.monotonic() < until:
                    await _ask(exchange)
                    picture.update(_table(_document(exchange)), refresh=True)
                    await runtime.sleep(ASK_S)
            return 0
        while runtime.monotonic() < until:
            await _ask(exchange)
            found = _document(exchange)
            if json:
                output.print_json(found)
            else:
                output.console().print(_line(found))
            await runtime.sleep(ASK_S)
        return 0


async def _ask(exchange: Exchange) -> None:
    try:
        await exchange.fetch_time()
    except PlanarError:
        # an exchange that does not answer is what is being watched; the failure is counted in its health
        return


def _document(exchange: Exchange) -> dict[str, Any]:
    found = exchange.health
    hosts = [{**msgspec.structs.asdict(host), "error_rate": round(host.error_rate, 6)} for host in found.hosts]
    return {
        "exchange": exchange.id,
        "breaker": found.breaker,
        "last_success_ms": found.last_success_ms,
        "clock": msgspec.structs.asdict(found.clock),
        "hosts": [{name: _rounded(value) for name, value in host.items()} for host in hosts],
    }


def _rounded(value: Any) -> Any:
    return round(value, 3) if isinstance(value, float) else value


def _clock(found: dict[str, Any]) -> str:
    offset_ms, either_ms = found["clock"]["offset_ms"], found["clock"]["uncertainty_ms"]
    return "clock not asked" if offset_ms is None else f"its clock {offset_ms:+.0f} ms, to {either_ms:.0f} ms"


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def _table(found: dict[str, Any]) -> RenderableType:
    rows: list[list[output.Cell]] = [
        [
            host["host"],
            host["breaker"],
            str(host["requests"]),
            f"{host['error_rate']:.1%}",
            _ms(host["p50_ms"]),
            _ms(host["p90_ms"]),
            _ms(host["p99_ms"]),
            host["last_failure"] or "",
        ]
        for host in found["hosts"]
    ]
    headings = ("host", "breaker", ">requests", ">failed", ">p50 ms", ">p90 ms", ">p99 ms", "last failure")
    return output.table(headings, rows, title=f"{found['exchange']}: {_clock(found)}", drop=("last failure", ">p90 ms"))


def _line(found: dict[str, Any]) -> str:
    hosts = (
        f"{host['host']} {host['breaker']} p50 {_ms(host['p50_ms'])} ms failed {host['error_rate']:.1%}"
        for host in found["hosts"]
    )
    return f"{found['exchange']}: {', '.join(hosts)}; {_clock(found)}"
