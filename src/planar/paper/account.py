"""`PaperAccount`: the matching model of one paper account. It asks nobody, waits for nothing and knows no clock.

    place(order, book), cancel(order), trade(public trade), enter(triggered order, book), expire(time)

Each is one step: it happens whole, or raises and changes nothing. What has changed since is taken with `changes()`.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from msgspec.structs import replace

from planar.adapters.base import OrderRequest
from planar.adapters.kinds import kinds_of
from planar.errors import DuplicateOrderId, InsufficientFunds, OrderImmediatelyFillable, Outcome
from planar.models import Amount, Trade
from planar.models.data import Liquidity, Side
from planar.paper.ledger import Ledger
from planar.paper.matching import Book, Hit, Taken, priority, queue_at, share, sweep, triggers
from planar.paper.state import ZERO, PaperFill, PaperOrder, Status, Summary, Terms

ID = "paper-"
"""What ids of simulated orders and fills begin with."""


class Changes(msgspec.Struct, frozen=True):
    """What became different: orders as they are now, new fills, the rest of the account."""

    orders: tuple[PaperOrder, ...]
    fills: tuple[PaperFill, ...]
    summary: Summary


class PaperAccount:
    """One account: balances, orders that stand, and how they meet the market.

    Args:
        summary: as it was kept.
        standing: the orders that had not ended.

    Attributes:
        touched: there is something to be kept that is not kept yet.
    """

    def __init__(self, summary: Summary, standing: Iterable[PaperOrder] = ()) -> None:
        self._summary = summary
        self._ledger = Ledger(summary.holdings)
        self._standing = {order.id: order for order in standing}
        self._seen = dict(summary.seen_ms)
        self._orders = summary.orders
        self._fills = summary.fills
        self._taken: dict[str, Taken] = {}
        self._changed: dict[str, PaperOrder] = {}
        self._new_fills: list[PaperFill] = []
        self.touched = False

    # -- looking ---------------------------------------------------------------------------------------------------
    @property
    def standing(self) -> list[PaperOrder]:
        """The orders that have not ended, the oldest first."""
        return list(self._standing.values())

    @property
    def summary(self) -> Summary:
        """Balances and counts."""
        return replace(
            self._summary,
            holdings=self._ledger.holdings(),
            orders=self._orders,
            fills=self._fills,
            seen_ms=dict(self._seen),
        )

    def seen_ms(self, symbol: str) -> int:
        """Public trades of a market up to this moment have been taken in; 0: none."""
        return self._seen.get(symbol, 0)

    def changes(self) -> Changes:
        """What has changed since this was last called."""
        found = Changes(tuple(self._changed.values()), tuple(self._new_fills), self.summary)
        self._changed.clear()
        self._new_fills.clear()
        self.touched = False
        return found

    @property
    def has_news(self) -> bool:
        """Something has traded since `changes` was last called."""
        return bool(self._new_fills)

    # -- steps -----------------------------------------------------------------------------------------------------
    def place(self, request: OrderRequest, terms: Terms, book: Book, now_ms: int) -> PaperOrder:
        """A new order arrives while the book is as given.

        Raises:
            OrderImmediatelyFillable, InsufficientFunds, DuplicateOrderId: with the outcome REFUSED.
        """
        if any(order.client_id == request.client_id for order in self._standing.values()):
            raise DuplicateOrderId(f"an order with the client id {request.client_id} is open", outcome=Outcome.REFUSED)
        side: Side = "buy" if request.side == "buy" else "sell"
        order = PaperOrder(
            *(self._orders + 1, f"{ID}{self._orders + 1}", request.client_id, request.symbol, side, request.type),
            *(now_ms, now_ms, now_ms),
            amount=request.amount,
            price=request.price,
            cost=request.cost,
            stop_price=request.stop_price,
            trigger=request.trigger,
            time_in_force=request.time_in_force,
            post_only=request.post_only,
            expire_ms=request.expire_at_ms,
        )
        taken = self._look(order.symbol, book)
        if order.stop_price is not None and not self._is_passed(order, kinds_of(request)[0], terms, book):
            entered = self._wait(order, terms)
        else:
            entered = self._enter(order, terms, book, taken, now_ms)
        self._orders += 1
        self._seen.setdefault(order.symbol, now_ms)
        return entered

    def enter(self, order_id: str, terms: Terms, book: Book, now_ms: int) -> PaperOrder:
        """A triggered order goes to the market; without the funds for it, it ends."""
        order = self._standing[order_id]
        self._ledger.lock(terms.pays(order.side), -order.locked)
        order = self._put(replace(order, locked=ZERO, status="open", updated_ms=now_ms, since_ms=now_ms))
        try:
            return self._enter(order, terms, book, self._look(order.symbol, book), now_ms)
        except (InsufficientFunds, OrderImmediatelyFillable) as error:
            return self._end(order, terms, "expired", now_ms, error.message)

    def cancel(self, order_id: str, terms: Terms, now_ms: int) -> PaperOrder:
        """Take back what has not traded.

        Raises:
            KeyError: no such order stands.
        """
        return self._end(self._standing[order_id], terms, "canceled", now_ms)

    def expire(self, terms: Terms, now_ms: int) -> None:
        """End the orders of a market whose time is over."""
        for order in [one for one in self._standing.values() if one.symbol == terms.symbol]:
            if order.expire_ms is not None and order.expire_ms <= now_ms:
                self._end(order, terms, "expired", now_ms)

    def trade(self, trade: Trade, terms: Terms) -> list[PaperOrder]:
        """A public trade: resting orders fill, waiting ones trigger. Those that triggered are to go to the market now."""
        ts_ms = trade.ts_ms
        assert ts_ms is not None
        self._seen[terms.symbol] = max(ts_ms, self._seen.get(terms.symbol, 0))
        mine = [one for one in self._standing.values() if one.symbol == terms.symbol and one.since_ms < ts_ms]
        if not mine:
            return []
        self.touched = True
        price, left = Amount(trade.price), Amount(trade.amount)
        for side in ("buy", "sell"):
            if trade.side == side:
                continue  # the taker's own side: it hit the other
            resting = priority(one for one in mine if one.side == side and one.status == "open")
            for order, fills, queue in share(resting, price, left):
                assert order.price is not None
                self._put(replace(order, queue=queue))
                if fills > 0:
                    self._fill(order.id, terms, Hit(order.price, fills, fills), "maker", ts_ms)
                    left = left - fills
        waiting = [one for one in mine if one.status == "waiting" and triggers(one, price)]
        return [self._put(replace(one, status="triggered", updated_ms=ts_ms)) for one in waiting]

    # -- within a step ---------------------------------------------------------------------------------------------
    def _look(self, symbol: str, book: Book) -> Taken:
        taken = self._taken.setdefault(symbol, Taken())
        taken.look(book)
        return taken

    def _is_passed(self, order: PaperOrder, kind: str, terms: Terms, book: Book) -> bool:
        """Whether the market is beyond the trigger price already, and the venue then executes at once.

        Between the best prices nobody knows what the last trade was: then the order waits for the next one.
        """
        best = [Amount(levels[0][0]) for levels in (book.bids, book.asks) if levels]
        if len(best) < 2 or not all(triggers(order, price) for price in best):
            return False
        if kind in terms.at_once:
            return True
        raise OrderImmediatelyFillable(
            f"the market is at {best[0]} to {best[1]}, beyond the trigger price {order.stop_price}",
            outcome=Outcome.REFUSED,
            hint="a stop is a worse price than the market's, a take-profit a better one",
        )

    def _wait(self, order: PaperOrder, terms: Terms) -> PaperOrder:
        price = order.price or order.stop_price
        assert price is not None
        # what an order sized by cost takes is known only when it does
        needed = ZERO if order.amount is None else terms.binds(order.side, order.amount, price)
        self._lock(order, terms, needed)
        return self._put(replace(order, status="waiting", locked=needed))

    def _enter(self, order: PaperOrder, terms: Terms, book: Book, taken: Taken, now_ms: int) -> PaperOrder:
        """To the market: take what can be taken, rest or end with the remainder."""
        hits = sweep(
            *(book.against(order.side), order.side, taken),
            amount=None if order.amount is None else order.left,
            cost=order.cost,
            limit=order.price,
            step=terms.step,
        )
        if order.post_only and hits:
            raise OrderImmediatelyFillable(
                f"it would take at {hits[0].price}, and it is post-only",
                outcome=Outcome.REFUSED,
                hint="choose a price behind the book, or leave post_only out",
            )
        if order.time_in_force == "FOK" and sum((hit.amount for hit in hits), ZERO) < order.left:
            return self._end(self._put(order), terms, "expired", now_ms, "the book does not hold all of it")
        needed = self._needed(order, terms, hits)
        self._lock(order, terms, needed)
        self._put(replace(order, locked=needed))
        taken.take(order.side, hits)
        for hit in hits:
            self._fill(order.id, terms, hit, "taker", now_ms)
        return self._rest(order.id, terms, book, now_ms)

    def _rest(self, order_id: str, terms: Terms, book: Book, now_ms: int) -> PaperOrder:
        """What is left after taking: in the book, or the end."""
        order = self._standing.get(order_id)
        if order is None:  # all of it has traded
            return self._changed[order_id]
        if order.cost is not None and order.filled > 0:
            return self._end(order, terms, "closed", now_ms)
        if order.type == "market":
            return self._end(order, terms, "expired", now_ms, "the book shows no more")
        if order.time_in_force in ("IOC", "FOK"):
            return self._end(order, terms, "expired", now_ms)
        assert order.price is not None
        return self._put(replace(order, queue=queue_at(book, order.side, order.price)))

    def _needed(self, order: PaperOrder, terms: Terms, hits: list[Hit]) -> Amount:
        """What it binds: a limit order as if it all traded at its limit, a market order what it really takes."""
        if order.price is not None:
            return terms.binds(order.side, order.left, order.price)
        return sum((terms.binds(order.side, hit.amount, hit.price) for hit in hits), ZERO)

    def _lock(self, order: PaperOrder, terms: Terms, needed: Amount) -> None:
        currency = terms.pays(order.side)
        free = self._ledger.free(currency)
        if needed > free:
            raise InsufficientFunds(
                f"the order needs {needed.normalize()} {currency}, its fee included; {free.normalize()} are free in this "
                "paper account",
                outcome=Outcome.REFUSED,
                hint=f"order less; or write more {currency} into the balances of [<id>.paper] and run `planar paper reset`",
            )
        self._ledger.lock(currency, needed)

    def _fill(self, order_id: str, terms: Terms, hit: Hit, role: Liquidity, ts_ms: int) -> None:
        order = self._standing[order_id]
        side, price, amount = order.side, hit.price, hit.amount
        cost, rate = price * amount, terms.rate(role)
        fee_currency, pays, gets = terms.fee_currency(side), terms.pays(side), terms.gets(side)
        fee = (cost if fee_currency == terms.quote else amount) * rate
        given, brought = (cost, amount) if side == "buy" else (amount, cost)
        given = given + fee if fee_currency == pays else given
        brought = brought - fee if fee_currency == gets else brought
        filled = order.filled + amount
        done = order.amount is not None and filled >= order.amount
        locked = self._still_locked(order, terms, filled, amount, price)
        self._ledger.settle(pays, given, order.locked - locked, gets, brought)
        fees = dict(order.fees)
        fees[fee_currency] = fees.get(fee_currency, ZERO) + fee
        self._fills += 1
        self._new_fills.append(
            PaperFill(
                *(self._fills, f"{ID}t{self._fills}", order.id, order.symbol, side, order.type),
                *(price, amount, fee, fee_currency, role, ts_ms),
            )
        )
        after = replace(
            order,
            filled=filled,
            spent=order.spent + cost,
            fees=tuple(fees.items()),
            locked=locked,
            updated_ms=ts_ms,
            last_trade_ms=ts_ms,
        )
        self._put(replace(after, status="closed", queue=None) if done else after)

    def _still_locked(self, order: PaperOrder, terms: Terms, filled: Amount, amount: Amount, price: Amount) -> Amount:
        """What stays bound after an execution."""
        if order.price is not None and order.amount is not None:
            return terms.binds(order.side, order.amount - filled, order.price)
        return order.locked - terms.binds(order.side, amount, price)

    def _end(self, order: PaperOrder, terms: Terms, status: Status, now_ms: int, reason: str = "") -> PaperOrder:
        self._ledger.lock(terms.pays(order.side), -order.locked)
        return self._put(
            replace(order, status=status, locked=ZERO, queue=None, updated_ms=now_ms, reason=reason or order.reason)
        )

    def _put(self, order: PaperOrder) -> PaperOrder:
        self._changed[order.id] = order
        if order.stands:
            self._standing[order.id] = order
        else:
            self._standing.pop(order.id, None)
        self.touched = True
        return order
