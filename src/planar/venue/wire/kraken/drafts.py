"""Parameters of orders, made into drafts and amendments.

REST and WebSocket name the same things differently; each has its own reader here, and both end in a `Draft`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, cast

import msgspec

from planar.venue import clock
from planar.venue.engine.enums import Side, TimeInForce
from planar.venue.engine.exchange import VirtualExchange
from planar.venue.engine.specs import SymbolSpec
from planar.venue.engine.types import Trailing
from planar.venue.wire.kraken import errors, offsets
from planar.venue.wire.kraken.errors import ApiError
from planar.venue.wire.kraken.names import Names
from planar.venue.wire.kraken.offsets import Offset
from planar.venue.wire.kraken.params import Params, decimal, flag, integer, moment_ms, need, text, words
from planar.venue.wire.kraken.tickets import Close, Draft
from planar.venue.wire.kraken.trading import ORDER_TYPES, SELF_TRADE_MODES, Amendment

FLAGS: Final = ("post", "fcib", "fciq", "nompp", "viqc")
CLOSE_TYPES: Final = tuple(word for word in ORDER_TYPES if word not in ("market", "iceberg", "settle-position"))
"""What may close the position that an order opens."""
TRIGGERS: Final = ("last", "index")
"""Reference prices of stops; there is no index here, and Kraken falls back to the last price where it has none."""
_PRICE_TYPES: Final = ("static", "pct", "quote")
_SIDES: Final = {"buy": Side.BUY, "sell": Side.SELL}
_TIFS: Final = {"GTC": TimeInForce.GTC, "IOC": TimeInForce.IOC, "GTD": TimeInForce.GTC}
_CLIENT_ID: Final = re.compile(r"[!-~]{1,18}|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-fA-F]{32}")
"""Free text of up to 18 ASCII characters, or a UUID with or without dashes (guide "Spot client order identifiers")."""
_LARGEST_USERREF: Final = 2**31 - 1
_LONGEST_GTD_MS: Final = 31 * 86_400_000
"""A good-till-date order may live a month."""
_SMALLEST_DISPLAY: Final = Decimal(1) / 15
"""Part of an iceberg order that must show."""

Given = Decimal | Offset | None
"""A price as a client gives it: itself, or from where."""


class Prices(msgspec.Struct, frozen=True):
    """The prices of an order, and how far it trails."""

    price: Decimal | None = None
    price2: Decimal | None = None
    trailing: Trailing | None = None
    price_text: str | None = None
    price2_text: str | None = None
    """As the client gave them, of a trailing stop."""


class Reader:
    """Reads orders of one account."""

    def __init__(self, exchange: VirtualExchange, names: Names, account: str) -> None:
        self._exchange = exchange
        self._names = names
        self._account = account

    def rest(self, params: Params) -> Draft:
        """The order of AddOrder, or one of AddOrderBatch. Raises ApiError."""
        pair = self._names.pair(params.get("pair"))
        flags = tuple(words(params, "oflags"))
        if any(word not in FLAGS for word in flags) or {"fcib", "fciq"} <= set(flags):
            raise errors.invalid("oflags")
        if text(params, "leverage") not in (None, "none") or flag(params, "reduce_only"):
            raise ApiError(errors.MARGIN)
        ordertype = _order_type(params.get("ordertype"), "ordertype")
        side = _SIDES[_one_of(str(params.get("type")), _SIDES, "type")]
        tif = _one_of(str(params.get("timeinforce") or "GTC").upper(), _TIFS, "timeinforce")
        given = (_given(params, "price"), _given(params, "price2"))
        return _draft(
            params,
            account=self._account,
            spec=pair.spec,
            side=side,
            ordertype=ordertype,
            volume=_whole_lots(need(params, "volume"), pair.spec.lot, "volume", "viqc" in flags),
            prices=self._prices(pair.spec, side, ordertype, given, ("price", "price2")),
            oflags=flags,
            tif=tif,
            start_ms=_moment(text(params, "starttm"), "starttm"),
            expire_ms=_moment(text(params, "expiretm"), "expiretm") if tif == "GTD" else None,
            userref=integer(params, "userref"),
            display=decimal(params, "displayvol"),
            stp=str(params.get("stptype") or "cancel-newest"),
            trigger=_one_of(str(params.get("trigger") or "last"), TRIGGERS, "trigger"),
            close=self._rest_close(params, pair.spec, side),
        )

    def _rest_close(self, params: Params, spec: SymbolSpec, side: Side) -> Close | None:
        """`close[ordertype]`, `close[price]`, `close[price2]`, in a form or as an object."""
        inner = params.get("close")
        given: dict[str, Any] = dict(cast("Mapping[str, Any]", inner)) if isinstance(inner, dict) else {}
        given |= {name[6:-1]: value for name, value in params.items() if name.startswith("close[") and value}
        if not given:
            return None
        ordertype = _one_of(str(given.get("ordertype")), CLOSE_TYPES, "close[ordertype]")
        prices = (_given(given, "price", "close[price]"), _given(given, "price2", "close[price2]"))
        return self._close(spec, side, ordertype, prices, ("close[price]", "close[price2]"))

    def _close(
        self, spec: SymbolSpec, side: Side, ordertype: str, given: tuple[Given, Given], fields: tuple[str, str]
    ) -> Close:
        found = self._prices(spec, _opposite(side), ordertype, given, fields)
        return Close(ordertype, found.price, found.price2, found.trailing, found.price_text, found.price2_text)

    def socket(self, params: Params) -> Draft:
        """The order of add_order, or one of batch_add. Raises ApiError."""
        pair = self._names.listed.get(str(params.get("symbol")))
        if pair is None:
            raise ApiError(f"Currency pair not supported {text(params, 'symbol')}")
        if flag(params, "margin") or flag(params, "reduce_only"):
            raise ApiError(errors.MARGIN)
        ordertype = _order_type(params.get("order_type"), "order_type")
        side = _SIDES[_one_of(str(params.get("side")), _SIDES, "side")]
        by_quote = decimal(params, "cash_order_qty") is not None
        tif = _one_of(str(params.get("time_in_force") or "gtc").upper(), _TIFS, "time_in_force")
        start, expire = params.get("effective_time"), params.get("expire_time")
        triggers = _mapping(params.get("triggers"))
        given = _socket_prices(params, ordertype, triggers.get("price"), triggers.get("price_type"))
        return _draft(
            params,
            account=self._account,
            spec=pair.spec,
            side=side,
            ordertype=ordertype,
            volume=_whole_lots(
                need(params, "cash_order_qty" if by_quote else "order_qty"), pair.spec.lot, "order_qty", by_quote
            ),
            prices=self._prices(pair.spec, side, ordertype, given, _socket_fields(ordertype)),
            oflags=_socket_flags(params, by_quote),
            tif=tif,
            start_ms=moment_ms(start, "effective_time") if start else None,
            expire_ms=moment_ms(expire, "expire_time") if expire and tif == "GTD" else None,
            userref=integer(params, "order_userref"),
            display=decimal(params, "display_qty"),
            stp=str(params.get("stp_type") or "cancel-newest").replace("_", "-"),
            trigger=_one_of(str(triggers.get("reference") or "last"), TRIGGERS, "triggers"),
            close=self._socket_close(params, pair.spec, side),
        )

    def _socket_close(self, params: Params, spec: SymbolSpec, side: Side) -> Close | None:
        given = _mapping(params.get("conditional"))
        if not given:
            return None
        ordertype = _one_of(str(given.get("order_type")), CLOSE_TYPES, "conditional")
        prices = _socket_prices(given, ordertype, given.get("trigger_price"), given.get("trigger_price_type"))
        return self._close(spec, side, ordertype, prices, ("conditional", "conditional"))

    def _prices(
        self, spec: SymbolSpec, side: Side, ordertype: str, given: tuple[Given, Given], fields: tuple[str, str]
    ) -> Prices:
        """What prices mean to a type; those that are relative are taken from the last price."""
        price, price2 = given
        if ordertype == "market":
            return Prices()
        if ordertype.startswith("trailing-stop"):
            return _trailing_prices(ordertype, given, fields, spec)
        above = (ordertype.startswith("stop-loss")) == (side is Side.BUY)
        first = self._absolute(price, spec, upward=above, field=fields[0])
        if not ordertype.endswith("-limit"):
            return Prices(price=first)
        if isinstance(price2, Offset):
            return Prices(price=first, price2=price2.from_price(first, spec.tick, upward=side is Side.BUY))
        return Prices(price=first, price2=_there(price2, fields[1]))

    def _absolute(self, given: Given, spec: SymbolSpec, *, upward: bool, field: str) -> Decimal:
        if not isinstance(given, Offset):
            return _there(given, field)
        last = self._exchange.last_price(spec.symbol)
        if last is None:
            raise errors.invalid(field)
        return given.from_price(last, spec.tick, upward=upward)


def _trailing_prices(ordertype: str, given: tuple[Given, Given], fields: tuple[str, str], spec: SymbolSpec) -> Prices:
    """Both are distances: the first from the best price, the second from the trigger price."""
    distance, limit = given
    if not isinstance(distance, Offset) or distance.sign != "+" or not distance.distance:
        raise errors.invalid(fields[0])
    places = -int(spec.tick.as_tuple().exponent)
    if ordertype == "trailing-stop":
        return Prices(trailing=trailing(distance, None), price_text=distance.text(places))
    if not isinstance(limit, Offset) or limit.sign == "#":
        raise errors.invalid(fields[1])
    return Prices(trailing=trailing(distance, limit), price_text=distance.text(places), price2_text=limit.text(places))


def trailing(distance: Offset, limit: Offset | None) -> Trailing:
    """How far a stop trails, and where its limit lies."""
    return Trailing(
        offset=None if distance.percent else distance.signed,
        fraction=distance.signed if distance.percent else None,
        limit_offset=None if limit is None or limit.percent else limit.signed,
        limit_fraction=limit.signed if limit is not None and limit.percent else None,
    )


def _socket_prices(params: Params, ordertype: str, trigger: object, trigger_type: object) -> tuple[Given, Given]:
    """Trigger price and limit price of a stop, or the limit price."""
    given = {"triggers": trigger}
    default = "quote" if ordertype == "trailing-stop-limit" else "static"
    limit = _typed(decimal(params, "limit_price"), params.get("limit_price_type") or default, "limit_price_type")
    if ordertype in ("limit", "iceberg", "market"):
        return limit, None
    return _typed(decimal(given, "triggers"), trigger_type or "static", "triggers"), limit


def _socket_fields(ordertype: str) -> tuple[str, str]:
    return ("limit_price" if ordertype in ("limit", "iceberg") else "triggers"), "limit_price"


def _socket_flags(params: Params, by_quote: bool) -> tuple[str, ...]:
    flags: list[str] = ["post"] if flag(params, "post_only") else []
    preference = text(params, "fee_preference")
    if preference is not None:
        flags.append({"base": "fcib", "quote": "fciq"}[_one_of(preference, ("base", "quote"), "fee_preference")])
    return (*flags, "viqc") if by_quote else tuple(flags)


def _typed(number: Decimal | None, price_type: object, field: str) -> Given:
    kind = _one_of(str(price_type), _PRICE_TYPES, field)
    return number if number is None or kind == "static" else offsets.of(number, kind)


def _given(params: Params, name: str, field: str | None = None) -> Given:
    """A price of REST: a number, or an offset."""
    offset = offsets.read(params.get(name))
    if offset is not None:
        return offset
    try:
        return decimal(params, name)
    except ApiError as error:
        raise errors.invalid(field or name) from error


def _there(value: Given, field: str) -> Decimal:
    if not isinstance(value, Decimal):
        raise errors.invalid(field)
    return value


def _mapping(value: Any) -> Params:
    return cast("Params", value) if isinstance(value, dict) else {}


def _opposite(side: Side) -> Side:
    return Side.SELL if side is Side.BUY else Side.BUY


def _order_type(value: object, field: str) -> str:
    ordertype = _one_of(str(value), ORDER_TYPES, field)
    if ordertype == "settle-position":
        raise ApiError(errors.POSITION)
    return ordertype


def _moment(value: str | None, name: str) -> int | None:
    """`starttm` and `expiretm`: 0 for none, +n seconds from now, or a Unix time."""
    if value is None or value == "0":
        return None
    number = need({name: value.removeprefix("+").removeprefix(" ")}, name)
    relative = value[0] in "+ "
    return int(number * 1000) + (clock.wall_ms() if relative else 0)


def _one_of(value: str, known: Any, name: str) -> str:
    if value not in known:
        raise errors.invalid(name)
    return value


def _client_id(params: Params) -> str | None:
    value = text(params, "cl_ord_id")
    if value is not None and not _CLIENT_ID.fullmatch(value):
        raise errors.invalid("cl_ord_id")
    return value


def _whole_lots(volume: Decimal, lot: Decimal, name: str, by_quote: bool) -> Decimal:
    if volume <= 0 or (not by_quote and volume % lot):
        raise errors.invalid(name)
    return volume


def _check_kind(ordertype: str, oflags: tuple[str, ...], tif: str, volume: Decimal, display: Decimal | None) -> None:
    """Only orders with a limit rest; only iceberg orders show a part, and that not too small."""
    if "post" in oflags and (ordertype not in ("limit", "iceberg") or tif == "IOC"):
        raise errors.invalid("oflags")
    if (display is None) == (ordertype == "iceberg"):
        raise errors.invalid("displayvol")
    if display is not None and not volume * _SMALLEST_DISPLAY <= display <= volume:
        raise errors.invalid("displayvol")


def _draft(
    params: Params,
    *,
    account: str,
    spec: SymbolSpec,
    side: Side,
    ordertype: str,
    volume: Decimal,
    prices: Prices,
    oflags: tuple[str, ...],
    tif: str,
    start_ms: int | None,
    expire_ms: int | None,
    userref: int | None,
    display: Decimal | None,
    stp: str,
    trigger: str,
    close: Close | None,
) -> Draft:
    """What both doors do alike. A good-till-date order needs its date; only limit orders may be immediate."""
    now_ms = clock.wall_ms()
    if tif == "GTD" and not now_ms < (expire_ms or 0) <= now_ms + _LONGEST_GTD_MS:
        raise errors.invalid("expiretm")
    if userref is not None and abs(userref) > _LARGEST_USERREF:
        raise errors.invalid("userref")
    _check_kind(ordertype, oflags, tif, volume, display)
    return Draft(
        account=account,
        symbol=spec.symbol,
        side=side,
        ordertype=ordertype,
        volume=volume,
        price=prices.price,
        price2=prices.price2,
        trailing=prices.trailing,
        price_text=prices.price_text,
        price2_text=prices.price2_text,
        oflags=oflags,
        tif=_TIFS[tif] if ordertype.endswith("limit") or ordertype == "iceberg" else TimeInForce.GTC,
        stp=_one_of(stp, SELF_TRADE_MODES, "stptype"),
        userref=userref,
        cl_ord_id=_client_id(params),
        start_ms=start_ms if start_ms is not None and start_ms > now_ms else None,
        expire_ms=expire_ms,
        display=display,
        trigger=trigger,
        close=close,
    )


def amendment(params: Params) -> Amendment:
    """The new values of AmendOrder and amend_order, which name them alike. Raises ApiError.

    A trigger price may be a distance, of a trailing stop: "+5%", or a number with `trigger_price_type`.
    """
    trigger = _given(params, "trigger_price")
    price_type = text(params, "trigger_price_type")
    if isinstance(trigger, Decimal):
        trigger = _typed(trigger, price_type or "static", "trigger_price_type")
    return Amendment(
        volume=decimal(params, "order_qty"),
        limit_price=decimal(params, "limit_price"),
        trigger_price=trigger if isinstance(trigger, Decimal) else None,
        distance=trigger if isinstance(trigger, Offset) else None,
        display=decimal(params, "display_qty"),
        post_only=flag(params, "post_only"),
    )
