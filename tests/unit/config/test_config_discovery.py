"""Which files are found, and where things are kept."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from planar.config import InvalidConfig, cache_dir, config_dir, load, state_dir
from planar.config.paths import show

TOML = "[okx]\nfutures = true\n"
SECRETS = '[exchanges.okx]\napiKey = "k"\n'


def put(path: Path, text: str) -> Path:
    """Write a private file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o600)
    return path


def found(cwd: Path, **environ: str) -> tuple[Path | None, Path | None]:
    """What load reads from `cwd`."""
    files = load(cwd=cwd, environ={"HOME": str(cwd / "nobody"), **environ}).files
    return files.config, files.secrets


@pytest.mark.parametrize("place", ["planar.toml", "user/planar.toml"])
@pytest.mark.parametrize("depth", ["", "a", "a/b/c"])
def test_the_search_goes_up(tmp_path: Path, place: str, depth: str) -> None:
    config = put(tmp_path / place, TOML)
    (tmp_path / depth).mkdir(parents=True, exist_ok=True)
    assert found(tmp_path / depth) == (config, None)


def test_the_nearest_wins_and_planar_toml_over_user(tmp_path: Path) -> None:
    put(tmp_path / "user/planar.toml", TOML)
    nearest = put(tmp_path / "a/user/planar.toml", TOML)
    assert found(tmp_path / "a")[0] == nearest
    nearest = put(tmp_path / "a/planar.toml", TOML)
    assert found(tmp_path / "a")[0] == nearest


@pytest.mark.parametrize(
    ("config", "secrets"),
    [
        ("user/planar.toml", "user/secrets.toml"),
        ("planar.toml", "secrets.toml"),
        ("planar.toml", "user/secrets.toml"),
        (None, "secrets.toml"),
        (None, "user/secrets.toml"),
    ],
)
def test_secrets_lie_beside_the_settings(tmp_path: Path, config: str | None, secrets: str) -> None:
    config_path = put(tmp_path / config, TOML) if config else None
    path = put(tmp_path / secrets, SECRETS)
    (tmp_path / "deeper").mkdir()
    assert found(tmp_path / "deeper") == (config_path, path)


def test_secrets_of_another_project_are_not_taken(tmp_path: Path) -> None:
    put(tmp_path / "secrets.toml", SECRETS)
    config = put(tmp_path / "project/planar.toml", TOML)
    assert found(tmp_path / "project") == (config, None)


def test_variables_name_the_files(tmp_path: Path) -> None:
    put(tmp_path / "planar.toml", TOML)
    config = put(tmp_path / "else/my.toml", TOML)
    secrets = put(tmp_path / "vault/s.toml", SECRETS)
    beside = put(tmp_path / "else/secrets.toml", SECRETS)
    assert found(tmp_path, PLANAR_CONFIG="else/my.toml") == (config, beside)
    assert found(tmp_path, PLANAR_CONFIG=str(config), PLANAR_SECRETS=str(secrets)) == (config, secrets)


def test_arguments_win_over_variables(tmp_path: Path) -> None:
    put(tmp_path / "a.toml", "[okx]\ntimeout = 1000")
    put(tmp_path / "b.toml", "[okx]\ntimeout = 2000")
    settings = load(Path("b.toml"), cwd=tmp_path, environ={"PLANAR_CONFIG": "a.toml"})
    assert settings.exchange("okx").timeout_ms == 2000


def test_a_named_file_that_is_missing_is_not_replaced_by_another(tmp_path: Path) -> None:
    put(tmp_path / "planar.toml", TOML)
    put(tmp_path / "secrets.toml", SECRETS)
    for variable in ("PLANAR_CONFIG", "PLANAR_SECRETS"):
        with pytest.raises(InvalidConfig, match=f"{variable}: there is no file x/none.toml"):
            found(tmp_path, **{variable: "x/none.toml"})


@pytest.mark.parametrize("name", ["planar.toml", "user/planar.toml", "secrets.toml"])
def test_a_directory_in_the_place_of_a_file_is_an_error(tmp_path: Path, name: str) -> None:
    """As a container makes one where a file to be mounted is missing."""
    (tmp_path / name).mkdir(parents=True)
    with pytest.raises(InvalidConfig, match=f"{name}: the file cannot be read: Is a directory"):
        found(tmp_path)


@pytest.mark.skipif(sys.platform != "linux", reason="XDG directories")
def test_the_users_own_directory_is_asked_last(tmp_path: Path) -> None:
    config = put(tmp_path / "home/.config/planar/planar.toml", TOML)
    secrets = put(tmp_path / "home/.config/planar/secrets.toml", SECRETS)
    (tmp_path / "work").mkdir()
    assert found(tmp_path / "work", HOME=str(tmp_path / "home")) == (config, secrets)
    own = put(tmp_path / "work/planar.toml", TOML)
    assert found(tmp_path / "work", HOME=str(tmp_path / "home")) == (own, None)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
@pytest.mark.parametrize(("directory_mode", "allowed"), [(0o777, False), (0o1777, False), (0o755, True)])
def test_a_file_that_another_user_may_have_planted_is_not_used(
    tmp_path: Path, directory_mode: int, allowed: bool
) -> None:
    config = put(tmp_path / "shared/planar.toml", TOML)
    os.chown(config, 12_345, 12_345)
    config.parent.chmod(directory_mode)
    if allowed:
        assert found(config.parent)[0] == config
        return
    with pytest.raises(InvalidConfig, match="belongs to another user"):
        found(config.parent)
    assert found(config.parent, PLANAR_CONFIG=str(config))[0] == config


@pytest.mark.skipif(sys.platform != "linux", reason="XDG directories")
@pytest.mark.parametrize(
    ("environ", "config", "state", "cache"),
    [
        ({}, "/h/.config/planar", "/h/.local/state/planar", "/h/.cache/planar"),
        (
            {"XDG_CONFIG_HOME": "/c", "XDG_STATE_HOME": "/s", "XDG_CACHE_HOME": "/k"},
            "/c/planar",
            "/s/planar",
            "/k/planar",
        ),
        ({"XDG_STATE_HOME": "relative"}, "/h/.config/planar", "/h/.local/state/planar", "/h/.cache/planar"),
        ({"PLANAR_STATE": "/st", "PLANAR_CACHE": "/ca"}, "/h/.config/planar", "/st", "/ca"),
        ({"PLANAR_STATE": "", "PLANAR_CACHE": ""}, "/h/.config/planar", "/h/.local/state/planar", "/h/.cache/planar"),
    ],
)
def test_directories(environ: dict[str, str], config: str, state: str, cache: str) -> None:
    environ = {"HOME": "/h", **environ}
    assert (config_dir(environ), state_dir(environ), cache_dir(environ)) == (Path(config), Path(state), Path(cache))


def test_directories_by_default_are_of_the_process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PLANAR_STATE", str(tmp_path / "s"))
    monkeypatch.setenv("PLANAR_CACHE", "relative")
    monkeypatch.chdir(tmp_path)
    assert state_dir() == tmp_path / "s"
    assert cache_dir() == tmp_path / "relative"


def test_paths_are_shown_from_the_working_directory(tmp_path: Path) -> None:
    assert show(tmp_path / "user" / "x", tmp_path) == "user/x"
    assert show(Path("/etc/x"), tmp_path) == "/etc/x"
