"""Environment variables: settings, credentials, paths, switches."""

from __future__ import annotations

from pathlib import Path

import certifi
import pytest
from config_home import Home

from planar.config import Secret, flag
from planar.errors import ConfigError


def test_a_variable_wins_over_the_file(home: Home) -> None:
    home.write("[binance]\ntimeout = 1000\nfutures = true")
    binance = home.load({"PLANAR__BINANCE__TIMEOUT": "30000"}).exchange("binance")
    assert (binance.timeout_ms, binance.futures) == (30_000, True)


def test_what_wins_over_what(home: Home) -> None:
    home.write("[workspace]\ntimeout = 1000\n[okx]\ntimeout = 3000")
    settings = home.load({"PLANAR__WORKSPACE__TIMEOUT": "2s", "PLANAR__KRAKEN__TIMEOUT": "4s"})
    found = [settings.exchange(one).timeout_ms for one in ("binance", "okx", "kraken")]
    assert found == [2000, 3000, 4000]
    assert settings.origin("kraken", "timeout") == "environment variable PLANAR__KRAKEN__TIMEOUT"
    assert settings.origin("binance", "timeout") == "environment variable PLANAR__WORKSPACE__TIMEOUT"


@pytest.mark.parametrize(
    ("name", "text", "field", "value"),
    [
        ("SANDBOX", "true", "environment", "sandbox"),
        ("SANDBOX", "false", "environment", "live"),
        ("TESTNET", "true", "environment", "sandbox"),
        ("ENVIRONMENT", "demo", "environment", "demo"),
        ("FUTURES", "false", "futures", False),
        ("LEVERAGED", "both", "leveraged", "both"),
        ("TIMEOUT", "500ms", "timeout_ms", 500),
        ("RATELIMIT", "7", "rate_limit_ms", 7),
        ("RATE_LIMIT", "7", "rate_limit_ms", 7),
        ("ENABLERATELIMIT", "false", "enable_rate_limit", False),
        ("ENABLE_RATE_LIMIT", "false", "enable_rate_limit", False),
        ("VERIFY_SSL", "false", "verify_ssl", False),
        ("PROXY", "https://u:p@h:1", "proxy", Secret("https://u:p@h:1")),
        ("NO_PROXY", "a.b, .c.d", "no_proxy", ("a.b", ".c.d")),
        ("CA_FILE", certifi.where(), "ca_file", certifi.where()),
        ("SOURCE_ADDRESS", "::1", "source_address", "::1"),
        ("PRIMARY", "true", "primary", True),
        ("BACKUP", "true", "backup", True),
        ("ENABLED", "false", "enabled", False),
        ("READ_ONLY", "true", "read_only", True),
        ("DURABILITY", "disk", "durability", "disk"),
        ("WITHDRAWALS", "true", "withdrawals", True),
        ("ALLOW_UNJOURNALED", "true", "allow_unjournaled", True),
        ("SECRETS_MODE", "mounted", "secrets_mode", "mounted"),
    ],
)
def test_each_key_has_a_variable(home: Home, name: str, text: str, field: str, value: object) -> None:
    assert getattr(home.load({f"PLANAR__OKX__{name}": text}).exchange("okx"), field) == value


def test_the_environment_of_a_variable_wins_over_every_spelling_in_the_file(home: Home) -> None:
    home.write('[okx]\nenvironment = "live"\n[kraken]\nsandbox = false')
    settings = home.load({"PLANAR__OKX__SANDBOX": "true", "PLANAR__KRAKEN__ENVIRONMENT": "paper"})
    assert settings.exchange("okx").environment == "sandbox"
    assert settings.exchange("kraken").environment == "paper"


def test_sections(home: Home) -> None:
    home.write('[exchanges]\nprimary = "okx"\nbackup = ["kraken"]\n[bybit]\nprimary = false')
    settings = home.load(
        {
            "PLANAR__EXCHANGES__DEFAULT": "kraken",
            "PLANAR__EXCHANGES__PRIMARY": "binance",
            "PLANAR__EXCHANGES__BACKUP": "okx, bybit",
            "PLANAR__EXCHANGES__ENABLED": "okx,bybit,binance,kraken",
            "PLANAR__VENUE__PORT": "81",
            "PLANAR__VENUE__SEED": "9",
        }
    )
    assert settings.selection.default == "kraken"
    assert settings.selection.primary == "binance"
    assert settings.selection.backup == ("okx", "bybit")
    assert settings.selection.enabled == ("okx", "bybit", "binance", "kraken")
    assert (settings.venue.port, settings.venue.seed) == (81, 9)


def test_a_primary_by_variable_wins_over_one_in_the_file(home: Home) -> None:
    home.write('[exchanges]\nprimary = "okx"\n')
    assert home.load({"PLANAR__KRAKEN__PRIMARY": "true"}).selection.primary == "kraken"
    assert not home.load({"PLANAR__KRAKEN__PRIMARY": "true"}).exchange("okx").primary


@pytest.mark.parametrize(
    ("name", "text", "code", "fix"),
    [
        ("PLANAR__OKX__SANDBOX", "True", "wrong-value", "write true"),
        ("PLANAR__OKX__SANDBOX", "1", "wrong-value", "write true"),
        ("PLANAR__OKX__SANDBOX", "", "empty-value", "unset it"),
        ("PLANAR__OKX__TIMEOUT", "3", "wrong-value", '3000 or "3s"'),
        ("PLANAR__OKX__TIMEOUTT", "3", "unknown-key", "did you mean timeout?"),
        ("PLANAR__OKXX__TIMEOUT", "3s", "unknown-exchange", "did you mean okx?"),
        ("PLANAR__EXCHANGE__DEFAULT", "okx", "unknown-section", "PLANAR__EXCHANGES__DEFAULT"),
        ("PLANAR__EXCHANGES__DEFAULT", "okxx", "unknown-exchange", "did you mean okx?"),
        ("PLANAR__EXCHANGES__OKX__TIMEOUT", "3s", "wrong-variable", "write PLANAR__OKX__TIMEOUT"),
        ("PLANAR__OKX__CCXT", "{}", "wrong-variable", "planar.toml"),
        ("PLANAR__OKX__CCXT__HOSTNAME", "x", "wrong-variable", "[okx.ccxt]"),
        ("PLANAR__TIMEOUT", "3s", "wrong-variable", "PLANAR__WORKSPACE__TIMEOUT"),
        ("PLANAR__VENUE__PORT", "http", "wrong-value", ""),
        ("PLANAR_OKX_APIKEI", "x", "unknown-variable", "did you mean APIKEY?"),
        ("PLANAR_OKXX_APIKEY", "x", "unknown-exchange", "did you mean okx?"),
        ("PLANAR_OKX_KRAKEN_APIKEY", "x", "account-name", "[exchanges.kraken]"),
        ("PLANAR_OKX_APIKEY", "", "wrong-secret", "give it a value"),
        ("PLANAR_OKX_SECRET", "'x'", "wrong-secret", "inner ones"),
        ("PLANAR_OKX_SECRET_FILE", "nowhere", "unreadable", ""),
    ],
)
def test_each_mistake_names_its_variable(home: Home, name: str, text: str, code: str, fix: str) -> None:
    error = home.error({name: text})
    assert (error.key, error.code, error.file) == (name, code, None)
    assert fix in (error.fix or "")
    assert f"environment variable {name}" in str(error)


def test_contradictions_among_variables(home: Home) -> None:
    error = home.error({"PLANAR__OKX__SANDBOX": "true", "PLANAR__OKX__ENVIRONMENT": "live"})
    assert error.code == "contradiction"


@pytest.mark.parametrize(
    ("name", "account", "environment", "field"),
    [
        ("PLANAR_OKX_APIKEY", "", "live", "apiKey"),
        ("PLANAR_OKX_API_KEY", "", "live", "apiKey"),
        ("PLANAR_OKX_SECRET", "", "live", "secret"),
        ("PLANAR_OKX_PASSPHRASE", "", "live", "password"),
        ("PLANAR_OKX_PASSWORD", "", "live", "password"),
        ("PLANAR_OKX_MAIN_UID", "main", "live", "uid"),
        ("PLANAR_OKX_TESTNET_WALLET_ADDRESS", "", "sandbox", "walletAddress"),
        ("PLANAR_OKX_SANDBOX_WALLETADDRESS", "", "sandbox", "walletAddress"),
        ("PLANAR_OKX_MAIN_2_DEMO_PRIVATEKEY", "main_2", "demo", "privateKey"),
        ("PLANAR_OKEX_LOCAL_PRIVATE_KEY", "", "local", "privateKey"),
        ("PLANAR_OKX_ACCOUNTID", "", "live", "accountId"),
        ("PLANAR_OKX_LOGIN", "", "live", "login"),
        ("PLANAR_OKX_TWOFA", "", "live", "twofa"),
    ],
)
@pytest.mark.parametrize("in_file", [False, True])
def test_each_credential_has_a_variable(
    home: Home, name: str, account: str, environment: str, field: str, in_file: bool
) -> None:
    (home.path / "value").write_text("v-1\n")
    (home.path / "value").chmod(0o600)
    settings = home.load({f"{name}_FILE": "value"} if in_file else {name: "v-1"})
    credentials = settings.credentials_for("okx", account, environment)  # type: ignore[arg-type]
    assert credentials is not None
    assert credentials.reveal() == {field: "v-1"}
    assert len(settings.store.entries) == 1


def test_a_credential_of_a_variable_wins_over_the_same_field_only(home: Home) -> None:
    home.write("", '[exchanges.okx]\napiKey = "f1"\nsecret = "f2"\npassphrase = "f3"')
    settings = home.load({"PLANAR_OKX_APIKEY": "v1", "PLANAR_OKX_SECRET": "v2"})
    credentials = settings.credentials_for("okx", "", "live")
    assert credentials is not None
    assert credentials.reveal() == {"apiKey": "v1", "secret": "v2", "password": "f3"}
    assert settings.warnings == ()


def test_halves_of_a_key_from_two_places_are_doubtful(home: Home) -> None:
    home.write("", '[exchanges.okx]\napiKey = "f1"\nsecret = "f2"')
    warning = home.load({"PLANAR_OKX_APIKEY": "v1"}).warnings[0]
    assert warning.code == "mixed-origins"
    assert "secret from user/secrets.toml:3" in warning.text


def test_a_value_and_its_file_are_one_too_many(home: Home) -> None:
    (home.path / "s").write_text("x")
    (home.path / "s").chmod(0o600)
    assert home.error({"PLANAR_OKX_SECRET": "x", "PLANAR_OKX_SECRET_FILE": "s"}).code == "twice"


def test_an_open_file_of_a_live_secret_is_an_error_unless_mounted(home: Home) -> None:
    (home.path / "s").write_text("x")
    (home.path / "s").chmod(0o644)
    variables = {"PLANAR_OKX_SECRET_FILE": "s"}
    assert home.error(variables).code == "open-secrets"
    home.load(variables | {"PLANAR__OKX__SECRETS_MODE": "mounted"})


def test_foreign_variables_are_a_warning(home: Home) -> None:
    warnings = home.load({"PLANAR_SECRET": "x", "PLANAR_CONFG": "y", "PLANARIA": "z"}).warnings
    assert [(one.key, one.fix) for one in warnings] == [
        ("PLANAR_CONFG", "did you mean PLANAR_CONFIG?"),
        ("PLANAR_SECRET", "did you mean PLANAR_SECRETS?"),
    ]


def test_the_programs_own_variables_pass(home: Home) -> None:
    assert home.load({"PLANAR_OFFLINE": "1", "PLANAR_STATE": "/x", "PLANAR_LAZY_CCXT": "0"}).warnings == ()


@pytest.mark.parametrize(
    ("text", "value"), [("1", True), ("true", True), ("0", False), ("false", False), ("", True), (None, True)]
)
def test_flags(text: str | None, value: bool) -> None:
    environ = {} if text is None else {"PLANAR_LAZY_CCXT": text}
    assert flag("PLANAR_LAZY_CCXT", environ, default=True) is value


def test_a_flag_is_strict() -> None:
    with pytest.raises(ConfigError, match="PLANAR_OFFLINE is 'yes'; it must be 1 or 0"):
        flag("PLANAR_OFFLINE", {"PLANAR_OFFLINE": "yes"})


def test_the_process_own_variables_are_the_default(home: Home, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from planar.config import load

    monkeypatch.setenv("PLANAR__OKX__TIMEOUT", "7s")
    monkeypatch.chdir(tmp_path)
    home.write("[okx]\nfutures = true")
    assert load().exchange("okx").timeout_ms == 7000
    assert load().exchange("okx").futures is True
