"""The short forms of `create_order`, with CCXT's names and argument order: each is a word of the one call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from planar.errors import ArgumentsRequired
from planar.exchange.core import NOTHING
from planar.exchange.order_words import Number
from planar.exchange.trading import TradingMethods
from planar.orders import OrderHandle

FORMS: Final[Mapping[str, Mapping[str, Any]]] = {
    "create_limit_order": {"type": "limit"},
    "create_limit_buy_order": {"type": "limit"},
    "create_limit_sell_order": {"type": "limit"},
    "create_market_order": {"type": "market"},
    "create_market_buy_order": {"type": "market"},
    "create_market_sell_order": {"type": "market"},
    "create_market_order_with_cost": {"type": "market", "cost": True},
    "create_market_buy_order_with_cost": {"type": "market", "cost": True},
    "create_market_sell_order_with_cost": {"type": "market", "cost": True, "side": "sell"},
    "create_post_only_order": {"post_only": True},
    "create_stop_order": {"type": "stop"},
    "create_trigger_order": {"type": "stop"},
    "create_stop_market_order": {"type": "stop"},
    "create_stop_limit_order": {"type": "stop_limit"},
    "create_stop_loss_order": {"type": "market", "stop_loss": True},
    "create_take_profit_order": {"type": "market", "take_profit": True},
    "create_trailing_percent_order": {"type": "market", "trailing_percent": True},
    "create_trailing_amount_order": {"type": "market", "trailing_amount": True},
}
"""Short form -> the options of `create_order` that it stands for: what `Exchange.can` asks about."""


class OrderForms(TradingMethods):
    """Short forms. `options` are the keyword arguments of `create_order`: `intent_id`, `timeout_ms`, `dry_run`, `raw` and the
    words of `KindWords`; errors are those of `create_order`.
    """

    # -- at a price, at the market ---------------------------------------------------------------------------------
    async def create_limit_order(
        self, symbol: str, side: str, amount: Number, price: Number, params: Mapping[str, Any] = NOTHING, **options: Any
    ) -> OrderHandle:
        """A limit order."""
        return await self.create_order(symbol, "limit", side, amount, price, params, **options)

    async def create_limit_buy_order(
        self, symbol: str, amount: Number, price: Number, params: Mapping[str, Any] = NOTHING, **options: Any
    ) -> OrderHandle:
        """A limit order to buy."""
        return await self.create_order(symbol, "limit", "buy", amount, price, params, **options)

    async def create_limit_sell_order(
        self, symbol: str, amount: Number, price: Number, params: Mapping[str, Any] = NOTHING, **options: Any
    ) -> OrderHandle:
        """A limit order to sell."""
        return await self.create_order(symbol, "limit", "sell", amount, price, params, **options)

    async def create_market_order(
        self,
        symbol: str,
        side: str,
        amount: Number,
        price: Number | None = None,
        params: Mapping[str, Any] = NOTHING,
        **options: Any,
    ) -> OrderHandle:
        """A market order of a base amount. It has no price: one that is given is refused."""
        return await self.create_order(symbol, "market", side, amount, price, params, **options)

    async def create_market_buy_order(
        self, symbol: str, amount: Number, params: Mapping[str, Any] = NOTHING, **options: Any
    ) -> OrderHandle:
        """A market order to buy a base amount."""
        return await self.create_order(symbol, "market", "buy", amount, None, params, **options)

    async def create_market_sell_order(
        self, symbol: str, amount: Number, params: Mapping[str, Any] = NOTHING, **options: Any
    ) -> OrderHandle:
        """A market order to sell a base amount."""
        return await self.create_order(symbol, "market", "sell", amount, None, params, **options)

    async def create_market_order_with_cost(
        self, symbol: str, side: str, cost: Number, params: Mapping[str, Any] = NOTHING, **options: Any
    ) -> OrderHandle:
        """A market order for a quote amount."""
        return await self.create_order(symbol, "market", side, None, None, {**params, "cost": cost}, **options)

    async def create_market_buy_order_with_cost(
        self, symbol: str, cost: Number, params: Mapping[str, Any] = NOTHING, **options: Any
    ) -> OrderHandle:
        """A market order that spends a quote amount."""
        return await self.create_market_order_with_cost(symbol, "buy", cost, params, **options)

    async def create_market_sell_order_with_cost(
        self, symbol: str, cost: Number, params: Mapping[str, Any] = NOTHING, **options: Any
    ) -> OrderHandle:
        """A market order that sells for a quote amount."""
        return await self.create_market_order_with_cost(symbol, "sell", cost, params, **options)

    # -- under a condition -----------------------------------------------------------------------------------------
    async def create_post_only_order(
        self,
        symbol: str,
        type: str,
        side: str,
        amount: Number,
        price: Number | None = None,
        params: Mapping[str, Any] = NOTHING,
        **options: Any,
    ) -> OrderHandle:
        """A limit order that is refused instead of taking."""
        return await self.create_order(symbol, type, side, amount, price, {**params, "postOnly": True}, **options)

    async def create_reduce_only_order(
        self,
        symbol: str,
        type: str,
        side: str,
        amount: Number,
        price: Number | None = None,
        params: Mapping[str, Any] = NOTHING,
        **options: Any,
    ) -> OrderHandle:
        """An order that makes a position in a derivative smaller, and never opens or turns one."""
        return await self.create_order(symbol, type, side, amount, price, {**params, "reduceOnly": True}, **options)

    async def create_trigger_order(
        self,
        symbol: str,
        type: str,
        side: str,
        amount: Number,
        price: Number | None = None,
        trigger_price: Number | None = None,
        params: Mapping[str, Any] = NOTHING,
        **options: Any,
    ) -> OrderHandle:
        """An order that waits until the market gets as bad as `trigger_price`: a stop."""
        return await self._waiting("triggerPrice", trigger_price, (symbol, type, side, amount, price), params, options)

    async def create_stop_order(
        self,
        symbol: str,
        type: str,
        side: str,
        amount: Number,
        price: Number | None = None,
        trigger_price: Number | None = None,
        params: Mapping[str, Any] = NOTHING,
        **options: Any,
    ) -> OrderHandle:
        """As `create_trigger_order`."""
        return await self._waiting("triggerPrice", trigger_price, (symbol, type, side, amount, price), params, options)

    async def create_stop_market_order(
        self,
        symbol: str,
        side: str,
        amount: Number,
        trigger_price: Number,
        params: Mapping[str, Any] = NOTHING,
        **options: Any,
    ) -> OrderHandle:
        """A market order that waits for the price to reach `trigger_price`."""
        return await self._waiting("triggerPrice", trigger_price, (symbol, "market", side, amount), params, options)

    async def create_stop_limit_order(
        self,
        symbol: str,
        side: str,
        amount: Number,
        price: Number,
        trigger_price: Number,
        params: Mapping[str, Any] = NOTHING,
        **options: Any,
    ) -> OrderHandle:
        """A limit order that waits for the price to reach `trigger_price`."""
        wish = (symbol, "limit", side, amount, price)
        return await self._waiting("triggerPrice", trigger_price, wish, params, options)

    async def create_stop_loss_order(
        self,
        symbol: str,
        type: str,
        side: str,
        amount: Number,
        price: Number | None = None,
        stop_loss_price: Number | None = None,
        params: Mapping[str, Any] = NOTHING,
        **options: Any,
    ) -> OrderHandle:
        """An order that waits until the market gets as bad as `stop_loss_price`."""
        wish = (symbol, type, side, amount, price)
        return await self._waiting("stopLossPrice", stop_loss_price, wish, params, options)

    async def create_take_profit_order(
        self,
        symbol: str,
        type: str,
        side: str,
        amount: Number,
        price: Number | None = None,
        take_profit_price: Number | None = None,
        params: Mapping[str, Any] = NOTHING,
        **options: Any,
    ) -> OrderHandle:
        """An order that waits until the market gets as good as `take_profit_price`."""
        wish = (symbol, type, side, amount, price)
        return await self._waiting("takeProfitPrice", take_profit_price, wish, params, options)

    async def create_trailing_percent_order(
        self,
        symbol: str,
        type: str,
        side: str,
        amount: Number,
        price: Number | None = None,
        trailing_percent: Number | None = None,
        trailing_trigger_price: Number | None = None,
        params: Mapping[str, Any] = NOTHING,
        **options: Any,
    ) -> OrderHandle:
        """An order that follows the best price at a distance of `trailing_percent`, 1.5 is 1.5 %. A price at which it only
        begins to follow is refused."""
        wish, params = (symbol, type, side, amount, price), _begun_at(trailing_trigger_price, params)
        return await self._waiting("trailingPercent", trailing_percent, wish, params, options)

    async def create_trailing_amount_order(
        self,
        symbol: str,
        type: str,
        side: str,
        amount: Number,
        price: Number | None = None,
        trailing_amount: Number | None = None,
        trailing_trigger_price: Number | None = None,
        params: Mapping[str, Any] = NOTHING,
        **options: Any,
    ) -> OrderHandle:
        """An order that follows the best price at a distance in quote currency. A price at which it only begins to follow
        is refused."""
        wish, params = (symbol, type, side, amount, price), _begun_at(trailing_trigger_price, params)
        return await self._waiting("trailingAmount", trailing_amount, wish, params, options)

    async def _waiting(
        self,
        key: str,
        value: Number | None,
        wish: tuple[Any, ...],
        params: Mapping[str, Any],
        options: Mapping[str, Any],
    ) -> OrderHandle:
        """An order that waits for the price that stands in `params` under CCXT's key."""
        if value is None and params.get(key) is None:
            raise ArgumentsRequired(f"what the order waits for ({key}) is not given", exchange=self.id)
        given = {} if value is None else {key: value}
        symbol, type, side, amount, *price = wish
        made = {**params, **given}
        return await self.create_order(symbol, type, side, amount, price[0] if price else None, made, **options)


def _begun_at(price: Number | None, params: Mapping[str, Any]) -> Mapping[str, Any]:
    return params if price is None else {**params, "trailingTriggerPrice": price}
