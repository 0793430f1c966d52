"""Shape files: how the markets of a local venue are to behave from its start, in TOML.

    [all]                        # every exchange, every market
    volatility = 0.04
    latency_ms = 20

    [all."ETH/USDT"]             # one market of every exchange
    spread_bps = 4

    [kraken]                     # one exchange
    basis_bps = 6
    latency_ms = 80
    jitter_ms = 15

    [kraken."BTC/USDT"]
    quiet = ["22:00-23:30"]
    listed = 2025-03-01

What is more exact wins. The keys are those of the steering commands `ShapeMarket` and `SetLatency`.
"""

from __future__ import annotations

import datetime
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import msgspec

from planar.errors import BadRequest, ConfigError
from planar.venue.steering.market import SetLatency, ShapeMarket
from planar.venue.wire import Wire

EVERYWHERE: Final = "all"
_LATENCY: Final = ("latency_ms", "jitter_ms")

T = TypeVar("T", ShapeMarket, SetLatency)


class Shaping(msgspec.Struct, frozen=True):
    """One command of a shape file.

    Attributes:
        venue: id of the exchange; None for all.
        where: the section, for messages.
    """

    venue: str | None
    where: str
    command: ShapeMarket | SetLatency


def load(path: Path) -> list[Shaping]:
    """The commands of a shape file, the general ones first.

    Raises:
        ConfigError: the file cannot be read, or something in it is wrong.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"the shape file {path} cannot be read: {error.strerror}", hint="see the path") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"the shape file {path} is not TOML: {error}", hint="docs/venue-market.md has one") from error
    sections = sorted(document.items(), key=lambda item: item[0] != EVERYWHERE)
    return [shaping for name, section in sections for shaping in _section(path, name, section)]


def apply(shapings: Sequence[Shaping], wires: Sequence[Wire]) -> None:
    """Shape the markets of these exchanges.

    Raises:
        ConfigError: a section is of an exchange that is not among them, or a market refuses its shape.
    """
    for shaping in shapings:
        chosen = [wire for wire in wires if shaping.venue in (None, wire.id)]
        if not chosen:
            known = ", ".join(wire.id for wire in wires)
            raise ConfigError(f"{shaping.where}: no such exchange runs", hint=f"running: {known}; or [{EVERYWHERE}]")
        for wire in chosen:
            try:
                shaping.command.carry_out(wire.bench())
            except BadRequest as error:
                raise ConfigError(f"{shaping.where}: {error.message}", hint=error.hint) from error


def _section(path: Path, name: str, section: object) -> Iterator[Shaping]:
    venue = None if name == EVERYWHERE else name
    keys = _table(path, name, section)
    markets = {key: value for key, value in keys.items() if "/" in key}
    general = {key: value for key, value in keys.items() if key not in markets}
    latency = {key: general.pop(key) for key in _LATENCY if key in general}
    where = f"{path} [{name}]"
    if latency:
        yield Shaping(venue, where, _command(where, latency, SetLatency))
    if general:
        yield Shaping(venue, where, _command(where, general, ShapeMarket))
    for symbol, value in markets.items():
        where = f'{path} [{name}."{symbol}"]'
        yield Shaping(venue, where, _command(where, {"symbol": symbol, **_table(path, symbol, value)}, ShapeMarket))


def _table(path: Path, name: str, section: object) -> Mapping[str, Any]:
    if not isinstance(section, dict):
        raise ConfigError(f"the shape file {path} has `{name}` outside a section", hint=f"put it into [{EVERYWHERE}]")
    return cast("dict[str, Any]", section)


def _command(where: str, values: Mapping[str, Any], kind: type[T]) -> T:
    plain = {key: str(value) if isinstance(value, datetime.date) else value for key, value in values.items()}
    try:
        return msgspec.convert({"action": str(kind.__struct_config__.tag), **plain}, kind)
    except msgspec.ValidationError as error:
        known = [name for name in kind.__struct_fields__ if name != "symbol"]
        raise ConfigError(f"{where}: {error}", hint=f"keys: {', '.join(known)}") from error
