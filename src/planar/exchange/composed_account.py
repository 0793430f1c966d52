"""What every exchange tells of an account: natively, or made of what it tells. The table stands in
`planar.exchange.composing`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from planar.errors import ArgumentsRequired, BadRequest, NotSupported, OrderNotFound, Outcome
from planar.exchange.answers import Rows, Table
from planar.exchange.composed_market import ComposedMarketMethods
from planar.exchange.core import NOTHING
from planar.models import Amount, Fill, Order, Position
from planar.models.money import TradingFee, Transaction


class ComposedMethods(ComposedMarketMethods):
    """Positions, fees, executions of an order, money in and out."""

    # -- the account -----------------------------------------------------------------------------------------------
    async def fetch_positions(
        self,
        symbols: Sequence[str] | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> Rows[Position]:
        """Positions in derivatives; in all of them for None. Only those that hold something."""
        wanted = self._several(symbols)
        found: list[Position] = await self._ask("fetch_positions", (wanted,), params, timeout_ms)
        return Rows(one for one in found if one.contracts and (wanted is None or one.symbol in wanted))

    async def fetch_position(
        self, symbol: str, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> Position | None:
        """The position in one contract; None if there is none.

        Raises:
            BadRequest: a long and a short stand side by side: `fetch_positions([symbol])` has both.
        """
        name = self._symbol(symbol)
        held = await self.fetch_positions([name], params, timeout_ms=timeout_ms)
        if len(held) > 1:
            raise BadRequest(
                f"there are {len(held)} positions in {name}", exchange=self.id, hint="use fetch_positions([symbol])"
            )
        return held[0] if held else None

    async def fetch_trading_fee(
        self, symbol: str, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> TradingFee:
        """What trading in a market costs this account; the market's schedule, marked `estimated`, where the exchange does
        not tell of the account.

        Raises:
            NotSupported: neither is known.
        """
        name = self._symbol(symbol)
        if self._has("fetch_trading_fee") and self._authenticated:
            return await super()._ask("fetch_trading_fee", (name,), params, timeout_ms)
        if self._has("fetch_trading_fees") and self._authenticated:
            fees = await super()._ask("fetch_trading_fees", (), params, timeout_ms)
            if name in fees:
                return fees[name]
        return self._scheduled_fee(name)

    async def fetch_trading_fees(
        self, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> Table[TradingFee]:
        """What trading costs, by symbol; the schedule, marked `estimated`, where the exchange does not tell of the
        account. Markets whose fees nobody knows are left out."""
        if self._has("fetch_trading_fees") and self._authenticated:
            return Table(await super()._ask("fetch_trading_fees", (), params, timeout_ms))
        known = [one.symbol for one in self._markets.values() if one.maker is not None and one.taker is not None]
        return Table({name: self._scheduled_fee(name) for name in known}, "composed")

    def _scheduled_fee(self, symbol: str) -> TradingFee:
        market = self._markets[symbol]
        if market.maker is None or market.taker is None:
            raise NotSupported(f"nobody tells what trading in {symbol} costs", exchange=self.id)
        return TradingFee(symbol=symbol, maker=market.maker, taker=market.taker, percentage=True, estimated=True)

    async def fetch_order_trades(
        self,
        id: str,
        symbol: str,
        since: int | None = None,
        limit: int | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> Rows[Fill]:
        """Own executions of one order, oldest first."""
        name = self._symbol(symbol)
        if self._has("fetch_order_trades"):
            try:
                return await self._ask("fetch_order_trades", (id, name, since, limit), params, timeout_ms)
            except ArgumentsRequired as error:  # some want what only the order tells
                if error.outcome is not Outcome.NOT_SENT:
                    raise
        if self._has("fetch_my_trades") is False:
            raise NotSupported(
                "fetch_order_trades is not offered by this exchange, nor are own executions of which it could be made",
                exchange=self.id,
                outcome=Outcome.NOT_SENT,
                hint="the order itself tells what it has filled: fetch_order",
            )
        order = await self.fetch_order(id, name, timeout_ms=timeout_ms)
        if order.id is None:
            raise OrderNotFound(f"the exchange has no order {id} of {name}", exchange=self.id)
        start = since if since is not None else order.ts_ms
        fills = await self.fetch_my_trades(name, start, None, params, timeout_ms=timeout_ms)
        own = [fill for fill in fills if fill.order_id == order.id]
        return Rows(own[:limit] if limit else own, "not atomic")

    async def fetch_deposits_withdrawals(
        self,
        code: str | None = None,
        since: int | None = None,
        limit: int | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> Rows[Transaction]:
        """Deposits and withdrawals, oldest first."""
        if self._has("fetch_deposits_withdrawals"):
            return await self._ask("fetch_deposits_withdrawals", (code, since, limit), params, timeout_ms)
        deposits = await self._ask("fetch_deposits", (code, since, limit), params, timeout_ms)
        withdrawals = await self._ask("fetch_withdrawals", (code, since, limit), params, timeout_ms)
        both: list[Transaction] = sorted([*deposits, *withdrawals], key=lambda one: one.ts_ms or 0)
        return Rows(both[-limit:] if limit else both, "not atomic")

    async def fetch_free_balance(self, *, timeout_ms: int | None = None) -> dict[str, Amount | None]:
        """Currency -> what can be ordered with."""
        return (await self.fetch_balance(timeout_ms=timeout_ms)).free

    async def fetch_used_balance(self, *, timeout_ms: int | None = None) -> dict[str, Amount | None]:
        """Currency -> what open orders and positions hold."""
        return (await self.fetch_balance(timeout_ms=timeout_ms)).used

    async def fetch_total_balance(self, *, timeout_ms: int | None = None) -> dict[str, Amount | None]:
        """Currency -> all of it."""
        return (await self.fetch_balance(timeout_ms=timeout_ms)).total

    async def fetch_partial_balance(self, part: str, *, timeout_ms: int | None = None) -> dict[str, Amount | None]:
        """One part of the balances by currency: "free", "used" or "total"."""
        balance = await self.fetch_balance(timeout_ms=timeout_ms)
        if part == "free":
            return balance.free
        if part == "used":
            return balance.used
        if part == "total":
            return balance.total
        raise BadRequest(
            f"part is {part!r}", exchange=self.id, outcome=Outcome.NOT_SENT, hint='"free", "used" or "total"'
        )

    async def fetch_positions_for_symbol(
        self, symbol: str, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> Rows[Position]:
        """The positions in one contract: two where a long and a short stand side by side."""
        return await self.fetch_positions([symbol], params, timeout_ms=timeout_ms)

    # -- orders that ended -----------------------------------------------------------------------------------------
    async def fetch_canceled_orders(
        self,
        symbol: str,
        since: int | None = None,
        limit: int | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> Rows[Order]:
        """Orders that were canceled, oldest first, among the newest `limit` of any state."""
        orders = await self.fetch_orders(symbol, since, limit, params, timeout_ms=timeout_ms)
        return Rows((order for order in orders if order.status == "canceled"), "composed")

    async def fetch_canceled_and_closed_orders(
        self,
        symbol: str,
        since: int | None = None,
        limit: int | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> Rows[Order]:
        """Orders that have ended: filled, canceled, expired, rejected; oldest first, among the newest `limit` of any
        state."""
        orders = await self.fetch_orders(symbol, since, limit, params, timeout_ms=timeout_ms)
        return Rows((order for order in orders if order.status != "open"), "composed")
