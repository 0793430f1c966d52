"""A key that is not accepted costs one request for each call, and the error says which of key, secret, address, right
and environment it can be, as far as the exchange tells, with the key so that its owner knows it and never the secret."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from outcome_kit import SYMBOL, Opener, exchange_opener
from streams_kit import Local, local_binance, local_kraken

from planar.errors import AuthenticationError, Outcome, PermissionDenied, PlanarError
from planar.exchange import Exchange

Venue = tuple[Local[Any], Opener]
READING = {"binance": ("USER_DATA",), "kraken": ("query", "funds")}
OTHER_KEY = {
    "binance": "Zz9" + "q" * 58 + "Qq7",
    "kraken": "Zz9/" + "q" * 49 + "Qq7",
}
OTHER_SECRET = base64.b64encode(b"another secret of the same length" * 2)[:88].decode()
CREATE = {"binance": "POST /api/v3/order", "kraken": "POST /0/private/AddOrder"}
LISTINGS = ("exchangeInfo", "Asset")


@pytest.fixture(params=["binance", "kraken"])
async def venue(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Venue]:
    make: Callable[..., Any] = {"binance": local_binance, "kraken": local_kraken}[request.param]
    async with make(tmp_path) as local:
        yield local, exchange_opener(request.param, str(tmp_path / "meddler.sock"), tmp_path)


def keys(local: Local[Any]) -> dict[str, str]:
    account = local.wire.accounts()[0]
    return {"apiKey": account.apiKey, "secret": account.secret}


async def refused(exchange: Exchange, local: Local[Any], call: str) -> PlanarError:
    """What the call says; it costs one signed request, and no market is loaded for it."""
    before = len(local.meddler.requests)
    with pytest.raises(PlanarError) as caught:
        if call == "create":
            await exchange.create_limit_buy_order(SYMBOL, "0.01", 20_000, timeout_ms=2_000)
        elif call == "orders":
            await exchange.fetch_open_orders(SYMBOL)
        else:
            await exchange.fetch_balance()
    sent = [
        one for one in local.meddler.requests[before:] if not one.lower().endswith("/time")
    ]  # the clock needs no key
    assert len(sent) == 1, sent
    assert not any(word in sent[0] for word in LISTINGS)
    return caught.value


def check(error: PlanarError, credentials: dict[str, str], *words: str) -> None:
    assert isinstance(error, AuthenticationError), repr(error)
    assert (error.outcome, error.retryable) == (Outcome.REFUSED, False)
    text = str(error)
    for word in (*words, "environment"):
        assert word in text, f"{word} is not named: {text}"
    key = credentials["apiKey"]
    assert (f"{key[:4]}...{key[-4:]}" if len(key) >= 20 else "***") in text
    for cause in (error, error.__cause__):
        for secret in (key, credentials["secret"]):
            assert secret not in f"{cause!r} {cause}"


async def test_a_key_that_nobody_knows_or_of_another_environment(venue: Venue) -> None:
    local, opener = venue
    credentials = {"apiKey": OTHER_KEY[local.wire.id], "secret": keys(local)["secret"]}
    async with opener(credentials=credentials) as exchange:
        for call in ("balance", "balance", "orders", "create", "create"):
            check(await refused(exchange, local, call), credentials, "key", "address")


async def test_a_key_of_the_wrong_form(venue: Venue) -> None:
    local, opener = venue
    credentials = {"apiKey": "short key", "secret": keys(local)["secret"]}
    async with opener(credentials=credentials) as exchange:
        for _ in range(2):
            check(await refused(exchange, local, "balance"), credentials, "apiKey")


async def test_a_wrong_secret(venue: Venue) -> None:
    local, opener = venue
    credentials = {**keys(local), "secret": OTHER_SECRET}
    async with opener(credentials=credentials) as exchange:
        for call in ("balance", "balance", "orders", "create"):
            check(await refused(exchange, local, call), credentials, "secret")


async def test_an_address_that_is_not_on_the_list(venue: Venue) -> None:
    local, opener = venue
    credentials = keys(local)
    local.wire.desk.keys.restrict(credentials["apiKey"], ["10.1.2.3"])
    async with opener(credentials=credentials) as exchange:
        for call in ("balance", "balance", "orders", "create"):
            check(await refused(exchange, local, call), credentials, "address", "right")


async def test_a_right_that_is_missing(venue: Venue) -> None:
    local, opener = venue
    credentials = keys(local)
    async with opener(credentials=credentials) as exchange:
        await exchange.reconcile()
        local.wire.desk.keys.allow(credentials["apiKey"], READING[local.wire.id])
        for _ in range(2):
            error = await refused(exchange, local, "create")
            check(error, credentials, "right")
            assert [f"{one.method} {one.path}" for one in error.requests] == [CREATE[local.wire.id]]
            assert local.wire.id == "binance" or type(error) is PermissionDenied
        await exchange.fetch_balance()  # the key may do the rest


async def test_a_secret_that_nothing_can_be_signed_with(tmp_path: Path) -> None:
    async with local_kraken(tmp_path) as local:
        opener = exchange_opener("kraken", str(tmp_path / "meddler.sock"), tmp_path)
        async with opener(credentials={**keys(local), "secret": "qqqqq"}) as exchange:
            with pytest.raises(AuthenticationError, match="cannot be signed") as caught:
                await exchange.fetch_balance()
    assert caught.value.outcome is Outcome.NOT_SENT
    assert "secret" in (caught.value.hint or "")
    assert "qqqqq" not in f"{caught.value!r} {caught.value.__cause__!r}"
