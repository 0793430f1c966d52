"""Credentials of one account in one environment, and the store that hands them out.

Filled by `planar.config.secrets`; asked by the workspace when an exchange is opened. One environment never gets
another's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import msgspec

from planar.config.schema import ENVIRONMENTS, Environment
from planar.config.secret_type import Secret
from planar.errors import MissingCredentials


class SecretField(msgspec.Struct, frozen=True, kw_only=True):
    """One part of a set of credentials.

    Attributes:
        name: CCXT's name for it.
        attribute: its attribute of `Credentials`.
        key: the spelling that Planar's texts use.
        spellings: all accepted spellings in `secrets.toml`; in environment variables their upper-case forms.
        words: True where blanks inside are allowed.
    """

    name: str
    attribute: str
    key: str
    spellings: tuple[str, ...]
    words: bool = False


FIELDS: tuple[SecretField, ...] = (
    SecretField(name="apiKey", attribute="api_key", key="apiKey", spellings=("apiKey", "api_key")),
    SecretField(name="secret", attribute="secret", key="secret", spellings=("secret",)),
    SecretField(
        name="password", attribute="password", key="passphrase", spellings=("passphrase", "password"), words=True
    ),
    SecretField(name="uid", attribute="uid", key="uid", spellings=("uid",)),
    SecretField(
        name="walletAddress",
        attribute="wallet_address",
        key="walletAddress",
        spellings=("walletAddress", "wallet_address"),
    ),
    SecretField(name="privateKey", attribute="private_key", key="privateKey", spellings=("privateKey", "private_key")),
    SecretField(name="accountId", attribute="account_id", key="accountId", spellings=("accountId", "account_id")),
    SecretField(name="login", attribute="login", key="login", spellings=("login",), words=True),
    SecretField(name="twofa", attribute="twofa", key="twofa", spellings=("twofa",)),
)


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """What one account in one environment signs with. None is what the user did not give.

    Attributes:
        exchange: CCXT's id.
        account: the account's name; "" is the one without a name.
        environment: where the credentials are valid.
        origins: (CCXT's name, place) of each given field.
        account_id: CCXT's `accountId`.
        twofa: the base32 seed of one-time passwords.
    """

    exchange: str
    account: str
    environment: Environment
    origins: tuple[tuple[str, str], ...] = ()
    api_key: Secret | None = None
    secret: Secret | None = None
    password: Secret | None = None
    uid: Secret | None = None
    wallet_address: Secret | None = None
    private_key: Secret | None = None
    account_id: Secret | None = None
    login: Secret | None = None
    twofa: Secret | None = None

    def get(self, name: str) -> Secret | None:
        """The field with CCXT's `name`."""
        return next((getattr(self, field.attribute) for field in FIELDS if field.name == name), None)

    def missing(self, required: Iterable[str]) -> tuple[str, ...]:
        """Those of the `required` fields (CCXT's names) that are not given."""
        return tuple(name for name in required if self.get(name) is None)

    def reveal(self) -> dict[str, str]:
        """The given values as plain text by CCXT's names, for the signer's constructor. Keep it in no attribute."""
        return {field.name: value.reveal() for field in FIELDS if (value := self.get(field.name)) is not None}

    def fingerprint(self) -> str:
        """16 hexadecimal digits that tell this key from others without showing it; names journals and caches.

        Made from what identifies the key at the venue (API key, wallet address, user id, login; else the private
        key or secret), so a rotated secret keeps its journal.
        """
        given = self.api_key or self.wallet_address or self.uid or self.login or self.private_key or self.secret
        if given is None:
            raise ValueError("credentials without any key have no fingerprint")
        text = f"{self.exchange}\0{self.environment}\0{given.reveal()}"
        return hashlib.blake2b(text.encode(), digest_size=8, person=b"planar-key").hexdigest()


def section_name(exchange: str, account: str, environment: Environment) -> str:
    """The name below `exchanges` in `secrets.toml`: `binance_main_sandbox`. Live has no suffix."""
    parts = [exchange, account, "" if environment == "live" else environment]
    return "_".join(part for part in parts if part)


def variable_name(section: str, field: SecretField) -> str:
    """The environment variable of a field: `PLANAR_BINANCE_MAIN_SANDBOX_APIKEY`."""
    return f"PLANAR_{section}_{field.key}".upper()


class CredentialStore(msgspec.Struct, frozen=True, kw_only=True):
    """All credentials of a configuration.

    Attributes:
        entries: in the order of writing.
        file: where credentials are to be written, as shown to the user.
    """

    entries: tuple[Credentials, ...] = ()
    file: str = "user/secrets.toml"

    def find(self, exchange: str, account: str, environment: Environment) -> Credentials | None:
        """The credentials of exactly this account in exactly this environment. `paper` has none."""
        wanted = (exchange, account, environment)
        return next((one for one in self.entries if (one.exchange, one.account, one.environment) == wanted), None)

    def accounts(self, exchange: str, environment: Environment) -> tuple[str, ...]:
        """Names of the accounts with credentials, in the order of writing; "" is the one without a name."""
        return tuple(one.account for one in self.entries if one.exchange == exchange and one.environment == environment)

    def missing_error(
        self, exchange: str, account: str, environment: Environment, required: Iterable[str]
    ) -> MissingCredentials:
        """The error of a signed call that lacks credentials: which fields, and the section to paste.

        Args:
            exchange: CCXT's id.
            account: "" for the account without a name.
            environment: the environment of the call.
            required: the venue's required fields, by CCXT's names.
        """
        whose = f"account {account} in " if account else ""
        if environment == "paper":
            return MissingCredentials(
                "paper has no credentials: fills are simulated and nothing is signed",
                exchange=exchange,
                hint='for signed calls write environment = "local", "sandbox" or "live"',
            )
        required = tuple(required)
        found = self.find(exchange, account, environment)
        missing = found.missing(required) if found else required
        fields = [field for field in FIELDS if field.name in missing] or list(FIELDS[:2])
        section = section_name(exchange, account, environment)
        verb = "is" if len(fields) == 1 else "are"
        lines = [
            f"put into {self.file}:",
            f"       [exchanges.{section}]",
            *(f'       {field.key} = "..."' for field in fields),
            f"     or set {', '.join(variable_name(section, field) for field in fields)}",
            *(f"     {note}" for note in self._notes(exchange, account, environment)),
        ]
        return MissingCredentials(
            f"{' and '.join(field.key for field in fields)} {verb} missing for {whose}{environment}",
            exchange=exchange,
            hint="\n".join(lines),
        )

    def _notes(self, exchange: str, account: str, environment: Environment) -> list[str]:
        """What is there instead: other environments' credentials, other accounts."""
        notes: list[str] = []
        for other in ENVIRONMENTS:
            if other != environment and self.find(exchange, account, other):
                section = section_name(exchange, account, other)
                notes.append(f"([exchanges.{section}] holds {other} credentials; {environment} never uses them)")
        others = [name for name in self.accounts(exchange, environment) if name != account]
        if others:
            named = ", ".join(name or "the one without a name" for name in others)
            notes.append(f"(accounts with {environment} credentials: {named})")
        return notes
