"""Orders, fills and balances in one form, from the ledger and from Binance's own answers, so that they can be compared.

Words are Binance's (documentation: rest-api.md, user-data-stream.md), ids are text, numbers exact decimals where a
number that is not given is zero, as the exchange writes it, and times UTC milliseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from judges.kit import exact

Row = dict[str, Any]


def market_id(symbol: str) -> str:
    """Binance's id of a market."""
    return symbol.replace("/", "")


def _number(text: str | None) -> Decimal:
    return Decimal(text or 0)


def ledger_order(row: Mapping[str, Any]) -> Row:
    """An order of the ledger."""
    kind = row["kind"].upper()
    return {
        "id": str(row["id"]),
        "client_id": row["client_id"],
        "symbol": market_id(row["symbol"]),
        "side": row["side"].upper(),
        "type": "LIMIT_MAKER" if row["post_only"] else kind,
        "tif": row["tif"].upper(),
        "status": row["status"].upper(),
        "price": _number(row["price"]),
        "stop_price": _number(row["stop_price"]),
        "iceberg": _number(row["iceberg_amount"]),
        "amount": _number(row["amount"]),
        "quote_amount": _number(row["quote_amount"]),
        "filled": _number(row["filled"]),
        "quote_filled": _number(row["quote_filled"]),
        "created_ms": row["created_ms"],
        "updated_ms": row["updated_ms"],
        "working_ms": -1 if row["working_ms"] is None else row["working_ms"],
        "works": row["working_ms"] is not None,
        "mode": row["self_trade_mode"].upper(),
    }


def ledger_fill(row: Mapping[str, Any]) -> Row:
    """A fill of the ledger."""
    return {
        "id": str(row["trade_id"]),
        "order_id": str(row["order_id"]),
        "symbol": market_id(row["symbol"]),
        "side": row["side"].upper(),
        "price": _number(row["price"]),
        "amount": _number(row["amount"]),
        "quote": _number(row["quote"]),
        "commission": _number(row["commission"]),
        "commission_asset": row["commission_asset"],
        "is_maker": row["is_maker"],
        "ts_ms": row["ts_ms"],
    }


def ledger_balances(assets: Mapping[str, Mapping[str, str]]) -> dict[str, tuple[Decimal, Decimal]]:
    """What an account has, free and locked, of the assets that it has any of."""
    rows = {asset: (Decimal(one["free"]), Decimal(one["locked"])) for asset, one in assets.items()}
    return {asset: row for asset, row in rows.items() if any(row)}


_ORDER: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "orderId": ("id", str),
    "symbol": ("symbol", str),
    "side": ("side", str),
    "type": ("type", str),
    "timeInForce": ("tif", str),
    "status": ("status", str),
    "price": ("price", exact),
    "stopPrice": ("stop_price", exact),
    "icebergQty": ("iceberg", exact),
    "origQty": ("amount", exact),
    "origQuoteOrderQty": ("quote_amount", exact),
    "executedQty": ("filled", exact),
    "cummulativeQuoteQty": ("quote_filled", exact),
    "time": ("created_ms", int),
    "updateTime": ("updated_ms", int),
    "transactTime": ("updated_ms", int),
    "workingTime": ("working_ms", int),
    "isWorking": ("works", bool),
    "selfTradePreventionMode": ("mode", str),
}


def answered_order(said: Mapping[str, Any]) -> Row:
    """An order in an answer of REST or the WebSocket API: placed, queried or canceled."""
    row = {name: read(said[key]) for key, (name, read) in _ORDER.items() if key in said}
    row["client_id"] = said.get("origClientOrderId", said["clientOrderId"])  # a cancel has an id of its own
    return row


def answered_fill(said: Mapping[str, Any]) -> Row:
    """A row of `myTrades`."""
    return {
        "id": str(said["id"]),
        "order_id": str(said["orderId"]),
        "symbol": said["symbol"],
        "side": "BUY" if said["isBuyer"] else "SELL",
        "price": exact(said["price"]),
        "amount": exact(said["qty"]),
        "quote": exact(said["quoteQty"]),
        "commission": exact(said["commission"]),
        "commission_asset": said["commissionAsset"],
        "is_maker": said["isMaker"],
        "ts_ms": said["time"],
    }


def placed_fills(said: Mapping[str, Any]) -> list[Row]:
    """The fills in the answer to a new order."""
    return [
        {
            "id": str(one["tradeId"]),
            "price": exact(one["price"]),
            "amount": exact(one["qty"]),
            "commission": exact(one["commission"]),
            "commission_asset": one["commissionAsset"],
        }
        for one in said.get("fills", [])
    ]


def answered_balances(said: Mapping[str, Any]) -> dict[str, tuple[Decimal, Decimal]]:
    """The balances of `account`."""
    rows = {one["asset"]: (exact(one["free"]), exact(one["locked"])) for one in said["balances"]}
    return {asset: row for asset, row in rows.items() if any(row)}


_REPORT: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "i": ("id", str),
    "s": ("symbol", str),
    "S": ("side", str),
    "o": ("type", str),
    "f": ("tif", str),
    "X": ("status", str),
    "p": ("price", exact),
    "P": ("stop_price", exact),
    "F": ("iceberg", exact),
    "q": ("amount", exact),
    "Q": ("quote_amount", exact),
    "z": ("filled", exact),
    "Z": ("quote_filled", exact),
    "O": ("created_ms", int),
    "T": ("updated_ms", int),
    "V": ("mode", str),
}


def reported_order(event: Mapping[str, Any]) -> Row:
    """The order in an `executionReport`."""
    row = {name: read(event[key]) for key, (name, read) in _REPORT.items()}
    row["client_id"] = event["C"] if event["x"] == "CANCELED" and event["C"] else event["c"]
    return row


def reported_fill(event: Mapping[str, Any]) -> Row:
    """The fill in an `executionReport` of type TRADE."""
    return {
        "id": str(event["t"]),
        "order_id": str(event["i"]),
        "symbol": event["s"],
        "side": event["S"],
        "price": exact(event["L"]),
        "amount": exact(event["l"]),
        "quote": exact(event["Y"]),
        "commission": exact(event["n"]),
        "commission_asset": event["N"],
        "is_maker": event["m"],
        "ts_ms": event["T"],
    }
