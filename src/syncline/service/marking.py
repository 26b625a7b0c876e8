"""Kept deliveries into marks: which records of which syncs should be looked at, and what became of each delivery.

Used by `service.intake` right after a commit and after a crash, and by redelivery (also from the command line). Marks and
the deliveries' new states are one transaction; doing it twice only makes somebody look twice.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from syncline.core.records import RecordKey, Side, SyncId
from syncline.ports import (
    Delivery,
    DeliveryState,
    Heard,
    Listener,
    Mark,
    Refused,
    Settled,
    Spoken,
    Store,
    Verdict,
)
from syncline.service.routes import Route, wanted

MOST_MARKS = 10_000
"""More than this wait for no sync: what was heard is a hint, and a listing of changes finds all of it."""
_OLDEST_BELIEVED = dt.timedelta(days=1)
NOBODY = "No running sync wants it."
NOT_KEPT = "It was refused, and nothing is kept of it."
NOT_THERE = "There is no such delivery."

Listeners = Callable[[str], Listener | None]


class Marked(msgspec.Struct, frozen=True):
    """What became of deliveries, in their order, and which syncs have something to look at."""

    settled: tuple[Settled, ...]
    syncs: frozenset[SyncId]


def mark_all(
    store: Store, routes: Sequence[Route], heard: Sequence[tuple[Delivery, Heard]], now: dt.datetime
) -> Marked:
    """Mark every record that these speak of for every sync that wants it. Raises `StoreError`; then nothing is done."""
    marks: dict[tuple[SyncId, Side, RecordKey], Mark] = {}
    settled: list[Settled] = []
    for delivery, event in heard:
        asked = list(wanted(store, routes, delivery.connection, event))
        for route, key in asked:
            mark = Mark(route.sync, route.side, key, f"delivery {delivery.id}", _since(delivery, event), now)
            marks.setdefault((route.sync, route.side, key), mark)
        settled.append(_settled(delivery.id, event, [route for route, _ in asked]))
    with store.transaction():
        store.add_marks(list(marks.values()))
        store.settle_deliveries(settled, now)
    return Marked(tuple(settled), frozenset(mark.sync for mark in marks.values()))


def bound_marks(store: Store, now: dt.datetime, most: int = MOST_MARKS) -> Mapping[SyncId, int]:
    """Forget the marks of syncs that have too many, because they are paused or rest for long; a listing of changes is due
    in their place as soon as they run again. How many were forgotten of which sync."""
    crowded = [sync for sync, each in store.mark_counts().items() if each.count > most]
    return {sync: store.fold_marks(sync, f"more than {most} marks", now, most) for sync in crowded}


def redeliver(
    store: Store, listeners: Listeners, routes: Sequence[Route], ids: Iterable[int], now: dt.datetime
) -> Marked:
    """Use kept deliveries once more, as if they had just come. One that was refused stays refused."""
    heard: list[tuple[Delivery, Heard]] = []
    failed: list[Settled] = []
    for number in dict.fromkeys(ids):
        delivery = store.delivery(number)
        if delivery is None or delivery.state is DeliveryState.REFUSED:
            failed.append(Settled(number, DeliveryState.REFUSED, NOT_KEPT if delivery else NOT_THERE))
        else:
            heard.append((delivery, heard_again(store, listeners, delivery)))
    marked = mark_all(store, routes, heard, now)
    return Marked((*marked.settled, *failed), marked.syncs)


def heard_again(store: Store, listeners: Listeners, delivery: Delivery) -> Heard:
    """What a kept delivery means. Where its body is pruned, or its connection has no listener any more, its row tells."""
    listener = listeners(delivery.connection)
    body = store.delivery_body(delivery.id) if listener else None
    found = listener.read(body) if listener and body else None
    if found is None or isinstance(found, Refused):
        spoken = (Spoken(delivery.object_type, delivery.key),) if delivery.object_type or delivery.key else ()
        verdict = Verdict.LOOK if spoken else Verdict.NOTE
        return Heard(delivery.event, verdict, delivery.mark, spoken, delivery.happened_at)
    return found


def _since(delivery: Delivery, heard: Heard) -> dt.datetime:
    """When the edit was made, where that can be believed: the vendor's clock is not ours."""
    at, received = heard.happened_at, delivery.received_at
    return at if at is not None and received - _OLDEST_BELIEVED <= at <= received else received


def _settled(number: int, heard: Heard, routes: Sequence[Route]) -> Settled:
    if not routes:
        return Settled(number, DeliveryState.IGNORED, heard.why or NOBODY)
    names: Mapping[str, None] = dict.fromkeys(f"{route.sync} ({route.side.value})" for route in routes)
    return Settled(number, DeliveryState.USED, f"Marked for {', '.join(names)}.")
