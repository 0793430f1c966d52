"""The command `planar demo`."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from planar.cli import exits, output
from planar.cli.options import Json

SHORTEST_S, LONGEST_S = 3.0, 3600.0


def _in_range(kind: object, seconds: float) -> None:
    if not SHORTEST_S <= seconds <= LONGEST_S:
        raise ValueError(f"it must be from {SHORTEST_S:.0f} to {LONGEST_S:.0f}")


def demo(
    *,
    seconds: Annotated[float, Parameter(validator=_in_range)] = 20.0,
    seed: int = 1,
    json: Json = False,
) -> int:
    """Stream, trade and settle on two local exchanges: offline, without any configuration, nothing is left behind.

    Live quotes of both side by side with the best of both, their books as one, trades; meanwhile limit and market orders
    on both, cancels, answers swallowed and a request lost on purpose, which Planar finds out about by itself. At the end
    every number from both sides, the client's and the ledgers'; the exit code is 0 only if they agree to the last digit.

    Args:
        seconds: how long.
        seed: decides the markets.
    """
    from planar.cli.demo.run import run as play
    from planar.cli.demo.summary import render
    from planar.cli.session import run

    live = output.is_live() and not json
    result = run(play(seconds, seed, None if json else output.console(), live=live))
    output.show(result, lambda: render(result), json=json)
    return exits.OK if result.agree else exits.REFUSED
