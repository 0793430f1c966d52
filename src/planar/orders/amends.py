"""Changes of an order that stands: what was wished, what is known of each wish, and which terms the order has now.

Pure, like `planar.orders.machine`, whose facts hold it. Each change of an order has a number; a change that the venue
acknowledged, or that it shows, has taken effect, and the terms of the one with the highest number are the order's. What
others changed (on the venue's website, by another program) is known from what the venue shows.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from planar.models import Amount, Order
from planar.orders.events import Amended, Amending, Intent

_ENDED = ("acked", "shown", "not_sent", "refused", "absent")


class Terms(msgspec.Struct, frozen=True):
    """What of an order can be changed while it stands.

    Attributes:
        amount: base amount of the whole order, what has traded included.
        price: limit price.
        stop_price: trigger price.
    """

    amount: Amount | None = None
    price: Amount | None = None
    stop_price: Amount | None = None

    def fits(self, shown: Terms) -> bool:
        """Whether these are the terms that the venue shows, as far as it shows any."""
        pairs = ((self.amount, shown.amount), (self.price, shown.price), (self.stop_price, shown.stop_price))
        return all(mine is None or theirs is None or mine == theirs for mine, theirs in pairs)


class Amend(msgspec.Struct, frozen=True):
    """One change. Grows only.

    Attributes:
        number: its place among the changes of the order, from 1.
        wish: what was wished.
        marks: what is known, sorted: "sending", "not_sent", "refused", "unknown", "acked", "shown", "absent".
        expiry_ms: venue time after which the request can no longer be carried out.
        reasons: why it was refused or is unknown, sorted.
    """

    number: int
    wish: Amending | None = None
    marks: tuple[str, ...] = ()
    expiry_ms: int | None = None
    reasons: tuple[str, ...] = ()

    @property
    def took_effect(self) -> bool:
        """The venue said yes, or shows it."""
        return "acked" in self.marks or "shown" in self.marks

    @property
    def unsettled(self) -> bool:
        """Nobody knows yet whether it took effect."""
        return not any(mark in self.marks for mark in _ENDED)

    @property
    def terms(self) -> Terms:
        """The order's terms, if it takes effect."""
        wish = self.wish
        return Terms() if wish is None else Terms(wish.amount, wish.price, wish.stop_price)


Amends = tuple[Amend, ...]


def marked(
    amends: Amends,
    number: int,
    mark: str | None = None,
    *,
    wish: Amending | None = None,
    expiry_ms: int | None = None,
    reason: str = "",
) -> Amends:
    """The changes with what is known of one of them added."""
    found = next((one for one in amends if one.number == number), Amend(number))
    later = max((known for known in (found.expiry_ms, expiry_ms) if known is not None), default=None)
    new = Amend(
        number,
        wish or found.wish,
        tuple(sorted({*found.marks, mark})) if mark else found.marks,
        later,
        tuple(sorted({*found.reasons, reason})) if reason else found.reasons,
    )
    return tuple(sorted((*(one for one in amends if one.number != number), new), key=lambda one: one.number))


def newest(one: Amended | None, other: Amended) -> Amended:
    """Which sight of somebody else's change counts; the same whichever came first."""
    return other if one is None or _rank(other) > _rank(one) else one


def _rank(sight: Amended) -> tuple[int, int, int, str, str, str]:
    return (sight.after, sight.at_ms, sight.wall_ms, str(sight.amount), str(sight.price), sight.source)


def versions(intent: Intent, amends: Amends, foreign: Amended | None) -> Iterator[Terms]:
    """The terms that the order is known to have had, the newest last."""
    yield Terms(intent.amount, intent.price, intent.stop_price)
    told = foreign is None
    for one in amends:
        if foreign is not None and not told and one.number > foreign.after:
            yield Terms(foreign.amount, foreign.price, intent.stop_price)
            told = True
        if one.took_effect:
            yield one.terms
    if foreign is not None and not told:
        yield Terms(foreign.amount, foreign.price, intent.stop_price)


def sight_of(intent: Intent, amends: Amends, foreign: Amended | None, order: Order, now_ms: int) -> Amended | None:
    """What a sight of the order at the venue proves about its terms; None if nothing that is not known.

    Terms that the order had before are an old answer. Terms that nobody here wished are somebody else's change; they are
    looked for in plain limit orders only, since venues show the numbers of others in forms of their own.
    """
    shown = Terms(order.amount, order.price, order.trigger_price)
    known = list(versions(intent, amends, foreign))
    if shown.amount is None or known[-1].fits(shown):
        return None

    def told(number: int, after: int) -> Amended:
        return Amended(
            client_id=intent.client_id,
            wall_ms=now_ms,
            number=number,
            after=after,
            amount=shown.amount,
            price=shown.price,
            at_ms=order.last_update_ts_ms or 0,
            source="venue",
        )

    for one in reversed(amends):
        if not one.took_effect and one.terms.fits(shown):
            return told(one.number, 0)
    plain = intent.type == "limit" and intent.stop_price is None and intent.amount is not None
    if not plain or any(terms.fits(shown) for terms in known):
        return None
    return told(0, max((one.number for one in amends if one.took_effect), default=0))
