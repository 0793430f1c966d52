"""The local exchange of these runs: a Binance whose minutes are seconds, and which writes down what it counts."""

from __future__ import annotations

import os
from typing import TextIO

import msgspec

from planar.adapters.binance import PROFILE
from planar.adapters.profile import Profile
from planar.transport.meters import MeterSpec
from planar.venue.wire import binance
from planar.venue.wire.binance.limits import Rule
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


def _write_down(witness: Witness, log: TextIO) -> None:
    """A line for each charge: when, on which meter, how much."""
    from planar import runtime

    charged = witness.charged

    def both(meter: str, amount: float) -> None:
        charged(meter, amount)
        log.write(f"{runtime.wall_ns()} {meter} {amount:g}\n")

    witness.charged = both  # type: ignore[method-assign]
