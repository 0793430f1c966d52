"""Request parameters, read from forms and JSON alike. Unknown ones are ignored, as Kraken does."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final, cast

from planar.venue import clock
from planar.venue.wire.kraken import errors
from planar.venue.wire.kraken.errors import ApiError

Params = Mapping[str, Any]
_LARGEST: Final = Decimal(10) ** 20
_LARGEST_INTEGER: Final = 2**63 - 1


def decimal(params: Params, name: str) -> Decimal | None:
    """A number, of whatever JSON or form type. Raises ApiError naming the field."""
    value = params.get(name)
    if value is None or value == "":
        return None
    try:
        found = Decimal(str(value))
    except InvalidOperation as error:
        raise errors.invalid(name) from error
    if isinstance(value, bool) or not found.is_finite() or abs(found) > _LARGEST:
        raise errors.invalid(name)
    return found


def need(params: Params, name: str) -> Decimal:
    """A number that must be there. Raises ApiError naming the field."""
    found = decimal(params, name)
    if found is None:
        raise errors.invalid(name)
    return found


def integer(params: Params, name: str) -> int | None:
    """A whole number. Raises ApiError naming the field."""
    found = decimal(params, name)
    if found is not None and (found != int(found) or abs(found) > _LARGEST_INTEGER):
        raise errors.invalid(name)
    return None if found is None else int(found)


def flag(params: Params, name: str, default: bool = False) -> bool:
    """A yes or no."""
    value = params.get(name)
    return default if value is None or value == "" else str(value).lower() in ("true", "1", "yes")


def clean(value: Any) -> str:
    """A client's value as text that can be sent back: half a surrogate pair, which JSON can name, cannot."""
    return str(value).encode("utf-8", "replace").decode()


def text(params: Params, name: str) -> str | None:
    """A text; None if missing or empty."""
    value = params.get(name)
    return None if value is None or value == "" else clean(value)


def words(params: Params, name: str) -> list[str]:
    """A list, as JSON or separated by commas."""
    value = params.get(name)
    if isinstance(value, list):
        return [clean(word) for word in cast("list[Any]", value)]
    return [word for word in clean(value or "").split(",") if word]


def moment_ms(value: Any, name: str) -> int:
    """An RFC 3339 time. Raises ApiError naming the field."""
    try:
        return int(datetime.fromisoformat(str(value).replace("Z", "+00:00")).timestamp() * 1000)
    except (ValueError, OverflowError) as error:
        raise errors.invalid(name) from error


def check_deadline(params: Params) -> None:
    """Raises ApiError if the client's deadline is over."""
    if params.get("deadline") and moment_ms(params["deadline"], "deadline") < clock.wall_ms():
        raise ApiError(errors.DEADLINE)
