"""Rule breakers are refused here by the right rule, and nothing reaches the venue; what is valid here is taken there."""

from __future__ import annotations

import random
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

import planar
from planar.errors import InvalidOrder, Outcome
from planar.exchange import Exchange
from planar.models import Amount, Market, OrderState
from planar.models.sizing import least_amount
from planar.models.steps import fits, rounded
from planar.transport.local import LocalVenue
from planar.venue.client import VenueControl, start_private
from planar.venue.wire import LedgerQuery

SEED = 11
BREAKERS = 1_000
VALID = 50
Number = Amount | None
Wish = tuple[str, str, Number, Number]
"""(type, side, amount, price)"""


@pytest.fixture(params=["binance", "kraken"])
async def exchange(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Exchange, VenueControl]]:
    monkeypatch.setenv("PLANAR_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("PLANAR_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    async with await start_private([request.param], seed=SEED) as private, VenueControl(private.record) as control:
        record = private.record
        venue = LocalVenue(
            instance=record.instance,
            socket=record.socket,
            token=record.token,
            venues=list(record.venues),
            pid=record.pid,
        )
        async with planar.open(local_venue=venue) as workspace:
            opened = await workspace.exchange(request.param, environment="local")
            account = (await control.accounts())[0].account
            for market in opened.markets.values():
                for currency in (market.base, market.quote):
                    await control.set_balance(account, currency, "1000000000", venue=request.param)
            yield opened, control


def sane(market: Market, price: Amount, chance: random.Random) -> tuple[Amount, Amount]:
    """A valid amount and a price 5 to 30 % below the market's."""
    limit = rounded(price * Amount(round(chance.uniform(0.7, 0.95), 6)), market.precision.price, to="up")
    least = least_amount(market, limit)
    amount = rounded(least * Amount(round(chance.uniform(1, 40), 3)), market.precision.amount, to="up")
    return amount, limit


def breakers(market: Market, price: Amount, chance: random.Random) -> list[tuple[str, Wish]]:
    """(what the refusal says, the wish): one for each rule that the market has."""
    amount, limit = sane(market, price, chance)
    precision, limits = market.precision, market.limits
    made: list[tuple[str, Wish]] = [
        ("must be more than 0", ("limit", "buy", Amount(-1), limit)),
        ("must be more than 0", ("limit", "buy", amount, Amount(0))),
    ]
    if precision.amount:
        made.append(("lot size", ("limit", "sell", amount + precision.amount / 3, limit * 2)))
    if precision.price:
        made.append(("tick size", ("limit", "buy", amount, limit + precision.price / 3)))
    if limits.amount.min and limits.amount.min > (precision.amount or 0):
        made.append((f"at least {limits.amount.min}", ("limit", "buy", precision.amount, limit)))
    if limits.amount.max:
        over = rounded(limits.amount.max * 2, precision.amount, to="up")
        made.append(("above the most", ("limit", "buy", over, limit)))
    if limits.market.max and fits(limits.market.max, precision.amount):
        over = limits.market.max + (precision.amount or Amount(1))
        made.append(("above the most", ("market", "buy", over, None)))
    if limits.cost.min:
        tiny = rounded(limits.cost.min / limit / 2, precision.amount, to="down")
        if tiny > 0 and tiny >= (limits.amount.min or 0):
            made.append(("least notional", ("limit", "buy", tiny, limit)))
            made.append(("least notional", ("market", "sell", tiny, None)))
    return made


async def attempt(exchange: Exchange, symbol: str, wish: Wish) -> InvalidOrder:
    kind, side, amount, price = wish
    with pytest.raises(InvalidOrder) as caught:
        await exchange.create_order(symbol, kind, side, amount, price)
    return caught.value


async def test_rule_breakers_are_refused_by_the_right_rule(exchange: tuple[Exchange, VenueControl]) -> None:
    opened, control = exchange
    chance = random.Random(SEED)
    orders = len((await control.ledger(LedgerQuery(kind="orders")))["orders"])
    refused = 0
    markets = [market for market in opened.markets.values() if market.spot]
    await opened.fetch_tickers([market.symbol for market in markets])
    while refused < BREAKERS:
        market = chance.choice(markets)
        price = opened._prices.get(market.symbol)
        assert price is not None
        for says, wish in breakers(market, price, chance):
            error = await attempt(opened, market.symbol, wish)
            assert says in f"{error.message} {error.hint}", (says, wish, error)
            assert error.outcome is Outcome.NOT_SENT
            refused += 1
    assert len((await control.ledger(LedgerQuery(kind="orders")))["orders"]) == orders


async def test_a_price_outside_the_band_is_refused_where_the_exchange_has_one(
    exchange: tuple[Exchange, VenueControl],
) -> None:
    opened, _ = exchange
    market = opened.market("BTC/USDT")
    price = Amount((await opened.fetch_ticker("BTC/USDT")).last or 0)
    read = opened._adapter.profile.price_band
    band = read(market.info) if read else None
    if band is None:
        pytest.skip("no price bands here")
    assert band.buy_max is not None
    assert band.sell_min is not None
    high = rounded(price * band.buy_max * 2, market.precision.price)
    low = rounded(price * band.sell_min / 2, market.precision.price)
    above = await attempt(opened, "BTC/USDT", ("limit", "buy", Amount("0.001"), high))
    assert "above the price band" in above.message
    below = await attempt(opened, "BTC/USDT", ("limit", "sell", Amount("0.1"), low))
    assert "below the price band" in below.message


async def test_what_is_valid_here_is_taken_there(exchange: tuple[Exchange, VenueControl]) -> None:
    opened, _ = exchange
    chance = random.Random(SEED + 1)
    markets = [market for market in opened.markets.values() if market.spot]
    tickers = await opened.fetch_tickers([market.symbol for market in markets])
    for _ in range(VALID):
        market = chance.choice(markets)
        amount, price = sane(market, Amount(tickers[market.symbol].last or 0), chance)
        order = await opened.create_limit_buy_order(market.symbol, amount, price)
        assert order.state is OrderState.OPEN


def each(exchange: Exchange) -> Callable[[], Market]:
    chance = random.Random(SEED + 2)
    markets = [market for market in exchange.markets.values() if market.spot]
    return lambda: chance.choice(markets)


async def test_what_is_suggested_and_sized_is_valid(exchange: tuple[Exchange, VenueControl]) -> None:
    opened, _ = exchange
    chance, pick = random.Random(SEED + 3), each(opened)
    for _ in range(500):
        market = pick()
        amount = Amount(f"{chance.uniform(1e-9, 1e3):.12f}")
        price = Amount(f"{chance.uniform(1e-6, 1e5):.9f}")
        near = market.suggest(amount, price)
        opened._request(market.symbol, "limit", "buy", near.amount, near.price, {})
        assert near.price is not None
        cost = Amount(f"{chance.uniform(100, 10_000):.2f}")
        try:
            bought = market.amount_for(cost, near.price)
        except InvalidOrder as error:
            assert re.search("at (least|most)", str(error.hint))
            continue
        assert bought * near.price <= cost
        opened._request(market.symbol, "limit", "buy", bought, near.price, {})
