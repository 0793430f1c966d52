"""`planar markets` and `planar exchanges`: what can be traded, and where."""

from __future__ import annotations

import json

from cli_kit import Home


def listed(home: Home, *options: str) -> set[str]:
    shown = home.run("markets", *options, "-e", "binance", "--environment", "local", "--json")
    assert shown.code == 0
    return {market["symbol"] for market in json.loads(shown.out)}


def test_markets_are_listed_by_currency_kind_and_part_of_a_name(home: Home) -> None:
    everything = listed(home)
    quoted = {symbol for symbol in everything if symbol.endswith("/USDT")}
    assert quoted
    assert quoted < everything
    assert listed(home, "--quote", "USDT") == listed(home, "--quote", "usdt") == quoted
    assert listed(home, "--type", "spot") == everything
    assert listed(home, "--type", "swap") == set()
    assert listed(home, "btc/") == {symbol for symbol in everything if "BTC/" in symbol}
    table = home.run("markets", "--quote", "XXX", "-e", "binance", "--environment", "local")
    assert (table.code, "BTC" in table.out) == (0, False)


def test_exchanges_are_listed_by_part_of_an_id_and_by_what_they_can(home: Home) -> None:
    found = {row["id"] for row in json.loads(home.run("exchanges", "binance", "--json").out)}
    assert {"binance", "binanceus"} <= found
    assert all("binance" in one for one in found)
    able = {
        row["id"]
        for row in json.loads(home.run("exchanges", "--can", "watchOrders,createOrder:postOnly", "--json").out)
    }
    assert "kraken" in able
    assert home.run("exchanges", "--can", "watchNothing").code == 2
    assert "0 exchanges; did you mean kraken?" in home.run("exchanges", "krakem").out
