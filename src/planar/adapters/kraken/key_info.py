"""What Kraken tells about a key (documentation: Get API Key Info): any key may ask, whatever its rights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from planar.adapters.profile import KeyInfoRule
from planar.models.key_rights import KeyRights


def _rights(answer: Mapping[str, Any]) -> KeyRights:
    result = answer["result"]
    may = result["permissions"]
    return KeyRights(
        read="query-funds" in may and "query-open-trades" in may,
        trade="modify-trades" in may,
        withdraw="withdraw-funds" in may,
        restricted=bool(result["ipAllowlist"]),
    )


KEY_INFO = KeyInfoRule(
    method="private_post_getapikeyinfo", rights=_rights, environments=("live", "local"), needs_right=False
)
