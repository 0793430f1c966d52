"""`python -m tests.matrix`: every unified method of every id of the installed CCXT, and every option of every kind of order,
against a recorder in the venue's place.

    binance okx ...    these ids alone
    --json             one final object
    --page             write docs/exchanges/matrix.md; of all ids alone

The exit code is 0 only if nothing but Planar's errors came out, every error says truly whether something was sent, and no
option of an order is missing from a request that was sent.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter

import msgspec
from tests.matrix.kit import known_ids
from tests.matrix.options import Try, play_options
from tests.matrix.options import wrong as options_wrong
from tests.matrix.page import PAGE, page, row
from tests.matrix.run import Cell, play


def main() -> int:
    """Play all columns; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ids", nargs="*")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--page", action="store_true")
    given = parser.parse_args()
    if given.page and given.ids:
        parser.error("--page is about all ids: name none")
    ids = known_ids(given.ids or None)
    columns: dict[str, dict[str, Cell]] = {}
    tries: dict[str, list[Try]] = {}
    for number, one in enumerate(ids, 1):
        columns[one] = play(one)
        tries[one] = play_options(one)
        print(f"\r{number}/{len(ids)} {one:<24}", end="" if sys.stderr.isatty() else "\n", file=sys.stderr, flush=True)
    wrong = [
        (one, name, text) for one, column in columns.items() for name, cell in column.items() for text in cell.wrong
    ]
    wrong += [(one, "create_order", text) for one, orders in tries.items() for text in options_wrong(orders)]
    if given.page:
        PAGE.write_text(page(row(one, column, tries[one]) for one, column in columns.items()), encoding="utf-8")
    if given.json:
        print(json.dumps({one: msgspec.to_builtins(column) for one, column in columns.items()}))
    else:
        _print(columns, wrong)
        orders = [one for many in tries.values() for one in many]
        sent = sum("BTC" in one.sent.upper() for one in orders)
        print(f"{len(orders)} orders with every option: {sent} sent as asked, the others refused before")
    return 1 if wrong else 0


def _print(columns: dict[str, dict[str, Cell]], wrong: list[tuple[str, str, str]]) -> None:
    cells = [cell for column in columns.values() for cell in column.values()]
    ends = Counter(end for cell in cells for end in cell.ends.values())
    asked = sum(cell.how == "request" for cell in cells)
    print(f"\n{len(columns)} ids, {len(cells)} methods, {sum(ends.values())} calls")
    print(f"{asked} send a request; {len(cells) - asked} are refused, or answered, before anything is sent")
    print("what came out: " + ", ".join(f"{name} {count}" for name, count in ends.most_common()))
    for one, name, text in wrong:
        print(f"WRONG {one} {name}: {text}")
    print(f"{len(wrong)} wrong")


if __name__ == "__main__":
    sys.exit(main())
