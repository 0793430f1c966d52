"""Markets and currencies from CCXT's dictionaries; the table of what is strict stands in `planar.models.from_ccxt`."""

from __future__ import annotations

from planar.models.amount import Amount
from planar.models.from_ccxt.reader import Reader
from planar.models.market import (
    Currency,
    CurrencyLimits,
    Limits,
    MarginModes,
    Market,
    MinMax,
    Network,
    Precision,
)

DECIMAL_PLACES = 2
SIGNIFICANT_DIGITS = 3
TICK_SIZE = 4
"""CCXT's numbers for `precisionMode`."""

_NO_BOUNDS = MinMax()


def market(data: object, *, precision_mode: int = TICK_SIZE, exchange: str | None = None) -> Market:
    """A market.

    Args:
        precision_mode: the exchange's `precisionMode` in CCXT. Decimal places become steps; significant digits stay
            digits, and `Precision.mode` says so.

    Raises:
        BadResponse: no id, symbol, base, quote or type.
    """
    r = Reader(data, "market", exchange)
    modes = r.inner("marginModes")
    return Market(
        id=r.identity("id"),
        symbol=r.identity("symbol"),
        base=r.identity("base"),
        quote=r.identity("quote"),
        settle=r.text("settle"),
        base_id=r.text("baseId"),
        quote_id=r.text("quoteId"),
        settle_id=r.text("settleId"),
        type=r.identity("type"),
        sub_type=_sub_type(r),
        margin=r.flag("margin"),
        active=r.flag("active"),
        contract_size=r.detail("contractSize"),
        expiry_ms=r.time_ms("expiry"),
        strike=r.detail("strike"),
        option_type=r.text("optionType"),
        taker=r.detail("taker"),
        maker=r.detail("maker"),
        fee_side=r.text("feeSide"),
        precision=_precision(r.inner("precision"), precision_mode),
        limits=_limits(r.inner("limits")),
        margin_modes=MarginModes(cross=modes.flag("cross"), isolated=modes.flag("isolated")),
        created_ms=r.time_ms("created"),
        raw=r.get("info"),
    )


def _sub_type(r: Reader) -> str | None:
    if named := r.text("subType"):
        return named
    if r.flag("linear"):
        return "linear"
    return "inverse" if r.flag("inverse") else None


def _precision(r: Reader, mode: int) -> Precision:
    return Precision(
        amount=_step(r, "amount", mode),
        price=_step(r, "price", mode),
        cost=_step(r, "cost", mode),
        base=_step(r, "base", mode),
        quote=_step(r, "quote", mode),
        mode="significant_digits" if mode == SIGNIFICANT_DIGITS else "tick_size",
    )


def _step(r: Reader, key: str, mode: int) -> Amount | None:
    value = r.detail(key)
    if value is not None and mode == DECIMAL_PLACES:
        return Amount(10) ** -value
    return value if value is not None and value > 0 else None


def _limits(r: Reader) -> Limits:
    return Limits(
        amount=_bounds(r.inner("amount")),
        price=_bounds(r.inner("price")),
        cost=_bounds(r.inner("cost")),
        leverage=_bounds(r.inner("leverage")),
        market=_bounds(r.inner("market")),
    )


def _bounds(r: Reader) -> MinMax:
    low, high = r.detail("min"), r.detail("max")
    return _NO_BOUNDS if low is None and high is None else MinMax(low, high)


def currency(data: object, *, exchange: str | None = None) -> Currency:
    """A currency with the networks on which it moves.

    Raises:
        BadResponse: no code.
    """
    r = Reader(data, "currency", exchange)
    networks = r.inner("networks")
    numeric_id = r.get("numericId")
    return Currency(
        id=r.text("id"),
        code=r.identity("code"),
        numeric_id=numeric_id if type(numeric_id) is int else None,
        name=r.text("name"),
        type=r.text("type"),
        active=r.flag("active"),
        deposit=r.flag("deposit"),
        withdraw=r.flag("withdraw"),
        fee=r.detail("fee"),
        precision=r.detail("precision"),
        limits=_currency_limits(r.inner("limits")),
        networks={name: _network(networks.inner(name)) for name in networks},
        raw=r.get("info"),
    )


def _network(r: Reader) -> Network:
    return Network(
        id=r.text("id"),
        network=r.text("network"),
        name=r.text("name"),
        active=r.flag("active"),
        deposit=r.flag("deposit"),
        withdraw=r.flag("withdraw"),
        fee=r.detail("fee"),
        precision=r.detail("precision"),
        limits=_currency_limits(r.inner("limits")),
        raw=r.get("info"),
    )


def _currency_limits(r: Reader) -> CurrencyLimits:
    return CurrencyLimits(
        amount=_bounds(r.inner("amount")), deposit=_bounds(r.inner("deposit")), withdraw=_bounds(r.inner("withdraw"))
    )
