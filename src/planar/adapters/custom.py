"""`CustomAdapter`: an exchange of the user's own, from seven methods.

A subclass lists its markets, tells order books, balances and orders, and places and cancels orders; everything else is
composed of that in `planar.exchange`, or refused with the reason. What a subclass overrides beyond that is used. Its
requests leave through `self.http` only. `planar.register`, or a package's entry point, makes it known.
"""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

import msgspec

from planar.adapters.base import Adapter, Capabilities
from planar.adapters.custom_http import CustomHttp, rules_of
from planar.adapters.feed import Feed, Topic
from planar.adapters.kinds import CANCEL_THEN_NEW, ORDER_KINDS, KindRow, KindTable
from planar.adapters.polling import PollingFeed
from planar.adapters.profile import ClientIdRule, Profile
from planar.adapters.symbols import Listing, SymbolResolver
from planar.adapters.unified import METHODS
from planar.errors import BadSymbol, NotSupported, Outcome, PlanarError
from planar.models import Candle, Fill, Market, Order, Ticker, Trade
from planar.models.key_rights import KeyRights
from planar.models.money import TradingFee
from planar.transport.meters import MeterSpec

_OF: Final = {
    "fetch_ticker": "fetch_ticker",
    "fetch_tickers": "fetch_tickers",
    "fetch_trades": "fetch_trades",
    "fetch_ohlcv": "fetch_ohlcv",
    "fetch_time": "fetch_time",
    "fetch_my_trades": "fetch_my_trades",
    "fetch_orders": "fetch_orders",
    "fetch_trading_fee": "fetch_trading_fee",
    "cancel_all_orders": "cancel_all",
}
"""CCXT's word -> the method that a subclass may override."""
_ALWAYS: Final = (
    *("fetch_markets", "fetch_order_book", "fetch_balance", "create_order", "cancel_order", "fetch_order"),
    "fetch_open_orders",
)


class CustomWiring(msgspec.Struct, frozen=True):
    """What a custom adapter is opened with; only its base class reads it.

    Attributes:
        exchange: its id.
        environment: a key of its `urls`.
        credentials: names to values.
        make_http: makes its HTTP, from (signer, judge).
    """

    exchange: str
    environment: str
    credentials: Mapping[str, str]
    make_http: Any

    def __repr__(self) -> str:
        return f"CustomWiring(exchange={self.exchange!r}, environment={self.environment!r})"


class CustomAdapter(Adapter):
    """One (exchange, environment, account). A subclass sets the class attributes and writes what is abstract.

    Attributes:
        urls: environment -> base URL. Requests reach the host, port and scheme of it and nothing else.
        required_credentials: names in the exchange's section of secrets.toml, in CCXT's words: `apiKey`, `secret`.
        timeframes: candle intervals in CCXT's words, where `fetch_ohlcv` is written.
        meter: the venue's limit; each request counts 1.
        client_id: what client ids the venue accepts.
        kinds: the kinds of orders beside plain limit and market orders; what is missing is refused.
        credentials: names to values, for `sign`.
        http: what requests are sent with.
    """

    urls: ClassVar[Mapping[str, str]]
    required_credentials: ClassVar[tuple[str, ...]] = ()
    timeframes: ClassVar[tuple[str, ...]] = ()
    meter: ClassVar[MeterSpec] = MeterSpec("calls", 10.0, 1_000)
    client_id: ClassVar[ClientIdRule] = ClientIdRule(query_param="client_id")
    kinds: ClassVar[KindTable] = {}

    def __init__(self, wiring: CustomWiring) -> None:
        self.profile = Profile(
            id=wiring.exchange,
            hosts={name: rules_of(url) for name, url in self.urls.items()},
            meters=(self.meter,),
            client_id=self.client_id,
        )
        self.capabilities = Capabilities(self.offered(), self.timeframes, self.required_credentials)
        self.credentials = wiring.credentials
        self.http: CustomHttp = wiring.make_http(self.sign, self.judge)
        self._listed: dict[str, Market] = {}
        self._resolver: SymbolResolver | None = None

    @classmethod
    def offered(cls) -> dict[str, bool | str | None]:
        """CCXT's method -> whether the class has it: what it wrote, and nothing else."""
        written: dict[str, bool | str | None] = {
            word: getattr(cls, name) is not getattr(CustomAdapter, name) for word, name in _OF.items()
        }
        return {**dict.fromkeys(METHODS, False), **written, **dict.fromkeys(_ALWAYS, True)}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id}>"

    @property
    def host(self) -> str:
        """The host that requests go to."""
        return self.http.host

    # -- what a subclass may say ---------------------------------------------------------------------------------------
    def sign(self, method: str, target: str, body: str) -> Mapping[str, str]:
        """Headers of a private request: `target` is its path with the query, `body` what is sent."""
        raise NotSupported("it has no private requests: sign() is not written", exchange=self.id)

    def judge(self, status: int, answer: Any) -> PlanarError | None:
        """What an answer of the venue means; None: it is good, or its HTTP status says enough."""
        return None

    # -- markets ---------------------------------------------------------------------------------------------------
    @abc.abstractmethod
    async def list_markets(self, *, timeout_ms: int) -> Sequence[Market]:
        """All markets."""

    async def load_markets(self, *, timeout_ms: int, reload: bool = False) -> Mapping[str, Market]:
        """See `Adapter`."""
        if reload or self._resolver is None:
            rows = list(await self.list_markets(timeout_ms=timeout_ms))
            self._listed = {row.symbol: row for row in rows}
            by_id: dict[str, list[int]] = {}
            for at, row in enumerate(rows):
                by_id.setdefault(row.id, []).append(at)
            self._resolver = SymbolResolver(
                self.id,
                Listing(
                    symbols=[row.symbol for row in rows],
                    ids=[row.id for row in rows],
                    types=[row.type for row in rows],
                    sub_types=[row.sub_type for row in rows],
                    active=[row.active for row in rows],
                    by_id=by_id,
                    other_names={},
                    listed=len(rows),
                ),
            )
        return self._listed

    def resolve(self, text: str, market_type: str | None = None, sub_type: str | None = None) -> str:
        """See `Adapter`."""
        if self._resolver is None:
            raise BadSymbol(f"{text!r} cannot be looked up: the markets are not loaded", exchange=self.id)
        return self._resolver.resolve(text, market_type, sub_type).symbol

    def market(self, symbol: str) -> Market:
        """A listed market.

        Raises:
            BadSymbol: there is none, or the markets are not loaded.
        """
        found = self._listed.get(symbol)
        if found is None:
            raise BadSymbol(f"there is no market {symbol!r}", exchange=self.id, outcome=Outcome.NOT_SENT)
        return found

    def _refused(self, method: str) -> NotSupported:
        return NotSupported(f"{method} is not offered by this exchange", exchange=self.id, outcome=Outcome.NOT_SENT)

    async def fetch_time(self, *, timeout_ms: int) -> int:
        """See `Adapter`."""
        raise self._refused("fetch_time")

    # -- market data -----------------------------------------------------------------------------------------------
    async def fetch_ticker(self, symbol: str, params: Mapping[str, Any], *, timeout_ms: int) -> Ticker:
        """See `Adapter`."""
        raise self._refused("fetch_ticker")

    async def fetch_tickers(
        self, symbols: Sequence[str] | None, params: Mapping[str, Any], *, timeout_ms: int
    ) -> dict[str, Ticker]:
        """See `Adapter`."""
        raise self._refused("fetch_tickers")

    async def fetch_trades(
        self, symbol: str, since_ms: int | None, limit: int | None, params: Mapping[str, Any], *, timeout_ms: int
    ) -> list[Trade]:
        """See `Adapter`."""
        raise self._refused("fetch_trades")

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
        raise self._refused("fetch_ohlcv")

    # -- the account and its orders ------------------------------------------------------------------------------------
    async def fetch_my_trades(
        self, symbol: str, since_ms: int | None, limit: int | None, params: Mapping[str, Any], *, timeout_ms: int
    ) -> list[Fill]:
        """See `Adapter`."""
        raise self._refused("fetch_my_trades")

    async def fetch_key_rights(self, *, timeout_ms: int) -> KeyRights:
        """See `Adapter`."""
        raise self._refused("what a key may do")

    async def fetch_orders(
        self, symbol: str, since_ms: int | None, limit: int | None, params: Mapping[str, Any], *, timeout_ms: int
    ) -> list[Order]:
        """See `Adapter`."""
        raise self._refused("fetch_orders")

    async def unified(self, name: str, args: Sequence[Any], params: Mapping[str, Any], *, timeout_ms: int) -> Any:
        """See `Adapter`: of these, a subclass may write `fetch_trading_fee`."""
        if name != "fetch_trading_fee" or not self.capabilities.can(name):
            raise self._refused(name)
        maker, taker = await self.fetch_trading_fee(args[0], timeout_ms=timeout_ms)
        return TradingFee(symbol=args[0], maker=maker, taker=taker)

    def order_kinds(self, symbol: str) -> KindTable:
        """See `Adapter`."""
        return self.kind_table()

    @classmethod
    def kind_table(cls) -> KindTable:
        """What the class says of each kind of order."""
        table = {kind: KindRow("refused", "the adapter of this exchange does not offer it") for kind in ORDER_KINDS}
        own = {"limit": KindRow(), "market": KindRow(), "replace": KindRow("emulated", CANCEL_THEN_NEW)}
        return {**table, **own, **cls.kinds}

    def usage(self) -> dict[str, tuple[float, float]]:
        """See `Adapter`."""
        return self.http.budget.usage()

    # -- streams ---------------------------------------------------------------------------------------------------
    def feed(self, topic: Topic) -> Feed:
        """See `Adapter`: by asking again and again."""
        if not PollingFeed.offers(self, topic):
            raise self._refused(f"watch_{topic.kind}")
        return PollingFeed(self, topic)

    async def close(self) -> None:
        """See `Adapter`. Nothing is open: the session belongs to the Dialer."""
