"""Streams of the account from the local Binance: orders, executions, balances."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from streams_kit import SYMBOL, local_binance, until

from planar.adapters.base import OrderRef
from planar.models import Order, OrderState
from planar.streams import StreamState


async def test_each_state_of_an_order_and_each_fill_once(tmp_path: Path) -> None:
    async with local_binance(tmp_path) as local:
        async with local.hub.orders() as orders, local.hub.orders("ETH/USDT") as others, local.hub.my_trades() as fills:
            elsewhere: list[Order] = []
            others.on_update(elsewhere.append)
            await until(lambda: StreamState.LIVE is orders.state is others.state is fills.state)
            first = await local.buy("pl-acc-1", "0.5")
            second = await local.buy("pl-acc-2", "0.01", "40000")
            await local.adapter.cancel(OrderRef(SYMBOL, client_id="pl-acc-2"), {}, timeout_ms=5_000)
            seen = [await anext(orders)]
            while seen[-1].state is not OrderState.CANCELED:
                seen.append(await anext(orders))
            mine = [order for order in seen if order.client_order_id == "pl-acc-1"]
            assert [order.state for order in mine][:1] == [OrderState.OPEN]
            assert mine[-1].state is OrderState.FILLED
            filled = [order.filled for order in mine]
            assert filled == sorted(filled)  # type: ignore[type-var]
            assert filled[-1] == Decimal("0.5")
            assert [order.state for order in seen if order.id == second.id] == [OrderState.OPEN, OrderState.CANCELED]

            ledger = local.wire.world.exchange.fills(local.wire.accounts()[0].account, SYMBOL)
            expected = [str(fill.trade_id) for fill in ledger if str(fill.order_id) == first.id]
            got = [await anext(fills) for _ in expected]
            assert [fill.id for fill in got] == expected
            assert sum(fill.amount for fill in got) == Decimal("0.5")
            assert {fill.order_id for fill in got} == {first.id}
            assert [(order.client_order_id, order.state) for order in local.orders] == [
                (order.client_order_id, order.state) for order in seen
            ]
            assert elsewhere == []


async def test_a_balance_is_whole_and_follows_the_ledger(tmp_path: Path) -> None:
    async with local_binance(tmp_path) as local, local.hub.balance() as balances:
        exchange, account = local.wire.world.exchange, local.wire.accounts()[0].account

        async def follows(asset: str) -> None:
            truth = exchange.balances(account)[asset]
            async for balance in balances:
                if (balance[asset].free, balance[asset].used) == (truth.free, truth.locked):
                    return

        first = await anext(balances)
        assert {"BTC", "USDT", "ETH", "SOL"} <= set(first.balances)
        await local.buy("pl-bal-1", "0.01", "40000")
        await follows("USDT")
        # the exchange tells a deposit by its change alone; the state is asked for
        exchange.deposit(account, "SOL", Decimal("12.5"))
        await follows("SOL")
        await local.buy("pl-bal-2", "0.25")
        await follows("BTC")
        after = await local.hub.balance()
        assert {"BTC", "USDT", "ETH", "SOL"} <= set(after.balances)


async def test_after_a_lost_connection_the_balance_is_fetched_again(tmp_path: Path) -> None:
    async with local_binance(tmp_path) as local, local.hub.balance(stale="yield") as balances:
        exchange, account = local.wire.world.exchange, local.wire.accounts()[0].account
        await anext(balances)
        await local.buy("pl-bal-1", "0.25")
        await local.meddler.cut()
        exchange.set_balance(account, "BTC", Decimal("7"))
        exchange.set_balance(account, "XRP", Decimal("8"))
        async for balance in balances:
            if (balance["BTC"].free, balance["XRP"].free) == (Decimal("7"), Decimal("8")):
                break
        # CCXT's memory still holds what BTC was before the loss; an update of another currency must not bring it back
        await local.buy("pl-bal-2", "0.01", "40000")
        async for balance in balances:
            if balance["USDT"].used == exchange.balances(account)["USDT"].locked:
                break
        assert balance["BTC"].free == Decimal("7")
