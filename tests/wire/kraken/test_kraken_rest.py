"""REST as it is on the wire: envelopes, keys, nonces, limits, every order operation, errors."""

from __future__ import annotations

from decimal import Decimal

import pytest
from kraken_kit import PAIR, SYMBOL, LocalKraken, local_kraken, sign

from planar.errors import BadRequest
from planar.venue.engine.enums import MarketStatus
from planar.venue.engine.types import OrderRef
from planar.venue.steering import Step
from planar.venue.wire import LedgerQuery
from planar.venue.wire.kraken import Settings, create
from planar.venue.wire.kraken.ids import TXID
from planar.venue.wire.kraken.keys import Right


async def test_signature_nonce_and_rights(kraken: LocalKraken) -> None:
    who = kraken.account()
    path, body = "/0/private/Balance", "nonce=5"
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    good = form | {"API-Key": who.apiKey, "API-Sign": sign(path, "5", body, who.secret)}
    assert (await kraken.post(path, body, good | {"API-Key": "x"}))["error"] == ["EAPI:Invalid key"]
    assert (await kraken.post(path, body + "&a=1", good))["error"] == ["EAPI:Invalid signature"]
    assert (await kraken.post(path, body, good))["error"] == []
    assert (await kraken.post(path, body, good))["error"] == ["EAPI:Invalid nonce"]
    assert (await kraken.private("Balance", nonce=4))["error"] == ["EAPI:Invalid nonce"]
    assert (await kraken.private("Balance", nonce="x"))["error"] == ["EAPI:Invalid nonce"]
    reader = kraken.wire.desk.keys.add("alice", frozenset({Right.QUERY}))
    assert (await kraken.private("Balance", reader))["error"] == []
    assert (await kraken.private("CancelAll", reader))["error"] == ["EGeneral:Permission denied"]
    assert (await kraken.private("Nothing"))["error"] == ["EGeneral:Unknown method"]
    assert (await kraken.public("Depth", pair="NOPE"))["error"] == ["EQuery:Unknown asset pair"]


async def test_call_counter_decays(kraken_socket: str) -> None:
    async with local_kraken(kraken_socket, settings=Settings(tier="starter")) as venue:
        errors = [(await venue.private("TradesHistory"))["error"] for _ in range(9)]
        assert errors[:7] == [[]] * 7
        assert errors[8] == ["EAPI:Rate limit exceeded"]
        assert (await venue.private("TradesHistory", "bob"))["error"] == []
        assert venue.wire.desk.calls.value(venue.account().apiKey) < 15


async def test_order_counter(kraken_socket: str) -> None:
    async with local_kraken(kraken_socket, settings=Settings(tier="starter", call_limits=False)) as venue:
        venue.freeze()
        for _ in range(6):
            txid = await venue.placed()
            assert (await venue.private("CancelOrder", txid=txid))["error"] == []
        answers = [(await venue.order())["error"] for _ in range(10)]
        assert ["EOrder:Rate limit exceeded"] in answers
        assert (await venue.order(pair="ETHUSDT", volume="0.01", price="1000"))["error"] == []


async def test_public_methods(kraken: LocalKraken) -> None:
    pair = (await kraken.public("AssetPairs", pair="XETHXXBT"))["result"]["XETHXXBT"]
    assert (pair["altname"], pair["wsname"], pair["base"], pair["quote"]) == ("ETHXBT", "ETH/XBT", "XETH", "XXBT")
    assert (await kraken.public("Assets", asset="XBT"))["result"]["XXBT"]["altname"] == "XBT"
    for method in ("Time", "SystemStatus"):
        assert (await kraken.public(method))["error"] == []
    book = kraken.exchange.depth(SYMBOL, 1)
    spread = (await kraken.public("Spread", pair="XBT/USDT"))["result"][PAIR]
    assert [Decimal(text) for text in spread[-1][1:]] == [book.bids[0].price, book.asks[0].price]
    first = (await kraken.public("Trades", pair=PAIR, count=5))["result"]
    assert (await kraken.public("Trades", pair=PAIR, since=first["last"]))["result"][PAIR] == []
    since = first[PAIR][0][2]
    again = (await kraken.public("Trades", pair=PAIR, since=since))["result"][PAIR]
    assert [row[6] for row in first[PAIR]] == [row[6] for row in again][-5:]
    candles = (await kraken.public("OHLC", pair=PAIR, interval=60))["result"]
    assert candles["last"] == candles[PAIR][-2][0]
    assert (await kraken.public("OHLC", pair=PAIR, interval=7))["error"] == ["EGeneral:Invalid arguments:interval"]


REFUSED: list[tuple[dict[str, str], str]] = [
    ({"pair": "NOPE"}, "EQuery:Unknown asset pair"),
    ({"type": "hold"}, "EGeneral:Invalid arguments:type"),
    ({"ordertype": "trailing-stop"}, "EGeneral:Invalid arguments:price"),
    ({"ordertype": "trailing-stop", "price": "-5"}, "EGeneral:Invalid arguments:price"),
    ({"ordertype": "trailing-stop-limit", "price": "+5"}, "EGeneral:Invalid arguments:price2"),
    ({"ordertype": "settle-position"}, "EOrder:Unknown position"),
    ({"ordertype": "stop-loss", "trigger": "mark"}, "EGeneral:Invalid arguments:trigger"),
    ({"displayvol": "0.0005"}, "EGeneral:Invalid arguments:displayvol"),
    ({"ordertype": "iceberg"}, "EGeneral:Invalid arguments:displayvol"),
    ({"ordertype": "iceberg", "displayvol": "0.00005"}, "EGeneral:Invalid arguments:displayvol"),
    ({"volume": "0"}, "EGeneral:Invalid arguments:volume"),
    ({"volume": "x"}, "EGeneral:Invalid arguments:volume"),
    ({"volume": "0.000001"}, "EGeneral:Invalid arguments:volume"),
    ({"volume": "0.00001", "price": "100"}, "EOrder:Cost minimum not met"),
    ({"price": "50000.001"}, "EOrder:Invalid price:XBT/USDT price can only be specified up to 2 decimals."),
    ({"volume": "900"}, "EOrder:Insufficient funds"),
    ({"price": "999999", "oflags": "post"}, "EOrder:Post only order"),
    ({"timeinforce": "FOK"}, "EGeneral:Invalid arguments:timeinforce"),
    ({"timeinforce": "GTD"}, "EGeneral:Invalid arguments:expiretm"),
    ({"timeinforce": "GTD", "expiretm": "99999999999999"}, "EGeneral:Invalid arguments:expiretm"),
    ({"userref": "9" * 30}, "EGeneral:Invalid arguments:userref"),
    ({"oflags": "fciq,fcib"}, "EGeneral:Invalid arguments:oflags"),
    ({"leverage": "2:1"}, "EOrder:Cannot open position"),
    ({"close[ordertype]": "limit"}, "EGeneral:Invalid arguments:close[price]"),
    ({"close[ordertype]": "market"}, "EGeneral:Invalid arguments:close[ordertype]"),
    ({"deadline": "2020-01-01T00:00:00Z"}, "EService:Deadline elapsed"),
]


async def test_refusals_change_nothing(kraken: LocalKraken) -> None:
    before = len(kraken.exchange.orders("alice", SYMBOL))
    for params, text in REFUSED:
        assert (await kraken.order(**params))["error"] == [text], params
    kraken.exchange.set_status(SYMBOL, MarketStatus.HALTED)
    assert (await kraken.order())["error"] == ["EService:Market in cancel_only mode"]
    assert len(kraken.exchange.orders("alice", SYMBOL)) == before


async def test_validate_unknown_fields_and_cost_orders(kraken: LocalKraken) -> None:
    before = len(kraken.exchange.orders("alice", SYMBOL))
    answer = await kraken.order(validate="true")
    assert set(answer["result"]) == {"descr"}
    assert len(kraken.exchange.orders("alice", SYMBOL)) == before
    at_once = await kraken.placed(ordertype="market", type="sell", triggerPrice=kraken.price("0.9"))
    assert (await kraken.query(at_once))["status"] == "closed"
    by_cost = await kraken.placed(ordertype="market", volume="300", oflags="viqc")
    order = await kraken.query(by_cost)
    assert order["status"] == "closed"
    assert 290 < Decimal(order["cost"]) <= 300
    trade = (await kraken.private("QueryTrades", txid=order["trades"][0]))["result"][order["trades"][0]]
    assert trade["ordertxid"] == by_cost
    assert TXID.match(order["trades"][0])
    assert TXID.match(by_cost)


async def test_stop_whose_condition_holds_triggers_at_once(kraken: LocalKraken) -> None:
    txid = await kraken.placed(ordertype="stop-loss", type="sell", price=kraken.price("1.1"))
    order = await kraken.query(txid)
    assert (order["status"], order["descr"]["ordertype"], order["vol_exec"]) == ("closed", "stop-loss", "0.00100000")


async def test_client_ids_and_references(kraken: LocalKraken) -> None:
    one = await kraken.placed(cl_ord_id="mine", userref="7")
    two = await kraken.placed(userref="7")
    assert (await kraken.order(cl_ord_id="mine"))["error"] == ["EGeneral:Invalid arguments:cl_ord_id"]
    for wrong in ("nineteen-characters", "tüv", "6d1b345e-2821-40e2-ad83-4ecb18a06876-"):
        assert (await kraken.order(cl_ord_id=wrong))["error"] == ["EGeneral:Invalid arguments:cl_ord_id"]
    await kraken.placed(cl_ord_id="6d1b345e-2821-40e2-ad83-4ecb18a06876")
    assert list((await kraken.private("OpenOrders", cl_ord_id="mine"))["result"]["open"]) == [one]
    assert (await kraken.private("CancelOrder", cl_ord_id="mine"))["result"] == {"count": 1}
    assert (await kraken.private("CancelOrder", cl_ord_id="mine"))["error"] == ["EOrder:Unknown order"]
    assert (await kraken.private("CancelOrder", txid="7"))["result"] == {"count": 1}
    order = await kraken.query(two)
    assert (order["status"], order["reason"], order["userref"]) == ("canceled", "User requested", 7)
    assert (await kraken.private("QueryOrders", "bob", txid=two))["error"] == ["EOrder:Unknown order"]


async def test_amend_keeps_the_id_and_edit_does_not(kraken: LocalKraken) -> None:
    txid = await kraken.placed(volume="0.004", cl_ord_id="a")
    part = kraken.wire.desk.register.get("alice", txid).parts[0]
    assert (await kraken.private("AmendOrder", txid=txid, order_qty="0.003"))["error"] == []
    assert kraken.wire.desk.register.get("alice", txid).parts == [part]
    price = kraken.price("0.85")
    assert TXID.match((await kraken.private("AmendOrder", cl_ord_id="a", limit_price=price))["result"]["amend_id"])
    order = await kraken.query(txid)
    assert (order["status"], order["vol"], Decimal(order["descr"]["price"])) == ("open", "0.00300000", Decimal(price))
    refused = await kraken.private("AmendOrder", txid=txid, order_qty="800")
    assert refused["error"] == ["EOrder:Insufficient funds"]
    assert (await kraken.query(txid))["vol"] == "0.00300000"
    assert (await kraken.query(txid))["status"] == "open"
    edited = (await kraken.private("EditOrder", txid=txid, pair=PAIR, volume="0.002"))["result"]
    assert edited["originaltxid"] == txid != edited["txid"]
    assert (await kraken.query(txid))["status"] == "canceled"
    assert (await kraken.query(edited["txid"]))["vol"] == "0.00200000"
    crossing = await kraken.private("AmendOrder", txid=edited["txid"], limit_price=kraken.price("1.05"))
    assert crossing["error"] == []
    assert (await kraken.query(edited["txid"]))["status"] == "closed"
    assert kraken.exchange.audit() == []


async def test_amending_what_is_partly_filled(kraken: LocalKraken) -> None:
    best = kraken.exchange.depth(SYMBOL, 1).bids[0].price + kraken.exchange.symbols[SYMBOL].tick
    txid = await kraken.placed(volume="0.004", price=str(best))
    await kraken.placed("bob", ordertype="market", type="sell", volume="0.001")
    assert (await kraken.query(txid))["vol_exec"] == "0.00100000"
    assert (await kraken.private("AmendOrder", txid=txid, limit_price=kraken.price("0.8")))["error"] == []
    order = await kraken.query(txid)
    assert (order["status"], order["vol"], order["vol_exec"]) == ("open", "0.00400000", "0.00100000")
    assert Decimal(order["cost"]) == best * Decimal("0.001")
    assert len(order["trades"]) == 1
    part = kraken.wire.desk.register.get("alice", txid).parts[-1]
    assert kraken.exchange.order("alice", SYMBOL, OrderRef(part)).amount == Decimal("0.003")
    assert (await kraken.private("AmendOrder", txid=txid, order_qty="0.001"))["error"] == []
    assert (await kraken.query(txid))["status"] == "canceled"
    assert kraken.exchange.audit() == []


async def test_an_edit_that_fails_leaves_the_order(kraken: LocalKraken) -> None:
    txid = await kraken.placed()
    free = kraken.exchange.balances("alice")["USDT"].free
    refused = await kraken.private("EditOrder", txid=txid, pair=PAIR, volume="900")
    assert refused["error"] == ["EOrder:Insufficient funds"]
    order = await kraken.query(txid)
    assert (order["status"], order["vol"]) == ("open", "0.00100000")
    assert kraken.exchange.balances("alice")["USDT"].free == free


async def test_good_till_date_and_dead_mans_switch(kraken: LocalKraken) -> None:
    dated = await kraken.placed(timeinforce="GTD", expiretm="+1")
    order = await kraken.query(dated)
    await kraken.private("CancelAllOrdersAfter", timeout="60")
    desk = kraken.wire.desk
    desk.tick(int(order["expiretm"] * 1000))
    assert (await kraken.query(dated))["status"] == "expired"
    resting = await kraken.placed()
    assert (await kraken.query(resting))["status"] == "open"
    desk.tick(desk.cancel_at_ms["alice"])
    assert (await kraken.query(resting))["status"] == "canceled"
    long = await kraken.private("CancelAllOrdersAfter", timeout="9" * 15)
    assert long["error"] == ["EGeneral:Invalid arguments:timeout"]
    assert (await kraken.private("CancelOrder", txid="--5"))["error"] == ["EOrder:Unknown order"]
    off = await kraken.private("CancelAllOrdersAfter", timeout="0")
    assert off["result"]["triggerTime"] == "0"


async def test_batches(kraken: LocalKraken) -> None:
    row = {"ordertype": "limit", "type": "buy", "volume": "0.001", "price": kraken.price("0.8")}
    placed = await kraken.private_json("AddOrderBatch", {"pair": PAIR, "orders": [row, {**row, "volume": "1000"}]})
    assert [set(item) for item in placed["result"]["orders"]] == [{"descr", "txid"}, {"descr", "error"}]
    broken = await kraken.private_json("AddOrderBatch", {"pair": PAIR, "orders": [row, {**row, "type": "x"}]})
    assert broken["error"] == ["EGeneral:Invalid arguments:type"]
    txid = placed["result"]["orders"][0]["txid"]
    canceled = await kraken.private_json("CancelOrderBatch", {"orders": [txid, "OAAAAA-AAAAA-AAAAAA"]})
    assert canceled["result"] == {"count": 1}


async def test_history_is_paged_and_bounded(kraken: LocalKraken) -> None:
    for _ in range(60):
        await kraken.placed(ordertype="market")
    page = (await kraken.private("TradesHistory"))["result"]
    rest = (await kraken.private("TradesHistory", ofs=50))["result"]
    assert (len(page["trades"]), len(page["trades"]) + len(rest["trades"])) == (50, min(page["count"], 100))
    times = [row["time"] for row in page["trades"].values()]
    assert times == sorted(times, reverse=True)
    closed = (await kraken.private("ClosedOrders", start=times[-1], closetime="close"))["result"]
    assert all(order["closetm"] > times[-1] for order in closed["closed"].values())
    lines = (await kraken.private("Ledgers", asset="XXBT", type="trade"))["result"]["ledger"]
    newest = next(iter(lines.values()))
    assert Decimal(newest["balance"]) == kraken.exchange.balances("alice")["BTC"].total
    assert (await kraken.private("TradeBalance"))["error"] == []


async def test_control_ledger_bears_kraken_ids(kraken: LocalKraken) -> None:
    txid = await kraken.placed(ordertype="market", cl_ord_id="seen")
    order = kraken.wire.ledger(LedgerQuery(kind="orders", order_id=txid))["orders"][0]
    assert (order["id"], order["client_id"], order["status"]) == (txid, "seen", "filled")
    fills = kraken.wire.ledger(LedgerQuery(kind="fills", client_id="seen"))["fills"]
    part = kraken.wire.desk.register.get("alice", txid).parts[0]
    assert [row["order_id"] for row in fills] == [txid] * len(fills)
    everything = kraken.wire.ledger(LedgerQuery(kind="fills"))["fills"]
    assert len({row["id"] for row in everything}) == len(everything)
    assert fills
    assert kraken.exchange.order("alice", SYMBOL, OrderRef(part)).filled == Decimal(order["filled"])
    assert kraken.wire.ledger(LedgerQuery(kind="check"))["ok"] is True
    with pytest.raises(BadRequest):
        Step(ms=0).carry_out(kraken.wire.bench())


async def test_shown_parts_and_self_trades(kraken: LocalKraken) -> None:
    txid = await kraken.placed(ordertype="iceberg", volume="0.004", displayvol="0.001")
    part = kraken.wire.desk.register.get("alice", txid).parts[0]
    assert kraken.exchange.order("alice", SYMBOL, OrderRef(part)).iceberg_amount == Decimal("0.001")
    best = kraken.exchange.depth(SYMBOL, 1).bids[0].price + kraken.exchange.symbols[SYMBOL].tick
    resting = await kraken.placed(price=str(best))
    newest = await kraken.placed(type="sell", price=str(best))
    assert [(await kraken.query(order))["status"] for order in (resting, newest)] == ["open", "canceled"]
    other = await kraken.placed(type="sell", price=str(best), stptype="cancel-both")
    assert [(await kraken.query(order))["status"] for order in (resting, other)] == ["canceled", "canceled"]


def test_paths_without_a_host() -> None:
    wire = create(seed=1, activity=False)
    assert wire.default_host("/0/public/Time") == wire.default_host("/0/private/Balance") == "api.kraken.com"
    assert (wire.default_host("/v2"), wire.default_host("/api/v3/time")) == ("ws.kraken.com", None)
