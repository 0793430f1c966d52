"""Planar: the exchange layer that a trading program stands on.

    import planar

    async with planar.open() as p:
        binance = await p.exchange("binance")
        ticker = await binance.fetch_ticker("BTC/USDT")

Names are loaded when they are first used; `import planar` itself is light.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from planar import errors
    from planar.adapters.ccxt_adapter import CcxtAdapter
    from planar.adapters.custom import CustomAdapter
    from planar.adapters.registry import register
    from planar.adapters.subtypes import ccxt_adapter
    from planar.default import close, get_exchange
    from planar.errors import (
        AuthenticationError,
        ExchangeError,
        InsufficientFunds,
        InvalidOrder,
        NetworkError,
        OrderUnknown,
        Outcome,
        PlanarError,
    )
    from planar.exchange import Exchange
    from planar.models import Amount
    from planar.workspace import Workspace
    from planar.workspace import open_workspace as open

__version__ = "0.1.0"

__all__ = [
    "Amount",
    "AuthenticationError",
    "CcxtAdapter",
    "CustomAdapter",
    "Exchange",
    "ExchangeError",
    "InsufficientFunds",
    "InvalidOrder",
    "NetworkError",
    "OrderUnknown",
    "Outcome",
    "PlanarError",
    "Workspace",
    "ccxt_adapter",
    "close",
    "errors",
    "get_exchange",
    "open",
    "register",
]

_HOMES = {
    "Amount": "planar.models",
    "CcxtAdapter": "planar.adapters.ccxt_adapter",
    "CustomAdapter": "planar.adapters.custom",
    "Exchange": "planar.exchange",
    "Workspace": "planar.workspace",
    "ccxt_adapter": "planar.adapters.subtypes",
    "close": "planar.default",
    "get_exchange": "planar.default",
    "register": "planar.adapters.registry",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'planar' has no attribute {name!r}")
    if name == "open":
        value = importlib.import_module("planar.workspace").open_workspace
    elif name == "errors":
        value = importlib.import_module("planar.errors")
    else:
        value = getattr(importlib.import_module(_HOMES.get(name, "planar.errors")), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
