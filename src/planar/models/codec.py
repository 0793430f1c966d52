"""Models to JSON and back, exactly: amounts travel as decimal text, keys are CCXT's."""

from __future__ import annotations

from decimal import Decimal
from functools import cache, lru_cache
from typing import Any, TypeVar

import msgspec

from planar.models.amount import Amount

T = TypeVar("T")


def encode_hook(value: Any) -> Any:
    """msgspec's `enc_hook` for structs that hold an `Amount`: decimal text, never an exponent."""
    if isinstance(value, Amount):
        return str(value)
    raise TypeError(f"no JSON form for {type(value).__name__}")


def decode_hook(kind: type[Any], value: Any) -> Any:
    """msgspec's `dec_hook` for structs that hold an `Amount`, from decimal text or a number."""
    if kind is Amount:
        return _amount(value)
    raise TypeError(f"no {kind.__name__} from JSON")


@lru_cache(4096, typed=True)
def _amount(value: Any) -> Amount:
    # Steps, limits and fees repeat: three thousand markets have a few hundred different ones.
    return Amount(value)


_encoder = msgspec.json.Encoder(enc_hook=encode_hook)


@cache
def _decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    # Numbers without a declared type reach the hook as Decimal, so a JSON number loses no digit on its way to Amount.
    return msgspec.json.Decoder(kind, dec_hook=decode_hook, float_hook=Decimal)


def to_json(value: Any) -> bytes:
    """JSON of a model, or of lists and dictionaries of models."""
    return _encoder.encode(value)


def from_json(kind: type[T], data: bytes | str) -> T:
    """A model, or a list or dictionary of models, from the JSON that `to_json` made: `from_json(list[Order], data)`.

    Raises:
        ValueError: the text is no JSON, or no JSON of this kind; the message has the path.
    """
    try:
        return _decoder(kind).decode(data)
    except msgspec.MsgspecError as error:
        raise ValueError(f"not the JSON of {getattr(kind, '__name__', kind)}: {error}") from error
