"""Layers to settings: one source over the other, contradictions inside of one source told.

An exchange's own key wins over `[workspace]`; within each, a variable wins over the file.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from planar.config.findings import Findings, Place
from planar.config.layers import Entry, Layer
from planar.config.schema import AlarmSettings, BudgetSettings, ExchangeSettings, SelectionSettings, VenueSettings

Resolved = dict[str, Entry]
"""The entry that holds, by the attribute that it sets."""


def resolve(entries: Iterable[Entry], findings: Findings) -> Resolved:
    """One entry for each field. Two that mean different things are an error (`sandbox = true`, `testnet = false`)."""
    chosen: Resolved = {}
    for entry in entries:
        before = chosen.setdefault(entry.field, entry)
        if before.value != entry.value:
            text = f"{entry.shown()} contradicts {before.shown()} ({before.place})"
            findings.error("contradiction", text, at=entry.place, fix="keep one of them")
    return chosen


class Merged(msgspec.Struct, frozen=True, kw_only=True):
    """What the layers say together.

    Attributes:
        exchanges: settings of each exchange that is mentioned, in the order of writing.
        defaults: settings of every other exchange; its id is "".
        selection: which exchange is meant where none is named.
        venue: the local venue.
        budget: how what the venues allow is shared.
        alarms: where alarms go.
        origins: (exchange, attribute) -> place, for everything that is written.
    """

    exchanges: dict[str, ExchangeSettings]
    defaults: ExchangeSettings
    selection: SelectionSettings
    venue: VenueSettings
    budget: BudgetSettings
    alarms: AlarmSettings
    origins: dict[tuple[str, str], str]


def merge(file: Layer, variables: Layer, findings: Findings) -> Merged:
    """Lay `variables` over `file`."""
    workspace = _over(file.sections, variables.sections, "workspace", findings)
    ids = list(dict.fromkeys([*file.exchanges, *variables.exchanges]))
    own = {exchange: _over(file.exchanges, variables.exchanges, exchange, findings) for exchange in ids}
    written = _over(file.sections, variables.sections, "exchanges", findings)
    selection = _select(written, own, findings)
    mentioned = [*ids, *(exchange for exchange in _selected(selection) if exchange not in own)]
    exchanges: dict[str, ExchangeSettings] = {}
    origins = {("", field): str(entry.place) for field, entry in workspace.items()}
    for exchange in mentioned:
        resolved = workspace | own.get(exchange, {})
        values = {field: entry.value for field, entry in resolved.items()}
        settings = msgspec.structs.replace(
            ExchangeSettings(id=exchange), **values | _roles(exchange, values, selection)
        )
        check_rules(settings, resolved, findings)
        exchanges[exchange] = settings
        origins |= {(exchange, field): str(entry.place) for field, entry in resolved.items()}
    venue = _over(file.sections, variables.sections, "venue", findings)
    budget = _over(file.sections, variables.sections, "budget", findings)
    alarms = _over(file.sections, variables.sections, "alarms", findings)
    _check_telegram(alarms, findings)
    return Merged(
        exchanges=exchanges,
        defaults=msgspec.structs.replace(ExchangeSettings(id=""), **{f: entry.value for f, entry in workspace.items()}),
        selection=selection,
        venue=msgspec.structs.replace(VenueSettings(), **{field: entry.value for field, entry in venue.items()}),
        budget=msgspec.structs.replace(BudgetSettings(), **{field: entry.value for field, entry in budget.items()}),
        alarms=msgspec.structs.replace(AlarmSettings(), **{field: entry.value for field, entry in alarms.items()}),
        origins=origins,
    )


def check_rules(settings: ExchangeSettings, written: Resolved, findings: Findings) -> None:
    """What one setting forbids to another."""

    def at(field: str) -> Place:
        return written[field].place if field in written else Place()

    who = settings.id
    for field in ("withdrawals", "allow_unjournaled"):
        if settings.read_only and getattr(settings, field):
            text = f"{who}: read_only = true contradicts {field} = true"
            findings.error("contradiction", text, at=at(field), fix="keep one of them")
    if not settings.enable_rate_limit:
        text = f"{who}: pacing is off (enableRateLimit = false); venues ban addresses that ask too fast"
        findings.warn("no-pacing", text, at=at("enable_rate_limit"), fix="remove the line")
        if settings.rate_limit_ms is not None:
            text = f"{who}: rateLimit has no effect while enableRateLimit is false"
            findings.warn("no-effect", text, at=at("rate_limit_ms"), fix="remove one of them")
    if not settings.verify_ssl and settings.environment != "local":
        text = (
            f"{who}: certificates are not checked (verify_ssl = false): anybody on the way can read and change requests"
        )
        findings.warn("no-tls-check", text, at=at("verify_ssl"), fix="remove the line")
    if not settings.verify_ssl and settings.ca_file is not None:
        text = f"{who}: ca_file has no effect while verify_ssl is false"
        findings.warn("no-effect", text, at=at("ca_file"), fix="remove verify_ssl = false")
    if settings.no_proxy and settings.proxy is None:
        text = f"{who}: no_proxy has no effect without proxy"
        findings.warn("no-effect", text, at=at("no_proxy"), fix="write proxy too, or remove the line")


def _check_telegram(alarms: Resolved, findings: Findings) -> None:
    """A bot without a chat, or a chat without a bot, tells nobody."""
    token = alarms.get("telegram_token") or alarms.get("telegram_token_file")
    chat = alarms.get("telegram_chat")
    if token is not None and chat is None:
        text = f"{token.key} has no effect without telegram_chat"
        findings.warn("no-effect", text, at=token.place, fix="write telegram_chat too")
    elif chat is not None and token is None:
        text = "telegram_chat has no effect without the token of a bot"
        findings.warn("no-effect", text, at=chat.place, fix="write telegram_token_file too")


def _over(file: dict[str, list[Entry]], variables: dict[str, list[Entry]], name: str, findings: Findings) -> Resolved:
    return resolve(file.get(name, ()), findings) | resolve(variables.get(name, ()), findings)


def _selected(selection: SelectionSettings) -> list[str]:
    first = [one for one in (selection.default, selection.primary) if one]
    return list(dict.fromkeys([*first, *selection.backup, *(selection.enabled or ())]))


def _roles(exchange: str, values: dict[str, object], selection: SelectionSettings) -> dict[str, object]:
    listed = selection.enabled is None or exchange in selection.enabled
    return {
        "primary": exchange == selection.primary,
        "backup": exchange in selection.backup,
        "enabled": listed and values.get("enabled", True),
    }


def _select(written: Resolved, own: dict[str, Resolved], findings: Findings) -> SelectionSettings:
    """`[exchanges]` together with the exchanges' own `primary`, `backup` and `enabled`."""
    primary = _primary(written.get("primary"), own, findings)
    backup = list(written["backup"].value) if "backup" in written else []
    for exchange, resolved in own.items():
        if "backup" in resolved and resolved["backup"].value and exchange not in backup:
            backup.append(exchange)
    if primary in backup:
        text = f'"{primary}" is both primary and backup'
        place = written["backup"].place if "backup" in written else own[primary or ""]["backup"].place
        findings.error("contradiction", text, at=place, fix="keep one of the two")
    default = written["default"].value if "default" in written else None
    enabled = written["enabled"].value if "enabled" in written else None
    selection = SelectionSettings(default=default or primary, primary=primary, backup=tuple(backup), enabled=enabled)
    _check_enabled(selection, written, own, findings)
    return selection


def _primary(written: Entry | None, own: dict[str, Resolved], findings: Findings) -> str | None:
    """The one primary. A variable wins over the file, wherever each stands."""
    claims = [(written.value, written)] if written else []
    claims += [(exchange, r["primary"]) for exchange, r in own.items() if "primary" in r and r["primary"].value]
    claims = [claim for claim in claims if claim[1].variable] or claims
    other = next((claim for claim in claims if claim[0] != claims[0][0]), None)
    if other:
        text = f'"{other[0]}" cannot be primary: "{claims[0][0]}" is already ({claims[0][1].place})'
        findings.error("contradiction", text, at=other[1].place, fix="keep one primary; others can be backup")
    return claims[0][0] if claims else None


def _check_enabled(
    selection: SelectionSettings, written: Resolved, own: dict[str, Resolved], findings: Findings
) -> None:
    """Nothing may be chosen that is disabled, and an exchange cannot be both enabled and left out of the list."""
    for exchange, resolved in own.items():
        switch = resolved.get("enabled")
        if switch is None or selection.enabled is None or switch.value == (exchange in selection.enabled):
            continue
        listed = written["enabled"]
        text = f'{switch.shown()} of "{exchange}" contradicts the list enabled of [exchanges] ({listed.place})'
        findings.error("contradiction", text, at=switch.place, fix="correct one of them")
    for exchange in dict.fromkeys([selection.default, selection.primary, *selection.backup]):
        if exchange is None:
            continue
        switch = own.get(exchange, {}).get("enabled")
        listed = selection.enabled is None or exchange in selection.enabled
        if not listed or (switch is not None and not switch.value):
            why = switch.place if switch is not None and not switch.value else written["enabled"].place
            text = f'"{exchange}" is chosen as default, primary or backup, but it is disabled'
            findings.error("contradiction", text, at=why, fix="enable it, or choose another")
