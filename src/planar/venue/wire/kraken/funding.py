"""REST, funding: ways in and out, addresses, deposits, withdrawals.

A withdrawal goes to an address that the account has saved under a name, its key. Source: the reference ("Funding") and
the support page on the statuses of deposits and withdrawals.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, Final

from planar.venue.engine.enums import TransferStatus
from planar.venue.engine.movements import Deposit, SavedAddress, Withdrawal
from planar.venue.engine.rejects import EngineReject, RejectReason
from planar.venue.engine.specs import NetworkSpec
from planar.venue.engine.withdrawals import WithdrawalRequest
from planar.venue.wire.kraken import errors
from planar.venue.wire.kraken import params as p
from planar.venue.wire.kraken.desk import Call, Desk
from planar.venue.wire.kraken.errors import ApiError
from planar.venue.wire.kraken.formats import ZERO, fixed
from planar.venue.wire.kraken.names import Asset, method_of, network_name

_REFUSALS: Final = {
    RejectReason.INSUFFICIENT_BALANCE: errors.WITHDRAW_FUNDS,
    RejectReason.FUNDS_NOT_READY: errors.WITHDRAW_FUNDS,
    RejectReason.INVALID_AMOUNT: errors.WITHDRAW_AMOUNT,
}
_ENDED: Final = {
    TransferStatus.CREDITED: "Success",
    TransferStatus.COMPLETED: "Success",
    TransferStatus.FAILED: "Failure",
    TransferStatus.CANCELED: "Failure",
}
_CONFIRMING: Final = "Settled"
"""A deposit that waits for confirmations."""
_CHECKED: Final = "Initial"
_SENT: Final = "Pending"
_DEPOSITS_PAGE: Final = 25
_WITHDRAWALS_PAGE: Final = 500
_CURSOR: Final = re.compile(r"[0-9a-f]{16}\Z")


def _assets(desk: Desk, call: Call) -> list[Asset]:
    name = p.text(call.params, "asset")
    return [desk.names.asset(name)] if name is not None else list(desk.names.assets.values())


def deposit_methods(desk: Desk, call: Call) -> list[dict[str, Any]]:
    """DepositMethods."""
    asset = desk.names.asset(call.params.get("asset"))
    return [
        {"method": method_of(asset, spec.network), "limit": False, "gen-address": True, "minimum": "0.00000000"}
        for spec in asset.spec.networks
    ]


def _network(asset: Asset, method: str | None) -> NetworkSpec:
    for spec in asset.spec.networks:
        if method is None or method_of(asset, spec.network) == method:
            return spec
    raise ApiError(errors.NO_METHOD)


def deposit_addresses(desk: Desk, call: Call) -> list[dict[str, Any]]:
    """DepositAddresses: one for each network, new as long as nothing came in by it."""
    asset = desk.names.asset(call.params.get("asset"))
    network = _network(asset, p.text(call.params, "method"))
    where = desk.exchange.deposit_address(call.account, asset.code, network.network)
    used = any(row.network == network.network for row in desk.exchange.deposits(call.account))
    found: dict[str, Any] = {"address": where.address, "expiretm": "0", "new": not used}
    if where.tag is not None:
        found["tag"] = where.tag
    return [found]


def _window(call: Call) -> dict[str, int | None]:
    start, end = p.decimal(call.params, "start"), p.decimal(call.params, "end")
    return {
        "start_ms": None if start is None else int(start * 1000),
        "end_ms": None if end is None else int(end * 1000),
    }


def deposit_status(desk: Desk, call: Call) -> Any:
    """DepositStatus, newest first; with a cursor by pages."""
    rows = [
        (asset, row)
        for asset in _assets(desk, call)
        for row in desk.exchange.deposits(call.account, asset=asset.code, **_window(call))
    ]
    rows.sort(key=lambda pair: -pair[1].created_ms)
    found = [
        _movement(desk, asset, row, row.amount, ZERO) | {"status": _ENDED.get(row.status, _CONFIRMING)}
        for asset, row in rows
        if _by_method(call, asset, row)
    ]
    return _paged(call, "deposits", found, _DEPOSITS_PAGE)


def withdraw_status(desk: Desk, call: Call) -> Any:
    """WithdrawStatus, newest first; with a cursor by pages."""
    rows = [
        (asset, row)
        for asset in _assets(desk, call)
        for row in desk.exchange.withdrawals(call.account, asset=asset.code, **_window(call))
    ]
    rows.sort(key=lambda pair: -pair[1].created_ms)
    found = [_withdrawal(desk, asset, row) for asset, row in rows if _by_method(call, asset, row)]
    return _paged(call, "withdrawals", found, _WITHDRAWALS_PAGE)


def _paged(call: Call, name: str, rows: list[dict[str, Any]], default: int) -> Any:
    """All rows; or with `cursor`, `true` or what the last answer gave, one page and the cursor of the next."""
    cursor = (p.text(call.params, "cursor") or "false").lower()
    if cursor == "false":
        return rows
    limit = p.integer(call.params, "limit") or default
    if limit < 1 or (cursor != "true" and not _CURSOR.match(cursor)):
        raise errors.invalid("limit" if limit < 1 else "cursor")
    start = 0 if cursor == "true" else int(cursor, 16)
    end = start + limit
    return {name: rows[start:end], "next_cursor": f"{end:016x}" if end < len(rows) else None}


def _by_method(call: Call, asset: Asset, row: Deposit | Withdrawal) -> bool:
    return p.text(call.params, "method") in (None, method_of(asset, row.network))


def _withdrawal(desk: Desk, asset: Asset, row: Withdrawal) -> dict[str, Any]:
    on_the_way = _SENT if row.is_sent(desk.exchange.now_ms()) else _CHECKED
    found = _movement(desk, asset, row, row.amount - row.fee, row.fee)
    found |= {"status": _ENDED.get(row.status, on_the_way), "key": row.client_id or _name_of(desk, row)}
    found["network"] = network_name(row.network)
    if row.status is TransferStatus.CANCELED:
        found["status-prop"] = "canceled"
    return found


def _name_of(desk: Desk, row: Withdrawal) -> str:
    """The name under which the account keeps the address; empty if it no longer does."""
    saved = desk.exchange.profile(row.account).addresses
    return next((one.name for one in saved if (one.asset, one.address) == (row.asset, row.address)), "")


def _movement(desk: Desk, asset: Asset, row: Deposit | Withdrawal, amount: Decimal, fee: Decimal) -> dict[str, Any]:
    return {
        "method": method_of(asset, row.network),
        "aclass": "currency",
        "asset": asset.id,
        "refid": desk.ids.transfer(row.id),
        "txid": row.tx_id,
        "info": row.address,
        "amount": fixed(amount, asset.decimals),
        "fee": fixed(fee, asset.decimals),
        "time": row.created_ms // 1000,
    }


def withdraw_methods(desk: Desk, call: Call) -> list[dict[str, Any]]:
    """WithdrawMethods."""
    return [
        {
            "asset": asset.id,
            "method": method_of(asset, spec.network),
            "network": network_name(spec.network),
            "minimum": fixed(spec.withdraw_min),
        }
        for asset in _assets(desk, call)
        for spec in asset.spec.networks
    ]


def withdraw_addresses(desk: Desk, call: Call) -> list[dict[str, Any]]:
    """WithdrawAddresses."""
    wanted = {asset.code for asset in _assets(desk, call)}
    method, key = p.text(call.params, "method"), p.text(call.params, "key")
    verified = p.flag(call.params, "verified") if p.text(call.params, "verified") is not None else None
    return [
        _saved(desk, saved)
        for saved in desk.exchange.profile(call.account).addresses
        if saved.asset in wanted
        and key in (None, saved.name)
        and verified in (None, saved.allowed)
        and method in (None, method_of(desk.names.assets[saved.asset], saved.network))
    ]


def _saved(desk: Desk, saved: SavedAddress) -> dict[str, Any]:
    asset = desk.names.assets[saved.asset]
    found: dict[str, Any] = {
        "address": saved.address,
        "asset": asset.id,
        "method": method_of(asset, saved.network),
        "key": saved.name,
        "verified": saved.allowed,
    }
    return found if saved.tag is None else found | {"tag": saved.tag}


def _target(desk: Desk, call: Call, asset: Asset) -> SavedAddress:
    """The verified address that `key` names. Raises ApiError."""
    key = p.text(call.params, "key")
    for saved in desk.exchange.profile(call.account).addresses:
        if (saved.name, saved.asset) == (key, asset.code) and saved.allowed:
            return saved
    raise ApiError(errors.WITHDRAW_KEY)


def withdraw_info(desk: Desk, call: Call) -> dict[str, Any]:
    """WithdrawInfo."""
    asset = desk.names.asset(call.params.get("asset"))
    saved = _target(desk, call, asset)
    amount = p.need(call.params, "amount")
    held = desk.exchange.balances(call.account).get(asset.code)
    spec = next(spec for spec in asset.spec.networks if spec.network == saved.network)
    most = min(spec.withdraw_max, held.free) if held else ZERO
    return {
        "method": method_of(asset, spec.network),
        "limit": fixed(max(most - spec.withdraw_fee, ZERO), asset.decimals),
        "amount": fixed(max(amount - spec.withdraw_fee, ZERO), asset.decimals),
        "fee": fixed(spec.withdraw_fee, asset.decimals),
    }


def withdraw(desk: Desk, call: Call) -> dict[str, Any]:
    """Withdraw."""
    asset = desk.names.asset(call.params.get("asset"))
    saved = _target(desk, call, asset)
    if p.text(call.params, "address") not in (None, saved.address):
        raise ApiError(errors.WITHDRAW_ADDRESS)
    fee = next(spec.withdraw_fee for spec in asset.spec.networks if spec.network == saved.network)
    most = p.decimal(call.params, "max_fee")
    if most is not None and fee > most:
        raise ApiError(errors.WITHDRAW_FEE)
    request = WithdrawalRequest(
        asset=asset.code,
        amount=p.need(call.params, "amount"),
        address=saved.address,
        network=saved.network,
        tag=saved.tag,
        client_id=saved.name,
    )
    try:
        record = desk.exchange.withdraw(call.account, request)
    except EngineReject as reject:
        if reject.reason not in _REFUSALS:
            raise
        raise ApiError(_REFUSALS[reject.reason]) from reject
    return {"refid": desk.ids.transfer(record.id)}


def withdraw_cancel(desk: Desk, call: Call) -> bool:
    """WithdrawCancel: what is on its way cannot be called back."""
    asset = desk.names.asset(call.params.get("asset"))
    refid = p.text(call.params, "refid")
    for row in desk.exchange.withdrawals(call.account, asset=asset.code):
        if desk.ids.transfer(row.id) == refid:
            return desk.exchange.cancel_withdrawal(call.account, row.id)
    raise ApiError(errors.UNKNOWN_REFERENCE)
