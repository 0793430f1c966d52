"""`PaperAdapter`: any exchange's market data, with orders that are simulated.

It wraps the exchange's own adapter, which was opened without keys, and passes on only what is public, by name; whatever
is not named here is refused. So no order, and no question about an account, can leave through it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from msgspec.structs import replace

import planar.runtime as runtime
from planar.adapters.base import Adapter, Capabilities, OrderRef, OrderRequest
from planar.adapters.feed import Feed, Topic
from planar.adapters.kinds import KindTable
from planar.adapters.profile import ExpiryRule, Profile
from planar.adapters.unified import METHODS
from planar.config.schema import PaperSettings
from planar.errors import (
    BadSymbol,
    NotSupported,
    OrderNotFound,
    Outcome,
    PlanarError,
    RequestTimeout,
)
from planar.models import AccountBalance, Amount, Candle, Fill, Market, Order, OrderBook, Ticker, Trade
from planar.models.key_rights import KeyRights
from planar.paper.deadlines import within
from planar.paper.desk import PaperDesk
from planar.paper.feeds import OWN, PaperFeed
from planar.paper.kinds import paper_kinds
from planar.paper.state import Terms
from planar.streams.hub import StreamHub
from planar.transport.context import OnSend

WINDOW_MS: Final = 5_000
"""Beyond its latency, how long an order may be on its way."""

PUBLIC: Final = frozenset(
    {
        *("fetch_markets", "fetch_time", "fetch_ticker", "fetch_tickers", "fetch_order_book", "fetch_trades"),
        *("fetch_ohlcv", "watch_order_book", "watch_trades", "watch_ticker", "watch_tickers", "watch_ohlcv"),
        *(name for name, row in METHODS.items() if not row.private),
    }
)
"""What is asked of the exchange. All else is the account's."""
OWN_METHODS: Final = frozenset(
    {
        *("create_order", "cancel_order", "cancel_all_orders", "fetch_order", "fetch_orders", "fetch_open_orders"),
        *("fetch_my_trades", "fetch_balance", "watch_orders", "watch_my_trades", "watch_balance"),
    }
)
"""What the simulation does."""


def paper_profile(profile: Profile, latency_ms: int) -> Profile:
    """The tables of a venue as they hold for simulated orders: of what is asked of an account nothing is left."""
    expiry = ExpiryRule(
        enforced=True,
        window_ms=WINDOW_MS + latency_ms,
        settle_ms=0,
        source="planar.paper: an order that is on its way ends with its process",
    )
    return replace(
        profile,
        expiry=expiry,
        key_info=None,
        dead_man=None,
        entry=None,
        amend=None,
        replace=None,
        batch=None,
        mixin=None,
        cancels_whole_account=False,
        resolve_pause_s=1.0,
    )


class PaperAdapter(Adapter):
    """One paper account.

    Args:
        data: the exchange's own adapter, without keys.
        settings: how the account is simulated.
        path: of its file.
    """

    def __init__(self, data: Adapter, settings: PaperSettings, path: Path) -> None:
        self._data = data
        self._settings = settings
        self._markets: Mapping[str, Market] = {}
        self._known_terms: dict[str, Terms] = {}
        self.profile = paper_profile(data.profile, settings.latency_ms)
        methods = {name: value if name in PUBLIC else False for name, value in data.capabilities.methods.items()}
        self.capabilities = Capabilities(
            methods={**methods, **dict.fromkeys(sorted(OWN_METHODS), True)},
            timeframes=data.capabilities.timeframes,
            required_credentials=(),
        )
        start = {currency: Amount(value) for currency, value in settings.balances.items()}
        self.desk = PaperDesk(data, path, start, self._terms)

    @property
    def market_data(self) -> Adapter:
        """See `Adapter`."""
        return self._data

    @property
    def host(self) -> str:
        """The host that public calls go to."""
        return self._data.host

    def attach(self, hub: StreamHub) -> None:
        """Take the public trades, and the books that are watched anyhow, from the streams of this exchange."""
        self.desk.hub = hub

    # -- markets ---------------------------------------------------------------------------------------------------
    async def load_markets(self, *, timeout_ms: int, reload: bool = False) -> Mapping[str, Market]:
        """See `Adapter`."""
        self._markets = await self._data.load_markets(timeout_ms=timeout_ms, reload=reload)
        self._known_terms.clear()
        return self._markets

    def resolve(self, text: str, market_type: str | None = None, sub_type: str | None = None) -> str:
        """See `Adapter`."""
        return self._data.resolve(text, market_type, sub_type)

    async def fetch_time(self, *, timeout_ms: int) -> int:
        """See `Adapter`."""
        return await self._data.fetch_time(timeout_ms=timeout_ms)

    def venue_ms(self) -> int:
        """See `Adapter`."""
        return self._data.venue_ms()

    def _terms(self, symbol: str) -> Terms:
        """How orders of a market execute.

        Raises:
            BadSymbol: there is no such market.
            NotSupported: it is no spot market, or nobody says what it charges.
        """
        known = self._known_terms.get(symbol)
        return self._known_terms.setdefault(symbol, self._make_terms(symbol)) if known is None else known

    def _make_terms(self, symbol: str) -> Terms:
        market = self._markets.get(symbol)
        if market is None:
            raise BadSymbol(f"there is no market {symbol}", exchange=self.id, outcome=Outcome.NOT_SENT)
        if not market.spot:
            raise NotSupported(
                f"{symbol} is no spot market: paper accounts simulate neither positions nor margin nor funding",
                exchange=self.id,
                hint="use a spot market, or the exchange's own sandbox or demo",
            )
        fees = self._settings
        maker = market.maker if fees.maker is None else Amount(fees.maker)
        taker = market.taker if fees.taker is None else Amount(fees.taker)
        if maker is None or taker is None:
            raise NotSupported(
                f"what {symbol} charges is not known, so its orders cannot be simulated",
                exchange=self.id,
                hint=f'write the fees: maker = "0.1%" and taker = "0.1%" in [{self.id}.paper]',
            )
        step = market.precision.amount if market.precision.mode == "tick_size" else None
        table = self.order_kinds(symbol)
        at_once = frozenset(kind for kind, row in table.items() if row.at_once)
        # CCXT's own rule where a market does not say: fees are taken in quote currency
        return Terms(symbol, market.base, market.quote, maker, taker, market.fee_side or "quote", step, at_once)

    # -- market data -----------------------------------------------------------------------------------------------
    async def fetch_ticker(self, symbol: str, params: Mapping[str, Any], *, timeout_ms: int) -> Ticker:
        """See `Adapter`."""
        return await self._data.fetch_ticker(symbol, params, timeout_ms=timeout_ms)

    async def fetch_tickers(
        self, symbols: Sequence[str] | None, params: Mapping[str, Any], *, timeout_ms: int
    ) -> dict[str, Ticker]:
        """See `Adapter`."""
        return await self._data.fetch_tickers(symbols, params, timeout_ms=timeout_ms)

    async def fetch_order_book(
        self, symbol: str, limit: int | None, params: Mapping[str, Any], *, timeout_ms: int
    ) -> OrderBook:
        """See `Adapter`."""
        return await self._data.fetch_order_book(symbol, limit, params, timeout_ms=timeout_ms)

    async def fetch_trades(
        self, symbol: str, since_ms: int | None, limit: int | None, params: Mapping[str, Any], *, timeout_ms: int
    ) -> list[Trade]:
        """See `Adapter`."""
        return await self._data.fetch_trades(symbol, since_ms, limit, params, timeout_ms=timeout_ms)

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
        """See `Adapter`."""
        return await self._data.fetch_ohlcv(symbol, timeframe, since_ms, limit, params, timeout_ms=timeout_ms)

    async def unified(self, name: str, args: Sequence[Any], params: Mapping[str, Any], *, timeout_ms: int) -> Any:
        """See `Adapter`: what is public goes through, all else is refused."""
        row = METHODS[name]
        if row.private or row.write:
            raise NotSupported(
                f"{name} is not simulated, and a paper account asks nothing of an account at the exchange",
                exchange=self.id,
                hint="paper accounts have orders, fills and balances of spot markets",
            )
        return await self._data.unified(name, args, params, timeout_ms=timeout_ms)

    async def fetch_trading_fee(self, symbol: str, *, timeout_ms: int) -> tuple[Amount, Amount]:
        """See `Adapter`: what the simulation charges."""
        terms = self._terms(symbol)
        return terms.maker, terms.taker

    # -- the account -----------------------------------------------------------------------------------------------
    async def fetch_balance(self, params: Mapping[str, Any], *, timeout_ms: int) -> AccountBalance:
        """See `Adapter`."""
        await self._look("fetch_balance", timeout_ms)
        return self.desk.balance()

    async def fetch_my_trades(
        self, symbol: str, since_ms: int | None, limit: int | None, params: Mapping[str, Any], *, timeout_ms: int
    ) -> list[Fill]:
        """See `Adapter`."""
        await self._look("fetch_my_trades", timeout_ms, symbol)
        return self.desk.fills(symbol, since_ms, limit)

    async def fetch_key_rights(self, *, timeout_ms: int) -> KeyRights:
        """See `Adapter`."""
        raise NotSupported("a paper account has no key", exchange=self.id)

    # -- orders ----------------------------------------------------------------------------------------------------
    def order_kinds(self, symbol: str) -> KindTable:
        """See `Adapter`."""
        market = self._markets.get(symbol)
        return paper_kinds(self._data.order_kinds(symbol), spot=market is None or market.spot)

    async def submit(self, request: OrderRequest, *, timeout_ms: int, on_send: OnSend) -> Order:
        """See `Adapter`. After its latency the order meets the book as it is then.

        Raises:
            PlanarError: with the outcome NOT_SENT or REFUSED: there is no such order.
        """
        self._check(request)
        await self.desk.hold()
        if request.waits or (request.type == "limit" and request.time_in_force not in ("IOC", "FOK")):
            await self.desk.follow(request.symbol)
        until_ms = self.expiry_ms(request.client_id)
        assert until_ms is not None
        waited = on_send()
        if waited is not None:
            await waited
        try:
            async with asyncio.timeout(timeout_ms / 1000):
                await runtime.sleep(self._settings.latency_ms / 1000)
                book = await self.desk.book(request, timeout_ms)
            if self.venue_ms() > until_ms:
                raise RequestTimeout("the order was on its way for too long", exchange=self.id)
            return self.desk.place(request, book)
        except TimeoutError as error:
            raise RequestTimeout(
                f"there was no order book within {timeout_ms} ms", exchange=self.id, outcome=Outcome.REFUSED
            ) from error
        except PlanarError as error:
            error.outcome = Outcome.REFUSED  # whatever it says of a question about the market: no order was made
            error.exchange = error.exchange or self.id
            raise

    def _check(self, request: OrderRequest) -> None:
        """Refuse what would be something else at the exchange than here.

        Raises:
            NotSupported: what nobody simulates.
        """
        self._terms(request.symbol)
        if request.params:
            raise NotSupported(
                f"the parameters {', '.join(request.params)} are the exchange's own, and nobody simulates them",
                exchange=self.id,
                hint="leave them out",
            )
        if request.replaces is not None and not request.cancels_first:
            raise NotSupported("a paper account does not replace an order in one step", exchange=self.id)

    def usage(self) -> dict[str, tuple[float, float]]:
        """See `Adapter`: what market data has used."""
        return self._data.usage()

    async def cancel(self, ref: OrderRef, params: Mapping[str, Any], *, timeout_ms: int) -> Order | None:
        """See `Adapter`."""
        await self._on_its_way("cancel_order", timeout_ms)
        order = self.desk.standing(ref)
        if order is not None:
            return self.desk.cancel(order)
        known = self.desk.order(ref)
        state = "" if known is None else f": it is {known.state.value}"
        name = ref.order_id or ref.client_id
        raise OrderNotFound(f"there is no open paper order {name}{state}", exchange=self.id, outcome=Outcome.REFUSED)

    async def cancel_all(self, symbol: str, *, timeout_ms: int) -> None:
        """See `Adapter`."""
        self._listed(symbol)
        await self._on_its_way("cancel_all_orders", timeout_ms)
        for order in self.desk.all_standing(symbol):
            self.desk.cancel(order)

    async def _on_its_way(self, what: str, timeout_ms: int) -> None:
        """What changes the account takes its latency."""
        async with within(timeout_ms, what, self.id):
            await self.desk.hold()
            await runtime.sleep(self._settings.latency_ms / 1000)

    async def _look(self, what: str, timeout_ms: int, symbol: str | None = None) -> None:
        """Before something is read."""
        self._listed(symbol)
        async with within(timeout_ms, what, self.id):
            await self.desk.look()

    def _listed(self, symbol: str | None) -> None:
        """Refuse a market that there is not: it has no orders, and who asks for them means another."""
        if symbol is not None and symbol not in self._markets:
            raise BadSymbol(f"there is no market {symbol}", exchange=self.id, outcome=Outcome.NOT_SENT)

    async def query_order(self, ref: OrderRef, params: Mapping[str, Any], *, timeout_ms: int) -> Order | None:
        """See `Adapter`."""
        await self._look("fetch_order", timeout_ms)
        return self.desk.order(ref)

    async def fetch_open_orders(self, symbol: str | None, params: Mapping[str, Any], *, timeout_ms: int) -> list[Order]:
        """See `Adapter`."""
        await self._look("fetch_open_orders", timeout_ms, symbol)
        return self.desk.open_orders(symbol)

    async def fetch_orders(
        self, symbol: str, since_ms: int | None, limit: int | None, params: Mapping[str, Any], *, timeout_ms: int
    ) -> list[Order]:
        """See `Adapter`."""
        await self._look("fetch_orders", timeout_ms, symbol)
        return self.desk.orders(symbol, since_ms, limit)

    # -- streams ---------------------------------------------------------------------------------------------------
    def feed(self, topic: Topic) -> Feed:
        """See `Adapter`: what is public goes through."""
        if topic.kind in OWN:
            return PaperFeed(self.desk, topic)
        if topic.kind.is_private:
            raise NotSupported(
                f"watch_{topic.kind} is not simulated",
                exchange=self.id,
                hint="paper accounts have orders, fills and balances of spot markets",
            )
        return self._data.feed(topic)

    async def close(self) -> None:
        """See `Adapter`."""
        try:
            await self.desk.close()
        finally:
            await self._data.close()
