"""What an exchange lists: markets and currencies, with their limits, steps and fees.

They come from the adapters' `load_markets` and from the cache on disk, and decide what an order may look like, so
their numbers are `Amount`: exact, and usable with floats.
"""

from __future__ import annotations

from typing import ClassVar, Literal, TypeAlias

import msgspec

from planar.models.amount import Amount, AmountLike
from planar.models.base import Model, RawPayload, Sourced, iso8601

PrecisionMode: TypeAlias = Literal["tick_size", "significant_digits"]


class MinMax(Model, frozen=True, gc=False):
    """A range; None is no bound, or none that the exchange names."""

    min: Amount | None = None
    max: Amount | None = None


class Limits(Model, frozen=True, gc=False):
    """The bounds of one order."""

    amount: MinMax = MinMax()
    """Of the base currency; of contracts on a derivative."""
    price: MinMax = MinMax()
    cost: MinMax = MinMax()
    """Amount times price, in the quote currency (CCXT's word; exchanges say notional)."""
    leverage: MinMax = MinMax()
    market: MinMax = MinMax()
    """The amount of a market order, where that has bounds of its own."""


class Precision(Model, frozen=True, gc=False):
    """The steps of a market: under `tick_size` a value is a multiple of the step, under `significant_digits` (two of
    CCXT's exchanges) it has at most so many digits. None: the exchange does not say."""

    amount: Amount | None = None
    price: Amount | None = None
    cost: Amount | None = None
    base: Amount | None = None
    quote: Amount | None = None
    mode: PrecisionMode = "tick_size"


class PriceBand(Model, frozen=True, gc=False):
    """How far from the market a price may be, as multiples of a reference price that the exchange computes; None is no
    bound. Source: the exchange's rules of the market (Binance: PERCENT_PRICE and PERCENT_PRICE_BY_SIDE)."""

    buy_min: Amount | None = None
    buy_max: Amount | None = None
    sell_min: Amount | None = None
    sell_max: Amount | None = None

    def of(self, side: str) -> MinMax:
        """The bounds of one side."""
        return MinMax(self.buy_min, self.buy_max) if side == "buy" else MinMax(self.sell_min, self.sell_max)


class MarginModes(Model, frozen=True, gc=False):
    """Which kinds of margin a market knows; None: the exchange does not say."""

    cross: bool | None = None
    isolated: bool | None = None


class Market(Sourced, frozen=True, kw_only=True, gc=False):
    """One market, as `fetch_markets` and `exchange.markets` give it. Keys as in CCXT's market structure."""

    _computed: ClassVar[dict[str, str]] = {
        "spot": "spot",
        "swap": "swap",
        "future": "future",
        "option": "option",
        "index": "index",
        "contract": "contract",
        "linear": "linear",
        "inverse": "inverse",
        "expiryDatetime": "expiry_datetime",
        "lowercaseId": "lowercase_id",
    }
    _shown: ClassVar[tuple[str, ...]] = ("symbol", "id", "type", "active", "taker", "maker")

    id: str
    """The exchange's own name of the market."""
    symbol: str
    """CCXT's unified symbol: `BTC/USDT`, `BTC/USDT:USDT`."""
    base: str
    quote: str
    settle: str | None = None
    base_id: str | None = None
    quote_id: str | None = None
    settle_id: str | None = None
    type: str
    """`spot`, `swap`, `future`, `option`; rarely another word of CCXT's."""
    sub_type: str | None = None
    """`linear` (settled in the quote currency) or `inverse` (in the base currency); None on spot."""
    margin: bool | None = None
    """Whether the exchange lends on it."""
    active: bool | None = None
    """Whether it trades now; None: the exchange does not say."""
    contract_size: Amount | None = None
    """What one contract holds, in base currency (linear) or quote currency (inverse)."""
    expiry_ms: int | None = None
    strike: Amount | None = None
    option_type: str | None = None
    taker: Amount | None = None
    """Fee as a fraction: 0.001 is 0.1 %."""
    maker: Amount | None = None
    """Fee as a fraction; negative for a rebate."""
    fee_side: str | None = None
    """Which currency the fee is taken in: `get`, `give`, `base`, `quote`."""
    precision: Precision = Precision()
    limits: Limits = Limits()
    margin_modes: MarginModes = MarginModes()
    created_ms: int | None = None
    raw: RawPayload = None

    @property
    def spot(self) -> bool:
        """True on a spot market."""
        return self.type == "spot"

    @property
    def swap(self) -> bool:
        """True on a perpetual."""
        return self.type == "swap"

    @property
    def future(self) -> bool:
        """True on a future with an expiry."""
        return self.type == "future"

    @property
    def option(self) -> bool:
        """True on an option."""
        return self.type == "option"

    @property
    def index(self) -> bool:
        """True on an index, which does not trade."""
        return self.type == "index"

    @property
    def contract(self) -> bool:
        """True on any derivative."""
        return self.type in ("swap", "future", "option")

    @property
    def linear(self) -> bool | None:
        """Whether a derivative settles in its quote currency; None on spot."""
        return self.sub_type == "linear" if self.contract else None

    @property
    def inverse(self) -> bool | None:
        """Whether a derivative settles in its base currency; None on spot."""
        return self.sub_type == "inverse" if self.contract else None

    @property
    def expiry_datetime(self) -> str | None:
        """`expiry_ms` as ISO 8601 text in UTC."""
        return iso8601(self.expiry_ms)

    def amount_for(self, cost: AmountLike, price: AmountLike) -> Amount:
        """The most of the base currency that `cost` in quote currency pays for at `price`, on the market's steps.

        On an inverse derivative too the answer is what `amount` of an order means: contracts.

        Raises:
            InvalidOrder: it is less or more than the market takes in one order; the hint says what it takes.
        """
        from planar.models.sizing import amount_for

        return amount_for(self, Amount(cost), Amount(price))

    def suggest(self, amount: AmountLike, price: AmountLike | None = None) -> Suggestion:
        """The valid amount and price nearest to these; nothing is ever rounded unless you ask for it here."""
        from planar.models.sizing import suggest

        return suggest(self, Amount(amount), None if price is None else Amount(price))

    @property
    def lowercase_id(self) -> str:
        """`id` in lower case, as some streams name it."""
        return self.id.lower()


class Suggestion(Model, frozen=True, gc=False):
    """A valid order near to what was wished.

    `changes` says in words what was changed, and by which rule; empty if the wish is valid as it is.
    """

    amount: Amount
    price: Amount | None = None
    changes: tuple[str, ...] = ()


class CurrencyLimits(Model, frozen=True, gc=False):
    """The bounds of amounts, deposits and withdrawals of a currency."""

    amount: MinMax = MinMax()
    deposit: MinMax = MinMax()
    withdraw: MinMax = MinMax()


class Network(Sourced, frozen=True, kw_only=True, gc=False):
    """One chain on which a currency can be deposited or withdrawn."""

    _shown: ClassVar[tuple[str, ...]] = ("network", "id", "deposit", "withdraw", "fee")

    id: str | None = None
    network: str | None = None
    name: str | None = None
    active: bool | None = None
    deposit: bool | None = None
    withdraw: bool | None = None
    fee: Amount | None = None
    """Withdrawal fee, in the currency."""
    precision: Amount | None = None
    limits: CurrencyLimits = CurrencyLimits()
    raw: RawPayload = None


class Currency(Sourced, frozen=True, kw_only=True, gc=False):
    """One currency, as `fetch_currencies` gives it."""

    _shown: ClassVar[tuple[str, ...]] = ("code", "id", "name", "active", "deposit", "withdraw", "fee")

    id: str | None = None
    """The exchange's own name of the currency."""
    code: str
    """CCXT's unified code."""
    numeric_id: int | None = None
    name: str | None = None
    type: str | None = None
    """`crypto`, `fiat` or another word of CCXT's."""
    active: bool | None = None
    deposit: bool | None = None
    withdraw: bool | None = None
    fee: Amount | None = None
    precision: Amount | None = None
    """The smallest step of an amount."""
    limits: CurrencyLimits = CurrencyLimits()
    networks: dict[str, Network] = msgspec.field(default_factory=dict[str, Network])
    raw: RawPayload = None
