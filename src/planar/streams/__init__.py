"""Live streams: what a venue sends becomes books and rows, judged before anybody sees them.

A hub shares one pump per topic among all consumers; each consumer has its own policy, and none can slow, fail or cancel
another. A stream says what it is worth: its state, its age, what it dropped, what is missing.
"""

from planar.adapters.feed import Kind, Source, Topic
from planar.streams.book import DEFAULT_DEPTH, LiveBook
from planar.streams.hub import FeedSource, StreamHub
from planar.streams.many import ManyStream
from planar.streams.states import Gap, StreamRules, StreamState
from planar.streams.stream import BookStream, Policy, RowStream, Stale, StateStream, Stream, TableStream, TickersStream

__all__ = [
    "BookStream",
    "DEFAULT_DEPTH",
    "FeedSource",
    "Gap",
    "Kind",
    "LiveBook",
    "ManyStream",
    "Policy",
    "RowStream",
    "Source",
    "Stale",
    "StateStream",
    "Stream",
    "StreamHub",
    "StreamRules",
    "StreamState",
    "TableStream",
    "TickersStream",
    "Topic",
]
