"""What happened, and what lies in our memory, into the measurements that Prometheus reads.

`heard` is told by `service.dispatch`; `web.metrics` asks for the text. One object holds everything: there is no registry
of the process, so that two installations in one process never mix. Labels are names from the configuration and our own
words, never keys, texts or addresses.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from syncline import __version__
from syncline.bootstrap import Installation
from syncline.core.objective import Objective, quantile
from syncline.core.records import SyncId
from syncline.engine.report import Report, Written
from syncline.errors import SynclineError
from syncline.ports import JobEngine, JobHealth
from syncline.service.dispatch import Happened
from syncline.service.freshness import freshness

CONTENT_TYPE = CONTENT_TYPE_LATEST
"""The media type of the text."""

_DAY = dt.timedelta(days=1)
_SHARES = (0.5, 0.95, 0.99)
_LAG_BOUNDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 86_400)
_RUN_BOUNDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600)
_KINDS = ("created", "updated", "deleted", "archived", "restored")


class Series(NamedTuple):
    """One measurement: its name, kind, labels, and what it tells."""

    name: str
    kind: str
    labels: tuple[str, ...]
    help: str


_ALL = (
    Series("syncline_lag_seconds", "histogram", ("sync",), "From hearing of an edit to its verified write, since the start."),
    Series("syncline_run_seconds", "histogram", ("sync",), "How long runs took."),
    Series("syncline_runs_total", "counter", ("sync", "cause", "outcome"), "Looks at syncs: quiet, written, failures, braked, or the code of the error that ended them."),
    Series("syncline_writes_total", "counter", ("sync", "side", "kind"), "Records written."),
    Series("syncline_lag_quantile_seconds", "gauge", ("sync", "quantile"), "Lag of the last 24 hours, from buckets: the bound below which this share lies."),
    Series("syncline_freshness_burn_rate", "gauge", ("sync", "window"), "How fast what the objective forgives is used up: fast is the last hour or two, slow the whole span."),
    Series("syncline_freshness_left", "gauge", ("sync",), "Share of what the objective forgives that is left; below 0 it is missed."),
    Series("syncline_conflicts_open", "gauge", ("sync",), "Questions that wait for a person."),
    Series("syncline_parked", "gauge", ("sync",), "Records whose writes failed."),
    Series("syncline_marks_waiting", "gauge", ("sync",), "Records of which something was heard, and that were not looked at."),
    Series("syncline_marks_oldest_seconds", "gauge", ("sync",), "How long the oldest of them waits."),
    Series("syncline_failures_in_a_row", "gauge", ("sync",), "Looks at the sync that failed since the last good one."),
    Series("syncline_calls_today", "gauge", ("connection", "purpose"), "API calls since midnight UTC."),
    Series("syncline_quota_left", "gauge", ("connection",), "Calls that the vendor still allows today, as it last said."),
    Series("syncline_quota_limit", "gauge", ("connection",), "Calls that the vendor allows a day."),
    Series("syncline_deliveries_day", "gauge", ("connection", "state"), "Webhooks of the last 24 hours by what became of them."),
    Series("syncline_alerts_open", "gauge", ("kind",), "Open alerts."),
    Series("syncline_events_oldest_seconds", "gauge", (), "How long the outgoing event that is due longest waits; 0 when none is due."),
    Series("syncline_subscriptions_failing", "gauge", (), "Subscriptions whose last try failed, or that were turned off for it."),
    Series("syncline_jobs_up", "gauge", (), "Whether the job engine gets wakes through."),
    Series("syncline_jobs_waiting", "gauge", (), "Wakes that wait to run."),
    Series("syncline_jobs_running", "gauge", (), "Handlers that run in this process."),
    Series("syncline_jobs_late_seconds", "gauge", (), "How late the oldest due wake is."),
    Series("syncline_scrape_ok", "gauge", (), "1 when all of this could be read from our memory."),
    Series("syncline_info", "gauge", ("version",), "The version that runs."),
)  # fmt: skip
SERIES: Mapping[str, Series] = {each.name: each for each in _ALL}
"""Every measurement, by name."""

_Reading = tuple[str, tuple[str, ...], float]


def _no_objective(sync: str) -> Objective | None:
    del sync
    return None


class Metrics:
    """The measurements of one installation. `objective` answers the freshness objective of a sync, where it has one."""

    def __init__(
        self,
        installation: Callable[[], Installation],
        jobs: JobEngine | None = None,
        objective: Callable[[str], Objective | None] = _no_objective,
    ) -> None:
        self._jobs = jobs
        self._registry = CollectorRegistry(auto_describe=False)
        self._lag = _histogram("syncline_lag_seconds", _LAG_BOUNDS, self._registry)
        self._seconds = _histogram("syncline_run_seconds", _RUN_BOUNDS, self._registry)
        self._runs = _counter("syncline_runs_total", self._registry)
        self._writes = _counter("syncline_writes_total", self._registry)
        self._snapshot = _Snapshot(installation, objective)
        self._registry.register(self._snapshot)

    def heard(self, happened: Happened) -> None:
        """Count one look at a sync."""
        for lag in happened.lags:
            self._lag.labels(happened.sync).observe(lag.total_seconds())
        outcome = _outcome(happened)
        self._runs.labels(happened.sync, happened.cause.value, outcome).inc()
        if happened.report is not None:
            self._seconds.labels(happened.sync).observe(happened.report.seconds)
            self._count(happened.report)

    def _count(self, report: Report) -> None:
        for side, written in (("left", report.left), ("right", report.right)):
            for kind, count in _by_kind(written):
                if count:
                    self._writes.labels(report.sync, side, kind).inc(count)

    async def text(self) -> bytes:
        """Everything, as Prometheus reads it (`CONTENT_TYPE`)."""
        self._snapshot.health = await self._jobs.health() if self._jobs is not None else None
        return generate_latest(self._registry)


def _by_kind(written: Written) -> Iterator[tuple[str, int]]:
    counts = (written.created, written.updated, written.deleted, written.archived, written.restored)
    yield from zip(_KINDS, counts, strict=True)


def _outcome(happened: Happened) -> str:
    if happened.error is not None:
        return happened.error.full_code
    report = happened.report
    if report is None or report.is_quiet:
        return "quiet"
    if report.plan.brakes:
        return "braked"
    return "failures" if report.failures else "written"


def _histogram(name: str, bounds: tuple[float, ...], registry: CollectorRegistry) -> Histogram:
    series = SERIES[name]
    return Histogram(name, series.help, series.labels, registry=registry, buckets=bounds)


def _counter(name: str, registry: CollectorRegistry) -> Counter:
    series = SERIES[name]
    return Counter(name, series.help, series.labels, registry=registry)


class _Snapshot(Collector):
    """What is read from our memory whenever somebody asks: true also after a restart, and with many workers."""

    def __init__(
        self, installation: Callable[[], Installation], objective: Callable[[str], Objective | None]
    ) -> None:
        self._installation = installation
        self._objective = objective
        self.health: JobHealth | None = None

    def describe(self) -> Iterable[Metric]:
        """Nothing beforehand: names do not clash, and nothing is read when this is registered."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """All gauges."""
        families = {
            name: GaugeMetricFamily(name, series.help, labels=series.labels)
            for name, series in SERIES.items()
            if series.kind == "gauge"
        }
        ok = 1.0
        try:
            readings = list(self._readings())
        except SynclineError:
            readings, ok = list[_Reading](), 0.0
        for name, labels, value in (*readings, *self._job_readings(), ("syncline_scrape_ok", (), ok)):
            families[name].add_metric(labels, value)
        families["syncline_info"].add_metric((__version__,), 1)
        return [each for each in families.values() if each.samples]

    def _readings(self) -> Iterator[_Reading]:
        installation = self._installation()
        now = installation.clock.now()
        for name in installation.config.syncs:
            yield from self._sync(installation, SyncId(name), now)
        for name in installation.config.connections:
            yield from _connection(installation, name, now)
        yield from _memory(installation, now)

    def _sync(self, installation: Installation, sync: SyncId, now: dt.datetime) -> Iterator[_Reading]:
        store, label = installation.store, (str(sync),)
        lags = store.lags(sync, now - _DAY)
        for share in _SHARES:
            found = quantile(lags, share)
            if found is not None:
                yield "syncline_lag_quantile_seconds", (*label, str(share)), found.total_seconds()
        objective = self._objective(sync)
        if objective is not None:
            burn = freshness(store, sync, objective, now)
            yield "syncline_freshness_burn_rate", (*label, "fast"), burn.fast
            yield "syncline_freshness_burn_rate", (*label, "slow"), burn.slow
            yield "syncline_freshness_left", label, burn.left
        yield "syncline_conflicts_open", label, len([q for q in store.questions(sync) if q.choice is None])
        yield "syncline_parked", label, len(store.parked(sync))
        yield "syncline_failures_in_a_row", label, max((due.misses for due in store.dues(sync)), default=0)
        marked = store.mark_counts().get(sync)
        yield "syncline_marks_waiting", label, marked.count if marked else 0
        oldest = (now - marked.oldest).total_seconds() if marked else 0.0
        yield "syncline_marks_oldest_seconds", label, oldest

    def _job_readings(self) -> Iterator[_Reading]:
        if self.health is not None:
            yield "syncline_jobs_up", (), float(self.health.is_up)
            yield "syncline_jobs_waiting", (), self.health.waiting
            yield "syncline_jobs_running", (), self.health.running
            yield "syncline_jobs_late_seconds", (), self.health.late


def _connection(installation: Installation, name: str, now: dt.datetime) -> Iterator[_Reading]:
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    calls: dict[str, int] = {}
    for each in installation.store.usage(name, midnight):
        calls[each.purpose.value] = calls.get(each.purpose.value, 0) + each.calls
    for purpose, count in calls.items():
        yield "syncline_calls_today", (name, purpose), count
    allowance = installation.store.allowance(name)
    if allowance is not None and allowance.resets_at > now:
        yield "syncline_quota_left", (name,), allowance.daily_left
        if allowance.daily_limit is not None:
            yield "syncline_quota_limit", (name,), allowance.daily_limit


def _memory(installation: Installation, now: dt.datetime) -> Iterator[_Reading]:
    store = installation.store
    for each in store.delivery_counts(now - _DAY):
        yield "syncline_deliveries_day", (each.connection, each.state.value), each.count
    kinds: dict[str, int] = {}
    for alert in store.open_alerts():
        kinds[alert.about.kind.value] = kinds.get(alert.about.kind.value, 0) + 1
    for kind, count in kinds.items():
        yield "syncline_alerts_open", (kind,), count
    due = store.next_dispatch()
    late = max((now - due).total_seconds(), 0.0) if due is not None else 0.0
    yield "syncline_events_oldest_seconds", (), late
    failing = [each for each in store.subscriptions() if each.failing_since or each.why_off]
    yield "syncline_subscriptions_failing", (), len(failing)
