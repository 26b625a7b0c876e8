"""What happened to a sync, or to an alert, into the events that others are told of.

Called by `service.events`. Data holds names, keys and counts; field values and titles only under `values`, which is left
out unless a subscription asks for it. A quiet run is no event: nothing happened.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from syncline.core.alerting import Alert, AlertKind, Move, Moved
from syncline.core.memory import Entry
from syncline.core.outgoing import VALUES, EventType
from syncline.core.workspace import ItemType
from syncline.core.workspace_news import Verb, event_type, sample
from syncline.engine.report import Report
from syncline.errors import ConnectorError
from syncline.ports import Store
from syncline.service.dispatch import Happened

_MOST = 100_000

_OPENED = {
    AlertKind.BRAKE_PULLED: EventType.BRAKE_PULLED,
    AlertKind.CONNECTION_LOST: EventType.CONNECTION_LOST,
}


class News(NamedTuple):
    """An event that is not kept yet."""

    type: EventType
    data: dict[str, Any]


def of_run(store: Store, happened: Happened, *, with_records: bool) -> Iterator[News]:
    """The events of one look at a sync; those of single records only when somebody wants them."""
    error, report = happened.error, happened.report
    if error is not None:
        connection = error.connection if isinstance(error, ConnectorError) else ""
        told = {
            "sync": happened.sync,
            "cause": happened.cause.value,
            "code": error.full_code,
            "connection": connection,
        }
        yield News(EventType.RUN_FAILED, told)
    if report is None:
        return
    if with_records:
        yield from _written(store, report)
    yield from _parked(report)
    yield from _conflicts(store, report)
    if not report.is_quiet:
        yield News(EventType.RUN_FINISHED, {"cause": happened.cause.value, **_finished(report)})


def _finished(report: Report) -> dict[str, Any]:
    return {
        "sync": report.sync,
        "run": report.run,
        "is_full": report.is_full,
        "seconds": round(report.seconds, 3),
        "left": msgspec.to_builtins(report.left),
        "right": msgspec.to_builtins(report.right),
        "failed": len(report.failures),
        "held": len(report.plan.held),
        "brakes": [brake.name.value for brake in report.plan.brakes],
    }


def _written(store: Store, report: Report) -> Iterator[News]:
    """One for each record that was written, from the history."""
    if not report.writes:
        return
    records: dict[tuple[object, ...], list[Entry]] = {}
    for entry in store.history(report.sync, run=report.run, limit=_MOST):
        if entry.side is not None:
            records.setdefault((entry.side, entry.left_key, entry.right_key), []).append(entry)
    for entries in records.values():
        yield News(EventType.RECORD_WRITTEN, _record(report, entries))


def _record(report: Report, entries: Sequence[Entry]) -> dict[str, Any]:
    first = entries[0]
    fields = {
        each.field: {"old": msgspec.to_builtins(each.old), "new": msgspec.to_builtins(each.new)}
        for each in entries
        if each.field
    }
    return {
        "sync": report.sync,
        "run": report.run,
        "side": first.side.value if first.side else None,
        "left_key": first.left_key,
        "right_key": first.right_key,
        "rules": sorted({each.rule.value for each in entries}),
        "fields": sorted(fields),
        VALUES: {"title": first.title, "fields": fields},
    }


def _parked(report: Report) -> Iterator[News]:
    for each in report.failures:
        told = {"sync": report.sync, "run": report.run, "side": each.side.value, "key": each.key}
        yield News(
            EventType.RECORD_PARKED,
            {
                **told,
                "code": each.code,
                "field": each.field,
                "remedy": each.remedy,
                VALUES: {"title": each.title},
            },
        )


def _conflicts(store: Store, report: Report) -> Iterator[News]:
    """Questions that this run asked first."""
    if not report.plan.held:
        return
    for each in store.questions(report.sync):
        if each.run == report.run:
            held = each.held
            told = {
                "sync": report.sync,
                "run": report.run,
                "question": each.id,
                "rule": held.rule.value,
                "left_key": held.left_key,
                "right_key": held.right_key,
                "field": held.field,
            }
            values = {
                "title": held.title,
                "left": msgspec.to_builtins(held.left),
                "right": msgspec.to_builtins(held.right),
            }
            yield News(EventType.CONFLICT_OPENED, {**told, VALUES: values})


def of_alert(moved: Moved) -> Iterator[News]:
    """The events of an alert that opened or is over. A brake and a lost connection have types of their own too."""
    alert, kind = moved.alert, moved.alert.about.kind
    if moved.move is Move.OPENED:
        if kind in _OPENED:
            name = "sync" if kind is AlertKind.BRAKE_PULLED else "connection"
            told = {name: alert.about.subject, "code": alert.code, "text": alert.text, "remedy": alert.remedy}
            yield News(_OPENED[kind], told)
        yield News(EventType.ALERT_OPENED, _alert(alert))
    elif moved.move is Move.RECOVERED:
        yield News(EventType.ALERT_RECOVERED, _alert(alert))


def _alert(alert: Alert) -> dict[str, Any]:
    return {
        "alert": alert.id,
        "kind": alert.about.kind.value,
        "subject": alert.about.subject,
        "text": alert.text,
        "remedy": alert.remedy,
        "count": alert.count,
        "first_at": alert.first_at.isoformat(),
    }


_SAMPLE_RUN = {"sync": "tickets", "run": 42}
_SAMPLE_ALERT = {
    "alert": 3,
    "kind": "quota.low",
    "subject": "work",
    "text": "The connection 'work' has 50 of 1,000 calls left until 2026-03-03 00:00 UTC.",
    "remedy": "Poll less often.",
    "count": 1,
    "first_at": "2026-03-02T09:00:00+00:00",
}
SAMPLES: Mapping[EventType, Mapping[str, Any]] = {
    EventType.RUN_FINISHED: {
        "cause": "heard", **_SAMPLE_RUN, "is_full": False, "seconds": 0.42,
        "left": {"created": 0, "updated": 0, "deleted": 0, "archived": 0, "restored": 0},
        "right": {"created": 1, "updated": 2, "deleted": 0, "archived": 0, "restored": 0},
        "failed": 0, "held": 0, "brakes": [],
    },
    EventType.RUN_FAILED: {
        "sync": "tickets", "cause": "poll", "code": "transient.unreachable", "connection": "work",
    },
    EventType.RECORD_WRITTEN: {
        **_SAMPLE_RUN, "side": "right", "left_key": "17", "right_key": "a1b2", "rules": ["one_side_changed"],
        "fields": ["name:title"],
    },
    EventType.RECORD_PARKED: {
        **_SAMPLE_RUN, "side": "right", "key": "a1b2", "code": "rejected.validation", "field": "phone",
        "remedy": "Correct the value.",
    },
    EventType.CONFLICT_OPENED: {
        **_SAMPLE_RUN, "question": 7, "rule": "conflict", "left_key": "17", "right_key": "a1b2", "field": "name:title",
    },
    EventType.BRAKE_PULLED: {
        "sync": "tickets", "code": "deletes", "text": "12 of 40 linked records are gone.",
        "remedy": "If that is meant, release the brake.",
    },
    EventType.CONNECTION_LOST: {
        "connection": "work", "code": "auth.token_refused", "text": "The connection 'work' is refused by its vendor.",
        "remedy": "Connect it again.",
    },
    EventType.ALERT_OPENED: _SAMPLE_ALERT,
    EventType.ALERT_RECOVERED: _SAMPLE_ALERT,
    **{event_type(kind, verb): sample(kind) for kind in ItemType for verb in Verb},
}  # fmt: skip
"""What the data of each type looks like, for whoever sets something up before the first real one."""
