"""`planar venue fault` and `planar venue state` against a running venue."""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args

import msgspec
import pytest
from cli_kit import Here, Home, Venue

from planar.cli import exits
from planar.venue.described import fault_kinds, state_commands
from planar.venue.faults import Fault

Inside = Callable[[Home], Here]

VALUES = {
    "delay_ms": "5",
    "status": "503",
    "body": "no",
    "keep_bytes": "3",
    "lag_ms": "100",
    "code": "1012",
    "bytes_per_s": "10",
    "for_ms": "50",
}


def test_every_kind_is_described_and_can_be_added(venue: Venue, inside: Inside) -> None:
    planar = inside(venue.home).run
    listed = planar("venue", "fault", "kinds", "--json").json
    assert [one["name"] for one in listed] == [kind.__struct_config__.tag for kind in get_args(Fault)]
    for one in listed:
        assert one["meaning"]
        assert one["acts_on"]
        needed = [field["name"] for field in one["fields"] if field["default"] is None]
        options = [word for name in needed for word in (f"--{name.replace('_', '-')}", VALUES[name])]
        ran = planar("venue", "fault", "add", one["name"].replace("_", "-"), *options, "--host", "nowhere")
        assert ran.code == 0, ran
    rules = planar("venue", "fault", "list", "--json").json["rules"]
    assert [state["rule"]["fault"]["kind"] for state in rules] == [one["name"] for one in listed]
    assert "fail-handshake" in planar("venue", "fault", "list").out
    assert planar("venue", "fault", "clear", "--json").json == {"cleared": len(listed)}


def test_a_rule_with_all_its_conditions(venue: Venue, inside: Inside) -> None:
    planar = inside(venue.home).run
    assert planar("venue", "fault", "add", "drop-answer", "--id", "first").code == 0
    words = (
        *("--venue", "binance", "--account", "alice", "--method", "post", "--host", "api.*", "--path", "/api/*"),
        *("--query", "*symbol=*", "--containing", "side=BUY", "--after", "first", "--nth", "2", "--every"),
        *("--probability", "0.5", "--seed", "7", "--from-ms", "10", "--until-ms", "99", "--id", "second"),
        *("--status", "429", "--body", "slow down", "--header", "Retry-After: 7", "--header", "X-A: b"),
    )
    made = planar("venue", "fault", "add", "refuse-request", *words, "--json").json
    assert made == {
        "fault": {
            "kind": "refuse_request",
            "status": 429,
            "body": "slow down",
            "headers": {"Retry-After": "7", "X-A": "b"},
        },
        "id": "second",
        "venue": "binance",
        "method": "POST",
        "host": "api.*",
        "path": "/api/*",
        "query": "*symbol=*",
        "body": "*side=BUY*",
        "account": "alice",
        "after": "first",
        "nth": 2,
        "count": None,
        "probability": 0.5,
        "seed": 7,
        "from_ms": 10,
        "until_ms": 99,
    }
    shift = planar("venue", "fault", "add", "shift-clock", "--skew-ms=-3000", "--count", "5", "--json").json
    assert (shift["fault"]["skew_ms"], shift["count"]) == (-3000, 5)
    assert planar("venue", "fault", "clear").code == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("drop-anser",), "did you mean drop-answer?"),
        (("delay-answer",), "delay_ms"),
        (("drop-answer", "--delay-ms", "5"), "delay_ms"),
        (("drop-answer", "--every", "--count", "2"), "exclude each other"),
        (("refuse-request", "--status", "429", "--body", "", "--header", "seven"), "is no header"),
    ],
)
def test_a_wrong_rule(venue: Venue, inside: Inside, words: tuple[str, ...], told: str) -> None:
    ran = inside(venue.home).run("venue", "fault", "add", *words)
    assert (ran.code, told in ran.err) == (exits.USAGE, True), ran


def test_what_a_kind_needs(venue: Venue, inside: Inside) -> None:
    planar = inside(venue.home).run
    told = planar("venue", "fault", "kinds", "close-doors").out
    assert "--for-ms" in told
    assert "[needed]" in told
    assert planar("venue", "fault", "kinds", "nothing").code == exits.USAGE


def test_states(venue: Venue, inside: Inside) -> None:
    planar = inside(venue.home).run
    assert [one["name"] for one in planar("venue", "state", "--json").json] == [one.name for one in state_commands()]
    assert "restrict-addresses" in planar("venue", "state").out
    halted = planar("venue", "state", "halt", "BTC/USDT", "--state", "BREAK", "--json").json
    assert halted == {"binance": {"symbol": "BTC/USDT", "state": "BREAK"}}
    assert "TRADING" in planar("venue", "state", "reopen", "BTC/USDT").out
    changed = planar("venue", "state", "set-filters", "--symbol", "ETH/USDT", "--tick", "0.1", "--json").json
    assert changed["binance"]["tick"] == "0.1"
    rights = planar("venue", "state", "set-rights", "carol", "USER_DATA,TRADE", "--json").json["binance"]["keys"]
    assert {tuple(found) for found in rights.values()} == {("USER_DATA", "TRADE")}
    assert planar("venue", "state", "restrict-addresses", "carol", "10.1.2.3", "--json").json["binance"][
        "addresses"
    ] == ["10.1.2.3"]
    assert planar("venue", "state", "expire-tokens", "carol", "--json").json["binance"]["ended"] == 0


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("halted",), exits.USAGE, "did you mean halt?"),
        (("halt",), exits.USAGE, "symbol"),
        (("reopen", "BTC/USDT", "now"), exits.USAGE, "reopen takes symbol"),
        (("halt", "BTC/USD"), exits.REFUSED, "no symbol"),
        (("set-system", "asleep"), exits.REFUSED, "system_maintenance"),
    ],
)
def test_a_wrong_state(venue: Venue, inside: Inside, words: tuple[str, ...], code: int, told: str) -> None:
    ran = inside(venue.home).run("venue", "state", *words)
    assert (ran.code, told in ran.err) == (code, True), ran


def test_all_fields_have_a_meaning_or_a_name_that_says_it() -> None:
    for one in (*fault_kinds(), *state_commands()):
        for field in one.fields:
            units = field.name.endswith(("_ms", "_bytes", "_per_s")) or field.name == "body"
            assert field.meaning or units, (one.name, field.name)
    assert msgspec.json.encode(fault_kinds())
