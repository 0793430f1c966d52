"""How a `CcxtAdapter` feeds a pump: which feed brings a topic."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planar.adapters.ccxt_balance import BalanceFeed
from planar.adapters.ccxt_feed import CcxtFeed
from planar.adapters.feed import Feed, Kind, Topic
from planar.adapters.polling import PollingFeed
from planar.errors import NotSupported

if TYPE_CHECKING:
    from planar.adapters.ccxt_adapter import CcxtAdapter


def open_feed(adapter: CcxtAdapter, topic: Topic) -> Feed:
    """The feed of a topic: over a socket where CCXT has one, else by asking again and again.

    Raises:
        NotSupported: neither is offered.
    """
    watch = f"watch_{topic.kind}"
    if adapter.capabilities.can(watch):
        return (BalanceFeed if topic.kind is Kind.BALANCE else CcxtFeed)(adapter, topic)
    if PollingFeed.offers(adapter, topic):
        return PollingFeed(adapter, topic)
    raise NotSupported(f"{watch} is not offered by this exchange", exchange=adapter.id)
