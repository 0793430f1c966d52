"""Local Krakens that lie, to see that the judges notice. `create` is a wire as `planar.venue` takes it.

Each lie is small: a last digit, one order of many, one row left out. Ledger and control API stay true.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from judges.liars import Times
from planar.venue.wire import Wire
from planar.venue.wire.kraken import Settings, executions, order_json
from planar.venue.wire.kraken import create as create_true

LAST_DIGIT = Decimal("0.00000001")


def create(*, seed: int, activity: bool) -> Wire:
    """A Kraken that tells all lies."""
    lie_about_fills()
    lie_about_orders()
    lie_about_executions()
    return create_true(seed=seed, activity=activity, settings=Settings(call_limits=False))


def _more(text: str) -> str:
    return f"{Decimal(text) + LAST_DIGIT:.8f}"


def lie_about_fills() -> None:
    """Fees in TradesHistory are greater by the last digit."""
    true = order_json.trade
    order_json.trade = lambda *args: {**(row := true(*args)), "fee": _more(row["fee"])}


def lie_about_orders() -> None:
    """Some orders are shown as if they had been filled a little more."""
    times, true = Times(), order_json.order

    def order(*args: Any, **kwargs: Any) -> dict[str, Any]:
        row = true(*args, **kwargs)
        return {**row, "vol_exec": _more(row["vol_exec"])} if times.come() else row

    order_json.order = order


def lie_about_executions() -> None:
    """Some executions are never told of."""
    times, true = Times(), executions.PrivateFeed._publish

    def publish(self: Any, account: str, row: dict[str, Any]) -> None:
        if row["exec_type"] != "trade" or not times.come():
            true(self, account, row)

    executions.PrivateFeed._publish = publish  # type: ignore[method-assign]
