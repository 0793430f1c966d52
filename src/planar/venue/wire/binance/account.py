"""The account and its history (rest-api.md, "Account Endpoints"), and listen keys."""

from __future__ import annotations

import zlib
from decimal import Decimal
from typing import Any, Final

import planar.runtime as runtime
from planar.venue.engine.rejects import EngineReject
from planar.venue.engine.specs import SymbolSpec
from planar.venue.engine.types import OrderRef
from planar.venue.wire.binance import errors, filters, order_json
from planar.venue.wire.binance.desk import Call, Desk
from planar.venue.wire.binance.exchange_info import PERMISSIONS
from planar.venue.wire.binance.formats import ZERO, amount
from planar.venue.wire.binance.market_data import ROWS_DEFAULT, ROWS_MAX
from planar.venue.wire.binance.order_refs import check_ids, read_ref
from planar.venue.wire.binance.params import Params, given

DAY_MS: Final = 86_400_000
BASIS_POINT: Final = Decimal("0.0001")
NO_COMMISSION: Final = {"maker": ZERO, "taker": ZERO}
NO_COMMISSION_BY_SIDE: Final = {**NO_COMMISSION, "buyer": ZERO, "seller": ZERO}
NO_DISCOUNT: Final = {
    "enabledForAccount": False,
    "enabledForSymbol": False,
    "discountAsset": "BNB",
    "discount": ZERO,
}
"""Fees are taken from what is received, never from a BNB balance."""


def account(desk: Desk, call: Call) -> Any:
    """GET /api/v3/account."""
    omit_zero = call.params.boolean("omitZeroBalances") or False
    call.params.end()
    held = desk.exchange.balances(call.account)
    balances = [
        {"asset": asset, "free": ZERO, "locked": ZERO}
        if asset not in held
        else {"asset": asset, "free": amount(held[asset].free), "locked": amount(held[asset].locked)}
        for asset in desk.exchange.assets
        if not omit_zero or (asset in held and held[asset].total)
    ]
    maker, taker = account_fees(desk)
    return {
        "makerCommission": int(maker / BASIS_POINT),
        "takerCommission": int(taker / BASIS_POINT),
        "buyerCommission": 0,
        "sellerCommission": 0,
        "commissionRates": {"maker": amount(maker), "taker": amount(taker), "buyer": ZERO, "seller": ZERO},
        "canTrade": True,
        "canWithdraw": True,
        "canDeposit": True,
        "brokered": False,
        "requireSelfTradePrevention": False,
        "preventSor": False,
        "updateTime": desk.users.updated_ms.get(call.account, desk.started_ms),
        "accountType": "SPOT",
        "balances": balances,
        "permissions": list(PERMISSIONS),
        "uid": uid(call.account),
    }


def uid(name: str) -> int:
    """The account's number."""
    return 100_000_000 + zlib.crc32(name.encode()) % 900_000_000


def account_fees(desk: Desk) -> tuple[Decimal, Decimal]:
    """Maker and taker fee of the account: the highest of all markets."""
    specs = desk.exchange.symbols.values()
    return max(spec.maker_fee for spec in specs), max(spec.taker_fee for spec in specs)


def order_commission(spec: SymbolSpec) -> dict[str, Any]:
    """`computeCommissionRates` of a test order."""
    return {
        "standardCommissionForOrder": {"maker": amount(spec.maker_fee), "taker": amount(spec.taker_fee)},
        "specialCommissionForOrder": NO_COMMISSION,
        "taxCommissionForOrder": NO_COMMISSION,
        "discount": NO_DISCOUNT,
    }


def commission(desk: Desk, call: Call) -> Any:
    """GET /api/v3/account/commission."""
    spec = call.params.market(desk.symbols)
    call.params.end()
    standard = {"maker": amount(spec.maker_fee), "taker": amount(spec.taker_fee), "buyer": ZERO, "seller": ZERO}
    return {
        "symbol": desk.symbols.ids[spec.symbol],
        "standardCommission": standard,
        "specialCommission": NO_COMMISSION_BY_SIDE,
        "taxCommission": NO_COMMISSION_BY_SIDE,
        "discount": NO_DISCOUNT,
    }


def order_counts(desk: Desk, call: Call) -> Any:
    """GET /api/v3/rateLimit/order."""
    call.params.end()
    return desk.orders.used(call.account, runtime.wall_ms())


def query_order(desk: Desk, call: Call) -> Any:
    """GET /api/v3/order."""
    params = call.params
    spec = params.market(desk.symbols)
    ref = read_ref(params)
    params.end()
    check_ids(desk, call.account, spec.symbol, ref)
    try:
        order = desk.exchange.order(call.account, spec.symbol, ref)
    except EngineReject as reject:
        raise errors.no_such_order() from reject
    return order_json.queried(order, desk.symbols.ids[spec.symbol], desk.strategy_of(order))


def open_orders_weight(params: Params) -> int:
    """Weight of the open orders, of one market or of all."""
    return 6 if params.peek("symbol") else 80


def open_orders(desk: Desk, call: Call) -> Any:
    """GET /api/v3/openOrders."""
    spec = call.params.optional_market(desk.symbols)
    call.params.end()
    orders = desk.exchange.open_orders(call.account, spec.symbol if spec else None)
    return [order_json.queried(o, desk.symbols.ids[o.symbol], desk.strategy_of(o)) for o in orders]


def all_orders(desk: Desk, call: Call) -> Any:
    """GET /api/v3/allOrders."""
    params = call.params
    spec = params.market(desk.symbols)
    order_id = params.integer("orderId")
    start_ms, end_ms = read_period(params)
    limit = params.limit(ROWS_DEFAULT, ROWS_MAX)
    params.end()
    orders = desk.exchange.orders(
        call.account, spec.symbol, from_id=order_id, start_ms=start_ms, end_ms=end_ms, limit=limit
    )
    return [order_json.queried(o, desk.symbols.ids[o.symbol], desk.strategy_of(o)) for o in orders]


def read_period(params: Params) -> tuple[int | None, int | None]:
    """`startTime` and `endTime`, at most a day apart.

    Raises:
        ApiError: -1127 further apart; -1128 the wrong way round.
    """
    start_ms, end_ms = params.time_ms("startTime"), params.time_ms("endTime")
    if start_ms is not None and end_ms is not None:
        if end_ms < start_ms:
            raise errors.bad_combination()
        if end_ms - start_ms > DAY_MS:
            raise errors.lookup_too_long(24)
    return start_ms, end_ms


def my_trades_weight(params: Params) -> int:
    """Weight of the account's trades, of one order or not."""
    return 5 if params.peek("orderId") else 20


def my_trades(desk: Desk, call: Call) -> Any:
    """GET /api/v3/myTrades."""
    params = call.params
    spec = params.market(desk.symbols)
    order_id, from_id = params.integer("orderId"), params.integer("fromId")
    start_ms, end_ms = read_period(params)
    limit = params.limit(ROWS_DEFAULT, ROWS_MAX)
    params.end()
    timed = start_ms is not None or end_ms is not None
    if timed and (order_id is not None or from_id is not None):
        raise errors.bad_combination()
    fills = desk.exchange.fills(
        call.account,
        spec.symbol,
        order_id=order_id,
        from_id=from_id,
        start_ms=start_ms,
        end_ms=end_ms,
        limit=limit,
    )
    return [order_json.my_trade(fill, desk.symbols.ids[spec.symbol]) for fill in fills]


def prevented_weight(params: Params) -> int:
    """Weight of the prevented matches."""
    return 20 if params.peek("orderId") else 2


def prevented_matches(desk: Desk, call: Call) -> Any:
    """GET /api/v3/myPreventedMatches."""
    params = call.params
    spec = params.market(desk.symbols)
    match_id, order_id = params.integer("preventedMatchId"), params.integer("orderId")
    from_id = params.integer("fromPreventedMatchId")
    limit = params.limit(ROWS_DEFAULT, ROWS_MAX)
    params.end()
    if (match_id is None) == (order_id is None) or (from_id is not None and order_id is None):
        raise errors.bad_combination()
    matches = desk.exchange.prevented_matches(
        call.account, spec.symbol, match_id=match_id, order_id=order_id, from_id=from_id, limit=limit
    )
    return [order_json.prevented_match(match, desk.symbols.ids[spec.symbol]) for match in matches]


def amendments(desk: Desk, call: Call) -> Any:
    """GET /api/v3/order/amendments."""
    params = call.params
    spec = params.market(desk.symbols)
    order_id = given("orderId", params.integer("orderId"))
    from_id = params.integer("fromExecutionId") or 0
    limit = params.limit(ROWS_DEFAULT, ROWS_MAX)
    params.end()
    try:
        order = desk.exchange.order(call.account, spec.symbol, OrderRef(order_id))
    except EngineReject as reject:
        raise errors.no_such_order() from reject
    history = [row for row in desk.amendments.get((spec.symbol, order.id), []) if row.execution_id >= from_id]
    return [
        {
            "symbol": desk.symbols.ids[spec.symbol],
            "orderId": order.id,
            "executionId": row.execution_id,
            "origClientOrderId": row.previous_client_id,
            "newClientOrderId": row.client_id,
            "origQty": amount(row.previous_amount),
            "newQty": amount(row.amount),
            "time": row.ts_ms,
        }
        for row in history[:limit]
    ]


def my_filters(desk: Desk, call: Call) -> Any:
    """GET /api/v3/myFilters."""
    spec = call.params.market(desk.symbols)
    call.params.end()
    return {"exchangeFilters": [], "symbolFilters": filters.describe(spec), "assetFilters": []}


def start_listen_key(desk: Desk, call: Call) -> Any:
    """POST /api/v3/userDataStream."""
    call.params.end()
    return {"listenKey": desk.listen_keys.start(call.account)}


def keep_listen_key(desk: Desk, call: Call) -> Any:
    """PUT /api/v3/userDataStream."""
    desk.listen_keys.keep_alive(_listen_key(call.params), call.account)
    return {}


def close_listen_key(desk: Desk, call: Call) -> Any:
    """DELETE /api/v3/userDataStream."""
    desk.listen_keys.close(_listen_key(call.params), call.account)
    return {}


def _listen_key(params: Params) -> str:
    key = given("listenKey", params.raw("listenKey"))
    params.end()
    return key
