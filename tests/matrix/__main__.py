"""`python -m tests.matrix`: every unified method of every id of the installed CCXT, against a recorder in the venue's place.

    binance okx ...    these ids alone
    --json             one final object

The exit code is 0 only if nothing but Planar's errors came out, and every error says truly whether something was sent.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter

import msgspec
from tests.matrix.kit import known_ids
from tests.matrix.run import Cell, play


def main() -> int:
    """Play all columns; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ids", nargs="*")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    ids = known_ids(given.ids or None)
    columns: dict[str, dict[str, Cell]] = {}
    for number, one in enumerate(ids, 1):
        columns[one] = play(one)
        print(f"\r{number}/{len(ids)} {one:<24}", end="" if sys.stderr.isatty() else "\n", file=sys.stderr, flush=True)
    wrong = [
        (one, name, text) for one, column in columns.items() for name, cell in column.items() for text in cell.wrong
    ]
    if given.json:
        print(json.dumps({one: msgspec.to_builtins(column) for one, column in columns.items()}))
    else:
        _print(columns, wrong)
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
