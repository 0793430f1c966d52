"""Random trading against a second, naive matcher, and against what must always hold.

The naive matcher keeps a plain list and sorts it for every trade; it shares no code with the engine.
"""

from __future__ import annotations

import operator
from decimal import ROUND_DOWN, Decimal

import msgspec
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from planar.venue.engine import listing
from planar.venue.engine.enums import (
    Contingency,
    EventKind,
    FeeAsset,
    ListChange,
    OrderKind,
    OrderStatus,
    SelfTradeMode,
    Side,
    TimeInForce,
)
from planar.venue.engine.events import BalanceChange, BookChange, ListEvent, OrderEvent, TradePrint
from planar.venue.engine.exchange import VirtualExchange
from planar.venue.engine.rejects import EngineReject
from planar.venue.engine.types import NewOrder, NewOrderList, OrderRef, Trailing

BTC = "BTC/USDT"
LOT, TICK = Decimal("0.00001"), Decimal("0.01")
ACCOUNTS = ("ann", "ben", "cid")
CHANGES = {
    "min_price": TICK,
    "max_open_orders": 1000,
    "max_stop_orders": 1000,
    "max_order_lists": 1000,
    "maker_fee": Decimal("0.1"),
    "taker_fee": Decimal("0.2"),
    "default_self_trade_mode": SelfTradeMode.NONE,
}

accounts = st.sampled_from(ACCOUNTS)
sides = st.sampled_from(list(Side))
lots = st.integers(1, 60)
ticks = st.integers(90, 110)
modes = st.sampled_from(list(SelfTradeMode))
fee_assets = st.sampled_from(list(FeeAsset))
STOPS = {
    (True, True): OrderKind.STOP_LOSS_LIMIT,
    (True, False): OrderKind.STOP_LOSS,
    (False, True): OrderKind.TAKE_PROFIT_LIMIT,
    (False, False): OrderKind.TAKE_PROFIT,
}


def amount_of(n):
    return n * LOT


def price_of(n):
    return n * TICK


class Naive:
    """Working limit orders as [price, sequence, id, is_buy, rest, shown, iceberg]."""

    def __init__(self):
        self.rows = []
        self.sequence = 0

    def match(self, order_id, is_buy, price, rest, *, whole):
        """Fills of a new order as (maker id, price, lots), none if `whole` and not enough; and what is left of it."""
        crosses = operator.le if is_buy else operator.ge
        facing = [row for row in self.rows if row[3] != is_buy and (price is None or crosses(row[0], price))]
        if whole and sum(row[4] for row in facing) < rest:
            return [], rest
        fills = []
        while rest and facing:
            row = min(facing, key=lambda row: (row[0] if is_buy else -row[0], row[1]))
            taken = min(rest, row[5])
            fills.append((row[2], row[0], taken))
            rest -= taken
            row[4] -= taken
            row[5] -= taken
            if not row[4]:
                facing.remove(row)
                self.rows.remove(row)
            elif not row[5]:
                self.sequence += 1
                row[1], row[5] = self.sequence, min(row[6], row[4])
        return fills, rest

    def rest(self, order_id, is_buy, price, rest, iceberg):
        self.sequence += 1
        shown = min(rest, iceberg) if iceberg else rest
        self.rows.append([price, self.sequence, order_id, is_buy, rest, shown, iceberg])

    def drop(self, order_id):
        self.rows = [row for row in self.rows if row[2] != order_id]

    def side(self, is_buy):
        levels = {}
        for row in self.rows:
            if row[3] == is_buy:
                levels[row[0]] = levels.get(row[0], 0) + row[5]
        return sorted(levels.items(), reverse=is_buy)


class Follower:
    """Trailing stops by their definition, told every trade price: the best price since they began, and whether met."""

    def __init__(self):
        self.best = {}
        self.met = set()

    def distance(self, order):
        trailing = order.trailing
        return trailing.offset if trailing.offset is not None else self.best[order.id] * trailing.fraction

    def see(self, order, price):
        if order.id not in self.best:
            activation = order.stop_price
            rising = (order.side is Side.BUY) == order.kind.value.startswith("stop_loss")
            if activation is not None and not (price >= activation if rising else price <= activation):
                return
            self.best[order.id] = price
        is_buy = order.side is Side.BUY
        self.best[order.id] = (min if is_buy else max)(self.best[order.id], price)
        away = price - self.best[order.id] if is_buy else self.best[order.id] - price
        if away >= self.distance(order):
            self.met.add(order.id)


def make_exchange(seed=1):
    specs = [msgspec.structs.replace(listing.symbols()[0], **CHANGES)]
    clock = iter(range(1_760_000_000_000, 1_770_000_000_000))
    exchange = VirtualExchange(specs, listing.assets(), seed=seed, clock=lambda: next(clock))
    for account in ACCOUNTS:
        exchange.add_account(account)
        exchange.credit(account, "USDT", Decimal("0.02"), "start")
        exchange.credit(account, "BTC", Decimal("0.02"), "start")
    return exchange


class Common(RuleBasedStateMachine):
    """What holds after every step."""

    @initialize()
    def begin(self):
        self.exchange = make_exchange()
        self.events = []
        self.book = {Side.BUY: {}, Side.SELL: {}}
        self.triggered = []
        self.last = None
        self.trailing = {}
        self.follower = Follower()
        self.exchange.subscribe(self.hear)

    def hear(self, event):
        self.events.append(event)
        if isinstance(event, BookChange):
            self.book[event.side][event.price] = event.amount
        elif isinstance(event, TradePrint):
            self.last = event.trade.price
            for order in self.trailing.values():
                self.follower.see(order, self.last)
        elif isinstance(event, OrderEvent):
            self.hear_of(event.kind, event.order)

    def hear_of(self, kind, order):
        if kind is EventKind.TRIGGERED:
            self.triggered.append(order.id)
            if order.trailing is not None:
                assert order.id in self.follower.met
        if order.trailing is not None and order.triggered_ms is None and order.status is OrderStatus.NEW:
            if order.id not in self.trailing and self.last is not None and order.stop_price is None:
                self.follower.see(order, self.last)
            self.trailing[order.id] = order
        else:
            self.trailing.pop(order.id, None)

    def submit(self, account, side, kind=OrderKind.LIMIT, **fields):
        """The order, or None if it was refused."""
        new = NewOrder(account=account, symbol=BTC, side=side, kind=kind, **fields)
        before = self.state()
        try:
            return self.exchange.submit(new)
        except EngineReject:
            assert self.state() == before
            return None

    def state(self):
        exchange = self.exchange
        return len(exchange.ledger), [exchange.balances(who) for who in ACCOUNTS], exchange.open_orders("ann")

    @invariant()
    def money_is_conserved_and_never_negative(self):
        assert self.exchange.audit() == []
        ledger = self.exchange.ledger
        for asset in ("USDT", "BTC"):
            assert sum(ledger.balances(account).get(asset, 0) for account in ledger.accounts()) == 0
        for account in ACCOUNTS:
            for balance in self.exchange.balances(account).values():
                assert balance.free >= 0
                assert balance.locked >= 0

    @invariant()
    def the_book_is_not_crossed_and_is_what_was_told(self):
        depth = self.exchange.depth(BTC, 1000)
        if depth.bids and depth.asks:
            assert depth.bids[0].price < depth.asks[0].price
        for side, levels in ((Side.BUY, depth.bids), (Side.SELL, depth.asks)):
            assert {x.price: x.amount for x in levels} == {p: a for p, a in self.book[side].items() if a}

    @invariant()
    def fills_orders_and_told_balances_agree(self):
        for account in ACCOUNTS:
            fills = self.exchange.fills(account, BTC, limit=10_000)
            for order in self.exchange.orders(account, BTC, limit=10_000):
                mine = [fill for fill in fills if fill.order_id == order.id]
                assert sum(fill.amount for fill in mine) == order.filled <= order.amount
                assert sum(fill.quote for fill in mine) == order.quote_filled
                assert (order.status is OrderStatus.FILLED) == (0 < order.filled == order.amount) or order.quote_amount
                if order.tif is TimeInForce.FOK:
                    assert order.filled in (0, order.amount)
                if order.price is not None:
                    for fill in mine:
                        assert fill.price <= order.price if order.side is Side.BUY else fill.price >= order.price
        told = {(e.account, b.asset): b for e in self.events if isinstance(e, BalanceChange) for b in e.balances}
        for (account, asset), balance in told.items():
            assert self.exchange.balances(account)[asset] == balance

    @invariant()
    def stops_trigger_once(self):
        assert len(self.triggered) == len(set(self.triggered))


class AgainstNaive(Common):
    """Limit and market orders without self-trade prevention: the same fills in the same order."""

    @initialize()
    def begin_naive(self):
        self.naive = Naive()

    def compare(self, order, before, is_buy, price, n, *, whole=False):
        trades = [event for event in self.events[before:] if isinstance(event, TradePrint)]
        fills, rest = self.naive.match(order.id, is_buy, price, n, whole=whole)
        got = [
            (e.seller_order_id if is_buy else e.buyer_order_id, int(e.trade.price / TICK), int(e.trade.amount / LOT))
            for e in trades
        ]
        assert got == fills
        assert all(event.trade.buyer_is_maker == (not is_buy) for event in trades)
        return rest

    @rule(account=accounts, side=sides, n=lots, price=ticks, tif=st.sampled_from(list(TimeInForce)))
    def limit(self, account, side, n, price, tif):
        before = len(self.events)
        order = self.submit(account, side, amount=amount_of(n), price=price_of(price), tif=tif)
        if order is None:
            return
        is_buy = side is Side.BUY
        rest = self.compare(order, before, is_buy, price, n, whole=tif is TimeInForce.FOK)
        if rest and tif is TimeInForce.GTC:
            self.naive.rest(order.id, is_buy, price, rest, 0)
            assert order.is_open
        else:
            assert not order.is_open

    @rule(account=accounts, side=sides, n=lots, price=ticks, parts=st.integers(2, 9))
    def iceberg(self, account, side, n, price, parts):
        before, shown = len(self.events), -(-n // parts)
        fields = {"amount": amount_of(n), "price": price_of(price), "iceberg_amount": amount_of(shown)}
        order = self.submit(account, side, **fields)
        if order is None:
            return
        rest = self.compare(order, before, side is Side.BUY, price, n)
        if rest:
            self.naive.rest(order.id, side is Side.BUY, price, rest, shown)

    @rule(account=accounts, side=sides, n=lots, price=ticks)
    def post_only(self, account, side, n, price):
        facing = self.naive.side(side is not Side.BUY)
        would_take = bool(facing) and (facing[0][0] <= price if side is Side.BUY else facing[0][0] >= price)
        order = self.submit(account, side, amount=amount_of(n), price=price_of(price), post_only=True)
        if order is not None:
            assert not would_take
            self.naive.rest(order.id, side is Side.BUY, price, n, 0)

    @rule(account=accounts, side=sides, n=lots)
    def market(self, account, side, n):
        before = len(self.events)
        order = self.submit(account, side, OrderKind.MARKET, amount=amount_of(n))
        if order is not None:
            self.compare(order, before, side is Side.BUY, None, n)
            assert not order.is_open

    @rule(account=accounts, pick=st.integers(0, 1000))
    def cancel(self, account, pick):
        open_orders = self.exchange.open_orders(account)
        if open_orders:
            order = open_orders[pick % len(open_orders)]
            assert self.exchange.cancel(account, BTC, OrderRef(order.id)).status is OrderStatus.CANCELED
            self.naive.drop(order.id)

    @rule(account=accounts, pick=st.integers(0, 1000), cut=st.integers(1, 59))
    def amend(self, account, pick, cut):
        plain = [order for order in self.exchange.open_orders(account) if order.iceberg_amount is None]
        if plain:
            order = plain[pick % len(plain)]
            smaller = order.amount - cut * LOT
            if smaller > order.filled:
                self.exchange.amend_keep_priority(account, BTC, OrderRef(order.id), smaller)
                row = next(row for row in self.naive.rows if row[2] == order.id)
                row[4] -= cut
                row[5] -= cut

    @invariant()
    def both_books_are_the_same(self):
        depth = self.exchange.depth(BTC, 1000)
        for is_buy, levels in ((True, depth.bids), (False, depth.asks)):
            assert [(int(x.price / TICK), int(x.amount / LOT)) for x in levels] == self.naive.side(is_buy)


class Everything(Common):
    """All order kinds with all self-trade modes, transfers in between."""

    @rule(
        account=accounts,
        side=sides,
        n=lots,
        price=ticks,
        tif=st.sampled_from(list(TimeInForce)),
        mode=modes,
        fee=fee_assets,
    )
    def limit(self, account, side, n, price, tif, mode, fee):
        fields = {"amount": amount_of(n), "price": price_of(price), "tif": tif, "self_trade_mode": mode}
        fields["fee_asset"] = fee
        order = self.submit(account, side, **fields)
        if order is not None and mode is not SelfTradeMode.NONE:
            taken = [fill for fill in self.exchange.fills(account, BTC, order_id=order.id) if not fill.is_maker]
            trades = [fill.trade_id for fill in taken]
            own = [fill for fill in self.exchange.fills(account, BTC, limit=10_000) if fill.trade_id in trades]
            assert len(own) == len(trades)

    @rule(account=accounts, side=sides, n=lots, mode=modes, fee=fee_assets)
    def market(self, account, side, n, mode, fee):
        self.submit(account, side, OrderKind.MARKET, amount=amount_of(n), self_trade_mode=mode, fee_asset=fee)

    @rule(
        account=accounts,
        side=sides,
        price=ticks,
        kind=st.sampled_from(["limit", "market", "quote", "stop"]),
        fee=fee_assets,
    )
    def all_of_it(self, account, side, price, kind, fee):
        """As much as the free balance pays for, or would without commission."""
        balances = self.exchange.balances(account)
        free = balances["USDT"].free if side is Side.BUY else balances["BTC"].free * price_of(price)
        for whole in (free, free / Decimal("1.2")):
            fields = {"fee_asset": fee, "self_trade_mode": SelfTradeMode.EXPIRE_MAKER}
            n = int(whole / price_of(price) / LOT)
            if kind == "limit" and n:
                self.submit(account, side, amount=amount_of(n), price=price_of(price), **fields)
            elif kind == "market" and n:
                self.submit(account, side, OrderKind.MARKET, amount=amount_of(n), **fields)
            elif kind == "stop" and n:
                stop = {"amount": amount_of(n), "stop_price": price_of(price)}
                self.submit(account, side, OrderKind.STOP_LOSS, **stop, **fields)
            elif kind == "quote" and whole >= Decimal("1E-8"):
                cost = whole.quantize(Decimal("1E-8"), ROUND_DOWN)
                self.submit(account, side, OrderKind.MARKET, quote_amount=cost, **fields)

    @rule(account=accounts, side=sides, units=st.integers(1, 100_000), mode=modes, fee=fee_assets)
    def by_quote(self, account, side, units, mode, fee):
        quote = units * Decimal("1E-8")
        fields = {"quote_amount": quote, "self_trade_mode": mode, "fee_asset": fee}
        order = self.submit(account, side, OrderKind.MARKET, **fields)
        if order is not None:
            assert order.quote_filled <= quote
            if order.status is OrderStatus.FILLED:
                worst = self.exchange.fills(account, BTC, order_id=order.id)[-1].price
                assert quote - order.quote_filled < worst * LOT

    @rule(
        account=accounts,
        side=sides,
        n=lots,
        stop=ticks,
        limit=st.none() | ticks,
        loss=st.booleans(),
        mode=modes,
        fee=fee_assets,
    )
    def stop(self, account, side, n, stop, limit, loss, mode, fee):
        self.submit(
            account,
            side,
            STOPS[loss, limit is not None],
            amount=amount_of(n),
            stop_price=price_of(stop),
            price=None if limit is None else price_of(limit),
            self_trade_mode=mode,
            fee_asset=fee,
        )

    @rule(
        account=accounts,
        side=sides,
        n=lots,
        activation=st.none() | ticks,
        limit=st.none() | st.just("follows") | ticks,
        loss=st.booleans(),
        offset=st.none() | st.integers(1, 4),
        bps=st.integers(1, 600),
        fee=fee_assets,
    )
    def trailing_stop(self, account, side, n, activation, limit, loss, offset, bps, fee):
        fraction = None if offset is not None else bps * Decimal("0.0001")
        follows = TICK if limit == "follows" else None
        trailing = Trailing(offset=None if offset is None else offset * TICK, fraction=fraction, limit_offset=follows)
        self.submit(
            account,
            side,
            STOPS[loss, limit is not None],
            amount=amount_of(n),
            stop_price=None if activation is None else price_of(activation),
            price=price_of(limit) if isinstance(limit, int) else None,
            trailing=trailing,
            fee_asset=fee,
        )

    def pair(self, account, side, n, near, far, loss_limit, gain_stops):
        """A limit or take-profit order at one price, and a stop at the other."""
        fields = {"account": account, "symbol": BTC, "side": side, "amount": amount_of(n)}
        if gain_stops:
            gain = NewOrder(kind=OrderKind.TAKE_PROFIT, stop_price=price_of(near), **fields)
        else:
            gain = NewOrder(kind=OrderKind.LIMIT, price=price_of(near), post_only=True, **fields)
        kind = OrderKind.STOP_LOSS if loss_limit is None else OrderKind.STOP_LOSS_LIMIT
        price = None if loss_limit is None else price_of(loss_limit)
        return gain, NewOrder(kind=kind, stop_price=price_of(far), price=price, **fields)

    def submit_list(self, contingency, orders):
        before = self.state()
        try:
            self.exchange.submit_list(NewOrderList(contingency=contingency, orders=orders))
        except EngineReject:
            assert self.state() == before

    @rule(
        account=accounts,
        side=sides,
        n=lots,
        around=st.integers(1, 8),
        loss_limit=st.none() | ticks,
        gain_stops=st.booleans(),
    )
    def oco(self, account, side, n, around, loss_limit, gain_stops):
        if self.last is not None:
            middle, sign = int(self.last / TICK), 1 if side is Side.SELL else -1
            pair = self.pair(account, side, n, middle + sign * around, middle - sign * around, loss_limit, gain_stops)
            self.submit_list(Contingency.OCO, pair)

    @rule(account=accounts, side=sides, n=lots, price=ticks, kind=st.sampled_from(["market", "limit", "trailing"]))
    def oto(self, account, side, n, price, kind):
        fields = {"account": account, "symbol": BTC, "amount": amount_of(n)}
        working = NewOrder(kind=OrderKind.LIMIT, side=side, price=price_of(price), **fields)
        other = Side.SELL if side is Side.BUY else Side.BUY
        pending = {
            "market": lambda: NewOrder(kind=OrderKind.MARKET, side=other, **fields),
            "limit": lambda: NewOrder(kind=OrderKind.LIMIT, side=other, price=price_of(price + 1), **fields),
            "trailing": lambda: NewOrder(
                kind=OrderKind.STOP_LOSS, side=other, trailing=Trailing(offset=2 * TICK), **fields
            ),
        }[kind]()
        self.submit_list(Contingency.OTO, (working, pending))

    @rule(account=accounts, side=sides, n=lots, price=ticks, around=st.integers(1, 8), gain_stops=st.booleans())
    def otoco(self, account, side, n, price, around, gain_stops):
        other, sign = (Side.SELL, 1) if side is Side.BUY else (Side.BUY, -1)
        working = NewOrder(
            account=account, symbol=BTC, side=side, kind=OrderKind.LIMIT, amount=amount_of(n), price=price_of(price)
        )
        pair = self.pair(account, other, n, price + sign * around, price - sign * around, None, gain_stops)
        self.submit_list(Contingency.OTOCO, (working, *pair))

    @rule(account=accounts, side=sides, n=lots, price=ticks, fee=fee_assets)
    def schedule(self, account, side, n, price, fee):
        new = NewOrder(
            account=account,
            symbol=BTC,
            side=side,
            kind=OrderKind.LIMIT,
            amount=amount_of(n),
            price=price_of(price),
            fee_asset=fee,
        )
        locked = {asset: balance.locked for asset, balance in self.exchange.balances(account).items()}
        assert self.exchange.schedule(new).status is OrderStatus.PENDING_NEW
        assert {asset: balance.locked for asset, balance in self.exchange.balances(account).items()} == locked

    @rule(account=accounts, pick=st.integers(0, 1000))
    def release(self, account, pick):
        scheduled = [
            order
            for order in self.exchange.open_orders(account)
            if order.status is OrderStatus.PENDING_NEW and order.list_id is None
        ]
        if scheduled:
            self.exchange.release(account, BTC, OrderRef(scheduled[pick % len(scheduled)].id))

    @rule(account=accounts, pick=st.integers(0, 1000))
    def cancel_one(self, account, pick):
        open_orders = self.exchange.open_orders(account)
        if open_orders:
            order = open_orders[pick % len(open_orders)]
            pair_goes_on = order.list_id is not None and self.one_ended_the_other(account, order.list_id)
            self.exchange.cancel(account, BTC, OrderRef(order.id))
            if order.list_id is not None and not pair_goes_on:
                assert not self.exchange.order_list(account, list_id=order.list_id).is_open

    def one_ended_the_other(self, account, list_id):
        orders = self.exchange.order_list(account, list_id=list_id).orders
        return any(order.status is OrderStatus.EXPIRED for order in orders)

    @rule(account=accounts, pick=st.integers(0, 1000))
    def cancel_list(self, account, pick):
        lists = [found for found in self.exchange.order_lists(account) if found.is_open]
        if lists:
            found = lists[pick % len(lists)]
            assert not self.exchange.cancel_list(account, BTC, list_id=found.id).is_open

    @rule(account=accounts, pick=st.integers(0, 1000), cut=st.integers(1, 59))
    def amend(self, account, pick, cut):
        limited = [
            order for order in self.exchange.open_orders(account) if order.kind.value.endswith("limit") and order.price
        ]
        if limited:
            order = limited[pick % len(limited)]
            if order.amount - cut * LOT > order.filled:
                self.exchange.amend_keep_priority(account, BTC, OrderRef(order.id), order.amount - cut * LOT)

    @rule(account=accounts)
    def cancel_all(self, account):
        self.exchange.cancel_all(account, BTC)
        assert self.exchange.open_orders(account) == []
        assert {balance.locked for balance in self.exchange.balances(account).values()} == {0}

    @rule(account=accounts, asset=st.sampled_from(["USDT", "BTC"]), units=st.integers(1, 10_000))
    def deposit(self, account, asset, units):
        self.exchange.deposit(account, asset, units * Decimal("1E-8"))

    @rule(
        account=accounts,
        asset=st.sampled_from(["USDT", "BTC"]),
        units=st.integers(0, 150_000) | st.integers(0, 2_000_000),
    )
    def set_balance(self, account, asset, units):
        self.exchange.set_balance(account, asset, units * Decimal("1E-8"))

    @invariant()
    def no_due_stop_waits(self):
        last = self.exchange.last_price(BTC)
        for account in ACCOUNTS:
            for order in self.exchange.open_orders(account):
                if last is None or order.triggered_ms is not None or order.status is OrderStatus.PENDING_NEW:
                    continue
                if order.trailing is not None:
                    assert order.id not in self.follower.met
                    if order.trailing_since_ms is not None:
                        assert last < order.trigger_price if order.side is Side.BUY else last > order.trigger_price
                        continue
                if order.stop_price is not None:
                    rising = (order.side is Side.BUY) == order.kind.value.startswith("stop_loss")
                    assert last < order.stop_price if rising else last > order.stop_price

    @invariant()
    def one_of_two_orders_ends_the_other(self):
        for account in ACCOUNTS:
            for found in self.exchange.order_lists(account):
                orders = list(found.orders)
                if found.contingency is not Contingency.OCO:
                    working, *pending = orders
                    began = [order for order in pending if order.working_ms is not None or order.filled]
                    assert not began or working.status is OrderStatus.FILLED
                    if working.status is OrderStatus.FILLED:
                        assert all(order.status is not OrderStatus.PENDING_NEW for order in pending)
                    elif not working.is_open:
                        assert not any(order.is_open for order in pending)
                    orders = pending
                if found.contingency is not Contingency.OTO:
                    active = [order for order in orders if order.filled or order.triggered_ms is not None]
                    assert len(active) < 2
                    assert not active or sum(order.is_open for order in orders if order is not active[0]) == 0

    @invariant()
    def lists_begin_and_end_once(self):
        told = [(e.order_list.id, e.change) for e in self.events if isinstance(e, ListEvent)]
        for account in ACCOUNTS:
            for found in self.exchange.order_lists(account):
                assert told.count((found.id, ListChange.STARTED)) == 1
                assert told.count((found.id, ListChange.DONE)) == (0 if found.is_open else 1)

    @invariant()
    def commission_is_taken_where_the_order_said(self):
        for account in ACCOUNTS:
            wanted = {order.id: order for order in self.exchange.orders(account, BTC, limit=10_000)}
            for fill in self.exchange.fills(account, BTC, limit=10_000):
                chosen = wanted[fill.order_id].fee_asset
                in_base = fill.side is Side.BUY if chosen is FeeAsset.RECEIVED else chosen is FeeAsset.BASE
                assert fill.commission_asset == ("BTC" if in_base else "USDT")


LIMITS = settings(max_examples=60, stateful_step_count=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
TestAgainstNaive = AgainstNaive.TestCase
TestAgainstNaive.settings = LIMITS
TestEverything = Everything.TestCase
TestEverything.settings = settings(LIMITS, max_examples=120)
