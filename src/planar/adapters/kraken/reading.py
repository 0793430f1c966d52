"""What CCXT reads into Kraken's orders, and they do not say (documentation: Query Orders Info, `vol` and `descr`)."""

from __future__ import annotations

import re
from typing import Any, cast

_placed = re.compile(
    r"(buy|sell) ([0-9]+(?:\.[0-9]+)?) (\S+) @ (?:limit ([0-9]+(?:\.[0-9]+)?)|market)", re.ASCII
).fullmatch
"""How an answer describes a limit or a market order that was placed (documentation: Add Order, `descr`)."""


class KrakenReading:
    """Mixed in before CCXT's class."""

    def parse_order(self, order: Any, market: Any = None) -> Any:
        """CCXT's order, without an amount that is none in base currency, and without a price that is a distance.

        The volume of an order that is sized by its cost (`viqc`) is in quote currency: taken for an amount, it would never
        be filled. The price of a trailing stop is how far it trails.
        """
        acknowledged = self._acknowledged(order, market)
        if acknowledged is not None:
            return acknowledged
        parsed: dict[str, Any] = cast(Any, super()).parse_order(order, market)
        if "viqc" in str(order.get("oflags") or "").split(","):
            parsed["amount"] = parsed["remaining"] = None
        if str(parsed.get("type") or "").startswith("trailing-stop"):
            parsed["price"] = None
        return parsed

    def _acknowledged(self, order: Any, market: Any) -> Any:
        """CCXT's order of an answer that only names a plain one, and describes it in words; None if it tells more."""
        if order.keys() != {"descr", "txid", "usingCost"} or order["usingCost"] is not False:
            return None
        words: Any = order["descr"]
        ids: Any = order["txid"]
        if type(words) is not dict or type(ids) is not list or cast(Any, words).keys() != {"order"}:
            return None
        (name, *more), placed = cast("list[Any]", ids) or [""], _placed(str(cast(Any, words)["order"]))
        if placed is None or type(name) is not str or not name or more:
            return None
        side, amount, pair, price = placed.groups()
        if price is not None and not float(price):
            return None
        this = cast(Any, self)
        found = this.resolve_market_by_altname_or_id(pair, market)
        read: dict[str, Any] = {
            "id": name,
            "info": {"descr": words, "txid": ids},
            "symbol": None if found is None else this.safe_string(found, "symbol"),
            "type": "market" if price is None else "limit",
            "postOnly": False,
            "side": side,
            "price": price,
            "amount": amount,
            "trades": [],
        }
        return this.safe_order(read, found)
