"""A preview of `planar.orders.preview` for people and for machines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from planar.cli import output

if TYPE_CHECKING:
    from planar.adapters.base import OrderRequest
    from planar.orders.preview import Preview


def describe(order: OrderRequest) -> str:
    """The order in one line: `buy 0.01 BTC/USDT at 60000, post-only`."""
    size = f"for {order.cost}" if order.cost is not None else str(order.amount)
    words = [f"{order.side} {size} {order.symbol}"]
    words.append(f"at {order.price}" if order.price is not None else "at the market")
    text = " ".join(words)
    if order.waits:
        text += f", {_waits(order)}"
    if order.post_only:
        text += ", post-only"
    if order.expire_at_ms is not None:
        return f"{text}, good till {_time(order.expire_at_ms)}"
    return f"{text}, {order.time_in_force}" if order.time_in_force else text


def _waits(order: OrderRequest) -> str:
    """What it waits for."""
    if order.stop_price is not None:
        return f"when the price reaches {order.stop_price}"
    if order.trailing_percent is not None:
        return f"when the price has turned by {order.trailing_percent} %"
    return f"when the price has turned by {order.trailing_amount}"


def _time(ms: int) -> str:
    from planar.models.base import iso8601

    return str(iso8601(ms))


def described(order: OrderRequest) -> dict[str, Any]:
    """An order for machines: what of it was said."""
    import msgspec

    return {name: value for name, value in msgspec.structs.asdict(order).items() if value not in (None, "", {}, False)}


def rows(found: Preview) -> list[tuple[str, str]]:
    """The preview for people."""
    fee = output.NONE
    if found.fee_estimate is not None:
        role = "taker" if found.takes else "maker"
        whose = "" if found.fee_source == "account" else ", the market's general rate"
        fee = f"about {output.number(found.fee_estimate)} {found.fee_currency} "
        fee += f"({output.percent(found.fee_rate)}, {role}{whose})"
    value = output.NONE if found.value is None else f"{output.number(found.value)} {found.currency}"
    limits = ", ".join(f"{check.limit} ({'kept' if check.passed else 'BROKEN'})" for check in found.limits)
    return [
        ("exchange", f"{found.exchange} ({where(found.environment)})"),
        ("account", found.account or "the one without a name"),
        ("order", describe(found.order)),
        *_change(found),
        ("value", value),
        ("fee", fee),
        ("bid / ask now", f"{output.number(found.best_bid)} / {output.number(found.best_ask)}"),
        *_prices(found),
        ("executes", _when(found)),
        ("free", f"{output.number(found.free)} {found.spends}, then {output.number(found.free_after)}"),
        *((("limits", limits),) if limits else ()),
        *(("note", note) for note in found.warnings),
    ]


def _change(found: Preview) -> list[tuple[str, str]]:
    """Of a change: how, and what the order was."""
    from planar.orders.editing import EditPreview

    if not isinstance(found, EditPreview):
        return []
    queue = {True: "it keeps its place in the queue", False: "it goes to the end of the queue"}
    how = "in place" if found.how == "in_place" else "another order, of what has not traded, comes in its place"
    place = "it keeps its place in the queue where it can" if found.keeps_place is None else queue[found.keeps_place]
    before = found.before
    price = f" at {before.price}" if before.price is not None else ""
    return [
        ("changed", f"{how}; {place}"),
        ("until now", f"{before.side} {before.amount} {before.symbol}{price}, filled {output.number(before.filled)}"),
    ]


def _prices(found: Preview) -> list[tuple[str, str]]:
    if found.order.price is not None or found.worst_price is None or found.average_price is None:
        return []
    average = output.number(round(found.average_price, 8))
    return [("price", f"{average} on average, {output.number(found.worst_price)} at worst, by the book now")]


def where(environment: str) -> str:
    """An environment as the preview says it."""
    return {"live": "live: REAL MONEY", "paper": "paper: simulated, nothing is sent"}.get(environment, environment)


def _when(found: Preview) -> str:
    if found.order.waits:
        return _waits(found.order).replace("when", "after", 1)
    return "at once" if found.takes else "when somebody meets its price"


def as_json(found: Preview) -> dict[str, Any]:
    """The preview for machines."""
    import msgspec

    told: dict[str, Any] = msgspec.structs.asdict(found)
    told["limits"] = [msgspec.structs.asdict(check) for check in found.limits]
    told["request"] = None if found.request is None else msgspec.structs.asdict(found.request)
    return told
