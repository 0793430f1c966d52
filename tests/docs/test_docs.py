"""The documentation is true: its code runs, its configuration loads, its commands exist, its links lead somewhere."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import docs_kit
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cyclopts import App, CycloptsError
from docs_kit import Block, Session, anchors, blocks, commands, expected, links, name, pages, prose

from planar.adapters.exchange_ids import exchange_ids
from planar.cli.app import make_app
from planar.config import load

LANGUAGES = {"python", "toml", "sh", "text", "json", "js"}
MAKEFILE = (docs_kit.ROOT / "Makefile").read_text()


def chosen(*languages: str) -> list[Block]:
    return [block for path in pages() for block in blocks(path) if block.language in languages]


def where(block: Block) -> str:
    return f"{name(block.path)}:{block.line}"


def runnable(path: Path) -> list[Block]:
    return [block for block in blocks(path) if block.language == "python" and block.reason is None]


@pytest.mark.parametrize("path", [path for path in pages() if runnable(path)], ids=name)
def test_every_python_block_of_a_page_runs_and_prints_what_it_says(path: Path, at_home: Path) -> None:
    session = Session()
    try:
        for block in runnable(path):
            printed = session.run(block)
            lines = iter(printed.splitlines())
            for line in expected(block):
                assert line in lines, f"{where(block)} should print {line!r} (in this order); it prints\n{printed}"
    finally:
        session.close()


def test_every_block_has_a_language_and_a_reason_where_it_is_not_run() -> None:
    wrong = [where(block) for path in pages() for block in blocks(path) if block.language not in LANGUAGES]
    assert wrong == [], "unknown language"
    wrong = [where(block) for path in pages() for block in blocks(path) if block.reason == ""]
    assert wrong == [], "no reason"


@pytest.mark.parametrize("block", chosen("toml"), ids=where)
def test_every_toml_block_loads(block: Block, tmp_path: Path) -> None:
    kind = re.match(r"# user/((?:planar|secrets)\.toml)\n", block.text)
    assert kind, "the first line says which file it is: # user/planar.toml or # user/secrets.toml"
    key = ed25519.Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for file, content in ((kind.group(1), block.text.encode()), ("binance.pem", key)):
        (tmp_path / file).write_bytes(content)
        (tmp_path / file).chmod(0o600)
    assert load(cwd=tmp_path, environ={}, known_ids=exchange_ids()).warnings == ()


@pytest.mark.parametrize("block", chosen("sh"), ids=where)
def test_every_command_of_a_shell_block_exists(block: Block) -> None:
    app = make_app()
    for command in commands(block):
        if command[0] == "planar":
            try:
                app.parse_args(command[1:], print_error=False, exit_on_error=False)
            except CycloptsError as error:
                pytest.fail(f"{' '.join(command)}: {error}")
        elif command[0] == "make":
            for target in command[1:]:
                assert "=" in target or re.search(rf"^{re.escape(target)}:", MAKEFILE, re.MULTILINE), target


def in_tree(app: App, words: list[str]) -> bool:
    """Whether the words begin with a command; of a group of commands, with one of its commands."""
    for word in words:
        if word not in app:
            return app.default_command is not None
        app = app[word]
    return True


@cache
def whole_app() -> App:
    """All commands, made once: nothing is run here."""
    return make_app()


@pytest.mark.parametrize("path", pages(), ids=name)
def test_every_command_named_in_the_text_exists(path: Path) -> None:
    app = whole_app()
    named = re.findall(r"`planar ([a-z][^`]*)`", prose(path))
    # `planar venue up | down` names two
    wrong = [text for text in named if not in_tree(app, re.split(r"[ |]", text.split(" | ")[0]))]
    assert wrong == []
    targets = re.findall(r"`make ([a-z][a-z-]*)", prose(path))
    assert [one for one in targets if not re.search(rf"^{one}:", MAKEFILE, re.MULTILINE)] == []


@pytest.mark.parametrize("path", pages(), ids=name)
def test_every_link_leads_somewhere(path: Path) -> None:
    wrong: list[str] = []
    for link in links(path):
        target, _, anchor = link.partition("#")
        file = (path.parent / target).resolve() if target else path
        if not file.is_relative_to(docs_kit.ROOT) or not file.exists() or (anchor and anchor not in anchors(file)):
            wrong.append(link)
    assert wrong == []


def test_every_page_of_docs_can_be_found_from_the_readme() -> None:
    found: set[Path] = set()
    listing = [docs_kit.ROOT / "README.md"]
    while listing:  # the README, and the tables of contents that it names
        page = listing.pop()
        named = {(page.parent / link.partition("#")[0]).resolve() for link in links(page)} - found
        found |= named
        listing += sorted(path for path in named if path.name == "README.md")
    missing = [name(path) for path in pages() if path.is_relative_to(docs_kit.ROOT / "docs") and path not in found]
    assert missing == []
