"""`planar venue market | record | replay | convert`: shaping a running local venue's markets, recordings of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from cyclopts import Parameter
from rich.console import Group
from rich.table import Table

from planar.cli import output
from planar.cli.exits import Interrupted, UsageError
from planar.cli.options import Count, Flag, Json
from planar.cli.session import run
from planar.cli.venue import control, speed_of

if TYPE_CHECKING:
    from planar.venue.engine.specs import SymbolSpec

Venue = Annotated[str | None, Parameter(name="--venue")]
Number = float | None
Speed = Annotated[str, Parameter(name="--speed")]
NO_END_S = 1e9
"""Thirty years."""

_COLUMNS = (
    "market",
    "status",
    ">bid",
    ">ask",
    ">reference",
    ">volatility",
    ">drift",
    ">spread bps",
    ">depth",
    ">trades/s",
    ">basis bps",
    "quiet",
    ">planted",
)


def freeze(*, venue: Venue = None, json: Json = False) -> int:
    """Stop the market: prices and books stand still, a recording too; users' orders still trade.

    Args:
        venue: only this exchange, where several run.
    """
    return _turned(control().market("freeze", venue=venue), json)


def resume(*, venue: Venue = None, json: Json = False) -> int:
    """Let a frozen market run on.

    Args:
        venue: only this exchange, where several run.
    """
    return _turned(control().market("resume", venue=venue), json)


def step(*, ms: Count, venue: Venue = None, json: Json = False) -> int:
    """Let a time pass in a frozen market at once.

    Args:
        ms: how much, in milliseconds.
        venue: only this exchange, where several run.
    """
    return _turned(control().market("step", ms=ms, venue=venue), json)


def show(symbol: str | None = None, /, *, venue: Venue = None, json: Json = False) -> int:
    """Show how the markets behave, what is recorded and what is played.

    Args:
        symbol: only this market.
        venue: only this exchange, where several run.
    """
    from planar.venue.steering.market import ShowMarket

    return _shown(control().command(ShowMarket(symbol=symbol), venue=venue), json)


def shape(
    symbol: str | None = None,
    /,
    *,
    reset: Flag = False,
    volatility: Number = None,
    drift: Number = None,
    spread_bps: Number = None,
    depth: Number = None,
    trade_rate: Number = None,
    basis_bps: Number = None,
    quiet: Annotated[tuple[str, ...], Parameter(negative="")] = (),
    no_quiet: Flag = False,
    listed: str | None = None,
    latency_ms: Number = None,
    jitter_ms: Number = None,
    venue: Venue = None,
    json: Json = False,
) -> int:
    """Shape how markets behave from now on. What is not named stays as it is.

    Args:
        symbol: this market. [default: all]
        reset: first forget what was shaped; the price goes back to the common reference.
        volatility: deviation of the daily change, as a fraction; 0.03 is 3 %.
        drift: gain in a day, as a fraction, besides what the common reference does.
        spread_bps: mean distance between best bid and best ask, in hundredths of a percent.
        depth: mean amount of a level near the top, in the quote asset.
        trade_rate: trades in a second.
        basis_bps: lasting distance from the common reference, in hundredths of a percent.
        quiet: a window of the day, UTC, without trades and with thin books, as 22:00-06:30; may be given again.
        no_quiet: end all such windows.
        listed: day of the listing, UTC, as 2025-03-01; nothing is there before.
        latency_ms: how late answers and frames leave the exchange, whatever the market.
        jitter_ms: how much more or less that may be.
        venue: only this exchange, where several run.
    """
    from planar.venue.steering.market import SetLatency, ShapeMarket, ShowMarket

    fields = {
        "volatility": volatility,
        "drift": drift,
        "spread_bps": spread_bps,
        "depth": depth,
        "trade_rate": trade_rate,
        "basis_bps": basis_bps,
        "quiet": () if no_quiet else quiet or None,
        "listed": listed,
    }
    given = {name: value for name, value in fields.items() if value is not None}
    if not given and not reset and latency_ms is None:
        raise UsageError("there is nothing to shape", hint="planar venue market shape BTC/USDT --spread-bps 5")
    if jitter_ms is not None and latency_ms is None:
        raise UsageError("--jitter-ms belongs to --latency-ms", hint="--latency-ms 80 --jitter-ms 20")
    commands: list[Any] = []
    if given or reset:
        commands.append(_made(ShapeMarket, {"symbol": symbol, "reset": reset, **given}))
    if latency_ms is not None:
        commands.append(_made(SetLatency, {"latency_ms": latency_ms, "jitter_ms": jitter_ms or 0.0}))
    steered = control()
    for command in commands:
        steered.command(command, venue=venue)
    return _shown(steered.command(ShowMarket(symbol=symbol), venue=venue), json)


def shock(
    symbol: str,
    percent: Annotated[float, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    return_ms: int = 0,
    venue: Venue = None,
    json: Json = False,
) -> int:
    """Let the price of a market jump, for good or as a crash that comes back.

    Args:
        symbol: the market.
        percent: size of the jump; -10 is a fall by a tenth.
        return_ms: in what time the price comes back, evenly; 0 if it stays.
        venue: only this exchange, where several run.
    """
    from planar.venue.steering.market import ShockMarket

    command = _made(ShockMarket, {"symbol": symbol, "percent": percent, "return_ms": return_ms})
    return _shown(control().command(command, venue=venue), json)


def plant(
    symbol: str,
    side: Literal["bid", "ask"],
    /,
    *,
    bps: float,
    amount: str,
    for_ms: Count,
    venue: Venue = None,
    json: Json = False,
) -> int:
    """Put up one order that crosses the other exchanges and waits for a user to take it.

    Args:
        symbol: the market.
        side: ask for a cheap offer, bid for a dear demand.
        bps: how far from the common reference, in hundredths of a percent.
        amount: size in the base asset.
        for_ms: how long it stands.
        venue: the exchange, where several run.
    """
    from planar.venue.steering.market import PlantOpportunity

    fields = {"symbol": symbol, "side": side, "bps": bps, "amount": amount, "for_ms": for_ms}
    command = _made(PlantOpportunity, fields)
    found = control().command(command, venue=venue)

    def render() -> str:
        return "\n".join(f"{name}: {one['side']} {one['amount']} at {one['price']}" for name, one in found.items())

    return output.show(found, render, json=json)


def record(
    file: Path,
    /,
    *,
    symbol: Annotated[tuple[str, ...], Parameter(negative="")] = (),
    for_s: Annotated[float | None, Parameter(name="--for")] = None,
    venue: Venue = None,
    json: Json = False,
) -> int:
    """Write what the market of a running venue does into a file, until Ctrl-C.

    Args:
        file: where to; a name that ends in .gz is compressed.
        symbol: only this market; may be given again.
        for_s: end after so many seconds.
        venue: the exchange, where several run.
    """
    import planar.runtime as runtime
    from planar.venue.steering.recordings import StartRecording, StopRecording

    if for_s is not None and not for_s > 0:
        raise UsageError(f"--for {for_s:g} is no duration", hint="seconds, more than 0")
    path = file.absolute()
    found: dict[str, dict[str, Any]] = {}

    async def until_its_end() -> None:
        # these commands block: a signal is heard before the first or in the sleep, so that none leaves a recording on
        control().command(StartRecording(path=str(path), symbols=symbol), venue=venue)
        try:
            if not json:
                output.console().print(f"Recording into {path}; Ctrl-C ends it.")
            await runtime.sleep(for_s or NO_END_S)
        finally:
            found.update(control().command(StopRecording(), venue=venue))

    try:
        run(until_its_end())
    except Interrupted:
        if not found:
            raise
    return output.show(found, lambda: "\n".join(f"{one['entries']} entries" for one in found.values()), json=json)


def replay(
    file: Path | None = None, /, *, speed: Speed = "1", stop: Flag = False, venue: Venue = None, json: Json = False
) -> int:
    """Let a recording make the books and trades of its markets in a running venue.

    `planar venue market freeze` holds it, `step` turns it by hand, `show` tells how far it is.

    Args:
        file: the recording.
        speed: how many times as fast as it was recorded, or max.
        stop: end the one that is playing instead; the market model goes on.
        venue: the exchange, where several run. [default: where it was recorded]
    """
    from planar.venue import recording
    from planar.venue.engine import listing
    from planar.venue.steering.recordings import StartReplay, StopReplay

    if (file is None) != stop:
        raise UsageError("name a recording, or --stop", hint="planar venue replay recording.ndjson.gz --speed 10")
    if file is None:
        found = control().command(StopReplay(), venue=venue)
    else:
        path = file.absolute()
        entries = recording.check(path, {spec.symbol: spec for spec in listing.symbols()})
        home = recording.read_header(path).venue
        where = home if venue is None and home in control().status().venues else venue
        found = control().command(StartReplay(path=str(path), speed=speed_of(speed)), venue=where)
        found = {name: {**one, "entries": entries} for name, one in found.items()}
    return output.show(found, lambda: "\n".join(_played(name, one) for name, one in found.items()), json=json)


def convert(source: Path, target: Path, /, *, symbol: str, json: Json = False) -> int:
    """Make a recording of a CSV file of trades or book snapshots.

    Its first line names the columns ts_ms, side, price, amount. Rows of side buy or sell are trades, rows of side bid or
    ask with the same time are a whole book.

    Args:
        source: the CSV file.
        target: the recording; a name that ends in .gz is compressed.
        symbol: the market; prices and amounts are rounded to its tick and lot.
    """
    from planar.venue import convert as converter

    entries = converter.convert(source, target, _spec(symbol))
    return output.show({"entries": entries, "path": str(target)}, lambda: f"{entries} entries in {target}", json=json)


def _spec(symbol: str) -> SymbolSpec:
    from planar.venue.engine import listing

    specs = {spec.symbol: spec for spec in listing.symbols()}
    if symbol not in specs:
        raise UsageError(f"the local venue has no market '{symbol}'", hint=", ".join(specs))
    return specs[symbol]


def _made(kind: Any, fields: dict[str, Any]) -> Any:
    try:
        return msgspec.convert({"action": kind.__struct_config__.tag, **fields}, kind)
    except msgspec.ValidationError as error:
        from planar.venue.misfits import misfit

        raise UsageError(misfit(error, fields), hint="--help tells what each option takes") from error


def _turned(found: dict[str, Any], json: bool) -> int:
    def render() -> Table:
        return output.facts((name, "frozen" if one["frozen"] else "running") for name, one in found.items())

    return output.show(found, render, json=json)


def _played(name: str, one: dict[str, Any]) -> str:
    total = f" of {one['entries']}" if "entries" in one else ""
    end = f", ended: {one['problem']}" if one["problem"] else ", at its end" if one["done"] else ""
    return f"{name}: {', '.join(one['symbols'])}, {one['played']}{total} entries played{end}"


def _shown(found: dict[str, Any], json: bool) -> int:
    def render() -> Group:
        return Group(*(_markets(name, one) for name, one in found.items()))

    return output.show(found, render, json=json)


def _markets(name: str, one: dict[str, Any]) -> Table:
    parts = [name]
    if one.get("frozen"):
        parts.append("frozen")
    if one.get("latency_ms"):
        parts.append(f"latency {one['latency_ms']:g} ± {one['jitter_ms']:g} ms")
    if one.get("replay"):
        parts.append(_played("replay", one["replay"]))
    if one.get("recording"):
        parts.append(f"recording into {one['recording']['path']}")
    rows = [
        (
            symbol,
            market["status"],
            market["bid"] or output.NONE,
            market["ask"] or output.NONE,
            *(
                output.number(float(f"{market[field]:.8g}"))
                for field in (
                    "reference",
                    "volatility",
                    "drift",
                    "spread_bps",
                    "depth",
                    "trade_rate",
                    "basis_bps",
                )
            ),
            " ".join(market["quiet"]) or output.NONE,
            market["planted"],
        )
        for symbol, market in one["symbols"].items()
    ]
    return output.table(_COLUMNS, rows, title="; ".join(parts), drop=("planted", "quiet", "depth", "drift"))
