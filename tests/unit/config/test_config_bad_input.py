"""Every mistake in planar.toml: file, line, key, value, remedy."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from config_home import Home

from planar.config import InvalidConfig, load
from planar.errors import ConfigError

# config, line, code, what the text must hold, what the remedy must hold
CASES: list[tuple[str, int, str, str, str]] = [
    (
        '[binance]\nsandbox = "false"',
        2,
        "wrong-value",
        'sandbox is "false"; it must be true or false',
        "without quotes",
    ),
    ("[binance]\nsandbox = 0", 2, "wrong-value", "sandbox is 0; it must be true or false", ""),
    ('[binance]\nfutures = "yes"', 2, "wrong-value", 'futures is "yes"', "write true"),
    ('[binance]\nenvironment = "testnet"', 2, "wrong-value", 'one of "live", "sandbox"', 'did you mean "sandbox"?'),
    ('[binance]\nenvironment = "prod"', 2, "wrong-value", 'environment is "prod"', 'did you mean "live"?'),
    ('[binance]\nenvironment = "Live"', 2, "wrong-value", 'environment is "Live"', 'did you mean "live"?'),
    ("[binance]\nenvironment = true", 2, "wrong-value", "environment is true", ""),
    ('[binance]\nleveraged = "form"', 2, "wrong-value", 'leveraged is "form"', 'did you mean "from"?'),
    ('[binance]\nleveraged = "long"', 2, "wrong-value", 'leveraged is "long"', 'did you mean "from"?'),
    ("[binance]\ntimeout = 30", 2, "wrong-value", "timeout is 30; it must be between 100 and 600000", '30000 or "30s"'),
    ('[binance]\ntimeout = "30"', 2, "wrong-value", 'timeout is "30"', "write 30 without quotes"),
    ('[binance]\ntimeout = "fast"', 2, "wrong-value", 'timeout is "fast"', ""),
    ("[binance]\ntimeout = true", 2, "wrong-value", "timeout is true; it must be whole milliseconds", ""),
    ("[binance]\ntimeout = 30.0", 2, "wrong-value", "timeout is 30.0", ""),
    ("[binance]\ntimeout = -1", 2, "wrong-value", "timeout is -1", ""),
    ('[binance]\ntimeout = "11m"', 2, "wrong-value", 'timeout is "11m"; it must be between', ""),
    ("[binance]\ntimeout = 1979-05-27", 2, "wrong-value", "timeout is a date or time", ""),
    ("[binance]\nrateLimit = 0", 2, "wrong-value", "rateLimit is 0; it must be between 1 and 60000", ""),
    ('[binance]\nproxy = "socks4://x:1"', 2, "wrong-value", "proxy is a socks4 proxy", "use socks5://"),
    ('[binance]\nproxy = "ftp://x:1"', 2, "wrong-value", "http:// or https:// or socks5:// or socks5h://", "3128"),
    ('[binance]\nno_proxy = "a.b"', 2, "wrong-value", 'no_proxy is "a.b"; it must be a list', 'write ["a.b"]'),
    ('[binance]\nno_proxy = ["a/b"]', 2, "wrong-value", 'no_proxy holds "a/b"', '".example.com" means all'),
    ('[binance]\nca_file = "nowhere.pem"', 2, "wrong-value", "nowhere.pem", "-----BEGIN CERTIFICATE-----"),
    ('[binance]\nca_file = "/dev/null"', 2, "wrong-value", "holds no certificate in PEM form", "-----BEGIN"),
    ('[binance]\nca_file = "/"', 2, "wrong-value", "cannot be read: Is a directory", "-----BEGIN"),
    ('[binance]\nsource_address = "host"', 2, "wrong-value", 'source_address is "host"', "192.0.2.10"),
    ("[binance]\nsource_address = 1", 2, "wrong-value", "source_address is 1; it must be an IP address", ""),
    ('[binance]\nproxy = "127.0.0.1:3128"', 2, "wrong-value", "proxy must begin with http://", "http://127.0.0.1:3128"),
    ('[binance]\nproxy = "http://h:99999"', 2, "wrong-value", "proxy is not a URL", "http://127.0.0.1:3128"),
    ('[binance]\nproxy = "http://h/path"', 2, "wrong-value", "proxy must end after the host", ""),
    ("[binance]\nproxy = 1", 2, "wrong-value", "proxy is an integer", ""),
    ('[binance]\nccxt = "x"', 2, "wrong-value", 'ccxt is "x"; it must be a table', ""),
    ('[binance]\nsecrets_mode = "mount"', 2, "wrong-value", "secrets_mode", 'did you mean "mounted"?'),
    ("[binance]\nrateLimitt = 1", 2, "unknown-key", "[binance] has no key rateLimitt", "did you mean rateLimit?"),
    ("[binance]\nTimeout = 1", 2, "unknown-key", "[binance] has no key Timeout", "did you mean timeout?"),
    ("[binance]\nspot_only = true", 2, "unknown-key", "no key spot_only", "write futures = false"),
    ("[binance]\nparams = {}", 2, "unknown-key", "no key params", "[<id>.ccxt]"),
    ("[binance.accounts.main]\nx = 1", 1, "unknown-key", "no key accounts", "[exchanges.<id>_<account>]"),
    ("[binance]\nfoobarbaz = 1", 2, "unknown-key", "no key foobarbaz", "keys of [binance] are environment, sandbox"),
    (
        "[binance]\ntestnet = true\nsandbox = false",
        3,
        "contradiction",
        "sandbox = false contradicts testnet = true",
        "",
    ),
    (
        '[binance]\nsandbox = false\nenvironment = "demo"',
        3,
        "contradiction",
        'environment = "demo" contradicts sandbox = false (user/planar.toml:2)',
        "keep one",
    ),
    ("[binance]\ntimeout = 1000\n[exchanges.binance]\ntimeout = 2000", 4, "contradiction", "timeout = 2000 contra", ""),
    ("[binance]\nrateLimit = 1\nrate_limit = 2", 3, "contradiction", "rateLimit = 2 contradicts rateLimit = 1", ""),
    ("[binance]\nread_only = true\nwithdrawals = true", 3, "contradiction", "contradicts withdrawals = true", ""),
    ("[binance]\nread_only = true\nallow_unjournaled = true", 3, "contradiction", "contradicts allow_unjournaled", ""),
    ("[binance]\nprimary = true\n[okx]\nprimary = true", 4, "contradiction", '"okx" cannot be primary', "backup"),
    ('[exchanges]\nprimary = "okx"\n[binance]\nprimary = true', 4, "contradiction", '"binance" cannot be primary', ""),
    ('[exchanges]\nprimary = "okx"\nbackup = ["okx"]', 3, "contradiction", '"okx" is both primary and backup', ""),
    ("[okx]\nprimary = true\nbackup = true", 3, "contradiction", '"okx" is both primary and backup', ""),
    ('[exchanges]\nenabled = ["okx"]\nprimary = "kraken"', 2, "contradiction", '"kraken" is chosen', "enable it"),
    ('[exchanges]\ndefault = "okx"\n[okx]\nenabled = false', 4, "contradiction", '"okx" is chosen as default', ""),
    ('[exchanges]\nenabled = ["okx"]\n[kraken]\nenabled = true', 4, "contradiction", 'enabled = true of "kraken"', ""),
    ('[exchanges]\nenabled = ["okx"]\n[okx]\nenabled = false', 4, "contradiction", 'enabled = false of "okx"', ""),
    ('[exchanges]\nbackup = ["okx", "okex"]', 2, "twice", 'backup names "okx" twice', ""),
    ('[exchanges]\nbackup = "okx"', 2, "wrong-value", 'backup is "okx"; it must be a list', 'write ["okx"]'),
    ("[exchanges]\nbackup = [1]", 2, "wrong-value", "backup is 1; it must be an exchange's id in quotes", ""),
    ('[exchanges]\ndefault = "binanace"', 2, "unknown-exchange", 'no exchange "binanace"', "did you mean binance?"),
    ('[exchanges]\nbackup = ["krakn"]', 2, "unknown-exchange", 'no exchange "krakn"', "did you mean kraken?"),
    ('[exchanges]\nprimery = "okx"', 2, "unknown-key", "[exchanges] has no key primery", "did you mean primary?"),
    ("[exchanges]\nsandbox = true", 2, "unknown-key", "[exchanges] has no key sandbox", "keys of [exchanges] are"),
    ("[binnance]", 1, "unknown-exchange", 'there is no exchange "binnance"', "did you mean binance?"),
    ("[Binance]", 1, "unknown-exchange", 'there is no exchange "Binance"', "ids are lower-case: binance"),
    ('["binance-us"]', 1, "unknown-exchange", 'there is no exchange "binance-us"', ""),
    ("[zzzzz]", 1, "unknown-exchange", 'there is no exchange "zzzzz"', "planar exchanges lists them"),
    ("[exchange]", 1, "unknown-section", "there is no section [exchange]", "did you mean [exchanges]?"),
    ("[workspaces]\ntimeout = 1", 1, "unknown-section", "no section [workspaces]", "did you mean [workspace]?"),
    ("[workspace]\nfutures = true", 2, "unknown-key", "[workspace] has no key futures", "keys of [workspace]"),
    ('[venue]\nport = "8080"', 2, "wrong-value", 'port is "8080"; it must be a whole number', ""),
    ("[venue]\nport = 70000", 2, "wrong-value", "port is 70000; it must be a whole number between 0 and 65535", ""),
    ("[venue]\nshape = 1", 2, "wrong-value", "shape is 1; it must be a path in quotes", ""),
    (
        "[budget]\nshared = 'http://h'",
        2,
        "wrong-value",
        "is a text that is no URL of a Redis; it must be true",
        "redis://",
    ),
    *(
        (
            f"[budget]\nshared = '{url}'",
            2,
            "wrong-value",
            "is a text that is no URL of a Redis; it must be true",
            "redis://",
        )
        for url in ("redis:/h", "redis://h:port", "redis://h:99999", "redis://h/name", "rediss://", "unix:")
    ),
    ("[budget]\nshared = 1", 2, "wrong-value", "shared is 1; it must be true, false or a URL", "redis://"),
    ("[budget]\nreserve = 0.6", 2, "wrong-value", "reserve is 0.6; it must be a number between 0 and 0.5", ""),
    ("[budget]\nshare = true", 2, "wrong-value", "share is true; it must be a number between 0.01 and 1", ""),
    ("[venue]\nsed = 1", 2, "unknown-key", "[venue] has no key sed", "did you mean seed?"),
    ("sandbox = true", 1, "stray-key", "sandbox stands outside of any section", "[<id>]"),
    ("binance = true", 1, "stray-key", "binance is a boolean", "write [binance]"),
    ("exchanges = 1", 1, "stray-key", "exchanges is an integer", "write [exchanges]"),
    ("[[binance]]\nfutures = true", 1, "wrong-type", "[[binance]] is a list of tables", "write [binance]"),
    ("[binance.ccxt]\ntimeout = 3", 2, "owned-key", "timeout is set by Planar", "write timeout in [binance]"),
    ('[binance.ccxt]\nhttpsProxy = "x"', 2, "owned-key", "httpsProxy is set by Planar", "write proxy in [binance]"),
    ("[binance.ccxt]\nverbose = true", 2, "owned-key", "verbose makes CCXT print keys", "remove it"),
]


@pytest.mark.parametrize("case", CASES, ids=[case[0].replace("\n", " ") for case in CASES])
def test_each_mistake_has_its_place_and_its_remedy(home: Home, case: tuple[str, int, str, str, str]) -> None:
    config, line, code, text, fix = case
    error = home.write(config).error()
    assert (error.file, error.line, error.code) == ("user/planar.toml", line, code)
    assert text in error.text
    assert fix in (error.fix or "")


@pytest.mark.parametrize(
    ("config", "line", "text", "caret", "fix"),
    [
        ("[binance]\nsandbox false\n", 2, "expected '='", "          | sandbox false\n            ", None),
        ("[binance]\nsandbox = True\n", 2, "invalid value", "sandbox = True\n                  ^", "true and false"),
        ("[binance]\nproxy = null\n", 2, "invalid value", "^", "remove the line"),
        ("[binance]\nleveraged = from\n", 2, "invalid value", "^", "in quotes"),
        ("[binance]\nsandbox: true\n", 2, "expected '='", "^", "joined by ="),
        ("[binance\nsandbox = true\n", 1, "expected ']'", "[binance\n", None),
        ("[binance]\n[okx]\n[binance]\n", 3, "a second time", "[binance]", None),
        ("[binance]\nfutures = true\nfutures = true\n", 3, "a second time", "futures = true", None),
        ('[binance]\nproxy = "http\n', 2, "", 'proxy = "http', None),
        ("[exchanges]\nbackup = [\n", 2, "", "backup = [", None),
    ],
)
def test_wrong_toml_shows_its_line(home: Home, config: str, line: int, text: str, caret: str, fix: str | None) -> None:
    error = home.write(config).error()
    assert (error.file, error.line, error.code) == ("user/planar.toml", line, "syntax")
    assert text in error.text
    assert error.excerpt is not None
    drawn = error.excerpt.split("\n")
    assert len(drawn) == 2
    assert drawn[0].startswith(f"{line:>5} | {config.split(chr(10))[line - 1]}")
    assert drawn[1].strip() == "^"
    assert fix is None or fix in (error.fix or "")
    assert error.excerpt in str(error)


def test_the_caret_stands_below_the_fault(home: Home) -> None:
    excerpt = home.write("[binance]\n\tsandbox = True\n").error().excerpt or ""
    top, bottom = excerpt.split("\n")
    assert top[bottom.index("^")] == "T"
    assert bottom.count("\t") == 1, "tabs stay tabs, so that the caret meets its letter at any width"


@pytest.mark.parametrize(
    ("config", "line"),
    [
        ('[binance]\napiKey = "VERY-SECRET"', 2),
        ('[binance]\nsecret = "VERY-SECRET"', 2),
        ('[binance]\npassphrase = "VERY-SECRET"', 2),
        ('[binance]\napi_secret = "VERY-SECRET"', 2),
        ('[binance]\nsecret_file = "VERY-SECRET"', 2),
        ('[binance]\nfutures = true\napiKey = "VERY-SECRET"', 3),
        ('[exchanges.binance_sandbox]\napiKey = "VERY-SECRET"', 2),
        ('[workspace]\nsecret = "VERY-SECRET"', 2),
        ('apiKey = "VERY-SECRET"', 1),
        ('[binance.ccxt]\napiKey = "VERY-SECRET"', 2),
        ('[binance.ccxt.options]\n\nprivateKey = "VERY-SECRET"', 3),
        ('[binance.ccxt]\nx = [{ secret = "VERY-SECRET" }]', 2),
        ('[binance.ccxt]\nx = """-----BEGIN PRIVATE KEY-----\nVERY-SECRET"""', 2),
        ('[binance]\nproxy = "http://me:VERY-SECRET@host:1"', 2),
        ('[exchanges.binance]\nproxy = "http://me:VERY-SECRET@host:1"', 2),
        ('[workspace]\nproxy = "http://me:VERY-SECRET@host:1"', 2),
    ],
)
def test_a_secret_in_planar_toml_is_an_error_and_not_repeated(home: Home, config: str, line: int) -> None:
    error = home.write(config).error()
    assert (error.code, error.line) == ("secret-in-settings", line)
    assert "secrets.toml" in (error.fix or "") or "PLANAR__" in (error.fix or "")
    assert "VERY-SECRET" not in str(error) + repr(error)


def test_a_proxys_password_comes_by_the_variable_that_the_error_names(home: Home) -> None:
    fix = home.write('[exchanges.binance]\nproxy = "http://me:pw@host:1"').error().fix or ""
    variable = fix.split()[-1]
    settings = home.write("").load({variable: "http://me:pw@host:1"})
    proxy = settings.exchange("binance").proxy
    assert proxy is not None
    assert proxy.reveal() == "http://me:pw@host:1"
    assert "pw" not in repr(settings)


def test_all_errors_come_at_once_from_all_sources(home: Home) -> None:
    home.write("[binance]\nsandbx = true\ntimeout = 1\n[krakn]\n", "[exchanges.okx]\nsecrt = 'x'\n")
    home.secrets.chmod(0o600)
    with pytest.raises(ConfigError) as caught:
        home.load({"PLANAR__OKX__FUTURES": "yes"})
    error = caught.value
    assert isinstance(error, InvalidConfig)
    assert [(one.where(), one.code) for one in error.findings] == [
        ("user/planar.toml:2", "unknown-key"),
        ("user/planar.toml:3", "wrong-value"),
        ("user/planar.toml:4", "unknown-exchange"),
        ("environment variable PLANAR__OKX__FUTURES", "wrong-value"),
        ("user/secrets.toml:2", "unknown-key"),
    ]
    assert str(error).startswith(
        "the configuration has 5 errors\nuser/planar.toml:2: [binance] has no key sandbx\n  -> did"
    )


def test_a_syntax_error_in_one_file_does_not_hide_the_other(home: Home) -> None:
    home.write("[binance\n", "[exchanges.okx]\nsecrt = 'x'\n")
    assert [one.code for one in home.errors()] == ["syntax", "unknown-key"]


def test_without_a_list_of_ids_any_well_formed_id_passes(home: Home) -> None:
    assert home.write("[mybroker]\nfutures = true").load(known=False).exchange("mybroker").futures is True
    assert home.write("[exchange]\nfutures = true").error(known=False).code == "unknown-section"
    assert home.write("[MyBroker]").error(known=False).code == "unknown-exchange"


@pytest.mark.parametrize(
    ("content", "code", "line"),
    [(b"[binance]\n# \xff\xfe\n", "encoding", 2), (b"#" * ((1 << 20) + 1), "unreadable", None)],
)
def test_a_file_that_is_no_text(home: Home, content: bytes, code: str, line: int | None) -> None:
    home.config.write_bytes(content)
    error = home.error()
    assert (error.code, error.line, error.file) == (code, line, "user/planar.toml")


def test_a_directory_in_place_of_the_file(home: Home) -> None:
    with pytest.raises(InvalidConfig) as caught:
        load(home.config.parent, cwd=home.path, environ={})
    assert caught.value.findings[0].code == "unreadable"
    assert "Is a directory" in str(caught.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
def test_an_unreadable_file(home: Home) -> None:
    home.write("[binance]").config.chmod(0)
    error = home.error()
    assert error.code == "unreadable"
    assert error.fix == "chmod u+r user/planar.toml"


def test_an_error_survives_pickling(home: Home) -> None:
    import pickle

    with pytest.raises(InvalidConfig) as caught:
        home.write("[binance]\nsandbx = true").load()
    copy = pickle.loads(pickle.dumps(caught.value))
    assert copy.findings == caught.value.findings
    assert str(copy) == str(caught.value)


def test_a_path_that_is_named_must_exist(home: Home, tmp_path: Path) -> None:
    home.write("[binance]\nfutures = true")
    error = home.error({"PLANAR_CONFIG": "else/planar.toml"})
    assert str(error).startswith("environment variable PLANAR_CONFIG: there is no file else/planar.toml")
    with pytest.raises(InvalidConfig, match=r"there is no file nothing\.toml"):
        load(Path("nothing.toml"), cwd=tmp_path, environ={})
