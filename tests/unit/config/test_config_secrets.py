"""secrets.toml: which credentials it gives, and every mistake in it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from config_home import Home
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from planar.config import Environment, InvalidConfig, load
from planar.errors import MissingCredentials, Outcome

REQUIREMENT = """
[exchanges.binance]
apiKey = "your_binance_api_key"
secret = "your_binance_secret_key"

[exchanges.bybit]
apiKey = "your_bybit_api_key"
secret = "your_bybit_secret_key"

[exchanges.coinbase]
apiKey = "your_coinbase_api_key"
secret = "your_coinbase_secret_key"
passphrase = "your_coinbase_passphrase"

[exchanges.binance_sandbox]
apiKey = "testnet_api_key"
secret = "testnet_secret_key"

[exchanges.bybit_testnet]
apiKey = "testnet_api_key"
secret = "testnet_secret_key"
"""


def pem(key: ec.EllipticCurvePrivateKey, encryption: KeySerializationEncryption | None = None) -> str:
    """The key as traditional PEM."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, encryption or NoEncryption()).decode()


EC_KEY = ec.generate_private_key(ec.SECP256R1())
EC_PEM = pem(EC_KEY)


def test_the_guides_secrets(home: Home) -> None:
    settings = home.write("", REQUIREMENT).load()
    found = {(one.exchange, one.environment): one.reveal() for one in settings.store.entries if one.account == ""}
    assert found == {
        ("binance", "live"): {"apiKey": "your_binance_api_key", "secret": "your_binance_secret_key"},
        ("bybit", "live"): {"apiKey": "your_bybit_api_key", "secret": "your_bybit_secret_key"},
        ("coinbase", "live"): {
            "apiKey": "your_coinbase_api_key",
            "secret": "your_coinbase_secret_key",
            "password": "your_coinbase_passphrase",
        },
        ("binance", "sandbox"): {"apiKey": "testnet_api_key", "secret": "testnet_secret_key"},
        ("bybit", "sandbox"): {"apiKey": "testnet_api_key", "secret": "testnet_secret_key"},
    }
    assert {one.code for one in settings.warnings} == {"placeholder"}


@pytest.mark.parametrize(
    ("section", "exchange", "account", "environment"),
    [
        ("binance", "binance", "", "live"),
        ("binance_sandbox", "binance", "", "sandbox"),
        ("binance_testnet", "binance", "", "sandbox"),
        ("binance_demo", "binance", "", "demo"),
        ("binance_local", "binance", "", "local"),
        ("binance_main", "binance", "main", "live"),
        ("binance_main_2_testnet", "binance", "main_2", "sandbox"),
        ("huobi_main_demo", "htx", "main", "demo"),
        ("my_broker_main_local", "my_broker", "main", "local"),
        ("my_broker", "my_broker", "", "live"),
    ],
)
def test_what_a_section_is_for(home: Home, section: str, exchange: str, account: str, environment: Environment) -> None:
    home.write("[my_broker]\n", f'[exchanges.{section}]\napiKey = "k"\nsecret = "s"')
    settings = load(cwd=home.path, environ={}, known_ids=["binance", "htx", "my_broker"])
    found = settings.credentials_for(exchange, account, environment)
    assert found is not None
    assert found.reveal() == {"apiKey": "k", "secret": "s"}
    assert len(settings.store.entries) == 1
    assert settings.accounts(exchange, environment) == (account,)


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("apiKey", "apiKey"),
        ("api_key", "apiKey"),
        ("secret", "secret"),
        ("passphrase", "password"),
        ("password", "password"),
        ("uid", "uid"),
        ("walletAddress", "walletAddress"),
        ("wallet_address", "walletAddress"),
        ("privateKey", "privateKey"),
        ("private_key", "privateKey"),
        ("accountId", "accountId"),
        ("account_id", "accountId"),
        ("login", "login"),
        ("twofa", "twofa"),
    ],
)
@pytest.mark.parametrize("in_file", [False, True])
def test_each_key_and_its_file(home: Home, key: str, name: str, in_file: bool) -> None:
    (home.path / "user" / "value").write_text("v-1\n")
    (home.path / "user" / "value").chmod(0o600)
    line = f'{key}_file = "value"' if in_file else f'{key} = "v-1"'
    credentials = home.write("", f"[exchanges.okx]\n{line}").load().credentials_for("okx", "", "live")
    assert credentials is not None
    assert credentials.reveal() == {name: "v-1"}
    assert credentials.origins == ((name, "user/secrets.toml:2"),)


def test_no_environment_gets_anothers_credentials(home: Home) -> None:
    home.write("", '[exchanges.binance]\napiKey = "a"\n[exchanges.binance_main_demo]\napiKey = "b"\n')
    settings = home.load()
    asked: list[tuple[str, Environment]] = [
        (account, environment)
        for account in ("", "main")
        for environment in ("live", "sandbox", "demo", "local", "paper")
    ]
    given = [one for one in asked if settings.credentials_for("binance", *one)]
    assert given == [("", "live"), ("main", "demo")]


def test_missing_credentials_name_fields_section_and_variables(home: Home) -> None:
    home.write("", '[exchanges.okx]\napiKey = "a"\n[exchanges.okx_hedge_sandbox]\napiKey = "b"\n')
    settings = home.load()
    error = settings.missing_credentials_error("okx", "", "sandbox", ("apiKey", "secret", "password"))
    assert isinstance(error, MissingCredentials)
    assert error.outcome is Outcome.NOT_SENT
    assert str(error) == (
        "okx: apiKey and secret and passphrase are missing for sandbox\n"
        "  -> put into user/secrets.toml:\n"
        "       [exchanges.okx_sandbox]\n"
        '       apiKey = "..."\n'
        '       secret = "..."\n'
        '       passphrase = "..."\n'
        "     or set PLANAR_OKX_SANDBOX_APIKEY, PLANAR_OKX_SANDBOX_SECRET, PLANAR_OKX_SANDBOX_PASSPHRASE\n"
        "     ([exchanges.okx] holds live credentials; sandbox never uses them)\n"
        "     (accounts with sandbox credentials: hedge)"
    )
    partial = settings.missing_credentials_error("okx", "hedge", "sandbox", ("apiKey", "secret"))
    assert "secret is missing for account hedge in sandbox" in str(partial)
    assert "apiKey" not in partial.message
    assert "[exchanges.okx_hedge_sandbox]" in str(partial)
    paper = settings.missing_credentials_error("okx", "", "paper", ("apiKey",))
    assert "paper has no credentials" in str(paper)


def test_the_section_in_the_error_is_the_one_that_is_read(home: Home) -> None:
    home.write("")
    error = home.load().missing_credentials_error("okx", "hedge", "demo", ("apiKey", "walletAddress"))
    lines = (error.hint or "").split("\n")
    section, keys, variables = lines[1].strip(), lines[2:4], lines[4].split(" set ")[1].split(", ")
    home.write("", "\n".join([section, *(line.replace("...", "x1") for line in keys)]))
    found = home.load().credentials_for("okx", "hedge", "demo")
    home.secrets.unlink()
    same = home.load(dict.fromkeys(variables, "x1")).credentials_for("okx", "hedge", "demo")
    assert found is not None
    assert same is not None
    assert found.reveal() == same.reveal() == {"apiKey": "x1", "walletAddress": "x1"}


CASES: list[tuple[str, int, str, str, str]] = [
    ('[binance]\napiKey = "VALUE"', 1, "unknown-section", "no section [binance]", "write [exchanges.binance]"),
    ("[binance]\nfutures = true", 1, "unknown-section", "no section [binance]", "planar.toml"),
    ("[workspace]\ntimeout = 1", 1, "unknown-section", "no section [workspace]", "planar.toml"),
    ('apiKey = "VALUE"', 1, "unknown-section", "apiKey is a text", "write [exchanges.<id>] above it"),
    ('[exchanges]\napiKey = "VALUE"', 2, "wrong-type", "apiKey is a text, not a section", "[exchanges.<id>]"),
    ('[exchanges.binnance]\napiKey = "VALUE"', 1, "unknown-exchange", '"binnance"', "did you mean binance?"),
    ('[exchanges.Binance]\napiKey = "VALUE"', 1, "section-name", "capitals", "[exchanges.binance]"),
    ('[exchanges.binance-x]\napiKey = "VALUE"', 1, "section-name", "names no credentials", "_<account>"),
    ('[exchanges.binance_]\napiKey = "VALUE"', 1, "section-name", "names no credentials", "_<account>"),
    ('[exchanges.binance_okx]\napiKey = "VALUE"', 1, "account-name", '"okx" is an exchange', "[exchanges.okx]"),
    ('[exchanges.binance_huobi]\napiKey = "VALUE"', 1, "account-name", '"huobi" is an exchange', "another name"),
    ('[exchanges.binance_live]\napiKey = "VALUE"', 1, "account-name", '"live" is an env', "[exchanges.binance]"),
    ('[exchanges.binance_a_prod]\napiKey = "VALUE"', 1, "account-name", '"prod" is', "[exchanges.binance_a]"),
    ('[exchanges.binance_paper]\napiKey = "VALUE"', 1, "account-name", '"paper" is', "paper needs no credentials"),
    ('[exchanges.binance_test]\napiKey = "VALUE"', 1, "account-name", '"test" is', "[exchanges.binance_sandbox]"),
    (
        '[exchanges.binance_sandbox_main]\napiKey = "VALUE"',
        1,
        "account-name",
        '"sandbox" is an environment',
        "[exchanges.binance_main_sandbox]",
    ),
    ('[exchanges.binance.main]\napiKey = "VALUE"', 1, "unknown-key", "a section in a section", "binance_main]"),
    ('[exchanges.binance]\nsecrt = "VALUE"', 2, "unknown-key", "no key secrt", "did you mean secret?"),
    ('[exchanges.binance]\nfoo = "VALUE"', 2, "unknown-key", "no key foo", "keys are apiKey, secret, passphrase"),
    ("[exchanges.binance]\nsandbox = true", 2, "unknown-key", "sandbox is a setting", "move it to planar.toml"),
    ("[exchanges.binance]\nuid = 12345", 2, "wrong-type", "uid is an integer; it must be a text", "in quotes"),
    ('[exchanges.binance]\napiKey = ["VALUE"]', 2, "wrong-type", "apiKey is an array", "in quotes"),
    ('[exchanges.binance]\napiKey = ""', 2, "wrong-secret", "apiKey is empty", "remove it"),
    ('[exchanges.binance]\napiKey = " VALUE"', 2, "wrong-secret", "blank or a line end at its beginning", ""),
    ('[exchanges.binance]\napiKey = "VALUE\\n"', 2, "wrong-secret", "blank or a line end at its beginning", ""),
    ("[exchanges.binance]\napiKey = \"'VALUE'\"", 2, "wrong-secret", "quotes inside", "inner ones"),
    ('[exchanges.binance]\napiKey = "VALUE”"', 2, "wrong-secret", "quotes inside", "inner ones"),
    ('[exchanges.binance]\nsecret = "VALUE VALUE"', 2, "wrong-secret", "in its middle", "one line"),
    ('[exchanges.binance]\nsecret = "VALUE\\u200b1"', 2, "wrong-secret", "a character that no key has", "plain text"),
    ("[exchanges.okx]\npassphrase = \"'VALUE'\"", 2, "wrong-secret", "quotes inside", "inner ones"),
    ('[exchanges.okx]\npassphrase = "VALUE "', 2, "wrong-secret", "blank or a line end", ""),
    ('[exchanges.okx]\npassphrase = "VALUE"\npassword = "VALUE"', 3, "twice", "first is at user/secrets.toml:2", ""),
    ('[exchanges.okx]\napiKey = "VALUE"\napi_key = "VALUE"', 3, "twice", "apiKey is given a second time", "keep one"),
    (
        '[exchanges.okx_sandbox]\napiKey = "VALUE"\n[exchanges.okx_testnet]\napiKey = "VALUE2"',
        3,
        "twice",
        "user/secrets.toml:2 gives already",
        "keep one",
    ),
    (
        '[exchanges.okx]\napiKey = "VALUE"\n[exchanges.okx_sandbox]\napiKey = "VALUE"',
        4,
        "wrong-environment",
        "[exchanges.okx_sandbox] and [exchanges.okx] (user/secrets.toml:2) have the same apiKey",
        "wrong section",
    ),
    ('[exchanges.okx]\nsecret_file = "none.pem"', 2, "unreadable", "user/none.pem cannot be read: No such file", ""),
    ('[exchanges.okx]\nsecret_file = "."', 2, "unreadable", "Is a directory", ""),
    ('[exchanges.okx]\nsecret_file = ""', 2, "empty-value", "secret_file is empty", "give it a path"),
]


@pytest.mark.parametrize("case", CASES, ids=[case[0].replace("\n", " ") for case in CASES])
def test_each_mistake_has_its_place_and_shows_no_secret(home: Home, case: tuple[str, int, str, str, str]) -> None:
    secrets, line, code, text, fix = case
    error = home.write("", secrets).error()
    assert (error.file, error.line, error.code) == ("user/secrets.toml", line, code)
    assert text in error.text
    assert fix in (error.fix or "")
    assert "VALUE" not in str(error) + repr(error)


@pytest.mark.parametrize(
    "secrets",
    [
        '[exchanges.okx]\nsecret = "VALUE\n',
        "[exchanges.okx]\nsecret = VALUE\n",
        '[exchanges.okx]\nsecret = """VALUE\nVALUE==\n',
        '[exchanges.okx]\nsecret = "x"\nVALUE==\n',
        '[exchanges.okx]\nsecret = "x" VALUE\n',
        '[exchanges.okx]\nsecret = "\\VALUE"\n',
        '[exchanges.okx]\nVALUEVALUEVALUEVALUE = = "x"\n',
    ],
)
def test_wrong_toml_shows_no_value(home: Home, secrets: str) -> None:
    error = home.write("", secrets).error()
    assert error.code == "syntax"
    assert error.excerpt is not None
    assert "^" in error.excerpt
    assert "VALUE" not in str(error) + repr(error)


def test_wrong_toml_in_secrets_still_shows_keys_and_sections(home: Home) -> None:
    error = home.write("", "[exchanges.okx]\nsecret = 'VALUE\n").error()
    assert (error.excerpt or "").split("\n")[0] == "    2 | secret = '*****"
    error = home.write("", "[exchanges.okx\nsecret = 'VALUE'\n").error()
    assert (error.excerpt or "").split("\n")[0] == "    1 | [exchanges.okx"


def test_a_passphrase_may_hold_blanks_and_one_quote(home: Home) -> None:
    home.write("", "[exchanges.okx]\npassphrase = \"don't do it'\"\nlogin = 'a b'")
    credentials = home.load().credentials_for("okx", "", "live")
    assert credentials is not None
    assert credentials.reveal() == {"password": "don't do it'", "login": "a b"}


def test_one_key_for_two_accounts_is_doubtful(home: Home) -> None:
    home.write("", '[exchanges.okx]\napiKey = "k1"\n[exchanges.okx_b]\napiKey = "k1"')
    assert [one.code for one in home.load().warnings] == ["same-key"]


def test_one_key_at_two_exchanges_and_one_wallet_in_two_environments_are_fine(home: Home) -> None:
    home.write(
        "",
        '[exchanges.okx]\napiKey = "k1"\n[exchanges.kucoin]\napiKey = "k1"\n'
        '[exchanges.hyperliquid]\nwalletAddress = "0x1"\n[exchanges.hyperliquid_sandbox]\nwalletAddress = "0x1"',
    )
    assert home.load().warnings == ()


KEYS = {
    "ec": EC_PEM,
    "rsa": rsa.generate_private_key(65_537, 2048)
    .private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    .decode(),
    "ed25519": ed25519.Ed25519PrivateKey.generate()
    .private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    .decode(),
}


@pytest.mark.parametrize("text", KEYS.values(), ids=KEYS.keys())
@pytest.mark.parametrize("form", ["block", "one line", "escaped", "file", "crlf file"])
def test_a_whole_pem_is_taken_in_every_form(home: Home, text: str, form: str) -> None:
    path = home.path / "user" / "key.pem"
    path.write_bytes((text.replace("\n", "\r\n") if form == "crlf file" else text).encode())
    path.chmod(0o600)
    folded = text.replace("\n", "\\n")
    line = {
        "block": f'secret = """\n{text}"""',
        "one line": f'secret = "{folded}"',
        "escaped": f"secret = '{folded}'",
    }.get(form, 'secret_file = "key.pem"')
    credentials = home.write("", f"[exchanges.coinbase]\n{line}").load().credentials_for("coinbase", "", "live")
    assert credentials is not None
    assert credentials.reveal() == {"secret": text}


def _without_line(text: str, number: int) -> str:
    lines = text.rstrip("\n").split("\n")
    return "\n".join(lines[:number] + lines[number + 1 :])


PUBLIC = EC_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
OPENSSH = EC_KEY.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()
ENCRYPTED = EC_KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x")).decode()
WRONG_PEMS = {
    "no last line": (_without_line(EC_PEM, len(EC_PEM.split("\n")) - 2), "truncated PEM: its last line"),
    "no first line": (_without_line(EC_PEM, 0), "without its first line"),
    "a line missing": (_without_line(EC_PEM, 2), "truncated PEM: lines of its body are missing"),
    "damaged": (EC_PEM[:40] + "!" + EC_PEM[41:], "damaged body"),
    "other label": (EC_PEM.replace("END EC PRIVATE", "END RSA PRIVATE"), "truncated PEM: its last line"),
    "public": (PUBLIC, "is a public key, not a private key"),
    "openssh": (OPENSSH, "OpenSSH's own form"),
    "encrypted": (ENCRYPTED, "with a passphrase"),
    "encrypted, traditional": (pem(EC_KEY, BestAvailableEncryption(b"x")), "with a passphrase"),
}


@pytest.mark.parametrize(("text", "message"), WRONG_PEMS.values(), ids=WRONG_PEMS.keys())
def test_a_pem_that_is_no_whole_private_key_is_an_error(home: Home, text: str, message: str) -> None:
    path = home.path / "user" / "key.pem"
    path.write_text(text)
    path.chmod(0o600)
    error = home.write("", '[exchanges.coinbase]\nprivateKey_file = "key.pem"').error()
    assert message in error.text
    assert "user/key.pem" in error.text
    assert error.fix


def test_a_binary_key_file(home: Home) -> None:
    path = home.path / "user" / "key.der"
    path.write_bytes(EC_KEY.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))
    path.chmod(0o600)
    error = home.write("", '[exchanges.coinbase]\nsecret_file = "key.der"').error()
    assert error.code == "encoding"
    assert "openssl pkey" in (error.fix or "")


LIVE = '[exchanges.okx]\napiKey = "k"\n'
SANDBOX = '[exchanges.okx_sandbox]\napiKey = "k"\n'


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620, 0o660])
def test_live_keys_that_others_can_read_are_an_error(home: Home, mode: int) -> None:
    error = home.write("", LIVE, mode=mode).error()
    assert error.code == "open-secrets"
    assert f"user/secrets.toml is open to other users (mode {mode:04o}) and holds live keys of okx" in error.text
    assert error.fix is not None
    assert error.fix.startswith("chmod 600 user/secrets.toml ")
    os.chmod(home.secrets, 0o600)
    home.load()


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_closed_files_are_right(home: Home, mode: int) -> None:
    assert home.write("", LIVE, mode=mode).load().warnings == ()


def test_keys_of_play_money_that_others_can_read_are_a_warning(home: Home) -> None:
    warnings = home.write("", SANDBOX, mode=0o644).load().warnings
    assert [one.code for one in warnings] == ["open-secrets"]
    assert "live" not in warnings[0].text


@pytest.mark.parametrize("section", ["okx", "workspace"])
def test_mounted_accepts_open_modes(home: Home, section: str) -> None:
    home.write(f'[{section}]\nsecrets_mode = "mounted"', LIVE + SANDBOX.replace('"k"', '"j"'), mode=0o644)
    assert home.load().warnings == ()


def test_mounted_is_of_its_exchange_only(home: Home) -> None:
    home.write('[kraken]\nsecrets_mode = "mounted"', LIVE + '[exchanges.kraken]\napiKey = "j"', mode=0o644)
    assert "holds live keys of okx" in home.error().text


def test_a_key_file_that_others_can_read(home: Home) -> None:
    path: Path = home.path / "user" / "s"
    path.write_text("abc")
    path.chmod(0o644)
    error = home.write("", '[exchanges.okx]\nsecret_file = "s"', mode=0o644).error()
    assert "user/s is open to other users" in error.text, "secrets.toml itself holds no key here"
    assert error.line == 2
    home.write("", '[exchanges.okx_demo]\nsecret_file = "s"')
    assert [one.code for one in home.load().warnings] == ["open-secrets"]


def test_an_open_mode_is_told_together_with_wrong_keys(home: Home) -> None:
    codes = {one.code for one in home.write("", '[exchanges.okx]\napiKey = " k"', mode=0o644).errors()}
    assert codes == {"wrong-secret", "open-secrets"}


def test_settings_show_no_secret(home: Home) -> None:
    settings = home.write("", '[exchanges.okx]\napiKey = "VERY-SECRET"').load()
    assert "VERY-SECRET" not in repr(settings) + str(settings)
    with pytest.raises(InvalidConfig) as caught:
        home.write("[x\n").load()
    assert "VERY-SECRET" not in repr(caught.value)
