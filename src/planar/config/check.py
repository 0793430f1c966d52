"""The report behind `planar config check`: every file, setting and credential with what is right, doubtful or wrong."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path

import msgspec

from planar.config.credentials import section_name
from planar.config.findings import Finding, Findings, Level, Place
from planar.config.load import read
from planar.config.paths import show
from planar.config.schema import ENVIRONMENTS, ExchangeSettings
from planar.config.settings import Settings

RequiredFields = Callable[[str], Collection[str]]
"""The credentials that an exchange requires, by CCXT's names."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What was found. `msgspec.to_builtins(report.findings)` is its machine-readable form.

    Attributes:
        findings: errors first, then warnings, then what is right.
        settings: the settings; None if there is an error.
    """

    findings: tuple[Finding, ...]
    settings: Settings | None

    @property
    def level(self) -> Level:
        """The worst level found."""
        return self.findings[0].level


def check(
    config: Path | None = None,
    secrets: Path | None = None,
    *,
    cwd: Path | None = None,
    environ: Mapping[str, str] | None = None,
    known_ids: Collection[str] | None = None,
    required_fields: RequiredFields | None = None,
) -> Report:
    """Check the configuration without raising. Arguments as of `load`.

    Args:
        required_fields: tells which credentials an exchange requires; None leaves their completeness unchecked.
    """
    settings, findings = read(config, secrets, cwd=cwd, environ=environ, known_ids=known_ids)
    _files(settings, (cwd or Path.cwd()).absolute(), findings)
    if not findings.of("error"):
        for exchange in dict.fromkeys([*settings.exchanges, *(one.exchange for one in settings.store.entries)]):
            _exchange(settings, settings.exchange(exchange), findings)
        if required_fields is not None:
            _completeness(settings, required_fields, findings)
    order = (*findings.of("error"), *findings.of("warn"), *findings.of("ok"))
    return Report(findings=order, settings=None if findings.of("error") else settings)


def _files(settings: Settings, cwd: Path, findings: Findings) -> None:
    for name, path in (("planar.toml", settings.files.config), ("secrets.toml", settings.files.secrets)):
        if path is None:
            findings.ok("no-file", f"no {name} was read")
        elif not any(one.level == "error" and one.file == show(path, cwd) for one in findings.items):
            findings.ok("file", f"{name} is in order", at=Place(file=show(path, cwd)))


def _exchange(settings: Settings, exchange: ExchangeSettings, findings: Findings) -> None:
    environment = exchange.environment
    held = [one for one in ENVIRONMENTS if settings.accounts(exchange.id, one)]
    if environment is None:
        text = f"{exchange.id}: no environment is written; public calls go to live, signed calls are refused"
        if held:
            fix = f'write environment = "{held[0]}" in [{exchange.id}]'
            findings.warn("no-environment", f"{text}, though there are credentials for {', '.join(held)}", fix=fix)
        else:
            findings.ok("exchange", text)
        return
    accounts = settings.accounts(exchange.id, environment)
    named = ", ".join(account or "(without a name)" for account in accounts)
    if accounts:
        findings.ok("exchange", f"{exchange.id}: {environment}, accounts: {named}")
    elif held and environment not in ("paper", "local"):
        text = f"{exchange.id}: the environment is {environment}, but there are credentials for {', '.join(held)} only"
        fix = f"put the {environment} credentials into [exchanges.{section_name(exchange.id, '', environment)}]"
        findings.warn("other-environment", text, fix=fix)
    else:
        findings.ok("exchange", f"{exchange.id}: {environment}, without credentials")


def _completeness(settings: Settings, required_fields: RequiredFields, findings: Findings) -> None:
    for one in settings.store.entries:
        missing = one.missing(required_fields(one.exchange))
        if missing:
            error = settings.missing_credentials_error(one.exchange, one.account, one.environment, missing)
            at = Place(
                file=settings.store.file, key=f"exchanges.{section_name(one.exchange, one.account, one.environment)}"
            )
            findings.warn("incomplete", f"{one.exchange}: {error.message}", at=at, fix=error.hint)
