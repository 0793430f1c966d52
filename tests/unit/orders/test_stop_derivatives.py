"""A stop on an exchange with derivatives says what it cannot speak for; limits on positions refuse both sides there."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from planar.adapters.base import OrderRequest
from planar.config.limits import limits as parsed
from planar.errors import LimitExceeded, NotSupported
from planar.exchange.safety import SafetyMethods
from planar.models import Amount, Market, Position
from planar.orders.journal import Journal
from planar.orders.limits import OrderLimits, Sight, Surroundings
from planar.orders.store import OrderStore

SPOT = Market(id="a", symbol="BTC/USDT", base="BTC", quote="USDT", type="spot")
SWAP = Market(id="b", symbol="BTC/USDT:USDT", base="BTC", quote="USDT", settle="USDT", type="swap")


class Account(SafetyMethods):
    """The part of an exchange that is asked here."""

    def __init__(self, markets: list[Market], positions: Any) -> None:
        self._markets = {one.symbol: one for one in markets}
        self._positions = positions

    async def fetch_positions(self, *args: Any, **options: Any) -> Any:
        if isinstance(self._positions, Exception):
            raise self._positions
        return self._positions


def test_without_derivatives_nothing_is_left_open() -> None:
    assert Account([SPOT], [])._beyond_spot() == []


def test_orders_in_derivatives_are_not_verified() -> None:
    (left,) = Account([SPOT, SWAP], [])._beyond_spot()
    assert left.what == "orders in swap markets"
    assert "cancel_all_orders" in left.reason


async def test_positions_are_told_or_said_to_be_unknown() -> None:
    held = [
        Position(symbol="BTC/USDT:USDT", side="short", contracts=Amount("1.5")),
        Position(symbol="ETH/USDT:USDT", contracts=Amount(0)),
    ]
    (left,) = await Account([SPOT, SWAP], held)._positions_left()
    assert left.what == "short 1.5 BTC/USDT:USDT"
    (left,) = await Account([SPOT, SWAP], NotSupported("it has no such list"))._positions_left()
    assert (left.what, "not known" in left.reason) == ("positions", True)
    assert await Account([SPOT], RuntimeError("not to be asked"))._positions_left() == []


@pytest.mark.parametrize("side", ["buy", "sell"])
def test_a_limit_on_a_position_refuses_both_sides_of_a_derivative(side: str, tmp_path: Path) -> None:
    unused: Any = SimpleNamespace()
    around = Surroundings(
        market=lambda symbol: SWAP,
        find_market=lambda base, quote: None,
        price=lambda symbol: None,
        book=unused,
        balance=unused,
        others=lambda: 0,
        place=lambda: "user/planar.toml:7",
    )
    limits = OrderLimits("x", parsed({"max_position": {"BTC": 1}}), OrderStore(Journal(tmp_path / "j.db")), around)
    with pytest.raises(LimitExceeded, match="derivatives"):
        limits.admit(OrderRequest("", SWAP.symbol, side, "market", amount=Amount("0.1")), Sight())
