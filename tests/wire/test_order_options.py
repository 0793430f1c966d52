"""Parameters of orders beside their kind: each that is asked for is in the exchange's record, or the order was refused."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from safety_kit import SYMBOL, local_of

import planar
from planar.errors import BadRequest, NotSupported, Outcome, PlanarError
from planar.exchange import Exchange
from planar.testing.local_venue import LocalVenue, start_local_venue
from planar.venue.steering.clockwork import Freeze

VENUES = ("binance", "kraken")
ARRIVE: dict[str, list[tuple[dict[str, Any], dict[str, str]]]] = {
    "binance": [
        ({"icebergAmount": "0.001"}, {"icebergQty": "0.00100000"}),
        ({"icebergQty": "0.001"}, {"icebergQty": "0.00100000"}),
        ({"selfTradePrevention": "EXPIRE_TAKER"}, {"selfTradePreventionMode": "EXPIRE_TAKER"}),
        ({"selfTradePreventionMode": "EXPIRE_MAKER"}, {"selfTradePreventionMode": "EXPIRE_MAKER"}),
        ({"strategyId": 7, "strategyType": 1_000_001}, {"strategyId": "7", "strategyType": "1000001"}),
        ({"reduceOnly": False, "icebergQty": "0.001"}, {"icebergQty": "0.00100000"}),
    ],
    "kraken": [({"starttm": "+60"}, {}), ({"stptype": "cancel-oldest"}, {}), ({"trigger": "index"}, {})],
}
"""What is asked for, and how the exchange shows it."""
REFUSED: dict[str, list[dict[str, Any]]] = {
    "binance": [
        {"hedged": True},
        {"reduceOnly": True},
        {"triggerPriceType": "mark"},
        {"icebergQuantity": "0.001"},
        {"positionSide": "LONG"},
        {"quoteOrderQty": "50"},
        {"recvWindow": 10},
    ],
    "kraken": [
        {"hedged": True},
        {"reduceOnly": True},
        {"selfTradePrevention": "EXPIRE_TAKER"},
        {"icebergAmount": "0.001"},
        {"triggerPriceType": "mark"},
        {"userref": 7},
        {"oflags": "viqc"},
        {"validate": True},
    ],
}


@pytest.fixture(scope="module")
def running() -> Iterator[LocalVenue]:
    with start_local_venue(VENUES, seed=29) as venue:
        for name in VENUES:
            if name == "kraken":
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


async def low(exchange: Exchange) -> float:
    return round(((await exchange.fetch_ticker(SYMBOL)).last or 0.0) * 0.9, 1)


async def test_what_is_asked_for_is_what_the_exchange_has(exchange: Exchange) -> None:
    price = await low(exchange)
    for params, shown in ARRIVE[exchange.id]:
        request = exchange._request(SYMBOL, "limit", "buy", "0.002", price, params)
        built = await exchange._adapter.build(request, timeout_ms=1_000)
        assert built is not None
        sent = {name: str(value) for name, value in built.params.items()}
        for name, value in params.items():
            assert value is False or str(value) in sent.values() or f"{value}00000" in sent.values(), (name, sent)
        order = await exchange.create_limit_buy_order(SYMBOL, "0.002", price, params)
        assert order.is_open, params
        raw = (await exchange.fetch_order(order.id, SYMBOL)).info
        assert {name: str(raw[name]) for name in shown} == shown
        if "starttm" in params:
            assert float(raw["starttm"]) > 0


async def test_what_would_not_arrive_or_is_not_known_is_refused(exchange: Exchange) -> None:
    price = await low(exchange)
    for params in REFUSED[exchange.id]:
        asked = len([one for one in exchange.health.recent() if one.effect.name == "WRITE"])
        with pytest.raises((BadRequest, NotSupported)) as caught:
            await exchange.create_limit_buy_order(SYMBOL, "0.002", price, params)
        assert caught.value.outcome is Outcome.NOT_SENT, params
        assert caught.value.hint, params
        assert len([one for one in exchange.health.recent() if one.effect.name == "WRITE"]) == asked, params


async def test_raw_passes_on_what_is_not_known_but_not_what_ccxt_drops(exchange: Exchange) -> None:
    price = await low(exchange)
    with pytest.raises(BadRequest, match="flavour") as caught:
        await exchange.create_limit_buy_order(SYMBOL, "0.002", price, {"flavour": "mint"})
    assert "raw={'flavour': ...}" in str(caught.value.hint)
    preview = await exchange.preview_order(SYMBOL, "limit", "buy", "0.002", price, raw={"flavour": "mint"})
    assert preview.unverified == ("flavour",)
    assert preview.request is not None
    assert preview.request.params["flavour"] == "mint"
    try:
        order = await exchange.create_limit_buy_order(SYMBOL, "0.002", price, raw={"flavour": "mint"})
        await exchange.cancel_order(order.id, SYMBOL)
    except PlanarError as error:
        assert error.outcome is Outcome.REFUSED  # by the exchange itself
    dropped = {"binance": "activationPrice", "kraken": "offset"}[exchange.id]
    with pytest.raises(NotSupported, match=f"{dropped} of this order would not reach"):
        await exchange.create_limit_buy_order(SYMBOL, "0.002", price, raw={dropped: "1"})
    for wrong in ({"stopLossPrice": 1}, {"clientOrderId": "mine"}, {"stopLoss": {}}):
        with pytest.raises((BadRequest, NotSupported)) as told:
            await exchange.create_limit_buy_order(SYMBOL, "0.002", price, raw=wrong)
        assert told.value.outcome is Outcome.NOT_SENT


async def test_several_orders_with_parameters_go_each_by_its_own_request(exchange: Exchange) -> None:
    price = await low(exchange)
    params, _ = ARRIVE[exchange.id][1]
    wish = {"symbol": SYMBOL, "type": "limit", "side": "buy", "amount": "0.002", "price": price}
    made = await exchange.create_orders([{**wish, "params": params}, {**wish, "params": {"flavour": "mint"}}, wish])
    assert [isinstance(one, PlanarError) for one in made] == [False, True, False]
    await exchange.cancel_orders([one for one in made if not isinstance(one, PlanarError)])
