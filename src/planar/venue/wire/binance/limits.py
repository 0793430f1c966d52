"""What the exchange meters: request weight and requests by address, connections by address, unfilled orders by account.

Intervals start on the clock (a minute at its full minute), as the documentation says. An address that goes on after 429
is banned, each time twice as long, from two minutes to three days.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from planar.venue.wire.binance import errors

_UNIT_MS: Final = {"SECOND": 1_000, "MINUTE": 60_000, "HOUR": 3_600_000, "DAY": 86_400_000}
BAN_MAX_MS: Final = 3 * 86_400_000


class Rule(msgspec.Struct, frozen=True):
    """One limit, as `exchangeInfo` lists it."""

    kind: str
    """rateLimitType."""
    interval: str
    number: int
    """intervalNum."""
    limit: int

    @property
    def period_ms(self) -> int:
        """Length of the interval."""
        return _UNIT_MS[self.interval] * self.number

    @property
    def words(self) -> str:
        """The interval as the error texts write it."""
        return f"{self.number} {self.interval}"

    @property
    def letters(self) -> str:
        """The interval as the headers write it."""
        return f"{self.number}{self.interval[0]}"

    def json(self, count: int | None = None) -> dict[str, Any]:
        """As in `exchangeInfo`; with `count`, as in an answer of the WebSocket API."""
        entry: dict[str, Any] = {
            "rateLimitType": self.kind,
            "interval": self.interval,
            "intervalNum": self.number,
            "limit": self.limit,
        }
        if count is not None:
            entry["count"] = count
        return entry


class Meter:
    """Counts against one rule, for each subject (an address or an account)."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self._period = -1
        self._counts: dict[str, int] = {}

    def _turn(self, now_ms: int) -> None:
        period = now_ms // self.rule.period_ms
        if period != self._period:
            self._period = period
            self._counts.clear()

    def count(self, subject: str, now_ms: int) -> int:
        """What the subject has used in the present interval."""
        self._turn(now_ms)
        return self._counts.get(subject, 0)

    def add(self, subject: str, amount: int, now_ms: int) -> int:
        """Use some; the new count, never below 0."""
        count = max(0, self.count(subject, now_ms) + amount)
        self._counts[subject] = count
        return count

    def resets_ms(self, now_ms: int) -> int:
        """When the next interval starts."""
        return (now_ms // self.rule.period_ms + 1) * self.rule.period_ms


class _Ban(msgspec.Struct):
    until_ms: int = 0
    times: int = 0
    warned_until_ms: int = 0
    warnings: int = 0


class AddressLimits:
    """Limits by address: weight, number of requests, bans."""

    def __init__(self, weight: Rule, requests: Rule, *, warnings: int, ban_ms: int) -> None:
        """`warnings`: how many answers 429 an address gets in one interval before it is banned for `ban_ms`."""
        self.weight = Meter(weight)
        self.requests = Meter(requests)
        self._warnings = warnings
        self._ban_ms = ban_ms
        self._bans: dict[str, _Ban] = {}

    def charge(self, address: str, weight: int, now_ms: int) -> None:
        """Count a request.

        Raises:
            ApiError: 418 during a ban, or when it begins; 429, a limit is reached.
        """
        ban = self._bans.get(address)
        if ban is not None and now_ms < ban.until_ms:
            raise errors.banned(ban.until_ms)
        used = self.weight.add(address, weight, now_ms)
        sent = self.requests.add(address, 1, now_ms)
        if used > self.weight.rule.limit:
            retry_ms = self.weight.resets_ms(now_ms)
            self._warn(address, now_ms, retry_ms)
            raise errors.too_much_weight(self.weight.rule.limit, self.weight.rule.words, retry_ms)
        if sent > self.requests.rule.limit:
            retry_ms = self.requests.resets_ms(now_ms)
            self._warn(address, now_ms, retry_ms)
            raise errors.too_many_requests(self.requests.rule.limit, self.requests.rule.words, retry_ms)

    def _warn(self, address: str, now_ms: int, retry_ms: int) -> None:
        ban = self._bans.setdefault(address, _Ban())
        if ban.warned_until_ms != retry_ms:
            ban.warned_until_ms = retry_ms
            ban.warnings = 0
        ban.warnings += 1
        if ban.warnings > self._warnings:
            ban.until_ms = now_ms + min(self._ban_ms << min(ban.times, 20), BAN_MAX_MS)
            ban.times += 1
            ban.warnings = 0
            raise errors.banned(ban.until_ms)

    def used(self, address: str, now_ms: int) -> list[dict[str, Any]]:
        """The weight used, as in an answer of the WebSocket API."""
        return [self.weight.rule.json(self.weight.count(address, now_ms))]


class OrderLimits:
    """Unfilled orders by account (faqs/order_count_decrement.md).

    A new order counts one; the first fill of an order takes one off, five if the order was the maker.
    """

    MAKER_CREDIT: Final = 5

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.meters = [Meter(rule) for rule in rules]

    def check(self, account: str, now_ms: int) -> None:
        """Whether one more order is allowed.

        Raises:
            ApiError: -1015 with status 429.
        """
        for meter in self.meters:
            if meter.count(account, now_ms) >= meter.rule.limit:
                raise errors.too_many_orders(meter.rule.limit, meter.rule.words, meter.resets_ms(now_ms))

    def placed(self, account: str, now_ms: int) -> None:
        """A new order."""
        for meter in self.meters:
            meter.add(account, 1, now_ms)

    def withdrawn(self, account: str, now_ms: int) -> None:
        """A new order was refused after all."""
        for meter in self.meters:
            meter.add(account, -1, now_ms)

    def first_fill(self, account: str, now_ms: int, *, maker: bool) -> None:
        """An order traded for the first time."""
        for meter in self.meters:
            meter.add(account, -self.MAKER_CREDIT if maker else -1, now_ms)

    def used(self, account: str, now_ms: int) -> list[dict[str, Any]]:
        """The counts, as in an answer of the WebSocket API."""
        return [meter.rule.json(meter.count(account, now_ms)) for meter in self.meters]

    def headers(self, account: str, now_ms: int) -> dict[str, str]:
        """X-MBX-ORDER-COUNT-*."""
        return {f"X-MBX-ORDER-COUNT-{meter.rule.letters}": str(meter.count(account, now_ms)) for meter in self.meters}
