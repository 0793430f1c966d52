"""The tables of outcomes as they stand on the pages, made from those of the code.

`python tests/docs/outcome_tables.py` writes them into the pages; tests/docs/test_pages_of_outcomes.py sees that nothing is
to be written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from planar import errors
from planar.adapters import binance, kraken
from planar.adapters.ccxt_verdict import HINTS, STATUS_ROWS, hint_of
from planar.adapters.profile import ErrorRow, Profile
from planar.errors import Outcome, PlanarError
from planar.transport.http import TRANSPORT_OUTCOMES

DOCS = Path(__file__).resolve().parents[2] / "docs"


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table of Markdown."""
    cells = [f"| {' | '.join(row)} |" for row in ([*head], *rows)]
    return "\n".join([cells[0], "|" + "---|" * cells[0].count(" | ") + "---|", *cells[1:]])


def transport() -> str:
    """What happens before or instead of an answer."""
    rows = [
        [text, f"`{kind.__name__}`", f"`{outcome.name}`", "yes", "yes" if outcome is Outcome.NOT_SENT else "no"]
        for _, kind, outcome, text in TRANSPORT_OUTCOMES
    ]
    head = ("what happened", "error", "outcome", "`retryable`: a query", "anything else")
    return table(head, {tuple(row): None for row in rows})


def classes() -> str:
    """Each class that an answer can become, and what to do."""
    shown = [kind for kind in vars(errors).values() if isinstance(kind, type) and kind in HINTS]
    rows = [
        [f"`{kind.__name__}`", _known(kind), "yes" if kind.default_retryable else "no", HINTS[kind]] for kind in shown
    ]
    return table(("error", "outcome", "`retryable`", "what to do"), rows)


def _known(kind: type[PlanarError]) -> str:
    failed = issubclass(kind, errors.OperationFailed) and kind.default_outcome is Outcome.UNKNOWN
    return "`UNKNOWN`" if failed else "`REFUSED`"


def statuses() -> str:
    """HTTP statuses that say something by themselves."""
    return table(
        ("HTTP status", "error", "what to do"),
        [
            [str(status), f"`{row.kind.__name__}`", row.hint or hint_of(row.kind) or ""]
            for status, row in STATUS_ROWS.items()
        ],
    )


def codes(profile: Profile) -> str:
    """The codes of a venue, those of one meaning together."""
    return table(("code", "error", "outcome", "what to do"), _grouped(profile, profile.errors))


def texts(profile: Profile) -> str:
    """Texts of a venue that say more than its codes."""
    return table(("the text has", "error", "outcome", "what to do"), _grouped(profile, dict(profile.texts)))


def _grouped(profile: Profile, table_of: Mapping[str, ErrorRow]) -> list[list[str]]:
    groups: dict[tuple[str, str, str], list[str]] = {}
    for code, row in table_of.items():
        outcome = row.outcome.value
        if profile.parts is not None and code in profile.parts.codes and row.outcome is Outcome.UNKNOWN:
            outcome += ", unless its body tells what became of the new order"
        groups.setdefault((row.kind.__name__, outcome, row.hint or hint_of(row.kind) or ""), []).append(f"`{code}`")
    return [[", ".join(found), f"`{kind}`", outcome, hint] for (kind, outcome, hint), found in groups.items()]


TABLES = {
    ("errors.md", "transport"): transport,
    ("errors.md", "classes"): classes,
    ("errors.md", "statuses"): statuses,
    ("exchanges/binance.md", "codes"): lambda: codes(binance.PROFILE),
    ("exchanges/binance.md", "texts"): lambda: texts(binance.PROFILE),
    ("exchanges/kraken.md", "codes"): lambda: codes(kraken.PROFILE),
}


def with_table(page: str, name: str, made: str) -> str:
    """The page with this table between its marks."""
    begin, end = f"<!-- outcomes: {name} -->\n", "<!-- end -->"
    before, _, rest = page.partition(begin)
    _, _, after = rest.partition(end)
    return f"{before}{begin}{made}\n{end}{after}"


if __name__ == "__main__":
    for (file, name), make in TABLES.items():
        (DOCS / file).write_text(with_table((DOCS / file).read_text(), name, make()))
