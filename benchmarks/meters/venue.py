"""The local exchanges of these runs, which write down what they count: a Binance whose minutes are seconds, and a Kraken
whose counters are smaller, beside what falls off them, than a key's real ones, so that a run fills them soon."""

from __future__ import annotations

import os
from typing import TextIO

import msgspec

from planar.adapters.binance import PROFILE
from planar.adapters.kraken import PROFILE as KRAKEN
from planar.adapters.profile import Profile
from planar.transport.meters import MeterSpec
from planar.venue.wire import binance, kraken
from planar.venue.wire.binance.limits import Rule
from planar.venue.wire.kraken.settings import TierLimits
from planar.venue.witness import Witness

WEIGHT = 4_000
ORDERS = 400
MANY = 1_000_000_000
LOG_VARIABLE = "PLANAR_METERS_LOG"


class _Seconds(binance.Settings, frozen=True):
    """Windows of a second."""

    @property
    def weight_rule(self) -> Rule:
        return Rule("REQUEST_WEIGHT", "SECOND", 1, WEIGHT)

    @property
    def order_rules(self) -> tuple[Rule, Rule]:
        return Rule("ORDERS", "SECOND", 1, ORDERS), Rule("ORDERS", "DAY", 1, MANY)


def scaled(profile: Profile = PROFILE) -> Profile:
    """What Planar knows of this exchange."""
    orders = {"scope": "key", "cancels": False}
    meters = (
        MeterSpec("weight", WEIGHT, 1_000, "fixed", header="X-MBX-USED-WEIGHT-1S"),
        MeterSpec("raw", MANY, 300_000, "fixed"),
        MeterSpec("orders_10s", ORDERS, 1_000, "fixed", header="X-MBX-ORDER-COUNT-1S", **orders),
        MeterSpec("orders_day", MANY, 86_400_000, "fixed", header="X-MBX-ORDER-COUNT-1D", **orders),
    )
    return msgspec.structs.replace(profile, meters=meters)


def strict(seed: int, activity: bool) -> binance.BinanceWire:
    """The exchange, for `planar venue --venues`."""
    settings = _Seconds(requests_per_5m=MANY, connections_per_5m=MANY, orders_per_day=MANY, warnings_before_ban=MANY)
    wire = binance.create(seed, activity, settings)
    _write_down(wire.witness, open(os.environ[LOG_VARIABLE], "a", buffering=1))  # noqa: SIM115 (as long as the process)
    return wire


COUNTERS = TierLimits(calls=20, calls_decay=8, orders=60, orders_decay=6, open_orders=10_000)
"""A key has its requests one after the other, so they are fewer than on Binance."""
PAIRS = ("XBTUSDT", "ETHUSDT")
CALL_COUNTER, TRADING_COUNTER = "call counter", "transaction counter"


def scaled_kraken(profile: Profile = KRAKEN) -> Profile:
    """What Planar knows of this exchange."""
    own = {"kind": "decaying", "scope": "key", "cancels": False}
    meters = (
        MeterSpec("public", MANY, 1_000),
        MeterSpec("private", COUNTERS.calls, decay_per_s=COUNTERS.calls_decay, **own),
        MeterSpec("trading", COUNTERS.orders, decay_per_s=COUNTERS.orders_decay, **own),
    )
    return msgspec.structs.replace(profile, meters=meters)


def strict_kraken(seed: int, activity: bool) -> kraken.KrakenWire:
    """The exchange, for `planar venue --venues`."""
    wire = kraken.create(seed, activity, kraken.Settings(own_limits=COUNTERS))
    _write_down(wire.desk.witness, open(os.environ[LOG_VARIABLE], "a", buffering=1))  # noqa: SIM115 (as long as the process)
    return wire


def _write_down(witness: Witness, log: TextIO) -> None:
    """A line for each charge: when, on which meter, how much."""
    from planar import runtime

    charged = witness.charged

    def both(meter: str, amount: float) -> None:
        charged(meter, amount)
        log.write(f"{runtime.wall_ns()} {meter} {amount:g}\n")

    witness.charged = both  # type: ignore[method-assign]
