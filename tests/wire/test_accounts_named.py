"""Two accounts of one exchange: each error and each log line of a call says which of them it is about."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path

import pytest
from safety_kit import local_of

import planar
from planar.errors import BadSymbol, PlanarError
from planar.exchange import Exchange
from planar.exchange.naming import label_of
from planar.models import Amount, Order, OrderState
from planar.testing.local_venue import LocalVenue, start_local_venue
from planar.transport.account_log import AccountLog, account_log, fresh_context, logging_for

ACCOUNTS = ("alice", "bob")
NO_SYMBOL = "NO/PAIR"


@pytest.fixture(scope="module")
def running() -> Iterator[LocalVenue]:
    with start_local_venue(("binance",), seed=41) as venue:
        yield venue


@pytest.fixture
async def exchanges(
    running: LocalVenue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncGenerator[list[Exchange]]:
    monkeypatch.setenv("PLANAR_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("PLANAR_CACHE", str(tmp_path / "cache"))
    async with planar.open(local_venue=local_of(running)) as workspace:
        yield [await workspace.exchange("binance", environment="local", account=one) for one in ACCOUNTS]


def methods_of_one_symbol() -> list[str]:
    """Public methods of which the first argument is a market and all others can be left out."""
    found: list[str] = []
    for name in dir(Exchange):
        method = inspect.getattr_static(Exchange, name)
        if name.startswith("_") or not inspect.isfunction(method):
            continue
        _, *rest = inspect.signature(method).parameters.values()
        needed = [one.name for one in rest if one.default is one.empty and one.kind is one.POSITIONAL_OR_KEYWORD]
        if needed == ["symbol"] and name != "closed_for_s":  # of which nothing is known before the first order
            found.append(name)
    return found


async def test_each_error_names_the_account(exchanges: list[Exchange]) -> None:
    names = methods_of_one_symbol()
    assert len(names) > 30
    for exchange in exchanges:
        for name in names:
            with pytest.raises(PlanarError) as caught:
                made = getattr(exchange, name)(NO_SYMBOL)
                if inspect.isawaitable(made):
                    await made
            assert (caught.value.exchange, caught.value.account) == ("binance", exchange.account), name
            assert str(caught.value).startswith(f"binance/{exchange.account}: ")


async def test_log_lines_of_requests_and_orders_name_the_account(
    exchanges: list[Exchange], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "planar.transport")
    caplog.set_level(logging.DEBUG, "planar.orders")
    await asyncio.gather(*(exchange.fetch_balance() for exchange in exchanges))
    lines = [line for line in caplog.messages if "/account " in line or "path=/api/v3/account" in line]
    assert sorted(line.split()[2] for line in lines) == ["account=alice", "account=bob"]
    caplog.clear()
    await asyncio.gather(*(exchange.reconcile() for exchange in exchanges))
    for exchange in exchanges:
        order = await exchange.create_order("BTC/USDT", "limit", "buy", "0.01", 20_000, time_in_force="IOC")
        more = Order(
            client_order_id=order.client_order_id,
            symbol="BTC/USDT",
            side="buy",
            state=OrderState.OPEN,
            status="open",
            filled=Amount(1),
        )
        exchange._observe(more)  # as a stream brings it: it is filled beyond its amount
    told = [record.getMessage() for record in caplog.records if record.name == "planar.orders"]
    for label in map(label_of, exchanges):
        assert any(line.startswith(f"{label}: order ") and "filled beyond its amount" in line for line in told)
    assert all(line.startswith(("binance/alice: ", "binance/bob: ")) for line in told)


def test_a_label_is_no_format_and_goes_along_with_tasks(caplog: pytest.LogCaptureFixture) -> None:
    log = account_log("planar.orders")
    assert isinstance(log, AccountLog)
    with logging_for("x/100%s"):
        log.warning("%d of %d", 1, 2)
        fresh_context().run(log.warning, "later")
    log.warning("nobody's")
    assert caplog.messages == ["x/100%s: 1 of 2", "x/100%s: later", "nobody's"]


async def test_an_error_of_another_exchange_keeps_its_name(exchanges: list[Exchange]) -> None:
    with pytest.raises(BadSymbol) as caught:
        exchanges[0].market(NO_SYMBOL)
    error = caught.value
    error.exchange, error.account = "kraken", ""
    with pytest.raises(BadSymbol) as again:
        await _Raising.fetch(exchanges[0], error)
    assert (again.value.exchange, again.value.account) == ("kraken", "")


class _Raising:
    """A method as `Exchange` has them."""

    @staticmethod
    async def fetch(exchange: Exchange, error: PlanarError) -> None:
        from planar.exchange.naming import naming_account

        class Raises:
            id, account = exchange.id, exchange.account

            async def fail(self) -> None:
                raise error

        await naming_account(Raises)().fail()
