"""Checks of the key: a private call, the key's rights, the addresses that it works from."""

from __future__ import annotations

from planar.doctor.patient import Patient
from planar.doctor.remedies import described, remedy
from planar.doctor.report import Verdict, fail, ok, skip, warn
from planar.errors import (
    AuthenticationError,
    ConfigError,
    NotSupported,
    Outcome,
    PermissionDenied,
    PlanarError,
)


async def private(patient: Patient) -> Verdict:
    """Whether the balance can be read."""
    exchange = patient.opened
    try:
        balance = await exchange.fetch_balance()
    except ConfigError as error:
        patient.private_error = error
        return skip(error.message, error.hint)
    except PlanarError as error:
        patient.private_error = error
        if isinstance(error, AuthenticationError) and error.outcome is Outcome.NOT_SENT:
            return fail(f"nothing was sent: {described(error)}", error.hint)
        return fail(described(error), _remedy(error, exchange.environment))
    held = sum(1 for one in balance.balances.values() if one.total)
    return ok(f"the balance was read: {held} currencies")


def _remedy(error: PlanarError, environment: str) -> str | None:
    """What to do, with the causes that many venues do not tell apart."""
    fix = remedy(error)
    if isinstance(error, PermissionDenied):
        return f"{fix}, and see whether the key may be used from this machine's address"
    if isinstance(error, AuthenticationError):
        return f"{fix}; a key of another environment is refused in the same words: this one is {environment}"
    return fix


async def rights(patient: Patient) -> Verdict:
    """What the key may do, as the venue says. A right to withdraw is more than a trading program needs."""
    exchange = patient.opened
    if patient.private_error is not None and not isinstance(patient.private_error, PermissionDenied):
        return skip("the private call failed")
    try:
        found = await exchange.fetch_key_rights()
    except NotSupported as error:
        return skip(error.message, "look at the key on the exchange's website: no withdrawals, chosen addresses only")
    except PlanarError as error:
        patient.rights_error = error
        return fail(f"the exchange did not tell: {described(error)}", remedy(error))
    patient.rights = found
    named = {"read": found.read, "trade": found.trade, "withdraw": found.withdraw}
    text = f"the key may {', '.join(name for name, given in named.items() if given) or 'do nothing'}"
    if not found.read:
        return fail(f"{text}; it may not read the account", "give it the right to read on the exchange's website")
    if found.withdraw:
        return warn(
            f"{text}: whoever gets it can take the money out",
            "turn withdrawals off for this key on the exchange's website",
        )
    if not found.trade and not exchange.settings.read_only:
        return warn(f"{text}, not trade", f"turn trading on for it, or write read_only = true in [{exchange.id}]")
    return ok(text)


async def addresses(patient: Patient) -> Verdict:
    """Whether the key works from chosen addresses only, and whether this one is among them."""
    exchange, refused = patient.opened, patient.rights_error
    if patient.rights is None:
        if isinstance(refused, PermissionDenied) and not exchange.key_info_needs_right:
            return fail(
                "this machine's address is not on the key's list: even the call that needs no right is refused",
                "add the address from which this machine reaches the exchange to the key, on the exchange's website",
            )
        return skip("the exchange does not tell")
    if patient.rights.restricted:
        return ok("the key works from chosen addresses only, and this machine's is one of them")
    return warn(
        "the key works from every address, so a stolen one works for the thief",
        "allow this machine's address only, on the exchange's website",
    )
