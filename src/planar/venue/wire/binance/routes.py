"""What the exchange can be asked: REST paths and WebSocket-API methods, with weights and security types.

Weights and types as in rest-api.md and web-socket-api.md. Those of `/sapi` are in `sapi_routes`.
"""

from __future__ import annotations

from typing import Final

from planar.venue.wire.binance import (
    account,
    exchange_info,
    futures,
    market_data,
    order_lists,
    replace,
    sor,
    tickers,
    trade,
)
from planar.venue.wire.binance.desk import Endpoint, Handler, Weight
from planar.venue.wire.binance.keys import Right
from planar.venue.wire.binance.sapi_routes import SAPI


def _trade(handler: Handler, weight: Weight = 1, *, counts_orders: bool = False) -> Endpoint:
    return Endpoint(handler, weight, Right.TRADE, signed=True, counts_orders=counts_orders)


def _user(handler: Handler, weight: Weight) -> Endpoint:
    return Endpoint(handler, weight, Right.USER_DATA, signed=True)


def _stream(handler: Handler) -> Endpoint:
    return Endpoint(handler, 2, Right.USER_STREAM)


_PING: Final = Endpoint(market_data.ping)
_TIME: Final = Endpoint(market_data.time)
_DEPTH: Final = Endpoint(market_data.depth, market_data.depth_weight)
_TRADES: Final = Endpoint(market_data.recent_trades, 25)
_OLD_TRADES: Final = Endpoint(market_data.historical_trades, 25)
_AGGREGATES: Final = Endpoint(market_data.aggregate_trades, 4)
_KLINES: Final = Endpoint(market_data.klines, 2)
_AVERAGE: Final = Endpoint(market_data.average_price, 2)
_DAY: Final = Endpoint(tickers.day, tickers.day_weight)
_TRADING_DAY: Final = Endpoint(tickers.trading_day, tickers.window_weight)
_ROLLING: Final = Endpoint(tickers.rolling, tickers.window_weight)
_PRICE: Final = Endpoint(tickers.price, tickers.simple_weight)
_BOOK: Final = Endpoint(tickers.book, tickers.simple_weight)

_NEW: Final = _trade(trade.new_order, counts_orders=True)
_TEST: Final = _trade(trade.test_order, trade.test_weight)
_CANCEL: Final = _trade(trade.cancel_order)
_CANCEL_ALL: Final = _trade(trade.cancel_open_orders)
_REPLACE: Final = _trade(replace.cancel_replace, counts_orders=True)
_AMEND: Final = _trade(trade.amend_order, 4)
_OLD_OCO: Final = _trade(order_lists.old_oco, counts_orders=True)
_OCO: Final = _trade(order_lists.oco, counts_orders=True)
_OTO: Final = _trade(order_lists.oto, counts_orders=True)
_OTOCO: Final = _trade(order_lists.otoco, counts_orders=True)
_OPO: Final = _trade(order_lists.not_offered)
_CANCEL_LIST: Final = _trade(order_lists.cancel_list)

_SOR: Final = _trade(sor.new_order)

_ORDER: Final = _user(account.query_order, 4)
_OPEN: Final = _user(account.open_orders, account.open_orders_weight)
_ALL: Final = _user(account.all_orders, 20)
_FILLS: Final = _user(account.my_trades, account.my_trades_weight)
_ACCOUNT: Final = _user(account.account, 20)
_COMMISSION: Final = _user(account.commission, 20)
_COUNTS: Final = _user(account.order_counts, 40)
_PREVENTED: Final = _user(account.prevented_matches, account.prevented_weight)
_AMENDMENTS: Final = _user(account.amendments, 4)
_FILTERS: Final = _user(account.my_filters, 40)
_LIST: Final = _user(order_lists.query_list, 4)
_LISTS: Final = _user(order_lists.all_lists, 20)
_OPEN_LISTS: Final = _user(order_lists.open_lists, 6)
_ALLOCATIONS: Final = _user(sor.allocations, 20)

_KEY_START: Final = _stream(account.start_listen_key)
_KEY_KEEP: Final = _stream(account.keep_listen_key)
_KEY_CLOSE: Final = _stream(account.close_listen_key)

_API: Final[dict[tuple[str, str], Endpoint]] = {
    ("GET", "ping"): _PING,
    ("GET", "time"): _TIME,
    ("GET", "exchangeInfo"): Endpoint(exchange_info.exchange_info, 20),
    ("GET", "depth"): _DEPTH,
    ("GET", "trades"): _TRADES,
    ("GET", "historicalTrades"): _OLD_TRADES,
    ("GET", "aggTrades"): _AGGREGATES,
    ("GET", "klines"): _KLINES,
    ("GET", "uiKlines"): _KLINES,
    ("GET", "avgPrice"): _AVERAGE,
    ("GET", "ticker/24hr"): _DAY,
    ("GET", "ticker/tradingDay"): _TRADING_DAY,
    ("GET", "ticker"): _ROLLING,
    ("GET", "ticker/price"): _PRICE,
    ("GET", "ticker/bookTicker"): _BOOK,
    ("POST", "order"): _NEW,
    ("POST", "order/test"): _TEST,
    ("DELETE", "order"): _CANCEL,
    ("DELETE", "openOrders"): _CANCEL_ALL,
    ("POST", "order/cancelReplace"): _REPLACE,
    ("PUT", "order/amend/keepPriority"): _AMEND,
    ("POST", "order/oco"): _OLD_OCO,
    ("POST", "orderList/oco"): _OCO,
    ("POST", "orderList/oto"): _OTO,
    ("POST", "orderList/otoco"): _OTOCO,
    ("POST", "orderList/opo"): _OPO,
    ("POST", "orderList/opoco"): _OPO,
    ("DELETE", "orderList"): _CANCEL_LIST,
    ("GET", "orderList"): _LIST,
    ("POST", "sor/order"): _SOR,
    ("POST", "sor/order/test"): _SOR,
    ("GET", "order"): _ORDER,
    ("GET", "openOrders"): _OPEN,
    ("GET", "allOrders"): _ALL,
    ("GET", "myTrades"): _FILLS,
    ("GET", "account"): _ACCOUNT,
    ("GET", "account/commission"): _COMMISSION,
    ("GET", "rateLimit/order"): _COUNTS,
    ("GET", "myPreventedMatches"): _PREVENTED,
    ("GET", "myAllocations"): _ALLOCATIONS,
    ("GET", "order/amendments"): _AMENDMENTS,
    ("GET", "myFilters"): _FILTERS,
    ("GET", "allOrderList"): _LISTS,
    ("GET", "openOrderList"): _OPEN_LISTS,
    ("POST", "userDataStream"): _KEY_START,
    ("PUT", "userDataStream"): _KEY_KEEP,
    ("DELETE", "userDataStream"): _KEY_CLOSE,
}

REST: Final[dict[tuple[str, str], Endpoint]] = {
    **{(method, f"/api/v3/{name}"): endpoint for (method, name), endpoint in _API.items()},
    **{(method, f"/sapi/{name}"): endpoint for (method, name), endpoint in SAPI.items()},
    **futures.ROUTES,
}
"""Every REST endpoint, by method and path."""

PATHS: Final = frozenset(path for _, path in REST)

WEBSOCKET: Final[dict[str, Endpoint]] = {
    "ping": _PING,
    "time": _TIME,
    "exchangeInfo": Endpoint(exchange_info.websocket_exchange_info, 20),
    "depth": _DEPTH,
    "trades.recent": _TRADES,
    "trades.historical": _OLD_TRADES,
    "trades.aggregate": _AGGREGATES,
    "klines": _KLINES,
    "uiKlines": _KLINES,
    "avgPrice": _AVERAGE,
    "ticker.24hr": _DAY,
    "ticker.tradingDay": _TRADING_DAY,
    "ticker": _ROLLING,
    "ticker.price": _PRICE,
    "ticker.book": _BOOK,
    "order.place": _NEW,
    "order.test": _TEST,
    "sor.order.place": _SOR,
    "sor.order.test": _SOR,
    "order.status": _ORDER,
    "order.cancel": _CANCEL,
    "order.cancelReplace": _REPLACE,
    "order.amend.keepPriority": _AMEND,
    "order.amendments": _AMENDMENTS,
    "openOrders.status": _OPEN,
    "openOrders.cancelAll": _CANCEL_ALL,
    "orderList.place": _OLD_OCO,
    "orderList.place.oco": _OCO,
    "orderList.place.oto": _OTO,
    "orderList.place.otoco": _OTOCO,
    "orderList.place.opo": _OPO,
    "orderList.place.opoco": _OPO,
    "orderList.cancel": _CANCEL_LIST,
    "orderList.status": _LIST,
    "openOrderLists.status": _OPEN_LISTS,
    "allOrderLists": _LISTS,
    "account.status": _ACCOUNT,
    "account.rateLimits.orders": _COUNTS,
    "account.commission": _COMMISSION,
    "allOrders": _ALL,
    "myTrades": _FILLS,
    "myPreventedMatches": _PREVENTED,
    "myAllocations": _ALLOCATIONS,
    "myFilters": _FILTERS,
    "userDataStream.start": _KEY_START,
    "userDataStream.ping": _KEY_KEEP,
    "userDataStream.stop": _KEY_CLOSE,
}
"""Methods of the WebSocket API that are answered like an endpoint; those about the session itself are in `ws_api`."""
