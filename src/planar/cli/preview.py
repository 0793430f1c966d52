"""What an order would be, before it is sent: where it goes, what it costs, and how the market stands right now."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from planar.adapters.base import OrderRequest
from planar.cli import output
from planar.models import Amount, Market

if TYPE_CHECKING:
    from planar.exchange import Exchange
    from planar.models.data import Level

DEPTH = 100
"""Price levels that are asked for to estimate a market order."""


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """An order that was not sent, and its surroundings. None: not known, or not applicable.

    Attributes:
        account: "" is the account without a name.
        value: what it costs or brings, in quote currency, before fees; of a market order an estimate.
        fee_rate: as a fraction, of a taker where it would execute at once.
        fee_estimate: in quote currency.
        best_bid, best_ask: now.
        takes: it would execute at once, in whole or in part.
        spends: the currency that it spends.
        free: what the account has free of it.
        notes: what to know about it.
    """

    exchange: str
    environment: str
    account: str
    order: OrderRequest
    value: Amount | None
    fee_rate: Amount | None
    fee_estimate: Amount | None
    best_bid: float | None
    best_ask: float | None
    takes: bool
    spends: str
    free: Amount | None
    notes: tuple[str, ...]


async def preview(exchange: Exchange, order: OrderRequest) -> Preview:
    """Ask the exchange what the preview needs; nothing is ordered."""
    market = exchange.market(order.symbol)
    book, balance = await asyncio.gather(exchange.fetch_order_book(order.symbol, DEPTH), exchange.fetch_balance())
    opposite = book.asks if order.side == "buy" else book.bids
    takes = _takes(order, opposite[0][0] if opposite else None)
    value, notes = _value(order, opposite, market)
    rate = (market.taker if takes else market.maker) if market.taker is not None else None
    spends = market.quote if order.side == "buy" else market.base
    free = balance[spends].free if spends in balance.balances else None
    needed = value if order.side == "buy" else order.amount
    if free is not None and needed is not None and needed > free:
        notes.append(f"it needs {output.number(needed)} {spends}, and only {output.number(free)} are free")
    return Preview(
        exchange=exchange.id,
        environment=exchange.environment,
        account=exchange.account,
        order=order,
        value=value,
        fee_rate=rate,
        fee_estimate=None if rate is None or value is None else Amount(rate * value),
        best_bid=book.best_bid,
        best_ask=book.best_ask,
        takes=takes,
        spends=spends,
        free=free,
        notes=tuple(notes),
    )


def _takes(order: OrderRequest, best: float | None) -> bool:
    if order.stop_price is not None:
        return order.type == "market"
    if order.price is None or best is None:
        return order.type == "market"
    return not order.post_only and (order.price >= best if order.side == "buy" else order.price <= best)


def _value(order: OrderRequest, levels: Sequence[Level], market: Market) -> tuple[Amount | None, list[str]]:
    """The quote amount of the order, and what to say about it."""
    if order.cost is not None:
        return order.cost, []
    if order.amount is None:
        return None, []
    if order.price is not None:
        return Amount(order.amount * order.price), []
    if order.stop_price is not None:
        return Amount(order.amount * order.stop_price), ["valued at its trigger price; it will trade at the market's"]
    left, cost, last = order.amount, Amount(0), None
    for price, amount in levels:
        part = min(left, Amount(amount))
        left, cost, last = left - part, cost + part * price, price
        if not left:
            break
    if left or last is None:
        return None, [f"the book shows only {output.number(order.amount - left)} of it within {DEPTH} levels"]
    average = output.number(round(cost / order.amount, 8))
    worst = output.number(last, market.precision.price)
    return cost, [f"estimated from the book now: {average} on average, {worst} at worst"]


def describe(order: OrderRequest) -> str:
    """The order in one line: `buy 0.01 BTC/USDT at 60000, post-only`."""
    size = f"for {order.cost}" if order.cost is not None else str(order.amount)
    words = [f"{order.side} {size} {order.symbol}"]
    words.append(f"at {order.price}" if order.price is not None else "at the market")
    text = " ".join(words)
    if order.stop_price is not None:
        text += f", when the price reaches {order.stop_price}"
    if order.post_only:
        text += ", post-only"
    return f"{text}, {order.time_in_force}" if order.time_in_force else text


def rows(found: Preview) -> list[tuple[str, str]]:
    """The preview for people."""
    quote = found.order.symbol.split("/")[-1].split(":")[0]
    fee = output.NONE
    if found.fee_estimate is not None:
        role = "taker" if found.takes else "maker"
        fee = f"about {output.number(found.fee_estimate)} {quote} ({output.percent(found.fee_rate)}, {role})"
    value = output.NONE if found.value is None else f"{output.number(found.value)} {quote}"
    return [
        ("exchange", f"{found.exchange} ({where(found.environment)})"),
        ("account", found.account or "the one without a name"),
        ("order", describe(found.order)),
        ("value", value),
        ("fee", fee),
        ("bid / ask now", f"{output.number(found.best_bid)} / {output.number(found.best_ask)}"),
        ("executes", _when(found)),
        ("free", f"{output.number(found.free)} {found.spends}"),
        *(("note", note) for note in found.notes),
    ]


def where(environment: str) -> str:
    """An environment as the preview says it."""
    return "live: REAL MONEY" if environment == "live" else environment


def _when(found: Preview) -> str:
    if found.order.stop_price is not None:
        return f"after the price reaches {found.order.stop_price}"
    return "at once" if found.takes else "when somebody meets its price"


def as_json(found: Preview, *, sent: bool) -> dict[str, Any]:
    """The preview for machines."""
    return {**msgspec.structs.asdict(found), "sent": sent}
