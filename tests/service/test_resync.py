"""A person asks for a fresh look at records: few are read by themselves, many are found by listing everything."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from syncline.core.audit import AuditKind
from syncline.core.decisions import Rule
from syncline.core.records import FieldId, RecordKey, Side
from syncline.core.timetable import DueKind
from syncline.core.values import Text
from syncline.ports import Due
from syncline.service.dispatch import MOST_CHOSEN, RECHECK, Cause
from syncline.service.starting import resync, start
from tests.cli.office import left_is_activecollab, open_office
from tests.service.office import TICKETS, Desk, open_desk


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncGenerator[Desk, None]:
    """One record on both sides, in step."""
    with open_office(tmp_path) as office:
        office.write(left_is_activecollab(office.project))
        office.in_activecollab("create_task", project=office.project, name="Paint")
        async with open_desk(office) as desk:
            desk.installation.store.save_due(Due(TICKETS, DueKind.RECONCILE, desk.clock.now()))
            first = await desk.look()
            assert first is not None
            assert first.report is not None
            assert first.report.writes == 1
            yield desk


def _reconciles(desk: Desk) -> list[Due]:
    now = desk.clock.now()
    dues = desk.installation.store.dues(TICKETS)
    return [each for each in dues if each.kind is DueKind.RECONCILE and each.at <= now]


async def test_few_records_are_read_by_themselves(desk: Desk) -> None:
    key = RecordKey(str(desk.office.tasks()["Paint"]["id"]))

    due = await resync(desk.installation, desk.jobs, TICKETS, frozenset({(Side.LEFT, key)}))
    happened = await desk.look()

    assert due is None
    assert happened is not None
    assert happened.cause is Cause.HEARD
    assert happened.report is not None
    assert (happened.report.listed_left, happened.report.writes) == (0, 0)
    assert happened.report.plan.held == ()


async def test_a_record_in_which_nothing_seems_changed_is_decided_again(desk: Desk) -> None:
    store = desk.installation.store
    [link] = store.linked(TICKETS)
    # The run after a write has seen both sides as they are now.
    store.save_due(Due(TICKETS, DueKind.RECONCILE, desk.clock.now()))
    await desk.look()
    # What we remember is wrong, and neither side has moved since.
    store.move_base(link, {FieldId("name"): Text("Pain")}, {FieldId("title"): Text("Pain")})
    plain = Due(TICKETS, DueKind.RECONCILE, desk.clock.now())
    for due, decided in ((plain, []), (None, [Rule.AGREED])):
        if due is None:
            await resync(desk.installation, desk.jobs, TICKETS, None)
        else:
            store.save_due(due)
        happened = await desk.look()
        assert happened is not None
        assert happened.report is not None
        assert [step.rule for step in happened.report.plan.steps] == decided


async def test_many_records_and_all_are_listed_and_decided_again_once(desk: Desk) -> None:
    many = frozenset((Side.LEFT, RecordKey(str(number))) for number in range(MOST_CHOSEN + 1))

    for chosen in (many, None):
        due = await resync(desk.installation, desk.jobs, TICKETS, chosen)
        assert due is not None
        # A full run that is asked for as well does not make less of it.
        await start(desk.installation, desk.jobs, TICKETS, is_full=True, release=())
        assert [each.why for each in _reconciles(desk)] == [RECHECK]
        happened = await desk.look()
        assert happened is not None
        assert happened.cause is Cause.RECONCILE
        assert happened.report is not None
        assert happened.report.listed_left == 1
        assert _reconciles(desk) == []
    assert desk.installation.store.audit_trail(kind=AuditKind.RETRIED) == []
