"""No secret is written anywhere: a session that does everything, at its most talkative, is searched for them; and each
kind of place is searched for one that was planted."""

from __future__ import annotations

import base64
import io
import logging
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import ccxt.async_support
import pytest
from rich.console import Console
from rich.traceback import Traceback
from tests.secrets_plugin import hoard
from tests.secrets_search import Hoard, Leak, search_tree, seeded

import planar
from planar.adapters.ccxt_parsing import ParsingSeam
from planar.errors import AuthenticationError, PlanarError
from planar.transport.local import LocalVenue as Venue
from planar.venue.client import VenueControl
from planar.venue.faults import DropAnswer, FaultRule, GarbleAnswer, RefuseRequest, ReplaceAnswer

ROOT = Path(__file__).resolve().parents[2]
SYMBOL = "BTC/USDT"
EXCHANGES = ("binance", "kraken")
SECRET = "kV7pQm2Zt9Xw4Lr8Yb1Nc6Hd3Js5Gf0A"
PLANTED = "sesame-open-42/é"


# -- the search itself --------------------------------------------------------------------------------------------------
@pytest.fixture
def known() -> Hoard:
    found = Hoard()
    found.add("the secret", SECRET)
    found.add("the password", PLANTED)
    return found


PLACES: dict[str, Callable[[], bytes]] = {
    "debug.log": lambda: f"12:00 planar.transport DEBUG POST /order {SECRET}\n".encode(),
    "journal.jsonl": lambda: b'{"body": "secret=' + SECRET.encode() + b'"}\n',
    "part.log": lambda: f"key {SECRET[:20]}...".encode(),
    "markets.cache": lambda: b"\x00\x01\xff" + SECRET.encode() + b"\x00" * 20,
    "core.1234": lambda: b"\x7fELF" + bytes(5_000) + SECRET.encode() + bytes(5_000),
    "headers.txt": lambda: b"Basic " + base64.b64encode(PLANTED.encode()),
    "dump.hex": lambda: SECRET.encode().hex().encode(),
    "url.txt": lambda: f"wss://host/?p={quote(PLANTED, safe='')}".encode(),
    "error.json": lambda: b'{"message": "sesame-open-42/\\u00e9"}',
    "repr.txt": lambda: f"Settings(password={PLANTED!r})".encode(),
    "query.log": lambda: b"GET /api/v3/account?timestamp=1&signature=" + bytes(range(48, 58)) * 5 + b"abcdef",
    "answer.log": lambda: b'{"listenKey": "pqia91ma19a5s61cv6a81va65sdf19v8a65a1a5s61cv6a81va65sdf19v8a65a1"}',
    "kraken.log": lambda: b"headers {'API-Sign': '4/dpxb3iT4tp/ZCVEwSnEsLxx0bqyhLpdfOpc6fn7OR8+UClSV5n9E6a'}",
}


@pytest.mark.parametrize("place", list(PLACES))
def test_plants_a_secret_and_finds_it(tmp_path: Path, known: Hoard, place: str) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / place).write_bytes(PLACES[place]())
    leaks = search_tree(known, tmp_path)
    assert leaks
    assert all(SECRET[:16] not in str(leak) and PLANTED not in str(leak) for leak in leaks)
    assert leaks[0].where == f"deep/{place}"


def test_plants_a_secret_in_a_name_and_finds_it(tmp_path: Path, known: Hoard) -> None:
    (tmp_path / f"{SECRET}.json").write_text("{}")
    assert search_tree(known, tmp_path)


def test_what_is_hidden_or_meant_to_hold_secrets_is_no_leak(tmp_path: Path, known: Hoard) -> None:
    (tmp_path / "secrets.toml").write_text(f'secret = "{SECRET}"')
    (tmp_path / "wire.log").write_text("GET /x?signature=***&token=*** 'API-Sign': '***' apiKey=***")
    (tmp_path / "id.log").write_text(f"order {SECRET[:10]}")
    assert search_tree(known, tmp_path) == []


def test_the_secrets_of_the_local_exchanges_are_known() -> None:
    from planar.venue.wire import binance, kraken

    for wire in (binance.create(7, False), kraken.create(7, False)):
        for account in wire.accounts():
            for secret in (account.apiKey, account.secret):
                assert seeded([7]).find(f"x {secret} y".encode(), "here"), account.account


def test_a_run_of_tests_that_leaks_fails(tmp_path: Path) -> None:
    account = next(iter(_accounts(1)))
    (tmp_path / "test_leak.py").write_text(
        "def test_file(tmp_path):\n"
        f"    (tmp_path / 'own.log').write_text('{account}')\n"
        "def test_log():\n"
        f"    import logging; logging.getLogger('planar.x').warning('{account}')\n"
        "def test_print():\n"
        f"    print('{account}')\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--basetemp={tmp_path / 'base'}"]
    command += ["--rootdir", str(tmp_path), "-c", "/dev/null", "-p", "tests.secrets_session", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    for path in (tmp_path / "test_leak.py", *tmp_path.rglob("own.log")):
        path.unlink()  # the search after this run must not find them again
    assert done.returncode == 1, done.stdout + done.stderr
    for place in ("own.log", "Captured log call of", "Captured stdout call of"):
        assert place in done.stdout
    assert account not in done.stdout.partition("secrets in what")[2]


def _accounts(seed: int) -> Iterator[str]:
    from planar.venue.wire import binance

    for account in binance.create(seed, False).accounts():
        yield account.secret


# -- a session that does everything -------------------------------------------------------------------------------------
class Session:
    """What a session has shown to anybody."""

    def __init__(self) -> None:
        self.shown: dict[str, str] = {}

    def show(self, what: str, text: str) -> None:
        self.shown[f"{len(self.shown)} {what}"] = text

    def error(self, what: str, error: BaseException) -> None:
        self.show(f"error of {what}", f"{error}\n{error!r}\n{error.__dict__!r}")
        cause: BaseException | None = error
        while cause is not None:
            self.show(f"cause of {what}", f"{cause}\n{cause!r}\n{getattr(cause, '__notes__', '')}")
            cause = cause.__cause__ or cause.__context__
        self.show(f"traceback of {what}", "".join(traceback.format_exception(error)))

    async def attempt(self, what: str, call: Any) -> Any:
        try:
            found = await call
        except PlanarError as error:
            self.error(what, error)
            return None
        self.show(f"answer of {what}", repr(found))
        return found


def with_locals(error: BaseException) -> str:
    out = io.StringIO()
    console = Console(file=out, width=500)
    console.print(
        Traceback.from_exception(type(error), error, error.__traceback__, show_locals=True, locals_max_string=None)
    )
    return out.getvalue()


@pytest.fixture
def signatures(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every signature that CCXT makes meanwhile."""
    made: list[str] = []
    for kind in (ccxt.async_support.Exchange, ParsingSeam):
        monkeypatch.setattr(kind, "hmac", staticmethod(_kept(kind.hmac, made)))
    return made


def _kept(original: Callable[..., Any], made: list[str]) -> Callable[..., Any]:
    def hmac(*args: Any, **kwargs: Any) -> Any:
        signature = original(*args, **kwargs)
        made.append(signature if isinstance(signature, str) else base64.b64encode(signature).decode())
        return signature

    return hmac


async def everything(session: Session, workspace: planar.Workspace, exchange_id: str, control: VenueControl) -> None:
    exchange = await workspace.exchange(exchange_id, environment="local", account="alice")
    book = await exchange.fetch_order_book(SYMBOL, 5)
    far = f"{(book.best_bid or 0) * 0.8:.1f}"
    calls: dict[str, Callable[[], Any]] = {
        "fetch_ticker": lambda: exchange.fetch_ticker(SYMBOL, timeout_ms=500),
        "fetch_balance": lambda: exchange.fetch_balance(timeout_ms=500),
        "fetch_key_rights": exchange.fetch_key_rights,
        "fetch_my_trades": lambda: exchange.fetch_my_trades(SYMBOL),
        "fetch_open_orders": lambda: exchange.fetch_open_orders(SYMBOL),
        "create": lambda: exchange.create_limit_order(SYMBOL, "buy", "0.001", far, timeout_ms=500),
        "too much": lambda: exchange.create_limit_order(SYMBOL, "buy", "90000", far),
        "cancel nothing": lambda: exchange.cancel_order("1234567", SYMBOL, timeout_ms=1_000),
    }
    for name, call in calls.items():
        await session.attempt(name, call())
    for kind in ("watch_orders", "watch_balance", "watch_my_trades"):
        async with getattr(exchange, kind)() as stream:
            session.show(kind, repr(stream))
    faults = (
        DropAnswer(),
        GarbleAnswer(),
        RefuseRequest(status=403, body="no"),
        ReplaceAnswer(status=200, body="<html>"),
        ReplaceAnswer(status=503, body=""),
    )
    for fault in faults:
        await control.add_fault(FaultRule(fault=fault, count=None))
        for name in ("fetch_ticker", "fetch_balance", "create"):
            await session.attempt(f"{name} with {fault}", calls[name]())
        await control.clear_faults()
    session.show("exchange", f"{exchange!r} {exchange.settings!r} {exchange.health!r} {exchange.budget()!r}")
    session.show("ccxt", f"{exchange.ccxt!r} {exchange.ccxt!s} {exchange.ccxt.planar!r}")
    session.show("requests", repr(list(exchange.ccxt.planar.monitor.requests)))
    session.show("orders", repr(exchange._adapter) + repr(exchange._orders()))


@pytest.mark.slow
@pytest.mark.parametrize("exchange_id", EXCHANGES)
async def test_a_session_that_does_everything_shows_no_secret(
    exchange_id: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    signatures: list[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PLANAR_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("PLANAR_CACHE", str(tmp_path / "cache"))
    caplog.set_level(logging.DEBUG)
    session = Session()
    async with planar.open(private_venue=True) as workspace:
        await workspace.exchange(exchange_id, environment="local", account="alice")
        venue: Venue | None = workspace.local_venue
        assert venue is not None
        record: Any = venue  # the control API needs of it what both records have: socket, instance, token
        async with VenueControl(record) as control:
            await everything(session, workspace, exchange_id, control)
        session.show("workspace", repr(workspace))
        session.show("arguments", Path(f"/proc/{venue.pid}/cmdline").read_text())
    known = seeded([1])
    for number, signature in enumerate(dict.fromkeys(signatures)):
        known.add(f"signature {number}", signature)
    assert len(signatures) > 10
    leaks: list[Leak] = known.find(caplog.text.encode(), "the log at DEBUG")
    for what, text in session.shown.items():
        leaks += known.find(text.encode(), what)
    leaks += search_tree(known, tmp_path)
    assert len(caplog.text) > 1_000
    assert [str(leak) for leak in leaks] == []


async def test_a_wrong_key_is_not_repeated_to_its_owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PLANAR_STATE", str(tmp_path / "state"))
    known = Hoard()
    known.add("the key", SECRET)
    known.add("the secret", SECRET[::-1])
    async with planar.open(private_venue=True) as workspace:
        exchange = await workspace.exchange("binance", environment="local", account="alice")
        exchange.ccxt.apiKey, exchange.ccxt.secret = SECRET, SECRET[::-1]
        with pytest.raises(AuthenticationError) as caught:
            await exchange.fetch_balance()
    session = Session()
    session.error("a wrong key", caught.value)
    for what, text in {**session.shown, "with locals": with_locals(caught.value)}.items():
        assert known.find(text.encode(), what) == []
    assert hoard().find(repr(exchange.ccxt).encode(), "repr") == []
