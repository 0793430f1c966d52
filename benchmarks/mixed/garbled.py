"""Whether a wrong belief about an order is what a damaged answer said, and no mistake of whoever read it.

`garble_answer` and `flip_frame` flip the lowest bit of a byte. A digit becomes its neighbour, a letter of an id another
letter: the answer is well formed, and nothing in it shows the damage. TLS keeps such answers from arriving; here they are
made behind it. A belief is excused only if the exchange recorded that it damaged an answer or a frame about this account
while the order was under way, and the belief differs from the truth by such flips: in its own digits, or, since ids are
hit as well, by what was told of another order or by a fill that has two ids.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation

from planar.venue.checker import Finding

FLIPS = 3
"""As many as one answer has at the most."""

_BELIEF = re.compile(
    r"the client (?:believes (?:filled|cost|amount)|was told the id) (?P<told>\S+), it is (?P<fact>\S+)"
)
_STATE = re.compile(r"the client believes it \w+, it is \w+")


def flipped(told: str, fact: str) -> bool:
    """Whether one of two texts becomes the other, or one of two amounts, by at most `FLIPS` lowest bits of characters."""
    if len(told) == len(fact):
        pairs = [(one, other) for one, other in zip(told, fact, strict=True) if one != other]
        if 0 < len(pairs) <= FLIPS and all(ord(one) ^ 1 == ord(other) for one, other in pairs):
            return True
    try:
        difference = Decimal(told) - Decimal(fact)
    except InvalidOperation:
        return False
    digits = int(difference.scaleb(-int(difference.normalize().as_tuple().exponent)))
    return difference != 0 and _steps(digits) <= FLIPS


def _twice(fact: str) -> str:
    try:
        return str(2 * Decimal(fact))
    except InvalidOperation:
        return ""


def _steps(digits: int) -> int:
    """In how many digits, each by one, numbers of this difference differ; many, if in one by more."""
    steps = 0
    while digits:
        last = digits % 10
        if last not in (0, 1, 9):
            return FLIPS + 1
        steps += last != 0
        digits = (digits - (last if last < 2 else -1)) // 10
    return steps


def excused(findings: list[Finding], damaged: Callable[[str], bool]) -> list[Finding]:
    """Those of the checker's findings that damaged answers explain.

    Args:
        damaged: whether an answer or a frame was damaged that may have been about the order of a client id.
    """
    found: list[Finding] = []
    for client_id in dict.fromkeys(finding.client_id for finding in findings):
        own = [finding for finding in findings if finding.client_id == client_id]
        beliefs = [match for finding in own if (match := _BELIEF.fullmatch(finding.detail))]
        states = sum(_STATE.fullmatch(finding.detail) is not None for finding in own)
        # the state follows from the amount that is filled
        digits = all(flipped(match["told"], match["fact"]) for match in beliefs)
        # an ended order with nothing traded is another one's end; twice what has traded is a fill with two ids
        others = any(match["told"] in ("0", _twice(match["fact"])) for match in beliefs)
        explained = bool(beliefs) and (digits or others)
        if explained and len(beliefs) + states == len(own) and damaged(client_id):
            found += own
    return found
