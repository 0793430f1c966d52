"""Which `planar.toml` and `secrets.toml` are read.

`PLANAR_CONFIG` and `PLANAR_SECRETS` name them; otherwise the first directory from the working directory upwards that
holds `planar.toml` or `user/planar.toml`; otherwise the user's own configuration directory. `secrets.toml` lies beside
`planar.toml`; without a `planar.toml` it is looked for in the same way.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from planar.config.findings import Findings, Place
from planar.config.paths import config_dir, show
from planar.config.schema import Files

CONFIG_NAME = "planar.toml"
SECRETS_NAME = "secrets.toml"


def find_files(
    config: Path | None, secrets: Path | None, cwd: Path, environ: Mapping[str, str], findings: Findings
) -> Files:
    """The files to read. Arguments win over variables, variables over the search. A named file must exist."""
    named = _named(config, "PLANAR_CONFIG", cwd, environ)
    config_found = _existing(*named, cwd, findings) if named else _searched(CONFIG_NAME, cwd, environ, findings)
    beside = named[0] if named else config_found
    named = _named(secrets, "PLANAR_SECRETS", cwd, environ)
    if named:
        secrets_found = _existing(*named, cwd, findings)
    elif beside:
        secrets_found = _first(SECRETS_NAME, [beside.parent])
    else:
        secrets_found = _searched(SECRETS_NAME, cwd, environ, findings)
    return Files(config=config_found, secrets=secrets_found)


def secrets_target(files: Files, cwd: Path) -> Path:
    """Where credentials are to be written: the file that was read, else the one beside `planar.toml`."""
    if files.secrets is not None:
        return files.secrets
    return (files.config.parent if files.config else cwd / "user") / SECRETS_NAME


def _named(path: Path | None, variable: str, cwd: Path, environ: Mapping[str, str]) -> tuple[Path, Place] | None:
    """The file that an argument or a variable names, and where it is named."""
    if path is not None:
        return cwd / path.expanduser(), Place(file=str(path))
    text = environ.get(variable)
    return (cwd / Path(text).expanduser(), Place(key=variable)) if text else None


def _existing(path: Path, at: Place, cwd: Path, findings: Findings) -> Path | None:
    if path.exists():
        return path
    fix = "correct the path; planar init writes new files"
    findings.error("no-file", f"there is no file {show(path, cwd)}", at=at, fix=fix)
    return None


def _searched(name: str, cwd: Path, environ: Mapping[str, str], findings: Findings) -> Path | None:
    found = _first(name, [cwd, *cwd.parents])
    if found is None:
        own = config_dir(environ) / name
        return own if own.exists() else None
    if _planted(found):
        text = "the file belongs to another user and lies in a directory that everyone may write to; it is not used"
        variable = "PLANAR_CONFIG" if name == CONFIG_NAME else "PLANAR_SECRETS"
        findings.error(
            "foreign-file", text, at=Place(file=show(found, cwd)), fix=f"to use it all the same, set {variable}"
        )
        return None
    return found


def _first(name: str, directories: list[Path]) -> Path | None:
    return next((path for path in _candidates(name, directories) if path.exists()), None)


def _candidates(name: str, directories: list[Path]) -> Iterator[Path]:
    for directory in directories:
        yield directory / name
        yield directory / "user" / name


def _planted(path: Path) -> bool:
    """Whether another user may have put the file into our way (a `planar.toml` in /tmp could set a proxy)."""
    if os.name != "posix":
        return False
    owner = path.stat().st_uid
    return owner not in (0, os.getuid()) and bool(path.parent.stat().st_mode & stat.S_IWOTH)
