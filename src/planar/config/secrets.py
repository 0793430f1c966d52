"""`secrets.toml` and the credential variables to credentials.

    [exchanges.<id>[_<account>][_sandbox|_testnet|_demo|_local]]
    PLANAR_<ID>[_<ACCOUNT>][_SANDBOX|_TESTNET|_DEMO|_LOCAL]_<FIELD>[_FILE]

A variable overrides the same field of the same section. No message of this module holds a value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from planar.config import keys
from planar.config.credentials import FIELDS, Credentials, SecretField
from planar.config.document import Document, as_table, open_to_others, permission_fix, read_file, type_name
from planar.config.env import VARIABLES
from planar.config.findings import Findings, Place
from planar.config.layers import Ids
from planar.config.paths import show
from planar.config.schema import Environment
from planar.config.secret_checks import Given, SectionKey, Sections, check_mixtures, check_same_key
from planar.config.secret_text import is_placeholder, tidy
from planar.config.secret_type import Secret
from planar.config.section import Section, parse_section
from planar.config.suggest import did_you_mean
from planar.config.values import Wrong

_SPELLINGS = {spelling: field for field in FIELDS for spelling in field.spellings}
_NAMES = [*_SPELLINGS, *(f"{spelling}_file" for spelling in _SPELLINGS)]


class SecretsReader:
    """Collects credentials from `secrets.toml` and from variables.

    Args:
        ids: the ids that exist.
        own_ids: ids with settings in `planar.toml`.
        cwd: where relative paths in variables start; paths in messages are relative to it.
        accepts_open: whether secret files of an exchange may be open to others (`secrets_mode = "mounted"`).
        findings: gets what is wrong.
    """

    def __init__(
        self, ids: Ids, own_ids: list[str], cwd: Path, accepts_open: Callable[[str], bool], findings: Findings
    ) -> None:
        self._ids = ids
        self._own_ids = own_ids
        self._cwd = cwd
        self._accepts_open = accepts_open
        self._findings = findings
        self._sections: Sections = {}
        self._inline: list[tuple[str, Environment]] = []  # whose values stand in secrets.toml itself, right or wrong

    def read_file(self, document: Document) -> None:
        """Take what `secrets.toml` holds."""
        for top, value in document.data.items():
            exchanges = as_table(value)
            if top != "exchanges" or exchanges is None:
                self._wrong_top(document, top, value)
                continue
            for name, content in exchanges.items():
                self._section(document, name, content)
        self._check_mode(document)

    def read_variables(self, environ: Mapping[str, str]) -> None:
        """Take the credential variables; warn of other variables that begin with `PLANAR_`."""
        found: Sections = {}
        for name in sorted(environ):
            if name.startswith("PLANAR_") and not name.startswith("PLANAR__") and name not in VARIABLES:
                self._variable(name, environ[name], found)
        for key, given in found.items():
            self._sections[key] = self._sections.get(key, {}) | given

    def credentials(self) -> tuple[Credentials, ...]:
        """All credentials that were found."""
        check_mixtures(self._sections, self._findings)
        check_same_key(self._sections, self._findings)
        return tuple(_credentials(key, given) for key, given in self._sections.items() if given)

    def _wrong_top(self, document: Document, top: str, value: object) -> None:
        table = as_table(value)
        if table is None:
            text = f"{top} is {type_name(value)}; this file holds sections [exchanges.<id>] only"
            fix = "write [exchanges.<id>] above it"
        else:
            text = f"there is no section [{top}] in this file"
            fix = f"write [exchanges.{top}]"
            if top in keys.SECTIONS or (table and all(keys.find(keys.EXCHANGE_KEYS, name) for name in table)):
                fix = "settings belong in planar.toml"
        self._findings.error("unknown-section", text, at=document.place(top), fix=fix)

    def _section(self, document: Document, name: str, content: object) -> None:
        at = document.place("exchanges", name)
        table = as_table(content)
        if table is None:
            fix = f"write [exchanges.<id>] and {name} below it" if name in _NAMES else "write it as a section"
            self._findings.error("wrong-type", f"{name} is {type_name(content)}, not a section", at=at, fix=fix)
            return
        section = parse_section(name, self._ids, self._own_ids, at, self._findings)
        if any(key in _SPELLINGS for key in table):
            self._inline.append((section.exchange, section.environment) if section else (name, "live"))
        given: dict[str, Given] = {}
        for key, value in table.items():
            place = document.place("exchanges", name, key)
            found = self._value(document, name, key, value, place, section)
            if found is not None:
                self._put(given, *found)
        if section is None:
            return
        before = self._sections.get(_key(section))
        if before:
            other = next(iter(before.values())).place
            text = f"[exchanges.{name}] gives credentials that {other} gives already: both are for {_describe(section)}"
            self._findings.error("twice", text, at=at, fix="keep one of the two sections")
            return
        self._sections[_key(section)] = given

    def _value(
        self, document: Document, name: str, key: str, value: object, at: Place, section: Section | None
    ) -> tuple[SecretField, Given] | None:
        """One key of a section: its field and value."""
        from_file = key.endswith("_file")
        field = _SPELLINGS.get(key.removesuffix("_file"))
        if field is None:
            self._unknown(name, key, value, at)
            return None
        if not isinstance(value, str):
            fix = "write it in quotes"
            self._findings.error("wrong-type", f"{key} is {type_name(value)}; it must be a text", at=at, fix=fix)
            return None
        base = document.directory
        secret = self._from_file(field, value, base, at, section) if from_file else self._tidy(field, key, value, at)
        return (field, Given(secret=secret, place=at)) if secret else None

    def _unknown(self, name: str, key: str, value: object, at: Place) -> None:
        if as_table(value) is not None:
            text = f"[exchanges.{name}.{key}] is a section in a section"
            fix = f"an account is a suffix: [exchanges.{name}_{key}]"
        elif keys.find(keys.EXCHANGE_KEYS, key):
            text = f"{key} is a setting, not a secret"
            fix = f"move it to planar.toml, below [{name.split('_')[0]}]"
        else:
            text = f"[exchanges.{name}] has no key {key}"
            fix = (
                did_you_mean(key, _NAMES) or f"keys are {', '.join(field.key for field in FIELDS)}, and each with _file"
            )
        self._findings.error("unknown-key", text, at=at, fix=fix)

    def _tidy(self, field: SecretField, key: str, text: str, at: Place, *, from_file: bool = False) -> Secret | None:
        try:
            value = tidy(field, text, from_file=from_file)
        except Wrong as wrong:
            self._findings.error("wrong-secret", f"{key} {wrong.text}", at=at, fix=wrong.fix)
            return None
        if is_placeholder(value):
            fix = "put in the key that the exchange gave you"
            self._findings.warn("placeholder", f"{key} looks like an example, not like a key", at=at, fix=fix)
        return Secret(value)

    def _from_file(
        self, field: SecretField, written: str, base: Path, at: Place, section: Section | None
    ) -> Secret | None:
        """The value that stands in a file of its own."""
        if not written:
            self._findings.error("empty-value", f"{field.key}_file is empty", at=at, fix="give it a path, or remove it")
            return None
        path = base / Path(written).expanduser()
        shown = show(path, self._cwd)
        try:
            raw, mode = read_file(path)
            text = raw.decode("utf-8-sig")
        except OSError as error:
            self._findings.error("unreadable", f"{field.key}_file: {shown} cannot be read: {error.strerror}", at=at)
            return None
        except UnicodeDecodeError:
            fix = "convert it: openssl pkey -inform DER -in KEY.der -out KEY.pem"
            self._findings.error("encoding", f"{field.key}_file: {shown} is not text", at=at, fix=fix)
            return None
        if section is not None and open_to_others(mode):
            live = [section.exchange] if section.environment == "live" else []
            self._report_open(shown, mode or 0, live, [section.exchange], at)
        return self._tidy(field, f"{field.key}_file: the value in {shown}", text, at, from_file=True)

    def _check_mode(self, document: Document) -> None:
        if not open_to_others(document.mode):
            return
        live = sorted({exchange for exchange, environment in self._inline if environment == "live"})
        others = sorted({exchange for exchange, _ in self._inline})
        self._report_open(document.shown, document.mode or 0, live, others, Place(file=document.shown))

    def _report_open(self, shown: str, mode: int, live: list[str], exchanges: list[str], at: Place) -> None:
        """An error when other users can read live keys, a warning when they can read others; nothing when accepted."""
        live = [exchange for exchange in live if not self._accepts_open(exchange)]
        exchanges = [exchange for exchange in exchanges if not self._accepts_open(exchange)]
        fix = f'{permission_fix(shown)}   (or secrets_mode = "mounted" in planar.toml if a container sets the mode)'
        who = f"{shown} is open to other users (mode {mode:04o})"
        if live:
            text = f"{who} and holds live keys of {', '.join(live)}"
            self._findings.error("open-secrets", text, at=at, fix=fix)
        elif exchanges:
            self._findings.warn("open-secrets", who, at=at, fix=fix)

    def _variable(self, name: str, text: str, found: Sections) -> None:
        at = Place(key=name)
        lower = name.removeprefix("PLANAR_").lower()
        stem = lower.removesuffix("_file")
        # The longest spelling first: `..._wallet_address` before any shorter one that ends alike.
        spelling = next(
            (one for one in sorted(_SPELLINGS, key=len, reverse=True) if stem.endswith(f"_{one.lower()}")), None
        )
        section_text = stem[: -len(spelling) - 1] if spelling else ""
        if spelling is None or not section_text:
            self._foreign(name, at)
            return
        section = parse_section(section_text, self._ids, self._own_ids, at, self._findings)
        field, from_file = _SPELLINGS[spelling], stem != lower
        secret = (
            self._from_file(field, text, self._cwd, at, section) if from_file else self._tidy(field, "it", text, at)
        )
        if section is not None and secret is not None:
            self._put(found.setdefault(_key(section), {}), field, Given(secret=secret, place=at, variable=True))

    def _foreign(self, name: str, at: Place) -> None:
        """A `PLANAR_` variable that is nothing of ours: an error where it begins with an exchange, else a warning."""
        stem = name.removeprefix("PLANAR_").lower()
        ours = any(stem.startswith(f"{one}_") for one in (*(self._ids.known or ()), *self._own_ids))
        tail = stem.rsplit("_", 1)[-1]
        near = did_you_mean(name, VARIABLES)
        if ours:
            fix = near or did_you_mean(tail, [field.key.upper() for field in FIELDS])
            self._findings.error("unknown-variable", "no setting and no credential has this name", at=at, fix=fix)
        else:
            self._findings.warn("unknown-variable", "Planar reads no variable of this name", at=at, fix=near)

    def _put(self, given: dict[str, Given], field: SecretField, one: Given) -> None:
        before = given.get(field.name)
        if before is not None:
            text = f"{field.key} is given a second time; the first is at {before.place}"
            self._findings.error("twice", text, at=one.place, fix="keep one of them")
            return
        given[field.name] = one


def _key(section: Section) -> SectionKey:
    return section.exchange, section.account, section.environment


def _describe(section: Section) -> str:
    account = f" account {section.account}," if section.account else ""
    return f"{section.exchange},{account} {section.environment}"


def _credentials(key: SectionKey, given: dict[str, Given]) -> Credentials:
    exchange, account, environment = key
    values = {field.attribute: given[field.name].secret for field in FIELDS if field.name in given}
    origins = tuple((field.name, str(given[field.name].place)) for field in FIELDS if field.name in given)
    return msgspec.structs.replace(
        Credentials(exchange=exchange, account=account, environment=environment, origins=origins), **values
    )
