"""Accounts and money at the local Binance, through unmodified CCXT: deposits, withdrawals, transfers, rights."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import ccxt
import ccxt.async_support as ccxt_async
import ccxt.pro as ccxt_pro
import pytest
from binance_kit import LocalBinance, eventually, next_json

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
    ShowMovements,
)
from planar.venue.wire import VenueAccount

REFUSED_RIGHT = (ccxt.AuthenticationError, ccxt.DDoSProtection)
"""What CCXT makes of -2015: the second once a request has succeeded."""
OUTSIDE = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"


async def command(venue: LocalBinance, order: Command) -> Any:
    async with VenueControl(venue.record) as control:
        return (await control.command(order))["binance"]


def keys(made: dict[str, Any]) -> dict[str, str]:
    return {"apiKey": made["apiKey"], "secret": made["secret"]}


async def listening(venue: LocalBinance, account: VenueAccount) -> Any:
    """A user data stream of the account."""
    key = (await venue.send("POST", "https://api.binance.com/api/v3/userDataStream", key=account.apiKey)).json
    return venue.ws(f"wss://stream.binance.com:9443/ws/{key['listenKey']}")


async def test_a_deposit_from_the_first_confirmation_to_the_last(binance: LocalBinance) -> None:
    async with binance.ccxt(ccxt_async.binance) as exchange:
        before = (await exchange.fetch_balance())["ETH"]["free"]
        made = await command(
            binance, MakeDeposit(account="alice", asset="ETH", amount="2", settle_ms=None, unlock_ms=60_000)
        )
        [row] = [one for one in await exchange.fetch_deposits("ETH") if one["id"] == made["id"]]
        assert (row["status"], row["amount"], row["address"]) == ("pending", 2.0, made["address"])
        assert (row["info"]["status"], row["info"]["confirmTimes"]) == (0, "0/6")
        assert (await exchange.fetch_balance())["ETH"]["free"] == before
        with pytest.raises(ccxt.InsufficientFunds):
            await exchange.withdraw("ETH", before + 1, OUTSIDE)
        async with await listening(binance, binance.account()) as stream:
            await command(binance, SettleMovements(account="alice", id=made["id"]))
            told = await next_json(stream)
            assert (told["e"], told["a"], told["d"]) == ("balanceUpdate", "ETH", "2.00000000")
            assert (await next_json(stream))["e"] == "outboundAccountPosition"
        [row] = [one for one in await exchange.fetch_deposits("ETH") if one["id"] == made["id"]]
        assert (row["status"], row["info"]["confirmTimes"]) == ("ok", "6/6")
        assert (await exchange.fetch_balance())["ETH"]["free"] == before + 2


async def test_credited_and_not_to_be_withdrawn_yet(binance: LocalBinance) -> None:
    async with binance.ccxt(ccxt_async.binance) as exchange:
        order = MakeDeposit(account="alice", asset="ETH", amount="2", settle_ms=1, unlock_ms=60_000)
        made = await command(binance, order)
        assert made["status"] == "pending"
        await eventually(lambda: binance.exchange.deposits("alice")[0].status.value == "credited")
        row = next(one for one in await exchange.fetch_deposits("ETH") if one["id"] == made["id"])
        assert row["info"]["status"] == 6
        free = (await exchange.fetch_balance())["ETH"]["free"]
        with pytest.raises(ccxt.OperationFailed, match="temporarily locked ETH asset"):
            await exchange.withdraw("ETH", free, OUTSIDE, params={"network": "ETH"})
        assert (await exchange.withdraw("ETH", free - 2, OUTSIDE, params={"network": "ETH"}))["id"]


async def test_a_withdrawal_on_its_way_and_at_its_end(binance: LocalBinance) -> None:
    await command(binance, SetSettlement(withdraw_ms=None))
    async with binance.ccxt(ccxt_async.binance) as exchange:
        before = (await exchange.fetch_balance())["USDT"]["free"]
        sent = await exchange.withdraw("USDT", 100, OUTSIDE, params={"network": "ETH"})
        row = (await exchange.fetch_withdrawals("USDT"))[-1]
        assert (row["id"], row["status"], row["txid"]) == (sent["id"], "pending", None)
        assert (await exchange.fetch_balance())["USDT"]["free"] == before - 100
        held = (await binance.signed("POST", "/sapi/v3/asset/getUserAsset", asset="USDT")).json
        assert held[0]["withdrawing"] == "100"
        [moving] = (await command(binance, ShowMovements(account="alice", pending=True)))["movements"]
        assert (moving["id"], moving["amount"], moving["kind"]) == (sent["id"], "100", "withdrawal")
        await command(binance, SettleMovements(account="alice"))
        row = (await exchange.fetch_withdrawals("USDT"))[-1]
        assert (row["status"], row["amount"] + row["fee"]["cost"], row["info"]["status"]) == ("ok", 100.0, 6)
        assert re.fullmatch("0x[0-9a-f]{64}", row["txid"])
    assert binance.exchange.audit() == []


async def test_a_withdrawal_takes_its_time_by_itself(binance: LocalBinance) -> None:
    await command(binance, SetSettlement(withdraw_ms=400))
    async with binance.ccxt(ccxt_async.binance) as exchange:
        await exchange.withdraw("USDT", 100, OUTSIDE, params={"network": "ETH"})
        seen: list[int] = []
        while 6 not in seen:
            seen.append((await exchange.fetch_withdrawals("USDT"))[-1]["info"]["status"])
        assert list(dict.fromkeys(seen)) == [2, 4, 6]


async def test_a_failed_withdrawal_gives_the_money_back(binance: LocalBinance) -> None:
    await command(binance, SetSettlement(withdraw_ms=None))
    async with binance.ccxt(ccxt_async.binance) as exchange:
        before = (await exchange.fetch_balance())["USDT"]["free"]
        await exchange.withdraw("USDT", 100, OUTSIDE, params={"network": "ETH"})
        async with await listening(binance, binance.account()) as stream:
            await command(binance, SettleMovements(account="alice", outcome="fail"))
            assert (await next_json(stream))["d"] == "100.00000000"
        assert (await exchange.fetch_withdrawals("USDT"))[-1]["status"] == "failed"
        assert (await exchange.fetch_balance())["USDT"]["free"] == before


async def test_addresses_that_are_allowed(binance: LocalBinance) -> None:
    mine = Address(name="mine", asset="USDT", network="ETH", address=OUTSIDE)
    await command(binance, SetAddresses(account="alice", addresses=(mine,), allowed_only=True))
    async with binance.ccxt(ccxt_async.binance) as exchange:
        listed = (await exchange.sapiGetCapitalWithdrawAddressList())[0]
        assert (listed["name"], listed["address"], listed["whiteStatus"]) == ("mine", OUTSIDE, True)
        assert (await exchange.withdraw("USDT", 50, OUTSIDE, params={"network": "ETH"}))["id"]
        elsewhere = binance.exchange.deposit_address("bob", "USDT", "ETH").address
        with pytest.raises(ccxt.PermissionDenied, match="-4035"):
            await exchange.withdraw("USDT", 50, elsewhere, params={"network": "ETH"})


async def test_rights_of_keys(binance: LocalBinance) -> None:
    made = await command(
        binance, CreateAccount(account="dora", funds={"USDT": "500"}, rights=("USER_STREAM", "USER_DATA"))
    )
    async with binance.ccxt(ccxt_async.binance, **keys(made)) as exchange:
        assert (await exchange.fetch_balance())["USDT"]["free"] == 500
        for refused in (
            exchange.create_order("BTC/USDT", "limit", "buy", 0.001, 20_000),
            exchange.withdraw("USDT", 50, OUTSIDE, params={"network": "ETH"}),
            exchange.transfer("USDT", 50, "spot", "funding"),
        ):
            with pytest.raises(REFUSED_RIGHT, match="-2015"):
                await refused
        rights = await exchange.sapiGetAccountApiRestrictions()
        assert (rights["enableReading"], rights["enableWithdrawals"], rights["permitsUniversalTransfer"]) == (
            True,
            False,
            False,
        )
    second = await command(
        binance, CreateKey(account="dora", rights=("USER_STREAM", "USER_DATA", "WITHDRAW", "TRANSFER"))
    )
    async with binance.ccxt(ccxt_async.binance, **keys(second)) as exchange:
        assert (await exchange.transfer("USDT", 100, "spot", "funding"))["id"]
        assert (await exchange.withdraw("USDT", 50, OUTSIDE, params={"network": "ETH"}))["id"]
        with pytest.raises(REFUSED_RIGHT, match="-2015"):
            await exchange.create_order("BTC/USDT", "limit", "buy", 0.001, 20_000)


async def test_transfers_between_wallets(binance: LocalBinance) -> None:
    async with binance.ccxt(ccxt_async.binance) as exchange:
        made = await exchange.transfer("USDT", 30, "spot", "funding")
        assert (await exchange.fetch_balance({"type": "funding"}))["USDT"]["free"] == 30
        [row] = await exchange.fetch_transfers("USDT", params={"fromAccount": "spot", "toAccount": "funding"})
        assert (row["id"], row["amount"], row["status"]) == (made["id"], 30.0, "ok")
        assert (row["fromAccount"], row["toAccount"]) == ("spot", "funding")
        assert await exchange.fetch_transfers() == []
        with pytest.raises(ccxt.InsufficientFunds):
            await exchange.transfer("USDT", 31, "funding", "spot")
        with pytest.raises(ccxt.BadRequest, match="future account not exists"):
            await exchange.transfer("USDT", 1, "spot", "linear")
        await exchange.transfer("USDT", 30, "funding", "spot")
        await command(binance, SetSettlement(transfer_ms=None))
        await exchange.transfer("USDT", 7, "spot", "funding")
        rows = await exchange.fetch_transfers("USDT", params={"fromAccount": "spot", "toAccount": "funding"})
        assert [row["status"] for row in rows] == ["ok", "PENDING"]


async def test_sub_accounts(binance: LocalBinance) -> None:
    async with binance.ccxt(ccxt_async.binance) as exchange:
        email = (await exchange.sapiPostSubAccountVirtualSubAccount({"subAccountString": "desk1"}))["email"]
        [row] = (await exchange.sapiGetSubAccountList({"limit": 10}))["subAccounts"]
        assert (row["email"], row["isFreeze"]) == (email, False)
        move = {"fromAccountType": "SPOT", "toAccountType": "SPOT", "asset": "USDT", "amount": "25"}
        sent = await exchange.sapiPostSubAccountUniversalTransfer({**move, "toEmail": email, "clientTranId": "one"})
        assert sent["clientTranId"] == "one"
        held = (await exchange.sapiV4GetSubAccountAssets({"email": email}))["balances"]
        assert held == [{"asset": "USDT", "free": "25", "locked": "0", "freeze": "0", "withdrawing": "0"}]
        history = await exchange.sapiGetSubAccountUniversalTransfer({"toEmail": email})
        assert (history["totalCount"], history["result"][0]["status"]) == (1, "SUCCESS")
        with pytest.raises(ccxt.BadRequest, match="-4003"):
            await exchange.sapiPostSubAccountUniversalTransfer({**move, "toEmail": "nobody@nowhere.com"})
    made = await command(binance, CreateKey(account="desk1"))
    async with binance.ccxt(ccxt_async.binance, **keys(made)) as sub:
        assert (await sub.fetch_balance())["USDT"]["free"] == 25
        with pytest.raises(ccxt.BadRequest, match="-4006"):
            await sub.sapiGetSubAccountList()
        await sub.sapiPostSubAccountTransferSubToMaster({"asset": "USDT", "amount": "5"})
        assert (await sub.fetch_balance())["USDT"]["free"] == 20
    assert binance.exchange.audit() == []


async def test_answers_of_what_is_not_there(binance: LocalBinance) -> None:
    async with binance.ccxt(ccxt_async.binance) as exchange:
        assert await exchange.fetch_my_dust_trades() == []
        assert (await exchange.sapiGetAccountSnapshot({"type": "SPOT"}))["snapshotVos"] == []
        assert (await exchange.sapiGetAccountStatus()) == {"data": "Normal"}
        assert (await exchange.sapiGetAccountApiTradingStatus())["data"]["isLocked"] is False
        assert await exchange.privateGetMyAllocations({"symbol": "BTCUSDT"}) == []
        assert (await exchange.sapiGetAssetAssetDetail({"asset": "BTC"}))["BTC"]["withdrawStatus"] is True
        assert await exchange.fetch_transfers(params={"internal": True}) == []
        assert await exchange.fetch_convert_trade_history(None, exchange.milliseconds() - 1_000) == []
        [spot, funding] = await exchange.sapiGetAssetWalletBalance()
        assert float(spot["balance"]) > 3
        assert funding["balance"] == "0"
        [address] = await exchange.sapiGetCapitalDepositAddressList({"coin": "BTC"})
        assert address["address"].startswith("bc1q")
        with pytest.raises(ccxt.BaseError, match="-1014"):
            await exchange.privatePostSorOrder({"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": 1})


async def test_snapshots_at_midnight(binance: LocalBinance) -> None:
    desk = binance.wire.desk
    day = 86_400_000
    midnight = (binance.exchange.now_ms() // day + 1) * day
    desk.tick(midnight + 5)
    answer = (await binance.signed("GET", "/sapi/v1/accountSnapshot", type="SPOT")).json
    [shot] = answer["snapshotVos"]
    assert (shot["type"], shot["updateTime"]) == ("spot", midnight)
    held = binance.exchange.balances("alice")
    assert {row["asset"]: float(row["free"]) for row in shot["data"]["balances"]} == {
        asset: float(row.free) for asset, row in held.items() if row.total
    }
    assert float(shot["data"]["totalAssetOfBtc"]) > 3
    refused = await binance.signed("GET", "/sapi/v1/accountSnapshot", type="MARGIN")
    assert refused.error == (400, -3003, "Margin account does not exist.")


async def test_no_answer_holds_a_secret(binance: LocalBinance) -> None:
    made = await command(binance, CreateAccount(account="dora", funds={"USDT": "5"}))
    secrets = [made["secret"], *(account.secret for account in binance.wire.accounts())]
    for path in ("account/apiRestrictions", "capital/config/getall", "capital/withdraw/address/list", "account/status"):
        text = (await binance.signed("GET", f"/sapi/v1/{path}")).text
        assert not any(secret in text for secret in secrets)


async def test_watched_balances_follow_the_money(binance: LocalBinance) -> None:
    async with binance.ccxt(ccxt_pro.binance) as exchange:
        before = (await exchange.fetch_balance())["ETH"]["free"]
        watching = asyncio.ensure_future(exchange.watch_balance())
        await eventually(lambda: binance.wire.desk.users.has_subscriber("alice"))
        await command(binance, MakeDeposit(account="alice", asset="ETH", amount="2", settle_ms=1))
        async with asyncio.timeout(5):
            seen = await watching
            while seen["ETH"]["free"] != before + 2:
                seen = await exchange.watch_balance()


async def test_odd_texts_are_refused(binance: LocalBinance) -> None:
    path, order = "/sapi/v1/capital/withdraw/apply", {"coin": "USDT", "address": OUTSIDE, "amount": "50"}
    tagged = await binance.signed("POST", path, **order, addressTag="a b")
    assert tagged.error == (400, -4008, "Address tag validation is not passed.")
    named = await binance.signed("POST", path, **order, withdrawOrderId="ä")
    assert named.error[:2] == (400, -1100)
    sub = await binance.signed("POST", "/sapi/v1/sub-account/virtualSubAccount", subAccountString="a@b")
    assert sub.error == (400, -1130, "Data sent for parameter 'subAccountString' is not valid.")
    again = await binance.signed("POST", "/sapi/v1/sub-account/virtualSubAccount", subAccountString="bob")
    assert again.error == (400, -9000, "The sub account bob exists.")
