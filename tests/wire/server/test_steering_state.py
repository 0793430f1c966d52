"""Halts, delistings, changed filters, maintenance, rights of keys and expired tokens, as clients of both exchanges see
them.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from decimal import Decimal

import aiohttp
import pytest
from fault_kit import ANSWER_S, BinanceTrader, Houses, KrakenTrader, Refused, Trader, heard

from planar.errors import BadRequest
from planar.venue.faults import DropAnswer, FaultRule
from planar.venue.steering.state import (
    Delist,
    ExpireTokens,
    Halt,
    Reopen,
    RestrictAddresses,
    SetFilters,
    SetRights,
    SetSystem,
)
from planar.venue.wire import LedgerQuery
from planar.venue.wire.binance.listen_keys import ListenKeys

BTC = "0.001"
PAIR = {"binance": "BTCUSDT", "kraken": "XBTUSDT"}
SYMBOL = "BTC/USDT"


async def code_of(houses: Houses, trader: Trader, **more: str) -> object:
    """The exchange's word for why it takes no order; None if it takes it."""
    try:
        await trader.place("buy", BTC, "20000", **more)
    except Refused as refused:
        return refused.code
    return None


@pytest.mark.parametrize(
    ("venue", "state", "shown", "refusal"),
    [
        ("binance", None, "HALT", -1013),
        ("binance", "BREAK", "BREAK", -1013),
        ("kraken", None, "cancel_only", "EService:Market in cancel_only mode"),
        ("kraken", "maintenance", "maintenance", "EService:Market in cancel_only mode"),
        ("kraken", "post_only", "post_only", "EService:Market in post_only mode"),
    ],
)
async def test_a_halted_market(houses: Houses, venue: str, state: str | None, shown: str, refusal: object) -> None:
    trader = houses.trader(venue)
    order = await trader.place("buy", BTC, "20000")
    answer = await houses.control.command(Halt(symbol=SYMBOL, state=state), venue=venue)
    assert answer == {venue: {"symbol": SYMBOL, "state": shown}}
    assert (await trader.symbols())[PAIR[venue]]["status"] == shown
    assert await code_of(houses, trader) == refusal
    await trader.cancel(order)
    if state == "post_only":
        assert await code_of(houses, trader, oflags="post") is None
    await houses.control.command(Reopen(symbol=SYMBOL), venue=venue)
    assert await code_of(houses, trader) is None


async def test_limits_alone(houses: Houses) -> None:
    trader = houses.trader("kraken")
    await houses.control.command(Halt(symbol=SYMBOL, state="limit_only"), venue="kraken")
    assert await code_of(houses, trader) is None
    with pytest.raises(Refused) as refused:
        await trader.place("buy", BTC)
    assert refused.value.code == "EService:Market in limit_only mode"


async def test_nothing_trades_in_a_halted_market(houses: Houses, trader: Trader) -> None:
    last = houses.wires[trader.id].bench().exchange.trades(SYMBOL, limit=1)[0].id
    await houses.control.command(Halt(symbol=SYMBOL), venue=trader.id)
    await houses.control.market("step", ms=60_000)
    assert houses.wires[trader.id].bench().exchange.trades(SYMBOL, limit=1)[0].id == last
    await houses.control.command(Reopen(symbol=SYMBOL), venue=trader.id)
    await houses.control.market("step", ms=60_000)
    assert houses.wires[trader.id].bench().exchange.trades(SYMBOL, limit=1)[0].id > last


async def test_a_delisted_market(houses: Houses, trader: Trader) -> None:
    order = await trader.place("buy", BTC, "20000", client_id="delisted-1")
    assert (await houses.control.command(Delist(symbol=SYMBOL), venue=trader.id))[trader.id]["canceled"] >= 1
    assert PAIR[trader.id] not in await trader.symbols()
    unknown = {"binance": -1121, "kraken": "EQuery:Unknown asset pair"}[trader.id]
    assert await code_of(houses, trader) == unknown
    if isinstance(trader, KrakenTrader):
        assert (await trader.order(order))["status"] == "canceled"
    (row,) = houses.orders(trader.id, "delisted-1")
    assert row["status"] == "canceled"
    assert houses.wires[trader.id].ledger(LedgerQuery(kind="check"))["ok"]
    with pytest.raises(BadRequest, match="not listed any more"):
        await houses.control.command(Reopen(symbol=SYMBOL), venue=trader.id)


async def test_kraken_tells_its_instrument_channel(houses: Houses) -> None:
    async with houses.session.ws_connect("http://ws.kraken.com/v2") as socket:
        await socket.send_json({"method": "subscribe", "params": {"channel": "instrument"}})
        await heard(socket, lambda frame: frame.get("channel") == "instrument" and frame["type"] == "snapshot")
        for command, status, tick in (
            (Halt(symbol=SYMBOL), "cancel_only", 0.01),
            (SetFilters(symbol=SYMBOL, tick="0.1"), "cancel_only", 0.1),
            (Delist(symbol=SYMBOL), "delisted", 0.1),
        ):
            await houses.control.command(command, venue="kraken")
            frame = await heard(socket, lambda frame: frame.get("channel") == "instrument")
            (pair,) = frame["data"]["pairs"]
            assert (pair["symbol"], pair["status"], pair["tick_size"]) == (SYMBOL, status, tick)


async def test_filters_are_tightened_while_the_market_runs(houses: Houses, trader: Trader) -> None:
    kept = await trader.place("buy", "0.00123", "20000.03")
    changes = SetFilters(symbol=SYMBOL, tick="0.5", lot="0.0001", min_amount="0.0002", min_notional="10")
    answer = (await houses.control.command(changes, venue=trader.id))[trader.id]
    assert (answer["tick"], answer["lot"], answer["min_notional"]) == ("0.5", "0.0001", "10")
    shown = (await trader.symbols())[PAIR[trader.id]]
    if isinstance(trader, BinanceTrader):
        filters = {row["filterType"]: row for row in shown["filters"]}
        assert float(filters["PRICE_FILTER"]["tickSize"]) == 0.5
        assert float(filters["LOT_SIZE"]["stepSize"]) == 0.0001
    else:
        assert (shown["tick_size"], shown["ordermin"], shown["costmin"]) == ("0.5", "0.0002", "10")
    refusals = {"binance": (-1013, -1013), "kraken": ("EOrder:Invalid price", "EOrder:Cost minimum not met")}
    for (amount, price), code in zip((("0.001", "20000.25"), ("0.0004", "20000")), refusals[trader.id], strict=True):
        with pytest.raises(Refused) as refused:
            await trader.place("buy", amount, price)
        assert str(refused.value.code).startswith(str(code))
    await trader.place("buy", "0.001", "20000.5")
    assert kept in await trader.open_ids()
    await houses.control.market("step", ms=60_000)
    book = houses.wires[trader.id].bench().exchange.depth(SYMBOL, 1)
    assert [level.price % Decimal("0.5") for level in book.bids + book.asks] == [0, 0]


@pytest.mark.parametrize("changes", [{"tick": "0.003"}, {"tick": "0.001"}, {"lot": "0.000015"}, {"min_amount": "0"}])
async def test_filters_that_cannot_be(houses: Houses, trader: Trader, changes: dict[str, str]) -> None:
    with pytest.raises(BadRequest):
        await houses.control.command(SetFilters(symbol=SYMBOL, **changes), venue=trader.id)
    await trader.place("buy", "0.00123", "20000.03")


async def test_binance_under_maintenance(houses: Houses) -> None:
    trader = houses.trader("binance")
    async with houses.session.ws_connect("http://stream.binance.com/ws/btcusdt@trade") as socket:
        await houses.control.command(SetSystem(state="system_maintenance"), venue="binance")
        assert (await socket.receive_json(timeout=ANSWER_S))["e"] == "serverShutdown"
        assert (await socket.receive(timeout=ANSWER_S)).data == 1001
    with pytest.raises(Refused) as refused:
        await trader.open_ids()
    assert (refused.value.code, refused.value.status) == (-1016, 503)
    async with houses.session.get("http://api.binance.com/sapi/v1/system/status") as response:
        assert await response.json(content_type=None) == {"status": 1, "msg": "system_maintenance"}
    with pytest.raises(aiohttp.WSServerHandshakeError, match="503"):
        await houses.session.ws_connect("http://stream.binance.com/ws/btcusdt@trade")
    await houses.control.command(SetSystem(state="normal"), venue="binance")
    assert await code_of(houses, trader) is None


@pytest.mark.parametrize(
    ("state", "refusal", "cancel"),
    [
        ("maintenance", "EService:Unavailable", "EService:Unavailable"),
        ("cancel_only", "EService:Market in cancel_only mode", None),
        ("post_only", "EService:Market in post_only mode", None),
    ],
)
async def test_kraken_in_another_state(houses: Houses, state: str, refusal: str, cancel: str | None) -> None:
    trader = houses.trader("kraken")
    order = await trader.place("buy", BTC, "20000")
    async with houses.session.ws_connect("http://ws.kraken.com/v2") as socket:
        assert (await socket.receive_json(timeout=ANSWER_S))["data"][0]["system"] == "online"
        await houses.control.command(SetSystem(state=state), venue="kraken")
        told = await heard(socket, lambda frame: frame["channel"] == "status")
        assert told["data"][0]["system"] == state
    async with houses.session.get("http://api.kraken.com/0/public/SystemStatus") as response:
        assert (await response.json())["result"]["status"] == state
    assert await code_of(houses, trader) == refusal
    try:
        await trader.cancel(order)
    except Refused as refused:
        assert refused.code == cancel
    else:
        assert cancel is None
    await houses.control.command(SetSystem(state="online"), venue="kraken")
    assert await code_of(houses, trader) is None


async def test_a_key_loses_a_right(houses: Houses, trader: Trader) -> None:
    account = trader.account.account
    rights = houses.wires[trader.id].bench().keys.right_names
    reading = tuple(right for right in rights if right.lower() != "trade")
    await houses.control.command(SetRights(account=account, rights=reading), venue=trader.id)
    assert await code_of(houses, trader) == {"binance": -2015, "kraken": "EGeneral:Permission denied"}[trader.id]
    await trader.open_ids()
    await houses.control.command(SetRights(account=account, rights=rights), venue=trader.id)
    assert await code_of(houses, trader) is None


async def test_a_key_that_may_not_withdraw(houses: Houses, trader: Trader) -> None:
    account, rights = trader.account.account, houses.wires[trader.id].bench().keys.right_names
    kept = tuple(right for right in rights if right.lower() not in ("withdraw", "funds"))
    await houses.control.command(SetRights(account=account, rights=kept), venue=trader.id)
    path, params = {
        "binance": ("/sapi/v1/capital/withdraw/apply", {"coin": "USDT", "address": "x", "amount": "50"}),
        "kraken": ("/0/private/Withdraw", {"asset": "USDT", "key": "x", "amount": "50"}),
    }[trader.id]
    with pytest.raises(Refused) as refused:
        await trader.call("POST", path, params)
    assert refused.value.code == {"binance": -2015, "kraken": "EGeneral:Permission denied"}[trader.id]


async def test_an_address_that_is_not_allowed(houses: Houses, trader: Trader) -> None:
    account = trader.account.account
    await houses.control.command(RestrictAddresses(account=account, addresses=("10.1.2.3",)), venue=trader.id)
    with pytest.raises(Refused) as refused:
        await trader.open_ids()
    assert refused.value.code == {"binance": -2015, "kraken": "EGeneral:Permission denied"}[trader.id]
    await houses.trader(trader.id, 1).open_ids()
    await houses.control.command(RestrictAddresses(account=account, addresses=("10.1.2.3", "local")), venue=trader.id)
    await trader.open_ids()
    await houses.control.command(RestrictAddresses(account=account), venue=trader.id)
    await trader.open_ids()


async def test_a_key_of_another_environment(houses: Houses, trader: Trader) -> None:
    key = trader.account.apiKey
    foreign = key.swapcase()
    assert foreign != key
    trader.account = trader.account.__class__(
        exchange=trader.id, account="", apiKey=foreign, secret=trader.account.secret
    )
    assert await code_of(houses, trader) == {"binance": -2015, "kraken": "EAPI:Invalid key"}[trader.id]


async def test_a_listen_key_runs_out(houses: Houses) -> None:
    trader = houses.trader("binance")
    assert isinstance(trader, BinanceTrader)
    async with trader.stream() as socket:
        answer = await houses.control.command(ExpireTokens(account=trader.account.account), venue="binance")
        assert answer["binance"]["ended"] == 2
        event = await socket.receive_json(timeout=ANSWER_S)
        assert (event["e"], len(event["listenKey"])) == ("listenKeyExpired", 60)
        await trader.place("buy", BTC, "20000")
        with pytest.raises(TimeoutError):
            await socket.receive(timeout=0.1)
        assert not socket.closed
    assert await trader.listen_key() != event["listenKey"]


async def test_a_listen_key_that_nobody_keeps_alive(houses: Houses) -> None:
    trader = houses.trader("binance")
    desk = houses.wires["binance"].desk  # type: ignore[attr-defined]
    desk.listen_keys = ListenKeys(150)
    async with trader.stream() as socket:
        event = await socket.receive_json(timeout=ANSWER_S)
        assert event["e"] == "listenKeyExpired"
    assert desk.listen_keys.account_of(event["listenKey"]) is None


async def test_a_websocket_api_subscription_ends(houses: Houses) -> None:
    trader = houses.trader("binance")
    assert isinstance(trader, BinanceTrader)
    async with houses.session.ws_connect("http://ws-api.binance.com/ws-api/v3") as socket:
        await socket.send_json({"id": 1, "method": "userDataStream.subscribe.signature", "params": signed(trader)})
        assert (await socket.receive_json(timeout=ANSWER_S))["status"] == 200
        await houses.control.command(ExpireTokens(account=trader.account.account), venue="binance")
        assert (await socket.receive_json(timeout=ANSWER_S))["event"]["e"] == "eventStreamTerminated"


def signed(trader: Trader) -> dict[str, object]:
    params: dict[str, object] = {"apiKey": trader.account.apiKey, "timestamp": int(time.time() * 1000)}
    payload = "&".join(f"{name}={params[name]}" for name in sorted(params))
    return params | {
        "signature": hmac.new(trader.account.secret.encode(), payload.encode(), hashlib.sha256).hexdigest()
    }


async def test_a_kraken_token_ends(houses: Houses) -> None:
    trader = houses.trader("kraken")
    assert isinstance(trader, KrakenTrader)
    token = await trader.token()
    async with houses.session.ws_connect("http://ws-auth.kraken.com/v2") as socket:
        order = {"symbol": SYMBOL, "side": "buy", "order_type": "limit", "order_qty": 0.001, "limit_price": 20000}
        message = {"method": "add_order", "params": order | {"token": token}}
        await socket.send_json(message)
        assert (await heard(socket, lambda frame: frame.get("method") == "add_order"))["success"]
        await houses.control.command(ExpireTokens(account=trader.account.account), venue="kraken")
        await socket.send_json(message)
        answer = await heard(socket, lambda frame: frame.get("method") == "add_order")
        assert (answer["success"], answer["error"]) == (False, "ESession:Invalid session")
        params = {"channel": "executions", "token": token}
        await socket.send_json({"method": "subscribe", "params": params, "req_id": 9})
        answer = await heard(socket, lambda frame: frame.get("req_id") == 9)
        assert (answer["success"], answer["error"]) == (False, "ESession:Invalid session")
        await socket.send_json({"method": "subscribe", "params": params | {"token": await trader.token()}})
        assert (await heard(socket, lambda frame: frame.get("method") == "subscribe"))["success"]


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        (Halt(symbol="BTC/USD"), "no symbol"),
        (Halt(symbol=SYMBOL, state="sleeping"), "no state"),
        (SetSystem(state="asleep"), "no state"),
        (SetRights(account="nobody", rights=()), "no account"),
        (SetRights(account="alice", rights=("fly",)), "no right"),
        (ExpireTokens(account="nobody"), "no account"),
    ],
)
async def test_a_wrong_command_is_refused(houses: Houses, trader: Trader, command: object, problem: str) -> None:
    with pytest.raises(BadRequest, match=problem):
        await houses.control.command(command, venue=trader.id)  # type: ignore[arg-type]


@pytest.mark.parametrize("venue", ["binance", "kraken"])
async def test_what_could_never_act_is_refused(houses: Houses, venue: str) -> None:
    with pytest.raises(BadRequest, match="no account 'nobody'"):
        await houses.control.add_fault(FaultRule(fault=DropAnswer(), account="nobody"))
    with pytest.raises(BadRequest, match="'999.1.1.1' is no IP address"):
        await houses.control.command(RestrictAddresses(account="alice", addresses=("999.1.1.1",)), venue=venue)
    with pytest.raises(ValueError, match="until_ms = 5 is not after from_ms = 10"):
        FaultRule(fault=DropAnswer(), from_ms=10, until_ms=5)
