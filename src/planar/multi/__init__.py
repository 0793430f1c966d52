"""Many exchanges at once: groups, common markets, selection, arbitrage, routing."""

from planar.multi.arbitrage import Opportunity
from planar.multi.group import Group
from planar.multi.matching import Matched
from planar.multi.routing import Leg, Route
from planar.multi.scanner import ArbitrageWatch
from planar.multi.selection import Candidate, Choice, Selector

__all__ = [
    "ArbitrageWatch",
    "Candidate",
    "Choice",
    "Group",
    "Leg",
    "Matched",
    "Opportunity",
    "Route",
    "Selector",
]
