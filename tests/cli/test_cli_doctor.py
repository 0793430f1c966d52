"""`planar doctor` as a command: its lines, its JSON, its exit codes, and what it leaves behind."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from cli_kit import Here, Home, Venue

Inside = Callable[[Home], Here]
NAMES = (
    *("configuration", "credentials", "environment", "host", "dns", "tls", "proxy", "clock", "public", "private"),
    *("rights", "addresses", "symbol", "latency", "budget"),
)


def test_a_line_for_each_check_with_its_remedy(venue: Venue, inside: Inside) -> None:
    ran = inside(venue.home).run("doctor", "binance", "BTC/USDT")
    assert ran.code == 0, ran
    heads = [line for line in ran.out.splitlines() if line[0] != " "]
    assert [line.split()[1] for line in heads] == list(NAMES)
    assert {line[0] for line in heads} == {"✓", "!", "-"}
    rights = ran.out.splitlines().index(next(line for line in heads if line.split()[1] == "rights"))
    assert ran.out.splitlines()[rights + 1].strip().startswith("→ turn withdrawals off")


def test_the_page_names_every_check() -> None:
    page = (Path(__file__).parents[2] / "docs" / "troubleshooting.md").read_text()
    assert tuple(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)) == NAMES
    assert tuple(re.findall(r"^[✓!✗-]  (\w+)", page, re.MULTILINE)) == NAMES


def test_one_json_object_and_progress_on_the_side(venue: Venue, inside: Inside) -> None:
    ran = inside(venue.home).run("doctor", "binance", "BTC/USDTT", "--account", "bob", "--json")
    assert ran.code == 1
    assert len(ran.out.splitlines()) == 1
    found = ran.json
    assert (found["exchange"], found["account"], found["environment"]) == ("binance", "bob", "local")
    assert (found["symbol"], found["level"]) == ("BTC/USDTT", "fail")
    assert [check["check"] for check in found["checks"]] == list(NAMES)
    assert set(found["checks"][0]) == {"check", "level", "text", "fix", "took_ms"}
    (symbol,) = (check for check in found["checks"] if check["level"] == "fail")
    assert (symbol["check"], symbol["fix"]) == ("symbol", "did you mean BTC/USDT?")
    progress = [f"planar: {check['check']}: {check['level']}" for check in found["checks"]]
    assert ran.err.splitlines() == progress


def test_a_limit_that_was_exceeded_fails_and_says_how_long(venue: Venue, inside: Inside) -> None:
    here = inside(venue.home)
    fault = ("venue", "fault", "add", "refuse-request", "--status", "418", "--body", "{}")
    assert here.run(*fault, "--header", "Retry-After: 1", "--path", "/api/v3/time", "--every").code == 0
    try:
        ran = here.run("doctor", "binance")
    finally:
        assert here.run("venue", "fault", "clear").code == 0
    assert ran.code == 1
    assert "✗  public" in ran.out
    assert "(wait 1 s)" in ran.out


def test_no_venue_runs_so_one_is_started_and_ended(home: Home) -> None:
    ran = home.run("doctor", "kraken", "XBTUSDT", "--environment", "local", "--json")
    assert ran.code == 0, ran
    assert home.leftovers() == []
    levels = {check["check"]: check["level"] for check in ran.json["checks"]}
    assert levels["private"] == levels["symbol"] == levels["host"] == "ok"


def test_wrong_files_are_told_with_their_lines(home: Home, inside: Inside) -> None:
    (home.path / "user").mkdir()
    (home.path / "user" / "planar.toml").write_text('[binance]\nenvironment = "locl"\n')
    ran = inside(home).run("doctor", "binance")
    assert ran.code == 1
    assert "user/planar.toml:2" in ran.out
    assert ran.out.count("✗") == 1
    assert ran.out.count("not checked: configuration failed") == len(NAMES) - 1


def test_no_key_is_shown(home: Home, inside: Inside, monkeypatch: pytest.MonkeyPatch, venue: Venue) -> None:
    keys = venue.home.run("venue", "keys", "--json").json["binance"]
    user = Path(venue.home.path) / "user"
    user.mkdir()
    lines = ["[exchanges.binance_local]", f'apiKey = "{keys["apiKey"]}"', f'secret = "{"x" * 64}"', ""]
    (user / "secrets.toml").write_text("\n".join(lines))
    (user / "secrets.toml").chmod(0o600)
    try:
        shown = [inside(venue.home).run("doctor", "binance", *more) for more in ((), ("--json",))]
    finally:
        (user / "secrets.toml").unlink()
        user.rmdir()
    assert [ran.code for ran in shown] == [1, 1]
    assert "user/secrets.toml:2" in shown[0].out
    assert "[-1022]" in json.dumps(shown[1].json)
    for ran in shown:
        assert keys["apiKey"] not in ran.out + ran.err
        assert "x" * 10 not in ran.out + ran.err
