"""Everything that watches hears of every look at a sync: on sandbox accounts over real HTTP; each watcher fails alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from syncline.connectors.transport import AiohttpTransport
from syncline.core.outgoing import EventType
from syncline.core.records import Side
from syncline.core.timetable import DueKind
from syncline.errors import StoreError, TransientError
from syncline.jobs.embedded import EmbeddedJobs
from syncline.ports import Due
from syncline.service.dispatch import Cause, Dispatcher, Happened
from syncline.service.events import Events
from syncline.service.observers import observers
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
