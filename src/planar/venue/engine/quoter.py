"""The market model's orders in one symbol: a ladder of quotes on each side, takers, and a planted order."""

from __future__ import annotations

from bisect import bisect_left, insort

from planar.venue.engine.accounts import Account
from planar.venue.engine.enums import OrderKind, TimeInForce
from planar.venue.engine.history import MarketProfile
from planar.venue.engine.market import Market
from planar.venue.engine.matching import Matcher
from planar.venue.engine.noise import Stream
from planar.venue.engine.orders import LiveOrder

LEVELS = 30
"""Quotes a side that the ladder is kept at."""
QUIET_LEVELS = 5
_QUIET_SIZE = 0.1
"""Size of the quotes of quiet hours, as a part of the usual one."""
_MOST_PER_STEP = 4
_MOST_EXPECTED = 20.0
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

    Attributes:
        profile: how the symbol behaves; another one counts for what comes from now on.
        quiet: whether nobody trades and the books are thin.
        planted: an order that waits for a user to take it; None if there is none.
    """

    def __init__(
        self, market: Market, account: Account, matcher: Matcher, profile: MarketProfile, draws: Stream, rate: float
    ) -> None:
        self._market = market
        self._account = account
        self._matcher = matcher
        self.profile = profile
        self.quiet = False
        self.planted: LiveOrder | None = None
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
            while len(ladder.orders) < self._levels:
                self._place_deeper(ladder, target, now)

    def clear(self, now: int) -> None:
        """Takes all quotes out of the book."""
        self.unplant(now)
        for ladder in (self._bids, self._asks):
            for order in ladder.orders:
                if order.is_open:
                    self._matcher.cancel(order, now)
            ladder.orders.clear()

    def plant(self, *, is_buy: bool, price: int, lots: int, now: int) -> None:
        """Puts an order where only users will take it: the quotes of the other side step back from its price."""
        self.unplant(now)
        other = self._asks if is_buy else self._bids
        self._withdraw(other, price + 1 if is_buy else price - 1, now)
        self.planted = self._sized(is_buy, price, lots, TimeInForce.GTC)
        self._matcher.accept(self.planted, now)

    def unplant(self, now: int) -> None:
        """Takes the planted order out, if it is still there."""
        if self.planted is not None and self.planted.is_open:
            self._matcher.cancel(self.planted, now)
        self.planted = None

    @property
    def _levels(self) -> int:
        return QUIET_LEVELS if self.quiet else LEVELS

    def step(self, middle: float, seconds: float, now: int) -> None:
        """Lets time pass: quotes follow the middle price, some come and go, takers trade."""
        if not self._market.matches:
            return
        bid, ask = self._targets(middle)
        busy = min(1.0, self._rate * seconds * 10)
        for ladder, target in ((self._bids, bid), (self._asks, ask)):
            self._withdraw(ladder, target, now)
        for ladder, target in ((self._bids, bid), (self._asks, ask)):
            self._follow(ladder, target, busy, now)
        if self.quiet:
            return
        expected = self.profile.trades_per_day / _DAY_S * seconds * self._rate
        while expected > 0:  # in parts, as no single draw counts far
            for _ in range(self._draws.count(min(expected, _MOST_EXPECTED))):
                self._trade(middle, now)
            expected -= _MOST_EXPECTED

    def _targets(self, middle: float) -> tuple[int, int]:
        """Best bid and best ask that the model would like, in ticks."""
        ticks = middle / self.tick
        usual = self.profile.spread_ticks
        width = self._draws.between(max(1, usual // 2), usual + (usual + 1) // 2)
        bid = max(1, int(ticks - width / 2))
        ask = bid + width
        planted = self.planted
        if planted is None or not planted.is_open:
            return bid, ask
        if planted.is_buy:
            return bid, max(ask, planted.price + 1)
        return max(1, min(bid, planted.price - 1)), ask

    def _withdraw(self, ladder: Ladder, target: int, now: int) -> None:
        ladder.drop_filled()
        while ladder.is_beyond(target):
            self._matcher.cancel(ladder.orders.pop(), now)
            ladder.drop_filled()

    def _follow(self, ladder: Ladder, target: int, busy: float, now: int) -> None:
        draws = self._draws
        if draws.uniform() < 0.7 * busy or not ladder.orders:
            self._place(ladder, target, target, now)
        if draws.uniform() < 0.5 * busy and len(ladder.orders) > self._levels // 2:
            self._matcher.cancel(ladder.orders.pop(draws.below(len(ladder.orders))), now)
        for _ in range(min(_MOST_PER_STEP, self._levels - len(ladder.orders))):
            self._place_deeper(ladder, target, now)
        for _ in range(len(ladder.orders) - 2 * self._levels):
            self._matcher.cancel(ladder.orders.pop(0), now)

    def _place_deeper(self, ladder: Ladder, target: int, now: int) -> None:
        """Adds a quote somewhere below the best; most are near it."""
        depth = 1 + int(self._draws.exponential(self.profile.level_gap_ticks * LEVELS / 2))
        price = target - depth if ladder.is_buy else target + depth
        while ladder.has(price):
            price += -1 if ladder.is_buy else 1
        self._place(ladder, max(1, price), target, now)

    def _place(self, ladder: Ladder, price: int, target: int, now: int) -> None:
        price = self._market.on_grid(price, is_buy=ladder.is_buy)
        if ladder.has(price):
            return
        away = abs(price - target) / (self.profile.level_gap_ticks * LEVELS)
        notional = self.profile.level_notional * (0.2 + 1.6 * self._draws.uniform()) * (1 + away)
        if self.quiet:
            notional *= _QUIET_SIZE
        order = self._order(ladder.is_buy, price, notional, TimeInForce.GTC)
        self._matcher.accept(order, now)
        if order.is_open:
            ladder.add(order)

    def _trade(self, middle: float, now: int) -> None:
        is_buy = self._draws.uniform() < 0.5
        if self.planted is not None and self.planted.is_open and self.planted.is_buy != is_buy:
            return
        reach = 1 + _TAKER_REACH if is_buy else 1 - _TAKER_REACH
        price = max(1, round(middle * reach / self.tick))
        notional = self._draws.exponential(self.profile.trade_notional)
        self._matcher.accept(self._order(is_buy, price, notional, TimeInForce.IOC), now)

    def _order(self, is_buy: bool, price: int, notional: float, tif: TimeInForce) -> LiveOrder:
        return self._sized(is_buy, price, max(1, int(notional / (price * self.tick * self._lot))), tif)

    def _sized(self, is_buy: bool, price: int, lots: int, tif: TimeInForce) -> LiveOrder:
        return LiveOrder(
            market=self._market,
            account=self._account,
            is_buy=is_buy,
            kind=OrderKind.LIMIT,
            tif=tif,
            price=price,
            lots=max(lots - lots % self._market.lot_step, self._market.lot_step),
        )
