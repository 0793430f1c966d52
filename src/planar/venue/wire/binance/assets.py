"""The wallet (`/sapi`): what an account holds and moves between its wallets, and what it pays.

An account has a spot and a funding wallet. Margin, futures, savings and dust do not exist here; questions about them
get the exchange's empty answers, transfers to them its refusals. Source: the wallet section ("Asset") of the exchange's
documentation and its list of error codes.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, Final

from planar.venue.engine.enums import TransferStatus, Wallet
from planar.venue.engine.movements import Transfer
from planar.venue.engine.rejects import EngineReject, RejectReason
from planar.venue.wire.binance import errors
from planar.venue.wire.binance.desk import Call, Desk
from planar.venue.wire.binance.errors import ApiError
from planar.venue.wire.binance.formats import plain
from planar.venue.wire.binance.params import LEGAL_ASSET, Params, given
from planar.venue.wire.binance.worth import BITCOIN, NOTHING, in_bitcoin

TRANSFERS: Final = {"MAIN_FUNDING": (Wallet.SPOT, Wallet.FUNDING), "FUNDING_MAIN": (Wallet.FUNDING, Wallet.SPOT)}
"""The transfer types between wallets that exist here."""
TRANSFER_TYPE: Final = re.compile(
    r"(MAIN|FUNDING|UMFUTURE|CMFUTURE|MARGIN|ISOLATED_?MARGIN|PORTFOLIO_MARGIN|OPTION)_"
    r"(MAIN|FUNDING|UMFUTURE|CMFUTURE|MARGIN|ISOLATED_?MARGIN|PORTFOLIO_MARGIN|OPTION)\Z"
)
TRANSFER_NAMES: Final = {wallets: name for name, wallets in TRANSFERS.items()}
TRANSFER_STATUSES: Final = {
    TransferStatus.PENDING: "PENDING",
    TransferStatus.COMPLETED: "CONFIRMED",
    TransferStatus.FAILED: "FAILED",
}
TRANSFER_REFUSALS: Final = {
    RejectReason.INSUFFICIENT_BALANCE: (-5002, "You have insufficient balance."),
    RejectReason.INVALID_AMOUNT: (-5007, "Quantity must be greater than zero."),
    RejectReason.UNKNOWN_ASSET: (-4018, "We don't have this asset."),
    RejectReason.NOT_RELATED: (-5021, "This parent sub have no relation"),
}
PAGE_DEFAULT: Final = 10
PAGE_MAX: Final = 100


def user_assets(desk: Desk, call: Call) -> Any:
    """POST /sapi/v3/asset/getUserAsset: what is there, in the spot wallet."""
    asset = call.params.text("asset", LEGAL_ASSET)
    valued = call.params.boolean("needBtcValuation") or False
    held, leaving = desk.exchange.balances(call.account), desk.exchange.withdrawing(call.account)
    return [
        {
            "asset": balance.asset,
            "free": plain(balance.free),
            "locked": plain(balance.locked),
            "freeze": "0",
            "withdrawing": plain(leaving.get(balance.asset, NOTHING)),
            "ipoable": "0",
            "btcValuation": plain(in_bitcoin(desk.exchange, balance) if valued else NOTHING),
        }
        for balance in held.values()
        if (balance.total or leaving.get(balance.asset)) and asset in (None, balance.asset)
    ]


def funding_assets(desk: Desk, call: Call) -> Any:
    """POST /sapi/v1/asset/get-funding-asset."""
    asset = call.params.text("asset", LEGAL_ASSET)
    valued = call.params.boolean("needBtcValuation") or False
    return [
        {
            "asset": balance.asset,
            "free": plain(balance.free),
            "locked": "0",
            "freeze": "0",
            "withdrawing": "0",
            "btcValuation": plain(in_bitcoin(desk.exchange, balance) if valued else NOTHING),
        }
        for balance in desk.exchange.funding(call.account).values()
        if balance.total and asset in (None, balance.asset)
    ]


def wallet_balances(desk: Desk, call: Call) -> Any:
    """GET /sapi/v1/asset/wallet/balance: the worth of each wallet in BTC."""
    quote = call.params.text("quoteAsset", LEGAL_ASSET)
    if quote not in (None, BITCOIN):
        raise errors.not_valid("quoteAsset")
    wallets = {"Spot": desk.exchange.balances(call.account), "Funding": desk.exchange.funding(call.account)}
    return [
        {
            "activate": True,
            "balance": plain(sum((in_bitcoin(desk.exchange, balance) for balance in held.values()), NOTHING)),
            "walletName": name,
        }
        for name, held in wallets.items()
    ]


def transfer(desk: Desk, call: Call) -> Any:
    """POST /sapi/v1/asset/transfer."""
    params = call.params
    source, target = _wallets(_transfer_type(params))
    asset = given("asset", params.text("asset", LEGAL_ASSET))
    amount = given("amount", params.decimal("amount"))
    row = move(desk, (call.account, source), (call.account, target), asset, amount)
    return {"tranId": int(row.id)}


def move(
    desk: Desk,
    source: tuple[str, Wallet],
    target: tuple[str, Wallet],
    asset: str,
    amount: Decimal,
    client_id: str | None = None,
) -> Transfer:
    """Carry a transfer out.

    Raises:
        ApiError: the exchange refuses it.
    """
    try:
        return desk.exchange.transfer(source, target, asset, amount, client_id=client_id)
    except EngineReject as reject:
        raise ApiError(*TRANSFER_REFUSALS[reject.reason]) from reject


def transfers(desk: Desk, call: Call) -> Any:
    """GET /sapi/v1/asset/transfer, newest first."""
    params = call.params
    wallets = TRANSFERS.get(_transfer_type(params))
    start_ms, end_ms = params.time_ms("startTime"), params.time_ms("endTime")
    rows = [
        row
        for row in desk.exchange.transfers([call.account], start_ms=start_ms, end_ms=end_ms)
        if row.from_account == row.to_account and (row.from_wallet, row.to_wallet) == wallets
    ]
    return {"total": len(rows), "rows": [_transfer(row) for row in page(params, rows)]}


def _transfer(row: Transfer) -> dict[str, Any]:
    return {
        "asset": row.asset,
        "amount": plain(row.amount),
        "type": TRANSFER_NAMES[row.from_wallet, row.to_wallet],
        "status": TRANSFER_STATUSES[row.status],
        "tranId": int(row.id),
        "timestamp": row.created_ms,
    }


def _transfer_type(params: Params) -> str:
    """`type`, one that the exchange has."""
    word = given("type", params.raw("type"))
    if not TRANSFER_TYPE.match(word):
        raise errors.not_valid("type")
    return word


def _wallets(word: str) -> tuple[Wallet, Wallet]:
    """Where a transfer of this type goes. Nobody here has the wallets of the other types."""
    if word in TRANSFERS:
        return TRANSFERS[word]
    if "MARGIN" in word:
        raise ApiError(-3003, "Margin account does not exist.")
    raise ApiError(-5011, "future account not exists.")


def page(params: Params, rows: list[Transfer]) -> list[Transfer]:
    """One page by `current` (from 1) and `size`."""
    current, size = params.integer("current"), params.integer("size")
    if current == 0 or size == 0:
        raise errors.not_valid("current" if current == 0 else "size")
    length = min(size or PAGE_DEFAULT, PAGE_MAX)
    start = ((current or 1) - 1) * length
    return rows[start : start + length]


def asset_detail(desk: Desk, call: Call) -> Any:
    """GET /sapi/v1/asset/assetDetail, of each asset's default network."""
    asset = call.params.text("asset", LEGAL_ASSET)
    return {
        spec.asset: {
            "minWithdrawAmount": plain(spec.networks[0].withdraw_min),
            "depositStatus": True,
            "withdrawFee": plain(spec.networks[0].withdraw_fee),
            "withdrawStatus": True,
        }
        for spec in desk.exchange.assets.values()
        if asset in (None, spec.asset)
    }


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


def dust(desk: Desk, call: Call) -> Any:
    """POST /sapi/v1/asset/dust-btc: nothing that could be turned into BNB."""
    return {"details": [], "totalTransferBtc": "0", "totalTransferBNB": "0", "dribbletPercentage": "0"}


def convert_dust(desk: Desk, call: Call) -> Any:
    """POST /sapi/v1/asset/dust: no asset here counts as dust."""
    asset = given("asset", call.params.text("asset", LEGAL_ASSET))
    raise ApiError(-5004, f"The residual balances of {asset} have exceeded 0.001BTC, Please re-choose.")


def dribblets(desk: Desk, call: Call) -> Any:
    """GET /sapi/v1/asset/dribblet: nothing was ever turned into BNB."""
    return {"total": 0, "userAssetDribblets": []}


def convert_flow(desk: Desk, call: Call) -> Any:
    """GET /sapi/v1/convert/tradeFlow: no conversions here."""
    params = call.params
    start_ms, end_ms = (given(name, params.time_ms(name)) for name in ("startTime", "endTime"))
    limit = params.limit(PAGE_MAX, 10 * PAGE_MAX)
    return {"list": [], "startTime": start_ms, "endTime": end_ms, "limit": limit, "moreData": False}


def empty_list(desk: Desk, call: Call) -> Any:
    """What does not exist here, where the exchange answers a list."""
    return []


def empty_rows(desk: Desk, call: Call) -> Any:
    """What does not exist here, where the exchange answers rows and their number."""
    return {"total": 0, "rows": []}


def empty_fiat(desk: Desk, call: Call) -> Any:
    """GET /sapi/v1/fiat/orders and payments: no fiat here."""
    return {"code": "000000", "message": "success", "data": [], "total": 0, "success": True}


def empty_pay(desk: Desk, call: Call) -> Any:
    """GET /sapi/v1/pay/transactions: nobody paid anybody."""
    return {"code": "000000", "message": "success", "data": [], "success": True}
