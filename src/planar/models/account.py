"""What an account holds: balances and positions. Every number that is owned or owed is `Amount`.

They come from the adapters and the private streams, and go to the user and to reconciliation.
"""

from __future__ import annotations

from collections.abc import Iterator, KeysView
from typing import Any, ClassVar, Literal, TypeAlias

from planar.models.amount import Amount
from planar.models.base import Model, RawPayload, Timed, brief, html_table

PositionSide: TypeAlias = Literal["long", "short"]


class Balance(Model, frozen=True, kw_only=True, gc=False):
    """One currency of an account. None: the exchange does not say. A margin account may owe: negative."""

    free: Amount | None = None
    """What can be ordered with or withdrawn."""
    used: Amount | None = None
    """What open orders and positions hold."""
    total: Amount | None = None
    debt: Amount | None = None
    """What is borrowed."""


class AccountBalance(Timed, frozen=True, kw_only=True, gc=False):
    """The balances of an account, as CCXT's balance structure.

    `balance["BTC"].free`, `balance["BTC"]["free"]`, `balance.free["BTC"]` and `balance["free"]["BTC"]` are the same.
    A currency that the exchange did not name is a KeyError, not a zero.
    """

    balances: dict[str, Balance]
    """Currency code -> balance."""
    ts_ms: int | None = None
    """The exchange's time, in milliseconds UTC."""
    received_ns: int | None = None
    """When it arrived here, in nanoseconds UTC (`planar.runtime.wall_ns`)."""
    raw: RawPayload = None

    @property
    def free(self) -> dict[str, Amount | None]:
        """Currency code -> what can be ordered with."""
        return {code: balance.free for code, balance in self.balances.items()}

    @property
    def used(self) -> dict[str, Amount | None]:
        """Currency code -> what open orders and positions hold."""
        return {code: balance.used for code, balance in self.balances.items()}

    @property
    def total(self) -> dict[str, Amount | None]:
        """Currency code -> all of it."""
        return {code: balance.total for code, balance in self.balances.items()}

    @property
    def debt(self) -> dict[str, Amount | None]:
        """Currency code -> what is borrowed, where the exchange says."""
        return {code: balance.debt for code, balance in self.balances.items() if balance.debt is not None}

    def __getitem__(self, key: str) -> Any:
        if key in self.balances:
            return self.balances[key]
        if key in _ACCOUNT_KEYS:
            return getattr(self, _ACCOUNT_KEYS[key])
        raise KeyError(key)

    def __contains__(self, key: object) -> bool:
        return key in self.balances or key in _ACCOUNT_KEYS

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def __len__(self) -> int:
        return len(self.keys())

    def keys(self) -> KeysView[str]:
        """The currency codes, then CCXT's other keys."""
        return (self.balances | _ACCOUNT_KEYS).keys()

    def _shown_items(self) -> Iterator[tuple[str, Any]]:
        yield from ((code, balance.total) for code, balance in self.balances.items() if balance.total)

    def _repr_html_(self) -> str:
        """The currencies of which there is something."""
        rows = [
            (code, *("" if value is None else brief(value) for value in (balance.free, balance.used, balance.total)))
            for code, balance in self.balances.items()
            if balance.total
        ]
        return html_table("Balance", ("", "free", "used", "total"), rows)


_ACCOUNT_KEYS = {
    "free": "free",
    "used": "used",
    "total": "total",
    "debt": "debt",
    "timestamp": "ts_ms",
    "datetime": "datetime",
    "receivedNs": "received_ns",
    "info": "info",
}


class Position(Timed, frozen=True, kw_only=True, gc=False):
    """A position in a derivative. Keys as in CCXT's position structure. None: the exchange does not say."""

    _shown: ClassVar[tuple[str, ...]] = ("symbol", "side", "contracts", "entry_price", "mark_price", "unrealized_pnl")

    id: str | None = None
    symbol: str
    side: PositionSide | None = None
    """None only if there are no contracts."""
    contracts: Amount
    """Number of contracts, never negative; `side` gives the sign."""
    contract_size: Amount | None = None
    """What one contract holds, in base currency (linear) or quote currency (inverse)."""
    notional: Amount | None = None
    leverage: Amount | None = None
    entry_price: Amount | None = None
    liquidation_price: Amount | None = None
    stop_loss_price: Amount | None = None
    take_profit_price: Amount | None = None
    unrealized_pnl: Amount | None = None
    realized_pnl: Amount | None = None
    collateral: Amount | None = None
    initial_margin: Amount | None = None
    initial_margin_percentage: float | None = None
    """A fraction, as in CCXT: 0.1 is 10 %."""
    maintenance_margin: Amount | None = None
    maintenance_margin_percentage: float | None = None
    """A fraction, as in CCXT: 0.1 is 10 %."""
    margin_ratio: float | None = None
    margin_mode: str | None = None
    """`cross` or `isolated`."""
    hedged: bool | None = None
    """Whether a long and a short of one market can stand side by side."""
    mark_price: float | None = None
    last_price: float | None = None
    percentage: float | None = None
    """Unrealised profit in percent of the initial margin."""
    ts_ms: int | None = None
    """The exchange's time, in milliseconds UTC."""
    last_update_ts_ms: int | None = None
    received_ns: int | None = None
    """When it arrived here, in nanoseconds UTC (`planar.runtime.wall_ns`)."""
    raw: RawPayload = None
