"""The balance of an account over CCXT's socket, completed by REST.

What CCXT resolves is its memory of the currencies that the socket has named so far, some of them only by a change. The
state of the account is the venue's REST answer; over it go the currencies that the socket names in full. After a gap,
or when a currency comes incomplete, REST is asked again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

import msgspec

import planar.runtime as runtime
from planar.adapters.ccxt_feed import CALL_MS, CcxtFeed
from planar.adapters.feed import Sink, Topic
from planar.errors import BadResponse
from planar.models import AccountBalance, Balance
from planar.models import from_ccxt as convert

if TYPE_CHECKING:
    from planar.adapters.ccxt_adapter import CcxtAdapter

ASK_EVERY_S = 1.0
"""The shortest time between two questions by REST."""


class BalanceFeed(CcxtFeed):
    """The balances of the account."""

    def __init__(self, adapter: CcxtAdapter, topic: Topic) -> None:
        super().__init__(adapter, topic)
        self._state: AccountBalance | None = None
        self._named: dict[str, Balance] = {}
        self._since_asked: dict[str, Balance] = {}
        self._wanted = asyncio.Event()

    async def run(self, sink: Sink) -> None:
        """See `Feed`."""
        self._state = None
        self._named.update(_currencies(self._exchange.balance))
        self._wanted.clear()
        asking = runtime.spawn(self._ask(), name=f"balance of {self._adapter.id} by REST")
        try:
            await super().run(sink)
        finally:
            asking.cancel()
            await asyncio.wait([asking])

    def _subscribed(self) -> None:
        super()._subscribed()
        self._wanted.set()

    async def _ask(self) -> None:
        """Ask REST for the whole state whenever it is wanted; a failure ends the run."""
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            self._since_asked = {}
            try:
                answer = await self._adapter.fetch_balance({}, timeout_ms=CALL_MS)
            except Exception as error:
                assert self._ear is not None
                self._ear.failed(error)
                return
            # What the socket named meanwhile may be newer than the answer. If it is older, then the change that the
            # answer knows already is still to come over the socket.
            self._update(answer, self._since_asked)
            await runtime.sleep(self._adapter.profile.balance_hints_s or ASK_EVERY_S)

    def _take(self, result: Any) -> None:
        if self._adapter.profile.balance_hints_s is not None:
            self._wanted.set()
            return
        named = dict(_currencies(result))
        changed = {code: balance for code, balance in named.items() if self._named.get(code) != balance}
        self._named.update(changed)
        whole: dict[str, Balance] = {}
        for code, balance in changed.items():
            if balance.total is not None and balance.free is not None:
                whole[code] = balance
            else:
                self._wanted.set()
        if whole:
            self._since_asked.update(whole)
            if self._state is not None:
                self._update(self._state, whole)

    def _update(self, base: AccountBalance, over: Mapping[str, Balance]) -> None:
        self._state = msgspec.structs.replace(
            base, balances={**base.balances, **over}, received_ns=runtime.wall_ns(), raw=None if over else base.raw
        )
        self.sink.deliver(self._state)


def _currencies(balance: Any) -> Iterator[tuple[str, Balance]]:
    """The currencies in CCXT's memory of balances, which some exchanges keep one level deeper, by account type."""
    for code, value in cast("dict[str, Any]", balance).items():
        if not isinstance(value, Mapping) or code == "info":
            continue
        entry = cast("Mapping[str, Any]", value)
        try:
            yield from convert.balance({"total": {}, code: entry}).balances.items()
        except BadResponse:
            yield from _currencies(entry)
