"""Closing positions in derivatives: each by a market order against it, which may only reduce.

Some exchanges have a request that closes a position by itself. The order that it makes has no client id, so no journal
could tell whose it is; these orders go the way of all others.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from planar.errors import BadRequest, NoChange, NotSupported, Outcome, PlanarError
from planar.exchange.core import NOTHING
from planar.exchange.kinds import KindMethods
from planar.models import Amount, Position
from planar.orders import OrderHandle


class ClosingMethods(KindMethods):
    """See the module's docstring."""

    async def close_position(
        self,
        symbol: str,
        side: str | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        intent_id: str = "",
        timeout_ms: int | None = None,
    ) -> OrderHandle:
        """Close the position in one contract at the market, by an order that may only reduce it.

        What is held is asked for first. What changes between that and the order is not closed: `fetch_position` shows it.

        Args:
            side: "long" or "short", where both stand side by side; else None.
            params: more words of the order, as of `create_order`.

        Raises:
            NoChange: (NOT_SENT) there is no such position.
            NotSupported: (NOT_SENT) the exchange does not tell its positions, or its orders cannot be kept from opening one.
            OrderUnknown, PlanarError: as of `create_order`.
        """
        self._check_writable("close_position")
        if side not in (None, "long", "short"):
            raise BadRequest(f"side is {side!r}", exchange=self.id, outcome=Outcome.NOT_SENT, hint='"long" or "short"')
        name = self._symbol(symbol)
        held = [one for one in await self.fetch_positions([name], timeout_ms=timeout_ms) if side in (None, one.side)]
        if not held:
            raise NoChange(
                f"no {side + ' ' if side else ''}position in {name} is held", exchange=self.id, outcome=Outcome.NOT_SENT
            )
        if len(held) > 1:
            raise BadRequest(
                f"{len(held)} positions in {name} are held",
                exchange=self.id,
                outcome=Outcome.NOT_SENT,
                hint='say which: side="long" or side="short"',
            )
        return await self._close(held[0], params, intent_id=intent_id, timeout_ms=timeout_ms)

    async def close_all_positions(
        self, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> list[OrderHandle | PlanarError]:
        """Close every position of the account at the market: for each the order, or the error that `close_position` would
        have raised. Empty if none is held.

        Raises:
            PlanarError: the exchange did not tell what is held; nothing was sent.
        """
        self._check_writable("close_all_positions")
        made: list[OrderHandle | PlanarError] = []
        for one in await self.fetch_positions(timeout_ms=timeout_ms):
            try:
                made.append(await self._close(one, params, intent_id="", timeout_ms=timeout_ms))
            except PlanarError as error:
                made.append(error)
        return made

    async def _close(
        self, held: Position, params: Mapping[str, Any], *, intent_id: str, timeout_ms: int | None
    ) -> OrderHandle:
        contracts = Amount(abs(held.contracts or 0))
        if held.side not in ("long", "short"):
            raise NotSupported(
                f"the exchange does not say on which side the position in {held.symbol} is",
                exchange=self.id,
                outcome=Outcome.NOT_SENT,
                hint="create_reduce_only_order closes it, if you know",
            )
        side = "sell" if held.side == "long" else "buy"
        hedged = {"hedged": True} if held.hedged else {}
        words = {**hedged, **params, "reduceOnly": True}
        return await self.create_order(
            held.symbol, "market", side, contracts, None, words, intent_id=intent_id, timeout_ms=timeout_ms
        )
