"""Request parameters: read from forms and JSON, and made into drafts of orders. Unknown ones are ignored, as Kraken does.

REST and WebSocket name the same things differently; each has its own reader here, and both end in a `Draft`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final, cast

import planar.runtime as runtime
from planar.venue.engine.enums import Side, TimeInForce
from planar.venue.wire.kraken import errors
from planar.venue.wire.kraken.errors import ApiError
from planar.venue.wire.kraken.names import Names
from planar.venue.wire.kraken.tickets import Draft
from planar.venue.wire.kraken.trading import ORDER_TYPES, SELF_TRADE_MODES, Amendment

Params = Mapping[str, Any]
FLAGS: Final = ("post", "fcib", "fciq", "nompp", "viqc")
_SIDES: Final = {"buy": Side.BUY, "sell": Side.SELL}
_TIFS: Final = {"GTC": TimeInForce.GTC, "IOC": TimeInForce.IOC, "GTD": TimeInForce.GTC}
_LONGEST_CLIENT_ID: Final = 36
_LARGEST: Final = Decimal(10) ** 20
_LARGEST_INTEGER: Final = 2**63 - 1
_LARGEST_USERREF: Final = 2**31 - 1
_LONGEST_GTD_MS: Final = 31 * 86_400_000
"""A good-till-date order may live a month."""


def decimal(params: Params, name: str) -> Decimal | None:
    """A number, of whatever JSON or form type. Raises ApiError naming the field."""
    value = params.get(name)
    if value is None or value == "":
        return None
    try:
        found = Decimal(str(value))
    except InvalidOperation as error:
        raise errors.invalid(name) from error
    if isinstance(value, bool) or not found.is_finite() or abs(found) > _LARGEST:
        raise errors.invalid(name)
    return found


def need(params: Params, name: str) -> Decimal:
    """A number that must be there. Raises ApiError naming the field."""
    found = decimal(params, name)
    if found is None:
        raise errors.invalid(name)
    return found


def integer(params: Params, name: str) -> int | None:
    """A whole number. Raises ApiError naming the field."""
    found = decimal(params, name)
    if found is not None and (found != int(found) or abs(found) > _LARGEST_INTEGER):
        raise errors.invalid(name)
    return None if found is None else int(found)


def flag(params: Params, name: str, default: bool = False) -> bool:
    """A yes or no."""
    value = params.get(name)
    return default if value is None or value == "" else str(value).lower() in ("true", "1", "yes")


def clean(value: Any) -> str:
    """A client's value as text that can be sent back: half a surrogate pair, which JSON can name, cannot."""
    return str(value).encode("utf-8", "replace").decode()


def text(params: Params, name: str) -> str | None:
    """A text; None if missing or empty."""
    value = params.get(name)
    return None if value is None or value == "" else clean(value)


def words(params: Params, name: str) -> list[str]:
    """A list, as JSON or separated by commas."""
    value = params.get(name)
    if isinstance(value, list):
        return [clean(word) for word in cast("list[Any]", value)]
    return [word for word in clean(value or "").split(",") if word]


def moment_ms(value: Any, name: str) -> int:
    """An RFC 3339 time. Raises ApiError naming the field."""
    try:
        return int(datetime.fromisoformat(str(value).replace("Z", "+00:00")).timestamp() * 1000)
    except (ValueError, OverflowError) as error:
        raise errors.invalid(name) from error


def check_deadline(params: Params) -> None:
    """Raises ApiError if the client's deadline is over."""
    if params.get("deadline") and moment_ms(params["deadline"], "deadline") < runtime.wall_ms():
        raise ApiError(errors.DEADLINE)


def _expiry(value: str | None, name: str) -> int | None:
    """`expiretm`: 0 for never, +n seconds from now, or a Unix time."""
    if value is None or value == "0":
        return None
    number = need({name: value.removeprefix("+").removeprefix(" ")}, name)
    relative = value[0] in "+ "
    return int(number * 1000) + (runtime.wall_ms() if relative else 0)


def _one_of(value: str, known: Any, name: str) -> str:
    if value not in known:
        raise errors.invalid(name)
    return value


def _client_id(params: Params) -> str | None:
    value = text(params, "cl_ord_id")
    if value is not None and len(value) > _LONGEST_CLIENT_ID:
        raise errors.invalid("cl_ord_id")
    return value


def _whole_lots(volume: Decimal, lot: Decimal, name: str, by_quote: bool) -> Decimal:
    if volume <= 0 or (not by_quote and volume % lot):
        raise errors.invalid(name)
    return volume


def rest_draft(params: Params, account: str, names: Names) -> Draft:
    """The order of AddOrder, or one of AddOrderBatch. Raises ApiError."""
    pair = names.pair(params.get("pair"))
    flags = tuple(words(params, "oflags"))
    if any(word not in FLAGS for word in flags) or {"fcib", "fciq"} <= set(flags):
        raise errors.invalid("oflags")
    if decimal({"starttm": str(params.get("starttm") or 0).lstrip("+ ")}, "starttm"):
        raise ApiError(errors.SCHEDULED)
    if text(params, "leverage") not in (None, "none") or flag(params, "reduce_only"):
        raise ApiError(errors.MARGIN)
    if any(name.startswith("close") and params[name] for name in params):
        raise errors.invalid("close")
    ordertype = _one_of(str(params.get("ordertype")), ORDER_TYPES, "ordertype")
    tif = _one_of(str(params.get("timeinforce") or "GTC").upper(), _TIFS, "timeinforce")
    return _draft(
        params,
        account=account,
        symbol=pair.symbol,
        side=_SIDES[_one_of(str(params.get("type")), _SIDES, "type")],
        ordertype=ordertype,
        volume=_whole_lots(need(params, "volume"), pair.spec.lot, "volume", "viqc" in flags),
        prices=_rest_prices(params, ordertype),
        oflags=flags,
        tif=tif,
        expire_ms=_expiry(text(params, "expiretm"), "expiretm") if tif == "GTD" else None,
        userref=integer(params, "userref"),
        display=decimal(params, "displayvol"),
        stp=str(params.get("stptype") or "cancel-newest"),
    )


def _rest_prices(params: Params, ordertype: str) -> tuple[Decimal | None, Decimal | None]:
    if ordertype == "market":
        return None, None
    price = need(params, "price")
    return price, need(params, "price2") if ordertype.endswith("-limit") else None


def _draft(
    params: Params,
    *,
    account: str,
    symbol: str,
    side: Side,
    ordertype: str,
    volume: Decimal,
    prices: tuple[Decimal | None, Decimal | None],
    oflags: tuple[str, ...],
    tif: str,
    expire_ms: int | None,
    userref: int | None,
    display: Decimal | None,
    stp: str,
) -> Draft:
    """What both doors do alike. A good-till-date order needs its date; only limit orders may be immediate."""
    now_ms = runtime.wall_ms()
    if tif == "GTD" and not now_ms < (expire_ms or 0) <= now_ms + _LONGEST_GTD_MS:
        raise errors.invalid("expiretm")
    if userref is not None and abs(userref) > _LARGEST_USERREF:
        raise errors.invalid("userref")
    if "post" in oflags and (ordertype != "limit" or tif == "IOC"):
        raise errors.invalid("oflags")
    if display is not None and ordertype != "limit":
        raise errors.invalid("displayvol")
    return Draft(
        account=account,
        symbol=symbol,
        side=side,
        ordertype=ordertype,
        volume=volume,
        price=prices[0],
        price2=prices[1],
        oflags=oflags,
        tif=_TIFS[tif] if ordertype.endswith("limit") else TimeInForce.GTC,
        stp=_one_of(stp, SELF_TRADE_MODES, "stptype").replace("_", "-"),
        userref=userref,
        cl_ord_id=_client_id(params),
        expire_ms=expire_ms,
        display=display,
    )


def ws_draft(params: Params, account: str, names: Names) -> Draft:
    """The order of add_order, or one of batch_add. Raises ApiError."""
    pair = names.pairs.get(str(params.get("symbol")))
    if pair is None:
        raise ApiError(f"Currency pair not supported {text(params, 'symbol')}")
    if flag(params, "margin") or flag(params, "reduce_only"):
        raise ApiError(errors.MARGIN)
    if params.get("conditional"):
        raise errors.invalid("conditional")
    if params.get("effective_time"):
        raise ApiError(errors.SCHEDULED)
    ordertype = _one_of(str(params.get("order_type")), ORDER_TYPES, "order_type")
    flags: list[str] = ["post"] if flag(params, "post_only") else []
    preference = text(params, "fee_preference")
    if preference is not None:
        flags.append({"base": "fcib", "quote": "fciq"}[_one_of(preference, ("base", "quote"), "fee_preference")])
    by_quote = decimal(params, "cash_order_qty") is not None
    if by_quote:
        flags.append("viqc")
    tif = _one_of(str(params.get("time_in_force") or "gtc").upper(), _TIFS, "time_in_force")
    expire = params.get("expire_time")
    volume = need(params, "cash_order_qty" if by_quote else "order_qty")
    return _draft(
        params,
        account=account,
        symbol=pair.symbol,
        side=_SIDES[_one_of(str(params.get("side")), _SIDES, "side")],
        ordertype=ordertype,
        volume=_whole_lots(volume, pair.spec.lot, "order_qty", by_quote),
        prices=_ws_prices(params, ordertype),
        oflags=tuple(flags),
        tif=tif,
        expire_ms=moment_ms(expire, "expire_time") if expire and tif == "GTD" else None,
        userref=integer(params, "order_userref"),
        display=decimal(params, "display_qty"),
        stp=str(params.get("stp_type") or "cancel-newest").replace("_", "-"),
    )


def _ws_prices(params: Params, ordertype: str) -> tuple[Decimal | None, Decimal | None]:
    if ordertype == "market":
        return None, None
    if ordertype == "limit":
        return need(params, "limit_price"), None
    triggers = params.get("triggers")
    given = cast("dict[str, Any]", triggers) if isinstance(triggers, dict) else {}
    if given.get("price_type", "static") != "static":
        raise errors.invalid("triggers")
    limit = need(params, "limit_price") if ordertype.endswith("-limit") else None
    return need(given, "price"), limit


def amendment(params: Params) -> Amendment:
    """The new values of AmendOrder and amend_order, which name them alike. Raises ApiError."""
    return Amendment(
        volume=decimal(params, "order_qty"),
        limit_price=decimal(params, "limit_price"),
        trigger_price=decimal(params, "trigger_price"),
        display=decimal(params, "display_qty"),
        post_only=flag(params, "post_only"),
    )
