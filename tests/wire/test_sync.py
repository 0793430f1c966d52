"""`planar.sync`: the same calls without `async`, in scripts and where a loop runs already."""

from __future__ import annotations

import asyncio
import inspect
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import planar.sync
from planar.errors import BadSymbol, WrongLoop
from planar.exchange import Exchange
from planar.models import OrderBook

ROOT = Path(__file__).resolve().parents[2]
SYMBOL = "BTC/USDT"


def test_the_synchronous_classes_are_those_of_the_present_asynchronous_ones() -> None:
    done = subprocess.run(
        [sys.executable, "scripts/sync_face.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for name in ("fetch_ticker", "create_order", "fetch_ohlcv", "cancel_order"):
        sync, real = (inspect.signature(getattr(one, name)) for one in (planar.sync.Exchange, Exchange))
        assert list(sync.parameters) == list(real.parameters)


def trade_once() -> str:
    with planar.sync.open(private_venue=True) as p:
        exchange = p.exchange("binance", environment="local")
        assert exchange.fetch_ticker(SYMBOL).bid
        assert exchange.fetch_tickers([SYMBOL]).made == "native"
        with exchange.watch_order_book(SYMBOL) as books:
            first, second = next(books), next(iter(books))
            assert isinstance(first, OrderBook)
            assert (second.nonce or 0) > (first.nonce or 0)
            assert books.state == "live"
        order = exchange.create_limit_buy_order(SYMBOL, "0.01", 20_000)
        assert (order.status, order["symbol"], order.is_open) == ("open", SYMBOL, True)
        assert [one.id for one in exchange.orders.open] == [order.id]
        exchange.cancel_order(order.client_order_id, SYMBOL)
        assert order.settled(5).status == "canceled"
        with pytest.raises(BadSymbol, match="NO/PAIR"):
            exchange.fetch_ticker("NO/PAIR")
        assert exchange.can("create_order", post_only=True)
        chosen = p.group("binance", "kraken", environment="local").selector(SYMBOL).pick()
        return chosen.exchange.id


def test_a_script_trades_without_a_loop() -> None:
    assert trade_once() == "binance"
    assert [thread.name for thread in threading.enumerate() if thread.name == "planar"] == []


async def test_it_works_where_a_loop_runs_already() -> None:
    assert trade_once() == "binance"  # as in a notebook: this thread's loop waits meanwhile
    assert asyncio.get_running_loop().is_running()


def test_what_is_closed_says_so() -> None:
    with planar.sync.open(private_venue=True) as p:
        exchange = p.exchange("kraken", environment="local")
    with pytest.raises(WrongLoop, match="is closed"):
        exchange.fetch_ticker(SYMBOL)
