"""docs/configuration.md is complete and right; the package's surface."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

import planar.config
from planar.config import ALIASES, ENVIRONMENTS, AlarmSettings, BudgetSettings, ExchangeSettings, VenueSettings, load
from planar.config.credentials import FIELDS
from planar.config.env import VARIABLES
from planar.config.keys import CCXT_OWNED, EXCHANGE_KEYS, SECTIONS, SELECTION_KEYS, VENUE_KEYS, Key

PAGE = (Path(__file__).parents[3] / "docs" / "configuration.md").read_text()
BLOCKS = re.findall(r"```toml\n# user/(planar|secrets)\.toml\n(.*?)```", PAGE, re.DOTALL)


def row(name: str) -> list[str]:
    """The cells of the table row that begins with `name`."""
    rows = re.findall(rf"^\| `{re.escape(name)}` \|(.*)\|$", PAGE, re.MULTILINE)
    assert rows, f"{name} has no row in docs/configuration.md"
    return [cell.strip() for cell in rows[0].split(" | ")]


@pytest.mark.parametrize("key", [*EXCHANGE_KEYS, *SELECTION_KEYS, *VENUE_KEYS], ids=lambda key: key.name)
def test_every_key_stands_on_the_page(key: Key) -> None:
    cells = row(key.name)
    assert len(cells) == 2
    assert all(cells)
    for spelling in key.spellings:
        assert f"`{spelling}`" in cells[1]


def test_every_section_variable_field_environment_and_alias_stands_on_the_page() -> None:
    for section, keys in SECTIONS.items():
        text = PAGE.split(f"## `[{section}]`")[1].split("\n## ")[0]
        for key in keys:
            assert f"`{key.name}`" in text
    for field in FIELDS:
        for spelling in field.spellings:
            assert f"`{spelling}`" in PAGE
    for variable in VARIABLES:
        assert f"`{variable}`" in PAGE
    for environment in ENVIRONMENTS:
        assert f'`"{environment}"`' in row("environment")[1]
    for former, alias in ALIASES.items():
        assert f"`{former}`" in PAGE
        assert f"`{alias.id}`" in PAGE
    for owner in set(CCXT_OWNED.values()) - {"verify_ssl", "proxy"}:
        assert f"`{owner}`" in PAGE.split("In `[<id>.ccxt]`")[1].split("\n\n")[0]


@pytest.mark.parametrize("key", EXCHANGE_KEYS, ids=lambda key: key.name)
def test_the_defaults_on_the_page_are_the_schemas(key: Key) -> None:
    default = getattr(ExchangeSettings(id="x"), key.field)
    texts = {True: "`true`", False: "`false`", None: "none", 10_000: "`10000`", 3_600_000: '`"60m"`', (): "`[]`"}
    texts |= {word: f'`"{word}"`' for word in ("private", "report", "process")}
    tables = {"leveraged": "never", "ccxt": "empty", "limits": "none", "paper": "see below"}
    wanted = tables.get(key.name) or texts.get(default, f'`"{default}"`')
    assert row(key.name)[0] == wanted


def test_the_defaults_of_the_venue() -> None:
    defaults = [getattr(VenueSettings(), key.field) for key in VENUE_KEYS]
    written = ["none" if value is None else f"`{value}`" for value in defaults]
    assert [row(key.name)[0] for key in VENUE_KEYS] == written


@pytest.mark.parametrize(("kind", "text"), BLOCKS, ids=[f"{kind} {n}" for n, (kind, _) in enumerate(BLOCKS)])
def test_every_toml_block_of_the_page_loads(tmp_path: Path, kind: str, text: str) -> None:
    key = ed25519.Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for name, content in ((f"{kind}.toml", text.encode()), ("binance.pem", key)):
        (tmp_path / name).write_bytes(content)
        (tmp_path / name).chmod(0o600)
    settings = load(cwd=tmp_path, environ={})
    assert settings.warnings == ()
    mentioned = settings.exchanges or settings.store.entries or settings.origins or settings.venue != VenueSettings()
    mentioned = mentioned or settings.budget != BudgetSettings() or settings.alarms != AlarmSettings()
    assert mentioned


def test_the_page_has_toml_blocks_and_only_marked_ones() -> None:
    assert len(BLOCKS) == PAGE.count("```toml") >= 7


def test_the_exported_names_are_sorted_and_there() -> None:
    assert planar.config.__all__ == sorted(planar.config.__all__)
    for name in planar.config.__all__:
        assert hasattr(planar.config, name)


def test_the_import_is_light() -> None:
    heavy = ("ccxt", "aiohttp", "rich", "asyncio", "orjson", "cryptography", "cyclopts")
    code = f"import sys, planar.config; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
