"""A paper account on live market data: counted below every socket, nothing but public questions tries to leave."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pytest
from paper_kit import scene_of
from socket_spy import spying

import planar
from planar.adapters.base import OrderRef
from planar.adapters.ccxt_adapter import CcxtAdapter
from planar.adapters.unified import METHODS
from planar.errors import NotSupported, PlanarError
from planar.paper import PaperAdapter
from planar.transport.context import RequestRecord

SYMBOL = "BTC/USDT"
SECRETS = '[exchanges.{0}]\napiKey = "live-key-that-must-not-be-used"\nsecret = "bGl2ZSBzZWNyZXQ="\n'
HOSTS = {
    "binance": {"api.binance.com", "stream.binance.com", "fapi.binance.com", "dapi.binance.com"},
    "kraken": {"api.kraken.com", "ws.kraken.com"},
}
"""Where market data comes from."""
QUESTIONS = {
    "binance": (
        *("/api/v3/depth", "/api/v3/exchangeInfo", "/api/v3/aggTrades", "/api/v3/ticker"),
        *("/fapi/v1/exchangeInfo", "/dapi/v1/exchangeInfo"),  # CCXT loads the markets of all of them
    ),
    "kraken": ("/0/public/",),
}


@pytest.fixture(params=["binance", "kraken"])
def name(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("PLANAR_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("PLANAR_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "planar.toml").write_text(f'[{request.param}]\nenvironment = "paper"\ntimeout = 300\n')
    (tmp_path / "secrets.toml").write_text(SECRETS.format(request.param))
    (tmp_path / "secrets.toml").chmod(0o600)
    return request.param


async def test_only_market_data_is_asked_of_the_live_exchange(name: str, tmp_path: Path) -> None:
    async with scene_of(name, tmp_path) as scene:
        markets = (await scene.exchange()).markets
    records: list[tuple[str, RequestRecord]] = []
    with spying() as spy:
        async with planar.open(tmp_path / "planar.toml", tmp_path / "secrets.toml") as p:
            p.on_request(lambda exchange, record: records.append((exchange, record)))
            exchange = await p.prepare(name)
            adapter = exchange._adapter
            assert isinstance(adapter, PaperAdapter)
            data = adapter.market_data
            assert isinstance(data, CcxtAdapter)
            assert (exchange.environment, data._environment) == ("paper", "live")
            ccxt: Any = data.exchange
            for credential in ("apiKey", "secret", "password", "uid", "privateKey", "walletAddress", "token"):
                assert not getattr(ccxt, credential, None), credential
            exchange._markets = adapter._markets = markets
            await use_the_account(exchange)
            assert spy.hosts == set(), "no word of the account left"
            for method in (method for method, row in METHODS.items() if row.private or row.write):
                with pytest.raises(NotSupported):
                    await adapter.unified(method, (), {}, timeout_ms=300)
            assert spy.hosts == set()
            await try_to_order(exchange)
            await exchange.close()
    assert spy.hosts
    assert spy.hosts <= HOSTS[name]
    assert records
    for who, record in records:
        assert (who, record.method) == (name, "GET"), record
        assert record.path.startswith(QUESTIONS[name]), record


async def use_the_account(exchange: planar.Exchange) -> None:
    """Everything about an account that reads or cancels."""
    balance = await exchange.fetch_balance()
    assert balance["USDT"].free == 10_000
    assert await exchange.fetch_open_orders() == []
    assert await exchange.fetch_orders(SYMBOL) == []
    assert await exchange.fetch_my_trades(SYMBOL) == []
    assert (await exchange.reconcile()).failed == ()
    assert await exchange._adapter.query_order(OrderRef(SYMBOL, order_id="paper-1"), {}, timeout_ms=300) is None
    with pytest.raises(PlanarError, match="no open paper order"):
        await exchange.cancel_order("paper-1", SYMBOL)
    await exchange._adapter.cancel_all(SYMBOL, timeout_ms=300)
    assert (await exchange.stop(within_s=1)).verified


async def try_to_order(exchange: planar.Exchange) -> None:
    """Orders of all kinds; none can be filled, since no book comes."""
    for type, side, amount, price, params in (
        ("market", "buy", "0.01", None, {}),
        ("market", "buy", None, None, {"cost": 100}),
        ("limit", "sell", "0.01", 90_000, {"postOnly": True}),
        ("limit", "buy", "0.01", 50_000, {}),
        ("market", "sell", "0.01", None, {"triggerPrice": 40_000}),
    ):
        with pytest.raises(PlanarError):
            await exchange.create_order(SYMBOL, type, side, amount, price, params)
    for stream in (exchange.watch_orders(), exchange.watch_balance(), exchange.watch_trades(SYMBOL)):
        async with stream:
            with contextlib.suppress(PlanarError, TimeoutError):
                await planar.runtime.sleep(0.05)
    assert await exchange.fetch_orders(SYMBOL) == []
