"""`planar arbitrage | route | select`: several exchanges at once. Nothing here sends an order."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable, Mapping
from contextlib import asynccontextmanager
from decimal import Context, Decimal
from math import isfinite
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter
from rich.table import Table

from planar.cli import output
from planar.cli.exits import UsageError
from planar.cli.options import CONNECTION, EnvironmentName, Flag, Json, Quantity
from planar.cli.session import busy, run

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from planar.multi import Choice, Group, Opportunity, Route

Exchanges = Annotated[str | None, Parameter(name=("--exchange", "-e"), group=CONNECTION)]
Where = Annotated[EnvironmentName | None, Parameter(group=CONNECTION)]
By = Literal["order", "price", "fee", "spread", "latency"]


@asynccontextmanager
async def grouped(
    exchange: str | None, environment: EnvironmentName | None, *, least: int = 1
) -> AsyncGenerator[Group]:
    """The exchanges that are named, by comma, else those of the configuration, if they are `least` or more.

    The first question opens them: one that hangs while it is opened is so waited for once."""
    import planar

    async with planar.open() as workspace:
        options: dict[str, Any] = {} if environment is None else {"environment": environment}
        group = workspace.group(*(exchange.split(",") if exchange else ()), **options)
        if len(group.ids) < least:
            raise UsageError(
                f"this needs {least} exchanges or more, and there is only {group.ids[0]}",
                hint="name them, with commas: --exchange ID,ID",
            )
        yield group


def _tell(errors: Mapping[str, BaseException]) -> None:
    for name, error in errors.items():
        sys.stderr.write(f"planar: {name} takes no part: {error}\n")


def arbitrage(
    symbol: str,
    /,
    *symbols: str,
    seconds: Annotated[float | None, Parameter()] = None,
    min_profit_pct: float = 0.0,
    balances: Flag = False,
    exchange: Exchanges = None,
    environment: Where = None,
    json: Json = False,
) -> int:
    """Watch live books for what could be bought on one exchange and sold on another, after fees. Ctrl-C ends it.

    A line for each opportunity as it appears or changes; with --json a JSON line. Nothing is ordered.

    Args:
        symbol: spot market, such as BTC/USDT.
        symbols: further markets.
        seconds: end after this time. [default: never]
        min_profit_pct: only what earns at least so much, in percent of the cost.
        balances: no more than the accounts hold; needs keys.
        exchange: CCXT's ids, by comma. [default: primary and backup of planar.toml]
        environment: where calls go. [default: as planar.toml says; without a word there, live]
    """
    return run(_arbitrage((symbol, *symbols), seconds, min_profit_pct, balances, exchange, environment, json=json))


async def _arbitrage(
    symbols: tuple[str, ...],
    seconds: float | None,
    min_profit_pct: float,
    balances: bool,
    exchange: str | None,
    environment: EnvironmentName | None,
    *,
    json: bool,
) -> int:
    for option, value in (("--seconds", seconds), ("--min-profit-pct", min_profit_pct)):
        if value is not None and not (isfinite(value) and value >= 0):
            raise UsageError(f"{option} = {value} is no number of 0 or more", hint=f"such as {option} 0.5")
    async with grouped(exchange, environment, least=2) as group:
        watching = group.watch_arbitrage(symbols, min_profit_pct=min_profit_pct, balances=balances)
        async with watching as found:
            _tell(found.errors)
            sys.stderr.write(f"planar: looking at {', '.join(symbols)} on {', '.join(group.ids)}; Ctrl-C ends it\n")
            count = 0
            try:
                async with asyncio.timeout(seconds):
                    async for one in found:
                        count += 1
                        _print(one, json=json)
            except TimeoutError:
                sys.stderr.write(f"planar: {found.looked} changes of books looked at, {count} opportunities\n")
    return 0


def _print(one: Opportunity, *, json: bool) -> None:
    if json:
        output.print_json(one)
    else:
        sys.stdout.write(f"{_line(one)}\n")
        sys.stdout.flush()


def _line(one: Opportunity) -> str:
    return (
        f"{output.clock(one.seen_ms)} {one.symbol}: buy {one.buy_amount} on {one.buy} at {_short(one.buy_price)}, "
        f"sell {one.sell_amount} on {one.sell} at {_short(one.sell_price)}: "
        f"{_short(one.profit)} after {_short(one.fees)} fees ({one.profit_pct:.3f} %), books {one.age_ms:.0f} ms old"
    )


def _short(value: Decimal) -> str:
    """Seven digits, which is what a person compares."""
    return output.number(Context(prec=7).plus(value))


def route(
    symbol: str,
    side: Literal["buy", "sell"],
    amount: Quantity,
    /,
    *,
    preview: Flag = False,
    balances: Flag = False,
    exchange: Exchanges = None,
    environment: Where = None,
    json: Json = False,
) -> int:
    """Show how an order would best be split over several exchanges, after fees, steps and minimums. Nothing is sent.

    Args:
        symbol: spot market, such as BTC/USDT.
        side: what is wanted.
        amount: in base currency.
        preview: required: routes are not carried out yet.
        balances: no more goes anywhere than is free there; needs keys.
        exchange: CCXT's ids, by comma. [default: primary and backup of planar.toml]
        environment: where calls go. [default: as planar.toml says; without a word there, live]
    """
    if not preview:
        raise UsageError(
            "routes are not carried out yet", hint="add --preview to see the best one; send its legs yourself"
        )

    async def ask() -> Route:
        async with grouped(exchange, environment) as group:
            with busy("asking the exchanges"):
                return await group.route(symbol, side, amount, preview=True, balances=balances)

    found = run(ask())
    return output.show(found, lambda: _route_table(symbol, found), json=json)


def _route_table(symbol: str, found: Route) -> Table:
    def cells(legs: Iterable[Any], how: str) -> list[list[str]]:
        return [
            [how, leg.exchange, *map(_short, (leg.amount, leg.average, leg.worst, leg.fee, leg.total))] for leg in legs
        ]

    rows = cells(found.legs, "route") + cells(found.alone, "alone")
    total = _short(found.total)
    saves = "" if found.saves is None else f", {_short(found.saves)} better than the best alone"
    title = f"{found.side} {found.amount} of {found.wanted} {symbol}: {total} in total{saves}"
    table = output.table(("", "exchange", "amount", "average", "worst", "fee", "total"), rows, title=title)
    _tell({name: Exception(why) for name, why in found.left_out.items()})
    return table


def select(
    symbol: str,
    /,
    *,
    by: By = "order",
    side: Literal["buy", "sell"] | None = None,
    amount: Quantity | None = None,
    exchange: Exchanges = None,
    environment: Where = None,
    json: Json = False,
) -> int:
    """Show which exchange is to be used for a market now, and why.

    Args:
        symbol: market, such as BTC/USDT.
        by: order: the first that works; or the best by price after fees, fee, spread or latency.
        side: of the order that is compared, with --by price.
        amount: of that order, in base currency.
        exchange: CCXT's ids, by comma. [default: primary and backup of planar.toml]
        environment: where calls go. [default: as planar.toml says; without a word there, live]
    """

    if by == "price" and (side is None or amount is None):
        raise UsageError(
            "--by price compares what an order would cost, and needs --side and --amount",
            hint="for example --side buy --amount 0.5",
        )

    async def ask() -> tuple[str, Choice]:
        async with grouped(exchange, environment) as group:
            with busy("asking the exchanges"):
                choice = await group.selector(symbol, by=by, side=side, amount=amount).pick()
            return choice.exchange.id, choice

    chosen, found = run(ask())
    told = {"exchange": chosen, "why": found.why, "candidates": found.candidates}
    rows = [
        ["*" if one.exchange == chosen else "", one.exchange, "yes" if one.fits else "no", one.why]
        for one in found.candidates
    ]
    return output.show(
        told,
        lambda: output.table(("", "exchange", "can be used", "why"), rows, title=f"{chosen} for {symbol}"),
        json=json,
    )
