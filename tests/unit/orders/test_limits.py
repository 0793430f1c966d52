"""Limits of an account: what they refuse, in which words, and that no two orders pass one together."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import planar.runtime as runtime
from planar.adapters.base import OrderRequest
from planar.config.limits import limits as parsed
from planar.config.values import Wrong
from planar.errors import ExchangeNotAvailable, LimitExceeded, Outcome
from planar.models import AccountBalance, Amount, Balance, Market, Order, OrderBook, OrderState
from planar.orders.events import Intent, NotSent
from planar.orders.journal import Journal
from planar.orders.limits import OrderLimits, Surroundings
from planar.orders.store import OrderStore

BOOK = OrderBook(symbol="BTC/USDT", bids=((99.0, 1.0), (98.0, 9.0)), asks=((101.0, 1.0), (120.0, 9.0)))


def market(symbol: str = "BTC/USDT", **more: Any) -> Market:
    base, quote = symbol.split(":")[0].split("/")
    return Market(id=symbol, symbol=symbol, base=base, quote=quote, **({"type": "spot"} | more))


class World:
    """What the limits ask for, under the test's command."""

    def __init__(self, path: Path, **written: Any) -> None:
        self.journal = Journal(path / "j.db")
        self.journal.open()
        self.store = OrderStore(self.journal)
        self.price: dict[str, Amount] = {}
        self.markets = {one.symbol: one for one in (market(), market("ETH/BTC"), market("BTC/EUR"))}
        self.held = Amount(0)
        self.others = 0
        self.down = False
        self.asked: list[str] = []
        self.number = 0
        around = Surroundings(
            market=self.markets.__getitem__,
            find_market=lambda base, quote: self.markets.get(f"{base}/{quote}"),
            price=self.price.get,
            book=self.book,
            balance=self.balance,
            others=lambda: self.others,
            place=lambda: "user/planar.toml:7",
        )
        self.limits = OrderLimits("binance", parsed(written), self.store, around)

    async def book(self, symbol: str, depth: int) -> OrderBook:
        self.asked.append(symbol)
        if self.down:
            raise ExchangeNotAvailable("it answers nothing", outcome=Outcome.NOT_SENT)
        return msgspec.structs.replace(BOOK, symbol=symbol)

    async def balance(self) -> AccountBalance:
        self.asked.append("balance")
        held = self.held
        await asyncio.sleep(0)
        return AccountBalance(balances={"BTC": Balance(total=held, free=held)})

    async def send(self, wish: OrderRequest) -> str:
        """As the manager does it: look, then admit and journal in one step."""
        sight = await self.limits.look(wish)
        self.limits.admit(wish, sight)
        self.number += 1
        name = f"o{self.number}"
        self.store.record(
            Intent(
                name,
                runtime.wall_ms(),
                symbol=wish.symbol,
                side=wish.side,
                type=wish.type,
                amount=wish.amount,
                price=wish.price,
                cost=wish.cost,
            )
        )
        return name


def order(amount: str | None = "1", price: str | None = "100", side: str = "buy", **more: Any) -> OrderRequest:
    number = Amount(amount) if amount is not None else None
    limit = Amount(price) if price is not None else None
    kind = "market" if price is None else "limit"
    return OrderRequest(
        **({"client_id": "", "symbol": "BTC/USDT", "side": side, "type": kind, "amount": number, "price": limit} | more)
    )


REFUSED: dict[str, tuple[dict[str, Any], OrderRequest, str]] = {
    "value": (
        {"max_order_value": "99 USDT"},
        order(),
        "max_order_value allows 99 USDT, and the order is worth 100 USDT",
    ),
    "value of a cheap sell": ({"max_order_value": "99 USDT"}, order(price="1", side="sell"), "worth 100 USDT"),
    "value by the book": ({"max_order_value": "200 USDT"}, order("2", None), "worth 221 USDT"),
    "value of a cost": ({"max_order_value": "10 USDT"}, order(None, None, cost=Amount(11)), "worth 11 USDT"),
    "value in another currency": (
        {"max_order_value": "0.5 BTC"},
        order("10", "0.1", symbol="ETH/BTC"),
        "the order is worth 1 BTC",
    ),
    "value without a rate": ({"max_order_value": "9 DOGE"}, order(), "no market tells what USDT is worth in DOGE"),
    "collar of a buy": ({"price_collar": "5%"}, order(price="106"), "106 is 6% above 100"),
    "collar of a sell": ({"price_collar": 0.05}, order(price="94", side="sell"), "94 is 6% below 100"),
    "collar by the book": ({"price_collar": "5%"}, order("2", None), "120 is 20% above 100"),
    "collar of an empty book": ({"price_collar": "5%"}, order("99", None), "the book shows only"),
    "collar of a stop": ({"price_collar": "5%"}, order(price="110", stop_price=Amount(100)), "110 is 10% above 100"),
    "position": ({"max_position": {"BTC": "0.5"}}, order(), "1 BTC would be held: 0 now, 1 by this order"),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_an_order_beyond_a_limit_is_refused_and_told_why(name: str, tmp_path: Path) -> None:
    written, wish, text = REFUSED[name]
    world = World(tmp_path, **written)
    with pytest.raises(LimitExceeded) as caught:
        await world.send(wish)
    assert text in caught.value.message
    assert caught.value.outcome is Outcome.NOT_SENT
    assert f"{next(iter(written))} in [binance.limits] (user/planar.toml:7)" in (caught.value.hint or "")
    assert list(world.journal.events()) == []


PASSED: dict[str, tuple[dict[str, Any], OrderRequest]] = {
    "value": ({"max_order_value": "100 USDT"}, order()),
    "far below the market": ({"price_collar": "5%"}, order(price="1")),
    "a dear sell": ({"price_collar": "5%"}, order(price="500", side="sell")),
    "a sell is no position": ({"max_position": {"BTC": "0.5"}}, order(side="sell")),
    "another currency": ({"max_position": {"ETH": "0.5"}}, order()),
    "another account": ({"main": {"max_order_value": "1 USDT"}}, order()),
}


@pytest.mark.parametrize("name", PASSED)
async def test_an_order_within_its_limits_passes(name: str, tmp_path: Path) -> None:
    written, wish = PASSED[name]
    await World(tmp_path, **written).send(wish)


async def test_a_known_price_costs_no_request_and_an_unknown_one_never_passes(tmp_path: Path) -> None:
    world = World(tmp_path, price_collar="5%", max_order_value="1000 USDT")
    world.price["BTC/USDT"] = Amount(100)
    await world.send(order())
    assert world.asked == []
    del world.price["BTC/USDT"]
    world.down = True
    with pytest.raises(LimitExceeded, match="the market's price is not known: it answers nothing"):
        await world.send(order())
    assert world.asked == ["BTC/USDT"]


async def test_orders_are_counted_open_and_by_the_minute(tmp_path: Path) -> None:
    world = World(tmp_path, max_open_orders=3, max_orders_per_minute=5)
    world.others = 1
    names = [await world.send(order()) for _ in range(2)]
    with pytest.raises(LimitExceeded, match="max_open_orders allows 3 orders, and 4 would be open"):
        await world.send(order())
    await world.send(order(replaces="17"))  # in the place of one that is open
    for name in [*names, "o3"]:
        gone = Order(client_order_id=name, symbol="BTC/USDT", side="buy", state=OrderState.CANCELED, status="canceled")
        world.store.observe(gone, "cancel")
    last = await world.send(order())
    world.store.record(NotSent(last, runtime.wall_ms(), reason="no time"))
    await world.send(order())
    await world.send(order(replaces="18"))
    with pytest.raises(LimitExceeded, match="max_orders_per_minute allows 5 orders, and this is number 6"):
        await world.send(order(replaces="19"))


async def test_what_was_bought_since_the_balance_was_asked_for_counts(tmp_path: Path) -> None:
    world = World(tmp_path, max_position={"BTC": "3"})
    first = await world.send(order())
    filled = Order(
        client_order_id=first, symbol="BTC/USDT", side="buy", state=OrderState.FILLED, status="closed", filled=Amount(1)
    )
    world.store.observe(filled, "stream")
    await world.send(order())
    await world.send(order())
    assert world.asked.count("balance") == 1
    world.held = Amount(1)
    with pytest.raises(LimitExceeded, match="4 BTC would be held: 1 now, 1 by this order"):
        await world.send(order())
    assert world.asked.count("balance") == 2


@settings(max_examples=60)
@given(
    amounts=st.lists(st.integers(1, 9), min_size=1, max_size=15),
    most=st.integers(1, 30),
    held=st.integers(0, 9),
    count=st.integers(1, 10),
)
def test_concurrent_orders_never_pass_a_limit_together(amounts: list[int], most: int, held: int, count: int) -> None:
    async def run(path: Path) -> None:
        world = World(path, max_position={"BTC": str(most)}, max_open_orders=count, max_orders_per_minute=count)
        world.held = Amount(held)
        found = await asyncio.gather(*(world.send(order(str(one))) for one in amounts), return_exceptions=True)
        passed = [one for one, got in zip(amounts, found, strict=True) if isinstance(got, str)]
        assert all(isinstance(one, str | LimitExceeded) for one in found)
        assert len(passed) <= count
        assert not passed or held + sum(passed) <= most
        if len(passed) < min(count, len(amounts)):  # none is refused that would have fitted
            refused = [one for one, got in zip(amounts, found, strict=True) if not isinstance(got, str)]
            assert held + sum(passed) + min(refused) > most
        world.journal.close()

    with tempfile.TemporaryDirectory() as path:
        asyncio.run(run(Path(path)))


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"max_order_value": 1000}, "an amount and its currency"),
    ({"max_order_value": "-5 USDT"}, "an amount and its currency"),
    ({"max_order_value": "5 $"}, "an amount and its currency"),
    ({"max_open_orders": 0}, "a whole number above 0"),
    ({"max_open_orders": True}, "a whole number above 0"),
    ({"max_position": {}}, "a table of amounts"),
    ({"max_position": {"BTC": "much"}}, "an amount above 0"),
    ({"price_collar": "500%"}, "more than 0% and less than 100%"),
    ({"price_collar": "x%"}, "more than 0% and less than 100%"),
    ({"max_orders": 5}, "has no limit max_orders"),
    ({"main": {"price_colar": "5%"}}, "has no limit main.price_colar"),
]


@pytest.mark.parametrize(("table", "text"), WRONG)
def test_a_wrong_limit_is_no_limit(table: dict[str, Any], text: str) -> None:
    with pytest.raises(Wrong, match=text):
        parsed(table)


def test_an_account_has_what_is_written_for_all_unless_it_says_otherwise() -> None:
    found = parsed({"max_open_orders": 5, "price_collar": "5%", "main": {"max_open_orders": 2}})
    assert (found.of("").max_open_orders, found.of("other").max_open_orders) == (5, 5)
    assert (found.of("main").max_open_orders, found.of("main").price_collar) == (2, Amount("0.05"))
