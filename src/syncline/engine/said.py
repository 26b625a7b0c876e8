"""What persons said about records without a link, out of the store, for `match` and `plan`; and copies they asked for.

Called by `reconcile` in every run, and by `linking`, which keeps what is said. A wish for a copy holds until the record is
linked, however many runs that takes.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from syncline.core.match import Said
from syncline.core.records import RecordKey, Side, SyncId
from syncline.ports import Store

_COPIES = "copies"


class Wish(msgspec.Struct, frozen=True):
    """A record that is to be copied. `word` makes the external key of its copy one of its own."""

    side: Side
    key: RecordKey
    word: str


_DECODER = msgspec.json.Decoder(tuple[Wish, ...])


def said(store: Store, sync: SyncId) -> Said:
    """All that persons said about unlinked records of a sync."""
    return Said(
        frozenset((pair.left, pair.right) for pair in store.apart(sync)),
        frozenset((wish.side, wish.key, wish.word) for wish in wishes(store, sync)),
        frozenset(
            seen.external_key for side in Side for seen in store.released(sync, side) if seen.external_key
        ),
    )


def wishes(store: Store, sync: SyncId) -> tuple[Wish, ...]:
    """The records that are to be copied."""
    kept = store.recall(sync, _COPIES)
    return _DECODER.decode(kept) if kept else ()


def want_copy(store: Store, sync: SyncId, wish: Wish) -> None:
    """Keep a wish for a copy; one that is there already stays as it is."""
    known = wishes(store, sync)
    if all((each.side, each.key) != (wish.side, wish.key) for each in known):
        _keep(store, sync, [*known, wish])


def forget_copies(store: Store, sync: SyncId, records: Iterable[tuple[Side, RecordKey]]) -> None:
    """Forget the wishes for copies of these records."""
    known, settled = wishes(store, sync), set(records)
    left = [wish for wish in known if (wish.side, wish.key) not in settled]
    if len(left) != len(known):
        _keep(store, sync, left)


def _keep(store: Store, sync: SyncId, found: Iterable[Wish]) -> None:
    store.remember(sync, _COPIES, msgspec.json.encode(list(found)).decode())
