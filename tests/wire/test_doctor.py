"""Each trouble that a user meets is made on a local exchange, and the doctor finds it in the right place."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from planar.doctor import CHECKS, Diagnosis, Result, diagnose
from planar.transport.local import LocalVenue
from planar.venue.client import VenueControl, start_private
from planar.venue.faults import (
    CutAnswer,
    DelayAnswer,
    DropRequest,
    Fault,
    FaultRule,
    HangConnection,
    HangRequest,
    RefuseRequest,
    ReplaceAnswer,
    ResetConnection,
    ShiftClock,
)
from planar.venue.registry import VenueRecord
from planar.venue.steering import Command
from planar.venue.steering.accounts import CreateAccount
from planar.venue.steering.state import Delist, Halt, Reopen, RestrictAddresses, SetRights, SetSystem

VENUES = ("binance", "kraken")
TIME = {"binance": "/api/v3/time", "kraken": "/0/public/Time"}
BALANCE = {"binance": "/api/v3/account", "kraken": "/0/private/BalanceEx"}
TRADING = {"binance": ("NONE", "USER_STREAM", "USER_DATA", "TRADE"), "kraken": ("query", "trade")}
READING = {"binance": ("NONE", "USER_STREAM", "USER_DATA"), "kraken": ("query",)}
BLIND = {"binance": ("NONE", "TRADE"), "kraken": ("trade",)}


@pytest.fixture(scope="module")
def venue() -> Iterator[VenueRecord]:
    """One process with both exchanges; started on a loop of its own, reached by record."""
    loop = asyncio.new_event_loop()
    private = loop.run_until_complete(start_private(VENUES, seed=5))
    yield private.record
    loop.run_until_complete(private.close())
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()


@pytest.fixture
async def control(venue: VenueRecord) -> AsyncIterator[VenueControl]:
    async with VenueControl(venue) as opened:
        yield opened
        await opened.clear_faults()


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PLANAR_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("PLANAR_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    # nobody shares the meters of these tests: each asks a few times, and Kraken's counters are short
    monkeypatch.setenv("PLANAR__BUDGET__SHARED", "false")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
async def person(control: VenueControl) -> str:
    """An account of the test's own at each exchange: Kraken's counters of an account are soon full."""
    name = f"p{len(await control.accounts())}"
    for exchange in VENUES:
        await control.command(CreateAccount(account=name, funds={"USDT": "1000"}), venue=exchange)
    return name


@pytest.fixture
def examine(venue: VenueRecord, person: str, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Examines an exchange of the venue with the test's own account; `timeout_ms` bounds its calls."""
    local = LocalVenue(
        instance=venue.instance, socket=venue.socket, token=venue.token, venues=list(venue.venues), pid=venue.pid
    )

    async def run(exchange: str, symbol: str | None = None, *, timeout_ms: int = 4_000, **options: Any) -> Diagnosis:
        monkeypatch.setenv(f"PLANAR__{exchange.upper()}__TIMEOUT", str(timeout_ms))
        options = {"environment": "local", "local_venue": local, "account": person, **options}
        return await diagnose(exchange, symbol, **options)

    return run


def levels(found: Diagnosis) -> dict[str, str]:
    return {result.check: result.level for result in found.checks}


def failed(found: Diagnosis) -> list[str]:
    return [result.check for result in found.checks if result.level == "fail"]


def says(result: Result, *words: str) -> None:
    text = f"{result.text} {result.fix}"
    for word in words:
        assert word in text, f"{word!r} is not in {text!r}"


# -- a healthy one -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", VENUES)
async def test_a_good_key_passes_and_one_that_may_withdraw_is_warned_of(
    name: str, examine: Callable[..., Any], control: VenueControl, person: str
) -> None:
    seen: list[Result] = []
    found = await examine(name, "BTC/USDT", on_result=seen.append)
    assert [result.check for result in found.checks] == [check.name for check in CHECKS]
    assert tuple(seen) == found.checks
    assert found.level == "warn"
    says(found.check("rights"), "withdraw", "turn withdrawals off")
    says(found.check("addresses"), "every address")
    await control.command(SetRights(account=person, rights=TRADING[name]), venue=name)
    await control.command(RestrictAddresses(account=person, addresses=("local",)), venue=name)
    found = await examine(name, "BTC/USDT")
    assert set(levels(found).values()) == {"ok", "skip"}, found
    assert [check for check, level in levels(found).items() if level == "skip"] == ["dns", "tls", "proxy"]
    says(found.check("rights"), "read, trade")
    says(found.check("addresses"), "this machine's is one of them")


@pytest.mark.parametrize("name", VENUES)
async def test_it_changes_nothing_at_the_exchange(
    name: str, examine: Callable[..., Any], control: VenueControl, person: str
) -> None:
    await examine(name, "ETH/USDT")
    rows = (await control.requests(venue=name, account=person)).requests
    assert rows
    reads = {"/0/private/BalanceEx", "/0/private/Balance", "/0/private/GetApiKeyInfo"}
    assert [row.path for row in rows if row.method != "GET" and row.path not in reads] == []


# -- the key -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", VENUES)
async def test_a_wrong_key_costs_one_request_and_names_all_causes(
    name: str, examine: Callable[..., Any], control: VenueControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = len((await control.requests(venue=name, path=BALANCE[name])).requests)
    monkeypatch.setenv(f"PLANAR_{name.upper()}_LOCAL_APIKEY", "k" * 64)
    monkeypatch.setenv(f"PLANAR_{name.upper()}_LOCAL_SECRET", "c2VjcmV0" * 8)
    found = await examine(name, account="")
    assert failed(found) == ["private"]
    says(found.check("private"), "environment", "address")
    says(found.check("rights"), "the private call failed")
    assert len((await control.requests(venue=name, path=BALANCE[name])).requests) == before + 1
    assert levels(found)["latency"] == "ok"


@pytest.mark.parametrize("name", VENUES)
async def test_a_wrong_secret(
    name: str, examine: Callable[..., Any], control: VenueControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = next(one for one in await control.accounts() if (one.exchange, one.account) == (name, "alice"))
    monkeypatch.setenv(f"PLANAR_{name.upper()}_LOCAL_APIKEY", key.apiKey)
    monkeypatch.setenv(f"PLANAR_{name.upper()}_LOCAL_SECRET", "c2VjcmV0" * 8)
    found = await examine(name, account="")
    assert failed(found) == ["private"]
    says(found.check("private"), "ignature", "check")
    text = msgspec.json.encode(found).decode()
    assert key.apiKey not in text
    assert "c2VjcmV0" not in text


async def test_a_secret_of_the_wrong_form(examine: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLANAR_KRAKEN_LOCAL_APIKEY", "k" * 56)
    monkeypatch.setenv("PLANAR_KRAKEN_LOCAL_SECRET", "no-base64-at-all")
    found = await examine("kraken", account="")
    assert failed(found) == ["private"]
    says(found.check("private"), "nothing was sent", "copy it again")


@pytest.mark.parametrize("name", VENUES)
async def test_half_a_key_and_an_account_that_is_not_there(
    name: str, examine: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = await examine(name, account="zoe")
    assert failed(found) == ["credentials"]
    says(found.check("credentials"), "no account 'zoe'", "alice")
    monkeypatch.setenv(f"PLANAR_{name.upper()}_LOCAL_APIKEY", "k" * 64)
    found = await examine(name, account="")
    assert failed(found) == ["credentials"]
    says(found.check("credentials"), "secret is missing", f"PLANAR_{name.upper()}_LOCAL_SECRET")
    says(found.check("private"), "not checked: credentials failed")
    assert levels(found)["public"] == "ok"


@pytest.mark.parametrize("name", VENUES)
async def test_rights_that_are_missing(
    name: str, examine: Callable[..., Any], control: VenueControl, person: str
) -> None:
    await control.command(SetRights(account=person, rights=READING[name]), venue=name)
    found = await examine(name)
    assert (found.level, levels(found)["rights"]) == ("warn", "warn")
    says(found.check("rights"), "not trade", "read_only = true")
    await control.command(SetRights(account=person, rights=BLIND[name]), venue=name)
    found = await examine(name)
    assert "private" in failed(found)
    says(found.check("private"), "right")
    if name == "kraken":  # tells every key what it may do
        says(found.check("rights"), "may not read the account")


@pytest.mark.parametrize("name", VENUES)
async def test_an_address_that_is_not_allowed(
    name: str, examine: Callable[..., Any], control: VenueControl, person: str
) -> None:
    await control.command(RestrictAddresses(account=person, addresses=("10.1.2.3",)), venue=name)
    found = await examine(name)
    says(found.check("private"), "address")
    assert levels(found)["private"] == "fail"
    if name == "kraken":
        says(found.check("addresses"), "is not on the key's list")


# -- the network and the exchange -----------------------------------------------------------------------------------
ANSWERS: dict[str, tuple[Fault, str]] = {
    "nothing comes back": (HangRequest(), "in time"),
    "a connection that hangs": (HangConnection(), "in time"),
    "a slow answer": (DelayAnswer(delay_ms=2_000), "timeout"),
    "a connection that breaks": (DropRequest(), "closed"),
    "a connection that is reset": (ResetConnection(), "status page"),
    "a page of a proxy": (ReplaceAnswer(status=200, body="<html>log in</html>"), "is no JSON"),
    "half an answer": (CutAnswer(keep_bytes=10), "broke off"),
    "a gateway that is down": (RefuseRequest(status=502, body="bad gateway"), "502"),
    "too many requests": (RefuseRequest(status=429, body="{}", headers={"Retry-After": "7"}), "wait 7 s"),
}


@pytest.mark.parametrize("name", VENUES)
@pytest.mark.parametrize("trouble", ANSWERS)
async def test_what_goes_wrong_on_the_way(
    trouble: str, name: str, examine: Callable[..., Any], control: VenueControl
) -> None:
    fault, word = ANSWERS[trouble]
    path = None if isinstance(fault, HangConnection | ResetConnection) else TIME[name]
    await control.add_fault(FaultRule(fault=fault, venue=name, path=path, count=None))
    found = await examine(name, timeout_ms=400)
    assert "public" in failed(found), found
    says(found.check("public"), word)
    assert found.check("public").fix
    says(found.check("private"), "not checked: public failed")
    if trouble == "too many requests":
        says(found.check("budget"), "wait 7 s", "enable_rate_limit")


async def test_a_ban_that_another_program_met_is_kept_and_told(
    examine: Callable[..., Any], control: VenueControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLANAR__BUDGET__SHARED", "true")
    banned = RefuseRequest(status=418, body='{"code":-1003,"msg":"banned"}', headers={"Retry-After": "60"})
    await control.add_fault(FaultRule(fault=banned, venue="binance", count=None))
    await examine("binance", timeout_ms=400)
    await control.clear_faults()
    before = len((await control.requests(venue="binance")).requests)
    found = await examine("binance", timeout_ms=400)
    assert failed(found) == ["public", "budget"]
    says(found.check("public"), "was not sent", "told us to wait")
    says(found.check("budget"), "enable_rate_limit")
    assert len((await control.requests(venue="binance")).requests) == before


async def test_kraken_says_its_limits_with_status_200(examine: Callable[..., Any], control: VenueControl) -> None:
    answer = ReplaceAnswer(status=200, body='{"error":["EAPI:Rate limit exceeded"]}')
    await control.add_fault(FaultRule(fault=answer, venue="kraken", path="/0/private/*", count=None))
    found = await examine("kraken")
    assert failed(found) == ["private"]
    says(found.check("private"), "Rate limit", "enable_rate_limit")


@pytest.mark.parametrize("name", VENUES)
async def test_maintenance(name: str, examine: Callable[..., Any], control: VenueControl) -> None:
    words = {"binance": ("system_maintenance", "normal"), "kraken": ("maintenance", "online")}[name]
    await control.command(SetSystem(state=words[0]), venue=name)
    try:
        found = await examine(name)
    finally:
        await control.command(SetSystem(state=words[1]), venue=name)
    assert found.level == "fail"
    worst = found.check("public" if name == "binance" else "private")
    assert worst.level == "fail"
    says(worst, "maintenance")


@pytest.mark.parametrize("skew_ms", [3_000, -3_000])
@pytest.mark.parametrize("name", VENUES)
async def test_a_clock_that_is_wrong(
    name: str, skew_ms: int, examine: Callable[..., Any], control: VenueControl
) -> None:
    await control.add_fault(FaultRule(fault=ShiftClock(skew_ms=skew_ms), venue=name, count=None))
    found = await examine(name)
    assert levels(found)["clock"] == "warn"
    says(found.check("clock"), "NTP")
    told = re.search(r"([-+]\d+) ms \(give or take (\d+)\)", found.check("clock").text)
    assert told is not None
    assert abs(int(told[1]) - skew_ms) <= int(told[2]) + 1


async def test_a_private_call_that_is_refused_for_its_time(examine: Callable[..., Any], control: VenueControl) -> None:
    answer = ReplaceAnswer(status=400, body='{"code":-1021,"msg":"Timestamp for this request is outside."}')
    await control.add_fault(FaultRule(fault=answer, venue="binance", path=BALANCE["binance"], count=None))
    found = await examine("binance")
    assert failed(found) == ["private"]
    says(found.check("private"), "clock", "NTP")


async def test_broken_streams_are_nothing_to_it(examine: Callable[..., Any], control: VenueControl) -> None:
    for name, path in (("binance", "/ws*"), ("kraken", "/v2*")):
        await control.add_fault(FaultRule(fault=DropRequest(), venue=name, path=path, count=None))
        assert (await examine(name)).level == "warn"


async def test_slow_calls_are_measured_and_told(
    examine: Callable[..., Any], control: VenueControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = FaultRule(fault=DelayAnswer(delay_ms=110), venue="binance", path=TIME["binance"], count=None)
    await control.add_fault(slow)
    assert levels(await examine("binance"))["latency"] == "ok"
    monkeypatch.setattr("planar.doctor.network_checks.SLOW_MS", 100)
    found = await examine("binance")
    assert levels(found)["latency"] == "warn"
    says(found.check("latency"), "p50 11", "nearer to the exchange")


async def test_an_exchange_that_does_not_tell_its_time(examine: Callable[..., Any], home: Path) -> None:
    (home / "planar.toml").write_text("[kraken.ccxt.has]\nfetchTime = false\n")
    found = await examine("kraken", "BTC/USDT")
    says(found.check("clock"), "does not tell its time")
    says(found.check("latency"), "p50")
    says((await examine("kraken")).check("latency"), "name a symbol")


# -- the market ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", VENUES)
async def test_symbols(name: str, examine: Callable[..., Any], control: VenueControl) -> None:
    for written in ("BTCUSDT", "btc-usdt", "BTC/USDT"):
        found = await examine(name, written)
        assert found.level == "warn"
        says(found.check("symbol"), "BTC/USDT", "listed and trades")
    for wrong, hint in (("BTC/USDTT", "BTC/USDT"), ("BTC/USDT:USDT", "BTC/USDT (spot)")):
        found = await examine(name, wrong)
        assert failed(found) == ["symbol"]
        says(found.check("symbol"), hint)


@pytest.mark.parametrize("name", VENUES)
async def test_a_market_that_is_halted_or_gone(name: str, examine: Callable[..., Any], control: VenueControl) -> None:
    await control.command(Halt(symbol="ETH/USDT"), venue=name)
    found = await examine(name, "ETH/USDT")
    await control.command(Reopen(symbol="ETH/USDT"), venue=name)
    assert failed(found) == ["symbol"]
    says(found.check("symbol"), "does not trade now", {"binance": "HALT", "kraken": "cancel_only"}[name])
    gone: Command = Delist(symbol="LTC/USDT")
    await control.command(gone, venue=name)
    found = await examine(name, "LTC/USDT")
    assert failed(found) == ["symbol"]
    says(found.check("symbol"), "there is no", "did you mean")


async def test_spot_where_derivatives_are_configured_and_the_reverse(
    examine: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLANAR__KRAKEN__FUTURES", "true")
    found = await examine("kraken", "BTC/USDT")
    assert levels(found)["symbol"] == "warn"
    says(found.check("symbol"), "remove futures = true")
    found = await examine("kraken", "BTCUSDT")
    assert failed(found) == ["symbol"]
    says(found.check("symbol"), "BTC/USDT (spot)")
