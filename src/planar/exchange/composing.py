"""What an exchange lacks, built from what it has: the table of compositions and the methods that carry them out.

| asked for | native | else made of |
|---|---|---|
| several of something (`SEVERAL`) | one request | one request for each, a few at a time; an error per item |
| one of something (`SINGLE`) | one request | the table or list that holds it |
| bids and asks | one request | tickers, else books of one level |
| last prices | one request | tickers: last, else close, else the middle of bid and ask; never a zero |
| candles of a timeframe | one request | candles of the coarsest finer timeframe, else public trades |
| deposits and withdrawals | one request | the two lists |
| trades of an order | one request | own trades of the market with the order's id |
| trading fees | one request | the market's schedule, marked as estimated |

Each answer of many parts says how it was made (`made`); `exchange.how(method)` tells it before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, cast

from planar.adapters.unified import METHODS
from planar.errors import NotSupported, Outcome
from planar.exchange.answers import Made, Rows, Table
from planar.exchange.many import each
from planar.exchange.margin import MarginMethods

SEVERAL: Final[Mapping[str, str]] = {
    "fetch_tickers": "fetch_ticker",
    "fetch_order_books": "fetch_order_book",
    "fetch_mark_prices": "fetch_mark_price",
    "fetch_funding_rates": "fetch_funding_rate",
    "fetch_funding_intervals": "fetch_funding_interval",
    "fetch_open_interests": "fetch_open_interest",
    "fetch_leverages": "fetch_leverage",
    "fetch_leverage_tiers": "fetch_market_leverage_tiers",
    "fetch_margin_modes": "fetch_margin_mode",
    "fetch_all_greeks": "fetch_greeks",
    "fetch_deposit_addresses": "fetch_deposit_address",
    "fetch_deposit_withdraw_fees": "fetch_deposit_withdraw_fee",
    "fetch_cross_borrow_rates": "fetch_cross_borrow_rate",
    "fetch_isolated_borrow_rates": "fetch_isolated_borrow_rate",
}
"""Method for several -> method for one."""
SINGLE: Final[Mapping[str, str]] = {one: several for several, one in SEVERAL.items()}
NEEDS: Final[Mapping[str, tuple[str, ...]]] = {
    "fetch_bids_asks": ("fetch_tickers", "fetch_ticker", "fetch_order_book"),
    "fetch_last_prices": ("fetch_tickers", "fetch_ticker"),
    "fetch_ticker": ("fetch_order_book",),
    "fetch_tickers": ("fetch_order_book",),
    "fetch_position": ("fetch_positions",),
    "fetch_deposits_withdrawals": ("fetch_deposits",),
    "fetch_order_trades": ("fetch_my_trades",),
    "fetch_trading_fee": (),
    "fetch_trading_fees": (),
    "fetch_ohlcv": ("fetch_trades",),
}
"""Method -> those of which any suffices to make its answer; none is needed where the markets say it."""


def made_of(has: Callable[[str], bool | str | None], method: str) -> Made | None:
    """How a reading method would be answered; None if it would be refused.

    Args:
        has: whether the exchange has a method itself; None: nobody knows, so it is tried.
    """

    def maybe(one: str | None) -> bool:
        return one is not None and has(one) not in (False, "")

    if maybe(method):
        return "native"
    if maybe(SEVERAL.get(method)) or maybe(SINGLE.get(method)):
        return "composed"
    needs = NEEDS.get(method)
    if needs is None or (needs and not any(map(maybe, needs))):
        return None
    return "not atomic" if method == "fetch_deposits_withdrawals" else "composed"


class Composing(MarginMethods):
    """Which methods are answered natively, and those that the table makes of others."""

    # -- how -------------------------------------------------------------------------------------------------------
    def how(self, method: str) -> Made | None:
        """How a reading method would be answered; None if it would be refused."""
        return made_of(self._adapter.capabilities.can, method)

    def _has(self, method: str) -> bool | None:
        """True, False, or None if nobody knows."""
        found = self._adapter.capabilities.can(method)
        return found if found is None else bool(found)

    async def _ask(self, name: str, args: tuple[Any, ...], params: Mapping[str, Any], timeout_ms: int | None) -> Any:
        row = METHODS[name]
        try:
            found = await super()._ask(name, args, params, timeout_ms)
        except NotSupported as error:
            if error.outcome is not Outcome.NOT_SENT or row.write:
                raise
            return await self._composed(name, args, params, timeout_ms, error)
        if row.shape in ("many", "candles"):
            return Rows(found)
        return Table(found) if row.shape in ("table", "lists") else found

    async def _composed(
        self, name: str, args: tuple[Any, ...], params: Mapping[str, Any], timeout_ms: int | None, error: NotSupported
    ) -> Any:
        """The answer to `name` out of the method for one, or for several."""
        single, several = SEVERAL.get(name), SINGLE.get(name)
        if single is not None and single in METHODS and self._has(single) is not False:
            names = cast("list[str] | None", args[0] if args else None)
            if names is None:
                raise NotSupported(
                    f"{name} has no request for all, and which are wanted was not said",
                    exchange=self.id,
                    outcome=Outcome.NOT_SENT,
                    hint="name them: each is then asked for by itself",
                ) from error
            found, errors = await each(
                name,
                names,
                lambda one, left_ms: super(Composing, self)._ask(single, (one,), params, left_ms),
                timeout_ms=timeout_ms,
            )
            return Table(found, "composed", errors)
        if several is not None and several in METHODS and self._has(several) is not False and args:
            table = await super()._ask(several, ([args[0]],), params, timeout_ms)
            if args[0] not in table:
                raise NotSupported(f"{several} does not tell of {args[0]}", exchange=self.id) from error
            return table[args[0]]
        raise error
