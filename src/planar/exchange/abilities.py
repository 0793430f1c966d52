"""What an exchange can do: one question, one answer, and the call then does exactly that or is refused before it is sent.

    if exchange.can("create_order", "BTC/USDT", post_only=True): ...
    print(exchange.can("fetch_tickers").how, exchange.can("create_oco").why)

The answers come from CCXT's description of the exchange and the tables of its package (`planar.exchange.ability`), and from
the settings in use.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from planar.adapters.base import Adapter, Capabilities
from planar.adapters.ccxt_describing import snake
from planar.adapters.kinds import KindTable
from planar.adapters.profile import Profile
from planar.adapters.unified import METHODS
from planar.config.suggest import did_you_mean
from planar.errors import BadRequest, Outcome
from planar.exchange.ability import Ability, ability
from planar.exchange.order_forms import FORMS
from planar.exchange.unwatching import UnwatchingMethods
from planar.models import Market

_PRIVATE: Final = frozenset(
    {
        *(
            "fetch_balance",
            "fetch_my_trades",
            "fetch_order",
            "fetch_open_orders",
            "fetch_orders",
            "fetch_closed_orders",
        ),
        *("watch_orders", "watch_my_trades", "watch_balance", "fetch_key_rights", "fetch_order_trades"),
        *("watch_positions", "watch_position", "watch_my_liquidations", "watch_orders_for_symbols"),
        *("watch_my_trades_for_symbols", "watch_my_liquidations_for_symbols", "fetch_partial_balance"),
        *("fetch_canceled_orders", "fetch_canceled_and_closed_orders", "fetch_order_with_client_order_id"),
        *(name for name, row in METHODS.items() if row.private),
    }
)
_WRITES: Final = frozenset(
    {
        *("create_order", "create_orders", "edit_order", "cancel_order", "cancel_orders", "cancel_all_orders"),
        *("create_oco", "create_bracket", "replace_order", "create_order_with_take_profit_and_stop_loss"),
        *("create_reduce_only_order", "close_position", "close_all_positions", "cancel_all_orders_after"),
        *("edit_orders", "edit_limit_order", "edit_limit_buy_order", "edit_limit_sell_order"),
        *("cancel_orders_for_symbols", "cancel_order_with_client_order_id", "cancel_orders_with_client_order_ids"),
        *("edit_order_with_client_order_id", *FORMS),
        *(name for name, row in METHODS.items() if row.write),
    }
)


class Asked(msgspec.Struct, frozen=True):
    """An open exchange that is asked about; see `planar.exchange.ability.Subject`.

    Attributes:
        market: that is asked about, if one is named.
        spot: the first spot market, else any; None: no market is loaded.
        contract: the first derivative, if there is one.
    """

    adapter: Adapter
    market: Market | None
    spot: Market | None
    contract: Market | None

    @property
    def id(self) -> str:
        """CCXT's id."""
        return self.adapter.id

    @property
    def profile(self) -> Profile:
        """The tables of its package."""
        return self.adapter.profile

    @property
    def capabilities(self) -> Capabilities:
        """What CCXT says of it."""
        return self.adapter.capabilities

    @property
    def market_type(self) -> str | None:
        """Type of the market that is asked about."""
        return None if self.market is None else self.market.type

    def order_kinds(self) -> KindTable | None:
        """See `Subject`."""
        market = self.market or self.spot
        return None if market is None else self.adapter.order_kinds(market.symbol)

    def contract_kinds(self) -> KindTable | None:
        """See `Subject`."""
        market = self.market or self.contract
        return None if market is None or not market.contract else self.adapter.order_kinds(market.symbol)

    def has_contracts(self) -> bool:
        """See `Subject`."""
        return self.contract is not None


class AbilityMethods(UnwatchingMethods):
    """What the exchange can do, asked before it is tried."""

    def can(self, method: str, symbol: str | None = None, **options: Any) -> Ability:
        """Whether a method would be carried out, and how.

        Args:
            method: a method of `Exchange`, in snake_case or as CCXT writes it.
            symbol: a market, where the answer depends on it; orders are else asked about for the first spot market.
            options: of `create_order`: `type`, `side`, and the words that say which kind of order is meant, each with a
                value or True: `post_only=True`, `time_in_force="IOC"`, `trigger_price=True`, `trailing_percent=1`.

        Raises:
            BadRequest: (NOT_SENT) there is no such method or option.
            BadSymbol: there is no such market.
        """
        name = snake(method)
        if not hasattr(self, name) or name.startswith("_"):
            hint = did_you_mean(name, [one for one in dir(type(self)) if not one.startswith("_")])
            raise BadRequest(f"there is no method {method!r}", exchange=self.id, outcome=Outcome.NOT_SENT, hint=hint)
        if options and name != "create_order":
            raise BadRequest(
                f"{', '.join(options)}: only create_order has options that can be asked about",
                exchange=self.id,
                outcome=Outcome.NOT_SENT,
            )
        barred = self._barred(name)
        if barred is not None:
            return barred
        listed = self._markets.values()
        contract = next((one for one in listed if one.contract), None)
        spot = next((one for one in listed if one.spot), None) or next(iter(listed), None)
        market = None if symbol is None else self.market(symbol)
        return ability(name, Asked(self._adapter, market, spot, contract), options)

    def _barred(self, name: str) -> Ability | None:
        """What the settings say before the exchange is asked for its opinion."""
        if name in _WRITES and self._settings.read_only:
            return Ability("refused", f"[{self.id}] is read_only")
        if name in _PRIVATE or name in _WRITES:
            if self._settings.environment is None:
                return Ability("refused", f"no environment is written in [{self.id}]")
            if not self._authenticated:
                needed = ", ".join(self.required_credentials)
                return Ability("refused", f"it needs credentials: {needed}")
        if name == "withdraw" and not self._settings.withdrawals:
            return Ability("refused", f"[{self.id}] withdrawals is off")
        return None
