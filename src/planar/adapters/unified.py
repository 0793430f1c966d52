"""CCXT's unified methods beyond the primitives of `Adapter`, as a table: what each does, takes and answers.

`Exchange` has a typed method for each row; `Adapter.unified` carries it out, and `CcxtAdapter` by CCXT's method of the same
name. The shapes of answers:

| shape | CCXT's answer | here |
|---|---|---|
| one | a structure | a model |
| many | a list of structures | a list of models |
| table | structures under a symbol, code or network | a dictionary of models |
| lists | lists of structures under a symbol or code | a dictionary of lists of models |
| candles | rows of six numbers | a list of candles |
| done | whatever says that it is done | None |
| word | a plain value | as it is |
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Literal

import msgspec

from planar.models import from_ccxt as convert
from planar.models.derivatives import (
    AutoDeleverage,
    FundingPayment,
    FundingRateRecord,
    Greeks,
    Leverage,
    LeverageTier,
    Liquidation,
    LongShortRatio,
    MarginMode,
    MarginModification,
    OpenInterest,
    OptionQuote,
    PositionMode,
)
from planar.models.from_ccxt.plain import plain
from planar.models.money import (
    AccountInfo,
    BorrowInterest,
    Conversion,
    CrossBorrowRate,
    DepositAddress,
    DepositWithdrawFee,
    IsolatedBorrowRate,
    LedgerEntry,
    Loan,
    TradingFee,
    Transaction,
    Transfer,
)
from planar.models.status import ExchangeStatus, LastPrice

Shape = Literal["one", "many", "table", "lists", "candles", "done", "word"]


class Unified(msgspec.Struct, frozen=True):
    """One row of the table.

    Attributes:
        shape: of the answer, see the module's docstring.
        make: makes a model of a structure; None where the answer holds none.
        private: a key is needed.
        write: it changes something at the venue.
        of: market types that have it; a symbol of another one is refused. Empty: any.
        from_args: CCXT's key -> number of the argument that stands for it where an answer does not repeat its question.
    """

    shape: Shape
    make: Callable[..., Any] | None = None
    private: bool = False
    write: bool = False
    of: tuple[str, ...] = ()
    from_args: Mapping[str, int] = {}


_SYMBOL: Final = {"symbol": 0}
_FUNDED: Final = ("swap", "future")
_CONTRACTS: Final = ("swap", "future", "option")
_OPTIONS: Final = ("option",)
_CODE: Final = {"currency": 0}

_ticker, _rate = convert.ticker, convert.funding_rate
_past_rate = plain(FundingRateRecord, "funding rate")
_interest = plain(OpenInterest, "open interest")
_ratio = plain(LongShortRatio, "long-short ratio")
_liquidation = plain(Liquidation, "liquidation")
_greeks, _option = plain(Greeks, "greeks"), plain(OptionQuote, "option")
_tier = plain(LeverageTier, "leverage tier")
_price, _status = plain(LastPrice, "last price"), plain(ExchangeStatus, "status")
_payment = plain(FundingPayment, "funding payment")
_leverage, _mode = plain(Leverage, "leverage"), plain(MarginMode, "margin mode")
_margin = plain(MarginModification, "margin modification")
_adl = plain(AutoDeleverage, "auto-deleveraging rank")
_transaction, _address = plain(Transaction, "transaction"), plain(DepositAddress, "deposit address")
_transfer, _entry = plain(Transfer, "transfer"), plain(LedgerEntry, "ledger entry")
_conversion, _loan = plain(Conversion, "conversion"), plain(Loan, "loan")
_cross, _isolated = plain(CrossBorrowRate, "borrow rate"), plain(IsolatedBorrowRate, "borrow rate")
_borrowed = plain(BorrowInterest, "borrow interest")
_fee, _network_fee = plain(TradingFee, "trading fee"), plain(DepositWithdrawFee, "deposit and withdrawal fee")
_account = plain(AccountInfo, "account")

MARKET_DATA: Final[Mapping[str, Unified]] = {
    "fetch_status": Unified("one", _status),
    "fetch_currencies": Unified("table", convert.currency),
    "fetch_bids_asks": Unified("table", _ticker),
    "fetch_last_prices": Unified("table", _price),
    "fetch_order_books": Unified("table", convert.order_book),
    "fetch_mark_price": Unified("one", _ticker, of=_CONTRACTS, from_args=_SYMBOL),
    "fetch_mark_prices": Unified("table", _ticker, of=_CONTRACTS),
    "fetch_l3_order_book": Unified("one", convert.order_book, from_args=_SYMBOL),
    "fetch_mark_ohlcv": Unified("candles"),
    "fetch_index_ohlcv": Unified("candles"),
    "fetch_premium_index_ohlcv": Unified("candles"),
}
"""Of markets; no key is needed on most exchanges."""

DERIVATIVES: Final[Mapping[str, Unified]] = {
    "fetch_funding_rate": Unified("one", _rate, of=_FUNDED, from_args=_SYMBOL),
    "fetch_funding_rates": Unified("table", _rate, of=_FUNDED),
    "fetch_funding_rate_history": Unified("many", _past_rate, of=_FUNDED, from_args=_SYMBOL),
    "fetch_funding_interval": Unified("one", _rate, of=_FUNDED, from_args=_SYMBOL),
    "fetch_funding_intervals": Unified("table", _rate, of=_FUNDED),
    "fetch_open_interest": Unified("one", _interest, of=_CONTRACTS, from_args=_SYMBOL),
    "fetch_open_interests": Unified("table", _interest, of=_CONTRACTS),
    "fetch_open_interest_history": Unified("many", _interest, of=_CONTRACTS, from_args=_SYMBOL),
    "fetch_long_short_ratio": Unified("one", _ratio, from_args=_SYMBOL),
    "fetch_long_short_ratio_history": Unified("many", _ratio, from_args=_SYMBOL),
    "fetch_liquidations": Unified("many", _liquidation, of=_CONTRACTS, from_args=_SYMBOL),
    "fetch_leverage_tiers": Unified("lists", _tier),
    "fetch_market_leverage_tiers": Unified("many", _tier, from_args=_SYMBOL),
    "fetch_option": Unified("one", _option, of=_OPTIONS, from_args=_SYMBOL),
    "fetch_option_chain": Unified("table", _option),
    "fetch_greeks": Unified("one", _greeks, of=_OPTIONS, from_args=_SYMBOL),
    "fetch_all_greeks": Unified("table", _greeks, of=_OPTIONS),
}
"""Of swaps, futures and options."""

ACCOUNT: Final[Mapping[str, Unified]] = {
    "fetch_accounts": Unified("many", _account, private=True),
    "fetch_ledger": Unified("many", _entry, private=True, from_args=_CODE),
    "fetch_ledger_entry": Unified("one", _entry, private=True, from_args={"id": 0, "currency": 1}),
    "fetch_trading_fee": Unified("one", _fee, private=True, from_args=_SYMBOL),
    "fetch_trading_fees": Unified("table", _fee, private=True),
    "fetch_positions": Unified("many", convert.position, private=True, of=_CONTRACTS),
    "fetch_position": Unified("one", convert.position, private=True, of=_CONTRACTS, from_args=_SYMBOL),
    "fetch_positions_history": Unified("many", convert.position, private=True, of=_CONTRACTS),
    "fetch_position_history": Unified("many", convert.position, private=True, of=_CONTRACTS, from_args=_SYMBOL),
    "fetch_position_mode": Unified("one", plain(PositionMode, "position mode"), private=True),
    "fetch_margin_mode": Unified("one", _mode, private=True, from_args=_SYMBOL),
    "fetch_margin_modes": Unified("table", _mode, private=True),
    "fetch_leverage": Unified("one", _leverage, private=True, from_args=_SYMBOL),
    "fetch_leverages": Unified("table", _leverage, private=True),
    "fetch_funding_history": Unified("many", _payment, private=True, of=_FUNDED, from_args=_SYMBOL),
    "fetch_my_liquidations": Unified("many", _liquidation, private=True, of=_CONTRACTS, from_args=_SYMBOL),
    "fetch_margin_adjustment_history": Unified("many", _margin, private=True, from_args=_SYMBOL),
    "fetch_position_adl_rank": Unified("one", _adl, private=True, of=_CONTRACTS, from_args=_SYMBOL),
    "fetch_positions_adl_rank": Unified("many", _adl, private=True, of=_CONTRACTS),
    "fetch_borrow_interest": Unified("many", _borrowed, private=True),
    "fetch_cross_borrow_rate": Unified("one", _cross, private=True, from_args=_CODE),
    "fetch_cross_borrow_rates": Unified("table", _cross, private=True),
    "fetch_isolated_borrow_rate": Unified("one", _isolated, private=True, from_args=_SYMBOL),
    "fetch_isolated_borrow_rates": Unified("table", _isolated, private=True),
    "fetch_order_trades": Unified("many", convert.fill, private=True),
}
"""What an account is, has, and has done."""

MONEY: Final[Mapping[str, Unified]] = {
    "fetch_deposit_address": Unified("one", _address, private=True, from_args=_CODE),
    "fetch_deposit_addresses": Unified("table", _address, private=True),
    "fetch_deposit_addresses_by_network": Unified("table", _address, private=True, from_args=_CODE),
    "create_deposit_address": Unified("one", _address, private=True, write=True, from_args=_CODE),
    "fetch_deposits": Unified("many", _transaction, private=True, from_args=_CODE),
    "fetch_withdrawals": Unified("many", _transaction, private=True, from_args=_CODE),
    "fetch_deposits_withdrawals": Unified("many", _transaction, private=True, from_args=_CODE),
    "fetch_deposit_withdraw_fee": Unified("one", _network_fee, private=True, from_args={"code": 0}),
    "fetch_deposit_withdraw_fees": Unified("table", _network_fee, private=True),
    "fetch_transfer": Unified("one", _transfer, private=True, from_args={"id": 0, "currency": 1}),
    "fetch_transfers": Unified("many", _transfer, private=True, from_args=_CODE),
    "fetch_convert_currencies": Unified("table", convert.currency, private=True),
    "fetch_convert_quote": Unified("one", _conversion, private=True),
    "fetch_convert_trade": Unified("one", _conversion, private=True, from_args={"id": 0}),
    "fetch_convert_trade_history": Unified("many", _conversion, private=True),
    "transfer": Unified(
        *("one", _transfer, True, True), from_args={"currency": 0, "amount": 1, "fromAccount": 2, "toAccount": 3}
    ),
    "withdraw": Unified("one", _transaction, True, True, from_args={"currency": 0, "amount": 1, "address": 2}),
    "create_convert_trade": Unified("one", _conversion, True, True, from_args={"fromCurrency": 1, "toCurrency": 2}),
    "borrow_cross_margin": Unified("one", _loan, True, True, from_args={"currency": 0, "amount": 1}),
    "borrow_isolated_margin": Unified("one", _loan, True, True, from_args={"symbol": 0, "currency": 1, "amount": 2}),
    "repay_cross_margin": Unified("one", _loan, True, True, from_args={"currency": 0, "amount": 1}),
    "repay_isolated_margin": Unified("one", _loan, True, True, from_args={"symbol": 0, "currency": 1, "amount": 2}),
}
"""What moves money, or tells how it moved."""

MARGIN: Final[Mapping[str, Unified]] = {
    "set_leverage": Unified("done", private=True, write=True),
    "set_margin_mode": Unified("done", private=True, write=True),
    "set_position_mode": Unified("done", private=True, write=True),
    "add_margin": Unified("one", _margin, True, True, from_args={"symbol": 0, "amount": 1}),
    "reduce_margin": Unified("one", _margin, True, True, from_args={"symbol": 0, "amount": 1}),
    "set_margin": Unified("one", _margin, True, True, from_args={"symbol": 0, "amount": 1}),
}
"""What changes how positions are held."""

METHODS: Final[Mapping[str, Unified]] = {**MARKET_DATA, **DERIVATIVES, **ACCOUNT, **MONEY, **MARGIN}
"""All rows."""
