"""Orders over a socket in virtual time: one seed gives the same bytes twice; connections and tokens end and go on."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from benchmarks.safety.simulated import SYMBOL, Stage, simulated, staged

import planar.runtime as runtime
from planar.errors import OrderUnknown
from planar.exchange import Exchange
from planar.models import OrderState
from planar.venue.faults import DropFrame, DropMessage, FaultRule
from planar.venue.wire import LedgerQuery

ASKED = {"binance": '*"order.place"*', "kraken": '*"add_order"*'}
ANSWERED = {"binance": '*"fills":*', "kraken": '*"method":"add_order"*'}


async def opened(workspace: Any, name: str) -> tuple[Exchange, float]:
    exchange = await workspace.exchange(name, environment="local", timeout=2_000, order_entry="websocket")
    return exchange, round(((await exchange.fetch_ticker(SYMBOL)).bid or 0.0) * 0.9, 1)


def ledger(stage: Stage) -> list[dict[str, Any]]:
    account = stage.wire.accounts()[0].account
    query = LedgerQuery(kind="orders", account=account, symbol=SYMBOL, since_ms=stage.since_ms)
    return stage.wire.ledger(query)["orders"]


async def lose(directory: Path, name: str) -> bytes:
    """An answer is lost, a request is never heard; each order ends as the ledger has it."""
    log: list[object] = []
    async with staged(directory, name, 3) as stage, stage.workspace() as workspace:
        exchange, far = await opened(workspace, name)
        ways: list[str] = []
        workspace.on_request(lambda _, record: ways.append(f"{record.method} {record.outcome}"))
        log.append((await exchange.create_limit_buy_order(SYMBOL, "0.00100", far)).state)
        stage.server.faults.add(FaultRule(fault=DropFrame(), body=ANSWERED[name]))
        with pytest.raises(OrderUnknown) as lost:
            await exchange.create_limit_buy_order(SYMBOL, "0.00101", far)
        log.append((await lost.value.order.resolved(20)).state)
        await runtime.sleep(3)  # the connection that owed an answer is replaced
        stage.server.faults.add(FaultRule(fault=DropMessage(), body=ASKED[name]))
        with pytest.raises(OrderUnknown) as unheard:
            await exchange.create_limit_buy_order(SYMBOL, "0.00102", far)
        log.append((await unheard.value.order.resolved(60)).state)
        assert log == [OrderState.OPEN, OrderState.OPEN, OrderState.NEVER_ACCEPTED]
        amounts = [Decimal(row["amount"]) for row in ledger(stage)]
        assert amounts == [Decimal("0.00100"), Decimal("0.00101")]
        log += [ways, ledger(stage), runtime.monotonic()]
    return json.dumps(log, default=str, indent=1).encode()


@pytest.mark.parametrize("name", ["binance", "kraken"])
def test_one_seed_gives_the_same_bytes_twice(name: str, tmp_path: Path) -> None:
    made: list[bytes] = []
    for run in ("a", "b"):
        (tmp_path / run).mkdir()
        made.append(simulated(tmp_path / run, 5, lambda run=run: lose(tmp_path / run, name)))
    assert made[0] == made[1]
    assert b"WS" in made[0]


async def live_long(directory: Path, name: str) -> None:
    """Two minutes in which connections last 25 s, and tokens 40 s: an order every ten seconds."""
    async with staged(directory, name, 3) as stage, stage.workspace() as workspace:
        exchange, far = await opened(workspace, name)
        seam: Any = exchange._adapter.exchange
        entry = seam.planar.entry
        token = None if entry.token is None else msgspec.structs.replace(entry.token, renew_s=40.0, life_s=60.0)
        seam.planar.entry = msgspec.structs.replace(entry, renew_s=25.0, token=token)
        ways: list[str] = []
        workspace.on_request(lambda _, record: ways.append(record.method) if record.effect.value == "write" else None)
        sockets: list[object] = []
        tokens: dict[str, None] = {}
        for number in range(12):
            order = await exchange.create_limit_buy_order(SYMBOL, str(Decimal(100 + number) / 100_000), far)
            assert order.state is OrderState.OPEN
            if seam._planar_line._current not in sockets:
                sockets.append(seam._planar_line._current)
            if token is not None:
                tokens[seam._planar_token._held[0]] = None
            await exchange.cancel_order(order.id, SYMBOL)
            await runtime.sleep(10)
        assert len(ledger(stage)) == 12
        assert ways == ["WS"] * 24
        assert len(sockets) >= 4
        assert len(tokens) == (0 if token is None else 3)


@pytest.mark.parametrize("name", ["binance", "kraken"])
def test_connections_and_tokens_are_renewed_while_orders_go_on(name: str, tmp_path: Path) -> None:
    simulated(tmp_path, 5, lambda: live_long(tmp_path, name))
