"""What belongs to one account: locked funds, and records of orders, fills and transfers, none of which is forgotten.

Balances themselves live in the ledger; an account only reads them. The market model's account keeps no records and
locks nothing: the ledger refills it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TypeVar

from planar.venue.engine.enums import Wallet
from planar.venue.engine.ledger import MARKET, Ledger
from planar.venue.engine.movements import Deposit, SavedAddress, Withdrawal
from planar.venue.engine.orders import LiveOrder
from planar.venue.engine.rejects import EngineReject, RejectReason
from planar.venue.engine.types import Balance, Fill, OrderRef, PreventedMatch
from planar.venue.engine.units import to_decimal

T = TypeVar("T")


def select(
    rows: Sequence[T],
    id_of: Callable[[T], int],
    time_of: Callable[[T], int],
    *,
    from_id: int | None,
    start_ms: int | None,
    end_ms: int | None,
    limit: int,
) -> Sequence[T]:
    """The rule of every history query: rows are sorted by id and by time alike; bounds are inclusive.

    With `from_id` or `start_ms` the oldest `limit` matching rows, otherwise the newest.
    """
    low = 0 if from_id is None else bisect_left(rows, from_id, key=id_of)
    if start_ms is not None:
        low = max(low, bisect_left(rows, start_ms, key=time_of))
    high = len(rows) if end_ms is None else bisect_right(rows, end_ms, key=time_of)
    if from_id is None and start_ms is None:
        low = max(low, high - limit)
    return rows[low : min(high, low + limit)]


def pool(account: str, wallet: Wallet) -> str:
    """The ledger's name for a wallet of an account."""
    return account if wallet is Wallet.SPOT else f"{account}@{wallet}"


class OrderLog:
    """All orders of one account in one symbol, and what came of them."""

    __slots__ = ("_newest_by_client", "fills", "open", "orders", "prevented")

    def __init__(self) -> None:
        self.orders: list[LiveOrder] = []
        """By rising id."""
        self.open: dict[int, LiveOrder] = {}
        """By id, oldest first."""
        self.fills: list[Fill] = []
        self.prevented: list[PreventedMatch] = []
        self._newest_by_client: dict[str, LiveOrder] = {}

    def add(self, order: LiveOrder) -> None:
        """Records a newly accepted order."""
        self.orders.append(order)
        self.open[order.id] = order
        self._newest_by_client[order.client_id] = order

    def rename(self, order: LiveOrder, client_id: str) -> None:
        """Gives an order another client id; the old one no longer names it."""
        if self._newest_by_client.get(order.client_id) is order:
            del self._newest_by_client[order.client_id]
        order.client_id = client_id
        self._newest_by_client[client_id] = order

    def has_open(self, client_id: str) -> bool:
        """Whether an open order carries the client id."""
        order = self._newest_by_client.get(client_id)
        return order is not None and order.is_open

    def find(self, ref: OrderRef) -> LiveOrder | None:
        """The order that a reference names, open or not; the newest of those that shared a client id."""
        if ref.order_id is None:
            return None if ref.client_id is None else self._newest_by_client.get(ref.client_id)
        index = bisect_left(self.orders, ref.order_id, key=_order_id)
        if index == len(self.orders) or self.orders[index].id != ref.order_id:
            return None
        order = self.orders[index]
        return order if ref.client_id is None or order.client_id == ref.client_id else None


def _order_id(order: LiveOrder) -> int:
    return order.id


class Account:
    """One account."""

    __slots__ = (
        "addresses",
        "allowed_only",
        "balance",
        "deposits",
        "funding",
        "is_market",
        "locked",
        "logs",
        "master",
        "name",
        "opened_ms",
        "unready",
        "withdrawals",
    )

    def __init__(
        self,
        name: str,
        balance: Mapping[str, int],
        *,
        funding: Mapping[str, int] = MappingProxyType({}),
        master: str | None = None,
        opened_ms: int = 0,
    ) -> None:
        self.name = name
        self.balance = balance
        """Units by asset in the spot wallet, a view of the ledger's."""
        self.funding = funding
        """Units by asset in the funding wallet, a view of the ledger's."""
        self.master = master
        """The account that this one belongs to; None: it is nobody's sub-account."""
        self.opened_ms = opened_ms
        self.unready: dict[str, int] = {}
        """Units by asset that were credited and must not be withdrawn yet."""
        self.addresses: list[SavedAddress] = []
        self.allowed_only = False
        """Whether withdrawals go to allowed addresses only."""
        self.locked: dict[str, int] = {}
        self.is_market = name == MARKET
        self.logs: dict[str, OrderLog] = {}
        self.deposits: list[Deposit] = []
        self.withdrawals: list[Withdrawal] = []

    def log(self, symbol: str) -> OrderLog:
        """The account's records in a symbol."""
        found = self.logs.get(symbol)
        if found is None:
            found = self.logs[symbol] = OrderLog()
        return found

    def free(self, asset: str) -> int:
        """Units that can be spent."""
        return self.balance.get(asset, 0) - self.locked.get(asset, 0)

    def lock(self, order: LiveOrder, units: int) -> None:
        """Locks units of what the order pays with."""
        order.held += units
        self.locked[order.pays] = self.locked.get(order.pays, 0) + units

    def unlock(self, order: LiveOrder, units: int) -> None:
        """Gives back units that were locked for an order."""
        order.held -= units
        self.locked[order.pays] -= units

    def show(self, asset: str) -> Balance:
        """The balance of one asset."""
        return Balance(asset, to_decimal(self.free(asset)), to_decimal(self.locked.get(asset, 0)))


class Accounts:
    """The accounts of an exchange."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._users: dict[str, Account] = {}
        self.market = Account(MARKET, ledger.units(MARKET))

    def open(self, name: str, *, master: str | None = None, opened_ms: int = 0) -> Account:
        """Opens a user account. Raises ValueError if the name is taken or has an @, which is reserved."""
        if "@" in name:
            raise ValueError(f"account name {name!r} is reserved: it has an @")
        balance, funding = self._ledger.open(name), self._ledger.open(pool(name, Wallet.FUNDING))
        account = Account(name, balance, funding=funding, master=master, opened_ms=opened_ms)
        self._users[name] = account
        return account

    def get(self, name: str) -> Account:
        """A user account. Raises EngineReject UNKNOWN_ACCOUNT."""
        account = self._users.get(name)
        if account is None:
            raise EngineReject(RejectReason.UNKNOWN_ACCOUNT, f"account {name!r} does not exist")
        return account

    def users(self) -> list[Account]:
        """User accounts in order of opening."""
        return list(self._users.values())
