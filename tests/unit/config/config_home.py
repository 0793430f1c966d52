"""A directory with configuration files, read as a user's would be."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from planar.config import Finding, InvalidConfig, Report, Settings, check, load

IDS = (
    "binance",
    "bybit",
    "coinbase",
    "coinbaseexchange",
    "gate",
    "htx",
    "hyperliquid",
    "kraken",
    "kucoin",
    "okx",
)


class Home:
    """`user/planar.toml` and `user/secrets.toml` below a directory of the test's own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.config = path / "user" / "planar.toml"
        self.secrets = path / "user" / "secrets.toml"
        self.config.parent.mkdir()

    def write(self, config: str | None = None, secrets: str | None = None, *, mode: int = 0o600) -> Home:
        """Write the files that are given."""
        if config is not None:
            self.config.write_text(config)
        if secrets is not None:
            self.secrets.write_text(secrets)
            self.secrets.chmod(mode)
        return self

    def load(self, environ: Mapping[str, str] | None = None, *, known: bool = True) -> Settings:
        """Load, with no variables but the given ones."""
        return load(cwd=self.path, environ=self._environ(environ), known_ids=IDS if known else None)

    def check(self, environ: Mapping[str, str] | None = None, **options: object) -> Report:
        """Check, with no variables but the given ones."""
        return check(cwd=self.path, environ=self._environ(environ), known_ids=IDS, **options)  # type: ignore[arg-type]

    def errors(self, environ: Mapping[str, str] | None = None, *, known: bool = True) -> list[Finding]:
        """The errors that loading raises."""
        with pytest.raises(InvalidConfig) as caught:
            self.load(environ, known=known)
        return [finding for finding in caught.value.findings if finding.level == "error"]

    def error(self, environ: Mapping[str, str] | None = None, *, known: bool = True) -> Finding:
        """The one error that loading raises."""
        errors = self.errors(environ, known=known)
        assert len(errors) == 1, "\n".join(map(str, errors))
        return errors[0]

    def _environ(self, environ: Mapping[str, str] | None) -> dict[str, str]:
        return {"HOME": str(self.path / "nobody"), **(environ or {})}
