"""Whether a market takes an order in the state that it is in."""

from __future__ import annotations

from planar.venue.engine.enums import MarketStatus, OrderKind
from planar.venue.engine.market import Market
from planar.venue.engine.rejects import EngineReject, RejectReason
from planar.venue.engine.types import NewOrder

_MARKET_KINDS = (OrderKind.MARKET, OrderKind.STOP_LOSS, OrderKind.TAKE_PROFIT)


def admit(new: NewOrder, market: Market) -> None:
    """Raises EngineReject UNKNOWN_SYMBOL, MARKET_HALTED, MARKET_POST_ONLY, MARKET_LIMIT_ONLY."""
    state = market.state
    if state is MarketStatus.TRADING:
        return
    if state is MarketStatus.DELISTED:
        raise EngineReject(RejectReason.UNKNOWN_SYMBOL, f"symbol {market.symbol!r} is not listed any more")
    if state is MarketStatus.POST_ONLY:
        if not new.post_only:
            raise EngineReject(RejectReason.MARKET_POST_ONLY, f"{market.symbol} takes post-only orders alone")
    elif state is MarketStatus.LIMIT_ONLY:
        if new.kind in _MARKET_KINDS:
            raise EngineReject(RejectReason.MARKET_LIMIT_ONLY, f"{market.symbol} takes limit orders alone")
    else:
        raise EngineReject(RejectReason.MARKET_HALTED, f"{market.symbol} is halted")
