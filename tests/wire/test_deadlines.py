"""One deadline for each call, from the user down: wherever the time is lost, the call ends then, and says what is known.

Nobody's deadline, and nobody's leaving, changes anything for anybody else.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from outcome_kit import BINANCE_SYMBOL, GOOD, SYMBOL, Opener, exchange_opener, open_front

from planar.adapters.base import OrderRequest
from planar.errors import BadRequest, Outcome, PlanarError, RateLimitExceeded, RequestTimeout
from planar.exchange import Exchange
from planar.models import Amount
from planar.transport import lanes
from planar.transport.budget import Budget
from planar.transport.context import CallContext, Effect, Priority
from planar.transport.dialer import Dialer, Route
from planar.transport.guard import HostRules
from planar.transport.http import send
from planar.transport.lanes import NonceLane
from planar.transport.meters import MeterSpec
from planar.transport.names import Names
from planar.transport.pool import MeterPool

DEADLINE_MS = 300
WITHIN_S = 0.05
Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextlib.asynccontextmanager
async def ends_at(seconds: float, kind: type[PlanarError], outcome: Outcome) -> AsyncIterator[None]:
    """The block fails with `kind` after `seconds`, not earlier and not later."""
    began = time.monotonic()
    with pytest.raises(kind) as caught:
        yield
    assert time.monotonic() - began == pytest.approx(seconds, abs=WITHIN_S)
    assert caught.value.outcome is outcome, repr(caught.value)


@contextlib.asynccontextmanager
async def raw_server(behave: Behaviour) -> AsyncIterator[int]:
    """A server that does with each connection what it is told to; gives its port."""
    handlers: set[asyncio.Task[Any]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        handlers.add(task)
        try:
            await behave(reader, writer)
        except (ConnectionError, asyncio.CancelledError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    running = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield running.sockets[0].getsockname()[1]
    finally:
        running.close()
        for task in handlers:
            task.cancel()
        await asyncio.gather(*handlers)


async def post(port: int, *, scheme: str = "http", host: str = "127.0.0.1", names: Names | None = None) -> None:
    """Send a WRITE with the deadline."""
    dialer = Dialer(names)
    rules = HostRules(hosts=(host,), ports=(port,), plain=scheme == "http")
    route = Route(exchange="x", environment="live", rules=rules)
    call = CallContext("create_order", DEADLINE_MS, Priority.ORDER)
    try:
        url = f"{scheme}://{host}:{port}/order"
        await send(dialer.session(route), "POST", url, {}, None, call, Effect.WRITE, "x")
    finally:
        await dialer.close()


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    await asyncio.sleep(5)


async def slow_headers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    for byte in b"HTTP/1.1 200 OK\r\n" + b"X-Slow: 1\r\n" * 100:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0.02)


async def dripping_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("behave", [silent, slow_headers, dripping_body])
async def test_an_answer_that_does_not_come_in_time_leaves_a_write_unknown(behave: Behaviour) -> None:
    async with raw_server(behave) as port, ends_at(DEADLINE_MS / 1000, RequestTimeout, Outcome.UNKNOWN):
        await post(port)


async def test_tls_that_is_never_set_up_was_not_sent() -> None:
    async with raw_server(silent) as port, ends_at(DEADLINE_MS / 1000, RequestTimeout, Outcome.NOT_SENT):
        await post(port, scheme="https", host="localhost")


async def test_a_name_that_is_never_resolved_was_not_sent() -> None:
    class Slow(Names):
        async def resolve(self, *args: Any, **kwargs: Any) -> Any:
            await asyncio.sleep(5)

    async with ends_at(DEADLINE_MS / 1000, RequestTimeout, Outcome.NOT_SENT):
        await post(443, scheme="https", host="slow.example", names=Slow())


async def test_a_budget_that_is_not_free_in_time() -> None:
    """Somebody holds what is asked for, and nobody can tell for how long."""
    pool = MeterPool()
    budget = Budget(pool, "x", "local", "f", (MeterSpec("m", 1.0, 1_000_000),))
    held = await budget.reserve((("m", 1.0),), CallContext("first", 1_000, Priority.ORDER))
    began = time.monotonic()
    with pytest.raises(RateLimitExceeded) as caught:
        await budget.reserve((("m", 1.0),), CallContext("second", DEADLINE_MS, Priority.ORDER))
    assert time.monotonic() - began <= DEADLINE_MS / 1000 + WITHIN_S
    assert caught.value.outcome is Outcome.NOT_SENT
    held.end(sent=False)
    again = await budget.reserve((("m", 1.0),), CallContext("third", DEADLINE_MS, Priority.ORDER))
    again.end(sent=False)
    await pool.close()


async def test_a_budget_that_is_free_too_late_is_not_waited_for() -> None:
    pool = MeterPool()
    budget = Budget(pool, "x", "local", "f", (MeterSpec("m", 1.0, 1_000),))
    budget.stop(10.0)
    async with ends_at(0.0, RateLimitExceeded, Outcome.NOT_SENT):
        await budget.reserve((("m", 1.0),), CallContext("second", DEADLINE_MS, Priority.ORDER))
    await pool.close()


async def test_a_lane_that_others_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "TURN_S", 5.0)
    lane = NonceLane()
    async with lane.turn(CallContext("first", 1_000, Priority.ORDER)):
        async with ends_at(DEADLINE_MS / 1000, RequestTimeout, Outcome.NOT_SENT):
            async with lane.turn(CallContext("second", DEADLINE_MS, Priority.ORDER)):
                pytest.fail("it was held")
    async with lane.turn(CallContext("third", DEADLINE_MS, Priority.ORDER)):
        pass


class Waiting:
    """A front that answers the listing, and nothing else until it is let go."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.listings = 0
        self.asked = 0

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path.endswith("exchangeInfo"):
            self.listings += 1
            await self.go.wait()
            return web.json_response({"symbols": [BINANCE_SYMBOL], "rateLimits": [], "exchangeFilters": []})
        self.asked += 1
        await self.go.wait()
        return web.json_response(GOOD["binance"][f"{request.method} {request.path}"])


@pytest.fixture
async def waiting(tmp_path: Path) -> AsyncIterator[tuple[Waiting, Opener]]:
    front, path = Waiting(), str(tmp_path / "waiting.sock")
    runner = web.ServerRunner(web.Server(front.answer))
    await runner.setup()
    await web.UnixSite(runner, path).start()
    yield front, exchange_opener("binance", path, tmp_path)
    front.go.set()
    await runner.cleanup()


@contextlib.asynccontextmanager
async def loaded(front: Waiting, opener: Opener) -> AsyncIterator[Exchange]:
    """An exchange with its markets, whose front then waits."""
    front.go.set()
    async with opener() as exchange:
        front.go.clear()
        yield exchange


async def test_two_callers_have_two_deadlines(waiting: tuple[Waiting, Opener]) -> None:
    async def late(exchange: Exchange, timeout_ms: int) -> float:
        began = time.monotonic()
        with pytest.raises(RequestTimeout):
            await exchange.fetch_order_book(SYMBOL, timeout_ms=timeout_ms)
        return time.monotonic() - began

    async with loaded(*waiting) as exchange:
        before = (exchange._adapter.exchange.timeout, exchange.settings.timeout_ms)  # type: ignore[attr-defined]
        short, long = await asyncio.gather(late(exchange, 200), late(exchange, 600))
        after = (exchange._adapter.exchange.timeout, exchange.settings.timeout_ms)  # type: ignore[attr-defined]
    assert short == pytest.approx(0.2, abs=WITHIN_S)
    assert long == pytest.approx(0.6, abs=WITHIN_S)
    assert before == after


async def test_an_order_has_the_callers_deadline(waiting: tuple[Waiting, Opener]) -> None:
    async with loaded(*waiting) as exchange:
        order = OrderRequest("plabc", SYMBOL, "buy", "limit", amount=Amount("0.01"), price=Amount(20_000))
        async with ends_at(DEADLINE_MS / 1000, RequestTimeout, Outcome.UNKNOWN):
            await exchange._adapter.submit(order, timeout_ms=DEADLINE_MS, on_send=lambda: None)


@pytest.mark.parametrize("wrong", [0, -1, -0.5, "2000", True, float("nan"), float("inf"), 10**12, [1], b"5"])
async def test_a_deadline_that_is_none_is_refused(wrong: Any, tmp_path: Path) -> None:
    async with open_front("binance", tmp_path) as (front, opener), opener() as exchange:
        front.requests.clear()
        calls: list[Callable[[], Awaitable[Any]]] = [
            lambda: exchange.fetch_time(timeout_ms=wrong),
            lambda: exchange.fetch_ticker(SYMBOL, timeout_ms=wrong),
            lambda: exchange.fetch_balance(timeout_ms=wrong),
            lambda: exchange.fetch_open_orders(SYMBOL, timeout_ms=wrong),
            lambda: exchange.create_order(SYMBOL, "limit", "buy", "0.01", 20_000, timeout_ms=wrong),
            lambda: exchange.cancel_order("17", SYMBOL, timeout_ms=wrong),
            lambda: exchange.cancel_all_orders(SYMBOL, timeout_ms=wrong),
        ]
        for call in calls:
            with pytest.raises(BadRequest) as caught:
                await call()
            assert caught.value.outcome is Outcome.NOT_SENT
            assert "timeout_ms" in str(caught.value)
            assert repr(wrong) in str(caught.value)
            assert "timeout_ms=2000" in (caught.value.hint or "")
        assert front.requests == []


@pytest.mark.parametrize("leaves", ["canceled", "late"])
async def test_markets_come_to_the_second_caller_from_the_request_of_the_first(
    leaves: str, waiting: tuple[Waiting, Opener]
) -> None:
    front, opener = waiting
    async with loaded(front, opener) as exchange:
        listings = front.listings
        first = asyncio.create_task(exchange.load_markets(reload=True))
        while front.listings == listings:
            await asyncio.sleep(0.001)
        second = asyncio.create_task(exchange.load_markets(reload=True))
        await asyncio.sleep(0)
        if leaves == "canceled":
            first.cancel()
            with pytest.raises(asyncio.CancelledError):
                await first
        else:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(first, 0.05)
        front.go.set()
        assert SYMBOL in await second
        assert front.listings == listings + 1


async def test_one_of_fifty_who_leaves_leaves_nothing_behind(waiting: tuple[Waiting, Opener]) -> None:
    front, opener = waiting
    async with loaded(front, opener) as exchange:
        wiring: Any = exchange._adapter.exchange.planar  # type: ignore[attr-defined]
        before = front.asked
        callers = [asyncio.create_task(exchange.fetch_order_book(SYMBOL)) for _ in range(50)]
        while front.asked < before + 50:
            await asyncio.sleep(0.001)
        leaver = callers.pop(25)
        leaver.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaver
        assert len(wiring.session.connector._acquired) == 49
        front.go.set()
        books = await asyncio.gather(*callers)
        assert len(books) == 49
        assert not wiring.session.connector._acquired
        assert not wiring.budget._turnstile._lanes
        assert not [task for task in asyncio.all_tasks() if "order_book" in repr(task.get_coro())]


async def test_one_who_leaves_the_queue_gives_his_place_up_at_once() -> None:
    pool = MeterPool(reserve=0.0)
    budget = Budget(pool, "x", "local", "f", (MeterSpec("m", 10.0, 200),))
    for _ in range(10):
        (await budget.reserve((("m", 1.0),), CallContext("first", 1_000, Priority.MARKET))).end()

    async def reserve() -> None:
        (await budget.reserve((("m", 1.0),), CallContext("next", 3_000, Priority.MARKET))).end()

    callers = [asyncio.create_task(reserve()) for _ in range(50)]
    while not budget._turnstile._lanes:
        await asyncio.sleep(0)
    leaver = callers.pop()  # the last one: a busy machine may let the first ones through meanwhile
    leaver.cancel()
    began = time.monotonic()
    await asyncio.gather(*callers)
    assert leaver.cancelled()
    assert time.monotonic() - began < 2.5  # five windows for 49, on a busy machine
    assert not budget._turnstile._lanes
    assert budget.usage()["m"][0] <= 10.0
    await pool.close()
