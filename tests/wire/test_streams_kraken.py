"""Streams of the local Kraken through Planar: orders, fills, balances; books proved by their checksums."""

from __future__ import annotations

import asyncio
import contextlib
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from streams_kit import SYMBOL, Local, local_kraken, until

from planar.adapters.base import OrderRef
from planar.errors import StaleData
from planar.models import Fill, Order, OrderState
from planar.streams import StreamState
from planar.venue.faults import CorruptFrame, DropFrame, FaultRule, ReorderFrame
from planar.venue.faults.frames import SocketFault
from planar.venue.wire.kraken import KrakenWire
from planar.venue.wire.kraken import books as venue_books


class Watched:
    """Everything that the two streams of orders and fills have brought."""

    def __init__(self, local: Local[KrakenWire]) -> None:
        self.local = local
        self.orders: list[Order] = []
        self.fills: list[Fill] = []

    def states(self, client_id: str) -> list[OrderState]:
        return [order.state for order in self.orders if order.client_order_id == client_id]

    def ended(self, client_id: str) -> bool:
        return any(state is not OrderState.OPEN for state in self.states(client_id))

    def judge(self) -> None:
        """Each fill of the ledger once, and each order that ended as the ledger has it."""
        exchange, account = self.local.wire.world.exchange, self.local.wire.accounts()[0].account
        desk = self.local.wire.desk
        mine = {order.id: order for order in self.orders}
        truth = [
            desk.ids.trade(fill.symbol, fill.order_id, fill.trade_id)
            for fill in exchange.fills(account, SYMBOL, limit=1000)
            if desk.register.of(fill.symbol, fill.order_id).txid in mine
        ]
        assert sorted(fill.id for fill in self.fills) == sorted(truth)
        for order in mine.values():
            ticket = desk.register.get(account, order.id)
            view = desk.register.view(ticket)
            status = {"closed": "filled"}.get(view.status, view.status)
            assert (order.state.value, order.filled) == (status, view.filled)


@pytest.mark.parametrize("symbol", [None, SYMBOL])
async def test_each_state_of_an_order_and_each_fill_once(tmp_path: Path, symbol: str | None) -> None:
    async with local_kraken(tmp_path) as local:
        seen = Watched(local)
        async with local.hub.orders(symbol) as orders, local.hub.my_trades(symbol) as fills:
            orders.on_update(seen.orders.append)
            fills.on_update(seen.fills.append)
            await until(lambda: StreamState.LIVE is orders.state is fills.state)
            bought = await local.buy("pl-acc-1", "0.5")
            await local.buy("pl-acc-2", "0.01", "40000")
            await local.adapter.cancel(OrderRef(SYMBOL, client_id="pl-acc-2"), {}, timeout_ms=5_000)
            await until(lambda: seen.ended("pl-acc-1") and seen.ended("pl-acc-2"))
        assert seen.states("pl-acc-1")[-1] is OrderState.FILLED
        assert seen.states("pl-acc-2") == [OrderState.OPEN, OrderState.CANCELED]
        last = [order for order in seen.orders if order.id == bought.id][-1]
        assert (last.filled, last.amount, last.type) == (Decimal("0.5"), Decimal("0.5"), "market")
        assert sum(fee.cost for fee in last.fees) == sum(fee.cost for fill in seen.fills for fee in fill.fees) > 0
        assert [(order.id, order.state) for order in local.orders] == [(order.id, order.state) for order in seen.orders]
        seen.judge()


async def test_a_stream_is_live_when_the_venue_has_acknowledged_it(tmp_path: Path) -> None:
    """The first frames of a connection (status, heartbeat) confirm nothing."""
    async with local_kraken(tmp_path) as local:
        held: list[str] = []

        def hold(url: str, frame: str) -> list[str]:
            if '"method":"subscribe"' in frame or '"executions"' in frame:
                held.append(frame)
                return []
            return [frame]

        local.meddler.alter = hold
        async with local.hub.orders() as orders, local.hub.my_trades() as fills:
            await until(lambda: held)
            await local.meddler.push('{"channel":"heartbeat"}', "ws-auth")
            await asyncio.sleep(0.05)
            assert StreamState.CONNECTING is orders.state is fills.state
            await local.meddler.push(held[0], "ws-auth")
            await until(lambda: StreamState.LIVE is orders.state is fills.state)


async def test_what_happened_while_the_connection_was_away_is_told(tmp_path: Path) -> None:
    async with local_kraken(tmp_path) as local:
        seen = Watched(local)
        async with local.hub.orders() as orders, local.hub.my_trades() as fills:
            orders.on_update(seen.orders.append)
            fills.on_update(seen.fills.append)
            await until(lambda: StreamState.LIVE is orders.state is fills.state)
            await local.buy("pl-away-1", "0.01", "40000")
            await local.buy("pl-away-2", "0.01", "41000")
            await until(lambda: seen.states("pl-away-2"))
            local.meddler.refuse["/v2"] = (503, "away")
            await local.meddler.cut()
            await until(lambda: orders.state is not StreamState.LIVE)
            await local.adapter.cancel(OrderRef(SYMBOL, client_id="pl-away-1"), {}, timeout_ms=5_000)
            await local.buy("pl-away-3", "0.02")
            local.meddler.refuse.clear()
            await until(lambda: seen.ended("pl-away-1") and len(seen.fills) > 0)
            await local.adapter.cancel(OrderRef(SYMBOL, client_id="pl-away-2"), {}, timeout_ms=5_000)
            await until(lambda: seen.ended("pl-away-2"))
            assert [gap.dropped for gap in orders.gaps] == [None]
        assert seen.states("pl-away-1") == [OrderState.OPEN, OrderState.CANCELED]
        seen.judge()


@pytest.mark.parametrize("word", ["new", "trade", "filled", "canceled"])
async def test_a_frame_that_is_lost_is_made_good(tmp_path: Path, word: str) -> None:
    """Its sequence number is missing: the connection begins anew, and what the frame held is asked for."""
    async with local_kraken(tmp_path) as local:
        seen, dropped = Watched(local), []

        def drop(url: str, frame: str) -> list[str]:
            if not dropped and '"type":"update"' in frame and f'"exec_type":"{word}"' in frame:
                dropped.append(frame)
                return []
            return [frame]

        local.meddler.alter = drop
        async with local.hub.orders() as orders, local.hub.my_trades() as fills:
            orders.on_update(seen.orders.append)
            fills.on_update(seen.fills.append)
            await until(lambda: StreamState.LIVE is orders.state is fills.state)
            await local.buy("pl-lost-1", "0.3")
            await local.buy("pl-lost-2", "0.01", "40000")
            await local.adapter.cancel(OrderRef(SYMBOL, client_id="pl-lost-2"), {}, timeout_ms=5_000)
            await until(lambda: dropped)
            if word == "canceled":  # nothing came after it that would show the loss
                await local.buy("pl-lost-3", "0.01", "40000")
            await until(lambda: orders.gaps and orders.state is StreamState.LIVE)
            await until(lambda: seen.ended("pl-lost-1") and seen.ended("pl-lost-2"))
            await until(lambda: sum(fill.amount for fill in seen.fills) == Decimal("0.3"))
        seen.judge()


async def test_a_doubled_frame_adds_nothing(tmp_path: Path) -> None:
    async with local_kraken(tmp_path) as local:
        seen = Watched(local)
        local.meddler.alter = lambda url, frame: [frame, frame] if '"executions"' in frame else [frame]
        async with local.hub.orders() as orders, local.hub.my_trades() as fills:
            orders.on_update(seen.orders.append)
            fills.on_update(seen.fills.append)
            await until(lambda: StreamState.LIVE is orders.state is fills.state)
            await local.buy("pl-two-1", "0.3")
            await until(lambda: seen.ended("pl-two-1"))
            assert orders.state is StreamState.LIVE
        seen.judge()


async def test_a_token_that_is_over_is_replaced(tmp_path: Path) -> None:
    """The second subscription of a connection finds its token expired at the venue."""
    async with local_kraken(tmp_path) as local:
        async with local.hub.orders() as orders:
            await until(lambda: orders.state is StreamState.LIVE)
            keys = local.wire.desk.keys
            keys.__dict__["_tokens"].clear()
            for socket in local.wire.__dict__["_connections"].__dict__["_open"]:
                socket.tokens.clear()
            async with local.hub.balance(stale="yield") as balances:
                await until(lambda: sum("GetWebSocketsToken" in line for line in local.meddler.requests) == 2)
                assert (await anext(balances))["BTC"].total
                assert StreamState.LIVE is orders.state is balances.state


async def test_a_subscription_that_is_refused_says_so(tmp_path: Path) -> None:
    async with local_kraken(tmp_path) as local:

        def refuse(url: str, frame: str) -> list[str]:
            answer = json.loads(frame)
            if answer.get("method") != "subscribe":
                return [frame]
            return [
                json.dumps(
                    {
                        "method": "subscribe",
                        "req_id": answer["req_id"],
                        "success": False,
                        "error": "EGeneral:Internal error",
                    }
                )
            ]

        local.meddler.alter = refuse
        async with local.hub.orders() as orders:
            with pytest.raises(Exception, match="Internal error"):
                await anext(orders)
            local.meddler.alter = lambda url, frame: [frame]
            await until(lambda: orders.state is StreamState.LIVE)


async def test_a_balance_is_whole_and_follows_the_ledger(tmp_path: Path) -> None:
    async with local_kraken(tmp_path) as local, contextlib.AsyncExitStack() as stack:
        local.adapter.profile = msgspec.structs.replace(local.adapter.profile, balance_hints_s=0.1)
        balances = await stack.enter_async_context(local.hub.balance())
        exchange, account = local.wire.world.exchange, local.wire.accounts()[0].account

        async def follows(asset: str) -> None:
            truth = exchange.balances(account)[asset]
            async for balance in balances:
                if (balance[asset].free, balance[asset].used) == (truth.free, truth.locked):
                    return

        first = await anext(balances)
        assert {"BTC", "USDT", "ETH", "SOL"} <= set(first.balances)
        # an order holds funds, which no balance frame tells
        await local.buy("pl-bal-1", "0.01", "40000")
        await follows("USDT")
        exchange.deposit(account, "SOL", Decimal("12.5"))
        await follows("SOL")


# -- books ---------------------------------------------------------------------------------------------------------
class TrueBooks:
    """Every state that the venue's books have shown, from its frames as they were before anybody touched them."""

    def __init__(self) -> None:
        self.states: dict[str, dict[tuple[object, ...], None]] = {}
        self._sides: dict[str, tuple[dict[float, float], dict[float, float]]] = {}

    def take(self, frame: str) -> None:
        message = json.loads(frame)
        if message.get("channel") != "book":
            return
        (row,) = message["data"]
        symbol = row["symbol"]
        if message["type"] == "snapshot":
            self._sides[symbol] = ({}, {})
        bids, asks = self._sides[symbol]
        for side, levels in ((bids, row["bids"]), (asks, row["asks"])):
            for level in levels:
                side.pop(level["price"], None)
                if level["qty"]:
                    side[level["price"]] = level["qty"]
        best = tuple(sorted(bids.items(), reverse=True)[:10]), tuple(sorted(asks.items())[:10])
        self._sides[symbol] = dict(best[0]), dict(best[1])
        self.states.setdefault(symbol, {})[best] = None


def spoil_amount(frame: str) -> str:
    """The frame with one digit of its first amount changed."""
    at = frame.index('"qty":') + 6
    return frame[:at] + str((int(frame[at]) + 1) % 10) + frame[at + 1 :]


@pytest.mark.parametrize("how", ["altered", "dropped"])
async def test_a_book_that_is_not_the_venues_is_begun_anew_alone(tmp_path: Path, how: str) -> None:
    async with local_kraken(tmp_path) as local:
        truth, spoiled = TrueBooks(), []

        def resyncing() -> bool:  # a change that is lost does not show when the next one undoes it
            return books._pump is None or books._pump.losses > 0

        def meddle(url: str, frame: str) -> list[str]:
            truth.take(frame)
            if '"channel":"book","type":"update"' in frame and '"BTC/USDT"' in frame and '"qty":' in frame:
                spoiled.append(frame)
                if how == "dropped" and len(spoiled) % 10 < 5 and not resyncing():
                    return []
                if how == "altered" and len(spoiled) >= 5 and not resyncing():
                    return [spoil_amount(frame)]
            return [frame]

        local.meddler.alter = meddle
        async with local.hub.order_book(SYMBOL, stale="yield") as books, local.hub.order_book("ETH/USDT") as others:
            shown = []
            books.on_update(lambda book: shown.append((book.bids, book.asks)))
            other = []
            others.on_update(lambda book: other.append((book.bids, book.asks)))
            await until(lambda: len(spoiled) > 4, within_s=10)
            await until(lambda: books._pump is not None and books._pump.losses >= 1)
            assert isinstance(books._pump.error, StaleData)
            before = len(shown)
            await until(lambda: len(shown) > before + 5, within_s=10)
            assert others._pump is not None
            assert others._pump.losses == 0
            assert local.meddler.open == 1
        for symbol, seen in ((SYMBOL, shown), ("ETH/USDT", other)):
            assert seen
            for bids, asks in seen:
                assert (tuple(map(tuple, bids)), tuple(map(tuple, asks))) in truth.states[symbol]


async def test_books_of_several_depths_and_their_end(tmp_path: Path) -> None:
    async with local_kraken(tmp_path) as local:
        async with local.hub.order_book(SYMBOL) as shallow:
            async with local.hub.order_book(SYMBOL, 12) as deep, local.hub.order_book("ETH/USDT"):
                assert len((await anext(deep)).bids) == 12
                assert len((await anext(shallow)).bids) == 10
                assert local.meddler.open == 2
            # the deep one had a connection of its own; of the shared one only the market that nobody wants is left
            await until(lambda: local.meddler.open == 1)
            ended = [frame for _, frame in local.meddler.sent if '"unsubscribe"' in frame]
            assert [json.loads(frame)["params"]["symbol"] for frame in ended] == [["ETH/USDT"]]
            async with local.hub.order_book("ETH/USDT") as again:
                assert len((await anext(again)).asks) == 10


@pytest.mark.parametrize("fault", [CorruptFrame(how="flip"), CorruptFrame(how="cut"), DropFrame(), ReorderFrame()])
async def test_a_book_under_faults_is_the_venues_or_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: SocketFault
) -> None:
    """Truth is the wire's own book; a tenth of its frames meets the fault."""
    truth: set[tuple[object, ...]] = set()
    changes = venue_books.Book.changes

    def noted(book: venue_books.Book) -> Any:
        row = changes(book)
        held = vars(book)
        best = [[(float(price), float(amount)) for price, amount in held[side].items()] for side in ("_bids", "_asks")]
        truth.add(tuple(tuple(side) for side in best))
        return row

    monkeypatch.setattr(venue_books.Book, "changes", noted)
    async with local_kraken(tmp_path) as local:
        rule = FaultRule(fault=fault, body='*"channel":"book"*', probability=0.1, seed=3, count=None)
        async with local.hub.order_book(SYMBOL, stale="yield", policy="every") as books:
            live = 0
            local.server.faults.add(rule)
            while live < 12 or books._pump is None or not books._pump.losses:
                book = await anext(books)
                if books.state is StreamState.LIVE:
                    live += 1
                    assert (tuple(map(tuple, book.bids)), tuple(map(tuple, book.asks))) in truth
