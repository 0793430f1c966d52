"""Cancels at an exchange that confirms them without showing the order (Kraken): what is asked again, what never, and what
an error tells. And queries that are refused for their nonce."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import planar
from planar.errors import InvalidNonce, Outcome, PlanarError, RequestTimeout
from planar.exchange import Exchange
from planar.models import OrderState
from planar.orders import OrderHandle
from planar.transport.local import LocalVenue
from planar.venue.client import VenueControl, start_private
from planar.venue.faults import DropAnswer, Fault, FaultRule, HangAnswer, RefuseRequest, ReplaceAnswer
from planar.venue.registry import VenueRecord
from planar.venue.wire import LedgerQuery

CANCEL = "/0/private/CancelOrder"
LOOK_UPS = "/0/private/*Order*s"
"""Where an order is looked for: OpenOrders, ClosedOrders, QueryOrders; not CancelOrder."""
BUSY = RefuseRequest(status=503, body="<html>busy</html>")
OVERTAKEN = RefuseRequest(
    status=200, body=json.dumps({"error": ["EAPI:Invalid nonce"]}), headers={"Content-Type": "application/json"}
)


@pytest.fixture(scope="module")
def venue() -> object:
    loop = asyncio.new_event_loop()
    private = loop.run_until_complete(start_private(["kraken"], seed=4))
    loop.run_until_complete(private.__aenter__())
    yield private.record
    loop.run_until_complete(private.__aexit__(None, None, None))
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()


@pytest.fixture
async def kraken(venue: VenueRecord, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Exchange]:
    monkeypatch.setenv("PLANAR_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("PLANAR_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    local = LocalVenue(
        instance=venue.instance, socket=venue.socket, token=venue.token, venues=list(venue.venues), pid=venue.pid
    )
    async with planar.open(local_venue=local) as workspace:
        yield await workspace.exchange("kraken", environment="local", timeout=5_000, enableRateLimit=False)


@pytest.fixture
async def control(venue: VenueRecord) -> AsyncIterator[VenueControl]:
    async with VenueControl(venue) as opened:
        await opened.clear_faults()
        yield opened
        await opened.clear_faults()


async def requests(control: VenueControl, path: str) -> list[int]:
    """Ids of the requests to a path."""
    rows = await control.ledger(LedgerQuery(kind="requests", path=path))
    return [row["id"] for row in rows["requests"]]


async def resting(kraken: Exchange) -> OrderHandle:
    bid = (await kraken.fetch_order_book("BTC/USDT")).best_bid
    assert bid is not None
    return await kraken.create_limit_buy_order("BTC/USDT", "0.01", round(bid * 0.9, 1))


async def meet(control: VenueControl, fault: Fault, path: str, count: int | None = 1) -> None:
    await control.add_fault(FaultRule(fault=fault, path=path, count=count))


async def test_a_confirmed_cancel_is_not_sent_again_when_the_order_cannot_be_asked_for(
    kraken: Exchange, control: VenueControl
) -> None:
    order = await resting(kraken)
    before = await requests(control, CANCEL)
    await meet(control, HangAnswer(), LOOK_UPS, count=None)
    with pytest.raises(PlanarError, match="the cancel is confirmed") as caught:
        await kraken.cancel_order(order.client_order_id, "BTC/USDT", timeout_ms=600)
    assert caught.value.outcome is Outcome.OK
    assert len(await requests(control, CANCEL)) == len(before) + 1
    await control.clear_faults()
    assert (await order.settled(10)).state is OrderState.CANCELED


async def test_a_look_up_that_fails_is_made_again(kraken: Exchange, control: VenueControl) -> None:
    order = await resting(kraken)
    before = await requests(control, CANCEL)
    await meet(control, BUSY, LOOK_UPS, count=4)  # more than one query tries by itself
    assert (await kraken.cancel_order(order.client_order_id, "BTC/USDT")).state is OrderState.CANCELED
    assert len(await requests(control, CANCEL)) == len(before) + 1


async def test_an_error_after_several_tries_tells_the_requests_of_all(kraken: Exchange, control: VenueControl) -> None:
    order = await resting(kraken)
    await meet(control, DropAnswer(), CANCEL)
    await meet(control, HangAnswer(), LOOK_UPS, count=None)
    with pytest.raises(PlanarError, match="whether a cancel that was sent has done it is not known") as caught:
        await kraken.cancel_order(order.client_order_id, "BTC/USDT", timeout_ms=700)
    assert caught.value.outcome is Outcome.UNKNOWN
    told = [request.path for request in caught.value.requests]
    assert told[:2] == [CANCEL, CANCEL]
    assert len(told) > 2
    assert len(set(caught.value.requests)) == len(told)


async def test_a_query_that_was_overtaken_is_sent_once_more(kraken: Exchange, control: VenueControl) -> None:
    path = "/0/private/Balance*"
    before = await requests(control, path)
    await meet(control, OVERTAKEN, path)
    assert (await kraken.fetch_balance())["USDT"].total is not None
    await meet(control, OVERTAKEN, path, count=None)
    with pytest.raises(InvalidNonce) as caught:
        await kraken.fetch_balance()
    assert caught.value.outcome is Outcome.REFUSED
    assert len(await requests(control, path)) == len(before) + 4


async def test_an_order_that_was_overtaken_is_refused_and_not_sent_again(
    kraken: Exchange, control: VenueControl
) -> None:
    await kraken.reconcile()
    before = await requests(control, "/0/private/AddOrder")
    await meet(control, OVERTAKEN, "/0/private/AddOrder")
    with pytest.raises(InvalidNonce) as caught:
        await resting(kraken)
    assert caught.value.outcome is Outcome.REFUSED
    assert len(await requests(control, "/0/private/AddOrder")) == len(before) + 1


async def test_a_front_that_names_a_nonce_with_its_own_status_proves_nothing(
    kraken: Exchange, control: VenueControl
) -> None:
    """Then the query may have been answered, and is tried again as any other that failed."""
    front = ReplaceAnswer(status=503, body=OVERTAKEN.body, headers=OVERTAKEN.headers)
    await meet(control, front, "/0/private/Balance*", count=None)
    with pytest.raises(PlanarError) as caught:
        await kraken.fetch_balance(timeout_ms=1_500)
    assert caught.value.outcome is Outcome.UNKNOWN


async def test_a_question_for_an_order_goes_before_other_queries_of_the_account(
    kraken: Exchange, control: VenueControl
) -> None:
    """Whether an order exists is more urgent than what an account holds, also where it takes a list to find it."""
    order = await resting(kraken)
    since = max(await requests(control, "/0/private/*"))
    await meet(control, HangAnswer(), "/0/private/Balance*")
    first = asyncio.create_task(kraken.fetch_balance(timeout_ms=1_000))
    await asyncio.sleep(0)  # it has its turn, and the others wait
    balances = [asyncio.create_task(kraken.fetch_balance()) for _ in range(5)]
    found = await kraken.fetch_order(order.client_order_id, "BTC/USDT")
    assert found.state is OrderState.OPEN
    await asyncio.gather(*balances)
    await asyncio.wait([first])
    assert isinstance(first.exception(), RequestTimeout)
    rows = await control.ledger(LedgerQuery(kind="requests", path="/0/private/*", since_id=since))
    paths = [row["path"].rpartition("/")[2].rstrip("Ex") for row in rows["requests"]]
    assert paths[:2] == ["Balance", "OpenOrders"]
