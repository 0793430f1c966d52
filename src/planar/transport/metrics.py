"""What the monitors count, for Prometheus; needs the extra `planar-exchanges[metrics]`.

Nothing is counted twice: the numbers are read from the monitors when they are asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from planar.errors import ConfigError
from planar.transport.breaker import BreakerState
from planar.transport.health import edge_ms
from planar.transport.observe import Observatory

_STATES = {BreakerState.CLOSED: 0.0, BreakerState.HALF_OPEN: 0.5, BreakerState.OPEN: 1.0}
_LABELS = ("exchange", "environment", "host")


class Collector:
    """Give it to `prometheus_client`: `REGISTRY.register(workspace.metrics())`."""

    def __init__(self, observatory: Observatory) -> None:
        try:
            from prometheus_client import core
        except ModuleNotFoundError as error:
            hint = "pip install 'planar-exchanges[metrics]'"
            raise ConfigError("prometheus-client is not installed", hint=hint) from error
        self._core: Any = core
        self._observatory = observatory

    def collect(self) -> Iterator[Any]:
        """The families, with the numbers of now."""
        core = self._core
        requests = core.CounterMetricFamily(
            "planar_requests", "HTTP requests that have ended.", labels=(*_LABELS, "outcome")
        )
        latency = core.HistogramMetricFamily("planar_request_seconds", "Time until an answer was read.", labels=_LABELS)
        breaker = core.GaugeMetricFamily("planar_breaker", "0 closed, 0.5 half open, 1 open.", labels=_LABELS)
        offset = core.GaugeMetricFamily(
            "planar_clock_offset_seconds", "The venue's time less the system clock.", labels=_LABELS[:2]
        )
        for (exchange, environment, _), monitor in self._observatory.monitors().items():
            offset_ms = monitor.clock.health().offset_ms
            if offset_ms is not None:
                offset.add_metric((exchange, environment), offset_ms / 1000)
            for host, watch in monitor.hosts.items():
                labels = (exchange, environment, host)
                breaker.add_metric(labels, _STATES[watch.breaker.state])
                for outcome, count in watch.totals.items():
                    requests.add_metric((*labels, outcome), count)
                below, buckets = 0, list[tuple[str, float]]()
                for bucket, count in enumerate(watch.latency.buckets):
                    below += count
                    if bucket % 4 == 0:
                        buckets.append((f"{edge_ms(bucket) / 1000:.6g}", below))
                buckets.append(("+Inf", watch.latency.count))
                latency.add_metric(labels, buckets, watch.latency.total_ms / 1000)
        yield from (requests, latency, breaker, offset)
