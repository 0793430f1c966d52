"""What Binance tells about a key (documentation: Wallet, Get API Key Permission). Its test environments have no such call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from planar.adapters.profile import KeyInfoRule
from planar.models.key_rights import KeyRights


def _rights(answer: Mapping[str, Any]) -> KeyRights:
    return KeyRights(
        read=answer["enableReading"],
        trade=answer["enableSpotAndMarginTrading"],
        withdraw=answer["enableWithdrawals"],
        restricted=answer["ipRestrict"],
    )


KEY_INFO = KeyInfoRule(
    method="sapi_get_account_apirestrictions", rights=_rights, environments=("live", "local"), needs_right=True
)
