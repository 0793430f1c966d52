"""Where alarms go: the log, a command, a webhook, Telegram.

Addresses and tokens come from `[alarms]` and are held as secrets; no message of this module names them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import orjson

import planar.runtime as runtime
from planar.config import AlarmSettings, Secret
from planar.errors import ConfigError
from planar.transport.alarms import Alarm, AlarmSink

log = logging.getLogger("planar.alarms")

ANSWER = 4_096
"""Bytes that are read of an answer."""
TELEGRAM_TEXT = 4_096
"""Characters that a message may have (Telegram Bot API, sendMessage)."""

_LEVELS = {"info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def as_json(alarm: Alarm) -> bytes:
    """An alarm as programs get it."""
    return orjson.dumps(msgspec.to_builtins(alarm), default=str)


def as_line(alarm: Alarm) -> str:
    """An alarm as people read it."""
    whose = "/".join(part for part in (alarm.exchange, alarm.account) if part)
    return f"{alarm.severity} {whose}: {alarm.text}" if whose else f"{alarm.severity}: {alarm.text}"


class LogSink:
    """The logger `planar.alarms`."""

    async def send(self, alarm: Alarm) -> None:
        """One record."""
        log.log(_LEVELS[alarm.severity], "%s [%s]", as_line(alarm), alarm.kind)

    async def close(self) -> None:
        """Nothing is held."""


class CommandSink:
    """A program that gets the alarm as JSON on its standard input."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = tuple(command)

    async def send(self, alarm: Alarm) -> None:
        """Run it once. What it prints goes nowhere.

        Raises:
            ChildProcessError: it ended with another code than 0.
        """
        nowhere = asyncio.subprocess.DEVNULL
        process = await asyncio.create_subprocess_exec(
            *self._command, stdin=asyncio.subprocess.PIPE, stdout=nowhere, stderr=nowhere
        )
        try:
            await process.communicate(as_json(alarm))
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode:
            raise ChildProcessError(f"{self._command[0]} ended with code {process.returncode}")

    async def close(self) -> None:
        """Nothing is held."""


class _HttpSink:
    """Posts JSON. Not through an exchange's session: its guard would rightly refuse the host."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    async def _post(self, url: str, body: bytes, where: str) -> tuple[int, bytes]:
        """Status and the first bytes of the answer. A redirect is not followed: the alarm is for this address alone."""
        if self._session is None:
            self._session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        headers = {"Content-Type": "application/json"}
        try:
            async with self._session.post(url, data=body, headers=headers, allow_redirects=False) as answer:
                return answer.status, await answer.content.read(ANSWER)
        except aiohttp.ClientError as error:
            # the error of aiohttp may show the address, and the address may be the secret
            raise ConnectionError(f"{where} cannot be reached ({type(error).__name__})") from None

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None


class WebhookSink(_HttpSink):
    """Posts the alarm as JSON to an address of yours."""

    def __init__(self, url: Secret) -> None:
        super().__init__()
        self._url = url

    async def send(self, alarm: Alarm) -> None:
        """Raises ConnectionError if it was not taken with HTTP 2xx."""
        status, _ = await self._post(self._url.reveal(), as_json(alarm), "the webhook")
        if status >= 300:
            raise ConnectionError(f"the webhook answered HTTP {status}")


class TelegramSink(_HttpSink):
    """Sends a message as a Telegram bot (documentation: Telegram Bot API, sendMessage)."""

    def __init__(self, token: Secret, chat: str, base_url: str = "https://api.telegram.org") -> None:
        super().__init__()
        self._token = token
        self._chat = chat
        self._base_url = base_url

    async def send(self, alarm: Alarm) -> None:
        """Send it as plain text, so that nothing in it is markup; after a 429 again when Telegram says.

        Raises:
            ConnectionError: it was not taken.
        """
        body: Mapping[str, Any] = {"chat_id": self._chat, "text": as_line(alarm)[:TELEGRAM_TEXT]}
        url = f"{self._base_url}/bot{self._token.reveal()}/sendMessage"
        while True:
            status, answer = await self._post(url, orjson.dumps(body), "Telegram")
            if status < 300:
                return
            pause_s = _retry_after_s(answer) if status == 429 else None
            if pause_s is None:
                raise ConnectionError(f"Telegram answered HTTP {status}")
            await runtime.sleep(pause_s)


def _retry_after_s(answer: bytes) -> float | None:
    """How long Telegram says to wait (Telegram Bot API: ResponseParameters); None if it does not say."""
    try:
        told: Any = orjson.loads(answer)
        return max(0.0, float(told["parameters"]["retry_after"]))
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        return None


def sinks_of(settings: AlarmSettings) -> list[AlarmSink]:
    """The sinks that `[alarms]` asks for.

    Raises:
        ConfigError: the file of the token cannot be read.
    """
    sinks: list[AlarmSink] = []
    if settings.log:
        sinks.append(LogSink())
    if settings.command:
        sinks.append(CommandSink(settings.command))
    if settings.webhook is not None:
        sinks.append(WebhookSink(settings.webhook))
    token = settings.telegram_token
    if token is None and settings.telegram_token_file is not None:
        token = _token(Path(settings.telegram_token_file))
    if token is not None and settings.telegram_chat is not None:
        sinks.append(TelegramSink(token, settings.telegram_chat))
    return sinks


def _token(path: Path) -> Secret:
    try:
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"[alarms] telegram_token_file = {str(path)!r} cannot be read: {type(error).__name__}",
            hint="check the path and its mode",
        ) from error
    if not text:
        raise ConfigError(f"[alarms] telegram_token_file = {str(path)!r} is empty", hint="put the token into it")
    return Secret(text)
