"""The limits of one account (`[<id>.limits]`), checked before an order is journaled.

`OrderLimits.look` asks the venue for what the limits need and is not known: a price, a balance. `OrderLimits.admit` then
decides without waiting, and the order is journaled in the same step of the event loop. So the journal itself is the
reservation: whatever was admitted before is in it, and no two orders pass a limit together.

What is unknown never passes: an order that a limit cannot be checked for is refused with the reason. Cancels are never
limited.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from decimal import Decimal
from typing import Final

import msgspec

import planar.runtime as runtime
from planar.adapters.base import OrderRequest
from planar.config.schema import LimitSettings
from planar.errors import LimitExceeded, PlanarError
from planar.models import FINAL_STATES, AccountBalance, Amount, Market, OrderBook
from planar.models.sizing import value_of
from planar.orders.estimates import Estimate, estimate
from planar.orders.machine import Facts, state_of
from planar.orders.store import OrderStore

MINUTE_MS: Final = 60_000
DEPTH: Final = 100
"""Price levels that are asked for."""
BALANCE_MS: Final = 10_000
"""So old a balance may be, with all that orders of the journal may have bought since counted on top of it."""
ZERO: Final = Amount(0)
COUNTING: Final = ("max_open_orders", "max_orders_per_minute")
"""Limits that count orders of the journal."""


class LimitCheck(msgspec.Struct, frozen=True):
    """One limit beside one order.

    Attributes:
        limit: its name in the settings.
        allowed: what it allows.
        found: what the order would make of it, or why that is not known.
        passed: whether the order keeps it.
        place: file and line, variable or argument where it is written.
    """

    limit: str
    allowed: str
    found: str
    passed: bool
    place: str


class Sight(msgspec.Struct, frozen=True):
    """What an order is judged by, as `look` saw it.

    Attributes:
        estimate: what the order would trade at; None if no limit needs it.
        market_price: the middle of the market; None if it is not known.
        rate: how much of the limit's currency a unit of the quote currency is worth; None if nobody knows.
        balance: what the account holds; None if no limit needs it.
        filled: client id -> what of it had been filled before the balance was asked for.
        asked_ms: when that was.
        why: what could not be found out, by limit.
    """

    estimate: Estimate | None = None
    market_price: Amount | None = None
    rate: Amount | None = None
    balance: AccountBalance | None = None
    filled: dict[str, Amount] = {}
    asked_ms: int = 0
    why: dict[str, str] = {}


class Surroundings(msgspec.Struct, frozen=True):
    """What the limits ask for.

    Attributes:
        market: the market of a symbol.
        find_market: the market of a pair of currencies, if there is one.
        price: what a market trades at; None if nothing fresh is known.
        book: asks the venue for the book of a market.
        balance: asks the venue for the balance.
        others: how many orders of other programs were open when they were last listed.
        place: where the limits are written.
    """

    market: Callable[[str], Market]
    find_market: Callable[[str, str], Market | None]
    price: Callable[[str], Amount | None]
    book: Callable[[str, int], Awaitable[OrderBook]]
    balance: Callable[[], Awaitable[AccountBalance]]
    others: Callable[[], int]
    place: Callable[[], str]


class OrderLimits:
    """The limits of one account."""

    def __init__(self, exchange: str, limits: LimitSettings, store: OrderStore, around: Surroundings) -> None:
        self._exchange = exchange
        self._limits = limits
        self._store = store
        self._around = around
        self._held: Sight | None = None

    # -- asking ----------------------------------------------------------------------------------------------------
    async def look(self, request: OrderRequest) -> Sight:
        """Find out what the limits need to know about an order; asks the venue for what is not known."""
        limits, market, why = self._limits, self._around.market(request.symbol), dict[str, str]()
        guessed = rate = price = None
        sized = _touches_position(limits, request, market)
        if limits.max_order_value is not None or limits.price_collar is not None or sized:
            guessed, price = await self._estimate(request, market, why)
        if limits.max_order_value is not None:
            rate = await self._rate(market, limits.max_order_value.currency, why)
        sight = Sight(guessed, price, rate, why=why)
        return await self._with_balance(request, market, sight) if sized else sight

    async def _with_balance(self, request: OrderRequest, market: Market, sight: Sight) -> Sight:
        """The balance as it was asked for lately, unless it would refuse the order: then as it is now."""
        known = self._held
        if known is not None and runtime.wall_ms() - known.asked_ms <= BALANCE_MS:
            guess = _with(sight, known)
            if self._position(request, market, guess).passed:
                return guess
        asked_ms = runtime.wall_ms()
        counted = dict.fromkeys([*self._store.unfinished(), *self._from(asked_ms)])
        filled = {name: self._store.facts(name).filled for name in counted}
        try:
            self._held = Sight(balance=await self._around.balance(), filled=filled, asked_ms=asked_ms)
        except PlanarError as error:
            sight.why["max_position"] = f"the balance is not known: {error.message}"
            return sight
        return _with(sight, self._held)

    async def _estimate(
        self, request: OrderRequest, market: Market, why: dict[str, str]
    ) -> tuple[Estimate | None, Amount | None]:
        price = self._around.price(market.symbol)
        sweeps = request.price is None and request.stop_price is None
        sells = self._limits.max_order_value is not None and request.side == "sell"
        needs_price = request.stop_price is None and (sells or self._limits.price_collar is not None)
        book = None
        if sweeps or (needs_price and price is None):
            try:
                book = await self._around.book(market.symbol, DEPTH)
            except PlanarError as error:
                why["price_collar"] = why["price"] = f"the market's price is not known: {error.message}"
            else:
                price = None if book.mid is None else Amount(book.mid)
        return estimate(request, market, book), price

    async def _rate(self, market: Market, currency: str, why: dict[str, str]) -> Amount | None:
        """What a unit of the quote currency is worth; None if no market of both tells."""
        quote = market.quote
        if quote == currency:
            return Amount(1)
        for base, other, turned in ((quote, currency, False), (currency, quote, True)):
            bridge = self._around.find_market(base, other)
            if bridge is None:
                continue
            price = self._around.price(bridge.symbol)
            if price is None:
                try:
                    middle = (await self._around.book(bridge.symbol, 5)).mid
                except PlanarError as error:
                    why["rate"] = f"the price of {bridge.symbol} is not known: {error.message}"
                    continue
                price = None if middle is None else Amount(middle)
            if price:
                return Amount(1) / price if turned else price
        why.setdefault("rate", f"no market tells what {quote} is worth in {currency}")
        return None

    # -- deciding --------------------------------------------------------------------------------------------------
    def admit(self, request: OrderRequest, sight: Sight, filled: Amount = ZERO) -> None:
        """Refuse an order that is beyond a limit. Whoever calls this journals the order before anything else runs.

        Args:
            filled: part of its amount that has traded already: the order is changed in place.

        Raises:
            LimitExceeded: which limit, what the order would make of it, and where the limit is written.
        """
        for check in self.checks(request, sight, filled):
            if not check.passed:
                raise LimitExceeded(
                    f"{check.limit} allows {check.allowed}, and {check.found}",
                    exchange=self._exchange,
                    hint=f"the limit is {check.limit} in [{self._exchange}.limits] ({check.place})",
                )

    def checks(self, request: OrderRequest, sight: Sight, filled: Amount = ZERO) -> Iterator[LimitCheck]:
        """Each limit that concerns an order."""
        limits, market = self._limits, self._around.market(request.symbol)
        if limits.max_order_value is not None:
            yield self._value(request, market, sight)
        if limits.price_collar is not None:
            yield self._collar(request, market, sight)
        if limits.max_open_orders is not None and request.replaces is None:
            count = len(self._store.unfinished()) + self._around.others() + 1
            text = f"{count} would be open with this one"
            yield self._check(
                "max_open_orders", f"{limits.max_open_orders} orders", text, count <= limits.max_open_orders
            )
        if limits.max_orders_per_minute is not None:
            count = self._sent_lately() + 1
            most = limits.max_orders_per_minute
            yield self._check(
                "max_orders_per_minute", f"{most} orders", f"this is number {count} within 60 s", count <= most
            )
        if _touches_position(limits, request, market):
            yield self._position(request, market, sight, filled)

    def _check(self, limit: str, allowed: str, found: str, passed: bool) -> LimitCheck:
        return LimitCheck(limit, allowed, found, passed, self._around.place())

    def _value(self, request: OrderRequest, market: Market, sight: Sight) -> LimitCheck:
        most = self._limits.max_order_value
        assert most is not None
        value = sight.estimate.value if sight.estimate is not None else None
        if value is not None and request.side == "sell" and request.price is not None and request.stop_price is None:
            # a sell order trades at its price or above: at the market's, if that is more
            value = None if sight.market_price is None else self._best(request, market, value, sight.market_price)
        if value is None:
            why = sight.why.get("price") or (sight.estimate.note if sight.estimate else "") or "it has no price"
            return self._check("max_order_value", str(most), f"what the order is worth is not known: {why}", False)
        if sight.rate is None:
            why = sight.why["rate"]
            text = f"the order is worth {value} {market.quote}: {why}"
            return self._check("max_order_value", str(most), text, False)
        worth = Amount(value * sight.rate)
        text = f"the order is worth {_short(worth)} {most.currency}"
        return self._check("max_order_value", str(most), text, worth <= most.value)

    def _best(self, request: OrderRequest, market: Market, value: Amount, market_price: Amount) -> Amount:
        assert request.amount is not None
        return max(value, value_of(market, request.amount, market_price))

    def _collar(self, request: OrderRequest, market: Market, sight: Sight) -> LimitCheck:
        """How much worse than the market the order's worst price is; of a stop order, than its trigger price."""
        share = self._limits.price_collar
        assert share is not None
        buys = request.side == "buy"
        allowed = f"{_short(Amount(share * 100))}% {'above' if buys else 'below'} the market"
        reference = request.stop_price if request.stop_price is not None else sight.market_price
        worst = request.price if request.price is not None else sight.estimate.worst if sight.estimate else None
        if request.stop_price is not None and request.price is None:
            return self._check("price_collar", allowed, "a stop order without a price trades at the market's", True)
        if reference is None or not reference:
            why = sight.why.get("price_collar", "the market's price is not known: a side of its book is empty")
            return self._check("price_collar", allowed, why, False)
        if worst is None:
            why = sight.estimate.note if sight.estimate and sight.estimate.note else "its worst price is not known"
            return self._check("price_collar", allowed, why, False)
        off = Amount((worst - reference) / reference if buys else (reference - worst) / reference)
        side = ("above" if off > 0 else "below") if buys else ("below" if off > 0 else "above")
        text = f"{_short(worst)} is {_short(abs(Amount(off * 100)), 2)}% {side} {_short(reference)}"
        return self._check("price_collar", allowed, text, off <= share)

    def _position(self, request: OrderRequest, market: Market, sight: Sight, filled: Amount = ZERO) -> LimitCheck:
        base = market.base
        most = self._limits.max_position[base]
        allowed = f"{most:f} {base}"
        if market.type != "spot":
            text = f"positions in derivatives such as {market.symbol} are not counted"
            return self._check("max_position", allowed, text, False)
        amount = sight.estimate.amount if sight.estimate is not None else None
        amount = None if amount is None else max(ZERO, Amount(amount - filled))
        if sight.balance is None or amount is None:
            why = sight.why.get("max_position") or sight.why.get("price") or "how much it would buy is not known"
            return self._check("max_position", allowed, why, False)
        entry = sight.balance.balances.get(base)
        held = ZERO if entry is None else entry.total
        if held is None:
            return self._check("max_position", allowed, f"the exchange does not say how much {base} is held", False)
        would = Amount(held + self._still_buying(base, market, request, sight) + amount)
        text = f"{_short(would)} {base} would be held: {_short(held)} now, {_short(amount)} by this order"
        return self._check("max_position", allowed, text, would <= most)

    def _still_buying(self, base: str, market: Market, request: OrderRequest, sight: Sight) -> Amount:
        """What orders of this journal may add to the balance that was seen."""
        names = dict.fromkeys([*sight.filled, *self._buys(base), *self._since(base, sight.asked_ms)])
        left = ZERO
        for name in names:
            facts = self._store.facts(name)
            intent = facts.intent
            if intent is None or (request.replaces is not None and request.replaces in facts.order_ids):
                continue
            wished = facts.most
            if wished is None:
                price = self._around.price(intent.symbol) or sight.market_price
                wished = Amount(intent.cost / price) if intent.cost is not None and price else ZERO
            reached = facts.filled if state_of(facts) in FINAL_STATES else max(wished, facts.filled)
            left = Amount(left + max(ZERO, reached - sight.filled.get(name, ZERO)))
        return left

    # -- the journal -----------------------------------------------------------------------------------------------
    def _buys(self, base: str) -> list[str]:
        """Orders of the journal that may still buy a currency."""
        return [name for name in self._store.unfinished() if self._buys_it(self._store.facts(name), base)]

    def _buys_it(self, facts: Facts, base: str) -> bool:
        intent = facts.intent
        return intent is not None and intent.side == "buy" and intent.symbol.partition("/")[0] == base

    def _since(self, base: str, since_ms: int) -> Iterator[str]:
        return (name for name in self._from(since_ms) if self._buys_it(self._store.facts(name), base))

    def _from(self, since_ms: int) -> Iterator[str]:
        """Orders that were wished at that time or later."""
        for name in self._store.newest():
            intent = self._store.facts(name).intent
            if intent is not None and intent.wall_ms < since_ms:
                return
            yield name

    def _sent_lately(self) -> int:
        """Orders and changes of the journal within the last minute that were sent, or are about to be."""
        since_ms, count = runtime.wall_ms() - MINUTE_MS, 0
        for name in self._store.newest():
            facts = self._store.facts(name)
            if facts.intent is not None and facts.intent.wall_ms <= since_ms:
                break
            count += "not_sent" not in facts.marks
        return count + self._store.changed_since(since_ms)


def _with(sight: Sight, held: Sight) -> Sight:
    return msgspec.structs.replace(sight, balance=held.balance, filled=held.filled, asked_ms=held.asked_ms)


def _touches_position(limits: LimitSettings, request: OrderRequest, market: Market) -> bool:
    # a derivative can be sold that is not held; what that makes of a position is not known, so it is refused
    return (request.side == "buy" or market.type != "spot") and market.base in limits.max_position


def _short(value: Decimal, places: int = 8) -> str:
    rounded = round(Amount(value), places)
    return f"{rounded.normalize():f}"
