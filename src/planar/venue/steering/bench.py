"""What a wire lends to the commands that steer its exchange, and what these commands are made of.

A command comes from the control API (`planar.venue.control`), is decoded into one struct of `planar.venue.steering`
and carries itself out on the `Bench` of the wire that it is meant for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import msgspec

from planar.errors import BadRequest
from planar.venue.bookkeeping import known as known
from planar.venue.engine.enums import MarketStatus, SystemStatus
from planar.venue.engine.exchange import VirtualExchange
from planar.venue.engine.market_model import MarketModel

if TYPE_CHECKING:
    from planar.venue.wire import VenueAccount

MOST = 10**15
"""The largest amount that a command takes."""


class KeyBook(Protocol):
    """The API keys of one exchange. Rights go by the exchange's own names for them."""

    @property
    def right_names(self) -> tuple[str, ...]:
        """Every right that a key of this exchange can have."""
        ...

    def keys_of(self, account: str) -> dict[str, tuple[str, ...]]:
        """The rights of each key of an account, in the order in which the keys were made."""
        ...

    def allow(self, key: str, rights: Collection[str]) -> None:
        """Give a key these rights and no others.

        Raises:
            BadRequest: no such key, or a right that the exchange does not have.
        """
        ...

    def restrict(self, key: str, addresses: Collection[str] | None) -> None:
        """Let a key be used from these addresses alone; None: from anywhere.

        Raises:
            BadRequest: no such key.
        """
        ...

    def enroll(self, account: str, rights: Collection[str]) -> VenueAccount:
        """Make the first key of a new account, which the wire's list of accounts shows from then on.

        Raises:
            BadRequest: a right that the exchange does not have.
        """
        ...

    def make(self, account: str, rights: Collection[str]) -> VenueAccount:
        """Make a further key of an account, as a user does on the exchange's website.

        Raises:
            BadRequest: a right that the exchange does not have.
        """
        ...


class Bench(msgspec.Struct, frozen=True, kw_only=True):
    """What commands work on.

    Attributes:
        venue: id of the exchange.
        exchange: its engine.
        model: what moves its markets.
        keys: its API keys.
        market_states: the states that a market of it can be put into, by the exchange's words for them.
        system_states: those of the whole exchange.
        expire_tokens: ends what lets connections listen to an account; how many tokens and subscriptions ended.
    """

    venue: str
    exchange: VirtualExchange
    model: MarketModel
    keys: KeyBook
    market_states: Mapping[str, MarketStatus]
    system_states: Mapping[str, SystemStatus]
    expire_tokens: Callable[[str], int]

    def account(self, name: str) -> str:
        """The name of an account that exists.

        Raises:
            BadRequest: there is none of this name.
        """
        return known("account", name, self.exchange.accounts())

    def symbol(self, name: str) -> str:
        """The unified symbol of a market that exists.

        Raises:
            BadRequest: there is none of this name.
        """
        return known("symbol", name, list(self.exchange.symbols))

    def asset(self, name: str) -> str:
        """The code of an asset that exists.

        Raises:
            BadRequest: there is none of this code.
        """
        return known("asset", name, list(self.exchange.assets))


def _tag(name: str) -> str:
    """`SetBalance` -> `set_balance`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


class SteeringCommand(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="action", tag=_tag
):
    """What every command is: a struct whose `action` is its own name in snake case.

    A subclass says `frozen=True, kw_only=True` again; the rest it inherits.

    Attributes:
        everywhere: whether it goes to every exchange of the venue where none is named. Otherwise one must be named
            where several run.
    """

    everywhere: ClassVar[bool] = False

    def carry_out(self, bench: Bench) -> dict[str, Any]:
        """Do it; what is now the case, as JSON values.

        Raises:
            BadRequest: a field is wrong, or the exchange is not in the state that the command needs. Nothing changed.
        """
        raise NotImplementedError


def amount(field: str, text: str) -> Decimal:
    """An amount of money or goods: from 0 to a thousand million million, at most eight decimals.

    Raises:
        BadRequest: it is no such number.
    """
    try:
        value = Decimal(text)
    except InvalidOperation as error:
        raise BadRequest(f"{field} = '{text}' is no decimal number", hint="write it as 1.25") from error
    if not (value.is_finite() and 0 <= value <= MOST and value == value.quantize(Decimal("1e-8"))):
        raise BadRequest(f"{field} = '{text}' is no amount", hint=f"0 to {MOST}, at most eight decimals")
    return value
