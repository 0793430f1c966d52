"""Checks that need no network: configuration, credentials, environment. The first one opens the exchange."""

from __future__ import annotations

from typing import Any, Final

from planar.config import flag
from planar.config.check import Report, check
from planar.config.schema import ENVIRONMENTS, Environment
from planar.doctor.patient import Patient
from planar.doctor.remedies import remedy
from planar.doctor.report import Verdict, fail, ok, skip, warn
from planar.errors import ConfigError, MissingCredentials, NotSupported, PlanarError

MEANINGS: Final = {
    "live": "the real exchange, with real money",
    "sandbox": "the exchange's test environment",
    "demo": "the exchange's demo trading",
    "local": "Planar's local exchange on this machine",
}


async def configuration(patient: Patient) -> Verdict:
    """Whether files and variables are right, and the exchange can be opened as they say."""
    from planar.adapters.exchange_ids import known_ids

    report = check(known_ids=known_ids())
    judged = _judged(report)
    if report.settings is None:
        return judged
    patient.settings = report.settings
    await _open(patient)
    if isinstance(patient.refusal, ConfigError):
        return fail(patient.refusal.message, patient.refusal.hint)
    if flag("PLANAR_OFFLINE"):
        fix = "; ".join(filter(None, ("unset PLANAR_OFFLINE", judged.fix)))
        return warn(f"PLANAR_OFFLINE is set, so markets come from the cache, however old; {judged.text}", fix)
    return judged


def _judged(report: Report) -> Verdict:
    errors = [finding for finding in report.findings if finding.level == "error"]
    doubts = [finding for finding in report.findings if finding.level == "warn"]
    if errors or doubts:
        found = errors or doubts
        text = "; ".join(f"{where}: {one.text}" if (where := one.where()) else one.text for one in found)
        fix = "; ".join(one.fix for one in found if one.fix is not None) or None
        return fail(text, fix) if errors else warn(text, fix)
    files = [finding.file for finding in report.findings if finding.code == "file" and finding.file is not None]
    return ok(" and ".join(files) if files else "no file was found; everything is as Planar comes")


async def _open(patient: Patient) -> None:
    from planar.workspace import Workspace

    workspace = await patient.stack.enter_async_context(Workspace(patient.settings, local_venue=patient.local_venue))
    options: dict[str, Any] = {} if patient.environment is None else {"environment": patient.environment}
    try:
        patient.exchange = await workspace.prepare(patient.name, account=patient.account, **options)
    except PlanarError as error:
        patient.refusal = error
    else:
        patient.stack.push_async_callback(patient.exchange.close)


async def credentials(patient: Patient) -> Verdict:
    """Whether they are there, and complete for this exchange. Only their fingerprint is shown."""
    if isinstance(patient.refusal, MissingCredentials):
        return fail(patient.refusal.message, patient.refusal.hint)
    if patient.exchange is None:
        return skip(f"{patient.name} could not be opened")
    exchange, place = patient.exchange, _environment(patient)
    required = exchange.required_credentials
    found = patient.settings.credentials_for(exchange.id, exchange.account, place)
    if found is None and place == "local":
        return ok("those of an account that the local exchange comes with")
    missing = patient.settings.missing_credentials_error(exchange.id, exchange.account, place, required)
    if found is None:
        return skip(f"{missing.message}; public calls need none", missing.hint)
    if found.missing(required):
        return fail(missing.message, missing.hint)
    origins = dict.fromkeys(origin for name, origin in found.origins if name in required)
    return ok(f"{' and '.join(required)} from {', '.join(origins)}; fingerprint {found.fingerprint()}")


async def environment(patient: Patient) -> Verdict:
    """Whether it was chosen, exists, and is one that there are credentials for."""
    if isinstance(patient.refusal, NotSupported):
        return fail(patient.refusal.message, remedy(patient.refusal))
    if patient.exchange is None:
        return skip(f"{patient.name} could not be opened")
    exchange, place = patient.exchange, _environment(patient)
    meaning = f"{place}: {MEANINGS[place]}"
    held = [one for one in ENVIRONMENTS if patient.settings.accounts(exchange.id, one)]
    if held and place not in (*held, "local"):
        return warn(
            f"{meaning}; but there are credentials for {' and '.join(held)} only, and they are never used here",
            f'write environment = "{held[0]}" in [{exchange.id}], or make a key for {place}',
        )
    if exchange.settings.environment is None:
        error = patient.settings.missing_environment_error(exchange.id)
        return warn(f"none is written, so public calls go to {meaning}, and private ones are refused", error.hint)
    return ok(meaning)


def _environment(patient: Patient) -> Environment:
    return next(one for one in ENVIRONMENTS if one == patient.opened.environment)
