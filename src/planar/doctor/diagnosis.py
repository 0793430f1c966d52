"""`diagnose`: runs the table of checks against one exchange. A check that an earlier one makes pointless is skipped."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Final

import msgspec

import planar.runtime as runtime
from planar.doctor import account_checks, market_checks, network_checks, setup_checks
from planar.doctor.patient import Patient
from planar.doctor.remedies import described, remedy
from planar.doctor.report import Diagnosis, Result, Verdict, fail, skip
from planar.errors import PlanarError

if TYPE_CHECKING:
    from planar.transport.local import LocalVenue

OPENING_S: Final = 40.0
"""Longest that opening may take: a local venue may have to be started first."""
CALLS_A_CHECK: Final = 2
"""Time limits of a call that one check may use up."""


class Check(msgspec.Struct, frozen=True):
    """One check.

    Attributes:
        name: as results and `--json` call it.
        examine: does it.
        needs: earlier checks that must have run and not failed.
        unless: earlier checks that may have been skipped, but must not have failed.
    """

    name: str
    examine: Callable[[Patient], Awaitable[Verdict]]
    needs: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()


CHECKS: Final = (
    Check("configuration", setup_checks.configuration),
    Check("credentials", setup_checks.credentials, needs=("configuration",)),
    Check("environment", setup_checks.environment, needs=("configuration",)),
    Check("host", network_checks.host, needs=("configuration", "environment")),
    Check("dns", network_checks.dns, needs=("host",)),
    Check("tls", network_checks.tls, needs=("host",), unless=("dns",)),
    Check("proxy", network_checks.proxy, needs=("host",)),
    Check("clock", network_checks.clock, needs=("host",), unless=("dns", "tls", "proxy")),
    Check("public", network_checks.public, needs=("host",), unless=("dns", "tls", "proxy")),
    Check("private", account_checks.private, needs=("public", "credentials")),
    Check("rights", account_checks.rights, needs=("public", "credentials")),
    Check("addresses", account_checks.addresses, needs=("public", "credentials")),
    Check("symbol", market_checks.symbol, needs=("public",)),
    Check("latency", network_checks.latency, needs=("public",)),
    Check("budget", network_checks.budget, needs=("host",)),
)
"""In this order."""


async def diagnose(
    exchange: str,
    symbol: str | None = None,
    *,
    account: str = "",
    environment: str | None = None,
    local_venue: LocalVenue | None = None,
    on_result: Callable[[Result], None] | None = None,
) -> Diagnosis:
    """Examine one exchange as the configuration says. Nothing is written there; each check has a time limit.

    Args:
        exchange: CCXT's id, or a former name.
        symbol: a market that is examined too, in any form that Planar takes.
        account: whose credentials.
        environment: None takes the configuration's.
        local_venue: the venue of the local environment, where the caller runs it.
        on_result: called with each result as soon as it is there.
    """
    results: dict[str, Result] = {}
    async with AsyncExitStack() as stack:
        patient = Patient(exchange, symbol, account, environment, local_venue, stack)
        for check in CHECKS:
            began = runtime.monotonic()
            verdict = _blocked(check, results) or await _run(check, patient)
            took_ms = round((runtime.monotonic() - began) * 1000)
            result = Result(check=check.name, level=verdict.level, text=verdict.text, fix=verdict.fix, took_ms=took_ms)
            results[check.name] = result
            if on_result is not None:
                on_result(result)
        opened = patient.exchange
        return Diagnosis(
            exchange=opened.id if opened is not None else exchange,
            account=account,
            environment=opened.environment if opened is not None else environment,
            symbol=symbol,
            checks=tuple(results.values()),
        )


def _blocked(check: Check, results: dict[str, Result]) -> Verdict | None:
    """Why a check cannot run: its reason is the first check that did not succeed, not the last one."""
    for name in (*check.needs, *check.unless):
        level = results[name].level
        if level == "fail":
            return skip(f"not checked: {name} failed")
        if level == "skip" and name in check.needs:
            earlier = results[name]
            text = earlier.text.removeprefix("not checked: ")
            return skip(f"not checked: {text}", earlier.fix)
    return None


async def _run(check: Check, patient: Patient) -> Verdict:
    """A verdict in any case: an error of the check, or its time limit, is one too."""
    limit_s = OPENING_S if patient.exchange is None else CALLS_A_CHECK * patient.exchange.settings.timeout_ms / 1000
    try:
        async with asyncio.timeout(limit_s):
            return await check.examine(patient)
    except PlanarError as error:
        return fail(described(error), remedy(error))
    except TimeoutError:
        return fail(f"it did not end within {limit_s:g} s", f"look at the network; raise timeout in [{patient.name}]")
