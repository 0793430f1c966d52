"""Every key of planar.toml does what it says."""

from __future__ import annotations

from typing import Any

import certifi
import pytest
from config_home import Home

from planar.config import BudgetSettings, ExchangeSettings, InvalidConfig, Secret

REQUIREMENT = """
# Binance configuration
[binance]
leveraged = "from"  # Leverage mode for margin trading
sandbox = false     # Use production environment
timeout = 30000            # Request timeout in milliseconds
rateLimit = 1200           # Rate limit in milliseconds
enableRateLimit = true     # Enable automatic rate limiting

[bybit]
futures = true      # Enable futures trading
testnet = false     # Use production environment

[kucoin]
futures = false     # Spot trading only
"""


def test_the_guides_settings_mean_what_it_says(home: Home) -> None:
    settings = home.write(REQUIREMENT).load()
    assert settings.exchange("binance") == ExchangeSettings(
        id="binance", leveraged="from", environment="live", timeout_ms=30_000, rate_limit_ms=1200
    )
    assert settings.exchange("bybit") == ExchangeSettings(id="bybit", futures=True, environment="live")
    assert settings.exchange("kucoin") == ExchangeSettings(id="kucoin", futures=False)
    assert list(settings.exchanges) == ["binance", "bybit", "kucoin"]


def test_the_guides_sandboxes(home: Home) -> None:
    config = "[binance]\nsandbox = true  # Use Binance testnet\n[bybit]\ntestnet = true  # Use Bybit testnet\n"
    settings = home.write(config).load()
    assert settings.exchange("binance").environment == settings.exchange("bybit").environment == "sandbox"


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        ('environment = "live"', "environment", "live"),
        ('environment = "sandbox"', "environment", "sandbox"),
        ('environment = "demo"', "environment", "demo"),
        ('environment = "local"', "environment", "local"),
        ('environment = "paper"', "environment", "paper"),
        ("sandbox = true", "environment", "sandbox"),
        ("sandbox = false", "environment", "live"),
        ("testnet = true", "environment", "sandbox"),
        ("testnet = false", "environment", "live"),
        ("sandbox = true\ntestnet = true", "environment", "sandbox"),
        ('sandbox = true\nenvironment = "sandbox"', "environment", "sandbox"),
        ("futures = true", "futures", True),
        ("futures = false", "futures", False),
        ('leveraged = "from"', "leveraged", "from"),
        ('leveraged = "to"', "leveraged", "to"),
        ('leveraged = "both"', "leveraged", "both"),
        ("timeout = 2500", "timeout_ms", 2500),
        ('timeout = "30s"', "timeout_ms", 30_000),
        ('timeout = "500ms"', "timeout_ms", 500),
        ('timeout = "1.5 s"', "timeout_ms", 1500),
        ('timeout = "2m"', "timeout_ms", 120_000),
        ("rateLimit = 50", "rate_limit_ms", 50),
        ("rate_limit = 50", "rate_limit_ms", 50),
        ("enableRateLimit = false", "enable_rate_limit", False),
        ("enable_rate_limit = false", "enable_rate_limit", False),
        ("verify_ssl = false", "verify_ssl", False),
        ('proxy = "http://127.0.0.1:3128"', "proxy", Secret("http://127.0.0.1:3128")),
        ('proxy = "socks5h://127.0.0.1"', "proxy", Secret("socks5h://127.0.0.1")),
        ('no_proxy = ["A.b", ".c.d", "*"]', "no_proxy", ("a.b", ".c.d", "*")),
        (f"ca_file = '{certifi.where()}'", "ca_file", certifi.where()),
        ('source_address = "192.0.2.10"', "source_address", "192.0.2.10"),
        ('source_address = "2001:db8:0::1"', "source_address", "2001:db8::1"),
        ("primary = true", "primary", True),
        ("backup = true", "backup", True),
        ("enabled = false", "enabled", False),
        ("read_only = true", "read_only", True),
        ('durability = "disk"', "durability", "disk"),
        ("withdrawals = true", "withdrawals", True),
        ("allow_unjournaled = true", "allow_unjournaled", True),
        ('secrets_mode = "mounted"', "secrets_mode", "mounted"),
        ('ccxt.options = { defaultType = "spot" }', "ccxt", {"options": {"defaultType": "spot"}}),
    ],
)
@pytest.mark.parametrize("section", ["[binance]", "[exchanges.binance]"])
def test_each_key(home: Home, section: str, line: str, field: str, value: Any) -> None:
    settings = home.write(f"{section}\n{line}").load().exchange("binance")
    assert getattr(settings, field) == value
    changed = [name for name in settings.__struct_fields__ if getattr(settings, name) != getattr(_default(), name)]
    assert set(changed) <= {field}, "one key sets one field"


def _default() -> ExchangeSettings:
    return ExchangeSettings(id="binance")


@pytest.mark.parametrize("config", [None, "", "# nothing\n", "\ufeff[binance]\r\n"])
def test_nothing_written_means_defaults(home: Home, config: str | None) -> None:
    assert home.write(config).load().exchange("binance") == _default()
    assert home.load().exchange("kraken") == ExchangeSettings(id="kraken")


def test_a_rate_limit_of_the_user_is_told_from_none(home: Home) -> None:
    settings = home.write("[binance]\nrateLimit = 100\n").load()
    assert settings.exchange("binance").rate_limit_ms == 100
    assert settings.origin("binance", "rateLimit") == "user/planar.toml:2"
    assert settings.exchange("kraken").rate_limit_ms is None
    assert settings.origin("kraken", "rateLimit") is None


def test_workspace_holds_where_an_exchange_says_nothing(home: Home) -> None:
    config = """
[workspace]
environment = "local"
timeout = "5s"
verify_ssl = false
proxy = "http://proxy:3128"
durability = "disk"
secrets_mode = "mounted"
[binance]
sandbox = true
timeout = 1000
"""
    settings = home.write(config).load()
    binance, kraken = settings.exchange("binance"), settings.exchange("kraken")
    assert (binance.environment, binance.timeout_ms) == ("sandbox", 1000)
    assert (kraken.environment, kraken.timeout_ms) == ("local", 5000)
    for one in (binance, kraken):
        assert (one.verify_ssl, one.proxy, one.secrets_mode) == (False, Secret("http://proxy:3128"), "mounted")
        assert one.durability == "disk"
    assert settings.origin("binance", "timeout") == "user/planar.toml:11"
    assert settings.origin("kraken", "timeout") == "user/planar.toml:4"


def test_venue(home: Home) -> None:
    venue = home.write('[venue]\nport = 8080\nseed = 42\nshape = "shape.toml"\n').load().venue
    assert (venue.port, venue.seed, venue.shape) == (8080, 42, "shape.toml")
    assert (home.write("").load().venue.port, home.load().venue.seed, home.load().venue.shape) == (0, 1, None)


def test_budget(home: Home) -> None:
    assert home.write("").load().budget == BudgetSettings(shared=True, reserve=0.02, share=1.0)
    assert home.write("[budget]\nshared = false\nreserve = 0.1\nshare = 0.5\n").load().budget == BudgetSettings(
        shared=False, reserve=0.1, share=0.5
    )
    variables = {"PLANAR__BUDGET__SHARED": "redis://:hush@h:1/0", "PLANAR__BUDGET__SHARE": "0.25"}
    found = home.load(variables).budget
    assert (found.shared, found.share) == (Secret("redis://:hush@h:1/0"), 0.25)
    assert "hush" not in repr(found)


def test_former_ids_are_todays_with_a_warning(home: Home) -> None:
    settings = home.write('[huobi]\nfutures = true\n[exchanges]\ndefault = "okex"\n').load()
    assert settings.exchange("htx") == settings.exchange("huobi") == ExchangeSettings(id="htx", futures=True)
    assert settings.selection.default == "okx"
    assert [(one.line, one.code) for one in settings.warnings] == [(1, "former-id"), (4, "former-id")]
    assert settings.origin("huobi", "futures") == "user/planar.toml:2"


def test_selection_by_lists(home: Home) -> None:
    config = """
[exchanges]
default = "kraken"
primary = "binance"
backup = ["okx", "kraken"]
enabled = ["kraken", "okx", "binance"]
[bybit]
futures = true
"""
    settings = home.write(config).load()
    assert settings.selection.default == "kraken"
    assert settings.selection.primary == "binance"
    assert settings.selection.backup == ("okx", "kraken")
    assert settings.exchange("binance").primary
    assert settings.exchange("okx").backup
    assert not settings.exchange("okx").primary
    assert settings.exchange("kraken").enabled
    assert not settings.exchange("bybit").enabled, "it is left out of the list"
    assert not settings.exchange("gate").enabled


def test_selection_by_the_exchanges_own_keys(home: Home) -> None:
    config = (
        '[exchanges]\nbackup = ["okx"]\n[kraken]\nprimary = true\n[bybit]\nbackup = true\n[binance]\nenabled = false\n'
    )
    settings = home.write(config).load()
    assert settings.selection.primary == settings.selection.default == "kraken"
    assert settings.selection.backup == ("okx", "bybit")
    assert settings.selection.enabled is None
    assert not settings.exchange("binance").enabled
    assert settings.exchange("gate").enabled


def test_options_of_a_call_lie_over_everything(home: Home) -> None:
    settings = home.write('[bybit]\nenvironment = "live"\ntimeout = 1000\n').load({"PLANAR__BYBIT__TIMEOUT": "2000"})
    changed = settings.with_options("bybit", {"sandbox": True, "timeout": "3s", "ccxt": {"hostname": "x"}})
    assert changed == ExchangeSettings(id="bybit", environment="sandbox", timeout_ms=3000, ccxt={"hostname": "x"})
    assert settings.with_options("bybit", {}) == settings.exchange("bybit")
    assert settings.exchange("bybit").timeout_ms == 2000


@pytest.mark.parametrize(
    ("options", "text", "fix"),
    [
        ({"sandbx": True}, "argument sandbx: there is no such option", "did you mean sandbox?"),
        ({"sandbox": "false"}, 'argument sandbox: sandbox is "false"; it must be true or false', "write false"),
        ({"apiKey": "k-1234"}, "argument apiKey: there is no such option", "credentials belong in secrets.toml"),
        ({"sandbox": True, "testnet": False}, "testnet = false contradicts sandbox = true", "keep one"),
        ({"withdrawals": True}, "read_only = true contradicts withdrawals = true", "keep one"),
        ({"primary": True}, "there is no such option", "options are environment"),
    ],
)
def test_wrong_options(home: Home, options: dict[str, object], text: str, fix: str) -> None:
    settings = home.write("[bybit]\nread_only = true\n").load()
    with pytest.raises(InvalidConfig) as caught:
        settings.with_options("bybit", options)
    assert text in str(caught.value)
    assert fix in str(caught.value)
    assert "k-1234" not in str(caught.value)


def test_an_unwritten_environment_names_the_lines_to_paste(home: Home) -> None:
    error = home.write("[kraken]\n").load().missing_environment_error("kraken")
    for part in ("user/planar.toml", "[kraken]", 'environment = "live"', "PLANAR__KRAKEN__ENVIRONMENT"):
        assert part in str(error)


@pytest.mark.parametrize(
    ("config", "code"),
    [
        ("[binance]\nenableRateLimit = false\n", ["no-pacing"]),
        ("[binance]\nenableRateLimit = false\nrateLimit = 5\n", ["no-pacing", "no-effect"]),
        ("[binance]\nverify_ssl = false\n", ["no-tls-check"]),
        ('[binance]\nverify_ssl = false\nenvironment = "local"\n', []),
    ],
)
def test_doubtful_settings_warn(home: Home, config: str, code: list[str]) -> None:
    assert [one.code for one in home.write(config).load().warnings] == code
