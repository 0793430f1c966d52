"""Reading the whole configuration: files and variables in, `Settings` out, all mistakes at once."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from pathlib import Path

from planar.config.credentials import CredentialStore
from planar.config.discovery import find_files, secrets_target
from planar.config.document import read_document
from planar.config.env import read_variables
from planar.config.findings import Findings
from planar.config.layers import Ids, Layer
from planar.config.merge import merge
from planar.config.paths import show
from planar.config.secrets import SecretsReader
from planar.config.settings import Settings
from planar.config.settings_file import read_settings


def load(
    config: Path | None = None,
    secrets: Path | None = None,
    *,
    cwd: Path | None = None,
    environ: Mapping[str, str] | None = None,
    known_ids: Collection[str] | None = None,
) -> Settings:
    """Read `planar.toml`, `secrets.toml` and the environment variables. No file at all is a valid configuration.

    Args:
        config: path of `planar.toml`; None looks for it (`planar.config.discovery`).
        secrets: path of `secrets.toml`; None looks for it.
        cwd: where the search starts; None is the working directory.
        environ: the variables; None are the process's.
        known_ids: ids of all exchanges; None accepts every well-formed id.

    Raises:
        InvalidConfig: with every error that was found.
    """
    settings, findings = read(config, secrets, cwd=cwd, environ=environ, known_ids=known_ids)
    findings.raise_errors()
    return settings


def read(
    config: Path | None,
    secrets: Path | None,
    *,
    cwd: Path | None,
    environ: Mapping[str, str] | None,
    known_ids: Collection[str] | None,
) -> tuple[Settings, Findings]:
    """The arguments of `load`. The settings are complete only if the findings hold no error."""
    environ = os.environ if environ is None else environ
    cwd = (cwd or Path.cwd()).absolute()
    findings = Findings()
    ids = Ids(known_ids)
    files = find_files(config, secrets, cwd, environ, findings)
    layer = Layer()
    if files.config and (document := read_document(files.config, show(files.config, cwd), findings, hide_values=False)):
        layer = read_settings(document, ids, findings)
    merged = merge(layer, read_variables(environ, ids, findings), findings)

    def accepts_open(exchange: str) -> bool:
        return merged.exchanges.get(exchange, merged.defaults).secrets_mode == "mounted"

    reader = SecretsReader(ids, list(merged.exchanges), cwd, accepts_open, findings)
    if files.secrets and (
        document := read_document(files.secrets, show(files.secrets, cwd), findings, hide_values=True)
    ):
        reader.read_file(document)
    reader.read_variables(environ)
    store = CredentialStore(entries=reader.credentials(), file=show(secrets_target(files, cwd), cwd))
    settings = Settings(
        exchanges=merged.exchanges,
        defaults=merged.defaults,
        selection=merged.selection,
        venue=merged.venue,
        budget=merged.budget,
        alarms=merged.alarms,
        store=store,
        files=files,
        warnings=findings.of("warn"),
        origins=merged.origins,
    )
    return settings, findings
