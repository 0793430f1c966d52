"""`exchangeInfo`: markets, filters and limits (rest-api.md, "Exchange information")."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from planar.venue import clock
from planar.venue.engine.specs import SymbolSpec
from planar.venue.wire.binance import errors, filters
from planar.venue.wire.binance.desk import Call, Desk
from planar.venue.wire.binance.formats import MARKET_STATUSES, ORDER_KINDS
from planar.venue.wire.binance.params import DECIMALS_MAX, Params
from planar.venue.wire.binance.settings import Settings

PERMISSIONS: Final = ("SPOT",)
"""What every market here asks of an account."""
STATUS_WORDS: Final = {word: status for status, word in MARKET_STATUSES.items()}


def rate_limits(settings: Settings) -> list[dict[str, Any]]:
    """The limits in the order of the exchange."""
    rules = (settings.weight_rule, *settings.order_rules, settings.requests_rule)
    return [rule.json() for rule in rules]


def exchange_info(desk: Desk, call: Call) -> Any:
    """GET /api/v3/exchangeInfo."""
    params = call.params
    one = params.optional_market(desk.symbols)
    several = params.markets(desk.symbols)
    permissions = _permissions(params)
    show = params.boolean("showPermissionSets") is not False
    status = params.choice("symbolStatus", STATUS_WORDS, lambda: errors.ApiError(-1122, "Invalid symbolStatus."))
    has_status = params.peek("symbolStatus") is not None
    params.end()
    if sum(x is not None for x in (one, several, permissions)) > 1 or (has_status and (one or several is not None)):
        raise errors.bad_combination()
    specs = [one] if one else several if several is not None else list(desk.symbols.by_id.values())
    if permissions is not None and not set(permissions) & set(PERMISSIONS):
        specs = []
    if has_status:
        specs = [spec for spec in specs if desk.exchange.status(spec.symbol) is status]
    return {
        "timezone": "UTC",
        "serverTime": clock.wall_ms(),
        "rateLimits": rate_limits(desk.settings),
        "exchangeFilters": [],
        "symbols": [_market(desk, spec, show_permissions=show) for spec in specs],
    }


def websocket_exchange_info(desk: Desk, call: Call) -> Any:
    """`exchangeInfo` of the WebSocket API, whose limits also name its connections."""
    info = exchange_info(desk, call)
    info["rateLimits"].append(desk.settings.connections_rule.json())
    return info


def _permissions(params: Params) -> list[str] | None:
    value = params.raw("permissions")
    if value is None:
        return None
    if not value.startswith("["):
        return [value]
    try:
        return msgspec.json.decode(value, type=list[str])
    except msgspec.DecodeError as error:
        raise errors.not_valid("permissions") from error


def _market(desk: Desk, spec: SymbolSpec, *, show_permissions: bool) -> dict[str, Any]:
    return {
        "symbol": desk.symbols.ids[spec.symbol],
        "status": MARKET_STATUSES[desk.exchange.status(spec.symbol)],
        "baseAsset": spec.base,
        "baseAssetPrecision": DECIMALS_MAX,
        "quoteAsset": spec.quote,
        "quotePrecision": DECIMALS_MAX,
        "quoteAssetPrecision": DECIMALS_MAX,
        "baseCommissionPrecision": DECIMALS_MAX,
        "quoteCommissionPrecision": DECIMALS_MAX,
        "orderTypes": list(ORDER_KINDS),
        "icebergAllowed": True,
        "ocoAllowed": True,
        "otoAllowed": True,
        "opoAllowed": False,
        "quoteOrderQtyMarketAllowed": True,
        "allowTrailingStop": True,
        "cancelReplaceAllowed": True,
        "amendAllowed": True,
        "pegInstructionsAllowed": False,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": filters.describe(spec),
        "permissions": [],
        "permissionSets": [list(PERMISSIONS)] if show_permissions else [],
        "defaultSelfTradePreventionMode": spec.default_self_trade_mode.name,
        "allowedSelfTradePreventionModes": [mode.name for mode in spec.self_trade_modes],
    }
