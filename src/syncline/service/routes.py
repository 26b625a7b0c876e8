"""What was heard into the syncs and sides that should look: by connection and object type.

Used by `service.intake` and by redelivery. The routes come from whoever knows which syncs are running.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from syncline.config import SyncSettings
from syncline.core.records import RecordKey, Side, SyncId
from syncline.ports import Heard, Store


@dataclass(frozen=True, slots=True)
class Route:
    """One side of a running sync: events of this connection about this object type are for it."""

    sync: SyncId
    side: Side
    connection: str
    object_type: str


def routes_of(syncs: Mapping[str, SyncSettings]) -> tuple[Route, ...]:
    """Both sides of these syncs."""
    return tuple(
        Route(SyncId(name), side, settings.side(side).connection, settings.side(side).object)
        for name, settings in syncs.items()
        for side in Side
    )


def wanted(
    store: Store, routes: Sequence[Route], connection: str, heard: Heard
) -> Iterator[tuple[Route, RecordKey]]:
    """Who should look at what. A record whose object type is not told is looked for among those we know; when nobody
    knows it, every side of the connection is asked to look."""
    mine = [route for route in routes if route.connection == connection]
    for spoken in heard.spoken:
        key = RecordKey(spoken.key)
        if spoken.object_type:
            found = [route for route in mine if route.object_type == spoken.object_type]
        else:
            found = [route for route in mine if store.recognise(route.sync, route.side, [key])] or mine
        for route in found:
            yield route, key
