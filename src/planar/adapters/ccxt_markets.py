"""The tables that a CCXT instance keeps of its exchange (`markets`, `markets_by_id`, `currencies`, ...), filled without
building all of them.

`capture` takes them from an instance that has loaded its markets; `market_file` keeps them; `install` puts them into
another instance of the same exchange. The dicts that it installs know all their keys and make a value when it is asked
for, so a program that trades ten markets out of three thousand pays for ten. CCXT's own code and users' code see dicts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Protocol, cast

import msgspec

from planar.adapters.symbols import Listing
from planar.models import Market, from_ccxt

NAME_FIELDS = ("altname", "wsId")
"""Fields of CCXT's market structure that hold a further name of the venue for the market."""

LEARNED_OPTIONS = (
    "networks",
    "networksById",
    "networkNamesByChainIds",
    "networkChainIdsByNames",
    "spotCurrencyMapping",
)
"""Options that CCXT's classes fill while they load markets and read later; besides those that an exchange lists itself
in its option `marketHelperProps`. Only these are kept: other options can hold what belongs to an account."""


class CcxtMarkets(Protocol):
    """The part of a CCXT exchange that has to do with its markets."""

    id: str
    has: dict[str, Any]
    options: dict[str, Any]
    requiredCredentials: dict[str, bool]
    precisionMode: int
    markets: dict[str, Any] | None
    markets_by_id: dict[str, Any] | None
    symbols: list[str] | None
    ids: list[str] | None
    currencies: dict[str, Any]
    currencies_by_id: dict[str, Any] | None
    codes: list[str] | None
    commonCurrencies: dict[str, str]


class Undecoded:
    """Stands where a value has not been made yet. Nothing can serialise it, so code that reads a dict past its methods
    (orjson, msgspec) fails instead of writing something else than the dict's content."""

    def __repr__(self) -> str:
        return "<undecoded>"


UNDECODED = Undecoded()


_found: Callable[[dict[str, Any], str], Any] = dict[str, Any].__getitem__
"""What a dict itself has under a key: `super()` costs as much again, and CCXT looks up currencies by the dozen."""


class DeferredDict(dict[str, Any]):
    """A dict whose content, or a part of it, is made on the first look. Copies and pickles are plain dicts."""

    def fill(self) -> None:
        """Make all of the content. Methods that look at all of it call this first."""
        raise NotImplementedError

    def __reduce__(self) -> tuple[Any, ...]:
        return dict, (dict(self),)


def _after_filling(name: str) -> Callable[..., Any]:
    native = getattr(dict[str, Any], name)

    def method(self: DeferredDict, /, *args: Any, **kwargs: Any) -> Any:
        for value in (self, *args):  # the native methods look into another dict past its methods
            if isinstance(value, DeferredDict):
                value.fill()
        return native(self, *args, **kwargs)

    method.__name__ = name
    return method


_LOOK_AT_ALL = (
    "__eq__", "__ne__", "__repr__", "__or__", "__ror__", "copy", "items", "pop", "popitem", "setdefault", "values",
)  # fmt: skip
_LOOK_AT_SOME = (
    "__contains__", "__delitem__", "__getitem__", "__ior__", "__iter__", "__len__", "__reversed__", "__setitem__",
    "clear", "get", "keys", "update",
)  # fmt: skip

for _name in _LOOK_AT_ALL:
    setattr(DeferredDict, _name, _after_filling(_name))


class LazyDict(DeferredDict):
    """All keys are there; a value is made when it is first asked for, and kept.

    Args:
        keys: in their order.
        make: key -> value.
    """

    def __init__(self, keys: Iterable[str], make: Callable[[str], Any]) -> None:
        super().__init__(dict.fromkeys(keys, UNDECODED))
        self._make = make
        self._filled = False

    def __getitem__(self, key: str) -> Any:
        value: Any = _found(self, key)
        if value is UNDECODED:
            value = self._make(key)
            super().__setitem__(key, value)
        return value

    def get(self, key: str, default: Any = None) -> Any:
        return self[key] if key in self else default  # noqa: SIM401 (this is what `get` does)

    def __iter__(self) -> Iterator[str]:
        # Overridden for its existence: without it `dict(x)` and `{**x}` copy the values past `__getitem__`.
        return super().__iter__()

    def fill(self) -> None:
        if not self._filled:
            for key in self:
                self[key]
            self._filled = True


class RawInfo(DeferredDict):
    """The `info` of a market: the venue's own JSON object, decoded on the first look.

    Attributes:
        raw: the JSON; None when it has been decoded, and may have been changed since.
    """

    def __init__(self, raw: memoryview) -> None:
        # An entry of its own, since some code takes a dict of length 0 for empty without asking it.
        super().__init__(cast("dict[str, Any]", {UNDECODED: UNDECODED}))
        self.raw: memoryview | None = raw

    def fill(self) -> None:
        if self.raw is not None:
            content = msgspec.json.decode(self.raw, type=dict[str, Any])
            dict[str, Any].update(self, content)
            dict[str, Any].pop(self, cast(str, UNDECODED), None)
            self.raw = None


for _name in _LOOK_AT_SOME:
    setattr(RawInfo, _name, _after_filling(_name))


class CcxtTables(msgspec.Struct):
    """What a CCXT instance knows of its exchange's markets; the names are CCXT's.

    Attributes:
        learned: options that were filled while the markets were loaded.
        common_currencies: the venue's currency codes -> the unified ones.
    """

    markets: dict[str, Any]
    markets_by_id: dict[str, Any]
    symbols: list[str]
    ids: list[str]
    currencies: dict[str, Any]
    currencies_by_id: dict[str, Any]
    codes: list[str]
    learned: dict[str, Any]
    common_currencies: dict[str, str]


class Captured(msgspec.Struct):
    """The tables of an instance that has loaded its markets.

    Attributes:
        tables: the instance's own dicts.
        listing: their columns.
        rows: row -> market, as numbered in `listing`.
        precision_mode: CCXT's `precisionMode`.
    """

    tables: CcxtTables
    listing: Listing
    rows: list[dict[str, Any]]
    precision_mode: int


def has_credentials(exchange: CcxtMarkets) -> bool:
    """Whether an instance holds any credential, so that what it fetched may tell of an account."""
    return any(getattr(exchange, name, None) for name in exchange.requiredCredentials)


def capture(exchange: CcxtMarkets) -> Captured:
    """The tables of an instance that has loaded its markets.

    CCXT keeps a market twice: in `markets` with all defaults, in `markets_by_id` without. Both are the former here.

    Where the instance holds credentials, `info` of the currencies is left out: some venues put balances there.
    """
    markets, by_id = exchange.markets or {}, exchange.markets_by_id or {}
    listing = Listing([], [], [], [], [], {}, {}, len(markets))
    rows: list[dict[str, Any]] = []
    for market in markets.values():
        _add_row(rows, listing, market)
    row_of = {symbol: row for row, symbol in enumerate(markets)}
    for market_id, entries in by_id.items():
        found = listing.by_id.setdefault(market_id, [])
        for entry in entries:
            same = markets.get(entry["symbol"])
            if same is None or same["id"] != entry["id"]:  # another market has taken its symbol
                found.append(_add_row(rows, listing, entry))
            else:
                found.append(row_of[entry["symbol"]])
    currencies = exchange.currencies
    if has_credentials(exchange):
        currencies = {code: _without_info(currency) for code, currency in currencies.items()}
    tables = CcxtTables(
        markets=markets,
        markets_by_id={market_id: [rows[row] for row in found] for market_id, found in listing.by_id.items()},
        symbols=exchange.symbols or [],
        ids=exchange.ids or [],
        currencies=currencies,
        currencies_by_id={i: currencies.get(c["code"], c) for i, c in (exchange.currencies_by_id or {}).items()},
        codes=exchange.codes or [],
        learned={name: exchange.options[name] for name in learned_options(exchange) if exchange.options.get(name)},
        common_currencies=exchange.commonCurrencies,
    )
    return Captured(tables, listing, rows, exchange.precisionMode)


def _add_row(rows: list[dict[str, Any]], listing: Listing, market: dict[str, Any]) -> int:
    row = len(rows)
    rows.append(market)
    listing.symbols.append(market["symbol"])
    listing.ids.append(str(market["id"]))
    listing.types.append(market["type"])
    listing.sub_types.append(market.get("subType"))
    listing.active.append(market.get("active"))
    for field in NAME_FIELDS:
        name = market.get(field)
        if name is not None:
            listing.other_names.setdefault(name, row)
    return row


def _without_info(currency: Mapping[str, Any]) -> dict[str, Any]:
    networks: Any = currency.get("networks")
    bare = {key: value for key, value in currency.items() if key != "info"} | {"info": None}
    if isinstance(networks, dict):
        entries = cast("dict[str, Any]", networks).items()
        bare["networks"] = {n: {**v, "info": None} if isinstance(v, dict) and "info" in v else v for n, v in entries}
    return bare


def learned_options(exchange: CcxtMarkets) -> list[str]:
    """The names of the options that belong to an exchange's markets."""
    return [*LEARNED_OPTIONS, *(exchange.options.get("marketHelperProps") or ())]


def install(tables: CcxtTables, exchange: CcxtMarkets) -> None:
    """Give an instance its markets: what `load_markets` would leave there, and its answer from then on.

    Several instances may share the same tables, as with CCXT's `set_markets_from_exchange`.
    """
    exchange.markets = tables.markets
    exchange.markets_by_id = tables.markets_by_id
    exchange.symbols = tables.symbols
    exchange.ids = tables.ids
    exchange.currencies = tables.currencies
    exchange.currencies_by_id = tables.currencies_by_id
    exchange.codes = tables.codes
    exchange.commonCurrencies = {**tables.common_currencies, **exchange.commonCurrencies}
    for name, value in tables.learned.items():
        own = exchange.options.get(name)
        # what a user wrote into an option of this instance stands
        mergeable = isinstance(own, dict) and not isinstance(value, LazyDict)
        exchange.options[name] = {**value, **cast("dict[str, Any]", own)} if mergeable else value
    _accept_lazy_dicts(exchange)


def _accept_lazy_dicts(exchange: CcxtMarkets) -> None:
    """CCXT turns a dict into the list of its values only if its type is `dict` itself. These helpers do it for a
    `LazyDict` too; everything else passes to CCXT's own."""
    for name in ("to_array", "filter_by", "filterBy", "group_by", "groupBy"):
        native: Callable[..., Any] = getattr(type(exchange), name)

        def helper(array: Any, *args: Any, native: Callable[..., Any] = native) -> Any:
            return native(list(array.values()) if isinstance(array, LazyDict) else array, *args)

        setattr(exchange, name, helper)


class MarketTable(Mapping[str, Market]):
    """Markets by unified symbol as models; each is made when it is first asked for.

    Args:
        exchange: the exchange's id, for errors.
        markets: CCXT's dictionaries by symbol.
        precision_mode: CCXT's `precisionMode`.
    """

    def __init__(self, exchange: str, markets: Mapping[str, Any], precision_mode: int) -> None:
        self._exchange = exchange
        self._source = markets
        self._precision_mode = precision_mode
        self._made: dict[str, Market] = {}

    def __getitem__(self, symbol: str) -> Market:
        market = self._made.get(symbol)
        if market is None:
            data = self._source[symbol]
            info = data.get("info")
            if isinstance(info, RawInfo) and info.raw is not None:
                data = {**data, "info": msgspec.Raw(bytes(info.raw))}  # the model decodes it when it is asked for
            market = from_ccxt.market(data, precision_mode=self._precision_mode, exchange=self._exchange)
            self._made[symbol] = market
        return market

    def __contains__(self, symbol: object) -> bool:
        return symbol in self._source

    def __iter__(self) -> Iterator[str]:
        return iter(self._source)

    def __len__(self) -> int:
        return len(self._source)
