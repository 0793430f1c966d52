"""`planar init | config check | completion`: the files of a user, and the shell."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter
from rich.table import Table
from rich.text import Text

from planar.cli import exits, output
from planar.cli.exits import UsageError
from planar.cli.options import Json
from planar.cli.session import required_credentials

_MARKS = {"ok": ("✓", "green"), "warn": ("!", "yellow"), "error": ("✗", "bold red")}


def init(directory: Path = Path("."), /, *, exchange: str | None = None, json: Json = False) -> int:
    """Write a commented user/planar.toml and a user/secrets.toml that only you can read. Files that exist stay.

    Args:
        directory: where `user/` is made.
        exchange: the exchange that the comments speak of.
    """
    from planar.adapters.exchange_ids import resolve_exchange_id
    from planar.config import write_init

    options = {"exchange": resolve_exchange_id(exchange)[0]} if exchange is not None else {}
    try:
        written = write_init(directory, **options)
    except OSError as error:
        raise UsageError(f"{directory} cannot be written: {error.strerror}", hint="name another directory") from error
    value = {"created": [str(path) for path in written.created], "kept": [str(path) for path in written.kept]}

    def render() -> Table:
        rows = [*(("written", str(path)) for path in written.created)]
        rows += [("left as it is", str(path)) for path in written.kept]
        rows.append(("next", "write an environment into planar.toml, then: planar config check"))
        return output.facts(rows)

    return output.show(value, render, json=json)


def check(*, json: Json = False) -> int:
    """Check planar.toml, secrets.toml and the environment variables; every mistake with place and remedy."""
    from planar.adapters.exchange_ids import known_ids
    from planar.config import check as check_configuration

    report = check_configuration(known_ids=known_ids(), required_fields=required_credentials)
    code = exits.USAGE if report.level == "error" else exits.OK
    value = {"level": report.level, "findings": report.findings}

    def render() -> Table:
        rows: list[list[output.Cell]] = []
        for finding in report.findings:
            mark, style = _MARKS[finding.level]
            what = Text(finding.text)
            if finding.excerpt:
                what.append(f"\n{finding.excerpt}", style="dim")
            if finding.fix:
                what.append(f"\n→ {finding.fix}", style="cyan")
            rows.append([Text(mark, style=style), finding.where(), what])
        return output.table(("", "where", "what"), rows)

    output.show(value, render, json=json)
    return code


def completion(shell: Annotated[Literal["bash", "zsh", "fish"], Parameter()], /) -> int:
    """Print the completion script of a shell.

    Args:
        shell: bash, zsh or fish.
    """
    from planar.cli.app import make_app

    print(make_app().generate_completion(shell=shell))
    return exits.OK
