"""`OrderHandle`: a live order. Reads as its newest state, under CCXT's keys too, and can be waited for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import planar.runtime as runtime
from planar.errors import OrderUnknown, Outcome, PlanarError, RequestTimeout
from planar.models import Order, OrderState
from planar.transport.account_log import account_log

if TYPE_CHECKING:
    from planar.orders.manager import OrderManager

log = account_log("planar.orders")

FIRST_POLL_S = 0.1
LONGEST_POLL_S = 2.0


class OrderHandle:
    """One order of this journal.

    Every attribute and key of `planar.models.Order` can be read on it and is as new as what has come in.
    """

    __slots__ = ("_client_id", "_manager")

    def __init__(self, manager: OrderManager, client_id: str) -> None:
        self._manager = manager
        self._client_id = client_id

    @property
    def snapshot(self) -> Order:
        """The order as it is known now, frozen."""
        return self._manager.store.order(self._client_id)

    @property
    def waits(self) -> bool:
        """It was ordered to wait for a price before it goes to the market."""
        intent = self._manager.store.facts(self._client_id).intent
        return intent is not None and intent.waits

    def __getattr__(self, name: str) -> Any:
        return getattr(self.snapshot, name)

    def __getitem__(self, key: str) -> Any:
        return self.snapshot[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.snapshot.keys())

    def keys(self) -> Any:
        """CCXT's keys."""
        return self.snapshot.keys()

    def __repr__(self) -> str:
        return repr(self.snapshot).replace("Order(", "OrderHandle(", 1)

    def _repr_html_(self) -> str:
        return self.snapshot._repr_html_()  # pyright: ignore[reportPrivateUsage]

    async def settled(self, timeout: float | None = None) -> Order:
        """Wait until nothing more will happen to the order: filled, canceled, expired, refused or never accepted.

        Args:
            timeout: seconds; None waits for ever.

        Raises:
            OrderUnknown: after `timeout` the venue has still not told whether the order exists.
            RequestTimeout: after `timeout` the order is still open.
        """
        return await self._wait(timeout, lambda order: order.is_done, poll=True)

    async def resolved(self, timeout: float | None = None) -> Order:
        """Wait until it is known whether the order exists, and of each change of it whether it took effect.

        Raises:
            OrderUnknown: after `timeout` seconds it is still not.
        """
        return await self._wait(timeout, lambda order: not self._doubtful(order), poll=False)

    def _doubtful(self, order: Order) -> bool:
        return order.state is OrderState.UNKNOWN or bool(self._manager.store.facts(self._client_id).unsettled)

    async def _wait(self, timeout: float | None, done: Callable[[Order], bool], *, poll: bool) -> Order:
        pause_s = FIRST_POLL_S
        try:
            async with asyncio.timeout(timeout):
                while not done(self.snapshot):
                    changed = await self._changed_within(pause_s)
                    pause_s = FIRST_POLL_S if changed else min(pause_s * 1.5, LONGEST_POLL_S)
                    if poll and not changed and self.snapshot.state is OrderState.OPEN:
                        await self._refresh()
        except TimeoutError:
            order = self.snapshot
            if done(order):
                return order  # the answer came with the end of the time
            if order.state is OrderState.UNKNOWN or (not poll and self._doubtful(order)):
                what = "exists" if order.state is OrderState.UNKNOWN else "was changed"
                raise OrderUnknown(
                    f"after {timeout} s the venue has not told whether order {self._client_id} {what}",
                    client_id=self._client_id,
                    order=self,
                ) from None
            raise RequestTimeout(
                f"order {self._client_id} is still {order.state.value} after {timeout} s", outcome=Outcome.OK
            ) from None
        return self.snapshot

    async def _changed_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._manager.store.changed(self._client_id)
        except TimeoutError:
            return False
        return True

    async def _refresh(self) -> None:
        try:
            await self._manager.refresh(self._client_id)
        except PlanarError as error:
            # a query that failed says nothing about the order; the venue's stop is waited out, the rest tried again
            if not error.retryable:
                raise
            log.info("order %s could not be looked up: %s", self._client_id, error)
            await runtime.sleep(error.retry_after_s or 0.0)
