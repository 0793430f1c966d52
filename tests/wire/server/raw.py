"""Raw conversations with the venue's port, as clients hold them that are not made of aiohttp."""

from __future__ import annotations

import asyncio


async def converse(port: int, *parts: bytes) -> bytes:
    """Send the parts one by one, each in a packet of its own, then read until the venue closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for part in parts:
        writer.write(part)
        await writer.drain()
        await asyncio.sleep(0.001)
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer
