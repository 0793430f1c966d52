"""`planar health`: how an exchange does."""

from __future__ import annotations

import json

from cli_kit import Home, Venue


def test_the_hosts_and_the_clock_are_shown(home: Home) -> None:
    shown = home.run("health", "-e", "binance", "--environment", "local")
    assert shown.code == 0
    assert "api.binance.com" in shown.out
    assert "closed" in shown.out
    assert "its clock" in shown.out


def test_live_health_is_a_line_a_second(venue: Venue) -> None:
    ask = ("health", "-e", "binance", "--environment", "local", "--live")
    lines = venue.home.run(*ask, "--seconds", "1.5", "--json").out.splitlines()
    assert len(lines) == 2
    found = json.loads(lines[-1])
    assert (found["exchange"], found["breaker"]) == ("binance", "closed")
    assert found["clock"]["samples"] >= 2
    assert abs(found["clock"]["offset_ms"]) < 1_000
    host = next(one for one in found["hosts"] if one["host"] == "api.binance.com")
    assert host["requests"] > 0
    assert host["failures"] == 0
    assert 0 < host["p50_ms"] <= host["p99_ms"]
    told = venue.home.run(*ask, "--seconds", "0.5").out
    assert told.startswith("binance: api.binance.com closed p50 ")
