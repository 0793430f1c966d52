"""What needs no exchange: help, usage errors, configuration, exit codes."""

from __future__ import annotations

import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cli_kit import Here, Home
from cyclopts import App

from planar.cli import exits, output
from planar.cli.app import make_app
from planar.cli.examples import EXAMPLES


def commands(app: App, path: str = "") -> Iterator[tuple[str, App]]:
    """Every command that does something, by its words."""
    for name, one in app.resolved_commands().items():
        if name.startswith("-"):
            continue
        words = f"{path} {name}".strip()
        yield from commands(one, words)
        if one.default_command is not None:
            yield words, one


def test_every_command_has_an_example_that_can_be_parsed() -> None:
    app = make_app()
    found = dict(commands(app))
    assert sorted(found) == sorted(EXAMPLES)
    for words, command in found.items():
        example = EXAMPLES[words]
        assert example in str(command.help_epilogue)
        tokens = example.split(" > ")[0].removeprefix("planar ")
        app.parse_args(tokens, exit_on_error=False, print_error=False)


def test_the_page_about_the_command_line_has_every_example_and_exit_code() -> None:
    page = (Path(__file__).parents[2] / "docs" / "cli.md").read_text()
    assert [example for example in EXAMPLES.values() if example not in page] == []
    assert [code for code, meaning in exits.TABLE if f"| {code} | {meaning} |" not in page] == []


def test_help_is_light_and_tells_the_exit_codes(home: Home) -> None:
    ran = home.run("--help")
    assert ran.code == 0
    for code, meaning in exits.TABLE:
        assert f"{code}  {meaning}" in ran.out
    listed = "import sys; from planar.cli.app import run; run(['--help']); print(sorted(sys.modules), file=sys.stderr)"
    loaded = subprocess.run([sys.executable, "-c", listed], capture_output=True, text=True, timeout=30).stderr
    for heavy in ("ccxt", "aiohttp", "planar.workspace", "planar.config", "cryptography"):
        assert f"'{heavy}'" not in loaded


def test_python_m_planar_knows_its_version(home: Home) -> None:
    ran = home.run("--version")
    assert (ran.code, ran.out.strip()) == (0, "0.1.0")


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ("tickr", 'Did you mean "ticker"?'),
        ("ticker", "SYMBOL"),
        ("ticker BTC/USDT --enviroment local", "Did you mean --environment?"),
        ("ticker BTC/USDT --environment loca", 'Did you mean "local"?'),
        ("book BTC/USDT --limit 0", "above 0"),
        ("order buy BTC/USDT 0.01", "which order is meant?"),
        ("order buy BTC/USDT 0.01 --price 1 --market", "contradict"),
        ("order buy BTC/USDT 0.01 --market --cost 5", "contradict"),
        ("order buy BTC/USDT --market", "AMOUNT is missing"),
        ("order buy BTC/USDT 0.01 --market --post-only", "belongs to a limit order"),
        ("order buy BTC/USDT 0.01 --price 1 --ioc --fok", "contradict"),
        ("order buy BTC/USDT nan --market", "above 0"),
        ("order buy BTC/USDT -1 --market", "above 0"),
        ("cancel BTC/USDT", "name one order"),
        ("orders --all", "needs a market"),
        ("orders BTC/USDT --all --live", "contradict each other"),
        ("watch BTC/USDT --channels bok", "there is no channel 'bok'"),
        ("demo --seconds 1", "from 3 to 3600"),
        ("venue market step", "--ms"),
        ("venue market shape BTC/USDT", "nothing to shape"),
        ("venue market shape BTC/USDT --volatility 100", "volatility = 100: it must be a number, at most 10"),
        ("venue market shape --jitter-ms 5", "nothing to shape"),
        ("venue market shape --basis-bps 5 --jitter-ms 5", "--jitter-ms belongs to --latency-ms"),
        ("venue market plant BTC/USDT ask --bps -5 --amount 1 --for-ms 10", "bps"),
        ("venue record x --for 0", "--for 0 is no duration"),
        ("venue replay", "name a recording, or --stop"),
        ("venue up --speed slow", "--speed slow is no speed"),
        ("venue convert a.csv b.ndjson --symbol X/Y", "no market 'X/Y'"),
        ("ticker BTC/USDT -e binanc", "there is no exchange 'binanc'"),
        ("ticker BTC/USDT", "no exchange is named"),
        ("book BTC/USDT --limit x", '"x" is not a whole number'),
        ("order buy BTC/USDT abc --market", '"abc" is not a number'),
        ("route BTC/USDT buy abc --preview -e binance,kraken", '"abc" is not a number'),
        ("route BTC/USDT buy 1 -e binance,kraken", "add --preview"),
        ("order oco BTC/USDT sell x --take-profit 2 --stop-loss 1", '"x" is not a number'),
        ("arbitrage BTC/USDT -e binance --environment local", "this needs 2 exchanges or more"),
        ("exchanges --can fetchTikcer", "did you mean fetch_ticker?"),
    ],
)
def test_a_wrong_command_line_is_told_in_one_message(
    args: str, message: str, home: Home, inside: Callable[[Home], Here]
) -> None:
    here = inside(home)
    told = here.run(*args.split())
    assert (told.code, told.out) == (exits.USAGE, "")
    assert message in told.err
    assert told.err.startswith("planar: ")
    assert "\n  -> " in told.err
    error = here.run(*args.split(), "--json").error
    assert message in error["message"] + str(error["hint"])
    assert sorted(error) == sorted(
        ("class", "message", "hint", "outcome", "code", "exchange", "retryable", "retry_after_s", "client_order_id")
    )


def test_a_fault_in_planar_is_json_too(
    home: Home, inside: Callable[[Home], Here], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> int:
        raise RuntimeError("nobody has foreseen this")

    monkeypatch.setattr(output, "show", broken)
    ran = inside(home).run("exchanges", "krak", "--json")
    assert (ran.code, ran.error["message"]) == (
        exits.FAULT,
        "a fault in Planar: RuntimeError: nobody has foreseen this",
    )


def test_what_cannot_be_written_is_named(home: Home) -> None:
    nowhere = "/proc/nowhere"  # which nobody can make
    ran = home.run("venue", "up", PLANAR_STATE=nowhere)
    assert (ran.code, ran.out) == (exits.USAGE, "")
    assert nowhere in ran.err
    assert "PLANAR_STATE" in ran.err
    private = home.run("watch", "BTC/USDT", "-e", "binance", "--environment", "local", PLANAR_STATE=nowhere)
    assert private.code == exits.REFUSED
    assert "PLANAR_STATE" in private.err


def test_a_private_venue_is_told_once(home: Home) -> None:
    ran = home.run("watch", "BTC/UDST", "-e", "binance,kraken", "--environment", "local")
    assert ran.code == exits.REFUSED
    assert ran.err.count("no local venue is running") == 1, ran


def test_private_calls_are_refused_before_any_request(home: Home) -> None:
    no_environment = home.run("balance", "-e", "binance")
    assert no_environment.code == exits.USAGE
    assert 'environment = "live"' in no_environment.err
    no_keys = home.run("order", "buy", "BTC/USDT", "1", "--market", "-e", "kucoin", "--environment", "live", "--json")
    assert no_keys.code == exits.USAGE
    assert no_keys.error["class"] == "MissingCredentials"
    assert no_keys.error["outcome"] == "not_sent"
    assert "[exchanges.kucoin]" in no_keys.error["hint"]


def test_init_then_check(home: Home) -> None:
    first = home.run("init", "--json")
    assert first.json == {"created": ["user/planar.toml", "user/secrets.toml", "user/.gitignore"], "kept": []}
    secrets = home.path / "user" / "secrets.toml"
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o600
    assert len(home.run("init", "--json").json["kept"]) == 3
    good = home.run("config", "check", "--json")
    assert (good.code, good.json["level"]) == (exits.OK, "ok")
    (home.path / "user" / "planar.toml").write_text('[binance]\nenviroment = "local"\n')
    bad = home.run("config", "check")
    assert bad.code == exits.USAGE
    assert "user/planar.toml:2" in bad.out
    assert "did you mean environment?" in bad.out
    assert home.run("ticker", "BTC/USDT", "-e", "binance").code == exits.USAGE


def test_exchanges_and_a_reader_that_leaves(home: Home) -> None:
    found = home.run("exchanges", "krak", "--json").json
    assert {"id": "kraken", "streams": True, "local_venue": True} in found
    process = home.start("exchanges")
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.wait(30) == exits.READER_GONE
    assert process.stderr.read() == ""
    process.stderr.close()


def test_completion(home: Home) -> None:
    script = home.run("completion", "bash").out
    assert "venue" in script
    assert subprocess.run(["bash", "-n"], input=script, text=True, timeout=30).returncode == 0
    assert home.run("completion", "tcsh").code == exits.USAGE


def test_the_venue_commands_without_a_venue(home: Home, inside: Callable[[Home], Here]) -> None:
    here = inside(home)
    for command in ("status", "keys", "down"):
        ran = here.run("venue", command)
        assert ran.code == exits.REFUSED
        assert "no local venue is running" in ran.err
        assert "planar venue up" in ran.err
    path = home.run("venue", "ca", "--path")
    assert path.code == exits.OK
    assert path.out.endswith("/ca.pem\n")
    with open(path.out.strip()) as file:
        assert file.readline() == "-----BEGIN CERTIFICATE-----\n"
    assert here.run("venue", "ca", "--for", "curl").out.startswith("curl -i --proxy http://127.0.0.1:PORT")


def test_a_fault_in_planar_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from planar.cli import app

    def broken() -> None:
        raise ZeroDivisionError("nought")

    monkeypatch.delenv("PLANAR_DEBUG", raising=False)
    monkeypatch.setattr(app, "make_app", broken)
    assert app.run([]) == exits.FAULT
    assert capsys.readouterr().err.splitlines()[0] == "planar: a fault in Planar: ZeroDivisionError: nought"
