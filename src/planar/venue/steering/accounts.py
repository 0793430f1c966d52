"""The commands about accounts: new ones and their keys, the addresses that they may withdraw to, money on its way.

Deposits come from outside by command; withdrawals and transfers are begun by clients, at the pace that `set_settlement`
says, and can be ended here, well or badly.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, Final, Literal

import msgspec
from msgspec import UNSET, UnsetType

from planar.errors import BadRequest
from planar.venue.bookkeeping import known, plain
from planar.venue.engine.addresses import is_address, pattern
from planar.venue.engine.enums import TransferStatus
from planar.venue.engine.funds import Movement, Pace
from planar.venue.engine.movements import Deposit, SavedAddress, Transfer, Withdrawal
from planar.venue.engine.rejects import EngineReject
from planar.venue.steering.bench import Bench, SteeringCommand, amount
from planar.venue.wire import VenueAccount

LEGAL_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,32}\Z")
LONGEST_MS: Final = 7 * 86_400_000
OUTCOMES: Final = {"complete": TransferStatus.COMPLETED, "fail": TransferStatus.FAILED}


class Address(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An address that an account keeps for withdrawals.

    Attributes:
        name: the account's own name for it.
        asset: asset code.
        address: on the network.
        network: None: the asset's default.
        tag: where the network's addresses need one.
        allowed: whether withdrawals may go there where the account uses allowed addresses only.
    """

    name: str
    asset: str
    address: str
    network: str | None = None
    tag: str | None = None
    allowed: bool = True


class CreateAccount(SteeringCommand, frozen=True, kw_only=True):
    """Open an account with a key.

    Attributes:
        account: its name: letters, digits, - and _, at most 32.
        funds: what it has, decimal strings by asset code.
        rights: what its key may do, in the exchange's own words; None: everything.
        master: the account that it is a sub-account of.
    """

    account: str
    funds: dict[str, str] = msgspec.field(default_factory=dict[str, str])
    rights: tuple[str, ...] | None = None
    master: str | None = None

    def carry_out(self, bench: Bench) -> dict[str, Any]:
        """Open it; its credentials."""
        if not LEGAL_NAME.match(self.account):
            hint = "letters, digits, - and _, at most 32"
            raise BadRequest(f"account = '{self.account}' is no name for an account", hint=hint)
        if self.account in bench.exchange.accounts():
            raise BadRequest(f"account '{self.account}' exists", hint="choose another name")
        funds = {bench.asset(asset): amount(f"funds of {asset}", text) for asset, text in self.funds.items()}
        rights = _rights(bench, self.rights)
        if self.master is not None and bench.exchange.profile(bench.account(self.master)).master is not None:
            raise BadRequest(f"master = '{self.master}' is a sub-account", hint="name the account that it belongs to")
        bench.exchange.add_account(self.account, master=self.master)
        for asset, value in funds.items():
            if value:
                bench.exchange.credit(self.account, asset, value, "opening balance")
        return _credentials(bench.keys.enroll(self.account, rights))


class CreateKey(SteeringCommand, frozen=True, kw_only=True):
    """Make a further key of an account.

    Attributes:
        account: whose.
        rights: what it may do, in the exchange's own words; None: everything.
    """

    account: str
    rights: tuple[str, ...] | None = None

    def carry_out(self, bench: Bench) -> dict[str, Any]:
        """Make it; the credentials."""
        return _credentials(bench.keys.make(bench.account(self.account), _rights(bench, self.rights)))


class ShowAccounts(SteeringCommand, frozen=True, kw_only=True):
    """Tell of all accounts: owner, keys with their rights, addresses."""

    everywhere = True

    def carry_out(self, bench: Bench) -> dict[str, Any]:
        """Tell of them."""
        return {
            name: {
                "master": bench.exchange.profile(name).master,
                "keys": {key: list(rights) for key, rights in bench.keys.keys_of(name).items()},
                "addresses": msgspec.to_builtins(bench.exchange.profile(name).addresses),
                "allowed_only": bench.exchange.profile(name).allowed_only,
            }
            for name in bench.exchange.accounts()
        }


class SetAddresses(SteeringCommand, frozen=True, kw_only=True):
    """Set the withdrawal addresses of an account, in place of those that it has.

    Attributes:
        account: whose.
        addresses: all of them.
        allowed_only: whether withdrawals may go to allowed ones alone. Some exchanges want saved addresses always.
    """

    account: str
    addresses: tuple[Address, ...] = ()
    allowed_only: bool = False

    def carry_out(self, bench: Bench) -> dict[str, Any]:
        """Set them; all of them, with their networks."""
        account = bench.account(self.account)
        names = [one.name for one in self.addresses]
        if len(set(names)) < len(names):
            raise BadRequest("two addresses have the same name", hint="give each a name of its own")
        saved: list[SavedAddress] = []
        for one in self.addresses:
            networks = [spec.network for spec in bench.exchange.assets[bench.asset(one.asset)].networks]
            network = networks[0] if one.network is None else known("network", one.network, networks)
            if not is_address(network, one.address):
                raise BadRequest(
                    f"address = '{one.address}' has not the form of an address of {network}",
                    hint=f"it is to match {pattern(network)}",
                )
            saved.append(
                SavedAddress(
                    name=one.name,
                    asset=one.asset,
                    network=network,
                    address=one.address,
                    tag=one.tag,
                    allowed=one.allowed,
                )
            )
        bench.exchange.save_addresses(account, saved, allowed_only=self.allowed_only)
        addresses: list[dict[str, Any]] = msgspec.to_builtins(saved)
        return {"account": account, "addresses": addresses, "allowed_only": self.allowed_only}


class Credit(SteeringCommand, frozen=True, kw_only=True):
    """Give an account money, or take it away, without a deposit or a withdrawal.

    Attributes:
        account: whose.
        asset: asset code.
        amount: decimal string of at most eight decimals; negative: it is taken away.
        reason: stands in the ledger.
    """

    account: str
    asset: str
    amount: str
    reason: str = "credit"

    def carry_out(self, bench: Bench) -> dict[str, Any]:
        """Book it; what is free now."""
        account, asset = bench.account(self.account), bench.asset(self.asset)
        size = amount("amount", self.amount.removeprefix("-"))
        try:
            bench.exchange.credit(account, asset, -size if self.amount.startswith("-") else size, self.reason)
        except EngineReject as reject:
            raise BadRequest(reject.message, hint="take less") from reject
        return {"account": account, "asset": asset, "free": plain(bench.exchange.balances(account)[asset].free)}


class MakeDeposit(SteeringCommand, frozen=True, kw_only=True, tag="deposit"):
    """Money comes to an account from outside, on a chain.

    Attributes:
        account: whose.
        asset: asset code.
        amount: decimal string, at most eight decimals.
        network: None: the asset's default.
        settle_ms: how long until it is credited; confirmations come evenly meanwhile. 0: at once; None: when
            `settle_movements` says so.
        unlock_ms: how long after that it can be traded but not withdrawn.
    """

    account: str
    asset: str
    amount: str
    network: str | None = None
    settle_ms: int | None = 0
    unlock_ms: int = 0

    def carry_out(self, bench: Bench) -> dict[str, Any]:
        """Begin it; the record."""
        account, asset = bench.account(self.account), bench.asset(self.asset)
        _duration("settle_ms", self.settle_ms)
        _duration("unlock_ms", self.unlock_ms)
        value = amount("amount", self.amount)
        if not value:
            raise BadRequest(f"amount = '{self.amount}' is nothing to deposit", hint="above 0")
        try:
            record = bench.exchange.deposit(
                account, asset, value, network=self.network, settle_ms=self.settle_ms, unlock_ms=self.unlock_ms
            )
        except EngineReject as reject:
            raise BadRequest(reject.message, hint=reject.hint) from reject
        return _shown(record)


class SetSettlement(SteeringCommand, frozen=True, kw_only=True):
    """Say how long withdrawals and transfers take that begin from now on. What is left out stays as it is.

    Attributes:
        withdraw_ms: 0: no time; None: until `settle_movements`.
        transfer_ms: the same for transfers inside the exchange.
    """

    withdraw_ms: int | UnsetType | None = UNSET
    transfer_ms: int | UnsetType | None = UNSET

    def carry_out(self, bench: Bench) -> dict[str, Any]:
        """Set it; how long both take now."""
        pace = bench.exchange.funds.pace
        withdraw_ms = pace.withdraw_ms if self.withdraw_ms is UNSET else self.withdraw_ms
        transfer_ms = pace.transfer_ms if self.transfer_ms is UNSET else self.transfer_ms
        _duration("withdraw_ms", withdraw_ms)
        _duration("transfer_ms", transfer_ms)
        bench.exchange.funds.pace = Pace(withdraw_ms=withdraw_ms, transfer_ms=transfer_ms)
        return {"withdraw_ms": withdraw_ms, "transfer_ms": transfer_ms}


class ShowMovements(SteeringCommand, frozen=True, kw_only=True):
    """Tell of an account's deposits, withdrawals and transfers, with the ids that `settle_movements` takes.

    Attributes:
        account: whose.
        pending: only what is on its way.
    """

    account: str
    pending: bool = False

    def carry_out(self, bench: Bench) -> dict[str, Any]:
        """Tell of them, oldest first."""
        rows = _movements(bench, bench.account(self.account), pending=self.pending)
        return {"movements": [_shown(row) for row in rows]}


class SettleMovements(SteeringCommand, frozen=True, kw_only=True):
    """End a movement of money that is on its way, or all of an account.

    Attributes:
        account: whose.
        id: this one alone; None: all that are pending.
        outcome: `complete` lets it arrive; `fail` sends it back to where it came from.
    """

    account: str
    id: str | None = None
    outcome: Literal["complete", "fail"] = "complete"

    def carry_out(self, bench: Bench) -> dict[str, Any]:
        """End them; what ended."""
        pending = [row.id for row in _movements(bench, bench.account(self.account), pending=True)]
        if self.id is not None and self.id not in pending:
            hint = f"pending: {', '.join(pending) or 'none'}"
            raise BadRequest(f"no movement '{self.id}' of {self.account} is pending", hint=hint)
        chosen = pending if self.id is None else [self.id]
        return {"settled": [_shown(bench.exchange.decide(one, OUTCOMES[self.outcome])) for one in chosen]}


def _movements(bench: Bench, account: str, *, pending: bool) -> list[Movement]:
    exchange = bench.exchange
    rows: list[Movement] = [
        *exchange.deposits(account),
        *exchange.withdrawals(account),
        *exchange.transfers([account]),
    ]
    rows.sort(key=lambda row: row.created_ms)
    return [row for row in rows if not pending or row.status is TransferStatus.PENDING]


def _shown(row: Movement) -> dict[str, Any]:
    kinds = {Deposit: "deposit", Withdrawal: "withdrawal", Transfer: "transfer"}
    values: dict[str, Any] = msgspec.structs.asdict(row)
    shown = {
        name: plain(value) if isinstance(value, Decimal) else msgspec.to_builtins(value)
        for name, value in values.items()
    }
    return {"kind": kinds[type(row)], **shown}


def _rights(bench: Bench, rights: tuple[str, ...] | None) -> tuple[str, ...]:
    if rights is None:
        return bench.keys.right_names
    return tuple(known("right", right, bench.keys.right_names) for right in rights)


def _credentials(made: VenueAccount) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(made)
    return found


def _duration(field: str, value: int | None) -> None:
    if value is not None and not 0 <= value <= LONGEST_MS:
        raise BadRequest(f"{field} = {value} is no duration", hint=f"0 to {LONGEST_MS} ms")
