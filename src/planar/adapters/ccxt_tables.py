"""What a profile's tables say about one request of CCXT and about its answer: cost, effect, code, halves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias, cast

from planar.adapters.profile import Profile
from planar.errors import Outcome
from planar.models.from_ccxt.reader import is_structure
from planar.transport.context import CallContext, Effect

Params: TypeAlias = "Mapping[str, Any] | Sequence[Any]"
"""The parameters of a request. Some ids send a list of objects in the place of an object."""

_OF_CCXT = ("maxRetriesOnFailure", "maxRetriesOnFailureDelay")


def own_copy(params: Params | None) -> Params:
    """What CCXT may write into; without its parameters of sending again, which Planar decides."""
    if not params:
        return {}
    if not is_structure(params):
        return list(params)
    return {name: value for name, value in params.items() if name not in _OF_CCXT}


def named(params: Params) -> Mapping[str, Any]:
    """The parameters by name; those in a list have none."""
    return params if is_structure(params) else {"": params}


def endpoint_cost(
    calculate: Callable[..., Any], api: Any, method: str, path: str, params: Params, config: Mapping[str, Any]
) -> float:
    """CCXT's cost of a request. Where its sums fail on these parameters ("100" for a number), it is the most that the
    endpoint can cost."""
    try:
        return float(calculate(api, method, path, params, config))
    except (TypeError, ValueError, LookupError):
        return max(_numbers(config), default=1.0)


def _numbers(value: Any) -> Iterator[float]:
    """All costs within CCXT's table of an endpoint; the first of a pair is a bound, not a cost."""
    if isinstance(value, Mapping):
        for inner in cast("Mapping[str, Any]", value).values():
            yield from _numbers(inner)
    elif isinstance(value, list):
        for inner in cast("list[Any]", value):
            yield from _numbers(cast("list[Any]", inner)[-1] if isinstance(inner, list) and inner else inner)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield float(value)


def request_costs(profile: Profile, api: str, method: str, path: str, ccxt_cost: float) -> Sequence[tuple[str, float]]:
    """(meter, cost) pairs of one request."""
    row = profile.cost_table.get(api)
    costs = [(name, 1.0) for name in profile.request_meters]
    if row is not None:
        costs.append((row[0], ccxt_cost * row[1]))
    elif profile.meters:
        costs.append((profile.meters[0].name, ccxt_cost))
    if profile.order_meters and (method, path) in profile.order_endpoints:
        count = float(profile.orders_in.get((method, path), 1))
        costs.extend((name, count) for name in profile.order_meters)
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
    if isinstance(code, list) and code:
        parts = cast("list[Any]", code)
        return _code(parts[0]), "; ".join(map(str, parts[1:]))
    said = next((body[name] for name in profile.message_fields if body.get(name)), text)
    return _code(code), str(said)


def _code(value: Any) -> str | None:
    """A text or a whole number; anything else is no code."""
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) and value != "" else None


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
