"""What balances are worth in BTC, in which the wallet states values."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from planar.venue.engine.exchange import VirtualExchange
from planar.venue.engine.types import Balance

BITCOIN: Final = "BTC"
NOTHING: Final = Decimal(0)
_UNIT: Final = Decimal("1e-8")


def in_bitcoin(exchange: VirtualExchange, balance: Balance) -> Decimal:
    """Free and locked at the last price, to a unit; nothing where no market says what it is worth."""
    if balance.asset == BITCOIN:
        return balance.total
    for symbol, inverse in ((f"{balance.asset}/{BITCOIN}", False), (f"{BITCOIN}/{balance.asset}", True)):
        price = exchange.last_price(symbol) if symbol in exchange.symbols else None
        if price:
            worth = balance.total / price if inverse else balance.total * price
            return worth.quantize(_UNIT)
    return NOTHING
