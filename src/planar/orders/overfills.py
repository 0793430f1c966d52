"""An order that is filled beyond its amount is an alarm: the account holds what nobody wished."""

from __future__ import annotations

import planar.runtime as runtime
from planar.orders.store import OrderStore
from planar.transport.alarms import Alarms


def watch_overfills(store: OrderStore, alarms: Alarms, exchange: str, account: str) -> None:
    """From now on report each order that is filled beyond all that was ever wished of it, again when it grows."""

    def overfilled(client_id: str) -> None:
        facts = store.facts(client_id)
        alarms.report(
            "order_overfilled",
            "error",
            exchange,
            f"order {client_id} is filled beyond its amount, by {facts.overfilled}: {facts.filled} in all",
            account=account,
            of=client_id,
            since_ms=runtime.wall_ms(),
            data={"client_id": client_id, "order_id": facts.order_id, "overfilled": str(facts.overfilled)},
        )

    store.on_overfill = overfilled
