"""The keys of `planar.toml`: names, other spellings, types, meanings. Reader, environment variables and docs share it.

Defaults stand in `planar.config.schema`.
"""

from __future__ import annotations

import msgspec

from planar.config import values
from planar.config.limits import limits
from planar.config.paper import paper
from planar.config.values import Kind, Parse


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """One key of a section.

    Attributes:
        name: as it is written in TOML.
        field: the attribute of the struct that it sets. Several keys may set one field (`sandbox`, `environment`).
        kind: how the text of an environment variable becomes a raw value.
        parse: makes the typed value; raises `values.Wrong`.
        spellings: other accepted names.
    """

    name: str
    field: str
    kind: Kind
    parse: Parse
    spellings: tuple[str, ...] = ()


def _flag(name: str) -> Key:
    return Key(name=name, field=name, kind="boolean", parse=values.boolean)


_ENVIRONMENT = Key(name="environment", field="environment", kind="text", parse=values.environment)
_TIMEOUT = Key(name="timeout", field="timeout_ms", kind="duration", parse=values.milliseconds(100, 600_000))
_PROXY = Key(name="proxy", field="proxy", kind="text", parse=values.proxy_url)
_NETWORK: tuple[Key, ...] = (
    _PROXY,
    Key(name="no_proxy", field="no_proxy", kind="ids", parse=values.host_names),
    Key(name="ca_file", field="ca_file", kind="text", parse=values.ca_path),
    Key(name="source_address", field="source_address", kind="text", parse=values.source_address),
)
_SECRETS_MODE = Key(name="secrets_mode", field="secrets_mode", kind="text", parse=values.choice(("private", "mounted")))

_AUDIT = _flag("audit")
_DURABILITY = Key(name="durability", field="durability", kind="text", parse=values.choice(("process", "disk")))

EXCHANGE_KEYS: tuple[Key, ...] = (
    _ENVIRONMENT,
    Key(name="sandbox", field="environment", kind="boolean", parse=values.sandbox_switch),
    Key(name="testnet", field="environment", kind="boolean", parse=values.sandbox_switch),
    _flag("futures"),
    Key(
        name="leveraged",
        field="leveraged",
        kind="text",
        parse=values.choice(("from", "to", "both"), {"long": "from", "longs": "from", "short": "to", "shorts": "to"}),
    ),
    _TIMEOUT,
    Key(
        name="markets_refresh",
        field="markets_refresh_ms",
        kind="duration",
        parse=values.milliseconds_or_never(1_000, 7 * 86_400_000),
    ),
    Key(
        name="rateLimit",
        field="rate_limit_ms",
        kind="duration",
        parse=values.milliseconds(1, 60_000),
        spellings=("rate_limit",),
    ),
    Key(
        name="enableRateLimit",
        field="enable_rate_limit",
        kind="boolean",
        parse=values.boolean,
        spellings=("enable_rate_limit",),
    ),
    _flag("verify_ssl"),
    *_NETWORK,
    _flag("primary"),
    _flag("backup"),
    _flag("enabled"),
    _flag("read_only"),
    _flag("dry_run"),
    _AUDIT,
    Key(name="limits", field="limits", kind="table", parse=limits),
    Key(name="paper", field="paper", kind="table", parse=paper),
    _DURABILITY,
    Key(name="order_entry", field="order_entry", kind="text", parse=values.choice(("auto", "rest", "websocket"))),
    Key(name="reconcile", field="reconcile", kind="text", parse=values.choice(("report", "adopt", "cancel"))),
    _flag("withdrawals"),
    Key(name="withdraw_to", field="withdraw_to", kind="ids", parse=values.withdrawal_addresses),
    _flag("allow_unjournaled"),
    _SECRETS_MODE,
    Key(name="ccxt", field="ccxt", kind="table", parse=values.table),
)
"""Of `[<id>]` and `[exchanges.<id>]`."""

WORKSPACE_KEYS: tuple[Key, ...] = (
    _ENVIRONMENT,
    _TIMEOUT,
    _flag("verify_ssl"),
    _AUDIT,
    _DURABILITY,
    *_NETWORK,
    _SECRETS_MODE,
)
"""Of `[workspace]`: what holds for every exchange that does not say otherwise."""

VENUE_KEYS: tuple[Key, ...] = (
    Key(name="port", field="port", kind="integer", parse=values.whole(0, 65_535)),
    Key(name="seed", field="seed", kind="integer", parse=values.whole(0, 2**63 - 1)),
    Key(name="shape", field="shape", kind="text", parse=values.file_path),
)
"""Of `[venue]`."""

BUDGET_KEYS: tuple[Key, ...] = (
    Key(name="shared", field="shared", kind="boolean", parse=values.sharing),
    Key(name="reserve", field="reserve", kind="text", parse=values.fraction(0, 0.5)),
    Key(name="share", field="share", kind="text", parse=values.fraction(0.01, 1)),
    Key(name="address", field="address", kind="text", parse=values.name),
)
"""Of `[budget]`."""

ALARM_KEYS: tuple[Key, ...] = (
    _flag("log"),
    Key(name="command", field="command", kind="ids", parse=values.command),
    Key(name="webhook", field="webhook", kind="text", parse=values.webhook_url),
    Key(name="telegram_token", field="telegram_token", kind="text", parse=values.secret_text),
    Key(name="telegram_token_file", field="telegram_token_file", kind="text", parse=values.file_path),
    Key(name="telegram_chat", field="telegram_chat", kind="text", parse=values.chat),
)
"""Of `[alarms]`."""

SELECTION_KEYS: tuple[Key, ...] = (
    Key(name="default", field="default", kind="text", parse=values.exchange_id),
    Key(name="primary", field="primary", kind="text", parse=values.exchange_id),
    Key(name="backup", field="backup", kind="ids", parse=values.exchange_ids),
    Key(name="enabled", field="enabled", kind="ids", parse=values.exchange_ids),
)
"""Of `[exchanges]` itself."""

SECTIONS: dict[str, tuple[Key, ...]] = {
    "exchanges": SELECTION_KEYS,
    "workspace": WORKSPACE_KEYS,
    "venue": VENUE_KEYS,
    "budget": BUDGET_KEYS,
    "alarms": ALARM_KEYS,
}
"""The sections that are no exchange's."""

HINTS: dict[str, str] = {
    "accounts": "an account is the suffix of its section in secrets.toml: [exchanges.<id>_<account>]",
    "account": "an account is the suffix of its section in secrets.toml: [exchanges.<id>_<account>]",
    "params": "what goes to CCXT stands in [<id>.ccxt]",
    "options": "what goes to CCXT stands in [<id>.ccxt]: options = { ... }",
    "defaultType": "write futures = true or futures = false",
    "spot_only": "write futures = false",
    "verify": "did you mean verify_ssl?",
    "cafile": "did you mean ca_file?",
    "local_addr": "did you mean source_address?",
    "socks_proxy": 'write proxy = "socks5h://..."',
    "live": 'write environment = "live"',
    "demo": 'write environment = "demo"',
    "paper": 'write environment = "paper"',
    "local": 'write environment = "local"',
}
"""Remedies for keys that other programs have, and that no key here is near to."""

CCXT_OWNED: dict[str, str] = {
    "timeout": "timeout",
    "rateLimit": "rateLimit",
    "enableRateLimit": "enableRateLimit",
    "verify": "verify_ssl",
    "sandbox": "sandbox",
    "testnet": "sandbox",
    "proxy": "proxy",
    "proxyUrl": "proxy",
    "proxy_url": "proxy",
    "aiohttp_proxy": "proxy",
    "httpProxy": "proxy",
    "http_proxy": "proxy",
    "httpsProxy": "proxy",
    "https_proxy": "proxy",
    "socksProxy": "proxy",
    "socks_proxy": "proxy",
    "wsProxy": "proxy",
    "ws_proxy": "proxy",
    "wssProxy": "proxy",
    "wss_proxy": "proxy",
    "wsSocksProxy": "proxy",
    "ws_socks_proxy": "proxy",
}
"""CCXT's own settings that would go around a key of Planar, with that key."""


def find(keys: tuple[Key, ...], name: str) -> Key | None:
    """The key with this name or spelling."""
    return next((key for key in keys if name == key.name or name in key.spellings), None)


def names(keys: tuple[Key, ...]) -> list[str]:
    """The names of `keys`, for suggestions."""
    return [key.name for key in keys]
