"""What the witness has of the Kraken wire: verdicts, charges, violations, messages; and no secret."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import aiohttp
import msgspec
import pytest
from kraken_kit import PRIVATE, PUBLIC, LocalKraken, ask, local_kraken

from planar.venue.checker import Operation, check
from planar.venue.checker import ask as ask_ledger
from planar.venue.client import SyncVenueControl, VenueControl
from planar.venue.faults import DropAnswer, FaultRule
from planar.venue.wire.kraken import Settings
from planar.venue.witness import RequestRow


def rows(venue: LocalKraken, kind: str = "http") -> list[RequestRow]:
    return [row for row in venue.wire.witness.requests if row.kind == kind]


async def test_an_order_that_is_done_and_one_that_is_refused(kraken: LocalKraken) -> None:
    txid = await kraken.placed(cl_ord_id="seen")
    await kraken.order(volume="500")
    await kraken.private("CancelOrder", txid=txid)
    await kraken.private("Fly")
    done, refused, canceled, unknown = rows(kraken)
    assert (done.method, done.path, done.account, done.door) == ("POST", "/0/private/AddOrder", "alice", "unix")
    assert (done.symbol, done.client_id, done.verdict, done.status) == ("XBTUSDT", "seen", "done", 200)
    assert done.parameters == ("nonce", "pair", "type", "ordertype", "volume", "price", "cl_ord_id")
    assert done.charges == (("transaction counter", 1.0),)
    assert (refused.verdict, refused.status, refused.error) == ("refused", 200, "EOrder:Insufficient funds")
    assert (canceled.order_id, canceled.verdict, canceled.charges) == (txid, "done", (("transaction counter", 8),))
    assert (unknown.verdict, unknown.error) == ("refused", "EGeneral:Unknown method")


async def test_a_request_that_a_fault_hit(kraken: LocalKraken) -> None:
    kraken.server.faults.add(FaultRule(id="swallow", fault=DropAnswer(), path="*/AddOrder"))
    with pytest.raises(aiohttp.ClientError):
        await kraken.order()
    (row,) = rows(kraken)
    assert (row.verdict, row.status, row.sent, row.faults) == ("done", 200, None, ("swallow (drop_answer)",))


async def test_violations_and_meters(kraken_socket: str) -> None:
    async with local_kraken(kraken_socket, settings=Settings(tier="starter")) as venue:
        venue.freeze()
        second = venue.wire.bench().keys.make("alice", ["query"])
        answers = [await venue.private("TradesHistory", second) for _ in range(8)]
        assert answers[-1]["error"] == ["EAPI:Rate limit exceeded"]
        for _ in range(12):
            if (answer := await venue.order())["error"]:
                break
            await venue.private("CancelOrder", txid=answer["result"]["txid"][0])
        async with VenueControl(venue.record) as control:
            found = await control.violations(account="alice")
            meters = {row.id: row for row in await control.meters()}
        calls, orders = (
            next(one for one in found.violations if one.meter.meter == name)
            for name in ("call counter", "transaction counter")
        )
        assert (calls.meter.subject, calls.meter.scope, calls.meter.limit) == ("alice#2", "key", 15)
        assert 0 < calls.over <= 2
        assert (calls.followed, calls.account) == ("EAPI:Rate limit exceeded", "alice")
        assert (orders.meter.subject, orders.followed) == ("alice BTC/USDT", "EOrder:Rate limit exceeded")
        blamed = next(row for row in rows(venue) if row.id == orders.request)
        assert (blamed.verdict, blamed.error) == ("refused", "EOrder:Rate limit exceeded")
        assert meters["transaction counter alice BTC/USDT"].used > 50
        assert meters["call counter alice#2"].decay_per_s == 0.33
        assert second.apiKey not in str(meters)


async def test_connections_and_messages(kraken: LocalKraken) -> None:
    token = await kraken.token()
    order = {"order_type": "limit", "side": "buy", "order_qty": 0.001, "limit_price": float(kraken.price("0.8"))}
    async with kraken.ws(PRIVATE) as ws:
        placed = await ask(ws, "add_order", token=token, symbol="BTC/USDT", cl_ord_id="by-ws", **order)
        await ask(ws, "cancel_order", 2, token=token, order_id=["OAAAAA-AAAAA-AAAAAA"])
        await ask(ws, "add_order", 3, token="no" * 20, symbol="BTC/USDT", **order)
        (connection,) = rows(kraken, "connect")
        done, refused, stranger = rows(kraken, "message")
    assert placed["success"] is True
    assert (connection.status, connection.host, connection.account) == (101, "ws-auth.kraken.com", "alice")
    assert (done.method, done.account, done.client_id, done.symbol) == ("add_order", "alice", "by-ws", "BTC/USDT")
    assert (done.verdict, done.connection, done.charges) == ("done", connection.id, (("transaction counter", 1.0),))
    assert (refused.method, refused.verdict, refused.error) == ("cancel_order", "refused", "EOrder:Unknown order")
    assert (stranger.account, stranger.verdict, stranger.error) == (None, "refused", "ESession:Invalid session")
    async with asyncio.timeout(5):
        while connection.closed_ms is None:
            await asyncio.sleep(0.002)
    assert (connection.close_code, connection.messages) == (1000, 3)
    assert connection.frames >= 4


async def test_no_secret_is_kept(kraken: LocalKraken) -> None:
    """Keys, signatures and tokens, wherever a client puts them."""
    who = kraken.account()
    token = await kraken.token()
    await kraken.order(otp="sesame-sesame")
    await kraken.public(f"Time/{who.secret}", secret=who.secret)
    await kraken.post(f"/0/private/{token}{token}", f"{who.apiKey}=1", {"API-Key": who.apiKey, "API-Sign": who.secret})
    async with kraken.ws(PUBLIC) as ws:
        await ask(ws, token + token, token=token)
        await ask(ws, "subscribe", 2, channel="book", symbol=[token + token])
    async with kraken.ws(PRIVATE) as ws:
        await ask(ws, "subscribe", channel="executions", token=token)
    witness = kraken.wire.witness
    text = msgspec.json.encode([list(witness.requests), list(witness.violations), witness.meters()]).decode()
    assert len(witness.requests) >= 8
    for secret in (who.apiKey, who.secret, token, "sesame-sesame"):
        for part in secret.split("/"):
            assert len(part) < 16 or part not in text


async def test_the_checker_reads_this_ledger(kraken: LocalKraken) -> None:
    """What Kraken itself tells of an order agrees with the ledger to the last digit; one that nobody knows is named."""
    control = SyncVenueControl(kraken.record)
    filled = await kraken.placed(ordertype="market", cl_ord_id="filled")
    amended = await kraken.placed(cl_ord_id="amended")
    await kraken.private("AmendOrder", txid=amended, order_qty="0.002")
    canceled = await kraken.placed(cl_ord_id="canceled")
    await kraken.private("CancelOrder", txid=canceled)
    nameless = await kraken.placed()
    told = await kraken.query(filled)
    assert told["oflags"] == "fciq"  # as Kraken documents of a purchase
    belief = {
        "filled": Decimal(told["vol_exec"]),
        "cost": Decimal(told["cost"]),
        "fees": {"USDT": Decimal(told["fee"])},
    }
    history = [
        _created("filled", filled, state=told["status"], **belief),
        _created("amended", amended, state="open", amount=Decimal("0.002"), filled=Decimal(0)),
        _created("canceled", canceled, state="canceled"),
        _created("invented", None),
    ]
    ledger = await asyncio.to_thread(ask_ledger, control, "alice")
    report = check(history, ledger, seed=7)
    assert {one.client_id: one.problem for one in report.findings} == {
        "invented": "lost",
        f"(none, order {nameless})": "phantom",
    }


def _created(client_id: str, order_id: str | None, **belief: Any) -> Operation:
    return Operation(kind="create", client_id=client_id, symbol="BTC/USDT", result="ok", order_id=order_id, **belief)
