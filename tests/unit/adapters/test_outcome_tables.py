"""Nothing that can go wrong is without a row: every exception of aiohttp, every class and code of CCXT, every code that
Binance and Kraken document. What is new in a later version of a library has none here, and must be given one."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import aiohttp
import ccxt
import msgspec
import pytest
from aiohttp import client_exceptions

from planar import errors
from planar.adapters import binance, kraken
from planar.adapters.ccxt_errors import planar_class, row_for
from planar.adapters.ccxt_verdict import hint_of, refusal
from planar.adapters.profile import ErrorRow, Profile
from planar.errors import Outcome, PlanarError
from planar.transport.context import Effect, RequestRecord
from planar.transport.http import TRANSPORT_OUTCOMES, Answer, classify

BEFORE = Outcome.NOT_SENT
AFTER = Outcome.UNKNOWN
AIOHTTP: Mapping[str, tuple[type[PlanarError], Outcome]] = {
    "ClientConnectionError": (errors.NetworkError, AFTER),
    "ClientConnectionResetError": (errors.NetworkError, AFTER),
    "ClientConnectorCertificateError": (errors.NetworkError, BEFORE),
    "ClientConnectorDNSError": (errors.ExchangeNotAvailable, BEFORE),
    "ClientConnectorError": (errors.ExchangeNotAvailable, BEFORE),
    "ClientConnectorSSLError": (errors.NetworkError, BEFORE),
    "ClientError": (errors.NetworkError, AFTER),
    "ClientHttpProxyError": (errors.NetworkError, BEFORE),
    "ClientOSError": (errors.ExchangeNotAvailable, AFTER),
    "ClientPayloadError": (errors.BadResponse, AFTER),
    "ClientProxyConnectionError": (errors.NetworkError, BEFORE),
    "ClientResponseError": (errors.BadResponse, AFTER),
    "ClientSSLError": (errors.NetworkError, BEFORE),
    "ConnectionTimeoutError": (errors.RequestTimeout, BEFORE),
    "ContentTypeError": (errors.BadResponse, AFTER),
    "InvalidURL": (errors.BadResponse, BEFORE),
    "InvalidUrlClientError": (errors.BadResponse, BEFORE),
    "InvalidUrlRedirectClientError": (errors.BadResponse, BEFORE),
    "NonHttpUrlClientError": (errors.BadResponse, BEFORE),
    "NonHttpUrlRedirectClientError": (errors.BadResponse, BEFORE),
    "RedirectClientError": (errors.NetworkError, AFTER),
    "ServerConnectionError": (errors.NetworkError, AFTER),
    "ServerDisconnectedError": (errors.ExchangeNotAvailable, AFTER),
    "ServerFingerprintMismatch": (errors.NetworkError, AFTER),
    "ServerTimeoutError": (errors.RequestTimeout, AFTER),
    "SocketTimeoutError": (errors.RequestTimeout, AFTER),
    "TooManyRedirects": (errors.BadResponse, AFTER),
    "UnixClientConnectorError": (errors.ExchangeNotAvailable, BEFORE),
    "UploadAbortedError": (errors.NetworkError, AFTER),
    "WSServerHandshakeError": (errors.BadResponse, AFTER),
}
"""Redirects are not followed, so those of redirects are never raised; nor is that of a fingerprint: none is asked for."""
NOT_OF_THE_CLIENT = {
    "WSMessageTypeError",
    "WebSocketError",
    "BadContentDispositionHeader",
    "BadContentDispositionParam",
    "EofStream",
}
"""Of the protocol of sockets, and of multipart bodies, which Planar neither sends nor reads."""


def aiohttp_kinds() -> dict[str, type[BaseException]]:
    found = {**vars(aiohttp), **vars(client_exceptions)}
    return {
        name: kind
        for name, kind in found.items()
        if isinstance(kind, type) and issubclass(kind, BaseException) and kind.__module__.startswith("aiohttp")
    }


def test_every_exception_of_aiohttp_is_assigned() -> None:
    assert set(aiohttp_kinds()) - set(AIOHTTP) - NOT_OF_THE_CLIENT == set()


@pytest.mark.parametrize("effect", Effect)
@pytest.mark.parametrize("name", [name for name in AIOHTTP if name in aiohttp_kinds()])
def test_each_exception_of_aiohttp(name: str, effect: Effect) -> None:
    raised = aiohttp_kinds()[name]
    error = raised.__new__(raised)  # their constructors want connections and answers
    record = RequestRecord("POST", "a.example", "/order", effect, 0)
    made = classify(error, "x", record)
    assert (type(made), made.outcome) == AIOHTTP[name]
    assert record.outcome is made.outcome
    assert made.retryable is (effect is Effect.READ or made.outcome is Outcome.NOT_SENT)


@pytest.mark.parametrize("raised", [TimeoutError, ConnectionResetError, BrokenPipeError, OSError])
def test_each_exception_of_the_system(raised: type[Exception]) -> None:
    record = RequestRecord("POST", "a.example", "/order", Effect.WRITE, 0)
    assert classify(raised("x"), "x", record).outcome is Outcome.UNKNOWN


def test_no_row_stands_behind_one_that_takes_everything_from_it() -> None:
    kinds = [row[0] for row in TRANSPORT_OUTCOMES]
    hidden = [kind for at, kind in enumerate(kinds) if issubclass(kind, tuple(kinds[:at]))]
    assert hidden == []


# -- CCXT's tables
def exceptions_of(described: Mapping[str, Any], *sections: str) -> dict[str, type[Exception]]:
    """CCXT's code or text -> class, of the sections that spot requests meet."""
    found: dict[str, type[Exception]] = {}
    for section in sections:
        table = described
        for part in section.split("/"):
            table = table.get(part, {})
        found |= {code: kind for code, kind in table.items() if isinstance(kind, type)}
    return found


BINANCE = exceptions_of(ccxt.binance().exceptions, "exact", "spot/exact", "broad", "spot/broad")
KRAKEN = exceptions_of(ccxt.kraken().exceptions, "exact", "broad")


def refused(profile: Profile, kind: type[Exception], status: int, body: dict[str, Any]) -> PlanarError:
    text = msgspec.json.encode(body).decode()
    answer = Answer(status, "", {}, text.encode())
    return refusal(kind("x"), answer, body, text, profile, "live", None)


def expected(profile: Profile, row: ErrorRow | None, kind: type[Exception]) -> tuple[type[PlanarError], Outcome]:
    """The row of the venue, or the deliberate default: CCXT's class, and what it says about the request."""
    if row is not None:
        return row.kind, row.outcome
    made = planar_class(kind("x"))
    failed = issubclass(made, errors.OperationFailed) and made.default_outcome is Outcome.UNKNOWN
    return made, Outcome.UNKNOWN if failed else Outcome.REFUSED


@pytest.mark.parametrize("code", [code for code in BINANCE if code.lstrip("-").isdigit()])
def test_each_code_that_ccxt_knows_of_binance(code: str) -> None:
    error = refused(binance.PROFILE, BINANCE[code], 400, {"code": int(code), "msg": "no"})
    assert (type(error), error.outcome) == expected(binance.PROFILE, binance.PROFILE.errors.get(code), BINANCE[code])
    assert hint_of(type(error))
    if -2030 <= int(code) <= -1000:
        assert code in binance.PROFILE.errors, "a code of spot orders and queries has a row of its own"


@pytest.mark.parametrize("text", [text for text in BINANCE if not text.lstrip("-").isdigit()])
def test_each_text_that_ccxt_knows_of_binance(text: str) -> None:
    error = refused(binance.PROFILE, BINANCE[text], 400, {"code": -9999, "msg": text})
    row = row_for(binance.PROFILE, "-9999", text)
    assert (type(error), error.outcome) == expected(binance.PROFILE, row, BINANCE[text])
    assert hint_of(type(error))


@pytest.mark.parametrize("text", KRAKEN)
def test_each_text_that_ccxt_knows_of_kraken(text: str) -> None:
    code = text if not text.startswith(":") else f"EOrder{text}"
    error = refused(kraken.PROFILE, KRAKEN[text], 200, {"error": [code]})
    row = row_for(kraken.PROFILE, code, "")
    assert row is not None or text in BROAD_OF_KRAKEN
    if row is not None:
        assert (type(error), error.outcome) == (row.kind, row.outcome)
    assert hint_of(type(error))


BROAD_OF_KRAKEN = {
    ":Cancel pending",
    ":IInsufficient funds",
    ":Invalid arguments:volume",
    ":Invalid arguments:viqc",
    ":Invalid nonce",
}
"""Parts that stand behind several categories; those of `EGeneral` and `EAPI` have rows."""


# -- what the venues document
_NUMBERS = """
1000 1001 1002 1003 1006 1007 1008 1010 1013 1014 1015 1016 1020 1021 1022 1100 1101 1102
1103 1104 1105 1106 1108 1111 1112 1114 1115 1116 1117 1118 1119 1120 1121 1122 1125 1127
1128 1130 1134 1135 1139 1145 1151 1158 1160 1165 1166 1168 1182 1194 1196 1197 1198 1199
2010 2011 2013 2014 2015 2016 2021 2022 2026
"""
BINANCE_DOCUMENTED = [f"-{number}" for number in _NUMBERS.split()]
"""errors.md of Binance's documentation of the spot API, without the codes of FIX (-1169 to -1191) and SBE (-1152 to
-1161), whose default is a refusal."""
BINANCE_UNKNOWN = {"-1000", "-1001", "-1004", "-1006", "-1007", "-1008", "-2021"}

KRAKEN_DOCUMENTED = """
EAPI:Invalid key
EAPI:Invalid signature
EAPI:Invalid nonce
EAPI:Rate limit exceeded
EAuth:Account temporary disabled
EAuth:Account unconfirmed
EAuth:Rate limit exceeded
EAuth:Too many requests
EGeneral:Temporary lockout
EGeneral:Permission denied
EGeneral:Invalid arguments
EGeneral:Invalid arguments:Index unavailable
EGeneral:Internal error
EOrder:Cannot open opposing position
EOrder:Cannot open position
EOrder:Cost minimum not met
EOrder:Domain rate limit exceeded
EOrder:Insufficient funds
EOrder:Insufficient margin
EOrder:Invalid price
EOrder:Margin allowance exceeded
EOrder:Margin level too low
EOrder:Margin position size exceeded
EOrder:Order minimum not met
EOrder:Orders limit exceeded
EOrder:Positions limit exceeded
EOrder:Rate limit exceeded
EOrder:Reduce only:No position exists
EOrder:Scheduled orders limit exceeded
EOrder:Tick size check failed
EOrder:Trading agreement required
EOrder:Unknown order
EService:Busy
EService:Deadline elapsed
EService:Market in cancel_only mode
EService:Market in post_only mode
EService:Timeout
EService:Unavailable
ETrade:Invalid request
EAccount:Invalid permissions
EFunding:Max fee exceeded
EFunding:No funding method
EFunding:Too many addresses
EQuery:Unknown asset
EQuery:Unknown asset pair
EBM:limit exceeded:CAL
""".strip().splitlines()
"""Guides, Error messages; Support, API error messages."""
KRAKEN_UNKNOWN = {
    "EDatabase:Internal error",
    "EGeneral:Internal error",
    "EService:Busy",
    "EService:Deadline elapsed",
    "EService:Timeout",
    "EService:Unavailable",
}


@pytest.mark.parametrize(
    ("profile", "documented", "unknown"),
    [(binance.PROFILE, BINANCE_DOCUMENTED, BINANCE_UNKNOWN), (kraken.PROFILE, KRAKEN_DOCUMENTED, KRAKEN_UNKNOWN)],
    ids=["binance", "kraken"],
)
def test_each_documented_code_has_a_row(profile: Profile, documented: list[str], unknown: set[str]) -> None:
    assert [code for code in documented if row_for(profile, code, "") is None] == []
    assert {code for code, row in profile.errors.items() if row.outcome is Outcome.UNKNOWN} == unknown
    others = {row.outcome for code, row in profile.errors.items() if code not in unknown}
    assert others == {Outcome.REFUSED}


def test_every_class_of_ccxt_is_assigned_a_class_with_advice() -> None:
    tree = vars(importlib.import_module("ccxt.base.errors"))
    kinds = [kind for kind in tree.values() if isinstance(kind, type) and issubclass(kind, tree["BaseError"])]
    assert len(kinds) == 41, "a class of CCXT has come or gone: look at adapters/ccxt_errors.py"
    silent = {errors.ConfigError, errors.StaleData}  # never what an answer of a venue becomes
    for kind in kinds:
        made = planar_class(kind("x"))
        assert made in silent or hint_of(made), kind.__name__
