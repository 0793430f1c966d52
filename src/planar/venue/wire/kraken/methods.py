"""The methods of the WebSocket v2: ping, subscribe, unsubscribe, and the order methods."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final, cast

import msgspec

from planar.venue import clock
from planar.venue.engine import past
from planar.venue.engine.enums import SystemStatus
from planar.venue.wire.kraken import drafts, errors, orders
from planar.venue.wire.kraken import params as p
from planar.venue.wire.kraken.books import DEPTHS
from planar.venue.wire.kraken.desk import Call, Desk
from planar.venue.wire.kraken.errors import ApiError
from planar.venue.wire.kraken.executions import PrivateFeed, Wishes
from planar.venue.wire.kraken.feed import MarketFeed, Topic
from planar.venue.wire.kraken.formats import rfc3339
from planar.venue.wire.kraken.public import INTERVALS, LONG
from planar.venue.wire.kraken.socket import Connection, encode

_MARKET: Final = ("ticker", "book", "trade", "ohlc")
_PRIVATE: Final = ("executions", "balances")
_SUBSCRIPTIONS: Final = ("subscribe", "unsubscribe")
"""The methods that read; all others see the truth even where reads lag."""
_TRIGGERS: Final = ("trades", "bbo")
_ELSEWHERE_PUBLIC: Final = "Public market data subscriptions are unavailable on this endpoint. Try ws.kraken.com"
_ELSEWHERE_PRIVATE: Final = "Private data and trading are unavailable on this endpoint. Try ws-auth.kraken.com"
Reply = Callable[..., None]


class Methods:
    """Reads frames of clients and answers them."""

    def __init__(self, desk: Desk, market: MarketFeed, private: PrivateFeed) -> None:
        self._desk = desk
        self._market = market
        self._private = private
        self._orders: dict[str, Callable[[p.Params, str], Any]] = {
            "add_order": self._add,
            "amend_order": self._amend,
            "edit_order": self._edit,
            "cancel_all": self._cancel_all,
            "cancel_all_orders_after": self._cancel_after,
            "batch_add": self._batch_add,
        }

    def on_text(self, connection: Connection, text: str) -> None:
        """Answer a frame."""
        time_in = rfc3339(clock.wall_ms())
        try:
            frame: Any = json.loads(text, parse_float=Decimal)
        except (ValueError, RecursionError):
            frame = None
        if not isinstance(frame, dict):
            times = {"time_in": time_in, "time_out": rfc3339(clock.wall_ms())}
            connection.send(encode({"error": "Malformed request", "success": False, **times}))
            self._desk.witness.refused("Malformed request")
            return
        request = cast("dict[str, Any]", frame)
        method, request_id = request.get("method"), request.get("req_id")
        method = p.clean(method) if isinstance(method, str) else ""

        def reply(**fields: Any) -> None:
            if fields.get("success") is False:
                self._desk.witness.refused(str(fields["error"]))
            else:
                self._desk.witness.answered()
            answer: dict[str, Any] = {"method": "pong" if method == "ping" else method}
            if isinstance(request_id, int) and abs(request_id) < 2**63:
                answer["req_id"] = request_id
            answer |= fields | {"time_in": time_in, "time_out": rfc3339(clock.wall_ms())}
            connection.send(encode(answer))

        params = _mapping(request.get("params"))
        self._desk.witness.asked(params, method=method)
        try:
            with contextlib.nullcontext() if method in _SUBSCRIPTIONS else past.present():
                self._dispatch(connection, method, params, reply)
        except ApiError as error:
            reply(error=error.text, success=False)

    def _dispatch(self, connection: Connection, method: str, params: p.Params, reply: Reply) -> None:
        if method == "ping":
            reply()
        elif self._desk.exchange.conditions.system is SystemStatus.MAINTENANCE:
            raise ApiError(errors.UNAVAILABLE)
        elif method in _SUBSCRIPTIONS:
            self._subscription(connection, method, params, reply)
        elif method in self._orders:
            reply(result=self._orders[method](params, self._account(connection, params)), success=True)
        elif method == "cancel_order":
            self._cancel(params, self._account(connection, params), reply)
        elif method == "batch_cancel":
            count = self._batch_cancel(params, self._account(connection, params))
            reply(orders_cancelled=count, success=True)
        else:
            raise ApiError("Unsupported method")

    def _account(self, connection: Connection, params: p.Params) -> str:
        """Whose token came along. Raises ApiError."""
        if not connection.private:
            raise ApiError(_ELSEWHERE_PRIVATE)
        token = params.get("token")
        if not isinstance(token, str):
            raise ApiError(errors.SESSION)
        account = connection.tokens.get(token) or self._desk.keys.account_of_token(token)
        if account is None:
            raise ApiError(errors.SESSION)
        connection.belongs_to(token, account)
        self._desk.witness.by(account)
        p.check_deadline(params)
        return account

    # -- subscriptions ------------------------------------------------------------------------------------------

    def _subscription(self, connection: Connection, method: str, params: p.Params, reply: Reply) -> None:
        channel = params.get("channel")
        if channel in _PRIVATE:
            self._private_channel(connection, method, str(channel), params, reply)
        elif channel == "instrument":
            self._refuse_private(connection)
            self._join(connection, method, Topic("instrument"), params, reply, {})
        elif channel in _MARKET:
            self._refuse_private(connection)
            symbols = p.words(params, "symbol")
            if not symbols:
                raise ApiError("Symbol field must be an array")
            options = _options(str(channel), params)
            for symbol in symbols:
                if symbol not in self._desk.names.listed:
                    reply(error=f"Currency pair not supported {symbol}", success=False, symbol=symbol)
                    continue
                option = next(iter(options.values()), "")
                topic = Topic(str(channel), symbol, option)
                self._join(connection, method, topic, params, reply, options | {"symbol": symbol})
        else:
            raise ApiError("Subscription name invalid")

    @staticmethod
    def _refuse_private(connection: Connection) -> None:
        if connection.private:
            raise ApiError(_ELSEWHERE_PUBLIC)

    def _join(
        self,
        connection: Connection,
        method: str,
        topic: Topic,
        params: p.Params,
        reply: Reply,
        shown: dict[str, Any],
    ) -> None:
        """Subscribe or unsubscribe, acknowledging first and showing the data after it."""
        key = (topic.channel, topic.symbol, topic.option if topic.channel == "ohlc" else "")
        named = {"symbol": topic.symbol} if topic.symbol else {}
        result = {"channel": topic.channel, **shown}
        if method == "unsubscribe":
            leave = connection.channels.pop(key, None)
            if leave is None:
                reply(error="Subscription Not Found", success=False, **named)
                return
            leave()
            reply(result=result, success=True)
            return
        if key in connection.channels:
            reply(error="Already subscribed", success=False, **named)
            return
        snapshot = p.flag(params, "snapshot", True)
        reply(result=result | {"snapshot": snapshot}, success=True)
        connection.channels[key] = self._market.join(topic, connection, snapshot=snapshot)

    def _private_channel(
        self, connection: Connection, method: str, channel: str, params: p.Params, reply: Reply
    ) -> None:
        account = self._account(connection, params)
        if method == "unsubscribe":
            leave = connection.channels.pop((channel,), None)
            if leave is None:
                raise ApiError("Subscription Not Found")
            leave()
            reply(result={"channel": channel}, success=True)
            return
        if (channel,) in connection.channels:
            raise ApiError("Already subscribed")
        if channel == "balances":
            snapshot = p.flag(params, "snapshot", True)
            reply(result={"channel": channel, "snapshot": snapshot}, success=True)
            connection.channels[(channel,)] = self._private.join_balances(account, connection, snapshot=snapshot)
            return
        wishes = Wishes(
            orders=p.flag(params, "snap_orders", True),
            trades=p.flag(params, "snap_trades"),
            every_status=p.flag(params, "order_status", True),
        )
        shown = {
            "channel": channel,
            "maxratecount": int(self._desk.transactions.most),
            "snap_orders": wishes.orders,
            "snap_trades": wishes.trades,
            "order_status": wishes.every_status,
        }
        reply(result=shown, success=True)
        connection.channels[(channel,)] = self._private.join_executions(account, connection, wishes)

    # -- orders -------------------------------------------------------------------------------------------------

    def _add(self, params: p.Params, account: str) -> dict[str, Any]:
        return self._placed(params, account, 1.0)

    def _placed(self, params: p.Params, account: str, count: float) -> dict[str, Any]:
        draft = self._desk.reader(account).socket(params)
        ticket = self._desk.trading.place(draft, validate=p.flag(params, "validate"), count=count)
        found: dict[str, Any] = {} if ticket is None else {"order_id": ticket.txid}
        if draft.userref is not None:
            found["order_userref"] = draft.userref
        return found | ({} if draft.cl_ord_id is None else {"cl_ord_id": draft.cl_ord_id})

    def _batch_add(self, params: p.Params, account: str) -> list[dict[str, Any]]:
        given = params.get("orders")
        rows = cast("list[Any]", given) if isinstance(given, list) else []
        if len(rows) not in orders.BATCH or not all(isinstance(row, dict) for row in rows):
            raise errors.invalid("orders")
        common = {"symbol": params.get("symbol"), "validate": params.get("validate")}
        requests = [{**cast("dict[str, Any]", row), **common} for row in rows]
        for request in requests:
            self._desk.trading.check(self._desk.reader(account).socket(request))
        return [self._placed(request, account, 0.5) for request in requests]

    def _amend(self, params: p.Params, account: str) -> dict[str, Any]:
        txid, client_id = p.text(params, "order_id"), p.text(params, "cl_ord_id")
        ticket = orders.named(self._desk, account, txid, client_id)
        amend_id = self._desk.trading.amend(ticket, drafts.amendment(params))
        return {"amend_id": amend_id, **({"order_id": txid} if txid is not None else {"cl_ord_id": client_id})}

    def _edit(self, params: p.Params, account: str) -> dict[str, Any]:
        ticket = orders.named(self._desk, account, p.text(params, "order_id"), None)
        old = ticket.draft
        given = _mapping(params.get("triggers"))
        limit = p.decimal(params, "limit_price")
        draft = msgspec.structs.replace(
            old,
            volume=p.decimal(params, "order_qty") or old.volume,
            price=(p.decimal(given, "price") if old.is_stop else limit) or old.price,
            price2=(limit if old.is_stop else None) or old.price2,
            userref=p.integer(params, "order_userref"),
            cl_ord_id=None,
        )
        new = self._desk.trading.edit(ticket, draft)
        return {"order_id": None if new is None else new.txid, "original_order_id": ticket.txid}

    def _cancel(self, params: p.Params, account: str, reply: Reply) -> None:
        """Every order named is answered on its own."""
        rows = [("order_id", row) for row in p.words(params, "order_id")]
        rows += [("order_userref", row) for row in p.words(params, "order_userref")]
        rows += [("cl_ord_id", row) for row in p.words(params, "cl_ord_id")]
        if not rows:
            raise errors.invalid("order_id")
        for field, row in rows:
            try:
                tickets = (
                    [orders.named(self._desk, account, None, row)]
                    if field == "cl_ord_id"
                    else orders.cancel_tickets(self._desk, account, row)
                )
                for ticket in tickets:
                    self._desk.trading.cancel(ticket)
                reply(result={field: int(row) if field == "order_userref" else row}, success=True)
            except ApiError as error:
                reply(error=error.text, success=False, **{field: row})

    def _cancel_all(self, _params: p.Params, account: str) -> dict[str, Any]:
        return {"count": self._desk.cancel_all(account)}

    def _cancel_after(self, params: p.Params, account: str) -> dict[str, Any]:
        timeout = p.integer(params, "timeout")
        if timeout is None:
            raise errors.invalid("timeout")
        times = self._desk.cancel_all_after(account, timeout)
        strikes_ms = times["triggerTime"]
        return {
            "currentTime": rfc3339(times["currentTime"]),
            "triggerTime": rfc3339(strikes_ms) if strikes_ms else "0",
        }

    def _batch_cancel(self, params: p.Params, account: str) -> int:
        call = Call({"orders": params.get("orders"), "cl_ord_ids": params.get("cl_ord_id")}, account)
        return int(orders.cancel_order_batch(self._desk, call)["count"])


def _mapping(value: Any) -> p.Params:
    """A JSON object; an empty one where there is none."""
    return cast("p.Params", value) if isinstance(value, dict) else {}


def _options(channel: str, params: p.Params) -> dict[str, Any]:
    """What tells subscriptions of a channel apart. Raises ApiError."""
    if channel == "book":
        depth = p.integer(params, "depth") or DEPTHS[0]
        if depth not in DEPTHS:
            raise ApiError("Subscription depth not supported")
        return {"depth": depth}
    if channel == "ohlc":
        interval = p.integer(params, "interval") or 1
        if interval not in INTERVALS and interval not in LONG:
            raise ApiError("Subscription ohlc interval not supported")
        return {"interval": interval}
    if channel == "ticker":
        trigger = p.text(params, "event_trigger") or _TRIGGERS[0]
        if trigger not in _TRIGGERS:
            raise ApiError("Event trigger not supported")
        return {"event_trigger": trigger}
    return {}
