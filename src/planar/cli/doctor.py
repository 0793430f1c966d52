"""`planar doctor`: what works between this machine and one exchange, what does not, and what to do about it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from rich.table import Table
from rich.text import Text

from planar.cli import exits, output, session
from planar.cli.options import CONNECTION, EnvironmentName, Json

if TYPE_CHECKING:
    from planar.doctor import Result

_MARKS = {"ok": ("✓", "green"), "warn": ("!", "yellow"), "fail": ("✗", "bold red"), "skip": ("-", "dim")}
NAME_WIDTH = 13
"""Columns of the longest name of a check."""


def doctor(
    exchange: str,
    symbol: str | None = None,
    /,
    *,
    account: Annotated[str | None, Parameter(name=("--account", "-a"), group=CONNECTION)] = None,
    environment: Annotated[EnvironmentName | None, Parameter(group=CONNECTION)] = None,
    json: Json = False,
) -> int:
    """Find out what stands between this machine and an exchange: configuration, keys, network, clock, rights, market.

    Nothing is changed at the exchange. Each line is ok, a warning, a failure with its remedy, or skipped with the reason;
    the exit code is 1 if anything failed.

    Args:
        exchange: CCXT's id, such as binance.
        symbol: a market to look at too.
        account: account, by the suffix of its section in secrets.toml.
        environment: where calls go; without it as planar.toml says.
    """
    from planar.doctor import diagnose

    def tell(result: Result) -> None:
        if json:
            sys.stderr.write(f"planar: {result.check}: {result.level}\n")
        else:
            output.console().print(_line(result))

    found = session.run(diagnose(exchange, symbol, account=account or "", environment=environment, on_result=tell))
    if json:
        import msgspec

        output.print_json({"level": found.level, **msgspec.structs.asdict(found)})
    return exits.REFUSED if found.level == "fail" else exits.OK


def _line(result: Result) -> Table:
    mark, style = _MARKS[result.level]
    text = Text(result.text, style="dim" if result.level == "skip" else "")
    if result.fix:
        text.append(f"\n→ {result.fix}", style="cyan")
    line = Table.grid(padding=(0, 2, 0, 0))
    line.add_column(width=1)
    line.add_column(width=NAME_WIDTH)
    line.add_column(overflow="fold")
    line.add_row(Text(mark, style=style), result.check, text)
    return line
