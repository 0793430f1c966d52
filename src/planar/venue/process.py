"""The local venue as a process of its own: options, registry, readiness, and a clean end.

`planar venue up` and `python -m planar.venue` run this. The process ends on SIGINT, SIGTERM, the control API's shutdown
and, with `die_with_parent`, when the pipe on its standard input closes.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from planar.errors import BadRequest, ConfigError, VenueUnavailable
from planar.venue import recording, registry, shapes
from planar.venue.ca import Authority
from planar.venue.doors import LOOPBACK
from planar.venue.registry import VenueRecord
from planar.venue.server import VenueServer
from planar.venue.steering.recordings import StartReplay
from planar.venue.wire import Wire, load_wire


class VenueOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What a venue process is asked for.

    Attributes:
        venues: ids of exchanges, or `module:function` of wires outside Planar.
        port: TCP port; 0 takes a free one.
        bind: the IPv4 address that the port is on; 0.0.0.0 lets other machines in.
        seed: decides the markets, the accounts and their past.
        activity: seeded accounts trade on their own.
        socket: path of the Unix socket; None puts it into the state directory.
        die_with_parent: end when standard input closes.
        registry: make the venue known to others on this machine; there can be one such per state directory.
        shape: path of a file that says how the markets behave (`planar.venue.shapes`).
        replays: paths of recordings to play from the start, each on the exchange that its header names.
        replay_speed: how many times as fast as they were recorded; None for as fast as it goes.
    """

    venues: tuple[str, ...]
    port: int = 0
    bind: str = LOOPBACK
    seed: int = 1
    activity: bool = False
    socket: str | None = None
    die_with_parent: bool = False
    registry: bool = True
    shape: str | None = None
    replays: tuple[str, ...] = ()
    replay_speed: float | None = 1.0


def run(options: VenueOptions, announce: Callable[[VenueRecord], None]) -> None:
    """Run a venue until it is asked to end. `announce` is called when it is ready.

    Raises:
        ConfigError: the options ask for what there is not.
        VenueUnavailable: it cannot start.
    """
    with contextlib.suppress(KeyboardInterrupt):  # before the signal handlers stood
        asyncio.run(_serve(options, announce))


async def _serve(options: VenueOptions, announce: Callable[[VenueRecord], None]) -> None:
    state = registry.state_dir()
    if options.registry:
        _refuse_second(registry.read(state))
    wires = [load_wire(name, seed=options.seed, activity=options.activity) for name in options.venues]
    _set_up(wires, options)
    server = VenueServer(wires, seed=options.seed)
    _end_on_request(server, die_with_parent=options.die_with_parent)
    record = await server.start(
        port=options.port,
        address=options.bind,
        authority=Authority.ensure(registry.venue_dir(state)),
        unix_path=options.socket or registry.socket_path(state),
    )
    async with contextlib.AsyncExitStack() as ending:
        ending.push_async_callback(server.stop)
        if options.registry:
            registry.write(state, record)
            ending.callback(registry.remove, state, record)
        announce(record)
        await server.until_shutdown()


def _set_up(wires: Sequence[Wire], options: VenueOptions) -> None:
    """Shape the markets and begin the recordings."""
    if options.shape is not None:
        shapes.apply(shapes.load(Path(options.shape)), wires)
    for name in options.replays:
        path = Path(name).absolute()
        try:
            venue = recording.read_header(path).venue
            chosen = wires if len(wires) == 1 else [wire for wire in wires if wire.id == venue]
            if not chosen:
                hint = f"running: {', '.join(wire.id for wire in wires)}"
                raise ConfigError(f"{path} was recorded at {venue}, which does not run here", hint=hint)
            recording.check(path, chosen[0].bench().exchange.symbols)
            StartReplay(path=str(path), speed=options.replay_speed).carry_out(chosen[0].bench())
        except BadRequest as error:
            raise ConfigError(error.message, hint=error.hint) from error


def _refuse_second(record: VenueRecord | None) -> None:
    if record is not None and registry.is_alive(record):
        raise VenueUnavailable(
            f"a local venue is running already (process {record.pid}, port {record.port}, {', '.join(record.venues)})",
            hint="use it, end it, or set PLANAR_STATE to another directory",
        )


def _end_on_request(server: VenueServer, *, die_with_parent: bool) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, server.request_shutdown)
    if not die_with_parent:
        return
    pipe = sys.stdin.fileno()

    def on_input() -> None:
        if not os.read(pipe, 4096):
            loop.remove_reader(pipe)
            server.request_shutdown()

    try:
        loop.add_reader(pipe, on_input)
    except OSError as error:  # a regular file cannot be waited for
        raise ConfigError(
            "--die-with-parent needs a pipe on standard input", hint="start the venue with stdin=PIPE"
        ) from error
