"""`planar.toml` to a layer of settings.

Gets a parsed document, gives typed entries by exchange and section. Sections named `exchanges`, `workspace`, `venue`,
`budget` and `alarms` are Planar's; every other table is an exchange's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from planar.config import keys, values
from planar.config.credentials import FIELDS
from planar.config.document import Document, as_list, as_table, type_name
from planar.config.findings import Findings, Place
from planar.config.keys import CCXT_OWNED, EXCHANGE_KEYS, HINTS, SECTIONS, Key
from planar.config.layers import Entry, Ids, Layer, make_entry, resolve_ids
from planar.config.pem import looks_like_pem
from planar.config.secret_type import Secret
from planar.config.suggest import did_you_mean, nearest

_SECRET_NAMES = {spelling.lower() for field in FIELDS for spelling in field.spellings}
_SECRET_WORD = re.compile(
    r"secret|api_?key|passw|passphrase|private_?key|mnemonic|seed_?phrase|token|2fa", re.IGNORECASE
)


def read_settings(document: Document, ids: Ids, findings: Findings) -> Layer:
    """The layer that `planar.toml` makes. Mistakes go to `findings`; what is right is kept."""
    layer = Layer()
    for name, value in document.data.items():
        table = as_table(value)
        if name in SECTIONS and table is not None:
            _section(document, name, table, layer, ids, findings)
        elif table is not None:
            if not _misspelt_section(name, document.place(name), ids, findings):
                _exchange(document, (name,), table, layer, ids, findings)
        else:
            _stray(document, name, value, findings)
    return layer


def is_secret_key(name: str) -> bool:
    """Whether a key of this name, which is no key of Planar, is probably meant to hold a secret."""
    base = name.lower().removesuffix("_file")
    return base in _SECRET_NAMES or bool(_SECRET_WORD.search(name))


def _stray(document: Document, name: str, value: object, findings: Findings) -> None:
    """Something at the top level that is no table."""
    at = document.place(name)
    if (items := as_list(value)) and as_table(items[0]) is not None:
        text = f"[[{name}]] is a list of tables; a section is a table"
        findings.error("wrong-type", text, at=at, fix=f"write [{name}]")
    elif is_secret_key(name):
        _report_secret(name, "<id>", at, findings)
    elif keys.find(EXCHANGE_KEYS, name):
        text = f"{name} stands outside of any section"
        findings.error(
            "stray-key", text, at=at, fix="move it below the section of its exchange, [<id>]; or use [workspace]"
        )
    else:
        text = f"{name} is {type_name(value)}; at the top level stand sections only"
        findings.error("stray-key", text, at=at, fix=f"write [{name}] and its keys below it")


def _misspelt_section(name: str, at: Place, ids: Ids, findings: Findings) -> bool:
    if ids.exists(name) or (near := nearest(name, SECTIONS)) is None:
        return False
    findings.error("unknown-section", f"there is no section [{name}]", at=at, fix=f"did you mean [{near}]?")
    return True


def _section(
    document: Document, section: str, table: dict[str, object], layer: Layer, ids: Ids, findings: Findings
) -> None:
    section_keys = SECTIONS[section]
    for name, value in table.items():
        at = document.place(section, name)
        key = keys.find(section_keys, name)
        inner = as_table(value)
        if key is not None:
            entry = make_entry(key, value, at, findings)
            if entry is not None and section == "exchanges":
                entry = resolve_ids(entry, ids, findings)
            if entry is not None:
                _check_proxy(entry, findings)
                _check_token(entry, findings)
                layer.section(section).append(entry)
        elif section == "exchanges" and inner is not None:
            _exchange(document, (section, name), inner, layer, ids, findings)
        else:
            _unknown(name, section, section_keys, at, findings)


def _exchange(
    document: Document, path: tuple[str, ...], table: dict[str, object], layer: Layer, ids: Ids, findings: Findings
) -> None:
    written = path[-1]
    if table and all(is_secret_key(name) and not keys.find(EXCHANGE_KEYS, name) for name in table):
        # A section of secrets.toml in the wrong file: its name may carry an account, which is no mistake of its own.
        for name in table:
            _report_secret(name, written, document.place(*path, name), findings)
        return
    exchange = ids.resolve(written, document.place(*path), findings)
    entries = layer.exchange(exchange) if exchange else []
    for name, value in table.items():
        at = document.place(*path, name)
        key = keys.find(EXCHANGE_KEYS, name)
        if key is None:
            _unknown(name, written, EXCHANGE_KEYS, at, findings)
            continue
        entry = make_entry(key, value, at, findings)
        if entry is not None:
            if entry.field == "ccxt":
                _check_ccxt(document, (*path, name), entry.value, written, findings)
            _check_proxy(entry, findings)
            entries.append(entry)


def _unknown(name: str, section: str, known: tuple[Key, ...], at: Place, findings: Findings) -> None:
    if is_secret_key(name):
        _report_secret(name, section if section not in SECTIONS else "<id>", at, findings)
        return
    listed = ", ".join(keys.names(known))
    fix = did_you_mean(name, keys.names(known)) or HINTS.get(name) or f"keys of [{section}] are {listed}"
    findings.error("unknown-key", f"[{section}] has no key {name}", at=at, fix=fix)


def _report_secret(name: str, section: str, at: Place, findings: Findings) -> None:
    text = f"{name} is a secret and must not stand in this file"
    fix = f"move it to secrets.toml, below [exchanges.{section}], and replace the key if this file was ever shared"
    findings.error("secret-in-settings", text, at=at, fix=fix)


def _check_proxy(entry: Entry, findings: Findings) -> None:
    if isinstance(entry.value, Secret) and values.has_password(entry.value):
        variable = f"PLANAR__{'__'.join((entry.place.key or '').removeprefix('exchanges.').split('.'))}".upper()
        text = f"{entry.key} holds a user or password, which must not stand in this file"
        findings.error(
            "secret-in-settings", text, at=entry.place, fix=f"give it by the environment variable {variable}"
        )


def _check_token(entry: Entry, findings: Findings) -> None:
    if entry.key == "telegram_token":
        text = "telegram_token is a secret and must not stand in this file"
        fix = "write telegram_token_file, the path of a file that holds it, or set PLANAR__ALARMS__TELEGRAM_TOKEN"
        findings.error("secret-in-settings", text, at=entry.place, fix=fix)


def _check_ccxt(
    document: Document, path: tuple[str | int, ...], table: dict[str, object], section: str, findings: Findings
) -> None:
    """`[<id>.ccxt]` is free, but for secrets and for what would go around a key of Planar."""
    for name in table:
        at = document.place(*path, name)
        if owner := CCXT_OWNED.get(name):
            text = f"{name} is set by Planar and cannot be passed to CCXT"
            findings.error("owned-key", text, at=at, fix=f"write {owner} in [{section}]")
        elif name == "verbose":
            text = "verbose makes CCXT print keys and signatures"
            findings.error("owned-key", text, at=at, fix="remove it; Planar's own log leaves secrets out")
    for inner, value in _leaves(path, table):
        name = str(inner[-1])
        if name.lower() in _SECRET_NAMES or (isinstance(value, str) and looks_like_pem(value)):
            _report_secret(name, section, document.place(*inner), findings)


def _leaves(path: tuple[str | int, ...], value: object) -> Iterator[tuple[tuple[str | int, ...], object]]:
    table = as_table(value)
    if table is not None:
        for name, item in table.items():
            yield from _leaves((*path, name), item)
    elif (items := as_list(value)) is not None:
        for number, item in enumerate(items):
            yield from _leaves((*path, number), item)
    else:
        yield path, value
