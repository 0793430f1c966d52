"""`planar budget`: what of an exchange's limits is used."""

from __future__ import annotations

import json
import time

from cli_kit import Home, Venue


def test_the_budget_is_shown(home: Home) -> None:
    shown = home.run("budget", "-e", "binance", "--environment", "local")
    assert shown.code == 0
    assert "orders_day" in shown.out
    assert "6000" in shown.out


def test_a_live_budget_is_a_line_a_second_of_what_all_have_used_and_costs_nothing(venue: Venue) -> None:
    where = ("-e", "binance", "--environment", "local")
    assert json.loads(venue.home.run("budget", *where, "--json").out)["meters"]["weight"]["used"] == 0
    for _ in range(3):
        minute = time.time() // 60
        venue.home.run("ticker", "BTC/USDT", *where)
        first = json.loads(venue.home.run("budget", *where, "--json").out)
        lines = venue.home.run("budget", *where, "--live", "--seconds", "1.5", "--json").out.splitlines()
        told = venue.home.run("budget", *where, "--live", "--seconds", "0.5").out
        if time.time() // 60 == minute:  # else the exchange counts from zero again
            break
    assert len(lines) == 2
    assert json.loads(lines[-1])["meters"]["weight"]["used"] == first["meters"]["weight"]["used"] > 0
    assert json.loads(lines[-1])["stopped_s"] == 0
    assert told.startswith("binance: weight ")


def test_what_cannot_be_shown_is_said(home: Home) -> None:
    assert home.run("budget", "-e", "binanc").code == 2
    refused = home.run("budget", "-e", "binance", "--environment", "local", "--live", "--seconds", "0")
    assert refused.code == 2
    assert "more than 0" in refused.err
