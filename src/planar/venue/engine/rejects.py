"""Refusals of the engine."""

from __future__ import annotations

import enum

from planar.errors import Outcome, PlanarError


class RejectReason(enum.StrEnum):
    """Why the engine refused. The wire turns it into the venue's own code and text."""

    UNKNOWN_SYMBOL = "unknown_symbol"
    UNKNOWN_ACCOUNT = "unknown_account"
    UNKNOWN_ASSET = "unknown_asset"
    UNKNOWN_ORDER = "unknown_order"
    MARKET_HALTED = "market_halted"
    MARKET_POST_ONLY = "market_post_only"
    MARKET_LIMIT_ONLY = "market_limit_only"
    INVALID_AMOUNT = "invalid_amount"
    """Not positive, not a whole number of lots, or outside the symbol's limits."""
    INVALID_PRICE = "invalid_price"
    """Not positive, not a whole number of ticks, or outside the symbol's limits."""
    INVALID_STOP_PRICE = "invalid_stop_price"
    INVALID_ICEBERG = "invalid_iceberg"
    INVALID_COMBINATION = "invalid_combination"
    """Fields that do not belong together, e.g. a market order with a price."""
    INSUFFICIENT_BALANCE = "insufficient_balance"
    DUPLICATE_CLIENT_ID = "duplicate_client_id"
    """Another order of this account and symbol with this client id is open."""
    WOULD_TAKE = "would_take"
    """A post-only order would trade at once."""
    WOULD_TRIGGER = "would_trigger"
    """A stop whose condition already holds."""
    TOO_MANY_OPEN_ORDERS = "too_many_open_orders"
    TOO_MANY_STOP_ORDERS = "too_many_stop_orders"
    INVALID_TRAILING = "invalid_trailing"
    """Not positive, or so far that the stop could never trigger."""
    UNKNOWN_LIST = "unknown_list"
    DUPLICATE_LIST_ID = "duplicate_list_id"
    """Another open order list of this account carries this client id."""
    TOO_MANY_LISTS = "too_many_lists"
    BAD_LIST_PRICES = "bad_list_prices"
    """The prices of two orders of which one ends the other do not lie on both sides of the last price."""
    AMEND_NOT_SMALLER = "amend_not_smaller"
    """Keeping priority allows only a smaller amount, above what is filled."""
    INVALID_ADDRESS = "invalid_address"
    """Not of the form of the network's addresses."""
    MISSING_TAG = "missing_tag"
    """The network's addresses need a tag."""
    ADDRESS_NOT_ALLOWED = "address_not_allowed"
    """The account lets withdrawals go to its allowed addresses only."""
    FUNDS_NOT_READY = "funds_not_ready"
    """Deposited a short while ago: credited, and not to be withdrawn yet."""
    NOT_RELATED = "not_related"
    """The two accounts have not the same owner, or are the same wallet."""
    UNKNOWN_MOVEMENT = "unknown_movement"
    """No deposit, withdrawal or transfer of this id is pending."""


class EngineReject(PlanarError):
    """The engine said no; nothing changed. `reason` says why, the text names the field and its value."""

    default_outcome = Outcome.REFUSED

    def __init__(self, reason: RejectReason, message: str, *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint, code=reason.value)
        self.reason = reason
