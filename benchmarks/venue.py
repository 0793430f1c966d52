"""What the local venue can do: two exchanges in one process, asked by bare clients from another.

Book messages to subscribers, orders that fill and orders that end at once, both together, and how long a venue takes to
be ready. There is no peer: nobody else has a local Binance and Kraken. The floor is one core of this machine.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlencode

import msgspec
import orjson

from benchmarks.bare import FrameCounter, Sender
from planar.venue.client import VenueControl
from planar.venue.registry import VenueRecord
from planar.venue.wire import VenueAccount

VENUES = "benchmarks.venue_wires:binance,benchmarks.venue_wires:kraken"
SECONDS = 5.0
WARM_UP_S = 1.0
SENDERS = 8
ORDERS = 12_000
"""Orders of one measurement, over all senders."""
SUBSCRIBERS = (80, 160, 320)
"""Connections to each exchange, each with the books of ten markets; the best of these is the figure."""
STARTS = 5
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")

BINANCE_MARKETS = ("btcusdt", "ethusdt", "bnbusdt", "solusdt", "xrpusdt", "dogeusdt", "adausdt", "trxusdt", "avaxusdt")
KRAKEN_MARKETS = [f"{base}/USDT" for base in ("BTC", "ETH", "BNB", "SOL", "XRP", "DOGE", "ADA", "TRX", "AVAX", "LINK")]


def start(directory: Path, venues: str = VENUES) -> tuple[subprocess.Popen[bytes], VenueRecord]:
    """A venue in another process."""
    options = ["--venues", venues, "--socket", str(directory / "v.sock"), "--no-registry", "--die-with-parent"]
    process = subprocess.Popen(
        [sys.executable, "-m", "planar.venue", *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PLANAR_STATE": str(directory)},
    )
    assert process.stdout is not None
    return process, msgspec.json.decode(process.stdout.readline(), type=VenueRecord)


def end(process: subprocess.Popen[bytes]) -> None:
    """End it."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.close()
    process.wait()
    process.stdout.close()


def cpu_s(pid: int) -> float:
    """CPU time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS


async def subscribe(socket: str, connections: int) -> list[FrameCounter]:
    """Connections to both exchanges that follow books."""
    loop = asyncio.get_running_loop()
    streams = "/".join(f"{market}@depth@100ms" for market in BINANCE_MARKETS)
    wish = {"method": "subscribe", "params": {"channel": "book", "symbol": KRAKEN_MARKETS, "depth": 10}}
    made: list[FrameCounter] = []
    for _ in range(connections):
        for counter in (
            FrameCounter("stream.binance.com", f"/stream?streams={streams}"),
            FrameCounter("ws.kraken.com", "/v2", [orjson.dumps(wish)]),
        ):
            await loop.create_unix_connection(lambda counter=counter: counter, socket)
            await counter.opened.wait()
            made.append(counter)
    return made


async def frames_per_s(counters: list[FrameCounter], seconds: float) -> float:
    """What comes over all connections."""
    await asyncio.sleep(WARM_UP_S)
    before, began = sum(one.frames for one in counters), time.monotonic()
    await asyncio.sleep(seconds)
    rate = (sum(one.frames for one in counters) - before) / (time.monotonic() - began)
    assert not any(one.over.is_set() for one in counters), "the venue cut a subscriber off"
    return rate


def binance_orders(account: VenueAccount, number: int, count: int, *, fills: bool) -> list[bytes]:
    """Signed orders of one sender: market orders that fill, or limit orders that expire at once."""
    made: list[bytes] = []
    for index in range(count):
        kind = {"type": "MARKET"} if fills else {"type": "LIMIT", "timeInForce": "IOC", "price": "30000"}
        side = "SELL" if fills and index % 2 else "BUY"
        order = {
            "symbol": "BTCUSDT",
            "side": side,
            **kind,
            "quantity": "0.001",
            "newClientOrderId": f"b{number}-{index}",
        }
        query = urlencode({**order, "recvWindow": 60_000, "timestamp": time.time_ns() // 1_000_000})
        body = f"{query}&signature={hmac.new(account.secret.encode(), query.encode(), hashlib.sha256).hexdigest()}"
        headers = f"X-MBX-APIKEY: {account.apiKey}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        made.append(_post("api.binance.com", "/api/v3/order", headers, body))
    return made


def kraken_orders(account: VenueAccount, number: int, count: int, *, fills: bool) -> list[bytes]:
    """The same for Kraken; nonces grow along a sender, so that each sender needs an account of its own."""
    path, secret = "/0/private/AddOrder", base64.b64decode(account.secret)
    made: list[bytes] = []
    for index in range(count):
        kind = {"ordertype": "market"} if fills else {"ordertype": "limit", "timeinforce": "IOC", "price": "30000"}
        side = "sell" if fills and index % 2 else "buy"
        nonce = str(time.time_ns())
        body = urlencode({"nonce": nonce, "pair": "XBTUSDT", "type": side, **kind, "volume": "0.001"})
        digest = hashlib.sha256((nonce + body).encode()).digest()
        sign = base64.b64encode(hmac.new(secret, path.encode() + digest, hashlib.sha512).digest()).decode()
        headers = (
            f"API-Key: {account.apiKey}\r\nAPI-Sign: {sign}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        )
        made.append(_post("api.kraken.com", path, headers, body))
    return made


def _post(host: str, path: str, headers: str, body: str) -> bytes:
    return f"POST {path} HTTP/1.1\r\nHost: {host}\r\n{headers}Content-Length: {len(body)}\r\n\r\n{body}".encode()


MAKERS = {"binance": (binance_orders, b'"orderId":'), "kraken": (kraken_orders, b'"txid":')}


async def orders_per_s(record: VenueRecord, exchange: str, orders: int, *, fills: bool) -> float:
    """Orders sent by senders that each wait for their answers; all of them must be taken."""
    make, expected = MAKERS[exchange]
    async with VenueControl(record) as control:
        accounts = [one for one in await control.accounts() if one.exchange == exchange]
        for account in accounts:
            for asset, amount in (("USDT", "100000000"), ("BTC", "10000")):
                await control.set_balance(account.account, asset, amount, venue=exchange)
    # Kraken's nonces must grow along a key, so that a key belongs to one sender
    used = accounts[:SENDERS] if exchange == "kraken" else [accounts[n % len(accounts)] for n in range(SENDERS)]
    share = orders // len(used)
    batches = [make(account, number, share, fills=fills) for number, account in enumerate(used)]
    senders = [Sender(batch, expected) for batch in batches]
    loop = asyncio.get_running_loop()
    assert record.socket is not None
    began = time.monotonic()
    for sender in senders:
        await loop.create_unix_connection(lambda sender=sender: sender, record.socket)
    answers = sum(await asyncio.gather(*(sender.done for sender in senders)))
    taken_s = time.monotonic() - began
    refused = [sender.refused for sender in senders if sender.refused is not None]
    assert not refused, refused[0]
    return answers / taken_s


async def measure(record: VenueRecord, seconds: float, orders: int) -> dict[str, float]:
    """All rates of one venue with two exchanges."""
    assert record.socket is not None
    found: dict[str, float] = {}
    for exchange in ("binance", "kraken"):
        for name, fills in (("fill", True), ("expire", False)):
            found[f"{exchange} orders that {name}"] = await orders_per_s(record, exchange, orders, fills=fills)
    for connections in SUBSCRIBERS:
        counters = await subscribe(record.socket, connections)
        before, began = cpu_s(record.pid), time.monotonic()
        rate = await frames_per_s(counters, seconds)
        cores = (cpu_s(record.pid) - before) / (time.monotonic() - began)
        if rate > found.get("book messages", 0):
            found |= {"book messages": rate, "book connections": 2 * connections, "book cores": cores}
        for counter in counters:
            await counter.close()
    counters = await subscribe(record.socket, SUBSCRIBERS[0])
    both = asyncio.create_task(orders_per_s(record, "binance", orders, fills=True))
    found["mixed book messages"] = await frames_per_s(counters, seconds / 2)
    found["mixed orders"] = await both
    for counter in counters:
        await counter.close()
    return found


def start_seconds() -> float:
    """From nothing to two exchanges that answer, with a certificate already made; the median of several."""
    found: list[float] = []
    with tempfile.TemporaryDirectory() as name:
        for _ in range(STARTS + 1):
            began = time.monotonic()
            process, _ = start(Path(name), "binance,kraken")
            found.append(time.monotonic() - began)
            end(process)
    return statistics.median(found[1:])


def report(seconds: float = SECONDS, orders: int = ORDERS) -> dict[str, float]:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        process, record = start(Path(name))
        try:
            found = asyncio.run(measure(record, seconds, orders))
        finally:
            end(process)
    found["start s"] = start_seconds()
    print(
        "\nThe local venue, Binance and Kraken in one process, bare clients in another (no peer; the floor is one core)"
    )
    for name in (name for name in found if " that " in name):
        print(f"    {name:<34}{found[name]:>9,.0f} /s   target: >= 2,000 alone")
    spread = f"{found['book connections']:.0f} connections, {found['book cores']:.2f} cores"
    print(f"    {'book messages':<34}{found['book messages']:>9,.0f} /s   target: >= 20,000 alone   ({spread})")
    mixed = f"{found['mixed orders']:,.0f} orders/s beside {found['mixed book messages']:,.0f} book messages/s"
    print(f"    {'mixed':<34}{mixed}")
    print(f"    {'both ready after':<34}{found['start s']:>9.2f} s    target: < 1")
    return found


if __name__ == "__main__":
    report()
