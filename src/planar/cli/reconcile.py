"""`planar reconcile`: where the journal and the exchange differ; adopts or cancels what the journal has lost."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from planar.cli import exits, output
from planar.cli.options import HERE, Flag, Json, Target
from planar.cli.session import opened, run

if TYPE_CHECKING:
    from rich.console import RenderableType

    from planar.orders import Difference, Reconciliation

STYLES = {"error": "red", "warning": "yellow", "info": ""}


def reconcile(
    *exchanges: str,
    policy: Literal["report", "adopt", "cancel"] = "report",
    dry_run: Annotated[Flag, Parameter()] = False,
    target: Target = HERE,
    json: Json = False,
) -> int:
    """Compare the journal with the exchange: open and ended orders, fills, balances. Shows each difference.

    Where another process holds the journal, it is compared without writing.

    Args:
        exchanges: which; the one of --exchange, or the default, where none is named.
        policy: what is done with orders of this journal that it does not hold: told, adopted into it, or canceled.
        dry_run: show what would be done; write and send nothing but questions.
    """
    from rich.console import Group

    targets = [replace(target, exchange=name) for name in exchanges] or [target]
    found = run(_compare(targets, policy, dry_run))
    output.show(
        [_document(*one) for one in found], lambda: Group(*[page for one in found for page in _pages(*one)]), json=json
    )
    if any(one.differences for _, one, _ in found):
        return exits.DIFFERENT
    return exits.REFUSED if any(one.failed for _, one, _ in found) else exits.OK


Found = tuple[str, "Reconciliation", bool]
"""Exchange, what was found, and whether nothing was written."""


async def _compare(targets: list[Target], policy: Any, dry_run: bool) -> list[Found]:
    from planar.errors import JournalLocked

    found: list[Found] = []
    for target in targets:
        async with opened(target, private=True) as exchange:
            name = f"{exchange.id} ({exchange.environment})"
            dry = dry_run
            if not dry:
                try:
                    found.append((name, await exchange.reconcile(policy=policy), False))
                except JournalLocked:
                    if policy != "report":
                        raise
                    dry = True
            if dry:
                found.append((name, await exchange.reconcile(policy=policy, dry_run=True), True))
    return found


def _document(name: str, found: Reconciliation, read_only: bool) -> dict[str, Any]:
    import msgspec

    return {"name": name, "read_only": read_only, **msgspec.to_builtins(found)}


def _pages(name: str, found: Reconciliation, read_only: bool) -> list[RenderableType]:
    pages: list[RenderableType] = []
    if found.differences:
        columns = ("kind", "market", "client id", "journal", "exchange", "action")
        rows = [_row(one) for one in found.differences]
        pages.append(output.table(columns, rows, title=name))
    rows = [(part.part, part.of or output.NONE, part.error) for part in found.failed]
    if rows:
        pages.append(output.table(("not answered", "of", "why"), rows, title=name))
    pages.append(_summary(name, found, read_only))
    return pages


def _row(one: Difference) -> list[output.Cell]:
    from rich.text import Text

    what = one.symbol or one.currency or output.NONE
    kind = Text(one.kind.value, style=STYLES[one.severity])
    return [kind, what, one.client_id or output.NONE, one.journal, one.venue, one.action]


def _summary(name: str, found: Reconciliation, read_only: bool) -> str:
    count = len(found.differences)
    said = "no differences" if not count else f"{count} difference{'s' if count > 1 else ''}"
    notes = [f"{found.open_orders} open orders of this journal", f"{found.foreign} of others, untouched"]
    if found.unknown:
        notes.append(f"{len(found.unknown)} unknown")
    if read_only:
        notes.append("nothing was written")
    return f"{name}: {said}; {', '.join(notes)}"
