"""`planar orders resolve`: a person says what became of an order that the exchange does not tell about."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

from cyclopts import Parameter

from planar.cli import exits, output
from planar.cli.ask import confirm
from planar.cli.options import HERE, Json, Target
from planar.cli.order import order_rows
from planar.cli.session import opened, run

if TYPE_CHECKING:
    from planar.exchange import Exchange
    from planar.models import Order

Ended: TypeAlias = Literal["filled", "canceled", "expired", "never_accepted"]


def resolve(
    exchange: str,
    client_id: str,
    /,
    *,
    as_: Annotated[Ended, Parameter(name="--as")],
    reason: str,
    yes: Annotated[bool, Parameter(name=("--yes", "-y"), negative="", show_default=False)] = False,
    target: Target = HERE,
    json: Json = False,
) -> int:
    """Say what became of an order that stays unknown because the exchange does not tell, or that the exchange had and does
    not know any more. Journaled, with the reason.

    The exchange is asked once more first, and what is known is shown. What it shows later goes above the decision.

    Args:
        exchange: which.
        client_id: the client id that Planar gave the order.
        as_: what became of it.
        reason: what was looked at, and where.
        yes: do not ask.
    """

    async def work() -> Order | None:
        async with opened(replace(target, exchange=exchange), private=True) as found:
            return await _decide(found, client_id, as_, reason, yes=yes, json=json)

    decided = run(work())
    if decided is None:
        output.console().print("Nothing was decided.")
        return exits.OK
    return output.show(decided, lambda: output.facts(order_rows(decided)), json=json)


async def _decide(
    exchange: Exchange, client_id: str, state: Ended, reason: str, *, yes: bool, json: bool
) -> Order | None:
    await exchange.reconcile()
    if not yes:
        if client_id in exchange.orders and not json:
            output.console().print(output.facts(order_rows(exchange.orders[client_id].snapshot)))
        question = f"Hold {client_id} for {state} on {exchange.id} ({exchange.environment}) from now on?"
        if not await confirm(question, json=json):
            return None
    return await exchange.decide_order(client_id, state, reason)
