"""The nearest right word for a wrong one, for error texts."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(word: str, candidates: Iterable[str]) -> str | None:
    """The candidate that `word` was probably meant to be, or None. Case, `_` and `-` do not count.

    A candidate is near when no more than a third of its letters differ (one at least, three at most; two neighbours
    that changed places count as one), or when `word` is its beginning and has three letters or more. The first of
    equally near ones is taken.
    """
    plain = _plain(word)
    best: tuple[int, str] | None = None
    for candidate in candidates:
        other = _plain(candidate)
        distance = _distance(plain, other)
        if len(plain) >= 3 and other.startswith(plain):
            distance = min(distance, 1)
        if distance <= max(1, min(3, len(other) // 3)) and (best is None or distance < best[0]):
            best = (distance, candidate)
    return best[1] if best else None


def did_you_mean(word: str, candidates: Iterable[str]) -> str | None:
    """`did you mean timeout?`, or None when nothing is near."""
    found = nearest(word, candidates)
    return f"did you mean {found}?" if found else None


def _plain(word: str) -> str:
    return word.lower().replace("_", "").replace("-", "")


def _distance(a: str, b: str) -> int:
    """Edits that turn `a` into `b`: insert, delete, replace, or swap neighbours (optimal string alignment)."""
    before: list[int] = []
    last = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        row = [i]
        for j, y in enumerate(b, 1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before, last = last, row
    return last[-1]
