"""Local Binances that lie, to see that the judges notice. `create` is a wire as `planar.venue` takes it.

Each lie is small: a last digit, one order of many, one event left out. Ledger and control API stay true.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from planar.venue.engine.enums import EventKind
from planar.venue.engine.types import NewOrder
from planar.venue.wire import Wire
from planar.venue.wire.binance import account, market_data, order_json, stream_json, trade, user_data
from planar.venue.wire.binance import create as create_true

LAST_DIGIT = Decimal("0.00000001")
EVERY = 5
"""A lie that is told not always is told every fifth time."""


class Times:
    """Counts, and says when it is time."""

    def __init__(self) -> None:
        self._count = 0

    def come(self) -> bool:
        """Whether this is one of the times."""
        self._count += 1
        return self._count % EVERY == 0


def create(*, seed: int, activity: bool) -> Wire:
    """A Binance that tells all lies."""
    lie_about_fills()
    lie_about_balances()
    lie_about_orders()
    place_twice()
    lie_about_reports()
    lie_about_the_market()
    return create_true(seed=seed, activity=activity)


def _after(module: Any, name: str, change: Callable[[Any], Any]) -> None:
    """Let a function of a module answer something else."""
    true = getattr(module, name)
    setattr(module, name, lambda *args, **kwargs: change(true(*args, **kwargs)))


def _more(text: str) -> str:
    return f"{Decimal(text) + LAST_DIGIT:.8f}"


def lie_about_fills() -> None:
    """Commissions in `myTrades` are greater by the last digit."""
    _after(order_json, "my_trade", lambda row: {**row, "commission": _more(row["commission"])})


def lie_about_balances() -> None:
    """What `account` shows is greater by the last digit, where there is anything."""
    _after(account, "amount", lambda text: _more(text) if Decimal(text) else text)


def lie_about_orders() -> None:
    """Some orders are shown as if they had been filled a little more."""
    times = Times()
    _after(
        order_json, "queried", lambda row: {**row, "executedQty": _more(row["executedQty"])} if times.come() else row
    )


def place_twice() -> None:
    """Some orders are placed twice."""
    times = Times()
    true = trade.submit

    def submit(desk: Any, request: Any) -> Any:
        new: NewOrder = request.new
        if new.stop_price is None and times.come():
            fields = {name: getattr(new, name) for name in new.__struct_fields__}
            desk.exchange.submit(NewOrder(**{**fields, "client_id": None}))
        return true(desk, request)

    trade.submit = submit


def lie_about_reports() -> None:
    """Some fills are never reported, and commissions are greater by the last digit."""
    times = Times()
    true = user_data.UserData.on_order

    def on_order(self: Any, event: Any, strategy: Any) -> None:
        if event.kind is not EventKind.TRADE or not times.come():
            true(self, event, strategy)

    user_data.UserData.on_order = on_order  # type: ignore[method-assign]


def lie_about_the_market() -> None:
    """One amount in some depth events, one price in candles, the volume of tickers."""
    times = Times()

    def change_level(build: Callable[[int], Any]) -> Callable[[int], Any]:
        if not times.come():
            return build

        def built(unit: int) -> Any:
            event = build(unit)
            for level in (event["b"] + event["a"])[:1]:
                level[1] = _more(level[1])
            return event

        return built

    _after(stream_json, "depth_update", change_level)
    _after(market_data, "_kline", lambda row: [*row[:4], f"{Decimal(row[4]) + 1:.8f}", *row[5:]])
    _after(stream_json, "mini_ticker", lambda build: lambda unit: {**build(unit), "v": _more(build(unit)["v"])})
