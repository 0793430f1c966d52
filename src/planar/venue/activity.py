"""Activity on the seeded accounts: twice a second one of them trades, so that their private streams are never silent.

Each turn is a market order that fills at once and a limit order far from the market that is canceled in the next turn
of the same account. Purchases and sales alternate, so that positions stay where they were but for the fees. While nobody
listens they take their time: what accounts do is kept for ever, and a day of it should be small.
"""

from __future__ import annotations

from decimal import ROUND_UP, Decimal
from typing import Final

from planar.venue.engine.enums import OrderKind, Side
from planar.venue.engine.exchange import VirtualExchange
from planar.venue.engine.specs import SymbolSpec
from planar.venue.engine.types import NewOrder, OrderRef

PERIOD_MS: Final = 500
ALONE_MS: Final = 10_000
"""Time between two turns while nobody listens."""
SYMBOLS: Final = ("BTC/USDT", "ETH/USDT")
NOTIONALS: Final = 4
"""Size of an order in units of the market's smallest notional."""
FAR: Final = Decimal("0.9")
"""Price of the resting order, as a part of the last price."""


class Activity:
    """Trades in turn on all accounts."""

    def __init__(self, exchange: VirtualExchange) -> None:
        self._exchange = exchange
        self._turns = [
            (account, symbol, side)
            for symbol in SYMBOLS
            for side in (Side.BUY, Side.SELL)
            for account in exchange.accounts()
        ]
        self._turn = 0
        self._resting: dict[tuple[str, str], int] = {}
        self._last_ms = 0

    def tick(self, now_ms: int, *, heard: bool) -> None:
        """Trade if it is time; `heard`: somebody has a stream open."""
        if self._turns and now_ms - self._last_ms >= (PERIOD_MS if heard else ALONE_MS):
            self._last_ms = now_ms
            account, symbol, side = self._turns[self._turn % len(self._turns)]
            self._turn += 1
            self._trade(account, self._exchange.symbols[symbol], side)

    def _trade(self, account: str, spec: SymbolSpec, side: Side) -> None:
        exchange = self._exchange
        resting = self._resting.pop((account, spec.symbol), None)
        if resting is not None and exchange.order(account, spec.symbol, OrderRef(resting)).is_open:
            exchange.cancel(account, spec.symbol, OrderRef(resting))
        price = exchange.last_price(spec.symbol)
        if price is None or not exchange.trades_freely(spec.symbol):
            return
        amount = _whole(spec.min_notional * NOTIONALS / price, spec.lot, spec.min_amount)
        if amount > spec.max_amount or not self._affords(account, spec, side, amount, price):
            return
        exchange.submit(NewOrder(account=account, symbol=spec.symbol, side=side, kind=OrderKind.MARKET, amount=amount))
        far = price * FAR // spec.tick * spec.tick
        if self._affords(account, spec, Side.BUY, amount, far):
            order = exchange.submit(
                NewOrder(
                    account=account, symbol=spec.symbol, side=Side.BUY, kind=OrderKind.LIMIT, amount=amount, price=far
                )
            )
            self._resting[account, spec.symbol] = order.id

    def _affords(self, account: str, spec: SymbolSpec, side: Side, amount: Decimal, price: Decimal) -> bool:
        """Whether the account can pay, with room for a worse price."""
        asset, needed = (spec.quote, amount * price * 2) if side is Side.BUY else (spec.base, amount)
        balance = self._exchange.balances(account).get(asset)
        return balance is not None and balance.free >= needed


def _whole(amount: Decimal, lot: Decimal, least: Decimal) -> Decimal:
    """The amount rounded up to whole lots."""
    return max(least, (amount / lot).to_integral_value(ROUND_UP) * lot)
