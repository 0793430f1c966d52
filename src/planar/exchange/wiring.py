"""What the workspace lends to an exchange for its safety."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from pathlib import Path

import msgspec

from planar.adapters.opening import OpeningRequest
from planar.config import ExchangeSettings
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


def audit_trail(
    settings: ExchangeSettings,
    directory: Path,
    account: str,
    credentials: Mapping[str, str],
    fingerprint: str,
    alarms: Alarms,
) -> AuditTrail | None:
    """The audit trail of an account; None where nothing can be written to the venue, or it is switched off."""
    if not settings.audit or not credentials:
        return None
    loop = asyncio.get_running_loop()

    def lost(count: int, why: str) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended: there is nobody to be told
            loop.call_soon_threadsafe(tell, count, why)

    def tell(count: int, why: str) -> None:
        text = f"the audit trail cannot be written ({count} lines are lost): {why}"
        alarms.report("audit", "error", settings.id, text, account=account, data={"lost": count})

    return AuditTrail(directory, f"{settings.id}-{fingerprint}", secrets=tuple(credentials.values()), on_lost=lost)
