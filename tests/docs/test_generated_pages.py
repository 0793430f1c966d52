"""Pages that are written by programs are those that would be written now."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest
from docs_kit import ROOT, links
from tests.matrix.__main__ import main as matrix_main
from tests.matrix.options import play_options
from tests.matrix.page import COMMAND, PAGE, row
from tests.matrix.run import play

from planar.adapters.exchange_ids import exchange_ids
from planar.models import Order

SAMPLE = ("binance", "kraken", "okx", "hyperliquid", "zaif")
EXCHANGES = ROOT / "docs" / "exchanges"


def script(name: str) -> ModuleType:
    """A program of `scripts/`."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PAGES_OF_EXCHANGES = script("exchange_pages")
REFERENCE = script("api_reference")


def stale(written: dict[Path, str]) -> list[str]:
    return [path.name for path, text in written.items() if not path.exists() or path.read_text() != text]


def test_the_pages_of_exchanges_are_current() -> None:
    assert stale(PAGES_OF_EXCHANGES.written(SAMPLE)) == [], f"run: {PAGES_OF_EXCHANGES.COMMAND}"


def test_every_id_has_a_page_and_a_row_in_both_tables() -> None:
    ids = list(exchange_ids())
    assert [one for one in ids if not (EXCHANGES / f"{one}.md").exists()] == [], f"run: {PAGES_OF_EXCHANGES.COMMAND}"
    for table, command in ((EXCHANGES / "README.md", PAGES_OF_EXCHANGES.COMMAND), (PAGE, COMMAND)):
        listed = re.findall(r"^\| \[(\w+)\]\(\1\.md\)", table.read_text(), re.MULTILINE)
        assert listed == ids, f"run: {command}"


def test_what_is_written_by_hand_stays() -> None:
    found = PAGES_OF_EXCHANGES.facts("binance")
    text = PAGES_OF_EXCHANGES.page(found)
    assert text.startswith("# Binance\n\nWhat Planar knows of Binance spot beyond CCXT.")
    assert text.count(PAGES_OF_EXCHANGES.BEGIN) == text.count(PAGES_OF_EXCHANGES.END) == 1


def test_a_page_says_why_there_is_no_sandbox() -> None:
    okx, zaif = (PAGES_OF_EXCHANGES.facts(one) for one in ("okx", "zaif"))
    assert "its requests go to the live hosts" in okx.environments["sandbox"]
    assert zaif.environments["sandbox"] == "refused: there is no sandbox environment"
    assert "testnet.binance.vision" in PAGES_OF_EXCHANGES.facts("binance").environments["sandbox"]


def test_the_matrix_is_current_and_nothing_in_it_is_wrong() -> None:
    text = PAGE.read_text()
    assert row("zaif", play("zaif"), play_options("zaif")) in text.splitlines(), f"run: {COMMAND}"
    wrong = [line for line in text.splitlines() if line.startswith("| [") and not line.endswith("| 0 |")]
    assert wrong == []


def test_the_page_of_the_matrix_is_about_all_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["tests.matrix", "--page", "okx"])
    before = PAGE.read_text()
    with pytest.raises(SystemExit):
        matrix_main()
    assert PAGE.read_text() == before


def test_the_api_reference_is_current() -> None:
    assert stale(REFERENCE.written()) == [], f"run: {REFERENCE.COMMAND}"
    pages = {path.name for path in REFERENCE.PAGES.glob("*.md")}
    assert pages == {path.name for path in REFERENCE.written()}
    assert {link.partition("#")[0] for link in links(REFERENCE.PAGES / "README.md")} == pages - {"README.md"}


def test_every_public_member_has_a_docstring() -> None:
    assert REFERENCE.undocumented() == []


def test_a_public_member_without_a_docstring_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    class Bare:
        def method(self) -> None: ...

    Bare.__module__ = "planar.bare"
    monkeypatch.setitem(REFERENCE.CLASSES, "bare", ("nothing", Bare))
    assert [one.rsplit(".", 1)[1] for one in REFERENCE.undocumented()] == ["Bare", "method"]


def test_signatures_and_sections_read_as_markdown() -> None:
    async def fetch(self: object, symbol: str, *, deep: bool = False) -> Order: ...

    assert REFERENCE.signature("fetch", fetch) == "async fetch(symbol: str, *, deep: bool = False) -> Order"
    text = "Ask.\n\n    x = 1\n\nArgs:\n    symbol: of a market,\n        as listed.\n\nRaises:\n    BadSymbol: none."
    assert REFERENCE.prose(text).splitlines() == [
        *("Ask.", "", "```text", "x = 1", "```", "", "**Args**", ""),
        *("- `symbol`: of a market,", "  as listed.", "", "**Raises**", "", "- `BadSymbol`: none."),
    ]
