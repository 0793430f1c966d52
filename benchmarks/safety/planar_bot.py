"""A bot on Planar: it asks for each wish under a name of its own, and asks again under the same name after a restart."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path

import planar
from benchmarks.safety.wishes import SYMBOL, Belief, Diary, Wish, wish
from planar.errors import OrderNotFound, OrderUnknown, Outcome, PlanarError, RequestTimeout
from planar.exchange import Exchange
from planar.models import OrderState
from planar.orders import OrderHandle, points
from planar.transport.local import LocalVenue

ABSENT = (OrderState.REJECTED, OrderState.NEVER_ACCEPTED)
PROVEN_S = 150.0
"""How long it may take to prove that an order does not exist: the facts of the slowest venue take about 100 s."""


async def _open(workspace: planar.Workspace, venue: LocalVenue, account: str, timeout_ms: int) -> Exchange:
    return await workspace.exchange(
        venue.venues[0], environment="local", account=account, timeout=timeout_ms, enableRateLimit=False
    )


async def _place(exchange: Exchange, wanted: Wish, attempt: int) -> OrderHandle:
    try:
        return await exchange.create_limit_order(
            SYMBOL, wanted.side, wanted.amount, wanted.price, intent_id=f"wish {wanted.number}.{attempt}"
        )
    except OrderUnknown as error:
        return error.order


async def live(
    venue: LocalVenue, account: str, diary: Diary, seed: int, prices: tuple[float, float], crash: Callable[[str], None]
) -> None:
    """Trade until killed: take up the last unfinished wish, then the next ones."""
    points.observe(crash)
    async with planar.open(local_venue=venue) as workspace:
        exchange = await _open(workspace, venue, account, 1_500)
        lines = diary.lines()
        number = max((line["wish"] for line in lines), default=-1)
        number += 1 if number < 0 or any(line.get("done") == number for line in lines) else 0
        while True:
            wanted = wish(number, seed, *prices)
            diary.write(wish=number)
            try:
                order = await _place(exchange, wanted, 1)
            except PlanarError as error:
                if error.outcome is not Outcome.NOT_SENT:
                    raise
                continue  # a busy machine had no time for it: it is wished again
            if wanted.then_cancel and order.is_open:
                await _cancel(exchange, order)
            diary.write(wish=number, done=number)
            number += 1


async def _cancel(exchange: Exchange, order: OrderHandle) -> None:
    """Cancel an order, as often as a busy machine leaves a cancel without its answer."""
    for _ in range(5):
        try:
            await exchange.cancel_order(order.client_order_id, SYMBOL, timeout_ms=5_000)
        except OrderNotFound:
            with contextlib.suppress(RequestTimeout):  # it has ended, and the last life is told how
                await order.settled(5)
        except PlanarError as error:
            if not error.retryable and error.outcome is not Outcome.UNKNOWN:
                raise
            continue
        return


async def finish(venue: LocalVenue, account: str, diary: Diary, seed: int, prices: tuple[float, float]) -> list[Belief]:
    """The last life: every wish is brought to an end, and what is believed of it is told."""
    async with planar.open(local_venue=venue) as workspace:
        exchange = await _open(workspace, venue, account, 5_000)
        last = max((line["wish"] for line in diary.lines()), default=-1)
        return [await _belief(exchange, wish(number, seed, *prices)) for number in range(last + 1)]


async def _belief(exchange: Exchange, wanted: Wish) -> Belief:
    for attempt in range(1, 6):
        try:
            order = await _place(exchange, wanted, attempt)
            await order.resolved(PROVEN_S)
        except OrderUnknown:
            return Belief(wanted.amount, None, None, None)
        except PlanarError as error:
            if error.outcome is not Outcome.REFUSED:
                raise
            return Belief(wanted.amount, None, OrderState.REJECTED.value, "0")  # there is no such order
        if order.state not in ABSENT:
            snapshot = await exchange.fetch_order(order.client_order_id, SYMBOL)
            return Belief(wanted.amount, snapshot.id, order.state.value, str(order.filled))
    raise RuntimeError(f"wish {wanted.number} never reached the venue")


async def swallow(
    venue: LocalVenue, account: str, seed: int, prices: tuple[float, float], count: int, told: Callable[[int], None]
) -> list[Belief]:
    """Place `count` orders whose answers the venue's faults swallow; ten at a time."""
    async with planar.open(local_venue=venue) as workspace:
        exchange = await _open(workspace, venue, account, 400)
        lanes = asyncio.Semaphore(10)
        done = 0

        async def one(number: int) -> Belief:
            nonlocal done
            wanted = wish(number, seed, *prices, resting=0.1)
            async with lanes:
                belief = await _swallowed(exchange, wanted)
            done += 1
            told(done)
            return belief

        return list(await asyncio.gather(*(one(number) for number in range(count))))


async def _swallowed(exchange: Exchange, wanted: Wish) -> Belief:
    for attempt in range(1, 6):
        try:
            order = await _place(exchange, wanted, attempt)
            await order.resolved(30)
        except OrderUnknown:
            return Belief(wanted.amount, None, None, None)
        except PlanarError:
            # refused, or proven never accepted: there is no order, so it may be asked for again
            continue
        if order.state not in ABSENT:
            if wanted.then_cancel and order.is_open:
                # where an acknowledgement tells no state, what has traded at once is not open any more
                with contextlib.suppress(OrderNotFound):
                    await exchange.cancel_order(order.client_order_id, SYMBOL, timeout_ms=5_000)
            await exchange.fetch_order(order.client_order_id, SYMBOL, timeout_ms=5_000)
            return Belief(wanted.amount, order.id, order.state.value, str(order.filled))
    raise RuntimeError(f"wish {wanted.number} never reached the venue")


def diary_of(directory: Path, account: str) -> Diary:
    """The diary of one account's bot."""
    return Diary(directory / f"{account}.jsonl")
