"""Checks of the way to the exchange: host, DNS, TLS, proxy, clock, public call, latency, budget.

The first call goes the way of every other call: through the same guard, budget, proxy and certificates. How far it came
says which of host, DNS, TLS and proxy stops it.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

import planar.runtime as runtime
from planar.doctor.patient import Patient, Sample
from planar.doctor.remedies import Stage, described, remedy, stage_of
from planar.doctor.report import Verdict, fail, ok, skip, warn
from planar.errors import MissingCredentials, PlanarError, RequestTimeout
from planar.exchange import Exchange
from planar.transport.proxies import Proxy

SAMPLES: Final = 3
"""Questions for the venue's clock."""
CALLS: Final = 5
"""Calls that the latency is taken from, where the budget has room for them."""
OFFSET_MS: Final = 250
"""From here on a clock is called wrong: a synchronised one keeps within a few milliseconds."""
SLOW_MS: Final = 1_000
NEARLY_ALL: Final = 0.8
"""Part of a limit from which on little room is left."""
PROXY_VARIABLES: Final = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")
LOCAL_DOOR: Final = "the local exchange is reached through a socket of this machine"


async def host(patient: Patient) -> Verdict:
    """Whether the host that calls go to is one of the environment, and takes connections."""
    exchange = patient.exchange
    if exchange is None:
        if patient.refusal is None or isinstance(patient.refusal, MissingCredentials):
            return skip(f"{patient.name} could not be opened")
        return fail(described(patient.refusal), remedy(patient.refusal))
    try:
        await _first_call(patient)
    except PlanarError as error:
        patient.first_error = error
        if (stage := _stage(patient)) == "guard":
            return fail(error.message, error.hint)
        if stage == "connect" and (not isinstance(error, RequestTimeout) or await _has_name(exchange)):
            return fail(
                f"{exchange.host} takes no connection: {described(error)}",
                'look at the network, a firewall, and whether this network needs a proxy; environment = "local" works '
                "without any network",
            )
    return ok(f"{exchange.host}, a host of {exchange.environment}")


async def _has_name(exchange: Exchange) -> bool:
    """Whether the host's name can be resolved soon. Where it cannot, that is what took the time of a call."""
    try:
        async with asyncio.timeout(exchange.settings.timeout_ms / 2_000):
            await asyncio.get_running_loop().getaddrinfo(exchange.host, 443, type=socket.SOCK_STREAM)
    except OSError:
        return False
    return True


async def _first_call(patient: Patient) -> None:
    if patient.opened.has.get("fetch_time"):
        await _ask_clock(patient)
    else:
        await patient.opened.load_markets(reload=True)


async def _ask_clock(patient: Patient) -> None:
    sent_ms = runtime.wall_ns() / 1e6
    venue_ms = await patient.opened.fetch_time()
    patient.samples.append(Sample(sent_ms, runtime.wall_ns() / 1e6, venue_ms))


def _stage(patient: Patient) -> Stage:
    error = patient.first_error
    if error is None:
        return "answer"
    return stage_of(error, proxied=_proxy(patient) is not None)


def _proxy(patient: Patient) -> Proxy | None:
    """The proxy that calls go through."""
    settings = patient.opened.settings
    if settings.proxy is None:
        return None
    way = Proxy(settings.proxy, settings.no_proxy)
    return way if way.leads_to(patient.opened.host) else None


async def dns(patient: Patient) -> Verdict:
    """Whether the host's name can be resolved here."""
    exchange = patient.opened
    if exchange.environment == "local":
        return skip(LOCAL_DOOR)
    way = _proxy(patient)
    if way is not None and way.remote_dns:
        return skip("the proxy resolves the name")
    loop = asyncio.get_running_loop()
    began = runtime.monotonic()
    try:
        found = await loop.getaddrinfo(exchange.host, 443, type=socket.SOCK_STREAM)
    except OSError as error:
        return fail(
            f"{exchange.host} cannot be resolved: {error.strerror}",
            'look at the network and its name servers; behind a proxy write proxy = "http://..." in '
            f'[{exchange.id}], environment = "local" works without any network',
        )
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    return ok(f"{', '.join(addresses[:4])} in {(runtime.monotonic() - began) * 1000:.0f} ms")


async def tls(patient: Patient) -> Verdict:
    """Whether the host's certificate is accepted."""
    exchange, stage = patient.opened, _stage(patient)
    if exchange.environment == "local":
        return skip(LOCAL_DOOR)
    if stage == "tls":
        cause = patient.first_error.__cause__ if patient.first_error is not None else None
        return fail(
            f"TLS with {exchange.host} failed: {cause}",
            "something on the way (a proxy, a virus scanner, a login page) may answer in the exchange's place; never "
            "set verify_ssl = false for a key that counts",
        )
    if stage != "answer":
        return skip("no connection came so far")
    if not exchange.settings.verify_ssl:
        return warn(
            "certificates are not checked, so anybody on the way can read and change everything",
            f"remove verify_ssl = false from [{exchange.id}]",
        )
    return ok(f"the certificate of {exchange.host} is accepted")


async def proxy(patient: Patient) -> Verdict:
    """Whether the proxy takes connections and lets them through; whether one was meant."""
    exchange = patient.opened
    if exchange.environment == "local":
        return skip(LOCAL_DOOR)
    if exchange.settings.proxy is None:
        meant = [name for name in PROXY_VARIABLES if os.environ.get(name)]
        if meant and _stage(patient) != "answer":
            return warn(f"{meant[0]} is set, and Planar does not read it", f'write proxy = "..." into [{exchange.id}]')
        return ok("none")
    way = _proxy(patient)
    if way is None:
        return ok(f"none for {exchange.host} (no_proxy)")
    name = way.label
    if _stage(patient) == "proxy" and patient.first_error is not None:
        return fail(
            f"{name}: {described(patient.first_error)}",
            f"correct proxy in [{exchange.id}]; see whether the proxy runs, and lets {exchange.host} through",
        )
    if _stage(patient) == "silence":
        return warn(f"{name}: it takes connections, and nothing comes back", "ask who runs the proxy, or do without")
    return ok(name)


async def clock(patient: Patient) -> Verdict:
    """How far this machine's clock is from the venue's."""
    if not patient.opened.has.get("fetch_time"):
        return skip("the exchange does not tell its time")
    if not patient.samples:
        return skip("the first call was not answered")
    while len(patient.samples) < SAMPLES:
        await _ask_clock(patient)
    patient.took_ms += [sample.received_ms - sample.sent_ms for sample in patient.samples[1:]]
    least_ms, most_ms = offset_bounds(patient.samples)
    off_ms = max(least_ms, -most_ms, 0.0)
    middle_ms, error_ms = (least_ms + most_ms) / 2, (most_ms - least_ms) / 2
    text = f"the exchange's clock is {middle_ms:+.0f} ms (give or take {abs(error_ms):.0f}) from this machine's"
    if off_ms < OFFSET_MS:
        return ok(text)
    return warn(
        f"{text}: Planar signs by the exchange's clock, other programs and the logs do not",
        "synchronise this machine's clock (NTP): timedatectl set-ntp true, or chronyd",
    )


def offset_bounds(samples: list[Sample]) -> tuple[float, float]:
    """The least and the most that the venue's clock may be ahead of this machine's, in ms.

    The venue read its clock some time between sending and receiving. One that tells whole seconds has cut the rest off.
    """
    cut_ms = 1_000 if all(sample.venue_ms % 1_000 == 0 for sample in samples) else 1
    least = max(sample.venue_ms - sample.received_ms for sample in samples)
    most = min(sample.venue_ms + cut_ms - sample.sent_ms for sample in samples)
    return least, most


async def public(patient: Patient) -> Verdict:
    """Whether the markets can be loaded, from the venue and not from a cache."""
    exchange = patient.opened
    try:
        if patient.first_error is not None:
            raise patient.first_error
        markets = await exchange.load_markets(reload=True)
    except PlanarError as error:
        return fail(described(error), remedy(error))
    active = sum(market.active is not False for market in markets.values())
    return ok(f"{len(markets)} markets, {active} of them trading")


async def latency(patient: Patient) -> Verdict:
    """How long a public call takes on a connection that stands."""
    exchange = patient.opened
    ask: Callable[[], Awaitable[object]]
    if exchange.has.get("fetch_time"):
        ask = exchange.fetch_time
    elif patient.symbol is not None and exchange.has.get("fetch_ticker"):
        ask = partial(exchange.fetch_ticker, patient.symbol)
    else:
        return skip("the exchange has no small call to measure with", "name a symbol")
    until = runtime.monotonic() + exchange.settings.timeout_ms / 1000
    while len(patient.took_ms) < CALLS and runtime.monotonic() < until and _room(exchange.budget()):
        began = runtime.monotonic()
        await ask()
        patient.took_ms.append((runtime.monotonic() - began) * 1000)
    if not patient.took_ms:
        return skip("the budget has no room for more calls now")
    took = sorted(patient.took_ms)
    text = f"p50 {took[len(took) // 2]:.0f} ms, p90 {took[int(len(took) * 0.9)]:.0f} ms, of {len(took)} calls"
    if took[len(took) // 2] >= SLOW_MS:
        return warn(text, "look at the network, or run nearer to the exchange; a tight timeout will not do")
    return ok(text)


def _room(usage: dict[str, tuple[float, float]]) -> bool:
    return all(limit - used >= 2 for used, limit in usage.values())


async def budget(patient: Patient) -> Verdict:
    """What is used of the venue's limits, by all who share them with this program."""
    exchange = patient.opened
    rows = {name: pair for name, pair in exchange.budget().items() if pair[0] > 0}
    text = ", ".join(f"{name} {used:.0f} of {limit:.0f}" for name, (used, limit) in rows.items()) or "nothing is used"
    error = patient.first_error
    if error is not None and error.retry_after_s:
        return fail(described(error), remedy(error))
    if not exchange.settings.enable_rate_limit:
        return warn(f"{text}; nothing waits for the limits", f"remove enable_rate_limit = false from [{exchange.id}]")
    full = [name for name, (used, limit) in rows.items() if limit >= CALLS * 4 and used >= limit * NEARLY_ALL]
    if full:
        return warn(
            f"{text}: little is left of {', '.join(full)}",
            "ask less often and watch streams; see whether another program uses this address or key",
        )
    return ok(text)
