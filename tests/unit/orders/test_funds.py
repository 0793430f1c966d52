"""What orders bind, and which orders the account certainly cannot pay for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import planar.runtime as runtime
from planar.adapters.base import OrderRequest
from planar.errors import InsufficientFunds, Outcome
from planar.models import AccountBalance, Amount, Balance, Market
from planar.models.market import Limits, Precision
from planar.orders.events import Acked, Intent, Seen, Sending, Unknown
from planar.orders.funds import FRESH_S, Funds
from planar.orders.journal import Journal
from planar.orders.store import OrderStore

MARKET = Market(
    id="BTCUSDT",
    symbol="BTC/USDT",
    base="BTC",
    quote="USDT",
    type="spot",
    active=True,
    taker=Amount("0.01"),
    maker=Amount("0.005"),
    precision=Precision(amount=Amount("0.001"), price=Amount("0.1")),
    limits=Limits(),
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[OrderStore]:
    journal = Journal(tmp_path / "x.db")
    journal.open()
    yield OrderStore(journal)
    journal.close()


def funds_of(store: OrderStore) -> Funds:
    funds = Funds("x", store, fees_on_top=True, settle_ms=1_000)
    funds.market_of = lambda symbol: MARKET if symbol == MARKET.symbol else None
    return funds


def balance(**free: str) -> AccountBalance:
    return AccountBalance(balances={code: Balance(free=Amount(value)) for code, value in free.items()})


def buy(amount: str = "1", price: str = "100", **more: object) -> OrderRequest:
    return OrderRequest("", "BTC/USDT", "buy", "limit", amount=Amount(amount), price=Amount(price), **more)  # type: ignore[arg-type]


def intend(store: OrderStore, name: str, amount: str = "1", side: str = "buy") -> None:
    store.record(
        Intent(
            client_id=name,
            wall_ms=runtime.wall_ms(),
            symbol="BTC/USDT",
            side=side,
            type="limit",
            amount=Amount(amount),
            price=Amount(100),
        )
    )


def test_what_is_certainly_too_much_is_refused_with_all_numbers(store: OrderStore) -> None:
    funds = funds_of(store)
    funds.fetched(balance(USDT="150", BTC="0"), runtime.monotonic())
    funds.admit(buy())
    intend(store, "a")
    with pytest.raises(InsufficientFunds) as caught:
        funds.admit(buy())
    assert caught.value.outcome is Outcome.NOT_SENT
    assert "needs 100 USDT; 150 are free, of which 100 are reserved" in caught.value.message
    assert funds.reserved() == {"USDT": Amount("101.00")}
    funds.admit(buy("0.5"))
    with pytest.raises(InsufficientFunds, match="needs 1 BTC"):
        funds.admit(OrderRequest("", "BTC/USDT", "sell", "market", amount=Amount(1)))
    with pytest.raises(InsufficientFunds, match="needs 51 USDT"):
        funds.admit(OrderRequest("", "BTC/USDT", "buy", "market", cost=Amount(51)))


@pytest.mark.parametrize(
    "request_",
    [
        OrderRequest("", "BTC/USDT", "buy", "market", amount=Amount(9)),
        OrderRequest("", "BTC/USDT", "sell", "limit", amount=Amount(9), price=Amount(1), stop_price=Amount(1)),
        OrderRequest("", "BTC/USDT", "sell", "limit", amount=Amount(9), price=Amount(1), params={"leverage": 2}),
        OrderRequest("", "BTC/USDT", "buy", "limit", amount=Amount(9), price=Amount(99), replaces="1"),
        OrderRequest("", "ETH/USDT", "buy", "limit", amount=Amount(9), price=Amount(99)),
        OrderRequest("", "BTC/USDT", "buy", "limit", amount=Amount(1), price=Amount(10)),
    ],
)
def test_what_cannot_be_told_is_the_exchanges_to_decide(store: OrderStore, request_: OrderRequest) -> None:
    funds = funds_of(store)
    funds.fetched(balance(USDT="10", BTC="0"), runtime.monotonic())
    funds.admit(request_)


def test_an_old_balance_a_lost_stream_and_freed_funds_refuse_nothing(store: OrderStore, caplog) -> None:
    funds = funds_of(store)
    funds.admit(buy())
    funds.fetched(balance(USDT="1"), runtime.monotonic() - FRESH_S - 1)
    funds.admit(buy())
    assert "needs 100 USDT" in caplog.text
    funds.told(balance(USDT="1"))
    funds.admit(buy())
    funds.listening = lambda: True
    with pytest.raises(InsufficientFunds):
        funds.admit(buy())
    intend(store, "sold", side="sell")
    store.record(Acked(client_id="sold", wall_ms=1, order_id="1"))
    with pytest.raises(InsufficientFunds):
        funds.admit(buy())
    store.record(Seen(client_id="sold", wall_ms=1, order_id="1", state="filled", filled=Amount(1)))
    funds.admit(buy())
    funds.told(balance(USDT="1"))
    funds.admit(buy())  # it may be from before the fill
    funds.forget()
    funds.admit(buy())


def test_reservations_follow_an_order_to_its_end(store: OrderStore) -> None:
    funds = funds_of(store)
    intend(store, "a", "2")
    assert funds.reserved() == {"USDT": Amount("202.00")}
    store.record(Sending(client_id="a", wall_ms=1, expiry_ms=5))
    store.record(Unknown(client_id="a", wall_ms=1))
    funds.fetched(balance(USDT="250"), runtime.monotonic())
    assert funds.reserved() == {"USDT": Amount("202.00")}
    with pytest.raises(InsufficientFunds):
        funds.admit(buy())  # nobody knows whether the venue has the other one
    store.record(Seen(client_id="a", wall_ms=1, order_id="1", state="open", filled=Amount(1)))
    funds.fetched(balance(USDT="0"), runtime.monotonic())
    assert funds.reserved() == {}
