"""CCXT's short forms and other names of order methods on the local exchanges: each is the one order that it says."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from safety_kit import SYMBOL, local_of

import planar
from planar.errors import ArgumentsRequired, BadRequest, NotSupported, OrderNotFound, Outcome, PlanarError
from planar.exchange import Exchange
from planar.models import Amount, OrderState
from planar.testing.local_venue import LocalVenue, start_local_venue
from planar.venue.steering.clockwork import Freeze
from planar.venue.wire import LedgerQuery

VENUES = ("binance", "kraken")
AMOUNT, OTHER = Amount("0.002"), "ETH/USDT"


@pytest.fixture(scope="module")
def running() -> Iterator[LocalVenue]:
    with start_local_venue(VENUES, seed=23) as venue:
        for name in VENUES:
            venue.command(Freeze(), venue=name)
        yield venue


@pytest.fixture(params=VENUES)
async def exchange(
    request: pytest.FixtureRequest, running: LocalVenue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Exchange]:
    monkeypatch.setenv("PLANAR_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("PLANAR_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    async with planar.open(local_venue=local_of(running)) as opened:
        yield await opened.exchange(request.param, environment="local")


def row_of(running: LocalVenue, exchange: Exchange, client_id: str) -> dict[str, Any]:
    query = LedgerQuery(kind="orders", client_id=client_id)
    (row,) = running.control.ledger(query, venue=exchange.id)["orders"]
    return row


async def prices(exchange: Exchange, symbol: str = SYMBOL) -> tuple[float, float]:
    last = (await exchange.fetch_ticker(symbol)).last or 0.0
    return round(last * 0.9, 1), round(last * 1.1, 1)


async def test_each_short_form_is_the_order_that_it_says(exchange: Exchange, running: LocalVenue) -> None:
    below, above = await prices(exchange)
    sell = (SYMBOL, "market", "sell", AMOUNT, None)
    waits = {"kind": "stop_loss", "side": "sell", "stop_price": below}
    limit = {"kind": "stop_loss_limit", "price": below, "stop_price": below}
    forms: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
        ("create_stop_order", (*sell, below), waits),
        ("create_trigger_order", (*sell, below), waits),
        ("create_trigger_order", (SYMBOL, "limit", "sell", AMOUNT, below, below), limit),
        ("create_stop_market_order", (SYMBOL, "sell", AMOUNT, below), waits),
        ("create_stop_limit_order", (SYMBOL, "sell", AMOUNT, below, below), limit),
        ("create_stop_loss_order", (*sell, below), waits),
        ("create_take_profit_order", (*sell, above), {"kind": "take_profit", "stop_price": above}),
        ("create_trailing_percent_order", (*sell, "1.5"), {"kind": "stop_loss"}),
        ("create_post_only_order", (SYMBOL, "limit", "buy", AMOUNT, below), {"post_only": True, "price": below}),
        ("create_market_buy_order_with_cost", (SYMBOL, 50), {"kind": "market", "side": "buy", "quote_amount": 50}),
    ]
    if exchange.id == "binance":
        forms.append(("create_market_sell_order_with_cost", (SYMBOL, 50), {"side": "sell", "quote_amount": 50}))
    else:
        forms.append(("create_trailing_amount_order", (*sell, 100), {"kind": "stop_loss"}))
    for name, args, wanted in forms:
        assert exchange.can(name), name
        order = await getattr(exchange, name)(*args)
        row = row_of(running, exchange, order.client_order_id)
        for key, value in wanted.items():
            number = isinstance(value, int | float) and not isinstance(value, bool)
            assert (Amount(row[key]) == Amount(value)) if number else (row[key] == value), (name, key, row[key])
        if order.is_open and exchange.id == "binance":  # which limits how many stops are open
            await exchange.cancel_order(order.id, SYMBOL)


async def test_what_a_form_cannot_mean_is_refused_before_anything_is_sent(exchange: Exchange) -> None:
    below, _ = await prices(exchange)
    sell = (SYMBOL, "market", "sell", AMOUNT, None)
    sent = len(exchange.health.recent())
    cases: list[tuple[type[PlanarError], Any]] = [
        (ArgumentsRequired, exchange.create_stop_order(*sell)),
        (NotSupported, exchange.create_trailing_percent_order(*sell, "1.5", below)),
        (NotSupported, exchange.create_reduce_only_order(*sell)),
        (NotSupported, exchange.create_limit_buy_order(SYMBOL, AMOUNT, below, {"test": True})),
        (ArgumentsRequired, exchange.create_order_with_take_profit_and_stop_loss(*sell, below)),
        (BadRequest, exchange.create_order_with_take_profit_and_stop_loss(*sell[:4], below, below, below)),
        (BadRequest, exchange.cancel_orders_for_symbols([{"id": "1"}])),
        (ArgumentsRequired, exchange.fetch_order_with_client_order_id("mine")),
    ]
    for kind, call in cases:
        with pytest.raises(kind) as caught:
            await call
        assert caught.value.outcome is Outcome.NOT_SENT, caught.value
        assert caught.value.hint or kind is ArgumentsRequired
    assert len(exchange.health.recent()) == sent


async def test_orders_by_their_client_ids(exchange: Exchange) -> None:
    below, _ = await prices(exchange)
    order = await exchange.create_limit_buy_order(SYMBOL, AMOUNT, below)
    name = order.client_order_id
    assert (await exchange.fetch_order_with_client_order_id(name, SYMBOL)).id == order.id
    changed = await exchange.edit_order_with_client_order_id(name, SYMBOL, amount=AMOUNT / 2)
    assert changed.amount == AMOUNT / 2
    again = await exchange.edit_limit_buy_order(changed.id, SYMBOL, AMOUNT / 4)
    assert again.amount == AMOUNT / 4
    ended = await exchange.cancel_order_with_client_order_id(again.client_order_id, SYMBOL)
    assert ended.state is OrderState.CANCELED
    assert ended.id in {one.id for one in await exchange.fetch_canceled_orders(SYMBOL)}
    past = await exchange.fetch_canceled_and_closed_orders(SYMBOL)
    assert ended.id in {one.id for one in past}
    assert (past.made, {one.status for one in past} & {"open"}) == ("composed", set())


async def test_several_orders_each_with_its_own_end(exchange: Exchange) -> None:
    low, _ = await prices(exchange)
    other_low, _ = await prices(exchange, OTHER)
    one = await exchange.create_limit_buy_order(SYMBOL, AMOUNT, low)
    two = await exchange.create_limit_buy_order(OTHER, "0.05", other_low)
    bad, good = await exchange.edit_orders(
        [{"id": "OABCDE-12345-FGHIJK", "symbol": SYMBOL, "amount": 1}, {"id": one, "amount": AMOUNT / 2}]
    )
    assert isinstance(bad, PlanarError)
    assert not isinstance(good, PlanarError)
    assert good.amount == AMOUNT / 2
    ended = await exchange.cancel_orders_for_symbols(
        [
            {"id": good.id, "symbol": SYMBOL},
            {"clientOrderId": two.client_order_id, "symbol": OTHER},
            {"id": good.id, "symbol": OTHER},
        ]
    )
    assert [isinstance(each, PlanarError) or each.state for each in ended[:2]] == [OrderState.CANCELED] * 2
    assert isinstance(ended[2], OrderNotFound) or exchange.id == "kraken"  # whose ids need no symbol


async def test_an_entry_with_exits_is_a_bracket(exchange: Exchange) -> None:
    below, above = await prices(exchange)
    entry = round(below * 1.02, 1)
    wish = (SYMBOL, "limit", "buy", AMOUNT, entry, above, below)
    if exchange.id == "kraken":
        with pytest.raises(NotSupported, match="bracket") as caught:
            await exchange.create_order_with_take_profit_and_stop_loss(*wish)
        assert caught.value.outcome is Outcome.NOT_SENT
        return
    group = await exchange.create_order_with_take_profit_and_stop_loss(*wish)
    assert group.entry is not None
    assert (group.contingency, group.entry.price, group.entry.state) == ("bracket", Amount(str(entry)), OrderState.OPEN)
    await exchange.cancel_order(group.entry.id, SYMBOL)


@pytest.mark.parametrize("exchange", ["kraken"], indirect=True)
async def test_a_countdown_is_begun_anew_and_ended(exchange: Exchange) -> None:
    first = await exchange.cancel_all_orders_after(60_000)
    longer = await exchange.cancel_all_orders_after(120_000)
    assert (first.scope, longer.ends_ms - first.ends_ms >= 60_000) == ("venue", True)
    assert (await exchange.cancel_all_orders_after(0)).ends_ms is None
    with pytest.raises(BadRequest, match="timeout"):
        await exchange.cancel_all_orders_after(-1)
    asked = [one for one in exchange.health.recent() if "CancelAllOrdersAfter" in one.path]
    assert len(asked) == 3


async def test_asking_beforehand_tells_the_same(exchange: Exchange) -> None:
    binance = exchange.id == "binance"
    assert exchange.can("create_post_only_order").how == "native"
    assert bool(exchange.can("create_trailing_amount_order")) is not binance
    assert bool(exchange.can("create_market_sell_order_with_cost")) is binance
    assert bool(exchange.can("createOrderWithTakeProfitAndStopLoss")) is binance
    assert exchange.can("cancel_all_orders_after").how == ("composed" if binance else "native")
    assert exchange.can("edit_limit_order").how == exchange.can("edit_order").how
    assert not exchange.can("close_position")
    assert not exchange.can("create_reduce_only_order")
