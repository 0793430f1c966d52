"""`planar order buy | sell | show`: one order, previewed, confirmed, journaled, sent at most once."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

from cyclopts import Group, Parameter

from planar.cli import exits, output
from planar.cli.ask import confirm
from planar.cli.exits import UsageError
from planar.cli.options import HERE, Json, Quantity, Target
from planar.cli.order_words import PLAIN, Kind, translated
from planar.cli.outcomes import saying_outcome
from planar.cli.session import opened, run

if TYPE_CHECKING:
    from planar.errors import OrderUnknown
    from planar.exchange import Exchange
    from planar.models import Order
    from planar.orders import OrderHandle
    from planar.orders.preview import Preview

SENDING = Group("Sending", sort_key=2)

SETTLE_S = 5.0
"""How long the command waits for the end of an order that executes at once."""
RESOLVE_TIMEOUTS = 3
"""How many timeouts of the exchange long the command looks into an order that the exchange may or may not have."""


@Parameter(name="*", group=SENDING)
@dataclass(frozen=True, kw_only=True)
class Sending:
    """How it is sent."""

    yes: Annotated[bool, Parameter(name=("--yes", "-y"), negative="", show_default=False)] = False
    """Do not ask."""
    dry_run: Annotated[bool, Parameter(name=("--dry-run", "--preview"), negative="", show_default=False)] = False
    """Show the preview and send nothing."""
    intent: Annotated[str, Parameter(show_default=False)] = ""
    """Your own name for this order. Given again, the same order is shown instead of a second one sent."""


ASKED = Sending()


def buy(
    symbol: str,
    amount: Quantity | None = None,
    /,
    *,
    kind: Kind = PLAIN,
    sending: Sending = ASKED,
    target: Target = HERE,
    json: Json = False,
) -> int:
    """Buy: shows environment, account and a preview, asks, and sends the order at most once.

    Args:
        symbol: market, such as BTC/USDT.
        amount: in base currency.
    """
    return _order("buy", symbol, amount, kind, sending, target, json)


def sell(
    symbol: str,
    amount: Quantity | None = None,
    /,
    *,
    kind: Kind = PLAIN,
    sending: Sending = ASKED,
    target: Target = HERE,
    json: Json = False,
) -> int:
    """Sell: shows environment, account and a preview, asks, and sends the order at most once.

    Args:
        symbol: market, such as BTC/USDT.
        amount: in base currency.
    """
    return _order("sell", symbol, amount, kind, sending, target, json)


def edit(
    symbol: str,
    id: str,
    /,
    *,
    amount: Quantity | None = None,
    price: Quantity | None = None,
    stop: Quantity | None = None,
    sending: Sending = ASKED,
    target: Target = HERE,
    json: Json = False,
) -> int:
    """Change an order that stands: shows how and a preview, asks, and sends the change at most once.

    Where the exchange changes orders in place it stays the same order; else another one comes in its place.

    Args:
        symbol: market, such as BTC/USDT.
        id: the exchange's id, or the client id that Planar gave it.
        amount: of the whole order, what has traded already included.
        price: limit price.
        stop: trigger price.
    """
    if amount is None and price is None and stop is None:
        raise UsageError("nothing is to be changed", hint="give --amount, --price or --stop")
    params = {} if stop is None else {"triggerPrice": stop}

    async def work() -> int:
        async with opened(target, private=True) as exchange:
            with saying_outcome("changed"):
                if not sending.yes or sending.dry_run:
                    found = await exchange.preview_edit(id, symbol, amount=amount, price=price, params=params)
                    if not await agreed(found, sending, json):
                        return exits.OK
                return await send(
                    exchange,
                    symbol,
                    exchange.edit_order(id, symbol, None, None, amount, price, params, intent_id=sending.intent),
                    json,
                )

    return run(work())


def show(symbol: str, id: str, /, *, target: Target = HERE, json: Json = False) -> int:
    """Show one order as the exchange has it now.

    Args:
        symbol: market, such as BTC/USDT.
        id: the exchange's id, or the client id that Planar gave it.
    """

    async def ask() -> Order:
        async with opened(target, private=True) as exchange:
            return await exchange.fetch_order(id, symbol)

    found = run(ask())
    return output.show(found, lambda: output.facts(order_rows(found)), json=json)


def _order(
    side: str, symbol: str, amount: Decimal | None, kind: Kind, sending: Sending, target: Target, json: bool
) -> int:
    type_, words = translated(kind, amount)

    async def work() -> int:
        async with opened(target, private=True) as exchange:
            with saying_outcome("ordered"):
                if not sending.yes or sending.dry_run:
                    found = await exchange.preview_order(symbol, type_, side, amount, kind.price, **words)
                    if not await agreed(found, sending, json):
                        return exits.OK
                args = (symbol, type_, side, amount, kind.price)
                asked = exchange.create_order(*args, intent_id=sending.intent, **words)
                return await send(exchange, symbol, asked, json)

    return run(work())


async def agreed(found: Preview, sending: Sending, json: bool) -> bool:
    """Show the preview; True if the order is to be sent."""
    from planar.cli import preview

    if json and sending.dry_run:
        output.print_json(preview.as_json(found))
    elif not json:
        output.console().print(output.facts(preview.rows(found)))
    if sending.dry_run:
        return False
    said = await confirm("Send it?", json=json, instead="add --yes to send it, or --dry-run to look only")
    if not said:
        output.console().print("Nothing was sent.")
    return said


async def send(exchange: Exchange, symbol: str, sending: Awaitable[OrderHandle], json: bool) -> int:
    """Wait for the order that is being sent, and show it."""
    from planar.errors import OrderUnknown

    try:
        handle = await sending
    except OrderUnknown as error:
        handle = await _looked_into(error, exchange.settings.timeout_ms)
    except asyncio.CancelledError:
        sys.stderr.write(f"planar: interrupted; `planar orders {symbol}` shows whether the order had left already\n")
        raise
    order = await _ended(handle)
    output.show(
        order,
        lambda: output.facts([("exchange", f"{exchange.id} ({exchange.environment})"), *order_rows(order)]),
        json=json,
    )
    return exits.REFUSED if order.status == "rejected" else exits.OK


async def _looked_into(error: OrderUnknown, timeout_ms: int) -> OrderHandle:
    """Wait for the resolver, which has begun; the handle if it finds out.

    Raises:
        OrderUnknown: it did not.
    """
    handle: OrderHandle = error.order
    try:
        await handle.resolved(RESOLVE_TIMEOUTS * timeout_ms / 1000)
    except type(error):
        error.hint = (
            "do not send it again: it is in the journal, and the next command that orders on this account looks into "
            f"it first; `planar order show {handle.symbol} {error.client_id}` asks the exchange; once you know from "
            f"elsewhere what became of it: planar orders resolve {error.exchange} {error.client_id} --as STATE --reason ..."
        )
        raise error from None
    return handle


async def _ended(handle: OrderHandle) -> Order:
    """The order; one that executes at once is waited for."""
    from planar.errors import RequestTimeout

    if (handle.type == "market" and not handle.waits) or handle.time_in_force in ("IOC", "FOK"):
        try:
            return await handle.settled(SETTLE_S)
        except RequestTimeout:
            return handle.snapshot
    return handle.snapshot


def order_rows(order: Order) -> list[tuple[str, str]]:
    fees = ", ".join(f"{output.number(fee.cost)} {fee.currency or ''}".strip() for fee in order.fees)
    size = output.NONE if order.amount is None else str(order.amount)
    price = f" at {order.price}" if order.price is not None else ""
    found = [
        ("order", f"{order.side} {size} {order.symbol} {order.type or ''}{price}".strip()),
        ("state", order.state.value),
        ("filled", output.number(order.filled)),
        ("average", output.NONE if order.average is None else output.number(round(order.average, 8))),
        ("fees", fees or output.NONE),
        ("id", order.id or output.NONE),
        ("client id", order.client_order_id or output.NONE),
    ]
    if order.trigger_price is not None:
        found.insert(1, ("stop", str(order.trigger_price)))
    return found
