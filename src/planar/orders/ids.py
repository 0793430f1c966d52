"""Client ids: made here, journaled before the first byte, and recognised again after a restart.

pl  k3v9x2ma  00001f  7qzd
|   |         |       +-- four random characters: a restored copy of a journal does not repeat its ids
|   |         +---------- number of the order in its journal, base 36
|   +-------------------- the journal's random id: orders of another journal are foreign
+------------------------ Planar
"""

from __future__ import annotations

import planar.runtime as runtime
from planar.adapters.profile import ClientIdRule
from planar.errors import ConfigError

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def base36(number: int, width: int) -> str:
    """`number` in base 36, at least `width` digits."""
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits.rjust(width, "0")


class ClientIds:
    """Makes the client ids of one journal for one venue."""

    def __init__(self, rule: ClientIdRule, journal_id: str) -> None:
        self._start = f"{rule.prefix}{journal_id}"
        self._rule = rule

    def make(self, number: int) -> str:
        """The id of the order with this number in the journal."""
        digits, random = self._rule.tail
        made = f"{self._start}{base36(number, digits)}{runtime.token(random)}"
        if len(made) > self._rule.length:
            raise ConfigError(
                f"client id {made} is longer than the {self._rule.length} characters that the venue takes"
            )
        return made

    def number_of(self, client_id: str | None) -> int:
        """The number of an order of this journal; 0 if the id is not of this journal.

        An order that is not in the journal may have a number beyond all that are: the journal is a restored copy.
        """
        if client_id is None or not client_id.startswith(self._start):
            return 0
        digits = client_id[len(self._start) : len(client_id) - self._rule.tail[1]]
        return int(digits, 36) if digits.isalnum() and digits.isascii() else 0

    def owns(self, client_id: str | None) -> bool:
        """Whether an order with this client id was intended by this journal."""
        return client_id is not None and client_id.startswith(self._start)
