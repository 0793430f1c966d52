"""`planar venue up | status | down | ca | keys`: local exchanges on this machine, and how clients reach them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from planar.cli import exits, output
from planar.cli.exits import UsageError
from planar.cli.options import Flag, Json
from planar.cli.session import run
from planar.cli.venue_clients import announce

if TYPE_CHECKING:
    from planar.venue.client import SyncVenueControl
    from planar.venue.registry import VenueRecord

DOWN_S = 10.0
POLL_S = 0.05


def up(
    *,
    port: int | None = None,
    bind: str = "127.0.0.1",
    venues: str | None = None,
    seed: int | None = None,
    activity: Flag = False,
    shape: str | None = None,
    replay: Annotated[tuple[str, ...], Parameter(negative="")] = (),
    speed: str = "1",
    json: Json = False,
) -> int:
    """Run local exchanges in the foreground and say how they are reached. Ctrl-C ends them cleanly.

    Args:
        port: TCP port; 0 takes a free one. [default: port of [venue] in planar.toml, else 0]
        bind: IPv4 address of the port. 0.0.0.0 lets other machines in: they can trade, the control API wants its token.
        venues: exchanges to run, by comma. [default: all that Planar brings]
        seed: decides markets, accounts and their past. [default: seed of [venue] in planar.toml, else 1]
        activity: the seeded accounts trade on their own.
        shape: TOML file that says how the markets behave. [default: shape of [venue] in planar.toml]
        replay: recording that makes the markets of its exchange from the start; may be given again.
        speed: of the recordings: how many times as fast as they were, or max.
    """
    import planar.config
    from planar.adapters.exchange_ids import exchange_ids
    from planar.venue.process import VenueOptions
    from planar.venue.process import run as run_venue
    from planar.venue.wire import known_wires

    defaults = planar.config.load(known_ids=exchange_ids()).venue
    options = VenueOptions(
        venues=tuple(known_wires()) if venues is None else tuple(venues.split(",")),
        port=defaults.port if port is None else port,
        bind=bind,
        seed=defaults.seed if seed is None else seed,
        activity=activity,
        shape=defaults.shape if shape is None else shape,
        replays=replay,
        replay_speed=speed_of(speed),
    )
    run_venue(options, lambda record: announce(record, json=json))
    if not json:
        output.console().print("The local venue has ended.")
    return exits.OK


def status(*, json: Json = False) -> int:
    """Show the venue that runs on this machine; exit code 1 if none does."""
    from planar.venue.client import SyncVenueControl

    record = running()
    found = SyncVenueControl(record).status()
    rows = [
        ("instance", found.instance),
        *(("serves", f"{name}: {', '.join(hosts)}") for name, hosts in found.venues.items()),
        ("proxy", output.NONE if found.port is None else f"http://{record.near}"),
        ("socket", found.socket or output.NONE),
        ("certificate", found.ca or output.NONE),
        ("seed", output.NONE if found.seed is None else str(found.seed)),
        ("running for", f"{(found.now_ms - found.started_ms) / 1000:.0f} s"),
        ("connections", str(found.connections)),
        ("requests", str(found.requests)),
        ("fault rules", str(found.fault_rules)),
    ]
    if found.tls_failures:
        rows.append(("TLS failures", f"{found.tls_failures}, the last: {found.last_tls_failure}"))
    return output.show(found, lambda: output.facts(rows, title="The local venue"), json=json)


def down(*, json: Json = False) -> int:
    """End the venue that runs on this machine."""
    record = running()

    async def end() -> None:
        import planar.runtime as runtime
        from planar.errors import VenueUnavailable
        from planar.venue import registry
        from planar.venue.client import VenueControl

        async with VenueControl(record) as venue:
            await venue.shutdown()
        deadline = runtime.monotonic() + DOWN_S
        while registry.is_alive(record):
            if runtime.monotonic() > deadline:
                raise VenueUnavailable(
                    f"the venue (process {record.pid}) was asked to end and has not in {DOWN_S:.0f} s"
                )
            await runtime.sleep(POLL_S)

    run(end())
    return output.show({"ended": record.pid}, lambda: "The local venue has ended.", json=json)


def keys(*, json: Json = False) -> int:
    """Show the keys of the accounts. They follow from the venue's seed and open nothing anywhere else.

    With --json: an object with the keys of the first account under each exchange's id, fit to be a keys file.
    """
    found: dict[str, dict[str, Any]] = {}
    for one in control().accounts():
        account = {"account": one.account, "apiKey": one.apiKey, "secret": one.secret}
        exchange = found.setdefault(one.exchange, {**account, "accounts": []})
        exchange["accounts"].append({**account, "more": one.more} if one.more else account)

    def render() -> Any:
        rows = [
            (exchange, account["account"], account["apiKey"], account["secret"])
            for exchange, entry in found.items()
            for account in entry["accounts"]
        ]
        return output.table(("exchange", "account", "apiKey", "secret"), rows)

    return output.show(found, render, json=json)


def speed_of(text: str) -> float | None:
    """A speed from the command line; None for `max`.

    Raises:
        UsageError: it is none.
    """
    if text == "max":
        return None
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 1e6:
        raise UsageError(f"--speed {text} is no speed", hint="a number above 0, or max")
    return value


def running() -> VenueRecord:
    """The venue that runs on this machine.

    Raises:
        VenueUnavailable: there is none.
    """
    from planar.errors import VenueUnavailable
    from planar.venue.client import find_running

    found = find_running()
    if found is None:
        raise VenueUnavailable("no local venue is running", hint="start one in another terminal: planar venue up")
    return found


def control() -> SyncVenueControl:
    """The control API of the running venue."""
    from planar.venue.client import SyncVenueControl

    return SyncVenueControl(running())
