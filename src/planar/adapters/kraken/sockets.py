"""Kraken's WebSocket v2 as CCXT does not read it; mixed in before CCXT's class (`Profile.mixin`).

CCXT keeps what it is good at: urls, tokens, tickers, trades, candles. Here stand the parts that lose data there: updates
of orders, which CCXT cannot tell the market of; the checksum of books; sequence numbers of private channels;
subscriptions that are acknowledged or refused under their request id; unsubscribing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from planar.adapters.kraken.book import DEPTHS, Book, read_frame, time_ms
from planar.adapters.kraken.executions import Executions, Row
from planar.errors import BadRequest, ExchangeNotAvailable, Outcome, StaleData

NOTHING: Mapping[str, Any] = {}

QUERIED = 50
"""Orders that one QueryOrders may name (documentation: Query Orders Info)."""

GAP_ORDERS = 1_000
"""Ended orders that are asked for after a lost connection, at most."""

_SUBSCRIBED_ALREADY = "Already subscribed"
_BAD_TOKEN = "ESession:Invalid session"


class KrakenSockets:
    """The part of Kraken's exchange class that has to do with its WebSocket v2."""

    # -- market data -----------------------------------------------------------------------------------------------
    async def watch_order_book(self, symbol: str, limit: int | None = None, params: Mapping[str, Any] = NOTHING) -> Any:
        """The book to the least depth that Kraken has for `limit`; each depth has a connection of its own, since
        frames do not say which depth they are of."""
        depth = book_depth(limit)
        url = cast(Any, self).urls["api"]["ws"]["publicV2"]
        url = url if depth == DEPTHS[0] else f"{url}#{depth}"
        return await self._watch_channel(url, "orderbook", "book", [symbol], {"depth": depth, **params})

    async def watch_multi_helper(
        self,
        unified_name: str,
        channel: str,
        symbols: Sequence[str] | None = None,
        _arguments: Any = None,
        params: Mapping[str, Any] = NOTHING,
    ) -> Any:
        """What CCXT's watch_ticker, watch_tickers, watch_bids_asks and watch_trades are made of."""
        url = cast(Any, self).urls["api"]["ws"]["publicV2"]
        name = channel if "event_trigger" in params else unified_name
        return await self._watch_channel(url, name, channel, symbols or (), params)

    async def _watch_channel(
        self, url: str, name: str, channel: str, symbols: Sequence[str], params: Mapping[str, Any]
    ) -> Any:
        this = cast(Any, self)
        await this.load_markets()
        names = this.market_symbols(list(symbols), None, False, True, False)
        hashes = [f"{name}@{symbol}" for symbol in names]
        client = this.client(url)
        sent = _channels(client)
        again = [symbol for symbol, key in zip(names, hashes, strict=True) if key not in client.subscriptions]
        left = [symbol for symbol in again if f"{name}@{symbol}" in sent]
        if left:  # to be begun anew: the venue still sends it
            await self._leave(client, [f"{name}@{symbol}" for symbol in left])
        wanted = {"channel": channel, "symbol": again or names, **params}
        sent |= {f"{name}@{symbol}": {**wanted, "symbol": [symbol]} for symbol in again}
        request = {"method": "subscribe", "params": wanted, "req_id": this.request_id()}
        return await this.watch_multiple(url, hashes, request, hashes)

    async def un_watch_order_book(self, symbol: str, params: Mapping[str, Any] = NOTHING) -> None:
        """End the subscription, unless somebody else listens."""
        await self._unwatch("orderbook", [symbol])

    async def un_watch_trades(self, symbol: str, params: Mapping[str, Any] = NOTHING) -> None:
        """End the subscription, unless somebody else listens."""
        await self._unwatch("trade", [symbol])

    async def un_watch_ticker(self, symbol: str, params: Mapping[str, Any] = NOTHING) -> None:
        """End the subscription, unless somebody else listens."""
        await self._unwatch("ticker", [symbol])

    async def un_watch_tickers(self, symbols: Sequence[str], params: Mapping[str, Any] = NOTHING) -> None:
        """End the subscriptions, unless somebody else listens."""
        await self._unwatch("ticker", symbols)

    async def _unwatch(self, name: str, symbols: Iterable[str]) -> None:
        this = cast(Any, self)
        hashes = [f"{name}@{this.symbol(symbol)}" for symbol in symbols]
        for client in list(this.clients.values()):
            idle = [key for key in hashes if key in _channels(client) and not client.heard(key)]
            for key in idle:
                client.subscriptions.pop(key, None)
            await self._leave(client, idle)

    @staticmethod
    async def _leave(client: Any, hashes: Iterable[str]) -> None:
        """Unsubscribe. The answer is not waited for: what follows it comes after it."""
        for key in hashes:
            params = _channels(client).pop(key)
            _books(client).pop(key, None)
            await client.send({"method": "unsubscribe", "params": params})

    # -- the account -----------------------------------------------------------------------------------------------
    async def watch_orders(
        self, symbol: str | None = None, since: Any = None, limit: Any = None, params: Mapping[str, Any] = NOTHING
    ) -> Any:
        """Orders that have changed."""
        return await self._watch_executions("orders", symbol)

    async def watch_my_trades(
        self, symbol: str | None = None, since: Any = None, limit: Any = None, params: Mapping[str, Any] = NOTHING
    ) -> Any:
        """Executions."""
        return await self._watch_executions("myTrades", symbol)

    async def watch_balance(self, params: Mapping[str, Any] = NOTHING) -> Any:
        """Totals that have changed. What orders hold is not told: each change of an order resolves this too."""
        this = cast(Any, self)
        await this.load_markets()
        executions = await self._private_request({"channel": "executions", "snap_orders": True, "snap_trades": True})
        balances = await self._private_request({"channel": "balances"})
        url = this.urls["api"]["ws"]["privateV2"]
        this.watch(url, "holds", executions, "executions", executions)
        return await this.watch(url, "balances", balances, "balances", balances)

    async def _watch_executions(self, name: str, symbol: str | None) -> Any:
        """One subscription serves orders and fills; its snapshot holds both."""
        this = cast(Any, self)
        await this.load_markets()
        key = name if symbol is None else f"{name}:{this.symbol(symbol)}"
        request = await self._private_request({"channel": "executions", "snap_orders": True, "snap_trades": True})
        url = this.urls["api"]["ws"]["privateV2"]
        future = this.watch(url, key, request, "executions", request)
        kept = self.executions().returning.pop(key, None)
        if kept:
            this.client(url).resolve(kept, key)
        return await future

    async def _private_request(self, params: dict[str, Any]) -> dict[str, Any]:
        this = cast(Any, self)
        token = await this.authenticate()
        return {"method": "subscribe", "params": {**params, "token": token}, "req_id": this.request_id()}

    async def _with_a_new_token(self, client: Any, request: dict[str, Any]) -> None:
        """Ask once more: a token that nobody used for 15 minutes is over, and the venue alone knows."""
        this = cast(Any, self)
        this.client(this.urls["api"]["ws"]["private"]).subscriptions.pop("authenticated", None)  # where CCXT keeps it
        request["again"] = True
        request["params"]["token"] = await this.authenticate()
        await client.send({name: value for name, value in request.items() if name != "again"})

    def executions(self) -> Executions:
        """What is known of this account's orders and fills."""
        return self.__dict__.setdefault("_planar_executions", Executions())

    def on_error(self, client: Any, error: Exception) -> None:
        """A connection has ended. Where nobody listened any more, what it told is over. Else those who listened come
        back one after the other, and the first brings what the others must not miss."""
        if client.url == cast(Any, self).urls["api"]["ws"]["privateV2"]:
            if not client.watched:
                self.__dict__.pop("_planar_executions", None)
            else:
                self.executions().expect(client.message_hashes())
        cast(Any, super()).on_error(client, error)

    # -- frames ----------------------------------------------------------------------------------------------------
    def handle_message(self, client: Any, message: Any) -> None:
        """A frame."""
        frame = cast("dict[str, Any]", message) if isinstance(message, dict) else {}
        channel = frame.get("channel")
        if channel == "book":
            self._take_book(client)
        elif channel in ("executions", "balances") and not _in_sequence(client, frame):
            return
        elif channel == "executions":
            self._take_executions(client, frame)
        elif frame.get("method") == "subscribe":
            self._answered(client, frame)
        else:
            cast(Any, super()).handle_message(client, message)

    def _answered(self, client: Any, message: Mapping[str, Any]) -> None:
        """A subscription was acknowledged or refused."""
        request_id, refusal = str(message.get("req_id")), str(message.get("error") or "")
        result = cast("dict[str, Any]", message.get("result") or {})
        if message.get("success") is True:
            if result.get("channel") == "executions":
                self._begin_executions(client, message)
            elif result.get("channel") == "book":
                self._book(client, str(result.get("symbol")))
            client.acknowledged(request_id)
        elif _SUBSCRIBED_ALREADY in refusal:
            client.acknowledged(request_id)
        elif _BAD_TOKEN in refusal and (request := _refused(client, request_id)) is not None:
            cast(Any, self).spawn(self._with_a_new_token, client, request)
        elif _BAD_TOKEN in refusal:
            client.reject(ExchangeNotAvailable("two tokens were refused one after the other"), request_id)
        else:
            cast(Any, super()).handle_message(client, message)

    def _take_book(self, client: Any) -> None:
        """A book begins with its acknowledgement or its snapshot; updates before these belong to what was left."""
        frame = read_frame(client.frame)
        for row in frame.data:
            key = f"orderbook@{row.symbol}"
            if frame.type == "snapshot":
                self._book(client, row.symbol)
            book = _books(client).get(key)
            if book is None:
                continue
            if not book.synced and frame.type != "snapshot":
                _begin_anew(client, key, f"the snapshot of the book of {row.symbol} was lost")
            elif book.apply(frame.type, row):
                client.resolve(book.state, key)
            else:
                _begin_anew(client, key, f"the checksum of the book of {row.symbol} does not fit: an update was lost")

    @staticmethod
    def _book(client: Any, symbol: str) -> None:
        """Make the book of a market that is subscribed to, unless it is there."""
        key = f"orderbook@{symbol}"
        asked = _channels(client).get(key)
        if asked is not None and key not in _books(client):
            _books(client)[key] = Book(symbol, asked["depth"])

    # -- orders and fills ------------------------------------------------------------------------------------------
    def _begin_executions(self, client: Any, message: Mapping[str, Any]) -> None:
        """Subscribed. Orders may have ended since the last connection broke: the venue is asked, after the snapshot."""
        reader, now_ms = self.executions(), time_ms(message["time_in"])
        if reader.since_ms is None:
            reader.since_ms = now_ms
        else:
            cast(Any, self).spawn(self._ask_about_gap, client, reader.newest_ms, reader.open_ids())
        reader.newest_ms = now_ms

    def _take_executions(self, client: Any, message: Mapping[str, Any]) -> None:
        reader, snapshot = self.executions(), message.get("type") == "snapshot"
        orders: list[dict[str, Any]] = []
        fills: list[dict[str, Any]] = []
        strange: list[str] = []
        rows = cast("list[Row]", message.get("data") or [])
        for row in sorted(rows, key=lambda row: str(row.get("timestamp", ""))) if snapshot else rows:
            order, fill = reader.take(row, snapshot=snapshot)
            if order is not None:
                orders.append(order)
            if fill is not None:
                fills.append(fill)
            if (fill is not None or not snapshot) and reader.unknown(row):
                strange.append(str(row["order_id"]))
        if strange:
            cast(Any, self).spawn(self._ask_about, client, list(dict.fromkeys(strange)))
        self._tell(client, "myTrades", fills)
        self._tell(client, "orders", orders)
        if rows and not snapshot:
            client.resolve({}, "holds")

    async def _ask_about_gap(self, client: Any, from_ms: int, open_ids: Sequence[str]) -> None:
        """Ask by REST which orders have ended since, those that began meanwhile too, and what became of the known."""
        ended = await cast(Any, self).fetch_closed_orders(None, from_ms, GAP_ORDERS, {"closetime": "close"})
        self._tell(client, "orders", self._news(ended))
        await self._ask_about(client, open_ids)

    async def _ask_about(self, client: Any, order_ids: Sequence[str]) -> None:
        """Ask by REST what became of orders; if that fails the connection ends, and the next one asks again."""
        for at in range(0, len(order_ids), QUERIED):
            found = await cast(Any, self).fetch_orders_by_ids(list(order_ids[at : at + QUERIED]))
            self._tell(client, "orders", self._news(found))

    def _news(self, orders: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        return [order for order in map(self.executions().correct, orders) if order is not None]

    def _tell(self, client: Any, name: str, rows: list[dict[str, Any]]) -> None:
        """Resolve what is watched: all of them, and those of each market."""
        if not rows:
            return
        keys = {name: rows}
        for symbol in dict.fromkeys(row["symbol"] for row in rows):
            keys[f"{name}:{symbol}"] = [row for row in rows if row["symbol"] == symbol]
        for key, found in keys.items():
            if client.heard(key):
                client.resolve(found, key)
            else:
                self.executions().keep(key, found)


def book_depth(limit: int | None) -> int:
    """The least depth that holds `limit` levels; ten of them, all proved by the checksum, for None.

    Raises:
        BadRequest: Kraken has no book of that depth.
    """
    for depth in DEPTHS:
        if limit is None or limit <= depth:
            return depth
    raise BadRequest(
        f"limit is {limit}, and Kraken's books have {DEPTHS[-1]} levels at most",
        outcome=Outcome.NOT_SENT,
        hint=f"at most {DEPTHS[-1]}",
    )


def _begin_anew(client: Any, key: str, reason: str) -> None:
    """Whoever listens to this book asks for it again; until then its frames are passed over."""
    del _books(client)[key]
    client.subscriptions.pop(key, None)
    client.reject(StaleData(reason), key)


def _in_sequence(client: Any, message: Mapping[str, Any]) -> bool:
    """Whether a private frame is the next of its channel. One that came before is passed over; if one is missing the
    connection ends, and the next begins with a snapshot."""
    number = message.get("sequence")
    if not isinstance(number, int):
        return True
    last: dict[Any, int] = client.__dict__.setdefault("planar_sequences", {})
    before = last.get(message["channel"])
    if before is not None and number <= before:
        return False
    last[message["channel"]] = number
    if before is not None and number != before + 1:
        client.on_error(StaleData(f"frames of {message['channel']} are missing: {number} came after {before}"))
        return False
    return True


def _channels(client: Any) -> dict[str, dict[str, Any]]:
    """What the venue sends over this connection: message hash -> parameters of the subscription."""
    return client.__dict__.setdefault("planar_channels", {})


def _refused(client: Any, request_id: str) -> dict[str, Any] | None:
    """The private subscription of this id, unless it was sent twice already."""
    for request in client.subscriptions.values():
        if isinstance(request, dict) and str(cast("dict[str, Any]", request).get("req_id")) == request_id:
            return None if "again" in request else cast("dict[str, Any]", request)
    return None


def _books(client: Any) -> dict[str, Book]:
    """The books of a connection by message hash."""
    return client.__dict__.setdefault("planar_books", {})
