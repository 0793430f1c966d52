"""Environment variables: the layer that lies over `planar.toml`, and strict flags.

`PLANAR__BINANCE__TIMEOUT=30000` is a key of `[binance]`; `[exchanges]`, `[workspace]`, `[venue]`, `[budget]`
and `[alarms]` likewise.
`PLANAR_BINANCE_MAIN_SANDBOX_APIKEY=...` is a credential (read by `planar.config.secrets`).
`PLANAR_CONFIG` and the others of VARIABLES are paths and switches of the whole program.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from planar.config import keys
from planar.config.findings import Findings, Place
from planar.config.keys import EXCHANGE_KEYS, SECTIONS, Key
from planar.config.layers import Entry, Ids, Layer, make_entry, resolve_ids
from planar.config.suggest import did_you_mean, nearest
from planar.config.values import from_text
from planar.errors import ConfigError

VARIABLES: dict[str, str] = {
    "PLANAR_CONFIG": "path of planar.toml",
    "PLANAR_SECRETS": "path of secrets.toml",
    "PLANAR_STATE": "directory of journals and of the local venue",
    "PLANAR_CACHE": "directory of cached markets",
    "PLANAR_OFFLINE": "1: use cached markets, open no connection for them",
    "PLANAR_LAZY_CCXT": "0: import CCXT in its own way, whole",
    "PLANAR_DEBUG": "what to log in detail",
}
"""The variables that are no setting of a section and no credential."""


def flag(name: str, environ: Mapping[str, str] | None = None, *, default: bool = False) -> bool:
    """The switch `name`: 1 or true, 0 or false; `default` when it is not set or empty. Raises ConfigError otherwise."""
    text = (os.environ if environ is None else environ).get(name, "")
    if not text:
        return default
    value = {"1": True, "true": True, "0": False, "false": False}.get(text)
    if value is None:
        raise ConfigError(
            f"environment variable {name} is {text!r}; it must be 1 or 0", hint=f"set {name}=1 or unset it"
        )
    return value


def read_variables(environ: Mapping[str, str], ids: Ids, findings: Findings) -> Layer:
    """The layer that the `PLANAR__SECTION__KEY` variables make."""
    layer = Layer()
    for name in sorted(environ):
        if name.startswith("PLANAR__"):
            _variable(name, environ[name], layer, ids, findings)
    return layer


def _variable(name: str, text: str, layer: Layer, ids: Ids, findings: Findings) -> None:
    at = Place(key=name)
    parts = name.removeprefix("PLANAR__").lower().split("__")
    if len(parts) != 2 or not all(parts):
        if parts[0] == "exchanges" and len(parts) == 3:
            fix: str | None = f"write PLANAR__{parts[1].upper()}__{parts[2].upper()}"
        elif len(parts) > 2 and parts[1] == "ccxt":
            fix = f"what goes to CCXT can be written in planar.toml only, in [{parts[0]}.ccxt]"
        else:
            fix = "for example PLANAR__WORKSPACE__TIMEOUT"
        findings.error("wrong-variable", "the name must be PLANAR__SECTION__KEY", at=at, fix=fix)
        return
    section, key_name = parts
    known = SECTIONS.get(section, EXCHANGE_KEYS)
    key = _find(known, key_name)
    exchange = None
    if section not in SECTIONS:
        if not ids.exists(section) and (near := nearest(section, SECTIONS)):
            text = f"there is no section {section}"
            findings.error(
                "unknown-section", text, at=at, fix=f"did you mean PLANAR__{near.upper()}__{key_name.upper()}?"
            )
            return
        exchange = ids.resolve(section, at, findings)
    entry = _entry(key, key_name, known, text, at, findings)
    if entry is None:
        return
    if section == "exchanges":
        entry = resolve_ids(entry, ids, findings)
    target = layer.exchange(exchange) if exchange else layer.section(section) if section in SECTIONS else []
    if entry is not None:
        target.append(entry)


def _entry(
    key: Key | None, key_name: str, known: tuple[Key, ...], text: str, at: Place, findings: Findings
) -> Entry | None:
    if key is None:
        fix = did_you_mean(key_name, keys.names(known)) or f"keys are {', '.join(keys.names(known))}"
        findings.error("unknown-key", "there is no such key", at=at, fix=fix)
    elif key.kind == "table":
        fix = f"write it in planar.toml, in [<id>.{key.name}]"
        findings.error("wrong-variable", f"{key.name} cannot be given by a variable", at=at, fix=fix)
    elif not text:
        findings.error("empty-value", "the variable is empty", at=at, fix="give it a value, or unset it")
    else:
        return make_entry(key, from_text(key.kind, text), at, findings, variable=True)
    return None


def _find(known: tuple[Key, ...], lower: str) -> Key | None:
    """The key that a variable means: upper case stands for any case, `RATE_LIMIT` and `RATELIMIT` for `rateLimit`."""
    return next((key for key in known if lower in {spelling.lower() for spelling in (key.name, *key.spellings)}), None)
