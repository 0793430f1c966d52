"""`planar stop` and `planar audit`: exit codes, what is verified, what is asked before."""

from __future__ import annotations

import pytest
from cli_kit import Venue

from planar.cli import exits


def order(venue: Venue, *more: str) -> str:
    ran = venue.home.run("order", "buy", "BTC/USDT", "0.001", "--price", "20000", "--yes", "--json", *more)
    assert ran.code == 0, ran
    return ran.json["clientOrderId"]


def test_a_stop_cancels_all_and_says_that_none_is_left(venue: Venue) -> None:
    order(venue)
    ran = venue.home.run("stop", "binance", "--json")
    assert ran.code == exits.OK, ran
    (report,) = ran.json
    assert report["verified"]
    assert report["canceled"]
    assert venue.home.run("orders", "--json").json == []
    again = venue.home.run("stop", "--all")
    assert again.code == exits.OK
    assert "verified: none is left" in again.out


def test_a_stop_that_cannot_verify_is_no_success(venue: Venue) -> None:
    order(venue)
    venue.home.run("venue", "fault", "add", "drop-request", "--method", "DELETE", "--count", "1000")
    try:
        ran = venue.home.run("stop", "binance", "--within", "2")
        assert ran.code == exits.REFUSED, ran
        assert "NOT VERIFIED" in ran.out
        assert "closed unanswered" in ran.out
    finally:
        venue.home.run("venue", "fault", "clear")
    assert venue.home.run("stop", "binance").code == exits.OK


def test_a_stop_goes_on_while_the_exchange_is_down(venue: Venue) -> None:
    order(venue)
    venue.home.run("venue", "fault", "add", "drop-request", "--count", "15")
    ran = venue.home.run("stop", "binance", "--json")
    assert ran.code == exits.OK, ran
    assert ran.json[0]["verified"]


def test_nothing_is_sold_unasked(venue: Venue) -> None:
    before = venue.home.run("balance", "--json").json["balances"]["BTC"]["free"]
    ran = venue.home.run("stop", "binance", "--close-positions", "--into", "USDT")
    assert ran.code == exits.USAGE, ran
    assert "sell" in ran.out
    assert venue.home.run("balance", "--json").json["balances"]["BTC"]["free"] == before
    sold = venue.home.run("stop", "binance", "--close-positions", "--into", "USDT", "--yes", "--json")
    assert any("BTC/USDT" in line for line in sold.json[0]["closed"]), sold


WRONG: list[tuple[tuple[str, ...], str]] = [
    ((), "which exchange is meant?"),
    (("binance", "--all"), "contradict each other"),
    (("binance", "--close-positions"), "belong together"),
    (("binance", "--into", "USDT"), "belong together"),
    (("binance", "--within", "0"), "must be above 0"),
]


@pytest.mark.parametrize(("words", "text"), WRONG)
def test_what_cannot_be_meant_is_refused(words: tuple[str, ...], text: str, venue: Venue) -> None:
    ran = venue.home.run("stop", *words)
    assert ran.code == exits.USAGE
    assert text in ran.err


def test_the_trail_shows_requests_with_their_answers(venue: Venue) -> None:
    client_id = order(venue, "--intent", "wish of the trail")
    (found,) = venue.home.run("audit", "show", "--order", client_id, "--json").json
    assert (found["exchange"], found["environment"], found["intent_id"]) == ("binance", "local", "wish of the trail")
    assert (found["outcome"], found["http_status"], found["params"]["symbol"]) == ("ok", 200, "BTCUSDT")
    shown = venue.home.run("audit", "show", "--exchange", "binance", "--environment", "local", "--limit", "5")
    assert "POST order" in shown.out
    assert venue.home.run("audit", "show", "--day", "2020-01-31", "--json").json == []


def test_the_preview_of_an_order_shows_what_would_be_sent(venue: Venue) -> None:
    ran = venue.home.run("order", "sell", "BTC/USDT", "0.001", "--market", "--dry-run", "--json")
    assert (ran.json["sent"], ran.json["takes"], ran.json["request"]["method"]) == (False, True, "POST")
    shown = venue.home.run("order", "sell", "BTC/USDT", "0.001", "--market", "--dry-run")
    assert "at worst, by the book now" in shown.out
