"""Work on a copy of a CCXT instance in a thread: its requests are the instance's, its end is one step, its failure none."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

import planar.runtime as runtime
from planar.adapters.ccxt_beside import beside
from planar.errors import BadResponse


class Instance:
    """As much of CCXT as the work sees; it knows in which thread it is asked."""

    def __init__(self) -> None:
        self.session: Any = object()
        self.socks_proxy_sessions: Any = None
        self.markets_loading: Any = None
        self.markets: Any = None
        self.options: dict[str, Any] = {"kept": 1, "dropped": 2, "cached": {}}
        self.asked: list[tuple[str, int]] = []
        self.answer = asyncio.Event()
        self.canceled = False

    async def fetch2(self, path: str, *args: Any) -> str:
        self.asked.append((path, threading.get_ident()))
        try:
            await self.answer.wait()
        except asyncio.CancelledError:
            self.canceled = True
            raise
        if path == "broken":
            raise BadResponse("no JSON")
        return f"answer to {path}"

    async def fetch(self, url: str) -> str:
        return await self.fetch2(url)


async def load(twin: Any) -> int:
    """What CCXT does: asks, parses, keeps."""
    first, second = await asyncio.gather(twin.fetch2("one"), twin.fetch("two"))
    twin.markets = [first, second]
    twin.options["learned"] = first
    twin.options["cached"] = {"new": True}
    del twin.options["dropped"]
    return threading.get_ident()


async def test_the_loop_goes_on_while_the_work_is_in_a_thread() -> None:
    exchange = Instance()
    session, options = exchange.session, exchange.options
    work = asyncio.ensure_future(beside(exchange, load))
    while len(exchange.asked) < 2:
        await asyncio.sleep(0.001)
    assert exchange.markets is None
    exchange.options["mine"] = 3  # changed here meanwhile
    exchange.answer.set()
    where = await work
    here = threading.get_ident()
    assert where != here
    assert {one for _, one in exchange.asked} == {here}
    assert sorted(path for path, _ in exchange.asked) == ["one", "two"]
    assert exchange.markets == ["answer to one", "answer to two"]
    assert exchange.options is options
    assert options == {"kept": 1, "cached": {"new": True}, "learned": "answer to one", "mine": 3}
    assert exchange.session is session
    assert "fetch2" not in vars(exchange)


async def test_work_that_fails_leaves_the_instance_as_it_was() -> None:
    async def fail(twin: Any) -> None:
        twin.options["half"] = twin.half = 1
        await twin.fetch2("broken")

    exchange = Instance()
    exchange.answer.set()
    before = dict(exchange.options)
    with pytest.raises(BadResponse, match="no JSON"):
        await beside(exchange, fail)
    assert exchange.options == before
    assert not hasattr(exchange, "half")


async def test_who_leaves_ends_the_requests_and_the_work() -> None:
    ended = threading.Event()

    async def patient(twin: Any) -> None:
        try:
            await twin.fetch2("one")
        except asyncio.CancelledError:
            try:
                await twin.fetch2("after the end")  # as code that swallows it would
            finally:
                ended.set()

    exchange = Instance()
    work = asyncio.ensure_future(beside(exchange, patient))
    while not exchange.asked:
        await asyncio.sleep(0.001)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert await asyncio.to_thread(ended.wait, 5)
    assert [path for path, _ in exchange.asked] == ["one"]
    assert exchange.canceled


def test_a_simulated_loop_has_one_thread() -> None:
    async def life() -> tuple[int, int]:
        exchange = Instance()
        exchange.answer.set()
        return await beside(exchange, load), threading.get_ident()

    where, here = runtime.simulate(life, seed=1)
    assert where == here
