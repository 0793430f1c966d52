"""A Secret shows itself to nobody who does not ask."""

from __future__ import annotations

import copy
import inspect
import io
import json
import logging
import pickle
import pprint
import traceback

import msgspec
import orjson
import pytest
from rich.console import Console
from rich.pretty import pretty_repr

from planar.config import Credentials, ExchangeSettings, Secret
from planar.errors import PlanarError

TEXT = "s3cr3t-value-0123456789"
HOLDERS = {
    "secret": Secret(TEXT),
    "credentials": Credentials(exchange="binance", account="", environment="live", secret=Secret(TEXT)),
    "settings": ExchangeSettings(id="binance", proxy=Secret(TEXT)),
    "list": [Secret(TEXT)],
    "mapping": {"secret": Secret(TEXT)},
}


@pytest.mark.parametrize("holder", HOLDERS.values(), ids=HOLDERS.keys())
def test_no_text_of_a_holder_has_the_secret(holder: object) -> None:
    log = io.StringIO()
    handler = logging.StreamHandler(log)
    record = logging.LogRecord("planar", logging.INFO, "", 0, "value %s %r", (holder, holder), None)
    handler.emit(record)
    console = io.StringIO()
    Console(file=console, width=200).print(holder)
    texts = [
        str(holder),
        repr(holder),
        f"{holder}",
        f"{holder!r}",
        "{}".format(holder),  # noqa: UP032
        "%s" % (holder,),  # noqa: UP031
        ascii(holder),
        pprint.pformat(holder),
        pretty_repr(holder),
        console.getvalue(),
        log.getvalue(),
        str(inspect.getmembers(holder)),
    ]
    assert [text for text in texts if TEXT in text] == []
    assert "<secret>" in repr(holder)


@pytest.mark.parametrize("holder", HOLDERS.values(), ids=HOLDERS.keys())
def test_a_holder_cannot_be_written_out(holder: object) -> None:
    for write in (pickle.dumps, json.dumps, orjson.dumps, msgspec.json.encode, msgspec.msgpack.encode):
        with pytest.raises((TypeError, orjson.JSONEncodeError)) as caught:
            write(holder)
        assert TEXT not in str(caught.value)


def test_format_specifications_show_nothing() -> None:
    assert f"{Secret(TEXT):>50}" == "<secret>"


def test_a_traceback_with_locals_shows_nothing() -> None:
    def sign(key: Secret) -> None:
        raise PlanarError(f"could not sign with {key}")

    with pytest.raises(PlanarError) as caught:
        sign(Secret(TEXT))
    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    assert "key = <secret>" in "".join(shown.format())
    assert TEXT not in "".join(shown.format())


def test_comparison_is_between_secrets_only() -> None:
    assert Secret(TEXT) == Secret(TEXT)
    assert Secret(TEXT) != Secret("other")
    assert Secret("ü") != Secret("u")
    assert Secret(TEXT) != TEXT
    assert TEXT not in [Secret(TEXT)]
    with pytest.raises(TypeError):
        hash(Secret(TEXT))
    with pytest.raises(TypeError):
        sorted([Secret("a"), Secret("b")])  # type: ignore[type-var]


def test_it_is_no_text() -> None:
    for use in (lambda s: s + "", lambda s: "" + s, lambda s: "".join([s]), len, iter, bytes):
        with pytest.raises(TypeError):
            use(Secret(TEXT))


def test_it_cannot_be_changed_and_copies_are_itself() -> None:
    secret = Secret(TEXT)
    for change in (
        lambda: setattr(secret, "_read", lambda: "x"),
        lambda: delattr(secret, "_read"),
        lambda: setattr(secret, "value", "x"),
    ):
        with pytest.raises(AttributeError):
            change()
    assert copy.copy(secret) is secret
    assert copy.deepcopy(secret) is secret
    assert secret.reveal() == TEXT


def test_an_empty_text_is_no_secret() -> None:
    with pytest.raises(ValueError, match="empty"):
        Secret("")


def test_reveal_gives_ccxts_names_and_only_what_is_there() -> None:
    credentials = Credentials(
        exchange="okx",
        account="main",
        environment="demo",
        api_key=Secret("k"),
        secret=Secret("s"),
        password=Secret("p"),
    )
    assert credentials.reveal() == {"apiKey": "k", "secret": "s", "password": "p"}
    assert credentials.missing(("apiKey", "uid", "secret")) == ("uid",)


def test_a_fingerprint_follows_the_key_not_its_secret() -> None:
    def fingerprint(exchange: str = "okx", environment: str = "live", key: str = "k", secret: str = "s") -> str:
        return Credentials(
            exchange=exchange,
            account="",
            environment=environment,  # type: ignore[arg-type]
            api_key=Secret(key),
            secret=Secret(secret),
        ).fingerprint()

    assert fingerprint() == fingerprint(secret="rotated")
    assert len({fingerprint(), fingerprint("bybit"), fingerprint(environment="demo"), fingerprint(key="x")}) == 4
    assert len(fingerprint()) == 16
    wallet = Credentials(exchange="x", account="", environment="live", wallet_address=Secret("0x1"))
    assert (
        wallet.fingerprint()
        != wallet.__class__(exchange="x", account="", environment="live", uid=Secret("2")).fingerprint()
    )
    with pytest.raises(ValueError, match="without any key"):
        Credentials(exchange="x", account="", environment="live").fingerprint()
