"""Kinds of orders of venues without a table of their own: what CCXT lists, and only if it reaches the request."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any, cast

import aiohttp
import pytest

from planar.adapters.base import OrderRequest
from planar.adapters.ccxt_adapter import CcxtAdapter
from planar.adapters.ccxt_seam import SeamWiring, create, seam_class
from planar.adapters.exchange_ids import exchange_ids
from planar.adapters.kinds import ORDER_KINDS, derived_kinds, kinds_of
from planar.adapters.market_cache import MarketCache
from planar.adapters.profile import load_profile
from planar.errors import NotSupported, Outcome
from planar.models import Amount
from planar.transport.budget import Budget
from planar.transport.pool import MeterPool


@pytest.mark.parametrize("exchange", exchange_ids())
def test_every_id_has_a_table_with_a_reason_for_each_refusal(exchange: str) -> None:
    made: Any = seam_class(exchange)()
    spot: Any = (made.features or {}).get("spot") or {}
    features: dict[str, Any] = spot.get("createOrder") or {}

    def feature(name: str, part: str | None = None) -> Any:
        value = features.get(name)
        return value.get(part) if part is not None and isinstance(value, dict) else (None if part else value)

    table = derived_kinds(feature)
    assert set(table) == set(ORDER_KINDS)
    for kind, row in table.items():
        assert row.how == "native" or row.why, kind
        assert row.how != "native" or kind in ("limit", "market") or row.source


class Here(CcxtAdapter):
    """An adapter of one made-up market; nothing leaves it."""

    def market_of(self, symbol: str) -> Any:
        return None


@contextlib.asynccontextmanager
async def adapter(exchange: str, market: dict[str, Any], path: Path) -> AsyncGenerator[Here]:
    profile = load_profile(exchange)
    budget = Budget(MeterPool(), exchange, "live", "key", ())
    async with aiohttp.ClientSession() as session:
        wiring = SeamWiring(profile, session, budget, "live", cast(Any, None))
        made: Any = create(exchange, {"apiKey": "a" * 20, "secret": "b" * 20}, wiring)
        made.set_markets([made.safe_market_structure({"active": True, "info": {}, **market})])
        here = Here(made, profile, MarketCache(path), "live")
        try:
            yield here
        finally:
            await here.close()


SWAP = {"symbol": "BTC/USD:USD", "base": "BTC", "quote": "USD", "settle": "USD", "type": "swap", "swap": True}
SWAP |= {"contract": True, "linear": True, "spot": False, "precision": {"amount": 0.0001, "price": 1.0}}
SPOT = {"symbol": "BTC/USD", "base": "BTC", "quote": "USD", "type": "spot", "spot": True}
SPOT |= {"precision": {"amount": 0.0001, "price": 0.01}}


def order(symbol: str, **more: Any) -> OrderRequest:
    return OrderRequest("pl0abc", symbol, "sell", "limit", amount=Amount("0.01"), price=Amount(30_000), **more)


async def test_a_time_in_force_that_ccxt_drops_is_refused(tmp_path: Path) -> None:
    async with adapter("krakenfutures", {"id": "PF_XBTUSD", **SWAP}, tmp_path) as here:
        for word in ("IOC", "FOK"):
            with pytest.raises(NotSupported, match="time_in_force of this order would not reach") as caught:
                await here.build(order("BTC/USD:USD", time_in_force=word), timeout_ms=1_000)
            assert caught.value.outcome is Outcome.NOT_SENT
        made = await here.build(order("BTC/USD:USD", post_only=True), timeout_ms=1_000)
        assert made is not None
        assert made.params["orderType"] == "post"
        assert made.params["cliOrdId"] == "pl0abc"


async def test_a_client_id_goes_under_the_name_that_arrives_and_a_stop_in_its_direction(tmp_path: Path) -> None:
    async with adapter("coinbase", {"id": "BTC-USD", **SPOT}, tmp_path) as here:
        for _ in range(2):
            made = await here.build(order("BTC/USD"), timeout_ms=1_000)
            assert made is not None
            assert made.params["client_order_id"] == "pl0abc"
        stop = order("BTC/USD", stop_price=Amount(29_000))
        assert kinds_of(stop) == ("stop_limit",)
        made = await here.build(stop, timeout_ms=1_000)
        assert made is not None
        (configuration,) = made.params["order_configuration"].values()
        assert configuration["stop_direction"] == "STOP_DIRECTION_STOP_DOWN"  # a sell below the market
        profit = order("BTC/USD", stop_price=Amount(31_000), trigger="take_profit")
        made = await here.build(profit, timeout_ms=1_000)
        assert made is not None
        (configuration,) = made.params["order_configuration"].values()
        assert configuration["stop_direction"] == "STOP_DIRECTION_STOP_UP"


async def test_a_stop_that_would_be_an_unknown_field_is_refused_by_the_table(tmp_path: Path) -> None:
    async with adapter("htx", {"id": "btcusdt", **SPOT}, tmp_path) as here:
        table = here.order_kinds("BTC/USD")
        assert table["take_profit"].how == "refused"
        assert table["stop"].params == {"triggerPrice": "{trigger}"}


@pytest.mark.parametrize("exchange", ["binance", "kraken"])
def test_the_documentation_shows_the_table_of_the_venue(exchange: str) -> None:
    page = (Path(__file__).parents[3] / "docs" / "order-kinds.md").read_text(encoding="utf-8")
    _, found, rest = page.partition(f"## {exchange.capitalize()} spot\n")
    assert found
    section = rest.partition("\n## ")[0]
    for kind, row in load_profile(exchange).kinds.items():
        params = ", ".join(f"`{name}`" for name in row.params)
        assert f"| `{kind}` | {row.how} | {params} | {row.why} |" in section, kind
