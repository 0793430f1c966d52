"""CCXT's unified structures in the form of `words`, and the clients of CCXT as the judges call them."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from judges.ccxt_pump import Pump
from judges.kit import exact
from judges.market import Bar, Ladder, Print
from judges.words import Row

STATUSES = {
    "NEW": "open",
    "PARTIALLY_FILLED": "open",
    "FILLED": "closed",
    "CANCELED": "canceled",
    "EXPIRED": "expired",
    "EXPIRED_IN_MATCH": "expired",
}


ABORTED_TWICE = "'NoneType' object has no attribute '_abort'"
"""What asyncio of early 3.11 raises when a TLS connection that is closed already is aborted; later ones look first."""


class Client:
    """One of CCXT's exchange objects for one account.

    Attributes:
        exchange: the object, made by the lines that users are told.
        account: name of the account.
        called: CCXT's names of the methods that were used, as in `has`.
    """

    def __init__(self, exchange: Any, account: str, keys: Mapping[str, Any], called: set[str]) -> None:
        self.exchange = exchange
        self.account = account
        self.called = called
        exchange.apiKey, exchange.secret = keys["apiKey"], keys["secret"]

    async def do(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """Call a method of CCXT, synchronous or not."""
        self.called.add(method)
        answer = getattr(self.exchange, method)(*args, **kwargs)
        return await answer if inspect.isawaitable(answer) else answer

    def pump(self, method: str, *args: Any) -> Pump:
        """Call a watch method again and again."""
        return Pump(self.do, method, *args)

    async def kept(self, name: str) -> Any:
        """What the object keeps under a name of its own, such as `balance`."""
        return getattr(self.exchange, name)

    async def close(self) -> None:
        """Close what the object opened."""
        if inspect.iscoroutinefunction(getattr(self.exchange, "close", None)):
            try:
                await self.exchange.close()
            except AttributeError as error:
                if str(error) != ABORTED_TWICE:
                    raise
        else:
            self.exchange.session.close()


def made_by(lines: str, module: Any) -> Any:
    """The exchange object that the lines of `planar venue ca --for ...` make."""
    names: dict[str, Any] = {"ccxt": module}
    exec(lines, names)
    return names["exchange"]


def _optional(value: Any) -> Decimal:
    return Decimal(0) if value is None else exact(value)


def unified_order(said: Mapping[str, Any]) -> Row:
    """An order as CCXT shows it, in CCXT's words for type and status."""
    info = said["info"]
    row = {
        "id": said["id"],
        "client_id": info.get("origClientOrderId", said["clientOrderId"]),  # see words.answered_order
        "symbol": said["symbol"].replace("/", ""),
        "side": said["side"].upper(),
        "unified_type": said["type"],
        "tif": said["timeInForce"],
        "status": said["status"],
        "stop_price": _optional(said["triggerPrice"]),
        "amount": _optional(said["amount"]),
        "filled": exact(said["filled"]),
        "remaining": _optional(said["remaining"]),
        "quote_filled": exact(said["cost"]),
        "average": _optional(said["average"]),
        "unified_price": _optional(said["price"]),
        "post_only": said["postOnly"],
        "updated_ms": said["lastUpdateTimestamp"],
    }
    if "time" in info:  # only what was asked for later tells when it began
        row["created_ms"] = said["timestamp"]
    return row


def expected_order(row: Row) -> Row:
    """A row of `words.ledger_order` in the words of `unified_order`."""
    average = exact(float(row["quote_filled"] / row["filled"])) if row["filled"] else Decimal(0)
    return {
        **row,
        "unified_type": "limit" if "LIMIT" in row["type"] else "market",
        "unified_price": row["price"] or average,  # CCXT shows what a market order paid as its price
        "average": average,
        "status": STATUSES[row["status"]],
        "remaining": row["amount"] - row["filled"],
        "post_only": row["type"] == "LIMIT_MAKER",
    }


def unified_fees(said: Mapping[str, Any]) -> dict[str, Decimal]:
    """What CCXT says that an order cost, by asset."""
    return {fee["currency"]: exact(fee["cost"]) for fee in said["fees"]}


def unified_fill(said: Mapping[str, Any]) -> Row:
    """A trade of the account as CCXT shows it."""
    return {
        "id": said["id"],
        "order_id": said["order"],
        "symbol": said["symbol"].replace("/", ""),
        "side": said["side"].upper(),
        "price": exact(said["price"]),
        "amount": exact(said["amount"]),
        "quote": exact(said["cost"]),
        "commission": exact(said["fee"]["cost"]),
        "commission_asset": said["fee"]["currency"],
        "is_maker": said["takerOrMaker"] == "maker",
        "ts_ms": said["timestamp"],
    }


def unified_balances(said: Mapping[str, Any]) -> dict[str, tuple[Decimal, Decimal]]:
    """A balance as CCXT shows it: free and used, of the assets that there are any of."""
    rows = {asset: (exact(said[asset]["free"]), exact(said[asset]["used"])) for asset in said["total"]}
    return {asset: row for asset, row in rows.items() if any(row)}


def unified_prints(said: Iterable[Mapping[str, Any]]) -> list[Print]:
    """Public trades as CCXT shows them."""
    return [
        Print(int(t["id"]), t["timestamp"], exact(t["price"]), exact(t["amount"]), t["side"] == "sell") for t in said
    ]


def unified_bars(said: Iterable[Any]) -> list[Bar]:
    """Candles as CCXT shows them."""
    return [Bar(int(row[0]), *(exact(value) for value in row[1:6])) for row in said]


def unified_ladder(said: Mapping[str, Any]) -> Ladder:
    """A book as CCXT shows it."""
    bids, asks = (tuple((exact(level[0]), exact(level[1])) for level in said[side]) for side in ("bids", "asks"))
    return Ladder(int(said["nonce"]), bids, asks)
