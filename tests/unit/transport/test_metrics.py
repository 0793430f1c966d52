"""Metrics: what Prometheus reads is what was counted."""

from __future__ import annotations

import math
import sys
import urllib.request
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planar.errors import ConfigError, Outcome
from planar.transport.context import CallContext, Effect, Priority, RequestRecord
from planar.transport.health import Histogram, percentile_ms
from planar.transport.metrics import Collector
from planar.transport.observe import Observatory


def an_observatory() -> Observatory:
    observatory = Observatory()
    monitor = observatory.monitor("kraken", "live")
    for number in range(10):
        watch = monitor.enter("https://api.example.com/x", CallContext("x", 5_000, Priority.MARKET), Effect.READ)
        record = RequestRecord("GET", "api.example.com", "/x", Effect.READ, 1)
        record.outcome, record.http_status, record.took_ms = Outcome.OK, 200, 10.0 + number
        monitor.ended(watch, record, None, 5.0)
    return observatory


def test_the_numbers_of_a_host() -> None:
    prometheus: Any = pytest.importorskip("prometheus_client")
    registry = prometheus.CollectorRegistry()
    registry.register(Collector(an_observatory()))
    labels = {"exchange": "kraken", "environment": "live", "host": "api.example.com"}
    assert registry.get_sample_value("planar_requests_total", {**labels, "outcome": "ok"}) == 10
    assert registry.get_sample_value("planar_request_seconds_count", labels) == 10
    assert registry.get_sample_value("planar_request_seconds_sum", labels) == pytest.approx(0.145)
    assert registry.get_sample_value("planar_breaker", labels) == 0


def test_without_the_extra_the_remedy_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with pytest.raises(ConfigError, match="not installed") as caught:
        Collector(Observatory())
    assert "[metrics]" in (caught.value.hint or "")


@given(
    st.lists(st.floats(0.1, 80_000), min_size=1, max_size=300),
    st.sampled_from([0.01, 0.5, 0.9, 0.99, 1.0]),
)
def test_percentiles_are_right_to_a_tenth(latencies: list[float], part: float) -> None:
    histograms = Histogram(), Histogram()
    for number, ms in enumerate(latencies):
        histograms[number % 2].add(ms)
    true = sorted(latencies)[max(0, math.ceil(part * len(latencies) - 1e-9) - 1)]
    found = percentile_ms(part, *histograms)
    assert found is not None
    assert abs(found - true) <= 0.1 * true
    assert percentile_ms(part, Histogram()) is None


def test_what_prometheus_would_read() -> None:
    """The text of the exposition, over HTTP: buckets grow, and the last one has all."""
    prometheus: Any = pytest.importorskip("prometheus_client")
    registry = prometheus.CollectorRegistry()
    registry.register(Collector(an_observatory()))
    server, thread = prometheus.start_http_server(0, "127.0.0.1", registry)
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/metrics", timeout=5) as answer:
            lines = answer.read().decode().splitlines()
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    buckets = [float(line.split()[-1]) for line in lines if line.startswith("planar_request_seconds_bucket")]
    assert buckets == sorted(buckets)
    assert buckets[-1] == 10
    labels = 'environment="live",exchange="kraken",host="api.example.com"'
    assert any(line.startswith("planar_requests_total{") and line.endswith(" 10.0") for line in lines)
    assert f"planar_breaker{{{labels}}} 0.0" in lines
