"""`planar order oco | bracket | replace | kinds`: linked orders, replacements, and what an exchange has of each kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from planar.cli import exits, output
from planar.cli.ask import confirm
from planar.cli.options import HERE, Flag, Json, Quantity, Target
from planar.cli.order import ASKED, Sending, send
from planar.cli.order_words import KIND, PLAIN, Kind, translated
from planar.cli.outcomes import saying_outcome
from planar.cli.session import opened, run

if TYPE_CHECKING:
    from planar.exchange import Exchange
    from planar.exchange.kinds import GroupPreview
    from planar.orders import OrderGroup

Side = Literal["buy", "sell"]
Exit = Annotated[Quantity, Parameter(group=KIND)]
OptionalExit = Annotated[Quantity | None, Parameter(group=KIND)]
Emulate = Annotated[Flag, Parameter(group=KIND)]


def oco(
    symbol: str,
    side: Side,
    amount: Quantity,
    /,
    *,
    take_profit: Exit,
    stop_loss: Exit,
    stop_limit: OptionalExit = None,
    emulate: Emulate = False,
    sending: Sending = ASKED,
    target: Target = HERE,
    json: Json = False,
) -> int:
    """Two exits of which one cancels the other; shows a preview, asks, and sends them at most once.

    Args:
        symbol: market, such as BTC/USDT.
        side: of both: sell, to leave what was bought.
        amount: in base currency.
        take_profit: limit price of the order that rests in the book.
        stop_loss: trigger price of the stop.
        stop_limit: limit price of the stop; without it, it executes at the market's price.
        emulate: where the exchange does not link orders, this command does, as long as it runs.
    """
    words: dict[str, Any] = {"take_profit": take_profit, "stop_loss": stop_loss, "stop_limit": stop_limit}
    return _linked("create_oco", (symbol, side, amount), {**words, "emulate": emulate}, sending, target, json)


def bracket(
    symbol: str,
    side: Side,
    amount: Quantity,
    /,
    *,
    take_profit: Exit,
    stop_loss: Exit,
    price: OptionalExit = None,
    stop_limit: OptionalExit = None,
    post_only: Annotated[Flag, Parameter(group=KIND)] = False,
    emulate: Emulate = False,
    sending: Sending = ASKED,
    target: Target = HERE,
    json: Json = False,
) -> int:
    """An entry and the two exits that its fill starts; shows a preview, asks, and sends them at most once.

    Args:
        symbol: market, such as BTC/USDT.
        side: of the entry; the exits are on the other one.
        amount: in base currency.
        price: limit price of the entry; without it, it executes at the market's price.
        take_profit: limit price of the exit that rests in the book.
        stop_loss: trigger price of the exit that stops a loss.
        stop_limit: limit price of that exit; without it, it executes at the market's price.
        post_only: the entry is refused instead of taking.
        emulate: where the exchange does not link orders, this command does, as long as it runs.
    """
    words: dict[str, Any] = {"take_profit": take_profit, "stop_loss": stop_loss, "stop_limit": stop_limit}
    words |= {"post_only": post_only, "emulate": emulate}
    return _linked("create_bracket", (symbol, side, amount, price), words, sending, target, json)


def replace(
    symbol: str,
    id: str,
    side: Side,
    amount: Quantity | None = None,
    /,
    *,
    kind: Kind = PLAIN,
    emulate: Emulate = False,
    sending: Sending = ASKED,
    target: Target = HERE,
    json: Json = False,
) -> int:
    """Cancel an order and send another one in its stead, of any kind; shows a preview of the new one, and asks.

    Args:
        symbol: market, such as BTC/USDT.
        id: of the old order: the exchange's id, or the client id that Planar gave it.
        side: of the new order.
        amount: of the new order, in base currency.
        emulate: where the exchange does not replace orders, cancel first, and send the new one after the exchange has
            shown that.
    """
    type_, words = translated(kind, amount)

    async def work() -> int:
        from planar.cli.order import agreed

        async with opened(target, private=True) as exchange:
            with saying_outcome("replaced"):
                if not sending.yes or sending.dry_run:
                    found = await exchange.preview_order(symbol, type_, side, amount, kind.price, **words)
                    if not await agreed(found, sending, json):
                        return exits.OK
                asked = exchange.replace_order(
                    *(id, symbol, type_, side, amount, kind.price),
                    emulate=emulate,
                    intent_id=sending.intent,
                    **words,
                )
                return await send(exchange, symbol, asked, json)

    return run(work())


def kinds(symbol: str, /, *, target: Target = HERE, json: Json = False) -> int:
    """Show which kinds of orders a market takes, how, and why not.

    Args:
        symbol: market, such as BTC/USDT.
    """

    async def ask() -> dict[str, dict[str, str]]:
        async with opened(target) as exchange:
            table = exchange.order_kinds(symbol)
            return {kind: {"how": row.how, "why": row.why, "source": row.source} for kind, row in table.items()}

    found = run(ask())
    rows = [(kind, row["how"], row["why"]) for kind, row in found.items()]
    return output.show(found, lambda: output.table(("kind", "how", "what to know"), rows, title=symbol), json=json)


def _linked(
    method: str, args: tuple[Any, ...], words: dict[str, Any], sending: Sending, target: Target, json: bool
) -> int:
    async def work() -> int:
        async with opened(target, private=True) as exchange:
            with saying_outcome("ordered"):
                create = getattr(exchange, method)
                if not sending.yes or sending.dry_run:
                    found: GroupPreview = await create(*args, **words, dry_run=True)
                    if not await _agreed(exchange, found, sending, json):
                        return exits.OK
                group: OrderGroup = await create(*args, **words, intent_id=sending.intent)
                return await _guarded(exchange, group, json)

    return run(work())


async def _agreed(exchange: Exchange, found: GroupPreview, sending: Sending, json: bool) -> bool:
    """Show the preview; True if the orders are to be sent."""
    from planar.cli import preview

    if json and sending.dry_run:
        output.print_json(
            {
                "contingency": found.contingency,
                "emulated": found.emulated,
                "note": found.note,
                "orders": [preview.described(leg) for leg in found.orders],
                "previews": [preview.as_json(one) for one in found.previews],
                "request": None if found.request is None else dict(found.request.params),
            }
        )
    elif not json:
        rows = [("exchange", f"{exchange.id} ({preview.where(exchange.environment)})")]
        rows += [
            (leg.member.role.replace("_", " ") if leg.member else "", preview.describe(leg)) for leg in found.orders
        ]
        rows += [
            ("note", note) for note in (found.note, *(note for one in found.previews for note in one.warnings)) if note
        ]
        output.console().print(output.facts(rows))
    if sending.dry_run:
        return False
    agreed = await confirm("Send them?", json=json, instead="add --yes to send them, or --dry-run to look only")
    if not agreed:
        output.console().print("Nothing was sent.")
    return agreed


async def _guarded(exchange: Exchange, group: OrderGroup, json: bool) -> int:
    """Show the orders; those that this program links are looked after until they have ended."""
    if not group.emulated:
        _show(exchange, group, json)
        return exits.OK
    if not json:
        _show(exchange, group, json)
        output.console().print(
            "This command links them as long as it runs. Ctrl-C leaves them at the exchange; the next command that orders "
            "on this account takes them up."
        )
    await group.settled()
    _show(exchange, group, json)
    return exits.OK


def _show(exchange: Exchange, group: OrderGroup, json: bool) -> None:
    rows = [("exchange", f"{exchange.id} ({exchange.environment})"), ("group", group.id)]
    for role, leg in group.legs.items():
        order = leg.snapshot
        rows.append((role.replace("_", " "), f"{order.state.value}, filled {output.number(order.filled)} ({order.id})"))
    if group.note:
        rows.append(("note", group.note))
    output.show(group.as_dict(), lambda: output.facts(rows), json=json)
