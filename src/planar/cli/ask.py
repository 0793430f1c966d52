"""The question before money moves: asked on a terminal only; without one, the flag that answers it is named."""

from __future__ import annotations

import asyncio
import os
import sys

from planar.cli.exits import UsageError


async def confirm(question: str, *, json: bool, instead: str = "add --yes") -> bool:
    """Whether the user types y or yes. Ctrl-C works meanwhile, and what runs goes on.

    Args:
        instead: what to do where there is nobody to ask.

    Raises:
        UsageError: there is nobody to ask.
    """
    if json or not sys.stdin.isatty() or not sys.stdout.isatty():
        why = "--json is for programs" if json else "there is no terminal to ask on"
        raise UsageError(f"this needs a yes, and {why}", hint=instead)
    sys.stdout.write(f"{question} [y/N] ")
    sys.stdout.flush()
    return (await _line()).strip().lower() in ("y", "yes")


async def _line() -> str:
    """One line from the terminal. `input()` would keep signals and the event loop waiting."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[bytes] = loop.create_future()
    terminal = sys.stdin.fileno()

    def read() -> None:
        loop.remove_reader(terminal)
        if not answer.done():
            answer.set_result(os.read(terminal, 4096))

    loop.add_reader(terminal, read)
    try:
        return (await answer).decode(errors="replace")
    finally:
        loop.remove_reader(terminal)
