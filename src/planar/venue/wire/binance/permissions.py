"""The wallet (`/sapi/v1/account`): state of the account, rights of the key, daily snapshots."""

from __future__ import annotations

from typing import Any, Final

from planar.venue.wire.binance import errors
from planar.venue.wire.binance.desk import Call, Desk
from planar.venue.wire.binance.errors import ApiError
from planar.venue.wire.binance.formats import plain
from planar.venue.wire.binance.keys import Right
from planar.venue.wire.binance.params import given

NO_WALLET: Final = ("MARGIN", "FUTURES")
SNAPSHOTS_DEFAULT: Final = 7
SNAPSHOTS_MAX: Final = 30


def key_restrictions(desk: Desk, call: Call) -> Any:
    """GET /sapi/v1/account/apiRestrictions."""
    rights = call.key.rights if call.key else frozenset[Right]()
    return {
        "ipRestrict": call.key is not None and call.key.addresses is not None,
        "createTime": desk.started_ms,
        "enableReading": Right.USER_DATA in rights,
        "enableWithdrawals": Right.WITHDRAW in rights,
        "enableInternalTransfer": Right.TRANSFER in rights,
        "enableMargin": False,
        "enableFutures": False,
        "permitsUniversalTransfer": Right.TRANSFER in rights,
        "enableVanillaOptions": False,
        "enableFixApiTrade": False,
        "enableFixReadOnly": False,
        "enableSpotAndMarginTrading": Right.TRADE in rights,
        "enablePortfolioMarginTrading": False,
    }


def account_status(desk: Desk, call: Call) -> Any:
    """GET /sapi/v1/account/status."""
    return {"data": "Normal"}


def trading_status(desk: Desk, call: Call) -> Any:
    """GET /sapi/v1/account/apiTradingStatus: never locked."""
    return {
        "data": {
            "isLocked": False,
            "plannedRecoverTime": 0,
            "triggerCondition": {"GCR": 150, "IFER": 150, "UFR": 300},
            "updateTime": 0,
        }
    }


def account_info(desk: Desk, call: Call) -> Any:
    """GET /sapi/v1/account/info."""
    return {"vipLevel": 0, "isMarginEnabled": False, "isFutureEnabled": False}


def fast_withdraw(desk: Desk, call: Call) -> Any:
    """POST /sapi/v1/account/enableFastWithdrawSwitch and disableFastWithdrawSwitch."""
    return {}


def snapshots(desk: Desk, call: Call) -> Any:
    """GET /sapi/v1/accountSnapshot: the spot wallet at each midnight (UTC) that the venue has seen, newest first."""
    params = call.params
    word = given("type", params.raw("type"))
    if word != "SPOT":
        raise ApiError(-3003, "Margin account does not exist.") if word in NO_WALLET else errors.not_valid("type")
    start_ms, end_ms = params.time_ms("startTime"), params.time_ms("endTime")
    limit = min(params.integer("limit") or SNAPSHOTS_DEFAULT, SNAPSHOTS_MAX)
    chosen = [
        shot
        for shot in reversed(desk.snapshots.of(call.account))
        if (start_ms is None or shot.ts_ms >= start_ms) and (end_ms is None or shot.ts_ms <= end_ms)
    ]
    return {
        "code": 200,
        "msg": "",
        "snapshotVos": [
            {
                "data": {
                    "balances": [
                        {"asset": one.asset, "free": plain(one.free), "locked": plain(one.locked)}
                        for one in shot.balances
                    ],
                    "totalAssetOfBtc": plain(shot.in_bitcoin),
                },
                "type": "spot",
                "updateTime": shot.ts_ms,
            }
            for shot in chosen[:limit]
        ],
    }
