"""Exact numbers do not depend on the thread's decimal context, which CCXT changes for the whole process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_UP, ROUND_UP, Context, Decimal, localcontext

import pytest

from planar.adapters.base import OrderRequest
from planar.adapters.kinds import KindRow
from planar.adapters.kraken.executions import Executions
from planar.cli import output
from planar.errors import InvalidOrder
from planar.models import Amount, OrderBook
from planar.models.from_ccxt import market
from planar.orders.estimates import estimate
from planar.orders.rules import check_order
from planar.venue.engine.units import quotient
from planar.venue.wire.binance import formats

BTC = market(
    {
        "id": "BTCUSDT",
        "symbol": "BTC/USDT",
        "base": "BTC",
        "quote": "USDT",
        "type": "spot",
        "precision": {"amount": "0.00001", "price": "0.01"},
        "limits": {"cost": {"min": "5"}},
    }
)
BOOK = OrderBook(symbol="BTC/USDT", bids=(), asks=((60000.123456, 0.3333333), (60001.7654321, 2.7777777)))


@pytest.fixture(
    params=[
        Context(),
        Context(prec=6, rounding=ROUND_HALF_UP),
        Context(prec=4, rounding=ROUND_UP),
        Context(prec=9, rounding=ROUND_DOWN, Emax=8, Emin=-8),
        Context(prec=2, rounding=ROUND_FLOOR, traps=[]),
    ],
    ids=["plain", "half up", "up", "down", "floor"],
)
def ambient(request: pytest.FixtureRequest) -> Iterator[None]:
    """A context that the thread happens to have."""
    with localcontext(request.param):
        yield


def _hint(amount: str, price: str) -> str | None:
    request = OrderRequest(
        client_id="",
        symbol="BTC/USDT",
        side="buy",
        type="limit",  # type: ignore[arg-type]
        amount=Amount(amount),
        price=Amount(price),
    )
    with pytest.raises(InvalidOrder) as raised:
        check_order(request, BTC, "binance", {"limit": KindRow()})
    return raised.value.hint


def _executed() -> str:
    book = Executions()
    row = {
        "order_id": "O1",
        "symbol": "BTC/USD",
        "side": "buy",
        "order_type": "limit",
        "order_status": "filled",
        "order_qty": 3,
        "limit_price": 60000,
        "exec_type": "trade",
        "timestamp": "2026-01-01T00:00:00.000000Z",
        "exec_id": "T1",
        "last_qty": 3,
        "last_price": 58888.8,
        "cum_qty": 3,
        "cum_cost": "176666.6666666667",
    }
    order, _ = book.take(row, snapshot=False)
    assert order is not None
    return str(order["average"])


CASES: dict[str, tuple[Callable[[], object], object]] = {
    "sum": (lambda: str(Amount("12345678.123456789") + Amount("0.000000001")), "12345678.123456790"),
    "quotient": (lambda: str(Amount(2) / 3), "0." + "6" * 49 + "7"),
    "places": (
        lambda: f"{Amount('0.125'):.2f} {Amount('1234.5678'):.3f} {Amount('1234567.8'):f}",
        "0.12 1234.568 1234567.8",
    ),
    "round": (lambda: str(round(Amount("1234567.125"), 2)), "1234567.12"),
    "quantize": (lambda: str(Amount("1234567.125").quantize(Decimal("0.01"))), "1234567.12"),
    "whole": (lambda: str(Amount("1234567.5").to_integral_value()), "1234568"),
    "normalize": (lambda: str(Amount("1234567.100").normalize()), "1234567.1"),
    "compare": (lambda: Amount("1234567.1") < 1234567.15 < Amount("1234567.2"), True),
    "lot": (lambda: _hint("1234.567891", "60000"), "the nearest is 1234.56789"),
    "tick": (lambda: _hint("1", "60000.125"), "the nearest is 60000.12"),
    "least": (lambda: _hint("0.00001", "60000"), "at least 5 USDT, that is an amount of 0.00009"),
    "estimate": (lambda: str(estimate(_market_order(), BTC, BOOK).value), "60001.21810678806587"),
    "shown": (lambda: output.number(Decimal("1234567.10"), Decimal("0.001")), "1234567.100"),
    "average of Kraken": (_executed, "58888.8888888889"),
    "venue's quotient": (lambda: str(quotient(Decimal(2), Decimal(3))), "0." + "6" * 27 + "7"),
    "venue's percent": (lambda: formats.percent(Decimal("1.00005"), Decimal(10)), "10.001"),
    "venue's ratio": (lambda: formats.ratio8(Decimal(1), Decimal(3), Decimal(0)), "0.33333333"),
}


def _market_order() -> OrderRequest:
    return OrderRequest(client_id="", symbol="BTC/USDT", side="buy", type="market", amount=Amount(1))


@pytest.mark.usefixtures("ambient")
@pytest.mark.parametrize("name", CASES)
def test_it_is_the_same_in_every_context(name: str) -> None:
    compute, expected = CASES[name]
    assert compute() == expected
