"""Sub-accounts (`/sapi/v1/sub-account`): made and moved money to by the account that they belong to.

Clients know them by an e-mail address. Source: the sub-account section of the exchange's documentation.
"""

from __future__ import annotations

import re
import zlib
from typing import Any, Final

from planar.venue.engine.enums import TransferStatus, Wallet
from planar.venue.engine.movements import Transfer
from planar.venue.engine.types import Balance
from planar.venue.wire.binance import assets, errors, wallet
from planar.venue.wire.binance.account import uid
from planar.venue.wire.binance.desk import Call, Desk
from planar.venue.wire.binance.errors import ApiError
from planar.venue.wire.binance.formats import plain
from planar.venue.wire.binance.params import LEGAL_ASSET, Params, given
from planar.venue.wire.binance.worth import NOTHING, in_bitcoin

LEGAL_NAME: Final = re.compile(r"[a-zA-Z0-9]{1,20}\Z")
LEGAL_CLIENT_ID: Final = re.compile(r"[a-zA-Z0-9-_]{1,32}\Z")
WALLETS: Final = {"SPOT": Wallet.SPOT}
ELSEWHERE: Final = ("USDT_FUTURE", "COIN_FUTURE", "MARGIN", "ISOLATED_MARGIN", "ALPHA")
"""Account types that exist at the exchange and not here."""
STATUSES: Final = {
    TransferStatus.PENDING: "PROCESS",
    TransferStatus.COMPLETED: "SUCCESS",
    TransferStatus.FAILED: "FAILURE",
}
LIST_MAX: Final = 200
HISTORY_MAX: Final = 500


def email(name: str) -> str:
    """The address by which the exchange calls a sub-account."""
    return f"{name}_virtual@{zlib.crc32(name.encode()):08x}noemail.com"


def create(desk: Desk, call: Call) -> Any:
    """POST /sapi/v1/sub-account/virtualSubAccount."""
    master = _master(desk, call)
    name = given("subAccountString", call.params.raw("subAccountString"))
    if not LEGAL_NAME.match(name):
        raise errors.not_valid("subAccountString")
    if name in desk.exchange.accounts():
        raise ApiError(-9000, f"The sub account {name} exists.")
    desk.exchange.add_account(name, master=master)
    return {"email": email(name)}


def listing(desk: Desk, call: Call) -> Any:
    """GET /sapi/v1/sub-account/list, by pages of `limit`."""
    params = call.params
    wanted, frozen = params.raw("email"), params.boolean("isFreeze") or False
    number, limit = params.integer("page") or 1, min(params.integer("limit") or 1, LIST_MAX)
    names = [name for name in desk.exchange.sub_accounts(_master(desk, call)) if wanted in (None, email(name))]
    chosen = [] if frozen else names[(number - 1) * limit : number * limit]
    return {
        "subAccounts": [
            {
                "subUserId": uid(name),
                "email": email(name),
                "remark": "",
                "isFreeze": False,
                "createTime": desk.exchange.profile(name).opened_ms,
                "isManagedSubAccount": False,
                "isAssetManagementSubAccount": False,
            }
            for name in chosen
        ]
    }


def holdings(desk: Desk, call: Call) -> Any:
    """GET /sapi/v4/sub-account/assets."""
    name = _sub_account(desk, call)
    leaving = desk.exchange.withdrawing(name)
    return {
        "balances": [
            {
                "asset": row.asset,
                "free": plain(row.free),
                "locked": plain(row.locked),
                "freeze": "0",
                "withdrawing": plain(leaving.get(row.asset, NOTHING)),
            }
            for row in desk.exchange.balances(name).values()
            if row.total
        ]
    }


def holdings_as_numbers(desk: Desk, call: Call) -> Any:
    """GET /sapi/v3/sub-account/assets: the same with JSON numbers."""
    rows = holdings(desk, call)["balances"]
    return {
        "balances": [{name: value if name == "asset" else float(value) for name, value in row.items()} for row in rows]
    }


def deposit_address(desk: Desk, call: Call) -> Any:
    """GET /sapi/v1/capital/deposit/subAddress."""
    return wallet.address_of(desk, call, _sub_account(desk, call))


def deposits(desk: Desk, call: Call) -> Any:
    """GET /sapi/v1/capital/deposit/subHisrec."""
    return wallet.deposits_of(desk, call, _sub_account(desk, call))


def universal_transfer(desk: Desk, call: Call) -> Any:
    """POST /sapi/v1/sub-account/universalTransfer, between the spot wallets of the family; no e-mail: the master."""
    params = call.params
    master = _master(desk, call)
    source, target = (_family_member(desk, master, params, name) for name in ("fromEmail", "toEmail"))
    wallets = [_wallet(params, name) for name in ("fromAccountType", "toAccountType")]
    asset = given("asset", params.text("asset", LEGAL_ASSET))
    amount = given("amount", params.decimal("amount"))
    client_id = params.raw("clientTranId")
    if client_id is not None and not LEGAL_CLIENT_ID.match(client_id):
        raise errors.not_valid("clientTranId")
    row = assets.move(desk, (source, wallets[0]), (target, wallets[1]), asset, amount, client_id)
    answer: dict[str, Any] = {"tranId": int(row.id)}
    return answer if client_id is None else answer | {"clientTranId": client_id}


def universal_transfers(desk: Desk, call: Call) -> Any:
    """GET /sapi/v1/sub-account/universalTransfer, newest first."""
    params = call.params
    master = _master(desk, call)
    givers, takers = (params.raw(name) for name in ("fromEmail", "toEmail"))
    client_id = params.raw("clientTranId")
    start_ms, end_ms = params.time_ms("startTime"), params.time_ms("endTime")
    family = [master, *desk.exchange.sub_accounts(master)]
    rows = [
        row
        for row in desk.exchange.transfers(family, start_ms=start_ms, end_ms=end_ms)
        if row.from_account != row.to_account
        and givers in (None, _email_of(master, row.from_account))
        and takers in (None, _email_of(master, row.to_account))
        and client_id in (None, row.client_id)
    ]
    number, limit = params.integer("page") or 1, min(params.integer("limit") or HISTORY_MAX, HISTORY_MAX)
    shown = rows[(number - 1) * limit : number * limit]
    return {"result": [_transfer(master, row) for row in shown], "totalCount": len(rows)}


def to_master(desk: Desk, call: Call) -> Any:
    """POST /sapi/v1/sub-account/transfer/subToMaster, asked by the sub-account."""
    master = desk.exchange.profile(call.account).master
    if master is None:
        raise ApiError(-5021, "This parent sub have no relation")
    asset = given("asset", call.params.text("asset", LEGAL_ASSET))
    amount = given("amount", call.params.decimal("amount"))
    row = assets.move(desk, (call.account, Wallet.SPOT), (master, Wallet.SPOT), asset, amount)
    return {"txnId": row.id}


def summary(desk: Desk, call: Call) -> Any:
    """GET /sapi/v1/sub-account/spotSummary: the worth of the family in BTC."""
    master = _master(desk, call)

    def worth(held: dict[str, Balance]) -> str:
        return plain(sum((in_bitcoin(desk.exchange, row) for row in held.values()), NOTHING))

    subs = desk.exchange.sub_accounts(master)
    return {
        "totalCount": len(subs),
        "masterAccountTotalAsset": worth(desk.exchange.balances(master)),
        "spotSubUserAssetBtcVoList": [
            {"email": email(name), "totalAsset": worth(desk.exchange.balances(name))} for name in subs
        ],
    }


def _transfer(master: str, row: Transfer) -> dict[str, Any]:
    names = {wallet: word for word, wallet in WALLETS.items()}
    answer: dict[str, Any] = {
        "tranId": int(row.id),
        "fromEmail": _email_of(master, row.from_account),
        "toEmail": _email_of(master, row.to_account),
        "asset": row.asset,
        "amount": plain(row.amount),
        "createTimeStamp": row.created_ms,
        "fromAccountType": names[row.from_wallet],
        "toAccountType": names[row.to_wallet],
        "status": STATUSES[row.status],
    }
    return answer if row.client_id is None else answer | {"clientTranId": row.client_id}


def _email_of(master: str, name: str) -> str:
    return f"{name}@{zlib.crc32(name.encode()):08x}noemail.com" if name == master else email(name)


def _master(desk: Desk, call: Call) -> str:
    """The caller, which must not be a sub-account itself."""
    if desk.exchange.profile(call.account).master is not None:
        raise ApiError(-4006, "Support main account only.")
    return call.account


def _sub_account(desk: Desk, call: Call) -> str:
    """The sub-account that `email` names."""
    wanted = given("email", call.params.raw("email"))
    for name in desk.exchange.sub_accounts(_master(desk, call)):
        if email(name) == wanted:
            return name
    raise ApiError(-4003, "Your input email is invalid.")


def _family_member(desk: Desk, master: str, params: Params, name: str) -> str:
    wanted = params.raw(name)
    for member in [master, *desk.exchange.sub_accounts(master)]:
        if wanted == _email_of(master, member) or (wanted is None and member == master):
            return member
    raise ApiError(-4003, "Your input email is invalid.")


def _wallet(params: Params, name: str) -> Wallet:
    word = given(name, params.raw(name))
    if word in ELSEWHERE:
        raise ApiError(-5022, "future account or sub relation not exists.")
    if word not in WALLETS:
        raise errors.not_valid(name)
    return WALLETS[word]
