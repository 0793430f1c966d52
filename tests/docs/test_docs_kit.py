"""The tests of the documentation see what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from docs_kit import Block, Session, anchors, blocks, commands, expected, links


def page(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "page.md"
    path.write_text(text)
    return path


def shell(text: str) -> Block:
    return Block(Path("page.md"), 1, "sh", text, None)


def test_blocks_have_their_line_language_and_reason(tmp_path: Path) -> None:
    text = "# A\n\n```python\nx = 1\n```\n\n<!-- not run: needs a key -->\n\n```sh\nmake\n```\n"
    found = blocks(page(tmp_path, f"{text}<!-- not run: -->\n```\n\n```\n"))
    assert [(block.line, block.language, block.text, block.reason) for block in found] == [
        (3, "python", "x = 1\n", None),
        (9, "sh", "make\n", "needs a key"),
        (13, "", "\n", ""),
    ]
    with pytest.raises(ValueError, match=r"not closed"):
        blocks(page(tmp_path, "```python\nx = 1\n"))


def test_links_and_anchors_are_those_of_the_text(tmp_path: Path) -> None:
    path = page(tmp_path, "# One, `two`!\n[a](b.md#c) [d](https://e) [f](#one-two)\n```text\n# no\n[g](h)\n```\n")
    assert links(path) == ["b.md#c", "#one-two"]
    assert anchors(path) == {"one-two"}


def test_commands_lose_prompts_variables_comments_and_redirections() -> None:
    block = shell("$ A=1 planar a --b '<c d>' > file | jq . # no\nplanar \\\n  e\n\n# planar f\n")
    assert commands(block) == [["planar", "a", "--b", "<c d>"], ["jq", "."], ["planar", "e"]]


def test_what_a_block_prints_is_read_from_its_comments() -> None:
    assert expected(Block(Path("page.md"), 1, "python", "print(1)  # -> 1\nx = 2\n# -> two words\n", None)) == [
        "1",
        "two words",
    ]


def test_a_block_that_fails_or_waits_at_the_top_fails_the_page_at_its_line(tmp_path: Path) -> None:
    session = Session()
    try:
        block = Block(Path(__file__), 7, "python", "import asyncio\nawait asyncio.sleep(0)\nnothing\n", None)
        with pytest.raises(NameError) as caught:
            session.run(block)
        assert caught.traceback[-1].lineno + 1 == 10
        assert session.run(Block(Path(__file__), 1, "python", "print(asyncio.__name__)\n", None)) == "asyncio\n"
    finally:
        session.close()
