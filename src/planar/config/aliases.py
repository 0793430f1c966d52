"""The one table of exchange ids that were renamed, and the id that examples use."""

from __future__ import annotations

import msgspec


class Alias(msgspec.Struct, frozen=True):
    """A former or common id.

    Attributes:
        id: today's id at CCXT.
        warning: what the user is told.
    """

    id: str
    warning: str


ALIASES: dict[str, Alias] = {
    "coinbasepro": Alias(
        "coinbaseexchange",
        'Coinbase Pro is called "coinbaseexchange" now ("coinbase" is Coinbase Advanced Trade: other keys, other API)',
    ),
    "gateio": Alias("gate", 'Gate.io is called "gate" now'),
    "huobi": Alias("htx", 'Huobi is called "htx" now'),
    "okex": Alias("okx", 'OKEx is called "okx" now'),
}

EXAMPLE_EXCHANGE = "binance"
"""The exchange in the files that `planar init` writes, when the user names none."""


def resolve_alias(exchange: str) -> tuple[str, str | None]:
    """Today's id of `exchange`, and the warning to show if it was given by a former one."""
    alias = ALIASES.get(exchange)
    return (alias.id, alias.warning) if alias else (exchange, None)
