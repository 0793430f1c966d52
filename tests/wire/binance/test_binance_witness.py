"""What the witness has of the Binance wire: verdicts, charges, violations, messages; and no secret."""

from __future__ import annotations

import aiohttp
import msgspec
import pytest
from binance_kit import STREAM, WS_API, LocalBinance, ask, eventually, local_binance, next_json

from planar.venue.client import VenueControl
from planar.venue.faults import DropAnswer, FaultRule
from planar.venue.wire.binance import Settings
from planar.venue.witness import RequestRow, Violation

LIMIT = {"side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.001", "price": "50000"}


def rows(venue: LocalBinance, kind: str = "http") -> list[RequestRow]:
    return [row for row in venue.wire.witness.requests if row.kind == kind]


def followed(violation: Violation) -> tuple[str, float, float, str]:
    return violation.meter.meter, violation.over, violation.meter.limit, violation.followed


async def test_an_order_that_is_done_and_one_that_is_refused(binance: LocalBinance) -> None:
    placed = (await binance.order(**LIMIT, newClientOrderId="seen")).json
    await binance.order(**{**LIMIT, "quantity": "90"})
    await binance.signed("DELETE", "/api/v3/order", symbol="BTCUSDT", orderId=placed["orderId"])
    await binance.get("/api/v3/nothing")
    done, refused, canceled, unknown = rows(binance)
    assert (done.method, done.path, done.account, done.door) == ("POST", "/api/v3/order", "alice", "unix")
    assert (done.symbol, done.client_id, done.verdict, done.status) == ("BTCUSDT", "seen", "done", 200)
    assert done.parameters == (
        *("symbol", "side", "type", "timeInForce", "quantity", "price", "newClientOrderId", "timestamp", "signature"),
    )
    assert done.charges == (("REQUEST_WEIGHT 1M", 1), ("RAW_REQUESTS 5M", 1), ("ORDERS 10S", 1), ("ORDERS 1D", 1))
    assert (refused.verdict, refused.status, refused.code) == ("refused", 400, "-2010")
    assert refused.error == "Account has insufficient balance for requested action."
    assert (canceled.order_id, canceled.verdict) == (str(placed["orderId"]), "done")
    assert (unknown.verdict, unknown.status, unknown.code, unknown.charges) == ("refused", 404, None, ())


async def test_a_request_that_a_fault_hit(binance: LocalBinance) -> None:
    binance.server.faults.add(FaultRule(id="swallow", fault=DropAnswer(), method="POST"))
    with pytest.raises(aiohttp.ClientError):
        await binance.order(**LIMIT)
    (row,) = rows(binance)
    assert (row.verdict, row.status, row.sent, row.faults) == ("done", 200, None, ("swallow (drop_answer)",))


async def test_violations_and_meters(socket_path: str) -> None:
    settings = Settings(weight_per_minute=20, warnings_before_ban=1, orders_per_10s=2, connections_per_5m=1)
    async with local_binance(socket_path, settings=settings) as venue:
        venue.freeze()
        orders = [await venue.order(**LIMIT) for _ in range(3)]
        answers = [await venue.get("/api/v3/exchangeInfo") for _ in range(4)]
        async with venue.ws(f"{STREAM}/ws"):
            try:
                await venue.ws(f"{STREAM}/ws")
            except aiohttp.WSServerHandshakeError as error:
                assert error.status == 429
        assert [answer.status for answer in (*orders, *answers)] == [200, 200, 429, 429, 418, 418, 418]
        async with VenueControl(venue.record) as control:
            found = await control.violations()
            meters = {row.id: row for row in await control.meters()}
        first, *weights, connections = found.violations
        assert followed(first) == ("ORDERS 10S", 1, 2, "429")
        assert (first.account, first.meter.scope, first.meter.subject) == ("alice", "account", "alice")
        assert [followed(one) for one in weights] == [
            ("REQUEST_WEIGHT 1M", 3, 20, "429"),
            ("REQUEST_WEIGHT 1M", 23, 20, "418, banned"),
            ("BAN", 1, 0, "418"),
            ("BAN", 2, 0, "418"),
        ]
        assert followed(connections) == ("CONNECTIONS 5M", 1, 1, "429")
        assert [one.id for one in found.violations] == [1, 2, 3, 4, 5, 6]
        assert found.counts == {"ORDERS 10S": 1, "REQUEST_WEIGHT 1M": 2, "BAN": 2, "CONNECTIONS 5M": 1}
        by_id = {row.id: row for row in venue.wire.witness.requests}
        blamed = [by_id[one.request or 0] for one in found.violations]
        assert [row.path for row in blamed] == ["/api/v3/order", *["/api/v3/exchangeInfo"] * 4, "/ws"]
        assert [row.status for row in blamed] == [429, 429, 418, 418, 418, 429]
        weight, ban = meters["REQUEST_WEIGHT 1M local"], meters["BAN local"]
        assert (weight.used, weight.limit, weight.window_ms, weight.scope) == (43, 20, 60_000, "address")
        assert (ban.used, ban.resets_ms) == (2, weights[-1].until_ms)
        assert meters["ORDERS 10S alice"].used == 2


async def test_messages(binance: LocalBinance) -> None:
    async with binance.ws(WS_API) as ws:
        await ask(ws, "order.place", binance.api_params(symbol="BTCUSDT", newClientOrderId="by-ws", **LIMIT))
        await ask(ws, "order.cancel", binance.api_params(symbol="BTCUSDT", origClientOrderId="nobody"))
        await ws.send_str("{")
        await next_json(ws)
        (connection,) = rows(binance, "connect")
        placed, refused, malformed = rows(binance, "message")
    assert (connection.status, connection.messages, connection.path) == (101, 3, "/ws-api/v3")
    assert connection.charges == (("REQUEST_WEIGHT 1M", 2), ("CONNECTIONS 5M", 1))
    assert (placed.method, placed.account, placed.client_id) == ("order.place", "alice", "by-ws")
    assert (placed.verdict, placed.status, placed.connection) == ("done", 200, connection.id)
    assert placed.charges[:2] == (("REQUEST_WEIGHT 1M", 1), ("RAW_REQUESTS 5M", 1))
    assert (refused.method, refused.verdict, refused.status, refused.code) == ("order.cancel", "refused", 400, "-2011")
    assert (malformed.method, malformed.verdict, malformed.code) == ("", "refused", "-1135")
    await eventually(lambda: connection.closed_ms is not None)
    assert connection.close_code == 1000


async def test_streams(socket_path: str) -> None:
    async with local_binance(socket_path, settings=Settings(messages_per_s=3)) as venue:
        async with venue.ws(f"{STREAM}/ws/btcusdt@trade") as ws:
            await ask(ws, "LIST_SUBSCRIPTIONS")
            await ask(ws, "FLY")
            for _ in range(9):
                await ws.send_str('{"method": "LIST_SUBSCRIPTIONS", "id": 1}')
            await eventually(lambda: bool(venue.wire.witness.violations))
        (connection,) = rows(venue, "connect")
        listed, refused, *_ = rows(venue, "message")
        assert (listed.method, listed.verdict, refused.method, refused.verdict) == (
            *("LIST_SUBSCRIPTIONS", "done"),
            *("FLY", "refused"),
        )
        violation = venue.wire.witness.violations[0]
        assert (violation.meter.meter, violation.followed) == ("MESSAGES 1S", "closed, 1008")
        await eventually(lambda: connection.closed_ms is not None)
        assert (connection.close_code, connection.path) == (1008, "/ws/btcusdt@trade")


async def test_no_secret_is_kept(binance: LocalBinance) -> None:
    """Keys, signatures and listen keys, wherever a client puts them."""
    who = binance.account()
    key = (await binance.send("POST", "https://api.binance.com/api/v3/userDataStream", key=who.apiKey)).json
    listen_key = key["listenKey"]
    await binance.order(**LIMIT)
    await binance.get(f"/api/v3/account/{who.secret}", apiKey=who.apiKey, secret=who.secret)
    await binance.send("PUT", f"https://api.binance.com/api/v3/userDataStream?listenKey={listen_key}", key=who.apiKey)
    async with binance.ws(f"{STREAM}/ws/{listen_key}") as ws:
        await ask(ws, "SUBSCRIBE", [listen_key])
        await ask(ws, who.secret)
    params = binance.api_params(symbol="BTCUSDT", **LIMIT)
    async with binance.ws(WS_API) as ws:
        await ask(ws, "order.place", params)
        await ask(ws, who.secret, {who.apiKey: 1})
    witness = binance.wire.witness
    text = msgspec.json.encode([list(witness.requests), list(witness.violations), witness.meters()]).decode()
    assert len(witness.requests) >= 9
    for secret in (who.apiKey, who.secret, listen_key, params["signature"]):
        assert secret[:24] not in text
        assert secret[-24:] not in text
