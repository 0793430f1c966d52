"""The matching model of paper accounts, one rule at a time."""

from __future__ import annotations

from typing import Any

import pytest

from planar.adapters.base import OrderRequest
from planar.errors import DuplicateOrderId, InsufficientFunds, OrderImmediatelyFillable, Outcome
from planar.models import Amount, Trade
from planar.paper.account import PaperAccount
from planar.paper.matching import Book
from planar.paper.state import Holding, PaperOrder, Summary, Terms

SYMBOL = "BTC/USDT"
TERMS = Terms(SYMBOL, "BTC", "USDT", Amount("0.001"), Amount("0.002"), "get", Amount("0.001"))
ON_TOP = Terms(SYMBOL, "BTC", "USDT", Amount("0.001"), Amount("0.002"), "quote", Amount("0.001"))
BOOK = Book([[99.0, 1.0], [98.0, 2.0]], [[101.0, 1.0], [102.0, 3.0]])


class Desk:
    """An account and its market."""

    def __init__(self, terms: Terms = TERMS, **funds: str) -> None:
        held = {code: Holding(Amount(value)) for code, value in (funds or {"USDT": "1000", "BTC": "10"}).items()}
        self.terms = terms
        self.account = PaperAccount(Summary(0, {code: one.free for code, one in held.items()}, held))
        self.now_ms = 0
        self.numbers = 0

    def place(self, side: str, type: str, amount: str | None = None, book: Book = BOOK, **more: Any) -> PaperOrder:
        self.now_ms += 1
        self.numbers += 1
        numbers = {name: Amount(value) for name, value in more.items() if name in ("price", "cost", "stop_price")}
        request = OrderRequest(
            client_id=more.get("client_id", f"c{self.numbers}"),
            symbol=SYMBOL,
            side=side,
            type=type,
            amount=None if amount is None else Amount(amount),
            **{name: value for name, value in more.items() if name not in (*numbers, "client_id")},
            **numbers,
        )
        return self.account.place(request, self.terms, book, self.now_ms)

    def trade(
        self, price: float, amount: float, side: str | None = "sell", ts_ms: int | None = None
    ) -> list[PaperOrder]:
        self.now_ms += 1
        made = Trade(symbol=SYMBOL, price=price, amount=amount, side=side, ts_ms=ts_ms or self.now_ms)  # type: ignore[arg-type]
        return self.account.trade(made, self.terms)

    def order(self, placed: PaperOrder) -> PaperOrder:
        """As it is now."""
        return next((one for one in self.account.standing if one.id == placed.id), None) or self._ended(placed)

    def _ended(self, placed: PaperOrder) -> PaperOrder:
        return self.account._changed[placed.id]

    def holds(self, code: str) -> tuple[str, str]:
        held = self.account.summary.holdings.get(code, Holding())
        return f"{held.free.normalize()}", f"{held.used.normalize()}"


def test_a_market_order_takes_level_by_level_and_pays_the_taker_fee_in_what_it_gets() -> None:
    desk = Desk()
    order = desk.place("buy", "market", "1.5")
    assert (order.status, order.filled, order.spent) == ("closed", Amount("1.5"), Amount("152"))  # 101 + 0.5 * 102
    assert order.fees == (("BTC", Amount("0.003")),)
    assert desk.holds("USDT") == ("848", "0")
    assert desk.holds("BTC") == ("11.497", "0")
    prices = [(fill.price, fill.amount, fill.role) for fill in desk.account.changes().fills]
    assert prices == [(101, 1, "taker"), (102, Amount("0.5"), "taker")]


def test_where_fees_are_taken_in_quote_a_buy_pays_them_on_top_and_a_sell_out_of_its_proceeds() -> None:
    desk = Desk(ON_TOP)
    desk.place("buy", "market", "1")
    assert desk.holds("USDT") == ("898.798", "0")  # 1000 - 101 - 0.202
    desk.place("sell", "market", "1")
    assert desk.holds("USDT") == ("997.6", "0")  # + 99 - 0.198


def test_a_book_that_ends_leaves_the_rest_of_a_market_order_expired() -> None:
    order = Desk().place("sell", "market", "5")
    assert (order.status, order.filled, order.reason) == ("expired", 3, "the book shows no more")


def test_what_was_taken_is_not_given_again_until_the_level_changes() -> None:
    desk = Desk()
    desk.place("buy", "market", "0.6")
    second = desk.place("buy", "market", "0.6")
    assert second.spent == Amount("0.4") * 101 + Amount("0.2") * 102
    third = desk.place("buy", "limit", "1", price="101", time_in_force="IOC")
    assert third.filled == 0
    changed = Book(BOOK.bids, [[101.0, 0.3], [102.0, 3.0]])
    assert desk.place("buy", "limit", "1", changed, price="101", time_in_force="IOC").filled == Amount("0.3")
    gone = Book(BOOK.bids, [[102.0, 3.0]])
    assert desk.place("buy", "limit", "1", gone, price="101", time_in_force="IOC").filled == 0
    back = desk.place("buy", "limit", "1", price="101", time_in_force="IOC")
    assert back.filled == 1, "the level had gone and is a new one"


def test_a_cost_is_spent_in_whole_steps_and_never_exceeded() -> None:
    order = Desk().place("buy", "market", cost="150")
    assert (order.status, order.amount, order.filled) == ("closed", None, Amount("1.480"))
    assert order.spent == Amount("149.96")


def test_a_limit_order_takes_what_it_crosses_and_rests_with_the_remainder() -> None:
    desk = Desk()
    order = desk.place("buy", "limit", "2", price="101.5")
    assert (order.status, order.filled, order.left, order.queue) == ("open", 1, 1, Amount(0))
    assert desk.holds("USDT") == ("797.5", "101.5")  # 101 spent, 101.5 kept
    ended = desk.account.cancel(order.id, TERMS, 9)
    assert ended.status == "canceled"
    assert desk.holds("USDT") == ("899", "0")


def test_a_resting_order_fills_after_what_stood_before_it() -> None:
    desk = Desk()
    order = desk.place("buy", "limit", "1", price="99")
    assert order.queue == 1
    desk.trade(99.0, 0.4)
    assert desk.order(order).queue == Amount("0.6")
    desk.trade(99.0, 0.8)
    assert (desk.order(order).filled, desk.order(order).queue) == (Amount("0.2"), 0)
    desk.trade(99.0, 5.0)
    assert (desk.order(order).status, desk.order(order).filled) == ("closed", 1)
    fees = [(fill.role, fill.fee_currency, fill.fee) for fill in desk.account.changes().fills]
    assert fees == [("maker", "BTC", Amount("0.0002")), ("maker", "BTC", Amount("0.0008"))]


def test_a_trade_beyond_its_price_fills_it_at_its_price_and_no_more_than_was_traded() -> None:
    desk = Desk()
    order = desk.place("buy", "limit", "1", price="99")
    desk.trade(98.5, 0.3)
    now = desk.order(order)
    assert (now.filled, now.spent, now.queue) == (Amount("0.3"), Amount("29.7"), 0)


def test_one_trade_is_shared_by_price_then_by_time() -> None:
    desk = Desk()
    empty = Book([], [[101.0, 1.0]], all_bids=True)
    low, late = (desk.place("buy", "limit", "1", empty, price=price) for price in ("97", "98"))
    high = desk.place("buy", "limit", "1", empty, price="98.5")
    same = desk.place("buy", "limit", "1", empty, price="98")
    desk.trade(98.0, 2.5)
    assert [desk.order(one).filled for one in (high, late, same, low)] == [1, 1, Amount("0.5"), 0]


def test_what_stands_before_two_orders_is_consumed_once() -> None:
    desk = Desk()
    first = desk.place("buy", "limit", "0.1", price="99")
    second = desk.place("buy", "limit", "0.1", Book([[99.0, 1.5]], BOOK.asks), price="99")
    desk.trade(99.0, 1.2)
    assert (desk.order(first).filled, desk.order(second).queue) == (Amount("0.1"), Amount("0.4"))


@pytest.mark.parametrize("side", ["buy", "sell"])
def test_trades_of_the_other_direction_and_of_the_past_do_nothing(side: str) -> None:
    desk = Desk()
    order = desk.place(side, "limit", "1", price="99" if side == "buy" else "101")
    desk.trade(90.0 if side == "buy" else 110.0, 5.0, side)
    other = "sell" if side == "buy" else "buy"
    desk.trade(90.0 if side == "buy" else 110.0, 5.0, other, ts_ms=order.created_ms)
    assert desk.order(order).filled == 0
    desk.trade(90.0 if side == "buy" else 110.0, 5.0, None)
    assert desk.order(order).status == "closed", "a trade without a side counts for both"


def test_an_order_deeper_than_the_book_shows_fills_only_when_its_price_is_passed() -> None:
    desk = Desk()
    order = desk.place("buy", "limit", "1", price="90")
    assert order.queue is None
    desk.trade(90.0, 100.0)
    assert desk.order(order).filled == 0
    desk.trade(89.9, 0.5)
    assert (desk.order(order).filled, desk.order(order).queue) == (Amount("0.5"), 0)


def test_post_only_is_refused_where_it_would_take_and_nothing_is_kept_for_it() -> None:
    desk = Desk()
    with pytest.raises(OrderImmediatelyFillable) as caught:
        desk.place("buy", "limit", "1", price="101", post_only=True)
    assert caught.value.outcome is Outcome.REFUSED
    assert desk.holds("USDT") == ("1000", "0")
    assert desk.place("buy", "limit", "1", price="100", post_only=True).status == "open"


def test_ioc_ends_with_what_it_took_and_fok_takes_all_or_nothing() -> None:
    desk = Desk()
    part = desk.place("buy", "limit", "2", price="101", time_in_force="IOC")
    assert (part.status, part.filled) == ("expired", 1)
    none = desk.place("sell", "limit", "4", price="98", time_in_force="FOK")
    assert (none.status, none.filled) == ("expired", 0)
    whole = desk.place("sell", "limit", "3", price="98", time_in_force="FOK")
    assert (whole.status, whole.filled) == ("closed", 3)
    assert desk.holds("BTC")[1] == "0"


@pytest.mark.parametrize(
    ("side", "trigger", "stop", "passes", "keeps"),
    [
        ("sell", "stop", "95", 95.0, 95.1),
        ("buy", "stop", "105", 105.0, 104.9),
        ("sell", "take_profit", "105", 105.0, 104.9),
        ("buy", "take_profit", "95", 95.0, 95.1),
    ],
)
def test_a_stop_waits_for_a_trade_at_its_trigger_price(
    side: str, trigger: str, stop: str, passes: float, keeps: float
) -> None:
    desk = Desk()
    order = desk.place(side, "market", "1", stop_price=stop, trigger=trigger)
    assert order.status == "waiting"
    assert desk.trade(keeps, 1.0, None) == []
    (triggered,) = desk.trade(passes, 1.0, None)
    assert (triggered.id, triggered.status) == (order.id, "triggered")
    entered = desk.account.enter(order.id, TERMS, BOOK, 50)
    assert (entered.status, entered.filled) == ("closed", 1)
    assert [desk.holds(code)[1] for code in ("USDT", "BTC")] == ["0", "0"]


def test_a_stop_limit_rests_at_its_limit_and_its_funds_stay_kept() -> None:
    desk = Desk()
    order = desk.place("buy", "limit", "1", price="100", stop_price="102")
    assert desk.holds("USDT") == ("900", "100")
    desk.trade(103.0, 1.0, "buy")
    entered = desk.account.enter(order.id, TERMS, BOOK, 50)
    assert (entered.status, entered.queue) == ("open", 0)
    assert desk.holds("USDT") == ("900", "100")


def test_a_trigger_price_that_is_passed_already_is_refused_or_executes_at_once_as_at_the_exchange() -> None:
    with pytest.raises(OrderImmediatelyFillable, match="at 99.0 to 101.0, beyond the trigger price 101"):
        Desk().place("sell", "market", "1", stop_price="101")
    at_once = Terms(SYMBOL, "BTC", "USDT", Amount(0), Amount(0), "get", at_once=frozenset({"stop"}))
    assert Desk(at_once).place("sell", "market", "1", stop_price="101").status == "closed"
    assert Desk(at_once).place("sell", "market", "1", stop_price="100").status == "waiting", (
        "the last price is not known"
    )


def test_a_stop_that_cannot_be_paid_when_it_triggers_ends() -> None:
    desk = Desk(USDT="120")
    order = desk.place("buy", "market", "1", stop_price="110")
    desk.trade(111.0, 1.0, "buy")
    dear = Book([], [[121.0, 5.0]])
    entered = desk.account.enter(order.id, TERMS, dear, 50)
    assert (entered.status, entered.filled) == ("expired", 0)
    assert "120 are free" in entered.reason
    assert desk.holds("USDT") == ("120", "0")


def test_an_order_ends_with_its_time() -> None:
    desk = Desk()
    order = desk.place("buy", "limit", "1", price="99", time_in_force="GTD", expire_at_ms=100)
    desk.account.expire(TERMS, 99)
    assert desk.order(order).status == "open"
    desk.account.expire(TERMS, 100)
    assert desk.order(order).status == "expired"
    assert desk.holds("USDT") == ("1000", "0")


@pytest.mark.parametrize(
    ("side", "type", "amount", "price", "says"),
    [
        ("buy", "limit", "11", "99", "1089 USDT"),
        ("sell", "limit", "11", "101", "11 BTC"),
        ("buy", "market", "3.99", None, "405.98 USDT"),
    ],
)
def test_what_cannot_be_paid_is_refused_whole(side: str, type: str, amount: str, price: str | None, says: str) -> None:
    desk = Desk(USDT="300", BTC="10") if type == "market" else Desk()
    with pytest.raises(InsufficientFunds, match=f"needs {says}") as caught:
        desk.place(side, type, amount, **({"price": price} if price else {}))
    assert caught.value.outcome is Outcome.REFUSED
    assert desk.account.standing == []
    assert not desk.account.changes().fills


def test_a_client_id_stands_once() -> None:
    desk = Desk()
    desk.place("buy", "limit", "1", price="99", client_id="mine")
    with pytest.raises(DuplicateOrderId):
        desk.place("buy", "limit", "1", price="99", client_id="mine")
