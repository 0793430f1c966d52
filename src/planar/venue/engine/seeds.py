"""Accounts that exist when a venue starts: funds, deposits, withdrawals, orders open and ended, fills.

Every fill is one side of a public trade of the invented past, so that trades, fills, orders, balances and ledger tell
one story.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple

from planar.venue.engine import addresses
from planar.venue.engine.bars import H1
from planar.venue.engine.enums import OrderKind, OrderStatus, Side, TimeInForce
from planar.venue.engine.exchange import VirtualExchange
from planar.venue.engine.history import History, RawTrade
from planar.venue.engine.market import Market
from planar.venue.engine.movements import SavedAddress
from planar.venue.engine.noise import Stream
from planar.venue.engine.orders import LiveOrder
from planar.venue.engine.types import NewOrder
from planar.venue.engine.units import to_decimal
from planar.venue.engine.withdrawals import WithdrawalRequest

_SEARCHED_TRADES = 200
_SEARCHED_PAGES = 50
_LEAST_NOTIONALS = 10
"""Least size of the trades that become fills, in smallest orders; the largest are a hundred times that."""


class _Transfer(NamedTuple):
    """A deposit, or a withdrawal if negative."""

    hours_ago: float
    account: str
    asset: str
    amount: str


class _PastOrder(NamedTuple):
    """A limit order that ended: filled whole, or `canceled` with a rest of the same size as what was filled."""

    hours_ago: float
    account: str
    symbol: str
    side: Side
    is_maker: bool
    canceled: bool = False


class _OpenOrder(NamedTuple):
    """An order that still works, at a distance from the last price."""

    hours_ago: float
    account: str
    symbol: str
    side: Side
    amount: str
    distance: str
    kind: OrderKind = OrderKind.LIMIT


_ACCOUNTS = ("alice", "bob", "carol")

_PLAN: tuple[_Transfer | _PastOrder | _OpenOrder, ...] = (
    _Transfer(160.0, "alice", "USDT", "250000"),
    _Transfer(159.5, "alice", "BTC", "3"),
    _Transfer(159.0, "alice", "ETH", "40"),
    _Transfer(158.5, "alice", "BNB", "100"),
    _Transfer(158.0, "alice", "SOL", "500"),
    _Transfer(157.5, "alice", "XRP", "20000"),
    _Transfer(157.0, "alice", "USDC", "50000"),
    _Transfer(140.0, "bob", "USDT", "50000"),
    _Transfer(139.0, "bob", "BTC", "0.5"),
    _Transfer(138.0, "bob", "ETH", "5"),
    _Transfer(120.0, "carol", "USDT", "1000"),
    _PastOrder(96.0, "alice", "BTC/USDT", Side.BUY, is_maker=False),
    _PastOrder(90.5, "alice", "ETH/USDT", Side.SELL, is_maker=True),
    _PastOrder(80.2, "bob", "BTC/USDT", Side.SELL, is_maker=False),
    _Transfer(72.0, "alice", "USDT", "-1000"),
    _Transfer(66.0, "alice", "BTC", "-0.1"),
    _PastOrder(60.7, "alice", "BTC/USDT", Side.SELL, is_maker=True, canceled=True),
    _PastOrder(48.3, "alice", "SOL/USDT", Side.BUY, is_maker=False),
    _PastOrder(30.1, "bob", "ETH/USDT", Side.BUY, is_maker=True),
    _Transfer(24.0, "bob", "USDT", "2500"),
    _PastOrder(20.4, "alice", "BTC/USDT", Side.BUY, is_maker=True),
    _PastOrder(11.9, "alice", "ETH/BTC", Side.BUY, is_maker=False),
    _PastOrder(5.6, "bob", "BTC/USDT", Side.BUY, is_maker=False, canceled=True),
    _PastOrder(2.2, "alice", "BTC/USDT", Side.SELL, is_maker=False),
    _OpenOrder(0.9, "alice", "BTC/USDT", Side.BUY, "0.05", "-0.2"),
    _OpenOrder(0.8, "alice", "BTC/USDT", Side.SELL, "0.04", "0.2"),
    _OpenOrder(0.7, "alice", "ETH/USDT", Side.SELL, "0.5", "-0.25", OrderKind.STOP_LOSS_LIMIT),
    _OpenOrder(0.5, "bob", "ETH/USDT", Side.BUY, "1.5", "-0.2"),
)
"""In the order of time."""


def seed_accounts(exchange: VirtualExchange, histories: Mapping[str, History]) -> None:
    """Opens the accounts and lets their past happen. For an exchange that has not begun to trade."""
    for account in _ACCOUNTS:
        exchange.add_account(account)
        exchange.save_addresses(account, _vaults(exchange, account), allowed_only=False)
    _Seeder(exchange, histories).run()


def _vaults(exchange: VirtualExchange, account: str) -> list[SavedAddress]:
    """Addresses outside the exchange that an account keeps: for each asset `btc-vault` and so on."""
    found: list[SavedAddress] = []
    for asset, spec in exchange.assets.items():
        network = spec.networks[0]
        draws = Stream(exchange.seed, "vault", account, network.network)
        address = addresses.address(network.network, draws)
        tag = draws.text(9, "123456789") if network.needs_tag else None
        name = f"{asset.lower()}-vault"
        found.append(SavedAddress(name=name, asset=asset, network=network.network, address=address, tag=tag))
    return found


class _Seeder:
    def __init__(self, exchange: VirtualExchange, histories: Mapping[str, History]) -> None:
        self._core = exchange.core
        self._histories = histories
        self._funds = exchange.funds
        self._start = exchange.now_ms()

    def run(self) -> None:
        """Works through the plan."""
        for row in _PLAN:
            at = self._start - int(row.hours_ago * H1)
            if isinstance(row, _Transfer):
                self._transfer(row, at)
            elif isinstance(row, _PastOrder):
                self._past_order(row, at)
            else:
                self._open_order(row, at)

    def _transfer(self, row: _Transfer, at: int) -> None:
        account = self._core.accounts.get(row.account)
        amount = Decimal(row.amount)
        if amount > 0:
            self._funds.deposits.begin(account, row.asset, amount, None, at)
            return
        vault = next(one for one in account.addresses if one.asset == row.asset)
        request = WithdrawalRequest(
            asset=row.asset, amount=-amount, address=vault.address, network=vault.network, tag=vault.tag
        )
        self._funds.withdrawals.begin(account, request, at, 0)

    def _past_order(self, row: _PastOrder, at: int) -> None:
        market = self._core.market(row.symbol)
        trade = self._find_trade(market, row, at)
        is_buy = row.side is Side.BUY
        order = LiveOrder(
            market=market,
            account=self._core.accounts.get(row.account),
            is_buy=is_buy,
            kind=OrderKind.LIMIT,
            tif=TimeInForce.GTC,
            mode=market.spec.default_self_trade_mode,
            price=trade.price,
            lots=2 * trade.lots if row.canceled else trade.lots,
            id=market.order_id_at(trade.id),
            client_id=self._core.intake.make_client_id(),
            status=OrderStatus.CANCELED if row.canceled else OrderStatus.FILLED,
            filled=trade.lots,
            quote_filled=trade.lots * trade.price * market.lot_value,
            created_ms=at if row.is_maker else trade.ts_ms,
            updated_ms=trade.ts_ms + (H1 // 4 if row.canceled else 0),
            working_ms=at if row.is_maker else trade.ts_ms,
        )
        other = LiveOrder(
            market=market,
            account=self._core.accounts.market,
            is_buy=not is_buy,
            kind=OrderKind.LIMIT,
            id=order.id + 1,
        )
        log = order.account.log(row.symbol)
        log.add(order)
        del log.open[order.id]
        maker, taker = (order, other) if row.is_maker else (other, order)
        self._core.matcher.book_trade(maker, taker, trade.id, trade.price, trade.lots, trade.ts_ms)

    def _find_trade(self, market: Market, row: _PastOrder, at: int) -> RawTrade:
        """The first trade after a time that fits the order."""
        history = self._histories[row.symbol]
        taker_bought = (row.side is Side.BUY) != row.is_maker
        least = market.spec.min_notional * _LEAST_NOTIONALS
        start = history.id_at(at)
        # in a quiet hour the first trades may all be too small, so the search goes on page by page
        for page in range(_SEARCHED_PAGES):
            for trade in history.trades(start + page * _SEARCHED_TRADES, _SEARCHED_TRADES):
                quote = to_decimal(trade.price * trade.lots * market.lot_value)
                if trade.taker_bought == taker_bought and least <= quote <= 100 * least:
                    return trade
        raise ValueError(f"{row.symbol}: no trade after {at} fits a seeded order")

    def _open_order(self, row: _OpenOrder, at: int) -> None:
        market = self._core.market(row.symbol)
        if market.last is None:
            raise ValueError(f"{row.symbol} has no last price")
        ticks = int(market.last * (1 + Decimal(row.distance)))
        price = to_decimal(ticks * market.tick_units)
        is_stop = row.kind is OrderKind.STOP_LOSS_LIMIT
        new = NewOrder(
            account=row.account,
            symbol=row.symbol,
            side=row.side,
            kind=row.kind,
            amount=Decimal(row.amount),
            price=price,
            stop_price=price if is_stop else None,
        )
        order = self._core.intake.check(new, self._core.accounts.get(row.account), market)
        order.client_id = self._core.intake.make_client_id()
        following = market.next_order_id
        market.next_order_id = market.order_id_at(self._histories[row.symbol].id_at(at))
        self._core.matcher.accept(order, at)
        market.next_order_id = following
