"""The commands that put an exchange, its markets or its keys into a state: halts, filters, maintenance, rights, expiry.

States go by the exchange's own words for them (Binance: `HALT`, `BREAK`, `system_maintenance`; Kraken: `cancel_only`,
`post_only`, `maintenance`, ...), and so do rights of keys. Clients hear of all this only as the exchange documents it.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any, Final, TypeVar

from planar.errors import BadRequest
from planar.venue.bookkeeping import known
from planar.venue.engine.enums import MarketStatus
from planar.venue.steering.bench import Bench, SteeringCommand, amount

LOCAL: Final = "local"
"""Where a request on the Unix socket comes from."""

T = TypeVar("T")
FILTERS = ("tick", "lot", "min_amount", "max_amount", "min_notional")


class Halt(SteeringCommand, frozen=True, kw_only=True):
    """Stop trading in a market: open orders stay and can be canceled, nothing is matched.

    Attributes:
        symbol: unified symbol.
        state: the exchange's word for the state; None: the one in which it takes no new order.
    """

    symbol: str
    state: str | None = None

    def carry_out(self, bench: Bench) -> dict[str, Any]:
        """Halt it."""
        symbol = _listed(bench, self.symbol)
        halts = {
            word: status
            for word, status in bench.market_states.items()
            if status not in (MarketStatus.TRADING, MarketStatus.DELISTED)
        }
        word = _word(halts, MarketStatus.HALTED) if self.state is None else known("state", self.state, list(halts))
        bench.exchange.set_status(symbol, halts[word])
        return {"symbol": symbol, "state": word}


class Reopen(SteeringCommand, frozen=True, kw_only=True):
    """Let a halted market trade again.

    Attributes:
        symbol: unified symbol.
    """

    symbol: str

    def carry_out(self, bench: Bench) -> dict[str, Any]:
        """Reopen it."""
        symbol = _listed(bench, self.symbol)
        bench.exchange.set_status(symbol, MarketStatus.TRADING)
        return {"symbol": symbol, "state": _word(bench.market_states, MarketStatus.TRADING)}


class Delist(SteeringCommand, frozen=True, kw_only=True):
    """Take a market away for good: its open orders are canceled, and the exchange knows it no more.

    Attributes:
        symbol: unified symbol.
    """

    symbol: str

    def carry_out(self, bench: Bench) -> dict[str, Any]:
        """Delist it."""
        symbol = _listed(bench, self.symbol)
        return {"symbol": symbol, "canceled": bench.exchange.conditions.delist(symbol)}


class SetFilters(SteeringCommand, frozen=True, kw_only=True):
    """Change what a market allows while it runs; open orders stay as they are. What is None stays.

    Attributes:
        symbol: unified symbol.
        tick: prices are multiples of it; itself a multiple of the tick that the market began with.
        lot: the same for amounts.
        min_amount: least amount of an order, in base.
        max_amount: largest amount of a limit order, in base.
        min_notional: least value of an order, in quote.
    """

    symbol: str
    tick: str | None = None
    lot: str | None = None
    min_amount: str | None = None
    max_amount: str | None = None
    min_notional: str | None = None

    def carry_out(self, bench: Bench) -> dict[str, Any]:
        """Change them; all filters as they are now."""
        symbol = _listed(bench, self.symbol)
        texts = {name: getattr(self, name) for name in FILTERS}
        changes = {name: amount(name, text) for name, text in texts.items() if text is not None}
        try:
            spec = bench.exchange.conditions.set_filters(symbol, changes)
        except ValueError as error:
            raise BadRequest(str(error), hint="give a positive number; tick and lot can only become coarser") from error
        return {"symbol": symbol, **{name: f"{getattr(spec, name):f}" for name in FILTERS}}


class SetSystem(SteeringCommand, frozen=True, kw_only=True):
    """Put the whole exchange into a state, such as maintenance.

    Attributes:
        state: the exchange's word for it.
    """

    state: str

    def carry_out(self, bench: Bench) -> dict[str, Any]:
        """Do so."""
        word = known("state", self.state, list(bench.system_states))
        bench.exchange.conditions.set_system(bench.system_states[word])
        return {"system": word}


class SetRights(SteeringCommand, frozen=True, kw_only=True):
    """Say what keys may do, as their owner does on the exchange's website.

    Attributes:
        account: whose keys.
        rights: the exchange's words for what they may do; all else is refused.
        key: this key alone; None: all keys of the account.
    """

    account: str
    rights: tuple[str, ...]
    key: str | None = None

    def carry_out(self, bench: Bench) -> dict[str, Any]:
        """Change them; each key with its rights."""
        keys = _keys(bench, self.account, self.key)
        for right in self.rights:
            known("right", right, bench.keys.right_names)
        for key in keys:
            bench.keys.allow(key, self.rights)
        rights = bench.keys.keys_of(self.account)
        return {"account": self.account, "keys": {key: list(rights[key]) for key in keys}}


class RestrictAddresses(SteeringCommand, frozen=True, kw_only=True):
    """Let keys be used from some addresses alone.

    Attributes:
        account: whose keys.
        addresses: where requests may come from, such as `127.0.0.1`; `local` is the Unix socket. None at all: anywhere.
        key: this key alone; None: all keys of the account.
    """

    account: str
    addresses: tuple[str, ...] = ()
    key: str | None = None

    def carry_out(self, bench: Bench) -> dict[str, Any]:
        """Restrict them."""
        for address in self.addresses:
            _check_address(address)
        keys = _keys(bench, self.account, self.key)
        for key in keys:
            bench.keys.restrict(key, self.addresses or None)
        return {"account": self.account, "keys": keys, "addresses": list(self.addresses)}


class ExpireTokens(SteeringCommand, frozen=True, kw_only=True):
    """End, before their time, the tokens with which connections listen to an account: listen keys, WebSocket tokens.

    Attributes:
        account: whose.
    """

    account: str

    def carry_out(self, bench: Bench) -> dict[str, Any]:
        """End them; how many tokens and subscriptions ended."""
        return {"account": self.account, "ended": bench.expire_tokens(bench.account(self.account))}


def _listed(bench: Bench, symbol: str) -> str:
    name = bench.symbol(symbol)
    if not bench.exchange.conditions.listed(name):
        raise BadRequest(f"{name} is not listed any more", hint="a delisted market does not come back")
    return name


def _word(states: Mapping[str, T], status: T) -> str:
    return next(word for word, found in states.items() if found is status)


def _keys(bench: Bench, account: str, key: str | None) -> list[str]:
    keys = list(bench.keys.keys_of(bench.account(account)))
    return keys if key is None else [known("key", key, keys)]


def _check_address(text: str) -> None:
    if text == LOCAL:
        return
    try:
        ipaddress.ip_address(text)
    except ValueError as error:
        hint = f"write it as 127.0.0.1 or ::1; '{LOCAL}' is the Unix socket"
        raise BadRequest(f"address = '{text}' is no IP address", hint=hint) from error
