"""What an API key may do, as its venue tells."""

from __future__ import annotations

import msgspec


class KeyRights(msgspec.Struct, frozen=True, kw_only=True):
    """The rights of the key that a request was signed with.

    Attributes:
        read: it may read balances and orders.
        trade: it may place and cancel orders.
        withdraw: it may take money out of the account.
        restricted: it works from certain addresses only.
    """

    read: bool
    trade: bool
    withdraw: bool
    restricted: bool
