"""REST, sub-accounts and wallets: made and moved money to by the account that they belong to.

Kraken calls accounts by a public id, the IIBAN. Source: the reference ("Subaccounts", "Funding", "Get API Key Info").
"""

from __future__ import annotations

import re
from typing import Any, Final

from planar.venue.engine.enums import TransferStatus, Wallet
from planar.venue.engine.rejects import EngineReject, RejectReason
from planar.venue.wire.kraken import errors
from planar.venue.wire.kraken import params as p
from planar.venue.wire.kraken.desk import Call, Desk
from planar.venue.wire.kraken.errors import ApiError
from planar.venue.wire.kraken.keys import Right

LEGAL_NAME: Final = re.compile(r"[a-zA-Z0-9_-]{1,32}\Z")
_WALLETS: Final = ("Spot Wallet", "Futures Wallet")
_PERMISSIONS: Final = {
    Right.QUERY: ("query-funds", "query-open-trades", "query-closed-trades", "query-ledger"),
    Right.FUNDS: ("add-funds",),
    Right.WITHDRAW: ("withdraw-funds",),
    Right.TRADE: ("modify-trades", "close-trades"),
}
_REFUSALS: Final = {
    RejectReason.INSUFFICIENT_BALANCE: errors.WITHDRAW_FUNDS,
    RejectReason.INVALID_AMOUNT: errors.WITHDRAW_AMOUNT,
}


def create_subaccount(desk: Desk, call: Call) -> bool:
    """CreateSubaccount."""
    name, email = p.text(call.params, "username"), p.text(call.params, "email")
    _only_masters(desk, call)
    if name is None or not LEGAL_NAME.match(name) or name in desk.exchange.accounts():
        raise errors.invalid("username")
    if email is None or "@" not in email:
        raise errors.invalid("email")
    desk.exchange.add_account(name, master=call.account)
    return True


def account_transfer(desk: Desk, call: Call) -> dict[str, Any]:
    """AccountTransfer, from and to the caller and its sub-accounts."""
    _only_masters(desk, call)
    asset = desk.names.asset(call.params.get("asset"))
    source, target = (_member(desk, call, field) for field in ("from", "to"))
    if source == target:
        raise errors.invalid("to")
    try:
        row = desk.exchange.transfer(
            (source, Wallet.SPOT), (target, Wallet.SPOT), asset.code, p.need(call.params, "amount")
        )
    except EngineReject as reject:
        if reject.reason not in _REFUSALS:
            raise
        raise ApiError(_REFUSALS[reject.reason]) from reject
    status = "complete" if row.status is TransferStatus.COMPLETED else "pending"
    return {"transfer_id": desk.ids.transfer(row.id), "status": status}


def wallet_transfer(desk: Desk, call: Call) -> dict[str, Any]:
    """WalletTransfer, which goes from the spot to the futures wallet: nobody here has one."""
    desk.names.asset(call.params.get("asset"))
    p.need(call.params, "amount")
    for field, wallet in zip(("from", "to"), _WALLETS, strict=True):
        if p.text(call.params, field) != wallet:
            raise errors.invalid(field)
    raise ApiError(errors.PERMISSION)


def key_info(desk: Desk, call: Call) -> dict[str, Any]:
    """GetApiKeyInfo. Keys have no time limits here; a key is named after its place among its account's."""
    if call.key is None:
        raise RuntimeError("a public endpoint has no key")
    key = call.key
    created = str(desk.exchange.profile(key.account).opened_ms // 1000)
    return {
        "apiKeyName": desk.keys.name_of(key.key),
        "apiKey": key.key,
        "nonce": str(key.nonce),
        "nonceWindow": 0,
        "permissions": [name for right, names in _PERMISSIONS.items() if right in key.rights for name in names],
        "iban": desk.ids.account(key.account),
        "validUntil": "0",
        "queryFrom": "0",
        "queryTo": "0",
        "createdTime": created,
        "modifiedTime": created,
        "ipAllowlist": sorted(key.addresses or ()),
        "lastUsed": str(desk.exchange.now_ms() // 1000),
    }


def no_permission(_desk: Desk, _call: Call) -> Any:
    """What no key here may do: exports of data, earning."""
    raise ApiError(errors.PERMISSION)


def _only_masters(desk: Desk, call: Call) -> None:
    if desk.exchange.profile(call.account).master is not None:
        raise ApiError(errors.PERMISSION)


def _member(desk: Desk, call: Call, field: str) -> str:
    """Which of the caller's accounts a field names. Raises ApiError."""
    wanted = p.text(call.params, field)
    for name in [call.account, *desk.exchange.sub_accounts(call.account)]:
        if desk.ids.account(name) == wanted:
            return name
    raise errors.invalid(field)
