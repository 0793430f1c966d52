"""Shaped markets as clients of both exchanges see them, in virtual time: books, candles, latency, recordings."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

import planar.runtime as runtime
from planar.errors import BadRequest, ConfigError, VenueUnavailable
from planar.venue import shapes
from planar.venue.client import VenueControl, start_private
from planar.venue.server import VenueServer
from planar.venue.steering.market import PlantOpportunity, SetLatency, ShapeMarket, ShockMarket, ShowMarket
from planar.venue.steering.recordings import StartRecording, StartReplay, StopRecording, StopReplay
from planar.venue.wire import load_wire

PATH = "/simulated/venue.sock"
START_MS = 1_760_012_345_678
DAY_MS = 86_400_000
BTC = "BTC/USDT"
BINANCE, KRAKEN = "https://api.binance.com", "https://api.kraken.com"


class Both:
    """A client of both exchanges of one venue."""

    def __init__(self, session: aiohttp.ClientSession, control: VenueControl) -> None:
        self.session = session
        self.control = control

    async def get(self, url: str) -> Any:
        async with self.session.get(url) as response:
            return json.loads(await response.read())

    async def tops(self, coin: str = "BTC") -> dict[str, tuple[float, float]]:
        """Best bid and ask of both."""
        binance = await self.get(f"{BINANCE}/api/v3/ticker/bookTicker?symbol={coin}USDT")
        kraken = (await self.get(f"{KRAKEN}/0/public/Depth?pair={coin}USDT&count=1"))["result"]
        (book,) = kraken.values()
        return {
            "binance": (float(binance["bidPrice"]), float(binance["askPrice"])),
            "kraken": (float(book["bids"][0][0]), float(book["asks"][0][0])),
        }

    async def took_s(self, url: str) -> float:
        begun = runtime.monotonic()
        await self.get(url)
        return runtime.monotonic() - begun


def in_venue(story: Any, shaped: Path | None = None) -> Any:
    """Run a story at a venue with both exchanges; what it returns."""

    async def main() -> Any:
        wires = [load_wire(name, seed=5, activity=False) for name in ("binance", "kraken")]
        if shaped is not None:
            shapes.apply(shapes.load(shaped), wires)
        server = VenueServer(wires)
        record = await server.start(unix_path=PATH)
        try:
            async with (
                aiohttp.ClientSession(connector=aiohttp.UnixConnector(PATH)) as session,
                VenueControl(record) as control,
            ):
                return await story(Both(session, control))
        finally:
            await server.stop()

    return runtime.simulate(main, seed=5, start_wall_ms=START_MS)


def middle(top: tuple[float, float]) -> float:
    return (top[0] + top[1]) / 2


def gap_bps(tops: dict[str, tuple[float, float]]) -> float:
    return (middle(tops["kraken"]) / middle(tops["binance"]) - 1) * 10_000


async def settle(seconds: float = 60) -> None:
    await runtime.sleep(seconds)


def test_exchanges_are_near_one_another_and_a_basis_parts_them() -> None:
    async def story(both: Both) -> None:
        await settle()
        assert abs(gap_bps(await both.tops())) < 10
        await both.control.command(ShapeMarket(symbol=BTC, basis_bps=60, spread_bps=8), venue="kraken")
        tops = await both.tops()
        assert 45 < gap_bps(tops) < 75
        assert tops["kraken"][1] / tops["kraken"][0] > 1.0003 > tops["binance"][1] / tops["binance"][0]
        await settle(20)
        assert 45 < gap_bps(await both.tops()) < 75
        assert abs(gap_bps(await both.tops("ETH"))) < 10

    in_venue(story)


def test_a_planted_opportunity_crosses_the_other_exchange_for_its_time() -> None:
    async def story(both: Both) -> None:
        await settle()
        plant = PlantOpportunity(symbol=BTC, side="ask", bps=50, amount="0.25", for_ms=5_000)
        planted = (await both.control.command(plant, venue="kraken"))["kraken"]
        await settle(2)
        tops = await both.tops()
        assert tops["kraken"][1] == float(planted["price"])
        assert tops["kraken"][1] < tops["binance"][0]
        shown = (await both.control.command(ShowMarket(symbol=BTC), venue="kraken"))["kraken"]["symbols"][BTC]
        assert shown["planted"] == planted["amount"] == "0.25"
        await settle(15)
        tops = await both.tops()
        assert tops["kraken"][1] > tops["binance"][0] * 0.9995

    in_venue(story)


def test_a_shock_reaches_both_exchanges_where_none_is_named() -> None:
    async def story(both: Both) -> None:
        await settle()
        before = await both.tops("SOL")
        found = await both.control.command(ShockMarket(symbol="SOL/USDT", percent=-20, return_ms=30_000))
        assert list(found) == ["binance", "kraken"]
        after = await both.tops("SOL")
        for name, top in after.items():
            assert middle(top) / middle(before[name]) == pytest.approx(0.8, abs=0.01)
        await settle(40)
        for name, top in (await both.tops("SOL")).items():
            assert middle(top) / middle(before[name]) == pytest.approx(1, abs=0.01)

    in_venue(story)


def test_answers_and_frames_are_late_by_the_shaped_latency() -> None:
    url, other = f"{BINANCE}/api/v3/ping", f"{KRAKEN}/0/public/Time"

    async def story(both: Both) -> list[float]:
        assert await both.took_s(url) < 0.02
        await both.control.command(SetLatency(latency_ms=200, jitter_ms=50), venue="binance")
        took = [await both.took_s(url) for _ in range(20)]
        assert await both.took_s(other) < 0.02
        stream = "wss://stream.binance.com:9443/ws/btcusdt@bookTicker"
        async with both.session.ws_connect(stream) as socket:
            await settle(2)
            changes: list[int] = []
            for _ in range(30):
                changes.append(json.loads(await socket.receive_str())["u"])
            assert changes == sorted(changes)
            await both.control.command(SetLatency(latency_ms=0), venue="binance")
            await both.control.market("freeze")
            await settle(1)
            fresh = await both.get(f"{BINANCE}/api/v3/depth?symbol=BTCUSDT&limit=1")
            last = changes[-1]
            while last < fresh["lastUpdateId"] - 50:
                last = json.loads(await socket.receive_str())["u"]
        assert await both.took_s(url) < 0.02
        return took

    took = in_venue(story)
    assert all(0.149 < one < 0.27 for one in took)
    assert max(took) - min(took) > 0.03
    assert took == in_venue(story)


def test_a_frame_leaves_as_late_as_the_exchange_is() -> None:
    async def story(both: Both) -> None:
        await both.control.command(SetLatency(latency_ms=300), venue="kraken")
        async with both.session.ws_connect("wss://ws.kraken.com/v2") as socket:
            await socket.receive_str()
            begun = runtime.monotonic()
            await socket.send_str('{"method":"ping"}')
            assert json.loads(await socket.receive_str())["method"] == "pong"
            assert 0.29 < runtime.monotonic() - begun < 0.35
        with pytest.raises(BadRequest, match="jitter_ms"):
            await both.control.command(SetLatency(latency_ms=10, jitter_ms=20), venue="kraken")

    in_venue(story)


def test_a_listing_is_seen_over_rest() -> None:
    day = datetime.datetime.fromtimestamp(START_MS / 1000 - 30 * 86_400, datetime.UTC).date().isoformat()
    tomorrow = datetime.datetime.fromtimestamp(START_MS / 1000 + 86_400, datetime.UTC).date().isoformat()

    async def story(both: Both) -> None:
        await both.control.command(ShapeMarket(symbol="DOT/USDT", listed=day))
        binance = await both.get(f"{BINANCE}/api/v3/klines?symbol=DOTUSDT&interval=1d&startTime=0&limit=1000")
        kraken = (await both.get(f"{KRAKEN}/0/public/OHLC?pair=DOTUSDT&interval=1440"))["result"]["DOTUSDT"]
        assert len(binance) == len(kraken) == 31
        assert binance[0][0] == kraken[0][0] * 1000
        await both.control.command(ShapeMarket(symbol="DOT/USDT", listed=tomorrow))
        info = await both.get(f"{BINANCE}/api/v3/exchangeInfo?symbol=DOTUSDT")
        assert info["symbols"][0]["status"] != "TRADING"
        assert await both.get(f"{BINANCE}/api/v3/klines?symbol=DOTUSDT&interval=1d") == []
        assert float((await both.get(f"{BINANCE}/api/v3/ticker/24hr?symbol=DOTUSDT"))["volume"]) == 0
        pairs = (await both.get(f"{KRAKEN}/0/public/AssetPairs?pair=DOTUSDT"))["result"]
        assert pairs["DOTUSDT"]["status"] != "online"
        assert (await both.get(f"{KRAKEN}/0/public/Ticker?pair=DOTUSDT"))["error"] == []
        with pytest.raises(BadRequest, match="accounts have orders"):
            await both.control.command(ShapeMarket(symbol=BTC, listed=tomorrow))
        with pytest.raises(BadRequest, match="no date"):
            await both.control.command(ShapeMarket(symbol="DOT/USDT", listed="soon"))

    in_venue(story)


def test_a_recording_of_one_exchange_is_replayed_on_the_other(tmp_path: Path) -> None:
    path = str(tmp_path / "btc.ndjson.gz")

    async def story(both: Both) -> None:
        command = both.control.command
        await command(StartRecording(path=path, symbols=(BTC,)), venue="binance")
        with pytest.raises(BadRequest, match="is being recorded"):
            await command(StartRecording(path=path), venue="binance")
        await settle(10)
        await both.control.market("freeze")
        entries = (await command(StopRecording(), venue="binance"))["binance"]["entries"]
        assert entries > 100
        await both.control.market("resume")
        await command(StartReplay(path=path, speed=5), venue="kraken")
        with pytest.raises(BadRequest, match="a recording makes the market"):
            await command(ShockMarket(symbol=BTC, percent=1), venue="kraken")
        await both.control.market("freeze", venue="binance")
        await settle(3)
        played = (await command(ShowMarket(symbol=BTC), venue="kraken"))["kraken"]["replay"]
        assert (played["done"], played["played"]) == (True, entries)
        tops = await both.tops()
        assert abs(middle(tops["kraken"]) / middle(tops["binance"]) - 1) < 0.001
        assert tops == await both.tops()
        await command(StopReplay(), venue="kraken")
        for wrong in (StopReplay(), StopRecording()):
            with pytest.raises(BadRequest, match="no recording|not being recorded"):
                await command(wrong, venue="kraken")
        for bad in ("relative.ndjson", str(tmp_path / "none.ndjson")):
            with pytest.raises(BadRequest, match="not absolute|there is no recording"):
                await command(StartReplay(path=bad), venue="kraken")
        with pytest.raises(BadRequest, match="exists"):
            await command(StartRecording(path=path), venue="kraken")

    in_venue(story)


SHAPE = """
[all]
trade_rate = 1.5
latency_ms = 5

[all."ETH/USDT"]
spread_bps = 4

[kraken]
basis_bps = 25
latency_ms = 40
jitter_ms = 10

[kraken."BTC/USDT"]
basis_bps = -50
quiet = ["22:00-23:30"]

[binance."DOT/USDT"]
listed = 2025-03-01
"""


def test_a_shape_file_shapes_from_the_start(tmp_path: Path) -> None:
    path = tmp_path / "shape.toml"
    path.write_text(SHAPE)

    async def story(both: Both) -> dict[str, Any]:
        await settle()
        assert gap_bps(await both.tops()) == pytest.approx(-50, abs=15)
        assert gap_bps(await both.tops("SOL")) == pytest.approx(25, abs=15)
        return await both.control.command(ShowMarket())

    found = in_venue(story, path)
    binance, kraken = found["binance"], found["kraken"]
    assert (binance["latency_ms"], kraken["latency_ms"], kraken["jitter_ms"]) == (5, 40, 10)
    assert {one["trade_rate"] for one in binance["symbols"].values()} == {1.5}
    assert kraken["symbols"]["ETH/USDT"]["spread_bps"] == pytest.approx(4, abs=0.1)
    assert kraken["symbols"][BTC]["quiet"] == ["22:00-23:30"]
    assert binance["symbols"][BTC]["basis_bps"] == 0
    assert binance["symbols"]["DOT/USDT"]["begin_ms"] == 1_740_787_200_000


async def test_a_private_venue_starts_with_a_shape(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLANAR_STATE", str(tmp_path / "state"))
    path = tmp_path / "shape.toml"
    path.write_text(SHAPE)
    async with await start_private(["binance", "kraken"], shape=str(path)) as private:
        async with VenueControl(private.record) as control:
            shown = await control.command(ShowMarket(symbol=BTC))
    assert [one["symbols"][BTC]["basis_bps"] for one in shown.values()] == [0, -50]
    path.write_text("[binance]\nspread = 1\n")
    with pytest.raises(VenueUnavailable, match=r"shape.toml \[binance\]"):
        await start_private(["binance"], shape=str(path))


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("x = 1", "outside a section"),
        ("[all]\nvolatilty = 1", "volatilty"),
        ("[all]\nvolatility = 100", "<= 10"),
        ('[all]\nlatency_ms = "fast"', "latency_ms"),
        ("[okx]\nbasis_bps = 1", r"\[okx\]: no such exchange"),
        ('[binance."X/Y"]\nbasis_bps = 1', r'\[binance."X/Y"\]: no symbol'),
        ('[all]\nquiet = ["late"]', "window"),
        ("[all", "not TOML"),
    ],
)
def test_a_wrong_shape_file_is_refused_with_its_section(tmp_path: Path, text: str, what: str) -> None:
    path = tmp_path / "shape.toml"
    path.write_text(text)
    wires = [load_wire("binance", seed=1, activity=False)]
    with pytest.raises(ConfigError, match=what):
        shapes.apply(shapes.load(path), wires)
    with pytest.raises(ConfigError, match="cannot be read"):
        shapes.load(tmp_path / "none.toml")


@pytest.mark.parametrize("command", ["shape_market", "set_latency", "shock_market", "plant_opportunity", "show_market"])
def test_a_command_without_sense_is_refused(command: str) -> None:
    wrong: dict[str, dict[str, Any]] = {
        "shape_market": {"volatility": -1},
        "set_latency": {"latency_ms": -1},
        "shock_market": {"percent": -100},
        "plant_opportunity": {"symbol": BTC, "side": "ask", "bps": 10, "amount": "0", "for_ms": 1},
        "show_market": {"symbol": "X/Y"},
    }
    wire = load_wire("binance", seed=1, activity=False)
    kinds = (ShapeMarket, SetLatency, ShockMarket, PlantOpportunity, ShowMarket)
    kind: Any = next(one for one in kinds if one.__struct_config__.tag == command)
    with pytest.raises((msgspec.ValidationError, BadRequest)):
        msgspec.convert({"action": command, **wrong[command]}, kind).carry_out(wire.bench())
