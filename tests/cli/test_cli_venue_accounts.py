"""`planar venue account ...` against a running venue."""

from __future__ import annotations

from collections.abc import Callable

from cli_kit import Here, Home, Venue

from planar.cli import exits

OUTSIDE = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
Inside = Callable[[Home], Here]


def test_the_life_of_an_account(venue: Venue, inside: Inside) -> None:
    planar = inside(venue.home).run
    made = planar("venue", "account", "add", "dora", "--funds", "USDT=1000,BTC=0.5", "--json").json
    assert (made["account"], len(made["apiKey"])) == ("dora", 64)
    sub = planar("venue", "account", "add", "dora2", "--master", "dora", "--rights", "USER_DATA")
    assert sub.code == 0
    assert "apiKey" in sub.out
    key = planar("venue", "account", "key", "dora", "--rights", "USER_DATA,TRADE", "--json").json
    assert key["apiKey"] != made["apiKey"]
    listed = planar("venue", "account", "list", "--json").json["binance"]
    assert listed["dora"]["keys"][key["apiKey"]] == ["USER_DATA", "TRADE"]
    assert listed["dora2"]["master"] == "dora"
    assert "dora2" in planar("venue", "account", "list").out
    keys = planar("venue", "keys", "--json").json["binance"]["accounts"]
    assert [one["account"] for one in keys][-2:] == ["dora", "dora2"]
    held = planar("venue", "ledger", "balances", "--account", "dora", "--json").json["balances"]["dora"]
    assert held == {"BTC": {"free": "0.5", "locked": "0"}, "USDT": {"free": "1000", "locked": "0"}}


def test_addresses(venue: Venue, inside: Inside) -> None:
    planar = inside(venue.home).run
    before = len(planar("venue", "account", "list", "--json").json["binance"]["carol"]["addresses"])
    found = planar("venue", "account", "address", "carol", "mine", "USDT", OUTSIDE, "--only", "--json").json
    assert (len(found["addresses"]), found["allowed_only"]) == (before + 1, True)
    again = planar("venue", "account", "address", "carol", "mine", "USDT", OUTSIDE, "--network", "BSC", "--json").json
    assert (len(again["addresses"]), again["addresses"][-1]["network"]) == (before + 1, "BSC")
    assert again["allowed_only"]
    assert "mine" in planar("venue", "account", "address", "carol", "mine", "USDT", OUTSIDE).out
    unknown = planar("venue", "account", "address", "nobody", "mine", "USDT", OUTSIDE)
    assert (unknown.code, "no account 'nobody'" in unknown.err) == (exits.USAGE, True)
    malformed = planar("venue", "account", "address", "carol", "mine", "USDT", "0x12")
    assert (malformed.code, "address = '0x12' has not the form" in malformed.err) == (exits.REFUSED, True)


def test_money_on_its_way(venue: Venue, inside: Inside) -> None:
    planar = inside(venue.home).run
    made = planar("venue", "account", "deposit", "bob", "BTC", "0.5", "--hold", "--json").json
    assert (made["status"], made["address"][:4]) == ("pending", "bc1q")
    assert made["id"] in planar("venue", "account", "movements", "bob", "--pending").out
    ended = planar("venue", "account", "settle", "bob", made["id"], "--outcome", "fail", "--json").json
    assert [row["status"] for row in ended["settled"]] == ["failed"]
    assert "no movement" in planar("venue", "account", "settle", "bob", made["id"]).err
    booked = planar("venue", "account", "deposit", "bob", "BTC", "0.5", "--json").json
    assert booked["status"] == "completed"
    rows = planar("venue", "account", "movements", "bob", "--json").json["movements"]
    assert [row["id"] for row in rows][-2:] == [made["id"], booked["id"]]
    assert planar("venue", "ledger").code == 0


def test_the_pace(venue: Venue, inside: Inside) -> None:
    planar = inside(venue.home).run
    assert planar("venue", "account", "pace", "--withdraw-ms", "20000", "--json").json == {
        "withdraw_ms": 20_000,
        "transfer_ms": 0,
    }
    assert planar("venue", "account", "pace", "--hold", "--transfer-ms", "5", "--json").json == {
        "withdraw_ms": None,
        "transfer_ms": 5,
    }
    both = planar("venue", "account", "pace", "--hold", "--withdraw-ms", "1")
    assert both.code == exits.USAGE
    assert planar("venue", "account", "add", "eve", "--funds", "USDT").code == exits.USAGE
