"""What protects an account: previews, limits, the emergency stop. The dead man's switch is `planar.exchange.countdown`."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Unpack

import msgspec

from planar.adapters.base import OrderRequest
from planar.errors import BadRequest, BadSymbol, Outcome, PlanarError
from planar.exchange.data import NOTHING
from planar.exchange.order_names import OrderNames
from planar.exchange.order_words import KindWords, Number, with_words
from planar.models import AccountBalance, Amount, Market, OrderBook
from planar.models.steps import rounded
from planar.orders import OrderManager
from planar.orders.limits import COUNTING, LimitCheck, OrderLimits, Sight, Surroundings
from planar.orders.preview import Preview, Previewer
from planar.orders.stopping import Left, Stopper, StopReport

STOP_S = 30.0
"""How long a stop tries, if nothing else is said."""
CLOSE_S = 10.0
"""How long a market order that closes something may take."""


class SafetyMethods(OrderNames):
    """See the module's docstring."""

    _limits: OrderLimits | None = None

    # -- looking before sending --------------------------------------------------------------------------------------
    async def preview_order(
        self,
        symbol: str,
        type: str,
        side: str,
        amount: Number | None = None,
        price: Number | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        raw: Mapping[str, Any] = NOTHING,
        **kind: Unpack[KindWords],
    ) -> Preview:
        """The order as it would be sent, checked, with its cost, its fee, the market around it and what is left after it.

        Nothing is sent but questions. Limits that it would break are in `limits` and `warnings`.
        """
        self._check_signed("preview_order")
        params = with_words(params, kind, self.id)
        return await self._preview(self._request(symbol, type, side, amount, price, params, raw))

    async def _preview(self, request: OrderRequest, checks: tuple[LimitCheck, ...] | None = None) -> Preview:
        if checks is None:
            limits = self._order_limits(self._orders())
            checks = self._checks(limits, request, await limits.look(request)) if limits is not None else ()
        previewer = Previewer(self._adapter, self.environment, self.account, self._settings.timeout_ms)
        return await previewer.preview(request, self.market(request.symbol), checks)

    async def _rehearse(self, request: OrderRequest) -> Preview:
        """A dry run: what sending would refuse is refused."""
        limits, checks = self._order_limits(self._orders()), tuple[LimitCheck, ...]()
        if limits is not None:
            sight = await limits.look(request)
            limits.admit(request, sight)
            checks = self._checks(limits, request, sight)
        return await self._preview(request, checks)

    def _checks(self, limits: OrderLimits, request: OrderRequest, sight: Sight) -> tuple[LimitCheck, ...]:
        """The limits beside an order; those that count orders only where the journal has been read."""
        left_out = () if self._orders().is_open else COUNTING
        return tuple(check for check in limits.checks(request, sight) if check.limit not in left_out)

    # -- limits ----------------------------------------------------------------------------------------------------
    def _orders(self) -> OrderManager:
        manager = super()._orders()
        if manager.gate is None:
            manager.gate = self._order_limits(manager)
        return manager

    def _order_limits(self, manager: OrderManager) -> OrderLimits | None:
        written = self._settings.limits.of(self.account)
        if self._limits is None and written != type(written)(accounts=written.accounts):
            around = Surroundings(
                market=self.market,
                find_market=self._find_market,
                price=self._prices.get,
                book=self._book,
                balance=self._own_balance,
                others=lambda: manager.readiness.state.last.foreign if manager.readiness.state.last else 0,
                place=lambda: self._configuration.origin(self.id, "limits") or "an option of the call",
            )
            self._limits = OrderLimits(self.id, written, manager.store, around)
        return self._limits

    def _find_market(self, base: str, quote: str) -> Market | None:
        return self._markets.get(f"{base}/{quote}")

    async def _book(self, symbol: str, depth: int) -> OrderBook:
        return await self.fetch_order_book(symbol, depth)

    async def _own_balance(self) -> AccountBalance:
        return await self.fetch_balance()

    # -- the emergency stop ------------------------------------------------------------------------------------------
    async def stop(self, *, close_into: str | None = None, within_s: float = STOP_S) -> StopReport:
        """Cancel every open order of the account, those of other programs too, and ask the exchange until none is left.

        It needs neither streams nor the journal, and goes before everything else. It raises nothing of the exchange's:
        `verified` of the report says whether all is done, `left` what is not, and why.

        Args:
            close_into: then also sell what the account holds at the market, into this currency.
            within_s: how long it tries.
        """
        self._check_writable("stop")
        stopper = Stopper(self._adapter, within_s=within_s, heard=self._observe)
        report = await stopper.run()
        if self._order_manager is not None:
            # what was canceled wholesale is not in the journal yet, and no new order leaves before it is
            self._order_manager.readiness.hold("an emergency stop")
        beyond = self._beyond_spot()
        report = msgspec.structs.replace(
            report,
            environment=self.environment,
            account=self.account,
            left=(*report.left, *beyond),
            verified=report.verified and not beyond,
        )
        if close_into is None:
            return report
        closed, left = await self.close_holdings(close_into)
        return msgspec.structs.replace(
            report,
            closed=tuple(closed),
            left=(*report.left, *left),
            verified=report.verified and not left,
        )

    def _beyond_spot(self) -> list[Left]:
        """What a stop cannot speak for: CCXT's list of all open orders may be that of one kind of market alone."""
        kinds = sorted({market.type for market in self._markets.values() if market.type != "spot"})
        if not kinds:
            return []
        reason = (
            "orders in these markets may not be in the list of all open orders, so that none is left is not verified"
        )
        remedy = "cancel_all_orders(symbol) for each market that was traded; futures = false where none is"
        return [Left(f"orders in {', '.join(kinds)} markets", f"{reason}: {remedy}")]

    async def _positions_left(self) -> list[Left]:
        """Positions in derivatives, which are not closed; that they are not known is said too."""
        if all(market.type == "spot" for market in self._markets.values()):
            return []
        try:
            held = await self.fetch_positions()
        except PlanarError as error:
            return [Left("positions", f"whether there are any is not known: {error.message}")]
        reason = "positions in derivatives are not closed: order against them with reduceOnly"
        return [Left(f"{one.side} {one.contracts} {one.symbol}", reason) for one in held if one.contracts]

    async def closing_orders(self, into: str) -> tuple[list[OrderRequest], list[Left]]:
        """The market orders that would sell all that the account holds into one currency, and what cannot be sold.

        What is less than the market takes is dust: it is neither sold nor told.
        """
        self._check_signed("closing_orders")
        if not any(market.quote == into for market in self._markets.values()):
            raise BadRequest(
                f"no market of it is quoted in {into}",
                exchange=self.id,
                outcome=Outcome.NOT_SENT,
                hint="name a quote currency of the exchange, such as USDT or USD",
            )
        balance, orders, left = await self.fetch_balance(), list[OrderRequest](), await self._positions_left()
        for currency, held in balance.balances.items():
            if currency == into or not held.free or held.free <= 0:
                continue
            market = self._find_market(currency, into)
            if market is None:
                left.append(Left(f"{held.free} {currency}", f"there is no market {currency}/{into}"))
                continue
            amount = rounded(held.free, market.precision.amount, market.precision.mode, "down")
            try:
                if amount > 0:
                    orders.append(self._request(market.symbol, "market", "sell", amount, None, {}))
            except BadSymbol:
                raise
            except PlanarError as error:
                if not await self._is_dust(market, amount):
                    left.append(Left(f"{held.free} {currency}", error.message))
        return orders, left

    async def _is_dust(self, market: Market, amount: Amount) -> bool:
        """Whether an amount is less than the market takes."""
        least, notional = market.limits.amount.min, market.limits.cost.min
        if least is not None and amount < least:
            return True
        price = (await self.fetch_ticker(market.symbol)).last
        return notional is not None and price is not None and amount * price < notional

    async def close_holdings(self, into: str) -> tuple[list[str], list[Left]]:
        """Sell all that the account holds at the market, into one currency: what was sold, and what is left.

        These orders are journaled like all others; the limits of the account do not hold them up.
        """
        self._check_writable("close_holdings")
        try:
            orders, left = await self.closing_orders(into)
        except PlanarError as error:
            return [], [Left("holdings", f"{type(error).__name__}: {error.message}")]
        results = await asyncio.gather(*(self._close_one(order) for order in orders))
        return [one for one in results if isinstance(one, str)], [*left, *(r for r in results if isinstance(r, Left))]

    async def _close_one(self, request: OrderRequest) -> str | Left:
        """Sell one holding; the limits do not hold it up."""
        try:
            handle = await self._orders().place(request, limited=False)
            order = await handle.settled(CLOSE_S)
        except PlanarError as error:
            return Left(f"{request.amount} {request.symbol}", f"{type(error).__name__}: {error.message}")
        if order.remaining:
            return Left(f"{order.remaining} {request.symbol}", f"it is {order.state.value}, filled {order.filled}")
        return f"sold {order.filled} {request.symbol} at {order.average}"

    async def close(self) -> None:
        """See `ExchangeCore.close`."""
        try:
            await super().close()
        finally:
            if self._safety.trail is not None:
                await asyncio.to_thread(self._safety.trail.close)
