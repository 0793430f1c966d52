"""`planar budget`: what of an exchange's limits is used."""

from __future__ import annotations

import json

from cli_kit import Home, Venue


def test_the_budget_is_shown(home: Home) -> None:
    shown = home.run("budget", "-e", "binance", "--environment", "local")
    assert shown.code == 0
    assert "orders_day" in shown.out
    assert "6000" in shown.out


def test_a_live_budget_is_a_line_a_second_of_what_all_have_used(venue: Venue) -> None:
    ask = ("budget", "-e", "binance", "--environment", "local")
    first = json.loads(venue.home.run(*ask, "--json").out)
    lines = venue.home.run(*ask, "--live", "--seconds", "1.5", "--json").out.splitlines()
    assert len(lines) == 2
    assert json.loads(lines[-1])["meters"]["weight"]["used"] >= 2 * first["meters"]["weight"]["used"] > 0
    assert json.loads(lines[-1])["stopped_s"] == 0
    told = venue.home.run(*ask, "--live", "--seconds", "0.5").out
    assert told.startswith("binance: weight ")
