"""The control API: its token, its endpoints, its errors, by both clients, over the port and the Unix socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import msgspec
import pytest
from toy_wire import API, ToyWire
from venue_kit import Venue

from planar.errors import AuthenticationError, BadRequest, ConfigError, VenueUnavailable
from planar.venue.client import SyncVenueControl, VenueControl
from planar.venue.faults import CutAnswer, DropAnswer, FaultRule, RefuseRequest
from planar.venue.server import VenueServer
from planar.venue.steering import Step
from planar.venue.wire import LedgerQuery


@pytest.fixture(params=["socket", "port"])
async def control(request: pytest.FixtureRequest, venue: Venue) -> AsyncIterator[VenueControl]:
    hidden = {"port": None} if request.param == "socket" else {"socket": None}
    async with VenueControl(msgspec.structs.replace(venue.record, **hidden)) as made:
        yield made


async def test_status(control: VenueControl, venue: Venue) -> None:
    status = await control.status()
    assert status.instance == venue.record.instance
    assert status.venues == {"toy": ("api.toy.test", "stream.toy.test")}
    assert (status.port, status.socket, status.ca) == (venue.record.port, venue.record.socket, venue.record.ca)
    assert status.started_ms <= status.now_ms
    assert (status.connections, status.requests, status.fault_rules) == (1, 1, 0)


async def test_accounts_ledger_and_balance(control: VenueControl, venue: Venue) -> None:
    assert [(a.account, a.apiKey) for a in await control.accounts()] == [("alice", "key-of-alice")]
    venue.wire.orders.extend(["a", "b", "c"])
    assert await control.ledger(LedgerQuery(kind="orders", account="alice", limit=2)) == {"orders": ["b", "c"]}
    btc = {"free": "0.1", "locked": "0"}
    assert await control.set_balance("alice", "BTC", "0.10", venue="toy") == {"account": "alice", "asset": "BTC", **btc}
    assert await control.ledger(LedgerQuery(kind="balances"), venue="toy") == {
        "balances": {"alice": {"BTC": btc, "USDT": {"free": "1000", "locked": "0"}}}
    }


async def test_market(control: VenueControl, venue: Venue) -> None:
    assert await control.market("freeze") == {"toy": {"frozen": True}}
    assert await control.market("step", ms=250, venue="toy") == {"toy": {"frozen": True}}
    assert await control.command(Step(ms=50)) == {"toy": {"frozen": True}}
    assert venue.wire.model.advanced_ms == 300
    assert await control.market("resume") == {"toy": {"frozen": False}}
    found = await control.commands(since_id=1)
    assert [(row.id, row.command) for row in found.commands] == [
        (2, {"action": "step", "ms": 250}),
        (3, {"action": "step", "ms": 50}),
        (4, {"action": "resume"}),
    ]
    assert found.count == 4
    with pytest.raises(BadRequest, match="is running") as caught:
        await control.market("step", ms=1)
    assert caught.value.hint == "freeze it first"
    for action, ms in (("step", None), ("freeze", 5)):
        with pytest.raises(BadRequest, match=f"ms = {ms} with {action}"):
            await control.market(action, ms=ms)


async def test_faults(control: VenueControl, venue: Venue) -> None:
    rule = FaultRule(fault=RefuseRequest(status=503, body="<html>"), venue="toy", path="/api/time")
    added = await control.add_fault(rule)
    assert added.id == "fault-1"
    assert (await control.add_fault(FaultRule(id="cut", fault=CutAnswer(keep_bytes=3)))).id == "cut"
    async with aiohttp.ClientSession() as session, session.get(venue.base + "/api/time") as response:
        assert response.status == 503
    answer = await control.faults()
    assert next((s.rule, s.seen, s.fired) for s in answer.rules) == (added, 1, 1)
    assert [(f.rule, f.kind, f.subject.path) for f in answer.firings] == [("fault-1", "refuse_request", "/api/time")]
    assert await control.clear_faults("cut") == 1
    assert await control.clear_faults() == 1
    assert (await control.faults()).rules == []
    assert len((await control.faults()).firings) == 1


async def test_faults_never_meet_the_control_api(control: VenueControl) -> None:
    await control.add_fault(FaultRule(fault=DropAnswer(), count=None))
    assert (await control.status()).fault_rules == 1


async def test_shutdown(control: VenueControl, venue: Venue) -> None:
    waiting = asyncio.create_task(venue.server.until_shutdown())
    await control.shutdown()
    await waiting


async def test_what_the_venue_refuses(control: VenueControl) -> None:
    with pytest.raises(BadRequest, match="no account 'carol'") as caught:
        await control.ledger(LedgerQuery(kind="orders", account="carol"))
    assert caught.value.hint == "accounts: alice"
    with pytest.raises(BadRequest, match="no exchange 'kiosk' runs here") as caught:
        await control.set_balance("alice", "BTC", "1", venue="kiosk")
    assert caught.value.hint == "running: toy"
    with pytest.raises(BadRequest, match="no exchange 'kiosk' runs here"):
        await control.add_fault(FaultRule(fault=DropAnswer(), venue="kiosk"))
    with pytest.raises(BadRequest, match="no fault rule 'x'"):
        await control.clear_faults("x")


async def test_the_token_is_needed(venue: Venue) -> None:
    async with VenueControl(msgspec.structs.replace(venue.record, token="wrong")) as stranger:
        with pytest.raises(AuthenticationError, match="needs its token"):
            await stranger.status()
        with pytest.raises(AuthenticationError):
            await stranger.shutdown()
    async with aiohttp.ClientSession() as session, session.get(venue.base + "/planar/status") as response:
        assert response.status == 401


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "part"),
    [
        ("GET", "/nothing", None, 404, "/planar/ledger"),
        ("PUT", "/status", None, 405, "GET"),
        ("POST", "/faults", b"{", 400, "is no JSON"),
        ("POST", "/faults", b'{"fault": {"kind": "explode"}}', 400, "explode"),
        ("POST", "/command", b'{"command": {"action": "step"}}', 400, "command.ms is missing"),
        ("POST", "/command", b'{"command": {"action": "freeze", "ms": 5}}', 400, "command.ms is no field"),
        ("POST", "/command", b'{"command": {"action": "step", "ms": 0}}', 400, "at least 1"),
        ("POST", "/command", b'{"command": {"action": "stop"}}', 400, "stop"),
        ("POST", "/command", b'{"command": {"action": "set_balance", "account": "alice"}}', 400, "asset"),
        ("POST", "/command", b'{"command": {"action": "freeze"}, "venues": "toy"}', 400, "venues"),
        ("GET", "/ledger?kind=secrets", None, 400, "secrets"),
        ("GET", "/ledger?kind=orders&sumbol=x", None, 400, "sumbol"),
        ("GET", "/ledger?kind=orders&limit=many", None, 400, "limit"),
    ],
)
async def test_bad_requests_are_answered_with_what_is_wrong(
    venue: Venue, method: str, path: str, body: bytes | None, status: int, part: str
) -> None:
    async with (
        aiohttp.ClientSession(headers=venue.control_headers) as session,
        session.request(method, f"{venue.base}/planar{path}", data=body) as response,
    ):
        error = await response.json()
        assert response.status == status
    assert part in f"{error['error']} {error['hint']}"


async def test_the_control_api_is_on_loopback_names_only(venue: Venue) -> None:
    async with aiohttp.ClientSession(headers=venue.control_headers) as session:
        async with session.get(venue.base + "/planar/status", headers={"Host": API}) as response:
            assert (await response.json())["path"] == "/planar/status"  # an ordinary path of the exchange
        async with session.get(venue.base + "/planar/status", headers={"Host": "evil.example"}) as response:
            assert response.status == 403


async def test_the_sync_client_says_the_same(venue: Venue) -> None:
    def run(control: SyncVenueControl) -> None:
        assert control.status().instance == venue.record.instance
        assert [account.account for account in control.accounts()] == ["alice"]
        assert control.set_balance("alice", "BTC", "2")["free"] == "2"
        assert control.ledger(LedgerQuery(kind="balances"))["balances"]["alice"]["BTC"]["free"] == "2"
        assert control.market("freeze")["toy"]["frozen"]
        assert control.add_fault(FaultRule(fault=DropAnswer(), path="/x")).id
        assert control.faults().firings == []
        assert control.clear_faults() == 1
        with pytest.raises(BadRequest, match="no account"):
            control.ledger(LedgerQuery(kind="orders", account="carol"))
        control.shutdown()

    for hidden in ({"port": None}, {"socket": None}):
        await asyncio.to_thread(run, SyncVenueControl(msgspec.structs.replace(venue.record, **hidden)))
    await venue.server.until_shutdown()


async def test_a_venue_that_is_gone(venue: Venue) -> None:
    await venue.server.stop()
    for hidden in ({"port": None}, {"socket": None}):
        record = msgspec.structs.replace(venue.record, **hidden)
        async with VenueControl(record) as control:
            with pytest.raises(VenueUnavailable, match="does not answer"):
                await control.status()
        with pytest.raises(VenueUnavailable, match="does not answer"):
            SyncVenueControl(record).status()


async def test_a_record_shows_no_token(venue: Venue) -> None:
    assert venue.record.token not in repr(venue.record)


async def test_two_wires_of_one_host_are_refused() -> None:
    with pytest.raises(ConfigError, match="toy, toy"):
        VenueServer([ToyWire(1, False), ToyWire(2, False)])


async def test_several_exchanges_need_a_name(venue: Venue) -> None:
    class Other(ToyWire):
        id = "other"
        hosts = ("api.other.test",)

    both = VenueServer([ToyWire(1, False), Other(1, False)])
    assert venue.record.socket is not None
    record = await both.start(unix_path=venue.record.socket + "2")
    async with VenueControl(record) as control:
        with pytest.raises(BadRequest, match="venue is missing") as caught:
            await control.ledger(LedgerQuery(kind="orders"))
        assert caught.value.hint == "add --venue, or the field `venue`: toy, other"
        assert list(await control.market("freeze")) == ["toy", "other"]
        await control.market("resume", venue="other")
        with pytest.raises(
            BadRequest, match="^other: the market of other is running; done at toy\n  -> freeze it first"
        ):
            await control.market("step", ms=5)
        with pytest.raises(BadRequest, match="venue is missing"):
            await control.set_balance("alice", "BTC", "1")
        assert await control.ledger(LedgerQuery(kind="orders"), venue="other") == {"orders": []}
    await both.stop()
