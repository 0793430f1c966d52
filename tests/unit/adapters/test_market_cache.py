"""Markets on disk: their age, what is wrong with a file, offline, one request for many callers, time and memory."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import synthetic_markets as synthetic

from planar import runtime
from planar.adapters.ccxt_markets import CcxtMarkets, LazyDict, capture
from planar.adapters.market_cache import MAX_AGE_MS, MarketCache, MarketSet, file_name, markets_key
from planar.adapters.market_file import MarketsKey, encode
from planar.errors import BadResponse, ExchangeNotAvailable, Outcome

HOUR_MS = 3_600_000
Keep = Callable[[CcxtMarkets], MarketSet]


class Account:
    """An instance of CCXT, and how often it has asked the venue."""

    def __init__(self, count: int = 40, **config: Any) -> None:
        self.exchange = synthetic.binance(**config)
        self.key = markets_key(self.exchange, "4.5.90", "live")
        self.count = count
        self.fetched = 0

    async def fetch(self, keep: Keep) -> MarketSet:
        self.fetched += 1
        await asyncio.sleep(0)
        synthetic.load(self.exchange, self.count)
        return keep(self.exchange)

    async def load(self, cache: MarketCache, **options: Any) -> Any:
        return await cache.load(self.key, self.exchange, self.fetch, **options)


def written(directory: Path, account: Account, *, age_ms: int = 0) -> Path:
    """A file of that age, as an earlier run left it."""
    source = Account().exchange
    synthetic.load(source, account.count)
    path = directory / file_name(account.key)
    path.write_bytes(encode(capture(source), account.key, runtime.wall_ms() - age_ms))
    return path


def files(directory: Path) -> list[Path]:
    return list(directory.iterdir())


async def test_markets_are_fetched_once_and_then_come_from_the_file(tmp_path: Path) -> None:
    first, second = Account(), Account()
    made = await first.load(MarketCache(tmp_path / "not" / "yet"))
    read = await second.load(MarketCache(tmp_path / "not" / "yet"))
    assert (first.fetched, second.fetched) == (1, 0)
    assert read.fetched_ms == made.fetched_ms
    assert 0 <= read.age_ms < 60_000
    assert second.exchange.markets == first.exchange.markets
    assert second.exchange.market("BTC/USDT")["id"] == "BTCUSDT"
    assert read.table["BTC/USDT"].id == "BTCUSDT"
    assert read.symbols.resolve("btc_usdt").symbol == "BTC/USDT"
    assert [path.suffix for path in files(tmp_path / "not" / "yet")] == [".markets"]


async def test_what_was_fetched_is_kept_as_bytes_too(tmp_path: Path) -> None:
    account = Account()
    await account.load(MarketCache(tmp_path))
    assert isinstance(account.exchange.markets, LazyDict)


async def test_accounts_share_their_markets(tmp_path: Path) -> None:
    cache, accounts = MarketCache(tmp_path), [Account() for _ in range(10)]
    found = await asyncio.gather(*(account.load(cache) for account in accounts))
    assert sum(account.fetched for account in accounts) == 1
    assert len({id(markets) for markets in found}) == 1
    assert len({id(account.exchange.markets) for account in accounts}) == 1


async def test_when_the_fetching_caller_is_canceled_the_next_one_fetches(tmp_path: Path) -> None:
    cache, first, second = MarketCache(tmp_path), Account(), Account()
    started = asyncio.Event()

    async def never(keep: Keep) -> MarketSet:
        started.set()
        await asyncio.Event().wait()
        return keep(first.exchange)

    canceled = asyncio.ensure_future(cache.load(first.key, first.exchange, never))
    await started.wait()
    waiting = asyncio.ensure_future(second.load(cache))
    await asyncio.sleep(0)
    canceled.cancel()
    with pytest.raises(asyncio.CancelledError):
        await canceled
    await waiting
    assert second.fetched == 1


async def test_a_failing_fetch_fails_each_caller_and_keeps_nothing(tmp_path: Path) -> None:
    cache, account = MarketCache(tmp_path), Account()

    async def fail(keep: Keep) -> MarketSet:
        raise BadResponse("no JSON")

    for _ in range(2):
        with pytest.raises(BadResponse, match="no JSON"):
            await cache.load(account.key, account.exchange, fail)
    assert files(tmp_path) == []


@pytest.mark.parametrize(
    ("age_ms", "max_age_ms", "fetched"),
    [
        (23 * HOUR_MS, MAX_AGE_MS, 0),
        (25 * HOUR_MS, MAX_AGE_MS, 1),
        (0, 0, 1),
        (-HOUR_MS, HOUR_MS, 1),
    ],
)
async def test_old_markets_are_fetched_again(tmp_path: Path, age_ms: int, max_age_ms: int, fetched: int) -> None:
    account = Account()
    written(tmp_path, account, age_ms=age_ms)
    markets = await account.load(MarketCache(tmp_path, max_age_ms=max_age_ms))
    assert account.fetched == fetched
    assert (markets.age_ms < HOUR_MS // 2) == bool(fetched)


def test_markets_in_memory_grow_old_too(tmp_path: Path) -> None:
    account, cache = Account(), MarketCache(tmp_path)

    async def a_day() -> list[int]:
        counts: list[int] = []
        for _ in range(3):
            await account.load(cache)
            counts.append(account.fetched)
            await runtime.sleep(13 * 3600)
        return counts

    assert runtime.simulate(a_day, seed=1) == [1, 1, 2]


async def test_reload_fetches(tmp_path: Path) -> None:
    account, cache = Account(), MarketCache(tmp_path)
    first = await account.load(cache)
    account.count = 60
    second = await account.load(cache, reload=True)
    assert account.fetched == 2
    assert (len(first.table), len(second.table), len(account.exchange.symbols)) == (40, 60, 60)
    assert await account.load(cache) is second


def _wrong_header(data: bytes) -> bytes:
    rest = msgspec.msgpack.encode({"key": 1})
    return data[:17] + struct.pack("<II", zlib.crc32(rest), len(rest)) + rest


DAMAGE = {
    "empty": lambda data: b"",
    "short": lambda data: data[:20],
    "truncated": lambda data: data[:-1],
    "longer": lambda data: data + b"x",
    "a bit flipped in the header": lambda data: data[:200] + bytes([data[200] ^ 1]) + data[201:],
    "a bit flipped in a market": lambda data: data[:-100] + bytes([data[-100] ^ 4]) + data[-99:],
    "zeros": lambda data: bytes(len(data)),
    "another format": lambda data: data.replace(b"planar markets 1", b"planar markets 0"),
    "another header": _wrong_header,
    "text": lambda data: b"<html>",
}


@pytest.mark.parametrize("name", DAMAGE)
async def test_a_damaged_file_is_a_warning_and_a_request(
    name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    account, again = Account(), Account()
    path = written(tmp_path, account)
    path.write_bytes(DAMAGE[name](path.read_bytes()))
    await account.load(MarketCache(tmp_path))
    assert account.fetched == 1
    assert [(record.levelname, path.name in record.message) for record in caplog.records] == [("WARNING", True)]
    await again.load(MarketCache(tmp_path))
    assert again.fetched == 0


async def test_the_file_of_other_markets_is_not_used(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    account = Account()
    path = written(tmp_path, account)
    other = msgspec.structs.replace(account.key, environment="sandbox")
    path.rename(tmp_path / file_name(other))
    assert MarketCache(tmp_path).read(other) is None
    assert "other markets" in caplog.text


async def test_a_directory_that_cannot_be_written_is_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")
    account, cache = Account(), MarketCache(tmp_path / "file")
    await account.load(cache)
    assert account.exchange.market("BTC/USDT")["id"] == "BTCUSDT"
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]  # reading, then writing
    assert await account.load(cache)
    assert account.fetched == 1


async def test_a_write_that_fails_half_way_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    account = Account()
    path = written(tmp_path, account)
    before = path.read_bytes()

    def full(*paths: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    await account.load(MarketCache(tmp_path), reload=True)
    assert path.read_bytes() == before
    assert files(tmp_path) == [path]
    assert "No space left" in caplog.text


async def test_markets_that_cannot_be_kept_are_used_all_the_same(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    account, cache = Account(), MarketCache(tmp_path)

    async def fetch(keep: Keep) -> MarketSet:
        synthetic.load(account.exchange, account.count)
        account.exchange.markets["ETH/USDT"]["odd"] = {1, 2}
        return keep(account.exchange)

    markets = await cache.load(account.key, account.exchange, fetch)
    assert "ETH/USDT" in caplog.text
    assert files(tmp_path) == []
    assert account.exchange.market("ETH/USDT")["odd"] == {1, 2}
    assert account.exchange.markets_by_id["BTCUSDT"][0] is account.exchange.markets["BTC/USDT"]
    assert markets.table["BTC/USDT"].id == "BTCUSDT"
    assert markets.symbols.resolve("btcusdt", "swap").symbol == "BTC/USDT:USDT"
    assert await account.load(cache) is markets


async def test_a_market_without_an_id_is_an_error_that_says_so(tmp_path: Path) -> None:
    """CCXT takes such a row for a market; its tables of something else hold texts, which have no id either."""
    account = Account()

    async def fetch(keep: Keep) -> MarketSet:
        synthetic.load(account.exchange, account.count)
        account.exchange.set_markets([{**account.exchange.market("ETH/USDT"), "id": None}])
        account.exchange.options["networks"] = {"ERC20": "ETH"}
        return keep(account.exchange)

    markets = await MarketCache(tmp_path).load(account.key, account.exchange, fetch)
    with pytest.raises(BadResponse, match="`id` is missing"):
        markets.table["ETH/USDT"]
    assert files(tmp_path) == []


async def test_an_answer_without_markets_is_an_error(tmp_path: Path) -> None:
    account = Account()

    async def nothing(keep: Keep) -> MarketSet:
        account.exchange.set_markets([])
        return keep(account.exchange)

    with pytest.raises(BadResponse, match="not a single market"):
        await MarketCache(tmp_path).load(account.key, account.exchange, nothing)
    assert files(tmp_path) == []


# -- offline


@pytest.mark.parametrize("reload", [False, True])
async def test_offline_uses_the_file_whatever_its_age(tmp_path: Path, reload: bool) -> None:
    account = Account()
    written(tmp_path, account, age_ms=1000 * 24 * HOUR_MS)
    cache = MarketCache(tmp_path, offline=True)
    markets = await account.load(cache, reload=reload)
    assert account.fetched == 0
    assert markets.age_ms > 999 * 24 * HOUR_MS
    assert await account.load(cache, reload=reload)
    assert account.exchange.symbols


async def test_offline_without_a_file_is_an_error_that_says_so(tmp_path: Path) -> None:
    account = Account()
    with pytest.raises(ExchangeNotAvailable) as caught:
        await account.load(MarketCache(tmp_path, offline=True))
    assert account.fetched == 0
    error = caught.value
    assert (error.outcome, error.retryable) == (Outcome.NOT_SENT, False)
    assert str(error) == (
        f"binance: PLANAR_OFFLINE is set, and {tmp_path} holds no usable markets of binance (live) for CCXT 4.5.90\n"
        "  -> unset PLANAR_OFFLINE once, so that they can be fetched and kept"
    )


async def test_offline_with_a_damaged_file_is_the_same_error(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    account = Account()
    written(tmp_path, account).write_bytes(b"\0")
    with pytest.raises(ExchangeNotAvailable):
        await account.load(MarketCache(tmp_path, offline=True))
    assert "cannot be used" in caplog.text


async def test_offline_takes_what_was_fetched_without_credentials(tmp_path: Path) -> None:
    written(tmp_path, Account())
    account = Account(apiKey="k", secret="s")
    await account.load(MarketCache(tmp_path, offline=True))
    assert account.exchange.symbols


# -- keys


def test_different_markets_have_different_files() -> None:
    accounts = [
        Account(),
        Account(apiKey="k", secret="s"),
        Account(options={"defaultType": "swap"}),
        Account(options={"fetchMarkets": {"types": ["spot"]}}),
        Account(has={"fetchCurrencies": False}),
    ]
    keys = [account.key for account in accounts]
    keys += [
        msgspec.structs.replace(keys[0], environment="sandbox"),
        msgspec.structs.replace(keys[0], version="4.5.91"),
    ]
    keys += [msgspec.structs.replace(keys[0], exchange="binanceus")]
    names = [file_name(key) for key in keys]
    assert len(set(names)) == len(keys)
    assert all(name.startswith("binance") and name.endswith(".markets") and "/" not in name for name in names)
    assert file_name(Account().key) == names[0]


def test_a_key_holds_no_secret() -> None:
    secrets = {"apiKey": "AKEY", "secret": "ASECRET", "password": "APASSWORD", "options": {"accessToken": "ATOKEN"}}
    one, other = Account(**secrets), Account(apiKey="OTHER", secret="OTHER")
    text = json.dumps(msgspec.to_builtins(one.key))
    assert not any(secret in text for secret in ("AKEY", "ASECRET", "APASSWORD", "ATOKEN"))
    assert one.key == other.key
    assert one.key.signed


def test_a_name_stays_in_its_directory() -> None:
    assert "/" not in file_name(MarketsKey("../x", "1", "../../y"))


async def test_a_file_holds_no_secret(tmp_path: Path) -> None:
    account = Account(apiKey="AKEY", secret="ASECRET", options={"accessToken": "ATOKEN"})
    await account.load(MarketCache(tmp_path))
    (path,) = files(tmp_path)
    assert not any(secret in path.read_bytes() for secret in (b"AKEY", b"ASECRET", b"ATOKEN"))


# -- time and memory

MEASURE = """
import gc, sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import synthetic_markets as synthetic
from planar.adapters.ccxt_markets import install
from planar.adapters.market_cache import MarketCache, markets_key

def resident_bytes():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

exchange = synthetic.binance()
cache, key = MarketCache(Path(sys.argv[2])), markets_key(exchange, "4.5.90", "live")
gc.collect()
memory, start = resident_bytes(), time.process_time()
markets = cache.read(key)
install(markets.tables, exchange)
symbol = exchange.market("BTC/USDT")["symbol"], markets.table["ETH/USDT"].symbol
print(time.process_time() - start, resident_bytes() - memory, len(exchange.markets))
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads the memory of a process from /proc")
def test_three_thousand_markets_in_time_and_memory(tmp_path: Path) -> None:
    account = Account(3000)
    written(tmp_path, account)
    command = [sys.executable, "-c", MEASURE, str(Path(__file__).parent), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    cpu_s, bytes_more, count = (float(figure) for figure in done.stdout.split())
    assert count == 3000
    assert cpu_s <= 0.05
    assert bytes_more <= 20e6


@pytest.fixture(autouse=True)
def _warnings_are_seen(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
