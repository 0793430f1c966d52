"""`planar balance | orders | cancel`: what an account holds and what it has open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from rich.table import Table
from rich.text import Text

from planar.cli import output
from planar.cli.ask import confirm
from planar.cli.exits import UsageError
from planar.cli.options import HERE, Count, Flag, Json, Target
from planar.cli.outcomes import saying_outcome
from planar.cli.session import opened, run

if TYPE_CHECKING:
    from planar.models import AccountBalance, Order


def balance(*, target: Target = HERE, json: Json = False) -> int:
    """Show what an account holds of each currency."""

    async def ask() -> AccountBalance:
        async with opened(target, private=True) as exchange:
            return await exchange.fetch_balance()

    found = run(ask())

    def render() -> Table:
        held = [(code, one) for code, one in found.balances.items() if one.total or one.free or one.used]
        rows = [(code, *map(output.number, (one.free, one.used, one.total))) for code, one in held]
        return output.table(("currency", ">free", ">in orders", ">total"), rows)

    return output.show(found, render, json=json)


def orders(
    symbol: str | None = None,
    /,
    *,
    all: Flag = False,
    limit: Count = 50,
    live: Flag = False,
    seconds: Annotated[float | None, Parameter()] = None,
    target: Target = HERE,
    json: Json = False,
) -> int:
    """Show open orders, of one market or of all; with --all also those that have ended.

    Args:
        symbol: market, such as BTC/USDT.
        all: orders of any state; needs a symbol.
        limit: at most this many, the newest.
        live: go on: a table that moves on a terminal, otherwise a line for each change. Ctrl-C ends it.
        seconds: end --live after this time. [default: never]
    """
    if live:
        if all:
            raise UsageError("--live and --all contradict each other", hint="--live shows what is open, as it changes")
        from planar.cli.orders_live import follow

        return run(follow(target, symbol, seconds, json=json))
    if all and symbol is None:
        raise UsageError("--all needs a market", hint="planar orders BTC/USDT --all")

    async def ask() -> list[Order]:
        async with opened(target, private=True) as exchange:
            if all and symbol is not None:
                return (await exchange.fetch_orders(symbol, limit=limit))[-limit:]
            return await exchange.fetch_open_orders(symbol, limit=limit)

    found = run(ask())
    title = f"{len(found)} {'orders' if all else 'open orders'}"
    return output.show(found, lambda: orders_table(found, title), json=json)


def cancel(
    symbol: str,
    id: str | None = None,
    /,
    *,
    all: Flag = False,
    yes: Annotated[bool, Parameter(name=("--yes", "-y"), negative="", show_default=False)] = False,
    target: Target = HERE,
    json: Json = False,
) -> int:
    """Cancel an order, or with --all every open order of a market.

    Args:
        symbol: market, such as BTC/USDT.
        id: the order: the exchange's id, or the client id that Planar gave it.
        all: every open order of the market, those of other programs too.
        yes: do not ask.
    """
    if all == (id is not None):
        raise UsageError(
            "name one order, or all of them", hint=f"planar cancel {symbol} ID, or planar cancel {symbol} --all"
        )

    async def work() -> list[Order] | None:
        async with opened(target, private=True) as exchange:
            with saying_outcome("canceled"):
                if id is not None:
                    return [await exchange.cancel_order(id, symbol)]
                found = await exchange.fetch_open_orders(symbol)
                if found and not yes:
                    output.show(found, lambda: orders_table(found, f"{len(found)} open orders"), json=json)
                    if not await confirm(f"Cancel all {len(found)} of them?", json=json):
                        return None
                return await exchange.cancel_all_orders(symbol)

    done = run(work())
    if done is None:
        output.console().print("Nothing was canceled.")
        return 0
    return output.show(done, lambda: orders_table(done, f"{len(done)} canceled"), json=json)


def orders_table(found: list[Order], title: str) -> Table:
    """Orders, one a row."""
    rows: list[list[output.Cell]] = []
    for order in found:
        side = Text(order.side, style=output.side_style(order.side))
        numbers = (output.number(value) for value in (order.amount, order.price, order.trigger_price, order.filled))
        kind = order.type or output.NONE
        time = output.minute(order.ts_ms)
        client_id = order.client_order_id or output.NONE
        rows.append([order.id or output.NONE, order.symbol, side, kind, *numbers, order.state.value, client_id, time])
    columns = (
        *("id", "market", "side", "type", ">amount", ">price", ">stop", ">filled", "state", "client id", "time UTC"),
    )
    return output.table(columns, rows, title=title, drop=("time UTC", "client id", "stop"))
