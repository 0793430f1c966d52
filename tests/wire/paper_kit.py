"""A local exchange in the test's own loop, whose market stands still, and paper accounts on its data.

A meddler stands between them: it knows every request that left, and can break what the paper account hears.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from streams_kit import Meddler

import planar
from planar.exchange import Exchange
from planar.models import Order, OrderBook
from planar.transport.local import LocalVenue
from planar.venue.engine.enums import OrderKind, Side, TimeInForce
from planar.venue.engine.types import NewOrder
from planar.venue.server import VenueServer
from planar.venue.wire import LedgerQuery, load_wire
from planar.workspace import Workspace

SYMBOL = "BTC/USDT"
FUNDS = {"USDT": 10_000, "BTC": 1}


class Scene:
    """One exchange, and workspaces on it."""

    def __init__(self, server: VenueServer, wire: Any, meddler: Meddler, venue: LocalVenue) -> None:
        self.server = server
        self.wire = wire
        self.meddler = meddler
        self.venue = venue
        self.engine = wire.bench().exchange
        self.accounts = [account.account for account in wire.accounts()]
        self._open: list[Workspace] = []

    async def exchange(self, account: str = "", timeout: int = 5_000, **paper: Any) -> Exchange:
        workspace = await planar.open(local_venue=self.venue).__aenter__()
        self._open.append(workspace)
        return await workspace.exchange(
            self.wire.id,
            account=account,
            environment="paper",
            timeout=timeout,
            enableRateLimit=False,
            paper={"data": "local", "balances": FUNDS, "latency": 0, **paper},
        )

    async def close(self) -> None:
        """Close the workspaces that are open."""
        while self._open:
            await self._open.pop().close()

    def put(self, side: str, amount: str, price: str, *, take: bool = False, who: int = 0) -> None:
        """Somebody's order at the exchange itself."""
        self.engine.submit(
            NewOrder(
                account=self.accounts[who],
                symbol=SYMBOL,
                side=Side.BUY if side == "buy" else Side.SELL,
                kind=OrderKind.LIMIT,
                tif=TimeInForce.IOC if take else TimeInForce.GTC,
                amount=Decimal(amount),
                price=Decimal(price),
            )
        )

    def print_trade(self, taker: str, amount: object, price: object) -> None:
        """A public trade: an order inside the spread, and another that takes it."""
        amount, price = str(amount), str(price)
        self.put("buy" if taker == "sell" else "sell", amount, price)
        self.put(taker, amount, price, take=True, who=1)

    def ledger(self) -> list[object]:
        """Orders and fills of the accounts at the exchange itself."""
        return [
            self.wire.ledger(LedgerQuery(kind=kind, account=account))
            for kind in ("orders", "fills")
            for account in self.accounts
        ]


def step(exchange: Exchange) -> Decimal:
    found = exchange.market(SYMBOL).precision.price
    assert found is not None
    return found


async def inside(exchange: Exchange) -> tuple[OrderBook, Decimal, Decimal]:
    """The book, and two prices within its spread, the lower first, where nothing stands."""
    book = await exchange.fetch_order_book(SYMBOL, 20)
    bid, ask, tick = Decimal(repr(book.bids[0][0])), Decimal(repr(book.asks[0][0])), step(exchange)
    assert ask - bid >= 3 * tick, f"the spread of {bid} and {ask} holds nothing"
    return book, bid + tick, ask - tick


async def now(exchange: Exchange, order: Any) -> Order:
    """An order as it is."""
    return await exchange.fetch_order(order.id, SYMBOL)


@contextlib.asynccontextmanager
async def scene_of(name: str, directory: Path, sockets: Path | None = None) -> AsyncIterator[Scene]:
    """A scene; `PLANAR_STATE` and `PLANAR_CACHE` are the test's own."""
    sockets = sockets or directory
    wire = load_wire(name, seed=3, activity=False)
    wire.bench().model.frozen = True
    server = VenueServer([wire])
    record = await server.start(unix_path=str(sockets / "venue.sock"))
    meddler = Meddler(str(sockets / "venue.sock"))
    await meddler.start(str(sockets / "meddler.sock"))
    venue = LocalVenue(
        instance=record.instance,
        socket=str(sockets / "meddler.sock"),
        token=record.token,
        venues=list(record.venues),
        pid=record.pid,
    )
    made = Scene(server, wire, meddler, venue)
    try:
        yield made
    finally:
        await made.close()
        await meddler.stop()
        await server.stop()
