"""The commands that record the market of an exchange into a file, and play a recording into its books."""

from __future__ import annotations

from itertools import chain, islice
from pathlib import Path
from typing import Annotated, Any, Final

from msgspec import Meta

from planar.errors import BadRequest
from planar.venue import recording
from planar.venue.engine.player import Player
from planar.venue.steering.bench import Bench, SteeringCommand

_CHECKED_AT_ONCE: Final = 10_000
"""Entries of a recording that are checked before it is accepted; a wrong one further on ends it."""


class StartRecording(SteeringCommand, frozen=True, kw_only=True):
    """Write what the market does into a file, until it is stopped: books and trades, without the orders of users.

    Attributes:
        path: absolute path of the file; one that ends in `.gz` is compressed. An existing file is refused.
        symbols: unified symbols; none for all.
    """

    path: str
    symbols: tuple[str, ...] = ()

    def carry_out(self, bench: Bench) -> dict[str, Any]:
        """Begin it."""
        if bench.model.recorder is not None:
            raise BadRequest(f"{bench.venue} is being recorded into {bench.model.recorder.path}", hint="stop it first")
        symbols = [bench.symbol(symbol) for symbol in self.symbols] or list(bench.exchange.symbols)
        path = _absolute(self.path)
        if path.exists():
            raise BadRequest(f"{path} exists", hint="name another file")
        bench.model.recorder = recording.Recorder(bench.exchange, path, symbols, bench.venue)
        return {"path": str(path), "symbols": symbols}


class StopRecording(SteeringCommand, frozen=True, kw_only=True):
    """End the recording; the file is complete then."""

    def carry_out(self, bench: Bench) -> dict[str, Any]:
        """End it; how many entries there are."""
        recorder = bench.model.recorder
        if recorder is None:
            raise BadRequest(f"{bench.venue} is not being recorded", hint="planar venue record FILE")
        bench.model.end_recording()
        return {"path": str(recorder.path), "entries": recorder.written}


class StartReplay(SteeringCommand, frozen=True, kw_only=True):
    """Let a recording make the books and trades of its symbols. Users' orders trade with them as with any others.

    Freezing and stepping the market holds and turns the recording too. At its end the books stay as they are.

    Attributes:
        path: absolute path of the file.
        speed: how many times as fast as it was recorded; None for as fast as it goes.
    """

    path: str
    speed: Annotated[float, Meta(gt=0, le=1e6)] | None = 1.0

    def carry_out(self, bench: Bench) -> dict[str, Any]:
        """Begin it, in place of one that is playing."""
        path = _absolute(self.path)
        symbols = recording.read_header(path).symbols
        entries = recording.read(path, bench.exchange.symbols)
        first = list(islice(entries, _CHECKED_AT_ONCE))
        if not first:
            raise BadRequest(f"{path} has no entries", hint="a recording has books or trades after its header")
        player = Player(bench.exchange.core, chain(first, entries), symbols, speed=self.speed)
        bench.model.play(player)
        return player.state()


class StopReplay(SteeringCommand, frozen=True, kw_only=True):
    """End the recording that is playing: the market model goes on from its last prices."""

    def carry_out(self, bench: Bench) -> dict[str, Any]:
        """End it; how far it came."""
        player = bench.model.player
        if player is None:
            raise BadRequest(f"no recording is playing on {bench.venue}", hint="planar venue replay FILE")
        bench.model.stop_playing()
        return player.state()


def _absolute(path: str) -> Path:
    found = Path(path)
    if not found.is_absolute():
        raise BadRequest(f"path = '{path}' is not absolute", hint="the venue does not know where you stand")
    return found
