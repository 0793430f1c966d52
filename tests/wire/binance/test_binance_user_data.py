"""User data events: fields, order and agreement with the ledger, by WebSocket API and by listen key."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from binance_kit import REST, STREAM, WS_API, LocalBinance, ask, eventually, local_binance, next_json, now_ms

from planar.venue.wire.binance import Settings

LIMIT = {"side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.001", "price": "50000"}
REPORT = set("eEscSofqpPFgCxXrilzLnNTtIwmMOZYQV")


async def subscribe(binance: LocalBinance, ws: Any, account: str = "alice") -> None:
    answer = await ask(ws, "userDataStream.subscribe.signature", binance.api_params(account))
    assert answer["status"] == 200


async def events(ws: Any, count: int) -> list[Any]:
    return [(await next_json(ws))["event"] for _ in range(count)]


async def reports(ws: Any, count: int) -> list[Any]:
    """The next execution reports; balances in between are passed over."""
    found: list[Any] = []
    while len(found) < count:
        event = (await next_json(ws))["event"]
        if event["e"] == "executionReport":
            found.append(event)
    return found


async def test_new_and_canceled(binance: LocalBinance) -> None:
    async with binance.ws(WS_API) as ws:
        await subscribe(binance, ws)
        placed = (await binance.order(**LIMIT, newClientOrderId="mine", strategyId=3, strategyType=1_000_000)).json
        report, position = await events(ws, 2)
        assert set(report) == REPORT | {"W", "j", "J"}
        assert report | {"E": 0, "T": 0, "O": 0, "W": 0, "I": 0} == {
            "e": "executionReport",
            "E": 0,
            "s": "BTCUSDT",
            "c": "mine",
            "S": "BUY",
            "o": "LIMIT",
            "f": "GTC",
            "q": "0.00100000",
            "p": "50000.00000000",
            "P": "0.00000000",
            "F": "0.00000000",
            "g": -1,
            "C": "",
            "x": "NEW",
            "X": "NEW",
            "r": "NONE",
            "i": placed["orderId"],
            "l": "0.00000000",
            "z": "0.00000000",
            "L": "0.00000000",
            "n": "0",
            "N": None,
            "T": 0,
            "t": -1,
            "I": 0,
            "w": True,
            "m": False,
            "M": False,
            "O": 0,
            "W": 0,
            "Z": "0.00000000",
            "Y": "0.00000000",
            "Q": "0.00000000",
            "V": "EXPIRE_MAKER",
            "j": 3,
            "J": 1_000_000,
        }
        held = binance.exchange.balances("alice")["USDT"]
        assert set(position) == {"e", "E", "u", "B"}
        assert position["B"] == [{"a": "USDT", "f": f"{held.free:.8f}", "l": f"{held.locked:.8f}"}]
        await binance.signed(
            "DELETE", "/api/v3/order", symbol="BTCUSDT", orderId=placed["orderId"], newClientOrderId="cancel-1"
        )
        report, position = await events(ws, 2)
        assert (report["x"], report["X"], report["c"], report["C"], report["w"]) == (
            "CANCELED",
            "CANCELED",
            "cancel-1",
            "mine",
            False,
        )
        assert position["B"][0]["a"] == "USDT"


async def test_trades(binance: LocalBinance) -> None:
    async with binance.ws(f"{WS_API}?timeUnit=MICROSECOND") as ws:
        await subscribe(binance, ws)
        placed = (await binance.order(side="BUY", type="MARKET", quantity="0.3")).json
        fills = binance.exchange.fills("alice", "BTC/USDT", order_id=placed["orderId"])
        first, *trades = await reports(ws, len(fills) + 1)
        assert (first["x"], first["X"], first["o"]) == ("NEW", "NEW", "MARKET")
        assert [(t["x"], t["t"], t["l"], t["L"], t["Y"], t["n"], t["N"], t["m"]) for t in trades] == [
            (
                "TRADE",
                f.trade_id,
                f"{f.amount:.8f}",
                f"{f.price:.8f}",
                f"{f.quote:.8f}",
                f"{f.commission:.8f}",
                "BTC",
                False,
            )
            for f in fills
        ]
        assert [t["X"] for t in trades] == ["PARTIALLY_FILLED"] * (len(fills) - 1) + ["FILLED"]
        assert Decimal(trades[-1]["z"]) == Decimal("0.3")
        assert trades[-1]["T"] == fills[-1].ts_ms * 1000
        ids = [report["I"] for report in (first, *trades)]
        assert ids == list(range(ids[0], ids[0] + len(ids)))


async def test_expired_amended_and_triggered(binance: LocalBinance) -> None:
    async with binance.ws(WS_API) as ws:
        await subscribe(binance, ws)
        await binance.order(**{**LIMIT, "timeInForce": "FOK"})
        assert [(e["x"], e["X"]) for e in await reports(ws, 2)] == [("NEW", "NEW"), ("EXPIRED", "EXPIRED")]
        placed = (await binance.order(**LIMIT, newClientOrderId="old")).json
        assert (await reports(ws, 1))[0]["x"] == "NEW"
        query = {"symbol": "BTCUSDT", "orderId": placed["orderId"]}
        amended = (
            await binance.signed(
                "PUT", "/api/v3/order/amend/keepPriority", **query, newQty="0.0005", newClientOrderId="new"
            )
        ).json
        report = (await reports(ws, 1))[0]
        assert (report["x"], report["c"], report["C"], report["q"], report["I"]) == (
            "REPLACED",
            "new",
            "old",
            "0.00050000",
            amended["executionId"],
        )
        await binance.order(side="SELL", type="STOP_LOSS", quantity="0.001", stopPrice="50000")
        waiting = (await reports(ws, 1))[0]
        assert (waiting["x"], waiting["w"], waiting["P"], "W" in waiting) == ("NEW", False, "50000.00000000", False)


async def test_self_trade_prevention(binance: LocalBinance) -> None:
    price = str(binance.exchange.depth("BTC/USDT", 1).asks[0].price - Decimal("0.01"))
    resting = (await binance.order(side="SELL", type="LIMIT_MAKER", quantity="0.002", price=price)).json
    async with binance.ws(WS_API) as ws:
        await subscribe(binance, ws)
        taker = (
            await binance.order(**{**LIMIT, "quantity": "0.002", "price": price}, selfTradePreventionMode="EXPIRE_BOTH")
        ).json
        prevented = {r["i"]: r for r in await reports(ws, 3) if r["x"] == "TRADE_PREVENTION"}
        for own, other in ((taker, resting), (resting, taker)):
            report = prevented[own["orderId"]]
            assert REPORT | {"v", "A", "B", "u", "U", "Cs"} <= set(report)
            assert (report["X"], report["A"], report["B"], report["U"]) == (
                "EXPIRED_IN_MATCH",
                "0.00200000",
                "0.00200000",
                other["orderId"],
            )


async def test_money_that_comes_and_goes(binance: LocalBinance) -> None:
    async with binance.ws(WS_API) as ws:
        await subscribe(binance, ws)
        binance.exchange.deposit("alice", "USDT", Decimal(50))
        update, position = await events(ws, 2)
        assert update | {"E": 0, "T": 0} == {"e": "balanceUpdate", "E": 0, "a": "USDT", "d": "50.00000000", "T": 0}
        assert position["e"] == "outboundAccountPosition"
        await binance.signed(
            "POST",
            "/sapi/v1/capital/withdraw/apply",
            coin="USDT",
            address="0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
            amount="20",
        )
        update, position = await events(ws, 2)
        assert (update["e"], update["d"]) == ("balanceUpdate", "-20.00000000")
        assert Decimal(position["B"][0]["f"]) == binance.exchange.balances("alice")["USDT"].free


async def test_listen_key(binance: LocalBinance) -> None:
    path, key = f"{REST}/api/v3/userDataStream", binance.account().apiKey
    assert (await binance.send("POST", path)).error[:2] == (401, -2014)
    listen_key = (await binance.send("POST", path, key=key)).json["listenKey"]
    assert len(listen_key) == 60
    assert (await binance.send("POST", path, key=key)).json["listenKey"] == listen_key
    url = f"{STREAM}/ws/{listen_key}"
    async with binance.ws(url) as raw, binance.ws(f"{STREAM}/stream?streams={listen_key}/btcusdt@trade") as combined:
        await ask(raw, "LIST_SUBSCRIPTIONS")
        await ask(combined, "LIST_SUBSCRIPTIONS")
        await binance.order(**LIMIT)
        assert (await next_json(raw))["e"] == "executionReport"
        assert (await next_json(raw))["e"] == "outboundAccountPosition"
        frame = await next_json(combined)
        assert (frame["stream"], frame["data"]["x"]) == (listen_key, "NEW")
        assert (await binance.send("PUT", f"{path}?listenKey={listen_key}", key=key)).json == {}
        wrong = await binance.send("PUT", f"{path}?listenKey={listen_key}", key=binance.account("bob").apiKey)
        assert wrong.error == (400, -1125, "This listenKey does not exist.")
        assert (await binance.send("DELETE", f"{path}?listenKey={listen_key}", key=key)).json == {}
        await binance.order(**LIMIT)
        assert await ask(raw, "LIST_SUBSCRIPTIONS") == {"result": [], "id": 1}
    gone = await binance.send("PUT", f"{path}?listenKey={listen_key}", key=key)
    assert gone.error == (400, -1125, "This listenKey does not exist.")


async def test_listen_key_runs_out(socket_path: str) -> None:
    async with local_binance(socket_path, settings=Settings(listen_key_ms=80)) as venue:
        path, key = f"{REST}/api/v3/userDataStream", venue.account().apiKey
        first = (await venue.send("POST", path, key=key)).json["listenKey"]
        await eventually(lambda: venue.wire.desk.listen_keys.account_of(first) is None)
        assert (await venue.send("POST", path, key=key)).json["listenKey"] != first


async def test_market_data_hosts_know_no_accounts(binance: LocalBinance) -> None:
    listen_key = (await binance.send("POST", f"{REST}/api/v3/userDataStream", key=binance.account().apiKey)).json[
        "listenKey"
    ]
    async with binance.ws(f"wss://data-stream.binance.vision/ws/{listen_key}/btcusdt@trade") as ws:
        await ask(ws, "LIST_SUBSCRIPTIONS")
        await binance.order(**LIMIT)
        await binance.order(side="BUY", type="MARKET", quantity="0.001")
        assert (await next_json(ws))["e"] == "trade"


async def test_event_times(binance: LocalBinance) -> None:
    async with binance.ws(WS_API) as ws:
        await subscribe(binance, ws)
        placed = (await binance.order(**LIMIT)).json
        report = (await events(ws, 1))[0]
        assert report["T"] == placed["transactTime"] == report["O"] == report["W"]
        assert abs(report["E"] - now_ms()) < 5000
