"""The paths of `/sapi`, with weights and security types as in the wallet and sub-account sections."""

from __future__ import annotations

from typing import Final

from planar.venue.wire.binance import assets, permissions, sub_accounts, wallet
from planar.venue.wire.binance.desk import Endpoint, Handler
from planar.venue.wire.binance.keys import Right


def _wallet(handler: Handler, weight: int = 1, right: Right = Right.USER_DATA) -> Endpoint:
    return Endpoint(handler, weight, right, signed=True, sapi=True)


_OF_ACCOUNT: Final = 1
"""What the exchange charges to the account (UID) and not to the address. Its limit, 180,000 a minute, is not kept here."""
_FAST: Final = _wallet(permissions.fast_withdraw)

SAPI: Final[dict[tuple[str, str], Endpoint]] = {
    ("GET", "v1/system/status"): Endpoint(wallet.system_status, sapi=True, always=True),
    ("GET", "v1/capital/config/getall"): _wallet(wallet.assets, 10),
    ("GET", "v1/capital/deposit/hisrec"): _wallet(wallet.deposits),
    ("GET", "v1/capital/deposit/address"): _wallet(wallet.deposit_address, 10),
    ("GET", "v1/capital/deposit/address/list"): _wallet(wallet.deposit_addresses, 10),
    ("GET", "v1/capital/deposit/subAddress"): _wallet(sub_accounts.deposit_address),
    ("GET", "v1/capital/deposit/subHisrec"): _wallet(sub_accounts.deposits),
    ("GET", "v1/capital/withdraw/history"): _wallet(wallet.withdrawals, _OF_ACCOUNT),
    ("GET", "v1/capital/withdraw/address/list"): _wallet(wallet.saved_addresses, 10),
    ("POST", "v1/capital/withdraw/apply"): _wallet(wallet.withdraw, _OF_ACCOUNT, Right.WITHDRAW),
    ("GET", "v1/asset/tradeFee"): _wallet(assets.trade_fees),
    ("GET", "v1/asset/assetDetail"): _wallet(assets.asset_detail),
    ("GET", "v1/asset/wallet/balance"): _wallet(assets.wallet_balances, 60),
    ("POST", "v3/asset/getUserAsset"): _wallet(assets.user_assets, 5),
    ("POST", "v1/asset/get-funding-asset"): _wallet(assets.funding_assets),
    ("POST", "v1/asset/transfer"): _wallet(assets.transfer, _OF_ACCOUNT, Right.TRANSFER),
    ("GET", "v1/asset/transfer"): _wallet(assets.transfers),
    ("GET", "v1/asset/assetDividend"): _wallet(assets.empty_rows, 10),
    ("GET", "v1/asset/dribblet"): _wallet(assets.dribblets),
    ("POST", "v1/asset/dust-btc"): _wallet(assets.dust),
    ("POST", "v1/asset/dust"): _wallet(assets.convert_dust, _OF_ACCOUNT, Right.TRADE),
    ("GET", "v1/account/apiRestrictions"): _wallet(permissions.key_restrictions),
    ("GET", "v1/account/apiTradingStatus"): _wallet(permissions.trading_status),
    ("GET", "v1/account/info"): _wallet(permissions.account_info),
    ("GET", "v1/account/status"): _wallet(permissions.account_status),
    ("GET", "v1/accountSnapshot"): _wallet(permissions.snapshots, 2400),
    ("POST", "v1/account/enableFastWithdrawSwitch"): _FAST,
    ("POST", "v1/account/disableFastWithdrawSwitch"): _FAST,
    ("POST", "v1/sub-account/virtualSubAccount"): _wallet(sub_accounts.create),
    ("GET", "v1/sub-account/list"): _wallet(sub_accounts.listing),
    ("GET", "v1/sub-account/spotSummary"): _wallet(sub_accounts.summary),
    ("GET", "v3/sub-account/assets"): _wallet(sub_accounts.holdings_as_numbers, 60),
    ("GET", "v4/sub-account/assets"): _wallet(sub_accounts.holdings, 60),
    ("POST", "v1/sub-account/universalTransfer"): _wallet(sub_accounts.universal_transfer, _OF_ACCOUNT, Right.TRANSFER),
    ("GET", "v1/sub-account/universalTransfer"): _wallet(sub_accounts.universal_transfers),
    ("POST", "v1/sub-account/transfer/subToMaster"): _wallet(sub_accounts.to_master, 1, Right.TRANSFER),
    ("GET", "v1/convert/tradeFlow"): _wallet(assets.convert_flow, _OF_ACCOUNT),
    ("GET", "v1/convert/assetInfo"): _wallet(assets.empty_list, 100),
    ("GET", "v1/fiat/orders"): _wallet(assets.empty_fiat, _OF_ACCOUNT),
    ("GET", "v1/fiat/payments"): _wallet(assets.empty_fiat),
    ("GET", "v1/pay/transactions"): _wallet(assets.empty_pay, _OF_ACCOUNT),
    ("GET", "v1/margin/allPairs"): Endpoint(assets.empty_list, 1, Right.USER_STREAM, sapi=True),
    ("GET", "v1/margin/isolated/allPairs"): _wallet(assets.empty_list, 10),
    ("GET", "v1/margin/interestHistory"): _wallet(assets.empty_rows),
}
"""Every endpoint of `/sapi`, by method and path."""
