"""Market data of Binance from the bytes of its answers (documentation: Kline/Candlestick data, Order book)."""

from __future__ import annotations

from typing import Any, Required, TypedDict

import msgspec

from planar.models import Candle


class _Depth(TypedDict, total=False):
    """The answer to `depth`; what is not named here is not looked at by CCXT either."""

    lastUpdateId: int
    T: int
    bids: Required[list[tuple[float, float]]]
    asks: Required[list[tuple[float, float]]]


_candles = msgspec.json.Decoder(list[Candle], strict=False)  # the first six fields of a row are a candle's
_depth = msgspec.json.Decoder(_Depth, strict=False)


def candles(body: bytes) -> list[Candle] | None:
    """Rows of `klines` and its kin; None for anything else, and where a number is none (`null`, `nan`, `infinity`)."""
    if b"n" in body or b"N" in body:
        return None
    try:
        return _candles.decode(body)
    except msgspec.DecodeError:
        return None


def depth(body: bytes) -> Any:
    """The fields of an order book, with levels of floats; None for anything else."""
    try:
        return _depth.decode(body)
    except msgspec.DecodeError:
        return None
