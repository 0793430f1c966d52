"""`planar venue fault ...` and `planar venue state ...`: making a running local venue fail, and changing its state.

The kinds of faults and the commands are read from the venue's own structs (`planar.venue.described`); their fields are
given as options of the same names.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, cast

import msgspec
from cyclopts import Parameter
from rich.table import Table

from planar.cli import output
from planar.cli.exits import UsageError
from planar.cli.options import Count, Flag, Json
from planar.cli.venue import control

if TYPE_CHECKING:
    from planar.venue.described import Described
    from planar.venue.faults import RuleState

Venue = Annotated[str | None, Parameter(name="--venue")]
LISTS = ("rights", "addresses")
"""Fields that take several words, separated by commas."""


def add(
    kind: str,
    /,
    *,
    venue: Venue = None,
    account: str | None = None,
    method: str | None = None,
    host: str | None = None,
    path: str | None = None,
    query: str | None = None,
    containing: str | None = None,
    after: str | None = None,
    nth: Count = 1,
    count: Count | None = None,
    every: Flag = False,
    probability: float = 1.0,
    seed: int = 0,
    from_ms: int = 0,
    until_ms: int | None = None,
    id: str | None = None,
    header: Annotated[tuple[str, ...], Parameter(negative="", show_default=False)] = (),
    json: Json = False,
    **fields: str,
) -> int:
    """Make chosen connections, requests, answers or frames fail. `planar venue fault kinds` lists what can happen.

    Args:
        kind: what happens, such as drop-answer; its fields are options too: --delay-ms 500.
        venue: only at this exchange.
        account: only with this account's key, or on its stream.
        method: only requests with this HTTP method.
        host: only where the host fits this shell pattern.
        path: only where the path fits this shell pattern.
        query: only where the query string fits this shell pattern.
        containing: only where body or frame contains this text, a shell pattern.
        after: only when this other rule has hit.
        nth: the first match that is hit.
        count: how many are hit from there on. [default: 1]
        every: all are hit from there on.
        probability: the share of the matches that is hit.
        seed: decides which are.
        from_ms: the rule begins so long after it was added.
        until_ms: it ends so long after it was added.
        id: name of the rule.
        header: for refuse-request and replace-answer: a header, as in 'Retry-After: 7'.
        fields: what the kind needs.
    """
    if every and count is not None:
        raise UsageError("--every and --count exclude each other", hint="leave one out")
    fault: dict[str, Any] = _underscored(fields) | {"kind": _underscore(kind)}
    if header:
        fault["headers"] = dict(_header(text) for text in header)
    rule = {
        "fault": fault,
        "venue": venue,
        "account": account,
        "method": None if method is None else method.upper(),
        "host": host,
        "path": path,
        "query": query,
        "body": None if containing is None else f"*{containing}*",
        "after": after,
        "nth": nth,
        "count": None if every else count or 1,
        "probability": probability,
        "seed": seed,
        "from_ms": from_ms,
        "until_ms": until_ms,
        "id": id,
    }
    from planar.venue.described import fault_kinds
    from planar.venue.faults import FaultRule

    _find(fault_kinds(), kind, "fault", "planar venue fault kinds")
    made = control().add_fault(_converted(rule, FaultRule, f"planar venue fault kinds {kind}"))
    return output.show(made, lambda: f"The rule {made.id} is in force: {kind}.", json=json)


def kinds(kind: str | None = None, /, *, json: Json = False) -> int:
    """List the kinds of faults, or say what one of them does and needs.

    Args:
        kind: one of them.
    """
    from planar.venue.described import fault_kinds

    found = fault_kinds()
    if kind is None:
        return output.show(found, lambda: _overview(found), json=json)
    one = _find(found, kind, "fault", "planar venue fault kinds")
    return output.show(one, lambda: _explained(one), json=json)


def faults(*, json: Json = False) -> int:
    """List the fault rules and what they have hit."""
    found = control().faults()

    def render() -> Table:
        rows = [_rule_row(state) for state in found.rules]
        title = f"{len(found.firings)} hits so far"
        return output.table(("rule", "kind", "which", ">seen", ">hit"), rows, title=title)

    return output.show(found, render, json=json)


def clear(id: str | None = None, /, *, json: Json = False) -> int:
    """Remove one fault rule, or all.

    Args:
        id: name of the rule; without it all rules are removed.
    """
    cleared = control().clear_faults(id)
    return output.show({"cleared": cleared}, lambda: f"{cleared} rules removed.", json=json)


def state(action: str | None = None, /, *values: str, venue: Venue = None, json: Json = False, **fields: str) -> int:
    """Halt or delist markets, change filters, begin maintenance, change what keys may do, expire tokens.

    Without an action: what there is.

    Args:
        action: such as halt, reopen, delist, set-filters, set-system, set-rights, restrict-addresses, expire-tokens.
        values: what the action needs, in its order.
        venue: the exchange, where several run.
        fields: the same and the rest by name: --state BREAK.
    """
    from planar.venue.described import state_commands
    from planar.venue.steering import Command

    found = state_commands()
    if action is None:
        return output.show(found, lambda: _overview(found), json=json)
    one = _find(found, action, "command", "planar venue state")
    names = [field.name for field in one.fields]
    if len(values) > len(names):
        raise UsageError(f"{action} takes {', '.join(names)}, and {len(values)} values are given")
    given: dict[str, Any] = dict(zip(names, values, strict=False)) | _underscored(fields)
    for name in LISTS:
        if name in given:
            given[name] = [word for word in str(given[name]).split(",") if word]
    command = _converted(given | {"action": one.name}, Command, "planar venue state")
    answer = control().command(command, venue=venue)
    rows = [(name, ", ".join(f"{key} {_said(value)}" for key, value in now.items())) for name, now in answer.items()]
    return output.show(answer, lambda: output.facts(rows), json=json)


def _said(value: Any) -> str:
    """A value of an answer in words."""
    if isinstance(value, list):
        return " ".join(str(one) for one in cast("list[Any]", value)) or output.NONE
    return str(value)


def _underscore(word: str) -> str:
    return word.replace("-", "_")


def _underscored(fields: Mapping[str, str]) -> dict[str, Any]:
    return {_underscore(name): value for name, value in fields.items()}


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip() or not value.strip():
        raise UsageError(f"--header '{text}' is no header", hint="write it as 'Retry-After: 7'")
    return name.strip(), value.strip()


def _find(found: Sequence[Described], name: str, what: str, listing: str) -> Described:
    by_name = {one.name: one for one in found}
    one = by_name.get(_underscore(name))
    if one is None:
        near = difflib.get_close_matches(_underscore(name), by_name, 1)
        hint = f"did you mean {near[0].replace('_', '-')}?" if near else f"`{listing}` lists them"
        raise UsageError(f"there is no {what} '{name}'", hint=hint)
    return one


def _converted(values: Mapping[str, Any], kind: Any, listing: str) -> Any:
    from planar.venue.misfits import misfit

    try:
        return msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as error:
        raise UsageError(misfit(error, values), hint=f"`{listing}` tells what it needs") from error


def _overview(found: Sequence[Described]) -> Table:
    rows = [
        (
            one.name.replace("_", "-"),
            one.acts_on or output.NONE,
            " ".join(_option(field.name, needed=field.default is None) for field in one.fields) or output.NONE,
            one.meaning.partition(". ")[0].rstrip(".") + ".",
        )
        for one in found
    ]
    return output.table(("name", "acts on", "options", "what happens"), rows, drop=("acts on",))


def _option(name: str, *, needed: bool) -> str:
    word = "--header" if name == "headers" else f"--{name.replace('_', '-')}"
    return word if needed else f"[{word}]"


def _explained(one: Described) -> str:
    lines = [f"{one.name.replace('_', '-')}: {one.meaning}", f"It acts on {one.acts_on}."]
    for field in one.fields:
        default = "needed" if field.default is None else f"default: {field.default.strip()}"
        lines.append(f"  {_option(field.name, needed=True)}  {field.meaning} [{default}]")
    return "\n".join(lines)


def _rule_row(state: RuleState) -> list[str]:
    rule = state.rule
    conditions = (rule.venue, rule.account, rule.method, rule.host, rule.path, rule.query, rule.body)
    which = " ".join(part for part in conditions if part) or "all"
    kind = str(type(rule.fault).__struct_config__.tag).replace("_", "-")
    return [rule.id or "", kind, which, str(state.seen), str(state.fired)]
