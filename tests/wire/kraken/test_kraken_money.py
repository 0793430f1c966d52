"""Accounts and money at the local Kraken, through unmodified CCXT: deposits, withdrawals, sub-accounts, rights."""

from __future__ import annotations

import json
from typing import Any

import ccxt
import ccxt.async_support as ccxt_async
import pytest
from kraken_kit import PRIVATE, LocalKraken, ask, next_frame

from planar.venue.client import VenueControl
from planar.venue.steering import Command
from planar.venue.steering.accounts import (
    Address,
    CreateAccount,
    CreateKey,
    MakeDeposit,
    SetAddresses,
    SetSettlement,
    SettleMovements,
)
from planar.venue.wire import VenueAccount

OUTSIDE = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"


async def command(venue: LocalKraken, order: Command) -> Any:
    async with VenueControl(venue.record) as control:
        return (await control.command(order))["kraken"]


def owner(made: dict[str, Any]) -> VenueAccount:
    return VenueAccount(**made)


async def test_a_deposit_is_settled_then_success(kraken: LocalKraken) -> None:
    async with kraken.ccxt(ccxt_async.kraken) as exchange:
        before = (await exchange.fetch_balance())["ETH"]["total"]
        made = await command(kraken, MakeDeposit(account="alice", asset="ETH", amount="2", settle_ms=None))
        row = (await exchange.fetch_deposits("ETH"))[0]
        assert (row["status"], row["info"]["status"], row["txid"]) == ("pending", "Settled", made["tx_id"])
        assert (await exchange.fetch_balance())["ETH"]["total"] == before
        token = (await exchange.privatePostGetWebSocketsToken())["result"]["token"]
        async with kraken.ws(PRIVATE) as stream:
            await ask(stream, "subscribe", channel="balances", token=token, snapshot=False)
            await command(kraken, SettleMovements(account="alice"))
            [line] = (await next_frame(stream, "balances"))["data"]
            assert (line["type"], line["asset"], line["amount"]) == ("deposit", "ETH", 2)
        row = (await exchange.fetch_deposits("ETH"))[0]
        assert (row["status"], row["info"]["status"]) == ("ok", "Success")
        assert (await exchange.fetch_balance())["ETH"]["total"] == before + 2


async def test_a_failed_deposit(kraken: LocalKraken) -> None:
    async with kraken.ccxt(ccxt_async.kraken) as exchange:
        await command(kraken, MakeDeposit(account="alice", asset="ETH", amount="2", settle_ms=None))
        await command(kraken, SettleMovements(account="alice", outcome="fail"))
        assert (await exchange.fetch_deposits("ETH"))[0]["status"] == "failed"
    assert kraken.exchange.audit() == []


async def test_a_withdrawal_goes_to_a_saved_address(kraken: LocalKraken) -> None:
    await command(kraken, SetSettlement(withdraw_ms=300))
    async with kraken.ccxt(ccxt_async.kraken) as exchange:
        [saved] = (await exchange.privatePostWithdrawAddresses({"asset": "USDT"}))["result"]
        assert (saved["key"], saved["verified"]) == ("usdt-vault", True)
        info = (await exchange.privatePostWithdrawInfo({"asset": "USDT", "key": "usdt-vault", "amount": "100"}))[
            "result"
        ]
        assert float(info["amount"]) + float(info["fee"]) == 100
        made = await exchange.withdraw("USDT", 100, saved["address"], params={"key": "usdt-vault"})
        seen: list[tuple[str, bool]] = []
        while not seen or seen[-1][0] != "Success":
            row = (await exchange.fetch_withdrawals("USDT"))[0]
            assert (row["id"], row["info"]["key"]) == (made["id"], "usdt-vault")
            seen.append((row["info"]["status"], row["txid"] is not None))
        assert list(dict.fromkeys(seen)) == [("Initial", False), ("Pending", False), ("Success", True)]
        with pytest.raises(ccxt.InvalidAddress, match="Unknown withdraw key"):
            await exchange.withdraw("USDT", 100, "", params={"key": "nobody"})
        with pytest.raises(ccxt.ExchangeError, match="EFunding:Invalid withdrawal address"):
            await exchange.withdraw("USDT", 100, OUTSIDE, params={"key": "usdt-vault"})
        with pytest.raises(ccxt.ExchangeError, match="EFunding:Max fee exceeded"):
            await exchange.withdraw("USDT", 100, "", params={"key": "usdt-vault", "max_fee": "0.1"})
        with pytest.raises(ccxt.ExchangeError, match="EFunding:Insufficient funds"):
            await exchange.withdraw("USDT", 4_000_000, "", params={"key": "usdt-vault"})
    assert kraken.exchange.audit() == []


async def test_a_withdrawal_is_called_back(kraken: LocalKraken) -> None:
    await command(kraken, SetSettlement(withdraw_ms=None))
    async with kraken.ccxt(ccxt_async.kraken) as exchange:
        before = (await exchange.fetch_balance())["USDT"]["total"]
        made = await exchange.withdraw("USDT", 100, "", params={"key": "usdt-vault"})
        assert (await exchange.fetch_balance())["USDT"]["total"] == before - 100
        cancel = {"asset": "USDT", "refid": made["id"]}
        assert (await exchange.privatePostWithdrawCancel(cancel))["result"] is True
        assert (await exchange.privatePostWithdrawCancel(cancel))["result"] is False
        row = (await exchange.fetch_withdrawals("USDT"))[0]
        assert (row["status"], row["info"]["status-prop"]) == ("failed", "canceled")
        assert (await exchange.fetch_balance())["USDT"]["total"] == before
        lines = [entry for entry in await exchange.fetch_ledger("USDT") if entry["referenceId"] == made["id"]]
        assert sorted(line["direction"] for line in lines) == ["in", "out"]
        assert {line["info"]["type"] for line in lines} == {"withdrawal"}
        with pytest.raises(ccxt.ExchangeError, match="Unknown reference id"):
            await exchange.privatePostWithdrawCancel({"asset": "USDT", "refid": "ABCDEF-ABCDEF-ABCDEF"})


async def test_addresses_of_ones_own(kraken: LocalKraken) -> None:
    addresses = (
        Address(name="mine", asset="USDT", network="ETH", address=OUTSIDE),
        Address(name="unverified", asset="USDT", network="ETH", address=OUTSIDE, allowed=False),
    )
    await command(kraken, SetAddresses(account="alice", addresses=addresses))
    async with kraken.ccxt(ccxt_async.kraken) as exchange:
        assert (await exchange.withdraw("USDT", 50, "", params={"key": "mine"}))["id"]
        for key in ("unverified", "usdt-vault"):
            with pytest.raises(ccxt.InvalidAddress):
                await exchange.withdraw("USDT", 50, "", params={"key": key})
        address = await exchange.fetch_deposit_address("BTC")
        assert address["address"].startswith("bc1q")


async def test_sub_accounts(kraken: LocalKraken) -> None:
    assert (await kraken.private("CreateSubaccount", username="desk1", email="desk1@example.com"))["result"] is True
    sub = owner(await command(kraken, CreateKey(account="desk1")))
    info = (await kraken.private("GetApiKeyInfo", sub))["result"]
    assert info["iban"] == sub.more["iiban"]
    move = {"asset": "USDT", "amount": "25", "from": kraken.account().more["iiban"], "to": info["iban"]}
    done = (await kraken.private("AccountTransfer", **move))["result"]
    assert done["status"] == "complete"
    assert (await kraken.private("Balance", sub))["result"] == {"USDT": "25.00000000"}
    [line] = (await kraken.private("Ledgers", sub))["result"]["ledger"].values()
    assert (line["type"], line["refid"], line["amount"]) == ("transfer", done["transfer_id"], "25.00000000")
    back = {**move, "from": move["to"], "to": move["from"]}
    assert (await kraken.private("AccountTransfer", sub, **back))["error"] == ["EGeneral:Permission denied"]
    assert (await kraken.private("AccountTransfer", **{**move, "amount": "1e9"}))["error"] == [
        "EFunding:Insufficient funds"
    ]
    stranger = {**move, "to": kraken.account("bob").more["iiban"]}
    assert (await kraken.private("AccountTransfer", **stranger))["error"] == ["EGeneral:Invalid arguments:to"]
    assert kraken.exchange.audit() == []


async def test_rights_of_keys(kraken: LocalKraken) -> None:
    made = owner(await command(kraken, CreateAccount(account="dora", funds={"USDT": "500"}, rights=("query",))))
    assert (await kraken.private("Balance", made))["result"] == {"USDT": "500.00000000"}
    denied = ["EGeneral:Permission denied"]
    for method, params in (
        ("AddOrder", {"pair": "XBTUSDT"}),
        ("Withdraw", {"asset": "USDT", "key": "x", "amount": "50"}),
        ("DepositMethods", {"asset": "USDT"}),
        ("AddExport", {"report": "trades"}),
    ):
        assert (await kraken.private(method, made, **params))["error"] == denied, method
    info = (await kraken.private("GetApiKeyInfo", made))["result"]
    assert "withdraw-funds" not in info["permissions"]
    assert "query-funds" in info["permissions"]
    text = json.dumps(info)
    assert made.secret not in text


async def test_nobody_has_a_futures_wallet(kraken: LocalKraken) -> None:
    async with kraken.ccxt(ccxt_async.kraken) as exchange:
        with pytest.raises(ccxt.PermissionDenied):
            await exchange.transfer_out("USDT", 10)


async def test_pages_of_withdrawals(kraken: LocalKraken) -> None:
    async with kraken.ccxt(ccxt_async.kraken) as exchange:
        for amount in (51, 52, 53):
            await exchange.withdraw("USDT", amount, "", params={"key": "usdt-vault"})
        pages: list[list[float]] = []
        cursor: str | None = "true"
        while cursor is not None:
            rows = await exchange.fetch_withdrawals("USDT", params={"cursor": cursor, "limit": 2})
            pages.append([row["amount"] + row["fee"]["cost"] for row in rows])
            cursor = rows[-1]["info"].get("next_cursor")
        assert pages == [[53.0, 52.0], [51.0, 1000.0]]
        for params, field in (({"cursor": "x"}, "cursor"), ({"cursor": "true", "limit": -1}, "limit")):
            with pytest.raises(ccxt.ExchangeError, match=f"EGeneral:Invalid arguments:{field}"):
                await exchange.fetch_withdrawals("USDT", params=params)
        paged = (await exchange.privatePostDepositStatus({"cursor": "true", "limit": 1}))["result"]
        assert (len(paged["deposits"]), len(paged["next_cursor"])) == (1, 16)
