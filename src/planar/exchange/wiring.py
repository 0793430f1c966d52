"""What the workspace lends to an exchange for its safety."""

from __future__ import annotations

import msgspec

from planar.adapters.opening import OpeningRequest
from planar.orders.audit import AuditTrail
from planar.transport.alarms import Alarms


class SafetyWiring(msgspec.Struct):
    """What the safety of one exchange needs of the workspace.

    Attributes:
        alarms: where alarms go.
        opening: how the account is opened, for a watchdog to open it too; None: it cannot.
        trail: the account's audit trail, or None.
    """

    alarms: Alarms
    opening: OpeningRequest | None = None
    trail: AuditTrail | None = None
