"""The pages of the documentation, taken apart: code blocks, commands, links, headings.

A fenced block that cannot run where the tests run has a reason in an HTML comment right before it:

    <!-- not run: needs a live exchange -->

A comment `# -> text` in a Python block is what the program prints; several are printed in that order.
"""

from __future__ import annotations

import ast
import asyncio
import contextlib
import inspect
import io
import re
import shlex
import types
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import msgspec

import planar
from planar.exchange import Exchange

ROOT = Path(__file__).parents[2]
BLOCK_S = 30.0

_FENCE = re.compile(r"^```([a-z]*)\s*$")
_REASON = re.compile(r"^<!-- not run:(.*)-->$")
_PRINTED = re.compile(r"# -> (.*)$", re.MULTILINE)
_HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*$", re.MULTILINE)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_ASSIGNMENT = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*=")


class Block(msgspec.Struct, frozen=True):
    """One fenced block.

    Attributes:
        path: the page.
        line: line of the fence, from 1.
        language: the word behind the fence.
        text: what is in it.
        reason: why it is not run; None if it is, "" if the reason is missing.
    """

    path: Path
    line: int
    language: str
    text: str
    reason: str | None


def pages() -> list[Path]:
    """All pages, README first."""
    top = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")]
    return [*top, *sorted((ROOT / "docs").rglob("*.md"))]


def name(path: Path) -> str:
    """A page's path inside the repository."""
    return path.relative_to(ROOT).as_posix()


def blocks(path: Path) -> list[Block]:
    """The fenced blocks of a page.

    Raises:
        ValueError: a fence is not closed.
    """
    found: list[Block] = []
    lines = path.read_text(encoding="utf-8").splitlines()
    begun: tuple[int, str] | None = None
    for number, line in enumerate(lines, 1):
        fence = _FENCE.match(line)
        if begun is None and fence:
            begun = number, fence.group(1)
        elif begun is not None and line == "```":
            start, language = begun
            text = "\n".join(lines[start : number - 1]) + "\n"
            found.append(Block(path, start, language, text, _reason(lines[: start - 1])))
            begun = None
    if begun is not None:
        raise ValueError(f"{path}:{begun[0]}: this fence is not closed")
    return found


def _reason(before: list[str]) -> str | None:
    written = next((line for line in reversed(before) if line.strip()), "")
    marker = _REASON.match(written)
    return marker.group(1).strip() if marker else None


def prose(path: Path) -> str:
    """A page without its fenced blocks."""
    return re.sub(r"^```.*?^```$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def links(path: Path) -> list[str]:
    """Where a page points to inside the repository: `errors.md#outcomes`, `../src/planar/errors.py`."""
    return [target for target in _LINK.findall(prose(path)) if not re.match(r"[a-z]+:", target)]


def anchors(path: Path) -> set[str]:
    """What the headings of a page can be linked as."""
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in _HEADING.findall(prose(path))}


def commands(block: Block) -> list[list[str]]:
    """The words of each command in a shell block: no prompt, variables, pipes, redirections or comments."""
    found: list[list[str]] = []
    for line in block.text.replace("\\\n", " ").splitlines():
        lexer = shlex.shlex(line.removeprefix("$ "), posix=True, punctuation_chars="|&;<>")
        lexer.whitespace_split = True
        command: list[str] = []
        redirected = False
        for word in [*lexer, ";"]:
            if redirected:
                redirected = False  # the file's name
            elif set(word) <= set("<>&") and word.strip("&"):
                redirected = True
            elif set(word) <= set("|&;"):
                found += [command] if command else []
                command = []
            elif command or not _ASSIGNMENT.match(word):
                command.append(word)
    return found


class Session:
    """Runs the Python blocks of one page, in order and in one namespace.

    `planar` is imported; `p` (an open workspace) and `binance` (its Binance) are there for the blocks that use them
    without making them.
    """

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._names: dict[str, Any] = {"__name__": "__main__", "planar": planar}
        self._opened: planar.Workspace | None = None

    def run(self, block: Block) -> str:
        """Run one block; what it printed."""
        tree = ast.parse(block.text)
        used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
        if {"planar.open", "planar.get_exchange", "asyncio.run"} & _dotted(tree):
            self._runner.run(self._close())  # the block opens a workspace of its own
        elif {"p", "binance"} & (used - set(self._names)):
            self._runner.run(self._open())
        flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        # as many empty lines before as the page has, so that a traceback shows the page's line
        code = compile("\n" * block.line + block.text, name(block.path), "exec", flags=flags, dont_inherit=True)
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            if code.co_flags & inspect.CO_COROUTINE:
                self._runner.run(_bounded(types.FunctionType(code, self._names)()))
            else:
                exec(code, self._names)
        return printed.getvalue()

    async def _open(self) -> None:
        self._opened = await planar.open().__aenter__()
        binance: Exchange = await self._opened.exchange("binance")
        self._names |= {"p": self._opened, "binance": binance}

    async def _close(self) -> None:
        if self._opened is not None:
            await self._opened.close()
            self._opened = None
            del self._names["p"], self._names["binance"]

    def close(self) -> None:
        """Close what is open."""
        self._runner.run(self._close())
        self._runner.close()


def _dotted(tree: ast.Module) -> set[str]:
    """What is read of modules and other plain names: `planar.open`."""
    return {
        f"{node.value.id}.{node.attr}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    }


async def _bounded(coroutine: Coroutine[Any, Any, object]) -> None:
    async with asyncio.timeout(BLOCK_S):
        await coroutine


def expected(block: Block) -> list[str]:
    """What a Python block says that it prints."""
    return _PRINTED.findall(block.text)
