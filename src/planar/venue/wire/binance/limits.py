"""What the exchange meters: request weight and requests by address, connections by address, unfilled orders by account.

Intervals start on the clock (a minute at its full minute), as the documentation says. An address that goes on after 429
is banned, each time twice as long, from two minutes to three days. The witness hears of every charge and violation.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

import planar.runtime as runtime
from planar.venue.wire.binance import errors
from planar.venue.witness import MeterRow, Witness

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
    """Counts against one rule, for each subject.

    Args:
        scope: what a subject is, an address or an account.
        family: what tells it from a meter of the same rule.

    Attributes:
        name: its name for the witness.
    """

    def __init__(self, rule: Rule, scope: str = "address", *, family: str = "") -> None:
        self.rule = rule
        self.name = f"{family}{rule.kind} {rule.letters}"
        self._scope = scope
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

    def row(self, subject: str, used: int, now_ms: int) -> MeterRow:
        """How it stands for a subject that has used so much, for the witness."""
        return MeterRow(
            id=f"{self.name} {subject}",
            meter=self.name,
            scope=self._scope,
            subject=subject,
            used=used,
            limit=self.rule.limit,
            window_ms=self.rule.period_ms,
            resets_ms=self.resets_ms(now_ms),
            ts_ms=now_ms,
        )

    def rows(self) -> list[MeterRow]:
        """How it stands for all who used it in the present interval."""
        now_ms = runtime.wall_ms()
        self._turn(now_ms)
        return [self.row(subject, used, now_ms) for subject, used in self._counts.items()]


class _Ban(msgspec.Struct):
    until_ms: int = 0
    times: int = 0
    warned_until_ms: int = 0
    warnings: int = 0
    ignored: int = 0
    """Requests during this ban."""


class AddressLimits:
    """Limits by address: weight, number of requests, bans."""

    def __init__(
        self, weight: Rule, requests: Rule, *, warnings: int, ban_ms: int, witness: Witness, family: str = ""
    ) -> None:
        """
        Args:
            warnings: how many answers 429 an address gets in one interval before it is banned for `ban_ms`.
            family: what tells these meters from others by the same rules.
        """
        self.weight = Meter(weight, family=family)
        self.requests = Meter(requests, family=family)
        self._family = family
        self._witness = witness
        for meter in (self.weight, self.requests):
            witness.watch(meter.rows)
        witness.watch(self._bans_in_force)
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
            ban.ignored += 1
            self._witness.exceeded(self._banned(address, ban, now_ms), "418", until_ms=ban.until_ms)
            raise errors.banned(ban.until_ms)
        used = self.weight.add(address, weight, now_ms)
        sent = self.requests.add(address, 1, now_ms)
        self._witness.charged(self.weight.name, weight)
        self._witness.charged(self.requests.name, 1)
        for meter, count, refusal in (
            (self.weight, used, errors.too_much_weight),
            (self.requests, sent, errors.too_many_requests),
        ):
            if count > meter.rule.limit:
                retry_ms = meter.resets_ms(now_ms)
                self._warn(address, now_ms, retry_ms, meter.row(address, count, now_ms))
                raise refusal(meter.rule.limit, meter.rule.words, retry_ms)

    def _warn(self, address: str, now_ms: int, retry_ms: int, row: MeterRow) -> None:
        ban = self._bans.setdefault(address, _Ban())
        if ban.warned_until_ms != retry_ms:
            ban.warned_until_ms = retry_ms
            ban.warnings = 0
        ban.warnings += 1
        if ban.warnings > self._warnings:
            ban.until_ms = now_ms + min(self._ban_ms << min(ban.times, 20), BAN_MAX_MS)
            ban.times += 1
            ban.warnings = ban.ignored = 0
            self._witness.exceeded(row, "418, banned", until_ms=ban.until_ms)
            raise errors.banned(ban.until_ms)
        self._witness.exceeded(row, "429", until_ms=retry_ms)

    def _banned(self, address: str, ban: _Ban, now_ms: int) -> MeterRow:
        """A ban as a meter: requests sent in spite of it, of which none is allowed."""
        name = f"{self._family}BAN"
        return MeterRow(
            id=f"{name} {address}",
            meter=name,
            scope="address",
            subject=address,
            used=ban.ignored,
            limit=0,
            resets_ms=ban.until_ms,
            ts_ms=now_ms,
        )

    def _bans_in_force(self) -> list[MeterRow]:
        now_ms = runtime.wall_ms()
        return [self._banned(address, ban, now_ms) for address, ban in self._bans.items() if now_ms < ban.until_ms]

    def used(self, address: str, now_ms: int) -> list[dict[str, Any]]:
        """The weight used, as in an answer of the WebSocket API."""
        return [self.weight.rule.json(self.weight.count(address, now_ms))]


class OrderLimits:
    """Unfilled orders by account (faqs/order_count_decrement.md).

    A new order counts one; the first fill of an order takes one off, five if the order was the maker.
    """

    MAKER_CREDIT: Final = 5

    def __init__(self, rules: Sequence[Rule], witness: Witness) -> None:
        self.meters = [Meter(rule, "account") for rule in rules]
        self._witness = witness
        for meter in self.meters:
            witness.watch(meter.rows)

    def check(self, account: str, now_ms: int) -> None:
        """Whether one more order is allowed.

        Raises:
            ApiError: -1015 with status 429.
        """
        for meter in self.meters:
            used = meter.count(account, now_ms)
            if used >= meter.rule.limit:
                row = meter.row(account, used + 1, now_ms)
                self._witness.exceeded(row, "429", until_ms=row.resets_ms)
                raise errors.too_many_orders(meter.rule.limit, meter.rule.words, meter.resets_ms(now_ms))

    def placed(self, account: str, now_ms: int) -> None:
        """A new order."""
        for meter in self.meters:
            meter.add(account, 1, now_ms)
            self._witness.charged(meter.name, 1)

    def withdrawn(self, account: str, now_ms: int) -> None:
        """A new order was refused after all."""
        for meter in self.meters:
            meter.add(account, -1, now_ms)
            self._witness.charged(meter.name, -1)

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
