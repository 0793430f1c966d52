"""The commands about accounts and money, over the control API of two exchanges; what they refuse, and with what words."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from planar.errors import BadRequest
from planar.venue.client import VenueControl
from planar.venue.server import VenueServer
from planar.venue.steering import Command
from planar.venue.steering.accounts import (
    Address,
    CreateAccount,
    CreateKey,
    Credit,
    MakeDeposit,
    SetAddresses,
    SetSettlement,
    SettleMovements,
    ShowAccounts,
    ShowMovements,
)
from planar.venue.wire import LedgerQuery
from planar.venue.wire.binance import create as create_binance
from planar.venue.wire.kraken import create as create_kraken

pytestmark = pytest.mark.asyncio(loop_scope="module")

OUTSIDE = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
BINANCE_RIGHTS = "NONE, USER_STREAM, USER_DATA, TRADE, WITHDRAW, TRANSFER"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def control(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[VenueControl]:
    """The control API of a local Binance and a local Kraken."""
    server = VenueServer([create_binance(seed=7, activity=False), create_kraken(seed=7, activity=False)])
    record = await server.start(unix_path=str(tmp_path_factory.mktemp("v") / "s"))
    try:
        async with VenueControl(record) as made:
            yield made
    finally:
        await server.stop()


async def test_an_account_at_each_exchange(control: VenueControl) -> None:
    for venue in ("binance", "kraken"):
        made = (await control.command(CreateAccount(account="dora", funds={"USDT": "10"}), venue=venue))[venue]
        assert (made["exchange"], made["account"]) == (venue, "dora")
        sub = (await control.command(CreateAccount(account="dora-2", master="dora"), venue=venue))[venue]
        assert sub["apiKey"] != made["apiKey"]
        assert sub["secret"] != made["secret"]
        second = (await control.command(CreateKey(account="dora"), venue=venue))[venue]
        assert second["apiKey"] not in (made["apiKey"], sub["apiKey"])
        balances = (await control.ledger(LedgerQuery(kind="balances", account="dora"), venue=venue))["balances"]
        assert balances == {"dora": {"USDT": {"free": "10", "locked": "0"}}}
        assert (await control.ledger(LedgerQuery(kind="check"), venue=venue)) == {"ok": True, "problems": []}
    listed = [(one.exchange, one.account) for one in await control.accounts() if one.account.startswith("dora")]
    assert listed == [("binance", "dora"), ("binance", "dora-2"), ("kraken", "dora"), ("kraken", "dora-2")]
    shown = await control.command(ShowAccounts())
    assert shown["kraken"]["dora-2"]["master"] == "dora"
    assert len(shown["binance"]["dora"]["keys"]) == 3
    assert list(shown["kraken"]["dora"]["keys"].values()) == [["query", "trade", "funds", "withdraw"]] * 2


async def test_money_by_command(control: VenueControl) -> None:
    credit = Credit(account="carol", asset="BTC", amount="1.5", reason="a gift")
    assert (await control.command(credit, venue="kraken"))["kraken"]["free"] == "1.5"
    taken = Credit(account="carol", asset="BTC", amount="-0.5")
    assert (await control.command(taken, venue="kraken"))["kraken"]["free"] == "1"
    for outcome, status in (("complete", "completed"), ("fail", "failed")):
        order = MakeDeposit(account="carol", asset="ETH", amount="2", network="ETH", settle_ms=None)
        made = (await control.command(order, venue="binance"))["binance"]
        assert (made["kind"], made["status"], made["needed"], made["network"]) == ("deposit", "pending", 6, "ETH")
        waiting = (await control.command(ShowMovements(account="carol", pending=True), venue="binance"))["binance"]
        assert [row["id"] for row in waiting["movements"]] == [made["id"]]
        ended = await control.command(SettleMovements(account="carol", id=made["id"], outcome=outcome), venue="binance")
        assert [row["status"] for row in ended["binance"]["settled"]] == [status]
    pace = SetSettlement(transfer_ms=None)
    assert (await control.command(pace, venue="binance"))["binance"] == {"withdraw_ms": 3_000, "transfer_ms": None}
    assert await control.ledger(LedgerQuery(kind="check"), venue="binance") == {"ok": True, "problems": []}


MINE = Address(name="mine", asset="BTC", address=OUTSIDE)


@pytest.mark.parametrize(
    ("command", "message", "hint"),
    [
        (CreateAccount(account="alice"), "account 'alice' exists", "choose another name"),
        (
            CreateAccount(account="a@b"),
            "account = 'a@b' is no name for an account",
            "letters, digits, - and _, at most 32",
        ),
        (CreateAccount(account="x", rights=("FLY",)), "no right 'FLY'", f"known: {BINANCE_RIGHTS}"),
        (CreateAccount(account="x", master="nobody"), "no account 'nobody'", None),
        (CreateAccount(account="x", funds={"USDT": "-1"}), "funds of USDT = '-1' is no amount", None),
        (CreateAccount(account="x", funds={"GOLD": "1"}), "no asset 'GOLD'", None),
        (CreateKey(account="nobody"), "no account 'nobody'", None),
        (SetAddresses(account="alice", addresses=(MINE, MINE)), "two addresses have the same name", None),
        (
            SetAddresses(account="alice", addresses=(Address(name="a", asset="BTC", address="x", network="TRX"),)),
            "no network 'TRX'",
            "known: BTC, BSC",
        ),
        (Credit(account="carol", asset="USDT", amount="-100000"), "100000.00000000 USDT are more than", "take less"),
        (MakeDeposit(account="alice", asset="BTC", amount="0"), "amount = '0' is nothing to deposit", "above 0"),
        (
            MakeDeposit(account="alice", asset="BTC", amount="1", network="TRX"),
            "network 'TRX' does not carry BTC",
            None,
        ),
        (
            MakeDeposit(account="alice", asset="BTC", amount="1", settle_ms=-1),
            "settle_ms = -1 is no duration",
            "0 to 604800000 ms",
        ),
        (SetSettlement(withdraw_ms=-1), "withdraw_ms = -1 is no duration", "0 to 604800000 ms"),
        (SettleMovements(account="alice", id="9"), "no movement '9' of alice is pending", "pending: none"),
    ],
)
async def test_refusals(control: VenueControl, command: Command, message: str, hint: str | None) -> None:
    with pytest.raises(BadRequest) as caught:
        await control.command(command, venue="binance")
    assert caught.value.message.startswith(message)
    assert hint is None or caught.value.hint == hint
    assert caught.value.hint
    assert "x" not in (await control.command(ShowAccounts()))["binance"]
