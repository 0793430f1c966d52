"""`planar.toml`, `secrets.toml` and environment variables to typed settings.

    settings = load()
    settings.exchange("...")                                 ExchangeSettings, complete with defaults
    settings.credentials_for("...", "main", "sandbox")       Credentials, or None

Everything above reads settings from here; nothing above reads a file or a variable of its own for them.
"""

from planar.config.aliases import ALIASES, resolve_alias
from planar.config.check import Report, check
from planar.config.credentials import Credentials, CredentialStore
from planar.config.env import flag
from planar.config.findings import Finding, InvalidConfig
from planar.config.load import load
from planar.config.paths import cache_dir, config_dir, state_dir
from planar.config.schema import (
    ENVIRONMENTS,
    AlarmSettings,
    BudgetSettings,
    Environment,
    ExchangeSettings,
    SelectionSettings,
    VenueSettings,
)
from planar.config.secret_type import Secret
from planar.config.settings import Settings
from planar.config.template import write_init

__all__ = [
    "ALIASES",
    "AlarmSettings",
    "BudgetSettings",
    "CredentialStore",
    "Credentials",
    "ENVIRONMENTS",
    "Environment",
    "ExchangeSettings",
    "Finding",
    "InvalidConfig",
    "Report",
    "Secret",
    "SelectionSettings",
    "Settings",
    "VenueSettings",
    "cache_dir",
    "check",
    "config_dir",
    "flag",
    "load",
    "resolve_alias",
    "state_dir",
    "write_init",
]
