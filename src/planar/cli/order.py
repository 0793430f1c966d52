"""`planar order buy | sell | show`: one order, previewed, confirmed, journaled, sent at most once."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Group, Parameter

from planar.cli import exits, output
from planar.cli.ask import confirm
from planar.cli.exits import UsageError
from planar.cli.options import HERE, Flag, Json, Quantity, Target
from planar.cli.outcomes import saying_outcome
from planar.cli.session import opened, run

if TYPE_CHECKING:
    from planar.errors import OrderUnknown
    from planar.exchange import Exchange
    from planar.models import Order
    from planar.orders import OrderHandle
    from planar.orders.preview import Preview

KIND = Group("Which order", sort_key=1)
SENDING = Group("Sending", sort_key=2)

SETTLE_S = 5.0
"""How long the command waits for the end of an order that executes at once."""
RESOLVE_TIMEOUTS = 3
"""How many timeouts of the exchange long the command looks into an order that the exchange may or may not have."""


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
    """Wait until the price reaches this; then a limit order with --price, else a market order."""
    post_only: Flag = False
    """Refuse to take: the order rests in the book or is refused."""
    ioc: Flag = False
    """Immediate or cancel: what does not trade at once is canceled."""
    fok: Flag = False
    """Fill or kill: all of it at once, or nothing."""


@Parameter(name="*", group=SENDING)
@dataclass(frozen=True, kw_only=True)
class Sending:
    """How it is sent."""

    yes: Annotated[bool, Parameter(name=("--yes", "-y"), negative="", show_default=False)] = False
    """Do not ask."""
    dry_run: Flag = False
    """Show the preview and send nothing."""
    intent: str = ""
    """Your own name for this order. Given again, the same order is shown instead of a second one sent."""


PLAIN = Kind()
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
    type_, params = _translated(kind, amount)

    async def work() -> int:
        async with opened(target, private=True) as exchange:
            with saying_outcome("ordered"):
                if not sending.yes or sending.dry_run:
                    found = await exchange.preview_order(symbol, type_, side, amount, kind.price, params)
                    if not await _agreed(found, sending, json):
                        return exits.OK
                args = (symbol, type_, side, amount, kind.price, params)
                return await _send(exchange, args, sending.intent, json)

    return run(work())


def _translated(kind: Kind, amount: Decimal | None) -> tuple[str, dict[str, Any]]:
    """CCXT's type and unified parameters for the flags; contradictions are refused."""
    if kind.price is not None and (kind.market or kind.cost is not None):
        other = "--market" if kind.market else "--cost"
        raise UsageError(f"--price and {other} contradict each other", hint="a market order has no price")
    if kind.price is None and not kind.market and kind.cost is None and kind.stop is None:
        raise UsageError("which order is meant?", hint="--price 60000 for a limit order, --market for a market order")
    if (amount is None) == (kind.cost is None):
        problem = "AMOUNT is missing" if amount is None else "AMOUNT and --cost contradict each other"
        raise UsageError(problem, hint="give AMOUNT in base currency, or --cost in quote currency")
    resting = [name for name, on in (("--post-only", kind.post_only), ("--ioc", kind.ioc), ("--fok", kind.fok)) if on]
    if len(resting) > 1:
        raise UsageError(f"{' and '.join(resting)} contradict each other", hint="give one of them")
    if resting and kind.price is None:
        raise UsageError(f"{resting[0]} belongs to a limit order", hint="give --price as well")
    params: dict[str, Any] = {}
    if kind.cost is not None:
        params["cost"] = kind.cost
    if kind.stop is not None:
        params["triggerPrice"] = kind.stop
    if kind.post_only:
        params["postOnly"] = True
    if kind.ioc or kind.fok:
        params["timeInForce"] = "IOC" if kind.ioc else "FOK"
    return ("market" if kind.price is None else "limit"), params


async def _agreed(found: Preview, sending: Sending, json: bool) -> bool:
    """Show the preview; True if the order is to be sent."""
    from planar.cli import preview

    if json and sending.dry_run:
        output.print_json(preview.as_json(found))
    elif not json:
        output.console().print(output.facts(preview.rows(found)))
    if sending.dry_run:
        return False
    agreed = await confirm("Send it?", json=json, instead="add --yes to send it, or --dry-run to look only")
    if not agreed:
        output.console().print("Nothing was sent.")
    return agreed


async def _send(exchange: Exchange, args: tuple[Any, ...], intent: str, json: bool) -> int:
    from planar.errors import OrderUnknown

    try:
        handle = await exchange.create_order(*args, intent_id=intent)
    except OrderUnknown as error:
        handle = await _looked_into(error, exchange.settings.timeout_ms)
    except asyncio.CancelledError:
        sys.stderr.write(f"planar: interrupted; `planar orders {args[0]}` shows whether the order had left already\n")
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

    if (handle.type == "market" and handle.trigger_price is None) or handle.time_in_force in ("IOC", "FOK"):
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
