"""The running loop's default workspace, for programs that want one exchange and no ceremony."""

from __future__ import annotations

import asyncio
import weakref
from typing import Any

from planar.exchange import Exchange
from planar.workspace import Workspace, open_workspace

_defaults: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Workspace] = weakref.WeakKeyDictionary()


async def get_exchange(name: str | None = None, **options: Any) -> Exchange:
    """The exchange from the running loop's default workspace; see `Workspace.exchange`. End with `planar.close()`."""
    loop = asyncio.get_running_loop()
    if loop not in _defaults:
        _defaults[loop] = await open_workspace().__aenter__()
    return await _defaults[loop].exchange(name, **options)


async def close() -> None:
    """Close the running loop's default workspace."""
    workspace = _defaults.pop(asyncio.get_running_loop(), None)
    if workspace is not None:
        await workspace.close()
