"""No secret is left in a text that was redacted, and PLANAR_DEBUG turns on what it names."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planar.config.debug import enable_debug
from planar.errors import ConfigError
from planar.transport.redact import HIDDEN, redact, without_frames

SECRET = "s3cr3tV4lue" * 4


@pytest.mark.parametrize(
    "text",
    [
        f"https://api.x/order?symbol=BTCUSDT&timestamp=1&signature={SECRET}",
        f"signature={SECRET}&symbol=BTCUSDT",
        f"X-MBX-APIKEY: {SECRET}",
        f"{{'X-MBX-APIKEY': '{SECRET}', 'Accept': '*/*'}}",
        f"Authorization: Bearer {SECRET}",
        f"KC-API-SIGN: {SECRET}\nKC-API-PASSPHRASE: {SECRET}",
        f'{{"apiKey": "{SECRET}", "secret": "{SECRET}"}}',
        f"wss://x/ws?listenKey={SECRET}",
        f"wss://x/ws?token={SECRET}&connectId=1",
    ],
)
def test_known_places_lose_their_values(text: str) -> None:
    hidden = redact(text)
    assert SECRET not in hidden
    assert HIDDEN in hidden


def test_what_is_no_secret_stays() -> None:
    text = "POST https://api.x/api/v3/order?symbol=BTCUSDT&quantity=0.01"
    assert redact(text) == text


@given(st.text(alphabet="abcXYZ019+/=-_", min_size=8), st.text(), st.text())
def test_given_secrets_are_hidden_wherever_they_stand(secret: str, before: str, after: str) -> None:
    assert secret not in redact(f"{before} {secret} {after}".replace(HIDDEN, ""), [secret]).replace(HIDDEN, " ")


def test_debug_turns_on_what_is_named() -> None:
    logger = logging.getLogger("planar.streams")
    before = logger.level, list(logger.handlers)
    try:
        assert enable_debug({}) == ()
        assert enable_debug({"PLANAR_DEBUG": "0"}) == ()
        with pytest.raises(ConfigError, match="names 'nonsense'") as caught:
            enable_debug({"PLANAR_DEBUG": "streams, nonsense"})
        assert "adapters, orders, streams, transport" in (caught.value.hint or "")
        assert not logger.isEnabledFor(logging.DEBUG)
        assert enable_debug({"PLANAR_DEBUG": " streams, "}) == ("streams",)
        assert logger.isEnabledFor(logging.DEBUG)
    finally:
        logger.setLevel(before[0])
        logger.handlers[:] = before[1]


@pytest.mark.timeout(5)
def test_errors_that_are_each_others_context_lose_their_frames_too() -> None:
    first, second, beneath = KeyError("a"), ValueError("b"), OSError("c")
    for error in (first, second, beneath):
        try:
            raise error
        except Exception:
            pass
    first.__context__, second.__context__, second.__cause__ = second, first, beneath
    assert without_frames(first) is first
    assert [error.__traceback__ for error in (first, second, beneath)] == [None] * 3
