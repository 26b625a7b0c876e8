"""Everything that watches hears of every look at a sync: on sandbox accounts over real HTTP; each watcher fails alone."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import msgspec
import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pydantic import SecretStr

from syncline.bootstrap import oauth_secret
from syncline.config import AlertSettings, FreshnessSettings, HighLevelSettings, OAuthSettings
from syncline.connectors.highlevel import Tokens
from syncline.connectors.transport import AiohttpTransport
from syncline.core.alerting import AlertKind
from syncline.core.objective import Objective
from syncline.core.outgoing import EventType
from syncline.core.records import RecordKey, Side
from syncline.core.timetable import DueKind
from syncline.errors import StoreError, TransientError
from syncline.jobs.embedded import EmbeddedJobs
from syncline.ports import Due, Mark
from syncline.service.dispatch import Cause, Dispatcher, Happened
from syncline.service.events import Events
from syncline.service.observers import configured, observers
from syncline.service.traces import TracedTransport, Tracing
from tests.cli.office import left_is_activecollab, open_office
from tests.clock import VirtualClock
from tests.service.office import TICKETS, open_desk
from tests.service.still import open_still


async def test_an_edit_that_is_heard_of_is_measured_told_and_traced(tmp_path: Path) -> None:
    with open_office(tmp_path) as office:
        office.write(left_is_activecollab(office.project))
        task = office.in_activecollab("create_task", project=office.project, name="Paint")
        async with open_desk(office) as desk:
            spans = InMemorySpanExporter()
            traces = Tracing(SimpleSpanProcessor(spans))
            desk.installation.transport = TracedTransport(desk.installation.transport, traces)
            watching = observers(lambda: desk.installation, desk.jobs, AiohttpTransport(), traces=traces)
            dispatcher = Dispatcher(lambda: desk.installation, desk.jobs, lambda _: desk.table, watching.tell)
            desk.installation._connectors.clear()
            desk.installation._environments.clear()
            await dispatcher.tick()
            desk.clock.advance(120)
            await traces.around("look", dispatcher.look)(TICKETS)
            desk.mark(Side.LEFT, str(task), seconds_ago=3)

            text = (await watching.metrics.text()).decode()
            told = {each.type for each in desk.installation.store.events()}

    assert 'syncline_runs_total{cause="poll",outcome="written",sync="tickets"} 1.0' in text
    assert 'syncline_writes_total{kind="created",side="right",sync="tickets"} 1.0' in text
    assert 'syncline_marks_oldest_seconds{sync="tickets"} 3.0' in text
    assert told == {EventType.RUN_FINISHED}
    names = [each.name for each in spans.get_finished_spans()]
    assert names[-1] == "look"
    assert "vendor call POST" in names
    assert (spans.get_finished_spans()[-1].attributes or {})["syncline.writes"] == 1


async def test_limits_objectives_and_ends_are_as_they_are_configured(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with open_still(tmp_path, clock) as installation:
        tickets = installation.config.syncs["tickets"]
        patient = FreshnessSettings(within=dt.timedelta(minutes=5))
        oauth = OAuthSettings(client_id="c", client_secret=SecretStr("s"), refresh_token=SecretStr("first"))
        hl = HighLevelSettings(vendor="highlevel", location="L1", token=None, oauth=oauth)
        tokens = Tokens("a", "r", clock.now() + dt.timedelta(days=1))
        installation.store.save_secret(oauth_secret("hl", "first"), msgspec.json.encode(tokens).decode())
        installation.config = installation.config.model_copy(
            update={
                "alerts": AlertSettings(failures=5, every=dt.timedelta(minutes=10)),
                "syncs": {"tickets": tickets.model_copy(update={"freshness": patient})},
                "connections": {**installation.config.connections, "hl": hl},
            }
        )
        jobs = EmbeddedJobs(clock, jitter=lambda: 0.5)

        wishes = configured(lambda: installation)
        watching = observers(lambda: installation, jobs, AiohttpTransport())
        store, now = installation.store, clock.now()
        store.save_due(Due(TICKETS, DueKind.RETRY, now, misses=4))
        watching.tell(Happened(TICKETS, Cause.POLL, now, error=TransientError("no", connection="hl")))

        assert store.open_alerts() == []
        assert watching.every() == 600
        assert wishes.objective("tickets") == Objective(within=dt.timedelta(minutes=5))
        assert wishes.objective("gone") is None
        assert dict(wishes.ends()) == {"hl": installation.expires_at("hl")}
        clock.advance(dt.timedelta(days=360).total_seconds())
        watching.alerts.check()
        kinds = {alert.about.kind for alert in store.open_alerts()}
        assert AlertKind.CONNECTION_EXPIRING in kinds


async def test_an_alert_of_what_is_watched_no_more_is_over(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with open_still(tmp_path, clock) as installation:
        jobs, store = EmbeddedJobs(clock, jitter=lambda: 0.5), installation.store
        watching = observers(lambda: installation, jobs, AiohttpTransport())
        heard = clock.now() - dt.timedelta(hours=1)
        marks = [Mark(TICKETS, Side.LEFT, RecordKey(str(key)), "test", heard, heard) for key in range(5)]
        store.add_marks(marks)
        watching.alerts.check()
        assert AlertKind.FRESHNESS_MISSED in {alert.about.kind for alert in store.open_alerts()}

        tickets = installation.config.syncs["tickets"].model_copy(update={"freshness": None})
        installation.config = installation.config.model_copy(update={"syncs": {"tickets": tickets}})
        watching.alerts.check()

        assert store.open_alerts() == []


async def test_who_cannot_note_it_keeps_nobody_else_from_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = VirtualClock()
    async with open_still(tmp_path, clock) as installation:
        watching = observers(
            lambda: installation, EmbeddedJobs(clock, jitter=lambda: 0.5), AiohttpTransport()
        )
        monkeypatch.setattr(Events, "heard", _away)
        installation.store.save_due(Due(TICKETS, DueKind.RETRY, clock.now(), misses=3))

        watching.tell(Happened(TICKETS, Cause.POLL, clock.now(), error=TransientError("no", connection="hl")))

        assert len(installation.store.open_alerts()) == 1


def _away(*_: object) -> None:
    raise StoreError("the database is away")
