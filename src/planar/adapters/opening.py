"""Opening an adapter: from settings to an adapter that can reach its environment and nothing else."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any, cast

import msgspec

from planar.adapters import lazy_ccxt
from planar.adapters.base import Adapter
from planar.adapters.ccxt_adapter import CcxtAdapter
from planar.adapters.ccxt_seam import CcxtExchange, SeamWiring, create
from planar.adapters.ccxt_warm import PART
from planar.adapters.checked import checked
from planar.adapters.custom import CustomAdapter
from planar.adapters.custom_opening import open_custom
from planar.adapters.market_cache import MarketCache
from planar.adapters.profile import Profile, hosts_of
from planar.adapters.registry import custom_class
from planar.adapters.socket_entry import SocketEntry
from planar.adapters.subtypes import adapter_class, describe, profile_of
from planar.config.schema import OrderEntry
from planar.config.secret_type import Secret
from planar.errors import ConfigError, NotSupported
from planar.transport.addresses import USUAL, Way, way_out
from planar.transport.budget import Budget
from planar.transport.dialer import Dialer, Route
from planar.transport.guard import HostRules
from planar.transport.lanes import NonceLanes
from planar.transport.meters import MeterSpec
from planar.transport.observe import Observatory
from planar.transport.pool import MeterPool
from planar.transport.writes import Trail

log = logging.getLogger("planar")


class OpeningRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What is needed to open one (exchange, environment, account).

    Attributes:
        exchange: CCXT's id.
        environment: "live", "sandbox", "demo" or "local".
        credentials: CCXT's names to values; empty for public use.
        fingerprint: names the key in meters and journals without telling it.
        timeout_ms: of one call.
        futures: True makes linear derivatives the default, False leaves them out.
        pacing: False sends without waiting for the budget.
        spacing_ms: extra pause between requests.
        proxy, no_proxy, verify_ssl, ca_file, source_address: as in the settings.
        unix_socket: the local venue's, in the local environment.
        instance: of the local venue: each run of it has limits of its own.
        allow_unjournaled, order_entry: as in the settings.
        ccxt: passed to CCXT's constructor.
    """

    exchange: str
    environment: str
    credentials: Mapping[str, str]
    fingerprint: str
    timeout_ms: int
    futures: bool | None = None
    pacing: bool = True
    spacing_ms: int = 0
    proxy: Secret | None = None
    no_proxy: tuple[str, ...] = ()
    verify_ssl: bool = True
    ca_file: str | None = None
    source_address: str | None = None
    unix_socket: str | None = None
    instance: str = ""
    allow_unjournaled: bool = False
    order_entry: OrderEntry = "auto"
    ccxt: Mapping[str, Any] = {}

    def for_another_process(self) -> dict[str, Any]:
        """Its fields, secrets revealed: for a private pipe, and nothing else."""
        fields = msgspec.structs.asdict(self)
        return fields | {"proxy": None if self.proxy is None else self.proxy.reveal()}

    def __repr__(self) -> str:
        return f"OpeningRequest(exchange={self.exchange!r}, environment={self.environment!r})"


def open_adapter(
    request: OpeningRequest,
    dialer: Dialer,
    meters: MeterPool,
    markets: MarketCache,
    observatory: Observatory | None = None,
    lanes: NonceLanes | None = None,
    trail: Trail | None = None,
) -> Adapter:
    """Make the adapter. Nothing is sent.

    Args:
        observatory: watches its requests with those of others; None: they are watched alone.
        lanes: of all keys; None: nobody else uses its key.
        trail: is told of requests that change something; None: nobody is.

    Raises:
        NotSupported: CCXT has no such exchange, or the exchange no such environment.
        ConfigError: `[<id>.ccxt]` holds what Planar does not allow.
    """
    custom = custom_class(request.exchange)
    if custom is not None and issubclass(custom, CustomAdapter):
        return open_custom(custom, request, dialer, meters, observatory or Observatory(), trail)
    lazy_ccxt.install()
    profile = profile_of(request.exchange)
    rules = host_rules(profile, request.environment)
    route = Route(
        exchange=request.exchange,
        environment=request.environment,
        rules=rules,
        unix_socket=request.unix_socket,
        proxy=request.proxy,
        no_proxy=request.no_proxy,
        verify_ssl=request.verify_ssl,
        ca_file=request.ca_file,
        source_address=request.source_address,
        reuse_s=profile.reuse_s,
    )
    if not profile.meters:
        profile = msgspec.structs.replace(profile, meters=(derived_meter(request.exchange),))
    if request.spacing_ms:
        warn_of_spacing(request, profile.meters[0])
    budget = Budget(
        meters,
        request.exchange,
        request.environment,
        request.fingerprint,
        profile.meters,
        pacing=request.pacing,
        spacing_ms=request.spacing_ms,
        instance=request.instance,
        way=_way(request),
    )
    monitor = (observatory or Observatory()).monitor(request.exchange, request.environment, request.instance)
    if request.environment != "local":  # there both clocks are this machine's
        budget.follow(monitor.clock)
    lane = None
    if profile.nonce_sections:
        names = (request.exchange, request.environment, request.instance, request.fingerprint)
        lane = (lanes or NonceLanes()).lane("-".join(name for name in names if name))
    wiring = SeamWiring(
        profile, dialer.session(route), budget, request.environment, monitor, lane, request.allow_unjournaled
    )
    wiring.trail = trail
    wiring.entry, wiring.entry_always = _entry(request, profile), request.order_entry == "websocket"
    if request.unix_socket is None:  # which is opened at once
        wiring.warm_every_s = profile.reuse_s * PART
    exchange = create(request.exchange, _ccxt_config(request, profile), wiring)
    _switch_environment(exchange, request.environment)
    return checked(adapter_class(request.exchange), CcxtAdapter)(exchange, profile, markets, request.environment)


def _entry(request: OpeningRequest, profile: Profile) -> SocketEntry | None:
    """The socket that orders may go over, or None.

    "auto" has it where REST makes signed requests queue: one that would wait goes over the socket. Elsewhere REST is no
    slower, and leaves no more than one order unknown when a connection breaks.

    Raises:
        ConfigError: one is asked for, and there is none.
    """
    if request.order_entry == "websocket" and profile.entry is None:
        raise ConfigError(
            'order_entry = "websocket" is not offered: this exchange has no socket for orders here',
            exchange=profile.id,
            hint=f'write order_entry = "auto" or "rest" in [{profile.id}]',
        )
    queues = request.order_entry == "auto" and profile.nonce_sections
    return profile.entry if queues or request.order_entry == "websocket" else None


def _way(request: OpeningRequest) -> Way:
    """How requests leave. Those to a local venue all leave this machine as one."""
    if request.unix_socket is not None or (request.proxy is None and request.source_address is None):
        return USUAL
    description = describe(request.exchange)
    hosts = hosts_of(description["urls"].get("api"), description.get("hostname"), ("http", "https"))
    return way_out(hosts[0] if hosts else "", request.proxy, request.no_proxy, request.source_address)


def _ccxt_config(request: OpeningRequest, profile: Profile) -> dict[str, Any]:
    config: dict[str, Any] = {
        "enableRateLimit": False,  # the budget paces; CCXT's limiter would pace again
        "timeout": request.timeout_ms,
        "has": {"fetchCurrencies": False},  # needs a key on some venues; markets come without it
        "options": {},
    }
    if profile.market_types:
        types = profile.market_types[:1] if request.futures is False else profile.market_types
        config["options"]["fetchMarkets"] = {"types": list(types)}
    if request.futures:
        config["options"]["defaultType"] = profile.derivative_type
        config["options"]["defaultSubType"] = "linear"
    return _merged(_merged(_merged(config, profile.ccxt), request.ccxt), request.credentials)


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        if isinstance(value, Mapping) and isinstance(below, Mapping):
            merged[key] = _merged(cast("Mapping[str, Any]", below), cast("Mapping[str, Any]", value))
        else:
            merged[key] = value
    return merged


def derived_meter(exchange_id: str) -> MeterSpec:
    """CCXT's one limit as a sliding window: its rolling window where it has one, else what ten seconds allow."""
    description = describe(exchange_id)
    pace_ms = float(description.get("rateLimit") or 1000)
    window_ms = int(description.get("rollingWindowSize") or 0) or 10_000
    return MeterSpec("calls", max(1.0, window_ms / pace_ms), window_ms)


def warn_of_spacing(request: OpeningRequest, meter: MeterSpec) -> None:
    """A hand-set `rateLimit` either slows what the venue allows, or asks for more than it allows."""
    if meter.decay_per_s is not None:
        pace_ms, allowed = 1000 / meter.decay_per_s, f"{meter.decay_per_s:g} {meter.name} a second"
    else:
        pace_ms = meter.window_ms / meter.limit
        allowed = f"{meter.limit:g} {meter.name} in {meter.window_ms / 1000:g} s"
    if request.spacing_ms > pace_ms:
        text = f"it allows {1000 / request.spacing_ms:.3g} requests a second, the venue {allowed}"
    else:
        text = f"the venue allows {allowed}, and that is kept whatever rateLimit says"
    log.warning("%s: rateLimit = %d is not needed: %s", request.exchange, request.spacing_ms, text)


def host_rules(profile: Profile, environment: str) -> HostRules:
    """The hosts that an environment may reach: those of the venue's table, else those of CCXT's urls.

    Raises:
        NotSupported: there is no such environment.
    """
    return profile.hosts.get(environment) or _derived_hosts(profile, environment)


def _derived_hosts(profile: Profile, environment: str) -> HostRules:
    """The hosts of an environment that no table of the venue names, from CCXT's urls."""
    description = describe(profile.id)
    urls, hostname = description["urls"], description.get("hostname")
    live = hosts_of(urls.get("api"), hostname)
    tests = {"sandbox": urls.get("test"), "demo": urls.get("demo") or urls.get("demotrading")}
    if environment in ("live", "local"):
        other = [host for table in tests.values() for host in hosts_of(table, hostname) if host not in live]
        return HostRules(hosts=(*live, *_own_domains(live)), denied=tuple(other), ports=_ports(urls.get("api")))
    table = tests[environment]
    found = [host for host in hosts_of(table, hostname) if host not in live]
    if not any(host not in live for host in hosts_of(table, hostname, schemes=("http", "https"))):
        shared = (
            ": its requests go to the live hosts, and Planar knows no marker that tells them apart" if table else ""
        )
        raise NotSupported(
            f"there is no {environment} environment{shared}",
            exchange=profile.id,
            hint='use environment = "local" where Planar has a local venue for it, or "live" with small amounts',
        )
    return HostRules(hosts=tuple(found), ports=_ports(table))


def _ports(urls: Any) -> tuple[int, ...]:
    """443, and the ports that CCXT's nested url tables name."""
    named = re.findall(r"://[^/'\"]+?:(\d+)", str(urls))
    return tuple(dict.fromkeys([443, *map(int, named)]))


def _own_domains(hosts: list[str]) -> list[str]:
    """The venue's own domains: some hand out their WebSocket host in an answer."""
    found: dict[str, None] = {}
    for host in hosts:
        labels = host.split(".")
        keep = 3 if len(labels) > 2 and labels[-2] in ("co", "com", "net", "org") else 2
        if len(labels) >= keep:
            found["." + ".".join(labels[-keep:])] = None
    return list(found)


def _switch_environment(exchange: CcxtExchange, environment: str) -> None:
    if environment == "sandbox":
        exchange.set_sandbox_mode(True)
    elif environment == "demo":
        exchange.enable_demo_trading(True)
