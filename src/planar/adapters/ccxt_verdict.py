"""What an answer means: refused, unknown or lacking, in which class of error, and what can be done about it.

Asked by the seam for each answer that is not simply good. Class and outcome come from the venue's tables (its texts,
then its codes), then from the HTTP status, then from CCXT's class; a refusal is believed only in the venue's own words.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

import planar.errors as errors
from planar.adapters.ccxt_errors import planar_class, row_for
from planar.adapters.ccxt_tables import code_and_message, new_order_part
from planar.adapters.profile import AnswerRule, ErrorRow, Profile
from planar.errors import BadResponse, OperationFailed, Outcome, PlanarError, RateLimitExceeded
from planar.transport.context import CallContext, Effect
from planar.transport.http import Answer
from planar.transport.redact import redact
from planar.transport.stops import stop_s

STATUS_ROWS: Final[Mapping[int, ErrorRow]] = {
    403: ErrorRow(
        errors.ExchangeNotAvailable,
        hint="the venue's front refuses this address or this request: a proxy, a data centre, too many requests",
    ),
    418: ErrorRow(errors.DDoSProtection),
    429: ErrorRow(errors.RateLimitExceeded),
    451: ErrorRow(errors.RestrictedLocation),
}
"""What HTTP statuses say where the venue's own tables say nothing; 429 is a limit that was broken, 418 a ban of those who
went on after it (documentation of Binance: HTTP Return Codes)."""

_LIMITED: Final = ErrorRow(errors.RateLimitExceeded)

HINTS: Final[Mapping[type[PlanarError], str]] = {
    errors.AuthenticationError: "compare key and secret with the venue's website, and see whether this machine's "
    "address is allowed, the key has the right, and was made for this environment",
    errors.PermissionDenied: "give the key the right for this call, and allow this machine's address, on the venue's "
    "website",
    errors.AccountSuspended: "the account itself is stopped: only the venue's support can tell why",
    errors.BadRequest: "change the argument that the message names; the same call fails again",
    errors.BadSymbol: "load_markets(reload=True) shows what is listed now",
    errors.OperationRejected: "the venue does not do this now: the message says why",
    errors.NoChange: "nothing needs to be done: it is so already",
    errors.MarketClosed: "wait until the market trades again: markets[symbol].active, after load_markets(reload=True)",
    errors.RestrictedLocation: "the venue does not serve the country of this address",
    errors.InsufficientFunds: "ask for less, or fund the account; fetch_balance() shows what is free",
    errors.InvalidAddress: "check the address, and that the venue's list of withdrawal addresses has it",
    errors.InvalidOrder: "change price, amount or kind of the order; markets[symbol] holds the market's rules",
    errors.OrderNotFound: "fetch_open_orders() and fetch_closed_orders() show what there is; it may have ended",
    errors.OrderImmediatelyFillable: "move the price away from the market, or leave out post-only or the trigger",
    errors.OrderNotFillable: "allow a part to be filled, or a price further into the book",
    errors.DuplicateOrderId: "an order of this client id is at the venue already: ask for it",
    errors.NotSupported: "the venue does not offer this",
    errors.ExchangeError: "the message is the venue's own; its documentation explains it",
    errors.RateLimitExceeded: "wait for `retry_after_s`; leave enable_rate_limit on, watch streams instead of asking "
    "again and again, and let all programs of this machine share the budget ([budget] shared)",
    errors.DDoSProtection: "nothing is sent until `retry_after_s` is over: each further request would make it longer; "
    "leave enable_rate_limit on, and let all programs of this machine share the budget ([budget] shared)",
    errors.OnMaintenance: "wait until the venue's maintenance is over",
    errors.InvalidNonce: "synchronise this machine's clock (NTP), and give each program a key of its own",
    errors.RequestTimeout: "look at the network; a slow one needs a longer timeout, of the call (timeout_ms) or "
    "of all calls",
    errors.ExchangeNotAvailable: "the venue, or the way to it, is down or in maintenance: its status page tells; ask "
    "again later",
    errors.NetworkError: "ask again later; `planar doctor` looks at name, proxy, TLS and connection",
    errors.OperationFailed: "ask again later; the message is the venue's own",
    errors.BadResponse: "ask again; something else than the venue may have answered, or cut the answer: a proxy, a login "
    "page of the network, a filter",
}
"""What can be done about an error whose row has no hint of its own; a class without one has that of its parent."""

UNKNOWN_WRITE: Final = "it may have been carried out: ask the venue about it before anything is sent again"


def hint_of(kind: type[PlanarError]) -> str | None:
    """The general hint of a class of errors."""
    return next((HINTS[base] for base in kind.__mro__ if base in HINTS), None)


def complete(error: PlanarError, call: CallContext) -> None:
    """Say what follows for this call: a WRITE that may have been carried out is never to be made again unchanged."""
    if error.outcome in (Outcome.UNKNOWN, Outcome.OK) and call.requests and call.requests[-1].effect is Effect.WRITE:
        error.retryable = False
        error.hint = error.hint or UNKNOWN_WRITE
    if error.hint is None and (call.requests or isinstance(error, errors.RateLimitExceeded)):
        error.hint = hint_of(type(error))


def refusal(
    error: Exception, answer: Answer, parsed: Any, text: str, profile: Profile, environment: str, key: str | None
) -> PlanarError:
    """The venue said no, or its front did.

    Args:
        error: what CCXT makes of it.
        parsed: the body; None if it is no JSON.
        key: the key that the requests are signed with.
    """
    code, message, outcome, row, part, own_word = None, text, None, None, None, False
    if isinstance(parsed, dict):
        body = cast("dict[str, Any]", parsed)
        code, message = code_and_message(profile, body, text)
        part = new_order_part(profile, code, body)
        if part is not None:
            outcome, said = part
            row, message = row_for(profile, code, said), f"{message} {said}".rstrip()
        else:
            row = row_for(profile, code, message)
        # where no table says what errors look like, any object that CCXT takes for one is
        own_word = row is not None or (code is not None if profile.errors else bool(body))
    venue_row = row
    if part is None:
        row = row or STATUS_ROWS.get(answer.status)
    kind = row.kind if row else planar_class(error)
    limited_s = profile.stops.get(answer.status)
    front = answer.status >= 500
    if outcome is None:
        outcome = venue_row.outcome if venue_row else _unlisted(profile, code, kind)
        front = front or not own_word or (limited_s is not None and venue_row is None)
    if front and outcome is Outcome.REFUSED:
        # a front may have answered after the venue acted; only the venue's own word proves a refusal
        outcome = Outcome.UNKNOWN
    if limited_s is not None:
        said = STATUS_ROWS.get(answer.status, _LIMITED).kind
        if venue_row is None or not issubclass(kind, said):
            kind, row = said, row if issubclass(kind, RateLimitExceeded) else None
    what = f"[{start_of(code)}] {start_of(message, 500)}" if code else f"HTTP {answer.status}: {start_of(message)}"
    what = redact(what.rstrip())
    if issubclass(kind, errors.AuthenticationError) and key:
        what += f" (key {masked(key)} in the environment {environment})"
    retry_s = profile.stops.get(code or "") if limited_s is None else stop_s(answer.headers, text, limited_s)
    return kind(
        what,
        outcome=outcome,
        exchange=profile.id,
        code=code,
        http_status=answer.status,
        hint=row.hint if row else None,
        retry_after_s=retry_s,
    )


def part_refusal(text: str, profile: Profile) -> PlanarError:
    """What one row of an answer about several orders says, which is an error's text: no answer is an error as a whole."""
    row = row_for(profile, text, text)
    kind = row.kind if row else errors.ExchangeError
    outcome = row.outcome if row else _unlisted(profile, text, kind)
    hint = (row.hint if row else None) or hint_of(kind)
    return kind(redact(f"[{start_of(text, 500)}]"), outcome=outcome, exchange=profile.id, code=text, hint=hint)


def _unlisted(profile: Profile, code: str | None, kind: type[PlanarError]) -> Outcome:
    """What is known after an error that no table has: by the beginning of its code, else by its class."""
    for beginning, outcome in profile.unlisted:
        if code is not None and code.startswith(beginning):
            return outcome
    failed = issubclass(kind, OperationFailed) and kind.default_outcome is Outcome.UNKNOWN
    return Outcome.UNKNOWN if failed else Outcome.REFUSED


def no_answer(answer: Answer, text: str, exchange: str) -> BadResponse:
    """The error for a good status with a body that is no JSON document."""
    kind = answer.headers.get("Content-Type", "no content type")
    what = "is empty" if not text.strip() else f"is no JSON ({kind}): {start_of(text)}"
    return BadResponse(
        redact(f"the answer (HTTP {answer.status}) {what}"), exchange=exchange, http_status=answer.status
    )


def lacking(
    profile: Profile, section: str, method: str, path: str, params: Mapping[str, Any], answer: Any
) -> str | None:
    """What a good answer lacks of what the call must return, or None.

    CCXT makes an empty list, a ticker without a price or an order without an id of a lack.
    """
    if answer == {}:
        return None if (method, path) in profile.empty_answers else "is an empty object"
    rule = profile.answers.get((section, method, path))
    return None if rule is None else _broken(rule, params, answer)


def _broken(rule: AnswerRule, params: Mapping[str, Any], answer: Any) -> str | None:
    if rule.listed or (rule.one_by is not None and rule.one_by not in params):
        return None if isinstance(answer, list) else "is no list"
    held: Any = answer
    if rule.holder is not None:
        held = cast("dict[str, Any]", answer).get(rule.holder) if isinstance(answer, dict) else None
    where = f"`{rule.holder}`" if rule.holder else "it"
    if not isinstance(held, dict):
        return f"lacks the object {where}" if rule.holder else "is no object"
    members = cast("dict[str, Any]", held)
    missing = [name for name in rule.fields if members.get(name) in (None, "")]
    if rule.instead and all(members.get(name) not in (None, "") for name in rule.instead):
        return None
    if rule.named_by is not None:
        names = str(params.get(rule.named_by, "")).split(",")
        missing += [name for name in names if name and not isinstance(members.get(name), dict | list)]
    if missing:
        return f"lacks {', '.join(missing)}"
    if rule.filled and not members:
        return f"has nothing in {where}"
    return _broken_member(rule, members)


def _broken_member(rule: AnswerRule, members: Mapping[str, Any]) -> str | None:
    rows: Any = members if rule.inside is None else members[rule.inside]
    if not rule.each:
        return None
    if not isinstance(rows, dict):
        return f"has no objects in `{rule.inside}`"
    for name, member in cast("dict[str, Any]", rows).items():
        inner = cast("dict[str, Any]", member) if isinstance(member, dict) else {}
        missing = [field for field in rule.each if inner.get(field) in (None, "")]
        if missing:
            return f"lacks {', '.join(missing)} of {name}"
    return None


def masked(key: str) -> str:
    """A key so that its owner knows it, and nobody else can use it."""
    return f"{key[:4]}...{key[-4:]}" if len(key) >= 20 else "***"


def start_of(text: str, length: int = 120) -> str:
    """The beginning of a text, on one line."""
    shortened = " ".join(text[: 10 * length].split())
    return shortened[:length] + ("..." if len(shortened) > length else "")
