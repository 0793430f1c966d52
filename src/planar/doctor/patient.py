"""`Patient`: the exchange under examination, and what the checks have learned so far; each check adds to it."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import msgspec

from planar.config import Settings
from planar.errors import PlanarError

if TYPE_CHECKING:
    from planar.exchange import Exchange
    from planar.models.key_rights import KeyRights
    from planar.transport.local import LocalVenue


class Sample(msgspec.Struct, frozen=True):
    """One question for the venue's clock.

    Attributes:
        sent_ms: this machine's clock before it.
        received_ms: this machine's clock after it.
        venue_ms: what the venue said.
    """

    sent_ms: float
    received_ms: float
    venue_ms: int


class Patient:
    """What is examined.

    Attributes:
        name: the exchange as it was asked for.
        symbol: the market that was asked about, as written.
        account: "" is the one without a name.
        environment: that was asked for; None takes the configuration's.
        local_venue: the venue of the local environment, where the caller runs it.
        stack: closes what the checks open.
        settings: the configuration, once it was read.
        exchange: opened, without its markets; None if it could not be opened.
        refusal: why it could not be opened.
        first_error: what became of the first call; None if it was answered well.
        samples: of the venue's clock, the first one on a new connection.
        took_ms: of each public call on a connection that stood already.
        private_error: why the private call failed.
        rights: what the venue says of the key.
        rights_error: why it does not say.
    """

    def __init__(
        self,
        name: str,
        symbol: str | None,
        account: str,
        environment: str | None,
        local_venue: LocalVenue | None,
        stack: AsyncExitStack,
    ) -> None:
        self.name = name
        self.symbol = symbol
        self.account = account
        self.environment = environment
        self.local_venue = local_venue
        self.stack = stack
        self.settings = Settings()
        self.exchange: Exchange | None = None
        self.refusal: PlanarError | None = None
        self.first_error: PlanarError | None = None
        self.samples: list[Sample] = []
        self.took_ms: list[float] = []
        self.private_error: PlanarError | None = None
        self.rights: KeyRights | None = None
        self.rights_error: PlanarError | None = None

    @property
    def opened(self) -> Exchange:
        """The exchange; for checks that run only where it was opened."""
        if self.exchange is None:
            raise RuntimeError("the exchange was not opened")
        return self.exchange
