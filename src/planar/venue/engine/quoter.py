"""The market model's orders in one symbol: a ladder of quotes on each side, and takers."""

from __future__ import annotations

from bisect import bisect_left, insort

from planar.venue.engine.accounts import Account
from planar.venue.engine.enums import MarketStatus, OrderKind, TimeInForce
from planar.venue.engine.history import MarketProfile
from planar.venue.engine.market import Market
from planar.venue.engine.matching import Matcher
from planar.venue.engine.noise import Stream
from planar.venue.engine.orders import LiveOrder

LEVELS = 30
"""Quotes a side that the ladder is kept at."""
_MOST_PER_STEP = 4
_TAKER_REACH = 0.002
"""How far from the middle a taker trades at most, as a fraction."""
_DAY_S = 86_400.0


class Ladder:
    """The model's resting orders of one side, best last, one a price."""

    __slots__ = ("_sign", "is_buy", "orders")

    def __init__(self, *, is_buy: bool) -> None:
        self.is_buy = is_buy
        self.orders: list[LiveOrder] = []
        self._sign = 1 if is_buy else -1

    def key(self, order: LiveOrder) -> int:
        """Rises towards the best."""
        return order.price * self._sign

    def add(self, order: LiveOrder) -> None:
        """Takes in an order that rests."""
        insort(self.orders, order, key=self.key)

    def has(self, price: int) -> bool:
        """Whether there is a quote at a price."""
        index = bisect_left(self.orders, price * self._sign, key=self.key)
        return index < len(self.orders) and self.orders[index].price == price

    def drop_filled(self) -> None:
        """Forgets orders that were filled; those are the best ones."""
        while self.orders and not self.orders[-1].is_open:
            self.orders.pop()

    def is_beyond(self, limit: int) -> bool:
        """Whether the best quote is better than a limit."""
        return bool(self.orders) and self.key(self.orders[-1]) > limit * self._sign


class Quoter:
    """Makes one symbol live.

    Args:
        rate: factor on how much happens.
    """

    def __init__(
        self, market: Market, account: Account, matcher: Matcher, profile: MarketProfile, draws: Stream, rate: float
    ) -> None:
        self._market = market
        self._account = account
        self._matcher = matcher
        self._profile = profile
        self._draws = draws
        self._rate = rate
        self._lot = market.lot_units / 1e8
        self.tick = market.tick_units / 1e8
        self._bids = Ladder(is_buy=True)
        self._asks = Ladder(is_buy=False)

    def open(self, middle: float, now: int) -> None:
        """Fills the empty book around a price."""
        bid, ask = self._targets(middle)
        for ladder, target in ((self._bids, bid), (self._asks, ask)):
            self._place(ladder, target, target, now)
            while len(ladder.orders) < LEVELS:
                self._place_deeper(ladder, target, now)

    def step(self, middle: float, seconds: float, now: int) -> None:
        """Lets time pass: quotes follow the middle price, some come and go, takers trade."""
        if self._market.status is not MarketStatus.TRADING:
            return
        bid, ask = self._targets(middle)
        busy = min(1.0, self._rate * seconds * 10)
        for ladder, target in ((self._bids, bid), (self._asks, ask)):
            self._withdraw(ladder, target, now)
        for ladder, target in ((self._bids, bid), (self._asks, ask)):
            self._follow(ladder, target, busy, now)
        expected = self._profile.trades_per_day / _DAY_S * seconds * self._rate
        for _ in range(self._draws.count(expected)):
            self._trade(middle, now)

    def _targets(self, middle: float) -> tuple[int, int]:
        """Best bid and best ask that the model would like, in ticks."""
        ticks = middle / self.tick
        width = self._draws.between(1, 2 * self._profile.spread_ticks)
        bid = max(1, int(ticks - width / 2))
        return bid, bid + width

    def _withdraw(self, ladder: Ladder, target: int, now: int) -> None:
        ladder.drop_filled()
        while ladder.is_beyond(target):
            self._matcher.cancel(ladder.orders.pop(), now)
            ladder.drop_filled()

    def _follow(self, ladder: Ladder, target: int, busy: float, now: int) -> None:
        draws = self._draws
        if draws.uniform() < 0.7 * busy or not ladder.orders:
            self._place(ladder, target, target, now)
        if draws.uniform() < 0.5 * busy and len(ladder.orders) > LEVELS // 2:
            self._matcher.cancel(ladder.orders.pop(draws.below(len(ladder.orders))), now)
        for _ in range(min(_MOST_PER_STEP, LEVELS - len(ladder.orders))):
            self._place_deeper(ladder, target, now)
        for _ in range(len(ladder.orders) - 2 * LEVELS):
            self._matcher.cancel(ladder.orders.pop(0), now)

    def _place_deeper(self, ladder: Ladder, target: int, now: int) -> None:
        """Adds a quote somewhere below the best; most are near it."""
        depth = 1 + int(self._draws.exponential(self._profile.level_gap_ticks * LEVELS / 2))
        price = target - depth if ladder.is_buy else target + depth
        while ladder.has(price):
            price += -1 if ladder.is_buy else 1
        self._place(ladder, max(1, price), target, now)

    def _place(self, ladder: Ladder, price: int, target: int, now: int) -> None:
        if ladder.has(price):
            return
        away = abs(price - target) / (self._profile.level_gap_ticks * LEVELS)
        notional = self._profile.level_notional * (0.2 + 1.6 * self._draws.uniform()) * (1 + away)
        order = self._order(ladder.is_buy, price, notional, TimeInForce.GTC)
        self._matcher.accept(order, now)
        if order.is_open:
            ladder.add(order)

    def _trade(self, middle: float, now: int) -> None:
        is_buy = self._draws.uniform() < 0.5
        reach = 1 + _TAKER_REACH if is_buy else 1 - _TAKER_REACH
        price = max(1, round(middle * reach / self.tick))
        notional = self._draws.exponential(self._profile.trade_notional)
        self._matcher.accept(self._order(is_buy, price, notional, TimeInForce.IOC), now)

    def _order(self, is_buy: bool, price: int, notional: float, tif: TimeInForce) -> LiveOrder:
        lots = max(1, int(notional / (price * self.tick * self._lot)))
        return LiveOrder(
            market=self._market,
            account=self._account,
            is_buy=is_buy,
            kind=OrderKind.LIMIT,
            tif=tif,
            price=price,
            lots=lots,
        )
