"""From what a user writes to one market: `BTC/USDT`, `BTCUSDT`, `BTC-USDT`, `btc_usdt`, `BTC/USDT:USDT`, `XXBTZUSD`.

Works on a `Listing`, the columns of what an exchange lists, which the market cache holds ready: no market is decoded
to find one. A unified symbol that exists is always that market. Anything else must lead to one market, by the
preferred market type if need be; otherwise `BadSymbol` names the candidates, the nearest, or the type that has it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

import msgspec

from planar.config.suggest import nearest
from planar.errors import BadSymbol, Outcome

_SEPARATORS = re.compile(r"[\s/\-_:]+")
_SHOWN = 5  # candidates named in a message
_LONGEST = 80  # characters of a text that may be a symbol with a slip; to compare longer ones takes long


class Listing(msgspec.Struct):
    """The columns of an exchange's markets; row i of each column is one market.

    Attributes:
        symbols: unified symbols.
        ids: the venue's own names.
        types: `spot`, `swap`, `future`, `option`, ...
        sub_types: `linear`, `inverse`, or None.
        active: whether it trades now; None where the venue does not say.
        by_id: the rows under each id (several where the venue uses an id once per market type).
        other_names: further names of the venue -> row.
        listed: the number of rows that are markets under their symbol; the rest are known by id only.
    """

    symbols: list[str]
    ids: list[str]
    types: list[str]
    sub_types: list[str | None]
    active: list[bool | None]
    by_id: dict[str, list[int]]
    other_names: dict[str, int]
    listed: int


class Resolved(msgspec.Struct, frozen=True):
    """The market that a text means.

    Attributes:
        symbol: its unified symbol.
        type: its market type, which for a unified symbol or an id may be another than the preferred one.
        active: False: listed, but not traded now; None: the venue does not say.
    """

    symbol: str
    type: str
    active: bool | None


class SymbolResolver:
    """Finds markets of one exchange by what users write.

    Args:
        exchange: the exchange's id, for errors.
    """

    def __init__(self, exchange: str, listing: Listing) -> None:
        self._exchange = exchange
        self._listing = listing
        self._rows = {symbol: row for row, symbol in enumerate(listing.symbols[: listing.listed])}

    def resolve(self, text: str, market_type: str | None = None, sub_type: str | None = None) -> Resolved:
        """The market that `text` means.

        Args:
            text: a unified symbol, an id of the venue, or a pair in any common form and case.
            market_type: preferred where `text` fits several: `spot`, `swap`, `future`, `option`; `margin` means spot.
            sub_type: preferred among derivatives: `linear` or `inverse`.

        Raises:
            BadSymbol: nothing fits, or several markets do; the hint names them.
        """
        row = self._rows.get(text)
        if row is None:
            wanted = "spot" if market_type == "margin" else market_type
            row = self._find(text, wanted, sub_type)
        listing = self._listing
        return Resolved(listing.symbols[row], listing.types[row], listing.active[row])

    def _find(self, text: str, market_type: str | None, sub_type: str | None) -> int:
        named, paired = self._named(text), self._pairs.get(_key(text), [])
        types = self._listing.types
        if market_type is None:
            # without a settlement currency a pair is a spot pair, as in the unified notation
            found = _unique([*named, *(row for row in paired if types[row] == "spot")])
        else:
            found = [row for row in _unique([*named, *paired]) if self._fits(row, market_type, sub_type)]
            # a name that could as well be a pair never leads to another market type than the preferred one
            found = found or [row for row in named if _squeezed(text) != "".join(self._pair(row))]
        if len(found) > 1 and len({types[row] for row in found}) == 1:
            found = [row for row in found if self._listing.active[row] is not False] or found
        if len(found) == 1:
            return found[0]
        raise self._ambiguous(text, found) if found else self._unknown(text, paired, market_type, sub_type)

    def _fits(self, row: int, market_type: str, sub_type: str | None) -> bool:
        """Whether a market is of the preferred kind. Linear and inverse contracts count amounts in other units, so the
        one is never taken for the other."""
        if self._listing.types[row] != market_type:
            return False
        return sub_type is None or market_type == "spot" or self._listing.sub_types[row] == sub_type

    def _pair(self, row: int) -> Sequence[str]:
        return _words(self._listing.symbols[row])[:2]

    def _named(self, text: str) -> list[int]:
        """The rows that `text` names in full: as an id, as another name of the venue, as a symbol in another form."""
        rows = self._listing.by_id.get(text)
        if rows is None and text in self._listing.other_names:
            rows = [self._listing.other_names[text]]
        return self._in_symbols(rows) if rows else self._names.get(_key(text), [])

    def _in_symbols(self, rows: Iterable[int]) -> list[int]:
        """Rows as those of their symbols, since a symbol is what is given back."""
        return _unique(self._rows.get(self._listing.symbols[row], row) for row in rows)

    @cached_property
    def _names(self) -> dict[object, list[int]]:
        """Every form of a full name, in capitals -> rows. A pair with its separator is no full name: `BTC/USDT` is not
        the swap of the id `BTC_USDT`."""
        forms: dict[object, list[int]] = {}
        for symbol, row in self._rows.items():
            words = _words(symbol)
            if len(words) > 2:
                _add(forms, words, row)
        for name, rows in self._listing.by_id.items():
            for row in self._in_symbols(rows):
                words = _words(name)
                _add(forms, ("".join(words),) if words == self._pair(row) else words, row)
        for name, row in self._listing.other_names.items():
            _add(forms, _words(name), row)
        return forms

    @cached_property
    def _pairs(self) -> dict[object, list[int]]:
        """Every form of a pair, in capitals -> rows."""
        forms: dict[object, list[int]] = {}
        for row in self._rows.values():
            _add(forms, self._pair(row), row)
        return forms

    def _ambiguous(self, text: str, rows: list[int]) -> BadSymbol:
        return BadSymbol(
            f"symbol {text!r} may be any of {len(rows)} markets",
            exchange=self._exchange,
            outcome=Outcome.NOT_SENT,
            hint=f"write the unified symbol: {self._list(rows)}",
        )

    def _unknown(self, text: str, paired: Sequence[int], market_type: str | None, sub_type: str | None) -> BadSymbol:
        elsewhere = paired or self._pairs.get(_words(text)[:2], [])
        kind = ""
        if elsewhere:
            kind = " ".join(["", *filter(None, (sub_type, market_type or ("spot" if paired else None)))])
            hint = f"this exchange has {self._list(elsewhere)}"
        else:
            near = self._nearest(text)
            hint = f"did you mean {near}?" if near else f"it lists {self._listing.listed} markets; see fetch_markets()"
        return BadSymbol(
            f"there is no{kind} market {text[:_LONGEST]!r}",
            exchange=self._exchange,
            outcome=Outcome.NOT_SENT,
            hint=hint,
        )

    def _nearest(self, text: str) -> str | None:
        """The symbol that was probably meant; sought among those with the same quote, base or first letter."""
        if len(text) > _LONGEST:
            return None
        words = _words(text)
        if len(words) == 1:
            pairs: dict[str, str] = {}
            for symbol, row in self._rows.items():
                pair = "".join(self._pair(row))
                if pair[:1] == words[0][:1]:
                    pairs.setdefault(pair, symbol)
            return _nearest_of(words[0], pairs)
        parts = {symbol: _words(symbol) for symbol in self._rows}
        base, rest = words[0], words[1:]
        same_rest = {part[0]: symbol for symbol, part in parts.items() if part[1:] == rest}
        same_base = {"/".join(part[1:]): symbol for symbol, part in parts.items() if part[0] == base}
        return _nearest_of(base, same_rest) or _nearest_of("/".join(rest), same_base)

    def _list(self, rows: Sequence[int]) -> str:
        symbols, types, active = self._listing.symbols, self._listing.types, self._listing.active
        shown = [
            f"{symbols[row]} ({types[row]}{', inactive' if active[row] is False else ''})" for row in rows[:_SHOWN]
        ]
        more = f" and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else ""
        return ", ".join(shown) + more


def _words(text: str) -> Sequence[str]:
    return tuple(_SEPARATORS.split(text.upper()))


def _squeezed(text: str) -> str:
    return "".join(_words(text.strip()))


def _key(text: str) -> object:
    """What a text is looked up by: its words, since separators must stand in the right places; or the only word."""
    words = _words(text.strip())
    return words if len(words) > 1 else words[0]


def _add(forms: dict[object, list[int]], words: Sequence[str], row: int) -> None:
    """Enter a form with its separators, if it has any, and without."""
    for key in (words, "".join(words)) if len(words) > 1 else words:
        rows = forms.setdefault(key, [])
        if row not in rows:
            rows.append(row)


def _unique(rows: Iterable[int]) -> list[int]:
    return list(dict.fromkeys(rows))


def _nearest_of(word: str, symbols: Mapping[str, str]) -> str | None:
    found = nearest(word, symbols)
    return symbols[found] if found else None
