"""`planar paper status | reset`: the paper accounts of this machine, without the exchange."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter
from rich.console import Group, RenderableType

from planar.cli import exits, output
from planar.cli.ask import confirm
from planar.cli.exits import UsageError
from planar.cli.options import Json
from planar.cli.session import run

if TYPE_CHECKING:
    from planar.paper.place import Place


def status(
    exchange: str | None = None,
    /,
    *,
    account: Annotated[str | None, Parameter(name=("--account", "-a"))] = None,
    json: Json = False,
) -> int:
    """Show what paper accounts hold, what they have earned, their open orders, and who simulates them now.

    Args:
        exchange: CCXT's id; all of them without it.
        account: only this one.
    """
    found = [_about(place) for place in _places(exchange, account, None)]

    def render() -> RenderableType:
        return Group(*map(_picture, found)) if found else 'There are none. environment = "paper" makes one.'

    return output.show(found, render, json=json)


def reset(
    exchange: str,
    /,
    *,
    account: Annotated[str | None, Parameter(name=("--account", "-a"))] = None,
    data: str | None = None,
    yes: Annotated[bool, Parameter(name=("--yes", "-y"), negative="", show_default=False)] = False,
    json: Json = False,
) -> int:
    """Begin a paper account anew: its balances, orders, fills and journal are removed. No program may use it.

    Args:
        exchange: CCXT's id, such as binance.
        account: its name; without it the one that has none.
        data: where its market data comes from (live, local, ...), where there are several.
        yes: do not ask.
    """
    places = _places(exchange, account or "", data)
    if len(places) != 1:
        which = f"{exchange}{f'/{account}' if account else ''}"
        if not places:
            raise UsageError(f"there is no paper account {which}", hint="`planar paper status` lists them")
        many = ", ".join(f"--data {place.data}" for place in places)
        raise UsageError(f"there are {len(places)} paper accounts {which}", hint=many)
    about = _about(places[0])
    if not yes:
        if not json:
            output.console().print(_picture(about))
            print(
                "All of this is removed, with its order journal. A new account begins with the balances of planar.toml."
            )
        if not run(confirm("Begin anew?", json=json)):
            return exits.OK
    from planar.paper.reset import reset as work

    gone = [str(path) for path in work(places[0])]
    return output.show({"removed": gone}, lambda: "\n".join(["removed:", *gone]), json=json)


def _places(exchange: str | None, account: str | None, data: str | None) -> list[Place]:
    from planar.config import state_dir
    from planar.paper.place import places

    return [
        place
        for place in places(state_dir())
        if exchange in (None, place.exchange) and account in (None, place.account) and data in (None, place.data)
    ]


def _about(place: Place) -> dict[str, Any]:
    """One account. Nothing is changed, also while a program simulates it."""
    from planar.models import iso8601
    from planar.orders.lock import holder_of
    from planar.paper.state import ZERO
    from planar.paper.store import PaperStore, lock_of
    from planar.paper.view import balance_of, order_of

    told: dict[str, Any] = {
        "exchange": place.exchange,
        "account": place.account,
        "environment": "paper",
        "data": place.data,
        "path": str(place.file),
        "simulated_by": holder_of(lock_of(place.file)),
    }
    store = PaperStore(place.file)
    try:
        if not store.open_to_read():
            return told | {"since": None, "orders": 0, "fills": 0, "holdings": {}, "open": []}
        summary = store.summary()
        held = balance_of(summary, summary.started_ms).balances
        return told | {
            "since": iso8601(summary.started_ms),
            "orders": summary.orders,
            "fills": summary.fills,
            "holdings": {
                name: {"free": one.free, "used": one.used, "start": summary.start.get(name, ZERO)}
                for name, one in held.items()
            },
            "open": [order_of(order) for order in store.standing()],
        }
    finally:
        store.close()


def _picture(about: dict[str, Any]) -> RenderableType:
    name = (
        f"{about['exchange']}{'/' + about['account'] if about['account'] else ''} (paper, {about['data']} market data)"
    )
    facts = [
        ("since", str(about["since"] or output.NONE)),
        ("orders", f"{about['orders']}, {about['fills']} fills"),
        ("simulated by", str(about["simulated_by"] or "nobody now: its orders wait")),
        ("file", about["path"]),
    ]
    holdings = [
        (code, *(output.number(held[part]) for part in ("free", "used", "start")))
        for code, held in about["holdings"].items()
    ]
    orders = [
        (
            one.id,
            one.symbol,
            one.side,
            one.type,
            *(output.number(value) for value in (one.amount, one.filled, one.price)),
        )
        for one in about["open"]
    ]
    return Group(
        output.facts(facts, name),
        output.table(("currency", ">free", ">in orders", ">at the start"), holdings),
        output.table(("open order", "market", "side", "type", ">amount", ">filled", ">price"), orders)
        if orders
        else "",
    )
