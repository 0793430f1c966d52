"""The report of `planar config check`, and the files of `planar init`."""

from __future__ import annotations

import re
import shutil
import stat
import tomllib
from pathlib import Path

import certifi
import msgspec
import pytest
from config_home import IDS, Home

from planar.config import check, load, write_init
from planar.config.credentials import FIELDS
from planar.config.keys import EXCHANGE_KEYS, SECTIONS, WORKSPACE_KEYS
from planar.config.schema import LimitSettings, PaperSettings
from planar.config.template import config_text, secrets_text

NOT_A_LINE = ("sandbox", "testnet", "ccxt", "limits", "paper")
"""Keys that the template does not write in a line of their own: other spellings, and tables."""


def test_no_configuration_is_fine(home: Home) -> None:
    report = home.check()
    assert report.level == "ok"
    assert [one.text for one in report.findings] == ["no planar.toml was read", "no secrets.toml was read"]
    assert report.settings is not None


def test_what_is_right_is_told(home: Home) -> None:
    home.write(
        '[okx]\nenvironment = "demo"\n[kraken]\nenvironment = "paper"\n[bybit]\nfutures = true',
        '[exchanges.okx_demo]\napiKey = "a1"\n[exchanges.okx_b_demo]\napiKey = "a2"',
    )
    report = home.check()
    assert report.level == "ok"
    assert [str(one) for one in report.findings] == [
        "user/planar.toml: planar.toml is in order",
        "user/secrets.toml: secrets.toml is in order",
        "okx: demo, accounts: (without a name), b",
        "kraken: paper, without credentials",
        "bybit: no environment is written; public calls go to live, signed calls are refused",
    ]


@pytest.mark.parametrize(
    ("config", "secrets", "code", "fix"),
    [
        ("[okx]\nsandbox = true", '[exchanges.okx]\napiKey = "a"', "other-environment", "[exchanges.okx_sandbox]"),
        ("", '[exchanges.okx_demo]\napiKey = "a"', "no-environment", 'environment = "demo"'),
    ],
)
def test_credentials_without_use_are_doubtful(home: Home, config: str, secrets: str, code: str, fix: str) -> None:
    report = home.write(config, secrets).check()
    assert report.level == "warn"
    assert report.findings[0].code == code
    assert fix in (report.findings[0].fix or "")
    assert report.settings is not None


def test_incomplete_credentials_are_doubtful(home: Home) -> None:
    home.write('[okx]\nenvironment = "live"', '[exchanges.okx]\napiKey = "a"\nsecret = "b"')
    report = home.check(required_fields=lambda exchange: ("apiKey", "secret", "password"))
    warning = report.findings[0]
    assert (warning.level, warning.code, warning.key) == ("warn", "incomplete", "exchanges.okx")
    assert 'passphrase = "..."' in (warning.fix or "")
    assert home.check(required_fields=lambda exchange: ("apiKey", "secret")).level == "ok"


def test_errors_come_first_and_leave_no_settings(home: Home) -> None:
    report = home.write("[binance]\nverify_ssl = false\nsandbx = true", "").check()
    assert [one.level for one in report.findings] == ["error", "warn", "ok"]
    assert report.settings is None


def test_the_report_is_machine_readable(home: Home) -> None:
    report = home.write("[okx]\nsandbx = true").check()
    assert msgspec.to_builtins(report.findings)[0] == {
        "level": "error",
        "code": "unknown-key",
        "text": "[okx] has no key sandbx",
        "fix": "did you mean sandbox?",
        "file": "user/planar.toml",
        "line": 2,
        "key": "okx.sandbx",
        "excerpt": None,
    }


def test_the_working_directory_is_the_default(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home.path)
    home.write("[okx]")
    assert check(environ={}).findings[0].file == "user/planar.toml"


def test_init_writes_private_files_once(tmp_path: Path) -> None:
    written = write_init(tmp_path, "kraken")
    config, secrets, ignore = (tmp_path / "user" / name for name in ("planar.toml", "secrets.toml", ".gitignore"))
    assert written.created == (config, secrets, ignore)
    assert written.kept == ()
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o600
    assert "secrets.toml" in ignore.read_text().split("\n")
    assert "[kraken]" in config.read_text()
    secrets.write_text("mine")
    ignore.unlink()
    again = write_init(tmp_path, "okx")
    assert again.created == (ignore,)
    assert again.kept == (config, secrets)
    assert secrets.read_text() == "mine"
    assert "[kraken]" in config.read_text()


def test_init_beside_an_existing_planar_toml(tmp_path: Path) -> None:
    (tmp_path / "planar.toml").write_text("[okx]\n")
    written = write_init(tmp_path)
    assert written.created == (tmp_path / "secrets.toml", tmp_path / ".gitignore")
    assert load(cwd=tmp_path, environ={}).files.secrets == tmp_path / "secrets.toml"


def test_what_init_writes_is_in_order(tmp_path: Path) -> None:
    write_init(tmp_path)
    report = check(cwd=tmp_path, environ={}, known_ids=IDS)
    assert report.level == "ok"
    assert report.settings is not None
    assert report.settings.exchange("okx") == load(cwd=tmp_path / "user", environ={}).exchange("okx")


def uncommented(text: str) -> list[str]:
    """The lines of a template with their settings switched on."""
    return [re.sub(r"^# (?=\[|[A-Za-z_]+ = )", "", line) for line in text.split("\n")]


def test_each_line_of_the_templates_is_right_when_it_is_switched_on(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(home.path)
    shutil.copy(certifi.where(), "company-ca.pem")
    seen: set[str] = set()
    section = ""
    for line in uncommented(config_text("okx")):
        if line.startswith("["):
            section = line.split("]")[0] + "]"
        elif line and not line.startswith("#"):
            home.write(f"{section}\n{line}").load()
            seen.add(f"{section} {line.split(' = ')[0]}")
    wanted = {f"[okx] {key.name}" for key in EXCHANGE_KEYS if key.name not in NOT_A_LINE}
    wanted |= {f"[{name}] {key.name}" for name, keys in SECTIONS.items() for key in keys}
    wanted.remove("[alarms] telegram_token")  # a secret: in its variable only
    assert len(WORKSPACE_KEYS) == 10
    limits = {f"[okx.limits] {name}" for name in LimitSettings.__struct_fields__ if name != "accounts"}
    paper = {f"[okx.paper] {name.removesuffix('_ms')}" for name in PaperSettings.__struct_fields__}
    assert seen == wanted | limits | paper | {"[okx.ccxt] options"}


def test_the_template_of_the_secrets_holds_no_secret_and_names_every_key() -> None:
    text = secrets_text()
    assert tomllib.loads(text) == {}
    sections = tomllib.loads("\n".join(line for line in uncommented(text) if not line.startswith("#")))
    assert list(sections["exchanges"]) == ["binance_sandbox", "binance", "binance_hedge"]
    for field in FIELDS:
        assert field.key in text
