"""Measurements are read from what happened and from our memory, and the document names every one of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from syncline.bootstrap import Installation
from syncline.core.memory import Parked
from syncline.core.objective import Objective
from syncline.core.quota import Allowance, Purpose
from syncline.core.records import RecordKey, Side
from syncline.errors import TransientError
from syncline.jobs.embedded import EmbeddedJobs
from syncline.ports import Delivery, DeliveryState, Mark
from syncline.service.dispatch import Cause, Happened
from syncline.service.metrics import SERIES, Metrics
from tests.clock import START, VirtualClock
from tests.service.office import TICKETS
from tests.service.still import open_still

MINUTE = dt.timedelta(minutes=1)
DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "observability.md"

Readings = dict[tuple[str, frozenset[str]], float]


def of(*labels: str) -> frozenset[str]:
    """The values of labels, in whatever order they are told."""
    return frozenset(labels)


@pytest.fixture
async def installation(tmp_path: Path) -> AsyncGenerator[Installation]:
    async with open_still(tmp_path, VirtualClock()) as installation:
        yield installation


async def read(metrics: Metrics) -> Readings:
    """All samples by name and the values of their labels."""
    text = (await metrics.text()).decode()
    return {
        (sample.name, of(*sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_lags_are_a_histogram_and_quantiles_of_the_last_day(installation: Installation) -> None:
    metrics = Metrics(lambda: installation, objective=lambda _: Objective())
    second = dt.timedelta(seconds=1)
    metrics.heard(Happened(TICKETS, Cause.HEARD, START, lags=(second / 2, second * 40)))
    installation.store.add_lag(TICKETS, START, {second: 95, MINUTE: 4, 5 * MINUTE: 1})
    installation.store.add_lag(TICKETS, START - 30 * dt.timedelta(hours=1), {5 * MINUTE: 900})

    found = await read(metrics)

    assert found["syncline_lag_seconds_bucket", of("tickets", "0.5")] == 1
    assert found["syncline_lag_seconds_count", of("tickets")] == 2
    assert found["syncline_lag_quantile_seconds", of("tickets", "0.5")] == 1
    assert found["syncline_lag_quantile_seconds", of("tickets", "0.95")] == 1
    assert found["syncline_lag_quantile_seconds", of("tickets", "0.99")] == 60
    assert found["syncline_freshness_burn_rate", of("tickets", "slow")] == pytest.approx(1)
    assert found["syncline_freshness_left", of("tickets")] == pytest.approx(0)


async def test_runs_are_counted_by_how_they_ended(installation: Installation) -> None:
    metrics = Metrics(lambda: installation)
    error = TransientError("no answer", connection="hl")
    for _ in range(2):
        metrics.heard(Happened(TICKETS, Cause.POLL, START, error=error))

    assert (await read(metrics))["syncline_runs_total", of("tickets", "poll", "transient")] == 2


async def test_what_lies_in_our_memory_is_read_when_asked(installation: Installation) -> None:
    store = installation.store
    parked = Parked(Side.LEFT, RecordKey("1"), "A title", "rejected", "no", None, 1, None, START)
    store.park(TICKETS, parked)
    store.add_marks([Mark(TICKETS, Side.LEFT, RecordKey("1"), "test", START - MINUTE, START)])
    store.use("hl", START, Purpose.LIVE, 7)
    store.save_allowance("hl", Allowance(1000, 400, START, START + MINUTE))
    delivery = Delivery("hl", "id:1", "RecordUpdate", DeliveryState.REFUSED, START)
    store.keep_deliveries([(delivery, b"")])
    jobs = EmbeddedJobs(installation.clock, jitter=lambda: 0.5)
    await jobs.wake("sync", "tickets", START - MINUTE)

    found = await read(Metrics(lambda: installation, jobs))

    assert found["syncline_parked", of("tickets")] == 1
    assert found["syncline_conflicts_open", of("tickets")] == 0
    assert found["syncline_marks_waiting", of("tickets")] == 1
    assert found["syncline_marks_oldest_seconds", of("tickets")] == 60
    assert found["syncline_calls_today", of("hl", "live")] == 7
    assert found["syncline_quota_left", of("hl")] == 400
    assert found["syncline_deliveries_day", of("hl", "refused")] == 1
    assert found["syncline_jobs_waiting", of()] == 1
    assert found["syncline_jobs_late_seconds", of()] == pytest.approx(60, abs=1)
    assert found["syncline_scrape_ok", of()] == 1


async def test_two_installations_in_one_process_never_mix(installation: Installation) -> None:
    one, other = Metrics(lambda: installation), Metrics(lambda: installation)
    one.heard(Happened(TICKETS, Cause.POLL, START))

    assert ("syncline_runs_total", of("tickets", "poll", "quiet")) in await read(one)
    assert ("syncline_runs_total", of("tickets", "poll", "quiet")) not in await read(other)


async def test_only_what_is_declared_is_told(installation: Installation) -> None:
    jobs = EmbeddedJobs(installation.clock, jitter=lambda: 0.5)
    text = (await Metrics(lambda: installation, jobs).text()).decode()
    names = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")}

    declared = set(SERIES) | {name.replace("_total", "_created") for name in SERIES}
    assert names <= declared | {f"{name}_created" for name in SERIES}


def test_the_document_names_every_measurement_with_its_labels() -> None:
    document = DOCUMENT.read_text()

    for name, series in SERIES.items():
        row = f"| `{name}` | {series.kind} | {', '.join(series.labels)} | {series.help} |"
        assert row in document
    assert document.count("| `syncline_") == len(SERIES)
