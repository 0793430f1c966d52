"""`planar venue account ...`: accounts of a running local venue, their keys and addresses, money on its way."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from cyclopts import Parameter
from rich.table import Table

from planar.cli import output
from planar.cli.exits import UsageError
from planar.cli.options import Flag, Json
from planar.cli.venue import control

Venue = Annotated[str | None, Parameter(name="--venue")]


def accounts(*, venue: Venue = None, json: Json = False) -> int:
    """List the accounts: whose sub-accounts they are, how many keys and which addresses they have.

    Args:
        venue: only those of this exchange.
    """
    from planar.venue.steering.accounts import ShowAccounts

    found = control().command(ShowAccounts(), venue=venue)

    def render() -> Table:
        rows = [
            (exchange, name, one["master"] or output.NONE, str(len(one["keys"])), str(len(one["addresses"])))
            for exchange, named in found.items()
            for name, one in named.items()
        ]
        return output.table(("exchange", "account", "belongs to", ">keys", ">addresses"), rows)

    return output.show(found, render, json=json)


def add(
    account: str,
    /,
    *,
    funds: str | None = None,
    rights: str | None = None,
    master: str | None = None,
    venue: Venue = None,
    json: Json = False,
) -> int:
    """Open an account and show its keys. They open nothing anywhere else.

    Args:
        account: its name.
        funds: what it has, such as USDT=1000,BTC=0.5.
        rights: what its key may do, by comma, in the exchange's own words. [default: everything]
        master: the account that it is a sub-account of.
        venue: the exchange, where several run.
    """
    from planar.venue.steering.accounts import CreateAccount

    command = CreateAccount(account=account, funds=_funds(funds), rights=_words(rights), master=master)
    (made,) = control().command(command, venue=venue).values()
    return _show_facts(made, json)


def key(account: str, /, *, rights: str | None = None, venue: Venue = None, json: Json = False) -> int:
    """Make a further key of an account.

    Args:
        account: whose.
        rights: what it may do, by comma, in the exchange's own words. [default: everything]
        venue: the exchange, where several run.
    """
    from planar.venue.steering.accounts import CreateKey

    (made,) = control().command(CreateKey(account=account, rights=_words(rights)), venue=venue).values()
    return _show_facts(made, json)


def address(
    account: str,
    name: str,
    asset: str,
    address: str,
    /,
    *,
    network: str | None = None,
    tag: str | None = None,
    only: Flag = False,
    venue: Venue = None,
    json: Json = False,
) -> int:
    """Save a withdrawal address of an account, besides those that it has.

    Args:
        account: whose.
        name: the account's own name for it; one of this name is replaced.
        asset: such as USDT.
        address: on the network.
        network: such as ETH. [default: the asset's first]
        tag: where the network's addresses need one.
        only: the account may withdraw to its saved addresses alone from now on.
        venue: the exchange, where several run.
    """
    import msgspec

    from planar.venue.steering.accounts import Address, SetAddresses, ShowAccounts

    running = control().command(ShowAccounts(), venue=venue)
    if len(running) > 1:
        raise UsageError("several exchanges run", hint=f"add --venue {' or --venue '.join(running)}")
    (known,) = running.values()
    if account not in known:
        raise UsageError(f"no account '{account}'", hint=f"known: {', '.join(known)}")
    kept = [msgspec.convert(one, Address) for one in known[account]["addresses"] if one["name"] != name]
    kept.append(Address(name=name, asset=asset, network=network, address=address, tag=tag))
    only = only or known[account]["allowed_only"]
    command = SetAddresses(account=account, addresses=tuple(kept), allowed_only=only)
    (found,) = control().command(command, venue=venue).values()

    def render() -> Table:
        rows = [(one["name"], one["asset"], one["network"], one["address"]) for one in found["addresses"]]
        return output.table(("name", "asset", "network", "address"), rows)

    return output.show(found, render, json=json)


def deposit(
    account: str,
    asset: str,
    amount: str,
    /,
    *,
    network: str | None = None,
    settle_ms: int = 0,
    unlock_ms: int = 0,
    hold: Flag = False,
    venue: Venue = None,
    json: Json = False,
) -> int:
    """Let money come in from outside: seen, confirmed, credited, and then free to leave again.

    Args:
        account: whose.
        asset: such as BTC.
        amount: above 0, at most eight decimals.
        network: the chain. [default: the asset's first]
        settle_ms: how long until it is credited.
        unlock_ms: how long after that it can be traded but not withdrawn.
        hold: it stays pending until `planar venue account settle`.
        venue: the exchange, where several run.
    """
    from planar.venue.steering.accounts import MakeDeposit

    command = MakeDeposit(
        account=account,
        asset=asset,
        amount=amount,
        network=network,
        settle_ms=None if hold else settle_ms,
        unlock_ms=unlock_ms,
    )
    (made,) = control().command(command, venue=venue).values()
    return _show_facts(made, json)


def movements(account: str, /, *, pending: Flag = False, venue: Venue = None, json: Json = False) -> int:
    """List deposits, withdrawals and transfers of an account.

    Args:
        account: whose.
        pending: only what is on its way.
        venue: the exchange, where several run.
    """
    from planar.venue.steering.accounts import ShowMovements

    (found,) = control().command(ShowMovements(account=account, pending=pending), venue=venue).values()
    return output.show(found, lambda: _movements(found["movements"]), json=json)


def settle(
    account: str,
    id: str | None = None,
    /,
    *,
    outcome: Literal["complete", "fail"] = "complete",
    venue: Venue = None,
    json: Json = False,
) -> int:
    """End a movement of money that is on its way, or all of an account.

    Args:
        account: whose.
        id: as `planar venue account movements` shows it; without it all that are pending.
        outcome: complete lets it arrive, fail sends it back.
        venue: the exchange, where several run.
    """
    from planar.venue.steering.accounts import SettleMovements

    (found,) = control().command(SettleMovements(account=account, id=id, outcome=outcome), venue=venue).values()
    return output.show(found, lambda: _movements(found["settled"]), json=json)


def pace(
    *,
    withdraw_ms: int | None = None,
    transfer_ms: int | None = None,
    hold: Flag = False,
    venue: Venue = None,
    json: Json = False,
) -> int:
    """Say how long withdrawals and transfers take from now on.

    Args:
        withdraw_ms: withdrawals. [default: as it is]
        transfer_ms: transfers between wallets and accounts. [default: as it is]
        hold: withdrawals stay pending until `planar venue account settle`.
        venue: the exchange, where several run.
    """
    from msgspec import UNSET

    from planar.venue.steering.accounts import SetSettlement

    if hold and withdraw_ms is not None:
        raise UsageError("--hold and --withdraw-ms contradict each other", hint="give one of them")
    command = SetSettlement(
        withdraw_ms=None if hold else UNSET if withdraw_ms is None else withdraw_ms,
        transfer_ms=UNSET if transfer_ms is None else transfer_ms,
    )
    (found,) = control().command(command, venue=venue).values()
    return _show_facts(found, json)


def _movements(rows: list[dict[str, Any]]) -> Table:
    shown = [(row["id"], row["kind"], row["asset"], row["amount"], row["status"]) for row in rows]
    return output.table(("id", "kind", "asset", ">amount", "status"), shown)


def _show_facts(found: dict[str, Any], json: bool) -> int:
    def render() -> Table:
        more: dict[str, Any] = found.get("more", {})
        flat = {name: value for name, value in found.items() if name != "more"} | more
        return output.facts((name, output.NONE if value is None else str(value)) for name, value in flat.items())

    return output.show(found, render, json=json)


def _words(text: str | None) -> tuple[str, ...] | None:
    return None if text is None else tuple(word for word in text.split(",") if word)


def _funds(text: str | None) -> dict[str, str]:
    """`USDT=1000,BTC=0.5` by asset."""
    found: dict[str, str] = {}
    for part in (text or "").split(","):
        asset, sign, amount = part.partition("=")
        if part and not (asset and sign and amount):
            raise UsageError(f"--funds has '{part}'", hint="write it as USDT=1000,BTC=0.5")
        if part:
            found[asset] = amount
    return found
