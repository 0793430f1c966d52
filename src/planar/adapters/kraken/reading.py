"""What CCXT reads into Kraken's orders, and they do not say (documentation: Query Orders Info, `vol` and `descr`)."""

from __future__ import annotations

from typing import Any, cast


class KrakenReading:
    """Mixed in before CCXT's class."""

    def parse_order(self, order: Any, market: Any = None) -> Any:
        """CCXT's order, without an amount that is none in base currency, and without a price that is a distance.

        The volume of an order that is sized by its cost (`viqc`) is in quote currency: taken for an amount, it would never
        be filled. The price of a trailing stop is how far it trails.
        """
        parsed: dict[str, Any] = cast(Any, super()).parse_order(order, market)
        if "viqc" in str(order.get("oflags") or "").split(","):
            parsed["amount"] = parsed["remaining"] = None
        if str(parsed.get("type") or "").startswith("trailing-stop"):
            parsed["price"] = None
        return parsed
