"""The adapters of CCXT, on the local venues, and paper over them pass the kit that custom exchanges are held to."""

from __future__ import annotations

import pytest

import planar
from planar.models import Amount
from planar.testing.conformance import Scene, check_adapter


@pytest.mark.parametrize("name", ["binance", "kraken"])
async def test_paper_passes(name: str, tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLANAR_STATE", f"{tmp_path}/state")
    monkeypatch.setenv("PLANAR_CACHE", f"{tmp_path}/cache")
    paper = {"data": "local", "balances": {"USDT": 10_000, "BTC": 1}}
    async with planar.open(private_venue=True) as p:
        exchange = await p.exchange(name, environment="paper", paper=paper, enableRateLimit=False)
        book = await exchange.fetch_order_book("BTC/USDT")
        price = Amount(int(book.bids[0][0] * 0.9))
        scene = Scene("BTC/USDT", Amount("0.001"), price, ("plabcdefgh00001wxy", "plabcdefgh00002wxy"))
        order = await exchange.create_limit_order("BTC/USDT", "buy", "0.001", price)  # what simulates runs from now on
        await exchange.cancel_order(order.id or "", "BTC/USDT")
        assert await check_adapter(exchange._adapter, scene) == []


@pytest.mark.parametrize("name", ["binance", "kraken"])
async def test_an_adapter_passes(name: str, tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLANAR_STATE", f"{tmp_path}/state")
    monkeypatch.setenv("PLANAR_CACHE", f"{tmp_path}/cache")
    async with planar.open(private_venue=True) as p:
        # unpaced: Kraken allows one public request a second, and this asks for several at once
        exchange = await p.exchange(name, environment="local", enableRateLimit=False)
        book = await exchange.fetch_order_book("BTC/USDT")
        price = Amount(int(book.bids[0][0] * 0.9))
        scene = Scene("BTC/USDT", Amount("0.001"), price, ("plabcdefgh00001wxy", "plabcdefgh00002wxy"))
        assert await check_adapter(exchange._adapter, scene) == []
