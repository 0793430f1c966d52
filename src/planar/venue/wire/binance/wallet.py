"""The wallet (`/sapi/v1/capital`): networks of the assets, deposits, withdrawals, addresses.

Source: the wallet section of the exchange's documentation ("Capital", and its list of error codes).
"""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import Any, Final

from planar.venue.engine import addresses
from planar.venue.engine.enums import SystemStatus, TransferStatus, Wallet
from planar.venue.engine.movements import Deposit, Withdrawal
from planar.venue.engine.rejects import EngineReject, RejectReason
from planar.venue.engine.specs import AssetSpec, NetworkSpec
from planar.venue.engine.types import Balance
from planar.venue.engine.withdrawals import WithdrawalRequest
from planar.venue.wire.binance import errors
from planar.venue.wire.binance.desk import Call, Desk
from planar.venue.wire.binance.errors import ApiError
from planar.venue.wire.binance.formats import SYSTEM_STATUSES, plain
from planar.venue.wire.binance.params import LEGAL_ASSET, LEGAL_CLIENT_ID, LEGAL_INTEGER, Params, given

ROWS_MAX: Final = 1000
MEMO: Final = r"^[0-9A-Za-z\-_]{1,120}$"
LEGAL_TAG: Final = re.compile(MEMO.replace("$", r"\Z"))
NOTHING: Final = Decimal(0)
NINETY_DAYS_MS: Final = 90 * 86_400_000
DEPOSIT_STATUSES: Final = {
    TransferStatus.PENDING: 0,
    TransferStatus.CREDITED: 6,
    TransferStatus.COMPLETED: 1,
    TransferStatus.FAILED: 2,
}
"""0 pending, 6 credited but cannot withdraw, 1 success, 2 rejected."""
AWAITING_APPROVAL: Final = 2
PROCESSING: Final = 4
WITHDRAWAL_STATUSES: Final = {
    TransferStatus.COMPLETED: 6,
    TransferStatus.FAILED: 5,
    TransferStatus.CANCELED: 1,
}
"""6 completed, 5 failure, 1 cancelled; 2 or 4 on the way."""
WALLETS: Final = {"0": Wallet.SPOT, "1": Wallet.FUNDING}
WITHDRAW_REFUSALS: Final = {
    RejectReason.INSUFFICIENT_BALANCE: (-4026, "The user has insufficient balance available"),
    RejectReason.INVALID_AMOUNT: (-1130, "Data sent for parameter 'amount' is not valid."),
    RejectReason.INVALID_ADDRESS: (-4007, "Address validation is not passed."),
    RejectReason.MISSING_TAG: (-4008, "Address tag validation is not passed."),
    RejectReason.ADDRESS_NOT_ALLOWED: (-4035, "This address is not on the whitelist. Please join and try again."),
}
UNCONFIRMED: Final = (
    "As your deposit has not reached the required block confirmations, we have temporarily locked {asset} asset"
)


def system_status(desk: Desk, call: Call) -> Any:
    """GET /sapi/v1/system/status."""
    status = desk.exchange.conditions.system
    return {"status": int(status is not SystemStatus.ONLINE), "msg": SYSTEM_STATUSES[status]}


def assets(desk: Desk, call: Call) -> Any:
    """GET /sapi/v1/capital/config/getall."""
    held, leaving = desk.exchange.balances(call.account), desk.exchange.withdrawing(call.account)
    return [
        _asset(spec, held.get(spec.asset), leaving.get(spec.asset, NOTHING)) for spec in desk.exchange.assets.values()
    ]


def _asset(spec: AssetSpec, balance: Balance | None, leaving: Decimal) -> dict[str, Any]:
    return {
        "coin": spec.asset,
        "depositAllEnable": True,
        "withdrawAllEnable": True,
        "name": spec.name,
        "free": plain(balance.free) if balance else "0",
        "locked": plain(balance.locked) if balance else "0",
        "freeze": "0",
        "withdrawing": plain(leaving),
        "ipoing": "0",
        "ipoable": "0",
        "storage": "0",
        "isLegalMoney": spec.is_fiat,
        "trading": True,
        "networkList": [
            _network(spec.asset, network, is_default=index == 0) for index, network in enumerate(spec.networks)
        ],
    }


def _network(asset: str, network: NetworkSpec, *, is_default: bool) -> dict[str, Any]:
    return {
        "network": network.network,
        "coin": asset,
        "withdrawIntegerMultiple": "0.00000001",
        "isDefault": is_default,
        "depositEnable": True,
        "withdrawEnable": True,
        "depositDesc": "",
        "withdrawDesc": "",
        "specialTips": "",
        "specialWithdrawTips": "",
        "name": network.name,
        "resetAddressStatus": False,
        "addressRegex": f"^({addresses.pattern(network.network)})$",
        "addressRule": "",
        "memoRegex": MEMO if network.needs_tag else "",
        "withdrawFee": plain(network.withdraw_fee),
        "withdrawMin": plain(network.withdraw_min),
        "withdrawMax": plain(network.withdraw_max),
        "minConfirm": network.confirmations,
        "unLockConfirm": 0,
        "sameAddress": network.needs_tag,
        "estimatedArrivalTime": 5,
        "busy": False,
    }


def deposits(desk: Desk, call: Call) -> Any:
    """GET /sapi/v1/capital/deposit/hisrec, newest first."""
    return deposits_of(desk, call, call.account)


def deposits_of(desk: Desk, call: Call, owner: str) -> Any:
    """The deposits of an account, the caller's or one of its sub-accounts', newest first."""
    params = call.params
    coin, start_ms, end_ms = _selection(desk, params)
    status = params.integer("status")
    rows = desk.exchange.deposits(owner, asset=coin, start_ms=start_ms, end_ms=end_ms)
    return _page(params, [_deposit(desk, row) for row in rows if status in (None, DEPOSIT_STATUSES[row.status])])


def _deposit(desk: Desk, row: Deposit) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "id": row.id,
        "amount": plain(row.amount),
        "coin": row.asset,
        "network": row.network,
        "status": DEPOSIT_STATUSES[row.status],
        "address": row.address,
        "addressTag": row.tag or "",
        "txId": row.tx_id,
        "insertTime": row.created_ms,
        "transferType": 0,
        "confirmTimes": f"{row.confirmations(desk.exchange.now_ms())}/{row.needed}",
        "unlockConfirm": 0,
        "walletType": 0,
    }
    if row.completed_ms is not None:
        answer["completeTime"] = row.completed_ms
    return answer


def withdrawals(desk: Desk, call: Call) -> Any:
    """GET /sapi/v1/capital/withdraw/history, newest first."""
    params = call.params
    coin, start_ms, end_ms = _selection(desk, params)
    status = params.integer("status")
    client_id = params.raw("withdrawOrderId")
    rows = desk.exchange.withdrawals(call.account, asset=coin, start_ms=start_ms, end_ms=end_ms)
    return _page(
        params,
        [
            _withdrawal(desk, row)
            for row in rows
            if status in (None, _withdrawal_status(desk, row)) and client_id in (None, row.client_id)
        ],
    )


def _withdrawal_status(desk: Desk, row: Withdrawal) -> int:
    if row.status is not TransferStatus.PENDING:
        return WITHDRAWAL_STATUSES[row.status]
    return PROCESSING if row.is_sent(desk.exchange.now_ms()) else AWAITING_APPROVAL


def _withdrawal(desk: Desk, row: Withdrawal) -> dict[str, Any]:
    done = row.status is TransferStatus.COMPLETED
    answer: dict[str, Any] = {
        "id": row.id,
        "amount": plain(row.amount - row.fee),
        "transactionFee": plain(row.fee),
        "coin": row.asset,
        "status": _withdrawal_status(desk, row),
        "address": row.address,
        "txId": row.tx_id or "",
        "applyTime": _utc(row.created_ms),
        "network": row.network,
        "transferType": 0,
        "info": "",
        "confirmNo": _confirmations(desk, row.asset, row.network) if done else 0,
        "walletType": 0 if row.wallet is Wallet.SPOT else 1,
        "txKey": "",
    }
    if row.tag is not None:
        answer["addressTag"] = row.tag
    if row.client_id is not None:
        answer["withdrawOrderId"] = row.client_id
    if row.completed_ms is not None:
        answer["completeTime"] = _utc(row.completed_ms)
    return answer


def withdraw(desk: Desk, call: Call) -> Any:
    """POST /sapi/v1/capital/withdraw/apply."""
    params = call.params
    spec, network = _coin_and_network(desk, params)
    address = given("address", params.raw("address"))
    amount = given("amount", params.decimal("amount"))
    if amount < network.withdraw_min:
        raise ApiError(-4022, f"Not less than the minimum pick-up quantity {plain(network.withdraw_min)}.")
    request = WithdrawalRequest(
        asset=spec.asset,
        amount=amount,
        address=address,
        network=network.network,
        tag=_tag(params),
        client_id=params.text("withdrawOrderId", LEGAL_CLIENT_ID),
        wallet=params.choice("walletType", WALLETS) or Wallet.SPOT,
    )
    try:
        row = desk.exchange.withdraw(call.account, request)
    except EngineReject as reject:
        if reject.reason is RejectReason.FUNDS_NOT_READY:
            raise ApiError(-4060, UNCONFIRMED.format(asset=spec.asset)) from reject
        raise ApiError(*WITHDRAW_REFUSALS[reject.reason]) from reject
    return {"id": row.id}


def _tag(params: Params) -> str | None:
    tag = params.raw("addressTag")
    if tag is not None and not LEGAL_TAG.match(tag):
        raise ApiError(*WITHDRAW_REFUSALS[RejectReason.MISSING_TAG])
    return tag


def saved_addresses(desk: Desk, call: Call) -> Any:
    """GET /sapi/v1/capital/withdraw/address/list."""
    return [
        {
            "address": saved.address,
            "addressTag": saved.tag or "",
            "coin": saved.asset,
            "name": saved.name,
            "network": saved.network,
            "origin": "",
            "originType": "others",
            "whiteStatus": saved.allowed,
        }
        for saved in desk.exchange.profile(call.account).addresses
    ]


def deposit_address(desk: Desk, call: Call) -> Any:
    """GET /sapi/v1/capital/deposit/address."""
    return address_of(desk, call, call.account)


def deposit_addresses(desk: Desk, call: Call) -> Any:
    """GET /sapi/v1/capital/deposit/address/list: the one address that there is for each network."""
    spec, network = _coin_and_network(desk, call.params)
    found = desk.exchange.deposit_address(call.account, spec.asset, network.network)
    return [{"coin": found.asset, "address": found.address, "tag": found.tag or "", "isDefault": 1}]


def address_of(desk: Desk, call: Call, owner: str) -> Any:
    """The deposit address of an account, the caller's or one of its sub-accounts'."""
    spec, network = _coin_and_network(desk, call.params)
    found = desk.exchange.deposit_address(owner, spec.asset, network.network)
    return {"address": found.address, "coin": found.asset, "tag": found.tag or "", "url": ""}


def _coin_and_network(desk: Desk, params: Params) -> tuple[AssetSpec, NetworkSpec]:
    spec = _coin(desk, given("coin", params.text("coin", LEGAL_ASSET)))
    return spec, _choose_network(spec, params)


def _selection(desk: Desk, params: Params) -> tuple[str | None, int | None, int | None]:
    coin = params.text("coin", LEGAL_ASSET)
    start_ms, end_ms = params.time_ms("startTime"), params.time_ms("endTime")
    if start_ms is not None and end_ms is not None and end_ms - start_ms > NINETY_DAYS_MS:
        raise ApiError(-4047, "Time interval must be within 0-90 days")
    return (_coin(desk, coin).asset if coin else None), start_ms, end_ms


def _page(params: Params, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    offset = int(params.text("offset", LEGAL_INTEGER) or 0)
    return rows[offset : offset + params.limit(ROWS_MAX, ROWS_MAX)]


def _coin(desk: Desk, coin: str) -> AssetSpec:
    spec = desk.exchange.assets.get(coin)
    if spec is None:
        raise errors.not_valid("coin")
    return spec


def _choose_network(spec: AssetSpec, params: Params) -> NetworkSpec:
    word = params.raw("network")
    for network in spec.networks:
        if word in (None, network.network):
            return network
    raise errors.not_valid("network")


def _confirmations(desk: Desk, asset: str, network: str) -> int:
    spec = desk.exchange.assets[asset]
    return next(one.confirmations for one in spec.networks if one.network == network)


def _utc(time_ms: int) -> str:
    return dt.datetime.fromtimestamp(time_ms / 1000, dt.UTC).strftime("%Y-%m-%d %H:%M:%S")
