"""The end of the demo: both sides, side by side, and whether they agree."""

from __future__ import annotations

from typing import Any

import msgspec
from rich.console import Group, RenderableType
from rich.text import Text

from planar.cli import output
from planar.cli.demo.sides import Side, Sums, differences


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Both sides of one exchange's account.

    Attributes:
        agree: they are equal to the last digit, no order is open or unknown, and the ledger is sound.
        differences: where they are not equal; empty if they are.
        ledger_sound: every posting of the exchange's ledger is balanced, no balance is negative.
        unknown: orders of which it is still not known whether they exist.
    """

    client: Side
    ledger: Side
    agree: bool
    differences: list[str]
    ledger_sound: bool
    unknown: int


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What the demo proves. `planar demo --json` prints it.

    Attributes:
        exchanges: both sides, by exchange id.
        agree: they agree on every exchange.
        seconds: how long it ran.
        seed: the venue's seed.
        updates: market data updates received.
        updates_dropped: how many of them were replaced by newer ones before they were shown.
        markets_live: markets whose streams were live at the end.
    """

    exchanges: dict[str, Comparison]
    agree: bool
    seconds: float
    seed: int
    updates: int
    updates_dropped: int
    markets_live: int


def compare(client: Side, ledger: Side, *, ledger_sound: bool) -> Comparison:
    """Compare the sides of one exchange."""
    found = differences(client, ledger)
    unknown = sum(order.state in ("unknown", "pending") for order in client.orders.values())
    agree = not found and ledger_sound and not unknown and not client.open
    return Comparison(
        client=client, ledger=ledger, agree=agree, differences=found, ledger_sound=ledger_sound, unknown=unknown
    )


def judge(exchanges: dict[str, Comparison], **rest: Any) -> Result:
    """The verdict over all exchanges."""
    return Result(exchanges=exchanges, agree=all(one.agree for one in exchanges.values()), **rest)


_COUNTS = (
    ("placed", "orders taken by the venue"),
    ("filled", "  filled"),
    ("canceled", "  canceled"),
    ("expired", "  expired"),
    ("answers_swallowed", "  swallowed, found out"),
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
    """Both sides of every exchange as a table, and the verdict."""
    sides = [(one.client, one.ledger) for one in result.exchanges.values()]
    rows = [
        _row(label, [(str(getattr(ours, name)), str(getattr(theirs, name))) for ours, theirs in sides])
        for name, label in _COUNTS
    ]
    for name, label in _SUMS:
        sums: list[tuple[Sums, Sums]] = [(getattr(ours, name), getattr(theirs, name)) for ours, theirs in sides]
        signed = name == "balance_changes"
        assets = sorted({asset for pair in sums for one in pair for asset in one})
        for index, asset in enumerate(assets):
            first = label if not index else " " * len(label)
            shown = [(_shown(ours.get(asset), signed), _shown(theirs.get(asset), signed)) for ours, theirs in sums]
            rows.append(_row(f"{first} {asset}", shown))
    columns = [column for name in result.exchanges for column in (f">{name}", ">its ledger", "")]
    title = "What happened, as each side tells it"
    return Group(output.table(("", *columns), rows, title=title), *_verdict(result))


def _row(label: str, pairs: list[tuple[str, str]]) -> list[output.Cell]:
    cells: list[output.Cell] = [label]
    for ours, theirs in pairs:
        same = ours == theirs
        cells += [ours, theirs, Text("✓", style="green") if same else Text("✗", style="bold red")]
    return cells


def _shown(value: str | None, signed: bool) -> str:
    if value is None:
        return "0"
    return f"+{value}" if signed and not value.startswith("-") else value


def _verdict(result: Result) -> list[Text]:
    if result.agree:
        orders = sum(len(one.client.orders) for one in result.exchanges.values())
        text = Text(" ✓ Client and ledgers agree to the last digit", style="bold green")
        return [text.append(f": every total, and each of {orders} orders.", style="not bold default")]
    lines: list[Text] = []
    for name, one in result.exchanges.items():
        if one.agree:
            continue
        lines.append(Text(f" ✗ Client and ledger of {name} do not agree.", style="bold red"))
        lines += [Text(f"   {line}") for line in one.differences]
        if one.unknown or one.client.open:
            lines.append(Text(f"   {one.unknown} orders are unknown, {one.client.open} open"))
        if not one.ledger_sound:
            lines.append(Text("   the ledger itself is not sound"))
    return lines
