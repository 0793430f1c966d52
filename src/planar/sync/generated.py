"""Synchronous faces of Planar's classes, written by `scripts/sync_face.py`. Do not edit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Unpack

from planar.adapters.base import OrderRequest
from planar.adapters.profile import Profile
from planar.config.accounts import ConfiguredAccount
from planar.config.schema import ExchangeSettings
from planar.errors import PlanarError
from planar.exchange import Exchange as _Exchange
from planar.exchange.ability import Ability
from planar.exchange.answers import Rows, Table
from planar.exchange.composed_market import Progress
from planar.exchange.composing import Made
from planar.exchange.core import NOTHING
from planar.exchange.countdown import Countdown
from planar.exchange.editing import Named
from planar.exchange.finding import Standing, Tokens
from planar.exchange.money import AmountLike
from planar.exchange.moving import MovePreview
from planar.exchange.order_words import KindWords
from planar.exchange.reconciling import Policy
from planar.exchange.trading import KindTable, Number
from planar.exchange.views import OrdersView as _OrdersView
from planar.exchange.views import Portfolio
from planar.exchange.watching import CANDLE
from planar.models.account import AccountBalance, Position
from planar.models.amount import Amount
from planar.models.data import Candle, FundingRate, OrderBook, Ticker, Trade
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
from planar.models.key_rights import KeyRights
from planar.models.market import Currency, Market
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
from planar.models.orders import Fill, OrderState
from planar.models.status import ExchangeStatus, LastPrice
from planar.multi.arbitrage import Opportunity
from planar.multi.group import By, Side
from planar.multi.group import Group as _Group
from planar.multi.matching import Matched
from planar.multi.routing import Route
from planar.multi.selection import Choice as _Choice
from planar.multi.selection import Selector as _Selector
from planar.multi.sides import Offer
from planar.orders.differences import Difference, Reconciliation
from planar.orders.editing import EditPreview
from planar.orders.group_handle import Contingency, Role
from planar.orders.group_handle import OrderGroup as _OrderGroup
from planar.orders.handle import OrderHandle as _OrderHandle
from planar.orders.preview import Preview
from planar.orders.readiness import ReadyState
from planar.orders.stopping import Left, StopReport
from planar.sync.faces import Face, SyncStream
from planar.transport.observe import ExchangeHealth


class Exchange(Face, of=_Exchange):
    """What users hold. Made by `Workspace.exchange`; one object per (exchange, account, environment)."""

    @property
    def id(self) -> str:
        """CCXT's id of the exchange."""
        return self._now(lambda: self._inner.id)

    @property
    def account(self) -> str:
        """Name of the account; "" is the one without a name."""
        return self._now(lambda: self._inner.account)

    @property
    def environment(self) -> str:
        """live, sandbox, demo or local."""
        return self._now(lambda: self._inner.environment)

    def accounts(self) -> tuple[ConfiguredAccount, ...]:
        """The accounts of this exchange that are configured, in all environments: names and places, never secrets."""
        return self._now(lambda: self._inner.accounts())

    @property
    def account_types(self) -> tuple[str, ...]:
        """Words for the kinds of account that the exchange keeps apart, such as `spot` and `funding`."""
        return self._now(lambda: self._inner.account_types)

    @property
    def profile(self) -> Profile:
        """What Planar knows of the exchange beyond CCXT, as tables."""
        return self._now(lambda: self._inner.profile)

    @property
    def settings(self) -> ExchangeSettings:
        """The settings that it was opened with."""
        return self._now(lambda: self._inner.settings)

    @property
    def has(self) -> Mapping[str, bool | str | None]:
        """Method -> True, False, "emulated" or None (nobody knows); snake_case names."""
        return self._now(lambda: self._inner.has)

    @property
    def timeframes(self) -> tuple[str, ...]:
        """Candle intervals."""
        return self._now(lambda: self._inner.timeframes)

    @property
    def host(self) -> str:
        """The host that public calls go to."""
        return self._now(lambda: self._inner.host)

    @property
    def required_credentials(self) -> tuple[str, ...]:
        """The credentials that private calls need, by CCXT's names."""
        return self._now(lambda: self._inner.required_credentials)

    @property
    def key_info_needs_right(self) -> bool:
        """Whether a key must have a right to be told its rights; where it need not, only its addresses can stop it."""
        return self._now(lambda: self._inner.key_info_needs_right)

    @property
    def fees_in_base(self) -> bool:
        """Whether the fee of a spot buy is taken out of what is bought, and not on top of its cost."""
        return self._now(lambda: self._inner.fees_in_base)

    @property
    def quotes_are_numbered(self) -> bool:
        """Whether `watch_bids_asks` comes sooner than the book, and tells which book's best prices it has."""
        return self._now(lambda: self._inner.quotes_are_numbered)

    @property
    def markets(self) -> Mapping[str, Market]:
        """Markets by unified symbol."""
        return self._now(lambda: self._inner.markets)

    @property
    def symbols(self) -> list[str]:
        """Unified symbols, sorted."""
        return self._now(lambda: self._inner.symbols)

    def load_markets(self, reload: bool = False) -> Mapping[str, Market]:
        """Load the markets, from the cache if it is fresh; `reload` asks the venue."""
        return self._run(self._inner.load_markets(reload))

    def market(self, symbol: str) -> Market:
        """The market that `symbol` names: unified (`BTC/USDT`), joined (`BTCUSDT`, `BTC-USDT`) or the venue's raw id."""
        return self._now(lambda: self._inner.market(symbol))

    def fetch_time(self, *, timeout_ms: int | None = None) -> int:
        """The venue's clock, UTC milliseconds."""
        return self._run(self._inner.fetch_time(timeout_ms=timeout_ms))

    def fetch_markets(self) -> list[Market]:
        """All markets, asked from the venue."""
        return self._run(self._inner.fetch_markets())

    def fetch_ticker(
        self, symbol: str, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> Ticker:
        """Best bid and ask, last price and 24 h statistics of one market."""
        return self._run(self._inner.fetch_ticker(symbol, params, timeout_ms=timeout_ms))

    def fetch_tickers(
        self,
        symbols: Sequence[str] | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
        progress: Progress | None = None,
    ) -> Table[Ticker]:
        """Tickers by symbol, and in `errors` why others are missing; of all markets for None, of none for an empty list."""
        return self._run(self._inner.fetch_tickers(symbols, params, timeout_ms=timeout_ms, progress=progress))

    def fetch_order_book(
        self,
        symbol: str,
        limit: int | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> OrderBook:
        """The order book, `limit` levels a side."""
        return self._run(self._inner.fetch_order_book(symbol, limit, params, timeout_ms=timeout_ms))

    def fetch_trades(
        self,
        symbol: str,
        since: int | None = None,
        limit: int | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> list[Trade]:
        """Public trades since `since` (UTC milliseconds), oldest first."""
        return self._run(self._inner.fetch_trades(symbol, since, limit, params, timeout_ms=timeout_ms))

    def fetch_ohlcv(
        self,
        symbol: str,
        timeframe: str = "1m",
        since: int | None = None,
        limit: int | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> list[Candle]:
        """Candles since `since` (UTC milliseconds), oldest first; the last one may still be forming."""
        return self._run(self._inner.fetch_ohlcv(symbol, timeframe, since, limit, params, timeout_ms=timeout_ms))

    def fetch_balance(
        self, params: Mapping[str, Any] = NOTHING, *, type: str | None = None, timeout_ms: int | None = None
    ) -> AccountBalance:
        """Free, used and total by currency."""
        return self._run(self._inner.fetch_balance(params, type=type, timeout_ms=timeout_ms))

    def fetch_key_rights(self, *, timeout_ms: int | None = None) -> KeyRights:
        """What the API key in use may do."""
        return self._run(self._inner.fetch_key_rights(timeout_ms=timeout_ms))

    def fetch_my_trades(
        self,
        symbol: str,
        since: int | None = None,
        limit: int | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> list[Fill]:
        """Own executions of one market since `since`, oldest first."""
        return self._run(self._inner.fetch_my_trades(symbol, since, limit, params, timeout_ms=timeout_ms))

    def fetch_order(
        self, id: str, symbol: str, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> Order:
        """One order by the venue's id, or by Planar's client id."""
        return self._run(self._inner.fetch_order(id, symbol, params, timeout_ms=timeout_ms))

    def fetch_order_status(self, id: str, symbol: str) -> str | None:
        """CCXT's word for the state of an order: open, closed, canceled, expired or rejected."""
        return self._run(self._inner.fetch_order_status(id, symbol))

    def fetch_open_orders(
        self,
        symbol: str | None = None,
        since: int | None = None,
        limit: int | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> list[Order]:
        """Open orders, of all markets for None; the newest `limit` since `since`, oldest first."""
        return self._run(self._inner.fetch_open_orders(symbol, since, limit, params, timeout_ms=timeout_ms))

    def fetch_orders(
        self,
        symbol: str,
        since: int | None = None,
        limit: int | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> list[Order]:
        """Orders of any state, oldest first."""
        return self._run(self._inner.fetch_orders(symbol, since, limit, params, timeout_ms=timeout_ms))

    def fetch_closed_orders(
        self,
        symbol: str,
        since: int | None = None,
        limit: int | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> list[Order]:
        """Filled orders, oldest first, among the newest `limit` of any state."""
        return self._run(self._inner.fetch_closed_orders(symbol, since, limit, params, timeout_ms=timeout_ms))

    def fetch_status(self, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None) -> ExchangeStatus:
        """Whether the exchange says that it works."""
        return self._run(self._inner.fetch_status(params, timeout_ms=timeout_ms))

    def fetch_currencies(
        self, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> dict[str, Currency]:
        """Currencies by code, with their networks. Some exchanges want a key for it."""
        return self._run(self._inner.fetch_currencies(params, timeout_ms=timeout_ms))

    def fetch_mark_price(
        self, symbol: str, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> Ticker:
        """The mark price of a contract, from which profit and margin are counted."""
        return self._run(self._inner.fetch_mark_price(symbol, params, timeout_ms=timeout_ms))

    def fetch_mark_prices(
        self,
        symbols: Sequence[str] | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> dict[str, Ticker]:
        """Mark prices by symbol; of all contracts for None."""
        return self._run(self._inner.fetch_mark_prices(symbols, params, timeout_ms=timeout_ms))

    def fetch_mark_ohlcv(
        self,
        symbol: str,
        timeframe: str = "1m",
        since: int | None = None,
        limit: int | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> list[Candle]:
        """Candles of the mark price, oldest first."""
        return self._run(self._inner.fetch_mark_ohlcv(symbol, timeframe, since, limit, params, timeout_ms=timeout_ms))

    def fetch_index_ohlcv(
        self,
        symbol: str,
        timeframe: str = "1m",
        since: int | None = None,
        limit: int | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> list[Candle]:
        """Candles of the index that a contract follows, oldest first."""
        return self._run(self._inner.fetch_index_ohlcv(symbol, timeframe, since, limit, params, timeout_ms=timeout_ms))

    def fetch_premium_index_ohlcv(
        self,
        symbol: str,
        timeframe: str = "1m",
        since: int | None = None,
        limit: int | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> list[Candle]:
        """Candles of the premium of a contract over its index, oldest first."""
        return self._run(
            self._inner.fetch_premium_index_ohlcv(symbol, timeframe, since, limit, params, timeout_ms=timeout_ms)
        )

    def fetch_l3_order_book(
        self,
        symbol: str,
        limit: int | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> OrderBook:
        """The order book with every single order, where the exchange shows them."""
        return self._run(self._inner.fetch_l3_order_book(symbol, limit, params, timeout_ms=timeout_ms))

    def fetch_funding_rate(
        self, symbol: str, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> FundingRate:
        """What holders of a perpetual pay each other next."""
        return self._run(self._inner.fetch_funding_rate(symbol, params, timeout_ms=timeout_ms))

    def fetch_funding_rates(
        self,
        symbols: Sequence[str] | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> dict[str, FundingRate]:
        """Funding rates by symbol; of all perpetuals for None."""
        return self._run(self._inner.fetch_funding_rates(symbols, params, timeout_ms=timeout_ms))

    def fetch_funding_rate_history(
        self,
        symbol: str | None = None,
        since: int | None = None,
        limit: int | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> list[FundingRateRecord]:
        """Past funding rates, oldest first."""
        return self._run(self._inner.fetch_funding_rate_history(symbol, since, limit, params, timeout_ms=timeout_ms))

    def fetch_funding_interval(
        self, symbol: str, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> FundingRate:
        """How often funding is paid (`interval`)."""
        return self._run(self._inner.fetch_funding_interval(symbol, params, timeout_ms=timeout_ms))

    def fetch_funding_intervals(
        self,
        symbols: Sequence[str] | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> dict[str, FundingRate]:
        """How often funding is paid, by symbol."""
        return self._run(self._inner.fetch_funding_intervals(symbols, params, timeout_ms=timeout_ms))

    def fetch_open_interest(
        self, symbol: str, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> OpenInterest:
        """How much of a contract is open."""
        return self._run(self._inner.fetch_open_interest(symbol, params, timeout_ms=timeout_ms))

    def fetch_open_interests(
        self,
        symbols: Sequence[str] | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> dict[str, OpenInterest]:
        """How much is open, by symbol."""
        return self._run(self._inner.fetch_open_interests(symbols, params, timeout_ms=timeout_ms))

    def fetch_open_interest_history(
        self,
        symbol: str,
        timeframe: str = "1h",
        since: int | None = None,
        limit: int | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> list[OpenInterest]:
        """How much was open, oldest first."""
        return self._run(
            self._inner.fetch_open_interest_history(symbol, timeframe, since, limit, params, timeout_ms=timeout_ms)
        )

    def fetch_long_short_ratio(
        self,
        symbol: str,
        timeframe: str | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> LongShortRatio:
        """Long against short in a market."""
        return self._run(self._inner.fetch_long_short_ratio(symbol, timeframe, params, timeout_ms=timeout_ms))

    def fetch_long_short_ratio_history(
        self,
        symbol: str | None = None,
        timeframe: str | None = None,
        since: int | None = None,
        limit: int | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> list[LongShortRatio]:
        """Long against short of the past, oldest first."""
        return self._run(
            self._inner.fetch_long_short_ratio_history(symbol, timeframe, since, limit, params, timeout_ms=timeout_ms)
        )

    def fetch_liquidations(
        self,
        symbol: str,
        since: int | None = None,
        limit: int | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> list[Liquidation]:
        """Positions that the exchange closed by force, oldest first."""
        return self._run(self._inner.fetch_liquidations(symbol, since, limit, params, timeout_ms=timeout_ms))

    def fetch_leverage_tiers(
        self,
        symbols: Sequence[str] | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> dict[str, list[LeverageTier]]:
        """Up to which notional how much leverage is allowed, by symbol."""
        return self._run(self._inner.fetch_leverage_tiers(symbols, params, timeout_ms=timeout_ms))

    def fetch_market_leverage_tiers(
        self, symbol: str, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> list[LeverageTier]:
        """Up to which notional how much leverage is allowed in a market."""
        return self._run(self._inner.fetch_market_leverage_tiers(symbol, params, timeout_ms=timeout_ms))

    def fetch_option(
        self, symbol: str, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> OptionQuote:
        """An option with its prices."""
        return self._run(self._inner.fetch_option(symbol, params, timeout_ms=timeout_ms))

    def fetch_option_chain(
        self, code: str, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> dict[str, OptionQuote]:
        """All options on a currency, by symbol."""
        return self._run(self._inner.fetch_option_chain(code, params, timeout_ms=timeout_ms))

    def fetch_greeks(
        self, symbol: str, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> Greeks:
        """The greeks of an option."""
        return self._run(self._inner.fetch_greeks(symbol, params, timeout_ms=timeout_ms))

    def fetch_all_greeks(
        self,
        symbols: Sequence[str] | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> dict[str, Greeks]:
        """The greeks of several options, by symbol."""
        return self._run(self._inner.fetch_all_greeks(symbols, params, timeout_ms=timeout_ms))

    def fetch_accounts(
        self, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> list[AccountInfo]:
        """The accounts that the key reaches at the exchange."""
        return self._run(self._inner.fetch_accounts(params, timeout_ms=timeout_ms))

    def fetch_ledger(
        self,
        code: str | None = None,
        since: int | None = None,
        limit: int | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> list[LedgerEntry]:
        """The lines of the account's book, oldest first."""
        return self._run(self._inner.fetch_ledger(code, since, limit, params, timeout_ms=timeout_ms))

    def fetch_ledger_entry(
        self, id: str, code: str | None = None, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> LedgerEntry:
        """One line of the account's book."""
        return self._run(self._inner.fetch_ledger_entry(id, code, params, timeout_ms=timeout_ms))

    def fetch_positions_history(
        self,
        symbols: Sequence[str] | None = None,
        since: int | None = None,
        limit: int | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> list[Position]:
        """Positions that were closed."""
        return self._run(self._inner.fetch_positions_history(symbols, since, limit, params, timeout_ms=timeout_ms))

    def fetch_position_history(
        self,
        symbol: str,
        since: int | None = None,
        limit: int | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> list[Position]:
        """Positions in one contract that were closed."""
        return self._run(self._inner.fetch_position_history(symbol, since, limit, params, timeout_ms=timeout_ms))

    def fetch_position_mode(
        self, symbol: str | None = None, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> PositionMode:
        """Whether a long and a short of one market can stand side by side."""
        return self._run(self._inner.fetch_position_mode(symbol, params, timeout_ms=timeout_ms))

    def fetch_margin_mode(
        self, symbol: str, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> MarginMode:
        """Cross or isolated margin of a market."""
        return self._run(self._inner.fetch_margin_mode(symbol, params, timeout_ms=timeout_ms))

    def fetch_margin_modes(
        self,
        symbols: Sequence[str] | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> dict[str, MarginMode]:
        """Cross or isolated margin, by symbol."""
        return self._run(self._inner.fetch_margin_modes(symbols, params, timeout_ms=timeout_ms))

    def fetch_leverage(
        self, symbol: str, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> Leverage:
        """The leverage that is set for a market."""
        return self._run(self._inner.fetch_leverage(symbol, params, timeout_ms=timeout_ms))

    def fetch_leverages(
        self,
        symbols: Sequence[str] | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> dict[str, Leverage]:
        """The leverage that is set, by symbol."""
        return self._run(self._inner.fetch_leverages(symbols, params, timeout_ms=timeout_ms))

    def fetch_funding_history(
        self,
        symbol: str | None = None,
        since: int | None = None,
        limit: int | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> list[FundingPayment]:
        """What was paid and received for holding perpetuals, oldest first."""
        return self._run(self._inner.fetch_funding_history(symbol, since, limit, params, timeout_ms=timeout_ms))

    def fetch_my_liquidations(
        self,
        symbol: str | None = None,
        since: int | None = None,
        limit: int | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> list[Liquidation]:
        """Own positions that were closed by force."""
        return self._run(self._inner.fetch_my_liquidations(symbol, since, limit, params, timeout_ms=timeout_ms))

    def fetch_margin_adjustment_history(
        self,
        symbol: str | None = None,
        type: str | None = None,
        since: int | None = None,
        limit: int | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> list[MarginModification]:
        """Changes of the margin of positions."""
        return self._run(
            self._inner.fetch_margin_adjustment_history(symbol, type, since, limit, params, timeout_ms=timeout_ms)
        )

    def fetch_position_adl_rank(
        self, symbol: str, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> AutoDeleverage:
        """How near a position is to being closed against another's liquidation."""
        return self._run(self._inner.fetch_position_adl_rank(symbol, params, timeout_ms=timeout_ms))

    def fetch_positions_adl_rank(
        self,
        symbols: Sequence[str] | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> list[AutoDeleverage]:
        """How near positions are to being closed against others' liquidations."""
        return self._run(self._inner.fetch_positions_adl_rank(symbols, params, timeout_ms=timeout_ms))

    def fetch_borrow_interest(
        self,
        code: str | None = None,
        symbol: str | None = None,
        since: int | None = None,
        limit: int | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> list[BorrowInterest]:
        """Interest that was charged on loans."""
        return self._run(self._inner.fetch_borrow_interest(code, symbol, since, limit, params, timeout_ms=timeout_ms))

    def fetch_cross_borrow_rate(
        self, code: str, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> CrossBorrowRate:
        """What borrowing a currency costs on cross margin."""
        return self._run(self._inner.fetch_cross_borrow_rate(code, params, timeout_ms=timeout_ms))

    def fetch_cross_borrow_rates(
        self, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> dict[str, CrossBorrowRate]:
        """What borrowing costs on cross margin, by currency."""
        return self._run(self._inner.fetch_cross_borrow_rates(params, timeout_ms=timeout_ms))

    def fetch_isolated_borrow_rate(
        self, symbol: str, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> IsolatedBorrowRate:
        """What borrowing costs in one market."""
        return self._run(self._inner.fetch_isolated_borrow_rate(symbol, params, timeout_ms=timeout_ms))

    def fetch_isolated_borrow_rates(
        self, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> dict[str, IsolatedBorrowRate]:
        """What borrowing costs, by symbol."""
        return self._run(self._inner.fetch_isolated_borrow_rates(params, timeout_ms=timeout_ms))

    def fetch_deposit_address(
        self, code: str, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> DepositAddress:
        """Where money of a currency can be sent to this account; `params={"network": ...}` chooses the way."""
        return self._run(self._inner.fetch_deposit_address(code, params, timeout_ms=timeout_ms))

    def fetch_deposit_addresses(
        self, codes: Sequence[str] | None = None, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> dict[str, DepositAddress]:
        """Deposit addresses by currency."""
        return self._run(self._inner.fetch_deposit_addresses(codes, params, timeout_ms=timeout_ms))

    def fetch_deposit_addresses_by_network(
        self, code: str, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> dict[str, DepositAddress]:
        """Deposit addresses of a currency by network."""
        return self._run(self._inner.fetch_deposit_addresses_by_network(code, params, timeout_ms=timeout_ms))

    def fetch_deposits(
        self,
        code: str | None = None,
        since: int | None = None,
        limit: int | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> list[Transaction]:
        """Deposits, oldest first."""
        return self._run(self._inner.fetch_deposits(code, since, limit, params, timeout_ms=timeout_ms))

    def fetch_withdrawals(
        self,
        code: str | None = None,
        since: int | None = None,
        limit: int | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> list[Transaction]:
        """Withdrawals, oldest first."""
        return self._run(self._inner.fetch_withdrawals(code, since, limit, params, timeout_ms=timeout_ms))

    def fetch_deposit_withdraw_fee(
        self, code: str, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> DepositWithdrawFee:
        """What moving a currency in and out costs."""
        return self._run(self._inner.fetch_deposit_withdraw_fee(code, params, timeout_ms=timeout_ms))

    def fetch_deposit_withdraw_fees(
        self, codes: Sequence[str] | None = None, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> dict[str, DepositWithdrawFee]:
        """What moving currencies in and out costs, by code."""
        return self._run(self._inner.fetch_deposit_withdraw_fees(codes, params, timeout_ms=timeout_ms))

    def fetch_transfer(
        self, id: str, code: str | None = None, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> Transfer:
        """One transfer between own accounts."""
        return self._run(self._inner.fetch_transfer(id, code, params, timeout_ms=timeout_ms))

    def fetch_transfers(
        self,
        code: str | None = None,
        since: int | None = None,
        limit: int | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> list[Transfer]:
        """Transfers between own accounts, oldest first."""
        return self._run(self._inner.fetch_transfers(code, since, limit, params, timeout_ms=timeout_ms))

    def fetch_convert_currencies(
        self, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> dict[str, Currency]:
        """What can be converted without an order, by code."""
        return self._run(self._inner.fetch_convert_currencies(params, timeout_ms=timeout_ms))

    def fetch_convert_quote(
        self,
        from_code: str,
        to_code: str,
        amount: AmountLike | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> Conversion:
        """A price at which the exchange would convert; it holds for a short while."""
        return self._run(self._inner.fetch_convert_quote(from_code, to_code, amount, params, timeout_ms=timeout_ms))

    def fetch_convert_trade(
        self, id: str, code: str | None = None, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> Conversion:
        """One conversion."""
        return self._run(self._inner.fetch_convert_trade(id, code, params, timeout_ms=timeout_ms))

    def fetch_convert_trade_history(
        self,
        code: str | None = None,
        since: int | None = None,
        limit: int | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> list[Conversion]:
        """Past conversions."""
        return self._run(self._inner.fetch_convert_trade_history(code, since, limit, params, timeout_ms=timeout_ms))

    def set_leverage(
        self,
        leverage: AmountLike,
        symbol: str | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> None:
        """Set the leverage of a market, or of the account where the exchange has one for all."""
        self._run(self._inner.set_leverage(leverage, symbol, params, timeout_ms=timeout_ms))

    def set_margin_mode(
        self,
        margin_mode: str,
        symbol: str | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> None:
        """`cross` or `isolated` for a market, or for the account where the exchange has one for all."""
        self._run(self._inner.set_margin_mode(margin_mode, symbol, params, timeout_ms=timeout_ms))

    def set_position_mode(
        self,
        hedged: bool,
        symbol: str | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> None:
        """Whether a long and a short of one market can stand side by side."""
        self._run(self._inner.set_position_mode(hedged, symbol, params, timeout_ms=timeout_ms))

    def add_margin(
        self, symbol: str, amount: AmountLike, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> MarginModification:
        """Add margin to an isolated position."""
        return self._run(self._inner.add_margin(symbol, amount, params, timeout_ms=timeout_ms))

    def reduce_margin(
        self, symbol: str, amount: AmountLike, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> MarginModification:
        """Take margin out of an isolated position."""
        return self._run(self._inner.reduce_margin(symbol, amount, params, timeout_ms=timeout_ms))

    def set_margin(
        self, symbol: str, amount: AmountLike, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> MarginModification:
        """Set the margin of an isolated position."""
        return self._run(self._inner.set_margin(symbol, amount, params, timeout_ms=timeout_ms))

    def create_deposit_address(
        self, code: str, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> DepositAddress:
        """Have the exchange make a new deposit address."""
        return self._run(self._inner.create_deposit_address(code, params, timeout_ms=timeout_ms))

    def borrow_cross_margin(
        self, code: str, amount: AmountLike, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> Loan:
        """Borrow a currency on cross margin."""
        return self._run(self._inner.borrow_cross_margin(code, amount, params, timeout_ms=timeout_ms))

    def repay_cross_margin(
        self, code: str, amount: AmountLike, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> Loan:
        """Pay a cross margin loan back."""
        return self._run(self._inner.repay_cross_margin(code, amount, params, timeout_ms=timeout_ms))

    def borrow_isolated_margin(
        self,
        symbol: str,
        code: str,
        amount: AmountLike,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> Loan:
        """Borrow a currency on the isolated margin of a market."""
        return self._run(self._inner.borrow_isolated_margin(symbol, code, amount, params, timeout_ms=timeout_ms))

    def repay_isolated_margin(
        self,
        symbol: str,
        code: str,
        amount: AmountLike,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> Loan:
        """Pay a loan on the isolated margin of a market back."""
        return self._run(self._inner.repay_isolated_margin(symbol, code, amount, params, timeout_ms=timeout_ms))

    def how(self, method: str) -> Made | None:
        """How a reading method would be answered; None if it would be refused."""
        return self._now(lambda: self._inner.how(method))

    def fetch_order_books(
        self,
        symbols: Sequence[str],
        limit: int | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
        progress: Progress | None = None,
    ) -> Table[OrderBook]:
        """Order books by symbol, `limit` levels a side; those that failed stand in `errors`."""
        return self._run(
            self._inner.fetch_order_books(symbols, limit, params, timeout_ms=timeout_ms, progress=progress)
        )

    def fetch_bids_asks(
        self,
        symbols: Sequence[str] | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
        progress: Progress | None = None,
    ) -> Table[Ticker]:
        """Best bid and ask by symbol; of all markets for None; those that failed stand in `errors`."""
        return self._run(self._inner.fetch_bids_asks(symbols, params, timeout_ms=timeout_ms, progress=progress))

    def fetch_last_prices(
        self,
        symbols: Sequence[str] | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
        progress: Progress | None = None,
    ) -> Table[LastPrice]:
        """The price of each market, and what it is: the last trade's, else the close, else the middle of bid and ask."""
        return self._run(self._inner.fetch_last_prices(symbols, params, timeout_ms=timeout_ms, progress=progress))

    def fetch_last_price(
        self, symbol: str, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> LastPrice:
        """The price of one market, see `fetch_last_prices`."""
        return self._run(self._inner.fetch_last_price(symbol, params, timeout_ms=timeout_ms))

    def fetch_ohlcvs(
        self,
        symbols: Sequence[str],
        timeframe: str = "1m",
        since: int | None = None,
        limit: int | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
        progress: Progress | None = None,
    ) -> Table[list[Candle]]:
        """Candles by symbol; those that failed stand in `errors`."""
        return self._run(
            self._inner.fetch_ohlcvs(symbols, timeframe, since, limit, params, timeout_ms=timeout_ms, progress=progress)
        )

    def fetch_positions(
        self,
        symbols: Sequence[str] | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> Rows[Position]:
        """Positions in derivatives; in all of them for None. Only those that hold something."""
        return self._run(self._inner.fetch_positions(symbols, params, timeout_ms=timeout_ms))

    def fetch_position(
        self, symbol: str, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> Position | None:
        """The position in one contract; None if there is none."""
        return self._run(self._inner.fetch_position(symbol, params, timeout_ms=timeout_ms))

    def fetch_trading_fee(
        self, symbol: str, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> TradingFee:
        """What trading in a market costs this account; the market's schedule, marked `estimated`, where the exchange does"""
        return self._run(self._inner.fetch_trading_fee(symbol, params, timeout_ms=timeout_ms))

    def fetch_trading_fees(
        self, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> Table[TradingFee]:
        """What trading costs, by symbol; the schedule, marked `estimated`, where the exchange does not tell of the"""
        return self._run(self._inner.fetch_trading_fees(params, timeout_ms=timeout_ms))

    def fetch_order_trades(
        self,
        id: str,
        symbol: str,
        since: int | None = None,
        limit: int | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> Rows[Fill]:
        """Own executions of one order, oldest first."""
        return self._run(self._inner.fetch_order_trades(id, symbol, since, limit, params, timeout_ms=timeout_ms))

    def fetch_deposits_withdrawals(
        self,
        code: str | None = None,
        since: int | None = None,
        limit: int | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> Rows[Transaction]:
        """Deposits and withdrawals, oldest first."""
        return self._run(self._inner.fetch_deposits_withdrawals(code, since, limit, params, timeout_ms=timeout_ms))

    def fetch_free_balance(self, *, timeout_ms: int | None = None) -> dict[str, Amount | None]:
        """Currency -> what can be ordered with."""
        return self._run(self._inner.fetch_free_balance(timeout_ms=timeout_ms))

    def fetch_used_balance(self, *, timeout_ms: int | None = None) -> dict[str, Amount | None]:
        """Currency -> what open orders and positions hold."""
        return self._run(self._inner.fetch_used_balance(timeout_ms=timeout_ms))

    def fetch_total_balance(self, *, timeout_ms: int | None = None) -> dict[str, Amount | None]:
        """Currency -> all of it."""
        return self._run(self._inner.fetch_total_balance(timeout_ms=timeout_ms))

    def fetch_partial_balance(self, part: str, *, timeout_ms: int | None = None) -> dict[str, Amount | None]:
        """One part of the balances by currency: "free", "used" or "total"."""
        return self._run(self._inner.fetch_partial_balance(part, timeout_ms=timeout_ms))

    def fetch_positions_for_symbol(
        self, symbol: str, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> Rows[Position]:
        """The positions in one contract: two where a long and a short stand side by side."""
        return self._run(self._inner.fetch_positions_for_symbol(symbol, params, timeout_ms=timeout_ms))

    def fetch_canceled_orders(
        self,
        symbol: str,
        since: int | None = None,
        limit: int | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> Rows[Order]:
        """Orders that were canceled, oldest first, among the newest `limit` of any state."""
        return self._run(self._inner.fetch_canceled_orders(symbol, since, limit, params, timeout_ms=timeout_ms))

    def fetch_canceled_and_closed_orders(
        self,
        symbol: str,
        since: int | None = None,
        limit: int | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> Rows[Order]:
        """Orders that have ended: filled, canceled, expired, rejected; oldest first, among the newest `limit` of any"""
        return self._run(
            self._inner.fetch_canceled_and_closed_orders(symbol, since, limit, params, timeout_ms=timeout_ms)
        )

    def tradable_symbols(
        self,
        *,
        base: str | None = None,
        quote: str | None = None,
        type: str | None = "spot",
        min_quote_volume: AmountLike | None = None,
        leveraged_tokens: Tokens = "no",
        delisting: bool = False,
        timeout_ms: int | None = None,
    ) -> list[str]:
        """Symbols of markets that can be traded now, in alphabetical order. Costs no request without `min_quote_volume`."""
        return self._run(
            self._inner.tradable_symbols(
                base=base,
                quote=quote,
                type=type,
                min_quote_volume=min_quote_volume,
                leveraged_tokens=leveraged_tokens,
                delisting=delisting,
                timeout_ms=timeout_ms,
            )
        )

    def market_standing(self, symbol: str) -> Standing:
        """Whether a market trades, is about to end, or does not trade: see `planar.exchange.listing.Standing`."""
        return self._now(lambda: self._inner.market_standing(symbol))

    def is_leveraged_token(self, symbol: str) -> bool:
        """Whether a market trades a leveraged token: a share in a fund that holds a multiple of another listed base."""
        return self._now(lambda: self._inner.is_leveraged_token(symbol))

    def reconcile(self, *, policy: Policy | None = None, dry_run: bool = False) -> Reconciliation:
        """Bring journal and venue to agree now. Done by itself before the first order, after a private stream has"""
        return self._run(self._inner.reconcile(policy=policy, dry_run=dry_run))

    def on_difference(self, hook: Callable[[Difference], None]) -> Callable[[], None]:
        """Call `hook` with each difference between journal and venue that a reconciliation finds, once."""
        return self._now(lambda: self._inner.on_difference(hook))

    @property
    def readiness(self) -> ReadyState:
        """Whether new orders go at once, what they wait for otherwise, and what the last reconciliation found."""
        return self._now(lambda: self._inner.readiness)

    def create_order(
        self,
        symbol: str,
        type: str,
        side: str,
        amount: Number | None = None,
        price: Number | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        intent_id: str = "",
        timeout_ms: int | None = None,
        dry_run: bool = False,
        raw: Mapping[str, Any] = NOTHING,
        **kind: Unpack[KindWords],
    ) -> Order:
        """Send one order, at most once."""
        return self._run(
            self._inner.create_order(
                symbol,
                type,
                side,
                amount,
                price,
                params,
                intent_id=intent_id,
                timeout_ms=timeout_ms,
                dry_run=dry_run,
                raw=raw,
                **kind,
            )
        )

    def order_kinds(self, symbol: str) -> KindTable:
        """Kind of order -> whether this market takes it, how, and why not: see `planar.adapters.kinds.KindRow`."""
        return self._now(lambda: self._inner.order_kinds(symbol))

    def cancel_order(
        self, id: str, symbol: str, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> Order:
        """Cancel an order by the venue's id or Planar's client id; tried again until the deadline."""
        return self._run(self._inner.cancel_order(id, symbol, params, timeout_ms=timeout_ms))

    def cancel_all_orders(self, symbol: str, *, timeout_ms: int | None = None) -> list[Order]:
        """Cancel all open orders of one market, one by one, those of other programs too; their last states."""
        return self._run(self._inner.cancel_all_orders(symbol, timeout_ms=timeout_ms))

    def decide_order(self, client_id: str, state: OrderState | str, reason: str) -> Order:
        """Say what became of an order that stays UNKNOWN because the venue does not tell, or that the venue had and does"""
        return self._run(self._inner.decide_order(client_id, state, reason))

    def watch_order_book(self, symbol: str, limit: int | None = None, **options: Any) -> SyncStream[OrderBook]:
        """The order book at each of its sequence numbers."""
        return self._now(lambda: self._inner.watch_order_book(symbol, limit, **options))

    def watch_trades(self, symbol: str, **options: Any) -> SyncStream[Trade]:
        """Public trades."""
        return self._now(lambda: self._inner.watch_trades(symbol, **options))

    def watch_ticker(self, symbol: str, **options: Any) -> SyncStream[Ticker]:
        """The ticker of one market."""
        return self._now(lambda: self._inner.watch_ticker(symbol, **options))

    def watch_tickers(self, symbols: Sequence[str], **options: Any) -> SyncStream[Ticker]:
        """The tickers of several markets."""
        return self._now(lambda: self._inner.watch_tickers(symbols, **options))

    def watch_ohlcv(self, symbol: str, timeframe: str = "1m", **options: Any) -> SyncStream[Candle]:
        """Candles as they form."""
        return self._now(lambda: self._inner.watch_ohlcv(symbol, timeframe, **options))

    def watch_orders(self, symbol: str | None = None, **options: Any) -> SyncStream[Order]:
        """Own orders as they change."""
        return self._now(lambda: self._inner.watch_orders(symbol, **options))

    def watch_my_trades(self, symbol: str | None = None, **options: Any) -> SyncStream[Fill]:
        """Own executions."""
        return self._now(lambda: self._inner.watch_my_trades(symbol, **options))

    def watch_balance(self, **options: Any) -> SyncStream[AccountBalance]:
        """The balances whenever they change."""
        return self._now(lambda: self._inner.watch_balance(**options))

    def watch_bids_asks(self, symbols: Sequence[str], **options: Any) -> SyncStream[Ticker]:
        """The best bid and ask of several markets; of their tickers, where the exchange has no stream of these alone."""
        return self._now(lambda: self._inner.watch_bids_asks(symbols, **options))

    def watch_mark_price(self, symbol: str, **options: Any) -> SyncStream[Ticker]:
        """The mark price of a contract."""
        return self._now(lambda: self._inner.watch_mark_price(symbol, **options))

    def watch_mark_prices(self, symbols: Sequence[str], **options: Any) -> SyncStream[Ticker]:
        """The mark prices of several contracts; by a stream of each, where the exchange has none of several."""
        return self._now(lambda: self._inner.watch_mark_prices(symbols, **options))

    def watch_funding_rate(self, symbol: str, **options: Any) -> SyncStream[FundingRate]:
        """The funding rate of a perpetual."""
        return self._now(lambda: self._inner.watch_funding_rate(symbol, **options))

    def watch_funding_rates(self, symbols: Sequence[str], **options: Any) -> SyncStream[FundingRate]:
        """The funding rates of several perpetuals; by a stream of each, where the exchange has none of several."""
        return self._now(lambda: self._inner.watch_funding_rates(symbols, **options))

    def watch_liquidations(self, symbol: str, **options: Any) -> SyncStream[Liquidation]:
        """Positions of others that the exchange closes by force."""
        return self._now(lambda: self._inner.watch_liquidations(symbol, **options))

    def watch_my_liquidations(self, symbol: str, **options: Any) -> SyncStream[Liquidation]:
        """Own positions that the exchange closes by force."""
        return self._now(lambda: self._inner.watch_my_liquidations(symbol, **options))

    def watch_positions(self, symbols: Sequence[str] | None = None, **options: Any) -> SyncStream[Position]:
        """Own positions, each time one changes; of all contracts for None. One that was closed has 0 contracts."""
        return self._now(lambda: self._inner.watch_positions(symbols, **options))

    def watch_position(self, symbol: str, **options: Any) -> SyncStream[Position]:
        """Own positions in one contract, each time one changes."""
        return self._now(lambda: self._inner.watch_position(symbol, **options))

    def watch_order_book_for_symbols(
        self, symbols: Sequence[str], limit: int | None = None, **options: Any
    ) -> SyncStream[OrderBook]:
        """The order books of several markets, as they change."""
        return self._now(lambda: self._inner.watch_order_book_for_symbols(symbols, limit, **options))

    def watch_trades_for_symbols(self, symbols: Sequence[str], **options: Any) -> SyncStream[Trade]:
        """Public trades of several markets."""
        return self._now(lambda: self._inner.watch_trades_for_symbols(symbols, **options))

    def watch_ohlcv_for_symbols(
        self, symbols_and_timeframes: Sequence[Sequence[str]], **options: Any
    ) -> SyncStream[CANDLE]:
        """Candles of several markets or timeframes as they form: (symbol, timeframe, candle)."""
        return self._now(lambda: self._inner.watch_ohlcv_for_symbols(symbols_and_timeframes, **options))

    def watch_orders_for_symbols(self, symbols: Sequence[str], **options: Any) -> SyncStream[Order]:
        """Own orders in several markets as they change."""
        return self._now(lambda: self._inner.watch_orders_for_symbols(symbols, **options))

    def watch_my_trades_for_symbols(self, symbols: Sequence[str], **options: Any) -> SyncStream[Fill]:
        """Own executions in several markets."""
        return self._now(lambda: self._inner.watch_my_trades_for_symbols(symbols, **options))

    def watch_liquidations_for_symbols(self, symbols: Sequence[str], **options: Any) -> SyncStream[Liquidation]:
        """Positions of others in several contracts that the exchange closes by force."""
        return self._now(lambda: self._inner.watch_liquidations_for_symbols(symbols, **options))

    def watch_my_liquidations_for_symbols(self, symbols: Sequence[str], **options: Any) -> SyncStream[Liquidation]:
        """Own positions in several contracts that the exchange closes by force."""
        return self._now(lambda: self._inner.watch_my_liquidations_for_symbols(symbols, **options))

    def can(self, method: str, symbol: str | None = None, **options: Any) -> Ability:
        """Whether a method would be carried out, and how."""
        return self._now(lambda: self._inner.can(method, symbol, **options))

    def transfer(
        self,
        code: str,
        amount: AmountLike,
        from_account: str,
        to_account: str,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> Transfer:
        """Move a currency between own accounts at the exchange, once."""
        return self._run(self._inner.transfer(code, amount, from_account, to_account, params, timeout_ms=timeout_ms))

    def preview_transfer(
        self, code: str, amount: AmountLike, from_account: str, to_account: str, *, timeout_ms: int | None = None
    ) -> MovePreview:
        """The same looked at; nothing is sent but a question for the balance."""
        return self._run(self._inner.preview_transfer(code, amount, from_account, to_account, timeout_ms=timeout_ms))

    def create_convert_trade(
        self,
        id: str,
        from_code: str,
        to_code: str,
        amount: AmountLike | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> Conversion:
        """Accept a quote of `fetch_convert_quote`, which is its preview, once."""
        return self._run(
            self._inner.create_convert_trade(id, from_code, to_code, amount, params, timeout_ms=timeout_ms)
        )

    def withdraw(
        self,
        code: str,
        amount: AmountLike,
        address: str,
        tag: str | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> Transaction:
        """Withdraw a currency to an address that the configuration lists, once."""
        return self._run(self._inner.withdraw(code, amount, address, tag, params, timeout_ms=timeout_ms))

    def preview_withdrawal(
        self, code: str, amount: AmountLike, address: str, tag: str | None = None, *, timeout_ms: int | None = None
    ) -> MovePreview:
        """The same looked at, with what the exchange takes for it; what `withdraw` would refuse is refused."""
        return self._run(self._inner.preview_withdrawal(code, amount, address, tag, timeout_ms=timeout_ms))

    def create_limit_order(
        self, symbol: str, side: str, amount: Number, price: Number, params: Mapping[str, Any] = NOTHING, **options: Any
    ) -> Order:
        """A limit order."""
        return self._run(self._inner.create_limit_order(symbol, side, amount, price, params, **options))

    def create_limit_buy_order(
        self, symbol: str, amount: Number, price: Number, params: Mapping[str, Any] = NOTHING, **options: Any
    ) -> Order:
        """A limit order to buy."""
        return self._run(self._inner.create_limit_buy_order(symbol, amount, price, params, **options))

    def create_limit_sell_order(
        self, symbol: str, amount: Number, price: Number, params: Mapping[str, Any] = NOTHING, **options: Any
    ) -> Order:
        """A limit order to sell."""
        return self._run(self._inner.create_limit_sell_order(symbol, amount, price, params, **options))

    def create_market_order(
        self,
        symbol: str,
        side: str,
        amount: Number,
        price: Number | None = None,
        params: Mapping[str, Any] = NOTHING,
        **options: Any,
    ) -> Order:
        """A market order of a base amount. It has no price: one that is given is refused."""
        return self._run(self._inner.create_market_order(symbol, side, amount, price, params, **options))

    def create_market_buy_order(
        self, symbol: str, amount: Number, params: Mapping[str, Any] = NOTHING, **options: Any
    ) -> Order:
        """A market order to buy a base amount."""
        return self._run(self._inner.create_market_buy_order(symbol, amount, params, **options))

    def create_market_sell_order(
        self, symbol: str, amount: Number, params: Mapping[str, Any] = NOTHING, **options: Any
    ) -> Order:
        """A market order to sell a base amount."""
        return self._run(self._inner.create_market_sell_order(symbol, amount, params, **options))

    def create_market_order_with_cost(
        self, symbol: str, side: str, cost: Number, params: Mapping[str, Any] = NOTHING, **options: Any
    ) -> Order:
        """A market order for a quote amount."""
        return self._run(self._inner.create_market_order_with_cost(symbol, side, cost, params, **options))

    def create_market_buy_order_with_cost(
        self, symbol: str, cost: Number, params: Mapping[str, Any] = NOTHING, **options: Any
    ) -> Order:
        """A market order that spends a quote amount."""
        return self._run(self._inner.create_market_buy_order_with_cost(symbol, cost, params, **options))

    def create_market_sell_order_with_cost(
        self, symbol: str, cost: Number, params: Mapping[str, Any] = NOTHING, **options: Any
    ) -> Order:
        """A market order that sells for a quote amount."""
        return self._run(self._inner.create_market_sell_order_with_cost(symbol, cost, params, **options))

    def create_post_only_order(
        self,
        symbol: str,
        type: str,
        side: str,
        amount: Number,
        price: Number | None = None,
        params: Mapping[str, Any] = NOTHING,
        **options: Any,
    ) -> Order:
        """A limit order that is refused instead of taking."""
        return self._run(self._inner.create_post_only_order(symbol, type, side, amount, price, params, **options))

    def create_reduce_only_order(
        self,
        symbol: str,
        type: str,
        side: str,
        amount: Number,
        price: Number | None = None,
        params: Mapping[str, Any] = NOTHING,
        **options: Any,
    ) -> Order:
        """An order that makes a position in a derivative smaller, and never opens or turns one."""
        return self._run(self._inner.create_reduce_only_order(symbol, type, side, amount, price, params, **options))

    def create_trigger_order(
        self,
        symbol: str,
        type: str,
        side: str,
        amount: Number,
        price: Number | None = None,
        trigger_price: Number | None = None,
        params: Mapping[str, Any] = NOTHING,
        **options: Any,
    ) -> Order:
        """An order that waits until the market gets as bad as `trigger_price`: a stop."""
        return self._run(
            self._inner.create_trigger_order(symbol, type, side, amount, price, trigger_price, params, **options)
        )

    def create_stop_order(
        self,
        symbol: str,
        type: str,
        side: str,
        amount: Number,
        price: Number | None = None,
        trigger_price: Number | None = None,
        params: Mapping[str, Any] = NOTHING,
        **options: Any,
    ) -> Order:
        """As `create_trigger_order`."""
        return self._run(
            self._inner.create_stop_order(symbol, type, side, amount, price, trigger_price, params, **options)
        )

    def create_stop_market_order(
        self,
        symbol: str,
        side: str,
        amount: Number,
        trigger_price: Number,
        params: Mapping[str, Any] = NOTHING,
        **options: Any,
    ) -> Order:
        """A market order that waits for the price to reach `trigger_price`."""
        return self._run(self._inner.create_stop_market_order(symbol, side, amount, trigger_price, params, **options))

    def create_stop_limit_order(
        self,
        symbol: str,
        side: str,
        amount: Number,
        price: Number,
        trigger_price: Number,
        params: Mapping[str, Any] = NOTHING,
        **options: Any,
    ) -> Order:
        """A limit order that waits for the price to reach `trigger_price`."""
        return self._run(
            self._inner.create_stop_limit_order(symbol, side, amount, price, trigger_price, params, **options)
        )

    def create_stop_loss_order(
        self,
        symbol: str,
        type: str,
        side: str,
        amount: Number,
        price: Number | None = None,
        stop_loss_price: Number | None = None,
        params: Mapping[str, Any] = NOTHING,
        **options: Any,
    ) -> Order:
        """An order that waits until the market gets as bad as `stop_loss_price`."""
        return self._run(
            self._inner.create_stop_loss_order(symbol, type, side, amount, price, stop_loss_price, params, **options)
        )

    def create_take_profit_order(
        self,
        symbol: str,
        type: str,
        side: str,
        amount: Number,
        price: Number | None = None,
        take_profit_price: Number | None = None,
        params: Mapping[str, Any] = NOTHING,
        **options: Any,
    ) -> Order:
        """An order that waits until the market gets as good as `take_profit_price`."""
        return self._run(
            self._inner.create_take_profit_order(
                symbol, type, side, amount, price, take_profit_price, params, **options
            )
        )

    def create_trailing_percent_order(
        self,
        symbol: str,
        type: str,
        side: str,
        amount: Number,
        price: Number | None = None,
        trailing_percent: Number | None = None,
        trailing_trigger_price: Number | None = None,
        params: Mapping[str, Any] = NOTHING,
        **options: Any,
    ) -> Order:
        """An order that follows the best price at a distance of `trailing_percent`, 1.5 is 1.5 %. A price at which it only"""
        return self._run(
            self._inner.create_trailing_percent_order(
                symbol, type, side, amount, price, trailing_percent, trailing_trigger_price, params, **options
            )
        )

    def create_trailing_amount_order(
        self,
        symbol: str,
        type: str,
        side: str,
        amount: Number,
        price: Number | None = None,
        trailing_amount: Number | None = None,
        trailing_trigger_price: Number | None = None,
        params: Mapping[str, Any] = NOTHING,
        **options: Any,
    ) -> Order:
        """An order that follows the best price at a distance in quote currency. A price at which it only begins to follow"""
        return self._run(
            self._inner.create_trailing_amount_order(
                symbol, type, side, amount, price, trailing_amount, trailing_trigger_price, params, **options
            )
        )

    def edit_order(
        self,
        id: Named,
        symbol: str | None = None,
        type: str | None = None,
        side: str | None = None,
        amount: Number | None = None,
        price: Number | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        intent_id: str = "",
        timeout_ms: int | None = None,
        dry_run: bool = False,
    ) -> Order:
        """Change amount, price or trigger price (`triggerPrice` in `params`) of an order that stands; once."""
        return self._run(
            self._inner.edit_order(
                id,
                symbol,
                type,
                side,
                amount,
                price,
                params,
                intent_id=intent_id,
                timeout_ms=timeout_ms,
                dry_run=dry_run,
            )
        )

    def preview_edit(
        self,
        id: Named,
        symbol: str | None = None,
        type: str | None = None,
        side: str | None = None,
        amount: Number | None = None,
        price: Number | None = None,
        params: Mapping[str, Any] = NOTHING,
    ) -> EditPreview:
        """The change as `edit_order` would make it: how, the request, and what the order would be. Only asks."""
        return self._run(self._inner.preview_edit(id, symbol, type, side, amount, price, params))

    def create_orders(
        self, orders: Sequence[Mapping[str, Any]], *, timeout_ms: int | None = None
    ) -> list[Order | PlanarError]:
        """Send several orders: by one request where the exchange has it, else each by its own, within one deadline."""
        return self._run(self._inner.create_orders(orders, timeout_ms=timeout_ms))

    def cancel_orders(
        self, ids: Sequence[Named], symbol: str | None = None, *, timeout_ms: int | None = None
    ) -> list[Order | PlanarError]:
        """Cancel several orders: by one request where the exchange has it, else each by its own; tried again until the"""
        return self._run(self._inner.cancel_orders(ids, symbol, timeout_ms=timeout_ms))

    def create_oco(
        self,
        symbol: str,
        side: str,
        amount: Number,
        *,
        take_profit: Number,
        stop_loss: Number,
        stop_limit: Number | None = None,
        emulate: bool = False,
        intent_id: str = "",
        timeout_ms: int | None = None,
        dry_run: bool = False,
    ) -> OrderGroup:
        """Two exits of which one cancels the other: a limit order at the better price, a stop at the worse one."""
        return self._run(
            self._inner.create_oco(
                symbol,
                side,
                amount,
                take_profit=take_profit,
                stop_loss=stop_loss,
                stop_limit=stop_limit,
                emulate=emulate,
                intent_id=intent_id,
                timeout_ms=timeout_ms,
                dry_run=dry_run,
            )
        )

    def create_bracket(
        self,
        symbol: str,
        side: str,
        amount: Number,
        price: Number | None = None,
        *,
        take_profit: Number,
        stop_loss: Number,
        stop_limit: Number | None = None,
        post_only: bool = False,
        emulate: bool = False,
        intent_id: str = "",
        timeout_ms: int | None = None,
        dry_run: bool = False,
    ) -> OrderGroup:
        """An entry, and the two exits that its fill starts, of which one cancels the other."""
        return self._run(
            self._inner.create_bracket(
                symbol,
                side,
                amount,
                price,
                take_profit=take_profit,
                stop_loss=stop_loss,
                stop_limit=stop_limit,
                post_only=post_only,
                emulate=emulate,
                intent_id=intent_id,
                timeout_ms=timeout_ms,
                dry_run=dry_run,
            )
        )

    def order_group(self, name: str) -> OrderGroup:
        """Linked orders of this account's journal, by the client id, the exchange's id or the intent id of any of them."""
        return self._now(lambda: self._inner.order_group(name))

    def order_groups(self) -> list[OrderGroup]:
        """Linked orders of this account's journal that are not done, oldest first."""
        return self._now(lambda: self._inner.order_groups())

    def replace_order(
        self,
        id: str,
        symbol: str,
        type: str,
        side: str,
        amount: Number | None = None,
        price: Number | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        emulate: bool = False,
        intent_id: str = "",
        timeout_ms: int | None = None,
        **kind: Unpack[KindWords],
    ) -> Order:
        """Cancel an order and send another one, of any kind, in its stead; the new one only if the old one was canceled."""
        return self._run(
            self._inner.replace_order(
                id,
                symbol,
                type,
                side,
                amount,
                price,
                params,
                emulate=emulate,
                intent_id=intent_id,
                timeout_ms=timeout_ms,
                **kind,
            )
        )

    def close_position(
        self,
        symbol: str,
        side: str | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        intent_id: str = "",
        timeout_ms: int | None = None,
    ) -> Order:
        """Close the position in one contract at the market, by an order that may only reduce it."""
        return self._run(self._inner.close_position(symbol, side, params, intent_id=intent_id, timeout_ms=timeout_ms))

    def close_all_positions(
        self, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> list[Order | PlanarError]:
        """Close every position of the account at the market: for each the order, or the error that `close_position` would"""
        return self._run(self._inner.close_all_positions(params, timeout_ms=timeout_ms))

    def fetch_order_with_client_order_id(
        self,
        client_order_id: str,
        symbol: str | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> Order:
        """One order by the client id under which it was sent, by whichever program."""
        return self._run(
            self._inner.fetch_order_with_client_order_id(client_order_id, symbol, params, timeout_ms=timeout_ms)
        )

    def cancel_order_with_client_order_id(
        self,
        client_order_id: str,
        symbol: str | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> Order:
        """`cancel_order` by the client id under which the order was sent, by whichever program."""
        return self._run(
            self._inner.cancel_order_with_client_order_id(client_order_id, symbol, params, timeout_ms=timeout_ms)
        )

    def cancel_orders_with_client_order_ids(
        self, client_order_ids: Sequence[str], symbol: str | None = None, *, timeout_ms: int | None = None
    ) -> list[Order | PlanarError]:
        """`cancel_orders` by client ids."""
        return self._run(
            self._inner.cancel_orders_with_client_order_ids(client_order_ids, symbol, timeout_ms=timeout_ms)
        )

    def edit_order_with_client_order_id(
        self,
        client_order_id: str,
        symbol: str,
        type: str | None = None,
        side: str | None = None,
        amount: Number | None = None,
        price: Number | None = None,
        params: Mapping[str, Any] = NOTHING,
        **options: Any,
    ) -> Order:
        """`edit_order` by the client id under which the order was sent, by whichever program."""
        return self._run(
            self._inner.edit_order_with_client_order_id(
                client_order_id, symbol, type, side, amount, price, params, **options
            )
        )

    def cancel_orders_for_symbols(
        self, orders: Sequence[Mapping[str, Any]], *, timeout_ms: int | None = None
    ) -> list[Order | PlanarError]:
        """Cancel orders of several markets, as `cancel_orders` does those of one."""
        return self._run(self._inner.cancel_orders_for_symbols(orders, timeout_ms=timeout_ms))

    def edit_limit_order(
        self,
        id: Named,
        symbol: str,
        side: str,
        amount: Number,
        price: Number | None = None,
        params: Mapping[str, Any] = NOTHING,
        **options: Any,
    ) -> Order:
        """`edit_order` of a limit order."""
        return self._run(self._inner.edit_limit_order(id, symbol, side, amount, price, params, **options))

    def edit_limit_buy_order(
        self,
        id: Named,
        symbol: str,
        amount: Number,
        price: Number | None = None,
        params: Mapping[str, Any] = NOTHING,
        **options: Any,
    ) -> Order:
        """`edit_order` of a limit order to buy."""
        return self._run(self._inner.edit_limit_buy_order(id, symbol, amount, price, params, **options))

    def edit_limit_sell_order(
        self,
        id: Named,
        symbol: str,
        amount: Number,
        price: Number | None = None,
        params: Mapping[str, Any] = NOTHING,
        **options: Any,
    ) -> Order:
        """`edit_order` of a limit order to sell."""
        return self._run(self._inner.edit_limit_sell_order(id, symbol, amount, price, params, **options))

    def edit_orders(
        self, orders: Sequence[Mapping[str, Any]], *, timeout_ms: int | None = None
    ) -> list[Order | PlanarError]:
        """Change several orders, one after the other: for each the order, or the error of `edit_order`."""
        return self._run(self._inner.edit_orders(orders, timeout_ms=timeout_ms))

    def create_order_with_take_profit_and_stop_loss(
        self,
        symbol: str,
        type: str,
        side: str,
        amount: Number,
        price: Number | None = None,
        take_profit: Number | None = None,
        stop_loss: Number | None = None,
        params: Mapping[str, Any] = NOTHING,
        **options: Any,
    ) -> OrderGroup:
        """`create_bracket` with CCXT's argument order: an entry, and the two exits that its fill starts."""
        return self._run(
            self._inner.create_order_with_take_profit_and_stop_loss(
                symbol, type, side, amount, price, take_profit, stop_loss, params, **options
            )
        )

    def preview_order(
        self,
        symbol: str,
        type: str,
        side: str,
        amount: Number | None = None,
        price: Number | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        raw: Mapping[str, Any] = NOTHING,
        **kind: Unpack[KindWords],
    ) -> Preview:
        """The order as it would be sent, checked, with its cost, its fee, the market around it and what is left after it."""
        return self._run(self._inner.preview_order(symbol, type, side, amount, price, params, raw=raw, **kind))

    def stop(self, *, close_into: str | None = None, within_s: float = 30.0) -> StopReport:
        """Cancel every open order of the account, those of other programs too, and ask the exchange until none is left."""
        return self._run(self._inner.stop(close_into=close_into, within_s=within_s))

    def closing_orders(self, into: str) -> tuple[list[OrderRequest], list[Left]]:
        """The market orders that would sell all that the account holds into one currency, and what cannot be sold."""
        return self._run(self._inner.closing_orders(into))

    def close_holdings(self, into: str) -> tuple[list[str], list[Left]]:
        """Sell all that the account holds at the market, into one currency: what was sold, and what is left."""
        return self._run(self._inner.close_holdings(into))

    def cancel_all_orders_after(self, timeout: int) -> Countdown:
        """Have all orders of the account canceled in `timeout` milliseconds, unless it is called again before; 0 ends it."""
        return self._run(self._inner.cancel_all_orders_after(timeout))

    @property
    def ccxt(self) -> Any:
        """CCXT's own object, as an escape hatch: guard and budget still apply; what changes something at the venue is"""
        return self._now(lambda: self._inner.ccxt)

    @property
    def orders(self) -> Orders:
        """The orders of this account's journal: open, unknown, history. Costs no request."""
        return self._now(lambda: self._inner.orders)

    def reserved(self) -> dict[str, Amount]:
        """Currency -> what orders of the journal may need that no balance counts yet: those on their way, those of which"""
        return self._now(lambda: self._inner.reserved())

    def portfolio(self, *, timeout_ms: int | None = None) -> Portfolio:
        """The balances, asked for now, less what is reserved (`reserved`)."""
        return self._run(self._inner.portfolio(timeout_ms=timeout_ms))

    @property
    def health(self) -> ExchangeHealth:
        """Latencies, failures, breaker, clock, and the last requests, as this workspace sees them."""
        return self._now(lambda: self._inner.health)

    def budget(self) -> dict[str, tuple[float, float]]:
        """Meter -> (used, limit) now, by all who share the exchange's limits with this program."""
        return self._now(lambda: self._inner.budget())

    def closed_for_s(self, symbol: str) -> float | None:
        """How long ago the exchange last refused an order of this program since the market does not trade; None: it did"""
        return self._now(lambda: self._inner.closed_for_s(symbol))

    def key_refused_for_s(self) -> float | None:
        """How long ago the exchange last refused an order of this program for its key or signature; None: it did not, or"""
        return self._now(lambda: self._inner.key_refused_for_s())

    def lost_streams(self, symbol: str) -> list[str]:
        """What is watched of a market and not to be trusted now, though this process keeps up: each with the reason."""
        return self._now(lambda: self._inner.lost_streams(symbol))

    def stopped_s(self) -> float:
        """Seconds for which the exchange said to stay away (429, 418, Retry-After); 0 if it did not."""
        return self._now(lambda: self._inner.stopped_s())

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return self._now(lambda: getattr(self._inner, name))


class Order(Face, of=_OrderHandle):
    """One order of this journal."""

    @property
    def snapshot(self) -> Order:
        """The order as it is known now, frozen."""
        return self._now(lambda: self._inner.snapshot)

    @property
    def waits(self) -> bool:
        """It was ordered to wait for a price before it goes to the market."""
        return self._now(lambda: self._inner.waits)

    def keys(self) -> Any:
        """CCXT's keys."""
        return self._now(lambda: self._inner.keys())

    def settled(self, timeout: float | None = None) -> Order:
        """Wait until nothing more will happen to the order: filled, canceled, expired, refused or never accepted."""
        return self._run(self._inner.settled(timeout))

    def resolved(self, timeout: float | None = None) -> Order:
        """Wait until it is known whether the order exists, and of each change of it whether it took effect."""
        return self._run(self._inner.resolved(timeout))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return self._now(lambda: getattr(self._inner, name))

    def __getitem__(self, key: str) -> Any:
        return self._now(lambda: self._inner[key])


class Orders(Face, of=_OrdersView):
    """The orders of this account's journal. Costs no request; orders of other programs are not in it."""

    @property
    def open(self) -> list[Order]:
        """Those that stand at the exchange, oldest first."""
        return self._now(lambda: self._inner.open)

    @property
    def unknown(self) -> list[Order]:
        """Those of which nobody knows yet whether the exchange has them; each is being looked into."""
        return self._now(lambda: self._inner.unknown)

    def history(self, limit: int = 100, *, symbol: str | None = None) -> list[Order]:
        """The last orders in any state, the newest first."""
        return self._now(lambda: self._inner.history(limit, symbol=symbol))

    def __getitem__(self, key: str) -> Any:
        return self._now(lambda: self._inner[key])

    def __iter__(self) -> Iterator[Order]:
        return iter(self._now(lambda: list(self._inner)))


class OrderGroup(Face, of=_OrderGroup):
    """Linked orders of this journal: an OCO pair, or a bracket."""

    @property
    def contingency(self) -> Contingency:
        """`oco` or `bracket`."""
        return self._now(lambda: self._inner.contingency)

    @property
    def emulated(self) -> bool:
        """This program links the orders, and not the venue."""
        return self._now(lambda: self._inner.emulated)

    @property
    def guarded(self) -> bool:
        """An emulated group that this program is looking after now."""
        return self._now(lambda: self._inner.guarded)

    @property
    def note(self) -> str:
        """What to know about it: that it is emulated, and how it ended."""
        return self._now(lambda: self._inner.note)

    @property
    def legs(self) -> Mapping[Role, Order]:
        """The orders by what they are; exits of an emulated bracket come when its entry has filled."""
        return self._now(lambda: self._inner.legs)

    @property
    def entry(self) -> Order | None:
        """The entry of a bracket."""
        return self._now(lambda: self._inner.entry)

    @property
    def take_profit(self) -> Order | None:
        """The exit at the better price."""
        return self._now(lambda: self._inner.take_profit)

    @property
    def stop_loss(self) -> Order | None:
        """The exit at the worse price."""
        return self._now(lambda: self._inner.stop_loss)

    @property
    def both_filled(self) -> bool:
        """Both exits traded: it can happen where this program links them."""
        return self._now(lambda: self._inner.both_filled)

    @property
    def is_done(self) -> bool:
        """Nothing more will happen to any of the orders, and none is to come."""
        return self._now(lambda: self._inner.is_done)

    def as_dict(self) -> dict[str, Any]:
        """All of it, for printing."""
        return self._now(lambda: self._inner.as_dict())

    def settled(self, timeout: float | None = None) -> OrderGroup:
        """Wait until nothing more will happen to the group."""
        return self._run(self._inner.settled(timeout))

    def resolved(self, timeout: float | None = None) -> OrderGroup:
        """Wait until it is known of each of the orders whether it exists."""
        return self._run(self._inner.resolved(timeout))


class Group(Face, of=_Group):
    """Several exchanges, by their ids in the order in which they were named: the first is the primary one."""

    def exchanges(self) -> Table[Exchange]:
        """The open exchanges by id; why others could not be opened stands in `errors`."""
        return self._run(self._inner.exchanges())

    def cross_match(
        self, *, base: str | None = None, quote: str | None = None, type: str = "spot", least: int | None = None
    ) -> dict[str, Matched]:
        """Markets that several of the exchanges list and trade, by unified symbol."""
        return self._run(self._inner.cross_match(base=base, quote=quote, type=type, least=least))

    def compare_fees(self, symbol: str, *, maker: bool = False) -> Table[TradingFee]:
        """What trading a market costs on each, the lowest fee first; who cannot tell stands in `errors`."""
        return self._run(self._inner.compare_fees(symbol, maker=maker))

    def selector(
        self,
        symbol: str,
        *,
        by: By = "order",
        side: Side | None = None,
        amount: AmountLike | None = None,
        within_ms: int = 1000,
        back_after_s: float = 10.0,
    ) -> Selector:
        """Whoever is to be used for `symbol` now, asked again and again; see `planar.multi.selection`."""
        return self._now(
            lambda: self._inner.selector(
                symbol, by=by, side=side, amount=amount, within_ms=within_ms, back_after_s=back_after_s
            )
        )

    def offers(
        self, symbol: str, side: Side, *, depth: int = 100, balances: bool = False, fees_as_taken: bool = False
    ) -> tuple[list[Offer], dict[str, str]]:
        """What each exchange offers for one side of a market now, and why others offer nothing."""
        return self._run(self._inner.offers(symbol, side, depth=depth, balances=balances, fees_as_taken=fees_as_taken))

    def route(
        self, symbol: str, side: Side, amount: AmountLike, *, preview: bool, balances: bool = False, depth: int = 100
    ) -> Route:
        """How an order would be split best over the exchanges' books, after fees, steps and minimums; nothing is sent."""
        return self._run(self._inner.route(symbol, side, amount, preview=preview, balances=balances, depth=depth))

    def find_arbitrage(
        self, symbols: Sequence[str], *, max_age_ms: float = 2000.0, balances: bool = False, depth: int = 100
    ) -> list[Opportunity]:
        """What the books, asked for now, would let one earn, the most profitable first; empty if nothing."""
        return self._run(self._inner.find_arbitrage(symbols, max_age_ms=max_age_ms, balances=balances, depth=depth))

    def preview_arbitrage(self, found: Opportunity) -> tuple[Preview, Preview]:
        """Both legs as limit orders at the worst level that each needs; nothing is sent: (buy, sell)."""
        return self._run(self._inner.preview_arbitrage(found))


class Selector(Face, of=_Selector):
    """Chooses again and again, and remembers who failed when. Made by `Group.selector`."""

    @property
    def bound_ms(self) -> int:
        """An open exchange that fails is left within this, counted from the question."""
        return self._now(lambda: self._inner.bound_ms)

    def pick(self) -> Choice:
        """The exchange to use now."""
        return self._run(self._inner.pick())


class Choice(Face, of=_Choice):
    """What was chosen."""

    @property
    def exchange(self) -> Any:
        """As of `Choice`."""
        return self._now(lambda: self._inner.exchange)

    @property
    def why(self) -> Any:
        """As of `Choice`."""
        return self._now(lambda: self._inner.why)

    @property
    def candidates(self) -> Any:
        """As of `Choice`."""
        return self._now(lambda: self._inner.candidates)

    @property
    def changed(self) -> Any:
        """As of `Choice`."""
        return self._now(lambda: self._inner.changed)
