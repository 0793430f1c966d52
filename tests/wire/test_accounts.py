"""Several accounts: listed without secrets, named in errors, never mixed; and the kinds of account of an exchange."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import msgspec
import pytest
from safety_kit import SYMBOL, local_of

import planar
from planar.errors import BadRequest, InsufficientFunds, InvalidOrder, NotSupported, Outcome
from planar.testing.local_venue import LocalVenue, start_local_venue
from planar.venue.wire import LedgerQuery

SECRETS = """
[exchanges.binance]
apiKey = "dGhlIGtleSBvZiB0aGUgZmlyc3QgYWNjb3VudA"
secret = "dGhlIHNlY3JldCBvZiB0aGUgZmlyc3QgYWNjb3VudA"

[exchanges.binance_hedge_sandbox]
apiKey = "dGhlIGtleSBvZiB0aGUgc2Vjb25kIGFjY291bnQ"
secret = "dGhlIHNlY3JldCBvZiB0aGUgc2Vjb25kIGFjY291bnQ"

[exchanges.kraken_main]
apiKey = "dGhlIGtleSBvZiB0aGUgdGhpcmQgYWNjb3VudA"
secret = "dGhlIHNlY3JldCBvZiB0aGUgdGhpcmQgYWNjb3VudA=="
"""


@pytest.fixture(scope="module")
def running() -> Iterator[LocalVenue]:
    with start_local_venue(("binance", "kraken"), seed=37) as venue:
        yield venue


@pytest.fixture
async def p(running: LocalVenue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[planar.Workspace]:
    monkeypatch.setenv("PLANAR_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("PLANAR_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    secrets = tmp_path / "secrets.toml"
    secrets.write_text(SECRETS)
    secrets.chmod(0o600)
    async with planar.open(secrets=secrets, local_venue=local_of(running)) as opened:
        yield opened


async def test_all_accounts_are_listed_and_no_secret_is(p: planar.Workspace) -> None:
    alice = await p.exchange("binance", account="alice", environment="local")
    listed = p.accounts()
    assert [(one.exchange, one.account, one.environment, one.open) for one in listed] == [
        ("binance", "", "live", False),
        ("binance", "hedge", "sandbox", False),
        ("kraken", "main", "live", False),
        ("binance", "alice", "local", True),
    ]
    assert listed[0].fields == ("apiKey", "secret")
    assert all("secrets.toml" in place for place in listed[0].places)
    assert [one.account for one in alice.accounts()] == ["", "hedge"]
    assert {one.exchange for one in p.accounts("kraken")} == {"kraken"}
    told = repr(listed) + str(listed) + msgspec.json.encode(listed).decode() + repr(alice.accounts())
    for line in SECRETS.splitlines():
        _, _, value = line.partition(" = ")
        assert not value or value.strip('"') not in told


async def test_each_account_signs_with_its_own_key(p: planar.Workspace, running: LocalVenue) -> None:
    names = ("alice", "bob")
    for exchange_id in ("binance", "kraken"):
        opened = {name: await p.exchange(exchange_id, account=name, environment="local") for name in names}
        keys = {name: one.ccxt.apiKey for name, one in opened.items()}
        secrets = {name: one.ccxt.secret for name, one in opened.items()}
        assert len({*keys.values(), *secrets.values()}) == 4
        price = round(((await opened["alice"].fetch_ticker(SYMBOL)).last or 0.0) * 0.9, 1)
        wishes = [opened[name].create_limit_buy_order(SYMBOL, "0.001", price) for name in names * 3]
        orders = await asyncio.gather(*wishes)
        for name, order in zip(names * 3, orders, strict=True):
            query = LedgerQuery(kind="orders", account=name, client_id=order.client_order_id)
            assert len(running.control.ledger(query, venue=exchange_id)["orders"]) == 1, (exchange_id, name)
        for name, other in (names, names[::-1]):
            known = {one.client_order_id for one in await opened[name].fetch_open_orders(SYMBOL)}
            assert not known & {one.client_order_id for one in await opened[other].fetch_open_orders(SYMBOL)}
            told = (
                repr(opened[name]) + repr(opened[name].orders) + repr(opened[name].health) + repr(opened[name]._adapter)
            )
            assert not [secret for secret in (*keys.values(), *secrets.values()) if secret in told]


async def test_errors_name_the_account(p: planar.Workspace) -> None:
    bob = await p.exchange("binance", account="bob", environment="local")
    with pytest.raises(InvalidOrder) as ruled:
        await bob.create_limit_buy_order(SYMBOL, "0.0000001", 50_000)
    assert (ruled.value.account, str(ruled.value).split(":")[0]) == ("bob", "binance/bob")
    with pytest.raises(InsufficientFunds) as refused:
        await bob.create_limit_buy_order(SYMBOL, "150", 50_000)
    assert str(refused.value).startswith("binance/bob: ")
    with pytest.raises(planar.errors.OrderNotFound) as gone:
        await bob.cancel_order("123456", SYMBOL)
    with pytest.raises(planar.errors.OrderNotFound) as never:
        await bob.fetch_order("123456", SYMBOL)
    assert (gone.value.account, never.value.account) == ("bob", "bob")
    with pytest.raises(planar.errors.BadRequest) as raw:
        await bob.fetch_ohlcv(SYMBOL, "1m", None, None, {"limit": "many"})
    assert raw.value.account == "bob"


async def test_kinds_of_account(p: planar.Workspace) -> None:
    binance = await p.exchange("binance", account="alice", environment="local")
    kraken = await p.exchange("kraken", account="alice", environment="local")
    assert {"spot", "funding", "margin", "swap"} <= set(binance.account_types)
    assert kraken.account_types == ()
    spot = await binance.fetch_balance(type="spot")
    assert spot["USDT"].total == (await binance.fetch_balance())["USDT"].total
    funding = await binance.fetch_balance(type="funding")
    assert funding.balances.keys() != spot.balances.keys() or funding["USDT"].total != spot["USDT"].total
    with pytest.raises(NotSupported, match="the linear account"):  # CCXT would ask for that of spot
        await binance.fetch_balance(type="linear")
    for call, kind, told in (
        (binance.fetch_balance(type="fundng"), BadRequest, "did you mean funding?"),
        (kraken.fetch_balance(type="funding"), NotSupported, "leave type out"),
        (binance.transfer("USDT", 1, "sopt", "funding"), BadRequest, "did you mean spot?"),
    ):
        with pytest.raises(kind) as caught:
            await call
        assert caught.value.outcome is Outcome.NOT_SENT
        assert caught.value.hint == told
