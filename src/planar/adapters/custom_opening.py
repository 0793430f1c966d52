"""Opening a custom adapter: its session, budget and monitor are those that every other exchange gets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from planar.adapters.checked import checked
from planar.adapters.custom import CustomAdapter, CustomWiring
from planar.adapters.custom_http import CustomHttp, Judge, Signer, rules_of
from planar.config.secret_type import Secret
from planar.errors import NotSupported, Outcome
from planar.transport.addresses import USUAL, way_out
from planar.transport.budget import Budget
from planar.transport.dialer import Dialer, Route
from planar.transport.observe import Observatory
from planar.transport.pool import MeterPool
from planar.transport.writes import Trail


class Opening(Protocol):
    """What is read of an `OpeningRequest`."""

    @property
    def exchange(self) -> str: ...
    @property
    def environment(self) -> str: ...
    @property
    def credentials(self) -> Mapping[str, str]: ...
    @property
    def fingerprint(self) -> str: ...
    @property
    def pacing(self) -> bool: ...
    @property
    def spacing_ms(self) -> int: ...
    @property
    def proxy(self) -> Secret | None: ...
    @property
    def no_proxy(self) -> tuple[str, ...]: ...
    @property
    def verify_ssl(self) -> bool: ...
    @property
    def ca_file(self) -> str | None: ...
    @property
    def source_address(self) -> str | None: ...


def open_custom(
    kind: type[CustomAdapter],
    request: Opening,
    dialer: Dialer,
    meters: MeterPool,
    observatory: Observatory,
    trail: Trail | None,
) -> CustomAdapter:
    """Make the adapter. Nothing is sent.

    Raises:
        NotSupported: it has no URL for the environment.
    """
    exchange, environment = request.exchange, request.environment
    url = kind.urls.get(environment)
    if url is None:
        raise NotSupported(
            f"there is no {environment} environment",
            exchange=exchange,
            outcome=Outcome.NOT_SENT,
            hint=f"it has {', '.join(kind.urls) or 'none'}: `urls` of {kind.__qualname__}",
        )
    route = Route(
        exchange=exchange,
        environment=environment,
        rules=rules_of(url),
        proxy=request.proxy,
        no_proxy=request.no_proxy,
        verify_ssl=request.verify_ssl,
        ca_file=request.ca_file,
        source_address=request.source_address,
    )
    direct = request.proxy is None and request.source_address is None
    budget = Budget(
        meters,
        exchange,
        environment,
        request.fingerprint,
        (kind.meter,),
        pacing=request.pacing,
        spacing_ms=request.spacing_ms,
        instance="",
        way=USUAL
        if direct
        else way_out(rules_of(url).hosts[0], request.proxy, request.no_proxy, request.source_address),
    )
    monitor = observatory.monitor(exchange, environment)

    def make_http(signer: Signer, judge: Judge) -> CustomHttp:
        return CustomHttp(exchange, url, dialer.session(route), budget, monitor, kind.meter.name, signer, judge, trail)

    return checked(kind, CustomAdapter)(CustomWiring(exchange, environment, request.credentials, make_http))
