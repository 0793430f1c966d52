"""What a profile's tables say about one request of CCXT and about its answer: cost, effect, code, halves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from planar.adapters.profile import Profile
from planar.errors import Outcome
from planar.transport.context import CallContext, Effect


def request_costs(profile: Profile, api: str, method: str, path: str, ccxt_cost: float) -> Sequence[tuple[str, float]]:
    """(meter, cost) pairs of one request."""
    row = profile.cost_table.get(api)
    costs = [(name, 1.0) for name in profile.request_meters]
    if row is not None:
        costs.append((row[0], ccxt_cost * row[1]))
    elif profile.meters:
        costs.append((profile.meters[0].name, ccxt_cost))
    if profile.order_meters and (method, path) in profile.order_endpoints:
        costs.extend((name, 1.0) for name in profile.order_meters)
    return costs


def effect_of(profile: Profile, api: Any, method: str, path: str, call: CallContext) -> Effect:
    """READ or WRITE: a GET, a listed request, a public one or any request of a reading call is a READ."""
    if method == "GET" or call.reading or (method, path) in profile.reads:
        return Effect.READ
    section = api if isinstance(api, str) else "".join(str(part) for part in cast("list[Any]", api))
    return Effect.READ if "public" in section.lower() else Effect.WRITE


def code_and_message(profile: Profile, body: Mapping[str, Any], text: str) -> tuple[str | None, str]:
    """The venue's code and text of an error body."""
    code: Any = body.get(profile.code_field)
    if isinstance(code, list):
        texts = [str(part) for part in cast("list[Any]", code)]
        return (texts[0], "; ".join(texts[1:])) if texts else (None, text)
    said = next((body[name] for name in profile.message_fields if body.get(name)), text)
    return (str(code) if code is not None else None, str(said))


def new_order_part(profile: Profile, code: str | None, body: Mapping[str, Any]) -> tuple[Outcome, str] | None:
    """What an error of replacing says about the new order: outcome and text; None if it says nothing."""
    rule = profile.parts
    if rule is None or code not in rule.codes:
        return None
    holder: Any = body.get(rule.holder)
    if not isinstance(holder, dict):
        return None
    halves = cast("dict[str, Any]", holder)
    outcome = rule.outcomes.get(str(halves.get(rule.result)))
    inner = halves.get(rule.answer)
    text = str(cast("dict[str, Any]", inner).get(rule.message, "")) if isinstance(inner, dict) else ""
    return (outcome, text) if outcome is not None else None
