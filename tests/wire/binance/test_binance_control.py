"""The control API's questions to the wire, and activity."""

from __future__ import annotations

from decimal import Decimal

import pytest
from binance_kit import LocalBinance, local_binance

from planar.errors import BadRequest
from planar.venue.activity import ALONE_MS, PERIOD_MS, Activity
from planar.venue.engine.enums import Side
from planar.venue.steering import Freeze, Resume, SetBalance, Step
from planar.venue.wire import LedgerQuery, Wire, known_wires, load_wire

LIMIT = {"side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.001", "price": "50000"}


def test_is_found_by_its_name() -> None:
    assert "binance" in known_wires()
    wire: Wire = load_wire("binance", seed=1, activity=False)
    assert wire.id == "binance"
    assert {"api.binance.com", "stream.binance.com", "ws-api.binance.com", "fapi.binance.com"} <= set(wire.hosts)
    assert [a.account for a in wire.accounts()] == ["alice", "bob", "carol"]
    hosts = {
        "/api/v3/ping": "api.binance.com",
        "/sapi/v1/system/status": "api.binance.com",
        "/ws/btcusdt@trade": "stream.binance.com",
        "/stream": "stream.binance.com",
        "/ws-api/v3": "ws-api.binance.com",
        "/dapi/v1/ping": "dapi.binance.com",
        "/nothing": None,
    }
    assert {path: wire.default_host(path) for path in hosts} == hosts


async def test_ledger(binance: LocalBinance) -> None:
    placed = (await binance.order(**LIMIT, newClientOrderId="seen")).json
    bought = (await binance.order(side="BUY", type="MARKET", quantity="0.001")).json
    ask = binance.wire.ledger
    (row,) = ask(LedgerQuery(kind="orders", account="alice", client_id="seen"))["orders"]
    assert (row["id"], row["symbol"], row["status"], row["price"], row["amount"], row["filled"]) == (
        placed["orderId"],
        "BTC/USDT",
        "new",
        "50000",
        "0.001",
        "0",
    )
    fills = ask(LedgerQuery(kind="fills", symbol="BTC/USDT", order_id=str(bought["orderId"])))["fills"]
    assert [(str(f["trade_id"]), f["account"]) for f in fills] == [(str(bought["fills"][0]["tradeId"]), "alice")]
    balances = ask(LedgerQuery(kind="balances", asset="USDT"))["balances"]
    assert set(balances) == {"alice", "bob", "carol"}
    assert Decimal(balances["alice"]["USDT"]["locked"]) == binance.exchange.balances("alice")["USDT"].locked
    since = bought["transactTime"]
    postings = ask(LedgerQuery(kind="postings", account="alice", since_ms=since))["postings"]
    assert {p["asset"] for p in postings} == {"BTC", "USDT"}
    for rows in (postings, ask(LedgerQuery(kind="postings"))["postings"], ask(LedgerQuery(kind="fills"))["fills"]):
        assert len({row["id"] for row in rows}) == len(rows)
    assert len(ask(LedgerQuery(kind="postings", limit=3))["postings"]) == 3
    assert ask(LedgerQuery(kind="check")) == {"ok": True, "problems": []}
    assert len(ask(LedgerQuery(kind="orders", limit=2))["orders"]) == 2
    for wrong in (LedgerQuery(kind="orders", account="zoe"), LedgerQuery(kind="balances", asset="ZZZ")):
        with pytest.raises(BadRequest, match=r"no (account|asset)"):
            ask(wrong)


async def test_set_balance(binance: LocalBinance) -> None:
    answer = SetBalance(account="bob", asset="BTC", free="1.25").carry_out(binance.wire.bench())
    assert answer | {"locked": ""} == {"account": "bob", "asset": "BTC", "free": "1.25", "locked": ""}
    assert binance.exchange.balances("bob")["BTC"].free == Decimal("1.25")
    assert binance.exchange.audit() == []


@pytest.mark.parametrize(
    ("command", "text"),
    [
        (SetBalance(account="bob", asset="BTC", free="x"), "free = 'x' is no decimal"),
        (SetBalance(account="bob", asset="BTC", free="-1"), "free = '-1' is no amount"),
        (SetBalance(account="bob", asset="BTC", free="0.000000001"), "is no amount"),
        (SetBalance(account="bob", asset="BTC", free="1e30"), "is no amount"),
        (SetBalance(account="zoe", asset="BTC", free="1"), "no account 'zoe'"),
        (SetBalance(account="bob", asset="ZZZ", free="1"), "no asset 'ZZZ'"),
        (Step(ms=0), "ms = 0 is no duration"),
        (Step(ms=5), "the market of binance is running"),
    ],
)
async def test_wrong_commands(living: LocalBinance, command: SetBalance | Step, text: str) -> None:
    with pytest.raises(BadRequest, match=text):
        command.carry_out(living.wire.bench())


async def test_freeze_step_resume(living: LocalBinance) -> None:
    bench = living.wire.bench()
    assert Freeze().carry_out(bench) == {"frozen": True}
    before = living.exchange.depth("BTC/USDT", 5)
    assert Step(ms=5000).carry_out(bench) == {"frozen": True}
    assert living.exchange.depth("BTC/USDT", 5).update_id > before.update_id
    assert Resume().carry_out(bench) == {"frozen": False}


async def test_keys_with_and_without_rights(binance: LocalBinance) -> None:
    keys = binance.wire.bench().keys
    made = keys.make("bob", ["USER_DATA"])
    assert keys.keys_of("bob")[made.apiKey] == ("USER_DATA",)
    keys.allow(made.apiKey, ["TRADE", "USER_DATA"])
    assert keys.keys_of("bob")[made.apiKey] == ("USER_DATA", "TRADE")
    with pytest.raises(BadRequest, match="no right 'FLY'"):
        keys.make("bob", ["FLY"])
    with pytest.raises(BadRequest, match="no key 'x'"):
        keys.allow("x", [])


async def test_activity_keeps_the_books_balanced(socket_path: str) -> None:
    async with local_binance(socket_path) as venue:
        venue.freeze()
        activity = Activity(venue.exchange)
        before = {name: len(venue.exchange.fills(name, "BTC/USDT")) for name in venue.exchange.accounts()}
        for turn in range(60):
            activity.tick(1 + (turn + 1) * PERIOD_MS, heard=True)
            activity.tick(2 + (turn + 1) * PERIOD_MS, heard=True)
            venue.wire.world.model.advance(PERIOD_MS)
        for name, count in before.items():
            sides = [fill.side for fill in venue.exchange.fills(name, "BTC/USDT")[count:]]
            assert {Side.BUY, Side.SELL} == set(sides)
        assert venue.exchange.audit() == []


async def test_activity_takes_its_time_while_nobody_listens(socket_path: str) -> None:
    async with local_binance(socket_path) as venue:
        venue.freeze()
        activity = Activity(venue.exchange)
        before = len(venue.exchange.ledger.entries())
        for second in range(1, 31):
            activity.tick(second * 1000 + ALONE_MS, heard=False)
        assert len(venue.exchange.ledger.entries()) - before == 3
        activity.tick(41_500, heard=True)
        assert len(venue.exchange.ledger.entries()) - before == 4
