"""Transfers and withdrawals on the local venues: previewed, refused by default, sent once, only to listed addresses."""

from __future__ import annotations

import pytest

import planar
from planar.errors import BadRequest, InvalidAddress, NotSupported, Outcome, PermissionDenied
from planar.exchange import Exchange
from planar.models import Amount


async def opened(p: planar.Workspace, **options: object) -> Exchange:
    return await p.exchange("binance", environment="local", reset=True, **options)


def sent(exchange: Exchange) -> int:
    return len(exchange.health.recent())


async def test_withdrawals_are_off_until_they_are_written_and_go_to_listed_addresses_alone() -> None:
    async with planar.open(private_venue=True) as p:
        exchange = await opened(p)
        before = sent(exchange)
        with pytest.raises(PermissionDenied, match="withdrawals are off") as caught:
            await exchange.withdraw("USDT", 50, "0x" + "a" * 40)
        assert caught.value.outcome is Outcome.NOT_SENT
        assert 'withdraw_to = ["<address>"' in str(caught.value)
        assert not exchange.can("withdraw")
        assert sent(exchange) == before

        address = (await exchange.fetch_withdrawals("USDT"))[-1].address
        assert address is not None
        exchange = await opened(p, withdrawals=True, withdraw_to=[address])
        before = sent(exchange)
        for wrong, tag in (("0x" + "b" * 40, None), (address.lower(), None), (address, "7")):
            if wrong != address or tag:
                with pytest.raises(InvalidAddress, match="not listed in withdraw_to"):
                    await exchange.withdraw("USDT", 50, wrong, tag)
        with pytest.raises(BadRequest, match="amount is '0'"):
            await exchange.withdraw("USDT", "0", address)
        assert sent(exchange) == before

        seen = await exchange.preview_withdrawal("USDT", 50, address)
        assert (seen.sent, seen.amount, seen.target) == (False, Amount(50), address)
        assert seen.free is not None
        known = {one.id for one in await exchange.fetch_withdrawals("USDT")}
        made = await exchange.withdraw("USDT", 50, address, params={"network": "ERC20"})
        assert made.id is not None
        after = {one.id: one for one in await exchange.fetch_withdrawals("USDT")}
        assert set(after) - known == {made.id}
        assert after[made.id].amount is not None


async def test_transfers_are_previewed_and_sent_once() -> None:
    async with planar.open(private_venue=True) as p:
        exchange = await opened(p)
        seen = await exchange.preview_transfer("USDT", "10", "spot", "funding")
        assert (seen.sent, seen.warnings) == (False, ())
        short = await exchange.preview_transfer("USDT", 10**12, "spot", "funding")
        assert "is free" in short.warnings[0]
        made = await exchange.transfer("USDT", "10", "spot", "funding")
        assert (made.currency, made.amount, made.from_account, made.to_account) == (
            "USDT",
            Amount(10),
            "spot",
            "funding",
        )
        read_only = await opened(p, read_only=True)
        with pytest.raises(NotSupported, match="read-only"):
            await read_only.transfer("USDT", "10", "spot", "funding")
