"""The facade against the local Binance, over real sockets: answers that are no answers, missing things, one object."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

import planar
from planar.errors import (
    AuthenticationError,
    BadRequest,
    BadResponse,
    BadSymbol,
    ConfigError,
    ExchangeNotAvailable,
    GuardError,
    InsufficientFunds,
    InvalidOrder,
    MissingCredentials,
    NotSupported,
    OrderImmediatelyFillable,
    OrderNotFound,
    OrderUnknown,
    Outcome,
    PlanarError,
    RateLimitExceeded,
    RequestTimeout,
    WrongLoop,
)
from planar.exchange import Exchange
from planar.models import OrderState
from planar.orders import OrderHandle
from planar.transport.local import LocalVenue
from planar.venue.client import VenueControl, start_private
from planar.venue.faults import (
    CutAnswer,
    DelayAnswer,
    DropAnswer,
    DropRequest,
    Fault,
    FaultRule,
    RefuseRequest,
    ReplaceAnswer,
)
from planar.venue.registry import VenueRecord
from planar.venue.wire import LedgerQuery

HTML = ReplaceAnswer(status=200, body="<html><body>Just a moment...</body></html>")
EMPTY = ReplaceAnswer(status=200, body="")
NOTHING = ReplaceAnswer(status=200, body="{}", headers={"Content-Type": "application/json"})
HALF = CutAnswer(keep_bytes=30)
HALF_JSON = ReplaceAnswer(status=200, body='{"symbol": "BTCUS', headers={"Content-Type": "application/json"})
JUNK = {"html": HTML, "empty": EMPTY, "nothing": NOTHING, "half a body": HALF, "half a json": HALF_JSON}


@pytest.fixture(scope="module")
def venue() -> object:
    """One venue for the module; started on a loop of its own, reached by record."""
    loop = asyncio.new_event_loop()
    private = loop.run_until_complete(start_private(["binance"], seed=3))
    loop.run_until_complete(private.__aenter__())
    yield private.record
    loop.run_until_complete(private.__aexit__(None, None, None))
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()


@pytest.fixture(autouse=True)
def directories(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLANAR_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("PLANAR_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)


def local(record: VenueRecord) -> LocalVenue:
    return LocalVenue(
        instance=record.instance, socket=record.socket, token=record.token, venues=list(record.venues), pid=record.pid
    )


@pytest.fixture
async def workspace(venue: VenueRecord) -> AsyncIterator[planar.Workspace]:
    async with planar.open(local_venue=local(venue)) as opened:
        yield opened


@pytest.fixture
async def binance(workspace: planar.Workspace) -> Exchange:
    return await workspace.exchange("binance", environment="local", timeout=2_000)


@pytest.fixture
async def control(venue: VenueRecord) -> AsyncIterator[VenueControl]:
    async with VenueControl(venue) as opened:
        await opened.clear_faults()
        yield opened
        await opened.clear_faults()


CALLS: dict[str, Callable[[Exchange], Awaitable[object]]] = {
    "ticker/24hr": lambda b: b.fetch_ticker("BTC/USDT"),
    "ticker/24hr*": lambda b: b.fetch_tickers(["BTC/USDT"]),
    "depth": lambda b: b.fetch_order_book("BTC/USDT"),
    "aggTrades": lambda b: b.fetch_trades("BTC/USDT"),
    "klines": lambda b: b.fetch_ohlcv("BTC/USDT"),
    "account": lambda b: b.fetch_balance(),
    "myTrades": lambda b: b.fetch_my_trades("BTC/USDT"),
    "openOrders": lambda b: b.fetch_open_orders("BTC/USDT"),
    "allOrders": lambda b: b.fetch_orders("BTC/USDT"),
    "order": lambda b: b.fetch_order("1", "BTC/USDT"),
    "time": lambda b: b.fetch_time(),
    "exchangeInfo": lambda b: b.load_markets(reload=True),
}


@pytest.mark.parametrize("junk", JUNK)
@pytest.mark.parametrize("path", CALLS)
async def test_a_200_that_is_no_answer_is_an_error_of_every_reading_call(
    path: str, junk: str, binance: Exchange, control: VenueControl
) -> None:
    await control.add_fault(FaultRule(fault=JUNK[junk], method="GET", path=f"/api/v3/{path}", count=None))
    with pytest.raises(PlanarError) as caught:
        await CALLS[path](binance)
    assert isinstance(caught.value, BadResponse), repr(caught.value)


@pytest.mark.parametrize("junk", [*JUNK, "dropped"])
async def test_an_order_with_such_an_answer_is_found_again(junk: str, binance: Exchange, control: VenueControl) -> None:
    fault: Fault = JUNK.get(junk, DropAnswer())
    await control.add_fault(FaultRule(fault=fault, method="POST", path="/api/v3/order"))
    order = await binance.create_limit_buy_order("BTC/USDT", "0.001", 20_000)
    assert order.state is OrderState.OPEN
    assert order.id is not None
    await control.add_fault(FaultRule(fault=fault, method="DELETE", path="/api/v3/order"))
    assert (await binance.cancel_order(order.id, "BTC/USDT")).state is OrderState.CANCELED
    assert order.state is OrderState.CANCELED


async def test_a_request_that_never_arrived_is_proven_absent(binance: Exchange, control: VenueControl) -> None:
    await control.add_fault(FaultRule(fault=DropRequest(), method="POST", path="/api/v3/order"))
    with pytest.raises(OrderUnknown) as caught:
        await binance.create_limit_buy_order("BTC/USDT", "0.001", 20_000)
    assert not isinstance(caught.value, planar.NetworkError)
    assert caught.value.outcome is Outcome.UNKNOWN
    order = await caught.value.order.resolved(20)
    assert order.state is OrderState.NEVER_ACCEPTED
    assert await binance.fetch_open_orders("ETH/BTC") == []


async def test_an_order_with_less_time_than_an_answer_usually_takes_is_not_sent(
    binance: Exchange, control: VenueControl
) -> None:
    before = {order.id for order in await binance.fetch_open_orders("BTC/USDT")}
    await control.add_fault(FaultRule(fault=DelayAnswer(delay_ms=120), method="GET", count=None))
    await asyncio.gather(*(binance.fetch_time() for _ in range(60)))
    await control.clear_faults()
    with pytest.raises(RequestTimeout, match=r"of its \d+ ms were left, and .* usually takes \d+ ms") as caught:
        await binance.create_limit_order("BTC/USDT", "buy", "0.01", 20_000, timeout_ms=60)
    assert caught.value.outcome is Outcome.NOT_SENT
    assert {order.id for order in await binance.fetch_open_orders("BTC/USDT")} == before
    order = await binance.create_limit_order("BTC/USDT", "buy", "0.01", 20_000)
    assert (await binance.cancel_order(order.id or "", "BTC/USDT", timeout_ms=60)).state is OrderState.CANCELED


async def test_refusals_are_definite_and_keep_the_venues_code(binance: Exchange) -> None:
    ask = (await binance.fetch_order_book("BTC/USDT", 5)).best_ask
    assert ask is not None
    maker = ("BTC/USDT", "limit", "buy", "0.001", round(ask + 500, 2))
    cases: list[tuple[Callable[[], Awaitable[object]], type[PlanarError], str | None]] = [
        (lambda: binance.create_limit_buy_order("BTC/USDT", "50", 20_000), InsufficientFunds, "-2010"),
        (lambda: binance.create_post_only_order(*maker), OrderImmediatelyFillable, "-2010"),
        (lambda: binance.cancel_order("987654321", "BTC/USDT"), OrderNotFound, None),
        (lambda: binance.fetch_order("987654321", "BTC/USDT"), OrderNotFound, None),
    ]
    for call, kind, code in cases:
        with pytest.raises(kind) as caught:
            await call()
        assert caught.value.outcome is Outcome.REFUSED
        assert code is None or caught.value.code == code


async def test_rules_of_the_market_are_refused_here_with_the_nearest_right_value(binance: Exchange) -> None:
    cases = [
        (("0.000001", "50000"), "lot size 0.00001", "nearest is 0.00001"),
        (("0.001", "50000.001"), "tick size 0.01", "nearest is 50000"),
        (("0.00001", "50000"), "least notional", "amount of 0.0001"),
        (("0", "50000"), "amount is 0", "more than 0"),
    ]
    for (amount, price), rule, nearest in cases:
        with pytest.raises(InvalidOrder, match=rule) as caught:
            await binance.create_limit_buy_order("BTC/USDT", amount, price)
        assert caught.value.outcome is Outcome.NOT_SENT
        assert nearest in str(caught.value)


async def test_a_wrong_symbol_names_the_nearest(binance: Exchange) -> None:
    with pytest.raises(BadSymbol, match="BTC/USDT") as caught:
        await binance.fetch_ticker("BTC/USDTT")
    assert caught.value.outcome is Outcome.NOT_SENT
    assert (await binance.fetch_ticker("btc-usdt")).symbol == "BTC/USDT"


async def test_an_equal_intent_is_one_order(binance: Exchange) -> None:
    first = await binance.create_limit_buy_order("BTC/USDT", "0.001", 20_000, intent_id="rebalance 7")
    again = await binance.create_limit_buy_order("BTC/USDT", "0.001", 20_000, intent_id="rebalance 7")
    assert first.id == again.id
    await binance.cancel_order(first.client_order_id, "BTC/USDT")
    ended = await binance.create_limit_buy_order("BTC/USDT", "0.001", 20_000, intent_id="rebalance 7")
    assert (ended.id, ended.state) == (first.id, OrderState.CANCELED)


async def test_who_asks_for_a_wish_that_is_under_way_waits_for_it(binance: Exchange, control: VenueControl) -> None:
    await binance.reconcile()
    await control.add_fault(FaultRule(fault=DelayAnswer(delay_ms=300), method="POST", path="/api/v3/order"))
    asked = [binance.create_limit_buy_order("BTC/USDT", "0.01", 20_000, intent_id="one wish") for _ in range(3)]
    orders = await asyncio.gather(*asked)
    assert {order.state for order in orders} == {OrderState.OPEN}
    assert len({order.id for order in orders}) == 1


async def test_a_wish_that_was_refused_or_not_sent_may_be_wished_again(
    binance: Exchange, control: VenueControl
) -> None:
    with pytest.raises(InsufficientFunds):
        await binance.create_limit_buy_order("BTC/USDT", "50", 20_000, intent_id="rebalance 8")
    binance._adapter.exchange.planar.budget.stop(1.0)  # type: ignore[attr-defined]
    with pytest.raises(RateLimitExceeded) as caught:
        await binance.create_limit_buy_order("BTC/USDT", "0.001", 20_000, intent_id="rebalance 8", timeout_ms=100)
    assert caught.value.outcome is Outcome.NOT_SENT
    order = await binance.create_limit_buy_order("BTC/USDT", "0.001", 20_000, intent_id="rebalance 8", timeout_ms=3_000)
    assert order.state is OrderState.OPEN
    again = await binance.create_limit_buy_order("BTC/USDT", "0.001", 20_000, intent_id="rebalance 8")
    assert again.client_order_id == order.client_order_id
    await binance.cancel_order(order.id, "BTC/USDT")


async def test_a_hundred_asks_give_one_object(workspace: planar.Workspace) -> None:
    many = await asyncio.gather(*(workspace.exchange("binance", environment="local") for _ in range(100)))
    assert len({id(one) for one in many}) == 1
    with pytest.raises(ConfigError, match="timeout_ms = 777"):
        await workspace.exchange("binance", environment="local", timeout=777)
    rebuilt = await workspace.exchange("binance", environment="local", timeout=777, reset=True)
    assert rebuilt is not many[0]


async def test_one_caller_who_leaves_does_not_take_the_exchange_from_the_others(workspace: planar.Workspace) -> None:
    first = asyncio.ensure_future(workspace.exchange("binance", environment="local"))
    second = asyncio.ensure_future(workspace.exchange("binance", environment="local"))
    await asyncio.sleep(0)
    first.cancel()
    assert (await second).id == "binance"


async def test_another_loop_is_refused(binance: Exchange) -> None:
    def elsewhere() -> None:
        asyncio.run(binance.fetch_ticker("BTC/USDT"))  # type: ignore[arg-type]

    with pytest.raises(WrongLoop):
        await asyncio.to_thread(elsewhere)


async def test_missing_credentials_say_which_and_where_before_any_request(
    tmp_path: Path, venue: VenueRecord, control: VenueControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "planar.toml").write_text('[binance]\nenvironment = "live"\n')
    await control.add_fault(FaultRule(fault=RefuseRequest(status=500, body="no"), count=None, path="/never"))
    async with planar.open(local_venue=local(venue)) as workspace:
        exchange = await workspace.exchange("binance", environment="local")
        # what a user without keys has: the same exchange, not authenticated
        exchange._authenticated = False
        before = (await control.status()).requests
        with pytest.raises(MissingCredentials, match=r"\[exchanges.binance_local\]") as caught:
            await exchange.fetch_balance()
        assert caught.value.outcome is Outcome.NOT_SENT
        assert "apiKey" in str(caught.value)
        assert (await control.status()).requests == before + 1


async def test_without_a_written_environment_nothing_is_signed(binance: Exchange) -> None:
    binance._settings = msgspec.structs.replace(binance._settings, environment=None)
    with pytest.raises(ConfigError, match=r'environment = "live"'):
        await binance.fetch_balance()


async def test_a_wrong_key_costs_one_request_and_the_error_names_the_causes(
    venue: VenueRecord, tmp_path: Path, control: VenueControl
) -> None:
    (tmp_path / "planar.toml").write_text('[binance]\nenvironment = "local"\n')
    secrets = tmp_path / "secrets.toml"
    secrets.write_text(f'[exchanges.binance_local]\napiKey = "{"k" * 64}"\nsecret = "{"s" * 64}"\n')
    secrets.chmod(0o600)
    async with planar.open(local_venue=local(venue)) as workspace:
        exchange = await workspace.exchange("binance")
        before = (await control.status()).requests
        with pytest.raises(AuthenticationError, match="four causes") as caught:
            await exchange.fetch_balance()
        assert caught.value.code == "-2015"
        assert (await control.status()).requests == before + 2
        assert "s" * 64 not in repr(caught.value)


async def test_a_503_of_the_front_on_an_order_is_unknown_not_refused(binance: Exchange, control: VenueControl) -> None:
    await control.add_fault(
        FaultRule(fault=ReplaceAnswer(status=503, body="<html>busy</html>"), method="POST", path="/api/v3/order")
    )
    order = await binance.create_limit_buy_order("BTC/USDT", "0.001", 20_000)
    assert order.state is OrderState.OPEN
    facts = binance._orders().store.facts(order.client_order_id)
    assert "unknown" in facts.marks
    await binance.cancel_order(order.id, "BTC/USDT")


async def test_a_ban_stops_everything_for_as_long_as_it_says(binance: Exchange, control: VenueControl) -> None:
    ban = RefuseRequest(
        status=418,
        body='{"code":-1003,"msg":"Way too many requests; IP banned until 1."}',
        headers={"Retry-After": "3600", "Content-Type": "application/json"},
    )
    await control.add_fault(FaultRule(fault=ban, path="/api/v3/depth"))
    with pytest.raises(RateLimitExceeded) as caught:
        await binance.fetch_order_book("BTC/USDT")
    assert caught.value.retry_after_s == 3600
    before = (await control.status()).requests
    with pytest.raises(RateLimitExceeded, match="told us to wait") as caught:
        await binance.fetch_ticker("BTC/USDT")
    assert caught.value.outcome is Outcome.NOT_SENT
    assert (await control.status()).requests == before + 1


async def test_reads_say_not_available_when_the_venue_is_down(binance: Exchange, control: VenueControl) -> None:
    down = RefuseRequest(status=503, body="down")
    await control.add_fault(FaultRule(fault=down, path="/api/v3/depth", count=None))
    with pytest.raises(ExchangeNotAvailable) as caught:
        await binance.fetch_order_book("BTC/USDT")
    assert caught.value.http_status == 503
    assert len(caught.value.requests) == 3
    await control.clear_faults()
    await control.add_fault(FaultRule(fault=down, path="/api/v3/depth"))
    assert (await binance.fetch_order_book("BTC/USDT")).bids


async def test_ccxt_is_there_and_cannot_go_around_the_journal_or_the_guard(binance: Exchange) -> None:
    ticker = await binance.ccxt.fetch_ticker("BTC/USDT")
    assert ticker["symbol"] == "BTC/USDT"
    with pytest.raises(NotSupported, match="allow_unjournaled"):
        await binance.ccxt.create_order("BTC/USDT", "limit", "buy", 0.001, 20_000)
    with pytest.raises(NotSupported, match="allow_unjournaled"):
        await binance.ccxt.create_order_ws("BTC/USDT", "limit", "buy", 0.001, 20_000)
    with pytest.raises(NotSupported, match="allow_unjournaled"):
        await binance.ccxt.withdraw("USDT", 10, "0xabc")
    binance.ccxt.urls["api"]["public"] = "https://evil.example/api/v3"
    with pytest.raises(GuardError):
        await binance.fetch_ticker("BTC/USDT")


async def test_read_only_refuses(workspace: planar.Workspace) -> None:
    exchange = await workspace.exchange("binance", environment="local", account="bob", read_only=True)
    assert (await exchange.fetch_balance())["USDT"].total is not None
    with pytest.raises(NotSupported, match="read_only"):
        await exchange.create_limit_buy_order("BTC/USDT", "0.001", 20_000)


async def test_settings_that_may_borrow_and_futures(workspace: planar.Workspace) -> None:
    exchange = await workspace.exchange("binance", environment="local", account="carol", leveraged="to")
    with pytest.raises(NotSupported, match='leveraged = "from"'):
        await exchange.create_limit_buy_order("BTC/USDT", "0.001", 20_000, {"marginMode": "cross"})


async def test_client_ids_are_planars(binance: Exchange) -> None:
    with pytest.raises(planar.errors.BadRequest, match="intent_id"):
        await binance.create_limit_buy_order("BTC/USDT", "0.001", 20_000, {"clientOrderId": "mine"})


async def test_every_kind_of_order_arrives_as_asked(binance: Exchange, control: VenueControl) -> None:
    book = await binance.fetch_order_book("BTC/USDT", 5)
    assert book.best_bid is not None
    assert book.best_ask is not None
    low, high = round(book.best_bid * 0.9, 2), round(book.best_ask * 1.01, 2)
    stop, stop_buy = round(book.best_bid * 0.95) + 0.25, round(book.best_ask * 1.05) + 0.25
    both = ("BTC/USDT", "0.001")
    kinds: list[tuple[dict[str, object], Awaitable[OrderHandle]]] = [
        ({"kind": "limit", "post_only": False}, binance.create_limit_buy_order(*both, low)),
        ({"post_only": True}, binance.create_post_only_order("BTC/USDT", "limit", "buy", "0.001", low)),
        ({"tif": "ioc"}, binance.create_limit_buy_order(*both, high, {"timeInForce": "IOC"})),
        ({"tif": "fok"}, binance.create_limit_buy_order(*both, high, {"timeInForce": "FOK"})),
        ({"kind": "market", "side": "sell"}, binance.create_market_sell_order(*both)),
        ({"quote_amount": "100"}, binance.create_market_buy_order_with_cost("BTC/USDT", "100")),
        (
            {"kind": "stop_loss", "stop_price": str(stop)},
            binance.create_stop_market_order("BTC/USDT", "sell", "0.001", stop),
        ),
        (
            {"kind": "stop_loss_limit", "stop_price": str(stop_buy)},
            binance.create_stop_limit_order("BTC/USDT", "buy", "0.001", stop_buy + 10, stop_buy),
        ),
    ]
    for wanted, asked in kinds:
        order = await asked
        rows = await control.ledger(LedgerQuery(kind="orders", account="alice", client_id=order.client_order_id))
        (row,) = rows["orders"]
        assert wanted.items() <= row.items()
        assert planar.Amount(row["filled"]) == order.filled
        if order.is_open:
            await binance.cancel_order(order.id, "BTC/USDT")


async def test_an_edit_of_which_a_half_fails_says_what_became_of_both(binance: Exchange) -> None:
    old = await binance.create_limit_buy_order("BTC/USDT", "0.001", 20_000)
    with pytest.raises(InsufficientFunds) as caught:
        await binance.edit_order(old.id, "BTC/USDT", "limit", "buy", "50", 20_000)
    assert caught.value.outcome is Outcome.REFUSED
    assert caught.value.code == "-2021"
    assert (await old.settled(5)).state is OrderState.CANCELED

    with pytest.raises(planar.errors.OrderNotFound) as caught_again:
        await binance.edit_order("987654321", "BTC/USDT", "limit", "buy", "0.001", 20_000)
    assert caught_again.value.outcome is Outcome.NOT_SENT

    first = await binance.create_limit_buy_order("BTC/USDT", "0.001", 20_000)
    second = await binance.edit_order(first.client_order_id, "BTC/USDT", "limit", "buy", "0.002", 21_000)
    assert second.state is OrderState.OPEN
    assert (await first.settled(5)).state is OrderState.CANCELED
    await binance.cancel_order(second.id, "BTC/USDT")


async def test_a_silent_venue_is_never_guessed_about_until_a_person_decides(
    binance: Exchange, control: VenueControl
) -> None:
    await binance.reconcile()
    await control.add_fault(FaultRule(fault=DropAnswer(), method="POST", path="/api/v3/order"))
    for path in ("order", "openOrders", "allOrders", "time", "myTrades"):
        fault = RefuseRequest(status=503, body="down")
        await control.add_fault(FaultRule(fault=fault, method="GET", path=f"/api/v3/{path}", count=None))
    with pytest.raises(OrderUnknown) as caught:
        await binance.create_limit_buy_order("BTC/USDT", "0.001", 20_000, timeout_ms=500)
    order = caught.value.order
    with pytest.raises(OrderUnknown):
        await order.settled(1)
    assert order.state is OrderState.UNKNOWN
    assert order.status is None
    with pytest.raises(InvalidOrder, match="reason"):
        await binance.decide_order(order.client_order_id, "canceled", " ")
    with pytest.raises(InvalidOrder, match="open is no end"):
        await binance.decide_order(order.client_order_id, "open", "saw it")
    decided = await binance.decide_order(order.client_order_id, "canceled", "canceled on the venue's web page")
    assert decided.state is OrderState.CANCELED
    with pytest.raises(InvalidOrder, match="no unknown order"):
        await binance.decide_order(order.client_order_id, "canceled", "again")
    # the venue had it all the time: what it shows goes above what was decided
    await control.clear_faults()
    assert (await binance.fetch_order(order.client_order_id, "BTC/USDT")).state is OrderState.OPEN
    assert order.state is OrderState.OPEN
    await binance.cancel_order(order.id, "BTC/USDT")


async def test_the_short_forms(binance: Exchange) -> None:
    sold = await binance.create_limit_sell_order("BTC/USDT", "0.001", 90_000)
    assert (sold.side, sold["clientOrderId"], dict(sold)["status"]) == ("sell", sold.client_order_id, "open")
    assert await binance.fetch_order_status(sold.id, "BTC/USDT") == "open"
    assert (await binance.fetch_order(sold.client_order_id, "BTC/USDT")).id == sold.id
    assert "sell" in repr(sold)
    assert "<table" in sold._repr_html_()
    for order in (
        await binance.create_market_order("BTC/USDT", "buy", "0.001"),
        await binance.create_market_buy_order("BTC/USDT", "0.001"),
    ):
        assert (await order.settled(5)).state is OrderState.FILLED
        assert order.id in [closed.id for closed in await binance.fetch_closed_orders("BTC/USDT")]
    with pytest.raises(planar.errors.RequestTimeout, match="still open"):
        await sold.settled(0.2)
    canceled = await binance.cancel_all_orders("BTC/USDT")
    assert {order.state for order in canceled} == {OrderState.CANCELED}
    assert [market.symbol for market in await binance.fetch_markets()] == list(binance.markets)
    preview = await binance.preview_order("BTC/USDT", "limit", "buy", 0.1, 20_000)
    assert (preview.order.amount, preview.order.price) == (planar.Amount("0.1"), 20_000)


async def test_the_default_workspace_is_one_per_loop(venue: VenueRecord, tmp_path: Path) -> None:
    (tmp_path / "planar.toml").write_text('[exchanges]\ndefault = "binance"\n[binance]\nenvironment = "local"\n')
    place = tmp_path / "state" / "venue" / "venue.json"
    place.parent.mkdir(parents=True)
    place.write_bytes(msgspec.json.encode(venue))
    try:
        exchange = await planar.get_exchange()
        assert exchange is await planar.get_exchange("binance")
        assert (exchange.id, exchange.environment) == ("binance", "local")
    finally:
        await planar.close()
        await planar.close()


async def test_no_error_shows_a_key_or_a_signature(
    binance: Exchange, control: VenueControl, venue: VenueRecord, caplog: pytest.LogCaptureFixture
) -> None:
    """Everything that a failing signed call leaves behind is searched: texts, causes, reprs, pickles, logs."""
    import pickle
    import re
    import traceback

    caplog.set_level("DEBUG")
    keys = next(account for account in await control.accounts() if account.account == "alice")
    left: list[str] = []
    for fault in (*JUNK.values(), DropAnswer(), RefuseRequest(status=400, body='{"code":-2015,"msg":"key"}')):
        await control.add_fault(FaultRule(fault=fault, path="/api/v3/account", count=None))
        with pytest.raises(PlanarError) as caught:
            await binance.fetch_balance()
        await control.clear_faults()
        error = caught.value
        left += ["".join(traceback.format_exception(error)), repr(error), repr(error.__cause__), repr(error.__dict__)]
        left.append(str(pickle.dumps(error)))
    left += [caplog.text, repr(binance), repr(binance.__dict__)]
    text = "\n".join(left)
    assert "account" in text
    for secret in (keys.apiKey, keys.secret):
        assert secret not in text
    assert not re.search(r"signature=[0-9a-f]{8}", text)
    assert keys.secret in "\n".join([*left, keys.secret])  # the search itself finds what is planted


async def test_closing_waits_for_a_request_but_not_for_an_order_that_is_known_to_be_unknown(
    venue: VenueRecord, control: VenueControl
) -> None:
    async with planar.open(local_venue=local(venue)) as workspace:
        exchange = await workspace.exchange("binance", environment="local", timeout=20_000)
        await exchange.reconcile()
        await control.add_fault(FaultRule(fault=DropAnswer(), method="POST", path="/api/v3/order"))
        down = RefuseRequest(status=503, body="down")
        await control.add_fault(FaultRule(fault=down, method="GET", path="/api/v3/order", count=None))
        placing = asyncio.ensure_future(exchange.create_limit_buy_order("BTC/USDT", "0.001", 20_000))
        while not (await control.faults()).rules[-1].fired:
            await asyncio.sleep(0.01)
        async with asyncio.timeout(3):
            await workspace.close()
        with pytest.raises(OrderUnknown):
            await placing
    await control.clear_faults()
    async with planar.open(local_venue=local(venue)) as workspace:
        exchange = await workspace.exchange("binance", environment="local")
        assert len((await exchange.reconcile()).settled) == 1
        await exchange.cancel_all_orders("BTC/USDT")


async def test_plain_arguments_that_are_none_are_refused_here(binance: Exchange) -> None:
    symbol = "BTC/USDT"
    calls: list[Callable[[Any], Awaitable[object]]] = [
        lambda one: one.fetch_ticker(5),
        lambda one: one.fetch_order_book(None),
        lambda one: one.fetch_ohlcv(symbol, "1h", "yesterday"),
        lambda one: one.fetch_trades(symbol, limit="many"),
        lambda one: one.fetch_my_trades(symbol, since=1.5),
        lambda one: one.cancel_order(None, symbol),
        lambda one: one.cancel_order(17, symbol),
        lambda one: one.fetch_order("", symbol),
    ]
    for call in calls:
        with pytest.raises(BadRequest) as caught:
            await call(binance)
        assert caught.value.outcome is Outcome.NOT_SENT
        assert caught.value.hint


async def test_an_exchange_of_a_closed_workspace_says_so(venue: VenueRecord) -> None:
    async with planar.open(local_venue=local(venue)) as workspace:
        exchange = await workspace.exchange("binance", environment="local")
    with pytest.raises(WrongLoop, match="closed") as caught:
        await exchange.fetch_ticker("BTC/USDT")
    assert caught.value.outcome is Outcome.NOT_SENT


async def test_what_a_stream_last_brought_can_be_read_at_any_time(binance: Exchange) -> None:
    async with binance.watch_ohlcv("BTC/USDT", "1m") as candles, binance.watch_order_book("BTC/USDT") as books:
        candle, book = await anext(candles), await anext(books)
        assert candles.latest is not None
        assert candles.latest.ts_ms >= candle.ts_ms
        assert books.latest is not None
        assert (books.latest.nonce or 0) >= (book.nonce or 0)
    assert binance.watch_ticker("BTC/USDT").latest is None
