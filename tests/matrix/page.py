"""The matrix as a page: one row for each id, the same figures from every run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from tests.matrix.kit import ANSWERS
from tests.matrix.options import Try
from tests.matrix.options import wrong as options_wrong
from tests.matrix.run import Cell

from planar.adapters.exchange_ids import ccxt_version

PAGE = Path(__file__).parents[2] / "docs" / "exchanges" / "matrix.md"
COMMAND = "python -m tests.matrix --page"

HEAD = """# The matrix

Every unified method of every id of CCXT {version}, by `{command}`: a recorder stands in the exchange's
place and answers in {answers} ways ({words}), in virtual time, so that
each run gives the same figures. Not one answer may bring out anything but an error of Planar that says truly whether
something was sent, or an answer that is rightly empty. Then each option of each kind of order is asked for: what is sent
has it, or the order is not sent.

| column | what |
|---|---|
| methods | methods that were called with plausible arguments |
| native | of these: a request of the exchange's own was sent |
| composed | a request was sent for a part of an answer that Planar makes |
| unknown | a request was sent, and the exchange decides |
| refused | an error told the reason, and nothing was sent |
| at hand | answered without a request |
| orders | orders of every kind with every option, on a spot market and a perpetual |
| orders sent | of these: left with the market's name in them, as asked; the others were refused, or ended earlier |
| wrong | something other than an error of Planar came out, an error was untrue, or an option was lost on the way |

| id | methods | native | composed | unknown | refused | at hand | orders | orders sent | wrong |
|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|
"""


def row(exchange_id: str, column: Mapping[str, Cell], tries: Iterable[Try]) -> str:
    """The line of one id."""
    orders = list(tries)
    asked = [cell for cell in column.values() if cell.how == "request"]
    composed = sum(cell.can in ("composed", "emulated") for cell in asked)
    unknown = sum(cell.can == "unknown" for cell in asked)
    at_hand = sum(cell.how == "nothing is sent" for cell in column.values())
    figures = (
        len(column),
        len(asked) - composed - unknown,
        composed,
        unknown,
        len(column) - len(asked) - at_hand,
        at_hand,
        len(orders),
        sum("BTC" in one.sent.upper() for one in orders),
        sum(len(cell.wrong) for cell in column.values()) + len(list(options_wrong(orders))),
    )
    return f"| [{exchange_id}]({exchange_id}.md) | {' | '.join(map(str, figures))} |"


def page(rows: Iterable[str]) -> str:
    """The whole page."""
    words = ", ".join("half a JSON" if name == "truncated" else name for name in ANSWERS)
    head = HEAD.format(version=ccxt_version(), command=COMMAND, answers=len(ANSWERS), words=words)
    return head + "\n".join(rows) + "\n"
