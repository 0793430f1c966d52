"""Several orders at once: by one request where the venue has it, else each by its own, all within one deadline.

Each order has its own intent, its own journal entries and its own answer, and one that is unknown is looked into like any
other. What is wrong with one says nothing about the rest: if the venue refuses a request as a whole, because of one of
its orders, each of them is sent alone.
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import planar.runtime as runtime
from planar.adapters.base import Adapter, OrderRef, OrderRequest
from planar.errors import (
    AuthenticationError,
    BadResponse,
    NotSupported,
    OrderNotFound,
    Outcome,
    PlanarError,
    RateLimitExceeded,
)
from planar.models import Order, OrderState
from planar.orders.cancelling import Canceller
from planar.orders.machine import FINAL
from planar.orders.store import OrderStore
from planar.orders.submission import Send, Submitter
from planar.transport.writes import concerning

T = TypeVar("T")

WIDTH = 16
"""Requests that are under way at once where each order has its own."""


class Shared:
    """One request of several orders: sent when the first of them asks for its answer."""

    def __init__(self, adapter: Adapter, submitter: Submitter, requests: Sequence[OrderRequest]) -> None:
        self._adapter = adapter
        self._submitter = submitter
        self._requests = requests
        self._task: asyncio.Task[list[Order | PlanarError]] | None = None

    async def send(self, request: OrderRequest, timeout_ms: int) -> Order:
        """The answer about one of them; sent alone if the venue refused all of them together."""
        if self._task is None:
            names = [one.client_id for one in self._requests]
            with concerning(",".join(names)):
                self._task = runtime.spawn(self._send(timeout_ms), name=f"orders: batch {names[0]}")
        started = runtime.monotonic()
        try:
            answers = await asyncio.shield(self._task)
        except PlanarError as error:
            left_ms = int(timeout_ms - (runtime.monotonic() - started) * 1000)
            if _all_for_one(error) and left_ms > 0:
                return await self._submitter.send_alone(request, left_ms)
            raise copy.copy(error) from error
        answer = answers[self._requests.index(request)]
        if isinstance(answer, PlanarError):
            raise answer
        return answer

    async def _send(self, timeout_ms: int) -> list[Order | PlanarError]:
        names = [one.client_id for one in self._requests]
        answers = await self._adapter.submit_batch(
            self._requests, timeout_ms=timeout_ms, on_send=lambda: self._submitter.journal_sending(*names)
        )
        if len(answers) != len(names):
            raise BadResponse(f"{len(names)} orders were sent and {len(answers)} answered", exchange=self._adapter.id)
        return answers


def _all_for_one(error: PlanarError) -> bool:
    """The venue refused all orders of a request, in its own words, for what may be wrong with one of them."""
    of_the_account = isinstance(error, RateLimitExceeded | AuthenticationError | NotSupported)
    return error.outcome is Outcome.REFUSED and error.code is not None and not of_the_account


class Batcher:
    """Sends and cancels several orders of one account."""

    def __init__(self, adapter: Adapter, store: OrderStore, submitter: Submitter, canceller: Canceller) -> None:
        self._adapter = adapter
        self._store = store
        self._submitter = submitter
        self._canceller = canceller

    def ways(self, requests: Sequence[OrderRequest]) -> list[Send | None]:
        """How each of these orders, which are in the journal, is sent; None: by a request of its own."""
        rule = self._adapter.profile.batch
        ways: list[Send | None] = [None] * len(requests)
        if rule is None:
            return ways
        by_market: dict[str, list[int]] = {}
        for index, request in enumerate(requests):
            if request.params:  # that they arrive is proven of a request of one order
                continue
            by_market.setdefault(request.symbol, []).append(index)
        for places in by_market.values():
            for start in range(0, len(places), rule.create_most):
                chunk = places[start : start + rule.create_most]
                if len(chunk) < rule.create_least:
                    continue
                shared = Shared(self._adapter, self._submitter, [requests[index] for index in chunk])
                for index in chunk:
                    ways[index] = shared.send
        return ways

    # -- cancelling ------------------------------------------------------------------------------------------------
    async def cancel(self, refs: Sequence[OrderRef], timeout_ms: int) -> list[Order | PlanarError]:
        """Cancel orders; each as it is afterwards, or why it could not be canceled. One that is named twice is once."""
        unique = list(dict.fromkeys(refs))
        found = dict(zip(unique, await self._cancel_each(unique, timeout_ms), strict=True))
        return [found[ref] for ref in refs]

    async def _cancel_each(self, refs: Sequence[OrderRef], timeout_ms: int) -> list[Order | PlanarError]:
        due_s = runtime.monotonic() + timeout_ms / 1000
        shown = await self._cancel_together(refs, timeout_ms)

        async def one(index: int) -> Order:
            order = shown.get(index)
            left_ms = max(1, int((due_s - runtime.monotonic()) * 1000))
            if order is None or order.state is OrderState.OPEN:
                return await self._canceller.cancel(refs[index], params={}, timeout_ms=left_ms)
            self._store.observe_quietly(order, "cancel")
            if order.state is OrderState.CANCELED:
                return order
            raise OrderNotFound(
                f"there is no such open order (it is {order.state.value}, filled {order.filled})",
                exchange=self._adapter.id,
                outcome=Outcome.REFUSED,
            )

        return await gathered([lambda index=index: one(index) for index in range(len(refs))])

    async def _cancel_together(self, refs: Sequence[OrderRef], timeout_ms: int) -> dict[int, Order]:
        """What is known of the orders after the venue was told to cancel them together."""
        rule = self._adapter.profile.batch
        named = [index for index, ref in enumerate(refs) if ref.order_id is not None and not self._ended(ref)]
        if rule is None or len(named) < 2:
            return {}
        found: dict[int, Order] = {}
        for start in range(0, len(named), rule.cancel_most):
            chunk = named[start : start + rule.cancel_most]
            try:
                answers = await self._adapter.cancel_batch(
                    [refs[index] for index in chunk], timeout_ms=max(1, timeout_ms // 2)
                )
            except PlanarError:
                continue  # nothing is certain: each is canceled by its own request, which may safely be a second one
            found |= {index: order for index, order in zip(chunk, answers, strict=True) if order is not None}
        return found

    def _ended(self, ref: OrderRef) -> bool:
        """The journal knows that it ended: the venue's own word says so once more."""
        client_id = self._store.find(ref.symbol, ref.client_id or ref.order_id or "")
        return client_id is not None and self._store.state(client_id) in FINAL


async def gathered(work: Sequence[Callable[[], Awaitable[T]]]) -> list[T | PlanarError]:
    """What each piece of work gives, or its error; so many at once."""
    places = asyncio.Semaphore(WIDTH)

    async def one(start: Callable[[], Awaitable[T]]) -> T | PlanarError:
        async with places:
            try:
                return await start()
            except PlanarError as error:
                return error

    return list(await asyncio.gather(*(one(start) for start in work)))
