"""What the hub counts, for Prometheus. The core counts here; the web server shows it at /metrics."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping

import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

log = structlog.get_logger("hub.metrics")

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """One registry with typed ways to count. Labels are configured names and fixed words, never texts or ids.

    The methods may be called from any thread. What is watched is looked up each time somebody asks for the figures;
    a look-up must be quick, and one that raises leaves its figure out of the answer.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._deliveries = Counter(
            "hub_deliveries", "Webhook requests by what became of them", ["tracker", "outcome"], registry=self.registry
        )
        self._receive = Histogram(
            "hub_receive_seconds", "From a request's arrival to its answer", registry=self.registry, buckets=SECONDS
        )
        self._calls = Counter(
            "hub_calls", "Calls to trackers by how they ended", ["tracker", "method", "outcome"], registry=self.registry
        )
        self._call_seconds = Histogram(
            "hub_call_seconds", "Length of a call", ["tracker"], registry=self.registry, buckets=SECONDS
        )
        self._runs = Counter("hub_runs", "Runs of a key by how they ended", ["outcome"], registry=self.registry)
        self._run_seconds = Histogram("hub_run_seconds", "Length of a run", registry=self.registry, buckets=SECONDS)
        self._writes = Counter(
            "hub_writes", "Writes to trackers by kind of operation", ["tracker", "kind"], registry=self.registry
        )
        # Looking a label's figure up costs more than counting in it, and there are few labels.
        self._delivery_of = functools.cache(self._deliveries.labels)
        self._call_of = functools.cache(self._calls.labels)
        self._call_seconds_of = functools.cache(self._call_seconds.labels)
        self._run_of = functools.cache(self._runs.labels)
        self._write_of = functools.cache(self._writes.labels)

    def delivery(self, tracker: str, outcome: str, seconds: float) -> None:
        """One webhook request and how long its answer took.

        `outcome` is accepted, duplicate, ignored, unsigned, forged, stale, malformed, oversized, unparsable,
        unknown_tracker or unavailable; `tracker` is a configured name or "unknown".
        """
        self._delivery_of(tracker, outcome).inc()
        self._receive.observe(seconds)

    def call(self, tracker: str, verb: str, outcome: str, seconds: float) -> None:
        """One call to a tracker: see `Connector.on_call`."""
        self._call_of(tracker, verb, outcome).inc()
        self._call_seconds_of(tracker).observe(seconds)

    def run(self, outcome: str, seconds: float) -> None:
        """One run of a key: idle, written or postponed."""
        self._run_of(outcome).inc()
        self._run_seconds.observe(seconds)

    def write(self, tracker: str, kind: str) -> None:
        """One write to a tracker."""
        self._write_of(tracker, kind).inc()

    def watch_wakes(self, read: Callable[[], Mapping[str, float]]) -> None:
        """How many keys are `waiting` and `running`, as `Engine.counts` tells."""
        self._watch("hub_wakes", "Keys that wait and keys that run", "state", read)

    def watch_failures(self, read: Callable[[], float]) -> None:
        """How many failures wait for a person."""
        self.gauge("hub_failures_open", "Failures that wait for a person", read)

    def watch_polls(self, read: Callable[[], Mapping[str, float]]) -> None:
        """By tracker, how many seconds ago it was last polled."""
        self._watch("hub_poll_age_seconds", "Seconds since a tracker was last polled", "tracker", read)

    def watch_journal(self, read: Callable[[], Mapping[str, float]]) -> None:
        """How many `commits` and `statements` the journal has done."""
        self._watch("hub_journal_work", "What the journal has done since the start", "kind", read)

    def gauge(self, name: str, explanation: str, read: Callable[[], float]) -> None:
        """Any other single value. Raises ValueError when `name` is taken."""
        self._watch(name, explanation, None, lambda: {"": read()})

    def render(self) -> bytes:
        """Everything in Prometheus' text format."""
        return generate_latest(self.registry)

    def _watch(self, name: str, explanation: str, label: str | None, read: Callable[[], Mapping[str, float]]) -> None:
        self.registry.register(_Watched(name, explanation, label, read))


class _Watched(Collector):
    """Values that are looked up when they are asked for, by one label or none."""

    def __init__(self, name: str, explanation: str, label: str | None, read: Callable[[], Mapping[str, float]]) -> None:
        self._name, self._explanation, self._label, self._read = name, explanation, label, read

    def describe(self) -> Iterator[GaugeMetricFamily]:
        yield self._empty()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        family = self._empty()
        try:
            for labelled, value in self._read().items():
                family.add_metric([labelled] if self._label else [], value)
        except Exception:
            # The other figures are wanted most when a part of the hub is down.
            log.exception("a figure could not be looked up", figure=self._name)
            return
        yield family

    def _empty(self) -> GaugeMetricFamily:
        return GaugeMetricFamily(self._name, self._explanation, labels=[self._label] if self._label else None)
