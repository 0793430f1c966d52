"""Where Planar keeps things on this machine: configuration, state (journals, the local venue), cache (markets).

`PLANAR_STATE` and `PLANAR_CACHE` win; then the XDG variables; then the platform's own places. Nothing is created here.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from planar.errors import ConfigError


def config_dir(environ: Mapping[str, str] | None = None) -> Path:
    """The user's own directory for `planar.toml`, asked last: `$XDG_CONFIG_HOME/planar`."""
    return _base("XDG_CONFIG_HOME", ".config", "Library/Application Support", "APPDATA", environ)


def state_dir(environ: Mapping[str, str] | None = None) -> Path:
    """The directory of what must survive a restart: `$PLANAR_STATE`, or `$XDG_STATE_HOME/planar`."""
    return _own("PLANAR_STATE", environ) or _base(
        "XDG_STATE_HOME", ".local/state", "Library/Application Support", "LOCALAPPDATA", environ
    )


def cache_dir(environ: Mapping[str, str] | None = None) -> Path:
    """The directory of what may be deleted at any time: `$PLANAR_CACHE`, or `$XDG_CACHE_HOME/planar`."""
    return _own("PLANAR_CACHE", environ) or _base("XDG_CACHE_HOME", ".cache", "Library/Caches", "LOCALAPPDATA", environ)


def show(path: Path, cwd: Path) -> str:
    """`path` as messages give it: relative when it lies below `cwd`, else in full."""
    try:
        return path.relative_to(cwd).as_posix()
    except ValueError:
        return str(path)


def _own(variable: str, environ: Mapping[str, str] | None) -> Path | None:
    value = (os.environ if environ is None else environ).get(variable)
    return Path(value).expanduser().absolute() if value else None


def _base(variable: str, unix: str, mac: str, windows: str, environ: Mapping[str, str] | None) -> Path:
    environ = os.environ if environ is None else environ
    written = environ.get(variable, "")
    # The XDG specification has relative values ignored.
    if os.path.isabs(written):
        return Path(written) / "planar"
    if sys.platform == "win32" and environ.get(windows):
        return Path(environ[windows]) / "planar"
    return _home(environ) / (mac if sys.platform == "darwin" else unix) / "planar"


def _home(environ: Mapping[str, str]) -> Path:
    written = environ.get("HOME")
    if written:
        return Path(written)
    try:
        return Path.home()
    except RuntimeError:
        raise ConfigError(
            "the home directory is unknown, so there is no place for the state and the cache",
            hint="set HOME, or PLANAR_STATE and PLANAR_CACHE",
        ) from None
