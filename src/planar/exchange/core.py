"""What all parts of `Exchange` stand on: its adapter, its settings, its markets, its loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, cast

import planar.runtime as runtime
from planar.adapters.base import Adapter
from planar.adapters.feed import Topic
from planar.adapters.profile import Profile
from planar.adapters.unified import METHODS
from planar.config import ExchangeSettings, Settings
from planar.config.accounts import ConfiguredAccount
from planar.config.schema import Environment
from planar.errors import BadRequest, BadSymbol, NotSupported, Outcome, WrongLoop
from planar.exchange.market_keeper import MarketKeeper
from planar.exchange.naming import label_of
from planar.exchange.prices import LastPrices
from planar.exchange.wiring import SafetyWiring
from planar.models import AccountBalance, Amount, AmountLike, Fill, Market, Order
from planar.models.steps import rounded
from planar.orders import OrderManager
from planar.streams import StreamHub
from planar.transport.account_log import logging_for
from planar.transport.alarms import Alarms

NOTHING: Mapping[str, Any] = {}
LONGEST_MS = 86_400_000
"""The longest deadline of a call: a day."""
DERIVATIVES = ("swap", "future", "option")

NOT_FOUND: Final = "fetch_open_orders() and fetch_closed_orders() show what there is"


def listed(texts: Sequence[str] | None) -> list[str] | None:
    """A list of its own, or None."""
    return None if texts is None else list(texts)


def number(value: AmountLike | None) -> Amount | None:
    """An exact number, or None.

    Raises:
        BadRequest: (NOT_SENT) it is none.
    """
    if value is None:
        return None
    try:
        return Amount(value)
    except (TypeError, ValueError) as error:
        raise BadRequest(
            f"{value!r} is no amount", outcome=Outcome.NOT_SENT, hint='give a number or its text, for example "0.5"'
        ) from error


class ExchangeCore:
    """State and checks shared by the market data, trading and streaming halves of `Exchange`."""

    def __init__(
        self,
        adapter: Adapter,
        settings: ExchangeSettings,
        configuration: Settings,
        *,
        account: str,
        authenticated: bool,
        make_orders: Callable[[], OrderManager],
        hub: StreamHub,
        safety: SafetyWiring | None = None,
    ) -> None:
        self._adapter = adapter
        self._settings = settings
        self._account = adapter.account = account
        self._environment: Environment = settings.environment or "live"
        self._configuration = configuration
        self._authenticated = authenticated
        self._make_orders = make_orders
        self._order_manager: OrderManager | None = None
        self._safety = safety or SafetyWiring(Alarms())
        self._hub = hub
        hub.on_order = self._observe
        hub.on_fill = self._observe_fill
        hub.on_return = self._returned
        hub.on_balance = self._balance_told
        hub.on_balance_lost = self._balance_lost
        self._prices = LastPrices(hub)
        self._loop = asyncio.get_running_loop()
        self._closed = False
        self._markets: Mapping[str, Market] = {}
        self._loading: asyncio.Task[Mapping[str, Market]] | None = None
        self._keeper = MarketKeeper(label_of(self), lambda: self.load_markets(reload=True), settings.markets_refresh_ms)

    # -- what it is ------------------------------------------------------------------------------------------------
    @property
    def id(self) -> str:
        """CCXT's id of the exchange."""
        return self._adapter.id

    @property
    def account(self) -> str:
        """Name of the account; "" is the one without a name."""
        return self._account

    @property
    def environment(self) -> str:
        """live, sandbox, demo or local."""
        return self._environment

    def accounts(self) -> tuple[ConfiguredAccount, ...]:
        """The accounts of this exchange that are configured, in all environments: names and places, never secrets."""
        return self._configuration.configured_accounts(self.id)

    @property
    def account_types(self) -> tuple[str, ...]:
        """Words for the kinds of account that the exchange keeps apart, such as `spot` and `funding`.

        CCXT translates them for transfers and balances; empty: it has one for all, or CCXT does not say."""
        return self._adapter.account_types

    @property
    def profile(self) -> Profile:
        """What Planar knows of the exchange beyond CCXT, as tables."""
        return self._adapter.profile

    @property
    def settings(self) -> ExchangeSettings:
        """The settings that it was opened with."""
        return self._settings

    @property
    def has(self) -> Mapping[str, bool | str | None]:
        """Method -> True, False, "emulated" or None (nobody knows); snake_case names."""
        return self._adapter.capabilities.methods

    @property
    def timeframes(self) -> tuple[str, ...]:
        """Candle intervals."""
        return self._adapter.capabilities.timeframes

    @property
    def host(self) -> str:
        """The host that public calls go to."""
        return self._adapter.host

    @property
    def required_credentials(self) -> tuple[str, ...]:
        """The credentials that private calls need, by CCXT's names."""
        return self._adapter.capabilities.required_credentials

    @property
    def key_info_needs_right(self) -> bool:
        """Whether a key must have a right to be told its rights; where it need not, only its addresses can stop it."""
        rule = self._adapter.profile.key_info
        return rule is None or rule.needs_right

    @property
    def fees_in_base(self) -> bool:
        """Whether the fee of a spot buy is taken out of what is bought, and not on top of its cost."""
        return not self._adapter.profile.fees_on_top

    @property
    def quotes_are_numbered(self) -> bool:
        """Whether `watch_bids_asks` comes sooner than the book, and tells which book's best prices it has."""
        return self._adapter.profile.quote_nonce is not None

    def __repr__(self) -> str:
        whose = f"/{self._account}" if self._account else ""
        return f"<Exchange {self.id}{whose} ({self._environment})>"

    # -- markets ---------------------------------------------------------------------------------------------------
    @property
    def markets(self) -> Mapping[str, Market]:
        """Markets by unified symbol."""
        return self._markets

    @property
    def symbols(self) -> list[str]:
        """Unified symbols, sorted."""
        return sorted(self._markets)

    async def load_markets(self, reload: bool = False) -> Mapping[str, Market]:
        """Load the markets, from the cache if it is fresh; `reload` asks the venue.

        One load serves all who ask meanwhile; a caller who leaves does not end it for the others. The loop goes on while
        they are read. In a program that runs on they are loaded again by themselves, see `markets_refresh`.
        """
        self._check_loop()
        if self._markets and not reload:
            return self._markets
        if self._loading is None:
            self._loading = runtime.spawn(self._load(reload), name=f"{self.id}: load markets")
            self._loading.add_done_callback(self._loaded)
        return await asyncio.shield(self._loading)

    async def _load(self, reload: bool) -> Mapping[str, Market]:
        self._markets = await self._adapter.load_markets(timeout_ms=self._settings.timeout_ms, reload=reload)
        self._keeper.loaded(self._markets, self._adapter.markets_age_ms)
        return self._markets

    def _loaded(self, task: asyncio.Task[Mapping[str, Market]]) -> None:
        self._loading = None
        if not task.cancelled():
            task.exception()  # whoever asked has it; read here for the case that all of them left

    def market(self, symbol: str) -> Market:
        """The market that `symbol` names: unified (`BTC/USDT`), joined (`BTCUSDT`, `BTC-USDT`) or the venue's raw id.

        Raises:
            BadSymbol: no such market; the message names the nearest, and another market type that has it.
        """
        if not isinstance(cast(object, symbol), str):
            raise BadSymbol(
                f"symbol is {symbol!r}", exchange=self.id, outcome=Outcome.NOT_SENT, hint='a text: "BTC/USDT"'
            )
        if symbol in self._markets:
            market = self._markets[symbol]
        elif self._settings.futures:
            market = self._markets[self._adapter.resolve(symbol, "swap", "linear")]
        else:
            market = self._markets[self._adapter.resolve(symbol, "spot")]
        if self._settings.futures is False and market.type in DERIVATIVES:
            raise BadSymbol(
                f"{market.symbol} is a derivative, and futures = false refuses them",
                exchange=self.id,
                outcome=Outcome.NOT_SENT,
                hint=f"set futures = true in [{self.id}], or leave it out",
            )
        return market

    def _symbol(self, symbol: str) -> str:
        self._check_loop()
        known = isinstance(cast(object, symbol), str) and symbol in self._markets
        return symbol if known and self._settings.futures is not False else self.market(symbol).symbol

    def _some(self, symbol: str | None) -> str | None:
        return None if symbol is None else self._symbol(symbol)

    def _several(self, symbols: Sequence[str] | None) -> list[str] | None:
        return None if symbols is None else [self._symbol(symbol) for symbol in symbols]

    async def _ask(self, name: str, args: tuple[Any, ...], params: Mapping[str, Any], timeout_ms: int | None) -> Any:
        """Carry out a row of `planar.adapters.unified`, if the settings allow it."""
        row = METHODS[name]
        if row.write:
            self._check_writable(name)
        elif row.private:
            self._check_signed(name)
        else:
            self._check_loop()
        if row.of and args:
            self._check_types(name, row.of, args[0])
        while args and args[-1] is None:
            args = args[:-1]
        return await self._adapter.unified(name, args, params, timeout_ms=self._timeout(timeout_ms))

    def _check_types(self, name: str, types: tuple[str, ...], symbols: str | Sequence[str] | None) -> None:
        for symbol in (symbols,) if isinstance(symbols, str) else symbols or ():
            market = self._markets[symbol]
            if market.type not in types:
                like = next((one.symbol for one in self._markets.values() if one.type in types), None)
                raise BadSymbol(
                    f"{name} is about {' and '.join(types)} markets, and {symbol} is a {market.type} market",
                    exchange=self.id,
                    outcome=Outcome.NOT_SENT,
                    hint=f"name one such as {like}" if like else "no such market is loaded: is futures = false set?",
                )

    # -- checks ----------------------------------------------------------------------------------------------------
    def _check_loop(self) -> None:
        if asyncio.get_running_loop() is not self._loop:
            raise WrongLoop(
                f"{self!r} belongs to another event loop",
                outcome=Outcome.NOT_SENT,
                hint="open a workspace in this loop: async with planar.open() as p",
            )
        if self._closed:
            raise WrongLoop(
                f"{self!r} was closed",
                exchange=self.id,
                outcome=Outcome.NOT_SENT,
                hint="use it within the block of its workspace: async with planar.open() as p",
            )

    def _check_signed(self, name: str) -> None:
        """Before a private call: an environment that the user wrote, and credentials for it.

        Raises:
            ConfigError: no environment is written.
            MissingCredentials: which are missing, and where to put them. Nothing was sent.
        """
        self._check_loop()
        if self._settings.environment is None:
            error = self._configuration.missing_environment_error(self.id)
            error.outcome, error.message = Outcome.NOT_SENT, f"{name} was not sent: {error.message}"
            raise error
        if not self._authenticated:
            raise self._configuration.missing_credentials_error(
                self.id, self._account, self._environment, self._adapter.capabilities.required_credentials
            )

    def _check_writable(self, name: str) -> None:
        self._check_signed(name)
        if self._settings.read_only:
            raise NotSupported(
                f"{name} would change something, and this exchange is read-only",
                exchange=self.id,
                hint=f"remove read_only = true from [{self.id}]",
            )
        if self._settings.dry_run:
            raise NotSupported(
                f"{name} would change something, and this exchange is in a dry run: nothing is sent",
                exchange=self.id,
                hint=f"remove dry_run = true from [{self.id}]",
            )

    def _timeout(self, timeout_ms: int | None) -> int:
        """The deadline of a call, milliseconds from now: its own, else that of the settings.

        Raises:
            BadRequest: (NOT_SENT) it is no number above zero.
        """
        if timeout_ms is None:
            return self._settings.timeout_ms
        number = isinstance(cast("object", timeout_ms), int | float) and not isinstance(timeout_ms, bool)
        if not number or not 0 < timeout_ms <= LONGEST_MS:
            raise BadRequest(
                f"timeout_ms is {timeout_ms!r}, and must be a number of milliseconds from 1 to {LONGEST_MS}",
                exchange=self.id,
                outcome=Outcome.NOT_SENT,
                hint=f"give for example timeout_ms=2000, or leave it out for the {self._settings.timeout_ms} ms of the "
                "settings",
            )
        return timeout_ms

    def _orders(self) -> OrderManager:
        if self._order_manager is None:
            self._order_manager = self._make_orders()
            self._order_manager.reconciler.listening = self._hub.hears_orders
            self._order_manager.funds.market_of = lambda symbol: self._markets.get(symbol)
            self._order_manager.funds.listening = self._hub.hears_balance
            self._order_manager.groups.fit = self._fit
            self._order_manager.submitter.on_refused = self._keeper.refused
        return self._order_manager

    def _fit(self, symbol: str, amount: Amount) -> Amount:
        """An amount rounded down to what a market takes."""
        precision = self.market(symbol).precision
        return rounded(amount, precision.amount, precision.mode, "down")

    def _returned(self, topic: Topic, reason: str) -> None:
        """A stream of own orders has come back: what it missed is found before a new order leaves."""
        if self._order_manager is not None:
            with logging_for(label_of(self)):
                self._order_manager.readiness.hold(f"the stream of {topic} was lost ({reason})")

    def _observe_fill(self, fill: Fill) -> None:
        if self._order_manager is not None:
            with logging_for(label_of(self)):
                self._order_manager.observe_fill(fill)

    def _observe(self, order: Order) -> None:
        if self._order_manager is not None:
            with logging_for(label_of(self)):
                self._order_manager.observe(order)

    def _balance_told(self, balance: AccountBalance) -> None:
        if self._order_manager is not None:
            self._order_manager.funds.told(balance)

    def _balance_lost(self) -> None:
        if self._order_manager is not None:
            self._order_manager.funds.forget()

    async def close(self) -> None:
        """Close streams, orders and sockets; the workspace calls it."""
        await self._keeper.close()
        if self._loading is not None:
            self._loading.cancel()
        await self._hub.close()
        if self._order_manager is not None:
            await self._order_manager.close()
        await self._adapter.close()
        self._closed = True
