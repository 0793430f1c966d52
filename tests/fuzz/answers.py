"""Random answers: true ones that were damaged, random JSON, errors of the venue, random bytes, HTTP that lies.

Everything is drawn from the `random.Random` of the case. Most are damaged true answers, since those get far into the
parsers.
"""

from __future__ import annotations

import gzip
import json
import string
import zlib
from random import Random
from typing import Any

import orjson
from tests.fuzz.wire import Delivery

STRANGE: tuple[Any, ...] = (
    *(None, True, False, "", " ", "0", "-0", "-1", -1, 0, 1, 1.5, -0.0, 1e308, -1e308, 5e-324, 10**30, 2**63, -(2**63)),
    *(
        "NaN",
        "nan",
        "Infinity",
        "-Infinity",
        "inf",
        "1e400",
        "1e-400",
        "1e999999999",
        "1E-999999999",
        "1.5.5",
        "9999999999",
        -9999999999,
        "1E5",
        "1,000",
        "0x10",
        "1_000",
        " 1 ",
        "+1",
    ),
    *("9" * 400, "0." + "0" * 300 + "1", "1" * 5_000, "\u0661\u0662", "\u00bd", "\u00b2", "1\u0000", "\u202e1"),
    *("null", "undefined", "true", "{}", "[]", "None", "\U0001f4a5" * 5, "\u0130", "<b>", "%s%n", "../..", "a" * 300),
    *("1970-01-01T00:00:00Z", "2024-13-45T99:99:99Z", "0000-00-00", "9999-12-31T23:59:59.999999Z", "2024-02-30 10:00"),
    *(-62_135_596_800_001, 253_402_300_800_000, 10**18, 1_700_000_000, 1_700_000_000_000_000, float("nan"), 1e20),
    *(float("inf"), float("-inf"), 10**400, [], {}, [[]], [{}], {"a": {}}, [None], {"": None}, [0] * 5, ["1", "2"]),
    *("BTC", "USDT", "BTCUSDT", "BTC/USDT", "/", "-", "::", "XBTUSDT:", "buy", "BUY", "LIMIT", "canceled", "FILLED"),
)
"""Values that parsers trip over."""

STATUSES = (
    200,
    201,
    202,
    204,
    301,
    302,
    304,
    400,
    401,
    403,
    404,
    409,
    418,
    422,
    429,
    451,
    500,
    502,
    503,
    504,
    520,
    522,
)
USED = ("X-MBX-USED-WEIGHT-1M", "X-MBX-ORDER-COUNT-10S", "X-MBX-ORDER-COUNT-1D", "X-SAPI-USED-IP-WEIGHT-1M")
AMOUNTS = (
    "-1",
    "0",
    "1",
    "12",
    "6000",
    "999999999",
    "9" * 400,
    "1e9",
    "nan",
    "inf",
    "-inf",
    "\u00b2",
    "\u0663",
    "",
    " ",
)
DATES = (
    *("Wed, 21 Oct 2015 07:28:00 GMT", "Wed, 21 Oct 9999 07:28:00 GMT", "Tue, 14 Nov 2023 22:20:00 GMT", "soon"),
    *("Wed, 21 Oct 2015", "99 Foo 2015 99:99:99 GMT", "Mon, 01 Jan 0001 00:00:00 GMT", "1700000100", "1700000100000"),
    *(
        "Tue, 14 Nov 2023 22:20:00 +9999",
        "Tue, 14 Nov 99999 22:20:00 GMT",
        "0.5",
        "1.5.5",
        "--1",
        "5, 7",
        "1e5",
        "1e999",
    ),
)
UNTIL = (
    *("IP banned until 1700000100000.", "banned until 9999999999999", "wait until 0000000000", "after 1700000100"),
    *("before 9999-99-99T99:99:99", "until 2023-11-14T22:20:00Z", "until 9999-12-31T23:59:59.9999999999"),
)


def answer(rng: Random, true: list[Any], codes: list[str], venue: str) -> Delivery:
    """One answer to a request.

    Args:
        true: what the venue answers to it; empty if nobody knows.
        codes: errors that the venue has.
    """
    drawn = rng.random()
    if drawn < 0.04:
        return broken(rng)
    status, body = 200 if rng.random() < 0.8 else rng.choice(STATUSES), b""
    if drawn < 0.66 and true:
        body = damaged(rng, rng.choice(true))
    elif drawn < 0.72 and true:
        body = orjson.dumps(rng.choice(true))
    elif drawn < 0.84:
        status, body = error_of(rng, codes, venue)
    elif drawn < 0.92:
        body = dumps(rng, random_json(rng, 0))
    elif drawn < 0.95:
        body = rng.randbytes(rng.choice((0, 1, 7, 200, 3_000)))
    elif drawn < 0.98:
        body = b"<html><head><title>502 Bad Gateway</title></head></html>"
        status = rng.choice(STATUSES)
    if rng.random() < 0.06:
        status = rng.randint(100, 599)
    return deliver(rng, status, headers(rng), body)


def good(true: list[Any], rng: Random) -> Delivery:
    """The venue's own answer."""
    body = orjson.dumps(rng.choice(true)) if true else b"{}"
    return deliver_plain(200 if true else 404, body)


def deliver_plain(status: int, body: bytes) -> Delivery:
    """An answer as it should be."""
    head = f"HTTP/1.1 {status} x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return Delivery([(0.0, head.encode() + body)], "", status, body)


def deliver(rng: Random, status: int, lines: list[bytes], body: bytes) -> Delivery:
    """As HTTP, in pieces, chunked, compressed, with a length that lies, to its end or not."""
    drawn, end, said = rng.random(), "", body
    if drawn < 0.06:
        kind = rng.choice((b"gzip", b"deflate", b"br", b"zstd", b"identity", b"x-unknown", b"gzip, gzip"))
        lines.append(b"Content-Encoding: " + kind)
        if rng.random() < 0.5:
            body = gzip.compress(body) if kind == b"gzip" else zlib.compress(body)
    if drawn < 0.9:
        lines.append(b"Content-Length: %d" % len(body))
        framed = body
    elif drawn < 0.95:
        lines.append(b"Transfer-Encoding: chunked")
        framed = b"%x\r\n" % len(body) + body + b"\r\n0\r\n\r\n" if body else b"0\r\n\r\n"
    elif drawn < 0.97:
        length = rng.choice((b"-1", b"0", b"%d" % (len(body) // 2), b"%d" % (len(body) + 5), b"9" * 30, b"x", b""))
        lines.append(b"Content-Length: " + length)
        framed, end = body, rng.choice(("close", "reset"))
    else:
        framed, end = body, "close"
    if rng.random() < 0.02:
        framed, end = framed[: rng.randrange(len(framed) + 1)], rng.choice(("close", "reset"))
    reason = rng.choice((b"OK", b"", b"x" * 50, b"\xff\xfe", b"{}"))
    whole = b"HTTP/1.1 %d %s\r\n" % (status, reason) + b"".join(line + b"\r\n" for line in lines) + b"\r\n" + framed
    pieces = [(0.0, whole)]
    if rng.random() < 0.05:
        at = rng.randrange(len(whole))
        pieces = [(0.0, whole[:at]), (rng.choice((0.0, 0.1, 5.0)), whole[at:])]
    return Delivery(pieces, end, status, said)


def broken(rng: Random) -> Delivery:
    """No HTTP at all."""
    text = rng.choice(
        (
            *(
                b"",
                b"220 mail.example ESMTP\r\n\r\n",
                b"HTTP/1.1\r\n\r\n",
                b"HTTP/9.9 200 OK\r\n\r\n",
                b"\x16\x03\x01\x00\x00",
            ),
            *(b"HTTP/1.1 99999 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nNo colon\r\n\r\n", b"HTTP/1.1 200 OK\r\n" * 3),
            *(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 9_000 + b"\r\n\r\n", rng.randbytes(40), b"\r\n" * 20),
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}x",
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        )
    )
    return Delivery([(0.0, text)] if text else [], rng.choice(("close", "close", "reset", "")))


def headers(rng: Random) -> list[bytes]:
    """Headers that are often odd."""
    lines = [
        b"Content-Type: "
        + rng.choice((b"application/json", b"application/json", b"text/html", b"x", b"; charset=\xff"))
    ]
    if rng.random() < 0.12:
        lines += [_header(rng.choice((name, name.lower())), rng.choice(AMOUNTS)) for name in rng.sample(USED, 2)]
    if rng.random() < 0.10:
        lines.append(_header(rng.choice(("Retry-After", "retry-after")), rng.choice((*AMOUNTS, *DATES))))
    if rng.random() < 0.03:
        lines.append(_header(rng.choice(("Set-Cookie", "Location", "Date", "Connection", "Link")), rng.choice(AMOUNTS)))
    return lines


def _header(name: str, value: str) -> bytes:
    return f"{name}: {value}".encode()


def error_of(rng: Random, codes: list[str], venue: str) -> tuple[int, bytes]:
    """An error in the venue's form, sometimes damaged."""
    code: Any = rng.choice([*codes, "", "x", "-99999", "99", "EFuture:New", "EOrder", ":"])
    text = rng.choice(("What it says.", "", None, 5, *UNTIL, "Account has insufficient balance for requested action."))
    status = rng.choice((400, 400, 200, 429, 418, 403, 500, 503))
    if venue == "kraken":
        value: Any = {"error": rng.choice(([code], [code, "EGeneral:More"], code, [None], [5], [[code]], {code: 1}))}
        status = 200 if rng.random() < 0.7 else status
    elif venue == "bitstamp":
        value = {"status": "error", "reason": rng.choice((text, {"__all__": [text]}, [text])), "code": code}
    else:
        value = {"code": int(code) if code.lstrip("-").isdecimal() and rng.random() < 0.7 else code, "msg": text}
        if rng.random() < 0.2:
            value["data"] = rng.choice(
                ([], [{"sCode": code, "sMsg": text}], {"newOrderResult": "FAILURE"}, None, [None])
            )
    return status, damaged(rng, value) if rng.random() < 0.2 else dumps(rng, value)


def random_json(rng: Random, depth: int) -> Any:
    """Any value."""
    if depth > 3 or rng.random() < 0.4:
        return rng.choice(STRANGE)
    if rng.random() < 0.5:
        return [random_json(rng, depth + 1) for _ in range(rng.randrange(4))]
    names = ("code", "msg", "error", "result", "data", "status", "id", "symbol", "price", "", "0", "timestamp", "x")
    return {rng.choice(names): random_json(rng, depth + 1) for _ in range(rng.randrange(5))}


def damaged(rng: Random, true: Any) -> bytes:
    """A true answer with one to four faults."""
    value = orjson.loads(orjson.dumps(true))
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 4))):
        value = _damage(rng, value)
    body = dumps(rng, value)
    if rng.random() < 0.04:
        body = _damage_text(rng, body)
    return body


def dumps(rng: Random, value: Any) -> bytes:
    """As JSON, with NaN and numbers of any length."""
    try:
        return orjson.dumps(value) if rng.random() < 0.5 else json.dumps(value).encode("utf-8", "surrogatepass")
    except TypeError:  # a number that is too long for it
        return json.dumps(value).encode("utf-8", "surrogatepass")


def _damage(rng: Random, value: Any) -> Any:
    """One fault, somewhere: a walk down ends where chance says."""
    if not isinstance(value, dict | list) or not value or rng.random() < 0.06:
        return _other(rng, value)
    key: Any = rng.choice(list(value)) if isinstance(value, dict) else rng.randrange(len(value))
    drawn = rng.random()
    if isinstance(value[key], dict | list) and drawn < 0.8:
        value[key] = _damage(rng, value[key])
    elif drawn < 0.25:
        del value[key]
    elif drawn < 0.32 and isinstance(value, dict):
        value[rng.choice((key.upper(), key.lower(), key + "x", "", "id"))] = value.pop(key)
    elif drawn < 0.38 and isinstance(value, list):
        value.insert(0, value[key])
    elif drawn < 0.42 and isinstance(value, dict):
        other = rng.choice(list(value))
        value[key], value[other] = value[other], value[key]
    else:
        value[key] = _other(rng, value[key])
    return value


def _other(rng: Random, value: Any) -> Any:
    drawn = rng.random()
    if drawn < 0.5:
        return rng.choice(STRANGE)
    if drawn < 0.6:
        return [value]
    if drawn < 0.66:
        return {"value": value}
    if drawn < 0.72 and isinstance(value, dict):
        return list(value.values())
    if drawn < 0.72 and isinstance(value, list):
        return {str(at): one for at, one in enumerate(value)}
    if drawn < 0.8:
        return str(value)
    if isinstance(value, str):
        text = rng.choice((f"-{value}", value[:-1], value * 2, value.replace(".", ","), f"{value}e9", value.swapcase()))
        try:
            return float(value) if rng.random() < 0.4 else text
        except ValueError:
            return text
    if isinstance(value, int | float):
        return rng.choice((-value, value * 1000, value / 1000, str(value), value + 0.5))
    return rng.choice(STRANGE)


def _damage_text(rng: Random, body: bytes) -> bytes:
    """A fault that no value has."""
    at = rng.randrange(len(body) + 1)
    drawn = rng.randrange(7)
    if drawn == 0:
        return body[:at]
    if drawn == 1:
        return b"\xef\xbb\xbf" + body
    if drawn == 2:  # a name twice: which one counts is the parser's choice
        return body.replace(b"{", b'{"code":"0","status":"x","result":null,', 1)
    if drawn == 3:
        depth = rng.choice((50, 900, 1_100, 20_000))
        return body.replace(b'"', b"[" * depth + b"]" * depth + b',"', 1)
    if drawn == 4:
        return body[:at] + rng.randbytes(3) + body[at:]
    if drawn == 5:
        return body.replace(b":", b": -", 1)
    return body + rng.choice((b" ", b"}", b"{}", b"\x00", string.printable.encode()))
