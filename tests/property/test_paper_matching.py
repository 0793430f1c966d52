"""Random markets and random orders against a paper account: money is conserved, and no fill is better than the market."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import given, settings
from hypothesis import strategies as st

from planar.adapters.base import OrderRequest
from planar.errors import InsufficientFunds, OrderImmediatelyFillable
from planar.models import Amount, Trade
from planar.models.codec import from_json, to_json
from planar.paper.account import Changes, PaperAccount
from planar.paper.matching import Book
from planar.paper.state import ZERO, Holding, PaperFill, PaperOrder, Summary, Terms

SYMBOL = "BTC/USDT"
START = {"USDT": Amount(2_000), "BTC": Amount(20)}

prices = st.integers(80, 120).map(lambda tick: tick / 2 + 40)
amounts = st.integers(1, 400).map(lambda lots: lots / 100)
fees = st.sampled_from(["0", "0.001", "0.0025", "-0.0001"]).map(Amount)
terms = st.builds(
    Terms,
    st.just(SYMBOL),
    st.just("BTC"),
    st.just("USDT"),
    fees,
    fees.filter(lambda fee: fee >= 0),
    st.sampled_from(["get", "give", "quote", "base"]),
    st.just(Amount("0.01")),
    st.sampled_from([frozenset(), frozenset({"stop", "stop_limit", "take_profit", "take_profit_limit"})]),
)


@st.composite
def books(draw: st.DrawFn) -> Book:
    """A book that is not crossed."""
    ticks = sorted(draw(st.lists(prices, min_size=1, max_size=8, unique=True)))
    cut = draw(st.integers(0, len(ticks)))
    bids = [[price, draw(amounts)] for price in reversed(ticks[:cut])]
    asks = [[price, draw(amounts)] for price in ticks[cut:]]
    return Book(bids, asks, draw(st.booleans()), draw(st.booleans()))


trades = st.tuples(prices, amounts, st.sampled_from(["buy", "sell", None]))
wishes = st.fixed_dictionaries(
    {
        "side": st.sampled_from(["buy", "sell"]),
        "kind": st.sampled_from(["limit", "market", "cost", "post_only", "IOC", "FOK", "GTD"]),
        "amount": amounts,
        "price": prices,
        "stop": st.none() | prices,
        "trigger": st.sampled_from(["stop", "take_profit"]),
    }
)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("place"), wishes, books()),
        st.tuples(st.just("trade"), trades, books()),
        st.tuples(st.just("cancel"), st.integers(0, 5), st.none()),
        st.tuples(st.just("expire"), st.none(), st.none()),
        st.tuples(st.just("restart"), st.none(), st.none()),
    ),
    min_size=1,
    max_size=40,
)


class Judge:
    """Knows what the market showed, and what the account made of it."""

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self.account = PaperAccount(Summary(0, START, {code: Holding(value) for code, value in START.items()}))
        self.orders: dict[str, PaperOrder] = {}
        self.fills: list[PaperFill] = []
        self.now_ms = 0

    def take(self) -> Changes:
        changes = self.account.changes()
        self.orders.update({order.id: order for order in changes.orders})
        self.fills.extend(changes.fills)
        return changes

    # -- the steps -------------------------------------------------------------------------------------------------
    def place(self, wish: dict[str, object], book: Book) -> None:
        kind, price = wish["kind"], Amount(wish["price"])  # type: ignore[arg-type]
        market = kind in ("market", "cost")
        request = OrderRequest(
            client_id=f"c{self.now_ms}",
            symbol=SYMBOL,
            side=str(wish["side"]),
            type="market" if market else "limit",
            amount=None if kind == "cost" else Amount(wish["amount"]),  # type: ignore[arg-type]
            price=None if market else price,
            cost=Amount(wish["amount"]) * 50 if kind == "cost" else None,  # type: ignore[arg-type]
            stop_price=None if wish["stop"] is None or kind == "post_only" else Amount(wish["stop"]),  # type: ignore[arg-type]
            trigger=str(wish["trigger"]),
            time_in_force=str(kind) if kind in ("IOC", "FOK", "GTD") else None,
            expire_at_ms=self.now_ms + 5 if kind == "GTD" else None,
            post_only=kind == "post_only",
        )
        before = to_json(self.account.summary.holdings)
        try:
            placed = self.account.place(request, self.terms, book, self.now_ms)
        except (InsufficientFunds, OrderImmediatelyFillable):
            assert to_json(self.account.summary.holdings) == before
            assert self.take().fills == ()
            return
        self.judge_taking(self.take().fills, book)
        if placed.time_in_force == "FOK" and placed.status == "expired":
            assert placed.filled == 0

    def trade(self, print_: tuple[float, float, str | None], book: Book) -> None:
        price, amount, side = print_
        made = Trade(symbol=SYMBOL, price=price, amount=amount, side=side, ts_ms=self.now_ms)  # type: ignore[arg-type]
        before = {order.id: order for order in self.account.standing}
        triggered = self.account.trade(made, self.terms)
        fills = self.take().fills
        assert sum((fill.amount for fill in fills), ZERO) <= amount
        for fill in fills:
            resting = before[fill.order_id]
            assert fill.price == resting.price
            assert (fill.price >= price) if fill.side == "buy" else (fill.price <= price)
            assert side != fill.side
            assert resting.since_ms < self.now_ms
            if fill.price == price:
                assert resting.queue is not None
                assert resting.queue + fill.amount <= amount, "it came before what stood before it"
        for order in triggered:
            self.account.enter(order.id, self.terms, book, self.now_ms)
        self.judge_taking(self.take().fills, book)

    def judge_taking(self, fills: Iterable[PaperFill], book: Book) -> None:
        """All that was taken in one step stood there, and each order took the best first."""
        left = {
            (side, Amount(price)): Amount(amount)
            for side, levels in (("buy", book.asks), ("sell", book.bids))
            for price, amount in levels
        }
        last: dict[str, Amount] = {}
        for fill in fills:
            assert fill.role == "taker"
            left[fill.side, fill.price] = left[fill.side, fill.price] - fill.amount
            assert left[fill.side, fill.price] >= 0
            limit = self.orders[fill.order_id].price
            assert limit is None or (fill.price <= limit if fill.side == "buy" else fill.price >= limit)
            worse = last.get(fill.order_id)
            assert worse is None or (fill.price > worse if fill.side == "buy" else fill.price < worse)
            last[fill.order_id] = fill.price

    def cancel(self, number: int) -> None:
        standing = self.account.standing
        if standing:
            self.account.cancel(standing[number % len(standing)].id, self.terms, self.now_ms)

    def restart(self) -> None:
        """What was kept is all there is."""
        summary = from_json(Summary, to_json(self.account.summary))
        standing = [from_json(PaperOrder, to_json(order)) for order in self.account.standing]
        assert summary == self.account.summary
        assert standing == self.account.standing
        self.account = PaperAccount(summary, standing)

    # -- what holds after each --------------------------------------------------------------------------------------
    def check(self) -> None:
        held = dict(START)
        for fill in self.fills:
            sign = 1 if fill.side == "buy" else -1
            held["BTC"] = held["BTC"] + fill.amount * sign
            held["USDT"] = held["USDT"] - fill.cost * sign
            held[fill.fee_currency] = held[fill.fee_currency] - fill.fee
        kept = {"BTC": ZERO, "USDT": ZERO}
        for order in self.account.standing:
            kept[self.terms.pays(order.side)] = kept[self.terms.pays(order.side)] + order.locked
        for code, holding in self.account.summary.holdings.items():
            assert holding.free >= 0
            assert holding.used == kept[code]
            assert holding.free + holding.used == held[code]
        for order in self.orders.values():
            mine = [fill for fill in self.fills if fill.order_id == order.id]
            assert order.filled == sum((fill.amount for fill in mine), ZERO)
            assert order.amount is None or order.filled <= order.amount
            assert order.cost is None or order.spent <= order.cost
            assert order.stands == (order.id in {one.id for one in self.account.standing})
            assert order.stands or order.locked == 0


@settings(max_examples=150)
@given(terms=terms, steps=steps)
def test_money_is_conserved_and_no_fill_is_better_than_the_market(
    terms: Terms, steps: list[tuple[str, object, object]]
) -> None:
    judge = Judge(terms)
    for name, what, book in steps:
        judge.now_ms += 1
        match name:
            case "place" | "trade":
                getattr(judge, name)(what, book)
            case "cancel":
                judge.cancel(what)  # type: ignore[arg-type]
            case "expire":
                judge.account.expire(judge.terms, judge.now_ms)
            case _:
                judge.restart()
        judge.take()
        judge.check()


@settings(max_examples=50)
@given(
    asks=st.lists(st.tuples(prices, amounts), min_size=1, max_size=5, unique_by=lambda level: level[0]),
    wanted=st.lists(amounts, min_size=2, max_size=6),
)
def test_many_orders_at_one_book_take_no_more_than_it_shows(
    asks: list[tuple[float, float]], wanted: list[float]
) -> None:
    book = Book([], sorted(asks))
    rich = {"USDT": Holding(Amount(1_000_000))}
    account = PaperAccount(Summary(0, {}, rich))
    terms = Terms(SYMBOL, "BTC", "USDT", ZERO, ZERO, "get", Amount("0.01"))
    for number, amount in enumerate(wanted):
        request = OrderRequest(client_id=f"c{number}", symbol=SYMBOL, side="buy", type="market", amount=Amount(amount))
        account.place(request, terms, book, number)
    taken: dict[Amount, Amount] = {}
    for fill in account.changes().fills:
        taken[fill.price] = taken.get(fill.price, ZERO) + fill.amount
    shown = {Amount(price): Amount(amount) for price, amount in asks}
    assert all(amount <= shown[price] for price, amount in taken.items())
    assert sum(taken.values(), ZERO) == min(sum(shown.values(), ZERO), sum(map(Amount, wanted), ZERO))
