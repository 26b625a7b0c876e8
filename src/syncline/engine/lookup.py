"""A record's id that nobody knows into an error that says which records may have been meant.

Called by the CLI and by what a person does by hand. Looked up in our own memory; no call is made.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from syncline.core.records import RecordKey, Side, SyncId
from syncline.errors import ProblemKind, UsageError
from syncline.ports import Store

_SHOWN = 3
_SHORTEST = 3
"""A shorter text resembles too much."""


def is_known(store: Store, sync: SyncId, key: RecordKey) -> bool:
    """Whether a sync has seen a record of this key, on either side."""
    return any(store.seen(sync, side, [key]) for side in Side)


def no_record(
    store: Store, syncs: Iterable[SyncId], key: RecordKey, hint: str = "", what: str = "record"
) -> UsageError:
    """That none of these syncs knows a record `key`, with the records whose title or id resembles it, else `hint`."""
    names = list(syncs)
    where = f"The sync '{names[0]}' knows" if len(names) == 1 else "No sync knows"
    text = f"{where} {'no' if len(names) == 1 else 'a'} {what} '{key}'."
    near = list(dict.fromkeys(_resembling(store, names, key)))[:_SHOWN]
    remedy = f"Did you mean {' or '.join(near)}?" if near else hint
    return UsageError("record", text, remedy, ProblemKind.NO_RECORD, key)


def _resembling(store: Store, syncs: Iterable[SyncId], key: RecordKey) -> Iterator[str]:
    text = key.strip()
    if len(text) < _SHORTEST:
        return
    for sync in syncs:
        # A word that lacks its end, or has a letter too many there, is the commonest slip of a copied id.
        for part in dict.fromkeys((text, text[:-1] if len(text) > _SHORTEST else text)):
            for side, seen in store.resembling(sync, part, _SHOWN):
                title = f"{seen.title}, " if seen.title else ""
                yield f"{seen.key} ({title}{side.value})"
