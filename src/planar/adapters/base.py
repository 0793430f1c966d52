"""`Adapter`: the set of primitives through which Planar speaks to one venue.

An adapter knows one (exchange, environment, account). It translates, and judges answers; it keeps no orders, retries
nothing and decides nothing. Everything that users see is composed from these primitives in `planar.exchange`.
"""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

import planar.runtime as runtime
from planar.adapters.feed import Feed, Topic
from planar.adapters.kinds import KindTable
from planar.adapters.linked import LinkedRequest
from planar.adapters.profile import Profile
from planar.errors import NotSupported, Outcome, PlanarError
from planar.models import AccountBalance, Amount, Candle, Fill, Market, Order, OrderBook, Ticker, Trade
from planar.models.groups import Member
from planar.models.key_rights import KeyRights
from planar.transport.context import OnSend
from planar.transport.writes import VenueRequest


class OrderRequest(msgspec.Struct, frozen=True):
    """One order, complete and validated, as it is to reach the venue.

    Attributes:
        client_id: journaled before this was made.
        side: "buy" or "sell".
        type: "limit" or "market"; with a `stop_price` its stop form.
        amount: base amount; None for a market order sized by `cost`.
        price: limit price; None for market orders.
        cost: quote amount to spend.
        stop_price: trigger price.
        trigger: which side of the market `stop_price` lies on: "stop" is a worse price than now (a sell below, a buy
            above), "take_profit" a better one.
        trailing_percent: it follows the best price at this distance, percent.
        trailing_amount: the same in quote currency.
        time_in_force: "GTC", "IOC", "FOK", "GTD" or None for the venue's default.
        expire_at_ms: when a "GTD" order ends, UTC milliseconds.
        post_only: refuse to take.
        replaces: the venue's id of the order that this one replaces.
        cancels_first: it is sent only after the order that it replaces was canceled by a request of its own.
        member: its place in a group of linked orders.
        params: raw parameters, passed on.
    """

    client_id: str
    symbol: str
    side: str
    type: str
    amount: Amount | None = None
    price: Amount | None = None
    cost: Amount | None = None
    stop_price: Amount | None = None
    time_in_force: str | None = None
    post_only: bool = False
    replaces: str | None = None
    params: Mapping[str, Any] = {}
    trigger: str = "stop"
    trailing_percent: Amount | None = None
    trailing_amount: Amount | None = None
    expire_at_ms: int | None = None
    cancels_first: bool = False
    member: Member | None = None

    @property
    def waits(self) -> bool:
        """It waits for a price before it goes to the market."""
        return self.stop_price is not None or self.trailing_percent is not None or self.trailing_amount is not None


class AmendRequest(msgspec.Struct, frozen=True):
    """A change of an order that stands, complete and validated.

    Attributes:
        order_id: the venue's.
        client_id: the order's; it stays.
        amount: base amount of the whole order afterwards, what has traded included.
        price: limit price afterwards; None: it stays.
        stop_price: trigger price afterwards; None: it stays.
        params: raw parameters, passed on.
    """

    symbol: str
    order_id: str
    client_id: str
    amount: Amount
    price: Amount | None = None
    stop_price: Amount | None = None
    params: Mapping[str, Any] = {}


class OrderRef(msgspec.Struct, frozen=True):
    """How to name an order to the venue: by its id there, or by our client id.

    At least one of the two is given.
    """

    symbol: str
    order_id: str | None = None
    client_id: str | None = None


class Capabilities(msgspec.Struct, frozen=True):
    """What the venue can do, as far as it is known.

    Attributes:
        methods: snake_case method -> True, False, "emulated" or None (unknown).
        timeframes: candle intervals by CCXT's words.
        required_credentials: names of the credentials that private calls need.
    """

    methods: Mapping[str, bool | str | None]
    timeframes: tuple[str, ...]
    required_credentials: tuple[str, ...]

    def can(self, method: str) -> bool | str | None:
        """True, False, "emulated", or None if nobody knows."""
        return self.methods.get(method)


class Adapter(abc.ABC):
    """Primitives of one (exchange, environment, account). See the module's docstring.

    All methods raise `PlanarError`s only, each with its outcome. `timeout_ms` bounds the whole call: waiting for the
    budget, connecting, sending and reading.
    """

    profile: Profile
    capabilities: Capabilities
    account: str = ""
    """The account's name, for errors."""

    @property
    def id(self) -> str:
        """CCXT's id of the exchange."""
        return self.profile.id

    @property
    def account_types(self) -> tuple[str, ...]:
        """Words for the kinds of account that the venue keeps apart; empty: one for all, or nobody knows."""
        return ()

    @property
    def market_data(self) -> Adapter:
        """The adapter that market data comes from: this one, except where orders are simulated."""
        return self

    @property
    @abc.abstractmethod
    def host(self) -> str:
        """The host that public calls go to."""

    # -- markets ---------------------------------------------------------------------------------------------------
    @abc.abstractmethod
    async def load_markets(self, *, timeout_ms: int, reload: bool = False) -> Mapping[str, Market]:
        """Markets by unified symbol."""

    @property
    def markets_age_ms(self) -> int:
        """How long ago the markets were fetched that were loaded last; 0 where they are fetched with each load."""
        return 0

    @abc.abstractmethod
    def resolve(self, text: str, market_type: str | None = None, sub_type: str | None = None) -> str:
        """The unified symbol that `text` means: a symbol, an id of the venue, or a pair in any common form.

        Args:
            market_type: preferred where several markets fit.
            sub_type: preferred among derivatives.

        Raises:
            BadSymbol: nothing fits, or several markets do; the hint names them.
        """

    @abc.abstractmethod
    async def fetch_time(self, *, timeout_ms: int) -> int:
        """The venue's clock, UTC milliseconds."""

    def venue_ms(self) -> int:
        """The venue's time as far as it is known without asking, UTC milliseconds: what requests are signed with."""
        return runtime.wall_ms()

    def expiry_ms(self, client_id: str) -> int | None:
        """Venue time after which the order's request, if it leaves now, can no longer be accepted.

        None where the venue's matching engine refuses nothing for its age.
        """
        rule = self.profile.expiry
        return self.venue_ms() + rule.window_ms if rule.enforced else None

    # -- market data -----------------------------------------------------------------------------------------------
    @abc.abstractmethod
    async def fetch_ticker(self, symbol: str, params: Mapping[str, Any], *, timeout_ms: int) -> Ticker:
        """One ticker."""

    @abc.abstractmethod
    async def fetch_tickers(
        self, symbols: Sequence[str] | None, params: Mapping[str, Any], *, timeout_ms: int
    ) -> dict[str, Ticker]:
        """Tickers by symbol; all of them for None."""

    @abc.abstractmethod
    async def fetch_order_book(
        self, symbol: str, limit: int | None, params: Mapping[str, Any], *, timeout_ms: int
    ) -> OrderBook:
        """The order book, `limit` levels a side or the venue's default."""

    @abc.abstractmethod
    async def fetch_trades(
        self, symbol: str, since_ms: int | None, limit: int | None, params: Mapping[str, Any], *, timeout_ms: int
    ) -> list[Trade]:
        """Public trades, oldest first."""

    @abc.abstractmethod
    async def fetch_ohlcv(
        self,
        symbol: str,
        timeframe: str,
        since_ms: int | None,
        limit: int | None,
        params: Mapping[str, Any],
        *,
        timeout_ms: int,
    ) -> list[Candle]:
        """Candles, oldest first."""

    # -- the account -----------------------------------------------------------------------------------------------
    @abc.abstractmethod
    async def fetch_balance(self, params: Mapping[str, Any], *, timeout_ms: int) -> AccountBalance:
        """Free, used and total by currency."""

    @abc.abstractmethod
    async def fetch_my_trades(
        self, symbol: str, since_ms: int | None, limit: int | None, params: Mapping[str, Any], *, timeout_ms: int
    ) -> list[Fill]:
        """Own executions of one market, oldest first."""

    @abc.abstractmethod
    async def fetch_key_rights(self, *, timeout_ms: int) -> KeyRights:
        """What the key in use may do.

        Raises:
            NotSupported: the venue does not tell.
        """

    # -- orders ----------------------------------------------------------------------------------------------------
    @abc.abstractmethod
    async def submit(self, request: OrderRequest, *, timeout_ms: int, on_send: OnSend) -> Order:
        """Send one order, once. `on_send` is called immediately before its first byte leaves, and what it gives back is
        awaited; if either raises, none leaves.

        Raises:
            PlanarError: `outcome` says what is known: NOT_SENT, REFUSED, UNKNOWN, or OK when the venue took it but its
                answer could not be understood.
        """

    @abc.abstractmethod
    def order_kinds(self, symbol: str) -> KindTable:
        """Which kinds of orders this market takes, and how."""

    @abc.abstractmethod
    def usage(self) -> dict[str, tuple[float, float]]:
        """Meter -> (used, limit) now."""

    @abc.abstractmethod
    async def cancel(self, ref: OrderRef, params: Mapping[str, Any], *, timeout_ms: int) -> Order | None:
        """Cancel one order. None if the venue confirmed without showing the order.

        Raises:
            OrderNotFound: the venue does not know an open order of that name.
        """

    @abc.abstractmethod
    async def query_order(self, ref: OrderRef, params: Mapping[str, Any], *, timeout_ms: int) -> Order | None:
        """The order as the venue knows it; None only if the venue says that it knows none of that name."""

    @abc.abstractmethod
    async def fetch_open_orders(self, symbol: str | None, params: Mapping[str, Any], *, timeout_ms: int) -> list[Order]:
        """Open orders; of all markets for None."""

    @abc.abstractmethod
    async def fetch_orders(
        self, symbol: str, since_ms: int | None, limit: int | None, params: Mapping[str, Any], *, timeout_ms: int
    ) -> list[Order]:
        """Orders of any state, oldest first."""

    # -- changes and batches -------------------------------------------------------------------------------------------
    async def amend(self, request: AmendRequest, *, timeout_ms: int, on_send: OnSend) -> Order | None:
        """Change an order in place, once; `on_send` as in `submit`. None if the venue confirmed without showing it.

        Raises:
            NotSupported: the venue does not change this of an order (`Profile.amend`).
            PlanarError: `outcome` says what is known.
        """
        raise NotSupported("it does not change orders in place", exchange=self.id)

    async def submit_batch(
        self, requests: Sequence[OrderRequest], *, timeout_ms: int, on_send: OnSend
    ) -> list[Order | PlanarError]:
        """Send several orders of one market by one request, once; what became of each.

        Raises:
            NotSupported: the venue has no such request (`Profile.batch`).
            PlanarError: about all of them; `outcome` says what is known.
        """
        raise NotSupported("it places one order by a request", exchange=self.id)

    async def cancel_batch(self, refs: Sequence[OrderRef], *, timeout_ms: int) -> list[Order | None]:
        """Cancel several orders by one request, then ask for them; each as it is shown, None if it is not.

        Raises:
            NotSupported: the venue has no such request (`Profile.batch`).
            PlanarError: nothing is certain about any of them.
        """
        raise NotSupported("it cancels one order by a request", exchange=self.id)

    # -- safety ----------------------------------------------------------------------------------------------------
    async def submit_linked(self, linked: LinkedRequest, *, timeout_ms: int, on_send: OnSend) -> list[Order]:
        """Send linked orders by one request, once; `on_send` as in `submit`. The orders by the request's order.

        Raises:
            NotSupported: the venue does not link orders (`Profile.linked`).
            PlanarError: about all of them; `outcome` says what is known.
        """
        raise NotSupported("it does not link orders", exchange=self.id)

    async def build_linked(self, linked: LinkedRequest, *, timeout_ms: int) -> VenueRequest | None:
        """The request that `submit_linked` would send; nothing is sent. None where it cannot be told beforehand."""
        return None

    async def build_amend(self, request: AmendRequest, *, timeout_ms: int) -> VenueRequest | None:
        """The request that `amend` would send; nothing is sent. None where it cannot be told beforehand."""
        return None

    async def build(self, request: OrderRequest, *, timeout_ms: int) -> VenueRequest | None:
        """The request that `submit` would send; nothing is sent. None where it cannot be told beforehand."""
        return None

    async def fetch_trading_fee(self, symbol: str, *, timeout_ms: int) -> tuple[Amount, Amount]:
        """What this account pays in a market: (as maker, as taker), fractions.

        Raises:
            NotSupported: the venue does not tell.
        """
        raise NotSupported("it does not tell what an account pays", exchange=self.id)

    async def cancel_all(self, symbol: str, *, timeout_ms: int) -> None:
        """Cancel all open orders of a market, or of all markets, by one request.

        Raises:
            NotSupported: the venue has no such request.
        """
        raise NotSupported("it has no request that cancels all orders", exchange=self.id)

    async def cancel_all_after(self, after_s: int, *, timeout_ms: int) -> None:
        """Have the venue cancel all orders of the account in so many seconds, unless it is told again; 0: never.

        Raises:
            NotSupported: the venue has no such switch.
        """
        raise NotSupported("it has no dead man's switch", exchange=self.id)

    # -- the rest of CCXT's unified methods ------------------------------------------------------------------------
    async def unified(self, name: str, args: Sequence[Any], params: Mapping[str, Any], *, timeout_ms: int) -> Any:
        """A method of `planar.adapters.unified.METHODS`: its answer in the shape that the table says.

        Args:
            args: by CCXT's order; those at the end that are not given are left out.

        Raises:
            NotSupported: the venue has no such thing; nothing was sent.
        """
        raise NotSupported(f"{name} is not offered by this exchange", exchange=self.id, outcome=Outcome.NOT_SENT)

    # -- streams ---------------------------------------------------------------------------------------------------
    @abc.abstractmethod
    def feed(self, topic: Topic) -> Feed:
        """What brings the updates of a topic.

        Raises:
            NotSupported: the exchange offers neither a stream nor a query for it.
        """

    @abc.abstractmethod
    async def close(self) -> None:
        """Close sockets and tasks of this adapter; its session belongs to the Dialer."""
