"""The commands that shape, record and replay the markets of a running venue."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable

from cli_kit import Here, Home, Venue, ended, wait_until

from planar.cli import exits

Inside = Callable[[Home], Here]
BTC = "BTC/USDT"


def test_markets_are_shaped_and_shown(venue: Venue, inside: Inside) -> None:
    planar = inside(venue.home).run
    shaped = planar(
        *("venue", "market", "shape", BTC, "--basis-bps", "-40", "--spread-bps", "6", "--volatility", "0.1"),
        *("--quiet", "03:00-03:30", "--quiet", "04:00-04:30", "--latency-ms", "3", "--jitter-ms", "1", "--json"),
    ).json["binance"]
    assert (shaped["latency_ms"], shaped["jitter_ms"]) == (3, 1)
    market = shaped["symbols"][BTC]
    assert (market["basis_bps"], market["volatility"]) == (-40, 0.1)
    assert market["quiet"] == ["03:00-03:30", "04:00-04:30"]
    table = planar("venue", "market", "show", BTC)
    assert "latency 3 ± 1 ms" in table.out
    assert BTC in table.out
    assert "ETH/USDT" not in table.out
    assert "ETH/USDT" in planar("venue", "market", "show").out
    ended_quiet = planar("venue", "market", "shape", BTC, "--no-quiet", "--json").json["binance"]
    assert (ended_quiet["symbols"][BTC]["quiet"], ended_quiet["symbols"][BTC]["basis_bps"]) == ([], -40)
    usual = planar("venue", "market", "shape", BTC, "--reset", "--latency-ms", "0", "--json").json["binance"]
    assert (usual["symbols"][BTC]["basis_bps"], usual["latency_ms"]) == (0, 0)
    wrong = planar("venue", "market", "shape", "X/Y", "--drift", "0.1")
    assert wrong.code == exits.REFUSED
    assert "no symbol 'X/Y'" in wrong.err


def test_shocks_and_opportunities(venue: Venue, inside: Inside) -> None:
    planar = inside(venue.home).run
    fallen = planar("venue", "market", "shock", "SOL/USDT", "-20", "--return-ms", "100000", "--json").json["binance"]
    one = fallen["symbols"]["SOL/USDT"]
    assert 0.77 < float(one["bid"]) / one["reference"] < 0.83
    args = ("ADA/USDT", "ask", "--bps", "100", "--amount", "12", "--for-ms", "60000")
    planted = planar("venue", "market", "plant", *args, "--json").json["binance"]
    shown = planar("venue", "market", "show", "ADA/USDT", "--json").json["binance"]["symbols"]["ADA/USDT"]
    assert (shown["ask"], shown["planted"]) == (planted["price"], "12")
    assert "ask 12 at" in planar("venue", "market", "plant", *args).out


def test_the_market_is_frozen_stepped_and_resumed(venue: Venue, inside: Inside) -> None:
    planar = inside(venue.home).run
    assert "frozen" in planar("venue", "market", "freeze").out
    assert planar("venue", "market", "step", "--ms", "1000", "--json").json["binance"] == {"frozen": True}
    assert "running" in planar("venue", "market", "resume").out


def test_a_market_is_recorded_and_replayed(venue: Venue, inside: Inside) -> None:
    planar = inside(venue.home).run
    assert planar("venue", "record", "a.ndjson.gz", "--symbol", "ETH/USDT", "--for", "0.5").code == 0
    again = planar("venue", "record", "a.ndjson.gz", "--for", "1")
    assert again.code == exits.REFUSED
    assert "exists" in again.err
    played = planar("venue", "replay", "a.ndjson.gz", "--speed", "max", "--json").json["binance"]
    assert played["symbols"] == ["ETH/USDT"]
    assert played["entries"] > 1

    def is_done() -> bool:
        return planar("venue", "market", "show", "ETH/USDT", "--json").json["binance"]["replay"]["done"]

    wait_until(is_done)
    assert "at its end" in planar("venue", "market", "show", "ETH/USDT").out
    assert "entries played" in planar("venue", "replay", "--stop").out
    (venue.home.path / "bad.ndjson").write_text('{"type": "recording", "version": 1, "symbols": ["ETH/USDT"]}\nno\n')
    bad = planar("venue", "replay", "bad.ndjson")
    assert bad.code == exits.REFUSED
    assert "bad.ndjson, line 2" in bad.err
    assert "there is no recording" in planar("venue", "replay", "none.ndjson").err
    unshaped = planar("venue", "market", "shape", BTC, "--spread-bps", "-1")
    assert (unshaped.code, unshaped.err) == (
        exits.USAGE,
        "planar: spread_bps = -1: it must be a number, more than 0\n  -> --help tells what each option takes\n",
    )


def test_a_recording_ends_with_ctrl_c(venue: Venue) -> None:
    process = venue.home.start("venue", "record", "b.ndjson", "--symbol", BTC, "--json")
    path = venue.home.path / "b.ndjson"
    wait_until(path.exists)
    process.send_signal(signal.SIGINT)
    ran = ended(("venue", "record"), process)
    assert ran.code == 0
    lines = path.read_text().splitlines()
    assert ran.json["binance"]["entries"] == len(lines) - 1
    assert json.loads(lines[0])["venue"] == "binance"


def test_csv_is_converted_and_a_venue_starts_with_it_and_a_shape(home: Home, inside: Inside) -> None:
    (home.path / "trades.csv").write_text("ts_ms,side,price,amount\n1,bid,100,1\n1,ask,101,2\n9,buy,101,0.5\n")
    (home.path / "shape.toml").write_text('[binance."ETH/USDT"]\nspread_bps = 7\n')
    (home.path / "planar.toml").write_text('[venue]\nshape = "shape.toml"\n')
    planar = inside(home).run
    assert planar("venue", "convert", "trades.csv", "t.ndjson", "--symbol", BTC, "--json").json["entries"] == 2
    started = Venue(home, "--replay", "t.ndjson", "--speed", "max")
    try:
        wait_until(lambda: planar("venue", "market", "show", "--json").json["binance"]["replay"]["done"])
        markets = planar("venue", "market", "show", "--json").json["binance"]["symbols"]
        assert (markets[BTC]["bid"], markets[BTC]["ask"]) == ("100", "101")
        assert 6 < markets["ETH/USDT"]["spread_bps"] < 8
    finally:
        started.interrupt()
    for options, what in (
        (("--shape", "none.toml"), "none.toml cannot be read"),
        (("--replay", "shape.toml"), "shape.toml, line 1"),
    ):
        refused = home.run("venue", "up", *options)
        assert refused.code == exits.USAGE
        assert what in refused.err
