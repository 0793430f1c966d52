"""The end of the demo: both sides, side by side, and whether they agree."""

from __future__ import annotations

from typing import Any

import msgspec
from rich.console import Group, RenderableType
from rich.text import Text

from planar.cli import output
from planar.cli.demo.sides import Side, Sums, differences


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What the demo proves. `planar demo --json` prints it.

    Attributes:
        agree: the two sides are equal to the last digit, no order is open or unknown, and the ledger is sound.
        differences: where they are not equal; empty if they are.
        ledger_sound: every posting of the venue's ledger is balanced, no balance is negative.
        unknown: orders of which it is still not known whether they exist.
        seconds: how long it ran.
        seed: the venue's seed.
        updates: market data updates received.
        updates_dropped: how many of them were replaced by newer ones before they were shown.
        markets_live: markets whose streams were live at the end.
    """

    client: Side
    ledger: Side
    agree: bool
    differences: list[str]
    ledger_sound: bool
    unknown: int
    seconds: float
    seed: int
    updates: int
    updates_dropped: int
    markets_live: int


def judge(client: Side, ledger: Side, *, ledger_sound: bool, **rest: Any) -> Result:
    """Compare the sides."""
    found = differences(client, ledger)
    unknown = sum(order.state in ("unknown", "pending") for order in client.orders.values())
    agree = not found and ledger_sound and not unknown and not client.open
    return Result(
        client=client, ledger=ledger, agree=agree, differences=found, ledger_sound=ledger_sound, unknown=unknown, **rest
    )


_COUNTS = (
    ("placed", "orders taken by the venue"),
    ("filled", "  filled"),
    ("canceled", "  canceled"),
    ("expired", "  expired"),
    ("answers_swallowed", "  answers swallowed, found out"),
    ("requests_lost", "requests lost, proven so"),
    ("executions", "executions"),
)
_SUMS = (
    ("bought", "bought"),
    ("sold", "sold"),
    ("paid", "paid"),
    ("received", "received"),
    ("fees", "fees"),
    ("balance_changes", "balance"),
)


def render(result: Result) -> RenderableType:
    """Both sides as a table, and the verdict."""
    rows = [
        _row(label, str(getattr(result.client, name)), str(getattr(result.ledger, name))) for name, label in _COUNTS
    ]
    for name, label in _SUMS:
        ours: Sums = getattr(result.client, name)
        theirs: Sums = getattr(result.ledger, name)
        signed = name == "balance_changes"
        for index, asset in enumerate(sorted({**ours, **theirs})):
            first = label if not index else " " * len(label)
            rows.append(_row(f"{first} {asset}", _shown(ours.get(asset), signed), _shown(theirs.get(asset), signed)))
    title = "What happened, as each side tells it"
    return Group(output.table(("", ">client", ">ledger", ""), rows, title=title), *_verdict(result))


def _row(label: str, ours: str, theirs: str) -> list[output.Cell]:
    same = ours == theirs
    return [label, ours, theirs, Text("✓", style="green") if same else Text("✗", style="bold red")]


def _shown(value: str | None, signed: bool) -> str:
    if value is None:
        return "0"
    return f"+{value}" if signed and not value.startswith("-") else value


def _verdict(result: Result) -> list[Text]:
    orders = len(result.client.orders)
    lines: list[Text] = []
    if result.agree:
        lines.append(
            Text.assemble(
                (" ✓ Client and ledger agree to the last digit", "bold green"),
                f": every total, and each of {orders} orders.",
            )
        )
    else:
        lines.append(Text(" ✗ Client and ledger do not agree.", style="bold red"))
        lines += [Text(f"   {line}") for line in result.differences]
        if result.unknown or result.client.open:
            lines.append(Text(f"   {result.unknown} orders are unknown, {result.client.open} open"))
        if not result.ledger_sound:
            lines.append(Text("   the ledger itself is not sound"))
    return lines
