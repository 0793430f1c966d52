"""Every path of REST: what answers, what the key must allow, what it costs (guide "REST rate limits")."""

from __future__ import annotations

from typing import Final

from planar.venue.wire.kraken import account, funding, orders, public, subaccounts
from planar.venue.wire.kraken.desk import Endpoint
from planar.venue.wire.kraken.keys import Right

PUBLIC: Final[dict[str, Endpoint]] = {
    "/0/public/Time": Endpoint(public.time),
    "/0/public/SystemStatus": Endpoint(public.system_status),
    "/0/public/Assets": Endpoint(public.assets),
    "/0/public/AssetPairs": Endpoint(public.asset_pairs),
    "/0/public/Ticker": Endpoint(public.ticker),
    "/0/public/OHLC": Endpoint(public.ohlc),
    "/0/public/Depth": Endpoint(public.depth),
    "/0/public/Trades": Endpoint(public.trades),
    "/0/public/Spread": Endpoint(public.spread),
}

_REFUSED: Final = (
    "AddExport",
    "ExportStatus",
    "RetrieveExport",
    "RemoveExport",
    "Earn/Allocate",
    "Earn/Deallocate",
    "Earn/AllocateStatus",
    "Earn/DeallocateStatus",
    "Earn/Allocations",
    "Earn/Strategies",
    "CreditLines",
)
"""What needs a permission that no key here has."""

PRIVATE: Final[dict[str, Endpoint]] = {
    "/0/private/Balance": Endpoint(account.balance, Right.QUERY, 1),
    "/0/private/BalanceEx": Endpoint(account.balance_ex, Right.QUERY, 1),
    "/0/private/TradeBalance": Endpoint(account.trade_balance, Right.QUERY, 1),
    "/0/private/OpenOrders": Endpoint(account.open_orders, Right.QUERY, 1),
    "/0/private/ClosedOrders": Endpoint(account.closed_orders, Right.QUERY, 1),
    "/0/private/QueryOrders": Endpoint(account.query_orders, Right.QUERY, 1),
    "/0/private/OrderAmends": Endpoint(account.order_amends, Right.QUERY, 1),
    "/0/private/TradesHistory": Endpoint(account.trades_history, Right.QUERY, 2),
    "/0/private/QueryTrades": Endpoint(account.query_trades, Right.QUERY, 1),
    "/0/private/OpenPositions": Endpoint(account.open_positions, Right.QUERY, 1),
    "/0/private/Ledgers": Endpoint(account.ledgers, Right.QUERY, 2),
    "/0/private/QueryLedgers": Endpoint(account.query_ledgers, Right.QUERY, 2),
    "/0/private/TradeVolume": Endpoint(account.trade_volume, Right.QUERY, 1),
    "/0/private/GetWebSocketsToken": Endpoint(account.websockets_token, Right.QUERY, 1),
    "/0/private/AddOrder": Endpoint(orders.add_order, Right.TRADE),
    "/0/private/AddOrderBatch": Endpoint(orders.add_order_batch, Right.TRADE),
    "/0/private/AmendOrder": Endpoint(orders.amend_order, Right.TRADE),
    "/0/private/EditOrder": Endpoint(orders.edit_order, Right.TRADE),
    "/0/private/CancelOrder": Endpoint(orders.cancel_order, Right.TRADE),
    "/0/private/CancelOrderBatch": Endpoint(orders.cancel_order_batch, Right.TRADE),
    "/0/private/CancelAll": Endpoint(orders.cancel_all, Right.TRADE, 1),
    "/0/private/CancelAllOrdersAfter": Endpoint(orders.cancel_all_after, Right.TRADE, 1),
    "/0/private/DepositMethods": Endpoint(funding.deposit_methods, Right.FUNDS, 1),
    "/0/private/DepositAddresses": Endpoint(funding.deposit_addresses, Right.FUNDS, 1),
    "/0/private/DepositStatus": Endpoint(funding.deposit_status, Right.FUNDS, 1),
    "/0/private/WithdrawMethods": Endpoint(funding.withdraw_methods, Right.WITHDRAW, 1),
    "/0/private/WithdrawAddresses": Endpoint(funding.withdraw_addresses, Right.WITHDRAW, 1),
    "/0/private/WithdrawInfo": Endpoint(funding.withdraw_info, Right.WITHDRAW, 1),
    "/0/private/Withdraw": Endpoint(funding.withdraw, Right.WITHDRAW, 1),
    "/0/private/WithdrawStatus": Endpoint(funding.withdraw_status, Right.WITHDRAW, 1),
    "/0/private/WithdrawCancel": Endpoint(funding.withdraw_cancel, Right.WITHDRAW, 1),
    "/0/private/WalletTransfer": Endpoint(subaccounts.wallet_transfer, Right.WITHDRAW, 1),
    "/0/private/CreateSubaccount": Endpoint(subaccounts.create_subaccount, Right.WITHDRAW, 1),
    "/0/private/AccountTransfer": Endpoint(subaccounts.account_transfer, Right.WITHDRAW, 1),
    "/0/private/GetApiKeyInfo": Endpoint(subaccounts.key_info, cost=1),
    **{f"/0/private/{name}": Endpoint(subaccounts.no_permission, cost=1) for name in _REFUSED},
}
