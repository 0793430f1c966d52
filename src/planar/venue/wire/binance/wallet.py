"""The wallet (`/sapi`): assets, deposits, withdrawals, fees, rights of the key.

Margin, funding and the other wallets do not exist here; questions about them get the exchange's empty answers.
Source: the wallet section of the exchange's documentation.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from planar.venue.engine.enums import TransferStatus
from planar.venue.engine.rejects import EngineReject, RejectReason
from planar.venue.engine.specs import AssetSpec, NetworkSpec
from planar.venue.engine.types import Balance, Deposit, Withdrawal
from planar.venue.wire.binance import errors
from planar.venue.wire.binance.desk import Call, Desk
from planar.venue.wire.binance.errors import ApiError
from planar.venue.wire.binance.formats import plain
from planar.venue.wire.binance.keys import Right
from planar.venue.wire.binance.params import LEGAL_ASSET, LEGAL_INTEGER, Params, given

ROWS_MAX: Final = 1000
NINETY_DAYS_MS: Final = 90 * 86_400_000
DEPOSIT_STATUSES: Final = {TransferStatus.PENDING: 0, TransferStatus.COMPLETED: 1}
WITHDRAWAL_STATUSES: Final = {TransferStatus.PENDING: 4, TransferStatus.COMPLETED: 6}
WITHDRAW_REFUSALS: Final = {
    RejectReason.INSUFFICIENT_BALANCE: (-4026, "The user has insufficient balance available"),
    RejectReason.INVALID_AMOUNT: (-1130, "Data sent for parameter 'amount' is not valid."),
    RejectReason.INVALID_COMBINATION: (-1130, "Data sent for parameter 'network' is not valid."),
}


def system_status(desk: Desk, call: Call) -> Any:
    """GET /sapi/v1/system/status."""
    return {"status": 0, "msg": "normal"}


def assets(desk: Desk, call: Call) -> Any:
    """GET /sapi/v1/capital/config/getall."""
    held = desk.exchange.balances(call.account)
    return [_asset(spec, held.get(spec.asset)) for spec in desk.exchange.assets.values()]


def _asset(spec: AssetSpec, balance: Balance | None) -> dict[str, Any]:
    return {
        "coin": spec.asset,
        "depositAllEnable": True,
        "withdrawAllEnable": True,
        "name": spec.name,
        "free": plain(balance.free) if balance else "0",
        "locked": plain(balance.locked) if balance else "0",
        "freeze": "0",
        "withdrawing": "0",
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
        "addressRegex": "",
        "addressRule": "",
        "memoRegex": "^[0-9A-Za-z\\-_]{1,120}$" if network.needs_tag else "",
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
    params = call.params
    coin, start_ms, end_ms = _selection(desk, params)
    status = params.integer("status")
    rows = desk.exchange.deposits(call.account, asset=coin, start_ms=start_ms, end_ms=end_ms)
    return _page(params, [_deposit(desk, row) for row in rows if status in (None, DEPOSIT_STATUSES[row.status])])


def _deposit(desk: Desk, row: Deposit) -> dict[str, Any]:
    needed = _confirmations(desk, row.asset, row.network)
    done = needed if row.status is TransferStatus.COMPLETED else 0
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
        "confirmTimes": f"{done}/{needed}",
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
            if status in (None, WITHDRAWAL_STATUSES[row.status]) and client_id in (None, row.client_id)
        ],
    )


def _withdrawal(desk: Desk, row: Withdrawal) -> dict[str, Any]:
    done = row.status is TransferStatus.COMPLETED
    answer: dict[str, Any] = {
        "id": row.id,
        "amount": plain(row.amount - row.fee),
        "transactionFee": plain(row.fee),
        "coin": row.asset,
        "status": WITHDRAWAL_STATUSES[row.status],
        "address": row.address,
        "txId": row.tx_id,
        "applyTime": _utc(row.created_ms),
        "network": row.network,
        "transferType": 0,
        "info": "",
        "confirmNo": _confirmations(desk, row.asset, row.network) if done else 0,
        "walletType": 0,
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
    spec = _coin(desk, given("coin", params.text("coin", LEGAL_ASSET)))
    address = given("address", params.raw("address"))
    amount = given("amount", params.decimal("amount"))
    network = _choose_network(spec, params)
    if amount < network.withdraw_min or amount > network.withdraw_max:
        raise errors.not_valid("amount")
    tag, client_id = params.raw("addressTag"), params.raw("withdrawOrderId")
    try:
        row = desk.exchange.withdraw(
            call.account, spec.asset, amount, address=address, network=network.network, tag=tag, client_id=client_id
        )
    except EngineReject as reject:
        raise ApiError(*WITHDRAW_REFUSALS[reject.reason]) from reject
    return {"id": row.id}


def deposit_address(desk: Desk, call: Call) -> Any:
    """GET /sapi/v1/capital/deposit/address."""
    params = call.params
    spec = _coin(desk, given("coin", params.text("coin", LEGAL_ASSET)))
    network = _choose_network(spec, params)
    found = desk.exchange.deposit_address(call.account, spec.asset, network.network)
    return {"address": found.address, "coin": found.asset, "tag": found.tag or "", "url": ""}


def trade_fees(desk: Desk, call: Call) -> Any:
    """GET /sapi/v1/asset/tradeFee."""
    spec = call.params.optional_market(desk.symbols)
    return [
        {
            "symbol": desk.symbols.ids[one.symbol],
            "makerCommission": plain(one.maker_fee),
            "takerCommission": plain(one.taker_fee),
        }
        for one in ([spec] if spec else desk.symbols.by_id.values())
    ]


def user_assets(desk: Desk, call: Call) -> Any:
    """POST /sapi/v3/asset/getUserAsset: what is there, in falling order of name."""
    asset = call.params.text("asset", LEGAL_ASSET)
    held = desk.exchange.balances(call.account)
    return [
        {
            "asset": balance.asset,
            "free": plain(balance.free),
            "locked": plain(balance.locked),
            "freeze": "0",
            "withdrawing": "0",
            "ipoable": "0",
            "btcValuation": "0",
        }
        for balance in held.values()
        if balance.total and asset in (None, balance.asset)
    ]


def key_restrictions(desk: Desk, call: Call) -> Any:
    """GET /sapi/v1/account/apiRestrictions."""
    rights = call.key.rights if call.key else frozenset[Right]()
    return {
        "ipRestrict": False,
        "createTime": desk.started_ms,
        "enableReading": Right.USER_DATA in rights,
        "enableWithdrawals": Right.WITHDRAW in rights,
        "enableInternalTransfer": False,
        "enableMargin": False,
        "enableFutures": False,
        "permitsUniversalTransfer": False,
        "enableVanillaOptions": False,
        "enableFixApiTrade": False,
        "enableFixReadOnly": False,
        "enableSpotAndMarginTrading": Right.TRADE in rights,
        "enablePortfolioMarginTrading": False,
    }


def account_status(desk: Desk, call: Call) -> Any:
    """GET /sapi/v1/account/status."""
    return {"data": "Normal"}


def empty_list(desk: Desk, call: Call) -> Any:
    """What does not exist here, where the exchange answers a list."""
    return []


def empty_rows(desk: Desk, call: Call) -> Any:
    """What does not exist here, where the exchange answers rows and their number."""
    return {"total": 0, "rows": []}


def empty_fiat(desk: Desk, call: Call) -> Any:
    """GET /sapi/v1/fiat/orders: no fiat here."""
    return {"code": "000000", "message": "success", "data": [], "total": 0, "success": True}


def _selection(desk: Desk, params: Params) -> tuple[str | None, int | None, int | None]:
    coin = params.text("coin", LEGAL_ASSET)
    start_ms, end_ms = params.time_ms("startTime"), params.time_ms("endTime")
    if start_ms is not None and end_ms is not None and end_ms - start_ms > NINETY_DAYS_MS:
        raise ApiError(-1127, "Lookup interval is too big.")
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
