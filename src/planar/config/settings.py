"""`Settings`: everything that was configured, and the questions that the workspace asks it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from planar.config import keys
from planar.config.accounts import ConfiguredAccount, configured
from planar.config.aliases import resolve_alias
from planar.config.credentials import Credentials, CredentialStore
from planar.config.findings import Finding, Findings, Place
from planar.config.keys import EXCHANGE_KEYS
from planar.config.layers import Entry, make_entry
from planar.config.merge import check_rules, resolve
from planar.config.schema import (
    AlarmSettings,
    BudgetSettings,
    Environment,
    ExchangeSettings,
    Files,
    SelectionSettings,
    VenueSettings,
)
from planar.config.settings_file import is_secret_key
from planar.config.suggest import did_you_mean
from planar.errors import ConfigError, MissingCredentials

_ROLES = ("primary", "backup", "enabled")


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The configuration of a workspace.

    Attributes:
        exchanges: the exchanges that are mentioned, in the order of writing; `exchange()` answers for all others too.
        defaults: what holds for an exchange that is not mentioned; its id is "".
        selection: which exchange is meant where none is named.
        venue: the local venue.
        budget: how what the venues allow is shared.
        alarms: where alarms go.
        store: the credentials.
        files: the files that were read.
        warnings: what is doubtful but no error.
        origins: (exchange, attribute) -> place of what is written; the exchange "" is `[workspace]`.
    """

    exchanges: dict[str, ExchangeSettings] = {}
    defaults: ExchangeSettings = ExchangeSettings(id="")
    selection: SelectionSettings = SelectionSettings()
    venue: VenueSettings = VenueSettings()
    budget: BudgetSettings = BudgetSettings()
    alarms: AlarmSettings = AlarmSettings()
    store: CredentialStore = CredentialStore()
    files: Files = Files()
    warnings: tuple[Finding, ...] = ()
    origins: dict[tuple[str, str], str] = {}

    def exchange(self, exchange: str) -> ExchangeSettings:
        """The settings of an exchange, complete with defaults; a former id counts as today's."""
        exchange, _ = resolve_alias(exchange)
        found = self.exchanges.get(exchange)
        if found is not None:
            return found
        enabled = self.selection.enabled is None
        return msgspec.structs.replace(self.defaults, id=exchange, enabled=enabled)

    def with_options(self, exchange: str, options: Mapping[str, object]) -> ExchangeSettings:
        """The settings of an exchange under the arguments of a call: the keys and values of `[<id>]`, over all else.

        Raises:
            InvalidConfig: an unknown key, a wrong value, a contradiction among the options.
        """
        findings = Findings()
        entries: list[Entry] = []
        usable = tuple(key for key in EXCHANGE_KEYS if key.name not in _ROLES)
        for name, value in options.items():
            at, key = Place(key=name), keys.find(usable, name)
            if key is None:
                secret = "credentials belong in secrets.toml" if is_secret_key(name) else None
                fix = secret or did_you_mean(name, keys.names(usable)) or f"options are {', '.join(keys.names(usable))}"
                findings.error("unknown-key", "there is no such option", at=at, fix=fix)
            elif entry := make_entry(key, value, at, findings):
                entries.append(entry)
        resolved = resolve(entries, findings)
        changed = {field: entry.value for field, entry in resolved.items()}
        settings = msgspec.structs.replace(self.exchange(exchange), **changed)
        check_rules(settings, resolved, findings)
        findings.raise_errors()
        return settings

    def origin(self, exchange: str, key: str) -> str | None:
        """Where a key of an exchange is written: file and line, variable or argument; None if nowhere."""
        found = keys.find(EXCHANGE_KEYS, key)
        if found is None:
            return None
        exchange, _ = resolve_alias(exchange)
        return self.origins.get((exchange, found.field)) or self.origins.get(("", found.field))

    def accounts(self, exchange: str, environment: Environment) -> tuple[str, ...]:
        """Names of the accounts with credentials in an environment; "" is the one without a name."""
        return self.store.accounts(resolve_alias(exchange)[0], environment)

    def configured_accounts(self, exchange: str | None = None) -> tuple[ConfiguredAccount, ...]:
        """All accounts with credentials, of all environments, in the order of writing; of one exchange or of all."""
        wanted = None if exchange is None else resolve_alias(exchange)[0]
        return tuple(configured(one) for one in self.store.entries if wanted in (None, one.exchange))

    def credentials_for(self, exchange: str, account: str, environment: Environment) -> Credentials | None:
        """The credentials of exactly this account in exactly this environment, or None. `paper` has none."""
        return self.store.find(resolve_alias(exchange)[0], account, environment)

    def missing_credentials_error(
        self, exchange: str, account: str, environment: Environment, required_fields: Iterable[str]
    ) -> MissingCredentials:
        """The error of a signed call that lacks some of the required fields (CCXT's names), with the lines to paste."""
        return self.store.missing_error(resolve_alias(exchange)[0], account, environment, required_fields)

    def missing_environment_error(self, exchange: str) -> ConfigError:
        """The error of the first signed call of an exchange whose environment nobody wrote."""
        exchange, _ = resolve_alias(exchange)
        file = self.files.config or "user/planar.toml"
        hint = (
            f"write into {file}:\n"
            f"       [{exchange}]\n"
            '       environment = "live"      # or "sandbox", "demo", "local", "paper"\n'
            f"     or set PLANAR__{exchange.upper()}__ENVIRONMENT"
        )
        return ConfigError("no environment is chosen, and this call would be signed", exchange=exchange, hint=hint)
