"""Metrics: what Prometheus reads is what was counted."""

from __future__ import annotations

import sys
from typing import Any

import pytest

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


def test_percentiles_are_right_to_a_tenth() -> None:
    histogram = Histogram()
    for ms in range(1, 1001):
        histogram.add(float(ms))
    for part in (0.5, 0.9, 0.99):
        found = percentile_ms(part, histogram)
        assert found is not None
        assert 1000 * part * 0.99 <= found <= 1000 * part * 1.2
    assert percentile_ms(0.5, Histogram()) is None
