"""CCXT's unified methods that `Exchange` does not have, and what to use instead.

An attribute that `Exchange` lacks raises an error which names the right one: of this table, in snake_case, or on
`exchange.ccxt`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from planar.config.suggest import did_you_mean

ABSENT: Final[Mapping[str, str]] = {
    "borrow_margin": "an old name of borrow_cross_margin and borrow_isolated_margin",
    "repay_margin": "an old name of repay_cross_margin and repay_isolated_margin",
    "cancel_unified_order": "cancel_orders([order]) takes an order as it is",
    "fetch_unified_order": "fetch_order(order.id, order.symbol)",
    "cancel_contract_order": "cancel_order takes orders of every type of market",
    "cancel_spot_order": "cancel_order takes orders of every type of market",
    "cancel_all_contract_orders": "cancel_all_orders(symbol)",
    "cancel_all_spot_orders": "cancel_all_orders(symbol)",
    "create_contract_orders": "create_orders takes orders of every type of market",
    "create_spot_orders": "create_orders takes orders of every type of market",
    "create_sub_account": "no exchange of CCXT has it; accounts are made at the exchange",
    "create_twap_order": "its parts would have no client ids, so no journal could tell whose they are; "
    "send them yourself with create_order",
    "enable_demo_trading": 'an environment is chosen once: p.exchange(..., environment="demo")',
    "set_sandbox_mode": 'an environment is chosen once: p.exchange(..., environment="sandbox")',
    "fetch_adl_rank": "another name of fetch_position_adl_rank",
    "fetch_borrow_rate": "an old name of fetch_cross_borrow_rate and fetch_isolated_borrow_rate",
    "fetch_contract_deposit_address": "fetch_deposit_address",
    "fetch_contract_ohlcv": "fetch_ohlcv takes every type of market",
    "fetch_spot_ohlcv": "fetch_ohlcv takes every type of market",
    "fetch_contract_tickers": "fetch_tickers takes every type of market",
    "fetch_spot_tickers": "fetch_tickers takes every type of market",
    "fetch_fees": "fetch_trading_fees and fetch_deposit_withdraw_fees",
    "fetch_l2_order_book": "another name of fetch_order_book",
    "fetch_orders_by_status_ws": "fetch_orders, and choose by status",
    "fetch_payment_methods": "its answers have no common form: exchange.ccxt has it",
    "fetch_positions_risk": "an old name of fetch_positions",
    "fetch_trading_limits": "limits are a part of markets: exchange.market(symbol).limits",
    "load_trading_limits": "limits are a part of markets: exchange.market(symbol).limits",
    "fetch_transaction_fee": "an old name of fetch_deposit_withdraw_fee",
    "fetch_transaction_fees": "an old name of fetch_deposit_withdraw_fees",
    "fetch_transactions": "an old name of fetch_deposits_withdrawals",
    "load_accounts": "fetch_accounts",
    "load_time_difference": "clocks are followed by themselves: exchange.health",
    "sign_in": "sessions are looked after by CCXT: exchange.ccxt has it",
    "watch_funding_rates_for_symbols": "another name of watch_funding_rates",
    "watch_position_for_symbols": "another name of watch_positions",
}
"""Method -> why it is not here, and what is."""
_TWIN: Final = "_ws"
"""CCXT's ending of what asks over a socket."""


def instead(name: str, methods: list[str]) -> str:
    """What to use instead of an attribute that `Exchange` does not have.

    Args:
        methods: what it has.
    """
    snake = re.sub(r"(?<=[a-z0-9])([A-Z])", lambda found: f"_{found.group(1).lower()}", name.replace("OHLCV", "Ohlcv"))
    if snake in ABSENT:
        return ABSENT[snake]
    plain = snake.removesuffix(_TWIN).removesuffix("Ws")
    if plain != snake and plain in methods:
        return f'use {plain}: order_entry = "websocket" has orders go over a socket, watch_* has streams'
    if snake != name and snake in methods:
        return f"use {snake}: names are in snake_case here"
    if re.search(r"(^|_)(get|post|put|delete|patch)_|(Get|Post|Put|Delete|Patch)[A-Z0-9]", name):
        return f"an exchange's own endpoints are on CCXT's object: exchange.ccxt.{name}(...)"
    return did_you_mean(snake, methods) or "dir(exchange) lists what there is"


class AbsentNames:
    """What happens to a name that `Exchange` does not have."""

    if not TYPE_CHECKING:  # for a type checker such a name stays a mistake

        def __getattr__(self, name: str) -> object:
            if name.startswith("_"):
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self)
            known = [one for one in dir(type(self)) if not one.startswith("_")]
            raise AttributeError(f"Exchange has no {name}: {instead(name, known)}", name=name, obj=self)
