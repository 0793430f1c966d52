"""Money that moves in and out of an account: deposits, withdrawals, transfers, conversions, loans, fees.

They come from the adapters (`planar.adapters.unified`) and go to the user. Amounts are `Amount`, exact. None: the exchange
does not say. Keys as in CCXT's structures.
"""

from __future__ import annotations

from typing import Any, ClassVar

from planar.models.amount import Amount
from planar.models.base import RawPayload, Sourced, Timed
from planar.models.orders import Fee


class Transaction(Timed, frozen=True, kw_only=True, gc=False):
    """A deposit or a withdrawal."""

    _shown: ClassVar[tuple[str, ...]] = ("type", "currency", "amount", "status", "network", "txid", "datetime")

    id: str | None = None
    txid: str | None = None
    type: str | None = None
    """`deposit` or `withdrawal`."""
    currency: str | None = None
    amount: Amount | None = None
    status: str | None = None
    """`pending`, `ok`, `failed` or `canceled`."""
    network: str | None = None
    address: str | None = None
    address_from: str | None = None
    address_to: str | None = None
    tag: str | None = None
    tag_from: str | None = None
    tag_to: str | None = None
    comment: str | None = None
    internal: bool | None = None
    fee: Fee | None = None
    updated_ms: int | None = None
    ts_ms: int | None = None
    received_ns: int | None = None
    raw: RawPayload = None


class DepositAddress(Sourced, frozen=True, kw_only=True, gc=False):
    """Where money of a currency can be sent to this account."""

    currency: str
    network: str | None = None
    address: str
    tag: str | None = None
    """The memo that must go along, where the network has one."""
    note: str | None = None
    raw: RawPayload = None


class Transfer(Timed, frozen=True, kw_only=True, gc=False):
    """A movement between accounts of one owner at one exchange."""

    id: str | None = None
    currency: str | None = None
    amount: Amount | None = None
    from_account: str | None = None
    to_account: str | None = None
    status: str | None = None
    ts_ms: int | None = None
    received_ns: int | None = None
    raw: RawPayload = None


class LedgerEntry(Timed, frozen=True, kw_only=True, gc=False):
    """One line of an account's book."""

    _shown: ClassVar[tuple[str, ...]] = ("type", "direction", "currency", "amount", "status", "datetime")

    id: str | None = None
    direction: str | None = None
    """`in` or `out`."""
    account: str | None = None
    reference_id: str | None = None
    reference_account: str | None = None
    type: str | None = None
    currency: str | None = None
    amount: Amount
    before: Amount | None = None
    after: Amount | None = None
    status: str | None = None
    fee: Fee | None = None
    ts_ms: int | None = None
    received_ns: int | None = None
    raw: RawPayload = None


class Conversion(Timed, frozen=True, kw_only=True, gc=False):
    """A quote for, or the result of, changing one currency into another without an order."""

    id: str | None = None
    from_currency: str | None = None
    from_amount: Amount | None = None
    to_currency: str | None = None
    to_amount: Amount | None = None
    price: Amount | None = None
    fee: Amount | None = None
    ts_ms: int | None = None
    received_ns: int | None = None
    raw: RawPayload = None


class CrossBorrowRate(Timed, frozen=True, kw_only=True, gc=False):
    """What borrowing a currency costs on cross margin, as a fraction per `period_ms`."""

    currency: str
    rate: Amount | None = None
    period: float | None = None
    """Milliseconds to which the rate applies."""
    ts_ms: int | None = None
    received_ns: int | None = None
    raw: RawPayload = None


class IsolatedBorrowRate(Timed, frozen=True, kw_only=True, gc=False):
    """What borrowing costs on isolated margin, per side of a market."""

    symbol: str
    base: str | None = None
    base_rate: Amount | None = None
    quote: str | None = None
    quote_rate: Amount | None = None
    period: float | None = None
    """Milliseconds to which the rates apply."""
    ts_ms: int | None = None
    received_ns: int | None = None
    raw: RawPayload = None


class BorrowInterest(Timed, frozen=True, kw_only=True, gc=False):
    """Interest that was charged on a loan."""

    symbol: str | None = None
    currency: str | None = None
    interest: Amount | None = None
    interest_rate: Amount | None = None
    amount_borrowed: Amount | None = None
    margin_mode: str | None = None
    ts_ms: int | None = None
    received_ns: int | None = None
    raw: RawPayload = None


class Loan(Timed, frozen=True, kw_only=True, gc=False):
    """What was borrowed or paid back."""

    id: str | None = None
    symbol: str | None = None
    currency: str | None = None
    amount: Amount | None = None
    ts_ms: int | None = None
    received_ns: int | None = None
    raw: RawPayload = None


class TradingFee(Sourced, frozen=True, kw_only=True, gc=False):
    """What trading in a market costs, as fractions of what is traded; negative is a rebate."""

    symbol: str
    maker: Amount
    taker: Amount
    percentage: bool | None = None
    tier_based: bool | None = None
    estimated: bool = False
    """True: the exchange's schedule and not what it tells of this account."""
    raw: RawPayload = None


class DepositWithdrawFee(Sourced, frozen=True, kw_only=True, gc=False):
    """What moving a currency in and out costs: `deposit`, `withdraw` and, by network, `networks`; as CCXT gives them."""

    code: str | None = None
    withdraw: dict[str, Any] | None = None
    deposit: dict[str, Any] | None = None
    networks: dict[str, Any] | None = None
    raw: RawPayload = None


class AccountInfo(Sourced, frozen=True, kw_only=True, gc=False):
    """One of the accounts that a key reaches at the exchange."""

    id: str | None = None
    type: str | None = None
    name: str | None = None
    code: str | None = None
    raw: RawPayload = None
