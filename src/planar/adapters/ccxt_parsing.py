"""The parsing half of the seam: where CCXT's own way costs most of a call, a shorter one to the very same result.

Answers of a known form are read from their bytes by a reader of the venue's package (`Profile.candle_reader`,
`Profile.book_reader`); what it cannot read goes CCXT's way, from JSON and through CCXT's code.
"""

from __future__ import annotations

import base64
import hashlib
import hmac as hmacs
import importlib
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cache, lru_cache
from operator import attrgetter
from typing import Any, Final, cast
from urllib.parse import quote

from planar.errors import BadResponse
from planar.models import Candle
from planar.models.base import iso8601

_plain = re.compile(r"[A-Za-z0-9_.~=&-]*").fullmatch
_number = re.compile(r"(?:0|[1-9][0-9]{0,11})(?:\.[0-9]{1,12})?", re.ASCII).fullmatch
_exponential = re.compile(r"[+-]?[0-9]*\.?[0-9]*[eE][+-]?[0-9]{1,3}", re.ASCII).fullmatch
_digits = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,12})?", re.ASCII).fullmatch
_PLAIN_TYPES = frozenset((str, int, float))


ROUND: Final = 1
DECIMAL_PLACES: Final = 2
TICK_SIZE: Final = 4
NO_PADDING: Final = 5
"""CCXT's words for how a precision is meant, and how a number is written."""
LONGEST_PLACES: Final = 400
"""Decimal places, or zeros, that a number may have: those of the smallest and the largest float are fewer."""


def bound_numbers() -> None:
    """Make CCXT's exact numbers refuse what is none, or would fill the memory with zeros: "1e999999999", "0.5.5".

    CCXT computes with what it is given, digit by digit and for as long as that takes. Who uses CCXT besides Planar gets
    a ValueError in these cases, too.
    """
    precise: Any = importlib.import_module("ccxt.base.precise").Precise
    original = precise.__init__
    if getattr(original, "planar", False):
        return

    def checked(self: Any, number: Any, decimals: int | None = None) -> None:
        odd = decimals is None and ("e" in number or "E" in number or number.count(".") > 1)
        if odd and not _exponential(number):
            raise ValueError(f"no number: {number[:40]}")
        original(self, number, decimals)

    checked.planar = True  # type: ignore[attr-defined]
    precise.__init__ = checked


def plain_number(number: Any) -> str | None:
    """CCXT's `number_to_string`, for numbers whose digits can be written down.

    Raises:
        ValueError: its exponent has more than three digits, so that it would be written with as many zeros.
    """
    if isinstance(number, str) and ("e" in number or "E" in number) and not _exponential(number):
        raise ValueError(f"no number: {number[:40]}")
    written: Any = importlib.import_module("ccxt.base.decimal_to_precision").number_to_string
    return cast("str | None", written(number))


_HASHES: Final[Mapping[Callable[..., Any], str]] = {
    hashlib.sha256: "sha256",
    hashlib.sha384: "sha384",
    hashlib.sha512: "sha512",
}
_NO_CODES: Final = ("info", "timestamp", "datetime", "free", "used", "total")
_CODES_KEPT: Final = 10_000
_LAST_MS: Final = 253_402_300_799_999
"""The end of the year 9999, which is the last that Python's dates know."""


def _add_total(entry: dict[str, Any]) -> None:
    free, used = entry.get("free"), entry.get("used")
    if entry.get("total") is None and type(free) is str and type(used) is str and _digits(free) and _digits(used):
        entry["total"] = str(Decimal(free) + Decimal(used))


@cache
def _of_ccxt() -> Any:
    return importlib.import_module("ccxt.base.exchange").Exchange


def _query(params: Mapping[str, Any], safe: str) -> str | None:
    """A query of plain values, quoted at once where it needs it; None if there are others."""
    if not _PLAIN_TYPES.issuperset(map(type, params.values())):
        return None
    text = "&".join([f"{name}={value}" for name, value in params.items()])
    if text.count("=") != len(params) or text.count("&") != max(len(params) - 1, 0):
        return None
    return text if _plain(text) else quote(text, f"{safe}=&")


def precise(
    n: Any,
    rounding_mode: int = ROUND,
    precision: Any = None,
    counting_mode: int = DECIMAL_PLACES,
    padding_mode: int = NO_PADDING,
) -> str:
    """CCXT's `decimal_to_precision`; a number that is a multiple of its tick already is written as it is."""
    if counting_mode == TICK_SIZE and padding_mode == NO_PADDING and type(precision) is float and precision > 0:
        text = repr(n) if type(n) is float else n
        if type(text) is str and _number(text) and not Decimal(text) % _tick(precision):
            return text.rstrip("0").rstrip(".") if "." in text else text
    written: Any = importlib.import_module("ccxt.base.decimal_to_precision").decimal_to_precision
    return cast(str, written(n, rounding_mode, precision, counting_mode, padding_mode))


@lru_cache(1_000)
def _tick(precision: float) -> Decimal:
    return Decimal(repr(precision))


class ParsingSeam:
    """Mixed in before CCXT's class, as a part of `CcxtSeam`."""

    @staticmethod
    def iso8601(timestamp: Any = None) -> str | None:
        """CCXT's text of a time; each second is written once."""
        if type(timestamp) is int and 0 <= timestamp <= _LAST_MS:
            return iso8601(timestamp)
        if timestamp is None:
            return None
        return _of_ccxt().iso8601(timestamp)

    @staticmethod
    def hmac(request: Any, secret: Any, algorithm: Any = hashlib.sha256, digest: str = "hex") -> Any:
        """CCXT's signature, by the library's own short way."""
        name = _HASHES.get(algorithm)
        if name is None or digest not in ("hex", "base64"):
            return _of_ccxt().hmac(request, secret, algorithm, digest)
        made = hmacs.digest(secret, request, name)
        return made.hex() if digest == "hex" else base64.b64encode(made).decode()

    def safe_currency_code(self, currencyId: Any, currency: Any = None) -> Any:
        """CCXT's code for an exchange's id of a currency; looked up once for each, and list of currencies."""
        if currency is not None or type(currencyId) is not str:
            return cast(Any, super()).safe_currency_code(currencyId, currency)
        state, listed = self.__dict__, cast(Any, self).currencies_by_id
        kept: tuple[Any, dict[str, Any]] | None = state.get("_planar_codes")
        if kept is None or kept[0] is not listed or len(kept[1]) > _CODES_KEPT:
            kept = (listed, dict[str, Any]())
            state["_planar_codes"] = kept
        codes = kept[1]
        if currencyId not in codes:
            codes[currencyId] = cast(Any, super()).safe_currency_code(currencyId)
        return codes[currencyId]

    def safe_balance(self, balance: dict[str, Any]) -> Any:
        """CCXT's balances; of plain numbers the sum is made here, as CCXT adds digit by digit."""
        if cast(Any, self).number is float:
            for code, entry in balance.items():
                if code not in _NO_CODES and type(entry) is dict:
                    _add_total(cast("dict[str, Any]", entry))
        return cast(Any, super()).safe_balance(balance)

    def urlencode(self, params: Mapping[str, Any] = {}, doseq: bool = False, sort: bool = False) -> str:
        """CCXT's text for a query. Quoting each part is most of what a signature costs, and seldom changes anything."""
        text = None if doseq else _query(params, "")
        return cast(Any, super()).urlencode(params, doseq, sort) if text is None else text

    @staticmethod
    def urlencode_nested(params: Any) -> str:
        """The same for parameters that may hold others."""
        text = _query(cast("dict[str, Any]", params), "[]") if type(params) is dict else None
        return _of_ccxt().urlencode_nested(params) if text is None else text

    def parse_precision(self, precision: str | None) -> str | None:
        """CCXT's step of so many decimal places, which it writes digit by digit.

        Raises:
            BadResponse: so many that nobody can mean them.
        """
        if precision is not None and abs(int(precision)) > LONGEST_PLACES:
            raise BadResponse(f"a market has {precision[:40]} decimal places", exchange=cast(Any, self).id)
        return cast(Any, super()).parse_precision(precision)

    def parse_ohlcvs(
        self,
        ohlcvs: list[Any] | None,
        market: Any = None,
        timeframe: str = "1m",
        since: int | None = None,
        limit: int | None = None,
        tail: bool = False,
    ) -> list[Any]:
        """CCXT's rows; candles that a reader made are sorted and cut as CCXT does it."""
        if not ohlcvs or type(ohlcvs[0]) is not Candle:
            return cast(Any, super()).parse_ohlcvs(ohlcvs, market, timeframe, since, limit, tail)
        rows = sorted(ohlcvs, key=attrgetter("ts_ms"))
        if since is not None:
            rows = [row for row in rows if row.ts_ms and row.ts_ms >= since]
        if limit is None:
            return rows
        return rows[:limit] if since is not None and not tail else rows[-limit:]

    def parse_order_book_bids_asks(self, bidasks: Any, *keys: Any, **more: Any) -> list[Any]:
        """CCXT's levels; those that a reader made are pairs of floats already."""
        if bidasks and type(bidasks[0]) is tuple:
            return bidasks
        return cast(Any, super()).parse_order_book_bids_asks(bidasks, *keys, **more)
