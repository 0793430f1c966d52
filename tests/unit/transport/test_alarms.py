"""Alarms: told once, redacted, never in the way; each sink against what it really speaks to."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest
from aiohttp import web

from planar.config import AlarmSettings, Secret
from planar.errors import ConfigError
from planar.transport.alarms import PER_MINUTE, Alarm, Alarms, AlarmSink
from planar.transport.sinks import CommandSink, LogSink, TelegramSink, WebhookSink, sinks_of

TOKEN = "7001:AAtelegramtoken"


class Kept:
    """Keeps what it gets."""

    def __init__(self) -> None:
        self.alarms: list[Alarm] = []
        self.closed = False

    async def send(self, alarm: Alarm) -> None:
        self.alarms.append(alarm)

    async def close(self) -> None:
        self.closed = True


class Broken(Kept):
    async def send(self, alarm: Alarm) -> None:
        raise ConnectionError("https://x/?token=abcdef")


class Hanging(Kept):
    async def send(self, alarm: Alarm) -> None:
        await asyncio.Event().wait()


class Server:
    """Takes what is posted."""

    def __init__(self) -> None:
        self.posted: list[tuple[str, object]] = []
        self.status = 200
        self.headers: dict[str, str] = {}
        self.bodies: list[tuple[int, bytes]] = []
        self.url = ""

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        self.posted.append((request.path, orjson.loads(await request.read())))
        if self.bodies:
            status, body = self.bodies.pop(0)
            return web.Response(status=status, body=body)
        return web.Response(status=self.status, headers=self.headers)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = Server()
    runner = web.ServerRunner(web.Server(made.answer))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


def an_alarm(text: str = "api.example.com answers nothing") -> Alarm:
    return Alarm(kind="breaker", severity="error", exchange="kraken", account="main", text=text, since_ms=1)


async def test_the_same_alarm_is_told_once_and_another_of_its_kind_too() -> None:
    kept = Kept()
    alarms = Alarms([kept])
    for _ in range(10):
        alarms.report("breaker", "error", "kraken", "down", of="a")
        alarms.report("breaker", "error", "kraken", "down", of="b")
    await alarms.close()
    assert [alarm.text for alarm in kept.alarms] == ["down", "down"]
    assert kept.closed


async def test_a_breaker_that_opens_again_after_it_closed_is_told_again() -> None:
    kept = Kept()
    alarms = Alarms([kept])
    for _ in range(2):
        alarms.report("breaker", "error", "kraken", "down", of="a")
        alarms.report("breaker_closed", "info", "kraken", "up", of="a")
    await alarms.close()
    assert [alarm.text for alarm in kept.alarms] == ["down", "up", "down", "up"]


async def test_a_flood_is_cut_and_said() -> None:
    kept = Kept()
    alarms = Alarms([kept])
    for number in range(PER_MINUTE + 7):
        alarms.report("order_unknown", "error", "kraken", f"order {number}", of=str(number))
    alarms._minute.clear()
    alarms.report("order_unknown", "error", "kraken", "the last", of="last")
    await alarms.close()
    assert len(kept.alarms) == PER_MINUTE + 1
    assert kept.alarms[-1].text == "the last (and 7 alarms before it were left out)"


async def test_nothing_secret_gets_to_a_sink() -> None:
    kept = Kept()
    alarms = Alarms([kept])
    alarms.report(
        "ban", "error", "binance", "GET /x?signature=deadbeef12 failed", data={"url": "https://h/?apiKey=SECRETKEY1"}
    )
    await alarms.close()
    assert "deadbeef12" not in repr(kept.alarms)
    assert "SECRETKEY1" not in repr(kept.alarms)


async def test_a_broken_sink_hinders_no_other_and_the_caller_never_waits(caplog: pytest.LogCaptureFixture) -> None:
    kept = Kept()
    alarms = Alarms([Broken(), kept])
    remove = alarms.add(Broken())
    remove()
    began = asyncio.get_running_loop().time()
    alarms.report("ban", "error", "binance", "banned")
    assert asyncio.get_running_loop().time() - began < 0.05
    await alarms.close()
    assert len(kept.alarms) == 1
    assert "could not be sent by Broken" in caplog.text
    assert "abcdef" not in caplog.text


async def test_a_sink_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("planar.transport.alarms.SINK_S", 0.05)
    kept = Kept()
    alarms = Alarms([Hanging(), kept])
    alarms.report("ban", "error", "binance", "one")
    alarms.report("ban", "error", "kraken", "two")
    async with asyncio.timeout(2):
        while len(kept.alarms) < 2:
            await asyncio.sleep(0.01)
    await alarms.close()


async def test_a_slow_sink_delays_no_other_and_what_it_misses_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("planar.transport.alarms.QUEUE", 2)
    slow, kept, let = Kept(), Kept(), asyncio.Event()

    async def wait(alarm: Alarm) -> None:
        await let.wait()
        slow.alarms.append(alarm)

    slow.send = wait  # type: ignore[method-assign]
    alarms = Alarms([slow, kept])
    for number in range(6):
        alarms.report("order_unknown", "error", "kraken", f"order {number}", of=str(number))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert [alarm.text for alarm in kept.alarms] == [f"order {number}" for number in range(6)]
    let.set()
    async with asyncio.timeout(2):
        while len(slow.alarms) < 3:
            await asyncio.sleep(0)
    alarms.report("order_unknown", "error", "kraken", "the last", of="last")
    await alarms.close()
    assert slow.alarms[-1].text == "the last (and 3 alarms before it were left out)"


async def test_what_is_raised_again_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Kept()
    alarms = Alarms([kept])
    for _ in range(50):
        alarms.report("ban", "error", "binance", "banned", of="h")
    monkeypatch.setattr("planar.transport.alarms.REPEAT_S", 0.0)
    alarms.report("ban", "error", "binance", "banned", of="h")
    await alarms.close()
    assert [alarm.text for alarm in kept.alarms] == ["banned", "banned (raised 49 times more since it was told last)"]


async def test_a_sink_that_cannot_be_closed_keeps_no_other_open() -> None:
    kept, broken = Kept(), Kept()

    async def fail() -> None:
        raise ConnectionError("x")

    broken.close = fail  # type: ignore[method-assign]
    await Alarms([broken, kept]).close()
    assert kept.closed


async def test_a_redirect_is_not_followed(server: Server) -> None:
    server.status, server.headers = 307, {"Location": f"{server.url}/elsewhere"}
    sink = WebhookSink(Secret(f"{server.url}/hook"))
    with pytest.raises(ConnectionError, match="the webhook answered HTTP 307"):
        await sink.send(an_alarm())
    assert [path for path, _ in server.posted] == ["/hook"]
    await sink.close()


async def test_telegram_says_when_to_come_again(server: Server) -> None:
    sink = TelegramSink(Secret(TOKEN), "-100", server.url)
    server.bodies = [(429, b'{"ok":false,"error_code":429,"parameters":{"retry_after":0.05}}')]
    began = asyncio.get_running_loop().time()
    await sink.send(an_alarm("*bold* _x_ [a](b) <b>"))
    assert asyncio.get_running_loop().time() - began >= 0.05
    assert [posted for _, posted in server.posted] == [
        {"chat_id": "-100", "text": "error kraken/main: *bold* _x_ [a](b) <b>"}
    ] * 2
    for body in (b"", b"[]", b'{"parameters":{}}'):
        server.bodies = [(429, body)]
        with pytest.raises(ConnectionError, match="Telegram answered HTTP 429"):
            await sink.send(an_alarm())
    await sink.send(an_alarm("x" * 9_000))
    last = server.posted[-1][1]
    assert isinstance(last, dict)
    assert len(last["text"]) == 4_096
    await sink.close()


async def test_the_webhook_gets_json(server: Server) -> None:
    sink = WebhookSink(Secret(f"{server.url}/hooks/T0SECRET"))
    await sink.send(an_alarm())
    (path, posted), *_ = server.posted
    assert path == "/hooks/T0SECRET"
    assert posted == {
        "kind": "breaker",
        "severity": "error",
        "exchange": "kraken",
        "account": "main",
        "text": "api.example.com answers nothing",
        "since_ms": 1,
        "data": {},
    }
    server.status = 500
    with pytest.raises(ConnectionError, match="the webhook answered HTTP 500") as caught:
        await sink.send(an_alarm())
    assert "T0SECRET" not in str(caught.value)
    await sink.close()


async def test_telegram_gets_a_message_and_the_token_stays_here(server: Server) -> None:
    sink = TelegramSink(Secret(TOKEN), "-100", server.url)
    await sink.send(an_alarm())
    assert server.posted == [
        (f"/bot{TOKEN}/sendMessage", {"chat_id": "-100", "text": "error kraken/main: api.example.com answers nothing"})
    ]
    await sink.close()
    sink = TelegramSink(Secret(TOKEN), "-100", "http://127.0.0.1:1")
    with pytest.raises(ConnectionError, match="Telegram cannot be reached") as caught:
        await sink.send(an_alarm())
    assert TOKEN not in f"{caught.value!r} {caught.value.__cause__!r}"
    await sink.close()


async def test_a_command_gets_json_on_its_input(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    code = f"import sys; open({str(out)!r}, 'wb').write(sys.stdin.buffer.read())"
    await CommandSink([sys.executable, "-c", code]).send(an_alarm())
    assert orjson.loads(out.read_bytes())["kind"] == "breaker"
    with pytest.raises(ChildProcessError, match="code 3"):
        await CommandSink([sys.executable, "-c", "raise SystemExit(3)"]).send(an_alarm())


async def test_the_log_gets_a_record(caplog: pytest.LogCaptureFixture) -> None:
    await LogSink().send(an_alarm())
    assert [(one.name, one.levelno) for one in caplog.records] == [("planar.alarms", logging.ERROR)]
    assert caplog.messages == ["error kraken/main: api.example.com answers nothing [breaker]"]


def kinds(sinks: list[AlarmSink]) -> list[str]:
    return [type(sink).__name__ for sink in sinks]


def test_the_settings_make_the_sinks(tmp_path: Path) -> None:
    assert kinds(sinks_of(AlarmSettings())) == ["LogSink"]
    (tmp_path / "token").write_text(TOKEN + "\n")
    settings = AlarmSettings(
        log=False,
        command=("true",),
        webhook=Secret("http://h/x"),
        telegram_token_file=str(tmp_path / "token"),
        telegram_chat="1",
    )
    assert kinds(sinks_of(settings)) == ["CommandSink", "WebhookSink", "TelegramSink"]
    missing = AlarmSettings(telegram_token_file=str(tmp_path / "none"), telegram_chat="1")
    with pytest.raises(ConfigError, match="cannot be read"):
        sinks_of(missing)
    (tmp_path / "token").write_text("\n")
    with pytest.raises(ConfigError, match="is empty"):
        sinks_of(settings)
