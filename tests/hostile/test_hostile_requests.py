"""Requests that no honest client sends: answered as documented or the connection is closed; others are unharmed."""

from __future__ import annotations

import asyncio
import io
import random
import string
from collections.abc import AsyncIterator
from urllib.parse import quote

import aiohttp
import pytest
from hostile_kit import BINANCE, KRAKEN, MIB, PATIENCE_S, Venue, unharmed

METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "PROPFIND")
LONG = "A" * 1_000_000


def words(rng: random.Random) -> str:
    """A path that is none: bytes of every kind, percent-encoded so that they arrive."""
    parts = [
        "".join(rng.choices(string.printable + "äÿ€\x00../", k=rng.randint(1, 60))) for _ in range(rng.randint(1, 4))
    ]
    prefix = rng.choice(("/api/v3/", "/sapi/v1/", "/0/public/", "/0/private/", "/planar", "/", "/ws/", "/v2/"))
    return prefix + "/".join(quote(part, safe="") for part in parts)


async def test_unknown_paths(venue: Venue) -> None:
    """Binance's front server says 404 or 405 in HTML; Kraken says EGeneral:Unknown method with status 200."""
    rng = random.Random(20)
    async with unharmed(venue):
        for _ in range(300):
            host = rng.choice((BINANCE, KRAKEN))
            status, text = await venue.ask(rng.choice(METHODS), host, words(rng), allow_redirects=False)
            assert status in ({404, 405} if host == BINANCE else {200, 404, 405}), (status, text)
            assert status != 200 or "EGeneral:Unknown method" in text or text == ""


async def test_bad_signatures(venue: Venue) -> None:
    """Each mutation of a good signature or key is refused by name; nothing of it stays in memory."""
    rng = random.Random(21)
    async with unharmed(venue):
        for _ in range(100):
            path, headers = venue.binance_order()
            base, _, signature = path.rpartition("=")
            at = rng.randrange(len(signature))
            wrong = signature[:at] + rng.choice(string.printable) + signature[at + 1 :]
            if wrong.lower() == signature:
                continue
            status, text = await venue.ask("POST", BINANCE, f"{base}={quote(wrong)}", headers=headers)
            assert (status, "-1022" in text or "-1100" in text) == (400, True), (wrong, status, text)
        for sign in ("", "=", "%%%", "ä", "A" * 7000, "QUJD"):
            headers = {"API-Key": venue.accounts["kraken"].apiKey, "API-Sign": sign}
            status, text = await venue.ask("POST", KRAKEN, "/0/private/Balance", headers=headers, data={"nonce": "9"})
            assert (status, "EAPI:Invalid" in text) == (200, True), (sign, text)


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[" * 100_000,
        b'{"nonce":1e999999}',
        b'{"nonce":' + b"9" * 100_000 + b"}",
        b"\xff\xfe",
        b"null",
        b"\x00" * 1000,
        b'{"nonce":"1","pair":' * 3,
        b'"' + b"\\ud800" * 1000 + b'"',
        b'{"a":NaN,"nonce":Infinity}',
    ],
    ids=lambda body: repr(body[:20]),
)
async def test_malformed_json(venue: Venue, body: bytes) -> None:
    """Refused in the exchange's own words, whatever the parser thinks of it."""
    headers = {"API-Key": venue.accounts["kraken"].apiKey, "API-Sign": "QUJD", "Content-Type": "application/json"}
    async with unharmed(venue):
        for path in ("/0/private/AddOrder", "/0/private/AddOrderBatch", "/0/public/Depth"):
            status, text = await venue.ask("POST", KRAKEN, path, headers=headers, data=body)
            assert (status, text.startswith('{"error":["E')) == (200, True), (status, text[:200])
        headers = {"X-MBX-APIKEY": venue.accounts["binance"].apiKey, "Content-Type": "application/json"}
        status, text = await venue.ask("POST", BINANCE, "/api/v3/order", headers=headers, data=body)
        assert (status, '"code":-1102' in text) == (400, True), text[:200]


async def test_bodies_of_ten_megabytes(venue: Venue) -> None:
    """413, or the connection is closed; announced or in chunks, eight at once."""

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(160):
            yield b"x" * 65_536

    async def send(host: str, path: str, *, chunked: bool) -> int:
        try:
            data = chunks() if chunked else io.BytesIO(b"x" * (10 * MIB))
            return (await venue.ask("POST", host, path, data=data))[0]
        except (aiohttp.ClientError, ConnectionError):
            return 0

    async with unharmed(venue):
        paths = ((BINANCE, "/api/v3/order"), (KRAKEN, "/0/private/AddOrder"))
        found = await asyncio.gather(
            *(send(host, path, chunked=chunked) for host, path in paths for chunked in (True, False) for _ in range(2))
        )
        assert set(found) <= {0, 413}, found
        await venue.until_connections(20)


async def test_a_symbol_of_a_million_characters(venue: Venue) -> None:
    """In the URL the front server refuses the line (414, as nginx does); in a body the parameter is refused."""
    async with unharmed(venue):
        for host, path in ((BINANCE, "/api/v3/depth?symbol="), (KRAKEN, "/0/public/Depth?pair=")):
            reader, writer = await venue.raw(f"GET {path}{LONG} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            answer = await asyncio.wait_for(reader.read(4096), PATIENCE_S)
            assert answer == b"" or answer.split(b" ")[1] in (b"400", b"414"), answer[:100]
            writer.close()
        path, headers = venue.binance_order()
        status, text = await venue.ask("POST", BINANCE, "/api/v3/order", headers=headers, data={"symbol": LONG})
        assert (status, '"code":-1' in text, len(text) < 1000) == (400, True, True), (status, text[:200])
        status, text = await venue.ask("POST", KRAKEN, "/0/public/Depth", data={"pair": LONG})
        assert (status, text) == (200, '{"error":["EQuery:Unknown asset pair"]}')


async def test_requests_that_never_end(venue: Venue) -> None:
    """Heads without end, bytes that trickle, a thousand pipelined requests, methods and headers that are none."""
    async with unharmed(venue):
        endless = [
            b"GET / HTTP/1.1\r\nHost: api.binance.com\r\n",
            *(b"X-%d: %s\r\n" % (n, b"y" * 4000) for n in range(500)),
        ]
        for parts in (endless, [b"\x00" * 200_000], [b"GET " * 50_000], [b"CONNECT " + b"x" * 50_000 + b"\r\n\r\n"]):
            reader, writer = await venue.raw(*parts)
            try:
                answer = await asyncio.wait_for(reader.read(4096), PATIENCE_S)
            except ConnectionError:
                answer = b""
            assert answer == b"" or answer.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4")), answer[:100]
            writer.close()
        one = b"GET /api/v3/ping HTTP/1.1\r\nHost: api.binance.com\r\n\r\n"
        reader, writer = await venue.raw(one * 1000)
        read = 0
        async with asyncio.timeout(10):
            while read < 1000:
                read += (await reader.readuntil(b"{}")).count(b"HTTP/1.1 200")
        writer.close()
        trickle = [await venue.raw(b"GET /api/v3/ping HTTP/1.1\r\nHo") for _ in range(200)]
        for _, writer in trickle:
            writer.close()
