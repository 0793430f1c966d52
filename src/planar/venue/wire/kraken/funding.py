"""REST, funding: ways in and out, addresses, deposits, withdrawals. Withdrawals are complete at once."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from planar.venue.engine.rejects import EngineReject, RejectReason
from planar.venue.engine.specs import NetworkSpec
from planar.venue.engine.types import Deposit, Withdrawal
from planar.venue.wire.kraken import errors
from planar.venue.wire.kraken import params as p
from planar.venue.wire.kraken.desk import Call, Desk
from planar.venue.wire.kraken.errors import ApiError
from planar.venue.wire.kraken.formats import ZERO, fixed
from planar.venue.wire.kraken.names import Asset, method_of, network_name

_REFUSALS = {
    RejectReason.INSUFFICIENT_BALANCE: errors.WITHDRAW_FUNDS,
    RejectReason.INVALID_AMOUNT: errors.WITHDRAW_AMOUNT,
}


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
    """DepositAddresses."""
    asset = desk.names.asset(call.params.get("asset"))
    network = _network(asset, p.text(call.params, "method"))
    where = desk.exchange.deposit_address(call.account, asset.code, network.network)
    found: dict[str, Any] = {"address": where.address, "expiretm": "0", "new": False}
    if where.tag is not None:
        found["tag"] = where.tag
    return [found]


def _window(call: Call) -> dict[str, int | None]:
    start, end = p.decimal(call.params, "start"), p.decimal(call.params, "end")
    return {
        "start_ms": None if start is None else int(start * 1000),
        "end_ms": None if end is None else int(end * 1000),
    }


def deposit_status(desk: Desk, call: Call) -> list[dict[str, Any]]:
    """DepositStatus, newest first."""
    rows = [
        (asset, row)
        for asset in _assets(desk, call)
        for row in desk.exchange.deposits(call.account, asset=asset.code, **_window(call))
    ]
    rows.sort(key=lambda pair: -pair[1].created_ms)
    return [_transfer(desk, asset, row, row.amount, ZERO) for asset, row in rows]


def withdraw_status(desk: Desk, call: Call) -> list[dict[str, Any]]:
    """WithdrawStatus, newest first."""
    rows = [
        (asset, row)
        for asset in _assets(desk, call)
        for row in desk.exchange.withdrawals(call.account, asset=asset.code, **_window(call))
    ]
    rows.sort(key=lambda pair: -pair[1].created_ms)
    return [
        _transfer(desk, asset, row, row.amount - row.fee, row.fee) | {"key": row.client_id or row.address}
        for asset, row in rows
    ]


def _transfer(desk: Desk, asset: Asset, row: Deposit | Withdrawal, amount: Decimal, fee: Decimal) -> dict[str, Any]:
    return {
        "method": method_of(asset, row.network),
        "network": network_name(row.network),
        "aclass": "currency",
        "asset": asset.id,
        "refid": desk.ids.transfer(row.id),
        "txid": row.tx_id,
        "info": row.address,
        "amount": fixed(amount, asset.decimals),
        "fee": fixed(fee, asset.decimals),
        "time": row.created_ms // 1000,
        "status": "Success",
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


def withdraw_info(desk: Desk, call: Call) -> dict[str, Any]:
    """WithdrawInfo."""
    asset = desk.names.asset(call.params.get("asset"))
    amount = p.need(call.params, "amount")
    held = desk.exchange.balances(call.account).get(asset.code)
    spec = asset.spec.networks[0]
    return {
        "method": method_of(asset, spec.network),
        "limit": fixed(min(spec.withdraw_max, held.free) if held else ZERO, asset.decimals),
        "amount": fixed(max(amount - spec.withdraw_fee, ZERO), asset.decimals),
        "fee": fixed(spec.withdraw_fee, asset.decimals),
    }


def withdraw(desk: Desk, call: Call) -> dict[str, Any]:
    """Withdraw: the key, elsewhere the name of an address on file, is the address itself unless one is given."""
    asset = desk.names.asset(call.params.get("asset"))
    key = p.text(call.params, "key")
    if key is None:
        raise ApiError(errors.WITHDRAW_KEY)
    try:
        record = desk.exchange.withdraw(
            call.account,
            asset.code,
            p.need(call.params, "amount"),
            address=p.text(call.params, "address") or key,
            client_id=key,
        )
    except EngineReject as reject:
        if reject.reason not in _REFUSALS:
            raise
        raise ApiError(_REFUSALS[reject.reason]) from reject
    return {"refid": desk.ids.transfer(record.id)}


def withdraw_cancel(desk: Desk, call: Call) -> bool:
    """WithdrawCancel: what is complete cannot be called back."""
    refid = p.text(call.params, "refid")
    if all(desk.ids.transfer(row.id) != refid for row in desk.exchange.withdrawals(call.account)):
        raise ApiError(errors.UNKNOWN_REFERENCE)
    return False
