"""`planar order` with every kind of order, linked orders and replacements."""

from __future__ import annotations

import pytest
from cli_kit import Venue

EXITS = ("--take-profit", "90000", "--stop-loss", "20000")
PAIR = ("order", "oco", "BTC/USDT", "sell", "0.001", *EXITS)


@pytest.mark.parametrize(
    ("words", "sent"),
    [
        (("--stop", "20000"), {"type": "STOP_LOSS", "stopPrice": "20000"}),
        (("--take-profit", "90000", "--price", "90000"), {"type": "TAKE_PROFIT_LIMIT", "stopPrice": "90000"}),
        (("--trailing", "1.5"), {"type": "STOP_LOSS", "trailingDelta": "150"}),
    ],
)
def test_a_preview_shows_the_request_of_each_kind(venue: Venue, words: tuple[str, ...], sent: dict[str, str]) -> None:
    ran = venue.home.run("order", "sell", "BTC/USDT", "0.001", *words, "--dry-run", "--json")
    assert ran.code == 0, ran
    params = ran.json["request"]["params"]
    assert {name: str(params[name]) for name in sent} == sent


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--price", "50000", "--until", "12h"), "spot orders have no end of their own"),
        (("--price", "50000", "--until", "noon"), "is no time"),
        (("--stop", "20000", "--trailing", "1"), "waits for one thing"),
        (("--market", "--until", "12h"), "belongs to a limit order"),
    ],
)
def test_what_does_not_go_is_refused_with_the_reason(venue: Venue, words: tuple[str, ...], says: str) -> None:
    ran = venue.home.run("order", "sell", "BTC/USDT", "0.001", *words, "--yes")
    assert ran.code != 0
    assert says in ran.err, ran


def test_linked_orders_are_previewed_then_sent_once(venue: Venue) -> None:
    seen = venue.home.run(*PAIR, "--dry-run")
    assert seen.code == 0, seen
    for words in ("take profit  sell 0.001 BTC/USDT at 90000", "stop loss", "when the price reaches 20000"):
        assert words in seen.out, seen
    request = venue.home.run(*PAIR, "--dry-run", "--json").json["request"]
    assert (request["aboveType"], request["belowType"]) == ("LIMIT_MAKER", "STOP_LOSS")
    names = [venue.home.run(*PAIR, "--yes", "--intent", "out", "--json").json for _ in range(2)]
    assert names[0]["id"] == names[1]["id"]
    legs = names[0]["legs"]
    assert (legs["take_profit"]["state"], legs["stop_loss"]["state"], names[0]["emulated"]) == ("open", "open", False)
    new = ("order", "replace", "BTC/USDT", legs["stop_loss"]["id"], "sell", "0.001", "--stop", "21000", "--dry-run")
    assert "when the price reaches 21000" in venue.home.run(*new).out
    entry = ("order", "bracket", "BTC/USDT", "buy", "0.001", "--price", "30000", *EXITS, "--dry-run")
    assert "buy 0.001 BTC/USDT at 30000" in venue.home.run(*entry).out


def test_the_kinds_of_a_market_are_listed_with_the_reasons(venue: Venue) -> None:
    ran = venue.home.run("order", "kinds", "BTC/USDT")
    assert ran.code == 0, ran
    assert "trailing_amount" in ran.out
    assert venue.home.run("order", "kinds", "BTC/USDT", "--json").json["gtd"]["how"] == "refused"
