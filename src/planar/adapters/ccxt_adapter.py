"""`CcxtAdapter`: any of CCXT's exchanges behind the primitives of `Adapter`.

Users' arguments go in, CCXT's unified dictionaries come out and are turned into strict models. What goes wrong anywhere
on the way becomes one of Planar's errors, with the outcome that the requests really had.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any, ClassVar, TypeVar, cast

import planar.runtime as runtime
from planar.adapters import priorities
from planar.adapters.base import OrderRef, OrderRequest
from planar.adapters.ccxt_account_types import AccountTypes
from planar.adapters.ccxt_beside import beside
from planar.adapters.ccxt_carrying import CcxtCarrying
from planar.adapters.ccxt_changes import asked
from planar.adapters.ccxt_describing import capabilities_of, exact
from planar.adapters.ccxt_errors import translate
from planar.adapters.ccxt_markets import CcxtMarkets
from planar.adapters.ccxt_seam import CcxtExchange
from planar.adapters.ccxt_streams import open_feed
from planar.adapters.ccxt_unified import CcxtUnified, told
from planar.adapters.ccxt_verdict import complete
from planar.adapters.exchange_ids import ccxt_version
from planar.adapters.feed import Feed, Topic
from planar.adapters.kinds import KindTable
from planar.adapters.market_cache import MarketCache, MarketSet, markets_key
from planar.adapters.profile import Profile, hosts_of
from planar.errors import BadResponse, BadSymbol, NotSupported, OrderNotFound, PlanarError
from planar.models import AccountBalance, Candle, Fill, Market, Order, OrderBook, Ticker, Trade
from planar.models import from_ccxt as convert
from planar.models.key_rights import KeyRights
from planar.transport.context import CallContext, OnSend, Priority, calling
from planar.transport.redact import redact_error, without_frames

T = TypeVar("T")


class CcxtAdapter(CcxtCarrying, CcxtUnified):
    """One (exchange, environment, account) through CCXT; to be subclassed see `planar.ccxt_adapter`.

    Attributes:
        parent_id: CCXT's id of the exchange whose tables hold for a subclass.
        ccxt_class: the class of CCXT behind a subclass; None: that of `parent_id`.
        changes: what is different in the tables: fields of `Profile`.
    """

    parent_id: ClassVar[str] = ""
    ccxt_class: ClassVar[type[Any] | None] = None
    changes: ClassVar[Mapping[str, Any]] = {}

    def __init__(self, exchange: CcxtExchange, profile: Profile, cache: MarketCache, environment: str) -> None:
        self.exchange = exchange
        self.profile = profile
        self.capabilities = capabilities_of(exchange)
        self.types = AccountTypes(exchange)
        self._cache = cache
        self._environment = environment
        self._markets_key = markets_key(cast(CcxtMarkets, exchange), ccxt_version(), environment)
        self._markets: MarketSet | None = None
        self._kinds: dict[str, KindTable] = {}
        self._proven: set[tuple[str, ...]] = set()
        self.until_ms: dict[str, int] = {}

    def call(
        self,
        name: str,
        method: Callable[..., Awaitable[T]],
        *args: Any,
        timeout_ms: int,
        priority: Priority,
        reader: Callable[[bytes], object] | None = None,
        into: Callable[[Any], T] | None = None,
    ) -> Coroutine[Any, Any, T]:
        """Run one reading method of CCXT inside a call context; `into` makes what is returned of its answer."""
        call = CallContext(name, timeout_ms, priority, reading=True, reader=reader)
        return self.run(call, method, *args, into=into)

    async def run(
        self,
        call: CallContext,
        method: Callable[..., Awaitable[Any]],
        *args: Any,
        into: Callable[[Any], T] | None = None,
    ) -> T:
        with calling(call):
            try:
                raw = await method(*args)
                return raw if into is None else into(raw)
            except PlanarError as error:
                error.requests = tuple(call.requests)
                error.account = self.account
                complete(error, call)
                without_frames(error)
                raise
            except Exception as error:
                made = translate(error, call, self.id)
                made.account = self.account
                complete(made, call)
                raise made from redact_error(without_frames(error))

    def _read(
        self,
        method: str,
        priority: Priority,
        timeout_ms: int,
        *args: Any,
        into: Callable[[Any], T],
        reader: Callable[[bytes], object] | None = None,
    ) -> Coroutine[Any, Any, T]:
        """Run the reading method of CCXT that is called `method`.

        Raises:
            NotSupported: CCXT knows that the exchange does not offer it; nothing is sent.
        """
        self.require(method)
        function = getattr(self.exchange, method)
        return self.call(method, function, *args, timeout_ms=timeout_ms, priority=priority, reader=reader, into=into)

    def _convert(self, function: Callable[..., T], raw: Any) -> T:
        """Turn CCXT's dictionary into a model; what does not fit is an error with this exchange's name."""
        return function(raw, exchange=self.id, received_ns=runtime.wall_ns())

    def _one(self, function: Callable[..., T]) -> Callable[[Any], T]:
        return lambda raw: self._convert(function, raw)

    def _each(self, function: Callable[..., T]) -> Callable[[Any], list[T]]:
        return lambda rows: [self._convert(function, row) for row in rows]

    def require(self, method: str) -> None:
        """Refuse what CCXT knows that it cannot do.

        Raises:
            NotSupported: before anything is sent.
        """
        if self.capabilities.can(method) is False:
            raise NotSupported(f"{method} is not offered by this exchange", exchange=self.id)

    @property
    def account_types(self) -> tuple[str, ...]:
        """CCXT's words for the kinds of account."""
        return tuple(sorted(self.types.words))

    @property
    def host(self) -> str:
        """The host that public calls go to."""
        api: Any = self.exchange.urls["api"]
        public: Any = cast("dict[str, Any]", api).get("public", api) if isinstance(api, dict) else api
        return hosts_of(public, self.exchange.hostname, ("http", "https"))[0]

    # -- markets ---------------------------------------------------------------------------------------------------
    async def load_markets(self, *, timeout_ms: int, reload: bool = False) -> Mapping[str, Market]:
        """Markets by unified symbol, from the cache if it is fresh; the loop goes on while CCXT parses them."""

        async def fetch(keep: Callable[[CcxtMarkets], MarketSet]) -> MarketSet:
            async def load(exchange: Any) -> MarketSet:
                await exchange.load_markets(True)
                return keep(exchange)

            return await self.call(
                "load_markets", beside, self.exchange, load, timeout_ms=timeout_ms, priority=Priority.MARKET
            )

        exchange = cast(CcxtMarkets, self.exchange)
        self._markets = await self._cache.load(self._markets_key, exchange, fetch, reload=reload)
        return self._markets.table

    @property
    def markets_age_ms(self) -> int:
        """How long ago the markets were fetched that were loaded last: the cache may have them from yesterday."""
        return 0 if self._markets is None else max(0, self._markets.age_ms)

    def market_of(self, symbol: str) -> Market | None:
        """The market of a symbol, if the markets are loaded."""
        return None if self._markets is None else self._markets.table.get(symbol)

    def resolve(self, text: str, market_type: str | None = None, sub_type: str | None = None) -> str:
        """The unified symbol that `text` means."""
        if self._markets is None:
            raise BadSymbol(f"{text!r} cannot be looked up: the markets are not loaded", exchange=self.id)
        return self._markets.symbols.resolve(text, market_type, sub_type).symbol

    async def fetch_time(self, *, timeout_ms: int) -> int:
        """The venue's clock, UTC milliseconds."""
        self.require("fetch_time")
        time_ms = await self.call(
            "fetch_time", self.exchange.fetch_time, timeout_ms=timeout_ms, priority=Priority.ORDER
        )
        if not isinstance(time_ms, int):
            raise BadResponse(f"the answer to fetch_time is {time_ms!r}, not milliseconds", exchange=self.id)
        return time_ms

    def venue_ms(self) -> int:
        """The time that requests are signed with."""
        return self.exchange.planar.monitor.clock.wall_ms()

    def expiry_ms(self, client_id: str) -> int | None:
        """By what the request really says: the clock may have been corrected since it was made."""
        expiry_ms = super().expiry_ms(client_id)
        return expiry_ms if expiry_ms is None else max(expiry_ms, self.until_ms.get(client_id, expiry_ms))

    # -- market data -----------------------------------------------------------------------------------------------
    async def fetch_ticker(self, symbol: str, params: Mapping[str, Any], *, timeout_ms: int) -> Ticker:
        """One ticker."""
        return await self._read(
            *("fetch_ticker", Priority.MARKET, timeout_ms, symbol, dict(params)),
            into=lambda raw: told(self._convert(convert.ticker, raw), "fetch_ticker", self.id),
        )

    async def fetch_tickers(
        self, symbols: Sequence[str] | None, params: Mapping[str, Any], *, timeout_ms: int
    ) -> dict[str, Ticker]:
        """Tickers by symbol; all of them for None."""
        return await self._read(
            *("fetch_tickers", Priority.MARKET, timeout_ms, None if symbols is None else list(symbols), dict(params)),
            into=lambda raw: {symbol: self._convert(convert.ticker, ticker) for symbol, ticker in raw.items()},
        )

    async def fetch_order_book(
        self, symbol: str, limit: int | None, params: Mapping[str, Any], *, timeout_ms: int
    ) -> OrderBook:
        """The order book."""
        return await self._read(
            *("fetch_order_book", Priority.MARKET, timeout_ms, symbol, limit, dict(params)),
            reader=self.profile.book_reader,
            into=self._one(convert.order_book),
        )

    async def fetch_trades(
        self, symbol: str, since_ms: int | None, limit: int | None, params: Mapping[str, Any], *, timeout_ms: int
    ) -> list[Trade]:
        """Public trades."""
        return await self._read(
            *("fetch_trades", priorities.trades(since_ms, params), timeout_ms, symbol, since_ms, limit, dict(params)),
            into=self._each(convert.trade),
        )

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
        """Candles."""
        market = self.market_of(symbol)
        known = market is not None and market.sub_type != "inverse"
        return await self._read(
            *("fetch_ohlcv", priorities.candles(timeframe, since_ms, limit, params), timeout_ms),
            *(symbol, timeframe, since_ms, limit, dict(params)),
            reader=self.profile.candle_reader if known else None,
            into=lambda rows: convert.candles(rows, exchange=self.id),
        )

    # -- the account -----------------------------------------------------------------------------------------------
    async def fetch_balance(self, params: Mapping[str, Any], *, timeout_ms: int) -> AccountBalance:
        """Balances by currency."""

        async def ask(params: Mapping[str, Any]) -> AccountBalance:
            method = ("fetch_balance", Priority.ACCOUNT, timeout_ms)
            return await self._read(*method, dict(params), into=self._one(convert.balance))

        word = params.get("type")
        return await (self.types.asked(word, ask, params) if isinstance(word, str) else ask(params))

    async def fetch_my_trades(
        self, symbol: str, since_ms: int | None, limit: int | None, params: Mapping[str, Any], *, timeout_ms: int
    ) -> list[Fill]:
        """Own executions of one market."""
        return await self._read(
            *("fetch_my_trades", priorities.own(since_ms, params), timeout_ms, symbol, since_ms, limit, dict(params)),
            into=self._each(convert.fill),
        )

    async def fetch_key_rights(self, *, timeout_ms: int) -> KeyRights:
        """What the key in use may do."""
        rule = self.profile.key_info
        if rule is None or self._environment not in rule.environments:
            raise NotSupported("it does not tell what a key may do", exchange=self.id)
        method = getattr(self.exchange, rule.method)
        answer = await self.call("fetch_key_rights", method, timeout_ms=timeout_ms, priority=Priority.ACCOUNT)
        try:
            return rule.rights(answer)
        except (KeyError, TypeError) as error:
            raise BadResponse(f"the answer about the key lacks {error}", exchange=self.id) from error

    # -- orders ----------------------------------------------------------------------------------------------------
    async def send_order(self, request: OrderRequest, *, timeout_ms: int, on_send: OnSend) -> Order:
        """Send one order, once, as it is."""
        call = CallContext("create_order", timeout_ms, Priority.ORDER, journaled=True, on_send=on_send)
        amount = exact(request.amount) if request.amount is not None else None
        price = exact(request.price) if request.price is not None else None
        common = (request.symbol, request.type, request.side, amount, price, self.order_params(request))

        def acknowledged(raw: Any) -> Order:
            return convert.order_ack(raw, asked(request), exchange=self.id, received_ns=runtime.wall_ns())

        try:
            if request.replaces is not None:
                return await self.run(call, self.exchange.edit_order, request.replaces, *common, into=acknowledged)
            return await self.run(call, self.exchange.create_order, *common, into=acknowledged)
        finally:
            self.until_ms.pop(request.client_id, None)

    def usage(self) -> dict[str, tuple[float, float]]:
        """Meter -> (used, limit) now."""
        return self.exchange.planar.budget.usage()

    async def cancel(self, ref: OrderRef, params: Mapping[str, Any], *, timeout_ms: int) -> Order | None:
        """Cancel one order."""
        call = CallContext("cancel_order", timeout_ms, Priority.CANCEL, journaled=True)
        return await self.run(
            *(call, self.exchange.cancel_order, ref.order_id, ref.symbol, {**self._name_params(ref), **params}),
            into=self._canceled,
        )

    def _canceled(self, raw: dict[str, Any]) -> Order | None:
        """The order that an answer to a cancel shows; None if it only says yes."""
        if not raw.get("status"):
            return None
        field = self.profile.cancel_id_field
        if field is not None:
            raw["clientOrderId"] = raw["info"].get(field)
        return self._convert(convert.order, raw)

    async def query_order(self, ref: OrderRef, params: Mapping[str, Any], *, timeout_ms: int) -> Order | None:
        """The order as the venue knows it; None only if the venue says that it knows none of that name."""
        if ref.order_id is None and self.profile.client_id.query_param is None:
            return await self._search(ref, timeout_ms=timeout_ms)
        self.require("fetch_order")
        try:
            return await self.call(
                *("fetch_order", self.exchange.fetch_order, ref.order_id, ref.symbol),
                {**self._name_params(ref), **params},
                timeout_ms=timeout_ms,
                priority=Priority.ORDER,
                into=self._one(convert.order),
            )
        except OrderNotFound:
            return None

    async def _search(self, ref: OrderRef, *, timeout_ms: int) -> Order | None:
        """Look for a client id among the open orders, then among the ended ones: an order only ever goes that way."""
        name = self.profile.client_id.search_param
        narrowed = {} if name is None else {name: ref.client_id}
        due_ms = runtime.monotonic() * 1000 + timeout_ms  # one deadline for both
        wanted = (Priority.ORDER, ref.symbol, None, None, narrowed)
        found = await self._orders("fetch_open_orders", *wanted, timeout_ms=timeout_ms)
        if not any(order.client_order_id == ref.client_id for order in found):
            left_ms = max(1, int(due_ms - runtime.monotonic() * 1000))
            found = await self._orders(self._past, *wanted, timeout_ms=left_ms)
        return next((order for order in found if order.client_order_id == ref.client_id), None)

    def _name_params(self, ref: OrderRef) -> dict[str, Any]:
        if ref.order_id is not None:
            return {}
        return {self.profile.client_id.query_param or "clientOrderId": ref.client_id}

    async def fetch_open_orders(self, symbol: str | None, params: Mapping[str, Any], *, timeout_ms: int) -> list[Order]:
        """Open orders."""
        return await self._orders(
            "fetch_open_orders", Priority.ACCOUNT, symbol, None, None, params, timeout_ms=timeout_ms
        )

    async def fetch_orders(
        self, symbol: str, since_ms: int | None, limit: int | None, params: Mapping[str, Any], *, timeout_ms: int
    ) -> list[Order]:
        """Orders of any state; open and closed ones put together where the venue does not list both at once."""
        self.require(self._past)
        priority = priorities.own(since_ms, params)
        due_ms = runtime.monotonic() * 1000 + timeout_ms  # one deadline for both
        rows: dict[str, Order] = {}
        if not self.capabilities.can("fetch_orders"):  # open ones first: an order only ever goes from there to the past
            found = await self.fetch_open_orders(symbol, {}, timeout_ms=timeout_ms)
            rows = {order.id or "": order for order in found}
        left_ms = max(1, int(due_ms - runtime.monotonic() * 1000))
        found = await self._orders(self._past, priority, symbol, since_ms, limit, params, timeout_ms=left_ms)
        if not rows:
            return found
        rows |= {order.id or "": order for order in found}
        return sorted(rows.values(), key=lambda order: order.ts_ms or 0)

    @property
    def _past(self) -> str:
        """The method for orders of any state, or for the ended ones where the venue does not list both at once."""
        return "fetch_orders" if self.capabilities.can("fetch_orders") else "fetch_closed_orders"

    async def _orders(
        self,
        method: str,
        priority: Priority,
        symbol: str | None,
        since_ms: int | None,
        limit: int | None,
        params: Mapping[str, Any],
        *,
        timeout_ms: int,
    ) -> list[Order]:
        """What a method of CCXT that lists orders gives."""
        return await self._read(
            *(method, priority, timeout_ms, symbol, since_ms, limit, dict(params)), into=self._each(convert.order)
        )

    def feed(self, topic: Topic) -> Feed:
        """What brings the updates of a topic: CCXT's stream where it has one, else queries."""
        return open_feed(self, topic)

    async def close(self) -> None:
        """Close CCXT's sockets; the session is the Dialer's."""
        await cast(Any, self.exchange).close()
