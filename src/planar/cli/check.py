"""`planar check`: the conformance report of an exchange."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from planar.cli import output
from planar.cli.options import HERE, Flag, Json, Target
from planar.cli.session import opened, run

if TYPE_CHECKING:
    from planar.exchange.conformance import Conformance


def check(
    exchange: str | None = None,
    symbol: str | None = None,
    /,
    *,
    live: Flag = False,
    target: Target = HERE,
    json: Json = False,
) -> int:
    """Report what an exchange offers a trading program, in groups, with what keeps one from being used, and a score.

    The exit code is 1 where something of the basic group is missing or failed.

    Args:
        exchange: CCXT's id. [default: as --exchange says]
        symbol: the market that is asked about. [default: its first spot market that trades]
        live: also ask the exchange for everything that can be read.
    """
    from dataclasses import replace

    wanted = target if exchange is None else replace(target, exchange=exchange)

    async def ask() -> Conformance:
        from planar.exchange.conformance import conformance

        async with opened(wanted) as found:
            spot = (one.symbol for one in found.markets.values() if one.spot and one.active is not False)
            chosen = found.market(symbol).symbol if symbol is not None else next(spot, next(iter(found.markets)))
            return await conformance(found, chosen, live=live)

    made = run(ask())
    output.show(made, lambda: _table(made, live=live), json=json)
    return 1 if any(one.group == "basic" for one in made.blockers) else 0


def _table(made: Conformance, *, live: bool) -> Table:
    scores = ", ".join(f"{group} {score}" for group, score in made.scores.items())
    rows = [
        [one.group, one.what, one.how, "BLOCKER" if one.blocker else "", one.why, *([one.live or ""] if live else [])]
        for one in made.findings
    ]
    columns = ("group", "what", "how", "", "why", *(("asked",) if live else ()))
    return output.table(columns, rows, title=f"{made.exchange} ({made.environment}): {scores}")
