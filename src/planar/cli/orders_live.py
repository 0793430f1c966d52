"""`planar orders --live`: the open orders of an account as they change, and the last that ended.

The stream comes first and the question after it, so nothing is missed between them; after a gap the question is asked
again.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType

from planar.cli import output
from planar.cli.options import Target
from planar.cli.session import opened

if TYPE_CHECKING:
    from planar.exchange import Exchange
    from planar.models import Order

ENDED = 10
"""Orders that are still shown after they have ended."""
PAINT_S = 0.2


class Picture:
    """What is open, and what has ended lately."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._open: dict[str, Order] = {}
        self._ended: deque[Order] = deque(maxlen=ENDED)

    def all(self, found: list[Order]) -> list[Order]:
        """These and no others are open; which of them are new or have changed."""
        changed = [order for order in found if self._open.get(_name(order)) != order]
        self._open = {_name(order): order for order in found}
        return changed

    def change(self, order: Order) -> None:
        """One has changed."""
        if order.is_done:
            self._open.pop(_name(order), None)
            self._ended.appendleft(order)
        else:
            self._open[_name(order)] = order

    def render(self) -> RenderableType:
        """Two tables."""
        from planar.cli.account import orders_table

        shown = [orders_table(list(self._open.values()), f"{self._title}: {len(self._open)} open orders")]
        if self._ended:
            shown.append(orders_table(list(self._ended), "ended"))
        return Group(*shown)


async def follow(target: Target, symbol: str | None, seconds: float | None, *, json: bool) -> int:
    """Show changes until Ctrl-C, or for `seconds`: a picture on a terminal, else a line or an object each."""
    async with opened(target, private=True) as exchange:
        picture = Picture(f"{exchange.id} ({exchange.environment})")
        try:
            async with asyncio.timeout(seconds):
                if output.is_live() and not json:
                    await _paint(exchange, symbol, picture)
                else:
                    await _list(exchange, symbol, picture, json=json)
        except TimeoutError:
            pass
    return 0


async def _paint(exchange: Exchange, symbol: str | None, picture: Picture) -> None:
    from rich.live import Live

    import planar.runtime as runtime

    with Live(picture.render(), console=output.console(), auto_refresh=False) as shown:

        async def repaint() -> None:
            while True:
                shown.update(picture.render(), refresh=True)
                await runtime.sleep(PAINT_S)

        painting = runtime.spawn(repaint(), name="planar orders: paint")
        try:
            await _changes(exchange, symbol, picture, lambda order: None)
        finally:
            painting.cancel()


async def _list(exchange: Exchange, symbol: str | None, picture: Picture, *, json: bool) -> None:
    def told(order: Order) -> None:
        if json:
            output.print_json(order)
        else:
            output.console().print(_line(order))

    await _changes(exchange, symbol, picture, told)


async def _changes(exchange: Exchange, symbol: str | None, picture: Picture, told: Callable[[Order], None]) -> None:
    from planar.streams import Gap

    async with exchange.watch_orders(symbol) as stream:
        for order in picture.all(await exchange.fetch_open_orders(symbol)):
            told(order)
        async for change in stream:
            if isinstance(change, Gap):
                changed = picture.all(await exchange.fetch_open_orders(symbol))
            else:
                picture.change(change)
                changed = [change]
            for order in changed:
                told(order)


def _name(order: Order) -> str:
    return order.id or order.client_order_id or ""


def _line(order: Order) -> str:
    price = f" at {order.price}" if order.price is not None else ""
    filled = output.number(order.filled)
    return (
        f"{output.minute(order.last_update_ts_ms or order.ts_ms)} {order.id or output.NONE} {order.side} "
        f"{order.amount or output.NONE} {order.symbol}{price}: {order.state.value}, filled {filled}"
    )
